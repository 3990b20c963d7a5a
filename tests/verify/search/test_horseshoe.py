"""The search for covering graphs: known maps, random ReLU networks, and the account it gives where it finds none."""

from __future__ import annotations

import numpy as np
import pytest

from proofs.network import Network
from tests.known.plane_maps import border_collision, lozi, plrnn
from verify.candidates import Covering
from verify.numerics.strips import SAFE
from verify.search.horseshoe import Account, find_horseshoe


@pytest.mark.parametrize(
    "network",
    [lozi("17/10", "1/2"), lozi("9/5", "2/5"), lozi("7/5", "3/10"), border_collision()],
    ids=["lozi", "lozi2", "lozi3", "normal form"],
)
def test_maps_known_to_be_chaotic(network: Network) -> None:
    found = find_horseshoe(network, budget_seconds=2.0)
    assert found.covering is not None
    assert len([strip for strip in found.covering.strips if strip.start == 0]) >= 2
    assert all(strip.slack > SAFE for strip in found.covering.strips)
    assert {strip.start for strip in found.covering.strips} == set(range(len(found.covering.slabs)))


@pytest.mark.parametrize("network", [lozi(1, "1/2"), plrnn([["1/2", 0], [0, "1/4"]], [[0, 0], [0, 0]], [1, 1])], ids=["lozi", "affine"])
def test_no_chaos_no_horseshoe(network: Network) -> None:
    found = find_horseshoe(network, budget_seconds=2.0)
    assert found.covering is None
    assert found.account.sentence().startswith("no simulated orbit has a positive exponent: the largest seen is -")


def test_every_orbit_escapes() -> None:
    found = find_horseshoe(plrnn([[3]], [[0]], [1]), budget_seconds=1.0)
    assert found.account.sentence() == "no simulated orbit has a positive exponent: every simulated orbit escaped"


@pytest.mark.parametrize(("size", "gain", "shift", "seed"), [(3, 3, 4, 171), (5, 4, 0, 88), (10, 2, 2, 14)])
def test_random_networks(size: int, gain: int, shift: int, seed: int) -> None:
    W = gain * np.random.default_rng([size, gain, shift, seed]).standard_normal((size, size)) / np.sqrt(size) - shift / size
    found = find_horseshoe(plrnn(np.zeros((size, size)).tolist(), W.tolist(), [1] * size), budget_seconds=5.0)
    assert found.covering is not None
    assert found.account.saddles > 0


def test_the_same_seed_finds_the_same_words() -> None:
    one, two = (find_horseshoe(lozi("17/10", "1/2"), budget_seconds=60.0, seed=5).covering for _ in range(2))
    assert isinstance(one, Covering)
    assert isinstance(two, Covering)
    assert [strip.itinerary for strip in one.strips] == [strip.itinerary for strip in two.strips]
    assert [strip.offset.tolist() for strip in one.strips] == [strip.offset.tolist() for strip in two.strips]


def test_accounts_in_words() -> None:
    """Every stage at which the search can end has its sentence."""
    ends = [
        (Account(0.1), "no hyperbolic cycle with an expanding direction among the 0 found near simulated orbits"),
        (Account(0.1, 4, 3), "no simulated orbit comes back to one of 3 saddles"),
        (
            Account(0.1, 4, 3, 20, 2, (("a strip meets a border on its way", 2), ("two strips are not told apart", 1))),
            "3 saddles, 20 excursions tried, 2 homoclinic orbits: a strip meets a border on its way (2); two strips are not told apart (1)",
        ),
    ]
    for account, sentence in ends:
        assert account.sentence() == sentence
