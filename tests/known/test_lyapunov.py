"""Lyapunov exponents that are known: each estimate inside its own error bar, and proofs where there are proofs."""

from __future__ import annotations

from fractions import Fraction
from math import inf, log, sqrt
from time import monotonic

import mpmath
import numpy as np
import pytest
import torch

from proofs.arithmetic import Interval
from proofs.claims import Claim
from proofs.exponents import Attracted, DrivenContraction, VolumeBounds
from proofs.functions import log as enclosed_log
from proofs.network import Network
from proofs.space import ExponentBounds
from tests.benchmarks.bench_lyapunov_known import TWO_CYCLE, coverage, finder_bounds, finder_list
from tests.known.exponents import (
    CAT,
    FUNCTIONS,
    LINE_MAPS,
    LORENZ,
    NETWORKS,
    PERIOD_3,
    PERIOD_6,
    PLANE_MAPS,
    SIX_CYCLE,
    START,
    THREE_CYCLE,
    Known,
    cat,
    henon,
    inside,
    logistic,
    markov,
    skew,
    tanh_network,
    tent,
    tent_network,
)
from tests.known.plane_maps import lozi
from tests.known.random_networks import (
    CONTINUOUS,
    TANH_TABLE,
    circular_law,
    determinant_bias,
    flow_network,
    large_network,
    limit,
    over_draws,
    random_weights,
    recurrent,
    tanh_theory,
)
from verify.certification.cycle_exponents import CycleExponents, prove_cycle_exponents
from verify.certification.draft import Draft
from verify.certification.markov import prove_absorbing, prove_markov
from verify.certification.spectra import certify_exponents
from verify.lyapunov import spectrum

DIGITS = Fraction(1, 10**20)
ALL = (*LINE_MAPS, *FUNCTIONS, *PLANE_MAPS, *NETWORKS)


def cycle(network: Network, start: tuple[float, ...]) -> CycleExponents:
    """Return the exponents of the cycle of ``start``; the kernel has read the whole certificate."""
    draft = Draft(network)
    found, reason = prove_cycle_exponents(draft, start, digits=20, deadline=monotonic() + 30.0)
    assert found is not None, reason
    draft.finish([found.cycle, found.moduli])
    return found


def holds(found: CycleExponents, of: int, value: object) -> bool:
    """Say whether exponent ``of`` is enclosed to twenty digits about an mpmath number."""
    low, high = found.bounds[of - 1]
    assert low is not None
    assert high is not None
    middle, half = (low + high) / 2, (high - low) / 2
    with mpmath.workdps(40):
        error = abs(mpmath.mpf(middle.numerator) / middle.denominator - value)
        return bool(error <= mpmath.mpf(half.numerator) / half.denominator + mpmath.mpf(10) ** -30) and high - low <= DIGITS


def added(network: Network, theorem: str, witness: dict[str, object]) -> Claim:
    draft = Draft(network)
    claim = draft.add(theorem, witness)[1]
    draft.finish([claim])
    return claim


def encloses(found: Interval, value: float) -> bool:
    return found.lo - Fraction(1e-14) <= Fraction(value) <= found.hi + Fraction(1e-14) and found.hi - found.lo < DIGITS


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.name)
def test_estimates_hold_the_reference(known: Known) -> None:
    found = known.run(1, **({} if "steps" in known.settings else {"steps": 500}))
    assert all(inside(found, known)), (known.reference, found.exponents)
    assert found.failed == ()
    if known.total is not None:
        assert found.sum is not None
        assert found.sum.value == pytest.approx(known.total, abs=1e-9)


def test_a_tent_of_slope_two_must_not_be_simulated() -> None:
    """In binary floats each step loses a digit, and every orbit is 0 after about 55 steps: so only its proof stands here."""
    found = spectrum(tent(Fraction(2)), start=torch.tensor([0.3]), steps=64, warmup=0)
    assert found.participation is None or found.exponents[0].half_width < 1e-10
    x = 0.3
    for _ in range(60):
        x = 2 * min(x, 1 - x)
    assert x == 0.0
    (claim,) = prove_markov(Draft(tent(Fraction(2)))).claims
    assert claim.slopes == (Fraction(2),)
    assert encloses(claim.enclosure(96), log(2))


