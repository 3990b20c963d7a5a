"""Linear relaxations of a complementarity problem y = M x + q, x >= 0, y >= 0, x_i y_i = 0, by a dual simplex method in floats.

The relaxation drops x_i y_i = 0. A *node* of a search has locked some variables at 0; it starts from its parent's tableau and needs a few
pivots. Variables are numbered: x_i is i, y_i is n + i, and the slack of side row s is 2 n + s. Side rows are further inequalities >= 0.

A *tableau* writes each basic variable as a constant (last column) and multiples of the nonbasic ones; its last row is the objective, a sum
of all x and y with random weights near 1, so that optima are unique and lean towards complementary points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., object])

OPTIMAL = -1
STALLED = -2
RANK = 1e-9  # a pivot this small beside the largest is no pivot
ZERO = 1e-9  # a coefficient, or a value beside constants of size 1, below this is taken for 0
MOST_PIVOTS = 2_000  # at a node
PROBE_PIVOTS = 50  # when a branch is only tried
PROBES = 6  # branches tried before one is chosen
HOPELESS = 1e300  # the objective of an infeasible branch


def compiled(function: Function) -> Function:
    """Compile a function to machine code, which is kept on disk; its type stays."""
    return cast("Function", numba.njit(cache=True)(function))


@dataclass
class Tableau:
    """The state of one relaxation. **Shapes:** table (m + 1, n + 1), basis (m,), cobasis (n,), locked (2 n + side rows,)."""

    table: Floats
    basis: Integers
    cobasis: Integers
    locked: Bools

    def copy(self) -> Tableau:
        """Return an independent copy."""
        return Tableau(self.table.copy(), self.basis.copy(), self.cobasis.copy(), self.locked.copy())


@dataclass
class Node:
    """A solved relaxation; ``row`` is a row that shows it infeasible, or ``OPTIMAL`` or ``STALLED``."""

    tableau: Tableau
    row: int

    def child(self, variable: int, *, keep: bool) -> Node:
        """Lock one more variable and solve; without ``keep`` this node's own tableau is used up.

        **Guarantee:** heuristic. **Cost:** a few pivots of m n operations.
        """
        tableau = self.tableau.copy() if keep else self.tableau
        tableau.locked[variable] = True
        return Node(tableau, _solved(tableau))

    def branch(self, count: int) -> int:
        """Return the undecided index whose two branches promise most, of ``count`` pairs. **Guarantee:** heuristic."""
        t = self.tableau
        return int(_choose(t.table, t.basis, t.cobasis, t.locked, count))


@dataclass(frozen=True)
class Relaxation:
    """The problem data. **Shapes:** matrix (n, n), constants (n,), sides (s, n) and side_constants (s,) as functions of x."""

    matrix: Floats
    constants: Floats
    sides: Floats
    side_constants: Floats

    @property
    def count(self) -> int:
        """Return n."""
        return len(self.constants)

    def root(self, locked: Bools) -> Node:
        """Solve the relaxation in which these variables are 0. **Guarantee:** heuristic. **Cost:** about n pivots."""
        n, rows = self.count, len(self.constants) + len(self.side_constants)
        table = np.zeros((rows + 1, n + 1))
        table[:n, :n], table[:n, n] = self.matrix, self.constants
        table[n:rows, :n], table[n:rows, n] = self.sides, self.side_constants
        weights = self._weights()
        table[rows, :n] = weights[:n]
        tableau = Tableau(table, np.arange(n, n + rows), np.arange(n), locked.copy())
        row = _solved(tableau)
        if row == OPTIMAL:
            _set_objective(tableau, weights)
            _primal_simplex(table, tableau.basis, tableau.cobasis, tableau.locked, MOST_PIVOTS)
        return Node(tableau, row)

    def refreshed(self, node: Node) -> Node:
        """Compute a node's tableau anew from its basis, against rounding errors, and solve on."""
        old = node.tableau
        n, rows = self.count, len(old.basis)
        columns = np.zeros((rows, n + rows))
        columns[:n, :n], columns[n:, :n] = -self.matrix, -self.sides
        columns[:, n:] = np.eye(rows)
        right = np.concatenate([self.constants, self.side_constants])
        table = np.zeros_like(old.table)
        try:
            table[:rows] = np.linalg.solve(columns[:, old.basis], np.column_stack([-columns[:, old.cobasis], right]))
        except np.linalg.LinAlgError:
            return node
        tableau = Tableau(table, old.basis.copy(), old.cobasis.copy(), old.locked.copy())
        _set_objective(tableau, self._weights())
        return Node(tableau, _solved(tableau))

    def _weights(self) -> Floats:
        weights = np.zeros(2 * self.count + len(self.side_constants))
        weights[: 2 * self.count] = np.random.Generator(np.random.Philox(self.count)).uniform(1.0, 1.2, 2 * self.count)
        return weights


