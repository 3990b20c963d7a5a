"""Are claims about complex pairs, folds and flips true? By exact orbits and eigenvalues at many mu, and by Newton's method in floats.

A claim names the end of its line by digest only; the ends of all lines that this process has read are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from tests.second import boxes
from tests.second.cycles import orbit_along
from tests.second.families import ENDS, moved, speed
from tests.second.nets import Net
from tests.second.pairs import second_order
from tests.second.text import number, numbers, table

SAMPLES = 8
BITS = 80
NEAR = 1e-7
STEP = 1e-3


def line_of(claim: dict) -> dict | None:
    """Return the line of a claim, if its end has been read."""
    at, end = numbers(claim["at"]), ENDS.get(claim["end"])
    return {"net": end, "at": at} if end is not None and len(at) == 2 and at[0] < at[1] else None


def at_mu(net: Net, line: dict, mu: Fraction) -> Net:
    """Return the network at mu."""
    program: list[tuple] = []
    for (name, of, matrices, bias), (_, _, others, other) in zip(net.program, line["net"].program, strict=True):
        pairs = [*zip(matrices, others, strict=True), (bias, other)] if name == "affine" else []
        mixed = [moved(a, speed(a, b, line), line, boxes.point(mu)) for a, b in pairs]
        program.append((name, of, mixed[:-1], mixed[-1] if mixed else []))
    return Net(net.dimension, program)


def complex_pair_holds(net: Net, claim: dict) -> bool | None:
    """Look at the cycle and at its complex multipliers of this sum, at both ends and between."""
    line = line_of(claim)
    if line is None or not line["net"].exact or outline(net) != outline(line["net"]):
        return None
    low, high, trace = number(claim["low"]), number(claim["high"]), [float(x) for x in numbers(claim["trace"])]
    moduli = []
    for i in range(SAMPLES + 1):
        here = at_mu(net, line, low + (high - low) * i / SAMPLES)
        orbit = orbit_along(here, claim["itinerary"])
        if orbit is None or [here.pattern([boxes.point(x) for x in point]) for point in orbit] != claim["itinerary"]:
            return False
        whole = np.eye(net.dimension)
        for word in claim["itinerary"]:
            whole = floats(here.piece(word)[0]) @ whole
        values = [v for v in np.linalg.eigvals(whole) if v.imag > 0 and trace[0] - NEAR < 2 * v.real < trace[1] + NEAR]
        if len(values) != 1:
            return None if values else False
        moduli.append(abs(values[0]) ** 2 - 1)
    if max(map(abs, (moduli[0], moduli[-1]))) < NEAR:
        return None  # too close for floats
    rises = moduli[0] < 0 < moduli[-1]
    return bool((rises or moduli[-1] < 0 < moduli[0]) and claim["crossing"] == ("outward" if rises else "inward"))


def outline(net: Net) -> list:
    """Return the operations and registers."""
    return [net.dimension, *((name, of, len(bias)) for name, of, _, bias in net.program)]


def floats(matrix: list) -> np.ndarray:
    """Return the middles of a matrix."""
    return np.array([[float(a + b) / 2 for a, b in row] for row in matrix], dtype=np.float64)


class Family:
    """F_mu and its derivatives in floats. A state is (v_1, z_1, .., v_k, z_k, mu)."""

    def __init__(self, net: Net, line: dict, period: int) -> None:
        self.net, self.line, self.period, self.size = net, line, period, net.dimension

    def orders(self, vectors: np.ndarray, points: np.ndarray, mu: float) -> list:
        """Return for each time (DF v, F) and its derivatives."""
        found = []
        for v, z in zip(vectors, points, strict=True):
            image, slopes = second_order(self.net, self.line, [boxes.point(Fraction(float(x))) for x in (*v, *z, mu)], BITS)
            found.append((np.array([float(a + b) / 2 for a, b in image]), floats(slopes)))
        return found

    def cycle(self, points: np.ndarray, mu: float) -> tuple[np.ndarray, np.ndarray]:
        """Return z_(t+1) - F(z_t) and its derivatives by all z and mu."""
        n, k = self.size, self.period
        residual, matrix = np.zeros(n * k), np.zeros((n * k, n * k + 1))
        for t, (image, slopes) in enumerate(self.orders(np.zeros_like(points), points, mu)):
            rows = slice((t + 1) % k * n, ((t + 1) % k + 1) * n)
            residual[rows] = points[(t + 1) % k] - image[n:]
            matrix[rows, rows] += np.eye(n)
            matrix[rows, t * n : (t + 1) * n] -= slopes[n:, n : 2 * n]
            matrix[rows, -1] -= slopes[n:, -1]
        return residual, matrix

    def solve(self, points: np.ndarray, mu: float, row: np.ndarray, value: float) -> tuple[np.ndarray, float] | None:
        """Return the cycle with row . (z, mu) = value, by Newton's method."""
        state = np.append(points.ravel(), mu)
        for _ in range(40):
            residual, matrix = self.cycle(state[:-1].reshape(points.shape), float(state[-1]))
            whole = np.vstack([matrix, row])
            if not np.isfinite(whole).all() or np.linalg.cond(whole) > 1e13:
                return None
            move = np.linalg.solve(whole, np.append(residual, row @ state - value))
            state = state - move
            if np.abs(move).max() < 1e-12 * (1 + np.abs(state).max()):
                return state[:-1].reshape(points.shape), float(state[-1])
        return None

    def multipliers(self, points: np.ndarray, mu: float) -> np.ndarray:
        """Return the multipliers of a cycle."""
        whole = np.eye(self.size)
        for _, slopes in self.orders(np.zeros_like(points), points, mu):
            whole = slopes[self.size :, self.size : 2 * self.size] @ whole
        return np.linalg.eigvals(whole)