@pytest.mark.parametrize(("low", "slope"), [(Fraction(3, 10), Fraction(10, 7)), (Fraction(2, 5), Fraction(5, 3))])
def test_skew_tents_exactly(low: Fraction, slope: Fraction) -> None:
    (claim,) = prove_markov(Draft(skew(low))).claims
    assert dict(zip(claim.slopes, claim.weights, strict=True)) == {1 / low: low, slope: 1 - low}
    a = float(low)
    assert encloses(claim.enclosure(96), -a * log(a) - (1 - a) * log(1 - a))


def test_the_markov_map_exactly_with_its_density() -> None:
    """Measures 1/3 and 2/3 of the two halves, where the slopes are 1 and -2: the density is (2/3, 4/3)."""
    draft = Draft(markov())
    (claim,) = prove_markov(draft).claims
    assert dict(zip(claim.slopes, claim.weights, strict=True)) == {1: Fraction(1, 3), 2: Fraction(2, 3)}
    assert encloses(claim.enclosure(96), 2 / 3 * log(2))
    assert sum(high - low for low, high in claim.spans) == 1


def test_the_tent_map_in_a_network_of_rank_one() -> None:
    """Slope 2 is Markov: exact. No other rational slope in (1, 2] is; for those D1 gives an interval, and -infinity is exact."""
    (claim,) = prove_markov(Draft(tent_network(Fraction(2)))).claims
    assert claim.slopes == (Fraction(2),)
    assert len(claim.form) == 2
    bounds = prove_absorbing(Draft(tent_network(Fraction(19, 10)))).claim
    assert isinstance(bounds, ExponentBounds)
    assert bounds.lower is not None
    assert bounds.upper is not None
    assert Fraction(189_995, 100_000) < bounds.lower < Fraction(19, 10) < bounds.upper < Fraction(190_005, 100_000)
    volume = added(tent_network(Fraction(19, 10)), "volume", {"bits": 96})
    assert isinstance(volume, VolumeBounds)
    assert volume.rank == 1
    assert volume.upper == 0


@pytest.mark.parametrize("mu", [Fraction(19, 10), Fraction(13, 10)])
def test_the_tent_map_by_its_volume(mu: Fraction) -> None:
    claim = added(tent(mu), "volume", {"bits": 96})
    assert isinstance(claim, VolumeBounds)
    assert encloses(Interval(enclosed_log(claim.lower, 96).lo, enclosed_log(claim.upper, 96).hi), log(mu))


@pytest.mark.parametrize(("network", "total"), [(lozi("17/10", "1/2"), 0.5), (lozi("7/5", "3/10"), 0.3), (lozi("9/5", "2/5"), 0.4)])
def test_lozi_sums(network: Network, total: float) -> None:
    claim = added(network, "volume", {"bits": 96})
    assert isinstance(claim, VolumeBounds)
    assert claim.low == ()
    assert encloses(Interval(enclosed_log(claim.lower, 96).lo, enclosed_log(claim.upper, 96).hi), log(total))


def test_the_sum_of_henon() -> None:
    """The card needs a box, as the slopes of a product have no bound elsewhere; any box will do."""
    claim = added(henon(), "volume", {"low": ["-1000000"] * 2, "high": ["1000000"] * 2, "bits": 96})
    assert isinstance(claim, VolumeBounds)
    assert encloses(Interval(enclosed_log(claim.lower, 96).lo, enclosed_log(claim.upper, 96).hi), log(0.3))


def test_the_cat_map_at_its_fixed_point() -> None:
    found = cycle(cat(), (0.0, 0.0))
    with mpmath.workdps(40):
        value = mpmath.log((3 + mpmath.sqrt(5)) / 2)
        assert holds(found, 1, value)
        assert holds(found, 2, -value)
    assert float(value) == CAT


def test_cycles_of_the_logistic_map() -> None:
    with mpmath.workdps(40):
        assert holds(cycle(logistic(Fraction(4)), (0.75,)), 1, mpmath.log(2))
    (low, high), *_ = cycle(logistic(Fraction(383, 100)), (0.5,)).bounds
    assert low is not None
    assert high is not None
    assert high - low <= DIGITS
    assert round(float(low), 5) == -0.36967


