"""The cycle finder against published systems, closed-form maps and brute force."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from verify.candidates import Candidate
from verify.itineraries import rotated
from verify.search.cycles import find_cycles

Rows = Sequence[Sequence[Any]]
LOZI = dict(enumerate([2, 1, 0, 1, 0, 4, 4, 7, 10, 12, 18, 32, 56, 78, 122, 180, 282, 439], 1))


def matrix(rows: Rows) -> Matrix:
    return Matrix.exact([[Fraction(value) for value in row] for row in rows])


def column(values: Sequence[Any]) -> Matrix:
    return matrix([[value] for value in values])


def plrnn(A: Rows, W: Rows, h: Sequence[Any]) -> Network:
    return Network(len(h), (Operation("relu", (0,)), Operation("affine", (0, 1), (matrix(A), matrix(W)), column(h))))


def alrnn(A: Rows, W: Rows, h: Sequence[Any], rectified: int) -> Network:
    size = len(h)
    plain = size - rectified
    select = [[int(j == plain + i) for j in range(size)] for i in range(rectified)]
    linear = [[a + w * (j < plain) for j, (a, w) in enumerate(zip(*rows, strict=True))] for rows in zip(A, W, strict=True)]
    last = Operation("affine", (0, 2), (matrix(linear), matrix([row[plain:] for row in W])), column(h))
    return Network(size, (Operation("affine", (0,), (matrix(select),), column([0] * rectified)), Operation("relu", (1,)), last))


def shallow(model: str, p: dict[str, Any]) -> Network:
    A = [[a if i == j else 0 for j in range(len(p["A"]))] for i, a in enumerate(p["A"])]
    first = (Operation("affine", (0,), (matrix(p["W2"]),), column(p["h2"])), Operation("relu", (1,)))
    if model == "shPLRNN":
        return Network(len(A), (*first, Operation("affine", (0, 2), (matrix(A), matrix(p["W1"])), column(p["h1"]))))
    second = (Operation("affine", (0,), (matrix(p["W2"]),), column([0] * len(p["h2"]))), Operation("relu", (3,)))
    minus = matrix([[-value for value in row] for row in p["W1"]])
    return Network(len(A), (*first, *second, Operation("affine", (0, 2, 4), (matrix(A), matrix(p["W1"]), minus), column(p["h1"]))))


def lozi(a: str, b: str) -> Network:
    return plrnn([[a, 1], [b, 0]], [[-2 * Fraction(a), 0], [0, 0]], [1, 0])


def published(shared: Path) -> dict[str, tuple[Network, dict[int, int], int]]:
    systems = {}
    for case in json.loads((shared / "cases" / "published_systems.json").read_text()):
        p, model = case["parameters"], case["model"]
        if model == "PLRNN":
            network = plrnn(p["A"], p["W"], p["h"])
        else:
            network = alrnn(p["A"], p["W"], p["h"], 1) if model == "ALRNN" else shallow(model, p)
        systems[case["name"]] = (
            network,
            {int(k): n for k, n in case["cycles_by_least_period"].items() if n},
            case["complete_up_to_period"],
        )
    return systems


def is_closed(network: Network, candidate: Candidate) -> bool:
    """Follow the first point exactly for one step at a time."""
    for t, point in enumerate(candidate.points):
        image = network.image(Matrix.column([Fraction(value) for value in point]), 80)
        following = candidate.points[(t + 1) % candidate.period]
        if max(abs(float(image.middle(i)) - value) for i, value in enumerate(following)) > 1e-9 * (1.0 + np.abs(candidate.points).max()):
            return False
    return True


QUICK = ["1-cycle_2D", "16-cycle_2D", "27-cycle_2D", "8-cycle_2D", "FigS9_system_6", "pl-map-chaos"]
SLOW = [
    "40-cycle_2D",
    "2-cycle_4-cycle_M2_H10",
    "2-cycle_M2_H10_clipped_val",
    "FigS9_system_0",
]  # mostly certified in tests/known


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_published_systems_are_found_whole(shared: Path, name: str) -> None:
    network, counts, longest = published(shared)[name]
    found = find_cycles(network, longest)
    assert found.count_by_period() == counts
    assert found.saturated
    assert found.unresolved == ()


def test_cycles_of_period_80_are_found(shared: Path) -> None:
    assert find_cycles(published(shared)["80-cycle_2D"][0], 80, period=80).count_by_period() == {80: 2}


@pytest.mark.slow
def test_nothing_else_is_found_up_to_84(shared: Path) -> None:
    network, counts, longest = published(shared)["80-cycle_2D"]
    assert find_cycles(network, longest, budget_seconds=60).count_by_period() == counts


@pytest.mark.slow  # both are found and certified among the published systems
def test_the_ten_dimensional_system_has_its_10_cycles(shared: Path) -> None:
    found = find_cycles(published(shared)["10-cycle_10D"][0], 10)
    assert found.count_by_period() == {1: 3, 10: 2}


def test_trained_alrnn_has_four_fixed_points(shared: Path) -> None:
    torch = pytest.importorskip("torch")
    state = torch.load(shared / "cases" / "models" / "lorenz_m20_p2.pt", weights_only=True)
    A, W, h = (state[key].double().numpy() for key in "AWh")
    found = find_cycles(alrnn(np.diag(A).tolist(), W.tolist(), h.tolist(), 2), 4)
    assert found.count_by_period() == {1: 4}
    assert len({candidate.itinerary for candidate in found.candidates}) == 4


def test_lozi_counts() -> None:
    found = find_cycles(lozi("17/10", "1/2"), 12)
    assert found.count_by_period() == {k: n for k, n in LOZI.items() if n and k <= 12}
    assert all(is_closed(lozi("17/10", "1/2"), candidate) for candidate in found.candidates)


@pytest.mark.slow
def test_lozi_counts_to_18() -> None:
    assert find_cycles(lozi("17/10", "1/2"), 18, budget_seconds=60).count_by_period() == {k: n for k, n in LOZI.items() if n}


def test_lozi_without_chaos() -> None:
    assert find_cycles(lozi("1", "1/2"), 14).count_by_period() == {1: 2, 2: 1}


@pytest.mark.parametrize(("a", "b", "word"), [("3/2", "1/2", ("00", "10", "00", "10")), ("2", "-1", ("10", "10"))])
def test_a_segment_of_periodic_points_is_left_unresolved(a: str, b: str, word: tuple[str, ...]) -> None:
    found = find_cycles(lozi(a, b), 8 if a == "3/2" else 2)
    assert [(item.itinerary, item.reason) for item in found.unresolved] == [(word, "singular")]


def test_the_same_seed_finds_the_same() -> None:
    one, two = (find_cycles(lozi("17/10", "1/2"), 8, seed=5) for _ in range(2))
    assert [c.itinerary for c in one.candidates] == [c.itinerary for c in two.candidates]
    assert all(np.array_equal(a.points, b.points) for a, b in zip(one.candidates, two.candidates, strict=True))
    assert one.effort.newton_steps == two.effort.newton_steps


def test_itineraries_are_those_of_the_points() -> None:
    network = lozi("17/10", "1/2")
    for candidate in find_cycles(network, 7).candidates:
        assert candidate.itinerary == rotated(candidate.itinerary or ())
        signs = tuple(network.pattern(Matrix.column([Fraction(value) for value in point])) for point in candidate.points)
        assert candidate.itinerary == signs


def test_one_period_alone() -> None:
    found = find_cycles(lozi("17/10", "1/2"), 10, period=7)
    assert found.count_by_period() == {7: 4}


@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 3), marks=pytest.mark.slow)])
def test_fixed_points_agree_with_brute_force(seeds: range) -> None:
    for seed in seeds:
        rng = np.random.default_rng(seed)
        size = 10
        A, W = np.diag(rng.uniform(0.2, 0.95, size)), rng.normal(size=(size, size)) * 0.5
        planted = rng.normal(size=size)
        h = planted - A @ planted - W @ np.maximum(planted, 0.0)
        masks = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
        points = np.linalg.solve(np.eye(size) - A - W * masks[:, None, :], np.broadcast_to(h[:, None], (2**size, size, 1)))[:, :, 0]
        count = int(((points > 0.0) == (masks > 0)).all(axis=1).sum())
        assert find_cycles(plrnn(A.tolist(), W.tolist(), h.tolist()), 1).count_by_period() == {1: count}


def test_the_deep_tent_has_all_its_cycles() -> None:
    layers = (
        Operation("affine", (0,), (matrix([[1], [1]]),), column([0, "-1/2"])),
        Operation("relu", (1,)),
        Operation("affine", (2,), (matrix([[2, -4]]),), column([0])),
        Operation("affine", (3,), (matrix([[1], [1]]),), column([0, -1])),
        Operation("relu", (4,)),
        Operation("affine", (5,), (matrix([[1, -1]]),), column([0])),  # the identity on [0, 1]
    )
    assert find_cycles(Network(1, layers), 10).count_by_period() == {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9, 7: 18, 8: 30, 9: 56, 10: 99}


def test_a_fixed_point_on_every_border_is_one_candidate() -> None:
    rng = np.random.default_rng(3)
    found = find_cycles(plrnn(np.diag(rng.uniform(0.2, 0.9, 12)).tolist(), (rng.normal(size=(12, 12)) * 0.4).tolist(), [0] * 12), 3)
    assert [(c.period, c.touches_border) for c in found.candidates] == [(1, True)]


def test_tanh_networks_have_points_and_no_itinerary() -> None:
    W: Rows = [[2, -1], [1, "3/2"]]
    bias = [0, "1/10"]
    network = Network(2, (Operation("affine", (0,), (matrix(W),), column(bias)), Operation("tanh", (1,))))
    found = find_cycles(network, 4)
    assert found.candidates
    assert all(candidate.itinerary is None and is_closed(network, candidate) for candidate in found.candidates)


def test_tanh_of_one_unit_has_three_fixed_points() -> None:
    network = Network(1, (Operation("affine", (0,), (matrix([[2]]),), column([0])), Operation("tanh", (1,))))
    assert find_cycles(network, 3).count_by_period() == {1: 3}


def test_the_budget_is_kept_and_progress_told() -> None:
    heard: list[tuple[str, int, int]] = []
    rng = np.random.default_rng(1)
    network = plrnn(np.diag(rng.uniform(0.5, 0.9, 30)).tolist(), (rng.normal(size=(30, 30)) * 0.4).tolist(), rng.normal(size=30).tolist())
    found = find_cycles(network, 6, budget_seconds=0.5, progress=lambda *what: heard.append(what))
    assert not found.saturated
    assert all(what == "periods settled" and total == 6 and done <= total for what, done, total in heard)


def test_a_linear_map_has_one_empty_letter() -> None:
    quarter_turn = Network(2, (Operation("affine", (0,), (matrix([[0, -1], [1, 0]]),), column([1, 0])),))
    found = find_cycles(quarter_turn, 4)
    assert [candidate.itinerary for candidate in found.candidates] == [("",)]
    assert [item.itinerary for item in found.unresolved] == [("", "", "", "")]
