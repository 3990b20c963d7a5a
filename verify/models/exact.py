"""Arrays of floats or Fractions as exact matrices; a radius around every stored number."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import cast

import numpy as np

from proofs.arithmetic import Matrix

_MANTISSA = 53
_WORD = 62


def exact(array: np.ndarray) -> Matrix:
    """Return ``array`` as a matrix; a vector becomes one column.

    **Shapes:** (m,) or (m, n), float64 or (dtype object) Fraction. **Guarantee:** exact: a float is the dyadic it is.
    **Cost:** a million floats in a second.

    **Example**

    >>> exact(np.array([[0.5, -3.0]]))
    Matrix(mid=((1, -6),), rad=None, den=2)
    """
    table = array.reshape(-1, 1) if array.ndim == 1 else array
    if table.dtype == object:
        return Matrix.exact(cast("list[list[Fraction]]", table.tolist()))
    integers, power = _dyadics(table.ravel())
    columns = table.shape[1]
    return Matrix(tuple(tuple(integers[i : i + columns]) for i in range(0, len(integers), columns)), None, 1 << power)


def widened(matrix: Matrix, radius: Fraction) -> Matrix:
    """Put ``radius`` >= 0 around every entry of an exact matrix; 0 changes nothing."""
    if radius == 0:
        return matrix
    den = lcm(matrix.den, radius.denominator)
    scale, around = den // matrix.den, radius.numerator * (den // radius.denominator)
    middles = tuple(tuple(value * scale for value in row) for row in matrix.mid)
    return Matrix(middles, tuple((around,) * len(row) for row in middles), den)


def _dyadics(values: np.ndarray) -> tuple[list[int], int]:
    """Return integers and the least power p such that value = integer / 2**p."""
    fractions, exponents = np.frexp(values)
    mantissas = np.ldexp(fractions, _MANTISSA).astype(np.int64)
    zeros = np.where(mantissas == 0, 0, np.frexp((mantissas & -mantissas).astype(np.float64))[1] - 1)
    odd = mantissas >> zeros
    shifts = np.where(mantissas == 0, 0, exponents.astype(np.int64) - _MANTISSA + zeros)
    power = max(0, -int(shifts.min()))
    if int(np.max(np.where(mantissas == 0, 0, exponents))) + power <= _WORD:
        return cast("list[int]", (odd << np.where(mantissas == 0, 0, shifts + power)).tolist()), power
    pairs = zip(odd.tolist(), shifts.tolist(), strict=True)
    return [value << shift + power if value else 0 for value, shift in pairs], power
