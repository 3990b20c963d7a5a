"""Unstable segments followed until they cross boxes, and how fast the walks on the graph of crossings multiply."""

from __future__ import annotations

from itertools import pairwise, product
from math import log, sqrt

import numpy as np
import pytest

from proofs.network import Network
from tests.known.plane_maps import lozi, plrnn
from verify.numerics.batch import FloatNetwork
from verify.numerics.perron import growth
from verify.numerics.segments import HEIGHT, Boxes, Crossings, Limits, spelled, trace
from verify.numerics.strips import Letters

LOZI = lozi("17/10", "1/2")
SPATIAL = plrnn([["7/5", 1, 0], ["-1/5", 0, "1/10"], [0, "1/5", "1/10"]], [["-29/10", 0, 0], ["-1/5", 0, 0], [0, 0, 0]], [1, 0, 0])


def attractor(network: Network, count: int) -> tuple[Letters, Boxes]:
    """Return boxes on an orbit, long in the direction that the slopes before have stretched."""
    fast = FloatNetwork(network)
    rng = np.random.default_rng(1)
    states = [np.full((1, network.dimension), 0.1)]
    direction, bases = rng.standard_normal(network.dimension), []
    for _ in range(300 + count):
        direction = fast.jacobian(states[-1])[0] @ direction
        direction /= np.linalg.norm(direction)
        states.append(fast.step(states[-1]))
        others = np.linalg.svd(direction[None])[2][1:].T
        bases.append(np.column_stack([direction * rng.choice([0.3, 0.1, 0.03]), 0.1 * others]))
    return Letters(fast), Boxes(np.concatenate(states[301:]), np.array(bases[300:]))


def follow(network: Network, steps: int = 12, count: int = 60, share: float = 1e-3) -> tuple[Letters, Boxes, Crossings]:
    """Trace boxes on the attractor."""
    letters, boxes = attractor(network, count)
    values = boxes.lengths()
    return letters, boxes, trace(letters, boxes, values, Limits(1.4, share * values, steps, 5000, 100.0))


@pytest.mark.parametrize("network", [LOZI, SPATIAL], ids=["plane", "space"])
def test_the_corners_of_a_strip_follow_its_word_and_land_on_both_sides_of_the_box(network: Network) -> None:
    """Points on the border of the strip, run through F itself."""
    letters, boxes, paths = follow(network)
    fast, size = FloatNetwork(network), network.dimension
    assert len(paths.starts) > 50
    for i in range(0, len(paths.starts), 7):
        corners = np.array(list(product([-1.0, 1.0], repeat=size)))
        xi = HEIGHT * corners[:, 1:]
        eta = paths.offset[i] + xi @ paths.tilt[i] + paths.width[i] * corners[:, 0]
        assert np.abs(eta).max() < 1.0
        states = boxes.centers[paths.starts[i]] + np.column_stack([eta, xi]) @ boxes.bases[paths.starts[i]].T
        for letter in spelled(letters, paths.words[i].tolist()):
            patterns = fast.patterns(states)[:, fast.live]
            assert (patterns == np.array([bit == "1" for bit in letter])[fast.live]).all()
            states = fast.step(states)
        landed = (states - boxes.centers[paths.ends[i]]) @ np.linalg.inv(boxes.bases[paths.ends[i]]).T
        assert (np.abs(landed[:, 0]) > 1.0).all()
        assert len(set(np.sign(landed[:, 0]) * corners[:, 0])) == 1
        assert np.abs(landed[:, 1:]).max() < 1.0


def test_strips_of_a_box_are_disjoint_on_its_middle_line() -> None:
    """None overlaps another, whatever their words."""
    _, _, paths = follow(LOZI)
    for box in set(paths.starts.tolist()):
        here = paths.chosen(paths.starts == box)
        ends = sorted(zip(here.offset - here.width, here.offset + here.width, strict=True))
        assert all(one[1] < two[0] for one, two in pairwise(ends))


def test_words_are_as_long_as_the_steps_and_dead_hinges_are_silent() -> None:
    """The second unit of Lozi's map leads nowhere: its letter is 0, and no piece is cut there."""
    letters, _, paths = follow(LOZI)
    assert ((paths.words >= 0).sum(axis=1) == paths.steps).all()
    assert {letter for word in paths.words for letter in spelled(letters, word.tolist())} == {"00", "10"}


def test_a_fold_of_slope_three_doubles() -> None:
    """One state, F(x) = 3 |x| - 2: no stable directions, two strips of one box across itself."""
    paths = trace(
        Letters(FloatNetwork(plrnn([[-3]], [[6]], [-2]))),
        Boxes(np.zeros((1, 1)), np.array([[[1.05]]])),
        np.ones(1),
        Limits(1.5, np.full(1, 1e-3), 6, 100, 50.0),
    )
    assert paths.steps.tolist() == [1, 1]
    assert growth(paths, 1).rate == pytest.approx(2.0)


def test_limits_are_kept() -> None:
    """No step is begun after the deadline, nor beyond the number of steps."""
    letters, boxes = attractor(LOZI, 20)
    values = boxes.lengths()
    assert len(trace(letters, boxes, values, Limits(1.4, 1e-3 * values, 9, 500, 100.0, 0.0)).starts) == 0
    assert trace(letters, boxes, values, Limits(1.4, 1e-3 * values, 3, 500, 100.0)).steps.max() <= 3


def graph(edges: list[tuple[int, int, int]]) -> Crossings:
    """Return paths (from, to, steps) whose strips do not matter."""
    starts, ends, steps = (np.array(part) for part in zip(*edges, strict=True))
    blank = np.zeros(len(edges))
    return Crossings(starts, ends, steps, blank, blank, blank[:, None], np.zeros((len(edges), 1), dtype=np.int64))


@pytest.mark.parametrize(
    ("edges", "count", "rate"),
    [
        ([(0, 0, 1), (0, 0, 1)], 1, 2.0),
        ([(0, 0, 1), (0, 0, 2)], 1, (1.0 + sqrt(5.0)) / 2.0),
        ([(0, 1, 1), (1, 0, 1), (1, 0, 1)], 2, sqrt(2.0)),
        ([(0, 1, 3), (1, 0, 4)], 2, 1.0),
        ([(0, 0, 40), (0, 0, 60)], 1, None),
        ([(0, 1, 2)], 2, 1.0),
        ([(0, 0, 5), (1, 1, 1), (1, 1, 1), (2, 1, 1), (1, 3, 1)], 4, 2.0),
    ],
)
def test_growth(edges: list[tuple[int, int, int]], count: int, rate: float | None) -> None:
    """The sum of rate^-steps v over the paths from a box is its v; boxes with no way to or from what grows have none."""
    paths = graph(edges)
    for guess in (1.001, 1.7, 50.0):
        found = growth(paths, count, guess)
        if rate is not None:
            assert found.rate == pytest.approx(rate)
        if found.rate > 1.0:
            sums = np.bincount(paths.starts, found.rate ** -paths.steps.astype(float) * found.values[paths.ends], count)
            assert sums == pytest.approx(found.values)
            assert found.flow(paths).sum() == pytest.approx(1.0)
            assert log(found.rate) > 0.0
