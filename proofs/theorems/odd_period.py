"""B2 ``odd_period`` (M = 1). A point that comes back on the other side after an odd number of steps.

Statement   F has a cycle of some odd least period q, 1 < q <= n.
Witness     point x (rational), times n; optional bits.
Checks      1  one state
            2  n is odd and >= 3
            3  F^n(x) <= x < F(x), or F^n(x) >= x > F(x) (for enclosures: the ends decide)
Fails when  n is even (a fixed point could do it); the point is not of this kind.
Rests on    Li, Misiurewicz, Pianigiani, Yorke 1982 (Trans. AMS 273, 191-199). Chaos follows by B3 and B8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import OddPeriod
from proofs.grammar import shown
from proofs.theorems.card import MAX_PERIOD
from proofs.theorems.li_yorke import orbit_of

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> OddPeriod:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    times = step.witness.integer("times", 3, MAX_PERIOD)
    step.require(2, times % 2 == 1, "an odd number of steps", times)
    point, bits = step.witness.number("point"), step.bits()
    orbit = orbit_of(step, point, times, bits)
    first, last = orbit[1], orbit[times]
    holds = (last.hi <= point < first.lo) or (last.lo >= point > first.hi)
    step.require(3, holds, f"F^{times}(x) <= x < F(x), or reversed", lambda: f"x = {shown(point)}, F(x) = {first}, F^{times}(x) = {last}")
    return OddPeriod(times)
