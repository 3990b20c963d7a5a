"""Snap-back repellers are found where they are, solved exactly, and every failure has its reason."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network
from verify.loading import load, load_network
from verify.search.snapback import SnapBack, find_snap_back

TENTS = {"A": [["9/5", "1/20"], ["1/20", "19/10"]], "W": [["-18/5", 0], [0, "-19/5"]], "h": [1, 1]}
FOLD = {"A": [["-2/5", 1], ["13/10", 0]], "W": [[0, 0], ["-13/5", 0]], "h": [1, 0]}  # x' = 1 - 2x/5 + y, y' = -13|x|/10
THREE = {
    "A": [["17/10", "1/8", 0], [0, "9/5", "1/8"], ["1/8", 0, "19/10"]],
    "W": [["-17/5", 0, "1/10"], ["1/10", "-18/5", 0], [0, "1/10", "-19/5"]],
    "h": [1, 1, 1],
}
LOZI = {"A": [["17/10", 1], ["1/2", 0]], "W": [["-17/5", 0], [0, 0]], "h": [1, 0]}
CONTRACTION = {"A": ["1/2", "1/3"], "W": [["1/10", "1/20"], ["1/20", "-1/10"]], "h": [1, 1]}
SADDLE = {"A": ["9/5", "1/2"], "W": [["-18/5", 0], ["1/10", 0]], "h": [1, 1]}


def plrnn(weights: dict[str, Any]) -> Network:
    return load_network(weights, model="plrnn")


def skew_tent(left: str, right: str) -> Network:
    """Return 1 + left x for x <= 0, 1 - right x for x >= 0."""
    return plrnn({"A": [left], "W": [[str(-Fraction(left) - Fraction(right))]], "h": [1]})


def same(one: Matrix, two: Matrix) -> bool:
    return not any(row[0] for row in (one - two).mid)


def verified(network: Network, found: SnapBack | str) -> SnapBack:
    """Run the orbit forward in exact arithmetic and compare all that the card asks of it, forms apart."""
    assert isinstance(found, SnapBack), found
    state, end = Matrix.column(found.start), Matrix.column(found.point)
    assert same(network.image(end), end)
    away = state - end
    assert 0 < (away.transposed() @ found.form @ away).middle(0) <= found.level
    for pattern in found.word:
        assert network.pattern(state) == pattern
        state = network.image(state)
    assert same(state, end)
    assert len(found.word) == found.steps
    return found


def reason(network: Network, hints: Sequence[str] = (), nodes: int = 20_000) -> str:
    found = find_snap_back(network, hints, nodes=nodes)
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(("weights", "least"), [(TENTS, 2), (THREE, 2), (FOLD, 7)], ids=["two tents", "three", "a fold"])
def test_in_space(weights: dict[str, Any], least: int) -> None:
    network = plrnn(weights)
    found = verified(network, find_snap_back(network))
    assert found.steps >= least
    assert find_snap_back(network) == found


def test_the_ellipsoid_is_inside_the_region() -> None:
    network = plrnn(TENTS)
    found = verified(network, find_snap_back(network))
    (a, b), (_, c) = ([found.form.middle(i, j) for j in range(2)] for i in range(2))
    det = a * c - b * b
    assert a > 0 < det
    widths = [found.level * diagonal / det / value**2 for value, diagonal in zip(found.point, (c, a), strict=True)]
    assert Fraction(4, 5) < max(widths) < 1  # the hinges are the coordinates, and w'Q^-1 w is diagonal / det


def test_on_the_line() -> None:
    network = skew_tent("2", "2")
    found = verified(network, find_snap_back(network))
    assert found.point == (Fraction(1, 3),)


def test_many_hinges_are_taken_by_regions() -> None:
    tents = [Fraction(k, 7) for k in range(14)]
    steep = ["3" if k % 2 else "-3" for k in range(14)]
    zigzag = load_network(
        {
            "layers": [
                {"W": [[1]] * 14, "b": [str(-x) for x in tents], "activation": "relu"},
                {"W": [["3/2", *(str(2 * Fraction(s)) for s in steep[2:]), "0"]], "b": ["1/2"], "activation": "identity"},
            ]
        },
        model="scalar",
    )
    found = verified(zigzag, find_snap_back(zigzag))
    assert len(found.word[0]) == 14


def test_of_very_many_regions_those_seen_are_taken() -> None:
    size = 13
    weights = {"A": ["19/10"] * size, "W": [["-19/5" if i == j else 0 for j in range(size)] for i in range(size)], "h": [1] * size}
    assert "pieces seen (of more)" in reason(plrnn(weights), hints=["1" * size], nodes=1)


def test_an_idle_hinge_may_be_zero() -> None:
    weights = {"A": [0], "W1": [[-2, -2, 0]], "W2": [[1], [-1], [1]], "h1": [1], "h2": [0, 0, "-1/3"]}  # 1 - 2 |z|, and z = 1/3
    network = load_network(weights, model="shallow_plrnn")
    found = find_snap_back(network)
    assert isinstance(found, SnapBack)
    assert found.point == (Fraction(1, 3),)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (LOZI, "no expanding fixed point strictly inside its region, in the 2 pieces: 2 times one with 1 of 2 multipliers outside"),
        (SADDLE, "2 times one with 1 of 2 multipliers outside the unit circle"),
        (CONTRACTION, "one with 0 of 2 multipliers outside the unit circle"),
        ({"A": [2], "W": [[-4]], "h": [0]}, "one on a border"),
        ({"A": [2], "W": [[1]], "h": [-1]}, "one that nothing but itself is carried onto by a nonsingular piece"),
        ({"A": [0], "W": [[-2]], "h": [1]}, "nonsingular among the 2 pieces: 1, so no nondegenerate orbit comes back"),
        ({"A": [2], "W": [[0]], "h": [1]}, "F is affine"),
    ],
    ids=["Lozi", "saddle", "contraction", "border", "invertible", "constant piece", "affine"],
)
def test_there_is_none(weights: dict[str, Any], told: str) -> None:
    assert told in reason(plrnn(weights))


def test_a_chain_through_a_border_does_not_count() -> None:
    """0 -> 1 -> -1/2 -> 2/5 = z: every way back to z passes the kink; with a steeper left piece there are others."""
    assert "brings nothing new after" in reason(skew_tent("6/5", "3/2"))
    network = skew_tent("7/5", "3/2")
    verified(network, find_snap_back(network))


def test_a_band_that_the_fixed_point_is_outside_of() -> None:
    """The tent of slope 6/5 is chaotic in bands that its fixed point separates: chaos, yet no snap-back repeller."""
    assert "brings nothing new after" in reason(skew_tent("6/5", "6/5"))


def test_what_was_spent_is_told() -> None:
    told = reason(plrnn(FOLD), nodes=2)
    assert "points were searched backwards, the nearest of" in told
    assert "times the size of the ellipsoid away" in told


def test_progress_is_shown() -> None:
    calls: list[tuple[str, int, int]] = []
    find_snap_back(plrnn(TENTS), progress=lambda *call: calls.append(call))
    assert {what for what, _, _ in calls} <= {"points stepped back from"}
    assert all(0 < done <= total for _, done, total in calls)


def test_what_the_card_does_not_cover() -> None:
    smooth = load_network({"W": [[2]], "b": [0], "activation": "tanh"}, model="rnn")
    assert "this one is smooth" in reason(smooth)
    assert "these have a radius" in reason(load(TENTS, "plrnn").with_radius(Fraction(1, 1024)))
