"""D6 ``driven_contraction``. A contraction stays one whatever the inputs are.

Statement   For every sequence of biases of the affine operations, hence for all inputs that enter through them, all conditional Lyapunov
            exponents are <= log c; for c < 1 two orbits with the same inputs approach each other by the factor c a step in one norm.
Cites       a contraction step C1.
Witness     none.
Checks      1  the program has no product of registers, so that neither check of C1 has read a bias
Fails when  the network is gated (LSTM, GRU): use driven_graph in a box.
Rests on    C1 bounds |J_D| in one fixed norm over all slopes D in [0, 1]; no bias occurs in it, so it bounds each step of any sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import Contraction, ExponentUpper
from proofs.exponents import DrivenContraction

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> DrivenContraction:
    """Verify one application; see the card above."""
    bound = step.cite(Contraction, ExponentUpper)
    products = sum(operation.name == "mul" for operation in step.network.program)
    step.require(1, products == 0, "a program without products of registers", f"{products} operations mul")
    return DrivenContraction(bound.rate)
