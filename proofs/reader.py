"""Strict JSON: each field is asked for by name and kind, and fields nobody asked for are refused."""

from __future__ import annotations

import json
from math import lcm
from typing import TYPE_CHECKING, NoReturn

from proofs.arithmetic import Matrix
from proofs.errors import Malformed, shorten
from proofs.grammar import read_entry, read_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

MAX_LINE_BYTES = 64 * 2**20
MAX_ITEMS = 2**20
MAX_TEXT = 2**20
MAX_MATRIX_BITS = 2**31
_MAX_INTEGER_DIGITS = 18


class Fields:
    """One JSON object, read field by field; ``close`` refuses what was not asked for."""

    def __init__(self, content: object, where: str) -> None:
        """Take over ``content``. **Raises:** Malformed unless it is a JSON object."""
        if not isinstance(content, dict):
            raise _wrong(where, "an object {...}", content)
        self._content: dict[str, object] = content
        self._unread = set(content)
        self.where = where

    def has(self, name: str) -> bool:
        """Say whether the field is there and not null."""
        return self._content.get(name) is not None

    def raw(self, name: str) -> object:
        """Return the field as JSON gave it. **Raises:** Malformed if it is missing."""
        if name not in self._content:
            raise _wrong(f"{self.where}, field {name}", "this field to be there", "nothing")
        self._unread.discard(name)
        return self._content[name]

    def integer(self, name: str, low: int, high: int) -> int:
        """Return an integer between ``low`` and ``high``."""
        value = self.raw(name)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(name, f"an integer from {low} to {high}", value)
        return value

    def integers(self, name: str, low: int, high: int) -> tuple[int, ...]:
        """Return a list of integers between ``low`` and ``high``."""
        values = self.items(name)
        for value in values:
            if type(value) is not int or not low <= value <= high:
                raise self._wrong(name, f"integers from {low} to {high}", value)
        return tuple(value for value in values if type(value) is int)

    def text(self, name: str) -> str:
        """Return a string of at most 2**20 characters."""
        value = self.raw(name)
        if not _is_text(value):
            raise self._wrong(name, f"a printable string of at most {MAX_TEXT} characters", value)
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self.items(name)
        for value in values:
            if not _is_text(value):
                raise self._wrong(name, f"printable strings of at most {MAX_TEXT} characters", value)
        return tuple(map(str, values))

    def number(self, name: str) -> Fraction:
        """Return an exact rational."""
        return read_number(self.raw(name), f"{self.where}, field {name}")

    def numbers(self, name: str) -> tuple[Fraction, ...]:
        """Return a list of exact rationals."""
        return read_numbers(self.raw(name), f"{self.where}, field {name}")

    def table(self, name: str) -> tuple[tuple[Fraction, ...], ...]:
        """Return a list of lists of exact rationals, of any lengths."""
        rows = tuple(read_numbers(row, f"{self.where}, field {name}[{i}]") for i, row in enumerate(self.items(name)))
        _require_size([number for row in rows for number in row], f"{self.where}, field {name}")
        return rows

    def column(self, name: str, rows: int) -> Matrix:
        """Return a vector of ``rows`` entries, radii allowed."""
        return read_matrix([[entry] for entry in self.items(name)], (rows, 1), f"{self.where}, field {name}")

    def matrix(self, name: str, shape: tuple[int, int]) -> Matrix:
        """Return an exact or interval matrix of this shape."""
        return read_matrix(self.raw(name), shape, f"{self.where}, field {name}")

    def items(self, name: str) -> list[object]:
        """Return a list of at most 2**20 items of any kind."""
        return read_list(self.raw(name), f"{self.where}, field {name}")

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        return [Fields(item, f"{self.where}, field {name}[{i}]") for i, item in enumerate(self.items(name))]

    def part(self, name: str) -> Fields:
        """Return one object."""
        return Fields(self.raw(name), f"{self.where}, field {name}")

    def close(self) -> None:
        """Refuse fields that were never read."""
        if self._unread:
            raise _wrong(self.where, "no further fields", ", ".join(sorted(self._unread)))

    def _wrong(self, name: str, expected: str, got: object) -> Malformed:
        return _wrong(f"{self.where}, field {name}", expected, got)


