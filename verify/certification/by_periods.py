"""Completeness by periods: for each k from K // 2 + 1 to K one tree over the signs along a round of k steps, or card A5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proofs.errors import Rejected
from proofs.reader import Fields
from proofs.theorems import cyclic_system
from proofs.theorems.card import Application
from proofs.theorems.cyclic_tree import least_rotation
from proofs.theorems.lifted import live_hinges
from verify.certification.chunks import Chunk, Leaf, misread, read_task, spelled_task
from verify.certification.farm import DONE
from verify.certification.stream import Numbering, TreeTheorem, tree_steps
from verify.certification.survey import Survey, some
from verify.certification.unique import only_letter, unique_witness
from verify.certification.word_orbits import WordOrbits
from verify.itineraries import root_length, rotated
from verify.numerics.balls import SingularError
from verify.search import cyclic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from proofs.network import Network
    from proofs.theorems.parts import CyclicSystem
    from verify.certification.chunks import Task, Word
    from verify.certification.farm import Grower
    from verify.certification.ledger import Ledger
    from verify.certification.stream import Step

_WORK = 400_000
_LEAST_NODES, _MOST_NODES = 500, 10_000


@dataclass
class CyclicProof:
    """A proof by periods in the making; the ledger holds its plans and trees."""

    network: Network
    up_to: int
    ledger: Ledger
    exact: set[int] = field(default_factory=set)
    further: set[int] = field(default_factory=set)

    @property
    def periods(self) -> range:
        """Return the periods that have a tree; every smaller one divides one of them."""
        return range(self.up_to // 2 + 1, self.up_to + 1)

    def grow(self, farm: Callable[[Grower, list[Task]], str]) -> str:
        """Grow what the ledger lacks; return why it ended.

        Where a rounded system leaves something unresolved, that period is begun again with an exact one. Where singular words stay, the
        periods that divide theirs are searched too: cycles may lie inside the polyhedra, and the list is to name them.
        """
        while True:
            reason = self._grow_trees(farm)
            again = {plan.period for plan in self._plans() if plan.needs_tree and "bits" in plan.system and self._is_unresolved(plan)}
            within = set() if again else self._divisors() - self.further
            if reason != DONE or not (again or within):
                return reason
            self.exact |= again
            self.further |= within

    def _grow_trees(self, farm: Callable[[Grower, list[Task]], str]) -> str:
        reason = farm(Planner(self.network), list(map(self._plan_task, self._searched)))
        if reason != DONE:
            return reason
        plans = self._plans()
        grower = CyclicGrower(self.network, {plan.root: plan for plan in plans}, self.ledger.question.limit)
        return farm(grower, [plan.root for plan in plans if plan.needs_tree])

    @property
    def _searched(self) -> list[int]:
        return [*self.periods, *sorted(self.further)]

    def _divisors(self) -> set[int]:
        """Return the smaller periods whose cycles may lie in a residual polyhedron."""
        done = ((plan.period, self.ledger.done[task]) for plan in self._plans() for task in self.ledger.in_order(plan.root))
        lengths = {period for period, entry in done if entry.residual}
        return {d for length in lengths for d in range(1, self.up_to // 2 + 1) if length % d == 0}

    def survey(self) -> Survey:
        """Go through the ledger: the words of cycles, the residual words, what is open."""
        found: set[Word] = set()
        residual: set[Word] = set()
        for plan in self._plans():
            for task in (self._plan_task(plan.period), *self.ledger.in_order(plan.root)):
                chunk = self.ledger.chunk(task)
                found.update(root_word(leaf.word) for leaf in chunk.leaves)
                residual.update(chunk.residual if plan.period in self.periods else ())
        leaves = list(map(Leaf, sorted(found, key=_by_length)))
        explored = sum(entry.explored for entry in self.ledger.done.values())
        return Survey(leaves, tuple(sorted(residual, key=_by_length)), self._unresolved(), explored)

    def steps(self, numbering: Numbering, numbers: Mapping[Word, int]) -> Iterator[Step]:
        """Yield the systems, the trees and what concludes from them; ``numbers`` are the steps of the cycles by their least words."""
        concluding: list[int] = []
        cited: set[int] = set()

        def leaves(chunk: Chunk) -> Iterator[int]:
            found = [numbers[root_word(leaf.word)] for leaf in chunk.leaves]
            cited.update(found)
            return iter(found)

        for plan in self._plans()[: len(self.periods)]:
            system = numbering.next()
            yield "cyclic_system", (), plan.system
            if plan.unique is not None:
                concluding += [numbering.next(), *leaves(self.ledger.chunk(self._plan_task(plan.period)))]
                yield "unique_for_every_bias", (system,), plan.unique
                continue
            yield from tree_steps(self.ledger, plan.root, TreeTheorem("cyclic_tree", (system,), plan.tree_witness, leaves), numbering)
            concluding.append(numbering.last)
        numbering.next()
        yield "every_cycle", (*concluding, *sorted(set(numbers.values()) - cited)), {"up_to": self.up_to}

    def _plan_task(self, period: int) -> Task:
        return plan_task(period, exact=period in self.exact)

    def _plans(self) -> list[Plan]:
        tasks = map(self._plan_task, self._searched)
        return [plan_of(self.ledger.chunk(task)) for task in tasks if task in self.ledger.done]

    def _is_unresolved(self, plan: Plan) -> bool:
        return any(self.ledger.done[task].unresolved for task in self.ledger.in_order(plan.root))

    def _unresolved(self) -> list[str]:
        plans = [plan for plan in self._plans() if plan.period in self.periods]
        planned = {plan.period for plan in plans}
        unplanned = [str(period) for period in self.periods if period not in planned]
        trees = [plan.root for plan in plans if plan.needs_tree]
        counts = Counter(read_task(task, 2)[0] for task in self.ledger.pending(trees))
        open_trees = [f"{period} ({count} of its subtrees)" for period, count in sorted(counts.items())]
        texts = [text for root in trees for task in self.ledger.in_order(root) for text in self.ledger.done[task].unresolved]
        failures = [plan.failure for plan in plans if plan.failure]
        return [
            *some("periods have no tree yet", unplanned),
            *some("periods are not explored to the end", open_trees),
            *some("leaves are not settled", texts),
            *failures,
        ]


def _by_length(word: Word) -> tuple[int, Word]:
    return len(word), word


def root_word(word: Word) -> Word:
    """Return the least rotation of the shortest word of which this one is a power."""
    return rotated(word[: root_length(word)])


def chunk_limit(network: Network, up_to: int) -> int:
    """Return how many nodes a chunk has: some seconds of work, and lines of a few megabytes, whatever the machine."""
    return max(_LEAST_NODES, min(_MOST_NODES, _WORK // (1 + up_to * len(live_hinges(network)))))


@dataclass(frozen=True)
class Plan:
    """How the cycles whose period divides ``period`` are to be found.

    ``system`` and ``unique`` are witnesses of the cards ``cyclic_system`` and ``unique_for_every_bias``, the latter None where a tree is
    needed; ``failure`` says why there is no plan at all.
    """

    period: int
    exact: bool
    system: dict[str, object]
    order: int | None
    unique: dict[str, object] | None
    failure: str = ""

    @property
    def root(self) -> Task:
        """Return the task of the whole tree."""
        return spelled_task([self.period, self.exact])

    @property
    def needs_tree(self) -> bool:
        """Say whether a tree is to be grown."""
        return not self.failure and self.unique is None

    def tree_witness(self, chunk: Chunk) -> dict[str, object]:
        """Return the witness of a chunk's ``cyclic_tree`` step."""
        order = {} if self.order is None else {"order": self.order}
        return {**order, "path": read_task(chunk.task, 2)[2:], "nodes": chunk.nodes}

    def as_nodes(self) -> list[object]:
        """Return the plan as a chunk holds it."""
        return [{"system": self.system, "order": self.order, "unique": self.unique, "failure": self.failure}]


