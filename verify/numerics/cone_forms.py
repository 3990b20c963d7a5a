"""Quadratic forms on the nodes of a graph that grow, or shrink, by a rate along every edge: one semidefinite program of many small blocks.

A symmetric matrix is the vector of its upper triangle, column after column, what is off the diagonal times sqrt 2, so that scalar products
are kept. Clarabel is called as it is: a modelling layer would take longer than the solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LEAST = 1e-7  # a margin below this is what is left of rounding errors
_ITERATIONS = 60
_NEAR = 1e-9


@dataclass(frozen=True)
class FormGraph:
    """Edges (i, j, letter) between ``nodes`` nodes, each with the Jacobian of its letter.

    ``directions``: a unit vector a node at which a growing form should be positive; ``scales``: the size of its form, roughly. **Shapes:**
    jacobians (letters, M, M), directions (nodes, M), scales (nodes,).
    """

    nodes: int
    edges: Sequence[tuple[int, int, int]]
    jacobians: Floats
    directions: Floats
    scales: Floats


def growing(graph: FormGraph, rate: float, seconds: float = 60.0) -> tuple[float, Floats] | None:
    """Return (margin, forms S) with J' S_j J / rate^2 - S_i >= margin on every edge and v' S_i v >= margin at the directions.

    Margins and entries (at most 1) are relative to the scale of node i. **Shapes:** forms (nodes, M, M).
    **Guarantee:** heuristic. None where no solution with a margin above ``LEAST`` was found in time.
    """
    program = _Program(graph)
    program.edges(rate**-2, -1.0)
    program.positive_at(graph.directions)
    program.bounded()
    forms = program.solve(seconds)
    if forms is None:
        return None
    height = np.einsum("ni,nij,nj->n", graph.directions, forms, graph.directions)
    return _if_positive(min(_least(_growth(graph, forms) / rate**2 - _before(graph, forms)), float(height.min())), forms)


def shrinking(graph: FormGraph, rate: float, seconds: float = 60.0) -> tuple[float, Floats] | None:
    """Return (margin, forms Q) with Q_i - J' Q_j J / rate^2 >= margin on every edge and Q_i >= margin; scaled alike.

    **Shapes:** forms (nodes, M, M). **Guarantee:** heuristic. None where no solution with a margin above ``LEAST`` was found in time.
    """
    program = _Program(graph)
    program.edges(-(rate**-2), 1.0)
    program.positive()
    program.bounded()
    forms = program.solve(seconds)
    if forms is None:
        return None
    return _if_positive(min(_least(_before(graph, forms) - _growth(graph, forms) / rate**2), _least(forms)), forms)


class _Program:
    """Maximise t, the last unknown, over forms as vectors; the constraints are rows A x + s = b with s in a product of cones."""

    def __init__(self, graph: FormGraph) -> None:
        self.graph = graph
        self.size = graph.jacobians.shape[1]
        self.entries = self.size * (self.size + 1) // 2
        self.unit = vector_of(np.eye(self.size)[None])[0]
        self.blocks: list[sparse.coo_array] = []
        self.bounds: list[Floats] = []
        self.cones: list[object] = []

    @property
    def unknowns(self) -> int:
        """Return the number of unknowns."""
        return int(self.graph.nodes * self.entries + 1)

    def edges(self, after: float, before: float) -> None:
        """Ask that after J' S_j J + before S_i >= t on every edge."""
        congruences = np.array([congruence(jacobian) for jacobian in self.graph.jacobians])
        one, two, letters = np.array(self.graph.edges, dtype=np.int64).T
        weights, count = self.graph.scales[two] / self.graph.scales[one], len(one)
        own = np.arange(self.entries)
        rows = np.arange(count * self.entries).reshape(count, self.entries)
        shape = (count, self.entries, self.entries)
        later = np.broadcast_to(two[:, None, None] * self.entries + own[None, None, :], shape)
        blocks = -after * weights[:, None, None] * congruences[letters]
        first = _triplets(np.broadcast_to(rows[:, :, None], shape), later, blocks)
        second = _triplets(rows, one[:, None] * self.entries + own, np.full(rows.shape, -before))
        third = _triplets(rows, self.unknowns - 1, np.broadcast_to(self.unit, rows.shape))
        self._add([first, second, third], count * self.entries, 0.0)
        self.cones += [clarabel.PSDTriangleConeT(self.size)] * count

    def positive(self) -> None:
        """Ask that S_i >= t at every node."""
        rows = np.arange(self.unknowns - 1)
        margin = np.tile(self.unit, self.graph.nodes)
        parts = [_triplets(rows, rows, np.full(rows.shape, -1.0)), _triplets(rows, self.unknowns - 1, margin)]
        self._add(parts, len(rows), 0.0)
        self.cones += [clarabel.PSDTriangleConeT(self.size)] * self.graph.nodes

    def positive_at(self, directions: Floats) -> None:
        """Ask that v' S_i v >= t for one v a node."""
        weights = vector_of(directions[:, :, None] * directions[:, None, :])
        rows = np.arange(self.graph.nodes)
        columns = rows[:, None] * self.entries + np.arange(self.entries)
        spread = np.broadcast_to(rows[:, None], columns.shape)
        parts = [_triplets(spread, columns, -weights), _triplets(rows, self.unknowns - 1, np.ones(rows.shape))]
        self._add(parts, len(rows), 0.0)
        self.cones.append(clarabel.NonnegativeConeT(len(rows)))

    def bounded(self) -> None:
        """Ask that every entry is at most 1 in absolute value."""
        count = self.unknowns - 1
        columns = np.concatenate([np.arange(count)] * 2)
        signs = np.repeat([1.0, -1.0], count)
        self._add([_triplets(np.arange(2 * count), columns, signs)], 2 * count, 1.0)
        self.cones.append(clarabel.NonnegativeConeT(2 * count))

    def solve(self, seconds: float) -> Floats | None:
        """Return the forms."""
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.max_iter = _ITERATIONS
        settings.max_threads = 1
        settings.time_limit = max(seconds, 0.01)
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _NEAR
        cost = np.zeros(self.unknowns)
        cost[-1] = -1.0
        nothing = sparse.csc_array((self.unknowns, self.unknowns))
        matrix = sparse.csc_array(sparse.vstack(self.blocks))
        solver = clarabel.DefaultSolver(nothing, cost, matrix, np.concatenate(self.bounds), self.cones, settings)
        found = np.array(solver.solve().x)
        if not np.all(np.isfinite(found)) or found[-1] <= LEAST:
            return None
        return matrices_of(found[:-1].reshape(self.graph.nodes, self.entries), self.size)

    def _add(self, parts: list[tuple[Integers, Integers, Floats]], rows: int, bound: float) -> None:
        row, column, value = (np.concatenate(values) for values in zip(*parts, strict=True))
        self.blocks.append(sparse.coo_array((value, (row, column)), shape=(rows, self.unknowns)))
        self.bounds.append(np.full(rows, bound))


