"""Systems of inequalities: whatever floats say, the answer is exact, and it agrees with elimination by hand."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from tests.verify.arrangements import Q, solvable
from verify.numerics.linear_programs import Cutter, decide, generic_point
from verify.numerics.linear_systems import Farkas, Point, Row, coordinates, dependency, homogeneous, primitive, rank, settle


def random_rows(rng: random.Random, states: int, count: int, largest: int = 2) -> list[Row]:
    forms = [tuple(rng.randint(-largest, largest) for _ in range(states + 1)) for _ in range(count)]
    return [Row(form, strict=rng.random() < 0.5) for form in forms]


def is_right(answer: Point | Farkas, rows: list[Row]) -> bool:
    if isinstance(answer, Farkas):
        return answer.holds() and {row.form for row in answer.rows} <= {form for row in rows for form in (row.form, primitive(row.form))}
    return answer[-1] > 0 and all(row.holds(answer) for row in rows)


@pytest.mark.parametrize("seed", range(60))
def test_the_three_ways_agree_on_degenerate_systems(seed: int) -> None:
    rng = random.Random(seed)
    states = rng.randint(1, 3)
    for _ in range(6):
        rows = random_rows(rng, states, rng.randint(0, 7))
        hint = [i for i in range(len(rows)) if rng.random() < 0.4]
        answers = [decide(rows, states), settle(rows, states), settle(rows, states, hint)]
        assert all(is_right(answer, rows) for answer in answers)
        truth = solvable([([Fraction(x) for x in row.form], row.strict) for row in rows])
        assert [isinstance(answer, Farkas) for answer in answers] == [not truth] * 3


@pytest.mark.parametrize(("states", "count"), [(6, 14), (12, 30), (20, 60)])
def test_large_dense_systems(states: int, count: int) -> None:
    rng = random.Random(states)
    for largest in (2**10, 2**60):
        rows = random_rows(rng, states, count, largest)
        assert is_right(decide(rows, states), rows)


def test_numbers_that_floats_cannot_hold() -> None:
    huge = 10**400
    assert isinstance(decide([Row((1, -huge), strict=False), Row((-1, huge), strict=True)], 1), Farkas)
    answer = decide([Row((1, -huge), strict=False), Row((-1, huge + 1), strict=True)], 1)
    assert not isinstance(answer, Farkas)
    assert huge <= coordinates(answer)[0] < huge + 1


def test_certificates_are_what_they_should_be() -> None:
    up, down = Row((1, 0), strict=False), Row((-1, 0), strict=True)
    assert Farkas((up, down), (1, 1)).holds()
    assert not Farkas((up, down), (1, 2)).holds()  # the coefficients do not vanish
    assert not Farkas((up, down), (-1, -1)).holds()  # not positive
    assert not Farkas((up, up.opposite.opposite), (1, 1)).holds()
    assert not Farkas((up, Row((-1, 0), strict=False)), (1, 1)).holds()  # 0 >= 0 is true
    assert not Farkas((up, Row((-1, 1), strict=True)), (1, 1)).holds()  # 1 > 0 is true
    assert not Farkas((), ()).holds()
    assert not Farkas((up, down), (1,)).holds()


def test_dependencies_are_positive_and_unique() -> None:
    one, two, three = Row((1, 0, 0), strict=False), Row((0, 1, 0), strict=False), Row((-2, -3, 0), strict=False)
    assert dependency((one, two, three)) == (2, 3, 1)
    assert dependency((one, two)) is None
    assert dependency((one, one, three)) is None
    assert dependency((one, Row((1, 0, 5), strict=False))) is None
    assert rank([one.form, two.form, three.form]) == 2
    assert rank([]) == 0


def test_rows_say_themselves() -> None:
    assert [str(Row(form, strict=False)) for form in ((0, 0, 0), (0, 2, 0), (-1, 0, -3))] == ["0 >= 0", "2 z2 >= 0", "-z1 - 3 >= 0"]
    assert str(Row((0, -7), strict=True)) == "-7 > 0"
    assert homogeneous([Q(1, 2), Q(-2, 3)]) == (3, -4, 6)


def test_a_certificate_is_used_again() -> None:
    """Three lines around a triangle: once the outer corner is excluded, more sides in force change nothing."""
    cutter = Cutter(2)
    sides = [cutter.side(Row(form, strict=False)) for form in ((1, 0, 0), (0, 1, 0), (-1, -1, -1), (1, 1, 5))]
    inside = (1, 1, 1)
    first = cutter.cut(1 << sides[0] | 1 << sides[1], sides[2], inside)
    programs = cutter.programs
    again = cutter.cut(1 << sides[0] | 1 << sides[1] | 1 << sides[3], sides[2], inside)
    assert isinstance(first, Farkas)
    assert first is again
    assert cutter.programs == programs
    cutter.clear()
    assert cutter.rows == []


def test_sides_are_numbered_by_their_hyperplane() -> None:
    cutter = Cutter(1)
    side = cutter.side(Row((2, 4), strict=False))
    assert cutter.rows[side] == Row((1, 2), strict=False)
    assert cutter.side(Row((-1, -2), strict=True)) == side - 1
    assert cutter.side(Row((-1, -2), strict=False)) not in {side, side - 1}
    assert generic_point(2)[-1] == 64
