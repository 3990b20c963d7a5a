"""Measures of a free run: zero for the same series, large for another, and none for a run that leaves the floats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from verify.training.data import simulate
from verify.training.measures import judge, spectral_distance, state_space_divergence

SERIES = simulate("van_der_pol", 600)


def still(points: np.ndarray, _ahead: int) -> np.ndarray:
    return points


def test_the_same_series_is_no_distance_away() -> None:
    assert state_space_divergence(SERIES, SERIES) == 0
    assert spectral_distance(SERIES, SERIES) == pytest.approx(0, abs=1e-7)
    other = simulate("van_der_pol", 600, seed=1)
    divergence = state_space_divergence(SERIES, other)
    assert divergence is not None
    assert 0 < divergence < 2
    assert spectral_distance(SERIES, other) < 0.1


def test_a_fixed_point_is_far_away() -> None:
    quality = judge(SERIES, np.zeros_like(SERIES), still)
    assert quality.state_space is not None
    assert quality.spectrum is not None
    assert quality.state_space > 5
    assert quality.spectrum > 0.3
    assert (quality.bounded, quality.largest, quality.ahead) == (True, 0.0, 20)


def test_the_divergence_is_that_of_the_counts() -> None:
    series, run = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.0], [1.0], [1.0], [1.0]])
    wanted = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert state_space_divergence(series, run, bins=2) == pytest.approx(wanted, abs=1e-4)


def test_what_has_no_value_is_none() -> None:
    assert state_space_divergence(SERIES, SERIES + 100) is None
    wild = SERIES.copy()
    wild[-1, 0] = np.inf
    quality = judge(SERIES, wild, lambda points, _: np.full_like(points, np.nan))
    assert (quality.bounded, quality.largest, quality.state_space, quality.spectrum, quality.prediction) == (False, None, None, None, None)
    assert judge(simulate("duffing", 100), simulate("duffing", 100), still).state_space is None


def test_the_prediction_error_is_that_of_the_points_ahead() -> None:
    quality = judge(SERIES, SERIES, lambda points, ahead: points + ahead)
    assert quality.prediction == pytest.approx(np.square(SERIES[:-20] + 20 - SERIES[20:]).mean())


@pytest.mark.parametrize("size", [1e160, 1e300])
def test_huge_orbits_have_a_spectrum(size: float) -> None:
    quality = judge(SERIES, SERIES * size, still)
    assert quality.bounded
    assert quality.spectrum == pytest.approx(0, abs=1e-6)
