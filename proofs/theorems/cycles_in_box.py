"""A4b ``cycles_in_box``. All cycles of a smooth network in a box, or everywhere.

Statement   every cycle of F of least period at most K all of whose points lie in the box is one of the listed ones, which are pairwise
            different and lie in it; everywhere: F maps R^M into the box, so these are all cycles of F on R^M.
Cites       the listed cycles A2 (smooth form).
Witness     low, high: the box; up_to: K; trees: for each k with K/2 < k <= K, in order, cuts (a bisection tree as in cycle_mean) and
            leaves, for each leaf in order one of: 0 (left), 1 (no solution), [c, i] (holds point i of cycle c, both from 1); bits; optional
            everywhere: 1.
            At most 64 states, K at most 64.
Checks      1  the box is nonempty; the cuts fit; each listed cycle has a period <= K, its balls lie in the box, the ball around its first
               point meets none of the balls of another one of the same period
            2  everywhere: with a state that may be anything the enclosure of F lies in the box
            3  0: with X_1 the leaf, X_(t+1) the enclosure of F over X_t cut with the box, some X_t is empty or X_(k+1) misses the leaf
            4  1: m - C (F^k(m) - m) + (I - C (P - I)) (X - m) misses the leaf X, m its middle, P the enclosure of all secant matrices of
               F^k over X (its images not cut) and C the inverse of the middle of P - I, rounded to bits
            5  [c, i]: the period of cycle c divides k, the ball around its point i lies in the leaf X and |I - C (P - I)| < 1: F^k(z) = z
               has one solution in X, this one
Fails when  a cycle is missing, has a multiplier 1 (for k a multiple of its period: a root of unity), or lies on a cut.
Rests on    a cycle of period n <= K is fixed by F^k for a multiple k of n with K/2 < k <= K; Krawczyk 1969.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from proofs.claims import BallCycle
from proofs.errors import Malformed
from proofs.exponents import CyclesInBox
from proofs.reader import read_list
from proofs.theorems.boxes import read_sides, read_tree
from proofs.theorems.iterate import Iterate, most_bits
from proofs.theorems.orbits import distance

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.reader import Fields
    from proofs.theorems.boxes import Sides
    from proofs.theorems.card import Application

MAX_UP_TO = 64
MAX_STATES = 64


def check(step: Application) -> CyclesInBox:
    """Verify one application; see the card above."""
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    sides, bits = read_sides(step), step.needed_bits()
    up_to = step.witness.integer("up_to", 1, MAX_UP_TO)
    cycles = tuple(step.cite(BallCycle) for _ in range(step.citations_left))
    _require_listed(step, cycles, sides, up_to)
    everywhere = step.witness.has("everywhere") and step.witness.integer("everywhere", 0, 1) == 1
    if everywhere:
        _require_everywhere(step, sides, bits)
    trees = step.witness.objects("trees")
    periods = range(up_to // 2 + 1, up_to + 1)
    step.require(1, len(trees) == len(periods), f"{len(periods)} trees", len(trees))
    for period, tree in zip(periods, trees, strict=True):
        _Search(step, cycles, sides, period, bits).run(tree, len(trees))
    return CyclesInBox(up_to, tuple(low for low, _ in sides), tuple(high for _, high in sides), everywhere, cycles)


def _require_listed(step: Application, cycles: tuple[BallCycle, ...], sides: Sides, up_to: int) -> None:
    longest = max((cycle.period for cycle in cycles), default=1)
    step.require(1, longest <= up_to, f"listed cycles of period at most {up_to}", longest)
    for number, cycle in enumerate(cycles, 1):
        inside = all(_holds(sides, point, cycle.radius) for point in cycle.points)
        step.require(1, inside, f"the balls of listed cycle {number} inside the box", "one that is not")
    for (i, one), (j, two) in combinations(enumerate(cycles, 1), 2):
        apart = one.period != two.period or all(distance(one.points[0], point) > one.radius + two.radius for point in two.points)
        step.require(1, apart, f"listed cycles {i} and {j} apart", "balls that meet: they may be the same cycle")


def _require_everywhere(step: Application, sides: Sides, bits: int) -> None:
    image = step.network.range_everywhere(bits)
    inside = image is not None and all(low <= span.lo and span.hi <= high for (low, high), span in zip(sides, image.entries(), strict=True))
    step.require(2, inside, "F of every state inside the box", "not proved", "a larger box, if F is bounded at all")


def _holds(sides: Sides, point: tuple[Fraction, ...], radius: Fraction) -> bool:
    return all(low <= value - radius and value + radius <= high for (low, high), value in zip(sides, point, strict=True))


class _Search:
    """The tree of one period."""

    def __init__(self, step: Application, cycles: tuple[BallCycle, ...], sides: Sides, period: int, bits: int) -> None:
        self._step, self._cycles, self._sides, self._period, self._bits = step, cycles, sides, period, bits
        self._map = Iterate(step, period, bits)

    def run(self, tree: Fields, trees: int) -> None:
        """Settle every leaf; so many ``trees`` share the work that is allowed."""
        step, size = self._step, self._step.network.dimension
        leaves = read_tree(step, self._sides, tree)[1]
        told = tree.items("leaves")
        tree.close()
        step.require(1, len(told) == len(leaves), f"{len(leaves)} leaves", len(told))
        count = trees * len(leaves)
        step.require_work(3, 4 * count * self._period * (step.network.products + size**3), self._bits)
        step.require_work(4, 2 * count * size**3, most_bits(self._bits) * (1 + size // 8))
        for number, (entry, leaf) in enumerate(zip(told, leaves, strict=True), 1):
            self._settle(number, entry, leaf)

    def _settle(self, number: int, entry: object, leaf: Sides) -> None:
        where = f"leaf {number} of period {self._period}"
        if type(entry) is int and entry == 0:
            self._step.require(
                3, self._map.leaves(leaf, self._sides), f"no orbit from {where} back to it", "one may return", "smaller leaves"
            )
        elif type(entry) is int and entry == 1:
            self._step.require(4, self._map.has_none(leaf), f"no solution in {where}", "there may be one", "smaller leaves")
        else:
            self._require_one(where, read_list(entry, f"{self._step.witness.where}, {where}"), leaf)

    def _require_one(self, where: str, pair: list[object], leaf: Sides) -> None:
        step = self._step
        numbers = [number for number in pair if type(number) is int]
        if len(numbers) != len(pair) or len(pair) != 2:  # noqa: PLR2004 - a cycle and a point
            raise Malformed(where=where, law="leaves", expected="0, 1 or a cycle and a point from 1", got=str(pair)[:200])
        chosen, point = numbers
        step.require(5, 0 < chosen <= len(self._cycles), f"a cycle from 1 to {len(self._cycles)} in {where}", chosen)
        cycle = self._cycles[chosen - 1]
        step.require(5, 0 < point <= cycle.period, f"a point from 1 to {cycle.period} in {where}", point)
        step.require(5, self._period % cycle.period == 0, f"a period that divides {self._period} in {where}", cycle.period)
        step.require(
            5, _holds(leaf, cycle.points[point - 1], cycle.radius), f"the ball of the listed point inside {where}", "one that is not"
        )
        step.require(
            5, self._map.has_one_at_most(leaf), f"|I - C (P - I)| < 1 in {where}", "not proved", "smaller leaves around the listed points"
        )
