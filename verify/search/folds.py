"""Folds and flips of cycles of smooth networks along a path: branches are continued by pseudo-arclength in floats, and watched.

Along a branch of cycles (z_1, .., z_k, mu) the speed of mu changes its sign at a fold and det(I + DF^k) at a flip. Either is then solved
for by Newton's method on the Moore-Spence system. Nothing here is proved; ``verify.certification.fold_steps`` makes witnesses of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.parameters import Line
from proofs.theorems.smooth_family import SMOOTH, tangent_network
from verify.errors import Unsupported
from verify.numerics.batch import FloatNetwork, Floats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify.paths import Path

NEWTON_STEPS = 30
SETTLED = 1e-11
SAME = 1e-6
FIRST_STEP, LEAST_STEP, LARGEST_STEP = 1e-2, 1e-7, 5e-2
WARM_UP = 200
CLOSE, REGULAR = 1e-4, 1e-13
KICKS = (1e-2, 3e-2, 1e-1)


@dataclass(frozen=True, eq=False)
class FoldCandidate:
    """A fold (``twist`` 1) or flip (-1) of a cycle, suggested by floats. **Shapes:** points, vectors (k, M). **Guarantee:** heuristic.

    vectors[0] is an eigenvector of the product of Jacobians to the multiplier ``twist``, the others are its images along the cycle.
    """

    twist: int
    mu: float
    points: Floats
    vectors: Floats

    @property
    def kind(self) -> str:
        """Return fold or flip."""
        return "fold" if self.twist > 0 else "flip"

    @property
    def period(self) -> int:
        """Return the number of points."""
        return len(self.points)


@dataclass(eq=False)
class Trace:
    """One point of a branch: the cycle (k, M), mu as a share of the path, the unit tangent of both, and what is watched."""

    points: Floats
    share: float
    tangent: Floats
    flip: float = field(default=0.0)


def find_folds(
    path: Path, *, up_to: int = 2, samples: int = 9, starts: int = 64, steps: int = 4000, budget: float = 30.0, seed: int = 0
) -> tuple[FoldCandidate, ...]:
    """Return folds and flips of cycles of least period <= ``up_to`` on the branches that pass through the sampled values of mu.

    **Guarantee:** heuristic: branches that no start meets, and events between which the watched signs change twice, are missed.
    **Cost:** a step of a branch solves k M + 1 equations; ``steps`` bounds the steps a branch, ``budget`` (seconds) all.
    **Raises:** Unsupported for programs with relu.
    """
    return follow(path, up_to=up_to, samples=samples, starts=starts, steps=steps, budget=budget, seed=seed)[0]


def follow(
    path: Path, *, up_to: int = 2, samples: int = 9, starts: int = 64, steps: int = 4000, budget: float = 30.0, seed: int = 0
) -> tuple[tuple[FoldCandidate, ...], tuple[tuple[Trace, ...], ...]]:
    """Return the events as ``find_folds`` does, and the branches: each the points that were passed, in order along the curve.

    **Guarantee:** heuristic. **Raises:** Unsupported for programs with relu.
    """
    others = sorted({operation.name for operation in path.start.program} - SMOOTH)
    if others:
        expected = f"only {', '.join(sorted(SMOOTH))}"
        raise Unsupported(where="find_folds", law="smooth networks", expected=expected, got=f"an operation {', '.join(others)}")
    family, rng, deadline = Family(path), np.random.default_rng(seed), monotonic() + budget
    shares = np.linspace(0.0, 1.0, samples + 2)[1:-1]
    found: list[FoldCandidate] = []
    branches: list[tuple[Trace, ...]] = []
    for period in range(1, up_to + 1):
        seeds = [(float(share), points) for share in shares for points in family.seeds(float(share), period, starts, rng)]
        seeds += [kick for flip in found if flip.twist < 0 and 2 * flip.period == period for kick in family.kicked(flip)]
        while seeds and monotonic() < deadline:
            share, points = seeds.pop(0)
            curve: list[Trace] = []
            for turn in (1.0, -1.0):
                if _is_closed(curve):
                    break
                curve = [replace(trace, tangent=-trace.tangent) for trace in reversed(curve)]
                for here, there in family.branch(points, share, turn, steps, deadline):
                    curve += [there] if curve else [here, there]
                    seeds = [other for other in seeds if not family.passes(here, there, *other)]
                    found += [event for event in family.events(here, there) if not any(same_event(event, other) for other in found)]
            branches.append(tuple(curve))
    return tuple(sorted(found, key=lambda event: (event.mu, event.period))), tuple(branches)


class Family:
    """F_mu in floats with its derivatives by z, by mu and of second order; mu runs from 0 to 1 here."""

    def __init__(self, path: Path) -> None:
        self.size = path.start.dimension
        self._network = FloatNetwork(tangent_network(path.start, Line(path.end, (path.low, path.high))))
        self._low, self._width = float(path.low), float(path.high - path.low)

    def seeds(self, share: float, period: int, starts: int, rng: np.random.Generator) -> list[Floats]:
        """Return the different cycles of this least period that Newton's method reaches from orbits and from their surroundings."""
        orbit = rng.standard_normal((starts, self.size))
        for _ in range(WARM_UP):
            orbit = np.clip(self._images(orbit, share), -1e6, 1e6)
        low, high = orbit.min(axis=0) - 1.0, orbit.max(axis=0) + 1.0
        cycles, tried = list[Floats](), list[Floats]()
        for start in self._settled(np.concatenate([orbit, rng.uniform(low, high, (starts, self.size))]), share, period):
            guess = self._orbit(start, share, period)
            if any(same_cycle(guess, other) for other in tried):
                continue
            tried.append(guess)
            points = self.at_share(guess, share)
            if points is not None and is_least(points) and not any(same_cycle(points, other) for other in cycles):
                cycles.append(points)
        return cycles

    def _settled(self, starts: Floats, share: float, period: int) -> Floats:
        """Take Newton steps for F^k(z) = z from all starts (n, M) at once and return those that came close."""
        states, residual = starts, np.full_like(starts, np.inf)
        with np.errstate(all="ignore"):
            for _ in range(NEWTON_STEPS):
                images, whole = states, np.tile(np.eye(self.size), (len(states), 1, 1))
                for _ in range(period):
                    whole = self._slopes(images, share)[:, :, : self.size] @ whole
                    images = self._images(images, share)
                residual = images - states
                if np.abs(residual).max(initial=0.0) < SETTLED:
                    break
                usable = np.isfinite(residual).all(axis=1) & np.isfinite(whole).all(axis=(1, 2))
                states, residual, whole = states[usable], residual[usable], whole[usable]
                moves = np.linalg.solve(np.eye(self.size) * (1.0 + REGULAR) - whole, residual[:, :, None])[:, :, 0]
                states = states + moves
        close: Floats = states[np.abs(residual).max(axis=1, initial=0.0) < CLOSE * (1.0 + np.abs(states).max(axis=1, initial=0.0))]
        return close

    def kicked(self, flip: FoldCandidate) -> Iterator[tuple[float, Floats]]:
        """Yield cycles of twice the period near a flip."""
        share = self.share_of(flip.mu)
        for size, side in product(KICKS, (1.0, -1.0)):
            start = np.concatenate([flip.points + size * flip.vectors, flip.points - size * flip.vectors])
            points = self.at_share(start, share + side * size * size)
            if points is not None and is_least(points):
                yield share + side * size * size, points

    def at_share(self, points: Floats, share: float) -> Floats | None:
        """Return the cycle near ``points``, at this mu; None where Newton's method does not converge."""
        for _ in range(NEWTON_STEPS):
            residual, matrix = self._system(points, share)
            move = _solve(matrix[:, :-1], residual)
            if move is None:
                return None
            points = points - move.reshape(points.shape)
            if np.abs(move).max() < SETTLED * (1.0 + np.abs(points).max()):
                return points
        return None

    def branch(self, points: Floats, share: float, turn: float, steps: int, deadline: float) -> Iterator[tuple[Trace, Trace]]:
        """Yield neighbouring points of the branch through a cycle until mu leaves the path or the branch closes.

        ``turn``: 1 or -1, the two ways along the branch; mu cannot tell them apart at a fold.
        """
        here = self._traced(points, share, None, turn)
        first, length, far = here, FIRST_STEP, False
        for _ in range(steps):
            if here is None or monotonic() > deadline:
                return
            there = self._next(here, length)
            if there is None:
                length /= 2.0
                if length < LEAST_STEP:
                    return
                continue
            yield here, there
            gap = _apart(there, first) if first is not None else 0.0
            if not 0.0 <= there.share <= 1.0 or (far and gap < length):
                return
            here, length, far = there, min(1.3 * length, LARGEST_STEP), far or gap > 4.0 * LARGEST_STEP

    def events(self, here: Trace, there: Trace) -> Iterator[FoldCandidate]:
        """Yield what happens between two neighbouring points of a branch, or exactly on one of them, inside the path."""
        middle = ((here.points + there.points) / 2.0, (here.share + there.share) / 2.0)
        for twist, changes in ((1, here.tangent[-1] * there.tangent[-1] <= 0.0), (-1, here.flip * there.flip <= 0.0)):
            event = self._solved(*middle, twist) if changes else None
            if event is not None and is_least(event.points) and 0.0 < self.share_of(event.mu) < 1.0:
                yield event

    def share_of(self, mu: float) -> float:
        """Return the fraction of the way at which mu lies."""
        return (mu - self._low) / self._width

    def speed(self, points: Floats, share: float) -> float:
        """Return how fast the farthest-moving point of a cycle goes with the share (max norm), infinity at a turning point."""
        _, matrix = self._system(points, share)
        moves = _solve(matrix[:, :-1], -matrix[:, -1])
        return float("inf") if moves is None else float(np.abs(moves).max())

    def _next(self, here: Trace, length: float) -> Trace | None:
        """Step along the tangent and return to the branch in the plane across it; None if the tangent turns by over 30 degrees."""
        state = np.append(here.points.ravel(), here.share)
        target = state + length * here.tangent
        state = target
        for _ in range(8):
            residual, matrix = self._system(state[:-1].reshape(here.points.shape), float(state[-1]))
            move = _solve(np.vstack([matrix, here.tangent]), np.append(residual, here.tangent @ (state - target)))
            if move is None or not np.isfinite(move).all():
                return None
            state = state - move
            if np.abs(move).max() < SETTLED * (1.0 + np.abs(state).max()):
                there = self._traced(state[:-1].reshape(here.points.shape), float(state[-1]), here.tangent)
                return there if there is not None and there.tangent @ here.tangent > np.sqrt(0.75) else None
        return None

    def _traced(self, points: Floats, share: float, along: Floats | None, turn: float = 1.0) -> Trace | None:
        """Return the point of the branch with its tangent, turned to go ``along``, and the sign of det(I + DF^k), nan if too large."""
        _, matrix = self._system(points, share)
        tangent = turn * np.linalg.svd(matrix)[2][-1]
        tangent = tangent if along is None or tangent @ along >= 0.0 else -tangent
        whole = self._product(points, share)
        sign = np.linalg.slogdet(np.eye(self.size) + whole)[0] if np.isfinite(whole).all() else np.nan
        return Trace(points, share, tangent, float(sign))

    def passes(self, here: Trace, there: Trace, share: float, points: Floats) -> bool:
        """Say whether a branch goes through this cycle between two of its points; others may be near it."""
        if points.shape != here.points.shape or (here.share - share) * (there.share - share) > 0.0:
            return False
        width = there.share - here.share
        between = here.points + (there.points - here.points) * ((share - here.share) / width if width else 0.0)
        if not same_cycle(between, points, 4.0 * LARGEST_STEP**2 + SAME):
            return False
        own = self.at_share(between, share)
        return own is None or same_cycle(own, points)

    def _solved(self, points: Floats, share: float, twist: int) -> FoldCandidate | None:
        """Solve the Moore-Spence system from a nearby point of the branch."""
        whole = self._product(points, share)
        vector = np.linalg.svd(whole - twist * np.eye(self.size))[2][-1]
        normal, vectors = vector, [vector]
        for slope in self._slopes(points, share)[:-1, :, : self.size]:
            vectors.append(slope @ vectors[-1])
        state = np.append(np.concatenate([np.array(vectors), points], axis=1).ravel(), share)
        for _ in range(NEWTON_STEPS):
            residual, matrix = self._moore_spence(state, len(points), twist, normal)
            move = _solve(matrix, residual)
            if move is None or not np.isfinite(move).all():
                return None
            state = state - move
            if np.abs(move).max() < SETTLED * (1.0 + np.abs(state).max()):
                rows = state[:-1].reshape(len(points), 2 * self.size)
                close = np.abs(rows[:, self.size :] - points).max() < 4.0 * LARGEST_STEP
                mu = self._low + self._width * float(state[-1])
                return FoldCandidate(twist, mu, rows[:, self.size :], rows[:, : self.size]) if close else None
        return None

    def _moore_spence(self, state: Floats, period: int, twist: int, normal: Floats) -> tuple[Floats, Floats]:
        rows, width = state[:-1].reshape(period, -1), 2 * self.size
        factors = np.ones((period, width))
        factors[-1, : self.size] = twist
        whole = self._states(rows[:, self.size :], float(state[-1]), rows[:, : self.size])
        images = self._network.step(whole)[:, :width] * factors
        slopes = self._network.jacobian(whole)[:, :width] * factors[:, :, None]
        slopes[:, :, -1] *= self._width
        residual, matrix = _cyclic(rows, images, slopes)
        last = np.append(np.append(normal, np.zeros(len(state) - 1 - self.size)), 0.0)
        return np.append(residual, normal @ rows[0, : self.size] - 1.0), np.vstack([matrix, last])

    def _system(self, points: Floats, share: float) -> tuple[Floats, Floats]:
        """Return z_(t+1) - F(z_t), flat, and its derivatives by all z_t and mu."""
        return _cyclic(points, self._images(points, share), self._slopes(points, share))

    def _product(self, points: Floats, share: float) -> Floats:
        whole = np.eye(self.size)
        for slope in self._slopes(points, share):
            whole = slope[:, : self.size] @ whole
        return whole

    def _orbit(self, start: Floats, share: float, period: int) -> Floats:
        points = [start]
        for _ in range(period - 1):
            points.append(self._images(points[-1][None], share)[0])
        return np.array(points)

    def _images(self, points: Floats, share: float) -> Floats:
        return self._network.step(self._states(points, share))[:, self.size : 2 * self.size]

    def _slopes(self, points: Floats, share: float) -> Floats:
        """Return the derivatives by z and by mu, (k, M, M + 1)."""
        slopes = self._network.jacobian(self._states(points, share))[:, self.size : 2 * self.size, self.size :]
        slopes[:, :, -1] *= self._width
        return slopes

    def _states(self, points: Floats, share: float, vectors: Floats | None = None) -> Floats:
        mu = np.full((len(points), 1), self._low + self._width * share)
        return np.concatenate([np.zeros_like(points) if vectors is None else vectors, points, mu], axis=1)


