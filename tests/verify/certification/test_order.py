"""``prove_order``: the first norm that contracts, and an account of those that do not."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from proofs.claims import Contraction, OnePoint
from proofs.kernel import check
from tests.verify.order_networks import gaussian, linear, plrnn, recurrent
from verify.certification import certify
from verify.certification.draft import Draft
from verify.certification.order import prove_contraction, prove_order, prove_unique
from verify.errors import NotFound
from verify.loading import load


def test_the_max_norm_comes_first() -> None:
    draft = Draft(plrnn(0.25 * np.eye(3), 0.125 * np.ones((3, 3))))
    report = prove_order(draft)
    assert report.is_ordered
    assert report.reasons == []
    assert "weights" in draft.steps[0][2]
    check(draft.finish(report.claims)[0])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_forms_come_after_it(activation: str) -> None:
    draft = Draft(recurrent(gaussian(10, 0.75, 2), activation))
    claim, reason = prove_contraction(draft)
    assert isinstance(claim, Contraction)
    assert reason == ""
    assert len(draft.steps) == 1
    assert "form" in draft.steps[0][2]
    check(draft.finish([claim])[0])


def test_every_norm_that_failed_says_how_far_it_got() -> None:
    draft = Draft(recurrent(gaussian(20, 0.84, 1), "tanh"))
    claim, reason = prove_contraction(draft)
    assert claim is None
    assert draft.steps == []
    number = r"best rate reached (1\.\d+)"
    found = re.fullmatch(
        r"contraction \(C1\): the best weighted max norm found has factor (\d\.\d+), which is not below 1; "
        rf"Euclidean norm: {number}; diagonal form: {number}; full form: {number}(?: \(it did not become clear that none is below 1\))?",
        reason,
    )
    assert found is not None, reason
    rates = [float(group) for group in found.groups()]
    assert rates == sorted(rates, reverse=True)


def test_expanding_slopes_end_the_search() -> None:
    claim, reason = prove_contraction(Draft(linear([[0.0, 1.25], [-1.25, 0.0]])))
    assert claim is None
    assert reason.endswith("quadratic forms: no norm contracts: with some slopes the units may have, the Jacobian has spectral radius 1.25")


def test_one_fixed_point_whatever_the_biases() -> None:
    draft = Draft(plrnn(np.zeros((2, 2)), [[-3.0, 1.0], [0.0, -2.0]]))
    report = prove_order(draft)
    assert not report.is_ordered
    assert report.claims == [OnePoint(1)]
    assert len(report.reasons) == 1
    check(draft.finish(report.claims)[0])


def test_why_uniqueness_was_not_proved() -> None:
    many = "unique fixed point (A5): no scaling found, and not all minors are positive or there are too many"
    assert prove_unique(Draft(plrnn([[1.7, 1.0], [0.5, 0.0]], [[-3.4, 0.0], [0.0, 0.0]])))[1] == many
    assert prove_unique(Draft(recurrent(np.eye(2), "tanh")))[1] == "unique fixed point (A5): for exact piecewise-linear networks only"
    none = "unique fixed point (A5): for 1 to 1024 hinges that read the state, not 0"
    assert prove_unique(Draft(linear(2 * np.eye(2))))[1] == none


def test_a_contraction_within_a_radius() -> None:
    W = gaussian(8, 0.7, 4)
    loaded = load({"W": W, "b": np.ones(8)}, model="rnn", activation="tanh")
    answer = certify(loaded, "order", radius=Fraction(1, 2**14))
    assert not isinstance(answer, NotFound)
    assert isinstance(answer.claims[0], Contraction)
    assert "form" in answer.steps[0][2]
    check(answer)


def test_the_largest_radius_of_a_contraction() -> None:
    W = gaussian(5, 0.7, 1)
    loaded = load({"A": np.zeros(5), "W": W, "h": np.ones(5)}, model="plrnn")
    answer = certify(loaded, "order", max_radius=True)
    assert not isinstance(answer, NotFound)
    assert answer.report.radius is not None
    assert Fraction(1, 10**4) < answer.report.radius < 1
    check(answer)
