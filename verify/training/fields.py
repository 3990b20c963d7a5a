"""Frozen dataclasses read from JSON objects, strictly: unknown keys, missing ones and values of another type are refused by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from proofs.errors import Malformed

T = TypeVar("T")
_SAID = {int: "an integer", float: "a number", str: "text", bool: "true or false"}


def read(kind: type[T], content: object, where: str) -> T:
    """Return the dataclass that a JSON object spells; its fields are int, float, str, bool, those or None, or dataclasses.

    **Raises:** Malformed, naming the key.
    """
    if not isinstance(content, Mapping):
        raise Malformed(where=where, law="a configuration", expected="an object", got=_shown(content))
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = [key for key in content if key not in known]
    if unknown:
        raise Malformed(where=where, law="known keys", expected=", ".join(known), got=", ".join(map(str, unknown)))
    required = [name for name, field in known.items() if field.default is MISSING and field.default_factory is MISSING]
    absent = [name for name in required if name not in content]
    if absent:
        raise Malformed(where=where, law="required keys", expected=", ".join(required), got=f"no {', no '.join(absent)}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, f"{where}, key {name}") for name, value in content.items()})


def _value(hint: Any, value: object, where: str) -> object:  # noqa: ANN401 - a type as written
    choices = getattr(hint, "__args__", None) or (hint,)
    if value is None and type(None) in choices:
        return None
    kind = next(choice for choice in choices if choice is not type(None))
    if kind not in _SAID:
        return read(kind, value, where)
    fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits or (kind is float and not math.isfinite(value)):  # type: ignore[arg-type]
        expected = _SAID[kind] + (" or null" if type(None) in choices else "")
        raise Malformed(where=where, law="type of a setting", expected=expected, got=_shown(value))
    return float(value) if kind is float else value  # type: ignore[arg-type]


def require(fits: bool, where: str, expected: str, got: object) -> None:
    """Refuse a setting outside its range. **Raises:** Malformed."""
    if not fits:
        raise Malformed(where=where, law="range of a setting", expected=expected, got=_shown(got))


def _shown(value: object) -> str:
    return repr(value)[:200]
