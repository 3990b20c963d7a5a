"""Contraction on a box under every input of a range: proved bounds against simulated exponents, and what must not be proved."""

from __future__ import annotations

from fractions import Fraction
from math import inf, log, nan

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from proofs.claims import Contraction
from proofs.errors import Malformed
from proofs.exponents import BoxContraction
from proofs.kernel import check
from tests.verify.order_networks import affine, gaussian, recurrent
from verify.certification.box_contraction import BoxReport, prove_box_contraction
from verify.certification.draft import Draft
from verify.certification.driven import alphabet, certify_driven
from verify.certification.order import prove_contraction, prove_order
from verify.certification.symbols import input_range
from verify.lyapunov.spectra import spectrum
from verify.models.gated import Layer, step_program

ONE = Fraction(1)


def cell(kind: str, size: int, gain: float = 1.0, *, layers: int = 1, seed: int = 0) -> torch.nn.Module:
    """Return a recurrent module with 2 inputs as torch initialises it, all weights and biases times ``gain``."""
    torch.manual_seed(seed)
    module: torch.nn.Module = getattr(torch.nn, kind)(2, size, num_layers=layers).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(gain)
    return module


def proved(module: torch.nn.Module, reach: float, seconds: float = 20.0) -> float:
    """Return the proved bound for inputs in [-reach, reach]; the kernel reads the certificate again."""
    draft = Draft(step_program(module))
    found = prove_box_contraction(draft, input_range(module, [-reach] * 2, [reach] * 2), seconds)
    assert found.claim is not None, found.reasons
    assert check(draft.finish([found.claim])[0]).claims == (found.claim,)
    return log(found.claim.rate)


def simulated(module: torch.nn.Module, reach: float) -> float:
    """Return the largest exponent seen under uniform inputs and under random corners of their range."""
    random = np.random.default_rng(0)
    inputs = random.uniform(-reach, reach, (400, 4, 2))
    corners = np.where(inputs > 0, reach, -reach)
    return max(spectrum(module, torch.tensor(drive), k=1).exponents[0].value for drive in (inputs, corners))


SMALL = [("RNN", 2, 1.0), ("LSTM", 2, 1.0), ("GRU", 4, 0.75), ("RNN", 8, 1.0)]
LARGE = [("RNN", 16, 1.0), ("LSTM", 4, 0.5), ("LSTM", 8, 0.5), ("LSTM", 16, 0.5), ("GRU", 8, 0.5), ("GRU", 16, 0.5)]


@pytest.mark.parametrize(("kind", "size", "gain"), [*SMALL, *(pytest.param(*case, marks=pytest.mark.slow) for case in LARGE)])
def test_cells_forget_their_start_under_every_input_in_the_range(kind: str, size: int, gain: float) -> None:
    module = cell(kind, size, gain)
    assert simulated(module, 1.0) < proved(module, 1.0) < 0.0


def test_two_layers() -> None:
    module = cell("LSTM", 2, 0.5, layers=2)
    assert simulated(module, 1.0) < proved(module, 1.0, 5.0) < 0.0


@pytest.mark.slow
def test_an_lstm_of_32_units() -> None:
    module = cell("LSTM", 32, 0.25)
    assert simulated(module, 1.0) < proved(module, 1.0, 30.0) < 0.0


@pytest.mark.parametrize("gain", [0.3, 0.5])
def test_a_box_is_not_worse_than_all_of_space(gain: float) -> None:
    """Driven Gaussian tanh networks: beside C1, which lets each slope be between 0 and 1; rates are searched to 2 per cent."""
    W = gaussian(20, gain, 0)
    layer = Layer("rnn_tanh", np.eye(20), W)
    draft = Draft(step_program([layer]))
    found = prove_box_contraction(draft, input_range([layer], [-1.0] * 20, [1.0] * 20), 10.0)
    everywhere, _ = prove_contraction(draft, 20.0)
    assert found.claim is not None
    assert isinstance(everywhere, Contraction)
    at_zero = float(np.abs(np.linalg.eigvals(W)).max())  # without inputs 0 is a fixed point, in the box
    assert at_zero < found.claim.rate < 1.02 * float(everywhere.rate)


def reported(network_of: ArrayLike, activation: str = "tanh") -> BoxReport:
    return prove_box_contraction(Draft(recurrent(network_of, activation)), seconds=5.0, below=ONE)


def test_chaotic_and_multistable_networks_are_not_proved() -> None:
    two_states = prove_order(Draft(step_program([Layer("rnn_tanh", np.eye(1), np.array([[2.0]]))])), 5.0)
    assert two_states.claims == []
    assert two_states.reasons[-1].startswith("contraction on a box (D9): best rate found ")
    chaotic = prove_box_contraction(Draft(step_program([Layer("rnn_tanh", np.eye(20), gaussian(20, 3.0, 1))])), seconds=5.0, below=ONE)
    assert chaotic.claim is None
    assert "some slopes that the box allows give the Jacobian the spectral radius" in chaotic.reasons[0]


