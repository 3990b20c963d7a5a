"""Scores against exact tables of F, F^2 and F^3."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from proofs.piecewise import PiecewiseLinear
from verify.numerics.line_scores import FLOOR, li_yorke_scores
from verify.search.li_yorke import best_point

ZERO, ONE = Fraction(0), Fraction(1)


def exact_map(kinks: np.ndarray, weights: np.ndarray) -> PiecewiseLinear:
    """Return F on [0, 1], constant outside."""
    ts, steps = [Fraction(float(t)) for t in kinks], [Fraction(float(a)) for a in weights]

    def f(x: Fraction) -> Fraction:
        return sum((a * max(x - t, ZERO) for t, a in zip(ts, steps, strict=True)), ZERO)

    places = sorted({ZERO, ONE, *ts})
    for left, right in itertools.pairwise(places):
        low, high = f(left), f(right)
        between = [level for level in (ZERO, ONE) if min(low, high) < level < max(low, high)]
        places = [*places, *(left + (level - low) / (high - low) * (right - left) for level in between)]
    places.sort()
    return PiecewiseLinear(tuple(places), tuple(min(max(f(x), ZERO), ONE) for x in places), ZERO, ZERO)


def exact_score(kinks: np.ndarray, weights: np.ndarray) -> tuple[Fraction | None, bool]:
    """Return the largest score above -1 (None if there is none) and whether a point of Li and Yorke exists."""
    first = exact_map(kinks, weights)
    second = first.after(first, 10_000)
    third = first.after(second, 10_000)
    scores = []
    for a in sorted({ZERO, ONE, *first.knots, *second.knots, *third.knots}):
        if 0 <= a <= 1:
            u, v, w = first(a), second(a), third(a)
            if a < u < v or a > u > v:
                scores.append((a - w) / (v - a))
    best = max(scores, default=None)
    return (best if best is not None and best > -1 else None), best_point(first, second, third) is not None


def test_scores_are_those_of_exact_tables() -> None:
    generator = np.random.default_rng(3)
    events = 0
    for width, scale in [(2, 40.0), (3, 30.0), (6, 20.0), (12, 15.0)]:
        kinks = np.sort(np.round(generator.random((60, width)) * 64) / 64, axis=1)
        weights = np.round(generator.normal(0.0, scale / np.sqrt(width), (60, width)) * 16) / 16
        scores, points = li_yorke_scores(kinks, weights)
        for row in range(60):
            best, event = exact_score(kinks[row], weights[row])
            assert event == (best is not None and best >= 0)
            assert (scores[row] > -1.0) == (best is not None)
            if best is not None:
                assert scores[row] == pytest.approx(float(best), abs=1e-9)
                assert 0.0 <= points[row] <= 1.0
            events += event
    assert events >= 20


def test_the_tent_has_period_three_from_the_golden_ratio_on() -> None:
    golden = (1 + 5**0.5) / 2
    slopes = np.array([1.2, 1.6, golden - 1e-6, golden + 1e-6, 1.7, 2.0])
    weights = np.stack([slopes, -2 * slopes], axis=1)
    scores, points = li_yorke_scores(np.array([[0.0, 0.5]]), weights)
    assert (np.diff(scores) > 0).all()
    assert ((scores >= 0) == (slopes > golden)).all()
    assert points[-1] == 0.25


def test_networks_below_the_diagonal_come_last_and_are_ordered_by_their_slope() -> None:
    kinks = np.array([[0.0, 0.5]])
    weights = np.array([[0.5, -0.5], [0.9, -0.9], [0.5, 0.4], [1.5, -3.0]])
    scores, points = li_yorke_scores(kinks, weights)
    assert (scores[:3] < FLOOR).all()
    assert scores[0] < scores[2] < scores[1] < FLOOR < scores[3]
    assert np.isnan(points[:3]).all()


def test_one_row_of_kinks_serves_all_networks() -> None:
    generator = np.random.default_rng(5)
    kinks, weights = np.sort(generator.random((1, 16))), generator.normal(0.0, 1.5, (200, 16))
    one, _ = li_yorke_scores(kinks, weights)
    two, _ = li_yorke_scores(np.repeat(kinks, 200, axis=0), weights)
    assert (one == two).all()
