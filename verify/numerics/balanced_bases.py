"""A basis in which the columns of a matrix have the lengths of its singular values: one-sided Jacobi rotations in FLINT numbers."""

from __future__ import annotations

import flint

from proofs.arithmetic import Matrix
from verify.numerics.precise import Numbers, identity, log2_above, on_grid

_SWEEPS = 30
_RIGHT = 4  # columns count as orthogonal where their cosine is below 2**-(precision / 4)
_PLACES = 16  # bits of a column behind what its length needs

Columns = list[list[flint.arb]]


def balanced_basis(matrix: Numbers, floor: int) -> Matrix:
    """Return V, near the right singular vectors of a square matrix, each rounded to as few bits as its singular value allows.

    Singular values below 2**``floor`` are taken for that. The columns of PV are nearly orthogonal, of lengths s_1, s_2, .., where the
    columns of P may all be nearly parallel. **Guarantee:** heuristic (that V is invertible follows from what it is used for).
    **Cost:** some sweeps of M^2/2 rotations at the precision in force, which must resolve 2**``floor`` beside the largest entry.
    """
    size = matrix.nrows()
    images, basis = _columns_of(matrix), _columns_of(identity(size))
    for _ in range(_SWEEPS):
        if not sum(_swept(images, basis, i) for i in range(size)):
            break
    lengths = [max(floor, *map(log2_above, column)) for column in images]
    places = [max(lengths) - length + _PLACES for length in lengths]
    columns = [[on_grid(entry, place) for entry in column] for column, place in zip(basis, places, strict=True)]
    return Matrix.exact(zip(*columns, strict=True))


def _swept(images: Columns, basis: Columns, i: int) -> int:
    """Put the longest of the images from the i-th on there, rotate it with those behind it; return how many were not orthogonal to it."""
    first = max(range(i, len(images)), key=lambda j: max(map(log2_above, images[j])))
    for columns in (images, basis):
        columns[i], columns[first] = columns[first], columns[i]
    return sum(_rotated(images, basis, i, j) for j in range(i + 1, len(images)))


def _rotated(images: Columns, basis: Columns, i: int, j: int) -> bool:
    """Rotate two columns so that their images become orthogonal; return whether they were not."""
    one, two, mixed = _dot(images[i], images[i]), _dot(images[j], images[j]), _dot(images[i], images[j])
    if mixed == 0 or 2 * log2_above(mixed) <= log2_above(one) + log2_above(two) - 2 * flint.ctx.prec // _RIGHT:
        return False
    half = (two - one) / (2 * mixed)
    tangent = 1 / (abs(half) + (1 + half * half).sqrt())
    tangent = (tangent if half >= 0 else -tangent).mid()
    cosine = (1 / (1 + tangent * tangent).sqrt()).mid()
    sine = (cosine * tangent).mid()
    for columns in (images, basis):
        pairs = list(zip(columns[i], columns[j], strict=True))
        columns[i] = [(cosine * x - sine * y).mid() for x, y in pairs]
        columns[j] = [(sine * x + cosine * y).mid() for x, y in pairs]
    return True


def _dot(one: list[flint.arb], two: list[flint.arb]) -> flint.arb:
    return sum((x * y for x, y in zip(one, two, strict=True)), start=flint.arb(0)).mid()


def _columns_of(matrix: Numbers) -> Columns:
    return [[matrix[i, j].mid() for i in range(matrix.nrows())] for j in range(matrix.ncols())]
