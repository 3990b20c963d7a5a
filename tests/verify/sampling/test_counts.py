"""Counts of a cell hold together, and open networks count in "at most" only."""

from __future__ import annotations

import pytest

from proofs.errors import Malformed
from verify.sampling.counts import CellCounts
from verify.sampling.families import Cell

CELL = Cell("theory", 8, 4.0)


def test_successes() -> None:
    counts = CellCounts(
        CELL, 10, chaotic=3, ordered=4, ordered_by_bound=1, undecided=2, period_2=5, period_3=2, period_2_open=1, period_3_open=3
    )
    assert counts.successes("chaotic") == (3, 5, 10)
    assert counts.successes("undecided") == (2, 2, 10)
    assert counts.successes("period_2") == (5, 6, 10)
    assert counts.successes("period_3") == (2, 5, 10)
    with pytest.raises(
        Malformed, match="a class that is counted\n  expected  chaotic, undecided, period_2 or period_3\n  got       'ordered'"
    ):
        counts.successes("ordered")


@pytest.mark.parametrize(
    ("numbers", "law"),
    [
        ({"chaotic": 3}, "the classes add up to the total"),
        ({"ordered": 11, "chaotic": -1}, "counts are whole numbers >= 0"),
        ({"ordered": 10, "period_2": 9, "period_2_open": 2}, "period_2 + period_2_open <= total"),
        ({"ordered": 10, "period_3": 9, "period_3_open": 2}, "period_3 + period_3_open <= total"),
    ],
)
def test_counts_that_do_not_hold_together_are_refused(numbers: dict[str, int], law: str) -> None:
    with pytest.raises(Malformed) as error:
        CellCounts(CELL, 10, **numbers)
    assert error.value.law == law
    assert error.value.where.startswith("counts of the cell Cell(family='theory'")
