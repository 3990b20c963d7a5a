"""The table of a scalar network, made by running its program on functions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from proofs.piecewise import PiecewiseLinear, TooManyPieces
from proofs.theorems.unfold import Bent, table_of
from tests.laws.strategies import networks, small
from tests.proofs.workbench import HALF, TENT, affine, linear, shallow

ZERO, ONE = Fraction(0), Fraction(1)


def test_known_tables() -> None:
    assert table_of(TENT, 9) == PiecewiseLinear((ZERO, ONE / 2), (ZERO, ONE), ZERO, Fraction(-2))
    assert table_of(HALF, 0) == PiecewiseLinear((ZERO,), (ZERO,), ONE / 2, ONE / 2)
    assert table_of(linear([[0]], ["3"]), 0) == PiecewiseLinear((ZERO,), (Fraction(3),), ZERO, ZERO)
    identity = shallow([1, -1], [0, 0], [1, -1])
    assert table_of(identity, 9) == PiecewiseLinear((ZERO,), (ZERO,), ONE, ONE)
    twice = shallow([2, 2, 0, 0], [-1, -1, 1, -1], [1, 1, 1, 1])
    assert table_of(twice, 9) == PiecewiseLinear((ONE / 2,), (ONE,), ZERO, Fraction(4))


def test_a_kink_that_touches_zero_without_crossing() -> None:
    program = (*shallow([1, -1], [0, 0], [1, 1]).program, Operation("relu", (3,)), affine([[1]], [0], 4))
    assert table_of(Network(1, program), 9) == PiecewiseLinear((ZERO,), (ZERO,), -ONE, ONE)
    hat = (*shallow([1, 1, 1], [1, 0, -1], [1, -2, 1], -1).program, Operation("relu", (3,)), affine([[1]], [0], 4))
    assert table_of(Network(1, hat), 9)(ZERO) == 0
    assert table_of(Network(1, hat), 9).lipschitz() == 0


def test_rectified_pieces() -> None:
    line = Bent((1, -1))
    assert line.rectified() == Bent((0, 0), ((ONE, (1, -1)),))
    assert line.rectified().rectified() == line.rectified()
    assert Bent((0, -1)).rectified() == Bent((0, 0))
    assert Bent((0, 1)).rectified() == Bent((0, 1))


def test_a_limit_on_knots() -> None:
    assert table_of(TENT, 4)  # two hinges, and the two knots of their sum
    with pytest.raises(TooManyPieces):
        table_of(TENT, 3)


def deep(network: Network) -> Network:
    """Return x -> the first state of a network fed with x in every state."""
    size = network.dimension
    fan = Operation("affine", (0,), (Matrix.exact([[Fraction(i + 1)] for i in range(size)]),), Matrix.column([ZERO] * size))
    moved = [Operation(o.name, tuple(i + 1 for i in o.of), o.matrices, o.bias) for o in network.program]
    pick = Operation("affine", (len(moved) + 1,), (Matrix.exact([[ONE] + [ZERO] * (size - 1)]),), Matrix.column([ZERO]))
    return Network(1, (fan, *moved, pick))


@given(networks().map(deep), st.lists(small, min_size=4, max_size=4))
def test_tables_agree_with_evaluation(network: Network, points: list[Fraction]) -> None:
    table = table_of(network, 10**6)
    middles = [(a + b) / 2 for a, b in zip(table.knots, table.knots[1:], strict=False)]
    for x in (*points, *table.knots, *middles, table.knots[0] - 1, table.knots[-1] + 1, Fraction(10**9), Fraction(-(10**9))):
        assert table(x) == network.image(Matrix.column([x])).middle(0)
