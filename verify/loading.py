"""From a file, a torch module or named arrays to a network, with every assumption that was made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from proofs.errors import Malformed
from proofs.network import Network
from verify.errors import Unsupported
from verify.formats import read
from verify.formats.exact import is_exact, read_exact
from verify.formats.nested import read_array
from verify.formats.settings import RESERVED, setting
from verify.formats.stored import Gather, Stored, as_fraction, exact_array
from verify.models import Draft, build, canonical_arrays, recognise, settings_of, settle, unused
from verify.models.draft import family_name

if TYPE_CHECKING:
    import torch

    Source = str | Path | Mapping[str, object] | torch.nn.Module

_NUMBERS = ("input", "a", "dt", "tau")
_KNOWN = (*sorted(RESERVED - {"model"}), "index", *_NUMBERS)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network with where it came from.

    ``arrays`` and ``meta`` are the family's own, in canonical shapes: enough to build or to write the network again. ``assumptions`` are
    sentences that a verdict about the network must repeat.
    """

    network: Network
    name: str
    model: str
    assumptions: tuple[str, ...]
    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, object]

    def with_radius(self, radius: Fraction) -> Network:
        """Return the networks whose stored parameters lie within ``radius``, as one network of intervals.

        **Guarantee:** enclosure. **Raises** Malformed: a radius that is not positive and dyadic.
        """
        if type(radius) is not Fraction or radius <= 0 or radius.denominator & (radius.denominator - 1):
            raise Malformed(where="radius", law="radius", expected="a positive dyadic Fraction, such as 2**-20", got=repr(radius))
        return build(self.model, self.arrays, self.meta, radius)


def load_network(source: Source, model: str | None = None, **meta: object) -> Network:
    """Return the exact state map of a file, a torch module or named arrays; ``load`` also tells what was assumed.

    **Guarantee:** exact: a float is the dyadic it is. **Raises** as ``load``.

    **Example**

    >>> tent = load_network({"A": [2], "W": [[-4]], "h": ["1/2"]}, model="plrnn")
    >>> tent.dimension, tent.hinges
    (1, 1)
    """
    return load(source, model, **meta).network


def load(source: Source, model: str | None = None, **meta: object) -> Loaded:
    """Return a network with its family, name and assumptions.

    ``meta`` holds what ``--set NAME=VALUE`` can say: P, threshold_sign, clipped, activation, name, input, expert, index, a, dt, tau.

    **Guarantee:** exact.
    **Raises** Malformed: arrays, settings or statements that do not fit, by name; several families that would fit (``model`` decides);
    Unsupported: continuous time, a mixture without an expert, an input matrix without input, gated torch cells.

    **Example**

    >>> loaded = load({"model": "alrnn", "A": [0.5, 0.5], "W": [[0, 1], [-1, 0]], "h": [0, 1]}, P="1")
    >>> loaded.model, loaded.network.hinges, loaded.assumptions
    ('alrnn', 1, ())
    """
    stored, place = _stored(source)
    draft = Draft.of(stored, place)
    _add_statements(draft, {**meta, "model": model})
    settle(draft)
    chosen = _family(draft)
    arrays = canonical_arrays(chosen, draft.arrays, draft.meta, place)
    settings = settings_of(chosen, arrays, draft.meta, draft.notes, place)
    notes = (*draft.notes, *_held(arrays), *unused(chosen, draft.arrays, tuple(arrays), place))
    name = draft.meta.get("name", place.rpartition(".")[0] or place)
    return Loaded(build(chosen, arrays, settings), str(name), chosen, tuple(dict.fromkeys(notes)), arrays, settings)


def describe(loaded: Loaded) -> dict[str, object]:
    """Return what every ``--json`` answer says of its network."""
    network = loaded.network
    return {
        "digest": network.digest,
        "name": loaded.name,
        "model": loaded.model,
        "dimension": network.dimension,
        "hinges": network.hinges,
        "assumptions": list(loaded.assumptions),
    }


def to_stored(loaded: Loaded) -> Stored:
    """Return what ``formats.write`` needs; reading it back gives the same digest, name and assumptions."""
    words = {"model": loaded.model, "name": loaded.name, **loaded.meta}
    assumptions = {"assumptions": list(loaded.assumptions)} if loaded.assumptions else {}
    return Stored(loaded.arrays, {**words, **assumptions})


def _family(draft: Draft) -> str:
    named = "model" in draft.meta
    chosen = recognise(draft.arrays, draft.meta, draft.type_name, draft.place)
    if not named:
        draft.notes.append(f"the family {chosen} was recognised by the names of the arrays")
    return chosen


def _held(arrays: Mapping[str, np.ndarray]) -> list[str]:
    entries = [str(as_fraction(x)) for x in arrays["input"].tolist()] if "input" in arrays else []
    return [f"the input is held at ({', '.join(entries)})"] if entries else []