def vector_of(matrices: Floats) -> Floats:
    """Return the upper triangles, column after column, off the diagonal times sqrt 2. **Shapes:** (n, M, M) to (n, M (M + 1) / 2)."""
    rows, columns = _places(matrices.shape[1])
    return np.asarray(matrices[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0)))


def matrices_of(vectors: Floats, size: int) -> Floats:
    """Return the symmetric matrices of such vectors."""
    rows, columns = _places(size)
    values = vectors / np.where(rows == columns, 1.0, np.sqrt(2.0))
    matrices = np.zeros((len(vectors), size, size))
    matrices[:, rows, columns] = values
    matrices[:, columns, rows] = values
    return matrices


def congruence(jacobian: Floats) -> Floats:
    """Return the matrix that takes the vector of S to that of J' S J."""
    size = len(jacobian)
    units = matrices_of(np.eye(size * (size + 1) // 2), size)
    return vector_of(np.einsum("ki,nkl,lj->nij", jacobian, units, jacobian)).T


def _before(graph: FormGraph, forms: Floats) -> Floats:
    return np.asarray(forms[[one for one, _, _ in graph.edges]])


def _growth(graph: FormGraph, forms: Floats) -> Floats:
    """Return J' S_j J for every edge, in the scale of its first node."""
    one, two, letters = np.array(graph.edges, dtype=np.int64).T
    jacobians = graph.jacobians[letters]
    weights = graph.scales[two] / graph.scales[one]
    return np.asarray(weights[:, None, None] * (jacobians.transpose(0, 2, 1) @ forms[two] @ jacobians))


def _least(matrices: Floats) -> float:
    return float(np.linalg.eigvalsh(matrices).min())


def _if_positive(margin: float, forms: Floats) -> tuple[float, Floats] | None:
    return (margin, forms) if margin > LEAST / 2 else None


def _places(size: int) -> tuple[Integers, Integers]:
    columns, rows = np.tril_indices(size)
    return rows, columns


def _triplets(rows: Integers, columns: Integers | int, values: Floats) -> tuple[Integers, Integers, Floats]:
    shape = values.shape
    return np.broadcast_to(rows, shape).ravel(), np.broadcast_to(columns, shape).ravel(), values.ravel()
