"""From exact numbers to short ones on a stated side."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.errors import Malformed

if TYPE_CHECKING:
    from proofs.arithmetic import Interval

_DIGITS = 20


def decimal_pair(interval: Interval) -> list[str]:
    """Return decimal strings of 20 digits that enclose an interval. **Guarantee:** enclosure.

    >>> from proofs.arithmetic import Interval
    >>> decimal_pair(Interval(Fraction(1, 3), Fraction(1, 2)))
    ['0.33333333333333333333', '0.5']
    """
    return [_decimal(interval.lo, ROUND_FLOOR), _decimal(interval.hi, ROUND_CEILING)]


def pair_within(interval: Interval) -> list[str]:
    """Return decimal strings of 20 digits that lie in an interval, for what holds on all of it. **Guarantee:** rounded inward.

    >>> from proofs.arithmetic import Interval
    >>> pair_within(Interval(Fraction(1, 3), Fraction(2, 3)))
    ['0.33333333333333333334', '0.66666666666666666666']
    """
    return [_decimal(interval.lo, ROUND_CEILING), _decimal(interval.hi, ROUND_FLOOR)]


def float_below(value: Fraction) -> float:
    """Return a float that is not above ``value``, within one unit in the last place."""
    near = _to_float(value)
    return near if not math.isinf(near) and Fraction(near) <= value else math.nextafter(near, -math.inf)


def float_above(value: Fraction) -> float:
    """Return a float that is not below ``value``, within one unit in the last place."""
    return -float_below(-value)


def fixed_below(value: Fraction, places: int = 6) -> str:
    """Return a fixed-point decimal that is not above ``value``.

    >>> fixed_below(Fraction(2, 3)), fixed_below(Fraction(-2, 3), 2)
    ('0.666666', '-0.67')
    """
    return _spelled(math.floor(value * 10**places), places)


def fixed_above(value: Fraction, places: int = 6) -> str:
    """Return a fixed-point decimal that is not below ``value``."""
    return _spelled(math.ceil(value * 10**places), places)


def _spelled(units: int, places: int) -> str:
    digits = str(abs(units)).zfill(places + 1)
    return f"{'-' if units < 0 else ''}{digits[: len(digits) - places]}{'.' if places else ''}{digits[len(digits) - places :]}"


def exponent(value: Fraction) -> int:
    """Return the whole number nearest log2 |value|, up to one (0 has exponent -1 or less).

    >>> exponent(Fraction(8)), exponent(Fraction(1, 8))
    (3, -3)
    """
    return value.numerator.bit_length() - value.denominator.bit_length()


def dyadic_below(exponent_quarters: int) -> Fraction:
    """Return a dyadic of 12 bits that is at most, and almost, 2**(exponent_quarters / 4).

    >>> dyadic_below(-8), dyadic_below(2)
    (Fraction(1, 4), Fraction(181, 128))
    """
    whole, quarters = divmod(exponent_quarters, 4)
    mantissa = math.isqrt(math.isqrt(2**quarters << 28))
    return Fraction(mantissa, 1 << 7) * Fraction(2) ** whole


def _to_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _decimal(value: Fraction, rounding: str) -> str:
    """Divide exactly and round once (a Decimal made from an integer is exact, whatever the context)."""
    return str(
        Context(prec=_DIGITS, rounding=rounding, Emin=-999_999, Emax=999_999).divide(Decimal(value.numerator), Decimal(value.denominator))
    )


def dyadic_radius(radius: Fraction | str | float) -> Fraction:
    """Return the least dyadic of 53 bits that is at least ``radius``, so that what is proved covers what was asked.

    **Raises:** Malformed for what is not a positive number.

    >>> dyadic_radius("1/1024"), dyadic_radius("1e-3") >= Fraction(1, 1000)
    (Fraction(1, 1024), True)
    """
    value = _number(radius)
    if value is None or value <= 0:
        raise Malformed(where="radius", law="a positive radius", expected="a number > 0", got=str(radius))
    scale = Fraction(2) ** (53 - exponent(value))
    return Fraction(math.ceil(value * scale)) / scale


def _number(value: Fraction | str | float) -> Fraction | None:
    if isinstance(value, str):
        from verify.formats.exact import read_exact

        return read_exact(value, "radius")
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        return Fraction(value)
    except (TypeError, ValueError):
        return None