def test_a_fixed_point_of_a_box_where_nothing_contracts_everywhere() -> None:
    """Far from 0 the slopes of tanh are small: h' = tanh(3 h + 4) with h in the range of tanh."""
    draft = Draft(step_program([Layer("rnn_tanh", np.eye(1), np.array([[3.0]]), np.array([4.0]))]))
    report = prove_order(draft, 5.0)
    (claim,) = report.claims
    assert isinstance(claim, BoxContraction)
    assert not report.is_ordered
    assert not claim.is_driven
    assert claim.rate < 1
    assert claim.low[0] > 0
    check(draft.finish(report.claims)[0])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_weights_of_zero(activation: str) -> None:
    found = reported(np.zeros((3, 3)), activation)
    assert found.claim is not None
    assert found.claim.rate < Fraction(1, 1000)


def test_relu_networks_and_duplicated_rows() -> None:
    row = [0.25, -0.25, 0.25]
    assert (found := reported([row, row, row], "relu").claim) is not None
    assert found.rate < Fraction(76, 100)
    assert (found := reported([row, row, row]).claim) is not None
    assert found.rate < Fraction(76, 100)
    assert reported([[2.0]], "relu").reasons == ("contraction on a box (D9): no box was found whose enclosed image lies inside it",)


def test_huge_weights() -> None:
    found = reported(1e300 * np.eye(2))
    assert found.claim is None
    assert found.reasons
    assert reported(1e5 * np.array([[1.0, 2.0], [-2.0, 1.0]])).claim is None


def test_a_box_that_is_stated() -> None:
    draft = Draft(recurrent([[0.5]], "tanh"))
    wide = prove_box_contraction(draft, box=((-ONE, ONE),))
    assert wide.claim is not None
    assert (wide.claim.low, wide.claim.high) == ((-ONE,), (ONE,))
    away = prove_box_contraction(draft, box=((-ONE, -ONE / 2),))
    assert away.reasons == ("contraction on a box (D9): F does not map the stated box into itself, as far as it can be enclosed",)


def test_an_alphabet_is_proved_by_the_range_that_holds_it() -> None:
    module = cell("LSTM", 2, 0.5)
    networks = alphabet(module, np.eye(2).tolist())
    found = certify_driven(networks, budget=1.0)
    claim = next(claim for claim in found.claims if isinstance(claim, BoxContraction))
    assert len(claim.symbols) == 1
    entry = next(entry for entry in found.entries if entry.theorem == "box_contraction")
    assert entry.scope == "every orbit staying in a region, every sequence of the stated inputs"
    assert entry.upper is not None
    assert entry.upper < 0


@pytest.mark.slow
def test_a_wider_range_has_no_smaller_bound() -> None:
    module = cell("LSTM", 2, 0.5)
    networks = alphabet(module, np.eye(2).tolist())
    entry = next(entry for entry in certify_driven(networks, budget=1.0).entries if entry.theorem == "box_contraction")
    wider = certify_driven(networks[:1], budget=1.0, within=input_range(module, [-1.0] * 2, [1.0] * 2))
    bound = next(entry.upper for entry in wider.entries if entry.theorem == "box_contraction")
    assert bound is not None
    assert entry.upper is not None
    assert entry.upper <= bound < 0


@pytest.mark.parametrize(
    ("low", "high", "expected", "got"),
    [
        ([1.0, 0.0], [0.0, 0.0], "finite ends in order for input 1", "1.0 and 0.0"),
        ([0.0, nan], [0.0, 0.0], "finite ends in order for input 2", "nan and 0.0"),
        ([0.0, 0.0], [0.0, inf], "finite ends in order for input 2", "0.0 and inf"),
        ([0.0], [0.0, 1.0], "2 lower and 2 upper ends, one an input", "1 and 2"),
    ],
)
def test_ranges_that_are_none(low: list[float], high: list[float], expected: str, got: str) -> None:
    with pytest.raises(Malformed) as failure:
        input_range(cell("RNN", 2), low, high)
    assert (failure.value.expected, failure.value.got) == (expected, got)


def test_a_range_about_another_network() -> None:
    with pytest.raises(Malformed, match="alike but for the biases"):
        prove_box_contraction(Draft(recurrent([[0.5]], "tanh")), recurrent([[0.25]], "tanh"))


def test_the_range_of_a_bias_is_exact() -> None:
    layer = Layer("rnn_tanh", np.array([[1.0, -2.0]]), np.array([[0.5]]), np.array([0.25]))
    bias = input_range([layer], [0.0, 1.0], [1.0, 1.0]).program[0].bias
    assert bias is not None
    assert (bias.interval(0).lo, bias.interval(0).hi) == (Fraction(-7, 4), Fraction(-3, 4))
    assert affine((0,), [0.0], [[0.5]]).matrices == step_program([layer]).program[0].matrices
