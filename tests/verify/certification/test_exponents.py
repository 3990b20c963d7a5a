"""Exponent bounds as certificates: the values of maps that are known, networks with intervals, and what is said where nothing is proved."""

from __future__ import annotations

from fractions import Fraction
from math import log, sqrt

import numpy as np
import pytest

from proofs.kernel import check
from proofs.network import Network
from proofs.space import ExponentBounds, TrappingPolytope
from verify.certification.draft import Draft
from verify.certification.exponents import Exponents, prove_exponents
from verify.loading import load, load_network


def lozi_arrays(a: str, b: str) -> dict[str, object]:
    return {"model": "plrnn", "A": [[a, "1"], [b, "0"]], "W": [[str(-2 * Fraction(a)), "0"], ["0", "0"]], "h": ["1", "0"]}


def proved(network: Network, memory: int = 2, budget: float = 20.0) -> tuple[Draft, Exponents, ExponentBounds]:
    draft = Draft(network)
    found = prove_exponents(draft, memory, budget)
    assert found.claim is not None
    certificate, _ = draft.finish([found.claim])
    assert check(certificate).claims == (found.claim,)
    return draft, found, found.claim


def bounds(claim: ExponentBounds) -> tuple[float, float]:
    assert claim.lower is not None
    assert claim.upper is not None
    return log(claim.lower), log(claim.upper)


@pytest.mark.parametrize(("a", "b"), [("17/10", "1/2"), ("9/5", "2/5"), ("7/5", "3/10")])
def test_lozi_is_bounded_by_its_two_cycle_and_its_fixed_point(a: str, b: str) -> None:
    draft, _, claim = proved(load_network(lozi_arrays(a, b)))
    lower, upper = bounds(claim)
    assert isinstance(draft.facts[0], TrappingPolytope)
    assert claim.inside in {None, draft.facts[0]}  # None: no word had to be excluded, so it holds for all orbits
    slope, other = float(Fraction(a)), float(Fraction(b))
    pair = np.array([[slope, 1.0], [other, 0.0]]) @ np.array([[-slope, 1.0], [other, 0.0]])
    cycle = log(max(abs(np.linalg.eigvals(pair)))) / 2
    fixed = log((slope + sqrt(slope**2 + 4 * other)) / 2)
    assert cycle - 1e-4 < lower < cycle
    assert fixed < upper < fixed + 1e-4


def test_every_orbit_of_the_border_collision_map_has_a_positive_exponent() -> None:
    A, W = [["7/5", "1"], ["-1/5", "0"]], [["-29/10", "0"], ["-1/5", "0"]]
    _, found, claim = proved(load_network({"model": "plrnn", "A": A, "W": W, "h": ["1", "0"]}))
    assert bounds(claim)[0] > 0.142
    assert len(found.steps) == 2


def test_words_are_forbidden_where_that_tightens_the_bound() -> None:
    """A tent with slopes 2 and -1/2 and its top at 1/2: in its region the rising side never comes twice."""
    draft, found, claim = proved(load_network({"model": "plrnn", "A": ["2"], "W": [["-5/2"]], "h": ["1/2"]}), memory=3)
    lower, upper = bounds(claim)
    assert lower <= upper < log(2)
    assert isinstance(claim.inside, TrappingPolytope)
    assert [theorem for theorem, _, _ in draft.steps] == ["trapping", "forbidden_words", "exponent_bounds"]
    assert [row.memory for row in found.table] == [1, 2, 3]
    uppers = [row.upper for row in found.table if row.upper is not None]
    assert len(uppers) == 3
    assert uppers == sorted(uppers, reverse=True)


def test_a_region_that_is_there_already_is_used() -> None:
    draft = Draft(load_network(lozi_arrays("9/5", "2/5")))
    assert prove_exponents(draft, 1).steps[0] == 1
    number = len(draft.facts)
    again = prove_exponents(draft, 1, region=1)
    assert again.steps == (1, number + 1)


def test_weights_with_a_radius_are_bounded_on_all_orbits() -> None:
    network = load(lozi_arrays("17/10", "1/2")).with_radius(Fraction(1, 2**10))
    _, found, claim = proved(network, memory=1)
    lower, upper = bounds(claim)
    assert 0.25 < lower < 0.2789
    assert 0.6707 < upper < 0.69
    assert claim.inside is None
    assert found.reasons[0].startswith("trapping region (C2): polytopes are for exact piecewise-linear networks")


def test_a_collapse_leaves_the_upper_bound_and_is_told() -> None:
    network = load_network({"model": "plrnn", "A": [[0, 0], [0, 0]], "W": [["1/2", 0], [0, "1/2"]], "h": [-1, -1]})
    _, found, claim = proved(network, memory=1)
    assert claim.lower is None
    assert claim.upper is not None
    assert "exponents: no lower bound, for with memory 1 no word is excluded that repeats 00, where nothing grows" in found.reasons


def test_smooth_and_wide_networks_are_told_so() -> None:
    smooth = load_network({"model": "rnn", "W": [["1/2"]], "b": [0], "activation": "tanh"})
    assert prove_exponents(Draft(smooth)).reasons == ("exponents (D1): for piecewise-linear networks only",)
    wide = load_network({"model": "rnn", "W": np.eye(13).tolist(), "b": [0] * 13, "activation": "relu"})
    assert prove_exponents(Draft(wide)).reasons == ("exponents (D1): 13 live hinges, at most 12 are allowed",)


def test_an_affine_map_has_one_exponent() -> None:
    _, _, claim = proved(load_network({"model": "plrnn", "A": [["1/2", 0], [0, "1/4"]], "W": [[0, 0], [0, 0]], "h": [1, 1]}), memory=1)
    lower, upper = bounds(claim)
    assert lower < log(1 / 2) < upper < lower + 1e-3
