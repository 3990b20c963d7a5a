"""Networks without chaos never get a chaos certificate: some of every family of ``orderly.py``, and maps that are as close as can be."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.known.orderly import FAMILIES, Case, attempt, cases, lozi_region, pressed, words_do_not_grow
from tests.known.plane_maps import lozi
from tests.verify.command import lozi as lozi_file
from verify.candidates import Covering
from verify.search.horseshoe import find_horseshoe

JOB, FINDERS = 0.01, 0.02  # shares of the 1,100 networks of the benchmark that are put to the whole job, and to the finders alone
BUDGET = 0.1
Q = Fraction


@pytest.fixture(scope="module")
def offered() -> list[Covering]:
    """Return covering graphs of two chaotic Lozi maps."""
    found = [find_horseshoe(lozi(a, b)).covering for a, b in (("17/10", "1/2"), ("9/5", "2/5"))]
    return [covering for covering in found if covering is not None]


@pytest.mark.parametrize("family", range(len(FAMILIES)), ids=[draw.__name__ for draw, _ in FAMILIES])
def test_no_family_has_any(family: int, offered: list[Covering]) -> None:
    assert len(offered) == 2
    for _, case in cases(JOB, seed=1, only=[family]):
        assert attempt(case, BUDGET, offered).chaos == [], case
    for _, case in cases(FINDERS, seed=2, only=[family]):
        assert pressed(case, BUDGET, offered) == [], case


@pytest.mark.parametrize(("a", "b"), [("1", "1/2"), ("6/5", "1/2"), ("1", "1/5"), ("1/2", "1/2"), ("3/2", "1/2")])
def test_lozi_beside_an_attracting_cycle_or_a_segment_of_them(a: str, b: str, offered: list[Covering]) -> None:
    """At (1/2, 1/2) a multiplier is -1, at (3/2, 1/2) points of a segment have period 4."""
    assert pressed(Case("Lozi", lozi_file(a, b), ""), BUDGET, offered) == []


@pytest.mark.parametrize(("a", "b", "apart"), [("1", "1/2", True), ("6/5", "1/2", True), ("17/10", "1/2", False), ("7/5", "3/10", False)])
def test_the_words_say_where_there_is_none(a: str, b: str, apart: bool) -> None:
    assert words_do_not_grow(lozi(a, b), lozi_region(Q(a), Q(b))) == apart


def test_the_maps_offered_are_seen_through_by_nothing_but_themselves(offered: list[Covering]) -> None:
    """What is offered to the ordered networks does prove chaos where it comes from."""
    for covering, (a, b) in zip(offered, (("17/10", "1/2"), ("9/5", "2/5")), strict=True):
        assert pressed(Case("Lozi", lozi_file(a, b), ""), 0.0, [covering]) != []
