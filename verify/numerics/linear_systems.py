"""Exact systems of linear inequalities: rows, points, Farkas certificates, and a simplex method over the rationals that always ends.

A *row* is an integer form, M coefficients and a constant, that has to be >= 0, or > 0 where it is strict. A *point* is homogeneous: M
integers over a positive last one. A row and a point meet in one scalar product, whose sign is the sign of the row at the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from operator import mul
from typing import NamedTuple

import flint

Form = tuple[int, ...]
Point = tuple[int, ...]


class Row(NamedTuple):
    """A linear form that has to be >= 0, or > 0 where ``strict``. **Shapes:** M + 1 integers, the constant last."""

    form: Form
    strict: bool

    @property
    def opposite(self) -> Row:
        """Return the row of the complement: the points that do not satisfy this one."""
        return Row(tuple(-value for value in self.form), not self.strict)

    @property
    def is_constant(self) -> bool:
        """Say whether no coefficient counts."""
        return not any(self.form[:-1])

    def value(self, point: Point) -> int:
        """Return the form at the point, times the point's denominator."""
        return sum(map(mul, self.form, point))

    def holds(self, point: Point) -> bool:
        """Say whether the point satisfies the row. **Guarantee:** exact."""
        value = self.value(point)
        return value > 0 or (value == 0 and not self.strict)

    def __str__(self) -> str:
        """Spell the row as people write it.

        >>> str(Row((3, 0, -1, 5), True))
        '3 z1 - z3 + 5 > 0'
        """
        *coefficients, constant = self.form
        terms = [(value, f"z{i}" if abs(value) == 1 else f"{abs(value)} z{i}") for i, value in enumerate(coefficients, 1) if value]
        if constant or not terms:
            terms.append((constant, str(abs(constant))))
        signed = "".join(f" {'-' if value < 0 else '+'} {text}" for value, text in terms)
        lead = f"-{signed[3:]}" if terms[0][0] < 0 else signed[3:]
        return f"{lead} {'>' if self.strict else '>='} 0"


@dataclass(frozen=True, slots=True)
class Farkas:
    """Rows that cannot hold together: their sum with these positive multipliers is a constant < 0, or 0 with a strict row among them.

    **Shapes:** one positive integer a row. **See:** Motzkin 1936; Farkas 1902.
    """

    rows: tuple[Row, ...]
    multipliers: tuple[int, ...]

    def holds(self) -> bool:
        """Say whether the multipliers prove what they should. **Guarantee:** exact."""
        if not self.rows or len(self.rows) != len(self.multipliers) or min(self.multipliers) <= 0:
            return False
        columns = zip(*(row.form for row in self.rows), strict=True)
        *coefficients, constant = (sum(map(mul, self.multipliers, column)) for column in columns)
        return not any(coefficients) and (constant < 0 or (constant == 0 and any(row.strict for row in self.rows)))


