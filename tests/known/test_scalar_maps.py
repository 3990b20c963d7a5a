"""Scalar maps whose answers are known in closed form."""

from __future__ import annotations

from fractions import Fraction
from math import log
from typing import TypeVar

import pytest

from proofs.claims import AllCycles, EntropyUpper, ForcedPeriods, LiYorke, NoOddPeriod, Order
from proofs.network import Network
from tests.known.maps import layered, tent
from verify.certification.draft import Draft
from verify.certification.scalar import ScalarReport, prove_scalar

Q = Fraction
Kind = TypeVar("Kind")


def proved(network: Network, *, period: int | None = None) -> ScalarReport:
    """Run the decision and check its certificate."""
    draft = Draft(network)
    report = prove_scalar(draft, period=period)
    draft.finish(report.claims)
    return report


def claims(report: ScalarReport, kind: type[Kind]) -> list[Kind]:
    return [claim for claim in report.claims if isinstance(claim, kind)]


# slope, the strongest period in Sharkovskii's order, the odd period that the slope excludes
TENTS = [
    ("2", 3, None),
    ("1.9", 3, None),
    ("1.62", 3, None),
    ("1.61", 5, 3),
    ("1.52", 5, 3),
    ("1.51", 7, 5),
    ("1.3", 6, 999),
    ("1.05", 56, 999),
    pytest.param("1.01", 192, 999, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("slope", "period", "excluded"), TENTS)
def test_tent(slope: str, period: int, excluded: int | None) -> None:
    report = proved(tent(slope))
    lower, upper = map(float, report.entropy or (0, 0))
    exact = log(Q(slope))
    assert report.decision == "chaotic"
    assert claims(report, ForcedPeriods) == [ForcedPeriods(period)]
    assert [claim.period for claim in claims(report, NoOddPeriod)] == ([] if excluded is None else [excluded])
    assert claims(report, EntropyUpper) == [EntropyUpper(Q(slope), 1)]
    assert 0.999 * exact <= lower <= exact + 1e-15
    assert exact - 1e-15 <= upper <= exact + 1e-12
    assert bool(claims(report, LiYorke)) == (period == 3)
    assert report.undecided == ()


def test_tent_of_slope_two_has_radius_one_28th() -> None:
    assert claims(proved(tent(2)), LiYorke) == [LiYorke(Q(1, 4), Q(1, 28))]


@pytest.mark.parametrize(("slope", "threes", "fives"), [("1.61", 0, 2), ("1.62", 2, 2), ("1.51", 0, 0), ("1.52", 0, 2)])
def test_tents_near_the_thresholds(slope: str, threes: int, fives: int) -> None:
    (listed,) = claims(proved(tent(slope), period=5), AllCycles)
    counts = [sum(cycle.period == k for cycle in listed.cycles) for k in (3, 5)]
    assert (counts[0], min(counts[1], 2)) == (threes, fives)


def test_near_tent_of_the_notebook() -> None:
    report = proved(layered((1, 1), (1e-5, -0.502), (1.9999, -4)), period=3)
    (listed,) = claims(report, AllCycles)
    threes = sorted(min(float(point[0]) for point in cycle.points) for cycle in listed.cycles if cycle.period == 3)
    assert report.decision == "chaotic"
    assert threes == pytest.approx([0.22311, 0.286861], abs=1e-6)
    assert report.entropy is not None
    assert report.entropy[1] - report.entropy[0] < Q(1, 100)


def test_the_notebook_map_called_period_three_is_ordered() -> None:
    report = proved(layered((-1.86269852, 0.3760235), (0.82744154, -0.81030444), (0.7913013, -1.00714872)))
    (listed,) = claims(report, AllCycles)
    fixed, two = listed.cycles
    assert (report.decision, claims(report, Order)[0].exponent) == ("ordered", 1)
    assert float(fixed.points[0][0]) == pytest.approx(0.264659, abs=1e-6)
    assert sorted(float(point[0]) for point in two.points) == pytest.approx([0, 0.6547556], abs=1e-6)


def test_large_lipschitz_constant_without_chaos() -> None:
    weights = (".8", "-1.5", "5", "-9", "11", "-8.4")
    report = proved(layered((1,) * 6, ("0", "-.2", "-.4", "-.5", "-.6", "-.7"), weights, 0, "relu"))
    (listed,) = claims(report, AllCycles)
    assert (report.decision, claims(report, Order)) == ("ordered", [Order(0)])
    assert [cycle.points for cycle in listed.cycles] == [((Q(0),),)]


def test_two_abs_x_plus_one_is_ordered() -> None:
    report = proved(layered((1, -1), (0, 0), (2, 2), 1))
    assert (report.decision, claims(report, AllCycles)[0].cycles) == ("ordered", ())


def test_golden_mean_from_below_and_above() -> None:
    below, above = Q("1.6180339887"), Q("1.6180339888")
    assert claims(proved(tent(below)), ForcedPeriods) == [ForcedPeriods(5)]
    assert claims(proved(tent(above)), ForcedPeriods) == [ForcedPeriods(3)]
