"""What the command line calls NETWORK|MODULE: a network file, a torch state dict of recurrent layers, or the user's own import path."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from verify.formats.stored import Stored
    from verify.loading import Loaded

_GATES = {1: "RNN", 3: "GRU", 4: "LSTM"}
_RECURRENT = re.compile(r"(?P<prefix>(?:.*\.)?)weight_hh(?P<layer>_l[0-9]+)?")
_IMPORT = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_ACTIVATIONS = ("tanh", "relu")
_SETTINGS = ("activation", "module")


@dataclass(frozen=True, eq=False)
class Given:
    """What the user named: ``source`` is for ``spectrum``, a torch module, a loaded network, or a step function.

    ``loaded`` is there where it is an exact program; ``arrays`` are those of a state dict that belong to no recurrent layer.
    """

    source: object
    name: str
    kind: str
    assumptions: tuple[str, ...] = ()
    loaded: Loaded | None = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def given(text: str, model: str | None = None, settings: Mapping[str, str] | None = None) -> Given:
    """Return what NETWORK|MODULE stands for.

    ``package.module:name`` is imported, which runs the user's code; everything else is a file, of which nothing is ever run. A file
    whose arrays bear torch's names (``weight_ih_l0``, ``weight_hh_l0``, with a prefix such as ``lstm.`` or without) is an RNN, GRU or
    LSTM, which follows from their shapes; ``--set module=lstm`` chooses among several, ``--set activation=tanh`` says what a plain
    RNN's file does not.
    Any other file is a network of ``verify.load``.

    **Guarantee:** exact: the numbers of the file. **Raises** Malformed; Unsupported: two directions, projections.
    """
    from verify.formats import read

    words = dict(settings or {})
    if _IMPORT.fullmatch(text) and not Path(text).exists():
        _refuse_words(text, model, words)
        return _imported(text)
    stored = read(text)
    if any(_RECURRENT.fullmatch(name) for name in stored.arrays) and (model is None or model.lower() in {"rnn", "gru", "lstm"}):
        return module_of(stored, Path(text).name, model, words)
    return _network(text, model, words)


def _network(text: str, model: str | None, words: Mapping[str, str]) -> Given:
    from verify.loading import load

    loaded = load(text, model, **words)
    return Given(loaded, loaded.name, loaded.model, loaded.assumptions, loaded)


def _refuse_words(text: str, model: str | None, words: Mapping[str, str]) -> None:
    if model is not None or words:
        got = "--model" if model is not None else f"--set {next(iter(words))}"
        raise Malformed(where=text, law="options go together", expected="an imported object as it is", got=got)


def module_of(stored: Stored, place: str, model: str | None = None, words: Mapping[str, str] | None = None) -> Given:
    """Return the torch module that a state dict spells, in float64; which arrays it does not use is stated.

    **Shapes:** H rows of ``weight_hh`` for each gate: H an RNN, 3H a GRU, 4H an LSTM. **Guarantee:** exact. **Raises** as ``given``.
    """
    words = dict(words or {})
    unknown = sorted(words.keys() - set(_SETTINGS))
    if unknown:
        raise Malformed(where=f"{place}, key {unknown[0]}", law="known settings", expected=", ".join(_SETTINGS), got=unknown[0])
    prefix = _prefix(stored, place, words.get("module"))
    own = {name.removeprefix(prefix): array for name, array in stored.arrays.items() if name.startswith(prefix)}
    shape = _shape_of(own, f"{place}, array {prefix}", place)
    if model is not None and model.upper() != shape.cell:
        law, got = "the shapes follow the family", f"{shape.rows} rows for {shape.hidden} columns: {shape.cell}"
        raise Malformed(where=f"{place}, array {prefix}{shape.first}", law=law, expected=f"--model {shape.cell.lower()}", got=got)
    activation = _activation(stored, place, words) if shape.cell == "RNN" else None
    module = _built(shape, own, activation, place, prefix)
    others = {name: array for name, array in stored.arrays.items() if name not in {prefix + name for name in shape.names}}
    notes = [f"the {shape.cell} was recognised by the shapes of its arrays"] if model is None else []
    notes += [f"the arrays {', '.join(sorted(others))} are no part of the recurrent layers"] if others else []
    name = str(stored.meta.get("name", Path(place).stem))
    return Given(module, name, shape.words(activation), tuple(notes), None, others)


@dataclass(frozen=True)
class _Shape:
    """What the arrays of one recurrent module say."""

    cell: str
    hidden: int
    input_size: int
    layers: int
    bias: bool
    stacked: bool
    rows: int

    @property
    def first(self) -> str:
        return "weight_hh_l0" if self.stacked else "weight_hh"

    @property
    def names(self) -> list[str]:
        parts = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if self.bias else [])]
        return [f"{part}_l{layer}" for layer in range(self.layers) for part in parts] if self.stacked else parts

    def expected(self, name: str) -> tuple[int, ...]:
        """Return the shape that an array must have."""
        if name.startswith("bias"):
            return (self.rows,)
        below = self.input_size if name in {"weight_ih", "weight_ih_l0"} else self.hidden
        return (self.rows, below if name.startswith("weight_ih") else self.hidden)

    def words(self, activation: str | None) -> str:
        """Return the module in words."""
        cell = f"{self.cell if self.stacked else self.cell + 'Cell'}{f' ({activation})' if activation else ''}"
        layers = f"{self.layers} layer{'' if self.layers == 1 else 's'} of {self.hidden}"
        return f"{cell}, {layers}, {self.input_size} input{'' if self.input_size == 1 else 's'}, {'biases' if self.bias else 'no bias'}"


def _prefix(stored: Stored, place: str, chosen: str | None) -> str:
    """Return the one prefix of recurrent arrays. **Raises** Malformed: several, or not the chosen one."""
    found = sorted({match["prefix"] for name in stored.arrays if (match := _RECURRENT.fullmatch(name))})
    named = [prefix.removesuffix(".") or "(none)" for prefix in found]
    if chosen is not None and chosen in named:
        return found[named.index(chosen)]
    if chosen is not None or len(found) > 1:
        got = chosen or f"{len(found)} modules"
        remedy = "choose one with --set module=NAME; stacked modules are one network only together: import it as package.module:name"
        raise Malformed(where=place, law="one recurrent module", expected=f"one of {', '.join(named)}", got=got, remedy=remedy)
    return found[0]


def _shape_of(own: Mapping[str, np.ndarray], where: str, place: str) -> _Shape:
    _refuse_unsupported(own, place)
    stacked = "weight_hh_l0" in own
    first = "weight_hh_l0" if stacked else "weight_hh"
    hh = own.get(first)
    ih = own.get(first.replace("hh", "ih"))
    if hh is None or ih is None or hh.ndim != 2 or ih.ndim != 2 or 0 in {*hh.shape, *ih.shape}:  # noqa: PLR2004 - a matrix
        got = "it is missing, or no matrix"
        raise Malformed(where=f"{where}{first}", law="array shapes", expected="weight_ih and weight_hh as matrices", got=got)
    rows, hidden = hh.shape
    if rows % hidden or rows // hidden not in _GATES:
        expected = "as many rows as columns (RNN), 3 (GRU) or 4 times as many (LSTM)"
        remedy = "the step must map the state to a state of the same size"
        raise Malformed(where=f"{where}{first}", law="array shapes", expected=expected, got=f"{rows} x {hidden}", remedy=remedy)
    layers = 1 + max((int(name.rpartition("_l")[2]) for name in own if re.fullmatch(r"weight_hh_l[0-9]+", name)), default=0)
    return _Shape(_GATES[rows // hidden], hidden, ih.shape[1], layers, first.replace("weight", "bias") in own, stacked, rows)


def _refuse_unsupported(own: Mapping[str, np.ndarray], place: str) -> None:
    backward = sorted(name for name in own if name.endswith("_reverse"))
    projected = sorted(name for name in own if name.startswith("weight_hr"))
    if backward:
        law = "the state moves forward in time"
        got = f"two directions ({backward[0]})"
        raise Unsupported(where=place, law=law, expected="one direction", got=got, remedy="the backward half has no step from t to t + 1")
    if projected:
        raise Unsupported(where=place, law="full states", expected="proj_size=0", got=f"a projection ({projected[0]})")


def _activation(stored: Stored, place: str, words: Mapping[str, str]) -> str:
    """Return the stated activation of a plain RNN; nothing is guessed. **Raises** Malformed."""
    said = {str(word) for word in (words.get("activation"), stored.meta.get("activation")) if word is not None}
    if len(said) != 1 or not said <= set(_ACTIVATIONS):
        got = " and ".join(sorted(said)) or "no word about it"
        remedy = "--set activation=tanh, or a sidecar .json beside the file"
        raise Malformed(where=f"{place}, key activation", law="settings", expected=" or ".join(_ACTIVATIONS), got=got, remedy=remedy)
    return said.pop()


def _built(shape: _Shape, own: Mapping[str, np.ndarray], activation: str | None, place: str, prefix: str) -> nn.Module:
    import torch

    words: dict[str, object] = {"bias": shape.bias, "dtype": torch.float64, "device": "meta"}
    words |= {"num_layers": shape.layers} if shape.stacked else {}
    words |= {"nonlinearity": activation} if activation else {}
    kind: Callable[..., nn.Module] = getattr(torch.nn, shape.cell if shape.stacked else f"{shape.cell}Cell")
    module = kind(shape.input_size, shape.hidden, **words).to_empty(device="cpu")  # no random numbers are drawn
    for name in shape.names:
        if name not in own or own[name].shape != shape.expected(name):
            got = "it is missing" if name not in own else _spelled(own[name].shape)
            raise Malformed(where=f"{place}, array {prefix}{name}", law="array shapes", expected=_spelled(shape.expected(name)), got=got)
    module.load_state_dict({name: torch.tensor(own[name].astype(np.float64)) for name in shape.names})
    return module.requires_grad_(requires_grad=False).eval()


def readout(found: Given, text: str) -> object:
    """Return the map from the last layer's output to the next input: ``KEY.weight`` and ``KEY.bias`` of the file, or an imported object.

    **Raises** Malformed: no such layer, or shapes that do not fit.
    """
    import torch

    if _IMPORT.fullmatch(text):
        return _object(text)
    inner = getattr(found.source, text, None) if isinstance(found.source, torch.nn.Module) else None
    if isinstance(inner, torch.nn.Module):
        return inner
    weight, bias = found.arrays.get(f"{text}.weight"), found.arrays.get(f"{text}.bias")
    if weight is None or weight.ndim != 2:  # noqa: PLR2004 - a matrix
        layers = sorted(name.removesuffix(".weight") for name in found.arrays if name.endswith(".weight"))
        expected = f"one of {', '.join(layers)}" if layers else "a file with a linear readout (KEY.weight), or package.module:name"
        raise Malformed(where="--closed-loop", law="the readout is a linear layer of the file", expected=expected, got=text)
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=torch.float64, device="meta").to_empty(
        device="cpu"
    )
    if bias is not None and bias.shape != weight.shape[:1]:
        expected = _spelled(weight.shape[:1])
        raise Malformed(where=f"--closed-loop {text}.bias", law="array shapes", expected=expected, got=_spelled(bias.shape))
    layer.load_state_dict({"weight": torch.tensor(weight), **({} if bias is None else {"bias": torch.tensor(bias)})})
    return layer.requires_grad_(requires_grad=False)


def _imported(text: str) -> Given:
    """Import the user's own module or step function. **Raises** Malformed: a class, or what cannot be called."""
    found = _object(text)
    if isinstance(found, type) or not callable(found):
        got = f"the class {found.__name__}" if isinstance(found, type) else f"a {type(found).__name__}"
        remedy = "name an object that is made already, such as net = Net() in the module"
        raise Malformed(where=text, law="an object to analyse", expected="a torch module or a step function", got=got, remedy=remedy)
    kind = f"{type(found).__name__} of {text.partition(':')[0]}"
    return Given(found, text, kind, ("code of the user's own was run",))


def imported(text: str) -> object:
    """Return the object of ``package.module:name``, found from the working directory too; the user's code runs. **Raises** Malformed."""
    if not _IMPORT.fullmatch(text):
        raise Malformed(where=text, law="import path", expected="package.module:name", got=text)
    return _object(text)


def _object(text: str) -> object:
    module, _, path = text.partition(":")
    with _working_directory():
        try:
            found: object = importlib.import_module(module)
        except ModuleNotFoundError as error:
            remedy = f"the name is searched from the working directory and in the installed packages; a file needs the form {module}.py"
            raise Malformed(where=text, law="import path", expected="a module that is there", got=str(error), remedy=remedy) from error
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            got = f"{type(error).__name__}: {error}"
            raise Malformed(where=text, law="import path", expected="a module that can be imported", got=got) from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise Malformed(where=text, law="import path", expected=f"a name of {module}", got=f"no {path} there")
        found = getattr(found, part)
    return found


@contextmanager
def _working_directory() -> Iterator[None]:
    """Let imports find what lies in the working directory, as ``python -m`` does."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _spelled(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