def independent_rows(matrix: Floats) -> list[int]:
    """Return row numbers of a well-conditioned basis of the row space. **Guarantee:** heuristic (rank decided in floats)."""
    from scipy.linalg import qr

    R, order = qr(matrix.T, mode="r", pivoting=True)
    sizes = np.abs(np.diag(R))
    return sorted(int(i) for i in order[: int((sizes > RANK * sizes.max(initial=0.0)).sum())])


def smallest_tree(relaxations: list[Relaxation], nodes: int) -> int:
    """Return the place of the relaxation whose tree seems smallest: all are tried, the better half with twice as many nodes, and so on.

    **Guarantee:** heuristic. **Cost:** about 2 log2 n + 2 times ``nodes`` for each of n relaxations.
    """
    places = list(range(len(relaxations)))
    while len(places) > 1:
        guesses = {place: estimated_nodes(relaxations[place], nodes) for place in places}
        places = sorted(places, key=lambda place: guesses[place])[: (len(places) + 1) // 2]
        nodes *= 2
    return places[0]


def estimated_nodes(relaxation: Relaxation, limit: int) -> float:
    """Guess how many nodes a search takes: it runs depth-first for ``limit`` nodes and adds up the shares of the tree that it closes.

    A leaf at depth d counts as 2^-d of the tree (Knuth 1975). **Guarantee:** heuristic; exact where the tree has at most ``limit`` nodes.
    """
    n = relaxation.count
    random = np.random.Generator(np.random.Philox(n))
    pending = [(relaxation.root(np.zeros(2 * n + len(relaxation.side_constants), dtype=np.bool_)), 0)]
    nodes, share = 0, 0.0
    while pending and nodes < limit:
        node, depth = pending.pop()
        nodes += 1
        if node.row >= 0 or depth == n:
            share += 0.5**depth
            continue
        index = node.branch(PROBES)
        children = [(node.child(index, keep=True), depth + 1), (node.child(n + index, keep=False), depth + 1)]
        pending.extend(children if random.random() < 0.5 else reversed(children))  # noqa: PLR2004 - a fair coin
    return nodes / share if share else float("inf")


def _solved(tableau: Tableau) -> int:
    return int(_dual_simplex(tableau.table, tableau.basis, tableau.cobasis, tableau.locked, MOST_PIVOTS))


def _set_objective(tableau: Tableau, weights: Floats) -> None:
    rows = len(tableau.basis)
    tableau.table[rows] = weights[tableau.basis] @ tableau.table[:rows]
    tableau.table[rows, :-1] += weights[tableau.cobasis]


@compiled
def _pivot(table: Floats, basis: Integers, cobasis: Integers, row: int, column: int) -> None:
    """Swap the basic variable of ``row`` with the nonbasic one of ``column``."""
    inverse = 1.0 / table[row, column]
    for j in range(table.shape[1]):
        table[row, j] *= -inverse
    table[row, column] = inverse
    for i in range(table.shape[0]):
        factor = table[i, column]
        if i != row and factor != 0.0:
            for j in range(table.shape[1]):
                table[i, j] += factor * table[row, j]
            table[i, column] = factor * inverse
    basis[row], cobasis[column] = cobasis[column], basis[row]


@compiled
def _leaving(table: Floats, basis: Integers, locked: Bools) -> int:
    """Return the row whose basic variable is furthest from where it may be, -1 if all are right."""
    last = table.shape[1] - 1
    row, worst = -1, ZERO
    for i in range(len(basis)):
        value = table[i, last]
        off = abs(value) if locked[basis[i]] else -value
        if off > worst:
            row, worst = i, off
    return row


@compiled
def _entering(table: Floats, cobasis: Integers, locked: Bools, row: int) -> int:
    """Return the column that may enter with the least rise of the objective per unit, the largest pivot among equals; -1 if none."""
    costs = table.shape[0] - 1
    sign = 1.0 if table[row, len(cobasis)] < 0.0 else -1.0
    column, least, largest = -1, HOPELESS, 0.0
    for j in range(len(cobasis)):
        step = sign * table[row, j]
        if step > ZERO and not locked[cobasis[j]]:
            ratio = max(table[costs, j], 0.0) / step
            if ratio < least - ZERO or (ratio <= least + ZERO and step > largest):
                column, least, largest = j, ratio, step
    return column


@compiled
def _dual_simplex(table: Floats, basis: Integers, cobasis: Integers, locked: Bools, limit: int) -> int:
    """Pivot until all is feasible (``OPTIMAL``), a row shows that it cannot be (that row) or the limit is reached (``STALLED``)."""
    for _ in range(limit):
        row = _leaving(table, basis, locked)
        if row < 0:
            return OPTIMAL
        column = _entering(table, cobasis, locked, row)
        if column < 0:
            return row
        _pivot(table, basis, cobasis, row, column)
    return STALLED


@compiled
def _primal_simplex(table: Floats, basis: Integers, cobasis: Integers, locked: Bools, limit: int) -> None:
    """Pivot from a feasible tableau to the optimum of its objective, by largest descent."""
    costs, last = len(basis), len(cobasis)
    for _ in range(limit):
        column, steepest = -1, -ZERO
        for j in range(last):
            if table[costs, j] < steepest and not locked[cobasis[j]]:
                column, steepest = j, table[costs, j]
        if column < 0:
            return
        row, least = -1, HOPELESS
        for i in range(costs):
            if table[i, column] < -ZERO and max(table[i, last], 0.0) / -table[i, column] < least:
                row, least = i, max(table[i, last], 0.0) / -table[i, column]
        if row < 0:
            return
        _pivot(table, basis, cobasis, row, column)


@compiled
def _values(table: Floats, basis: Integers, size: int) -> Floats:
    """Return the values of all variables."""
    values = np.zeros(size)
    for i in range(len(basis)):
        values[basis[i]] = table[i, table.shape[1] - 1]
    return values


@compiled
def _first_rise(table: Floats, cobasis: Integers, locked: Bools, row: int) -> float:
    """Return by how much the first dual pivot that drives a positive basic variable to 0 raises the objective."""
    costs = table.shape[0] - 1
    least = HOPELESS
    for j in range(len(cobasis)):
        if table[row, j] < -ZERO and not locked[cobasis[j]]:
            least = min(least, max(table[costs, j], 0.0) / -table[row, j])
    return least if least == HOPELESS else least * table[row, len(cobasis)]


@compiled
def _rise(table: Floats, basis: Integers, cobasis: Integers, locked: Bools, variable: int) -> float:
    """Return by how much locking a variable raises the objective, ``HOPELESS`` if nothing feasible is left; a few pivots on a copy."""
    row = -1
    for i in range(len(basis)):
        if basis[i] == variable and table[i, table.shape[1] - 1] > ZERO:
            row = i
    if row < 0:
        return 0.0
    if _first_rise(table, cobasis, locked, row) == HOPELESS:
        return HOPELESS
    tried, tried_basis, tried_cobasis = table.copy(), basis.copy(), cobasis.copy()
    locked[variable] = True
    status = _dual_simplex(tried, tried_basis, tried_cobasis, locked, PROBE_PIVOTS)
    locked[variable] = False
    return HOPELESS if status >= 0 else tried[len(basis), len(cobasis)] - table[len(basis), len(cobasis)]


@compiled
def _choose(table: Floats, basis: Integers, cobasis: Integers, locked: Bools, count: int) -> int:
    """Try both branches of the undecided indices with the largest gap min(x_i, y_i), then the largest max; return the best index.

    An index with an infeasible branch is best (it is decided at the price of one leaf); among others the product of the rises counts.
    """
    n = len(cobasis)
    values = _values(table, basis, len(locked))
    scores = np.full(n, -1.0)
    for i in range(n):
        if not locked[i] and not locked[n + i]:
            low, high = min(values[i], values[n + i]), max(values[i], values[n + i])
            scores[i] = 1e6 * max(low, 0.0) + max(high, 0.0)
    best, most = -1, -1.0
    for _ in range(count):
        index = int(np.argmax(scores))
        if scores[index] < 0.0:
            break
        scores[index] = -1.0
        one, two = _rise(table, basis, cobasis, locked, index), _rise(table, basis, cobasis, locked, n + index)
        low, high = min(one, two), max(one, two)
        merit = 1e20 * (1e-6 + min(low, 1e20)) if high == HOPELESS else max(low, 1e-6) * max(high, 1e-6)
        if merit > most:
            best, most = index, merit
        if low == HOPELESS:
            break
    return best
