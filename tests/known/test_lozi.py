"""Lozi's map x' = 1 - a|x| + y, y' = b x: counts, segments of periodic points, and no chaos where there is none."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.claims import EntropyLower, LiYorke, OddPeriod, ScrambledSet
from proofs.kernel import check
from tests.verify.command import lozi
from verify.answers import CycleList
from verify.certification import Effort, certify, cycles
from verify.errors import NotFound

COUNTS = (2, 1, 0, 1, 0, 4, 4, 7, 10, 12, 18, 32, 56, 78, 122, 180, 282, 439)  # at (17/10, 1/2), least period 1, 2, ...
QUICK = Effort(budget_seconds=60)


def listed(a: str, b: str, up_to: int) -> CycleList:
    answer = cycles(lozi(a, b), up_to, effort=QUICK)
    assert answer.certificate is not None
    check(answer.certificate)
    return answer


def image(a: Fraction, b: Fraction, x: Fraction, y: Fraction) -> tuple[Fraction, Fraction]:
    return 1 - a * abs(x) + y, b * x


def test_counts_to_ten() -> None:
    answer = listed("17/10", "1/2", 10)
    assert answer.cycles_by_least_period == {n: count for n, count in enumerate(COUNTS[:10], 1) if count}
    assert all(entry.label == "saddle" for entry in answer.cycles)
    assert answer.unresolved == ()


@pytest.mark.slow
def test_counts_to_fourteen() -> None:
    answer = cycles(lozi(), 14, effort=Effort(budget_seconds=60))
    assert answer.cycles_by_least_period == {n: count for n, count in enumerate(COUNTS[:14], 1) if count}


def test_the_segment_of_period_four_is_named() -> None:
    """At (3/2, 1/2) every point from (6/5, 0) to (2/5, -2/5) has period 4 but for the two cycle's own point."""
    a, b = Fraction(3, 2), Fraction(1, 2)
    for s in (Fraction(0), Fraction(1, 3), Fraction(1)):
        point = start = (Fraction(6, 5) - s * Fraction(4, 5), -s * Fraction(2, 5))
        for _ in range(4):
            point = image(a, b, *point)
        assert point == start
    answer = listed("3/2", "1/2", 4)
    assert any(text.startswith("period 4, itinerary ") and "singular" in text for text in answer.unresolved)
    assert answer.cycles_by_least_period[1] == 2
    assert answer.cycles_by_least_period[2] == 1
    assert all(entry.margin == 0 for entry in answer.cycles if entry.period == 4)  # ends of the segment, on a border
    assert not answer.complete


def test_the_segment_of_period_two_is_named() -> None:
    answer = listed("2", "-1", 2)
    assert any(text.startswith("period 2, itinerary ") and "singular" in text for text in answer.unresolved)
    assert [entry.period for entry in answer.cycles].count(1) == 1  # the left half's word is singular and infeasible
    assert all(entry.margin == 0 for entry in answer.cycles if entry.period == 2)


@pytest.mark.parametrize(("a", "b"), [("17/10", "1/2"), ("3/2", "1/2"), ("2", "-1"), ("1", "1/2")])
def test_a_fixed_point_is_no_two_cycle(a: str, b: str) -> None:
    """Each listed k-cycle returns after k steps and no sooner, decided on its enclosures."""
    for entry in listed(a, b, 4).cycles:
        first = entry.points[0]
        for point in entry.points[1:]:
            assert any(x.hi < y.lo or y.hi < x.lo for x, y in zip(first, point, strict=True))


@pytest.mark.parametrize("claim", ["auto", "chaos"])
def test_no_chaos_at_one_and_a_half(claim: str) -> None:
    answer = certify(lozi("1", "1/2"), claim, effort=Effort(budget_seconds=1))
    if claim == "chaos":
        assert isinstance(answer, NotFound)
        assert answer.decision != "chaotic"
    else:
        assert not isinstance(answer, NotFound)
        assert answer.report.decision != "chaotic"
        assert not any(isinstance(item, LiYorke | ScrambledSet | OddPeriod | EntropyLower) for item in answer.claims)


def test_the_attracting_two_cycle_at_one_and_a_half() -> None:
    answer = listed("1", "1/2", 8)
    assert answer.cycles_by_least_period == {1: 2, 2: 1}
    two = next(entry for entry in answer.cycles if entry.period == 2)
    assert (two.label, two.inside, two.outside) == ("stable", 2, 0)
    assert two.multipliers is not None
    for real, imaginary in two.multipliers:  # +- i/2
        assert real.lo <= 0 <= real.hi
        assert any(imaginary.lo <= Fraction(sign, 2) <= imaginary.hi for sign in (1, -1))
