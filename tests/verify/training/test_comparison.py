"""Tables, tests and intervals over tracked runs, against scipy's own and counts by hand."""

from __future__ import annotations

from itertools import product
from math import isnan

import numpy as np
import pytest
from scipy import stats

from proofs.errors import Malformed
from tests.verify.training.tracked import event, tracking
from verify.training.comparison import Table, compare, paired, shifted_p_value, table_of

RUN = tracking((1.0, 3.0, 3.0, 9.0, 9.0), [[event()], [event("flip")], [], []])


def test_table_counts_segments() -> None:
    assert table_of([RUN, RUN]) == Table(2, 2, 2, 2)
    assert table_of([RUN], ["flip"]) == Table(0, 2, 1, 1)
    assert table_of([tracking((None, 1.0), [[event()]])]).total == 0


def test_fishers_p_value() -> None:
    table = Table(9, 1, 40, 150)
    assert table.p_value == stats.fisher_exact(np.array([[9, 1], [40, 150]]))[1]
    low, high = table.share_with_event(jump=True)
    interval = stats.binomtest(9, 10).proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert table.statement().startswith("9 of 10 segments with a jump have an event (95 % 0.55 to 1.00), 40 of 190 without (0.15 to 0.28)")


@pytest.mark.parametrize("differences", [[1, 2, 3, -4, 5], [1, 1, -1, 2, 3, 0], [0, 0, 2, 2, 2, 2], [-1, -1, -1, -1, -1, -1]])
def test_signed_ranks_are_exact(differences: list[float]) -> None:
    """Against all signs of the ranks, one by one."""
    found = paired("x", [0.0] * len(differences), differences)
    kept = np.array([value for value in differences if value])
    ranks = stats.rankdata(np.abs(kept))
    true = ranks[kept > 0].sum()
    sums = np.array([np.dot(ranks, signs) for signs in product((0, 1), repeat=len(kept))])
    exact = min(1.0, 2 * min((sums <= true + 1e-9).mean(), (sums >= true - 1e-9).mean()))
    assert found.p_value == pytest.approx(exact)
    assert found.difference == pytest.approx(np.mean(differences))
    assert found.interval[0] <= found.difference <= found.interval[1]


def test_equal_pairs_have_no_p_value() -> None:
    found = paired("events", [1.0, 2.0], [1.0, 2.0])
    assert isnan(found.p_value)
    assert not found.decided
    assert found.statement() == "events: mean 1.5 and 1.5, difference +0 (95 % bootstrap +0 to +0; all pairs equal)"


@pytest.mark.parametrize(("one", "two"), [([1.0], [2.0]), ([1.0, 2.0], [1.0]), ([1.0, float("nan")], [1.0, 2.0])])
def test_what_are_no_pairs_is_refused(one: list[float], two: list[float]) -> None:
    with pytest.raises(Malformed) as caught:
        paired("jumps", one, two)
    assert (caught.value.where, caught.value.law) == ("comparison of jumps", "pairs of runs")


def test_runs_are_compared_by_type() -> None:
    calm = tracking((1.0, 1.0, 1.0), [[], [event("flip")]])
    rows = compare([RUN, RUN], [calm, RUN], ["flip", "border_collision"])
    assert [row.what for row in rows] == ["events, flip", "events, border_collision", "events, all types", "jumps of the loss"]
    assert [row.two for row in rows] == [(1.0, 1.0), (0.0, 1.0), (1.0, 2.0), (0.0, 2.0)]


def test_cyclic_shifts() -> None:
    apart = tracking((1.0, 3.0, *[3.0] * 8), [[event()], *[[]] * 8])
    assert shifted_p_value([apart]) == pytest.approx(1 / 9, abs=0.02)
    assert shifted_p_value([apart, apart]) == pytest.approx(1 / 81, abs=0.005)
    always = tracking((1.0, 3.0, 3.0), [[event()], [event()]])
    assert shifted_p_value([always]) == 1.0
