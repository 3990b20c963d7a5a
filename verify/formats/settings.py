"""The settings beside the arrays: which names they have, and the one type of each."""

from __future__ import annotations

import math

import numpy as np

from proofs.errors import Malformed

INTEGERS = frozenset({"P", "expert"})
SWITCHES = frozenset({"clipped"})
WORDS = frozenset({"model", "name", "threshold_sign", "activation"})
RESERVED = INTEGERS | SWITCHES | WORDS
"""Names that are settings, never arrays."""


def setting(place: str, name: str, value: object) -> object:
    """Return a setting in its one type (int, bool or str). **Raises** Malformed where it has another."""
    from_array = isinstance(value, (np.ndarray, np.generic))
    plain = value.reshape(()).item() if isinstance(value, (np.ndarray, np.generic)) and value.size == 1 else value
    if isinstance(plain, str):
        check_text(place, name, plain)
        found = _spelled(name, plain)
    elif name in SWITCHES and (isinstance(plain, bool) or (from_array and isinstance(plain, (int, float)) and plain in {0, 1})):
        found = bool(plain)
    elif name in INTEGERS and isinstance(plain, (int, float)) and not isinstance(plain, bool):
        found = _integer_or_none(plain)
    else:
        found = None
    if found is None:
        kind = "an integer" if name in INTEGERS else "true or false" if name in SWITCHES else "a word"
        raise Malformed(where=f"{place}, key {name}", law="settings have one type", expected=kind, got=repr(plain))
    return found


def _spelled(name: str, text: str) -> str | bool | int | None:
    if name in WORDS:
        return text
    if name in SWITCHES:
        return {"true": True, "false": False}.get(text)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len("999999999") else None


def _integer_or_none(value: float) -> int | None:
    return int(value) if math.isfinite(value) and value == int(value) else None


def check_text(place: str, name: str, text: str) -> None:
    """Refuse text that cannot be written again. **Raises** Malformed: NUL, lone surrogates."""
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Malformed(where=f"{place}, {name}", law="text is Unicode", expected="no NUL and no lone surrogate", got=ascii(text))
