"""C1(i) ``contraction``. A weighted max norm in which F contracts.

Statement   c < 1: F has exactly one fixed point, every orbit converges to it, all Lyapunov exponents are <= log c.
            c >= 1: only that all Lyapunov exponents are <= log c.
Witness     weights d (M rationals), rate c; optional bits.
Checks      1  all d_i > 0 and c > 0
            2  N d <= c d, N the entrywise bound of |J| over all relu and tanh slopes in [0, 1], computed by the kernel
Fails when  the network expands in every weighted max norm (C1(ii) with one LMI is sharper).
Rests on    |F(x) - F(y)| <= c |x - y| in the norm max |x_i| / d_i; Banach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.claims import Contraction, ExponentUpper

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> Contraction | ExponentUpper:
    """Verify one application; see the card above."""
    size = step.network.dimension
    weights, rate = step.witness.numbers("weights"), step.witness.number("rate")
    step.require(1, len(weights) == size and all(d > 0 for d in weights), f"{size} positive weights", weights)
    step.require(1, rate > 0, "a positive rate", rate)
    totals = step.network.jacobian(None, step.bits()).magnitudes() @ Matrix.column(weights)
    for i, weight in enumerate(weights):
        total = totals.middle(i)
        step.require(2, total <= rate * weight, f"(N d)_{i + 1} <= c d_{i + 1}", (total, rate * weight))
    return Contraction(rate) if rate < 1 else ExponentUpper(rate)
