"""Absolute determinants: exact ones of exact matrices, enclosures of interval matrices."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval
from proofs.inertia import divide, minus_product, to_ball

if TYPE_CHECKING:
    from proofs.arithmetic import Matrix

MAX_EXACT_BITS = 2**13


def absolute_determinant(matrix: Matrix, bits: int) -> Interval | None:
    """Enclose |det| of every matrix inside a square one; None where elimination finds no pivot that excludes 0.

    **Guarantee:** exact for an exact matrix of numbers that stay short (fraction-free, Bareiss 1968), otherwise an enclosure to ``bits``.
    """
    longest = max(matrix.den, *(abs(value) for row in matrix.mid for value in row)).bit_length()
    return _exact(matrix) if matrix.is_exact and longest * len(matrix.mid) <= MAX_EXACT_BITS else _enclosed(matrix, bits)


def _exact(matrix: Matrix) -> Interval:
    rows, last = [list(row) for row in matrix.mid], 1
    for k in range(len(rows)):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if pivot is None:
            return Interval(Fraction(0), Fraction(0))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        head = rows[k]
        for row in rows[k + 1 :]:
            factor = row[k]
            row[k:] = [(head[k] * a - factor * b) // last for a, b in zip(row[k:], head[k:], strict=True)]
        last = head[k]
    value = Fraction(abs(last), matrix.den ** len(rows))
    return Interval(value, value)


def _enclosed(matrix: Matrix, bits: int) -> Interval | None:
    size = len(matrix.mid)
    rows = [[to_ball(matrix, i, j, bits) for j in range(size)] for i in range(size)]
    low = high = Fraction(1)
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: (abs(rows[i][k][0]) - rows[i][k][1], i))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        head = rows[k]
        middle, radius = abs(head[k][0]), head[k][1]
        if middle <= radius:
            return None
        low, high = low * Fraction(middle - radius, 1 << bits), high * Fraction(middle + radius, 1 << bits)
        for row in rows[k + 1 :]:
            if row[k] != (0, 0):
                quotient = divide(row[k], head[k], bits)
                pairs = zip(row[k + 1 :], head[k + 1 :], strict=True)
                row[k + 1 :] = [minus_product(a, quotient, b, bits) if b != (0, 0) else a for a, b in pairs]
    return Interval(low, high)
