# mypy: disable-error-code="no-any-return"
"""The format, read a second time: strict JSON lines, the number grammar, canonical spelling. No import from proofs or verify."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

Json = Any
MOST_LINE = 64 * 2**20
MOST_ITEMS = 2**20
MOST_STEPS = 10**6
MOST_EXPONENT = 400_000
DECIMAL = "0123456789"
HEXADECIMAL = "0123456789abcdef"


class Refused(Exception):
    """The naive checker does not accept, for this reason."""


class BeyondReach(Refused):
    """Too large for brute force: neither accepted nor found wrong."""


def need(holds: bool, reason: str) -> None:
    """Refuse unless ``holds``."""
    if not holds:
        raise Refused(reason)


def lines_of(content: bytes) -> list[dict]:
    """Return the JSON objects of a file, one a line."""
    need(content != b"", "empty file")
    parts = content.split(b"\n")
    need(parts[-1] == b"", "the last line does not end in a newline")
    return [parse(part) for part in parts[:-1]]


def parse(line: bytes) -> dict:
    """Return one JSON object: every key once, integers of at most 18 digits, no floats."""
    need(len(line) <= MOST_LINE, "line too long")
    try:
        found = json.loads(
            line.decode("utf-8", errors="strict"), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse, parse_int=_short
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
        raise Refused(f"not JSON: {type(fault).__name__}") from None
    need(isinstance(found, dict), "not an object")
    return found


def _once(pairs: list) -> dict:
    need(len({key for key, _ in pairs}) == len(pairs), "a key occurs twice")
    return dict(pairs)


def _refuse(text: str) -> None:
    raise Refused(f"a float: {text[:40]}")


def _short(text: str) -> int:
    need(len(text.removeprefix("-")) <= 18, "a long integer")
    return int(text)


def take(content: Json, needed: str, allowed: str = "") -> dict:
    """Return an object that has all fields of ``needed`` and otherwise only non-null fields of ``allowed``."""
    need(isinstance(content, dict), "not an object")
    need(set(needed.split()) <= set(content), f"a field of {needed} is missing")
    need(set(content) <= set(needed.split()) | set(allowed.split()), f"unknown field among {sorted(content)}")
    need(all(content[key] is not None for key in allowed.split() if key in content), "a null field")
    return content


def integer(value: Json, low: int, high: int) -> int:
    """Return an integer that is no bool and within the limits."""
    need(isinstance(value, int) and not isinstance(value, bool), "not an integer")
    need(low <= value <= high, "integer out of range")
    return value


def string(value: Json) -> str:
    """Return a printable string of bounded length."""
    need(isinstance(value, str) and len(value) <= 2**20 and value.isprintable(), "not a printable string")
    return value


def items(value: Json) -> list:
    """Return a list of bounded length."""
    need(isinstance(value, list) and len(value) <= MOST_ITEMS, "not a list")
    return value


def number(text: Json) -> Fraction:
    """Return the rational that a string of the grammar spells."""
    need(isinstance(text, str) and text != "", "not a number string")
    negative = text.startswith("-")
    body = text[1:] if negative else text
    if "/" in body:
        above, _, below = body.partition("/")
        need(_natural(below) != 0, "denominator 0")
        value = Fraction(_natural(above), _natural(below))
    elif "p" in body:
        head, _, exponent = body.partition("p")
        power = _exponent(exponent)
        value = Fraction(_natural(head)) * (Fraction(2) ** power)
    else:
        value = Fraction(_natural(body))
    return -value if negative else value


def _natural(text: str) -> int:
    if text.startswith("0x"):
        digits = text[2:]
        need(0 < len(digits) <= 100_000 and all(c in HEXADECIMAL for c in digits), "bad hexadecimal")
        need(digits == "0" or digits[0] != "0", "leading zero")
        return int(digits, 16)
    need(0 < len(text) <= 600 and all(c in DECIMAL for c in text), "bad integer")
    need(text == "0" or text[0] != "0", "leading zero")
    return int(text)


def _exponent(text: str) -> int:
    digits = text.removeprefix("-")
    need(0 < len(digits) <= 6 and all(c in DECIMAL for c in digits) and (digits == "0" or digits[0] != "0"), "bad exponent")
    need(int(digits) <= MOST_EXPONENT, "exponent too large")
    return -int(digits) if text.startswith("-") else int(digits)


def entry(text: Json) -> tuple[Fraction, Fraction]:
    """Return (middle, radius) of an entry."""
    need(isinstance(text, str), "not an entry")
    if "~" not in text:
        return number(text), Fraction(0)
    middle, _, radius = text.partition("~")
    need(not radius.startswith("-"), "negative radius")
    return number(middle), number(radius)


def numbers(value: Json) -> list[Fraction]:
    """Return a list of rationals."""
    return [number(item) for item in items(value)]


def table(value: Json) -> list[list[Fraction]]:
    """Return a list of lists of rationals."""
    return [numbers(row) for row in items(value)]


def spell(value: Fraction) -> str:
    """Return the canonical spelling."""
    above, below = value.numerator, value.denominator
    if below == 1:
        return _digits(above)
    if below & (below - 1) == 0:
        return f"{_digits(above)}p-{below.bit_length() - 1}"
    return f"{_digits(above)}/{_digits(below)}"


def spell_entry(middle: Fraction, radius: Fraction) -> str:
    """Return the canonical spelling of an interval."""
    return spell(middle) + (f"~{spell(radius)}" if radius else "")


def _digits(value: int) -> str:
    return str(value) if abs(value) < 2**128 else hex(value)


def canonical(content: Json) -> str:
    """Return the text by which claims and networks are compared."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
