"""Affine solution sets and half-open polyhedra in a few unknowns, exactly: Gauss and Fourier-Motzkin elimination in plain Fractions.

A row is (coefficients, constant, strict): coefficients . t + constant >= 0, or > 0 where strict.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm


def dot(one: list, two: list) -> Fraction:
    """Return the scalar product."""
    return sum((a * b for a, b in zip(one, two, strict=True)), Fraction(0))


def reduced(rows: list) -> tuple[list, list]:
    """Return the reduced echelon form of rows of Fractions and the columns of its pivots, the last column left out."""
    table = [list(map(Fraction, row)) for row in rows]
    pivots: list[int] = []
    for column in range(len(table[0]) - 1 if table else 0):
        found = next((i for i in range(len(pivots), len(table)) if table[i][column] != 0), None)
        if found is None:
            continue
        here = len(pivots)
        table[here], table[found] = table[found], table[here]
        table[here] = [value / table[here][column] for value in table[here]]
        for i, row in enumerate(table):
            if i != here and row[column] != 0:
                table[i] = [a - row[column] * b for a, b in zip(row, table[here], strict=True)]
        pivots.append(column)
    return table, pivots


def solutions(rows: list, right: list) -> tuple[list, list] | None:
    """Return (a point, a basis of directions) of all x with rows x = right, None if there are none."""
    width = len(rows[0])
    table, pivots = reduced([[*row, value] for row, value in zip(rows, right, strict=True)])
    if any(row[-1] != 0 for row in table[len(pivots) :]):
        return None
    point = [Fraction(0)] * width
    for row, column in zip(table, pivots, strict=False):
        point[column] = row[-1]
    basis = []
    for free in range(width):
        if free not in pivots:
            direction = [Fraction(int(i == free)) for i in range(width)]
            for row, column in zip(table, pivots, strict=False):
                direction[column] = -row[free]
            basis.append(direction)
    return point, basis


def dependencies(vectors: list) -> list:
    """Return a basis of the multipliers that sum these vectors to zero."""
    if not vectors:
        return []
    found = solutions([list(column) for column in zip(*vectors, strict=True)], [Fraction(0)] * len(vectors[0]))
    return found[1] if found else []


def pulled(row: tuple, point: list, basis: list) -> tuple:
    """Return a row in the coordinates t of point + sum of t_i times direction i."""
    coefficients, constant, strict = row
    return [dot(coefficients, direction) for direction in basis], dot(coefficients, point) + constant, strict


def sample(rows: list, unknowns: int) -> list | None:
    """Return a point of the polyhedron, None if it is empty."""
    rows = _sharpest(rows)
    if unknowns == 0:
        return [] if all(constant > 0 or (constant == 0 and not strict) for _, constant, strict in rows) else None
    last = unknowns - 1
    lower = [row for row in rows if row[0][last] > 0]
    upper = [row for row in rows if row[0][last] < 0]
    others = [(row[0][:last], row[1], row[2]) for row in rows if row[0][last] == 0]
    rest = sample([*others, *(_joined(low, high, last) for low in lower for high in upper)], last)
    if rest is None:
        return None
    return [*rest, _between([_bound(row, rest, last) for row in lower], [_bound(row, rest, last) for row in upper])]


def is_one_point(rows: list, unknowns: int) -> bool:
    """Say whether the polyhedron is exactly one point."""
    point = sample(rows, unknowns)
    if point is None:
        return False
    units = [[Fraction(int(i == j)) for j in range(unknowns)] for i in range(unknowns)]
    ways = [([side * u for u in unit], -side * value, True) for unit, value in zip(units, point, strict=True) for side in (1, -1)]
    return all(sample([*rows, way], unknowns) is None for way in ways)


def vanishes(form: tuple, rows: list, unknowns: int) -> bool:
    """Say whether a linear form (coefficients, constant) is 0 on the whole polyhedron."""
    coefficients, constant = form
    ways = [([side * c for c in coefficients], side * constant, True) for side in (1, -1)]
    return all(sample([*rows, way], unknowns) is None for way in ways)


def _joined(low: tuple, high: tuple, last: int) -> tuple:
    """Add a lower and an upper bound so that the last unknown cancels."""
    one, two = -high[0][last], low[0][last]
    return [one * a + two * b for a, b in zip(low[0][:last], high[0][:last], strict=True)], one * low[1] + two * high[1], low[2] or high[2]


def _bound(row: tuple, rest: list, last: int) -> Fraction:
    return Fraction(-(dot(row[0][:last], rest) + row[1]) / row[0][last])


def _between(lows: list[Fraction], highs: list[Fraction]) -> Fraction:
    """Return a number between the bounds: their middle, so that strict ones are kept wherever they can be."""
    low = max(lows, default=None)
    high = min(highs, default=None)
    if low is None or high is None:
        return Fraction(0) if low is high else low + 1 if low is not None else (high or Fraction(0)) - 1
    return (low + high) / 2


def _sharpest(rows: list) -> list:
    """Scale rows to coprime integers in the coefficients and keep the sharpest of those that are parallel."""
    best: dict[tuple, tuple[Fraction, bool]] = {}
    for coefficients, constant, strict in rows:
        scale = lcm(*(Fraction(c).denominator for c in coefficients)) if coefficients else 1
        whole = [int(c * scale) for c in coefficients]
        common = gcd(*whole) if any(whole) else 1
        key, value = tuple(c // common for c in whole), Fraction(constant) * scale / common
        if key not in best or (value, not strict) < (best[key][0], not best[key][1]):
            best[key] = (value, strict)
    return [(list(key), value, strict) for key, (value, strict) in best.items()]
