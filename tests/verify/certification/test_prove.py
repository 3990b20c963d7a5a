"""``certify`` and ``cycles`` from Python: what was asked, what was decided, at which radius."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from proofs.claims import Contraction, CycleCounts, ExactCycle, LiYorke, ScrambledSet, Stability
from proofs.errors import Malformed
from proofs.kernel import check
from proofs.network import Network
from proofs.space import CoveringGraph, ExponentBounds
from tests.verify.command import CONTRACTION, TENT, lozi
from verify.answers import Certified
from verify.candidates import Candidate, Covering
from verify.certification import Effort, certify, cycles, space
from verify.errors import NotFound, Unsupported
from verify.loading import load_network
from verify.search.entropy_graph import improving_graphs

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
QUICK = Effort(budget_seconds=5)
PLANE = 2
GENEROUS = 600.0  # seconds, for what ends by itself long before
STEP = Fraction(2.0**0.25) * Fraction(101, 100)


def proved(answer: object) -> Certified:
    assert isinstance(answer, Certified)
    check(answer)
    return answer


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches end by themselves, not with the time: the first graph of boxes, of few paths in the plane; unhurried lists."""

    def first(network: Network, *, budget_seconds: float, seed: int, cycles: Sequence[Candidate], progress: object) -> Covering | None:
        assert progress is None
        most = 20 if network.dimension == PLANE else 2000
        stages = improving_graphs(network, budget_seconds=budget_seconds, seed=seed, cycles=cycles, most_paths=most)
        return next((stage.covering for stage in stages), None)

    monkeypatch.setattr(space, "find_entropy_graph", first)
    monkeypatch.setattr(space, "_COMPLETE_SECONDS", 60.0)


def in_the_plane(budget: float, entropy: Fraction) -> None:
    """One certificate: all cycles up to period 4, chaos, entropy, exponents of every orbit."""
    answer = proved(certify(lozi(), effort=Effort(budget_seconds=budget)))
    assert answer.report.decision == "chaotic"
    assert sorted(entry.period for entry in answer.report.cycles) == [1, 1, 2, 4]
    assert sum(isinstance(claim, Stability) for claim in answer.claims) == 4
    assert {ScrambledSet, CoveringGraph, CycleCounts, ExponentBounds} <= {type(claim) for claim in answer.claims}
    assert isinstance(answer.claims[0], ScrambledSet)
    assert answer.report.entropy is not None
    assert answer.report.entropy[0] > entropy
    assert answer.report.entropy[1] is None
    assert [note[:13] for note in answer.report.notes] == ["robust chaos:"]
    assert answer.report.undecided == ()


@pytest.mark.usefixtures("ending")
def test_auto_in_the_plane() -> None:
    in_the_plane(GENEROUS, Fraction(1, 4))


@pytest.mark.slow
def test_auto_in_the_plane_has_time_for_entropy() -> None:
    in_the_plane(60, Fraction(2, 5))


@pytest.mark.parametrize("claim", ["auto", "chaos"])
def test_no_chaos_where_a_cycle_attracts_all(claim: str) -> None:
    answer = certify(lozi("1"), claim, effort=Effort(budget_seconds=1))
    assert isinstance(answer, NotFound) == (claim == "chaos")
    claims = () if isinstance(answer, NotFound) else answer.claims
    assert not any(isinstance(item, LiYorke | ScrambledSet | CoveringGraph) for item in claims)
    assert (answer.decision if isinstance(answer, NotFound) else answer.report.decision) == "undecided"
    tried = answer.got if isinstance(answer, NotFound) else "; ".join(answer.report.undecided)
    assert "covering graph (B5) by short cycles: no simulated orbit has a positive exponent" in tried


TENT_OF_SLOPE_3: dict[str, object] = {  # beside a line that maps all the rest to -3/10, where a fixed point attracts
    "model": "shallow_plrnn", "A": [0, "1/2"], "W1": [[3, -6, 3], [0, "1/8", 0]], "W2": [[1, 0], [1, 0], [1, 0]],
    "h2": ["1/10", "-1/2", "-11/10"], "h1": ["-3/10", 0],
}  # fmt: skip


