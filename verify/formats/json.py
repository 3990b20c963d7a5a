"""JSON network files: one object; numbers are nearest float64, strings are exact rationals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.exact import MAX_CHARACTERS, bounded, is_exact
from verify.formats.extras import META, pack, unpack
from verify.formats.nested import Bad, kind, read_array, shape_of, too_deep
from verify.formats.settings import RESERVED
from verify.formats.stored import MAX_DIMENSIONS, Gather, Stored

_LAYER_KEYS = {"W", "b", "activation"}


def load(path: Path) -> Stored:
    """Read a JSON network file. **Guarantee:** exact. **Raises** Malformed, naming the key and the row."""
    gather = Gather(path.name)
    for key, value in _parse(path.read_bytes(), path.name).items():
        if key == "layers":
            _put_layers(gather, value)
        elif key == META:
            unpack(gather, _settled(value, f"{path.name}, key {key}"))
        else:
            _put(gather, key, value)
    return gather.finish(str(path))


def _parse(data: bytes, place: str) -> dict[str, object]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(where=place, law="text is UTF-8", expected="UTF-8", got=f"a wrong byte at offset {error.start}") from error
    try:
        found = json.loads(text, object_pairs_hook=_unique(place), parse_float=_float, parse_int=_int, parse_constant=Bad)
    except json.JSONDecodeError as error:
        got = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise Malformed(where=place, law="the file is one JSON object", expected="JSON", got=got) from error
    except RecursionError as error:
        raise Malformed(where=place, law="bounded nesting", expected=f"at most {MAX_DIMENSIONS} levels", got="too many to read") from error
    if not isinstance(found, dict):
        raise Malformed(where=place, law="the file is one JSON object", expected="an object {...}", got=kind(found))
    return found


def _unique(place: str) -> Callable[[list[tuple[str, object]]], dict[str, object]]:
    def build(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                raise Malformed(where=f"{place}, key {key}", law="names are unique", expected="every key once", got=f"{key} twice")
            found[key] = value
        return found

    return build


def _float(text: str) -> object:
    if len(text) > MAX_CHARACTERS:
        return Bad(f"{len(text)} characters", f"at most {MAX_CHARACTERS} characters")
    value = float(text)
    return value if np.isfinite(value) else Bad(f"{text}, which overflows float64", 'a float64, or an exact string such as "1e400"')


def _int(text: str) -> object:
    return int(text) if len(text) <= MAX_CHARACTERS else Bad(f"{len(text)} characters", f"at most {MAX_CHARACTERS} characters")


def _put(gather: Gather, key: str, value: object) -> None:
    where = f"{gather.place}, key {key}"
    number = isinstance(value, (int, float, Bad)) and not isinstance(value, bool)
    if key in RESERVED:
        gather.put(key, _settled(value, where))
    elif isinstance(value, dict):
        gather.note(key, _settled(value, where))
    elif isinstance(value, list) or number or (isinstance(value, str) and is_exact(value)):
        gather.put(key, read_array(value, where))
    else:
        gather.put(key, value)


def _settled(value: object, where: str, depth: int = 0) -> object:
    """Return a setting as it is, once no entry of it is a refused number and it is not nested too deeply."""
    if isinstance(value, Bad):
        value.refuse(where)
    if depth > MAX_DIMENSIONS:
        raise too_deep(where)
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _settled(entry, where, depth + 1)
    return value


def _put_layers(gather: Gather, value: object) -> None:
    if not isinstance(value, list):
        raise Malformed(where=f"{gather.place}, key layers", law="layers", expected="a list of layers", got=kind(value))
    words: list[str] = []
    for i, layer in enumerate(value):
        where = f"{gather.place}, key layers, layer {i + 1} of {len(value)}"
        if not isinstance(layer, dict) or layer.keys() != _LAYER_KEYS:
            got = f"keys {', '.join(sorted(layer))}" if isinstance(layer, dict) else kind(layer)
            raise Malformed(where=where, law="layers", expected="an object with keys W, activation, b", got=got)
        if not isinstance(layer["activation"], str):
            raise Malformed(where=f"{where}, key activation", law="layers", expected="a word", got=kind(layer["activation"]))
        for name in ("W", "b"):
            gather.put(f"layers.{i}.{name}", read_array(layer[name], f"{where}, key {name}"))
        words.append(layer["activation"])
    gather.note("layers", words)


def dump(stored: Stored, file: BinaryIO) -> None:
    """Write JSON: floats as the shortest text that reads back the same, Fractions as ``"p/q"``. **Guarantee:** exact."""
    words = cast("list[str]", stored.meta.get("layers", [])) if _is_layered(stored) else []
    layers = [{"W": _plain(f"layers.{i}.W", stored), "b": _plain(f"layers.{i}.b", stored), "activation": w} for i, w in enumerate(words)]
    content = {key: value for key, value in stored.meta.items() if key in RESERVED}
    content.update({key: _plain(key, stored) for key in stored.arrays if not (layers and key.startswith("layers."))})
    if layers:
        content["layers"] = layers
    rest = pack(stored, beside={*RESERVED, *(["layers"] if layers else [])})
    if rest:
        content[META] = rest
    file.write(json.dumps(content, allow_nan=False).encode() + b"\n")


def _is_layered(stored: Stored) -> bool:
    """Say whether words and arrays of the layers match one to one, so that they can be written as a list of layers."""
    words = stored.meta.get("layers")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return False
    expected = {f"layers.{i}.{name}" for i in range(len(words)) for name in ("W", "b")}
    return expected == {key for key in stored.arrays if key.startswith("layers.")}


def _plain(name: str, stored: Stored) -> object:
    array = stored.arrays[name]
    if array.size == 0 and shape_of(array.tolist(), name) != array.shape:
        law = "JSON lists do not hold every empty shape"
        raise Unsupported(where=f"array {name}", law=law, expected="an array with entries", got=f"shape {array.shape}")
    if array.dtype != object:
        return cast("object", array.tolist())
    texts = np.array([str(bounded(x, f"array {name}")) for x in array.ravel().tolist()], dtype=object)
    return cast("object", texts.reshape(array.shape).tolist())
