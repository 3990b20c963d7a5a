"""Bounds on boxes as certificates: smooth units from both sides, cited regions, and what is said where nothing is proved."""

from __future__ import annotations

from fractions import Fraction
from math import log, tanh
from time import monotonic

import pytest

from proofs.kernel import check
from proofs.network import Network
from proofs.space import TrappingBox
from verify.certification.cycle_mean import CycleMeans, prove_cycle_mean
from verify.certification.draft import Draft
from verify.certification.trapping import polytope_witness
from verify.loading import load, load_network
from verify.numerics.trapped import trapped
from verify.search.box_graph import Refinement, refine


def tanh_network(W: list[list[str]], b: list[str]) -> Network:
    return load_network({"model": "rnn", "W": W, "b": b, "activation": "tanh"})


def proved(draft: Draft, region: int | None = None, budget: float = 20.0, *, narrow: bool = False) -> tuple[CycleMeans, float, float]:
    tolerance = 1e-3 if draft.network.dimension == 1 else 1e-4
    found = prove_cycle_mean(draft, region, budget, tolerance, narrow=narrow)
    assert found.claim is not None
    assert found.step == len(draft.facts)
    certificate, _ = draft.finish([found.claim])
    assert check(certificate).claims == (found.claim,)
    lower, upper = (None if rate is None else log(rate) for rate in (found.claim.lower, found.claim.upper))
    return found, lower if lower is not None else -float("inf"), upper if upper is not None else float("inf")


def test_a_bistable_unit_lies_between_its_fixed_points() -> None:
    found, lower, upper = proved(Draft(tanh_network([["2"]], ["0"])))
    point = 1.0
    for _ in range(200):
        point = tanh(2 * point)
    assert log(2 * (1 - point**2)) - 1e-4 < lower < log(2 * (1 - point**2))
    assert log(2) < upper < log(2) + 1e-6
    assert isinstance(found.claim and found.claim.inside, TrappingBox)
    assert found.table[0][0] == 1
    assert not found.reasons


def test_a_box_that_is_cited_is_the_root() -> None:
    draft = Draft(tanh_network([["2"]], ["0"]))
    draft.add("trapping", {"low": ["1/2"], "high": ["1"], "bits": 64})
    found, lower, upper = proved(draft, region=1)
    assert found.claim is not None
    assert found.claim.inside == draft.facts[0]
    point = 1.0
    for _ in range(200):
        point = tanh(2 * point)
    assert upper - lower < 2e-3
    assert lower < log(2 * (1 - point**2)) < upper


def test_an_interval_cited_as_a_polytope_will_do() -> None:
    """Slopes 3/2 and 1/2, fixed points at 0 and 2: two borders and no fold."""
    draft = Draft(load_network({"model": "shallow_plrnn", "A": ["3/2"], "W1": [["-1"]], "W2": [["1"]], "h1": ["0"], "h2": ["-1"]}))
    region = trapped(draft.network, [(1, 0), (-1, 3)], monotonic() + 5.0)
    assert region is not None
    draft.add("trapping", polytope_witness(region))
    found, lower, upper = proved(draft, region=1)
    assert lower == pytest.approx(log(1 / 2), abs=1e-3)
    assert upper == pytest.approx(log(3 / 2), abs=1e-3)
    assert found.claim is not None
    assert found.claim.inside == draft.facts[0]


def test_two_units_that_turn_are_bounded_from_above() -> None:
    found, lower, upper = proved(Draft(tanh_network([["3/2", "1"], ["-1", "3/2"]], ["0", "1/10"])), budget=2.0)
    assert lower == -float("inf")
    assert log(1.5**2 + 1) / 2 - 0.01 < upper < 0.8
    assert found.reasons == ("cycle mean: no lower bound: no forms grow on all of the box (it may hold a fold)",)


def test_a_spiral_has_both_bounds() -> None:
    _, lower, upper = proved(Draft(tanh_network([["1/2", "1/2"], ["-1/2", "1/2"]], ["0", "1/10"])), narrow=True)
    assert lower < -0.35655 < upper < lower + 1e-4


def test_weights_with_a_radius_are_bounded_too() -> None:
    network = load({"model": "rnn", "W": [["2"]], "b": ["0"], "activation": "tanh"}).with_radius(Fraction(1, 2**8))
    _, lower, upper = proved(Draft(network))
    assert lower < log(0.1663)
    assert log(2) < upper < log(2) + 0.01


def test_a_rate_that_is_too_bold_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    def bold(*arguments: object) -> Refinement:
        found = refine(*arguments)  # type: ignore[arg-type]
        assert found.lower is not None
        assert found.upper is not None
        return Refinement(found.cuts, found.lower.moved(1 + 5e-5), found.upper.moved(0.5), found.table)

    monkeypatch.setattr("verify.certification.cycle_mean.refine", bold)
    found = prove_cycle_mean(Draft(tanh_network([["2"]], ["0"])), budget=2.0)
    assert found.claim is not None
    assert found.claim.lower is not None
    assert found.claim.upper is None
    assert found.reasons[0].startswith("exponents on boxes, upper bound: Rejected at step 1, theorem cycle_mean, check 4")


def test_what_cannot_be_done_is_told() -> None:
    wide = load_network(
        {"model": "rnn", "W": [["1/2" if i == j else "0" for j in range(9)] for i in range(9)], "b": ["0"] * 9, "activation": "tanh"}
    )
    assert prove_cycle_mean(Draft(wide)).reasons == ("cycle mean: for at most 8 states",)
    growing = Draft(load_network({"model": "plrnn", "A": ["2"], "W": [["1"]], "h": ["1"]}))
    nowhere = "cycle mean: no box was seen to be mapped into itself"
    assert prove_cycle_mean(growing, budget=2.0).reasons == (nowhere,)
    assert not growing.facts
    draft = Draft(tanh_network([["1/2"]], ["0"]))
    draft.add("contraction", {"weights": ["1"], "rate": "1/2", "bits": 64})
    assert prove_cycle_mean(draft, region=1).reasons == ("cycle mean: the region given is no trapping box with an inside",)
