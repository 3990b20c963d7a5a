"""Dyadic enclosures of exp, tanh, sigmoid and log at rational points, with the remainder proved beside the sum.

All work is in integers over 2**w. A sum of floors lies below the value, a sum of ceilings plus the remainder lies above it.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from proofs.arithmetic import Interval

_GUARD = 16
_ONE = Fraction(1)
_TWO_THIRDS, _FOUR_THIRDS = Fraction(2, 3), Fraction(4, 3)


def exp(x: Fraction, bits: int) -> Interval:
    """Enclose e**x.

    **Guarantee:** enclosure; relative width about 2**-bits. **Cost:** grows with |x|; callers keep |x| small.
    Taylor at t = x / 2**k in [0, 1/2], where the terms from n on sum to at most 2 t**n / n!; then k squarings. Some more halvings than
    needed save terms.
    """
    if x < 0:
        inverse = exp(-x, bits)
        return Interval(1 / inverse.hi, 1 / inverse.lo)
    halvings = (2 * x.numerator // x.denominator).bit_length() + isqrt(bits) // 2
    w = bits + 2 * halvings + _GUARD + (3 * x.numerator // (2 * x.denominator))
    scaled = x * (1 << w) / (1 << halvings)
    low_t, high_t = scaled.numerator // scaled.denominator, -(-scaled.numerator // scaled.denominator)
    low_sum = high_sum = low_term = high_term = 1 << w
    n = 0
    while high_term > 1:
        n += 1
        low_term = (low_term * low_t >> w) // n
        high_term = _up(_shifted(high_term * high_t, w), n)
        low_sum += low_term
        high_sum += high_term
    high_sum += 2 * high_term
    for _ in range(halvings):
        low_sum = low_sum * low_sum >> w
        high_sum = _shifted(high_sum * high_sum, w)
    return Interval(Fraction(low_sum, 1 << w), Fraction(high_sum, 1 << w))


def tanh(x: Interval, bits: int) -> Interval:
    """Enclose the range of tanh over ``x`` by its values at the two ends (tanh increases)."""
    return Interval(_tanh(x.lo, bits).lo, _tanh(x.hi, bits).hi)


def sigmoid(x: Interval, bits: int) -> Interval:
    """Enclose the range of 1 / (1 + e**-x) = (1 + tanh(x/2)) / 2 over ``x``."""
    half = tanh(Interval(x.lo / 2, x.hi / 2), bits)
    return Interval((1 + half.lo) / 2, (1 + half.hi) / 2)


def tanh_slope(value: Interval) -> Interval:
    """Enclose tanh' = 1 - tanh**2 where tanh takes values in ``value``."""
    squares = (value.lo * value.lo, value.hi * value.hi)
    least = Fraction(0) if value.lo <= 0 <= value.hi else min(squares)
    return Interval(max(Fraction(0), 1 - max(squares)), 1 - least)


def sigmoid_slope(value: Interval) -> Interval:
    """Enclose s' = s (1 - s) = (1 - (2s - 1)**2) / 4 where s takes values in ``value``."""
    doubled = tanh_slope(Interval(2 * value.lo - 1, 2 * value.hi - 1))
    return Interval(doubled.lo / 4, doubled.hi / 4)


def log(x: Fraction, bits: int) -> Interval:
    """Enclose the natural logarithm of x > 0.

    **Guarantee:** enclosure. x = m 2**e with 2/3 <= m <= 4/3 and log x = e log 2 + 2 artanh((m-1)/(m+1)), log 2 = 2 artanh(1/3).
    **Raises:** ValueError for x <= 0.
    """
    if x <= 0:
        message = f"log of {x}, which is not positive"
        raise ValueError(message)
    power = x.numerator.bit_length() - x.denominator.bit_length()
    m = x / (1 << power) if power >= 0 else x * (1 << -power)
    while m > _FOUR_THIRDS:
        m, power = m / 2, power + 1
    while m < _TWO_THIRDS:
        m, power = m * 2, power - 1
    w = bits + _GUARD + abs(power).bit_length()
    two, rest = _artanh(Fraction(1, 3), w), _artanh((m - 1) / (m + 1), w)
    ends = (2 * power * two.lo, 2 * power * two.hi)
    return Interval(min(ends) + 2 * rest.lo, max(ends) + 2 * rest.hi)


def _tanh(x: Fraction, bits: int) -> Interval:
    if x < 0:
        mirrored = _tanh(-x, bits)
        return Interval(-mirrored.hi, -mirrored.lo)
    if x > bits:
        return Interval(1 - Fraction(2, 1 << (2 * bits)), _ONE)
    squared = exp(2 * x, bits + _GUARD)
    return _outward(Interval(1 - 2 / (squared.lo + 1), 1 - 2 / (squared.hi + 1)), bits + _GUARD)


def _artanh(t: Fraction, w: int) -> Interval:
    """Enclose artanh t for |t| <= 1/3: the terms from t**n / n on sum to at most 9/8 |t|**n / n."""
    if t < 0:
        mirrored = _artanh(-t, w)
        return Interval(-mirrored.hi, -mirrored.lo)
    low_t, high_t = (t.numerator << w) // t.denominator, -((-t.numerator << w) // t.denominator)
    low_power, high_power, low_sum, high_sum, n = low_t, high_t, low_t, high_t, 1
    while high_power > 1:
        n += 2
        low_power = (low_power * low_t >> w) * low_t >> w
        high_power = _shifted(_shifted(high_power * high_t, w) * high_t, w)
        low_sum += low_power // n
        high_sum += _up(high_power, n)
    return Interval(Fraction(low_sum, 1 << w), Fraction(high_sum + 2 * high_power, 1 << w))


def _up(value: int, divisor: int) -> int:
    """Divide and round up."""
    return -(-value // divisor)


def _shifted(value: int, bits: int) -> int:
    """Divide by 2**bits and round up."""
    return -(-value >> bits)


def _outward(x: Interval, bits: int) -> Interval:
    low, high = x.lo * (1 << bits), x.hi * (1 << bits)
    return Interval(Fraction(low.numerator // low.denominator, 1 << bits), Fraction(-(-high.numerator // high.denominator), 1 << bits))
