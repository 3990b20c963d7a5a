"""Every family against its formula, at points, on pieces, and under a radius."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from tests.verify.models.formulas import FORMULAS, Vector, evaluate, random_case
from verify.models import FAMILIES, build

FIXED = {"input"}
seeds = st.integers(0, 10**6)


def random_point(size: int, seed: int) -> Vector:
    rng = random.Random(seed)
    return [Fraction(rng.randint(-40, 40), rng.choice([1, 7, 16])) for _ in range(size)]


def values(matrix: Matrix) -> Vector:
    assert matrix.is_exact
    return [matrix.middle(i) for i in range(matrix.shape[0])]


def test_every_family_has_an_independent_formula() -> None:
    assert set(FORMULAS) == set(FAMILIES)


@pytest.mark.parametrize("model", FAMILIES)
@settings(deadline=None, max_examples=60)
@given(seed=seeds)
def test_the_program_is_the_formula(model: str, seed: int) -> None:
    arrays, meta = random_case(model, seed)
    network = build(model, arrays, meta)
    for shift in range(3):
        z = random_point(network.dimension, seed + shift)
        assert values(network.image(Matrix.column(z))) == evaluate(model, arrays, meta, z)


@pytest.mark.parametrize("model", FAMILIES)
@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_the_piece_of_a_pattern_is_the_formula(model: str, seed: int) -> None:
    arrays, meta = random_case(model, seed)
    network = build(model, arrays, meta)
    z = random_point(network.dimension, seed)
    point = Matrix.column(z)
    pattern = "".join("1" if low >= 0 else "0" for gate in network.trace(point)[1] for low, _ in gate.signs())
    piece = network.piece(pattern)
    assert len(pattern) == network.hinges
    assert values(piece.image(point)) == evaluate(model, arrays, meta, z)
    assert network.jacobian(point).shape == piece.jacobian.shape
    assert all((low >= 0) if letter == "1" else (high <= 0) for letter, (low, high) in zip(pattern, piece.gate_signs(point), strict=True))


def moved(arrays: dict[str, np.ndarray], radius: Fraction, rng: random.Random) -> dict[str, np.ndarray]:
    """Move every stored parameter by at most ``radius``, often by all of it."""

    def move(x: float | Fraction) -> Fraction:
        return Fraction(x) + radius * rng.choice([Fraction(-1), Fraction(1), Fraction(rng.randint(-99, 99), 99)])

    found = {}
    for name, array in arrays.items():
        entries = np.empty(array.size, dtype=object)
        entries[:] = [Fraction(x) if name in FIXED else move(x) for x in array.ravel().tolist()]
        found[name] = entries.reshape(array.shape)
    return found


@pytest.mark.parametrize("model", FAMILIES)
@settings(deadline=None, max_examples=40)
@given(seed=seeds, power=st.integers(-20, 1))
def test_a_radius_holds_every_moved_network(model: str, seed: int, power: int) -> None:
    radius = Fraction(2) ** power
    arrays, meta = random_case(model, seed)
    network = build(model, arrays, meta, radius)
    assert not network.is_exact
    rng = random.Random(seed)
    for _ in range(3):
        z = random_point(network.dimension, rng.randint(0, 10**6))
        image = network.image(Matrix.column(z)).entries()
        exact = evaluate(model, moved(arrays, radius, rng), meta, z)
        assert all(interval.lo <= x <= interval.hi for interval, x in zip(image, exact, strict=True))


def test_a_diagonal_keeps_its_zeros_under_a_radius_and_a_matrix_does_not() -> None:
    vector = {"A": np.array([0.5, 0.25]), "W": np.zeros((2, 2)), "h": np.zeros(2)}
    matrix = vector | {"A": np.diag(vector["A"])}
    assert build("plrnn", vector, {}).digest == build("plrnn", matrix, {}).digest
    radius = Fraction(1, 1024)
    of_vector, of_matrix = (build("plrnn", arrays, {}, radius).program[-1] for arrays in (vector, matrix))
    assert (of_vector.matrices[0].radius(0, 0), of_vector.matrices[0].radius(0, 1)) == (radius, Fraction(0))
    assert of_matrix.matrices[0].radius(0, 1) == radius
    assert {of_vector.matrices[1].radius(i, j) for i in range(2) for j in range(2)} == {radius}
    assert of_vector.bias is not None
    assert of_vector.bias.radius(0) == radius


def test_the_input_is_no_parameter() -> None:
    arrays = {"A": np.zeros(1), "W": np.zeros((1, 1)), "h": np.zeros(1), "C": np.array([[2.0]]), "input": np.array([3.0])}
    bias = build("plrnn", arrays, {}, Fraction(1, 8)).program[-1].bias
    assert bias is not None
    assert (bias.middle(0), bias.radius(0)) == (Fraction(6), Fraction(4, 8))


def test_an_alrnn_adds_its_linear_columns_to_a() -> None:
    arrays = {"A": np.array([1.0, 2.0]), "W": np.array([[10.0, 20.0], [30.0, 40.0]]), "h": np.zeros(2)}
    network = build("alrnn", arrays, {"P": 1})
    last = network.program[-1]
    assert last.matrices == (Matrix.exact([[Fraction(11), Fraction(0)], [Fraction(30), Fraction(2)]]), Matrix(((20,), (40,)), None, 1))
    assert [operation.name for operation in network.program] == ["affine", "relu", "affine"]


@pytest.mark.parametrize(("rectified", "names"), [(0, ["affine"]), (2, ["relu", "affine"])])
def test_an_alrnn_at_its_ends_is_linear_or_a_plrnn(rectified: int, names: list[str]) -> None:
    arrays = {"A": np.array([1.0, 2.0]), "W": np.array([[1.0, 2.0], [3.0, 4.0]]), "h": np.zeros(2)}
    network = build("alrnn", arrays, {"P": rectified})
    assert [operation.name for operation in network.program] == names
    assert network.hinges == rectified
    if rectified == 2:
        assert network.digest == build("plrnn", arrays, {}).digest


def test_an_rnn_stays_in_its_own_coordinates() -> None:
    network = build("rnn", {"W": np.array([[2.0]]), "b": np.array([1.0])}, {"activation": "tanh"})
    assert [operation.name for operation in network.program] == ["affine", "tanh"]
    assert network.hinges == 0
    image = network.image(Matrix.column([Fraction(0)]), 64).interval(0)
    assert Fraction(761594155955764888, 10**18) < image.lo < image.hi < Fraction(761594155955764889, 10**18)


def test_a_clip_never_leaves_the_unit_interval() -> None:
    network = build("scalar", {"layers.0.W": np.array([[3.0]]), "layers.0.b": np.array([-1.0])}, {"layers": ["clip"]})
    assert network.hinges == 2
    box = Matrix.balls([[Fraction(5)]], [[Fraction(2)]])
    assert network.image(box).interval(0).lo == network.image(box).interval(0).hi == 1
    whole = network.image(Matrix.balls([[Fraction(0)]], [[Fraction(100)]])).interval(0)
    assert (whole.lo, whole.hi) == (Fraction(0), Fraction(1))


def test_a_zero_network_is_a_network() -> None:
    network = build("plrnn", {"A": np.zeros(3), "W": np.zeros((3, 3)), "h": np.zeros(3)}, {})
    assert values(network.image(Matrix.column([Fraction(5)] * 3))) == [0, 0, 0]


def test_duplicate_rows_are_legal() -> None:
    arrays = {"A": np.zeros(1), "W1": np.ones((1, 2)), "W2": np.ones((2, 1)), "h1": np.zeros(1), "h2": np.zeros(2)}
    assert values(build("shallow_plrnn", arrays, {}).image(Matrix.column([Fraction(3)]))) == [6]
