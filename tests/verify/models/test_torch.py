"""Torch modules and their state dicts as networks; why others are not covered."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from tests.verify.models.formulas import evaluate
from verify.errors import Unsupported
from verify.loading import load, load_network


@pytest.mark.parametrize("cell", ["RNN", "RNNCell"])
def test_a_torch_rnn_is_its_own_map(cell: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    module = getattr(torch.nn, cell)(2, 3, nonlinearity="relu", dtype=torch.float64)
    loaded = load(module, input=[0.5, -1])
    assert (loaded.name, loaded.model, loaded.meta) == (cell, "rnn", {"activation": "relu"})
    state = torch.tensor([[0.25, -0.5, 1.0]], dtype=torch.float64)
    drive = torch.tensor([[0.5, -1]], dtype=torch.float64)
    torch_image = (module(drive, state) if cell == "RNNCell" else module(drive, state)[1]).detach().numpy().ravel()
    exact = evaluate("rnn", dict(loaded.arrays), {}, [Fraction(x) for x in state.tolist()[0]])
    image = loaded.network.image(Matrix.column([Fraction(x) for x in state.tolist()[0]]))
    assert [image.middle(i) for i in range(3)] == exact
    assert np.allclose([float(x) for x in exact], torch_image, rtol=0, atol=1e-12)


def test_a_torch_state_dict_needs_its_activation(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.RNN(1, 2)
    torch.save(module.state_dict(), tmp_path / "cell.pt")
    with pytest.raises(Malformed, match='expected  activation, "relu" or "tanh"\n  got       none'):
        load(tmp_path / "cell.pt", input=0)
    assert load_network(tmp_path / "cell.pt", input="0", activation="tanh").digest == load_network(module, input=[0]).digest
    with pytest.raises(Unsupported, match="RNN, array C, an input-driven model needs its input"):
        load(module)


def test_other_torch_networks_say_why_not() -> None:
    torch = pytest.importorskip("torch")
    gated = {"LSTM": (1, 2), "GRU": (1, 2), "LSTMCell": (1, 2), "GRUCell": (1, 2)}
    for name, sizes in gated.items():
        with pytest.raises(Unsupported) as error:
            load(getattr(torch.nn, name)(*sizes))
        assert str(error.value) == (
            f"Unsupported at {name}, one layer, one direction, no gates\n  expected  torch.nn.RNN or RNNCell\n"
            f"  got       a gated network, {name}"
        )
    for options, got in (({"num_layers": 2}, "2 layers, one direction"), ({"bidirectional": True}, "1 layers, two directions")):
        with pytest.raises(Unsupported) as error:
            load(torch.nn.RNN(1, 2, **options))
        assert (error.value.expected, error.value.got) == ("num_layers=1, bidirectional=False", got)


def test_a_module_with_the_names_of_a_family() -> None:
    torch = pytest.importorskip("torch")

    class Shallow(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            for name, shape in (("A", (2,)), ("W1", (2, 3)), ("W2", (3, 2)), ("h1", (2,)), ("h2", (3,))):
                self.register_parameter(name, torch.nn.Parameter(torch.ones(shape)))

    loaded = load(Shallow(), "shallow_plrnn")
    assert (loaded.name, loaded.network.dimension, loaded.network.hinges) == ("Shallow", 2, 3)
