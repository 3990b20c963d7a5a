"""Bases near right singular vectors: columns of the lengths of the singular values, whatever they are, and short entries."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest

from proofs.arithmetic import Matrix
from verify.numerics.balanced_bases import balanced_basis
from verify.numerics.precise import Numbers, fraction_of

PRECISION = 900
FLOOR = -700


def basis_of(rows: Sequence[Sequence[int]]) -> Matrix:
    """Return the basis, at some precision."""
    with flint.ctx.workprec(PRECISION):
        return balanced_basis(Numbers(rows), FLOOR)


def graded(logs: list[int], seed: int) -> Numbers:
    """Return a matrix with about these log2 of singular values, between two random ones."""
    random, size = np.random.default_rng(seed), len(logs)
    with flint.ctx.workprec(PRECISION):
        left, right = (Numbers(random.normal(size=(size, size)).tolist()) for _ in range(2))
        middle = Numbers(size, size, [flint.arb(2) ** logs[i] if i == j else 0 for i in range(size) for j in range(size)])
        return (left * middle * right).mid()


def exact(numbers: Numbers) -> mpmath.matrix:
    """Return the same in mpmath."""
    size = numbers.nrows()
    values = [fraction_of(entry) for entry in numbers.entries()]
    return mpmath.matrix([[mpmath.mpf(x.numerator) / x.denominator for x in values[i : i + size]] for i in range(0, size * size, size)])


@pytest.mark.parametrize("logs", [[0, -600], [0, -5, -6, -300, -301, -302], [7, 7, 7, 7], [40, 0, 0, -100, -640]])
def test_columns_are_as_long_as_the_singular_values_and_nearly_orthogonal(logs: list[int]) -> None:
    numbers = graded(logs, len(logs))
    with flint.ctx.workprec(PRECISION):
        basis = balanced_basis(numbers, FLOOR)
    with mpmath.workprec(2 * PRECISION):
        size = len(logs)
        matrix = exact(numbers)
        columns = mpmath.matrix([[mpmath.mpf(basis.mid[i][j]) / basis.den for j in range(size)] for i in range(size)])
        image, values = matrix * columns, mpmath.svd_r(matrix, compute_uv=False)
        for j in range(size):
            assert abs(mpmath.norm(image[:, j]) / values[j] - 1) < 1e-3
            assert max(abs(x) for x in columns.T * columns - mpmath.eye(size)) < 1e-3
            for i in range(j):
                assert abs((image[:, i].T * image[:, j])[0]) < 1e-3 * mpmath.norm(image[:, i]) * mpmath.norm(image[:, j])


def test_entries_are_no_longer_than_they_need_to_be() -> None:
    with flint.ctx.workprec(PRECISION):
        basis = balanced_basis(graded([0, -10, -600], 3), FLOOR)
    lengths = [max(basis.middle(i, j).denominator.bit_length() for i in range(3)) for j in range(3)]
    assert lengths[0] < 20
    assert lengths[1] < 35
    assert 580 < lengths[2] < 630


@pytest.mark.parametrize(
    "rows", [[[0, 0], [0, 0]], [[1, 0], [0, 1]], [[1, 1], [1, 1]], [[0, 3, 0], [0, 0, 0], [0, 0, 0]], [[2, 4, 6], [1, 2, 3], [0, 0, 1]]]
)
def test_lost_directions_leave_the_basis_orthogonal(rows: list[list[int]]) -> None:
    basis = basis_of(rows)
    gram = basis.transposed() @ basis
    for i in range(len(rows)):
        for j in range(len(rows)):
            assert abs(gram.middle(i, j) - (i == j)) < Fraction(1, 1000)
