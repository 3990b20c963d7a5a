"""Folds and flips that continuation finds, against closed forms and against eigenvalues."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from proofs.network import Network, Operation
from tests.corpus import pairs as corpus
from tests.corpus.parts import affine, plrnn
from verify.errors import Unsupported
from verify.loading import Loaded, load
from verify.paths import Path, vary
from verify.search.folds import Family, FoldCandidate, find_folds, is_least, same_cycle

FEW = {"samples": 3, "starts": 8}


def line(ends: corpus.Ends, low: str = "0", high: str = "1") -> Path:
    """Return the path between two networks."""
    return Path(*ends, Fraction(low), Fraction(high))


def multiplier(path: Path, event: FoldCandidate) -> float:
    """Return how far the nearest multiplier is from the twist, from differences."""
    network = path.at(Fraction(event.mu))
    whole = np.eye(path.start.dimension)
    for point in event.points:
        from proofs.arithmetic import Matrix

        slope = network.jacobian(Matrix.column([Fraction(x) for x in point.tolist()]), 60)
        whole = np.array([[float(slope.middle(i, j)) for j in range(len(whole))] for i in range(len(whole))]) @ whole
    return float(np.abs(np.linalg.eigvals(whole) - event.twist).min())


def test_both_folds_of_a_tanh() -> None:
    path = line((corpus.steep(2, -1), corpus.steep(2, 1)), "-1", "1")
    found = find_folds(path, up_to=1, **FEW)
    place = math.atanh(math.sqrt(0.5)) - 2 * math.sqrt(0.5)
    assert [(event.kind, event.period) for event in found] == [("fold", 1)] * 2
    assert [event.mu for event in found] == pytest.approx([place, -place], abs=1e-9)
    assert [event.points[0, 0] for event in found] == pytest.approx([math.sqrt(0.5), -math.sqrt(0.5)], abs=1e-6)


def test_a_path_may_run_anywhere_and_flips_are_found() -> None:
    path = line((corpus.steep(-3, 0), corpus.steep("-1/2", 0)), "-3", "-1/2")
    (flip,) = find_folds(path, up_to=1, **FEW)
    assert flip.kind == "flip"
    assert flip.mu == pytest.approx(-1.0, abs=1e-9)
    assert flip.points == pytest.approx(0.0, abs=1e-9)


def test_the_cascade_of_the_quadratic_map() -> None:
    found = find_folds(line((corpus.quadratic("-1/2"), corpus.quadratic("3/2")), "-1/2", "3/2"), up_to=2, **FEW)
    places = [(event.kind, event.period, event.mu) for event in found]
    assert [place[:2] for place in places] == [("fold", 1), ("flip", 1), ("flip", 2)]
    assert [place[2] for place in places] == pytest.approx([-0.25, 0.75, 1.25], abs=1e-9)
    cycle = found[2].points[:, 0]
    assert sorted(cycle) == pytest.approx([(1 - math.sqrt(2)) / 2, (1 + math.sqrt(2)) / 2], abs=1e-8)


def two_neurons(first: str, second: str) -> Network:
    """Return W tanh(z) + h with a moving h."""
    return Network(2, (Operation("tanh", (0,)), affine([first, second], ([[2, -1], [1, "-3/2"]], 1))))


@pytest.mark.parametrize("up_to", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_neurons(up_to: int) -> None:
    path = line((two_neurons("-2", "0"), two_neurons("2", "1/2")))
    found = find_folds(path, up_to=up_to, **FEW)
    assert [event.period for event in found] == ([1, 1] if up_to == 1 else [2, 1, 2, 1])
    assert all(event.kind == "fold" and multiplier(path, event) < 1e-6 for event in found)


def test_the_same_seed_finds_the_same() -> None:
    path = line((corpus.steep(2, -1), corpus.steep(2, 1)))
    one, two = (find_folds(path, up_to=1, seed=7, **FEW) for _ in range(2))
    assert [event.mu for event in one] == [event.mu for event in two]


def test_no_time_finds_nothing() -> None:
    assert find_folds(line((corpus.steep(2, -1), corpus.steep(2, 1))), budget=0.0, **FEW) == ()


def test_relu_is_not_smooth() -> None:
    path = line((plrnn([[1]], [[0]], [0]), plrnn([[2]], [[0]], [0])))
    with pytest.raises(Unsupported, match="an operation relu"):
        find_folds(path)


def test_cycles_are_one_from_any_point_on() -> None:
    points = np.array([[0.0], [1.0], [3.0]])
    assert same_cycle(points, np.roll(points, 1, axis=0))
    assert not same_cycle(points, points[::-1])
    assert is_least(points)
    assert not is_least(np.array([[1.0], [1.0]]))


def tanh_of(weight: object) -> Loaded:
    """Return z' = tanh(w z)."""
    return load({"W": [[weight]], "b": ["0"], "activation": "tanh"}, "rnn")


@pytest.mark.parametrize("samples", [1, 3])
def test_an_event_exactly_where_a_branch_starts(samples: int) -> None:
    """The flip at w = -1 is the middle of the path: det(I + DF) is exactly 0 at a sampled network."""
    (flip,) = find_folds(vary(tanh_of("-1"), "W[0,0]=-2:0"), up_to=1, samples=samples, starts=8)
    assert (flip.kind, flip.period) == ("flip", 1)
    assert flip.mu == pytest.approx(-1.0, abs=1e-9)


def test_a_fold_exactly_where_a_branch_starts() -> None:
    """The fold of mu - z^2 at mu = -1/4: both ways along the branch mu grows, so that it cannot tell them apart."""
    family = Family(line((corpus.quadratic("-5/4"), corpus.quadratic("3/4")), "-5/4", "3/4"))
    pairs = [next(family.branch(np.array([[-0.5]]), 0.5, turn, 9, math.inf)) for turn in (1.0, -1.0)]
    ways = [there.points[0, 0] - here.points[0, 0] for here, there in pairs]
    assert ways[0] * ways[1] < 0.0
    assert [event.mu for event in family.events(*pairs[0]) if event.kind == "fold"] == pytest.approx([-0.25], abs=1e-9)


def test_a_branch_keeps_apart_from_its_neighbours() -> None:
    """Beside the pitchfork of tanh(w z) at w = 1 three fixed points are near each other; each has its own branch."""
    family = Family(vary(tanh_of("1"), "W[0,0]=1/2:3/2"))
    share = 0.50001
    one, zero, two = (family.at_share(np.array([[start]]), share) for start in (-0.01, 0.0, 0.01))
    assert one is not None
    assert zero is not None
    assert two is not None
    here, there = next(family.branch(zero, share - 1e-6, 1.0, 9, math.inf))
    assert family.passes(here, there, share, zero)
    assert not family.passes(here, there, share, one)
    assert not family.passes(here, there, share, two)
