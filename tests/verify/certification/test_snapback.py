"""Chaos by a snap-back repeller: what is found passes the card, what is bent does not, and failures say why."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from proofs.errors import Rejected
from proofs.space import SnapBackRepeller
from tests.verify.command import CONTRACTION, lozi
from verify.certification.draft import Draft
from verify.certification.snapback import prove_snap_back, snap_back_witness
from verify.loading import load, load_network
from verify.search.snapback import SnapBack, find_snap_back

FOLD = {"A": [["-2/5", 1], ["13/10", 0]], "W": [[0, 0], ["-13/5", 0]], "h": [1, 0]}  # x' = 1 - 2x/5 + y, y' = -13|x|/10
FOUND = find_snap_back(load_network(FOLD, model="plrnn"))


def draft() -> Draft:
    return Draft(load_network(FOLD, model="plrnn"))


def found() -> SnapBack:
    assert isinstance(FOUND, SnapBack)
    return FOUND


def test_a_fold_in_the_plane() -> None:
    paper = draft()
    answer = prove_snap_back(paper)
    assert isinstance(answer, tuple)
    number, claim = answer
    assert number == 1
    assert isinstance(claim, SnapBackRepeller)
    assert claim.point == (Fraction(10, 27), Fraction(-13, 27))
    certificate, proved = paper.finish([claim])
    assert proved.claims == certificate.claims == (claim,)


def test_floats_for_weights() -> None:
    """The orbit comes back exactly for the binary fractions that the floats are."""
    weights = {"A": [[1.7, 0.0625], [0.1, 1.9]], "W": [[-3.4, 0.01], [0.02, -3.8]], "h": [1.0, 1.1]}
    answer = prove_snap_back(Draft(load_network(weights, model="plrnn")))
    assert isinstance(answer, tuple)


def test_a_step_more_is_as_good() -> None:
    """Nothing is wrong with resting at z."""
    draft().add("snap_back_repeller", snap_back_witness(replace(found(), steps=found().steps + 1)))


@pytest.mark.parametrize(
    ("bent", "told"),
    [
        (replace(found(), start=found().point), "check 4"),
        (replace(found(), steps=found().steps - 1), "check 4"),
        (replace(found(), level=found().level * Fraction(16, 15) * Fraction(257, 256)), "check 3"),
        (replace(found(), level=found().level / 1024), "check 4"),
        (replace(found(), form=found().form.times(Fraction(-1))), "check 2"),
        (replace(found(), point=tuple(x + Fraction(1, 2**60) for x in found().point)), "check 1"),
    ],
    ids=["start is z", "a step less", "over the border", "outside", "negative form", "not fixed"],
)
def test_what_is_bent_is_rejected(bent: SnapBack, told: str) -> None:
    with pytest.raises(Rejected) as failure:
        draft().add("snap_back_repeller", snap_back_witness(bent))
    assert told in failure.value.law


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (lozi(), "snap-back repeller (B6): no expanding fixed point strictly inside its region"),
        (CONTRACTION, "one with 0 of 2 multipliers outside the unit circle"),
        ({"model": "rnn", "W": [[2, 0], [0, 2]], "b": [0, 0], "activation": "tanh"}, "this one is smooth"),
    ],
    ids=["Lozi", "contraction", "smooth"],
)
def test_nothing_is_claimed(weights: dict[str, object], told: str) -> None:
    paper = Draft(load(weights).network)
    answer = prove_snap_back(paper)
    assert isinstance(answer, str)
    assert told in answer
    assert not paper.steps


def test_weights_with_a_radius_are_refused() -> None:
    answer = prove_snap_back(Draft(load(FOLD, "plrnn").with_radius(Fraction(1, 1024))))
    assert isinstance(answer, str)
    assert "these have a radius" in answer