def plan_task(period: int, *, exact: bool) -> Task:
    """Return the task of planning one period; ``exact`` asks for a system without rounding, however long its numbers."""
    return spelled_task(["plan", period, exact])


def plan_of(chunk: Chunk) -> Plan:
    """Return the plan that a chunk holds. **Raises:** Malformed."""
    _, period, exact = read_task(chunk.task, 3)
    fields = Fields(chunk.nodes[0] if chunk.nodes else None, f"plan {chunk.task}")
    order = fields.integer("order", 0, 2**20) if fields.has("order") else None
    unique = fields.raw("unique")
    system = fields.raw("system")
    if not isinstance(period, int) or not isinstance(system, dict) or not isinstance(unique, dict | None):
        raise misread(chunk.task)
    return Plan(period, exact is True, system, order, unique, fields.text("failure"))


@dataclass(frozen=True)
class Planner:
    """Chooses base, arithmetic and order relation for each period, and tries card A5."""

    network: Network

    def grow(self, task: Task, deadline: float | None) -> Chunk:
        """Plan one period; the leaf is the one fixed point where card A5 applies."""
        del deadline
        _, period, exact = read_task(task, 3)
        if not isinstance(period, int):
            raise misread(task)
        plan, leaves = self._planned(period, exact=exact is True)
        return Chunk(task, plan.as_nodes(), (), leaves, (), 0)

    def _planned(self, period: int, *, exact: bool) -> tuple[Plan, tuple[Leaf, ...]]:
        try:
            chosen = cyclic.plan(self.network, period, exact=True if exact else None)
        except SingularError:
            why = "I - J^k is singular for every base pattern that was tried"
            return Plan(period, exact, {}, None, None, f"period {period}: {why}"), ()
        except Rejected as failure:
            return Plan(period, exact, {}, None, None, f"period {period}: {failure.expected}; got {failure.got}"), ()
        unique = unique_witness(self.network, chosen.system)
        letter = None if unique is None else only_letter(chosen.system)
        if letter is not None and self._is_fixed((letter,)):
            return Plan(period, exact, chosen.witness, chosen.task.order, unique), (Leaf((letter,)),)
        return Plan(period, exact, chosen.witness, chosen.task.order, None), ()

    def _is_fixed(self, word: Word) -> bool:
        try:
            return WordOrbits(self.network).orbit(word).is_real
        except SingularError:
            return False


