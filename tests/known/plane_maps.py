"""PLRNNs with exact weights, and the planar maps that are known to be chaotic, or not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation

Number = int | str | Fraction | float
Rows = Sequence[Sequence[Number]]


def plrnn(A: Rows, W: Rows, h: Sequence[Number]) -> Network:
    """Return z' = A z + W relu(z) + h, numbers read exactly."""
    first, second = (Matrix.exact([[Fraction(value) for value in row] for row in rows]) for rows in (A, W))
    return Network(
        len(h), (Operation("relu", (0,)), Operation("affine", (0, 1), (first, second), Matrix.column([Fraction(value) for value in h])))
    )


def lozi(a: Number, b: Number) -> Network:
    """Return Lozi's map x' = 1 - a |x| + y, y' = b x."""
    return plrnn([[a, 1], [b, 0]], [[-2 * Fraction(a), 0], [0, 0]], [1, 0])


def border_collision() -> Network:
    """Return a border-collision normal form with an attractor all of whose orbits expand."""
    return plrnn([["7/5", 1], ["-1/5", 0]], [["-29/10", 0], ["-1/5", 0]], [1, 0])


def widened(network: Network, radius: Fraction) -> Network:
    """Return the same network with every weight an interval of this radius."""
    lines = [
        line
        if line.bias is None
        else Operation(line.name, line.of, tuple(matrix.widened(radius) for matrix in line.matrices), line.bias.widened(radius))
        for line in network.program
    ]
    return Network(network.dimension, tuple(lines))
