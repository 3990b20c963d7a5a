"""Least cycle means against all simple cycles of small random graphs; potentials that show them; what is refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from verify.numerics.batch import Floats
from verify.numerics.cone_forms import Integers
from verify.numerics.cycle_means import least_mean


def by_brute_force(nodes: int, starts: Integers, ends: Integers, weights: Floats) -> float:
    """Return the least mean over all simple cycles, each walked from its least node; infinity without one."""
    after: dict[int, list[tuple[int, float]]] = {}
    for one, two, weight in zip(starts.tolist(), ends.tolist(), weights.tolist(), strict=True):
        after.setdefault(one, []).append((two, weight))
    means = [np.inf]
    for root in range(nodes):
        walks: list[tuple[tuple[int, ...], float]] = [((root,), 0.0)]
        while walks:
            path, total = walks.pop()
            for node, weight in after.get(path[-1], []):
                if node == root:
                    means.append((total + weight) / len(path))
                elif node > root and node not in path:
                    walks.append(((*path, node), total + weight))
    return min(means)


@pytest.mark.parametrize("seed", range(150))
def test_the_least_mean_is_that_of_the_best_simple_cycle(seed: int) -> None:
    random = np.random.default_rng(seed)
    nodes, edges = int(random.integers(1, 7)), int(random.integers(1, 14))
    starts, ends = random.integers(0, nodes, edges), random.integers(0, nodes, edges)
    weights = random.normal(size=edges) if seed % 2 else random.integers(-3, 4, edges).astype(np.float64)
    found, best = least_mean(nodes, starts, ends, weights), by_brute_force(nodes, starts, ends, weights)
    if found is None:
        assert best == np.inf
        return
    assert found.mean == pytest.approx(best, abs=1e-9)
    assert np.mean(weights[list(found.cycle)]) == pytest.approx(best, abs=1e-9)
    steps = [(int(starts[e]), int(ends[e])) for e in (*found.cycle, found.cycle[0])]
    assert all(one[1] == two[0] for one, two in pairwise(steps))
    assert np.all(weights - found.mean + found.potentials[ends] - found.potentials[starts] > -1e-9)


def test_a_large_graph_is_settled_and_its_potentials_stay_moderate() -> None:
    random = np.random.default_rng(0)
    nodes = 3000
    starts = np.concatenate([np.arange(nodes), random.integers(0, nodes, 9000)])
    ends = np.concatenate([(np.arange(nodes) + 1) % nodes, random.integers(0, nodes, 9000)])
    found = least_mean(nodes, starts, ends, random.normal(size=len(starts)))
    assert found is not None
    assert -1.7 < found.mean < -1.0
    assert np.abs(found.potentials).max() < 50


def test_no_cycle_and_no_number_are_told_apart() -> None:
    assert least_mean(3, np.array([0, 1]), np.array([1, 2]), np.array([1.0, 2.0])) is None
    assert least_mean(3, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)) is None
    with pytest.raises(ValueError, match="the weights of a cycle mean must be finite"):
        least_mean(1, np.array([0]), np.array([0]), np.array([np.nan]))