def read_list(content: object, where: str) -> list[object]:
    """Return ``content`` if it is a list within the size limit."""
    if not isinstance(content, list) or len(content) > MAX_ITEMS:
        raise _wrong(where, f"a list of at most {MAX_ITEMS} items", content)
    return content


def read_numbers(content: object, where: str) -> tuple[Fraction, ...]:
    """Return a list of exact rationals."""
    return tuple(read_number(item, f"{where}[{i}]") for i, item in enumerate(read_list(content, where)))


def read_matrix(content: object, shape: tuple[int, int], where: str) -> Matrix:
    """Return the matrix of this shape that a list of rows spells."""
    rows = [read_list(row, f"{where}[{i}]") for i, row in enumerate(read_list(content, where))]
    if len(rows) != shape[0] or any(len(row) != shape[1] for row in rows):
        got = f"{len(rows)} rows of lengths {sorted({len(row) for row in rows})}"
        raise _wrong(where, f"{shape[0]} rows of {shape[1]} entries", got)
    pairs = [[read_entry(entry, f"{where}[{i}][{j}]") for j, entry in enumerate(row)] for i, row in enumerate(rows)]
    _require_size([number for row in pairs for pair in row for number in pair], where)
    return Matrix.balls(([middle for middle, _ in row] for row in pairs), ([radius for _, radius in row] for row in pairs))


def _require_size(numbers: list[Fraction], where: str) -> None:
    """Refuse a matrix whose common denominator would blow every entry up."""
    den = 1
    for number in numbers:
        den = lcm(den, number.denominator)
        if den.bit_length() * len(numbers) > MAX_MATRIX_BITS:
            raise _wrong(where, f"a common denominator that takes at most {MAX_MATRIX_BITS} bits for all entries", "more")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()


def parse_object(line: bytes, where: str) -> Fields:
    """Parse one line as a JSON object.

    **Raises:** Malformed for bytes that are not UTF-8, not JSON, nested too deeply, followed by more, for duplicate keys, for floats,
    NaN and Infinity, and for bare integers over 18 digits.
    """
    if len(line) > MAX_LINE_BYTES:
        raise _wrong(where, f"at most {MAX_LINE_BYTES} bytes on a line", f"{len(line)} bytes")
    try:
        content = json.loads(
            line.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_float, parse_int=_short_int, parse_constant=_no_float
        )
    except (UnicodeDecodeError, json.JSONDecodeError, _BadJsonError) as fault:
        raise _wrong(where, "one JSON object in UTF-8, each key once, no floats", str(fault)) from None
    except RecursionError:
        raise _wrong(where, "shallow nesting", "brackets nested too deeply") from None
    return Fields(content, where)


class _BadJsonError(ValueError):
    """Raised inside the JSON hooks and turned into Malformed by ``parse_object``."""


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    content: dict[str, object] = {}
    for key, value in pairs:
        if key in content:
            message = f"key {shorten(key)!r} occurs twice"
            raise _BadJsonError(message)
        content[key] = value
    return content


def _no_float(text: str) -> NoReturn:
    message = f"{shorten(text)} is not an exact number; write it as a string"
    raise _BadJsonError(message)


def _short_int(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS:
        message = f"integer of {len(text)} digits; write long numbers as strings"
        raise _BadJsonError(message)
    return int(text)


def _wrong(where: str, expected: str, got: object) -> Malformed:
    shown = got if isinstance(got, str) else f"{type(got).__name__} {shorten(repr(got))}"
    return Malformed(where=where, law="file format", expected=expected, got=shown)
