"""Reports on E3: what is proved, what is estimated, what fails, with the predicted exponents beside the measured slopes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest

from proofs.errors import Malformed
from proofs.kernel import check
from proofs.parameters import GradientDivergence, GradientVanishing
from tests.verify.training.families import TOY, five_states, plrnn, toy, two_cycles
from verify.certification.gradients import GradientReport, divergence_report, vanishing_report
from verify.events import Event
from verify.paths import vary
from verify.training.gradients import cycle_gradients, direction


def standing(report: GradientReport) -> list[str]:
    """Return how each hypothesis is known."""
    return [hypothesis.holds for hypothesis in report.hypotheses]


@pytest.mark.parametrize("family", [two_cycles, toy, five_states])
def test_divergence_is_proved_and_measured(family: object) -> None:
    path, event = family()  # type: ignore[operator]
    report = divergence_report(path, event)
    assert report.is_proved
    assert report.certificate is not None
    assert check(report.certificate).claims == report.claims
    assert set(standing(report)) <= {"proved", "holds", "estimated"}
    for conclusion in report.conclusions:
        if conclusion.predicted is not None and conclusion.measured is not None:
            assert abs(conclusion.measured.value / conclusion.predicted - 1) < 0.05, conclusion


@pytest.mark.parametrize("family", [two_cycles, toy, five_states])
def test_the_proved_laws_hold_at_sampled_parameters(family: object) -> None:
    path, event = family()  # type: ignore[operator]
    claim = divergence_report(path, event).claims[0]
    assert isinstance(claim, GradientDivergence)
    middle, side = (event.low + event.high) / 2, 1 if claim.side == "after" else -1
    end = claim.high if side > 0 else claim.low
    for share in (Q(1), Q(1, 3), Q(1, 100), Q(1, 10**6)):
        distance = abs(end - middle) * share
        found = cycle_gradients(path.at(middle + side * distance), event.itinerary)
        assert found.is_real
        slack = Q(1001, 1000)
        assert claim.position[0] / slack <= found.position * distance <= claim.position[1] * slack
        speed = max(entry.magnitude for entry in found.along(direction(path))[0].entries())
        assert claim.gradient[0] / slack <= speed * distance**2 <= claim.gradient[1] * slack


def test_divergence_is_refused_where_the_cycle_is_virtual() -> None:
    path = vary(plrnn(A=["1/5"], W=[["3/10"]], h=[-1]), "W[0,0]=0:8/5")  # z* = -1 / (1 - a_r) < 0 for a_r < 1 is virtual, real beyond
    event = Event("to_infinity", Q(4, 5) - Q(1, 10**9), Q(4, 5) + Q(1, 10**9), ("1",))
    assert divergence_report(path, event).is_proved
    wrong = divergence_report(path, replace(event, itinerary=("0",)))
    assert not wrong.is_proved
    assert wrong.certificate is None
    assert wrong.reasons
    assert "fails" in {conclusion.holds for conclusion in wrong.conclusions}


def test_a_loss_that_does_not_see_the_direction_is_not_said_to_diverge() -> None:
    A, W = [["1/2", 0], [0, "1/2"]], [[0, 0], [0, "1/4"]]
    path = vary(plrnn(A=A, W=W, h=[1, 1]), "W[1,1]=1/4:3/4")
    event = Event("to_infinity", Q(1, 2) - Q(1, 2**50), Q(1, 2) + Q(1, 2**50), ("11",))
    seen = divergence_report(path, event)
    unseen = divergence_report(path, event, targets=np.full((1, 1), Q(0), dtype=object))
    assert seen.hypotheses[-1].holds == "holds"
    assert unseen.hypotheses[-1].holds == "fails"
    assert any("dLoss" in conclusion.text for conclusion in seen.conclusions)
    assert not any("dLoss" in conclusion.text for conclusion in unseen.conclusions)


def test_only_the_colliding_column_vanishes() -> None:
    border = 1 - Q("0.37298") * Q("0.52505") / Q("0.97931")
    path = vary(plrnn(**TOY), "A[0]=3/4:17/20")
    event = Event("border_collision", border - Q(1, 10**12), border + Q(1, 10**12), ("11",), 2, 1)
    report = vanishing_report(path, event)
    assert isinstance(report.claims[0], GradientVanishing)
    assert standing(report) == ["proved"] * 3
    column, bias = report.conclusions
    assert column.holds == bias.holds == "proved"
    assert column.measured is not None
    assert bias.measured is not None
    assert column.measured.value == pytest.approx(1, abs=0.05)
    assert bias.measured.value == pytest.approx(0, abs=0.05)
    assert any("[:,1]" in line for line in report.lines())


def test_refused_where_the_unit_is_active_elsewhere() -> None:
    path = vary(plrnn(A=["1/5"], W=[["-2"]], h=[1]), "W[0,0]=-3:-11/10")
    event = Event("border_collision", Q(-6, 5) - Q(1, 10**9), Q(-6, 5) + Q(1, 10**9), ("0", "1"), 1, 1)
    report = vanishing_report(path, event)
    assert not report.is_proved
    assert standing(report) == ["proved", "proved", "fails"]
    assert report.hypotheses[-1].value == "active at time 2"
    assert "does not vanish" in report.conclusions[0].text
    assert "inactive at time 2" in report.reasons[0]


def test_bad_input() -> None:
    path, event = two_cycles()
    with pytest.raises(Malformed):
        vanishing_report(path, event)
    with pytest.raises(Malformed):
        vanishing_report(path, replace(event, kind="border_collision"))
    with pytest.raises(Malformed):
        divergence_report(path, replace(event, kind="flip"))
