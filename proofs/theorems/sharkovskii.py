"""B3 ``sharkovskii`` (M = 1). A period forces all that follow it.

Statement   F has cycles of least period k and of every number after k in the order 3, 5, 7, .., 6, 10, .., 12, 20, .., 8, 4, 2, 1.
Cites       a cycle of least period k (A1, A2), or B1 (k = 3).
Witness     none.
Checks      1  one state
            2  the cited fact gives a least period k
Fails when  the cited step is not a cycle.
Rests on    Sharkovskii 1964; Li & Yorke 1975 for k = 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import CycleClaim, ForcedPeriods, LiYorke

if TYPE_CHECKING:
    from proofs.theorems.card import Application

_THREE = 3


def check(step: Application) -> ForcedPeriods:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    fact = step.cite(CycleClaim, LiYorke)
    return ForcedPeriods(fact.period if isinstance(fact, CycleClaim) else _THREE)
