"""The float network against the exact one, and the Newton kernels against plain linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.homotopy import trace_paths
from verify.numerics.newton import converge, hashes, solve_cyclic
from verify.numerics.seeds import lengthened, observe, random_states, shortened, simulate

SIZE = 4


def layer(rng: np.random.Generator, of: Sequence[int], rows: int, sizes: Sequence[int]) -> Operation:
    def table(columns: int) -> Matrix:
        return Matrix.exact([[Fraction(float(value)) for value in row] for row in rng.normal(size=(rows, columns)) * 0.6])

    return Operation("affine", tuple(of), tuple(table(size) for size in sizes), table(1))


def programs() -> dict[str, Network]:
    rng = np.random.default_rng(0)
    relu, add, mul = Operation("relu", (1,)), Operation("add", (0, 2)), Operation("mul", (2, 3))
    gate = (layer(rng, (0,), SIZE, [SIZE]), Operation("sigmoid", (1,)), Operation("tanh", (1,)), mul, layer(rng, (0, 4), SIZE, [SIZE] * 2))
    hidden = (layer(rng, (0,), 6, [SIZE]), relu, layer(rng, (2,), 5, [6]), Operation("relu", (3,)), layer(rng, (0, 4), SIZE, [SIZE, 5]))
    return {
        "plain": Network(SIZE, (Operation("relu", (0,)), layer(rng, (0, 1), SIZE, [SIZE, SIZE]))),
        "two layers": Network(SIZE, hidden),
        "relu last": Network(SIZE, (layer(rng, (0,), SIZE, [SIZE]), relu)),
        "residual": Network(SIZE, (layer(rng, (0,), SIZE, [SIZE]), relu, add)),
        "relu of relu": Network(SIZE, (layer(rng, (0,), SIZE, [SIZE]), relu, Operation("relu", (2,)))),
        "affine only": Network(SIZE, (layer(rng, (0,), SIZE, [SIZE]),)),
        "gated": Network(SIZE, gate),
        "square": Network(SIZE, (layer(rng, (0,), SIZE, [SIZE]), Operation("mul", (1, 1)), relu)),
    }


NETWORKS = programs()
LINEAR = [name for name, network in NETWORKS.items() if network.is_piecewise_linear]


def states(count: int = 20) -> Floats:
    return np.random.default_rng(1).normal(size=(count, SIZE))


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_agree_with_the_exact_network(name: str) -> None:
    network = NETWORKS[name]
    for point, image in zip(states(5), FloatNetwork(network).step(states(5)), strict=True):
        exact = network.image(Matrix.column([Fraction(float(value)) for value in point]), 80)
        assert image == pytest.approx([float(exact.middle(i)) for i in range(SIZE)], abs=1e-12)


@pytest.mark.parametrize("name", LINEAR)
def test_pieces_agree_with_the_exact_network(name: str) -> None:
    network, run = NETWORKS[name], FloatNetwork(NETWORKS[name])
    assert run.hinges == network.hinges
    patterns = np.random.default_rng(2).random((5, run.hinges)) < 0.5
    J, q = run.pieces(patterns)
    gates = run.piece_gates(states(5), patterns)
    for row, letters in enumerate(patterns):
        piece = network.piece("".join("1" if letter else "0" for letter in letters))
        slope = [[float(piece.jacobian.middle(i, j)) for j in range(SIZE)] for i in range(SIZE)]
        assert np.allclose(J[row], slope, atol=1e-12)
        assert np.allclose(q[row], [float(piece.offset.middle(i)) for i in range(SIZE)], atol=1e-12)
        if run.hinges:
            at = piece.gates @ Matrix.column([Fraction(float(value)) for value in states(5)[row]]) + piece.gate_offsets
            assert np.allclose(gates[row], [float(at.middle(i)) for i in range(run.hinges)], atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_jacobians_agree_with_differences(name: str) -> None:
    run = FloatNetwork(NETWORKS[name])
    Z, step = states(), 1e-6
    J = run.jacobian(Z)
    for j, direction in enumerate(np.eye(SIZE)):
        assert np.allclose(J[:, :, j], (run.step(Z + step * direction) - run.step(Z - step * direction)) / (2 * step), atol=1e-5)
    tangent, offset = run.linearise(Z)
    assert np.allclose(np.matmul(tangent, Z[:, :, None])[:, :, 0] + offset, run.step(Z))


def test_patterns_are_the_signs_of_the_gates() -> None:
    network, run = NETWORKS["two layers"], FloatNetwork(NETWORKS["two layers"])
    for point, letters in zip(states(), run.patterns(states()), strict=True):
        exact = network.pattern(Matrix.column([Fraction(float(value)) for value in point]))
        assert "".join("1" if letter else "0" for letter in letters) == exact


def test_hinges_that_lead_nowhere_are_not_live() -> None:
    A, W = Matrix.identity(2), Matrix.exact([[Fraction(1), Fraction(0)], [Fraction(2), Fraction(0)]])
    run = FloatNetwork(Network(2, (Operation("relu", (0,)), Operation("affine", (0, 1), (A, W), Matrix.column([Fraction(0)] * 2)))))
    assert run.live.tolist() == [True, False]


@pytest.mark.parametrize("period", [1, 3, 8, 9, 23])
def test_cyclic_systems_are_solved(period: int) -> None:
    rng = np.random.default_rng(period)
    J, q = rng.normal(size=(6, period, 3, 3)), rng.normal(size=(6, period, 3))
    Z, wild = solve_cyclic(J, q, np.zeros_like(q))
    assert not wild.any()
    assert np.allclose(np.matmul(J, Z[..., None])[..., 0] + q, np.roll(Z, -1, axis=1), atol=1e-8)


def test_singular_systems_are_marked_and_solved_nearby() -> None:
    J, q = np.array([[[[1.0, 0.0], [0.0, 0.5]]]] * 2), np.array([[[0.0, 1.0]]] * 2)
    near = np.array([[[3.0, 0.0]], [[-4.0, 0.0]]])
    Z, wild = solve_cyclic(J, q, near)
    assert wild.all()
    assert np.allclose(Z, [[[3.0, 2.0]], [[-4.0, 2.0]]])


def test_names_are_those_of_closed_words() -> None:
    rng = np.random.default_rng(4)
    words = rng.random((200, 11, 3)) < 0.5
    assert np.array_equal(hashes(words), hashes(np.roll(words, 4, axis=1)))
    assert len(set(hashes(words).tolist())) == 200
    changed = words.copy()
    changed[:, 5, 1] ^= True
    assert not (hashes(words) == hashes(changed)).any()


def test_paths_and_newton_meet() -> None:
    run = FloatNetwork(NETWORKS["plain"])
    start = random_states(run, np.random.default_rng(6), 16)[:, None]
    words, near, pieces = trace_paths(run, start, 100)
    assert len(words)
    assert pieces >= 16
    orbits = converge(run, words, near, set())
    assert len(orbits.points) == len({word.tobytes() for word in words})
    assert np.allclose(run.step(orbits.points[:, 0]), orbits.points[:, 0])


def test_windows_are_stretches_of_orbits() -> None:
    run = FloatNetwork(NETWORKS["plain"])
    rng = np.random.default_rng(7)
    simulation = simulate(run, rng, 100, 8)
    for windows in (simulation.random_windows(rng, 5, 40), simulation.near_returns(5, 10)):
        assert len(windows)
        assert np.allclose(run.step(windows[:, 2]), windows[:, 3])


def test_listed_walks_are_the_necklaces_of_the_graph() -> None:
    run = FloatNetwork(NETWORKS["plain"])
    graph = observe(run, states(400))
    assert graph is not None
    walks = graph.necklaces(3)
    names = hashes(walks)
    assert len(set(names.tolist())) == len(walks)
    sampled = graph.random_walks(np.random.default_rng(8), 3, 50)
    assert set(hashes(sampled).tolist()) <= set(names.tolist())


def test_words_are_shortened_and_lengthened() -> None:
    word = np.array([[True], [False], [False]])
    assert shortened(word)[:, :, 0].tolist() == [[False, False], [True, False], [True, False]]
    assert lengthened(word)[:, :, 0].tolist() == [[True, True, False, False], [True, False, False, False], [True, False, False, False]]
