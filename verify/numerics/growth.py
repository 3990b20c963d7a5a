"""Growth of a graph whose edges take several steps: its best strong component, its rate, and weights that show the rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log

import numpy as np

from verify.numerics.batch import Floats

BISECTIONS = 60
POWER_STEPS = 4000
SETTLED = 1e-14
Edge = tuple[int, int, int]  # from, to, steps


def best_component(edges: Sequence[Edge]) -> tuple[list[int], list[int]] | None:
    """Return the nodes and the edges (by their place) of the strong component that grows fastest; None where none grows at all.

    **Guarantee:** heuristic as to which is the fastest.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if not edges:
        return None
    size = 1 + max(max(start, end) for start, end, _ in edges)
    starts, ends = np.array([edge[0] for edge in edges]), np.array([edge[1] for edge in edges])
    labels = connected_components(csr_array((np.ones(len(edges)), (starts, ends)), shape=(size, size)), connection="strong")[1]
    inner = np.flatnonzero(labels[starts] == labels[ends])
    groups: dict[int, list[int]] = defaultdict(list)
    for place in inner.tolist():
        groups[int(labels[starts[place]])].append(place)
    best: tuple[float, list[int], list[int]] | None = None
    for label, places in sorted(groups.items()):
        nodes = np.flatnonzero(labels == label).tolist()
        if len(places) > len(nodes):  # else it is a single loop
            number = {node: i for i, node in enumerate(nodes)}
            growth = log_growth([(number[edges[i][0]], number[edges[i][1]], edges[i][2]) for i in places], len(nodes))
            best = max(best or (0.0, [], []), (growth, nodes, places))
    return None if best is None or best[0] <= 0.0 else best[1:]


def log_growth(edges: Sequence[Edge], count: int) -> float:
    """Return log r where the largest eigenvalue of the sum of r^-steps over the edges is 1; the graph is strongly connected."""
    low, high = 0.0, log(max(2.0, float(len(edges))))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _radius(edges, count, middle)[0] >= 1.0 else (low, middle)
        if high - low <= 1e-15 * high:
            break
    return low


def weights_at(edges: Sequence[Edge], count: int, rate: float) -> Floats:
    """Return positive weights, the largest 1, that the matrix of r^-steps does not make smaller, if r is below the growth rate."""
    return _radius(edges, count, log(rate))[1]


def _radius(edges: Sequence[Edge], count: int, logarithm: float) -> tuple[float, Floats]:
    """Return eigenvalue and eigenvector, by the power method on matrix + identity."""
    from scipy.sparse import csr_array

    starts, ends, steps = np.array(edges).T
    matrix = csr_array((np.exp(-logarithm * steps), (starts, ends)), shape=(count, count))
    if count == 1:
        return float(matrix.sum()), np.ones(1)
    vector, value = np.ones(count), 0.0
    for _ in range(POWER_STEPS):
        image = matrix @ vector
        ratios = image / vector
        value = float(ratios.min())
        if float(ratios.max()) - value <= SETTLED * value:
            break
        vector = image + vector
        vector = vector / vector.max()
    return value, vector
