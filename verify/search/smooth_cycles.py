"""All cycles of a smooth network in a box: bisection trees whose leaves hold one known solution of F^k(z) = z, or none.

Cycles are looked for by Newton's method first, then cells are cut until each is settled. Nothing here is proved: card A4b decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from time import monotonic

import numpy as np

from proofs.errors import Malformed
from proofs.network import Network
from verify.numerics.batch import Bools, FloatNetwork, Floats
from verify.numerics.box_images import BoxNetwork
from verify.numerics.catalogue import Catalogue
from verify.numerics.cell_cuts import Cell
from verify.numerics.newton import follow, tangent_cycles
from verify.numerics.smooth_balls import Ball, cycle_text, fitting_ball
from verify.numerics.smooth_returns import Looks, Returns
from verify.rounding import float_above, float_below

STARTS, ROUNDS = 96, 4
GUARD = 2.0**-30  # room around a solution that no cut enters, of its box's size
FARTHER = 1.1  # than what Newton's operator leaves open at a solution: cuts keep so far off where they can
HELD = 1.0001  # of the radius of a ball has to be in a cell; cuts keep farther off
SURE = 0.98  # defects below it are taken for contractions
LEAST_WIDTH = 2.0**-24  # of the root's sides: narrower cells are given up
ROWS, CELLS = 4_000_000, 4096  # boxes looked at together, and cells cut together: so many over powers of the states
AGAIN = 3
MOST_LEAVES = 2**14
Sides = tuple[tuple[Fraction, Fraction], ...]
Entry = int | tuple[int, int]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Tree:
    """Cuts of one period's tree in preorder, None for a leaf, and what each leaf holds, as card A4b reads them.

    Leaves: 0 (no orbit returns), 1 (Newton's operator misses it), or cycle and point, both from 1.
    """

    period: int
    cuts: tuple[tuple[int, Fraction] | None, ...]
    leaves: tuple[Entry, ...]


@dataclass(frozen=True, eq=False)
class CyclesFound:
    """Cycles, all points of which lie in the box (each (n, M)), the trees that settle it by period, and why others are missing.

    **Guarantee:** heuristic.
    """

    cycles: tuple[Floats, ...]
    trees: dict[int, Tree]
    reasons: tuple[str, ...]
    seconds: float

    def reached(self, up_to: int) -> int:
        """Return the largest K up to this one with trees for all periods k, K/2 < k <= K; 0 if there is none."""
        return next((k for k in range(up_to, 0, -1) if all(period in self.trees for period in _periods(k))), 0)

    def chosen(self, up_to: int) -> list[Tree]:
        """Return the trees that settle all periods up to this one."""
        return [self.trees[period] for period in _periods(up_to)]


def find_all_cycles(
    network: Network,
    sides: Sides,
    up_to: int,
    *,
    budget: float = 20.0,
    most_leaves: Callable[[int], int] = lambda _: MOST_LEAVES,
    seed: int = 0,
    progress: Progress | None = None,
) -> CyclesFound:
    """Search for all cycles of least period at most ``up_to`` in a box, and for trees that show that there are no others.

    ``budget``: seconds, the shortest periods first; ``most_leaves``: of the tree of each period.
    **Guarantee:** heuristic; the same seed gives the same trees unless the time is over.
    **Raises:** Malformed for a period below 1, a budget that is no number, a box without inside or with other than M sides.
    """
    _require_fit(network, sides, up_to, budget)
    start = monotonic()
    search = _Search(network, sides, up_to, start + budget, seed)
    search.guess()
    reasons, trees = list[str](), dict[int, Tree]()
    for period in range(1, up_to + 1):
        grown = search.grown(period, most_leaves(period))
        if isinstance(grown, str):  # then a tree of some multiple, which every larger K needs, is hardly ever easier
            reasons.append(grown)
            break
        trees[period] = grown
        if progress is not None:
            progress("periods searched in full", period, up_to)
    return CyclesFound(tuple(search.cycles), trees, tuple(reasons), monotonic() - start)


def _periods(up_to: int) -> range:
    return range(up_to // 2 + 1, up_to + 1)


def _require_fit(network: Network, sides: Sides, up_to: int, budget: float) -> None:
    if up_to < 1:
        raise Malformed(where="cycles in a box", law="a period", expected="at least 1", got=str(up_to))
    if not budget >= 0:
        raise Malformed(where="cycles in a box", law="a budget in seconds", expected="a number, not negative", got=str(budget))
    if len(sides) != network.dimension or any(low >= high for low, high in sides):
        expected = f"{network.dimension} lower ends below {network.dimension} upper ends"
        raise Malformed(where="cycles in a box", law="a box", expected=expected, got=str([tuple(map(str, side)) for side in sides])[:200])


@dataclass
class _Node:
    """A cell: its box, what was seen of it, and its cut or what it holds as a leaf."""

    low: Floats
    high: Floats
    looks: Looks | None = None
    axis: int = -1
    cut: float = 0.0
    halves: tuple[_Node, ...] = ()
    entry: Entry | None = None


@dataclass
class _Search:
    """One box and what is known of its cycles."""

    network: Network
    sides: Sides
    up_to: int
    deadline: float
    seed: int
    cycles: list[Floats] = field(default_factory=list)
    balls: list[Ball] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._floats = FloatNetwork(self.network)
        self._maps = None if self.network.is_exact else BoxNetwork(self.network)
        self._catalogue = Catalogue(self._floats)
        self._low = np.array([float_below(low) for low, _ in self.sides])
        self._high = np.array([float_above(high) for _, high in self.sides])
        self._owners: list[tuple[int, int]] = []
        self._points = np.empty((0, self.network.dimension))
        self._radii = self._clear = np.empty(0)

    @property
    def exact(self) -> bool:
        """Say whether this is one network; if not, cycles have balls for all within a radius, which no cut may enter."""
        return self._maps is None

    def guess(self) -> None:
        """Run Newton's method from random orbits, for every period."""
        random = np.random.default_rng(self.seed)
        for period in range(1, self.up_to + 1):
            for _ in range(ROUNDS):
                if monotonic() > self.deadline:
                    return
                starts = random.uniform(self._low, self._high, (STARTS, len(self._low)))
                if not self._tried(starts, period):
                    break

    def grown(self, period: int, most_leaves: int) -> Tree | str:
        """Cut until every cell is settled; start again where a cycle was met that a cut came too near to."""
        reason = ""
        for _ in range(AGAIN):
            known = len(self.cycles)
            self._place(period)
            if unfit := self._unfit(period):
                return unfit
            root = _Growth(self, period, most_leaves).run()
            if isinstance(root, _Node):
                return self._written(period, root)
            reason = root
            if len(self.cycles) == known or monotonic() > self.deadline:
                break
        return reason

    def _unfit(self, period: int) -> str:
        """Return why the solutions that are known have no balls to be told apart by, "" if they have."""
        for cycle, ball in zip(self.cycles, self.balls, strict=not self.exact):
            if period % len(cycle):
                continue
            near = f"period {period}: the {cycle_text(cycle)}"
            if ball.reason:
                return f"{near}: {ball.reason}"
            if np.any(cycle - ball.radius <= self._low) or np.any(cycle + ball.radius >= self._high):
                return f"{near}: balls of radius {ball.radius:.3g}, which reach out of the box, are needed"
        return ""

    def inside(self, low: Floats, high: Floats) -> list[int]:
        """Return the known solutions in a box."""
        if not len(self._points):
            return []
        return np.flatnonzero(np.all((self._points >= low) & (self._points <= high), axis=1)).tolist()

    def holds(self, place: int, low: Floats, high: Floats) -> bool:
        """Say whether a box holds a solution with room around it."""
        room = np.maximum(GUARD * (1.0 + np.abs(self._points[place])), HELD * self._radii[place])
        return bool(np.all((self._points[place] - room > low) & (self._points[place] + room < high)))

    def owner(self, place: int) -> tuple[int, int]:
        """Return cycle and point, from 1."""
        return self._owners[place]

    def held(self, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the known solutions in a box, (n, M), the radii of their balls and how far cuts better keep off, (n,)."""
        places = self.inside(low, high)
        return self._points[places], self._radii[places], self._clear[places]

    def look_for(self, points: Floats, period: int) -> None:
        """Run Newton's method from the middles of cells; note what is new."""
        if self._tried(points, period):
            self._place(period)

    def _tried(self, points: Floats, period: int) -> bool:
        before = len(self.cycles)
        with np.errstate(all="ignore"):
            orbits = follow(self._floats, points, period)
            closed, _ = tangent_cycles(self._floats, orbits[np.isfinite(orbits).all(axis=(1, 2))])
        for cycle in self._catalogue.add_smooth(closed):
            points = cycle.points
            if np.all((points > self._low) & (points < self._high)) and cycle.period <= self.up_to:
                self.cycles.append(points)
                self.balls += [] if self._maps is None else [fitting_ball(self._maps, points)]
        return len(self.cycles) > before

    def _place(self, period: int) -> None:
        """List the solutions of F^period(z) = z that are known."""
        chosen = [(c, i) for c, cycle in enumerate(self.cycles) if period % len(cycle) == 0 for i in range(len(cycle))]
        self._owners = [(c + 1, i + 1) for c, i in chosen]
        self._points = np.array([self.cycles[c][i] for c, i in chosen]).reshape(-1, self.network.dimension)
        self._radii = np.array([0.0 if self.exact else self.balls[c].radius for c, _ in chosen])
        reach = self.returns(period).reach(self._points) if chosen and not self.exact else 0.0
        self._clear = np.maximum(self._radii, FARTHER * reach)

    def root(self) -> _Node:
        """Return the whole box."""
        return _Node(self._low, self._high)

    def returns(self, period: int) -> Returns:
        """Return F^period on boxes."""
        return Returns(self.network, self._low, self._high, period)

    def _written(self, period: int, root: _Node) -> Tree:
        cuts: list[tuple[int, Fraction] | None] = []
        leaves: list[Entry] = []
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node.halves:
                cuts.append((node.axis, Fraction(node.cut)))
                waiting += node.halves[::-1]
            else:
                cuts.append(None)
                leaves.append(0 if node.entry is None else node.entry)
        return Tree(period, tuple(cuts), tuple(leaves))


class _Growth:
    """The tree of one period while it grows."""

    def __init__(self, search: _Search, period: int, most_leaves: int) -> None:
        self._search, self._period, self._most = search, period, most_leaves
        self._returns = search.returns(period)
        self._root = search.root()
        self._least = LEAST_WIDTH * (self._root.high - self._root.low)
        self._leaves, size = 1, len(self._least)
        self._cells, self._rows = max(8, CELLS // size**2), max(16, min(2048, ROWS // size**3))

    def run(self) -> _Node | str:
        """Settle or cut cells, the widest first, until none is left; else say what is left."""
        self._root.looks = self._returns.looks(self._root.low[None], self._root.high[None])
        waiting = [self._root]
        while waiting := self._unsettled(waiting):
            if self._leaves + len(waiting) > self._most:
                return self._left(waiting, f"the {self._most} leaves that the budget allows are not enough")
            if monotonic() > self._search.deadline:
                return self._left(waiting, "the time for the search is over")
            if any(np.all(node.high - node.low <= self._least) for node in waiting):
                return self._left(waiting, "cells too small to cut: perhaps a cycle with a multiplier 1 (or a root of unity)")
            chosen, rest = waiting[: self._cells], waiting[self._cells :]
            if not self._search.exact and (lost := self._lost(chosen)):
                return self._left(lost, "no cut will help: some network within the radius may have a cycle there that is not listed")
            if stuck := self._split(chosen):
                return self._left(stuck, self._why_stuck(stuck[0]))
            self._leaves += len(chosen)
            waiting = rest + [half for node in chosen for half in node.halves]
        return self._root

    def _unsettled(self, nodes: Sequence[_Node]) -> list[_Node]:
        doubtful = [node for node in nodes if not self._settle(node)]
        near = [node for node in doubtful if self._promises(node)]
        if not near:
            return doubtful
        self._search.look_for(np.array([_middle_of(node) for node in near]), self._period)
        return [node for node in doubtful if not self._settle(node)]

    def _promises(self, node: _Node) -> bool:
        """Say whether a cell may well hold a solution that is not known."""
        looks = _seen(node)
        return bool(looks.defect[0] < SURE) and not self._search.inside(node.low, node.high)

    def _settle(self, node: _Node) -> bool:
        looks = _seen(node)
        if looks.empty[0]:
            node.entry = 0 if looks.gone[0] else 1
            return True
        if looks.defect[0] >= SURE:
            return False
        held = self._search.inside(node.low, node.high)
        if len(held) == 1 and self._search.holds(held[0], node.low, node.high):
            node.entry = self._search.owner(held[0])
            return True
        return False

    def _lost(self, nodes: Sequence[_Node]) -> list[_Node]:
        """Return the cells without a known solution whose very middle may be one, for some network within the radius."""
        free = [node for node in nodes if not self._search.inside(node.low, node.high)]
        if not free:
            return []
        middles = np.array([(node.low + node.high) / 2 for node in free])
        parts = np.array_split(middles, 1 + len(middles) // self._rows)
        empty = np.concatenate([self._returns.looks(part, part).empty for part in parts])
        if not empty.all():
            self._search.look_for(middles[~empty], self._period)  # what it finds has the tree grown anew
        return [node for node, settled in zip(free, empty, strict=True) if not settled]

    def _split(self, nodes: Sequence[_Node]) -> list[_Node]:
        """Cut each cell where the two halves leave least to be done, or return those that cannot be cut."""
        trials = [(node, axis, cut) for node in nodes for axis, cut in self._cuts(node)]
        able = {id(node) for node, _, _ in trials}
        if stuck := [node for node in nodes if id(node) not in able]:
            return stuck
        low = np.array([node.low for node, _, _ in trials for _ in range(2)])
        high = np.array([node.high for node, _, _ in trials for _ in range(2)])
        for row, (_, axis, cut) in enumerate(trials):
            high[2 * row, axis] = low[2 * row + 1, axis] = cut
        looks = Looks.joined(
            [self._returns.looks(low[i : i + self._rows], high[i : i + self._rows]) for i in range(0, len(low), self._rows)]
        )
        costs = self._costs(low, high, looks).reshape(-1, 2).sum(axis=1)
        best: dict[int, tuple[float, int]] = {}
        for row, (node, _, _) in enumerate(trials):
            best[id(node)] = min(best.get(id(node), (np.inf, row)), (float(costs[row]), row))
        for node in nodes:
            row = best[id(node)][1]
            _, node.axis, node.cut = trials[row]
            node.halves = tuple(_Node(low[i], high[i], looks.taken([i])) for i in (2 * row, 2 * row + 1))
        return []

    def _costs(self, low: Floats, high: Floats, looks: Looks) -> Floats:
        """Guess how much work cells are: the volume that may hold solutions, times how much the Jacobians spread there."""
        sizes = np.maximum(looks.high - looks.low, 0.02 * (high - low)) / (self._root.high - self._root.low)
        costs = np.cbrt(np.prod(sizes, axis=1)) * np.minimum(looks.spread, 1e6)
        done: Bools = looks.empty
        sure = np.flatnonzero(~done & (looks.defect < SURE))
        for row in sure:
            held = self._search.inside(low[row], high[row])
            done[row] = len(held) == 1 and self._search.holds(held[0], low[row], high[row])
        return np.where(done, 0.0, costs)

    def _cuts(self, node: _Node) -> list[tuple[int, float]]:
        looks, (held, radii, clear) = _seen(node), self._search.held(node.low, node.high)
        cell, sizes = Cell(node.low, node.high, looks.low[0], looks.high[0], held, clear), self._root.high - self._root.low
        return cell.cuts(sizes, self._least) or replace(cell, radii=radii, tight=True).cuts(sizes, self._least)

    def _why_stuck(self, node: _Node) -> str:
        radii = self._search.held(node.low, node.high)[1]
        size = f"{len(radii)} ball{'' if len(radii) == 1 else 's'} of radius {radii.max(initial=0.0):.3g}"
        return f"no cut is left that keeps off {size}, with |I - C (P - I)| = {_seen(node).defect[0]:.3g}, which has to be less than 1"

    def _left(self, nodes: Sequence[_Node], why: str) -> str:
        low, high = np.min([node.low for node in nodes], axis=0), np.max([node.high for node in nodes], axis=0)
        where = ", ".join(f"[{a:.6g}, {b:.6g}]" for a, b in zip(low.tolist(), high.tolist(), strict=True))
        count = f"{len(nodes)} cell{'' if len(nodes) == 1 else 's'}"
        return f"period {self._period}: {why}; {count} of {self._leaves} not settled, within {where}"


def _seen(node: _Node) -> Looks:
    if node.looks is None:
        raise ValueError(node)
    return node.looks


def _middle_of(node: _Node) -> Floats:
    looks = _seen(node)
    return np.asarray((looks.low[0] + looks.high[0]) / 2)
