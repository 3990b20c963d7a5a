"""Exact solves and eigenvalue enclosures by FLINT: the one home of that import and of its global precision."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import flint

from proofs.arithmetic import Interval, Matrix
from verify.rounding import exponent

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_PRECISION = 1 << 15


class SingularError(ArithmeticError):
    """The linear system has no unique solution."""


def solve(matrix: Matrix, right: Matrix) -> Matrix:
    """Solve matrix x = right exactly.

    **Shapes:** n x n and n x 1, both without radii. **Guarantee:** exact. **Cost:** 30 x 30 with 60-bit entries 2 ms.
    **Raises:** SingularError.
    """
    size = len(matrix.mid)
    left = flint.fmpz_mat(size, size, [value for row in matrix.mid for value in row])
    column = flint.fmpz_mat(size, 1, [row[0] for row in right.mid])
    try:
        solution = left.solve(column)
    except ZeroDivisionError:
        raise SingularError from None
    scale = Fraction(matrix.den, right.den)
    entries = [Fraction(int(value.p), int(value.q)) * scale for value in solution.entries()]
    return Matrix.column(entries)


def particular_solution(matrix: Matrix, right: Matrix) -> Matrix | None:
    """Return one x with matrix x = right, free entries 0; None where there is none.

    **Shapes:** n x m and n x k, both without radii; m x k. **Guarantee:** exact.
    """
    rows, (width, count) = len(matrix.mid), (matrix.shape[1], right.shape[1])
    entries = [value for one, two in zip(matrix.mid, right.mid, strict=True) for value in (*one, *two)]
    reduced, den, rank = flint.fmpz_mat(rows, width + count, entries).rref()
    pivots = [next(j for j in range(width + count) if reduced[i, j]) for i in range(rank)]
    if any(pivot >= width for pivot in pivots):
        return None
    scale = Fraction(matrix.den, right.den * int(den))
    found = [[Fraction(0)] * count for _ in range(width)]
    for i, pivot in enumerate(pivots):
        found[pivot] = [int(reduced[i, width + j]) * scale for j in range(count)]
    return Matrix.exact(found)


def approximate_inverse(matrix: Matrix, extra_bits: int = 12) -> Matrix:
    """Return a dyadic matrix C with |I - C matrix| well below 1.

    **Guarantee:** heuristic (the kernel checks it). **Raises:** SingularError if no precision up to 32,768 bits sees it as regular.
    """
    size = len(matrix.mid)
    bits = max(0, exponent(matrix.norm())) + size.bit_length() + extra_bits
    precision = 2 * bits + 64
    while precision <= _MAX_PRECISION:
        with working_precision(precision):
            try:
                inverse = _arb_matrix(matrix).solve(flint.arb_mat(size, size, [int(i == j) for i in range(size) for j in range(size)]))
            except ZeroDivisionError:
                precision *= 2
                continue
            entries = [_dyadic(value, bits) for value in inverse.entries()]
            return Matrix.exact(entries[i * size : (i + 1) * size] for i in range(size))
    raise SingularError


def eigenvalues(matrix: Matrix, precision: int = 128) -> list[tuple[Interval, Interval]] | None:
    """Enclose all eigenvalues, real and imaginary parts, with multiplicity, largest modulus first; None where FLINT does not succeed.

    Exact matrices go through the characteristic polynomial: rank-deficient and defective products are the normal case for ReLU networks.
    **Guarantee:** enclosure by FLINT, not kernel-checked. **Cost:** 50 x 50 with 60-bit entries 20 ms.
    """
    size = len(matrix.mid)
    with working_precision(precision):
        if matrix.rad is None:
            whole = flint.fmpz_mat(size, size, [value for row in matrix.mid for value in row])
            den = flint.arb(matrix.den)
            found = [flint.acb(root) / den for root, count in _roots(whole.charpoly()) for _ in range(count)]
        else:
            source = flint.acb_mat(_arb_matrix(matrix))
            try:
                found = source.eig(multiple=True) if size > 1 else [source[0, 0]]
            except ValueError:
                return None
        found.sort(key=lambda value: float(abs(value).mid()), reverse=True)
        return [(_interval(value.real), _interval(value.imag)) for value in found]


def _roots(polynomial: flint.fmpz_poly) -> list[tuple[flint.acb, int]]:
    """Return the roots with their multiplicities (the library's own annotation of this call is too narrow)."""
    return [(root, int(count)) for root, count in cast("list[tuple[flint.acb, int]]", polynomial.complex_roots())]


def _arb_matrix(matrix: Matrix) -> flint.arb_mat:
    rows, columns = matrix.shape
    den = flint.arb(matrix.den)
    radii = matrix.rad or ((0,) * columns,) * rows
    entries = [flint.arb(m, r) / den for row, spread in zip(matrix.mid, radii, strict=True) for m, r in zip(row, spread, strict=True)]
    return flint.arb_mat(rows, columns, entries)


def _dyadic(value: flint.arb, bits: int) -> Fraction:
    scaled = (value.mid() * flint.arb(2) ** bits + flint.arb("0.5")).floor().mid()
    mantissa, exponent = scaled.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent) / (1 << bits)


def _interval(value: flint.arb) -> Interval:
    return Interval(_fraction(value.lower()), _fraction(value.upper()))


def _fraction(value: flint.arb) -> Fraction:
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Set the precision of FLINT's balls for a while."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def det_sign(matrix: Matrix) -> int:
    """Return the sign of the determinant of an exact square matrix. **Guarantee:** exact."""
    size = len(matrix.mid)
    det = flint.fmpz_mat(size, size, [value for row in matrix.mid for value in row]).det()
    return int(det > 0) - int(det < 0)
