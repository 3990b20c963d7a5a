"""Networks whose contraction, or the lack of it, is known on paper."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation


def exact(values: ArrayLike) -> Matrix:
    """Read floats as the dyadics they are; a list of numbers becomes a column."""
    table = np.asarray(values, dtype=float)
    return Matrix.exact([[Fraction(float(x)) for x in row] for row in (table[:, None] if table.ndim == 1 else table)])


def affine(of: tuple[int, ...], bias: ArrayLike, *matrices: ArrayLike) -> Operation:
    return Operation("affine", of, tuple(exact(matrix) for matrix in matrices), exact(bias))


def linear(J: ArrayLike) -> Network:
    """Return z' = J z + 1."""
    size = len(np.asarray(J))
    return Network(size, (affine((0,), np.ones(size), J),))


def recurrent(W: ArrayLike, activation: str = "relu") -> Network:
    """Return h' = act(W h + 1)."""
    size = len(np.asarray(W))
    return Network(size, (affine((0,), np.ones(size), W), Operation(activation, (1,))))


def plrnn(A: ArrayLike, W: ArrayLike) -> Network:
    """Return z' = A z + W relu(z) + 1."""
    size = len(np.asarray(A))
    return Network(size, (Operation("relu", (0,)), affine((0, 1), np.ones(size), A, W)))


def gaussian(size: int, gain: float, seed: int) -> np.ndarray:
    """Draw a matrix of normal entries with deviation gain / sqrt(size)."""
    return np.asarray(gain / np.sqrt(size) * np.random.default_rng(seed).standard_normal((size, size)))


def clipped(seed: int) -> Network:
    """Return a clipped shallow network z' = A z + W1 (relu(W2 z + h) - relu(W2 z)) + 1 of 3 states and 10 hidden units."""
    rng = np.random.default_rng(seed)
    A, W1, W2 = np.diag(rng.uniform(0.3, 0.6, 3)), 0.1 * rng.standard_normal((3, 10)), 0.4 * rng.standard_normal((10, 3))
    lines = affine((0,), rng.standard_normal(10), W2), Operation("relu", (1,)), affine((0,), np.zeros(10), W2), Operation("relu", (3,))
    return Network(3, (*lines, affine((0, 2, 4), np.ones(3), A, W1, -W1)))


def layered(seed: int, *, gain: float) -> Network:
    """Return two hidden layers, tanh then sigmoid, on 4 states."""
    rng = np.random.default_rng(seed)
    first, second, last = rng.standard_normal((6, 4)) * gain, rng.standard_normal((5, 6)) * gain, rng.standard_normal((4, 5)) * gain
    hidden = affine((0,), np.ones(6), first), Operation("tanh", (1,)), affine((2,), np.ones(5), second), Operation("sigmoid", (3,))
    return Network(4, (*hidden, affine((0, 4), np.ones(4), 0.3 * np.eye(4), last)))
