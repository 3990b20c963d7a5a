"""Interval arithmetic encloses: points inside the operands give points inside the results."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Interval, Matrix
from proofs.network import _relu, _times
from tests.laws.strategies import Exact, balls, holds, inside, intervals, precision, product, rationals

Pair = tuple[Matrix, Exact]


@given(balls(2, 3), balls(2, 3))
def test_sums(one: Pair, two: Pair) -> None:
    assert holds(one[0] + two[0], [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(one[1], two[1], strict=True)])
    assert holds(one[0] - two[0], [[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(one[1], two[1], strict=True)])


@given(balls(2, 3), balls(3, 2))
def test_products(one: Pair, two: Pair) -> None:
    assert holds(one[0] @ two[0], product(one[1], two[1]))


@given(balls(2, 2), rationals, precision)
def test_scaling_rounding_reducing(one: Pair, factor: Fraction, bits: int | None) -> None:
    assert holds(one[0].times(factor), [[factor * value for value in row] for row in one[1]])
    assert holds(one[0].rounded(bits), one[1])
    assert holds(one[0].reduced(), one[1])
    assert all(one[0].reduced().interval(i, j) == one[0].interval(i, j) for i in range(2) for j in range(2))
    assert holds(one[0].transposed(), [list(column) for column in zip(*one[1], strict=True)])


@given(balls(2, 2), st.fractions(0, 3), st.lists(inside, min_size=4, max_size=4))
def test_widening(one: Pair, radius: Fraction, moves: list[Fraction]) -> None:
    moved = [[value + radius * moves[2 * i + j] for j, value in enumerate(row)] for i, row in enumerate(one[1])]
    assert holds(one[0].widened(radius), moved)


@given(balls(2, 3), intervals(), intervals())
def test_scaled_rows(one: Pair, top: tuple[Interval, Fraction], low: tuple[Interval, Fraction]) -> None:
    scaled = one[0].scaled_rows([top[0], low[0]])
    assert holds(scaled, [[factor * value for value in row] for factor, row in zip((top[1], low[1]), one[1], strict=True)])
    corners = [a * b for a in (one[0].interval(0).lo, one[0].interval(0).hi) for b in (top[0].lo, top[0].hi)]
    assert scaled.interval(0) == Interval(min(corners), max(corners))


@given(balls(3, 1), balls(3, 1))
def test_relu_and_products_of_registers(one: Pair, two: Pair) -> None:
    image = _relu(one[0])
    assert holds(image, [[max(Fraction(0), value) for value in row] for row in one[1]])
    for row in range(3):
        ends = one[0].interval(row)
        assert image.interval(row) == Interval(max(Fraction(0), ends.lo), max(Fraction(0), ends.hi))
    assert holds(_times(one[0], two[0]), [[a[0] * b[0]] for a, b in zip(one[1], two[1], strict=True)])


@given(balls(3, 2))
def test_norms_and_signs(one: Pair) -> None:
    matrix, points = one
    assert max(sum(map(abs, row)) for row in points) <= matrix.norm()
    if matrix.is_exact:
        assert max(sum(map(abs, row)) for row in points) == matrix.norm()
    for row, (low, high) in enumerate(matrix.signs()):
        ends = matrix.interval(row)
        assert (low, high) == ((ends.lo > 0) - (ends.lo < 0), (ends.hi > 0) - (ends.hi < 0))


@given(balls(2, 2), balls(1, 2))
def test_stacking_and_taking_columns(one: Pair, two: Pair) -> None:
    both = Matrix.stacked([one[0], two[0]])
    assert [both.interval(i, j) for i in range(2) for j in range(2)] == [one[0].interval(i, j) for i in range(2) for j in range(2)]
    assert [both.interval(2, j) for j in range(2)] == [two[0].interval(0, j) for j in range(2)]
    assert [both.columns(1, 1).interval(i) for i in range(3)] == [both.interval(i, 1) for i in range(3)]


@given(st.lists(intervals(), min_size=1, max_size=4))
def test_vectors_of_intervals_and_masks(pairs: list[tuple[Interval, Fraction]]) -> None:
    column = Matrix.intervals(interval for interval, _ in pairs)
    assert column.entries() == [interval for interval, _ in pairs]
    keep = [bool(i % 2) for i in range(len(pairs))]
    zero = Interval(Fraction(0), Fraction(0))
    assert column.masked(keep).entries() == [interval if kept else zero for kept, (interval, _) in zip(keep, pairs, strict=True)]


@given(intervals(), intervals())
def test_apart_means_no_common_point(one: tuple[Interval, Fraction], two: tuple[Interval, Fraction]) -> None:
    if one[0].apart(two[0]):
        assert one[1] != two[1]
    assert one[0].apart(two[0]) == (max(one[0].lo, two[0].lo) > min(one[0].hi, two[0].hi))
    assert abs(one[1]) <= one[0].magnitude
