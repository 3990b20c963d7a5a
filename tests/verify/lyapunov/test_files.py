"""What the command line names: torch's files by their shapes, network files, import paths, inputs, starts; nothing is guessed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from proofs.errors import Malformed, OrbitproofError
from tests.verify.command import CONTRACTION, saved
from verify.errors import Unsupported
from verify.lyapunov.files import Given, given, imported, readout
from verify.lyapunov.inputs import read_inputs, read_start

KINDS = {"RNN": torch.nn.RNN, "GRU": torch.nn.GRU, "LSTM": torch.nn.LSTM}


def letter(call: Callable[[], object]) -> OrbitproofError:
    """Return the letter of a call that must be refused."""
    with pytest.raises(OrbitproofError) as caught:
        call()
    return caught.value


def module_file(folder: Path, module: torch.nn.Module, name: str = "net.pt", **more: torch.Tensor) -> str:
    """Write a module's state dict."""
    torch.save({**module.state_dict(), **more}, folder / name)
    return str(folder / name)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_state_dict(kind: str, bias: bool, layers: int, tmp_path: Path) -> None:
    module = KINDS[kind](3, 5, num_layers=layers, bias=bias)
    words = {"activation": "tanh"} if kind == "RNN" else {}
    found = given(module_file(tmp_path, module), settings=words)
    read = cast("torch.nn.RNN", found.source)
    assert type(read) is type(module)
    assert (read.num_layers, read.bias, read.hidden_size, read.input_size) == (layers, bias, 5, 3)
    assert all(torch.equal(read.state_dict()[name], value.double()) for name, value in module.state_dict().items())
    cell = "RNN (tanh)" if kind == "RNN" else kind
    assert found.kind == f"{cell}, {layers} layer{'s' if layers > 1 else ''} of 5, 3 inputs, {'biases' if bias else 'no bias'}"
    assert found.assumptions == (f"the {kind} was recognised by the shapes of its arrays",)