def smooth_fold_holds(net: Net, claim: dict) -> bool | None:
    """Follow the curve of cycles through the stated one a little to both sides: where mu turns, or the multiplier passes -1."""
    line, points = line_of(claim), np.array([[float(x) for x in row] for row in table(claim["points"])])
    if line is None or not line["net"].exact or outline(net) != outline(line["net"]) or any(name == "relu" for name, *_ in net.program):
        return None
    family, radius = Family(net, line, len(points)), float(number(claim["radius"]))
    low, high = float(number(claim["low"])), float(number(claim["high"]))
    if radius > STEP / 4:
        return None
    if claim["twist"] < 0:
        mus = [(low + high) / 2 + side * STEP * float(line["at"][1] - line["at"][0]) for side in (-1, 1)]
        row = np.append(np.zeros(points.size), 1.0)
        ends = [family.solve(points, mu, row, mu) for mu in mus]
        values = [min(family.multipliers(*end), key=lambda v: abs(v + 1)).real for end in ends if end is not None]
        return (
            None
            if len(values) < len(ends)
            else bool(values[1] < -1 < values[0] if claim["side"] == "after" else values[0] < -1 < values[1])
        )
    _, matrix = family.cycle(points, (low + high) / 2)
    along = np.linalg.svd(matrix)[2][-1]
    if abs(along[-1]) > STEP:
        return False  # mu does not turn here
    centre = along @ np.append(points.ravel(), (low + high) / 2)
    found = [family.solve(points + s * along[:-1].reshape(points.shape), (low + high) / 2, along, centre + s) for s in (-STEP, 0.0, STEP)]
    mus = [end[1] for end in found if end is not None]
    if len(mus) < len(found):
        return None
    bend = mus[0] + mus[2] - 2 * mus[1]
    return bool(low - NEAR <= mus[1] <= high + NEAR and (bend > 0) == (claim["side"] == "after"))


TRUTHS: dict[str, Callable[[Net, dict], bool | None]] = {"complex_pair": complex_pair_holds, "smooth_fold": smooth_fold_holds}
