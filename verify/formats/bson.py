"""Julia's BSON files: tagged arrays (column-major), structs without field names, and shared parts by reference."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.extras import META, floats_only, pack_text, unpack_text
from verify.formats.files import failures_of
from verify.formats.julia import Struct, put_model, spread
from verify.formats.stored import Gather, Stored

_KIND = ".bson file"
_REFS = "_backrefs"
_DTYPES = {"Bool": "u1", "Float16": "<f2", "Float32": "<f4", "Float64": "<f8"} | {
    f"{word}{8 * size}": f"<{letter}{size}" for word, letter in (("Int", "i"), ("UInt", "u")) for size in (1, 2, 4, 8)
}
_MAX_DEPTH = 64


class _UniqueKeys(dict[str, object]):
    def __setitem__(self, key: str, value: object) -> None:
        if key in self:
            raise KeyError(key)
        super().__setitem__(key, value)


def load(path: Path) -> Stored:
    """Read a dict of arrays, or the ``model = [model, observation]`` layout of the published Julia code.

    **Guarantee:** exact. **Raises** Malformed; Unsupported: an unknown struct or number type.
    """
    from bson import decode
    from bson.codec_options import CodecOptions
    from bson.errors import BSONError

    with failures_of(path, _KIND, (BSONError, ValueError, KeyError, TypeError, OverflowError)):
        document = decode(path.read_bytes(), CodecOptions(document_class=_UniqueKeys))
    gather = Gather(path.name)
    content = _Decoder(gather, document.pop(_REFS, [])).entries(document)
    if META in content:
        unpack_text(gather, content.pop(META))
    model = content.get("model")
    parts = model if isinstance(model, list) else [model]
    if parts and isinstance(parts[0], Struct):
        put_model(gather, parts[0])
        del content["model"]
        content.update({"observation": parts[1]} if len(parts) > 1 else {})
    spread(gather, content.items())
    return gather.finish(str(path))


class _Decoder:
    """Turns tagged documents into arrays, structs, lists and dicts; every shared part is decoded once."""

    def __init__(self, gather: Gather, refs: object) -> None:
        self._gather = gather
        self._refs = refs if isinstance(refs, list) else []
        self._done: dict[int, object] = {}
        self._open: set[int] = set()

    def entries(self, document: dict[str, object], depth: int = 0) -> dict[str, object]:
        return {key: self.value(value, depth + 1) for key, value in document.items()}

    def value(self, value: object, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise Malformed(where=self._gather.place, law="bounded nesting", expected=f"at most {_MAX_DEPTH} levels", got="more")
        if isinstance(value, list):
            return [self.value(entry, depth + 1) for entry in value]
        if isinstance(value, dict):
            return self._tagged(value, depth) if isinstance(value.get("tag"), str) else self.entries(value, depth)
        if isinstance(value, bytes):
            return np.frombuffer(value, dtype="u1")
        if value is None or isinstance(value, (bool, int, float, str)):
            return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
        raise self._bad("values of a model", "numbers, text, lists and documents", type(value).__name__)

    def _tagged(self, value: dict[str, object], depth: int) -> object:
        match value["tag"]:
            case "backref":
                found = self._shared(value, depth)
            case "array":
                found = self._array(value, depth)
            case "struct":
                found = self._struct(value, depth)
            case "tuple" | "svec":
                found = self.value(self._field(value, "data", list), depth + 1)
            case "symbol":
                found = self._field(value, "name", str)
            case "datatype":
                found = ".".join(self._type_path(value, depth))
            case tag:
                # functions, modules, unions: nothing a network is made of
                found = Struct((str(tag),), [])
        return found

    def _shared(self, value: dict[str, object], depth: int) -> object:
        number = cast("int", self._field(value, "ref", int))
        if not 1 <= number <= len(self._refs) or number in self._open:
            raise self._bad("shared parts", f"a reference from 1 to {len(self._refs)} that does not contain itself", str(number))
        if number not in self._done:
            self._open.add(number)
            self._done[number] = self.value(self._refs[number - 1], depth + 1)
            self._open.remove(number)
        return self._done[number]

    def _array(self, value: dict[str, object], depth: int) -> object:
        sizes = cast("list[object]", self._field(value, "size", list))
        shape = [n for n in sizes if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
        if isinstance(value.get("data"), list) and len(shape) == len(sizes) == 1:
            return self.value(value["data"], depth + 1)
        data = cast("bytes", self._field(value, "data", bytes))
        dtype = self._dtype(value, depth)
        self._gather.check_room("of type " + dtype.name, shape)
        if len(shape) != len(sizes) or math.prod(shape) * dtype.itemsize != len(data):
            raise self._bad("arrays fill their bytes", f"{len(data)} bytes for size {sizes}", f"{dtype.itemsize} bytes an entry")
        return np.frombuffer(data, dtype=dtype).reshape(shape, order="F")

    def _struct(self, value: dict[str, object], depth: int) -> object:
        if isinstance(value.get("data"), bytes):
            return self._array({**value, "size": []}, depth)
        fields = cast("list[object]", self.value(self._field(value, "data", list), depth + 1))
        return Struct(self._type_path(value.get("type"), depth), fields)

    def _dtype(self, value: dict[str, object], depth: int) -> np.dtype[np.generic]:
        path = self._type_path(value.get("type"), depth)
        if path[-1] not in _DTYPES:
            law = "a number type that is read exactly"
            raise Unsupported(where=self._gather.place, law=law, expected=", ".join(_DTYPES), got=".".join(path))
        return np.dtype(_DTYPES[path[-1]])

    def _type_path(self, kind: object, depth: int) -> tuple[str, ...]:
        """Return the dotted name of a type, e.g. ("Core", "Float32")."""
        found = self._shared(kind, depth) if isinstance(kind, dict) and kind.get("tag") == "backref" else kind
        if isinstance(found, str):
            return tuple(found.split("."))
        names = found.get("name") if isinstance(found, dict) else None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise self._bad("types have names", "a list of words", repr(names))
        return tuple(names)

    def _field(self, value: dict[str, object], key: str, kind: type) -> object:
        found = value.get(key)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise self._bad(f"a tagged {value['tag']}", f"{key}: {kind.__name__}", type(found).__name__)
        return found

    def _bad(self, law: str, expected: str, got: str) -> Malformed:
        return Malformed(where=self._gather.place, law=law, expected=expected, got=got)


def dump(stored: Stored, file: BinaryIO) -> None:
    """Write a Julia dict of Float64 arrays (``BSON.load`` reads it) and the settings as one text. **Guarantee:** exact."""
    from bson import encode

    content: dict[str, object] = {name: _tag(array) for name, array in floats_only(stored, _KIND).arrays.items()}
    text = pack_text(stored)
    file.write(encode(content if text is None else {**content, META: text}))


def _tag(array: np.ndarray) -> dict[str, object]:
    kind = {"tag": "datatype", "params": [], "name": ["Core", "Float64"]}
    return {"tag": "array", "type": kind, "size": list(array.shape), "data": array.astype("<f8").tobytes(order="F")}
