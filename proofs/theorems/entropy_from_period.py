"""B3 ``entropy_from_period`` (M = 1). A period that is not a power of two forces entropy.

Statement   h(F) >= log(r) / 2^s, h the supremum over compact invariant sets (here: the points whose orbit stays in the hull of the cycle).
Cites       a cycle (A1, A2), an odd period (B2, then q = its bound, since lambda falls as q grows) or B1 (q = 3).
Witness     rate r.
Checks      1  one state
            2  the least period is 2^s q with q odd, q > 1
            3  r > 0 and r^q - 2 r^(q-2) - 1 <= 0, so that r <= lambda_q
Fails when  the period is a power of two; the rate is too large.
Rests on    Block, Guckenheimer, Misiurewicz, Young 1980 (LNM 819).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import CycleClaim, EntropyLower, LiYorke, OddPeriod
from proofs.theorems.slopes import below_root

if TYPE_CHECKING:
    from proofs.theorems.card import Application

_THREE = 3
MAX_ODD = 9999


def check(step: Application) -> EntropyLower:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    fact = step.cite(CycleClaim, OddPeriod, LiYorke)
    period = fact.period if isinstance(fact, CycleClaim) else fact.bound if isinstance(fact, OddPeriod) else _THREE
    odd, doublings = period, 1
    while odd % 2 == 0:
        odd, doublings = odd // 2, doublings * 2
    step.require(2, 1 < odd <= MAX_ODD, f"a period with an odd factor from 3 to {MAX_ODD}", period)
    rate = step.witness.number("rate")
    holds = rate > 0 and below_root(rate, odd, strict=False)
    step.require(3, holds, f"r > 0 and r^{odd} - 2 r^{odd - 2} - 1 <= 0 (r rounded up to 128 bits)", rate)
    return EntropyLower(rate, doublings)
