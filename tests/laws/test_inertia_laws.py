"""Pivot signs against exact inertia (characteristic polynomials by flint, Sturm counts by Descartes)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import flint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.inertia import is_positive_definite, pivot_signs
from tests.laws.strategies import rationals


def inertia(rows: list[list[Fraction]]) -> tuple[int, int, int]:
    """Count positive, negative and zero eigenvalues: all roots are real, so Descartes' rule is exact."""
    exact = flint.fmpq_mat(len(rows), len(rows), [flint.fmpq(x.numerator, x.denominator) for row in rows for x in row])
    signs = [(c > 0) - (c < 0) for c in exact.charpoly().coeffs()]
    zero = next(i for i, sign in enumerate(signs) if sign)
    changes = [
        sum(a != b for a, b in pairwise(kept)) for kept in ([s for s in signs if s], [s * (-1) ** i for i, s in enumerate(signs) if s])
    ]
    return changes[0], changes[1], zero


def agree(rows: list[list[Fraction]], bits: int) -> bool:
    """Check what the pivots say against the exact inertia; return whether they said everything."""
    signs = pivot_signs(Matrix.exact(rows), bits)
    positive, negative, zero = inertia(rows)
    assert signs.count(1) <= positive
    assert signs.count(-1) <= negative
    assert 0 not in signs[:-1]
    assert is_positive_definite(Matrix.exact(rows), bits) == (signs == [1] * len(rows))
    if 0 in signs:
        return False
    assert (signs.count(1), signs.count(-1), zero) == (positive, negative, 0)
    return True


@st.composite
def symmetric(draw: st.DrawFn, entries: st.SearchStrategy[Fraction] = rationals) -> list[list[Fraction]]:
    """Draw a symmetric matrix; sometimes of low rank, sometimes nearly so."""
    size = draw(st.integers(1, 5))
    table = [[draw(entries) for _ in range(size)] for _ in range(size)]
    rows = [[table[max(i, j)][min(i, j)] for j in range(size)] for i in range(size)]
    if size > 1 and draw(st.booleans()):
        slack = draw(st.sampled_from([Fraction(0), Fraction(1, 2**40), Fraction(-1, 2**90)]))
        rows[-1] = list(rows[0])
        for i in range(size):
            rows[i][-1] = rows[i][0]
        rows[-1][-1] = rows[0][0] + slack
    return rows


@given(symmetric(), st.sampled_from([8, 30, 200]))
def test_the_pivots_never_lie(rows: list[list[Fraction]], bits: int) -> None:
    agree(rows, bits)


@given(symmetric(st.fractions(-2, 2, max_denominator=8)))
def test_singular_matrices_always_leave_a_doubt(rows: list[list[Fraction]]) -> None:
    if inertia(rows)[2]:
        assert pivot_signs(Matrix.exact(rows), 300)[-1] == 0


@given(symmetric(st.fractions(-2, 2, max_denominator=8)), st.fractions(0, 1, max_denominator=8), st.data())
def test_interval_matrices_speak_of_every_member(rows: list[list[Fraction]], radius: Fraction, data: st.DataObject) -> None:
    size = len(rows)
    signs = pivot_signs(Matrix.balls(rows, [[radius] * size] * size), 60)
    moved = [list(row) for row in rows]
    for i in range(size):
        for j in range(i + 1):
            moved[i][j] = moved[j][i] = rows[i][j] + radius * data.draw(st.sampled_from([-1, 0, 1]))
    positive, negative, _ = inertia(moved)
    assert signs.count(1) <= positive
    assert signs.count(-1) <= negative


@pytest.mark.parametrize("size", range(1, 13))
def test_hilbert_matrices(size: int) -> None:
    rows = [[Fraction(1, i + j + 1) for j in range(size)] for i in range(size)]
    assert agree(rows, 120)
    shifted = [[value - (i == j) * Fraction(1, 1000) for j, value in enumerate(row)] for i, row in enumerate(rows)]
    assert agree(shifted, 120)
    agree(rows, 8)


def test_a_zero_diagonal_leaves_a_doubt() -> None:
    assert pivot_signs(Matrix.exact([[Fraction(0), Fraction(1)], [Fraction(1), Fraction(0)]]), 60) == [0]
    assert pivot_signs(Matrix.exact([[Fraction(0)]]), 60) == [0]
    assert not is_positive_definite(Matrix.exact([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(0)]]), 60)
    tiny = Fraction(1, 2**100)
    assert pivot_signs(Matrix.exact([[tiny]]), 60) == [0]
    assert pivot_signs(Matrix.exact([[tiny]]), 120) == [1]
