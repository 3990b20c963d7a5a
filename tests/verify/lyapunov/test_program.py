"""Exact networks as systems: floats against the exact step and the exact Jacobian."""

from __future__ import annotations

from fractions import Fraction
from math import inf, log
from typing import Any

import numpy as np
import pytest
import torch

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import Network, Operation
from tests.verify.lyapunov.dense import dense_jacobians, known
from verify.loading import load
from verify.lyapunov.program import ProgramSystem, floats
from verify.lyapunov.systems import system_of

RNG = np.random.default_rng(5)


def matrix(*shape: int) -> Matrix:
    return Matrix.exact([[Fraction(int(entry), 64) for entry in row] for row in RNG.integers(-64, 65, shape)])


def affine(of: tuple[int, ...], rows: int, *columns: int) -> Operation:
    return Operation("affine", of, tuple(matrix(rows, size) for size in columns), matrix(rows, 1))


def unary(name: str, of: int) -> Operation:
    return Operation(name, (of,))


PROGRAMS = {
    "every operation": (
        affine((0,), 5, 3),
        unary("tanh", 1),
        affine((0,), 5, 3),
        unary("sigmoid", 3),
        Operation("mul", (2, 4)),
        affine((5, 0), 3, 5, 3),
        unary("relu", 6),
        Operation("add", (7, 0)),
    ),
    "chain": (affine((0,), 3, 3), unary("tanh", 1), affine((2,), 3, 3), unary("sigmoid", 3)),
    "affine": (affine((0,), 3, 3),),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_step_and_push_are_those_of_the_exact_network(name: str) -> None:
    network = Network(3, PROGRAMS[name])
    system = system_of(network)
    assert (system.mode, system.dimension, system.input_size) == ("autonomous", 3, None)
    states = system.start(4, 3)
    frames = torch.randn(4, 3, 2).double()
    new, moved = system.push(states, None, frames)
    assert torch.equal(new, system.step(states, None))
    for number in range(4):
        point = Matrix.column([Fraction(entry) for entry in states[number].tolist()])
        image, jacobian = network.image(point, 64), floats(network.jacobian(point, 64))
        assert torch.allclose(new[number], floats(image).squeeze(1), rtol=0, atol=1e-14)
        assert torch.allclose(moved[number], jacobian @ frames[number], rtol=0, atol=1e-13)


@pytest.mark.parametrize(("name", "has_formula"), [("every operation", False), ("chain", True), ("affine", True)])
def test_determinant_of_a_chain(name: str, has_formula: bool) -> None:
    system = system_of(Network(3, PROGRAMS[name]))
    states = system.start(4, 1)
    jacobians = dense_jacobians(lambda z: system.step(z, None), states)[1]
    found = system.log_det(states, None)
    assert (found is not None) == has_formula
    if found is not None:
        assert torch.allclose(found, torch.linalg.slogdet(jacobians)[1], rtol=0, atol=1e-10)


FAMILIES: dict[str, dict[str, Any]] = {
    "plrnn": {"A": [0.5, -0.3], "W": [[0, 1], [-1, 0]], "h": [0.1, 0.2]},
    "alrnn": {"A": [0.5, 0.5], "W": [[0, 1], [-1, 0]], "h": [0, 1]},
    "rnn": {"W": [[1.5, -2], [2, 0.5]], "b": [0.1, -0.2]},
    "shallow_plrnn": {
        "A": [0.5, 0.4],
        "W1": [[1, -1, 0.5], [0.2, 1, 1]],
        "W2": [[1, 0], [0, 1], [1, -1]],
        "h1": [0, 0.1],
        "h2": [0.1, 0, 0.2],
    },
}
SETTINGS: dict[str, dict[str, Any]] = {"alrnn": {"P": "1"}, "rnn": {"activation": "tanh"}}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_read_as_loaded(family: str) -> None:
    loaded = load({"model": family, **FAMILIES[family]}, **SETTINGS.get(family, {}))
    system = system_of(loaded)
    assert system.name == loaded.name
    states = system.start(6, 0)
    expected, jacobians = dense_jacobians(lambda z: system.step(z, None), states)
    new, moved = system.push(states, None, torch.eye(2).double().expand(6, -1, -1))
    assert torch.equal(new, expected)
    assert torch.allclose(moved, jacobians, rtol=0, atol=1e-14)
    exact = loaded.network.image(Matrix.column([Fraction(entry) for entry in states[0].tolist()]), 64)
    assert torch.allclose(new[0], floats(exact).squeeze(1), rtol=0, atol=1e-14)


def tent() -> Network:
    slope = Fraction(19, 10)
    rows = [[slope, -2 * slope]] * 2
    bias = Matrix.column([Fraction(0), Fraction(-1, 2)])
    return Network(2, (Operation("affine", (0,), (Matrix.exact(rows),), bias), Operation("relu", (1,))))


def test_the_tent_as_a_relu_network_is_singular() -> None:
    system = system_of(tent(), start=torch.tensor([0.3, 0.0]))
    states = system.start(1, 0)
    assert known(system.log_det(states, None)).tolist() == [-inf]
    moved = system.push(states, None, torch.eye(2).double()[None])[1]
    assert moved.tolist() == [[[1.9, -3.8], [1.9, -3.8]]]


def test_borders_are_counted() -> None:
    system = system_of(tent())
    states = torch.tensor([[0.0, 0.0], [1.0, 0.5], [1.0, 0.0]]).double()
    moved = system.push(states, None, torch.eye(2).double().expand(3, -1, -1))[1]
    assert isinstance(system, ProgramSystem)
    assert system.border_hits == 2
    assert moved[:2].abs().sum() == 0
    assert torch.equal(system.step(states, None)[2], torch.tensor([1.9, 1.4], dtype=torch.float64))


def test_intervals_are_read_at_their_middles_and_rounded_once() -> None:
    wide = Matrix.balls([[Fraction(1, 3)]], [[Fraction(1, 100)]])
    assert floats(wide).item() == 1 / 3
    network = Network(1, (Operation("affine", (0,), (wide,), Matrix.column([Fraction(0)])),))
    assert system_of(network).step(torch.ones(1, 1).double(), None).item() == 1 / 3


def test_float32() -> None:
    system = system_of(tent(), dtype="float32")
    assert system.push(system.start(1, 0), None, torch.eye(2)[None])[1].dtype == torch.float32


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"driven": True}, "an exact network has no input: its biases hold it"),
        ({"closed_loop": lambda h: h}, "got       closed_loop"),
        ({"dimension": 3}, "expected  dimension 2"),
    ],
)
def test_what_is_refused(wishes: dict[str, Any], told: str) -> None:
    with pytest.raises(Malformed) as caught:
        system_of(tent(), **wishes)
    assert told in str(caught.value)


def test_inputs_and_weights_beyond_floats_are_refused() -> None:
    system = system_of(tent())
    with pytest.raises(Malformed, match="an exact network has no input"):
        system.step(system.start(2, 0), torch.zeros(2, 1).double())
    with pytest.raises(Malformed, match="beyond the range of float64"):
        floats(Matrix.exact([[Fraction(10) ** 400]]))


@pytest.mark.parametrize(("name", "slope"), [("tanh", log(4) - 1440), ("sigmoid", -720.0), ("relu", 0.0)])
def test_saturated_chains_have_finite_logarithms(name: str, slope: float) -> None:
    weight = Matrix.exact([[Fraction(800)]])
    system = system_of(Network(1, (Operation("affine", (0,), (weight,), Matrix.column([Fraction(0)])), Operation(name, (1,)))))
    for sign in (1, -1):
        found = known(system.log_det(torch.tensor([[0.9 * sign]], dtype=torch.float64), None)).item()
        assert found == pytest.approx(-inf if (name, sign) == ("relu", -1) else log(800) + slope, abs=1e-9)
