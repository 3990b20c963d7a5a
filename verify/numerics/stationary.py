"""Stationary densities of Markov partitions, exactly: one vector in the kernel of a rational matrix."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import flint


def stationary_density(images: Sequence[Sequence[int]], slopes: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """Return the density with d_j = sum of d_i / |s_i| over all i whose image covers interval j, scaled to primitive integers.

    **Shapes:** images[i] are the numbers of the intervals that the image of interval i covers, slopes[i] != 0 its slope.
    **Guarantee:** exact (FLINT). None unless the solution is unique up to a factor and positive. **Cost:** n**3 integer operations.

    **Example** x + 1/2 on [0, 1/2], 2 - 2x on [1/2, 1]:

    >>> [str(value) for value in stationary_density([[1], [0, 1]], [Fraction(1), Fraction(-2)])]
    ['1', '2']
    """
    size = len(slopes)
    scale = lcm(*(slope.numerator for slope in slopes))
    rows = [[0] * size for _ in range(size)]
    for i, covered in enumerate(images):
        weight = scale // slopes[i].numerator * slopes[i].denominator
        rows[i][i] -= scale
        for j in covered:
            rows[j][i] += abs(weight)
    basis, nullity = flint.fmpz_mat(rows).nullspace()
    if nullity != 1:
        return None
    column = [int(basis[i, 0]) for i in range(size)]
    common = flint.fmpz(0)
    for value in column:
        common = flint.fmpz(value).gcd(common)
    sign = -1 if column[0] < 0 else 1
    density = tuple(Fraction(sign * value, int(common)) for value in column)
    return density if min(density) > 0 else None
