"""Matrices put together from blocks; what is structural (zeros, identities) stays exact."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import lcm
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import Operation

if TYPE_CHECKING:
    from proofs.arithmetic import Rows


MAX_ENTRIES = 2**24
"""Entries of a structural matrix; a diagonal of the largest network has as many."""


def zeros(rows: int, columns: int) -> Matrix:
    """Return the exact zero matrix. **Raises** Malformed where it is too large, as all makers of structural matrices do."""
    _check_room(rows, columns)
    return Matrix(((0,) * columns,) * rows, None, 1)


def selection(size: int, chosen: Sequence[int]) -> Matrix:
    """Return the rows ``chosen`` (from 0, repeats allowed) of the identity of ``size``."""
    _check_room(len(chosen), size)
    return Matrix(tuple(tuple(int(i == j) for j in range(size)) for i in chosen), None, 1)


def spread(column: Matrix, places: Sequence[int], width: int) -> Matrix:
    """Return the matrix whose row i holds entry i of ``column`` at column ``places[i]``, exact zeros elsewhere."""
    _check_room(len(places), width)

    def rows(values: Rows) -> Rows:
        return tuple(tuple(row[0] if j == place else 0 for j in range(width)) for row, place in zip(values, places, strict=True))

    return Matrix(rows(column.mid), None if column.rad is None else rows(column.rad), column.den)


def diagonal(column: Matrix) -> Matrix:
    """Return the matrix with ``column`` on its diagonal and exact zeros elsewhere."""
    size = column.shape[0]
    return spread(column, range(size), size)


def column_range(matrix: Matrix, start: int, stop: int) -> Matrix:
    """Return columns ``start`` to ``stop`` (excluded)."""
    rad = None if matrix.rad is None else tuple(row[start:stop] for row in matrix.rad)
    return Matrix(tuple(row[start:stop] for row in matrix.mid), rad, matrix.den)


def above(*blocks: Matrix) -> Matrix:
    """Stack matrices of one width, the first on top."""
    den = lcm(*(block.den for block in blocks))
    mid = tuple(tuple(value * (den // block.den) for value in row) for block in blocks for row in block.mid)
    if all(block.rad is None for block in blocks):
        return Matrix(mid, None, den)
    rad = tuple(tuple(value * (den // block.den) for value in row) for block in blocks for row in block.rad or zeros(*block.shape).mid)
    return Matrix(mid, rad, den)


def beside(*blocks: Matrix) -> Matrix:
    """Put matrices of one height side by side, the first on the left."""
    return above(*(block.transposed() for block in blocks)).transposed()


def total(column: Matrix) -> Matrix:
    """Return the sum of a column, a 1 x 1 matrix."""
    return Matrix(((1,) * column.shape[0],), None, 1) @ column


def constant(value: int, rows: int) -> Matrix:
    """Return the exact column with one value everywhere."""
    return Matrix(((value,),) * rows, None, 1)


def affine(bias: Matrix, *terms: tuple[Matrix, int]) -> Operation:
    """Return the operation: the sum of matrix times register over ``terms``, plus ``bias``."""
    return Operation("affine", tuple(register for _, register in terms), tuple(matrix for matrix, _ in terms), bias)


def apply(name: str, register: int) -> Operation:
    """Return the operation that applies relu or tanh to a register, entry by entry."""
    return Operation(name, (register,))


def repeated(column: Matrix, times: int) -> Matrix:
    """Stack ``times`` copies of a column."""
    return reduce(above, [column] * (times - 1), column)


def flattened(matrix: Matrix) -> Matrix:
    """Return the entries row after row as one column."""
    rad = None if matrix.rad is None else tuple((value,) for row in matrix.rad for value in row)
    return Matrix(tuple((value,) for row in matrix.mid for value in row), rad, matrix.den)


def _check_room(rows: int, columns: int) -> None:
    if rows * columns > MAX_ENTRIES:
        expected = f"matrices of at most {MAX_ENTRIES} entries"
        raise Malformed(where="network", law="network size", expected=expected, got=f"{rows} x {columns}")