@pytest.mark.parametrize("start", [(1 / 2.2, 0.5 / 2.2), (-1 / 1.2, -0.5 / 1.2), TWO_CYCLE])
def test_lozi_cycles_to_twenty_digits(start: tuple[float, float]) -> None:
    found = cycle(lozi("17/10", "1/2"), start)
    with mpmath.workdps(40):
        point = mpmath.log((mpmath.mpf(17) / 10 + mpmath.sqrt(mpmath.mpf("4.89"))) / 2)
        pair = mpmath.log((mpmath.mpf("1.89") + mpmath.sqrt(mpmath.mpf("1.89") ** 2 - 1)) / 2) / 2
        value = pair if start == TWO_CYCLE else point
        assert holds(found, 1, value)
        assert holds(found, 2, -mpmath.log(2) - value)


def test_the_range_of_all_orbits_of_lozi() -> None:
    """Both ends are attained, by the 2-cycle and by the fixed point; the exponent of almost every orbit lies between."""
    found = certify_exponents(lozi("17/10", "1/2"), start=(1 / 2.2, 0.5 / 2.2), budget=4.0)
    (entry,) = [one for one in found.entries if one.theorem == "exponent_bounds"]
    assert entry.lower is not None
    assert entry.upper is not None
    assert 0.27889 < entry.lower <= Fraction(0.27891807300579)
    assert Fraction(0.67073142389435) <= entry.upper < 0.67076


@pytest.mark.parametrize(("weights", "values"), [(PERIOD_3, THREE_CYCLE), (PERIOD_6, SIX_CYCLE)])
def test_tanh_cycles_to_twenty_digits(weights: tuple[tuple[int, ...], ...], values: tuple[float, ...]) -> None:
    found = cycle(tanh_network(weights), START)
    for (low, high), value in zip(found.bounds, values, strict=True):
        assert low is not None
        assert high is not None
        assert high - low <= DIGITS
        assert float(low) == pytest.approx(value, abs=1e-10)


def test_eigenvalues_of_a_product_in_floats_are_wrong() -> None:
    """The last exponent of the 6-cycle by numpy's eigenvalues of the product of its Jacobians is off in its second digit."""
    weights, h = np.array(PERIOD_6, dtype=float), np.array(START)
    product = np.eye(3)
    for step in range(2004):
        h = np.tanh(weights @ h)
        product = (1 - h**2)[:, None] * weights @ product if step >= 1998 else product
    values = np.sort(np.log(np.abs(np.linalg.eigvals(product))) / 6)
    assert abs(values[0] - SIX_CYCLE[2]) > 1e-3
    assert values[2] == pytest.approx(SIX_CYCLE[0], abs=1e-10)


@pytest.mark.parametrize(
    ("n", "count", "radii"),
    [
        (2, 3, [0.166372, 0.166372, 2.0]),
        (3, 3, [1.006406, 1.006406, sqrt(3)]),
        pytest.param(4, 9, [0.751559] * 2 + [1.047430] * 2 + [1.315957] * 4 + [1.885618], marks=pytest.mark.slow),
    ],
)
def test_fixed_points_of_the_finder_networks(n: int, count: int, radii: list[float]) -> None:
    """These and no others on all of R^n, in a certificate; each spectral radius lies within bounds that the kernel has checked."""
    found = finder_list(n)
    assert (found.complete, found.everywhere, found.index_sum) == (True, True, {1: 1})
    assert found.claims[0].statement() == f"These are ALL cycles of F on R^M with least period at most 1: {count} of period 1"
    bounds = finder_bounds(found)
    assert len(bounds) == len(found.cycles) == count
    assert all(low < log(radius) < high and high - low < 0.002 for (low, high), radius in zip(bounds, radii, strict=True))


def test_a_damped_network_falls_to_the_origin() -> None:
    weights = random_weights(6, 0.5, 0)
    found = certify_exponents(tanh_network(weights), start=(0.1,) * 6, budget=4.0)
    kinds = {type(claim) for claim in found.certificate.claims} if found.certificate is not None else set()
    assert {Attracted, DrivenContraction} <= kinds
    orbit = [one for one in found.entries if one.scope == "this cycle"]
    truth = np.sort(np.log(np.abs(np.linalg.eigvals(weights))))[::-1]
    assert [float(one.upper or 0) for one in orbit] == pytest.approx(truth, abs=1e-12)


