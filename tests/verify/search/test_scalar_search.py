"""Random small networks: decisions and cycle lists against a plain enumeration of all words of pieces."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.claims import AllCycles, ForcedPeriods
from proofs.network import Network, Operation
from proofs.piecewise import PiecewiseLinear
from proofs.theorems.unfold import table_of
from verify.certification.draft import Draft
from verify.certification.scalar import prove_scalar
from verify.search.entropy import Horseshoe, markov_horseshoe
from verify.search.li_yorke import Point, best_point
from verify.search.order import excluded_odd_period
from verify.search.scalar_cycles import stability_forms

Q = Fraction
SEEDS = range(300)
FEW = {False: slice(1, None, 10), True: slice(2, None, 4)}  # of the seeds, by default; chaos is rare where the output is clipped
ALL = {False: slice(1, None, 2), True: slice(0, None, 2)}
PERIODS = 6


def random_network(seed: int, *, clip: bool) -> Network:
    """Return a random network with weights k/4 and two to four hidden units."""
    rng = random.Random(seed)
    width = rng.randint(2, 4)

    def draw(spread: int = 12) -> Fraction:
        return Q(rng.randint(-spread, spread), 4)

    program = [
        Operation("affine", (0,), (Matrix.exact([[draw()] for _ in range(width)]),), Matrix.column([draw() for _ in range(width)])),
        Operation("relu", (1,)),
        Operation("affine", (2,), (Matrix.exact([[draw() for _ in range(width)]]),), Matrix.column([draw()])),
    ]
    return Network(1, (*program, Operation("relu", (3,))) if clip else tuple(program))


def at(network: Network, x: Fraction) -> Fraction:
    return network.image(Matrix.column([x])).middle(0)


def lines(network: Network) -> list[tuple[Fraction, Fraction, Fraction, Fraction]]:
    """Return (start, end, slope, intercept) of every piece, found by evaluating the network alone; ends +-10^9 stand for infinity."""
    knots = list(table_of(network, 1000).knots)
    pieces = []
    for start, end in zip([Q(-(10**9)), *knots], [*knots, Q(10**9)], strict=True):
        slope = (at(network, end) - at(network, start)) / (end - start)
        pieces.append((start, end, slope, at(network, start) - slope * start))
    return pieces


def periods(network: Network) -> dict[int, set[Fraction]] | None:
    """Return all points by least period; None if some word is the identity on an interval."""
    pieces = lines(network)
    found: dict[int, set[Fraction]] = {k: set() for k in range(1, PERIODS + 1)}
    stack = [(1, start, end, slope, shift) for start, end, slope, shift in pieces]
    while stack:
        length, low, high, slope, shift = stack.pop()
        if slope == 1 and shift == 0 and low < high:
            return None
        if slope != 1 and low <= shift / (1 - slope) <= high:
            found[length].add(shift / (1 - slope))
        for start, end, factor, more in pieces if length < PERIODS else []:
            bounds = (
                sorted(((start - shift) / slope, (end - shift) / slope)) if slope else [low, high] if start <= shift <= end else [high, low]
            )
            inner = max(low, bounds[0]), min(high, bounds[1])
            if inner[0] <= inner[1]:
                stack.append((length + 1, *inner, factor * slope, factor * shift + more))
    return {k: {x for x in points if not any(x in found[d] for d in range(1, k) if k % d == 0)} for k, points in found.items()}


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("taken", [pytest.param(FEW, id="few"), pytest.param(ALL, id="all", marks=pytest.mark.slow)])
def test_decisions_and_lists_agree_with_enumeration(clip: bool, taken: dict[bool, slice]) -> None:
    decisions = {"chaotic": 0, "ordered": 0, "undecided": 0}
    for seed in SEEDS[taken[clip]]:
        network = random_network(seed, clip=clip)
        draft = Draft(network)
        report = prove_scalar(draft, period=4, budget_seconds=4, max_knots=3000)
        decisions[report.decision] += 1
        expected = periods(network)
        if expected is None:
            continue
        (listed,) = [claim for claim in report.claims if isinstance(claim, AllCycles)]
        assert {k: {c.points[i][0] for c in listed.cycles if c.period == k for i in range(k)} for k in range(1, 5)} == {
            k: expected[k] for k in range(1, 5)
        }
        if any(expected[k] for k in (3, 5, 6)):
            assert report.decision == "chaotic"
        for forced in (claim.period for claim in report.claims if isinstance(claim, ForcedPeriods)):
            assert forced > PERIODS or expected[forced]
    assert decisions["undecided"] == 0
    assert decisions["chaotic"] >= 5


def test_table_equals_the_kernel() -> None:
    for seed in range(40):
        network = random_network(seed, clip=seed % 2 == 0)
        function = table_of(network, 1000)
        for x in (Q(n, 7) for n in range(-40, 41)):
            assert function(x) == at(network, x)


def test_wide_tables_are_fast_and_exact() -> None:
    rng = np.random.default_rng(1)
    first, bias, last = (rng.normal(size=1024).tolist() for _ in range(3))
    network = Network(
        1,
        (
            Operation("affine", (0,), (Matrix.exact([[Q(w)] for w in first]),), Matrix.column([Q(x) for x in bias])),
            Operation("relu", (1,)),
            Operation("affine", (2,), (Matrix.exact([[Q(w) for w in last]]),), Matrix.column([Q(0)])),
        ),
    )
    function = table_of(network, 20_000)
    assert len(function.knots) == 1024
    for x in (function.knots[0] - 1, function.knots[500], (function.knots[3] + function.knots[4]) / 2, function.knots[-1] + 2):
        assert function(x) == at(network, x)


def tent(slope: Fraction) -> PiecewiseLinear:
    return PiecewiseLinear((Q(0), Q(1, 2)), (Q(0), slope / 2), Q(0), -slope)


def test_horseshoes() -> None:
    shoe = markov_horseshoe(tent(Q(2)), Q(1, 100))
    assert shoe is not None
    assert shoe == Horseshoe(1, shoe.intervals, shoe.extremes, shoe.weights, Q(2))
    escaping = markov_horseshoe(tent(Q(3)), Q(1, 100))
    assert escaping is not None
    assert escaping.rate == 2
    assert markov_horseshoe(tent(Q(9, 10)), Q(1, 100)) is None


def test_point_of_li_and_yorke() -> None:
    def best(slope: Fraction) -> Point | None:
        one = tent(slope)
        two = one.after(one, 100)
        return best_point(one, two, one.after(two, 100))

    point = best(Q(2))
    assert point is not None
    assert (point.a, point.radius) == (Q(1, 4), Q(1, 28))
    assert best(Q(161, 100)) is None


@pytest.mark.parametrize(("slope", "period"), [(Q(2), None), (Q(161, 100), 3), (Q(151, 100), 5), (Q(3, 2), 5), (Q(7, 5), 999)])
def test_excluded_odd_period(slope: Fraction, period: int | None) -> None:
    assert excluded_odd_period(slope) == period


@pytest.mark.parametrize("slopes", [[Q(1, 2)], [Q(-3)], [Q(0), Q(5)], [Q(10), Q(1, 11)], [Q(10), Q(1, 9), Q(-1)], [Q(10**9), Q(10**9)]])
def test_stability_forms(slopes: list[Fraction]) -> None:
    found = stability_forms(slopes)
    assert found is not None
    forms, _ = found
    product = Q(1)
    for slope in slopes:
        product *= slope
    assert (forms[0] > 0) == (abs(product) < 1)
    assert all(here - slope**2 * there > 0 for here, there, slope in zip(forms, [*forms[1:], forms[0]], slopes, strict=True))


def test_no_form_on_the_unit_circle() -> None:
    assert stability_forms([Q(2), Q(-1, 2)]) is None
