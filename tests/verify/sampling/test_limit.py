"""Doubling the resolution of one Brownian path."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from proofs.errors import Malformed
from verify.sampling.families import Cell, draw
from verify.sampling.limit import Doubling, coarser, doubling, rare_doubling
from verify.sampling.rare import by_importance
from verify.sampling.walks import Floats

HE = math.sqrt(2)


def test_sums_of_neighbours_are_the_same_networks_at_half_the_width() -> None:
    fine, coarse = (draw(Cell("brownian", width, 3.0), 11, 5, 20).weights[1][:, 0, :] for width in (64, 16))
    assert (coarser(fine, 16) == coarse).all()


def test_probabilities_at_every_width_are_those_of_a_plain_count() -> None:
    found = doubling(8.0, 3, widths=(8, 16, 32), count=2000, repetitions=10)
    from verify.numerics.line_scores import li_yorke_scores

    for width, (probability, error) in zip(found.widths, found.probabilities, strict=True):
        batch = draw(Cell("brownian", width, 8.0), 3, 0, 2000)
        scores, _ = li_yorke_scores(-batch.biases[0], batch.weights[1][:, 0, :])
        assert probability == pytest.approx(float((scores >= 0).mean()))
        assert error == pytest.approx(math.sqrt(probability * (1 - probability) / 2000), rel=0.8)
    (difference, error), changed = found.differences[-1], found.changed[-1]
    assert abs(difference) <= changed < 0.05
    assert found.limit[0] == pytest.approx(found.probabilities[-1][0] + difference)
    assert found.interval[0] <= found.probabilities[-1][0] <= found.interval[1]
    assert error < found.probabilities[-1][1]
    assert "not a proof" in found.statement()


def test_what_does_not_depend_on_the_resolution_has_the_same_limit() -> None:
    def high_end(_: Floats, weights: Floats) -> tuple[Floats, Floats]:
        return np.asarray(weights.sum(axis=1) - 5.0 * HE), np.zeros(len(weights))

    found = rare_doubling(HE, 1, widths=(16, 32, 64, 128), count=20_000, pilot=8_000, score=high_end)
    assert max(found.changed) < 1e-9
    exact = float(stats.norm.sf(5.0))
    assert found.interval[0] <= exact <= found.interval[1]
    assert found.limit[0] == pytest.approx(exact, rel=0.2)


def test_first_order_errors_are_removed_and_intervals_widened_by_what_was_removed() -> None:
    noise = np.random.default_rng(1).normal(0.0, 1e-4, 12)
    rows = tuple(tuple(0.3 + e + 0.5 / k for k in (8, 16, 32)) for e in noise)
    found = Doubling(1.0, 0, 1, (8, 16, 32), rows, (0.0, 0.0), 0.95)
    assert found.limit[0] == pytest.approx(0.3, abs=1e-4)
    assert found.interval[1] - found.interval[0] > 2 * 0.5 / 32


@pytest.mark.parametrize(("widths", "repetitions"), [((8,), 5), ((8, 24), 5), ((8, 16), 1)])
def test_other_widths_are_refused(widths: tuple[int, ...], repetitions: int) -> None:
    with pytest.raises(Malformed):
        doubling(4.0, 1, widths=widths, count=10, repetitions=repetitions)


@pytest.mark.slow
def test_the_limit_at_the_variance_of_he() -> None:
    found = rare_doubling(HE, 2, widths=(32, 64, 128, 256), count=100_000)
    at_64 = by_importance(Cell("brownian", 64, HE), 5, check=0)
    assert abs(found.probabilities[1][0] - at_64.probability) < 4 * math.hypot(found.probabilities[1][1], at_64.standard_error)
    assert 3e-10 < found.interval[0] < found.interval[1] < 6e-10