@pytest.mark.parametrize("cell", [torch.nn.RNNCell, torch.nn.GRUCell, torch.nn.LSTMCell])
def test_a_cell(cell: type[torch.nn.Module], tmp_path: Path) -> None:
    words = {"activation": "relu"} if cell is torch.nn.RNNCell else {}
    found = given(module_file(tmp_path, cell(2, 3)), settings=words)
    assert type(found.source) is cell


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pt"])
def test_prefix_and_format(suffix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    arrays = {f"model.lstm.{name}": value.numpy() for name, value in torch.nn.LSTM(3, 4).state_dict().items()}
    arrays |= {"fc.weight": np.eye(3, 4, dtype=np.float32), "fc.bias": np.ones(3, dtype=np.float32)}
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        np.savez(path, **arrays)
    elif suffix == ".pt":
        torch.save({"state_dict": {name: torch.tensor(array) for name, array in arrays.items()}, "epoch": 3}, path)
    else:
        save_file(arrays, path)
    found = given(str(path), model="lstm")
    assert isinstance(found.source, torch.nn.LSTM)
    assert found.assumptions == ("the arrays fc.bias, fc.weight are no part of the recurrent layers",)
    layer = readout(found, "fc")
    assert isinstance(layer, torch.nn.Linear)
    assert torch.equal(layer(torch.ones(4, dtype=torch.float64)), torch.full((3,), 2.0, dtype=torch.float64))
    assert letter(lambda: readout(found, "head")).expected == "one of fc"


def test_the_random_stream_is_left_alone(tmp_path: Path) -> None:
    path = module_file(tmp_path, torch.nn.GRU(2, 3))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    given(path)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_activation_is_not_guessed(tmp_path: Path) -> None:
    path = module_file(tmp_path, torch.nn.RNN(2, 3))
    found = letter(lambda: given(path))
    assert (found.where, found.expected, found.got) == ("net.pt, key activation", "tanh or relu", "no word about it")
    assert letter(lambda: given(path, settings={"activation": "sigmoid"})).got == "sigmoid"
    (tmp_path / "net.json").write_text('{"activation": "relu"}', encoding="utf-8")
    assert cast("torch.nn.RNN", given(path).source).nonlinearity == "relu"
    assert letter(lambda: given(path, settings={"activation": "tanh"})).got == "relu and tanh"


def test_several_modules(tmp_path: Path) -> None:
    encoder, decoder = torch.nn.GRU(2, 3), torch.nn.LSTM(3, 4)
    named = {f"{name}.{key}": value for name, part in (("a", encoder), ("b", decoder)) for key, value in part.state_dict().items()}
    torch.save(named, tmp_path / "net.pt")
    found = letter(lambda: given(str(tmp_path / "net.pt")))
    assert (found.law, found.expected, found.got) == ("one recurrent module", "one of a, b", "2 modules")
    assert isinstance(given(str(tmp_path / "net.pt"), settings={"module": "b"}).source, torch.nn.LSTM)
    assert letter(lambda: given(str(tmp_path / "net.pt"), settings={"module": "c"})).got == "c"


def test_refused_modules(tmp_path: Path) -> None:
    two = letter(lambda: given(module_file(tmp_path, torch.nn.LSTM(2, 3, bidirectional=True))))
    assert (type(two), two.got) == (Unsupported, "two directions (bias_hh_l0_reverse)")
    assert letter(lambda: given(module_file(tmp_path, torch.nn.LSTM(2, 4, proj_size=2)))).got.startswith("a projection (weight_hr_l0)")
    shapes = torch.nn.GRU(2, 3)
    wrong = letter(lambda: given(module_file(tmp_path, shapes), model="lstm"))
    assert (wrong.expected, wrong.got) == ("--model gru", "9 rows for 3 columns: GRU")
    odd = letter(lambda: given(module_file(tmp_path, shapes, weight_hh_l0=torch.ones(7, 3))))
    assert (odd.law, odd.got) == ("array shapes", "7 x 3")
    assert odd.remedy == "the step must map the state to a state of the same size"
    missing = letter(lambda: given(module_file(tmp_path, shapes, bias_ih_l0=torch.ones(4))))
    assert (missing.where, missing.expected, missing.got) == ("net.pt, array bias_ih_l0", "9", "4")
    gap = letter(lambda: given(module_file(tmp_path, shapes, weight_hh_l2=torch.ones(9, 3))))
    assert (gap.where, gap.got) == ("net.pt, array weight_ih_l1", "it is missing")
    assert letter(lambda: given(module_file(tmp_path, shapes), settings={"P": "2"})).law == "known settings"
    nan = letter(lambda: given(module_file(tmp_path, shapes, bias_ih_l0=torch.full((9,), torch.nan))))
    assert nan.law == "entries are finite"


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    torch.save(torch.nn.LSTM(2, 3), tmp_path / "whole.pt")
    assert isinstance(letter(lambda: given(str(tmp_path / "whole.pt"))), Malformed)


def test_a_network_file(tmp_path: Path) -> None:
    found = given(str(saved(tmp_path, CONTRACTION)))
    assert found.loaded is not None
    assert (found.source, found.kind, found.name) == (found.loaded, "plrnn", "net")
    assert letter(lambda: given(str(tmp_path / "absent.json"))).got == "No such file or directory"


CODE = """
import torch
net = torch.nn.GRU(2, 3)
class Deep:
    step = staticmethod(lambda z: 0.5 * z)
number = 3
"""


def test_import_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_networks.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "own_broken.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = given("own_networks:net")
    assert (type(found.source), found.kind) == (torch.nn.GRU, "GRU of own_networks")
    assert found.assumptions == ("code of the user's own was run",)
    assert given("own_networks:Deep.step").kind == "function of own_networks"
    assert letter(lambda: given("own_networks:Deep")).got == "the class Deep"
    assert letter(lambda: given("own_networks:number")).got == "a int"
    assert letter(lambda: given("own_networks:absent")).got == "no absent there"
    assert letter(lambda: given("own_absent:net")).got == "No module named 'own_absent'"
    assert letter(lambda: given("own_broken:net")).got == "ZeroDivisionError: division by zero"
    assert letter(lambda: given("own_networks:net", model="gru")).got == "--model"
    assert letter(lambda: imported("no path")).law == "import path"


def write(path: Path, array: np.ndarray) -> Path:
    """Write an array in the format of the suffix."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, input=array)
    elif path.suffix == ".pt":
        torch.save(torch.tensor(array), path)
    elif path.suffix == ".safetensors":
        save_file({"drive": array}, path)
    else:
        np.savetxt(path, array, delimiter=",", fmt="%.17g")
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt", ".safetensors", ".csv"])
def test_inputs(suffix: str, tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(6, 2) if suffix == ".csv" else (6, 3, 2))
    path = write(tmp_path / f"drive{suffix}", array)
    assert np.array_equal(read_inputs(path, 2), array)
    wrong = letter(lambda: read_inputs(path, 5))
    assert (wrong.expected, wrong.got) == ("5 numbers a step, the network's input size", f"2 (shape {array.shape})")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt", ".safetensors", ".csv"])
def test_inputs_that_are_not_finite(suffix: str, tmp_path: Path) -> None:
    array = np.zeros((4, 2))
    array[1, 1] = np.nan
    found = letter(lambda: read_inputs(write(tmp_path / f"drive{suffix}", array), 2))
    assert (found.law, found.expected, found.remedy) == ("entries are finite", "finite numbers", "")
    assert "1 of 8 entries are not finite" in found.got


def test_inputs_of_one_axis(tmp_path: Path) -> None:
    path = write(tmp_path / "drive.npy", np.arange(5))
    assert read_inputs(path, 1).shape == (5, 1)
    assert letter(lambda: read_inputs(path, 2)).got == "shape (5,)"


def test_inputs_that_are_refused(tmp_path: Path) -> None:
    for shape in ((0, 2), (3, 0), (3, 0, 2)):
        found = letter(lambda shape=shape: read_inputs(write(tmp_path / "drive.npy", np.zeros(shape)), 2))  # type: ignore[misc]
        assert (found.expected, found.got) == ("at least one step, one sequence, one input", f"shape {shape}")
    (tmp_path / "empty.csv").write_bytes(b"")
    assert letter(lambda: read_inputs(tmp_path / "empty.csv")).got == "an empty file"
    (tmp_path / "head.csv").write_text("a,b\n", encoding="utf-8")
    assert letter(lambda: read_inputs(tmp_path / "head.csv")).got == "shape (0, 1)"
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3\n", encoding="utf-8")
    assert letter(lambda: read_inputs(tmp_path / "rows.csv")).where == "rows.csv, row 2 of 2"
    (tmp_path / "words.csv").write_text("1,2\n3,x\n", encoding="utf-8")
    assert letter(lambda: read_inputs(tmp_path / "words.csv")).got == "x"
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    assert letter(lambda: read_inputs(tmp_path / "objects.npy")).law == "the file follows its format"
    np.save(tmp_path / "complex.npy", np.ones((2, 2), dtype=complex))
    assert letter(lambda: read_inputs(tmp_path / "complex.npy")).got == "dtype complex128"
    np.savez(tmp_path / "two.npz", a=np.ones(2), b=np.ones(2))
    assert letter(lambda: read_inputs(tmp_path / "two.npz")).got == "a, b"
    (tmp_path / "drive.txt").write_text("1", encoding="utf-8")
    assert letter(lambda: read_inputs(tmp_path / "drive.txt")).got == ".txt"
    assert letter(lambda: read_inputs(tmp_path / "absent.npy")).got == os.strerror(2)


def test_starts(tmp_path: Path) -> None:
    assert read_start("0.1,0.2,-0.3").tolist() == [0.1, 0.2, -0.3]
    assert read_start("-1").tolist() == [-1.0]
    assert read_start(str(write(tmp_path / "start.npy", np.ones((2, 3))))).shape == (2, 3)
    assert read_start(str(write(tmp_path / "start.npy", np.ones((1, 3))))).shape == (3,)
    assert letter(lambda: read_start("1,nan")).law == "entries are finite"
    assert letter(lambda: read_start("one")).got == "one"


def test_what_is_given_is_plain() -> None:
    assert Given(None, "name", "kind").assumptions == ()
