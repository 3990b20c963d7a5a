"""Cycles of a scalar piecewise-linear map from the exact tables of its iterates, and the forms that settle their stability."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import prod
from time import monotonic

from proofs.piecewise import PiecewiseLinear, TooManyPieces
from verify.numerics.interval_maps import Powers, orbit
from verify.rounding import exponent

Cycle = tuple[Fraction, ...]


def cycles_up_to(powers: Powers, period: int, most: int) -> tuple[list[Cycle], int]:
    """Return all isolated cycles, shortest first, up to the largest least period <= ``period`` that the budget allows, and that period.

    **Guarantee:** exact and complete up to the returned period (identity pieces apart); it is less than ``period`` where the tables of the
    iterates outgrow their budget (``powers.stopped`` says which) or there would be more than ``most`` cycles.
    """
    found: list[Cycle] = []
    seen: set[Fraction] = set()
    power: PiecewiseLinear | None = powers.function
    for k in range(1, period + 1):
        power = powers.extended(k, power) if power is not None and k > 1 else power
        if power is None:
            return sorted(found, key=len), k - 1
        new: list[Cycle] = []
        for x in power.fixed_points()[0]:
            points = None if x in seen else orbit(powers.function, x, k)
            if points is not None:
                seen.update(points)
                new.append(tuple(points))
        if len(found) + len(new) > most:
            powers.stopped = powers.stopped or f"more than {most} cycles of period at most {k}"
            return sorted(found, key=len), k - 1
        found += new
    return sorted(found, key=len), period


def cycle_of_period(powers: Powers, period: int) -> Cycle | None:
    """Return one cycle of exactly this least period with short coordinates; None if there is none or the budget does not reach.

    **Guarantee:** exact; None without ``powers.stopped`` excludes the period.
    """
    table = powers.get(period)
    if table is None:
        return None
    points, spans = table.fixed_points()
    inner = [_inside(low, high) for low, high in spans]
    for x in sorted([*points, *inner], key=lambda x: x.denominator.bit_length() + x.numerator.bit_length()):
        points_of_x = orbit(powers.function, x, period)
        if points_of_x is not None and len(points_of_x) == period:
            return tuple(points_of_x)
    return None


def odd_cycle_in(
    function: PiecewiseLinear, window: tuple[Fraction, Fraction], divisor: int, limits: tuple[int, int, float]
) -> Cycle | None:
    """Return a cycle through the window of least period q * divisor for the least odd q > 1 (or 6 * divisor) within the limits.

    ``limits``: the greatest period, the most knots of a table, and the moment to stop. Only the iterates of F on the window are tabulated.
    """
    longest, most, deadline = limits
    table = PiecewiseLinear(window, window, Fraction(0), Fraction(0))
    found: dict[int, Cycle] = {}
    for n in range(1, longest + 1):
        try:
            table = function.after(table, most)
        except TooManyPieces:
            break
        if n % divisor == 0 and n > divisor and ((n // divisor) % 2 == 1 or n == 6 * divisor):
            points = (x for x in table.fixed_points()[0] if window[0] <= x <= window[1])
            orbits = (orbit(function, x, n) for x in points)
            exact = next((tuple(points) for points in orbits if points is not None and len(points) == n), None)
            if exact is not None and n != 6 * divisor:
                return exact
            found.update({} if exact is None else {n: exact})
        if monotonic() > deadline:
            break
    return next(iter(found.values()), None)


def slopes_along(function: PiecewiseLinear, cycle: Cycle) -> list[Fraction] | None:
    """Return F' at each point, None if one of them is a knot."""
    slopes = [_slope_at(function, x) for x in cycle]
    return None if any(slope is None for slope in slopes) else [slope for slope in slopes if slope is not None]


def stability_forms(slopes: list[Fraction]) -> tuple[list[Fraction], int] | None:
    """Return dyadic Q_t with Q_t - s_t^2 Q_(t+1) > 0 around the cycle and the bits to check them with; None if the multiplier is +-1.

    Q_t = 1 + s_t^2 Q_(t+1) closes up with Q_1 = S / (1 - multiplier^2), which has the sign that A3 asks for.
    """
    squares = [slope**2 for slope in slopes]
    multiplier = prod(squares, start=Fraction(1))
    if multiplier == 1:
        return None
    total, factor = Fraction(0), Fraction(1)
    for square in squares:
        total, factor = total + factor, factor * square
    form = total / (1 - multiplier)
    forms = [form]
    for square in reversed(squares[1:]):
        forms.append(1 + square * forms[-1])
    ordered = [forms[0], *reversed(forms[1:])]
    widest = max(1, *(square.numerator // square.denominator + 1 for square in squares))
    smallest = min(abs(form) for form in ordered)
    bits = max(8 + widest.bit_length(), 8 - exponent(smallest))
    return [Fraction(round(form * 2**bits), 2**bits) for form in ordered], bits + 64


def _inside(low: Fraction | None, high: Fraction | None) -> Fraction:
    """Return a short point inside an interval that is not the middle (a flip fixes that)."""
    if low is not None and high is not None:
        return low + (high - low) / 3
    return low + 1 if low is not None else high - 1 if high is not None else Fraction(1)


def _slope_at(function: PiecewiseLinear, x: Fraction) -> Fraction | None:
    knots, values = function.knots, function.values
    if x < knots[0]:
        return function.left
    if x > knots[-1]:
        return function.right
    pieces = zip(pairwise(knots), pairwise(values), strict=True)
    return next(((d - c) / (b - a) for (a, b), (c, d) in pieces if a < x < b), None)
