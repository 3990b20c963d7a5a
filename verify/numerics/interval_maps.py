"""Iterates of an exact piecewise-linear map of the line, each made once and under a budget; short rationals near others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from time import monotonic

from proofs.piecewise import PiecewiseLinear, TooManyPieces
from verify.rounding import exponent


@dataclass
class Powers:
    """Tables of the iterates of F, each made once, within a bound on knots and a moment in time after which none is begun.

    ``stopped`` says in words what ended the composing first.
    """

    function: PiecewiseLinear
    max_knots: int
    deadline: float
    stopped: str = ""
    _known: dict[int, PiecewiseLinear | None] = field(default_factory=dict)
    _slowest: float = 0.0

    def get(self, exponent: int) -> PiecewiseLinear | None:
        """Return the table of F^exponent, or None where the budget does not suffice."""
        if exponent == 1:
            return self.function
        if exponent not in self._known:
            self._known[exponent] = self._composed(exponent)
        return self._known[exponent]

    def extended(self, exponent: int, inner: PiecewiseLinear) -> PiecewiseLinear | None:
        """Return F o inner, the table of F^exponent, without keeping it."""
        return self._after(exponent, self.function, inner)

    def has_time(self) -> bool:
        """Say whether the moment has not come yet."""
        return monotonic() < self.deadline

    def _composed(self, exponent: int) -> PiecewiseLinear | None:
        if exponent % 2 == 0:
            half = self.get(exponent // 2)
            return None if half is None else self._after(exponent, half, half)
        odd = next((part for part in (3, 5, 7) if exponent % part == 0 and exponent > part), exponent)
        inner, outer = self.get(exponent - exponent // odd), self.get(exponent // odd)
        return None if inner is None or outer is None else self._after(exponent, outer, inner)

    def _after(self, exponent: int, outer: PiecewiseLinear, inner: PiecewiseLinear) -> PiecewiseLinear | None:
        started = monotonic()
        if started + 2 * self._slowest > self.deadline:
            self.stopped = self.stopped or f"the time budget ended before the table of F^{exponent} was made"
            return None
        try:
            return outer.after(inner, self.max_knots)
        except TooManyPieces:
            self.stopped = self.stopped or f"the table of F^{exponent} needs more than {self.max_knots} knots, the stated budget"
            return None
        finally:
            self._slowest = max(self._slowest, monotonic() - started)


def turning_points(function: PiecewiseLinear) -> list[Fraction]:
    """Return the knots at which the sign (-, 0, +) of the slope changes."""
    signs = [(slope > 0) - (slope < 0) for slope in function.slopes()]
    return [knot for knot, (one, two) in zip(function.knots, pairwise(signs), strict=True) if one != two]


def orbit(function: PiecewiseLinear, x: Fraction, most: int) -> list[Fraction] | None:
    """Return the cycle through x, None if x does not return within ``most`` steps."""
    points = [x]
    for _ in range(most):
        y = function(points[-1])
        if y == x:
            return points
        points.append(y)
    return None


def short_rational(x: Fraction, accept: Iterable[int] = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)) -> list[Fraction]:
    """Return dyadics near x, the shortest first, and x itself at the end."""
    scale = max(0, -exponent(x))
    return [*dict.fromkeys(Fraction(round(x * 2 ** (bits + scale)), 2 ** (bits + scale)) for bits in accept), x]


def round_down(x: Fraction, bits: int) -> Fraction:
    """Return a dyadic at most x with about ``bits`` significant bits; x itself if it is shorter."""
    if x == 0 or max(x.numerator.bit_length(), x.denominator.bit_length()) <= bits:
        return x
    power = bits - exponent(x)
    scaled = x * (Fraction(2) ** power)
    return Fraction(scaled.numerator // scaled.denominator) / Fraction(2) ** power
