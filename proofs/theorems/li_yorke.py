"""B1 ``li_yorke`` (M = 1). Period three in the form of Li and Yorke.

Statement   F has points of every period and an uncountable scrambled set; with sup_radius e also every continuous g with |g - F| <= e.
Witness     point a (rational); optional sup_radius e > 0; optional bits. With e, optionally cites A0 for the Lipschitz constant L.
Checks      1  one state
            2  F^3(a) <= a < F(a) < F^2(a), or all inequalities reversed (for enclosures: every pair of ends decides)
            3  with e > 0 and gaps u = |F(a) - a|, v = |F^2(a) - F(a)|, w = |a - F^3(a)| (least values):
               e < u, e (2 + L) < v, e (1 + L + L^2) <= w
Fails when  the point is not of this kind; the radius is too large.
Rests on    Li & Yorke 1975 (Amer. Math. Monthly 82, 985-992). Check 3: |g^2 - F^2| <= e (1 + L) and |g^3 - F^3| <= e (1 + L + L^2) at a.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.claims import LiYorke
from proofs.grammar import shown
from proofs.theorems.slopes import lipschitz

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> LiYorke:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    point, bits = step.witness.number("point"), step.bits()
    orbit = orbit_of(step, point, 3, bits)
    first, second, third = orbit[1:]
    if first.hi < point:
        first, second, third = (Interval(2 * point - x.hi, 2 * point - x.lo) for x in (first, second, third))
    gaps = (first.lo - point, second.lo - first.hi, point - third.hi)
    holds = gaps[0] > 0 and gaps[1] > 0 and gaps[2] >= 0
    step.require(2, holds, "F^3(a) <= a < F(a) < F^2(a), or all reversed", orbit)
    if not step.witness.has("sup_radius"):
        return LiYorke(point, None)
    radius, slope = step.witness.number("sup_radius"), lipschitz(step)
    needs = (radius < gaps[0], radius * (2 + slope) < gaps[1], radius * (1 + slope + slope**2) <= gaps[2])
    step.require(
        3, radius > 0 and all(needs), "e < u, e (2 + L) < v and e (1 + L + L^2) <= w", lambda: f"e = {shown(radius)}, L = {shown(slope)}"
    )
    return LiYorke(point, radius)


def orbit_of(step: Application, point: Fraction, times: int, bits: int | None) -> list[Interval]:
    """Return enclosures of point, F(point), .., F^times(point)."""
    state = Matrix.column([point])
    orbit = [state.interval(0)]
    for _ in range(times):
        state = step.network.image(state, bits)
        orbit.append(state.interval(0))
        step.require_short_entries(2, state)
    return orbit
