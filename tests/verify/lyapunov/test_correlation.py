"""Correlations: known values, ties, strata that undo what size alone makes, and p-values that are what they say."""

from __future__ import annotations

from itertools import permutations
from math import inf, nan

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from proofs.errors import Malformed
from verify.lyapunov.correlation import correlation, holm


def confounded(seed: int, effect: float, runs: int = 8) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    """Return spectra's largest exponents, losses and sizes: larger networks have larger exponents and smaller losses."""
    random = np.random.default_rng(seed)
    sizes = np.repeat([16, 32, 64, 128], runs)
    x = 0.01 * sizes + random.normal(size=len(sizes))
    return x, -0.1 * sizes + effect * x + random.normal(size=len(sizes)), sizes.tolist()


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_without_strata_it_is_the_usual_coefficient(method: str) -> None:
    random = np.random.default_rng(0)
    x = random.integers(0, 6, 25).astype(float)  # with ties
    y = x + random.integers(0, 9, 25)
    usual = stats.spearmanr(x, y)[0] if method == "spearman" else stats.pearsonr(x, y)[0]
    found = correlation(x, y, method=method, permutations=99)  # type: ignore[arg-type]
    assert found.value == pytest.approx(usual, abs=1e-14)
    assert found.low < found.value < found.high


def test_within_strata_pearson_is_the_partial_correlation() -> None:
    x, y, sizes = confounded(1, 0.5)
    dummies = np.array([[size == each for each in (16, 32, 64, 128)] for size in sizes], dtype=float)
    left = [values - dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0] for values in (x, y)]
    assert correlation(x, y, strata=sizes, method="pearson", permutations=9).value == pytest.approx(stats.pearsonr(*left)[0], abs=1e-12)


def test_the_test_agrees_with_all_permutations() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([2.0, 1.0, 4.0, 3.0, 5.0, 6.0])
    observed = abs(stats.pearsonr(x, y)[0])
    exact = np.mean([abs(stats.pearsonr(x, each)[0]) >= observed - 1e-12 for each in permutations(y)])
    found = correlation(x, y, method="pearson", permutations=20_000)
    assert found.p_value == (found.exceeded + 1) / 20_001
    assert found.p_value == pytest.approx(float(exact), abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_size_alone_makes_a_correlation_and_strata_undo_it() -> None:
    x, y, sizes = confounded(3, 0.0)
    overall, within = correlation(x, y, permutations=499), correlation(x, y, strata=sizes, permutations=499)
    assert overall.value < -0.3
    assert overall.p_value == 1 / 500
    assert within.p_value > 0.2
    assert within.low < 0 < within.high


def test_under_the_null_p_values_are_uniform() -> None:
    p_values = []
    for seed in range(200):
        x, y, sizes = confounded(seed, 0.0, runs=5)
        p_values.append(correlation(x, y, strata=sizes, permutations=199, seed=seed).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_strong_effect_within_strata_is_found() -> None:
    found = [correlation(*confounded(seed, 1.0)[:2], strata=confounded(seed, 1.0)[2], permutations=199).p_value for seed in range(50)]
    assert np.mean(np.array(found) <= 0.05) > 0.9


@pytest.mark.parametrize("interval", ["fisher", "bootstrap"])
def test_intervals_cover(interval: str) -> None:
    random, hits = np.random.default_rng(5), 0
    for seed in range(150):
        x = random.normal(size=40)
        y = 0.6 * x + 0.8 * random.normal(size=40)
        found = correlation(x, y, method="pearson", interval=interval, permutations=1, resamples=300, seed=seed)  # type: ignore[arg-type]
        hits += found.low <= 0.6 <= found.high
    assert hits >= 0.95 * 150 - 4 * np.sqrt(150 * 0.95 * 0.05)


def test_a_seed_is_an_answer() -> None:
    x, y, sizes = confounded(7, 0.2)
    first, second, other = (correlation(x, y, strata=sizes, interval="bootstrap", permutations=999, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert (first.low, first.p_value) != (other.low, other.p_value)
    assert first.statement().startswith(f"Spearman {first.value:+.3f} within 4 strata, 95 % bootstrap interval [")
    assert first.as_json()["p_value"] == first.p_value


def test_ties_count_as_far_as_the_observed() -> None:
    found = correlation([0, 0, 1, 1], [0, 0, 1, 1], permutations=5_000)
    assert found.value == pytest.approx(1.0)
    assert found.p_value == pytest.approx(1 / 3, abs=0.03)  # 8 of 24 orders give 1 or -1
    assert (found.low, found.high) == (-1.0, 1.0)  # Fisher's z says nothing there


def test_a_run_alone_in_its_stratum_is_left_out() -> None:
    found = correlation([0, 1, 2, 3, 9], [1, 0, 2, 3, -9], strata=["a"] * 4 + ["b"], permutations=9)
    assert (found.runs, found.strata, found.alone) == (4, 1, 1)
    assert found.value == pytest.approx(0.8)


def test_bootstrap_samples_without_spread_are_counted() -> None:
    found = correlation([0, 1, 2, 3], [1, 0, 2, 3], interval="bootstrap", permutations=9, resamples=5_000)
    assert found.undefined == pytest.approx(5_000 * 4 / 4**4, rel=0.5)


def test_rounding_is_no_spread() -> None:
    with pytest.raises(Malformed):
        correlation([0.1] * 7, range(7), permutations=9)


@pytest.mark.parametrize(
    ("x", "y", "options", "law"),
    [
        ([1, 2, 3], [1, 2, 3], {}, "runs to correlate"),
        ([1, 2, 3, 4], [1, 2, 3], {}, "two numbers a run"),
        ([1, 2, 3, nan], [1, 2, 3, 4], {}, "numbers to correlate"),
        ([1, 2, 3, -inf], [1, 2, 3, 4], {}, "numbers to correlate"),
        ([1, 1, 2, 2], [1, 2, 3, 4], {"strata": "aabb"}, "a correlation needs spread"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"strata": "abc"}, "one stratum a run"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"strata": "abcd"}, "runs to correlate"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"method": "kendall"}, "method"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"interval": "t"}, "kind of interval"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"confidence": 1.0}, "confidence"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"permutations": 0}, "effort"),
        ([], [], {}, "runs to correlate"),
    ],
)
def test_bad_input_is_refused(x: list, y: list, options: dict, law: str) -> None:
    with pytest.raises(Malformed) as refused:
        correlation(x, y, **options)
    assert refused.value.law == law


def test_holm() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}
    with pytest.raises(Malformed):
        holm({"a": 0.0})
