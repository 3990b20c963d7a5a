"""exp, tanh, sigmoid and log against mpmath's multiple-precision values, and against identities that need no library."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Interval
from proofs.functions import exp, log, sigmoid, sigmoid_slope, tanh, tanh_slope
from tests.laws.strategies import intervals, rationals

DIGITS = 400
SLACK = Fraction(1, 10**350)
bits = st.sampled_from([8, 9, 24, 53, 64, 200])
dyadic = st.builds(lambda n, p: Fraction(n, 1 << p), st.integers(-(2**60), 2**60), st.integers(56, 200))
moderate = st.fractions(-30, 30, max_denominator=10**6) | dyadic


def reference(name: str, x: Fraction) -> Fraction:
    """Evaluate with 400 digits and return the value as a rational."""
    with mpmath.workdps(DIGITS):
        argument = mpmath.mpf(x.numerator) / x.denominator
        value = 1 / (1 + mpmath.exp(-argument)) if name == "sigmoid" else getattr(mpmath, name)(argument)
        sign, mantissa, exponent, _ = mpmath.mpf(value)._mpf_
        size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
        return -size if sign else size


def holds(outer: Interval, value: Fraction) -> bool:
    """Say whether the reference value lies inside, up to the reference's own error."""
    slack = SLACK * (1 + abs(value))
    return outer.lo - slack <= value <= outer.hi + slack


@given(moderate, bits)
def test_exp(x: Fraction, precision: int) -> None:
    value = exp(x, precision)
    assert value.lo > 0
    assert holds(value, reference("exp", x))
    assert value.hi - value.lo <= 16 * value.hi / 2**precision


@given(moderate | rationals, bits)
def test_tanh_and_sigmoid(x: Fraction, precision: int) -> None:
    for name, curve in (("tanh", tanh), ("sigmoid", sigmoid)):
        point = curve(Interval(x, x), precision)
        if abs(x) <= 300:
            assert holds(point, reference(name, x))
        assert -1 <= point.lo <= point.hi <= 1
        assert point.hi - point.lo <= Fraction(4, 2**precision)
    assert tanh(Interval(-x, -x), precision).lo == -tanh(Interval(x, x), precision).hi


@given(moderate.filter(lambda x: x > 0) | rationals.map(lambda x: abs(x) + Fraction(1, 2**300)), bits)
def test_log(x: Fraction, precision: int) -> None:
    value = log(x, precision)
    assert holds(value, reference("log", x))
    assert value.hi - value.lo <= Fraction(1, 2**precision)


@given(intervals(), bits)
def test_ranges_over_intervals(pair: tuple[Interval, Fraction], precision: int) -> None:
    box, x = pair
    for name, curve, slope in (("tanh", tanh, tanh_slope), ("sigmoid", sigmoid, sigmoid_slope)):
        image = curve(box, precision)
        if abs(x) > 300:
            continue
        value = reference(name, x)
        derivative = 1 - value * value if name == "tanh" else value * (1 - value)
        assert holds(image, value)
        assert holds(slope(image), derivative)
        assert 0 <= slope(image).lo <= slope(image).hi <= 1


@given(st.fractions(-20, 20, max_denominator=99), st.fractions(-20, 20, max_denominator=99), bits)
def test_identities(x: Fraction, y: Fraction, precision: int) -> None:
    one, two, both = exp(x, precision), exp(y, precision), exp(x + y, precision)
    assert not both.apart(Interval(one.lo * two.lo, one.hi * two.hi))
    low, high = log(one.lo, precision), log(one.hi, precision)
    assert low.lo <= x <= high.hi


@pytest.mark.parametrize("x", [*map(Fraction, ("1", "2", "1/2", "4/3", "2/3")), Fraction(2) ** 5000, Fraction(2) ** -5000])
def test_log_at_the_edges_of_its_reduction(x: Fraction) -> None:
    for nudge in (Fraction(0), Fraction(1, 2**90), Fraction(-1, 2**90)):
        point = x * (1 + nudge)
        assert holds(log(point, 64), reference("log", point))


@pytest.mark.parametrize("x", [Fraction(n, 2) + Fraction(nudge, 2**90) for n in range(9) for nudge in (-1, 0, 1)])
def test_exp_at_the_edges_of_its_halvings(x: Fraction) -> None:
    assert holds(exp(x, 64), reference("exp", x))


def test_exact_points() -> None:
    zero = Interval(Fraction(0), Fraction(0))
    assert exp(Fraction(0), 64).lo <= 1 <= exp(Fraction(0), 64).hi
    assert log(Fraction(1), 64).lo <= 0 <= log(Fraction(1), 64).hi
    assert tanh(zero, 64).lo <= 0 <= tanh(zero, 64).hi
    assert sigmoid(zero, 64).lo <= Fraction(1, 2) <= sigmoid(zero, 64).hi
    assert tanh(Interval(Fraction(-(10**9)), Fraction(10**9)), 8) == Interval(Fraction(-1), Fraction(1))


@pytest.mark.parametrize("x", [Fraction(0), Fraction(-1)])
def test_no_logarithm_of_what_is_not_positive(x: Fraction) -> None:
    with pytest.raises(ValueError, match=f"log of {x}, which is not positive"):
        log(x, 64)
