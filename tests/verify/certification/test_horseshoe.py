"""Covering graphs that floats suggest, proved: what is left out, what is refused, and at which radius they hold."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from proofs.claims import ScrambledSet
from proofs.network import Network
from tests.known.plane_maps import border_collision, lozi, widened
from verify.candidates import Covering
from verify.certification.draft import Draft
from verify.certification.horseshoe import Proof, prove_horseshoe
from verify.search.horseshoe import find_horseshoe


@cache
def suggested(network: Network) -> Covering:
    """Return what the search finds."""
    covering = find_horseshoe(network, budget_seconds=3.0).covering
    assert covering is not None
    return covering


def proved(network: Network, covering: Covering) -> Proof:
    """Prove it in a fresh draft."""
    draft = Draft(network)
    proof = prove_horseshoe(draft, covering)
    assert isinstance(proof, Proof), proof
    assert [claim for _, claim in (proof.entropy, proof.chaos)] == draft.facts
    return proof


@pytest.mark.parametrize("network", [lozi("17/10", "1/2"), lozi("9/5", "2/5"), lozi("7/5", "3/10"), border_collision()], ids=str)
def test_known_maps_are_proved_chaotic(network: Network) -> None:
    proof = proved(network, suggested(network))
    assert isinstance(proof.chaos[1], ScrambledSet)
    assert proof.entropy[1].rate > Fraction(101, 100)
    assert proof.entropy[1].unstable == 1


def test_bad_strips_are_left_out() -> None:
    """A copy and a strip with a wrong letter are left out; one too narrow to be mapped across is solved again."""
    network = lozi("17/10", "1/2")
    covering = suggested(network)
    strip = covering.strips[0]
    word = strip.itinerary
    assert word is not None
    wrong = replace(strip, itinerary=("00" if word[0] == "10" else "10", *word[1:]))
    narrow = replace(covering.strips[1], width=covering.strips[1].width / 4.0)
    worse = replace(covering, strips=(*covering.strips[2:], strip, strip, wrong, narrow))
    assert proved(network, worse).entropy[1] == proved(network, covering).entropy[1]


def test_one_strip_is_no_horseshoe() -> None:
    network = lozi("17/10", "1/2")
    covering = suggested(network)
    draft = Draft(network)
    assert prove_horseshoe(draft, replace(covering, strips=covering.strips[:1])) == "the strips that are left do not make entropy"
    assert draft.facts == []


def test_a_map_without_chaos_refuses_every_strip() -> None:
    """The horseshoe of one Lozi map is none of another's."""
    covering = suggested(lozi("17/10", "1/2"))
    draft = Draft(lozi(1, "1/2"))
    reason = prove_horseshoe(draft, covering)
    assert isinstance(reason, str)
    assert reason.startswith("the strips that are left do not make entropy; the checker refused a strip: Rejected at step 1")
    assert draft.facts == []


def test_every_network_in_a_small_radius() -> None:
    """The idle hinge of the middle network counts within the radius: its letters are left open."""
    network = lozi("17/10", "1/2")
    covering = suggested(network)
    proof = proved(widened(network, Fraction(1, 10**6)), covering)
    assert proof.entropy[1].rate > 1
    assert isinstance(prove_horseshoe(Draft(widened(network, Fraction(1, 10))), covering), str)


def test_numbers_are_short() -> None:
    """Strips are spelled with no more digits than their images need."""
    network = lozi("17/10", "1/2")
    draft = Draft(network)
    covering = suggested(network)
    assert isinstance(prove_horseshoe(draft, covering), Proof)
    witness = draft.steps[0][2]
    texts = [text for path in witness["paths"] for text in path["offset"]]  # type: ignore[attr-defined]
    assert max(map(len, texts)) < 32
    assert all(np.isfinite(strip.slack) for strip in covering.strips)
