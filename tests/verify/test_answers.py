"""The answers as data: every enclosure encloses, every bound is on its side, index sums are sums."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Interval
from tests.verify.command import CONTRACTION, TENT, lozi
from verify.answers import CycleEntry, CycleList, plain_numbers
from verify.certification import Effort, certify, cycles
from verify.errors import NotFound
from verify.rounding import decimal_pair, float_above, float_below

QUICK = Effort(budget_seconds=5)


def entry(period: int, signs: tuple[int, int] | None) -> CycleEntry:
    return CycleEntry(period, None, (), None, None, None, None, None, signs, "", "")


def listed(*entries: CycleEntry, up_to: int = 4) -> CycleList:
    return CycleList("Proved", {}, entries, complete=False, complete_up_to=0, up_to=up_to, residual=(), unresolved=(), effort={})


@given(st.fractions(), st.fractions())
def test_decimal_pairs_enclose(x: Fraction, y: Fraction) -> None:
    low, high = decimal_pair(Interval(min(x, y), max(x, y)))
    assert Fraction(low) <= min(x, y) <= max(x, y) <= Fraction(high)


@given(st.fractions())
def test_floats_are_on_their_side(x: Fraction) -> None:
    assert Fraction(float_below(x)) <= x <= Fraction(float_above(x))


def test_numbers_beyond_the_floats() -> None:
    huge = Fraction(10) ** 400
    assert float_below(huge) < float("inf") == float_above(huge)
    assert float_above(-huge) > float("-inf") == float_below(-huge)
    low, high = decimal_pair(Interval(1 / huge, huge))
    assert Fraction(low) <= 1 / huge
    assert huge <= Fraction(high)


def test_dyadics_are_spelled_as_quotients() -> None:
    content = {"radius": "1p-30", "itinerary": ["01", "10"], "points": [["-3p-2", "5", "1/3", "8p-1"]], "inside": 2, "bound": None}
    expected = {"radius": "1/1073741824", "itinerary": ["01", "10"], "points": [["-3/4", "5", "1/3", "4"]], "inside": 2, "bound": None}
    assert plain_numbers(content) == expected


def test_index_sums() -> None:
    """A fixed point counts once at every k, a 2-cycle twice at even k; at even multiples the sign of det(I + P) joins in."""
    answer = listed(entry(1, (-1, 1)), entry(1, (1, -1)), entry(2, (1, 1)))
    assert answer.index_sum == {1: 0, 2: -1 - 1 + 2, 3: 0, 4: 0}
    assert answer.cycles_by_least_period == {1: 2, 2: 1}
    assert listed(entry(1, (1, 0)), up_to=3).index_sum == {1: 1, 2: None, 3: 1}
    assert listed(entry(2, None)).index_sum == {1: 0, 2: None, 3: 0, 4: None}


def test_lozi_has_index_zero_at_every_period() -> None:
    assert set(cycles(lozi(), 8, effort=Effort(budget_seconds=60)).index_sum.values()) == {0}


@pytest.mark.usefixtures("few_paths")
def test_answers_are_json() -> None:
    for net in (TENT, CONTRACTION, lozi()):
        listing = cycles(net, 3, effort=QUICK)
        answer = certify(net, effort=QUICK)
        for content in (listing.as_json(), answer.as_json()):
            assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_not_found_is_a_letter() -> None:
    answer = certify(lozi("1"), "chaos", effort=QUICK)
    assert isinstance(answer, NotFound)
    assert answer.as_json().keys() == {"verdict", "where", "law", "expected", "got", "remedy"}
    assert str(answer).startswith("NotFound at arrays, certify --claim chaos\n  expected  a proof\n")