def is_least(points: Floats) -> bool:
    """Say whether no point of the cycle seems to come twice."""
    return all(np.abs(points[0] - other).max() > SAME for other in points[1:])


def same_cycle(one: Floats, two: Floats, tolerance: float = SAME) -> bool:
    """Say whether two cycles seem to be one, from any of its points on."""
    return one.shape == two.shape and any(np.abs(one - np.roll(two, t, axis=0)).max() < tolerance for t in range(len(two)))


def same_event(one: FoldCandidate, two: FoldCandidate) -> bool:
    """Say whether two events seem to be one."""
    return one.twist == two.twist and abs(one.mu - two.mu) < SAME and same_cycle(one.points, two.points)


def _cyclic(rows: Floats, images: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    """Return x_(t+1) - G(x_t), flat, and its derivatives; ``slopes`` are (k, n, n + 1), those by the parameter in the last column."""
    count, width = rows.shape
    matrix = np.zeros((count, width, count * width + 1))
    for t in range(count):
        after = (t + 1) % count
        matrix[after, :, after * width : (after + 1) * width] += np.eye(width)
        matrix[after, :, t * width : (t + 1) * width] -= slopes[t, :, :width]
        matrix[after, :, -1] -= slopes[t, :, width]
    return (rows - np.roll(images, 1, axis=0)).ravel(), matrix.reshape(count * width, -1)


def _is_closed(curve: list[Trace]) -> bool:
    """Say whether a branch came back to where it began."""
    return len(curve) > 2 and 0.0 <= curve[-1].share <= 1.0 and _apart(curve[0], curve[-1]) < LARGEST_STEP  # noqa: PLR2004


def _apart(one: Trace, two: Trace) -> float:
    return float(max(np.abs(one.points - two.points).max(), abs(one.share - two.share)))


def _solve(matrix: Floats, right: Floats) -> Floats | None:
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
