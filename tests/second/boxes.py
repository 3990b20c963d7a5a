# mypy: disable-error-code="no-any-return"
"""Intervals as pairs of Fractions with true products, and matrices of them as lists of lists."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations

from flint import arb, ctx, fmpq

ZERO = (Fraction(0), Fraction(0))
ONE = (Fraction(1), Fraction(1))
PRECISION = 200
FAR = 10**6


def point(value: Fraction | int) -> tuple:
    """Return the interval that holds one number."""
    return Fraction(value), Fraction(value)


def add(one: tuple, two: tuple) -> tuple:
    """Return the sum."""
    return one[0] + two[0], one[1] + two[1]


def sub(one: tuple, two: tuple) -> tuple:
    """Return the difference of independent intervals."""
    return one[0] - two[1], one[1] - two[0]


def mul(one: tuple, two: tuple) -> tuple:
    """Return the exact range of the product."""
    if one[0] == one[1] and two[0] == two[1]:
        value = one[0] * two[0]
        return value, value
    ends = [a * b for a in one for b in two]
    return min(ends), max(ends)


def divide(one: tuple, two: tuple) -> tuple:
    """Return the range of the quotient; the divisor excludes 0."""
    return mul(one, (1 / two[1], 1 / two[0]))


def size(one: tuple) -> Fraction:
    """Return the largest absolute value."""
    return max(abs(one[0]), abs(one[1]))


def widened(one: tuple, radius: Fraction) -> tuple:
    """Return the interval with ``radius`` added at both ends."""
    return one[0] - radius, one[1] + radius


def total(terms: Iterable) -> tuple:
    """Return the sum of many intervals."""
    result = ZERO
    for term in terms:
        result = add(result, term)
    return result


def eye(count: int) -> list:
    """Return the identity."""
    return [[ONE if i == j else ZERO for j in range(count)] for i in range(count)]


def times(one: list, two: list) -> list:
    """Return the matrix product."""
    columns = list(zip(*two, strict=True))
    return [[total(mul(a, b) for a, b in zip(row, column, strict=True)) for column in columns] for row in one]


def plus(one: list, two: list) -> list:
    """Return the matrix sum."""
    return [[add(a, b) for a, b in zip(r, s, strict=True)] for r, s in zip(one, two, strict=True)]


def minus(one: list, two: list) -> list:
    """Return the matrix difference."""
    return [[sub(a, b) for a, b in zip(r, s, strict=True)] for r, s in zip(one, two, strict=True)]


def turned(one: list) -> list:
    """Return the transpose."""
    return [list(column) for column in zip(*one, strict=True)]


def norm(one: list) -> Fraction:
    """Return the largest row sum of absolute values."""
    return max(sum((size(entry) for entry in row), Fraction(0)) for row in one)


def is_exact(one: list) -> bool:
    """Say whether every entry is one number."""
    return all(entry[0] == entry[1] for row in one for entry in row)


def column(values: list) -> list:
    """Return numbers as a matrix with one column."""
    return [[point(value)] for value in values]


def inertia(form: list) -> tuple[int, int] | None:
    """Return the counts of positive and negative pivots of every symmetric matrix inside, or None if not settled without 2x2 pivots."""
    first = _pivots(form, None)
    if first is not None or is_exact(form) or len(form) > 5:
        return first
    return next((found for order in permutations(range(len(form))) if (found := _pivots(form, order)) is not None), None)


def _pivots(form: list, order: tuple | None) -> tuple[int, int] | None:
    signs: list[bool] = []
    rest, rows = list(range(len(form))), [list(row) for row in form]
    while rest:
        pivot = order[len(signs)] if order else max(rest, key=lambda i: min(abs(rows[i][i][0]), abs(rows[i][i][1])))
        head = rows[pivot][pivot]
        if head[0] <= 0 <= head[1]:
            return None
        signs.append(head[0] > 0)
        rest.remove(pivot)
        for i in rest:
            for j in rest:
                if j <= i:
                    rows[i][j] = rows[j][i] = sub(rows[i][j], divide(mul(rows[i][pivot], rows[j][pivot]), head))
    return signs.count(True), signs.count(False)


def solve(matrix: list, right: list) -> list | None:
    """Return x with matrix x = right by Cramer's rule on exact determinants, None if singular (plain Fractions)."""
    base = det(matrix)
    if base == 0:
        return None
    width = range(len(matrix))
    return [det([[right[i] if j == k else matrix[i][j] for j in width] for i in width]) / base for k in width]


def det(matrix: list) -> Fraction:
    """Return the determinant by Bareiss elimination."""
    rows, sign, before = [list(map(Fraction, row)) for row in matrix], 1, Fraction(1)
    for k in range(len(rows) - 1):
        swap = next((i for i in range(k, len(rows)) if rows[i][k] != 0), None)
        if swap is None:
            return Fraction(0)
        if swap != k:
            rows[k], rows[swap], sign = rows[swap], rows[k], -sign
        for i in range(k + 1, len(rows)):
            for j in range(k + 1, len(rows)):
                rows[i][j] = (rows[i][j] * rows[k][k] - rows[i][k] * rows[k][j]) / before
        before = rows[k][k]
    return sign * rows[-1][-1]


def curve(name: str, where: tuple, bits: int = PRECISION) -> tuple:
    """Return the range of tanh or sigmoid over an interval by flint's balls at its ends."""
    before, ctx.prec = ctx.prec, max(PRECISION, bits)
    try:
        low, high = (_ball(name, x) for x in where)
    finally:
        ctx.prec = before
    return max(low[0], Fraction(-1)), min(high[1], Fraction(1))


def _ball(name: str, x: Fraction) -> tuple:
    if abs(x) > FAR:  # beyond the reach of the balls: both curves are within 2**-1000 of where they go
        low = Fraction(-1 if name == "tanh" else 0) if x < 0 else 1 - Fraction(1, 2**1000)
        return low, low + Fraction(1, 2**1000)
    ball = arb(fmpq(x.numerator, x.denominator))
    return ends(ball.tanh() if name == "tanh" else 1 / (1 + (-ball).exp()))


def ends(value: arb) -> tuple:
    """Return the ends of a ball as Fractions."""
    middle, radius = dyadic(value.mid()), dyadic(value.rad())
    return middle - radius, middle + radius


def dyadic(value: arb) -> Fraction:
    """Return an exact ball as a Fraction."""
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def slope(name: str, value: tuple) -> tuple:
    """Return the range of the derivative where tanh or sigmoid takes these values: 1 - y^2, or y (1 - y)."""
    peak = Fraction(0) if name == "tanh" else Fraction(1, 2)
    at = [1 - y * y if name == "tanh" else y * (1 - y) for y in value]
    top = (1 - peak * peak if name == "tanh" else peak * (1 - peak)) if value[0] <= peak <= value[1] else max(at)
    return max(min(at), Fraction(0)), top
