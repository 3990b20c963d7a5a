"""Intervals against the binomial tails that define them, and tests against their textbook forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, inf

import numpy as np
import pytest
from scipy import stats

from proofs.errors import Malformed
from verify.sampling.statistics import Share, clopper_pearson, compare, equivalence, homogeneity, trend


def upper_tail(p: Fraction, successes: int, total: int) -> Fraction:
    return sum((comb(total, i) * p**i * (1 - p) ** (total - i) for i in range(successes, total + 1)), Fraction(0))


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.9999])
def test_the_ends_satisfy_the_defining_binomial_tails(confidence: float) -> None:
    tail = (1 - Fraction(confidence)) / 2
    for total, successes in [(1, 0), (1, 1), (7, 3), (40, 0), (40, 1), (40, 39), (60, 30)]:
        low, high = (Fraction(end) for end in clopper_pearson(successes, 0, total, confidence))
        wider = 1 + Fraction(1, 2**36)
        if successes:
            assert upper_tail(low, successes, total) <= tail < upper_tail(low * wider, successes, total)
        else:
            assert low == 0
        if successes < total:
            assert 1 - upper_tail(high, successes + 1, total) <= tail < 1 - upper_tail(high / wider, successes + 1, total)
        else:
            assert high == 1


def test_undecided_networks_count_against_both_ends() -> None:
    assert clopper_pearson(3, 2, 50)[0] == clopper_pearson(3, 0, 50)[0]
    assert clopper_pearson(3, 2, 50)[1] == clopper_pearson(5, 0, 50)[1]
    assert clopper_pearson(0, 50, 50) == (0.0, 1.0)
    assert clopper_pearson(0, 0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("p", [0.002, 0.1, 0.5, 0.97])
def test_the_coverage_is_at_least_the_confidence(p: float) -> None:
    total, confidence = 120, 0.9
    counts = np.arange(total + 1)
    covered = [low <= p <= high for low, high in (clopper_pearson(int(x), 0, total, confidence) for x in counts)]
    assert float(stats.binom.pmf(counts, total, p)[np.array(covered)].sum()) >= confidence


def test_the_ends_of_large_samples_are_not_degenerate() -> None:
    low, high = clopper_pearson(10**9 - 1, 0, 10**9)
    assert low < 1 - 1e-9 < high < 1
    low, high = clopper_pearson(1, 0, 10**9)
    assert 0 < low < 1e-9 < high < 1e-8


@pytest.mark.parametrize(("counts", "confidence"), [((-1, 0, 5), 0.95), ((3, 3, 5), 0.95), ((1, 0, 5), 1.0), ((1, 0, 5), 0.0)])
def test_impossible_counts_and_confidences_are_refused(counts: tuple[int, int, int], confidence: float) -> None:
    with pytest.raises(Malformed):
        clopper_pearson(*counts, confidence)


WIDTHS = (4, 16, 64)


def armitage(widths: tuple[int, ...], successes: tuple[int, ...], totals: tuple[int, ...]) -> float:
    """Return z by the textbook formula, scores log2 width."""
    t, x, n = np.log2(widths), np.array(successes), np.array(totals)
    p = x.sum() / n.sum()
    variance = p * (1 - p) * ((n * t**2).sum() - (n * t).sum() ** 2 / n.sum())
    return float((t * (x - n * p)).sum() / np.sqrt(variance))


def test_trend_and_homogeneity_have_their_textbook_values() -> None:
    shares = [Share(30, 0, 400), Share(45, 0, 500), Share(70, 0, 600)]
    found = trend(WIDTHS, shares)
    z = armitage(WIDTHS, (30, 45, 70), (400, 500, 600))
    assert found.z == pytest.approx((z, z))
    assert found.p_value == pytest.approx((2 * stats.norm.sf(abs(z)),) * 2)
    expected = stats.chi2_contingency([[30, 45, 70], [370, 455, 530]], correction=False)
    same = homogeneity(shares)
    assert same.chi_square == pytest.approx((expected.statistic,) * 2)
    assert same.p_value == pytest.approx((expected.pvalue,) * 2)
    assert same.expected == pytest.approx(400 * 145 / 1500)


@pytest.mark.parametrize("successes", [(10, 12, 30), (30, 12, 10), (20, 20, 20), (0, 0, 1)])
def test_the_ranges_hold_for_every_assignment_of_the_undecided(successes: tuple[int, int, int]) -> None:
    totals, open_ones = (100, 120, 140), (3, 0, 4)
    shares = [Share(x, u, n) for x, u, n in zip(successes, open_ones, totals, strict=True)]
    found, same = trend(WIDTHS, shares), homogeneity(shares)
    zs, squares = [], []
    for extra in product(*(range(u + 1) for u in open_ones)):
        x = tuple(a + b for a, b in zip(successes, extra, strict=True))
        zs.append(armitage(WIDTHS, x, totals))
        squares.append(stats.chi2_contingency([x, np.subtract(totals, x)], correction=False).statistic)
    slack = 1e-9
    assert found.z[0] - slack <= min(zs) <= max(zs) <= found.z[1] + slack
    assert max(map(abs, zs)) == pytest.approx(max(map(abs, found.z)))
    assert found.p_value[1] >= 2 * stats.norm.sf(min(map(abs, zs))) - slack
    assert same.chi_square[0] - slack <= min(squares)
    assert same.chi_square[1] == pytest.approx(max(squares))
    assert same.p_value[0] <= same.p_value[1]


def test_without_any_success_nothing_is_shown() -> None:
    shares = [Share(0, 0, 100)] * 3
    assert trend(WIDTHS, shares).z == (0.0, 0.0)
    assert trend(WIDTHS, shares).p_value == (1.0, 1.0)
    assert "does not prove" in trend(WIDTHS, shares).statement()
    assert "rough" in homogeneity(shares).statement()
    assert equivalence(shares).ratio == inf
    assert "not bounded" in equivalence(shares).statement()


def test_false_alarms_are_about_as_rare_as_the_level_says() -> None:
    generator = np.random.default_rng(11)
    rejected = 0
    for successes in generator.binomial(2000, 0.05, size=(400, 3)):
        shares = [Share(int(x), 0, 2000) for x in successes]
        rejected += (trend(WIDTHS, shares).p_value[1] < 0.05) + (homogeneity(shares).p_value[1] < 0.05)
    assert 20 <= rejected <= 62  # 800 tests at 5 %


def test_equivalence_bounds_what_simultaneous_intervals_allow() -> None:
    shares = [Share(60, 0, 10_000), Share(70, 1, 10_000)]
    found = equivalence(shares, 0.9)
    one, two = (share.interval(0.95) for share in shares)
    assert found.intervals == (one, two)
    assert found.difference == max(one[1] - two[0], two[1] - one[0])
    assert found.ratio == max(one[1] / two[0], two[1] / one[0])
    assert found.common == (max(one[0], two[0]), min(one[1], two[1]))
    apart = equivalence([Share(60, 0, 10_000), Share(600, 0, 10_000)])
    assert apart.common is None
    assert "no single value" in apart.statement()


def test_two_shares_are_compared_under_every_assignment() -> None:
    one, two = Share(12, 2, 100), Share(25, 1, 110)
    found = compare(one, two)
    for x, y in product(range(12, 15), range(25, 27)):
        table = np.array([[x, 100 - x], [y, 110 - y]])
        p = min(1.0, 2 * min(stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")))
        assert found.p_value[0] - 1e-12 <= p <= found.p_value[1] + 1e-12
    assert found.difference[0] < 0.12 - 0.227 < found.difference[1]
    assert "not shown" in found.statement()
    assert "second is larger" in compare(Share(12, 0, 1000), Share(50, 0, 1000)).statement()
    assert "first is larger" in compare(Share(50, 0, 1000), Share(12, 0, 1000)).statement()


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Malformed):
        trend((4, 4), [Share(1, 0, 9), Share(2, 0, 9)])
    with pytest.raises(Malformed):
        trend((4, 8, 16), [Share(1, 0, 9), Share(2, 0, 9)])
    with pytest.raises(Malformed):
        homogeneity([Share(1, 0, 9)])
    with pytest.raises(Malformed):
        equivalence([Share(1, 0, 9), Share(0, 0, 0)])
