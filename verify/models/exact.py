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
    rows = zip(*[iter(integers)] * table.shape[1], strict=True)
    return Matrix(tuple(rows), None, 1 << power)


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
    lowest = np.frexp((mantissas & -mantissas).astype(np.float64))[1] + (exponents - (_MANTISSA + 1))  # places of the lowest bits
    power = max(0, -int(np.where(mantissas == 0, 0, lowest).min()))
    if int(exponents.max()) + power <= _WORD:
        return cast("list[int]", np.ldexp(values, power).astype(np.int64).tolist()), power
    pairs = zip(mantissas.tolist(), (exponents + (power - _MANTISSA)).tolist(), strict=True)
    return [value << shift if shift >= 0 else value >> -shift for value, shift in pairs], power
