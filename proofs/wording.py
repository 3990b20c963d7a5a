"""How claims put numbers into words: short, and rounded on the side that keeps the sentence true."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.functions import log
from proofs.grammar import shown

if TYPE_CHECKING:
    from proofs.piecewise import Span

_DECIMALS = 6
_MILLION = 1_000_000
LOG_BITS = 64
_MOST_DECIMALS = 40
_LONG = 60


def span_text(span: Span) -> str:
    """Show an interval; infinite ends are open."""
    low, high = span
    return f"{'(-inf' if low is None else f'[{decimal(low)}'}, {'inf)' if high is None else f'{decimal(high)}]'}"


def a_cycle(period: int) -> str:
    """Name a cycle by its least period."""
    return "a fixed point" if period == 1 else f"a cycle of least period {period}"


def count_text(number: int, noun: str, plural: str) -> str:
    """Show a number with its noun."""
    return f"{number} {noun if number == 1 else plural}"


def multiplier_text(inside: int, outside: int) -> str:
    """Say how many multipliers are where."""
    return f"multipliers: {inside} inside and {outside} outside the unit circle, none on it"


def point_text(entries: tuple[Fraction, ...]) -> str:
    """Show the first three coordinates."""
    shown = [decimal(entry) for entry in entries[:3]]
    return f"({', '.join(shown)}{', ...' if len(entries) > len(shown) else ''})"


def decimal(value: Fraction) -> str:
    """Show a short number exactly and a long one to six decimals, marked with ~."""
    text = shown(value)
    return text if len(text) <= 2 * _DECIMALS else f"~{_fixed(_rounded(value, nearest=True))}"


def decimal_up(value: Fraction) -> str:
    """Show a decimal power of ten, or a short number, that is not below ``value``."""
    if value == 0 or len(shown(value)) <= _DECIMALS:
        return shown(value)
    if value >= _MILLION:
        return f"2^{value.numerator.bit_length() - value.denominator.bit_length() + 1}"
    power = max(0, (value.denominator.bit_length() - value.numerator.bit_length() - 1) * 3 // 10)
    while power and Fraction(1, 10**power) < value:
        power -= 1
    return f"1e-{power}" if power else _fixed(_rounded(value) + 1)


def levels_text(rates: tuple[Fraction, ...], counts: tuple[int, ...], total: int) -> str:
    """Say how many of ``total`` exponents lie below, between and above the logarithms of the rates, ``counts`` below each."""
    parts = [(counts[0], f"below {log_up(rates[0])}")]
    for (low, below), (high, count) in pairwise(zip(rates, counts, strict=True)):
        parts.append((count - below, f"between {log_down(low)} and {log_up(high)}"))
    parts.append((total - counts[-1], f"above {log_down(rates[-1])}"))
    return ", ".join(f"{count} {where}" for count, where in parts if count)


def over_iterate(iterate: int) -> str:
    """Show the division by an iterate, if there is one."""
    return "" if iterate == 1 else f"/{iterate}"


def log_down(rate: Fraction, iterate: int = 1) -> str:
    """Show log(rate) / iterate rounded down."""
    return shown_down(log(rate, LOG_BITS).lo / iterate)


def log_up(rate: Fraction, iterate: int = 1) -> str:
    """Show log(rate) / iterate rounded up."""
    return shown_up(log(rate, LOG_BITS).hi / iterate)


def shown_down(value: Fraction) -> str:
    """Show a number rounded down to six decimals."""
    return _fixed(_rounded(value))


def shown_up(value: Fraction) -> str:
    """Show a number rounded up to six decimals."""
    return _fixed(-_rounded(-value))


def _rounded(value: Fraction, *, nearest: bool = False) -> int:
    scaled = value * _MILLION + (Fraction(1, 2) if nearest else Fraction(0))
    return scaled.numerator // scaled.denominator


def _fixed(millionths: int) -> str:
    whole, rest = divmod(abs(millionths), _MILLION)
    if whole.bit_length() > LOG_BITS:
        return f"{'-' if millionths < 0 else ''}2^{whole.bit_length() - (millionths >= 0)} (a power of two near it)"
    return f"{'-' if millionths < 0 else ''}{whole}.{rest:0{_DECIMALS}d}"


def enclosure_text(low: Fraction, high: Fraction) -> str:
    """Show where a number lies: a range rounded outward, with as many decimals as its width asks for."""
    return f"[{_end(low, high - low, up=False)}, {_end(high, high - low, up=True)}]"


def range_text(low: Fraction, high: Fraction) -> str:
    """Show the range for all of which something holds, rounded inward."""
    return f"[{_end(low, high - low, up=True)}, {_end(high, high - low, up=False)}]"


def _end(value: Fraction, width: Fraction, *, up: bool) -> str:
    places = _DECIMALS
    while width and Fraction(1, 10**places) > width / 4 and places < _MOST_DECIMALS:
        places += 1
    exact = shown(value)
    short = len(exact) <= 2 * _DECIMALS or (width and Fraction(1, 10**places) > width / 4)
    return exact if short else _places(value, places, up=up)


def word_text(word: tuple[str, ...]) -> str:
    """Show an itinerary, cut in the middle where it is long."""
    text = " ".join(word)
    return f'"{text}"' if len(text) <= _LONG else f'"{text[: _LONG // 2]} .. {text[-_LONG // 4 :]}" ({len(word)} patterns)'


def _places(value: Fraction, places: int, *, up: bool = False) -> str:
    scaled = value * 10**places
    number = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    whole, rest = divmod(abs(number), 10**places)
    if whole.bit_length() > LOG_BITS:
        return _fixed(number * _MILLION // 10**places)
    return f"{'-' if number < 0 else ''}{whole}.{rest:0{places}d}"
