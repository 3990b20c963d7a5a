"""Scalar maps that several tests decide."""

from __future__ import annotations

from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation

Q = Fraction
Number = int | float | str | Fraction
Row = tuple[Number, ...]


def layered(W1: Row, b: Row, W2: Row, c: Number = 0, output: str | None = None) -> Network:
    """Return x -> output(W2 relu(W1 x + b) + c), numbers read exactly."""
    program = [
        Operation("affine", (0,), (Matrix.exact([[Q(w)] for w in W1]),), Matrix.column([Q(x) for x in b])),
        Operation("relu", (1,)),
        Operation("affine", (2,), (Matrix.exact([[Q(w) for w in W2]]),), Matrix.column([Q(c)])),
    ]
    return Network(1, (*program, Operation(output, (3,))) if output else tuple(program))


def tent(slope: str | int | Fraction) -> Network:
    """Return the tent map: slope x up to 1/2, then back; 0 for negative x."""
    return layered((1, 1), (0, Q(-1, 2)), (Q(slope), -2 * Q(slope)))
