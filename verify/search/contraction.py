"""Norms in which a network contracts, for card C1: a weighted max norm from a Perron vector, quadratic forms from one matrix inequality."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, log2
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from proofs.arithmetic import Matrix
from proofs.theorems.sectors import MAX_SIZE
from verify.numerics.sector_barrier import MOST_STEPS, Quadratic, Shape, question, solve, start_of
from verify.numerics.sectors import Sector, sector_of, slowest_slopes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from proofs.network import Network

_ABOVE = (2.0**-30, 2.0**-20, 2.0**-10, 1.0)
_TINY = 1e-290
_BITS = 40
_GOAL = 1 - 2.0**-10
_GRID = 2**16
_ENOUGH = 1e-4
_NEAR = 1.02
_ROUGH = 1.05
_REFINING: dict[Shape, int] = {"identity": 200, "diagonal": 200, "full": 40}  # Newton steps, once a rate below 1 is there
_FAR = 2.0**12
_SPARE_BITS = 48
_MOST_BITS = 4096


@dataclass(frozen=True)
class FormWitness:
    """A candidate for card C1(ii): Q, the multipliers of the units, the rate, and bits enough for its elimination."""

    form: Matrix
    multipliers: tuple[Fraction, ...]
    rate: Fraction
    bits: int


@dataclass(frozen=True)
class FormSearch:
    """What a search for forms of one shape brought: a witness with a rate below 1, or None and why; ``best`` is the least rate reached.

    **Guarantee:** heuristic (the kernel checks the witness).
    """

    witness: FormWitness | None
    best: float
    reason: str
    seconds: float


def contraction_weights(network: Network, bits: int | None = None) -> tuple[tuple[Fraction, ...], Fraction]:
    """Return positive rational weights d and the least rational c on a grid of 2**-40 with N d <= c d.

    **Guarantee:** exact for the returned pair (the kernel checks it again); that no other weights do better is heuristic.
    **Raises:** Rejected for programs with products of registers, whose slopes have no global bound.
    """
    slopes = network.jacobian(None, bits)
    size = network.dimension
    bound = [[slopes.interval(i, j).magnitude for j in range(size)] for i in range(size)]
    weights = _perron(np.array([[float(x) for x in row] for row in bound]))
    rate = max(sum((x * d for x, d in zip(row, weights, strict=True)), Fraction(0)) / own for row, own in zip(bound, weights, strict=True))
    scaled = rate * (1 << _BITS)
    rounded = Fraction(-(-scaled.numerator // scaled.denominator), 1 << _BITS)
    return weights, max(rounded, Fraction(1, 1 << _BITS))


def why_no_form(network: Network) -> str | None:
    """Return why no quadratic form need be looked for, None where one may exist.

    One reason is exact (products, size); the other is a float: slopes that the sectors allow and that give an expanding Jacobian.
    """
    sector = sector_of(network)
    if sector is None:
        return "products of registers have no global slopes"
    if not _are_finite(sector):
        return "floats cannot hold its weights"
    width = sum(sector.G.shape)
    if width >= MAX_SIZE:
        return f"{width} states and units, quadratic forms are for fewer than {MAX_SIZE}"
    radius, _ = slowest_slopes(sector)
    if radius >= 1:
        return f"no norm contracts: with some slopes the units may have, the Jacobian has spectral radius {radius:.6g}"
    return None


@lru_cache(maxsize=8)
def contraction_form(network: Network, shape: Shape, seconds: float = 20.0, *, roomy: bool = False) -> FormSearch:
    """Search a form of one shape (multiples of the identity, diagonal, full) in which an exact network contracts.

    ``roomy``: at a rate just below 1, with as much margin as there is, so that neighbouring networks pass too; otherwise at nearly the
    least rate that the effort allows. Without success the least rate reached, at or above 1, is told. Results are kept for the next call.

    **Guarantee:** heuristic. **Cost:** a full form takes about 0.02 s a solve with 20 states and 20 units, 0.5 to 5 s with 100 and 100.
    """
    started = monotonic()
    sector = sector_of(network)
    if sector is None or not _are_finite(sector):
        return FormSearch(None, np.inf, "no sector form", 0.0)
    rates = _Rates(sector.balanced(), shape, started + seconds)
    point = rates.try_rate(_GOAL, roomy=roomy)
    if point is None:
        unclear = "" if rates.hopeless else " (it did not become clear that none is below 1)"
        best = rates.least_above(_GOAL)
        reached = f"best rate reached {best:.4g}" if np.isfinite(best) else "no rate reached"
        return FormSearch(None, best, reached + unclear, monotonic() - started)
    rate = _GOAL
    if not roomy:
        rates.steps_left = _REFINING[shape]
        rate, point = rates.least_below(rate, point, slowest_slopes(sector)[0])
    witness = _rounded(rates.sector, rate, point)
    return FormSearch(witness, rate, "", monotonic() - started)


@dataclass
class _Rates:
    """Solves at one rate after another, each from the last form that worked."""

    sector: Sector
    shape: Shape
    deadline: float
    last: Quadratic | None = None
    hopeless: bool = True
    steps_left: int = 10 * MOST_STEPS

    def try_rate(self, rate: float, *, roomy: bool = False) -> Quadratic | None:
        """Return a form that works at a rate, None where none was found; ``roomy``: with as much margin as there is."""
        asked = question(self.sector, rate, self.shape)
        left, most = max(0.05, self.deadline - monotonic()), min(MOST_STEPS, self.steps_left)
        needed = _ENOUGH * min(1.0, rate * rate)
        try:
            ended = solve(asked, self.last or start_of(asked), left, enough=np.inf if roomy else needed, steps=most)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError):
            self.hopeless = False  # numbers so far apart that floats cannot tell anything
            return None
        self.steps_left, self.hopeless = self.steps_left - ended.steps, ended.hopeless
        if ended.point.margin <= needed / 16:
            return None
        self.last = ended.point
        return ended.point

    def least_below(self, rate: float, point: Quadratic, floor: float) -> tuple[float, Quadratic]:
        """Bisect from a rate that works towards a bound from below, to 2 per cent or until the time is over."""
        low = max(floor, rate / _FAR)
        while rate / low > _NEAR and self.steps_left > 0 and monotonic() < self.deadline:
            middle = _on_grid(float(np.sqrt(low * rate)))
            found = self.try_rate(middle) if middle < rate else None
            if found is None:
                low = middle
            else:
                rate, point = middle, found
        return rate, point

    def least_above(self, low: float) -> float:
        """Return the least rate that works above one that does not, to 5 per cent or until the time is over; infinity without any."""
        high = 2 * low
        while self.try_rate(high) is None:
            low, high = high, 2 * high
            if high > _FAR or monotonic() > self.deadline:
                return np.inf
        while high / low > _ROUGH and monotonic() < self.deadline:
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self.try_rate(middle) is not None else (middle, high)
        return high


def _rounded(sector: Sector, rate: float, point: Quadratic) -> FormWitness:
    """Round a form to a grid that its margin allows, undo the scaling by powers of two, and say how many bits the elimination needs."""
    size, count = len(sector.J), len(sector.limits)
    weight = size * (rate * rate + float(np.linalg.norm(sector.ahead, 2)) ** 2) + 2 * max(1.0, float(np.linalg.norm(sector.slack, 2)))
    grid = max(8, ceil(log2(8 * weight / point.margin)))
    states, units = [_power(x) for x in sector.states], [_power(x) for x in sector.units]
    whole = [[Fraction(_whole(point.form[min(i, j), max(i, j)], grid), 2**grid) for j in range(size)] for i in range(size)]
    form = Matrix.exact(
        [[value / (one * two) for value, two in zip(row, states, strict=True)] for row, one in zip(whole, states, strict=True)]
    )
    multipliers = tuple(Fraction(max(1, _whole(point.multipliers[j], grid)), 2**grid) / units[j] ** 2 for j in range(count))
    scales = [abs(log2(x)) for x in (*states, *units)]
    bits = min(_MOST_BITS, grid + _SPARE_BITS + ceil(4 * max(scales)))
    return FormWitness(form, multipliers, Fraction(ceil(rate * _GRID), _GRID), bits)


def _whole(value: float, grid: int) -> int:
    return int(np.rint(value * 2.0**grid))


def _power(value: float) -> Fraction:
    return Fraction(float(value))


def _on_grid(rate: float) -> float:
    """Round a rate up to the grid on which it will be stated."""
    return ceil(rate * _GRID) / _GRID


def _are_finite(sector: Sector) -> bool:
    parts: tuple[NDArray[np.float64], ...] = (sector.J, sector.B, sector.G, sector.E)
    return all(bool(np.isfinite(part).all()) for part in parts)


def _perron(matrix: NDArray[np.float64]) -> tuple[Fraction, ...]:
    """Return positive d with N d <= c d, c just above the spectral radius of N >= 0: (I - N / c) d = 1, for reducible matrices too."""
    radius = float(np.abs(linalg.eigvals(matrix)).max(initial=0.0))
    for above in _ABOVE:
        rate = radius * (1 + above) + above * float(matrix.max(initial=0.0)) + _TINY
        try:
            weights = np.linalg.solve(np.eye(len(matrix)) - matrix / rate, np.ones(len(matrix)))
        except np.linalg.LinAlgError:
            continue
        if np.isfinite(weights).all() and (weights > 0).all():
            return tuple(_short(x) for x in weights / weights.max())
    return (Fraction(1),) * len(matrix)


def _short(value: float) -> Fraction:
    """Round a positive float to 24 bits."""
    mantissa, exponent = np.frexp(value)
    return Fraction(int(np.rint(mantissa * 2.0**24))) * Fraction(2) ** (int(exponent) - 24)
