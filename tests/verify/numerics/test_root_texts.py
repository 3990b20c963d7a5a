"""Exact positions of events as text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from verify.loading import load
from verify.numerics.root_texts import ClosedForms, root_text
from verify.paths import vary

Q = Fraction


@pytest.mark.parametrize(
    ("coefficients", "ends", "expected"),
    [
        ([41, 85], (Q(-1), Q(0)), "-41/85"),
        ([-2, 0, 1], (Q(1), Q(2)), "sqrt(2)"),
        ([-2, 0, 1], (Q(-2), Q(-1)), "-sqrt(2)"),
        ([-1, -1, 1], (Q(1), Q(2)), "(1 + sqrt(5))/2"),
        ([-1, -1, 1], (Q(-1), Q(0)), "(1 - sqrt(5))/2"),
        ([1, -6, 4], (Q(0), Q(1)), "(3 - sqrt(5))/4"),
        ([-1, 0, 12], (Q(0), Q(1)), "sqrt(3)/6"),
        ([5, 0, 0, -1, 2], (Q(0), Q(1)), "root of 2*x^4 - x^3 + 5 in x = mu"),
    ],
)
def test_roots(coefficients: list[int], ends: tuple[Fraction, Fraction], expected: str) -> None:
    assert root_text(coefficients, ends, "mu") == expected


def test_events_of_the_skew_tent() -> None:
    tent = load({"A": ["1/5"], "W": [["-3"]], "h": [1]}, "plrnn")
    forms = ClosedForms(vary(tent, "W[0,0]=-6:2"))
    assert forms.of("flip", ("1",), (None, None), (Q(-2), Q(0))) == "-6/5"
    assert forms.of("to_infinity", ("1",), (None, None), (Q(0), Q(1))) == "4/5"
    assert forms.of("border_collision", ("0", "1"), (1, 1), (Q(-2), Q(-1))) == "-6/5"
    assert forms.of("flip", ("1",), (None, None), (Q(0), Q(2))) is None  # no such event there
    assert forms.of("flip", ("1",) * 200 + ("0",), (None, None), (Q(-2), Q(0))) is None  # of too high a degree
