"""Exact and interval linear algebra: the one door for numbers.

A ``Matrix`` holds closed intervals ``(mid +- rad) / den`` entry by entry: integers over one shared positive denominator.
Without radii (``rad is None``) it is exact. Every operation encloses: whatever exact numbers lie in the operands, their exact result
lies in the outcome; on exact operands the outcome is exact. A vector is a matrix with one column.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from operator import add, mul, or_, sub
from typing import TYPE_CHECKING

from proofs.grammar import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Rows = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval [lo, hi] with rational ends."""

    lo: Fraction
    hi: Fraction

    def __post_init__(self) -> None:
        """Refuse ends that are not exact rationals or not in order."""
        if type(self.lo) is not Fraction or type(self.hi) is not Fraction or self.lo > self.hi:
            message = f"an interval needs two ordered Fractions, got {self.lo!r} and {self.hi!r}"
            raise TypeError(message)

    @property
    def magnitude(self) -> Fraction:
        """Return the largest absolute value of its points."""
        return max(abs(self.lo), abs(self.hi))

    def apart(self, other: Interval) -> bool:
        """Say whether the two intervals have no common point."""
        return self.hi < other.lo or other.hi < self.lo

    def __str__(self) -> str:
        """Show the ends, or the one point."""
        return shown(self.lo) if self.lo == self.hi else f"[{shown(self.lo)}, {shown(self.hi)}]"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of intervals ``(mid +- rad) / den``; exact where ``rad`` is None."""

    mid: Rows
    rad: Rows | None
    den: int

    @classmethod
    def exact(cls, rows: Iterable[Iterable[Fraction]]) -> Matrix:
        """Put exact rationals over their least common denominator. **Raises:** TypeError for floats and bools."""
        table = tuple(tuple(row) for row in rows)
        if any(type(value) is not Fraction for row in table for value in row):
            message = "a Matrix takes Fractions only"
            raise TypeError(message)
        den = lcm(*(value.denominator for row in table for value in row))
        return cls(tuple(tuple(v.numerator * (den // v.denominator) for v in row) for row in table), None, den)

    @classmethod
    def balls(cls, middles: Iterable[Iterable[Fraction]], radii: Iterable[Iterable[Fraction]]) -> Matrix:
        """Put intervals given by middle and nonnegative radius over one denominator."""
        mid, rad = cls.exact(middles), cls.exact(radii)
        if any(value < 0 for row in rad.mid for value in row):
            message = "a radius is negative"
            raise ValueError(message)
        if mid.shape != rad.shape:
            message = f"middles are {mid.shape} and radii {rad.shape}"
            raise ValueError(message)
        if not any(value for row in rad.mid for value in row):
            return mid
        den = lcm(mid.den, rad.den)
        return cls(_scaled(mid.mid, den // mid.den), _scaled(rad.mid, den // rad.den), den)

    @classmethod
    def column(cls, entries: Iterable[Fraction]) -> Matrix:
        """Make an exact vector."""
        return cls.exact((entry,) for entry in entries)

    @classmethod
    def intervals(cls, entries: Iterable[Interval]) -> Matrix:
        """Make a vector of intervals."""
        pairs = [(entry.lo, entry.hi) for entry in entries]
        return cls.balls((((lo + hi) / 2,) for lo, hi in pairs), (((hi - lo) / 2,) for lo, hi in pairs))

    @classmethod
    def identity(cls, size: int) -> Matrix:
        """Make the exact identity."""
        return cls(tuple(tuple(int(i == j) for j in range(size)) for i in range(size)), None, 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return len(self.mid), len(self.mid[0]) if self.mid else 0

    @property
    def longest(self) -> int:
        """Return the length in bits of the longest integer: a middle, a radius or the denominator."""
        return max(self.den, *(abs(value) for row in (*self.mid, *(self.rad or ())) for value in row)).bit_length()

    @property
    def is_exact(self) -> bool:
        """Say whether every entry is a single number."""
        return self.rad is None

    def interval(self, row: int, column: int = 0) -> Interval:
        """Return one entry as a closed interval."""
        middle, radius = self.mid[row][column], self.rad[row][column] if self.rad else 0
        return Interval(Fraction(middle - radius, self.den), Fraction(middle + radius, self.den))

    def middle(self, row: int, column: int = 0) -> Fraction:
        """Return the middle of one entry (the entry itself where exact)."""
        return Fraction(self.mid[row][column], self.den)

    def radius(self, row: int, column: int = 0) -> Fraction:
        """Return the radius of one entry."""
        return Fraction(self.rad[row][column] if self.rad else 0, self.den)

    def entries(self) -> list[Interval]:
        """Return the first column as intervals."""
        return [self.interval(row) for row in range(len(self.mid))]

    @classmethod
    def stacked(cls, parts: Sequence[Matrix]) -> Matrix:
        """Put matrices of one width below each other; no parts give an empty matrix."""
        den = lcm(*(part.den for part in parts))
        mid = tuple(row for part in parts for row in _scaled(part.mid, den // part.den))
        if all(part.rad is None for part in parts):
            return cls(mid, None, den)
        radii = [_scaled(part.rad, den // part.den) if part.rad else tuple((0,) * len(row) for row in part.mid) for part in parts]
        return cls(mid, tuple(row for rows in radii for row in rows), den)

    def columns(self, start: int, width: int) -> Matrix:
        """Return ``width`` columns from ``start`` on."""
        rad = None if self.rad is None else tuple(row[start : start + width] for row in self.rad)
        return Matrix(tuple(row[start : start + width] for row in self.mid), rad, self.den)

    def signs(self) -> list[tuple[int, int]]:
        """Return, for each entry of the first column, the signs of its lower and its upper end."""
        low = [row[0] for row in self.mid] if self.rad is None else [m[0] - r[0] for m, r in zip(self.mid, self.rad, strict=True)]
        high = [row[0] for row in self.mid] if self.rad is None else [m[0] + r[0] for m, r in zip(self.mid, self.rad, strict=True)]
        return [((a > 0) - (a < 0), (b > 0) - (b < 0)) for a, b in zip(low, high, strict=True)]

    def __add__(self, other: Matrix) -> Matrix:
        """Add entry by entry."""
        return self._combine(other, add)

    def __sub__(self, other: Matrix) -> Matrix:
        """Subtract entry by entry (as independent intervals)."""
        return self._combine(other, sub)

    def _combine(self, other: Matrix, operation: Callable[[int, int], int]) -> Matrix:
        if self.shape != other.shape:
            message = f"shapes {self.shape} and {other.shape} do not fit"
            raise ValueError(message)
        den = lcm(self.den, other.den)
        one, two = den // self.den, den // other.den
        mid = _zip_rows(operation, _scaled(self.mid, one), _scaled(other.mid, two))
        if self.rad is None or other.rad is None:
            rad = _scaled(self.rad, one) if self.rad is not None else None if other.rad is None else _scaled(other.rad, two)
        else:
            rad = _zip_rows(add, _scaled(self.rad, one), _scaled(other.rad, two))
        return Matrix(mid, rad, den)

    def __matmul__(self, other: Matrix) -> Matrix:
        """Multiply: exactly; with one exact factor by |a (b +- s) - a b| <= |a| s; else summing the exact range of each product."""
        if self.shape[1] != other.shape[0]:
            message = f"shapes {self.shape} and {other.shape} do not fit"
            raise ValueError(message)
        den = self.den * other.den
        if self.rad is not None and other.rad is not None:
            columns = _ends(other.transposed())
            ends = [[_range_of_sum(row, column) for column in columns] for row in _ends(self)]
            mid = tuple(tuple(low + high for low, high in row) for row in ends)
            return Matrix(mid, tuple(tuple(high - low for low, high in row) for row in ends), 2 * den).reduced()
        mid = _products(self.mid, _turned(other.mid))
        rad = None
        if other.rad is not None:
            rad = _products(_absolute(self.mid), _turned(other.rad))
        elif self.rad is not None:
            rad = _products(self.rad, _turned(_absolute(other.mid)))
        return Matrix(mid, rad, den).reduced()

    def times(self, factor: Fraction) -> Matrix:
        """Multiply every entry by one exact number."""
        up, down = factor.numerator, factor.denominator
        rad = None if self.rad is None else _scaled(self.rad, abs(up))
        return Matrix(_scaled(self.mid, up), rad, self.den * down).reduced()

    def transposed(self) -> Matrix:
        """Swap rows and columns."""
        rad = None if self.rad is None else tuple(zip(*self.rad, strict=True))
        return Matrix(tuple(zip(*self.mid, strict=True)), rad, self.den)

    def widened(self, radius: Fraction) -> Matrix:
        """Add ``radius`` >= 0 to the radius of every entry."""
        rows, columns = self.shape
        ball = Matrix.balls([[Fraction(0)] * columns] * rows, [[radius] * columns] * rows)
        return self + ball

    def magnitudes(self) -> Matrix:
        """Return the exact matrix of largest absolute values, entry by entry."""
        mid = _absolute(self.mid)
        return Matrix(mid if self.rad is None else _zip_rows(add, mid, self.rad), None, self.den)

    def norm(self) -> Fraction:
        """Return an upper bound of the largest row sum of absolute values (its exact value where exact)."""
        sums = [sum(map(abs, row)) for row in self.mid]
        if self.rad is not None:
            sums = [total + sum(row) for total, row in zip(sums, self.rad, strict=True)]
        return Fraction(max(sums), self.den)

    def rounded(self, bits: int | None) -> Matrix:
        """Round outward to dyadic middles over 2**bits (zeros stay exact); None, or a smaller denominator already, changes nothing."""
        if bits is None or self.den.bit_length() <= bits + 1:
            return self
        mid = tuple(tuple((value << bits) // self.den for value in row) for row in self.mid)
        radii = self.rad if self.rad is not None else tuple((0,) * len(row) for row in self.mid)
        rad = tuple(
            tuple(-((-radius << bits) // self.den) + (value != 0) for value, radius in zip(*rows, strict=True))
            for rows in zip(self.mid, radii, strict=True)
        )
        return Matrix(mid, rad, 1 << bits)

    def reduced(self) -> Matrix:
        """Divide out the common factor of all integers; for a dyadic denominator by counting zeros, which is much faster than gcd."""
        values = [value for row in (*self.mid, *(self.rad or ())) for value in row]
        if self.den & (self.den - 1) == 0:
            bits = reduce(or_, values, self.den)  # its lowest bit is the lowest of any
            common = bits & -bits
        else:
            common = gcd(self.den, *values)
        if common == 1:
            return self
        rad = None if self.rad is None else tuple(tuple(v // common for v in row) for row in self.rad)
        return Matrix(tuple(tuple(v // common for v in row) for row in self.mid), rad, self.den // common)

    def masked(self, keep: Sequence[bool]) -> Matrix:
        """Replace the rows that are not kept by zeros."""
        empty = (0,) * self.shape[1]
        mid = tuple(row if kept else empty for row, kept in zip(self.mid, keep, strict=True))
        rad = None if self.rad is None else tuple(row if kept else empty for row, kept in zip(self.rad, keep, strict=True))
        return Matrix(mid, rad, self.den)

    def scaled_rows(self, factors: Sequence[Interval]) -> Matrix:
        """Multiply row i by the interval ``factors[i]``, taking the exact range of every product."""
        den = lcm(*(end.denominator for factor in factors for end in (factor.lo, factor.hi)))
        mids: list[tuple[int, ...]] = []
        rads: list[tuple[int, ...]] = []
        radii = self.rad or ((0,) * self.shape[1],) * len(factors)
        for middles, spreads, factor in zip(self.mid, radii, factors, strict=True):
            low, high = (end.numerator * (den // end.denominator) for end in (factor.lo, factor.hi))
            ends = [_product(m - r, m + r, low, high) for m, r in zip(middles, spreads, strict=True)]
            mids.append(tuple(a + b for a, b in ends))
            rads.append(tuple(b - a for a, b in ends))
        exact = not any(map(any, rads))
        return Matrix(tuple(mids), None if exact else tuple(rads), 2 * self.den * den).reduced()


def _product(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    """Return the range of products of a number in [a, b] and one in [c, d]."""
    corners = (a * c, a * d, b * c, b * d)
    return min(corners), max(corners)


def _ends(matrix: Matrix) -> list[list[tuple[int, int]]]:
    """Return both ends of every entry, times the denominator."""
    radii = matrix.rad or ()
    return [[(m - r, m + r) for m, r in zip(*rows, strict=True)] for rows in zip(matrix.mid, radii, strict=True)]


def _range_of_sum(row: list[tuple[int, int]], column: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the range of a sum of products of numbers from these intervals."""
    ends = [_product(a, b, c, d) for (a, b), (c, d) in zip(row, column, strict=True)]
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def _turned(rows: Rows) -> Rows:
    return tuple(zip(*rows, strict=True))


def _products(rows: Rows, columns: Rows) -> Rows:
    if len(columns) == 1:
        return tuple((sum(map(mul, row, columns[0])),) for row in rows)
    return tuple(tuple(sum(map(mul, row, column)) for column in columns) for row in rows)


def _scaled(rows: Rows, factor: int) -> Rows:
    return rows if factor == 1 else _zip_rows(mul, rows, tuple((factor,) * len(row) for row in rows))


def _absolute(rows: Rows) -> Rows:
    return tuple(tuple(map(abs, row)) for row in rows)


def _zip_rows(operation: Callable[[int, int], int], one: Rows, two: Rows) -> Rows:
    if one and len(one[0]) == 1:  # columns are by far the most frequent
        return tuple((operation(a, b),) for (a,), (b,) in zip(one, two, strict=True))
    return tuple(tuple(map(operation, a, b)) for a, b in zip(one, two, strict=True))
