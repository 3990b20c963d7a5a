"""Settings beside the arrays, as one JSON text for containers that hold only arrays; checks before any writing."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import cast

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.settings import RESERVED, check_text, setting
from verify.formats.stored import Gather, Stored, as_fraction, exact_array, same_array

META = "__meta__"
"""The entry of a container under which the settings are kept."""
_TYPE = "type_name"


def pack(stored: Stored, beside: Collection[str] = ()) -> dict[str, object]:
    """Return the settings other than ``beside`` and the type name, as what ``unpack`` reads."""
    meta = {key: value for key, value in stored.meta.items() if key not in beside}
    found: dict[str, object] = {"meta": meta} if meta else {}
    return found if stored.type_name is None else {**found, _TYPE: stored.type_name}


def pack_text(stored: Stored) -> str | None:
    """Return ``pack`` as one line of JSON, or None where there is nothing to keep."""
    found = pack(stored)
    return json.dumps(found, allow_nan=False) if found else None


def unpack(gather: Gather, found: object) -> None:
    """File what ``pack`` made. **Raises** Malformed: anything else under that name."""
    place = f"{gather.place}, key {META}"
    if not isinstance(found, dict) or not found.keys() <= {"meta", _TYPE} or not isinstance(found.get("meta", {}), dict):
        raise Malformed(where=place, law="settings beside the arrays", expected="an object with meta and type_name", got=repr(found))
    if not isinstance(found.get(_TYPE, ""), str):
        raise Malformed(where=place, law="settings beside the arrays", expected="type_name is text", got=repr(found[_TYPE]))
    for key, value in found.get("meta", {}).items():
        gather.note(key, setting(gather.place, key, value) if key in RESERVED else value)
    gather.type_name = found.get(_TYPE, gather.type_name)


def unpack_text(gather: Gather, text: object) -> None:
    """File the JSON text that ``pack_text`` made. **Raises** Malformed."""
    try:
        unpack(gather, json.loads(cast("str", text), parse_constant=_refuse_constant))
    except (json.JSONDecodeError, RecursionError, TypeError, ValueError) as error:
        law = "settings beside the arrays"
        raise Malformed(where=f"{gather.place}, key {META}", law=law, expected="JSON text", got=repr(text)) from error


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def check_writable(stored: Stored, target: str) -> Stored:
    """Return ``stored`` with clean arrays, once names and settings can be written and read back.

    **Raises** Malformed: NaN and other entries no reader returns; Unsupported: a reserved name, a setting that JSON cannot hold.
    """
    for name in stored.arrays:
        if name in RESERVED or name.startswith("__") or name in stored.meta or not name:
            law = "this name is taken by a setting"
            raise Unsupported(where=f"{target}, array {name}", law=law, expected="another name", got=repr(name))
    meta = {name: setting(target, name, value) if name in RESERVED else value for name, value in stored.meta.items()}
    _check_meta(meta, target)
    for name, text in ((name, meta.get(name)) for name in [*stored.arrays, *meta]):
        check_text(target, "names", name)
        check_text(target, name, text if isinstance(text, str) else "")
    arrays = {name: exact_array(f"{target}, array {name}", np.asarray(array)) for name, array in stored.arrays.items()}
    return Stored(arrays, meta, stored.source, stored.type_name)


def _check_meta(meta: object, target: str) -> None:
    try:
        same = json.loads(json.dumps(meta, allow_nan=False)) == meta
    except (TypeError, ValueError, RecursionError):
        same = False
    if not same:
        law = "settings are kept as JSON"
        raise Unsupported(where=f"{target}, settings", law=law, expected="text, numbers, lists and objects", got=repr(meta))


def floats_only(stored: Stored, target: str) -> Stored:
    """Return ``stored`` with float64 arrays only.

    **Guarantee:** exact. **Raises** Unsupported: a Fraction that no float64 equals.
    """
    return Stored(
        {name: _float_array(f"{target}, array {name}", array) for name, array in stored.arrays.items()},
        stored.meta,
        stored.source,
        stored.type_name,
    )


def _float_array(where: str, array: np.ndarray) -> np.ndarray:
    if array.dtype != object:
        return array
    try:
        floats = np.array([float(x) for x in array.ravel().tolist()], dtype=np.float64).reshape(array.shape)
    except OverflowError:
        floats = np.zeros(array.shape)
    if not same_array(floats, array):
        entries = zip(floats.ravel().tolist(), array.ravel().tolist(), strict=True)
        wrong = next(exact for rounded, exact in entries if as_fraction(rounded) != exact)
        law, remedy = "the format holds float64 only", "write a .json file, which holds exact numbers"
        raise Unsupported(where=where, law=law, expected="numbers that are float64", got=str(wrong)[:100], remedy=remedy)
    return floats
