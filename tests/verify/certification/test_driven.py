"""Conditional exponents under a finite alphabet: forced RNNs and small gated cells, against simulated inputs, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from proofs.errors import Malformed
from proofs.exponents import BoxContraction, DrivenContraction, DrivenExponents
from proofs.grammar import write_number
from proofs.kernel import check
from proofs.network import Network
from verify.certification.driven import ProvedDriven, alphabet, certify_driven
from verify.certification.symbols import symbols_of
from verify.loading import load_network
from verify.models.gated import Cell, Layer
from verify.numerics.batch import FloatNetwork

TURNING = Layer("rnn_tanh", np.array([[0.3], [0.2]]), np.array([[0.6, 0.25], [-0.25, 0.7]]))
LSTM = Layer(
    "lstm",
    np.array([[0.13], [-0.13], [0.64], [0.1]]),
    np.array([[-0.43], [0.29], [1.04], [0.76]]),
    np.array([-0.21, -0.38, -0.19, 0.01]),
)


def floats(found: ProvedDriven, theorem: str) -> tuple[float, float]:
    entry = next(entry for entry in found.entries if entry.theorem == theorem)
    return -np.inf if entry.lower is None else float(entry.lower), np.inf if entry.upper is None else float(entry.upper)


def simulated(networks: Sequence[Network], word: Sequence[int], turns: int = 60) -> float:
    """Return the largest conditional exponent along a periodic input, from a start at 0."""
    maps, state = [FloatNetwork(network) for network in networks], np.zeros((1, networks[0].dimension))
    vector, total, count = np.ones(networks[0].dimension), 0.0, 0
    for turn in range(turns):
        for symbol in word:
            vector = np.asarray(maps[symbol].jacobian(state)[0] @ vector)
            state = maps[symbol].step(state)
            length = float(np.linalg.norm(vector))
            vector = vector / length
            if turn >= turns // 2:
                total, count = total + np.log(length), count + 1
    return total / count


def require(found: ProvedDriven, networks: Sequence[Network], longest: int = 3) -> None:
    """Check the certificate again, and that no short periodic input lies outside the bounds."""
    assert found.certificate is not None
    assert check(found.certificate).claims == found.claims
    for entry in found.entries:
        for length in range(1, longest + 1):
            for word in product(range(len(networks)), repeat=length):
                value = simulated(networks, word)
                assert entry.lower is None or float(entry.lower) < value + 1e-6
                assert entry.upper is None or value < float(entry.upper) + 1e-6


def test_a_forced_network_is_bounded_from_both_sides() -> None:
    networks = alphabet([TURNING], [[-0.25], [0.25]])
    found = certify_driven(networks, budget=1.5)
    require(found, networks)
    all_inputs, some = floats(found, "driven_contraction"), floats(found, "driven_graph")
    assert all_inputs[1] < 0.0
    assert some[1] < all_inputs[1]
    assert some[0] > -2.0
    assert floats(found, "box_contraction")[1] <= all_inputs[1]
    assert [entry.scope for entry in found.entries] == [
        "every orbit, every input",
        "every orbit staying in a region, every sequence of the stated inputs",
        "every orbit staying in a region, every sequence of the stated inputs",
    ]
    assert [type(claim) for claim in found.claims] == [DrivenContraction, BoxContraction, DrivenExponents]
    assert found.theorems == ("driven_contraction", "box_contraction", "driven_graph")


def test_an_lstm_forgets_its_start_under_every_input_sequence() -> None:
    networks = alphabet([LSTM], [[-1.0], [1.0]])
    found = certify_driven(networks, budget=3.0)
    require(found, networks, longest=2)
    assert floats(found, "driven_graph")[1] < -0.1
    gated = "contraction for all inputs: for programs without products of registers (the cell is gated)"
    assert found.undecided[0] == gated


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "rows", "states"), [("lstm", 8, 2), ("gru", 3, 1), ("rnn_tanh", 2, 2)])
def test_bounds_hold_for_random_cells(cell: Cell, rows: int, states: int) -> None:
    random = np.random.default_rng(11)
    arrays = [np.round(0.6 * random.normal(size=shape), 2) for shape in ((rows, 1), (rows, states), (rows,))]
    networks = alphabet([Layer(cell, *arrays)], [[-1.0], [0.0], [1.0]])
    require(certify_driven(networks, budget=20.0), networks, longest=2)


def test_a_graph_of_inputs_proves_more_than_all_sequences() -> None:
    """Under input 0 the slope at rest is 3/2, under 2 it is small: turn about, every orbit contracts."""
    networks = alphabet([Layer("rnn_tanh", np.array([[1.0]]), np.array([[1.5]]))], [[0.0], [2.0]])
    turns = certify_driven(networks, [(0, 0, 1), (1, 1, 0)], 2, budget=20.0, tolerance=1e-2)
    free = certify_driven(networks, budget=20.0, tolerance=1e-2)
    assert turns.certificate is not None
    assert floats(turns, "driven_graph")[1] < 0.0 < floats(free, "driven_graph")[1] == pytest.approx(np.log(1.5), abs=1e-3)
    assert floats(turns, "driven_graph")[1] > simulated(networks, (0, 1)) - 1e-6


def test_a_box_that_is_asked_for_is_the_scope() -> None:
    networks = alphabet([TURNING], [[-1.0], [1.0]])
    one = Fraction(1)
    found = certify_driven(networks, budget=1.0, box=((-one, one), (-one, one)))
    claim = found.claims[-1]
    assert isinstance(claim, DrivenExponents)
    assert claim.low == (-one, -one)
    half = Fraction(1, 64)
    small = certify_driven(networks, budget=1.0, box=((-half, half), (-half, half)))
    assert "driven graph: no box was seen that every symbol maps into itself" in small.undecided


def test_symbols_are_the_biases_that_differ() -> None:
    one, two = symbols_of(alphabet([TURNING], [[-1.0], [1.0]]))
    assert one == {"0": [write_number(Fraction(-0.3)), write_number(Fraction(-0.2))]}
    assert two == {"0": [write_number(Fraction(0.3)), write_number(Fraction(0.2))]}


def test_what_does_not_fit_is_refused() -> None:
    networks = alphabet([TURNING], [[-1.0], [1.0]])
    other = load_network({"model": "rnn", "W": [["1", "0"], ["0", "1"]], "b": ["0", "0"], "activation": "tanh"})
    with pytest.raises(Malformed, match="programs that are alike but for the biases of affine operations"):
        certify_driven([networks[0], other])
    with pytest.raises(Malformed, match="from 1 to 4096 networks, one a symbol"):
        certify_driven([])
    with pytest.raises(Malformed, match="one or more edges"):
        certify_driven(networks, [(0, 2, 0)])
    with pytest.raises(Malformed, match="one or more edges"):
        certify_driven(networks, [])
    with pytest.raises(Malformed, match="one or more inputs"):
        alphabet([TURNING], [])
    with pytest.raises(Malformed, match="1 finite numbers, one an input"):
        alphabet([TURNING], [[float("nan")]])
    with pytest.raises(Malformed, match="lower ends below the upper ones"):
        certify_driven(networks, box=((Fraction(1), Fraction(1)),) * 2)
