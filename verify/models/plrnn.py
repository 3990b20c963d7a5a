"""PLRNN and mean-centred PLRNN.

    plrnn                z' = A z + W relu(z) + h
    mean_centred_plrnn   z' = A z + W relu(z - mean(z)) + h

A is a vector (a diagonal, whose zeros are structural) or a full matrix (every entry a parameter, a diagonal one included).
W is a full matrix: a stored zero is a parameter like the others. See Durstewitz 2017.
"""

from __future__ import annotations

from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.network import Network
from verify.models.blocks import affine, apply, constant
from verify.models.parts import Family, Parts

_SHAPES = {"A": "M or M x M", "W": "M x M", "h": "M"}


def build_plrnn(parts: Parts) -> Network:
    """Return z' = A z + W relu(z) + h, one hinge a unit."""
    size = parts.size("h")
    return Network(size, (apply("relu", 0), affine(parts.bias("h"), (parts.square("A", size), 0), (parts["W"], 1))))


def build_mean_centred(parts: Parts) -> Network:
    """Return z' = A z + W relu((I - 11'/M) z) + h, one hinge a unit."""
    size = parts.size("h")
    ones = Matrix(((1,) * size,) * size, None, 1)
    centred = affine(constant(0, size), (Matrix.identity(size) - ones.times(Fraction(1, size)), 0))
    return Network(size, (centred, apply("relu", 1), affine(parts.bias("h"), (parts.square("A", size), 0), (parts["W"], 2))))


PLRNN = Family("z' = A z + W relu(z) + h", _SHAPES, {"M": ("h", None)}, build_plrnn)
MEAN_CENTRED = Family("z' = A z + W relu(z - mean(z)) + h", _SHAPES, {"M": ("h", None)}, build_mean_centred)