@dataclass(frozen=True)
class CyclicGrower:
    """Grows the trees of card ``cyclic_tree``; ``limit`` nodes a chunk."""

    network: Network
    plans: Mapping[Task, Plan]
    limit: int
    _systems: dict[Task, CyclicSystem] = field(default_factory=dict, compare=False)

    def grow(self, task: Task, deadline: float | None) -> Chunk:
        """Grow one chunk below a path of decisions."""
        period, exact, *path = read_task(task, 2)
        plan = self.plans.get(spelled_task([period, exact]))
        if plan is None:
            raise misread(task)
        start = cyclic.CyclicTask(plan.period, str(plan.system["base"]), plan.order, tuple(path))
        grown = cyclic.grow(self.network, self._system(plan), start, self.limit, deadline)
        parts = tuple(spelled_task([period, exact, *part.path]) for part in grown.subtasks)
        nodes, leaves = list[object](grown.tokens), tuple(Leaf(word) for word in grown.words)
        unresolved = tuple(f"period {period}, {reason}: decisions {list(where)}" for where, reason in grown.unresolved)
        residual = tuple(map(least_rotation, leaf_words(start.base, list(path), nodes, "residual")))
        return Chunk(task, nodes, parts, leaves, residual, grown.nodes, unresolved)

    def _system(self, plan: Plan) -> CyclicSystem:
        if plan.root not in self._systems:
            step = Application(1, "cyclic_system", self.network, Fields(dict(plan.system), "witness"), (), ())
            self._systems[plan.root] = cyclic_system.check(step)
        return self._systems[plan.root]


def leaf_words(base: str, path: list[int], nodes: Sequence[object], wanted: str) -> Iterator[Word]:
    """Yield the words of the leaves of a cyclic chunk that bear this token, all of whose signs are decided."""
    decided = {abs(decision) - 1: decision > 0 for decision in path}
    pending: list[int] = []
    for node in nodes:
        if isinstance(node, int):
            decided[node] = True
            pending.append(node)
            continue
        if node == wanted:
            letters = "".join("1" if decided[i] else "0" for i in sorted(decided))
            yield tuple(letters[i : i + len(base)] for i in range(0, len(letters), len(base)))
        while pending and not decided[pending[-1]]:
            del decided[pending.pop()]
        if pending:
            decided[pending[-1]] = False
