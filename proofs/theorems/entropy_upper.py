"""C4 ``entropy_upper`` (M = 1). Entropy from above.

Statement   h <= log(c) / n on every compact invariant set.
Cites       the table A0 (without it n must be 1 and by = "slope").
Witness     iterate n; by: "laps" or "slope"; max_knots if A0 is cited.
Checks      1  one state
            2  the table of F^n, composed exactly, stays within max_knots
            3  by laps: c = the number of laps of F^n; by slope: c = max(1, Lipschitz constant of F^n)
Fails when  the table grows beyond its bound.
Rests on    Misiurewicz & Szlenk 1980 (F extended to [-inf, inf] is piecewise monotone); h <= log+ Lip on subsets of the line.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.claims import EntropyUpper, Pieces
from proofs.theorems.powers import composed, limit

if TYPE_CHECKING:
    from proofs.theorems.card import Application

MAX_ITERATE = 4096


def check(step: Application) -> EntropyUpper:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    iterate, by = step.witness.integer("iterate", 1, MAX_ITERATE), step.witness.text("by")
    step.require(3, by in {"laps", "slope"}, "laps or slope", by)
    if not step.citations_left:
        step.require(2, iterate == 1 and by == "slope", "a citation of A0, unless n = 1 by slope", f"n = {iterate} by {by}")
        return EntropyUpper(max(Fraction(1), step.network.jacobian(None).norm()), 1)
    function = step.cite(Pieces).function
    most = limit(step)
    power = function
    for _ in range(iterate - 1):
        power = composed(step, 2, function, power, most)
    rate = Fraction(power.laps()) if by == "laps" else max(Fraction(1), power.lipschitz())
    return EntropyUpper(rate, iterate)
