"""Exact exponents as certificates: Markov maps of the line, the tent inside a rank-one network, and its slope where it is no Markov map."""

from __future__ import annotations

from fractions import Fraction
from math import log

import pytest

from proofs.kernel import check
from proofs.network import Network
from verify.certification.draft import Draft
from verify.certification.markov import prove_absorbing, prove_markov
from verify.loading import load_network


def hinge(slope: str, gain: str, knot: str, start: str) -> Network:
    return load_network(
        {"model": "shallow_plrnn", "A": [slope], "W1": [[gain]], "W2": [["1"]], "h1": [start], "h2": [str(-Fraction(knot))]}
    )


def tent(mu: str) -> Network:
    other = str(-2 * Fraction(mu))
    return load_network({"model": "rnn", "W": [[mu, other], [mu, other]], "b": ["0", "-1/2"], "activation": "relu"})


def test_two_thirds_of_log_two_is_proved_exactly() -> None:
    draft = Draft(hinge("1", "-3", "1/2", "1/2"))
    found = prove_markov(draft)
    (claim,) = found.claims
    assert claim.slopes == (Fraction(1), Fraction(2))
    assert claim.weights == (Fraction(1, 3), Fraction(2, 3))
    assert claim.spans == ((Fraction(0), Fraction(1)),)
    assert "2/3 log 2" in claim.statement()
    certificate, _ = draft.finish([claim])
    assert check(certificate).claims == (claim,)
    assert found.steps == (1,)


@pytest.mark.parametrize("a", ["3/10", "2/5"])
def test_skew_tents_have_closed_forms(a: str) -> None:
    top = Fraction(a)
    (claim,) = prove_markov(Draft(hinge(str(1 / top), str(-1 / top - 1 / (1 - top)), a, "0"))).claims
    value, x = claim.enclosure(80), float(top)
    assert float(value.lo) <= -x * log(x) - (1 - x) * log(1 - x) + 1e-15
    assert float(value.hi) >= -x * log(x) - (1 - x) * log(1 - x) - 1e-15
    assert value.hi - value.lo < Fraction(1, 2**60)


def test_a_rank_one_network_has_log_two_and_minus_infinity() -> None:
    (claim,) = prove_markov(Draft(tent("2"))).claims
    assert claim.slopes == (Fraction(2),)
    assert claim.weights == (Fraction(1),)
    assert claim.form == (Fraction(2), Fraction(-4))
    assert "its 1 other exponent: -infinity" in claim.statement()


def test_a_tent_that_is_no_markov_map_grows_by_its_slope() -> None:
    draft = Draft(tent("19/10"))
    refused = prove_markov(draft)
    assert not refused.claims
    assert "does not close up" in refused.reasons[-1]
    assert not draft.facts
    claim = prove_absorbing(draft).claim
    assert claim is not None
    assert claim.lower is not None
    assert claim.upper is not None
    assert log(1.9) - 1e-4 < log(claim.lower) < log(1.9) < log(claim.upper) < log(1.9) + 1e-4
    certificate, _ = draft.finish([claim])
    assert check(certificate).claims == (claim,)


def test_a_scalar_tent_that_is_no_markov_map_too() -> None:
    claim = prove_absorbing(Draft(hinge("19/10", "-19/5", "1/2", "0"))).claim
    assert claim is not None
    assert claim.lower is not None
    assert float(claim.lower) == pytest.approx(1.9, abs=1e-4)


def test_what_is_not_covered_has_a_reason_and_leaves_no_step() -> None:
    smooth = Draft(load_network({"model": "rnn", "W": [["2"]], "b": ["0"], "activation": "tanh"}))
    assert prove_markov(smooth).reasons == ("markov: for exact piecewise-linear networks only",)
    assert prove_absorbing(smooth).reasons == ("absorbing interval: for exact piecewise-linear networks only",)
    shrinking = Draft(hinge("1/2", "1/4", "1", "1/3"))
    assert not prove_absorbing(shrinking).claim
    full = Draft(load_network({"model": "rnn", "W": [["1", "2"], ["3", "4"]], "b": ["0", "0"], "activation": "relu"}))
    assert "rank above one" in prove_markov(full).reasons[0]
    assert not smooth.facts
    assert not full.facts
