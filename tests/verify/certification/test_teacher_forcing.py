"""Teacher forcing: the least share found is proved, a smaller one is not, and the reports say what does not follow."""

from __future__ import annotations

from fractions import Fraction as Q

import numpy as np
import pytest

from proofs.errors import Malformed
from proofs.parameters import TeacherForcing
from tests.verify.training.families import TOY, plrnn
from verify.certification.draft import Draft
from verify.certification.forcing_report import forcing_report, largest_slope
from verify.certification.teacher_forcing import GRID, least_forcing, prove_teacher_forcing, training_map
from verify.errors import Unsupported
from verify.loading import Loaded, load

TENT = {"A": ["2"], "W": [["-4"]], "h": ["1/2"]}


def tent() -> Loaded:
    """Return slopes 2 and -2: half of the way is needed."""
    return plrnn(**TENT)


def test_one_state_needs_what_its_slope_says() -> None:
    found = least_forcing(tent().network, 1)
    assert found.alpha == Q(1, 2) + Q(1, GRID)
    assert found.below is not None
    assert found.alpha - found.below <= Q(2, GRID)
    claim, reason = prove_teacher_forcing(Draft(tent().network), None, None)
    assert isinstance(claim, TeacherForcing)
    assert (claim.alpha, claim.forced, claim.rate < 1, reason) == (found.alpha, 1, True, "")


def test_a_given_share_is_proved_or_refused() -> None:
    claim, _ = prove_teacher_forcing(Draft(tent().network), Q(3, 4), 1)
    assert isinstance(claim, TeacherForcing)
    assert claim.rate == Q(1, 2)
    refused, reason = prove_teacher_forcing(Draft(tent().network), Q(1, 4), 1)
    assert refused is None
    assert "alpha = 1/4" in reason
    assert "factor 1.5" in reason


def test_states_that_the_teacher_does_not_see_may_forbid_it() -> None:
    network = plrnn(A=["1/2", "3/2"], W=[[0, "1/4"], ["1/4", 0]], h=[0, 0]).network
    claim, reason = prove_teacher_forcing(Draft(network), None, 1)
    assert claim is None
    assert "the last 1 states" in reason
    assert isinstance(prove_teacher_forcing(Draft(network), None, 2)[0], TeacherForcing)


def test_a_contraction_needs_none() -> None:
    assert least_forcing(plrnn(A=["1/2"], W=[["1/4"]], h=[1]).network, 1).alpha == 0


def test_smooth_networks_too() -> None:
    smooth = load({"W": [["3/2", "-1"], ["1", "3/2"]], "b": [0, 0], "activation": "tanh"}, "rnn")
    claim, reason = prove_teacher_forcing(Draft(smooth.network), None, None)
    assert isinstance(claim, TeacherForcing), reason
    assert claim.alpha < Q(3, 5)


def test_training_map_scales_the_forced_states() -> None:
    from proofs.arithmetic import Matrix

    network = plrnn(**TOY).network
    point, scaled = Matrix.column([Q(2), Q(3)]), Matrix.column([Q(1), Q(3)])
    assert training_map(network, Q(1, 2), 1).image(point) == network.image(scaled)


def test_the_report_says_what_follows_and_what_does_not() -> None:
    report = forcing_report(plrnn(**TOY), lengths=(4, 16))
    assert [hypothesis.holds for hypothesis in report.hypotheses] == ["proved", "fails"]
    assert [conclusion.holds for conclusion in report.conclusions] == ["proved", "proved", "fails"]
    assert "free-running" in report.conclusions[-1].text
    assert [row[0] for row in report.rows] == [4, 16]
    assert report.certificate is not None
    thumb = forcing_report(tent(), Q(3, 4), lengths=(100,))
    assert [hypothesis.holds for hypothesis in thumb.hypotheses] == ["proved", "estimated"]
    assert thumb.published == pytest.approx(0.5)
    assert thumb.rows[0][1] < 10
    assert thumb.rows[0][2] > 1e20


def test_the_largest_slope() -> None:
    A, W = np.diag([0.83777, 0.96461]), np.array([[0, -0.64375], [0.52505, 0]])
    norms = [np.linalg.norm(A + W * [p, q], 2) for p in (0, 1) for q in (0, 1)]
    assert largest_slope(plrnn(**TOY).network) == pytest.approx(max(norms))


def test_bad_input() -> None:
    network = tent().network
    for alpha, forced in ((Q(-1, 2), 1), (Q(3, 2), 1), (Q(1, 2), 0), (Q(1, 2), 2)):
        with pytest.raises(Malformed):
            prove_teacher_forcing(Draft(network), alpha, forced)
    with pytest.raises(Malformed):
        forcing_report(tent(), lengths=())
    with pytest.raises(Malformed):
        forcing_report(tent(), targets=[[0.0]], lengths=(5,))
    from verify.models.gated import Layer, step_program

    gated = step_program([Layer("gru", np.ones((3, 1)), np.ones((3, 1)))], [0.0])
    with pytest.raises(Unsupported):
        prove_teacher_forcing(Draft(gated), None, None)


def test_what_no_norm_was_found_for_is_not_refuted() -> None:
    report = forcing_report(plrnn(**TOY), Q(0), lengths=(4,))
    assert (report.hypotheses[0].holds, [conclusion.holds for conclusion in report.conclusions]) == ("unknown", ["unknown"])
    assert report.reasons
