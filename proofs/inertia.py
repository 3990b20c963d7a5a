"""Signs of the pivots of a symmetric interval matrix, hence its inertia, by elimination with outward rounding.

If every pivot interval excludes 0, each symmetric matrix inside has an LDL^T factorisation with pivots of these signs; by Sylvester's law
the number of positive pivots is the number of positive eigenvalues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proofs.arithmetic import Matrix

    Ball = tuple[int, int]


def pivot_signs(matrix: Matrix, bits: int) -> list[int]:
    """Return the signs of the pivots, each 1 or -1, or 0 for the first that could not be told from zero (the list then ends).

    **Shapes:** square; only the lower triangle is read, the caller vouches for symmetry.
    **Guarantee:** enclosure; a list without 0 and of full length determines the inertia. **Cost:** n**3/6 ball products of ``bits`` bits.
    """
    size = len(matrix.mid)
    rows = [[to_ball(matrix, i, j, bits) for j in range(i + 1)] for i in range(size)]
    signs: list[int] = []
    active = list(range(size))
    while active:
        pivot = max(active, key=lambda i: abs(rows[i][i][0]) - rows[i][i][1])
        head = rows[pivot][pivot]
        if abs(head[0]) <= head[1]:
            return [*signs, 0]
        signs.append(1 if head[0] > 0 else -1)
        active.remove(pivot)
        column = {i: rows[max(i, pivot)][min(i, pivot)] for i in active}
        for i in active:
            quotient = divide(column[i], head, bits)
            if quotient != (0, 0):
                for j in active:
                    if j <= i:
                        rows[i][j] = minus_product(rows[i][j], quotient, column[j], bits)
    return signs


def is_positive_definite(matrix: Matrix, bits: int) -> bool:
    """Say whether every symmetric matrix inside is proved positive definite (False: not proved).

    By elimination on intervals; or of the middle less the row sums of the radii on the diagonal, since x'Rx >= -sum_i (sum_j r_ij) x_i^2
    for every symmetric R with |R_ij| <= r_ij. **Shapes:** as ``pivot_signs``.
    """
    definite = [1] * len(matrix.mid)
    return pivot_signs(matrix, bits) == definite or (matrix.rad is not None and pivot_signs(_less_radii(matrix), bits) == definite)


def _less_radii(matrix: Matrix) -> Matrix:
    rad, size = matrix.rad or (), len(matrix.mid)
    sums = [sum(rad[max(i, j)][min(i, j)] for j in range(size)) for i in range(size)]
    rows = tuple(tuple(value - (sums[i] if i == j else 0) for j, value in enumerate(row)) for i, row in enumerate(matrix.mid))
    return type(matrix)(rows, None, matrix.den)


def to_ball(matrix: Matrix, i: int, j: int, bits: int) -> Ball:
    """Return an entry as middle and radius over 2**bits, rounded outward."""
    middle = (matrix.mid[i][j] << bits) // matrix.den
    radius = 0 if matrix.rad is None else matrix.rad[i][j]
    inexact = (middle * matrix.den) != matrix.mid[i][j] << bits
    return middle, -((-radius << bits) // matrix.den) + int(inexact)


def divide(one: Ball, two: Ball, bits: int) -> Ball:
    """Enclose a quotient: |a/b - m/p| <= (r |p| + |m| s) / (|p| (|p| - s)) for a = m +- r, b = p +- s, |p| > s."""
    m, r = one
    p, s = two
    if m == 0 and r == 0:
        return 0, 0
    spread = r * abs(p) + abs(m) * s
    radius = 0 if spread == 0 else -((-spread << bits) // (abs(p) * (abs(p) - s)))
    return (m << bits) // p, radius + 1


def minus_product(base: Ball, one: Ball, two: Ball, bits: int) -> Ball:
    """Enclose base - one * two, the product shifted back by ``bits`` with one unit for the floor."""
    radius = abs(one[0]) * two[1] + one[1] * (abs(two[0]) + two[1])
    return base[0] - (one[0] * two[0] >> bits), base[1] - (-radius >> bits) + 1
