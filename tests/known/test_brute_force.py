"""What is proved of tiny random networks, degenerate ones included, is what all words, walked one by one, say; both methods agree."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from proofs.claims import CycleCounts
from proofs.errors import Malformed
from proofs.network import Network
from proofs.theorems.lifted import live_hinges
from tests.known.tiny import tiny_network
from tests.proofs.trees import every_sign, every_word, words_of
from tests.proofs.workbench import facts
from tests.second.checker import check, claim_is_true
from tests.second.text import BeyondReach
from tests.second.words import cycles_of
from verify.certification.complete import complete_cycles
from verify.certification.find import Effort
from verify.loading import Loaded

QUICK = range(20)
NETWORKS = range(100, 300)
MOST_BITS = 8
LONGEST = 4


def drawn(seed: int) -> tuple[Network, int]:
    """Return a network and a period, so that all words can be walked."""
    rng = random.Random(seed)
    network = tiny_network(rng)
    width = max(1, len(live_hinges(network)))
    return network, max(1, min(rng.randint(1, LONGEST), (MOST_BITS - (network.dimension > 2)) // width))


def proved(network: Network, up_to: int, method: str) -> CycleCounts | None:
    """Return the proved counts, None if this method leaves something open; the second checker and all words agree with the certificate."""
    answer = complete_cycles(Loaded(network, "tiny", "exact", (), {}, {}), up_to, Effort(), method=method)
    if not answer.complete:
        return None
    assert answer.certificate is not None
    claim = answer.claims[0]
    assert isinstance(claim, CycleCounts)
    assert {n: count for n, count in enumerate(claim.counts, 1) if count} == answer.cycles_by_least_period
    assert claim_is_true(network.as_json(), claim.as_json()) is not False
    try:
        assert check(b"".join(answer.certificate.lines()))
    except BeyondReach:
        assert up_to > 1
    return claim


def agree(seed: int) -> str:
    """Prove one network in both ways; return how far they went."""
    network, up_to = drawn(seed)
    counts = proved(network, up_to, "words")
    assert counts is not None
    if not counts.residual:
        found = Counter(length for length in range(1, up_to + 1) for _ in cycles_of(words_of(network), length))
        assert counts.counts == tuple(found[length] for length in range(1, up_to + 1))
    try:
        signs = proved(network, up_to, "cyclic")
    except Malformed:
        return "no base"
    if signs is None:
        return "open"
    assert counts.residual or signs.residual or signs.counts == counts.counts
    return "both"


@pytest.mark.parametrize("seed", [*QUICK[::2], *(pytest.param(seed, marks=pytest.mark.slow) for seed in QUICK[1::2])])
def test_agreement(seed: int) -> None:
    agree(seed)


@pytest.mark.slow
def test_agreement_on_two_hundred_networks() -> None:
    reached = Counter(map(agree, NETWORKS))
    assert reached["both"] > 0.75 * len(NETWORKS), reached


@pytest.mark.slow
def test_witnesses_by_trying_everything_agree() -> None:
    """The kernel counts the same from witnesses that are no finder's, with as many words excluded as possible, or none."""
    for seed in NETWORKS[::4]:
        network, up_to = drawn(seed)
        counts = proved(network, up_to, "words")
        for lazy in (False, True):
            assert facts(network, *every_word(network, up_to, lazy=lazy))[-1] == counts
        steps = every_sign(network, up_to) if len(live_hinges(network)) * up_to < MOST_BITS else None
        assert steps is None or claim_is_true(network.as_json(), facts(network, *steps)[-1].as_json()) is not False


def test_the_networks_are_degenerate_often_enough() -> None:
    """Some have idle hinges, some no live one, and most are of several states."""
    networks = [drawn(seed)[0] for seed in NETWORKS]
    assert sum(len(live_hinges(network)) < network.hinges for network in networks) > 20
    assert any(not live_hinges(network) for network in networks)
    assert sum(network.dimension > 1 for network in networks) > 100