@pytest.mark.usefixtures("ending")
@pytest.mark.parametrize("network", [TENT_OF_SLOPE_3, pytest.param(EXAMPLES / "plrnn.json", marks=pytest.mark.slow)])
def test_transient_chaos_around_the_cycles_that_are_listed(network: object) -> None:
    """All simulated orbits of this network settle down, yet it has a horseshoe."""
    answer = proved(certify(network, "chaos", effort=Effort(budget_seconds=GENEROUS)))  # type: ignore[arg-type]
    assert answer.report.decision == "chaotic"
    assert [note[:40] for note in answer.report.notes] == ["the simulated orbits all leave the chaot"]


@pytest.mark.usefixtures("few_paths")
def test_chaos_at_a_radius_and_at_the_largest() -> None:
    """Every network within 1e-4 of this one is chaotic, and somewhat beyond."""
    effort = Effort(budget_seconds=2)
    answer = proved(certify(lozi(), "chaos", radius="1/10000", effort=effort))
    assert answer.report.decision == "chaotic"
    assert not answer.network.is_exact
    widest = proved(certify(lozi(), "chaos", max_radius=True, effort=effort))
    assert widest.report.radius is not None
    assert widest.report.radius > Fraction(1, 10_000)


def test_order_and_its_opposite() -> None:
    answer = proved(certify(CONTRACTION, "order"))
    assert (answer.report.decision, [type(claim) for claim in answer.claims]) == ("ordered", [Contraction])
    refused = certify(CONTRACTION, "chaos")
    assert isinstance(refused, NotFound)
    assert refused.decision == "ordered"
    refused = certify(TENT, "order")
    assert isinstance(refused, NotFound)
    assert refused.decision == "chaotic"


@pytest.mark.parametrize("period", [1, 2, 4, 6])
def test_only_cycles_of_one_period(period: int) -> None:
    answer = proved(certify(lozi(), "cycles", period=period, effort=QUICK))
    assert {entry.period for entry in answer.report.cycles} == {period}


def test_no_cycle_of_a_period() -> None:
    answer = certify(lozi(), "cycles", period=3, effort=QUICK)
    assert isinstance(answer, NotFound)
    assert answer.got.startswith("cycles: none of least period 3 found in ")


@pytest.mark.parametrize("claim", ["cycles", "auto"])
def test_a_smooth_line_has_cycles(claim: str) -> None:
    layers = [{"W": [[3]], "b": [0], "activation": "tanh"}]
    answer = proved(certify({"model": "scalar", "layers": layers}, claim, effort=QUICK))
    assert claim == "auto" or [entry.label for entry in answer.report.cycles].count("stable") == 2


@pytest.mark.parametrize("radius", [Fraction(1, 1 << 20), Fraction(1, 10**6)])
def test_at_a_radius(radius: Fraction) -> None:
    answer = proved(certify(CONTRACTION, "cycles", radius=radius))
    assert answer.report.radius is not None
    assert radius <= answer.report.radius <= radius * Fraction(2**52 + 1, 2**52)
    assert answer.report.radius.denominator & (answer.report.radius.denominator - 1) == 0
    assert not answer.network.is_exact
    assert not any(isinstance(claim, ExactCycle) for claim in answer.claims)


@pytest.mark.parametrize(("net", "claim"), [(CONTRACTION, "order"), (CONTRACTION, "auto"), (TENT, "chaos"), (lozi(), "cycles")])
def test_the_largest_radius(net: dict[str, object], claim: str) -> None:
    answer = proved(certify(net, claim, max_radius=True, effort=QUICK))
    radius, base = answer.report.radius, proved(certify(net, claim, effort=QUICK))
    assert radius is not None
    assert radius.denominator & (radius.denominator - 1) == 0
    again = proved(certify(net, claim, radius=radius, effort=QUICK))
    assert again.report.decision == answer.report.decision == base.report.decision
    assert strength(again) >= strength(base)
    more = certify(net, claim, radius=radius * STEP, effort=QUICK)
    assert isinstance(more, NotFound) or more.report.decision != base.report.decision or strength(more) < strength(base)


