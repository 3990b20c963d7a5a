"""The one number grammar of every file the checker reads or writes.

    number   = [-] integer                    -3      0x1f
             | [-] integer "/" integer        17/10
             | [-] integer "p" exponent       3602879701896397p-55   (a times 2 to the exponent)
    integer  = 0 | 1-9 then digits (at most 600)  |  0x then lower-case hexadecimal digits (at most 100,000)
    entry    = number | number "~" number     middle ~ radius: the interval [middle - radius, middle + radius]

Python refuses decimal integers over 4,300 digits and takes quadratic time for long ones; hexadecimal has neither trouble.
"""

from __future__ import annotations

import re
from fractions import Fraction

from proofs.errors import Malformed, shorten

_INTEGER = r"(?:0x(?:0|[1-9a-f][0-9a-f]{0,99999})|0|[1-9][0-9]{0,599})"
_NUMBER = re.compile(rf"(-?)({_INTEGER})(?:/({_INTEGER})|p(-?(?:0|[1-9][0-9]{{0,5}})))?", re.ASCII)
_MAX_EXPONENT = 400_000
_DECIMAL_BITS = 128
_READABLE_BITS = 64


def read_number(text: object, where: str) -> Fraction:
    """Return the exact rational that ``text`` spells.

    **Guarantee:** exact.
    **Raises:** Malformed if ``text`` is not a string of the grammar, has denominator 0 or an exponent beyond 400,000.
    """
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise _bad_number(text, where)
    sign, head, below, exponent = match.groups()
    above = -_read_integer(head) if sign else _read_integer(head)
    if below is not None:
        if _read_integer(below) == 0:
            raise _bad_number(text, where)
        return Fraction(above, _read_integer(below))
    power = int(exponent or 0)
    if abs(power) > _MAX_EXPONENT:
        raise _bad_number(text, where)
    return Fraction(above << power) if power >= 0 else Fraction(above, 1 << -power)


def read_entry(text: object, where: str) -> tuple[Fraction, Fraction]:
    """Return middle and radius of an entry; a plain number has radius 0.

    **Raises:** Malformed as ``read_number`` does, and for a negative radius.
    """
    if not isinstance(text, str) or "~" not in text:
        return read_number(text, where), Fraction(0)
    middle, _, radius = text.partition("~")
    if radius.startswith("-"):
        raise _bad_number(text, where)
    return read_number(middle, where), read_number(radius, where)


def write_number(value: Fraction) -> str:
    """Spell ``value`` canonically: an integer, a dyadic in ``p`` form, or a quotient in lowest terms."""
    if value.denominator == 1:
        return _write_integer(value.numerator)
    power = value.denominator.bit_length() - 1
    if value.denominator == 1 << power:
        return f"{_write_integer(value.numerator)}p-{power}"
    return f"{_write_integer(value.numerator)}/{_write_integer(value.denominator)}"


def write_entry(middle: Fraction, radius: Fraction) -> str:
    """Spell an interval by its middle and radius; a radius of 0 is left out."""
    return write_number(middle) if radius == 0 else f"{write_number(middle)}~{write_number(radius)}"


def shown(value: Fraction) -> str:
    """Show a number to a person: p/q where that is short, else canonically and cut (never a decimal that Python would refuse)."""
    short = max(value.numerator.bit_length(), value.denominator.bit_length()) <= _READABLE_BITS
    return str(value) if short else shorten(write_number(value))


def _read_integer(digits: str) -> int:
    return int(digits, 16) if digits.startswith("0x") else int(digits)


def _write_integer(value: int) -> str:
    return str(value) if value.bit_length() <= _DECIMAL_BITS else hex(value)


def _bad_number(text: object, where: str) -> Malformed:
    return Malformed(
        where=where,
        law="number grammar",
        expected='a string such as "-3", "17/10", "5p-3" or "0x1f", or an interval "17/10~1p-9" where one is allowed',
        got=shorten(repr(text)),
        remedy="write exact numbers as strings; floats, signs as '+', spaces and leading zeros are refused",
    )
