"""Exact programs of recurrent layers against torch."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import Network
from verify.errors import Unsupported
from verify.models.gated import Cell, Layer, driven_program, layers_of, step_program

SIZE, INPUTS = 3, 2


def made(kind: str, **settings: object) -> nn.Module:
    """Return a module in double precision with weights from a fixed seed."""
    torch.manual_seed(1)
    module: nn.Module = getattr(nn, kind)(INPUTS, SIZE, **settings).double()
    return module


def step_of(module: nn.Module, state: Tensor, inputs: Tensor) -> Tensor:
    """Return torch's own step on a flat state, layer by layer (h, c for an LSTM)."""
    lstm = isinstance(module, nn.LSTM | nn.LSTMCell)
    if isinstance(module, nn.RNNCellBase):
        found = module(inputs[None], tuple(state.view(2, 1, SIZE)) if lstm else state[None])
        return torch.cat([part[0] for part in found]) if lstm else found[0]
    if lstm:
        parts = state.view(-1, 2, 1, SIZE)
        h, c = module(inputs[None, None], (parts[:, 0].contiguous(), parts[:, 1].contiguous()))[1]
        return torch.stack([h[:, 0], c[:, 0]], dim=1).flatten()
    out: Tensor = module(inputs[None, None], state.view(-1, 1, SIZE))[1]
    return out.flatten()


def image(network: Network, state: Tensor) -> list[float]:
    """Return F by the kernel's own arithmetic."""
    found = network.image(Matrix.column([Fraction(x) for x in state.tolist()]), 100)
    return [float(found.middle(i)) for i in range(network.dimension)]


CASES = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    ("RNN", {"bias": False}),
    ("LSTM", {}),
    ("LSTM", {"num_layers": 2}),
    ("LSTM", {"bias": False}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2}),
    ("GRU", {"num_layers": 3, "bias": False}),
    ("RNNCell", {"nonlinearity": "relu"}),
    ("LSTMCell", {}),
    ("GRUCell", {}),
]


@pytest.mark.parametrize(("kind", "settings"), CASES)
def test_one_step_is_that_of_torch(kind: str, settings: dict[str, object]) -> None:
    module = made(kind, **settings)
    random = torch.Generator().manual_seed(3)
    inputs = torch.randn(INPUTS, generator=random, dtype=torch.float64)
    network = step_program(module, inputs.tolist())
    assert network.is_exact
    for _ in range(3):
        state = torch.randn(network.dimension, generator=random, dtype=torch.float64)
        expected = step_of(module, state, inputs).tolist()
        assert image(network, state) == pytest.approx(expected, rel=0, abs=1e-14)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_round_of_inputs_is_that_of_torch(kind: str) -> None:
    module = made(kind, num_layers=2)
    random = torch.Generator().manual_seed(4)
    inputs = torch.randn(3, INPUTS, generator=random, dtype=torch.float64)
    network = driven_program(module, inputs.tolist())
    state = expected = torch.randn(network.dimension, generator=random, dtype=torch.float64)
    for entry in inputs:
        expected = step_of(module, expected, entry)
    assert image(network, state) == pytest.approx(expected.tolist(), rel=0, abs=1e-14)


def test_the_order_of_inputs_matters() -> None:
    module, inputs = made("GRU"), [[1.0, 0.0], [0.0, 1.0]]
    state = torch.zeros(SIZE, dtype=torch.float64)
    assert image(driven_program(module, inputs), state) != image(driven_program(module, inputs[::-1]), state)


def test_without_an_input_it_is_zero() -> None:
    module = made("LSTM")
    assert step_program(module).digest == step_program(module, [0.0, 0.0]).digest


def test_half_precision_weights_are_the_dyadics_they_are() -> None:
    module = nn.RNN(1, 1).half()
    with torch.no_grad():
        next(weights for name, weights in module.named_parameters() if name == "weight_hh_l0").fill_(0.1)
    entry = step_program(module).program[0].matrices[0].middle(0, 0)
    assert entry == Fraction(float(torch.tensor(0.1, dtype=torch.float16)))


def test_the_bias_is_folded_without_rounding() -> None:
    layer = Layer("rnn_tanh", np.array([[0.1, 0.2]]), np.array([[0.5]]), np.array([0.3]), np.array([1e-30]))
    bias = step_program([layer], [Fraction(1, 3), 0.7]).program[0].bias
    assert bias is not None
    assert bias.middle(0) == Fraction(0.1) / 3 + Fraction(0.2) * Fraction(0.7) + Fraction(0.3) + Fraction(1e-30)


