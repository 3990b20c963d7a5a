"""Numbers written as text, read exactly: ``"17"``, ``"-1.5e-3"``, ``"355/113"``."""

from __future__ import annotations

import re
from fractions import Fraction

from proofs.errors import Malformed

MAX_CHARACTERS = 4000
"""Characters of one number, below the 4,300 digits at which Python's own conversion stops."""
MAX_BITS = 13_000
"""Bits of a numerator or denominator, so that every number that was read can be written again."""
_RATIO = re.compile(r"[+-]?[0-9]+/[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_GRAMMAR = '"p/q", "17", "0.1" or "-1.5e-3", exponent of at most 4 digits'


def read_exact(text: str, where: str) -> Fraction:
    """Return the rational that ``text`` spells.

    **Guarantee:** exact. **Raises** Malformed: another spelling, a zero denominator, a number of absurd length.

    **Example**

    >>> read_exact("-1.5e-3", "net.json, key h")
    Fraction(-3, 2000)
    """
    if len(text) > MAX_CHARACTERS:
        raise Malformed(
            where=where, law="numbers of bounded length", expected=f"at most {MAX_CHARACTERS} characters", got=f"{len(text)} characters"
        )
    if not is_exact(text):
        raise Malformed(where=where, law="exact numbers", expected=_GRAMMAR, got=repr(text))
    if "/" in text and int(text.partition("/")[2]) == 0:
        raise Malformed(where=where, law="exact numbers", expected="a denominator other than 0", got=repr(text))
    return bounded(Fraction(text), where)


def is_exact(text: str) -> bool:
    """Say whether ``text`` spells a number at all."""
    return bool(_RATIO.fullmatch(text) or _DECIMAL.fullmatch(text))


def bounded(value: Fraction, where: str) -> Fraction:
    """Return ``value``, refusing one whose numerator or denominator is too long. **Raises** Malformed."""
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    if bits > MAX_BITS:
        law = "numbers of bounded length"
        raise Malformed(where=where, law=law, expected=f"numerator and denominator of at most {MAX_BITS} bits", got=f"{bits} bits")
    return value
