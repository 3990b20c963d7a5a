"""E3 ``teacher_forcing``. Under generalised teacher forcing the training map is a contraction.

Statement   For every sequence of teacher values t the map z -> F(z + alpha (t - z) on the first N states) brings any two orbits nearer by
            the factor c < 1 a step, in one norm. Nothing follows for F running freely.
Witness     alpha; forced N; and a witness of C1 (rate c with weights, or with form, multipliers and bits) for G(z) = F(S z), S diagonal,
            1 - alpha for the first N states and 1 for the others.
Checks      1  0 <= alpha <= 1, 1 <= N <= M; no product of registers, so that no check of C1 reads a bias
            2  C1 holds for G with c < 1
Fails when  (1 - alpha) |J| is not below 1 for all patterns in any norm tried: a larger alpha.
Rests on    the training map is G with the input alpha t added before F: it has the slopes of G, over all of which C1 takes its bound.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.claims import Contraction
from proofs.network import Network, Operation
from proofs.parameters import TeacherForcing
from proofs.theorems import contraction

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> TeacherForcing:
    """Verify one application; see the card above."""
    network, alpha = step.network, step.witness.number("alpha")
    step.require_short(1, alpha)
    step.require(1, 0 <= alpha <= 1, "0 <= alpha <= 1", alpha)
    forced = step.witness.integer("forced", 1, network.dimension)
    products = sum(operation.name == "mul" for operation in network.program)
    step.require(1, products == 0, "a program without products of registers", f"{products} operations mul")
    claim = contraction.check(step.about(forced_network(network, alpha, forced), step.witness, ""))
    step.require(2, isinstance(claim, Contraction), "a contraction", f"a factor {claim.rate}", "a larger alpha")
    return TeacherForcing(alpha, forced, claim.rate)


def forced_network(network: Network, alpha: Fraction, forced: int) -> Network:
    """Return G: the first ``forced`` states times 1 - alpha, then F."""
    size = network.dimension
    factors = [1 - alpha if i < forced else Fraction(1) for i in range(size)]
    scale = Matrix.exact([factor if i == j else Fraction(0) for j in range(size)] for i, factor in enumerate(factors))
    first = Operation("affine", (0,), (scale,), Matrix(((0,),) * size, None, 1))
    rest = (Operation(o.name, tuple(register + 1 for register in o.of), o.matrices, o.bias) for o in network.program)
    return Network(size, (first, *rest))
