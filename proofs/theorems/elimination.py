"""Exact elimination over the integers: the one solution of a linear system, and the one linear dependency of a few rows."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULUS = 2**61 - 1


def solve(rows: Sequence[Sequence[int]]) -> tuple[int, list[int]] | None:
    """Solve the augmented integer system: D != 0 and Z with x = Z / D its only solution; None unless there is exactly one.

    **Shapes:** m rows of n + 1 integers, (coefficients, right side), m >= n. **Guarantee:** exact (fraction-free, Bareiss 1968).
    """
    size = len(rows[0]) - 1
    reduced = _eliminated(rows, size)
    if reduced is None or any(row[size] for row in reduced[1][size:]):
        return None
    return reduced[0], [row[size] for row in reduced[1][:size]]


def inverse(matrix: Matrix) -> Matrix | None:
    """Return the exact inverse of the middle of a square matrix; None where it is singular. **Guarantee:** exact."""
    size = len(matrix.mid)
    reduced = _eliminated([[*row, *(int(i == j) for j in range(size))] for i, row in enumerate(matrix.mid)], size)
    if reduced is None:
        return None
    scale, table = reduced
    factor = matrix.den if scale > 0 else -matrix.den
    return Matrix(tuple(tuple(factor * value for value in row[size:]) for row in table), None, abs(scale)).reduced()


def _eliminated(rows: Sequence[Sequence[int]], size: int) -> tuple[int, list[list[int]]] | None:
    """Bring the first ``size`` columns to D times the identity, D != 0; None if they have lower rank."""
    table = [list(row) for row in rows]
    last = 1
    for column in range(size):
        pivot = next((i for i in range(column, len(table)) if table[i][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        head = table[column]
        lead = head[column]
        for i, row in enumerate(table):
            if i != column:
                factor = row[column]
                table[i] = [(lead * a - factor * b) // last for a, b in zip(row, head, strict=True)]
        last = lead
    return last, table


def dependency(rows: Sequence[Sequence[int]]) -> list[int] | None:
    """Return the integer multipliers, not all 0, that sum the rows to 0; None unless they are unique up to a common factor.

    **Shapes:** m rows of n integers. **Guarantee:** exact.
    """
    count, width = len(rows), len(rows[0]) if rows else 0
    table = [[*row, *(int(i == j) for j in range(count))] for i, row in enumerate(rows)]
    rank = 0
    for column in range(width):
        pivot = next((i for i in range(rank, count) if table[i][column]), None)
        if pivot is None:
            continue
        table[rank], table[pivot] = table[pivot], table[rank]
        head = table[rank]
        for i in range(rank + 1, count):
            factor = table[i][column]
            if factor:
                table[i] = _primitive([head[column] * a - factor * b for a, b in zip(table[i], head, strict=True)])
        rank += 1
    return table[rank][width:] if rank == count - 1 else None


def rank(rows: Sequence[Sequence[int]]) -> int:
    """Return the rank of an integer matrix. **Guarantee:** exact."""
    table, found = [list(row) for row in rows], 0
    for column in range(len(table[0]) if table else 0):
        pivot = next((i for i in range(found, len(table)) if table[i][column]), None)
        if pivot is not None:
            table[found], table[pivot] = table[pivot], table[found]
            head = table[found]
            found += 1
            for i in range(found, len(table)):
                table[i] = _primitive([head[column] * a - table[i][column] * b for a, b in zip(table[i], head, strict=True)])
    return found


def is_singular_modulo(matrix: Sequence[Sequence[int]], modulus: int = MODULUS) -> bool:
    """Say whether a square integer matrix is singular modulo a prime; if not, it is nonsingular over the rationals."""
    table = [[value % modulus for value in row] for row in matrix]
    for column in range(len(table)):
        pivot = next((i for i in range(column, len(table)) if table[i][column]), None)
        if pivot is None:
            return True
        table[column], table[pivot] = table[pivot], table[column]
        head = table[column]
        inverse = pow(head[column], -1, modulus)
        for row in table[column + 1 :]:
            factor = row[column] * inverse % modulus
            if factor:
                row[:] = [(a - factor * b) % modulus for a, b in zip(row, head, strict=True)]
    return False


def _primitive(row: list[int]) -> list[int]:
    common = gcd(*row)
    return [value // common for value in row] if common > 1 else row
