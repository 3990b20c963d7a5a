"""A4 ``every_cycle``. All cycles up to a period, from one tree a period.

Statement   F has exactly these numbers of cycles of least period 1..K, and no others; where residual polyhedra are named, at least these
            numbers, and any others consist of points of those polyhedra.
Witness     up_to: K. Cites, for each k = K // 2 + 1 .. K in order, a cyclic tree with the empty path, or a one-point fact (A5) followed
            by a cycle whose period divides k; then any further cycles (listed by no tree, for a power of theirs is residual).
Checks      1  exact weights, piecewise linear; the trees are whole: empty path and k. Every period up to K divides one of those k
            2  after A5: the cited cycle's period divides k; a further cycle's is at most K
            Cycles are one if their live itineraries agree up to rotation or, on a live border, their exact points.
Fails when  a tree is missing or only a part.
Rests on    nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from proofs.claims import Cycle, CycleCounts, ExactCycle, OnePoint
from proofs.theorems.card import Application
from proofs.theorems.cyclic_tree import orbit_key
from proofs.theorems.lifted import live_hinges
from proofs.theorems.parts import CyclicPart

if TYPE_CHECKING:
    from proofs.theorems.parts import Key, Word

MAX_UP_TO = 4096


def check(step: Application) -> CycleCounts:
    """Verify one application; see the card above."""
    up_to = step.witness.integer("up_to", 1, MAX_UP_TO)
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    live = live_hinges(step.network)
    cycles: set[Key] = set()
    residual: set[Word] = set()
    for period in range(up_to // 2 + 1, up_to + 1):
        fact = step.cite(CyclicPart, OnePoint)
        whole = fact.period == period and not (isinstance(fact, CyclicPart) and fact.path)
        step.require(1, whole, f"the whole tree of period {period}", fact.statement)
        if isinstance(fact, OnePoint):
            cycle = step.cite(Cycle, ExactCycle)
            step.require(2, period % cycle.period == 0, f"a cycle whose period divides {period}", cycle.period)
            cycles.add(orbit_key(step.network, live, cycle))
        else:
            cycles |= fact.cycles
            residual |= fact.residual
    while step.citations_left:
        cycle = step.cite(Cycle, ExactCycle)
        step.require(2, cycle.period <= up_to, f"further cycles of period at most {up_to}", cycle.period)
        cycles.add(orbit_key(step.network, live, cycle))
    counts = Counter(length for length, _ in cycles)
    named = sorted(residual, key=lambda word: (len(word), word))
    return CycleCounts(up_to, tuple(counts[k] for k in range(1, up_to + 1)), tuple(named))
