"""Exact elimination over the integers: the one solution of a linear system, and the one linear dependency of a few rows."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULUS = 2**61 - 1


def solve(rows: Sequence[Sequence[int]]) -> tuple[int, list[int]] | None:
    """Solve the augmented integer system: D != 0 and Z with x = Z / D its only solution; None unless there is exactly one.

    **Shapes:** m rows of n + 1 integers, (coefficients, right side), m >= n. **Guarantee:** exact (fraction-free, Bareiss 1968).
    """
    table = [list(row) for row in rows]
    size = len(table[0]) - 1
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
    if any(row[size] for row in table[size:]):
        return None
    return last, [row[size] for row in table[:size]]


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
