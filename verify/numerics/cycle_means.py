"""Least mean weight of the cycles of a graph, and potentials that show it: shortest walks at a guess that negative cycles correct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.numerics.batch import Floats
from verify.numerics.compiled import compiled, inner
from verify.numerics.cone_forms import Integers

_TINY = 1e-13


@dataclass(frozen=True)
class CycleMean:
    """The least mean, the edges of a cycle that has it, in order, and potentials p: weight - mean + p[end] - p[start] >= 0 on all edges.

    **Guarantee:** heuristic (floats, up to rounding).
    """

    mean: float
    cycle: tuple[int, ...]
    potentials: Floats


def least_mean(nodes: int, starts: Integers, ends: Integers, weights: Floats) -> CycleMean | None:
    """Return the least mean weight of a cycle of the graph with edges starts[e] -> ends[e]; None without a cycle.

    The guess starts above all weights. As long as walks get shorter for ever, the edges they use close to a cycle, whose mean is the next
    guess. **Shapes:** starts, ends, weights (edges,), weights finite. **Cost:** nodes * edges a guess at worst, few guesses.
    **Raises:** ValueError for weights that are not finite. **See:** Bellman 1958; Lawler 1966; Dasdan 2004.

    **Example** two loops and a cycle of length 2:

    >>> found = least_mean(2, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 1.0, 2.0, 4.0]))
    >>> found.mean, sorted(found.cycle)
    (1.5, [1, 2])
    """
    if not np.all(np.isfinite(weights)):
        message = "the weights of a cycle mean must be finite"
        raise ValueError(message)
    if not len(weights):
        return None
    cycle = np.zeros(0, dtype=np.int64)
    slack = _TINY * (1.0 + float(np.abs(weights).max()))
    mean = float(weights.max()) + 1.0
    while True:
        values = np.zeros(nodes)
        found = _shortened(starts, ends, weights - mean, values, slack)
        closer = float(np.mean(weights[found])) if len(found) else mean
        if closer >= mean:
            return CycleMean(mean, tuple(cycle.tolist()), values) if len(cycle) else None
        mean, cycle = closer, found


@inner
def _cycle_of(policy: Integers, ends: Integers) -> Integers:
    """Return the edges of a cycle of the graph in which each node has at most one edge, -1 for none; nothing where there is no cycle."""
    seen = np.full(len(policy), -1)
    for first in range(len(policy)):
        node = first
        while policy[node] >= 0 and seen[node] < 0:
            seen[node] = first
            node = ends[policy[node]]
        if policy[node] >= 0 and seen[node] == first:
            edges = [policy[node]]
            while ends[edges[-1]] != node:
                edges.append(policy[ends[edges[-1]]])
            return np.array(edges)
    return np.zeros(0, dtype=np.int64)


@compiled
def _shortened(starts: Integers, ends: Integers, lengths: Floats, values: Floats, slack: float) -> Integers:
    """Shorten walks until none gets shorter (then return nothing), or until the edges they use close to a cycle (then return it)."""
    policy = np.full(len(values), -1)
    while True:
        changed = False
        for e in range(len(starts)):
            length = lengths[e] + values[ends[e]]
            if length < values[starts[e]] - slack:
                values[starts[e]], policy[starts[e]] = length, e
                changed = True
        if not changed:
            return np.zeros(0, dtype=np.int64)
        cycle = _cycle_of(policy, ends)
        if len(cycle):
            return cycle
