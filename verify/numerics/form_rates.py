"""Forms at one rate after another, until the least rate is known well, and made exact; for cards C1(ii) and D9."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Matrix
from verify.numerics.sector_barrier import MOST_STEPS, Quadratic, Shape, question, solve, start_of

if TYPE_CHECKING:
    from verify.numerics.sectors import Sector

GOAL = 1 - 2.0**-10
_GRID = 2**16
_ENOUGH = 1e-4
_NEAR = 1.02
_ROUGH = 1.05
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


@dataclass
class Rates:
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

    def least(self, floor: float) -> tuple[float, Quadratic | None]:
        """Return nearly the least rate that works, above a bound from below, and the form; infinity and None without any."""
        point = self.try_rate(GOAL) if floor < GOAL else None
        if point is not None:
            return self.least_below(GOAL, point, floor)
        rate = self.least_above(max(floor, GOAL))
        return rate, self.last if np.isfinite(rate) else None

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


def rounded_form(sector: Sector, rate: float, point: Quadratic) -> FormWitness:
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
