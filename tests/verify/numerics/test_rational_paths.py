"""Words along a path as exact rational functions, against the networks themselves."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest

from proofs.arithmetic import Matrix
from verify.loading import Loaded, load
from verify.numerics.events_crossings import Crossing, Zero, around, merged, short_between
from verify.numerics.events_roots import real_roots
from verify.numerics.rational_paths import Pieces, WordEquations, as_float
from verify.paths import Path, between


def shallow(seed: int, states: int = 2, units: int = 3) -> Loaded:
    rng = np.random.default_rng(seed)

    def numbers(*shape: int) -> np.ndarray:
        return np.asarray(rng.integers(-40, 41, shape) / 32)

    arrays = {"A": numbers(states), "W1": numbers(states, units), "W2": numbers(units, states), "h1": numbers(states), "h2": numbers(units)}
    return load(arrays, model="shallow_plrnn")


@pytest.fixture
def path() -> Path:
    return between(shallow(1), shallow(2))


def test_pieces_are_those_of_the_network_at_mu(path: Path) -> None:
    pieces, mu = Pieces(path), Fraction(3, 7)
    assert pieces.degree == 2
    piece = path.at(mu).piece("101")
    rows = [[Fraction(int(entry.p), int(entry.q)) for entry in row] for row in pieces.exact("101", mu).tolist()]
    assert Matrix.exact(row[:2] for row in rows[:2]) == piece.jacobian
    assert [Fraction(row[2]) for row in rows[2:]] == [piece.gate_offsets.middle(i) for i in range(3)]
    assert np.allclose(pieces.floats("101", np.array([3 / 7]))[0], [[float(value) for value in row] for row in rows])


def test_the_orbit_of_a_word_closes_and_balls_agree_with_exact_values(path: Path) -> None:
    word = ("101", "011", "110")
    equations, mu = WordEquations(Pieces(path), word), Fraction(5, 11)
    exact, ball = equations.exact(mu), equations.at(mu)
    assert exact.gates is not None
    assert ball.gates is not None
    for row, other in zip(exact.gates, ball.gates, strict=True):
        assert [as_float(value) for value in row] == pytest.approx([as_float(value) for value in other])
    gates, one, minus = equations.floats(np.array([5 / 11]))
    assert gates[0].ravel() == pytest.approx([as_float(value) for row in exact.gates for value in row])
    assert (one[0] > 0, minus[0] > 0) == (exact.one > 0, exact.minus_one > 0)
    assert exact.wrong(word) == ball.wrong(word)


def test_polynomials_hold_beyond_the_nodes_they_came_from(path: Path) -> None:
    equations = WordEquations(Pieces(path), ("101", "011"))
    polynomials, mu = equations.polynomials, Fraction(37, 5)
    assert polynomials is not None
    values, at = equations.exact(mu), flint.fmpq(37, 5)
    assert polynomials.one(at) == values.one
    assert polynomials.minus_one(at) == values.minus_one
    assert values.gates is not None
    one = polynomials.one(at)
    assert [[polynomial(at) / one for polynomial in row] for row in polynomials.gates] == [list(row) for row in values.gates]


def test_the_degree_is_bounded_by_the_rank_of_what_moves() -> None:
    one, two = (load({"A": [[a, 1], [0, 0]], "W": [[1, 2], [3, 4]], "h": [1, 1]}, model="plrnn") for a in (0, 1))
    assert WordEquations(Pieces(between(one, two)), ("11",) * 3).degree == 3


def test_roots_with_multiplicity_on_the_ends_and_beyond() -> None:
    x = flint.fmpq_poly([0, 1])
    polynomial = (x - 1) ** 2 * (x**2 - 2) * x * (x - 5)
    roots = real_roots(polynomial, Fraction(0), Fraction(2))
    assert [(float(root.at), root.times) for root in roots] == [(0, 1), (1, 2), (pytest.approx(2**0.5), 1)]
    assert [root.at for root in roots[:2]] == [Fraction(0), Fraction(1)]
    assert real_roots(x**2 + 1, Fraction(-3), Fraction(3)) == []


def test_crossings_that_meet_are_joined() -> None:
    one, two = (Crossing(*around(Fraction(value), 3), (Zero("gate", 1, unit),)) for value, unit in (("1/3", 1), ("1/2", 2)))
    far = Crossing(*around(Fraction(3), 3), (Zero("one"),))
    assert merged([far, two, one]) == [Crossing(one.low, two.high, (Zero("gate", 1, 1), Zero("gate", 1, 2))), far]


@pytest.mark.parametrize(("low", "high"), [("0", "1"), ("1/3", "1/2"), ("-7", "100"), ("1/1000000007", "1/1000000006")])
def test_short_numbers_lie_strictly_between(low: str, high: str) -> None:
    found = short_between(Fraction(low), Fraction(high))
    assert Fraction(low) < found < Fraction(high)
    assert found.denominator & (found.denominator - 1) == 0