def strength(answer: Certified) -> int:
    return sum(entry.label is not None for entry in answer.report.cycles)


def test_no_radius_at_all_is_not_found() -> None:
    answer = certify({"model": "plrnn", "A": [0, 0], "W": [[0, 0], [0, 0]], "h": [0, 0]}, "cycles", max_radius=True)
    assert isinstance(answer, NotFound)
    assert answer.got.startswith("max-radius: not even at radius 2^-100 is as much proved as without: period 1, itinerary 00: ")


def test_the_certificate_speaks_of_the_network() -> None:
    answer = proved(certify(load_network(CONTRACTION)))
    assert check(answer, load_network(CONTRACTION)).digest == load_network(CONTRACTION).digest
    assert answer.report.network["model"] == "program"


def test_a_bare_program_has_no_stored_weights() -> None:
    with pytest.raises(Unsupported, match="a bare program"):
        certify(load_network(CONTRACTION), "order", radius=Fraction(1, 1024))


@pytest.mark.parametrize("period", [0, -1, 100_001, 10**9, True])
def test_impossible_periods(period: int) -> None:
    with pytest.raises(Malformed, match="a possible period"):
        certify(CONTRACTION, "cycles", period=period)
    with pytest.raises(Malformed, match="a possible period"):
        cycles(CONTRACTION, period)


def test_impossible_questions() -> None:
    with pytest.raises(Malformed, match="known claims"):
        certify(CONTRACTION, "peace")
    with pytest.raises(Malformed, match="one radius"):
        certify(CONTRACTION, "order", radius=Fraction(1), max_radius=True)
    with pytest.raises(Malformed, match="a positive radius"):
        certify(CONTRACTION, "order", radius=Fraction(0))
    with pytest.raises(Malformed, match="LO <= HI"):
        cycles(CONTRACTION, 1, box=(Fraction(1), Fraction(0)))


def test_rnn_with_relu_has_multipliers_at_zero() -> None:
    """A unit that is off has a zero row in the Jacobian, hence a multiplier 0."""
    net = {"model": "rnn", "activation": "relu", "W": [[2, 1, -1], [0.5, 0.25, 1], [-1, -1, -1]], "b": [-1, 0.5, -0.25]}
    answer = cycles(net, 2, effort=QUICK)
    assert answer.verdict == "Proved"
    assert answer.certificate is not None
    check(answer.certificate)
    zeros = [entry for entry in answer.cycles for a, b in entry.multipliers or () if a.lo <= 0 <= a.hi and b.lo <= 0 <= b.hi]
    assert zeros
    assert all(entry.inside is None or entry.inside >= 1 for entry in zeros)


@pytest.mark.parametrize("size", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_tanh_cycles(size: int) -> None:
    W = np.diag([1.5] * size)
    W[:2, :2] = [[0, -1.75], [1.75, 0]]  # a quarter turn: 4-cycles
    net = {"model": "rnn", "activation": "tanh", "W": W.tolist(), "b": [0] * size}
    answer = cycles(net, 4, effort=Effort(budget_seconds=GENEROUS))
    assert answer.certificate is not None
    check(answer.certificate)
    assert 4 in answer.cycles_by_least_period
    assert any(entry.label == "stable" and entry.period == 4 for entry in answer.cycles)
    assert {claim.kind for claim in answer.claims} <= {"stability", "ball_cycle", "cycle", "multiplier_moduli"}
    assert any(claim.kind == "multiplier_moduli" for claim in answer.claims)


def test_complete_on_a_line_and_in_the_plane() -> None:
    assert cycles(TENT, 3, complete=True).complete
    answer = cycles(lozi(), 1, complete=True, effort=QUICK)
    assert (answer.verdict, answer.complete, answer.cycles_by_least_period) == ("Proved", True, {1: 2})
