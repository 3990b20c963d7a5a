"""The published pair of trajectories, what is proved behind it, and what a picture must not hide."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs import check
from proofs.errors import Malformed
from proofs.network import Network
from verify.errors import NotFound, Unsupported
from verify.loading import load
from verify.sampling import scrambling as module
from verify.sampling.families import Cell
from verify.sampling.scrambling import NEAR_TENT, liveliest_start, sampled_scrambling, scrambling

START, APART = "0.175421", "1e-7"
DOUBLE = {"layers": [{"W": [[1]], "b": [0], "activation": "relu"}, {"W": [[3]], "b": [1], "activation": "identity"}]}


def test_the_published_pair() -> None:
    found = scrambling(NEAR_TENT, START, APART, 150, model="scalar", name="near tent")
    assert (found.name, found.exact, len(found.first), len(found.distances)) == ("near tent", False, 151, 151)
    assert all(gap < 0.01 for gap in found.distances[:16])
    assert max(found.distances[16:]) > 0.8
    returns = [t for t in range(20, 151) if found.distances[t] < 0.05]
    assert {67, 85, 86, 109} <= set(returns)
    assert "uncountable scrambled set" in found.statements[0]
    assert check(found.chaos).claims[0].statement() == found.statements[0]


def test_the_proved_pair_of_cycles() -> None:
    """Two 3-cycles, as an enumeration by hand has them."""
    pair = scrambling(NEAR_TENT, START, APART, 1, model="scalar").pair
    assert pair is not None
    points = [[round(float(point.lo), 6) for (point,) in cycle.points] for cycle in pair.cycles]
    assert points == [[0.22311, 0.446218, 0.89241], [0.286861, 0.573713, 0.860537]]
    assert [cycle.period for cycle in pair.cycles] == [3, 3]
    exact = [[point.lo for (point,) in cycle.points] for cycle in pair.cycles]
    assert pair.gap == min(abs(x - y) for x in exact[0] for y in exact[1])
    check(pair.certificate)


def test_exact_orbits_and_the_simulation_part_company() -> None:
    exact = scrambling(NEAR_TENT, START, APART, 80, model="scalar", exact=True)
    simulated = scrambling(NEAR_TENT, START, APART, 80, model="scalar")
    assert exact.exact
    early = [abs(x - y) for x, y in zip(exact.first[:25], simulated.first[:25], strict=True)]
    assert max(early) < 1e-7
    assert max(abs(x - y) for x, y in zip(exact.first, simulated.first, strict=True)) > 0.1
    assert exact.distances[1] == pytest.approx(1.9999e-7, rel=1e-6)


def test_what_is_not_chaotic_has_no_picture() -> None:
    ordered = {"layers": [{"W": [["1/2"]], "b": [0], "activation": "identity"}]}
    with pytest.raises(NotFound) as error:
        scrambling(ordered, 1, 0.5, 10, model="scalar")
    assert error.value.decision == "ordered"


def test_trajectories_that_overflow_are_refused() -> None:
    for exact in (False, True):
        with pytest.raises(NotFound, match="bounded trajectories\n  expected  finite numbers") as error:
            scrambling(DOUBLE, 1, 1, 2000, model="scalar", exact=exact)
        assert error.value.where.startswith("arrays, time 6")


def test_what_it_cannot_do_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = {"A": [0.5, 0.5], "W": [[0, 1], [-1, 0]], "h": [0, 1]}
    with pytest.raises(Unsupported, match="trajectories on the line\n  expected  one state\n  got       2 states"):
        scrambling(plane, 1, 0.5, 10, model="plrnn")
    smooth = {"layers": [{"W": [[3]], "b": [0], "activation": "tanh"}]}
    with pytest.raises(Unsupported, match="exact orbits\n  expected  an exact piecewise-linear network\n  got       another"):
        scrambling(smooth, 1, 0.5, 10, model="scalar", exact=True)
    for start, delta in (("x", 1), (float("nan"), 1), (float("inf"), 1), ("1/0", 1), (1, 0)):
        with pytest.raises(Malformed, match="two starts\n  expected  finite numbers, delta not 0"):
            scrambling(NEAR_TENT, start, delta, 10, model="scalar")
    for steps in (0, 2001):
        with pytest.raises(Malformed, match=f"a possible number of steps\n  expected  from 1 to 2000\n  got       {steps}"):
            scrambling(NEAR_TENT, START, APART, steps, model="scalar")
    monkeypatch.setattr(module, "MOST_KNOTS", 1)
    with pytest.raises(NotFound, match="exact orbits\n  expected  at most 1 knots in all hidden functions together"):
        scrambling(NEAR_TENT, START, APART, 10, model="scalar", exact=True)


def test_a_map_with_one_cycle_listed_has_no_pair() -> None:
    found = scrambling(NEAR_TENT, START, APART, 1, model="scalar", up_to=1)
    assert found.pair is None or [cycle.period for cycle in found.pair.cycles] == [1, 1]


def test_a_sampled_network() -> None:
    found = sampled_scrambling(Cell("theory", 12, 8.0), 5, 200, steps=100, up_to=3)
    assert "network=" in found.name
    spread = max(found.first) - min(found.first)
    assert sum(gap > spread / 20 for gap in found.distances) >= 33
    check(found.chaos)


def test_no_sampled_network() -> None:
    with pytest.raises(
        NotFound, match="scrambling of a sampled network\n  expected  a network that is proved chaotic and looks it"
    ) as error:
        sampled_scrambling(Cell("theory", 4, 1.0), 5, 20)
    assert error.value.got == "0 chaotic networks among 20, none of them lively"


def test_the_liveliest_start_is_lively() -> None:
    network: Network = load(NEAR_TENT, model="scalar").network
    start, share = liveliest_start(network, 1e-7, 100)
    assert 0 < start < 1
    assert share > 0.6
    assert liveliest_start(load(DOUBLE, model="scalar").network, 1e-7, 1000)[1] == 0
    assert Fraction(start).denominator <= 1024
