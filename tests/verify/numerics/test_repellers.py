"""Expanding fixed points and the ellipsoids around them: what fits, and what is said where nothing does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from proofs.inertia import is_positive_definite
from proofs.theorems.lifted import live_hinges
from verify.loading import load_network
from verify.numerics.repellers import Repeller, fitted_repeller

NO_FORM = "one with a multiplier, or a border, too close to it for a form"


def fitted(weights: dict[str, Any], pattern: str) -> Repeller | str:
    network = load_network(weights, model="plrnn")
    return fitted_repeller(network.piece(pattern), pattern, live_hinges(network))


def test_a_spiral() -> None:
    weights = {"A": [["-2/5", 1], ["13/10", 0]], "W": [[0, 0], ["-13/5", 0]], "h": [1, 0]}
    found = fitted(weights, "10")
    assert isinstance(found, Repeller)
    assert found.point == (Fraction(10, 27), Fraction(-13, 27))
    assert is_positive_definite(found.form, found.bits)
    assert found.height(found.point) == 0 < found.level
    (a, b), (_, c) = ([found.form.middle(i, j) for j in range(2)] for i in range(2))
    share = found.level * c / (a * c - b * b) / found.point[0] ** 2  # of the largest ellipsoid: only the first hinge is live
    assert Fraction(9, 10) < share < 1


@pytest.mark.parametrize(
    ("weights", "pattern", "told"),
    [
        ({"A": [2], "W": [[-1]], "h": [1]}, "1", "one with a multiplier 1"),
        ({"A": [2], "W": [[-4]], "h": [0]}, "1", "one on a border"),
        ({"A": [2], "W": [[-4]], "h": [-1]}, "1", "one beyond a border, when solved exactly"),
        ({"A": [2], "W": [[-3]], "h": [1]}, "1", NO_FORM),
        ({"A": ["1/2"], "W": [["1/4"]], "h": [1]}, "1", NO_FORM),
        (
            {"A": [3, "1/2"], "W": [[-6, 0], [0, 0]], "h": [1, 1]},
            "11",
            NO_FORM,
        ),
    ],
    ids=["multiplier 1", "border", "beyond", "multiplier -1", "sink", "saddle"],
)
def test_nothing_fits(weights: dict[str, Any], pattern: str, told: str) -> None:
    assert fitted(weights, pattern) == told
