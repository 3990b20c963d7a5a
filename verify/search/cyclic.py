"""Every cycle whose period divides k, by branch and bound on a linear complementarity problem in the live pre-activations of one round.

What comes out are the witnesses of cards ``cyclic_system`` and ``cyclic_tree``. A tree is grown in chunks: the root of a chunk is a task,
and what a chunk leaves open becomes further tasks. Every leaf has passed the kernel's own exact check before it is handed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd
from time import monotonic

import numpy as np

from proofs.arithmetic import Matrix
from proofs.grammar import write_number
from proofs.network import Network
from proofs.reader import Fields
from proofs.theorems import cyclic_system
from proofs.theorems.card import Application
from proofs.theorems.lifted import full_pattern, lifted, live_hinges
from proofs.theorems.parts import CyclicSystem
from verify.numerics.balls import SingularError, approximate_inverse, solve
from verify.numerics.batch import floats_of
from verify.numerics.farkas import Multipliers, Refuter
from verify.numerics.lcp import PROBES, Node, Relaxation, independent_rows, smallest_tree

Word = tuple[str, ...]
Token = int | str | dict[str, list[int | str]]

FINE = 72  # bits that an enclosed system starts with
SPARE = 8  # bits of them that may be lost
SHORT = 1_500  # bits that exact entries may have
LONG = 20_000  # the same where exact zeros matter: the gates give the state, and relations between few variables abound
BASES = 16  # random base patterns tried
CONDITION = 1e4  # of I - J^k, good enough to stop trying
PILOTS = 8  # hinges tried for the order relation
PILOT_NODES = 250  # of each trial at first; half of the trials go on with twice as many
PILOT_WORK = 25_000_000  # nodes times squared unknowns, a bound on each trial's first round
HEAVY = 400  # unknowns beyond which a tableau for each level of the tree would fill the memory
PARTS = 16  # subtrees that a chunk of twice its size may leave open
REAL = -1  # no sign is wrong
LONGEST_INTEGER = 10**18  # longer ones are written as strings


@dataclass(frozen=True)
class CyclicTask:
    """The root of a subtree: ``path`` holds i + 1 where a_i >= 0 and -(i + 1) where a_i <= 0, i = time * live hinges + hinge."""

    period: int
    base: str
    order: int | None
    path: tuple[int, ...]


@dataclass(frozen=True)
class CyclicChunk:
    """The part of a tree grown from a task.

    ``tokens`` in preorder; the k-th "part" stands for the k-th of ``subtasks``, the k-th "cycle" for the closed word ``words[k]`` (letters
    over the live hinges). ``unresolved`` holds the path and the reason of leaves that could not be settled; their tokens are "residual",
    and a chunk that has any proves less than it should: grow it again in an exact system.
    """

    task: CyclicTask
    tokens: tuple[Token, ...]
    subtasks: tuple[CyclicTask, ...]
    words: tuple[Word, ...]
    nodes: int
    unresolved: tuple[tuple[tuple[int, ...], str], ...]


@dataclass(frozen=True)
class CyclicPlan:
    """How one period is to be searched: the witness of its ``cyclic_system``, that system, and the task of the whole tree."""

    witness: dict[str, object]
    system: CyclicSystem
    task: CyclicTask


def plan(network: Network, period: int, *, exact: bool | None = None, pilot: bool = True) -> CyclicPlan:
    """Choose base pattern, arithmetic and order relation for the cycles whose period divides ``period``.

    ``exact`` asks for exact entries (True) or enclosed ones (False); None takes exact ones where they are short. The order relation is the
    one that makes ``PILOTS`` small trial searches most hopeful, hinge 0 without ``pilot``.

    **Guarantee:** the system is the kernel's; the choices are heuristic. **Raises:** Rejected if the network is not exact and piecewise
    linear, has no live hinge or too many; SingularError where I - J^k is singular for every base pattern tried (use the word tree).
    """
    live = live_hinges(network)
    for base in _bases(network, live, period):
        try:
            witness, system = _system(network, live, base, period, exact=exact)
        except SingularError:
            continue
        order = None if period == 1 else _best_order(system) if pilot else 0
        return CyclicPlan(witness, system, CyclicTask(period, base, order, ()))
    raise SingularError


def grow(network: Network, system: CyclicSystem, task: CyclicTask, max_nodes: int = 10_000, deadline: float | None = None) -> CyclicChunk:
    """Search below a task, depth-first, until it is settled, ``max_nodes`` (to twice as many) are visited or the ``deadline`` is passed.

    ``deadline`` is a time of the monotonic clock.

    **Guarantee:** heuristic in what it explores; each farkas leaf refutes its node and each word closes on one point that follows it,
    exactly (an unresolved one apart). **Cost:** 1,000 to 4,000 nodes a second.
    """
    growth = _Growth(network, system, task)
    growth.run(max_nodes, deadline if deadline is not None else float("inf"))
    return CyclicChunk(task, tuple(growth.tokens), tuple(growth.subtasks), tuple(growth.words), growth.nodes, tuple(growth.unresolved))


class _Growth:
    """One chunk while it grows. Open nodes are kept as (parent, or None where memory is short; last decision; path), the next one last."""

    def __init__(self, network: Network, system: CyclicSystem, task: CyclicTask) -> None:
        self._network, self._live = network, live_hinges(network)
        self._refuter, self._relaxation = _prepared(network, system, task.order)
        self._task = task
        self._is_exact = system.radius == 0
        self.tokens: list[Token] = []
        self.subtasks: list[CyclicTask] = []
        self.words: list[Word] = []
        self.unresolved: list[tuple[tuple[int, ...], str]] = []
        self.nodes = 0

    def run(self, max_nodes: int, deadline: float) -> None:
        """Visit nodes in preorder; those that are left at the end become tasks."""
        root = self._relaxation.root(self._refuter.locked(self._task.path))
        pending = self._visit(root, self._task.path)
        while pending and not self._is_full(len(pending), max_nodes) and monotonic() <= deadline:
            parent, decision, path = pending.pop()
            if parent is None:
                node = self._relaxation.root(self._refuter.locked(path))
            else:
                node = parent.child(self._refuter.variable(decision), keep=decision > 0)
            pending.extend(self._visit(node, path))
        for _, _, path in reversed(pending):
            self.tokens.append("part")
            self.subtasks.append(CyclicTask(self._task.period, self._task.base, self._task.order, path))

    def _is_full(self, pending: int, max_nodes: int) -> bool:
        """Say whether to stop: beyond ``max_nodes`` as soon as few subtrees are open, the more the later; at the double in any case."""
        beyond = (self.nodes - max_nodes) / max_nodes
        return beyond >= 1 or (beyond >= 0 and pending <= PARTS * beyond)

    def _visit(self, node: Node, path: tuple[int, ...]) -> list[tuple[Node | None, int, tuple[int, ...]]]:
        """Settle a node or branch; return its children, the first one last."""
        self.nodes += 1
        if node.row >= 0 and self._refuted(node):
            return []
        if len(path) == self._refuter.count:
            self._settle(node, path)
            return []
        index = node.branch(PROBES)
        self.tokens.append(index)
        parent = node if self._refuter.count <= HEAVY else None
        return [(parent, decision, (*path, decision)) for decision in (-index - 1, index + 1)]

    def _refuted(self, node: Node) -> bool:
        """Emit a certificate that the node is empty, if one is found: from its tableau, or from a fresher one."""
        found = self._refuter.refuted(node)
        if found is None:
            fresh = self._relaxation.refreshed(node)
            found = self._refuter.refuted(fresh) if fresh.row >= 0 else None
        return found is not None and self._emit(found)

    def _settle(self, node: Node, path: tuple[int, ...]) -> None:
        """Settle a node at which all is decided, exactly."""
        word = self._word(path)
        wrong = _worst_sign(self._network, self._live, word)
        if wrong == REAL:
            self.tokens.append("cycle")
            self.words.append(word)
            return
        found = self._refuter.settled(node.tableau.locked) if wrong is None else self._excluded(node, wrong, word)
        if found is not None:
            self._emit(found)
            return
        self.tokens.append("residual")
        if wrong is not None or not self._is_exact:
            reason = "a singular word in an enclosed system" if wrong is None else "a word that misses its region by too little"
            self.unresolved.append((path, reason))

    def _excluded(self, node: Node, wrong: int, word: Word) -> Multipliers | None:
        """Exclude a node at which all is decided by the variable that its one solution makes negative."""
        bit = word[wrong // len(self._live)][wrong % len(self._live)]
        variable = self._refuter.variable(-wrong - 1 if bit == "1" else wrong + 1)
        fresh = self._relaxation.refreshed(node)
        places = np.flatnonzero(fresh.tableau.basis == variable)
        found = self._refuter.refuted(Node(fresh.tableau, int(places[0]))) if len(places) else None
        return found or self._refuter.settled(node.tableau.locked)

    def _emit(self, found: Multipliers) -> bool:
        token: dict[str, list[int | str]] = {"farkas": _pairs(found.weights)}
        if found.turns:
            token["order"] = _pairs(found.turns)
        self.tokens.append(token)
        return True

    def _word(self, path: tuple[int, ...]) -> Word:
        letters = "".join("1" if decision > 0 else "0" for decision in sorted(path, key=abs))
        width = len(self._task.base)
        return tuple(letters[t : t + width] for t in range(0, len(letters), width))


def _pairs(values: dict[int, int]) -> list[int | str]:
    return [
        part
        for index, value in values.items()
        if value
        for part in (index, value if abs(value) < LONGEST_INTEGER else write_number(Fraction(value)))
    ]


def _worst_sign(network: Network, live: tuple[int, ...], word: Word) -> int | None:
    """Solve (I - P) z = q for a closed word: return the index whose pre-activation has the wrong sign by most, ``REAL`` if none has.

    None where I - P is singular. **Guarantee:** exact.
    """
    size = network.dimension
    pieces = {letter: network.piece(full_pattern(live, letter, network.hinges)) for letter in set(word)}
    product, offset = Matrix.identity(size), Matrix.column([Fraction(0)] * size)
    for letter in word:
        product, offset = pieces[letter].jacobian @ product, pieces[letter].image(offset)
    try:
        state = solve(Matrix.identity(size) - product, offset)
    except SingularError:
        return None
    worst, index = Fraction(0), REAL
    for time, letter in enumerate(word):
        piece = pieces[letter]
        gates = piece.gates @ state + piece.gate_offsets
        for unit, hinge in enumerate(live):
            value = gates.middle(hinge) if letter[unit] == "1" else -gates.middle(hinge)
            if value < worst:
                worst, index = value, time * len(live) + unit
        state = piece.image(state)
    return index


def _bases(network: Network, live: tuple[int, ...], period: int) -> list[str]:
    """Return base patterns, the best conditioned ones first."""
    random = np.random.Generator(np.random.Philox(period))
    width = len(live)
    tried = ["0" * width, "1" * width, *("".join(random.choice(["0", "1"], width)) for _ in range(BASES))]
    conditions: dict[str, float] = {}
    for base in tried:
        J = floats_of(lifted(network, full_pattern(live, base, network.hinges)).jacobian)
        with np.errstate(all="ignore"):
            difference = np.eye(len(J)) - np.linalg.matrix_power(J, period)
        conditions[base] = float(np.linalg.cond(difference)) if np.isfinite(difference).all() else float("inf")
        if conditions[base] < CONDITION:
            return [base]
    return sorted(conditions, key=lambda base: conditions[base])


def _system(
    network: Network, live: tuple[int, ...], base: str, period: int, *, exact: bool | None
) -> tuple[dict[str, object], CyclicSystem]:
    """Return a witness of ``cyclic_system`` and what the kernel makes of it. **Raises:** SingularError."""
    form = lifted(network, full_pattern(live, base, network.hinges))
    power = form.jacobian
    for _ in range(period - 1):
        power = form.jacobian @ power
    difference = Matrix.identity(network.dimension) - power
    if exact is None:
        entries = network.dimension * max(power.den, *(abs(value) for row in power.mid for value in row)).bit_length()
        gates = floats_of(form.gates)[list(live)]
        is_local = len(independent_rows(gates)) == network.dimension and (period > 1 or len(live) > network.dimension)
        exact = entries <= (LONG if is_local else SHORT)
    if exact:
        return _checked({"period": period, "base": base, "inverse": _spelled(_inverse(difference))}, network)
    bits = FINE
    while True:
        inverse = _spelled(approximate_inverse(difference, bits))
        witness, system = _checked({"period": period, "base": base, "inverse": inverse, "bits": bits}, network)
        missing = (system.radius << FINE - SPARE).bit_length() - system.scale.bit_length()
        if missing <= 0:
            return witness, system
        bits += missing + SPARE


def _checked(witness: dict[str, object], network: Network) -> tuple[dict[str, object], CyclicSystem]:
    step = Application(1, "cyclic_system", network, Fields(witness, "step 1, field witness"), (), ())
    return witness, cyclic_system.check(step)


def _spelled(matrix: Matrix) -> list[list[str]]:
    rows, columns = matrix.shape
    return [[write_number(matrix.middle(i, j)) for j in range(columns)] for i in range(rows)]


def _inverse(matrix: Matrix) -> Matrix:
    size = len(matrix.mid)
    columns = [solve(matrix, Matrix.column([Fraction(int(i == j)) for i in range(size)])) for j in range(size)]
    return Matrix.stacked([column.transposed() for column in columns]).transposed()


def _frame(network: Network, live: tuple[int, ...], system: CyclicSystem) -> list[list[int]] | None:
    """Return combinations of the equations of an exact system that relate few variables; None where the gates do not give the state.

    Where the gates of some live hinges form a basis, their a_t give the state z_t, and so every other a_t and these a_(t+1). The y_i in
    such a relation tell which combination of y - M x - q = 0 it is.
    """
    form = lifted(network, full_pattern(live, system.base, network.hinges))
    gates = Matrix(tuple(form.gates.mid[hinge] for hinge in live), None, form.gates.den)
    pivots = independent_rows(floats_of(gates))
    if system.radius or len(pivots) < network.dimension:
        return None
    inverse = _inverse(Matrix(tuple(gates.mid[i] for i in pivots), None, gates.den))
    now, later = gates @ inverse, gates @ form.jacobian @ inverse
    width = len(live)
    rows: list[list[int]] = []
    for time in range(system.period):
        for unit in range(width):
            source, moment = (later, time - 1) if unit in pivots else (now, time)
            row = [0] * len(system.rows)
            row[time * width + unit] += source.den if system.base[unit] == "0" else -source.den
            for pivot, value in zip(pivots, source.mid[unit], strict=True):
                row[moment % system.period * width + pivot] -= value if system.base[pivot] == "0" else -value
            rows.append([value // gcd(*row) for value in row])
    return rows


@lru_cache(maxsize=16)
def _prepared(network: Network, system: CyclicSystem, order: int | None) -> tuple[Refuter, Relaxation]:
    refuter = Refuter(system, order, _frame(network, live_hinges(network), system))
    return refuter, refuter.relaxation()


def _best_order(system: CyclicSystem) -> int:
    """Return the hinge whose order relation promises the smallest tree."""
    width = len(system.base)
    hinges = sorted({j * width // PILOTS for j in range(PILOTS)}) if width > PILOTS else list(range(width))
    nodes = min(PILOT_NODES, 1 + PILOT_WORK // len(system.rows) ** 2)
    return hinges[smallest_tree([Refuter(system, j).relaxation() for j in hinges], nodes)]
