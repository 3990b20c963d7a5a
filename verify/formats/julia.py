"""What Julia's files share: the fields of the known model structs, and how nested values get dotted names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.nested import read_array
from verify.formats.settings import RESERVED
from verify.formats.stored import Gather

_PLRNN = ("A", "W", "h", "C")
_SHALLOW = ("A", "W1", "W2", "h1", "h2", "C")
_DENDRITIC = ("A", "W", "h", "alpha", "H", "C")
FIELDS: dict[str, tuple[str, ...]] = {
    "PLRNN": _PLRNN,
    "mcPLRNN": _PLRNN,
    "shallowPLRNN": _SHALLOW,
    "clippedShallowPLRNN": _SHALLOW,
    "dendPLRNN": _DENDRITIC,
    "clippedDendPLRNN": _DENDRITIC,
    "ALRNN": ("A", "W", "h", "P"),
    "DynaMix": ("A_MoE", "W_MoE", "h_MoE", "gating_network", "N", "Experts", "P"),
}
"""Fields of the model structs in the order of their declaration, which is the order in the file; a last field C may be absent."""
PARTS: dict[str, tuple[str, ...]] = {
    "GatingNetwork": ("conv", "softmax_temp1", "D", "mlp_layer1", "mlp_layer2", "softmax_temp2", "sigma"),
    "Identity": ("B", "b", "use_bias", "L"),
    "Affine": ("B", "b", "use_bias"),
}
"""The same for what models are built with; other structs get numbers for names."""
_MASKED = ("A", "W", "W_mask", "h")
_MAX_NAMES = 10_000


@dataclass(frozen=True)
class Struct:
    """A Julia struct as stored: the path of its type and its fields in order, without names."""

    path: tuple[str, ...]
    fields: list[object]


def put_model(gather: Gather, model: Struct) -> None:
    """File a model struct under its field names. **Raises** Unsupported: a struct whose fields are not known."""
    kind = model.path[-1]
    names = FIELDS.get(kind)
    if names is None:
        law = "fields have no names in the file, so the struct must be known"
        raise Unsupported(where=gather.place, law=law, expected=", ".join(FIELDS), got=".".join(model.path), remedy=_BY_NAME)
    # RNNtopoDSR's PLRNN keeps its mask, a matrix, where the others keep the vector h
    if kind == "PLRNN" and len(model.fields) == len(_MASKED) and np.ndim(cast("np.ndarray", model.fields[2])) == len("WM"):
        names = _MASKED
    if len(model.fields) != len(names) and not (names[-1] == "C" and len(model.fields) == len(names) - 1):
        law, expected = "fields in the order of their declaration", ", ".join(names)
        raise Malformed(where=f"{gather.place}, struct {kind}", law=law, expected=expected, got=f"{len(model.fields)} fields")
    gather.type_name = kind
    gather.note("type_path", ".".join(model.path))
    spread(gather, zip(names, model.fields, strict=False))


_BY_NAME = "save the arrays by name: BSON.bson(path, Dict(:A => A, :W => W, :h => h))"


def spread(gather: Gather, items: Iterable[tuple[str, object]]) -> None:
    """File values under dotted names: entry 0 of a list ``A`` is ``A.0``, its length is in ``meta["lists"]``; nothing is None."""
    waiting = list(items)[::-1]
    lists: dict[str, int] = {}
    for _ in range(_MAX_NAMES):
        if not waiting:
            break
        name, value = waiting.pop()
        inner = _inner(value)
        if inner is not None:
            waiting.extend((f"{name}.{key}", entry) for key, entry in reversed(inner))
            lists.update({name: len(inner)} if isinstance(value, list) else {})
        elif isinstance(value, list):
            _put_list(gather, name, value)
        elif isinstance(value, int) and name not in RESERVED:
            gather.note(name, value)
        elif value is not None:
            gather.put(name, value)
    if waiting:
        raise Malformed(where=gather.place, law="size limit", expected=f"at most {_MAX_NAMES} values", got="more")
    if lists:
        gather.note("lists", lists)


def _inner(value: object) -> list[tuple[str, object]] | None:
    """Return the named parts of a value that has parts, or None."""
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, Struct):
        names = PARTS.get(value.path[-1], ()) if value.path else ()
        return [(names[i] if len(names) == len(value.fields) else str(i), field) for i, field in enumerate(value.fields)]
    if isinstance(value, list) and any(isinstance(entry, (np.ndarray, dict, Struct)) for entry in value):
        return [(str(i), entry) for i, entry in enumerate(value)]
    return None


def _put_list(gather: Gather, name: str, value: list[object]) -> None:
    if all(isinstance(entry, str) for entry in value):
        gather.note(name, value)
    else:
        gather.put(name, read_array(value, f"{gather.place}, array {name}"))
