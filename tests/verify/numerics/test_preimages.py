"""Networks run backwards: the preimages of a point, and all fixed points."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.loading import load_network
from verify.numerics.batch import FloatNetwork
from verify.numerics.preimages import InversePieces, all_patterns, conditions


def pieces(weights: dict[str, Any], model: str = "plrnn") -> InversePieces:
    floats = FloatNetwork(load_network(weights, model=model))
    return InversePieces(floats, all_patterns(floats))


def tent() -> InversePieces:
    return pieces({"A": [2], "W": [[-4]], "h": [1]})


def test_preimages_of_a_tent() -> None:
    back = tent().of(np.array([[1 / 3], [-0.5], [2.0], [1.0]]))
    found = sorted(zip(back.places.tolist(), np.round(back.points[:, 0], 12).tolist(), back.patterns[:, 0].tolist(), strict=True))
    assert found == [(0, round(-1 / 3, 12), False), (0, round(1 / 3, 12), True), (1, -0.75, False), (1, 0.75, True)]


def test_what_touches_a_border_is_left_out() -> None:
    assert not len(tent().of(np.array([[1.0]])).points)


def test_preimages_are_carried_back() -> None:
    rng = np.random.default_rng(0)
    weights = {"A": rng.uniform(1, 2, 3).tolist(), "W": rng.standard_normal((3, 3)).tolist(), "h": [1, -1, 1]}
    backward = pieces(weights)
    points = rng.standard_normal((50, 3))
    back = backward.of(points)
    assert len(back.points) >= 10
    assert np.allclose(backward.network.step(back.points), points[back.places])
    assert np.array_equal(backward.network.patterns(back.points), back.patterns)


def test_fixed_points() -> None:
    points, patterns = tent().fixed_points()
    assert sorted(points[:, 0].tolist()) == [-1.0, 1 / 3]
    assert patterns[:, 0].tolist() == (points[:, 0] > 0).tolist()


def test_a_fixed_point_on_a_border_belongs_to_both_pieces() -> None:
    points, _ = pieces({"A": [2], "W": [[-4]], "h": [0]}).fixed_points()
    assert points.tolist() == [[0.0], [0.0]]


def test_singular_pieces_are_left_out() -> None:
    flat = pieces({"A": [0], "W": [[-2]], "h": [1]})
    assert flat.invertible.tolist() == [False, True]
    assert len(flat.of(np.array([[0.5]])).points) == 1


def test_idle_hinges_have_no_pieces_of_their_own() -> None:
    backward = pieces({"A": [2], "W1": [[-4, 0]], "W2": [[1], [1]], "h1": [1], "h2": [0, -1]}, "shallow_plrnn")
    assert len(backward.patterns) == 2
    back = backward.of(np.array([[-2.0]]))
    assert sorted(map(tuple, back.patterns.tolist())) == [(False, False), (True, True)]


def test_conditions() -> None:
    assert conditions(np.array([np.eye(2), np.diag([4.0, 1.0]), np.diag([1.0, 0.0])])).tolist() == [1.0, 4.0, np.inf]
