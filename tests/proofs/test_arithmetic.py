"""Matrices and intervals: what is refused, and small exact cases."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.arithmetic import Interval, Matrix
from tests.proofs.workbench import matrix

ONE = Fraction(1)


@pytest.mark.parametrize("ends", [(1, ONE), (ONE, 2), (0.5, 0.75), (True, ONE), (ONE, Fraction(0))])
def test_intervals_want_ordered_fractions(ends: tuple[Fraction, Fraction]) -> None:
    with pytest.raises(TypeError, match="an interval needs two ordered Fractions, got"):
        Interval(*ends)


def test_intervals() -> None:
    one, two = Interval(Fraction(-2), ONE), Interval(ONE, ONE)
    assert one.magnitude == 2
    assert not one.apart(two)
    assert not two.apart(one)
    assert two.apart(Interval(Fraction(2), Fraction(3)))
    assert (str(one), str(two)) == ("[-2, 1]", "1")


@pytest.mark.parametrize("value", [1, 0.5, True, "1", float("nan")])
def test_matrices_want_fractions(value: object) -> None:
    with pytest.raises(TypeError, match="a Matrix takes Fractions only"):
        Matrix.exact([[value]])  # type: ignore[list-item]


def test_balls_refuse_negative_radii_and_other_shapes() -> None:
    with pytest.raises(ValueError, match="a radius is negative"):
        Matrix.balls([[ONE]], [[-ONE]])
    with pytest.raises(ValueError, match=r"middles are \(1, 1\) and radii \(1, 2\)"):
        Matrix.balls([[ONE]], [[ONE, ONE]])
    assert Matrix.balls([[ONE]], [[Fraction(0)]]).is_exact


def test_shapes_must_fit() -> None:
    tall, wide = matrix([[1], [2]]), matrix([[1, 2]])
    for operation in (lambda: tall + wide, lambda: tall - wide, lambda: tall @ matrix([[1], [2]])):
        with pytest.raises(ValueError, match=r"shapes \(2, 1\) and \(\d, \d\) do not fit"):
            operation()
    assert (wide @ tall).middle(0) == 5


def test_norm_and_widening() -> None:
    ball = matrix([[1, -2], [0, 1]], "1/2")
    assert ball.norm() == 4
    assert matrix([[1, -2], [0, 1]]).norm() == 3
    assert matrix([[1]]).widened(Fraction(1, 3)).interval(0) == Interval(Fraction(2, 3), Fraction(4, 3))


def test_rounding_is_outward_and_leaves_short_numbers_alone() -> None:
    third = matrix([["1/3"], ["-1/3"]])
    assert third.rounded(None) is third
    coarse = third.rounded(1)
    assert coarse is third
    fine = matrix([[Fraction(1, 3**20)], [Fraction(-1, 3**20)]]).rounded(8)
    for row, sign in ((0, 1), (1, -1)):
        assert fine.interval(row).lo <= Fraction(sign, 3**20) <= fine.interval(row).hi
    assert fine.den == 256


def test_signs() -> None:
    assert matrix([[1], [0], [-1]]).signs() == [(1, 1), (0, 0), (-1, -1)]
    assert matrix([[1], [0], [-1]], 1).signs() == [(0, 1), (-1, 1), (-1, 0)]


def test_stacked_and_columns() -> None:
    both = Matrix.stacked([matrix([[1, 2]]), matrix([["1/2", "1/3"]], "1/5")])
    assert both.interval(0, 1) == Interval(Fraction(2), Fraction(2))
    assert both.interval(1, 1) == Interval(Fraction(2, 15), Fraction(8, 15))
    assert both.columns(1, 1).interval(1) == both.interval(1, 1)
    assert Matrix.stacked([matrix([[1]]), matrix([[2]])]).is_exact
    assert Matrix.stacked([]).shape == (0, 0)


def test_scaled_rows_stay_exact_where_they_can() -> None:
    factors = [Interval(Fraction(1, 2), Fraction(1, 2)), Interval(Fraction(0), Fraction(0))]
    assert matrix([[1, 2], [3, 4]]).scaled_rows(factors).is_exact
    slopes = matrix([[1, -2], [3, 4]]).scaled_rows([Interval(Fraction(0), ONE)] * 2)
    assert [slopes.interval(0, 0), slopes.interval(0, 1)] == [Interval(Fraction(0), ONE), Interval(Fraction(-2), Fraction(0))]