def primitive(form: Sequence[int]) -> Form:
    """Return the form divided by the common factor of its integers."""
    common = gcd(*form)
    return tuple(value // common for value in form) if common > 1 else tuple(form)


def homogeneous(entries: Sequence[Fraction]) -> Point:
    """Return a point from its coordinates."""
    den = lcm(*(entry.denominator for entry in entries))
    return (*(entry.numerator * (den // entry.denominator) for entry in entries), den)


def coordinates(point: Point) -> tuple[Fraction, ...]:
    """Return the coordinates of a point.

    >>> coordinates((1, -4, 2))
    (Fraction(1, 2), Fraction(-2, 1))
    """
    return tuple(Fraction(value, point[-1]) for value in point[:-1])


def dependency(rows: Sequence[Row]) -> tuple[int, ...] | None:
    """Return the positive multipliers that sum the coefficients of these rows to 0; None unless they are unique up to a factor.

    **Guarantee:** exact (FLINT).
    """
    width = len(rows[0].form) - 1
    turned = flint.fmpz_mat(width, len(rows), [row.form[i] for i in range(width) for row in rows])
    basis, nullity = turned.nullspace()
    if nullity != 1:
        return None
    column = [int(basis[i, 0]) for i in range(len(rows))]
    found = primitive(column if column[-1] > 0 else [-value for value in column])
    return found if min(found) > 0 else None


def rank(forms: Sequence[Form]) -> int:
    """Return the rank of the coefficients of these forms. **Guarantee:** exact."""
    if not forms:
        return 0
    width = len(forms[0]) - 1
    return int(flint.fmpz_mat(len(forms), width, [value for form in forms for value in form[:-1]]).rank()) if width else 0


def settle(rows: Sequence[Row], dimension: int, hint: Sequence[int] = ()) -> Point | Farkas:
    """Return a point that satisfies all rows, or the certificate that there is none.

    The largest t <= 1 with form / scale >= t on the strict rows and form >= 0 on the others is sought by its dual: multipliers of the rows
    of least constant, whose coefficients sum to 0. ``hint`` names rows that are likely to bind. Bland's rule: no degeneracy makes it cycle.

    **Guarantee:** exact; it always ends. **Cost:** for what floats leave open: 30 states, 60 rows and a good hint 0.1 s, without it 10 s.
    **See:** Bland 1977 (Math. Oper. Res. 2, 103-107).
    """
    found = _Tableau(rows, dimension, hint).answer(rows)
    if not (found.holds() if isinstance(found, Farkas) else all(row.holds(found) for row in rows)):
        message = "the rational simplex method ended with a wrong answer"
        raise ArithmeticError(message)
    return found


def scale(row: Row) -> int:
    """Return the largest coefficient, 1 for a constant row: what the height of a point over the row is measured in."""
    return max(map(abs, row.form[:-1]), default=0) or 1


class _Tableau:
    """The dual problem: a column for each row, one for what the strict part leaves of 1, and one for each coordinate that keeps its price.

    A line says that one coordinate of the coefficients sums to 0; the last one bounds the strict part.
    """

    def __init__(self, rows: Sequence[Row], dimension: int, hint: Sequence[int]) -> None:
        self.count, self.dimension = len(rows), dimension
        zero, one = flint.fmpq(0), flint.fmpq(1)
        self.lines, self.basis = _reduced_lines(rows, dimension, hint)
        self.lines.append([*(flint.fmpq(scale(row) * row.strict) for row in rows), one, *([zero] * dimension), one])
        self.costs = [*(flint.fmpq(row.form[-1]) for row in rows), one, *([zero] * (dimension + 1))]
        self.basis.append(self.count)
        for k, column in enumerate(self.basis[:-1]):
            self._eliminate(self.lines[-1], k, column)
        for k, column in enumerate(self.basis):
            self._eliminate(self.costs, k, column)

    def answer(self, rows: Sequence[Row]) -> Point | Farkas:
        """Return a point where the largest t is positive, else the multipliers that keep it from being so."""
        ray = self._minimise()
        if ray is not None:
            return _certificate(rows, ray)
        least = -self.costs[-1]
        if least > 0:
            prices = self.costs[self.count + 1 : self.count + 1 + self.dimension]
            return homogeneous([_fraction(value) for value in prices])
        return _certificate(rows, {self.basis[k]: line[-1] for k, line in enumerate(self.lines)})

    def _minimise(self) -> dict[int, flint.fmpq] | None:
        """Go to the least value; return a ray along which it falls for ever, if there is one."""
        while (column := next((j for j in range(self.count + 1) if self.costs[j] < 0), None)) is not None:
            steps = [(line[-1] / line[column], self.basis[k], k) for k, line in enumerate(self.lines) if line[column] > 0]
            if not steps:
                ray = {self.basis[k]: -line[column] for k, line in enumerate(self.lines) if line[column]}
                return {**ray, column: flint.fmpq(1)}
            self._pivot(min(steps)[2], column)
        return None

    def _pivot(self, k: int, column: int) -> None:
        lead = self.lines[k][column]
        self.lines[k] = [value / lead for value in self.lines[k]]
        for i, line in enumerate(self.lines):
            if i != k:
                self._eliminate(line, k, column)
        self._eliminate(self.costs, k, column)
        self.basis[k] = column

    def _eliminate(self, line: list[flint.fmpq], k: int, column: int) -> None:
        factor = line[column]
        if factor:
            line[:] = [a - factor * b if b else a for a, b in zip(line, self.lines[k], strict=True)]


def _reduced_lines(rows: Sequence[Row], dimension: int, hint: Sequence[int]) -> tuple[list[list[flint.fmpq]], list[int]]:
    """Return the lines solved for as many hinted columns as are independent, then for others, and which columns those are."""
    count = len(rows)
    order = [*hint, *(j for j in range(count) if j not in set(hint)), *range(count + 1, count + 1 + dimension)]
    entries = [rows[j].form[k] if j < count else int(j - count - 1 == k) for k in range(dimension) for j in order]
    if not dimension:
        return [], []
    reduced, den, _ = flint.fmpz_mat(dimension, len(order), entries).rref()
    lines, basis = [], []
    for k in range(dimension):
        line = [flint.fmpq(0)] * (count + dimension + 2)
        values = [reduced[k, j] for j in range(len(order))]
        basis.append(order[next(j for j, value in enumerate(values) if value)])
        for j, value in zip(order, values, strict=True):
            line[j] = flint.fmpq(value, den)
        lines.append(line)
    return lines, basis


def _certificate(rows: Sequence[Row], values: dict[int, flint.fmpq]) -> Farkas:
    chosen = [(i, _fraction(value)) for i, value in sorted(values.items()) if i < len(rows) and value]
    *whole, _ = homogeneous([value for _, value in chosen])
    return Farkas(tuple(rows[i] for i, _ in chosen), primitive(whole))


def _fraction(value: flint.fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
