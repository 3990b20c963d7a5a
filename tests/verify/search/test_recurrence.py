"""Long returns: orbits that nearly close become cycles, orbits that leave and come back become strips, and failures are told."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofs.network import Network
from proofs.space import CoveringGraph
from verify.certification.draft import Draft
from verify.certification.horseshoe import prove_horseshoe
from verify.loading import load_network
from verify.numerics.batch import FloatNetwork
from verify.numerics.strips import Letters
from verify.numerics.windows import LoopWatch, near_returns, settled_orbits
from verify.search import recurrence
from verify.search.recurrence import RecurrenceAccount, find_recurrence

LOZI = {"A": [["17/10", 1], ["1/2", 0]], "W": [["-17/5", 0], [0, 0]], "h": [1, 0]}
CONTRACTION = {"A": ["1/2", "1/3"], "W": [["1/10", "1/20"], ["1/20", "-1/10"]], "h": [1, 1]}
ESCAPING = {"A": [2, 3], "W": [[1, 0], [0, 1]], "h": [1, 1]}


def plrnn(weights: dict[str, Any]) -> Network:
    return load_network(weights, model="plrnn")


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search as for a network that goes round quickly."""
    sizes = {
        "ORBITS": 8,
        "SETTLE": 200,
        "LENGTH": 2000,
        "LONGEST_LOOP": 12,
        "STRETCHES": 40,
        "STARTS": 512,
        "WINDOW": 24,
        "LONGEST_WORD": 80,
    }
    for name, value in sizes.items():
        monkeypatch.setattr(recurrence, name, value)


# Orbits


def test_orbits_that_escape_are_left_out() -> None:
    network = FloatNetwork(plrnn(LOZI))
    states = settled_orbits(network, np.random.default_rng(1), 16, 100, 50)
    assert states.shape[0] == 50
    assert 0 < states.shape[1] <= 16
    assert np.abs(states).max() < 3.0
    assert np.allclose(network.step(states[7]), states[8])
    assert settled_orbits(FloatNetwork(plrnn(ESCAPING)), np.random.default_rng(1), 4, 100, 50).shape[1] == 0


def test_stretches_that_nearly_close_come_in_order() -> None:
    turns = np.arange(200) / 25
    states = np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns), 1e-3 * turns], axis=1)[:, None, :]
    near = near_returns(states, 60, 2)
    assert set(near.lags[:4].tolist()) == {25, 50}
    assert np.all(np.diff(near.gaps) >= 0.0)
    assert near.gaps[0] < 0.01
    assert np.all(near.times + near.lags < 200)


def test_a_loop_is_noticed_again_only_after_it_was_left() -> None:
    network = FloatNetwork(plrnn(LOZI))
    fixed = np.array([1 / 2.2, 0.5 / 2.2])  # x = 1 - 1.7 x + 0.5 x
    watch = LoopWatch(network, network.patterns(fixed[None]), 12)
    still = watch.arrivals(fixed[None], 40)
    assert len(still.starts) == 0
    starts = fixed + 0.02 * np.random.default_rng(0).standard_normal((400, 2))
    moving = watch.arrivals(starts, 60)
    assert len(moving.starts) > 0
    for start, time in zip(moving.starts.tolist(), moving.times.tolist(), strict=True):
        Z, letters = starts[start][None], []
        for _ in range(time + 12):
            letters.append(bool(network.patterns(Z)[0, 0]))
            Z = network.step(Z)
        assert all(letters[-12:])
        assert not letters[-13]


def test_the_place_of_a_loop_is_the_one_from_which_it_is_said() -> None:
    network = FloatNetwork(plrnn(LOZI))
    loop = np.array([[True, False], [True, False], [False, False], [True, False], [False, False]])  # the second hinge is idle
    watch = LoopWatch(network, loop, 7)
    codes = np.array([watch.loop[(3 + step) % 5] for step in range(7)])
    total = np.uint64(0)
    with np.errstate(over="ignore"):
        for code in codes:
            total = total * np.uint64(6364136223846793005) + code
    slot = int(np.searchsorted(watch.hashes, total))
    assert (watch.hashes[slot], watch.places[slot]) == (total, 3)


# Horseshoes


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("seed", [0, 1])
def test_a_horseshoe_is_found_and_proved(seed: int) -> None:
    network = plrnn(LOZI)
    found = find_recurrence(network, seed=seed)
    assert found.covering is not None
    assert len(found.covering.strips) > 1
    assert min(strip.slack for strip in found.covering.strips) > 0.0
    letters = Letters(FloatNetwork(network))
    for strip in found.covering.strips:
        slab = found.covering.slabs[strip.start]
        patterns = np.array([[letter == "1" for letter in pattern] for pattern in strip.itinerary or ()])
        word = letters.read(patterns)
        start = slab.center + slab.basis[:, :1] @ strip.offset
        assert letters.obeyed(word, letters.orbit(word, start))[0] == word
    proof = prove_horseshoe(Draft(network), found.covering)
    assert not isinstance(proof, str)
    claim = proof.entropy[1]
    assert isinstance(claim, CoveringGraph)
    assert 1 < claim.rate < Fraction(166, 100)  # the entropy is about 0.500


@pytest.mark.usefixtures("_small")
def test_the_same_seed_gives_the_same_horseshoe() -> None:
    one, two = (find_recurrence(plrnn(LOZI), seed=3).covering for _ in range(2))
    assert one is not None
    assert two is not None
    assert [strip.itinerary for strip in one.strips] == [strip.itinerary for strip in two.strips]


@pytest.mark.usefixtures("_small")
def test_a_wrong_slab_is_refused_by_the_checker() -> None:
    network = plrnn(LOZI)
    covering = find_recurrence(network, seed=0).covering
    assert covering is not None
    covering.slabs[0].basis[...] *= 64.0  # now its strips meet borders
    proof = prove_horseshoe(Draft(network), covering)
    assert isinstance(proof, str)
    assert "check 3" in proof


@pytest.mark.usefixtures("_small")
def test_order_has_none() -> None:
    found = find_recurrence(plrnn(CONTRACTION), budget_seconds=2.0)
    assert found.covering is None
    assert found.account.saddles == 0
    assert "0 of them expanding" in found.account.sentence()


@pytest.mark.usefixtures("_small")
def test_orbits_that_all_escape() -> None:
    found = find_recurrence(plrnn(ESCAPING), budget_seconds=5.0)
    assert found.covering is None
    assert found.account.sentence() == "no stretch of a simulated orbit was closed up: all escaped, or the time was over"


def test_the_account_names_the_most_frequent_reasons() -> None:
    account = RecurrenceAccount(9, 5, 2, 7, 3, (("a strip fails: border", 2), ("other", 1)))
    assert account.sentence() == (
        "9 stretches of orbits closed up to 5 cycles, 2 of them expanding; 7 excursions gave 3 homoclinic words: "
        "a strip fails: border (2); other (1)"
    )


@pytest.mark.usefixtures("_small")
def test_progress_is_shown() -> None:
    calls: list[tuple[str, int, int]] = []
    find_recurrence(plrnn(LOZI), seed=0, progress=lambda *call: calls.append(call))
    assert calls
    assert calls[0][0] == "searching for long returns"
    assert calls[0][2] == 6000


def test_a_smooth_network_is_not_searched() -> None:
    network = load_network({"W": [["1/2"]], "b": ["1/10"]}, model="rnn", activation="tanh")
    assert not network.is_piecewise_linear
    assert find_recurrence(network).covering is None
