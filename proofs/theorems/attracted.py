"""D7 ``attracted``. Under a contraction all orbits have at most the exponents of the fixed point.

Statement   every orbit of F converges to its one fixed point, and each Lyapunov exponent of each orbit is <= log c.
Cites       a contraction C1 with rate < 1, and the multiplier moduli A3b of a fixed point.
Witness     none.
Checks      1  the rate of the contraction is < 1; the cycle has period 1
            2  all M multipliers have modulus < c, the largest of the stated rates
Fails when  a multiplier lies beyond the largest rate.
Rests on    Banach; the fixed point touches no border (A3b), so the Jacobians J_t along any orbit tend to J there. Some norm has |J| < c,
            and then |J_t| < c from some t on: limsup (1/t) log |J_(t-1)..J_0| <= log c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import Contraction, MultiplierModuli
from proofs.exponents import Attracted

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> Attracted:
    """Verify one application; see the card above."""
    contraction, moduli = step.cite(Contraction), step.cite(MultiplierModuli)
    step.require(1, contraction.rate < 1, "a rate below 1", contraction.rate)
    step.require(1, moduli.cycle.period == 1, "a fixed point", ("a cycle of period", moduli.cycle.period))
    size = step.network.dimension
    step.require(2, moduli.counts[-1] == size, f"all {size} multipliers below the largest rate", moduli.counts[-1])
    return Attracted(moduli.rates[-1])
