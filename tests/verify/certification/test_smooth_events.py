"""Smooth paths: branches between folds and flips, proved over whole ranges of mu."""

from __future__ import annotations

from fractions import Fraction as Q
from math import atanh, sqrt, tanh

import pytest

from proofs.kernel import check
from proofs.parameters import ExistsOn
from verify.bifurcation_answers import bifurcations_text
from verify.certification.bifurcation_results import Bifurcations, ProvedBranch
from verify.certification.bifurcations import bifurcations
from verify.certification.draft import Draft
from verify.certification.smooth_arcs import arcs_of
from verify.certification.smooth_branches import ArcProver
from verify.loading import load
from verify.paths import Path, vary
from verify.search.folds import follow

Z = 1 / sqrt(2)
FOLD = 2 * Z - atanh(Z)


def tanh_path(entry: str, weight: str = "2", bias: str = "0") -> Path:
    """Return z' = tanh(w z + b) with one entry moving."""
    return vary(load({"W": [[weight]], "b": [bias], "activation": "tanh"}, "rnn"), entry)


def contracting(branch: ProvedBranch) -> float:
    """Return how far a float orbit at the middle of the range stays from the knot of its cell."""
    low, high, points = next(knot for knot in branch.knots if knot[0] <= (branch.low + branch.high) / 2 <= knot[1])
    z = float(points[0][0])
    return abs(tanh(2 * z + float((low + high) / 2)) - z)


@pytest.fixture(scope="module")
def folded() -> Bifurcations:
    """Return the answer for tanh(2 z + b), b from -1 to 1."""
    return bifurcations(tanh_path("b[0]=-1:1"), up_to=1, budget=60)


@pytest.mark.slow
def test_the_three_arms_between_two_folds(folded: Bifurcations) -> None:
    """Up to 2^-22 of the path from the folds at +-0.5328 each arm is one claim, with its stability."""
    found = sorted((branch.label, float(branch.low), float(branch.high)) for branch in folded.branches)
    assert [label for label, _, _ in found] == ["repelling", "stable", "stable"]
    assert found[0][1:] == pytest.approx((-FOLD, FOLD), abs=1e-6)
    assert found[1][1:] == pytest.approx((-1, FOLD), abs=1e-6)
    assert found[2][1:] == pytest.approx((-FOLD, 1), abs=1e-6)
    assert all(contracting(branch) < 1e-9 for branch in folded.branches)


@pytest.mark.slow
def test_a_fold_says_what_is_on_its_side(folded: Bifurcations) -> None:
    first, last = folded.events
    one = ("",)
    assert (first.before, sorted(first.after)) == ((), [(one, "repelling"), (one, "stable")])
    assert (sorted(last.before), last.after) == ([(one, "repelling"), (one, "stable")], ())
    assert len(folded.found.undecided) == 4
    assert all(float(item.high - item.low) < 1e-6 for item in folded.found.undecided)
    (line,) = (line for line in bifurcations_text(folded) if "proved beside it, before" in line)
    assert "fixed point (repelling)" in line
    assert "itinerary" not in "".join(bifurcations_text(folded))
    assert folded.certificate is not None
    assert check(folded.certificate).claims == folded.found.claims


@pytest.mark.slow
def test_a_flip_with_the_cycle_that_it_bears() -> None:
    answer = bifurcations(tanh_path("W[0,0]=-3/2:-3/4"), up_to=2, samples=3, budget=60)
    (flip,) = answer.events
    assert flip.low < -1 < flip.high
    assert sorted(flip.before) == [(("",), "repelling"), (("", ""), "stable")]
    assert flip.after == ((("",), "stable"),)
    through = [branch for branch in answer.branches if branch.low < -1 < branch.high]
    assert [branch.label for branch in through] == [None]  # existence goes through the flip, stability cannot
    assert flip.as_json()["after"] == [{"itinerary": [], "period": 1, "stability": "stable"}]


def test_a_short_arm_with_joints() -> None:
    """The fixed point of tanh(3 z / 4 + b): one range, no event, cells joined to one claim."""
    path = tanh_path("b[0]=-1/4:1/4", weight="3/4")
    events, branches = follow(path, up_to=1, samples=1, starts=4)
    (arc,) = arcs_of(path, branches, events)
    assert (arc.low, arc.high, arc.ends) == (Q(-1, 4), Q(1, 4), (None, None))
    draft = Draft(path.start)
    line = draft.add("path", path.witness())[0]
    (branch,), left = ArcProver(draft, path, line).arc(arc, arc.low, arc.high)
    assert (branch.label, branch.low, branch.high, left) == ("stable", Q(-1, 4), Q(1, 4), [])
    assert isinstance(branch.claim, ExistsOn)
    assert branch.cells > 1
    assert draft.finish([branch.claim])[1].claims == (branch.claim,)


def test_time_that_ran_out_is_a_gap() -> None:
    path = tanh_path("b[0]=-1/4:1/4", weight="1/2")
    events, branches = follow(path, up_to=1, samples=1, starts=4)
    (arc,) = arcs_of(path, branches, events)
    draft = Draft(path.start)
    line = draft.add("path", path.witness())[0]
    found, (gap,) = ArcProver(draft, path, line, 0.0).arc(arc, arc.low, arc.high)
    assert found == []
    assert (gap.low, gap.high) == (arc.low, arc.high)
    assert gap.what.startswith("existence of the fixed point near z = (")
    assert "time" in gap.reason
