"""A6 ``no_period`` (M = 1). A Lipschitz constant excludes odd periods.

Statement   F has no cycle of odd least period p with 1 < p <= q.
Cites       optionally the table A0 (sharper); else the kernel bounds all slopes with relu' and tanh' in [0, 1].
Witness     period q, odd, >= 3.
Checks      1  one state
            2  q is odd
            3  L > 0 and L^q - 2 L^(q-2) - 1 < 0 for L = the Lipschitz constant (L = 0: F is constant, nothing to check)
Fails when  L is at least lambda_q (1.6180 for q = 3, 1.5128 for 5, 1.4655 for 7, ... down to sqrt 2).
Rests on    period p odd > 1 forces h >= log lambda_p >= log lambda_q (B3), while h <= log L on every compact invariant set of the line; by
            Descartes' rule x^q - 2 x^(q-2) - 1 has one positive root lambda_q and is negative below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import NoOddPeriod
from proofs.grammar import shown
from proofs.theorems.slopes import below_root, lipschitz

if TYPE_CHECKING:
    from proofs.theorems.card import Application

MAX_ODD = 999


def check(step: Application) -> NoOddPeriod:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    period = step.witness.integer("period", 3, MAX_ODD)
    step.require(2, period % 2 == 1, "an odd period", period)
    slope = lipschitz(step)
    step.require(3, below_root(slope, period, strict=True), f"L^{period} - 2 L^{period - 2} - 1 < 0", lambda: f"L = {shown(slope)}")
    return NoOddPeriod(period)
