"""E0 ``path``. A straight line of weights that begins at the network.

Statement   F_mu = F + (mu - m0) / (m1 - m0) (G - F), weight by weight, mu from m0 to m1, is a family of networks of one shape.
Witness     end: the network G; at: m0, m1.
Checks      1  m0 < m1, in short numbers
            2  G has the dimension, the operations, the registers and the shapes of F; weights have radii in both or in neither
Fails when  the two networks are of different models or sizes.
Rests on    nothing: it is a definition. Where weights have radii, later steps speak of every F and G inside them; a weight with the same
            interval at both ends has one value, which does not move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.network import Network
from proofs.parameters import Line

if TYPE_CHECKING:
    from proofs.network import Operation
    from proofs.theorems.card import Application


def check(step: Application) -> Line:
    """Verify one application; see the card above."""
    at = step.witness.numbers("at")
    step.require_short_column(1, at)
    step.require(1, len(at) == 2 and at[0] < at[1], "two numbers m0 < m1", at)  # noqa: PLR2004 - a pair
    end = Network.read(step.witness.part("end"))
    one, two = [(network.dimension, _outline(network)) for network in (step.network, end)]
    step.require(2, one == two, "an end network of the same shape", "another dimension, program or shape", "two checkpoints of one model")
    law = "radii of weights at both ends or at neither"
    step.require(2, end.is_exact == step.network.is_exact, law, ("largest radii", step.network.largest_radius, end.largest_radius))
    return Line(end, (at[0], at[1]))


def _outline(network: Network) -> list[object]:
    return [(operation.name, operation.of, _shapes(operation)) for operation in network.program]


def _shapes(operation: Operation) -> list[tuple[int, int]]:
    return [matrix.shape for matrix in (*operation.matrices, operation.bias) if matrix is not None]
