"""Weighted max norms in which a nonnegative matrix is small, from a Perron vector."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ABOVE = (2.0**-30, 2.0**-20, 2.0**-10, 1.0)
_TINY = 1e-290


def perron_weights(matrix: NDArray[np.float64]) -> tuple[Fraction, ...]:
    """Return positive d with N d <= c d, c just above the spectral radius of N >= 0: (I - N / c) d = 1, for reducible matrices too."""
    radius = float(np.abs(linalg.eigvals(matrix)).max(initial=0.0))
    for above in _ABOVE:
        rate = radius * (1 + above) + above * float(matrix.max(initial=0.0)) + _TINY
        try:
            weights = np.linalg.solve(np.eye(len(matrix)) - matrix / rate, np.ones(len(matrix)))
        except np.linalg.LinAlgError:
            continue
        if np.isfinite(weights).all() and (weights > 0).all():
            return tuple(_short(x) for x in weights / weights.max())
    return (Fraction(1),) * len(matrix)


def _short(value: float) -> Fraction:
    """Round a positive float to 24 bits."""
    mantissa, exponent = np.frexp(value)
    return Fraction(int(np.rint(mantissa * 2.0**24))) * Fraction(2) ** (int(exponent) - 24)
