"""False claims about exponents are found false, true ones that need no witness true."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tests.second.checker import claim_is_true
from tests.second.exponents import leaves, magnitude
from tests.second.text import Json, Refused

ACCEPTED = Path(__file__).resolve().parent.parent / "corpus" / "accepted"
TENT = {"spans": [["0", "1"]], "form": ["1"]}
PLANE = {"rank": 2, "states": 2, "low": [], "high": []}
LINE = {"symbols": [[]], "edges": [[0, 0, 0]], "low": ["-1"], "high": ["1"], "lower": None, "upper": None}
HALF_TANH = {"dimension": 1, "program": [{"op": "tanh", "of": [0]}, {"op": "affine", "of": [1], "matrices": [[["1/2"]]], "bias": ["0"]}]}
SATURATED = {
    "dimension": 2,
    "program": [{"op": "sigmoid", "of": [0]}, {"op": "affine", "of": [1], "matrices": [[["99", "0"], ["0", "99"]]], "bias": ["1", "1"]}],
}


def network(stem: str) -> Json:
    """Return the network of an accepted certificate."""
    return json.loads((ACCEPTED / f"{stem}.cert").read_bytes().partition(b"\n")[0])["network"]


@pytest.mark.parametrize(
    ("slopes", "weights", "answer"),
    [
        (["2"], ["1"], True),
        (["3"], ["1"], False),
        (["1", "2"], ["1/2", "1/2"], False),
        (["2", "1"], ["1/2", "1/2"], False),
        (["2"], ["1/2"], False),
        (["0", "2"], ["1/2", "1/2"], False),
    ],
)
def test_markov_exponent_of_the_tent(slopes: list, weights: list, answer: bool) -> None:
    claim = {"claim": "markov_exponent", **TENT, "slopes": slopes, "weights": weights}
    assert claim_is_true(network("covering_intervals-full-tent"), claim) is answer


@pytest.mark.parametrize(("spans", "slopes"), [([["0", "1/3"]], ["3"]), ([["1/7", "6/7"]], ["3"])])
def test_a_span_that_is_not_invariant_is_followed(spans: list, slopes: list) -> None:
    claim = {"claim": "markov_exponent", "spans": spans, "form": ["1"], "slopes": slopes, "weights": ["1"]}
    assert claim_is_true(network("covering_intervals-full-tent"), claim) in {False, None}


@pytest.mark.parametrize(
    ("lower", "upper", "rank", "answer"),
    [
        ("1/2", "1/2", 2, True),
        ("1/4", "1", 2, True),
        ("0", "1/4", 2, False),
        ("3/4", "1", 2, False),
        ("1/2", "1/2", 1, False),
        ("-1", "1", 2, False),
        ("1", "1/2", 2, False),
    ],
)
def test_volume_of_the_lozi_map(lower: str, upper: str, rank: int, answer: bool) -> None:
    claim = {"claim": "volume_bounds", "lower": lower, "upper": upper, **PLANE, "rank": rank}
    assert claim_is_true(network("cycle-fixed-point-exact"), claim) is answer


def test_slopes_that_vanish_bound_no_volume_from_below() -> None:
    claim = {"claim": "volume_bounds", "lower": "1/2", "upper": "1000", **PLANE, "low": ["1", "1"], "high": ["101", "101"]}
    assert claim_is_true(SATURATED, claim) is False
    assert claim_is_true(SATURATED, {**claim, "lower": "0"}) is True


@pytest.mark.parametrize(
    ("lower", "upper", "answer"),
    [(None, "6/10", True), (None, "1/4", False), ("1/8", "6/10", True), ("3/4", None, False), ("0", None, False)],
)
def test_driven_exponents(lower: str | None, upper: str | None, answer: bool) -> None:
    claim = {"claim": "driven_exponents", **LINE, "lower": lower, "upper": upper}
    assert claim_is_true(HALF_TANH, claim) is answer


def test_bounds_in_a_box_of_a_smooth_network() -> None:
    inside = {"claim": "trapping_box", "low": ["-1"], "high": ["1"]}
    claim = {"claim": "exponent_bounds", "lower": "1/8", "upper": "6/10", "inside": inside}
    assert claim_is_true(HALF_TANH, claim) is True
    assert claim_is_true(HALF_TANH, {**claim, "lower": "3/4"}) is False
    assert claim_is_true(HALF_TANH, {**claim, "upper": "1/4"}) is False


def test_driven_contraction() -> None:
    assert claim_is_true(HALF_TANH, {"claim": "driven_contraction", "rate": "1/2"}) is True
    assert claim_is_true(network("cycle-fixed-point-exact"), {"claim": "driven_contraction", "rate": "1/100"}) is False


def test_leaves_come_lower_side_first() -> None:
    zero, one, two = map(Fraction, (0, 1, 2))
    assert leaves([[0, "1"], None, None], [(zero, two)]) == [[(zero, one)], [(one, two)]]
    with pytest.raises(Refused):
        leaves([[0, "2"], None, None], [(zero, two)])


def test_determinants_of_intervals() -> None:
    near = (Fraction(9, 10), Fraction(11, 10))
    wide = (Fraction(-1), Fraction(1))
    assert magnitude([[near]]) == near
    with pytest.raises(Refused):
        magnitude([[wide, near], [near, wide]])


@pytest.mark.parametrize(("rate", "answer"), [("51/100", True), ("49/100", False)])
def test_all_orbits_have_the_exponents_of_the_fixed_point(rate: str, answer: bool) -> None:
    assert claim_is_true(HALF_TANH, {"claim": "attracted", "rate": rate}) is answer
