"""E3 ``gradient_divergence``. Near an escape to infinity a cycle's points grow like 1/|mu - mu*|, their derivatives like its square.

Statement   That of to_infinity; and for all mu != mu* in [low, high], z_1 the solution of w's equations and |.| the max norm,
            |z_1| |mu - mu*| and |dz_1/dmu| (mu - mu*)^2 lie between the stated positive numbers.
Cites       a path step.
Witness     that of to_infinity; position and gradient: pairs of numbers.
Checks      1 to 6  those of to_infinity, with a side on which the cycle exists
            7  0 < position[0] <= |s| |v| / max |g'| - D |y|, |s| |v| / min |g'| + D |y| <= position[1], D = high - low
            8  0 < gradient[0] <= |s| |g'| |v| / max |g'|^2 - R, |s| |g'| |v| / min |g'|^2 + R <= gradient[1],
               R = D (|s'| |v| + |s| |v'|) / min |g'| + D^2 |y'|; lower ends of the first terms, upper ends of the others
Fails when  the range is too long for the leading terms to dominate.
Rests on    z_1 = y - (s / g) v and its derivative y' - (s' / g - s g' / g^2) v - (s / g) v'; g = g'(x) (mu - mu*) for some x in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.parameters import GradientDivergence
from proofs.theorems.following import rows_of
from proofs.theorems.to_infinity import escape

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.arithmetic import Interval, Matrix
    from proofs.theorems.card import Application


def check(step: Application) -> GradientDivergence:
    """Verify one application; see the card above."""
    found, size = escape(step), step.network.dimension
    step.require(6, found.side != "never", "a cycle on one side", "an itinerary virtual on both sides")
    width = found.ends[1] - found.ends[0]
    v, y = (_range(rows_of(x, 0, size)) for x in (found.direction, found.rest))
    turn, drift = (_range(rows_of(x, 0, size))[1] for x in (found.direction_speed, found.rest_speed))
    speed, pull = _sizes(found.direction_speed.interval(size)), _sizes(found.rest.interval(size))
    change = _sizes(found.rest_speed.interval(size))[1]
    position = _pair(step, 7, "position", pull[0] * v[0] / speed[1] - width * y[1], pull[1] * v[1] / speed[0] + width * y[1])
    rest = width * (change * v[1] + pull[1] * turn) / speed[0] + width * width * drift
    low, high = pull[0] * speed[0] * v[0] / speed[1] ** 2, pull[1] * speed[1] * v[1] / speed[0] ** 2
    gradient = _pair(step, 8, "gradient", low - rest, high + rest)
    return GradientDivergence(found.line.end.digest, found.line.at, *found.ends, found.word, found.side, position, gradient)


def _pair(step: Application, number: int, name: str, least: Fraction, most: Fraction) -> tuple[Fraction, Fraction]:
    pair = step.witness.numbers(name)
    step.require_short_column(number, pair)
    step.require(number, len(pair) == 2, f"two numbers {name}", len(pair))  # noqa: PLR2004 - a pair
    step.require(number, 0 < pair[0] <= least and most <= pair[1], f"{name} around what was enclosed", (least, most), "a shorter range")
    return pair[0], pair[1]


def _sizes(value: Interval) -> tuple[Fraction, Fraction]:
    """Return the least and the largest absolute value."""
    zero = value.lo - value.lo
    return (zero if value.lo <= 0 <= value.hi else min(abs(value.lo), abs(value.hi))), value.magnitude


def _range(column: Matrix) -> tuple[Fraction, Fraction]:
    """Return bounds of the max norm."""
    sizes = [_sizes(entry) for entry in column.entries()]
    return max(low for low, _ in sizes), max(high for _, high in sizes)
