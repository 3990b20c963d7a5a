"""Nested lists of numbers as arrays: every row of one length, every number exact, every error with its row."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import NoReturn

import numpy as np

from proofs.errors import Malformed
from verify.formats.exact import bounded, read_exact
from verify.formats.stored import MAX_DIMENSIONS


class Bad:
    """A number that JSON spells and no network may hold; refused once its key and row are known."""

    def __init__(self, got: str, expected: str = "a finite number") -> None:
        """Keep both words of the error to come."""
        self.got = got
        self.expected = expected

    def refuse(self, where: str) -> NoReturn:
        """Say which number it is and where. **Raises** Malformed, always."""
        raise Malformed(where=where, law="numbers are finite and of bounded length", expected=self.expected, got=self.got)


def read_array(value: object, where: str) -> np.ndarray:
    """Return nested lists of numbers and exact strings as one array: float64, or Fractions if any entry needs them.

    **Guarantee:** exact, a JSON number being its nearest float64. **Raises** Malformed, naming the row.
    """
    shape = shape_of(value, where)
    entries = _entries(value, where, [])
    if all(type(entry) is float for entry in entries):
        return np.array(entries, dtype=np.float64).reshape(shape)
    wild = next((entry for entry in entries if type(entry) is float and not isfinite(entry)), None)
    if wild is not None:
        Bad(str(wild)).refuse(where)
    exact = np.empty(len(entries), dtype=object)
    exact[:] = [Fraction(entry) for entry in entries]
    return exact.reshape(shape)


def shape_of(value: object, where: str, depth: int = 0) -> tuple[int, ...]:
    """Return the shape of nested lists. **Raises** Malformed: rows of different lengths, nesting beyond the limit."""
    if not isinstance(value, list):
        return ()
    if depth == MAX_DIMENSIONS:
        raise too_deep(where.partition(", row")[0])
    if not any(isinstance(entry, list) for entry in value):
        return (len(value),)
    first = shape_of(value[0], _row(where, 0, value), depth + 1)
    for i, entry in enumerate(value):
        shape = shape_of(entry, _row(where, i, value), depth + 1)
        if shape != first:
            expected = f"{_extent(first)}, as in row 1"
            raise Malformed(where=_row(where, i, value), law="rows of one length", expected=expected, got=_extent(shape))
    return (len(value), *first)


def _entries(value: object, where: str, found: list[float | Fraction]) -> list[float | Fraction]:
    if isinstance(value, list):
        for i, entry in enumerate(value):
            if type(entry) is float:
                found.append(entry)
            else:
                _entries(entry, _row(where, i, value), found)
    else:
        found.append(_entry(value, where))
    return found


def _entry(value: object, where: str) -> float | Fraction:
    if isinstance(value, Bad):
        value.refuse(where)
    if isinstance(value, str):
        return read_exact(value, where)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed(where=where, law="arrays hold numbers", expected="a number or an exact string", got=kind(value))
    exact = bounded(Fraction(value), where)
    try:
        return float(value) if Fraction(float(value)) == exact else exact
    except OverflowError:
        return exact


def _row(where: str, i: int, rows: list[object]) -> str:
    return f"{where}, row {i + 1} of {len(rows)}" if isinstance(rows[i], list) else f"{where}, entry {i + 1} of {len(rows)}"


def _extent(shape: tuple[int, ...]) -> str:
    if not shape:
        return "one number"
    return f"{' x '.join(map(str, shape))} {'entry' if shape == (1,) else 'entries'}"


def too_deep(where: str) -> Malformed:
    """Return the error for nesting beyond the limit."""
    return Malformed(where=where, law="bounded nesting", expected=f"at most {MAX_DIMENSIONS} levels", got="more")


def kind(value: object) -> str:
    """Return what JSON calls a value of this kind."""
    kinds = {bool: "true or false", str: "text", list: "a list", dict: "an object", type(None): "null", int: "a number", float: "a number"}
    return kinds.get(type(value), "a number that is not finite")
