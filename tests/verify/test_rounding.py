"""Decimals on a stated side, however many digits they have."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.rounding import fixed_above, fixed_below


@given(st.fractions(max_denominator=10**12), st.integers(-(10**40), 10**40), st.integers(0, 60))
def test_fixed_decimals_lie_on_their_side_and_near(part: Fraction, whole: int, places: int) -> None:
    value, unit = part + whole, Fraction(1, 10**places)
    assert value - unit < Fraction(fixed_below(value, places)) <= value <= Fraction(fixed_above(value, places)) < value + unit


@pytest.mark.parametrize(
    ("value", "places", "told"),
    [(Fraction(0), 8, "0.00000000"), (Fraction(-1, 3), 0, "-1"), (Fraction(-1, 3), 2, "-0.34"), (Fraction(10**30), 1, f"1{'0' * 30}.0")],
)
def test_they_are_spelled_without_exponents(value: Fraction, places: int, told: str) -> None:
    assert fixed_below(value, places) == told


def test_more_digits_than_a_context_holds() -> None:
    assert fixed_below(Fraction(2, 3), 40) == f"0.{'6' * 40}"
    assert fixed_above(Fraction(2, 3), 40) == f"0.{'6' * 39}7"