def _add_statements(draft: Draft, meta: Mapping[str, object]) -> None:
    """Add what the caller says. **Raises** Malformed: an unknown name, or a value that disagrees with the file."""
    origin = "given by the caller"
    for name, value in meta.items():
        if value is None:
            continue
        if name == "model":
            draft.set(name, family_name(str(value)), origin)
        elif name in _NUMBERS:
            draft.put(name, exact_array(f"{draft.place}, array {name}", _numbers(name, value)), origin)
        elif name in RESERVED:
            draft.set(name, setting(draft.place, name, value), origin)
        elif name == "index":
            draft.set(name, int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value, origin)
        else:
            raise Malformed(where=f"{draft.place}, key {name}", law="known settings", expected=", ".join(_KNOWN), got=name)


def _numbers(name: str, value: object) -> np.ndarray:
    """Return the numbers of a setting: of text such as "1/2,0", of a list, or of one number."""
    where = f"--set {name}"
    if isinstance(value, str):
        return read_array([part.strip() for part in value.split(",")], where)
    return _array(value, where)


def _stored(source: Source) -> tuple[Stored, str]:
    if isinstance(source, (str, Path)):
        return read(source), Path(source).name
    if isinstance(source, Mapping):
        return _from_mapping(source, "arrays"), "arrays"
    if callable(getattr(source, "state_dict", None)):
        place = type(source).__name__
        return _from_mapping({**source.state_dict(), **_torch_settings(source, place)}, place), place
    expected = "a path, a torch module, or a dict of arrays"
    raise Malformed(where="source", law="a network can be read", expected=expected, got=f"a {type(source).__name__}")


def _torch_settings(module: torch.nn.Module, place: str) -> dict[str, object]:
    """Return the activation of a torch RNN; nothing for other modules. **Raises** Unsupported: gated, stacked or two-way."""
    import torch

    if isinstance(module, (torch.nn.LSTM, torch.nn.GRU, torch.nn.LSTMCell, torch.nn.GRUCell)):
        law = "one layer, one direction, no gates"
        raise Unsupported(where=place, law=law, expected="torch.nn.RNN or RNNCell", got=f"a gated network, {place}")
    if isinstance(module, torch.nn.RNN) and (module.num_layers != 1 or module.bidirectional):
        got = f"{module.num_layers} layers, {'two directions' if module.bidirectional else 'one direction'}"
        raise Unsupported(where=place, law="one layer, one direction, no gates", expected="num_layers=1, bidirectional=False", got=got)
    return {"activation": module.nonlinearity} if isinstance(module, (torch.nn.RNN, torch.nn.RNNCell)) else {}


def _from_mapping(source: Mapping[str, object], place: str) -> Stored:
    """File named values as a reader would: words and settings, layers, arrays of numbers."""
    gather = Gather(place)
    for name, value in source.items():
        if not isinstance(name, str):
            raise Malformed(where=place, law="names are texts", expected="a text", got=repr(name))
        if name == "layers":
            _put_layers(gather, value)
        elif isinstance(value, str) and name not in RESERVED and is_exact(value):
            gather.put(name, _object(read_exact(value, f"{place}, array {name}")))
        elif value is None or isinstance(value, (str, bool)) or name in RESERVED:
            gather.put(name, value)
        else:
            gather.put(name, _array(value, f"{place}, array {name}"))
    return gather.finish("")


def _put_layers(gather: Gather, value: object) -> None:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        gather.note("layers", value)
        return
    if not isinstance(value, (list, tuple)):
        raise Malformed(where=f"{gather.place}, key layers", law="layers", expected="a list of layers", got=type(value).__name__)
    for i, layer in enumerate(value):
        where = f"{gather.place}, key layers, layer {i + 1} of {len(value)}"
        if not isinstance(layer, Mapping) or layer.keys() != {"W", "b", "activation"} or not isinstance(layer["activation"], str):
            raise Malformed(where=where, law="layers", expected="an object with keys W, activation (a word), b", got=repr(layer))
        for key in ("W", "b"):
            gather.put(f"layers.{i}.{key}", _array(layer[key], f"{where}, key {key}"))
    gather.note("layers", [layer["activation"] for layer in value])


def _array(value: object, where: str) -> np.ndarray:
    """Return numbers as an array without changing them: of numpy, torch, or nested lists with texts and Fractions."""
    if isinstance(value, Fraction):
        return _object(value)
    if hasattr(value, "detach"):
        tensor = cast("torch.Tensor", value).detach().cpu()
        return (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    if not isinstance(value, (list, tuple)):
        return np.asarray(value)
    try:
        plain = np.array(value, dtype=object)
    except ValueError:
        return read_array(value, where)
    entries = plain.ravel().tolist()
    if not any(isinstance(entry, Fraction) for entry in entries):
        return read_array(plain.tolist(), where)
    plain.ravel()[:] = [_entry(entry, where) for entry in entries]
    return plain


def _entry(entry: object, where: str) -> object:
    if isinstance(entry, str):
        return read_exact(entry, where)
    return Fraction(entry) if isinstance(entry, (int, float)) and not isinstance(entry, bool) and isfinite(entry) else entry


def _object(value: Fraction) -> np.ndarray:
    found = np.empty((), dtype=object)
    found[()] = value
    return found
