"""The restart heuristic that the benchmarks compare with: it does what its authors published, and what it returns are cycles."""

from __future__ import annotations

import numpy as np
import pytest

from proofs.network import Network
from tests.benchmarks import restart
from tests.benchmarks.restart import Finder, Ledger, find_cycles, loop_counts
from tests.known.test_lozi import COUNTS
from tests.verify.command import lozi
from verify.certification.orbits import PieceTable, closed_orbit
from verify.loading import load_network
from verify.numerics.batch import FloatNetwork

SINGULAR = {"model": "plrnn", "A": [["0", "1"], ["1", "0"]], "W": [["0", "0"], ["0", "1"]], "h": ["0", "0"]}


@pytest.fixture(autouse=True)
def small_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "POOL_STATES", 100_000)


def shallow(seed: int = 1) -> Network:
    rng = np.random.default_rng(seed)
    arrays = {"A": rng.uniform(0.0, 0.9, 2), "W1": rng.standard_normal((2, 6)), "W2": rng.standard_normal((6, 2))}
    return load_network(arrays | {"h1": rng.standard_normal(2), "h2": rng.standard_normal(6)}, model="shallow_plrnn")


def dense(size: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = 6.0 * rng.standard_normal((size, size)) / np.sqrt(size)
    return load_network({"A": rng.uniform(0.0, 0.9, size), "W": weights, "h": rng.standard_normal(size)}, model="plrnn")


def one_by_one(network: Network, period: int) -> frozenset[restart.Word]:
    """Run the published loops as they are written, one linear system after another."""
    finder = Finder(FloatNetwork(network), 0, float("inf"))
    rng = np.random.default_rng([0, period])
    outer, inner = loop_counts(period)
    found: set[restart.Word] = set()
    i = -1
    while i < outer:
        i += 1
        patterns, c = finder._draw(rng, 1, period), 0
        while c < inner:
            c += 1
            signs, regular, real = finder._improve(patterns)
            word = finder._word(patterns[0]) if real[0] else None
            if word is not None and word not in found:
                found.add(word)
                i = c = 0
            fresh = (real[0] or not regular[0]) and c < inner
            patterns = finder._draw(rng, 1, period) if fresh else signs
    return frozenset(found)


def test_the_published_loop_counts() -> None:
    table = {1: (10, 20), 3: (10, 60), 6: (10, 300), 8: (40, 1080), 20: (40, 1115), 29: (40, 1115), 30: (100, 1115)}
    assert {period: loop_counts(period) for period in table} == table


def test_the_fixed_points_of_lozi() -> None:
    harvest = find_cycles(load_network(lozi()), 1)
    assert harvest.counts() == {1: 2}
    assert harvest.words[1] == {(b"\x00",), (b"\x80",)}  # one letter: the second unit reaches nothing


def test_a_cycle_is_counted_once_and_at_its_least_period() -> None:
    harvest = find_cycles(load_network(lozi()), 8)
    assert all(count <= COUNTS[period - 1] for period, count in harvest.counts().items())
    assert harvest.counts()[2] == 1
    for period, words in harvest.words.items():
        rotations = [word[i:] + word[:i] for word in words for i in range(period)]
        assert len(set(rotations)) == period * len(words)
    assert harvest.missed(dict(enumerate(COUNTS[:8], 1))) == sum(COUNTS[:8]) - sum(harvest.counts().values())


@pytest.mark.parametrize(
    "network", [load_network(lozi()), dense(4, 3), shallow(), load_network(SINGULAR)], ids=["lozi", "dense", "shallow", "singular"]
)
@pytest.mark.parametrize("ahead", [1, restart.MOST_AHEAD])
def test_the_order_of_work_changes_nothing(network: Network, ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Descents that run side by side give what the published loops give one system after another."""
    monkeypatch.setattr(restart, "MOST_AHEAD", ahead)
    assert find_cycles(network, 4).words == {period: one_by_one(network, period) for period in range(1, 5)}


@pytest.mark.parametrize("network", [dense(5, 2), shallow()], ids=["dense", "shallow"])
def test_what_it_finds_are_cycles(network: Network) -> None:
    """Exact arithmetic agrees: each itinerary holds one cycle, of the stated least period."""
    harvest = find_cycles(network, 6)
    assert harvest.counts()
    table = PieceTable(network)
    for period, words in harvest.words.items():
        for word in words:
            itinerary = tuple("".join(f"{byte:08b}" for byte in letter)[: network.hinges] for letter in word)
            orbit = closed_orbit(table, itinerary)
            assert (orbit.is_real, orbit.touches_border, orbit.least_period) == (True, False, period)


def test_a_new_cycle_starts_the_counts_again() -> None:
    ledger = Ledger(outer=2, inner=5)
    ledger.enter(5, None)
    assert (ledger.restart, ledger.spent) == (1, 0)
    ledger.enter(3, (b"a",))
    assert (ledger.restart, ledger.spent, ledger.found) == (0, 0, {(b"a",)})
    ledger.enter(3, (b"a",))  # known
    ledger.enter(3, (b"b",))  # too late
    assert (ledger.restart, ledger.spent, ledger.found) == (1, 0, {(b"a",)})
    ledger.enter(5, None)
    assert not ledger.over
    ledger.enter(5, None)
    assert (ledger.over, ledger.systems) == (True, 5 + 3 + 5 + 5 + 5)


def test_the_budget_ends_it() -> None:
    harvest = find_cycles(load_network(lozi()), 30, budget_seconds=0.0)
    assert (harvest.finished, harvest.counts(), harvest.missed({1: 2})) == (0, {}, 0)
