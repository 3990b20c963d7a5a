"""Error bars: they cover as often as they say, also where blocks are correlated and where sequences differ."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan

import numpy as np
import pytest

from verify.lyapunov.statistics import batch_mean, distinct, lag_one, running_means, whole_run

RUNS = 400
Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def covered(draw: Draw, blocks: int, batch: int) -> float:
    """Return how often the interval covers the mean 0 of what is drawn."""
    rng = np.random.default_rng(0)
    found = [batch_mean(draw(rng, blocks, batch), np.ones(blocks)) for _ in range(RUNS)]
    return sum(abs(one.value) <= one.half_width for one in found) / RUNS


def independent(rng: np.random.Generator, blocks: int, batch: int) -> np.ndarray:
    return rng.standard_normal((blocks, batch))


def correlated(rng: np.random.Generator, blocks: int, batch: int) -> np.ndarray:
    series = np.zeros((blocks + 50, batch))
    for step in range(1, blocks + 50):
        series[step] = 0.7 * series[step - 1] + rng.standard_normal(batch)
    return series[50:]


def scattered(rng: np.random.Generator, blocks: int, batch: int) -> np.ndarray:
    return rng.standard_normal((1, batch)) + 0.1 * rng.standard_normal((blocks, batch))


@pytest.mark.parametrize(
    ("draw", "blocks", "batch", "low"),
    [
        (independent, 32, 1, 0.92),
        (independent, 32, 8, 0.92),
        (independent, 1, 6, 0.92),
        (correlated, 64, 1, 0.84),
        (correlated, 128, 4, 0.9),
        (scattered, 32, 5, 0.92),
    ],
)
def test_intervals_cover(draw: Draw, blocks: int, batch: int, low: float) -> None:
    assert low <= covered(draw, blocks, batch) <= 0.99


def test_correlated_blocks_are_merged() -> None:
    rng = np.random.default_rng(1)
    assert batch_mean(correlated(rng, 128, 4), np.ones(128)).blocks < 128
    assert batch_mean(independent(rng, 128, 4), np.ones(128)).blocks == 128


def test_an_odd_number_of_blocks_keeps_its_tail() -> None:
    blocks = correlated(np.random.default_rng(2), 65, 2)
    found = batch_mean(blocks, np.ones(65))
    assert found.blocks < 65
    assert found.value == pytest.approx(blocks.mean())


def test_blocks_of_unequal_length_are_weighted() -> None:
    blocks, lengths = np.array([[1.0], [4.0]]), np.array([2.0, 1.0])
    assert batch_mean(blocks, lengths).value == pytest.approx(2)
    assert running_means(blocks[:, :, None], lengths)[:, 0].tolist() == pytest.approx([1, 2])
    assert whole_run(blocks[:, :, None], lengths).tolist() == [[pytest.approx(2)]]


def test_minus_infinity_has_no_interval() -> None:
    blocks = np.array([[0.0, 0.0], [-inf, 0.0], [-inf, 0.0]])
    found = batch_mean(blocks, np.ones(3))
    assert found.value == -inf
    assert isnan(found.half_width)
    assert running_means(blocks[:, :, None], np.ones(3))[:, 0].tolist() == [0, -inf, -inf]
    assert whole_run(blocks[:, :, None], np.ones(3))[:, 0].tolist() == [-inf, 0]


def test_one_block_of_one_sequence_has_no_interval() -> None:
    found = batch_mean(np.ones((1, 1)), np.ones(1))
    assert found.value == 1
    assert isnan(found.half_width)


def test_equal_blocks_have_the_floor_as_their_interval() -> None:
    assert batch_mean(np.ones((8, 2)), np.ones(8), floor=1e-15).half_width == 1e-15
    assert lag_one(np.ones((8, 2))) == 0


def test_copies_of_an_orbit_count_once() -> None:
    assert distinct(np.array([[1.0, 2.0], [1.0, 2.0 + 1e-9], [1.0, 2.1]])) == [0, 2]
