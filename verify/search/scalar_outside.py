"""What happens far out: which points a scalar piecewise-linear map sends to infinity, or which interval catches every orbit."""

from __future__ import annotations

from fractions import Fraction

from proofs.piecewise import PiecewiseLinear

TIGHTENINGS = 8
FLOAT_POWERS = 1_000
_SHOWN = 24


def describe_outside(function: PiecewiseLinear) -> str:
    """Say in one sentence what orbits do outside the bounded part.

    **Guarantee:** exact, from the table of F; no step of a certificate says it.
    """
    if function.left >= 0 or function.right >= 0:
        return f"{_describe(function, 'F')}."
    twice = function.after(function, 4 * (len(function.knots) + 2) ** 2)
    bounded = _describe(twice, "F^2")
    return f"{bounded}; the two ends of the line change places under F."


def _describe(function: PiecewiseLinear, name: str) -> str:
    points, spans = function.fixed_points()
    if (None, None) in spans:
        return f"{name} is the identity"
    ends = [*points, *(end for span in spans for end in span if end is not None)]
    if not ends:
        return f"{name} has no fixed point: every orbit of {name} escapes to {'' if function(Fraction(0)) > 0 else '-'}infinity"
    low, high = min(ends), max(ends)
    parts = _far_out(function, low, high, name)
    return "; ".join(parts) if parts else _caught(function, low, high, name)


def _far_out(function: PiecewiseLinear, low: Fraction, high: Fraction, name: str) -> list[str]:
    """Left of ``low`` and right of ``high`` F(x) - x keeps its sign; orbits that it drives outwards are monotone and have no limit."""
    parts = []
    if function(low - 1) < low - 1:
        parts.append(f"every x < {_show(low)} escapes to -infinity under {name}")
        if function.right < 0:
            last = _last_at_least(function, low)
            parts.append(f"so does every x > {_show(last)}, because {name}(x) < {_show(low)} there")
    if function(high + 1) > high + 1:
        parts.append(f"every x > {_show(high)} escapes to infinity under {name}")
        if function.left < 0:
            first = -_last_at_least(_mirrored(function), -high)
            parts.append(f"so does every x < {_show(first)}, because {name}(x) > {_show(high)} there")
    if function(low - 1) == low - 1:
        parts.append(f"every x <= {_show(low)} is fixed by {name}")
    if function(high + 1) == high + 1:
        parts.append(f"every x >= {_show(high)} is fixed by {name}")
    return [parts[0][0].upper() + parts[0][1:], *parts[1:]] if parts else []


def _last_at_least(function: PiecewiseLinear, level: Fraction) -> Fraction:
    """Return the largest x with F(x) >= level; the right slope is negative and F takes the level."""
    knots, values = function.knots, function.values
    if values[-1] >= level:
        return knots[-1] + (level - values[-1]) / function.right
    for i in range(len(knots) - 1, 0, -1):
        if values[i - 1] >= level:
            return knots[i - 1] + (level - values[i - 1]) * (knots[i] - knots[i - 1]) / (values[i] - values[i - 1])
    return knots[0] + (level - values[0]) / function.left


def _caught(function: PiecewiseLinear, low: Fraction, high: Fraction, name: str) -> str:
    """Neither end repels and the ends do not change places.

    Let a and b be the least and greatest of all fixed points, knots and values, and of F at the other end where the outer slope is
    negative. Then F maps [a, b] into itself; an orbit left of a (right of b) moves towards it, or jumps across once and then moves towards
    the other end, so all its limit points are in [a, b], hence in every image of it.
    """
    a, b = min(low, *function.knots, *function.values), max(high, *function.knots, *function.values)
    if function.right < 0:
        a = min(a, function(b))
    if function.left < 0:
        b = max(b, function(a))
    for _ in range(TIGHTENINGS):
        a, b = _image(function, a, b)
    return f"{name} maps [{_show(a)}, {_show(b)}] into itself, and all limit points of every orbit of {name} lie there"


def _image(function: PiecewiseLinear, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    values = [function(low), function(high), *(v for x, v in zip(function.knots, function.values, strict=True) if low < x < high)]
    return min(values), max(values)


def _mirrored(function: PiecewiseLinear) -> PiecewiseLinear:
    """Return -F(-x)."""
    knots, values = tuple(-x for x in reversed(function.knots)), tuple(-v for v in reversed(function.values))
    return PiecewiseLinear(knots, values, function.right, function.left)


def _show(x: Fraction) -> str:
    text = str(x)
    if len(text) <= _SHOWN:
        return text
    power = x.numerator.bit_length() - x.denominator.bit_length()
    return f"about {float(x):.10g}" if abs(power) < FLOAT_POWERS else f"about {'-' * (x < 0)}2^{power}"
