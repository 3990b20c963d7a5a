"""Floats and Fractions as exact matrices; blocks that keep structural zeros exact."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from verify.models import blocks
from verify.models.exact import exact, widened

floats = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(floats, min_size=1, max_size=12))
def test_a_float_is_the_dyadic_it_is(values: list[float]) -> None:
    array = np.array(values)
    assert exact(array) == Matrix.column(map(Fraction, values))
    assert exact(array.reshape(1, -1)) == Matrix.exact([list(map(Fraction, values))])


@pytest.mark.parametrize("value", [5e-324, -1.7976931348623157e308, 0.1, -0.0, 2.0**62, 2.0**63, 2.0**-1074 * 3])
def test_extreme_floats_are_exact(value: float) -> None:
    assert exact(np.array([value, 1.0])) == Matrix.column([Fraction(value), Fraction(1)])


def test_fractions_are_taken_as_they_are() -> None:
    assert exact(np.array([[Fraction(1, 3), Fraction(2)]], dtype=object)) == Matrix.exact([[Fraction(1, 3), Fraction(2)]])


def test_a_radius_goes_around_every_entry() -> None:
    found = widened(exact(np.array([[0.0, 0.75]])), Fraction(1, 8))
    assert [(found.middle(0, j), found.radius(0, j)) for j in range(2)] == [(Fraction(0), Fraction(1, 8)), (Fraction(3, 4), Fraction(1, 8))]
    assert widened(found, Fraction(0)) is found


def test_blocks_keep_what_is_structural_exact() -> None:
    column = widened(exact(np.array([1.0, 0.5])), Fraction(1, 4))
    square = blocks.diagonal(column)
    assert [[square.radius(i, j) for j in range(2)] for i in range(2)] == [[Fraction(1, 4), 0], [0, Fraction(1, 4)]]
    wide = blocks.beside(square, blocks.zeros(2, 1))
    assert wide.shape == (2, 3)
    assert (wide.middle(1, 1), wide.radius(1, 1), wide.radius(1, 2)) == (Fraction(1, 2), Fraction(1, 4), Fraction(0))
    assert blocks.column_range(wide, 1, 3).middle(1, 0) == Fraction(1, 2)
    tall = blocks.above(blocks.constant(1, 1), column)
    assert [(tall.middle(i), tall.radius(i)) for i in range(3)] == [(1, 0), (1, Fraction(1, 4)), (Fraction(1, 2), Fraction(1, 4))]
    assert blocks.total(column).interval(0).hi == 2
