"""Kaplan-Yorke dimension, entropy sum and participation ratio against cases known by hand."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from verify.lyapunov.summaries import entropy_sum, kaplan_yorke, participation_ratio


@pytest.mark.parametrize(
    ("exponents", "dimension", "expected"),
    [
        ([0.41922, -1.62319], 2, 1 + 0.41922 / 1.62319),
        ([0.9056, 0.0, -14.5723], 3, 2 + 0.9056 / 14.5723),
        ([-0.1, -0.2], 2, 0.0),
        ([-0.1], 5, 0.0),
        ([0.0, -1.0], 2, 1.0),
        ([0.5, -0.5], 2, 2.0),
        ([0.5, 0.2], 2, 2.0),
        ([0.5, 0.2], 3, None),
        ([0.5, -0.5], 3, None),
        ([0.5, -0.6], 9, 1 + 0.5 / 0.6),
        ([0.5, -inf], 2, 1.0),
        ([-inf, -inf], 2, 0.0),
    ],
)
def test_kaplan_yorke(exponents: list[float], dimension: int, expected: float | None) -> None:
    assert kaplan_yorke(exponents, dimension) == (None if expected is None else pytest.approx(expected))


def test_the_entropy_sum_takes_positive_exponents_only() -> None:
    assert entropy_sum([0.5, 0.25, 0.0, -1.0, -inf]) == 0.75
    assert entropy_sum([-1.0]) == 0


@pytest.mark.parametrize("size", [3, 50, 900])
def test_the_participation_ratio_of_equal_directions_is_their_number(size: int) -> None:
    states = np.concatenate([np.eye(size), -np.eye(size)])
    assert participation_ratio(states) == pytest.approx(size)
    assert participation_ratio(1e200 * states) == pytest.approx(size)


def test_a_line_has_participation_ratio_one() -> None:
    assert participation_ratio(np.outer(np.arange(9.0), np.ones(4))) == pytest.approx(1)


@pytest.mark.parametrize("states", [np.ones((10, 3)), np.ones((1, 3)), 1 + 1e-16 * np.eye(3), np.ones((5, 2), dtype=np.float32)])
def test_a_state_that_stands_still_has_none(states: np.ndarray) -> None:
    assert participation_ratio(states) is None