def test_states_of_an_lstm_are_h_and_c_of_each_layer() -> None:
    assert step_program(made("LSTM", num_layers=2)).dimension == 4 * SIZE
    assert [layer.cell for layer in layers_of(made("LSTM", num_layers=2))] == ["lstm", "lstm"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.LSTM(2, 3, bidirectional=True), "bidirectional"),
        (nn.LSTM(2, 3, proj_size=2), "proj_size"),
        (nn.GRU(2, 3, num_layers=2, dropout=0.5), "dropout"),
    ],
)
def test_what_has_no_step_is_refused_by_name(module: nn.Module, name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        step_program(module)


def test_dropout_that_is_switched_off_is_allowed() -> None:
    assert step_program(nn.GRU(2, 3, num_layers=2, dropout=0.5).eval()).dimension == 6


class _Odd(nn.GRU):
    """A module whose step may be anything."""


@pytest.mark.parametrize("source", [nn.Linear(2, 2), _Odd(1, 1), "GRU", [], [nn.GRU(1, 1)], 3])
def test_other_objects_are_refused(source: object) -> None:
    with pytest.raises(Malformed, match="recurrent layers"):
        step_program(source)


@pytest.mark.parametrize("inputs", [[1.0], [1.0, 2.0, 3.0], [1.0, float("nan")], [1.0, float("inf")], [1.0, "x"]])
def test_inputs_that_do_not_fit_are_refused(inputs: list[float]) -> None:
    with pytest.raises(Malformed, match="input"):
        step_program(made("GRU"), inputs)


def test_arrays_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(Malformed, match="W_ih"):
        Layer("lstm", np.zeros((4, 1)), np.zeros((8, 2)))
    with pytest.raises(Malformed, match="NaN"):
        Layer("rnn_tanh", np.array([[np.nan]]), np.array([[1.0]]))
    lower = Layer("rnn_tanh", np.zeros((2, 1)), np.zeros((2, 2)))
    with pytest.raises(Malformed, match="layer 2"):
        step_program([lower, Layer("rnn_tanh", np.zeros((1, 1)), np.zeros((1, 1)))])


LONGEST: list[tuple[Cell, int, int]] = [
    ("rnn_tanh", 1, 128),
    ("rnn_relu", 2, 63),
    ("lstm", 1, 36),
    ("lstm", 2, 18),
    ("gru", 1, 36),
    ("gru", 3, 12),
]


def small(cell: Cell, count: int) -> list[Layer]:
    """Return layers of one unit with weights that differ."""
    gates = {"lstm": 4, "gru": 3}.get(cell, 1)
    arrays = np.linspace(-1, 1, 4 * gates * count).reshape(count, 4, gates, 1)
    return [Layer(cell, W_ih, W_hh, b_ih[:, 0], b_hh[:, 0]) for W_ih, W_hh, b_ih, b_hh in arrays]


@pytest.mark.parametrize(("cell", "count", "longest"), LONGEST)
def test_the_longest_round_is_that_of_its_steps(cell: Cell, count: int, longest: int) -> None:
    layers, inputs = small(cell, count), [[Fraction(step % 5, 3)] for step in range(longest + 1)]
    network = driven_program(layers, inputs[:-1])
    state = expected = Matrix.column([Fraction(i, 7) for i in range(network.dimension)])
    for entry in inputs[:-1]:
        expected = step_program(layers, entry).image(expected, 100)
    for found, wanted in zip(network.image(state, 100).entries(), expected.entries(), strict=True):
        assert abs((found.lo + found.hi) - (wanted.lo + wanted.hi)) < Fraction(1, 2**80)
    with pytest.raises(Malformed, match=f"1 to {longest} steps"):
        driven_program(layers, inputs)


def test_a_round_has_a_step() -> None:
    with pytest.raises(Malformed, match="1 to 36 steps"):
        driven_program(small("gru", 1), [])


@pytest.mark.parametrize("cell", ["rnn_tanh", "lstm", "gru"])
def test_the_derivative_of_a_round_is_the_product_of_those_of_its_steps(cell: Cell) -> None:
    layers, inputs = small(cell, 2), [[0.5], [-1.0], [0.25]]
    network = driven_program(layers, inputs)
    state, product = Matrix.column([Fraction(1, 3)] * network.dimension), Matrix.identity(network.dimension)
    found = network.jacobian(state, 100)
    for entry in inputs:
        step = step_program(layers, entry)
        product, state = step.jacobian(state, 100) @ product, step.image(state, 100)
    for i in range(network.dimension):
        for j in range(network.dimension):
            assert float(found.middle(i, j)) == pytest.approx(float(product.middle(i, j)), rel=0, abs=1e-20)


def test_a_module_that_does_something_else_has_no_program_here() -> None:
    hooked, replaced = nn.RNNCell(1, 2), nn.RNNCell(1, 2)
    hooked.register_forward_hook(lambda *_: None)
    vars(replaced)["forward"] = torch.add
    for module in (hooked, replaced):
        with pytest.raises(Unsupported, match="another forward"):
            step_program(module)