def test_a_damped_network_and_the_circular_law() -> None:
    weights = random_weights(64, 0.5, 0)
    found = spectrum(recurrent(weights), driven=False, steps=1000)
    truth = np.sort(np.log(np.abs(np.linalg.eigvals(weights))))[::-1]
    held = [abs(entry.value - one) <= entry.half_width for entry, one in zip(found.exponents, truth, strict=True)]
    assert np.mean(held) >= 0.9
    assert all(abs(entry.value - one) < 0.005 for entry, one in zip(found.exponents, truth, strict=True))
    assert circular_law(np.array([entry.value for entry in found.exponents]), 0.5) < 0.1


@pytest.mark.parametrize("g", TANH_TABLE)
def test_theory_of_large_networks(g: float) -> None:
    assert tanh_theory(g) == pytest.approx(TANH_TABLE[g], abs=2e-8)


@pytest.mark.parametrize("g", [2.0, 3.0, 5.0])
def test_large_networks(g: float) -> None:
    """N = 1024: the largest exponent is about 3 / N below its limit, less than the 0.01 allowed here beside the interval of the run."""
    module = recurrent(random_weights(1024, g, 0))
    found = spectrum(module, driven=False, k=1, steps=200, warmup=100, tangent_warmup=50, batch=4, blocks=16).exponents[0]
    assert abs(found.value - tanh_theory(g)[1]) <= found.half_width + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("g", [2.0, 3.0, 5.0])
def test_large_networks_in_the_limit(g: float) -> None:
    """The line in 1/N through several sizes meets theory at N to infinity; of the mean, log|det J| is biased by a known amount.

    Twice the 95 % interval: it comes from six draws of the weights, and the bias of the largest is 1 / N to first order only.
    """
    _, largest, mean = tanh_theory(g)
    found = [large_network(g, size, draws) for size, draws in ((512, 6), (1024, 6))]
    value, half, slope = limit([one[0] for one in found])
    assert abs(value - largest) <= 2 * half
    assert -10 < slope < 0
    assert abs(found[-1][1].value - mean - determinant_bias(1024)) <= 2 * found[-1][1].half_width


def test_lorenz_in_short() -> None:
    found = LORENZ.run(0, batch=8, steps=64, warmup=64, tangent_warmup=16)
    assert found.sum is not None
    assert found.sum.value / LORENZ.unit == pytest.approx(-41 / 3, abs=2e-3)


@pytest.mark.slow
def test_lorenz() -> None:
    found = LORENZ.run(0)
    assert all(inside(found, LORENZ))
    assert found.sum is not None
    assert found.sum.value / LORENZ.unit == pytest.approx(-41 / 3, abs=5e-4)


@pytest.mark.slow
def test_networks_in_continuous_time() -> None:
    found = [over_draws(size, [flow_network(3.0, size, seed, 600)[0] for seed in range(draws)]) for size, draws in ((128, 8), (256, 8))]
    value, half, slope = limit(found)
    assert abs(value - CONTINUOUS[3.0]) <= half
    assert slope < 0


@pytest.mark.parametrize("known", [LINE_MAPS[1], LINE_MAPS[5], PLANE_MAPS[0], PLANE_MAPS[1]], ids=lambda known: known.name)
def test_intervals_hold_as_often_as_they_say(known: Known) -> None:
    """Of 128 runs of 500 steps; 95 % is meant, and 88 % would come by chance once in a thousand times."""
    (count, share, ratio), _ = coverage(known, 500, 128)
    assert count == 128
    assert share >= 0.88
    assert 1.5 < ratio < 3.5


@pytest.mark.slow
@pytest.mark.parametrize("known", [*LINE_MAPS[:3], *LINE_MAPS[5:], *PLANE_MAPS], ids=lambda known: known.name)
@pytest.mark.parametrize("steps", [500, 4000])
def test_intervals_hold_for_batches_too(known: Known, steps: int) -> None:
    single, grouped = coverage(known, steps, 320)
    assert single[1] >= 0.92
    assert grouped[1] >= 0.82
    assert -inf < grouped[2] < inf
