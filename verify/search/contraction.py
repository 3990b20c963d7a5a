"""Weights of a max norm in which a network contracts as much as weights can make it: the Perron vector of its entrywise slope bound."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from proofs.network import Network

_FLOOR = 2.0**-20
_BITS = 40


def contraction_weights(network: Network, bits: int | None = None) -> tuple[tuple[Fraction, ...], Fraction]:
    """Return positive rational weights d and the least rational c on a grid of 2**-40 with N d <= c d.

    **Guarantee:** exact for the returned pair (the kernel checks it again); that no other weights do better is heuristic.
    **Raises:** Rejected for programs with products of registers, whose slopes have no global bound.
    """
    slopes = network.jacobian(None, bits)
    size = network.dimension
    bound = [[slopes.interval(i, j).magnitude for j in range(size)] for i in range(size)]
    weights = _perron(np.array([[float(x) for x in row] for row in bound]))
    rate = max(sum((x * d for x, d in zip(row, weights, strict=True)), Fraction(0)) / own for row, own in zip(bound, weights, strict=True))
    scaled = rate * (1 << _BITS)
    rounded = Fraction(-(-scaled.numerator // scaled.denominator), 1 << _BITS)
    return weights, max(rounded, Fraction(1, 1 << _BITS))


def _perron(matrix: np.ndarray) -> tuple[Fraction, ...]:
    """Return the dominant eigenvector of the matrix, made positive by a small constant so that reducible matrices have one too."""
    values, vectors = linalg.eig(matrix + _FLOOR * max(1e-300, float(matrix.max(initial=0.0))))
    leading = np.abs(vectors[:, int(np.argmax(values.real))].real)
    leading = np.maximum(leading / leading.max(initial=1e-300), _FLOOR)
    return tuple(Fraction(round(float(x) * 2**24), 2**24) for x in leading)
