"""The published statistic and its numbers, recounted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.sampling.families import Batch, Cell, draw
from verify.sampling.published import AS_MEANT, AS_PUBLISHED, ROWS, Row, extra_fixed_points

COUNT = 4000


def share(row: Row, iterate: int) -> tuple[float, float]:
    """Return an interval of confidence 1 - 1e-6 for the percentage."""
    found = extra_fixed_points(draw(row.cell, 4, 0, COUNT), iterate, row.window)
    interval = stats.binomtest(int(found.sum()), COUNT).proportion_ci(1 - 1e-6)
    return 100 * interval.low, 100 * interval.high


@pytest.mark.parametrize("row", [row for row in ROWS if not row.remark], ids=lambda row: row.name)
def test_the_published_numbers_are_those_of_the_fourth_iterate(row: Row) -> None:
    low, high = share(row, AS_PUBLISHED)
    assert low < row.published < high
    assert share(row, AS_MEANT)[1] < row.published / 2


@pytest.mark.parametrize(
    ("name", "percent"),
    [("He,He | He,He,ReLU", (6.5, 7.5)), ("Glorot,Glorot | the same,ReLU", (2.3, 3.0)), ("He,U | He,U,ReLU", (9.5, 11.0))],
)
def test_rows_whose_printed_number_is_not_that_of_their_law(name: str, percent: tuple[float, float]) -> None:
    row = next(row for row in ROWS if row.name == name)
    low, high = share(row, AS_PUBLISHED)
    assert low < percent[1]
    assert high > percent[0]


def one_network(slopes: list[float], kinks: list[float], bias: float, output: str = "identity") -> Batch:
    """Return the batch of x -> act(sum of slopes relu(x - kinks) + bias)."""
    k = len(kinks)
    weights = (np.ones((1, k, 1)), np.array(slopes).reshape(1, 1, k))
    return Batch(Cell("he", k, 1.0, output=output), 0, weights, (-np.array([kinks]), np.array([[bias]])), ("relu", output))


def test_a_cycle_of_period_two_is_called_chaos_by_the_published_count_only() -> None:
    reflection = one_network([-1.5, 1.3], [-2.0, 0.5], 1.5 * 2.25)  # slope -1.5 up to the fixed point's right, then -0.2
    assert extra_fixed_points(reflection, AS_PUBLISHED, 2.0).tolist() == [True]
    assert extra_fixed_points(reflection, AS_MEANT, 2.0).tolist() == [False]


def test_a_cycle_of_period_three_is_seen_by_the_right_count() -> None:
    tent = one_network([2.0, -4.0], [0.0, 0.5], 0.0)
    assert extra_fixed_points(tent, AS_MEANT, 2.0).tolist() == [True]


def test_a_cycle_through_the_grid_point_zero_counts() -> None:
    flip = one_network([-1.0], [-1.0], 2.0 + 2**-20, "relu")  # 0 -> 1 + e -> 0 ... with slope -1: every point is of period 2
    pulse = one_network([-8.0], [-0.5], 5.0, "relu")  # 0 -> 1 -> 0, and flat around 1
    assert extra_fixed_points(pulse, AS_PUBLISHED, 1.0).tolist() == [True]
    assert len(extra_fixed_points(flip, AS_PUBLISHED, 1.0)) == 1


def test_networks_do_not_depend_on_their_batch() -> None:
    row = ROWS[0]
    whole = extra_fixed_points(draw(row.cell, 1, 0, 3000), 4, row.window)
    assert np.array_equal(whole[1234:1300], extra_fixed_points(draw(row.cell, 1, 1234, 66), 4, row.window))


@pytest.mark.parametrize("output", ["tanh", "clip"])
def test_every_output_is_followed(output: str) -> None:
    found = extra_fixed_points(draw(Cell("he", 3, 3.0, 2, output), 1, 0, 2000), 4, 1.0)
    assert 0 < found.sum() < 1000


def test_impossible_questions_are_refused() -> None:
    batch = draw(Cell("he", 2, 1), 1, 0, 2)
    with pytest.raises(Malformed, match="iterate of at least 1"):
        extra_fixed_points(batch, 0, 1.0)
    for window in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(Malformed, match="a window above 0"):
            extra_fixed_points(batch, 3, window)
    with pytest.raises(Unsupported, match="maps of the line"):
        extra_fixed_points(draw(Cell("relu_rnn", 2, 1), 1, 0, 2), 3, 1.0)
