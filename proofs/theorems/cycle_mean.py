"""D1b ``cycle_mean``. Bounds for the largest Lyapunov exponent of every orbit in a box, smooth networks included.

Statement   for every orbit of F in the cited box and every choice of sides where it touches a border:
            liminf (1/t) log |J_(t-1)..J_0| >= log c, and limsup (1/t) log |J_(t-1)..J_0| <= log C.
Cites       a trapping box C2.
Witness     cuts: a bisection tree of the box in preorder, [axis from 0, cut] for a node, lower side first, null for a leaf; lower and
            upper, at least one: rate and forms, the rows of a symmetric matrix for each leaf in order; bits.
Checks      1  every cut lies strictly inside its box; at most 2^14 leaves; at most 256 states
            2  from each leaf there is an edge to each leaf that the enclosure of F over it meets; at most 2^16 edges
            3  lower: every S_i has a positive pivot, J'S_j J - c^2 S_i positive definite on every edge, J the enclosure over leaf i
            4  upper: every Q_i positive definite, C^2 Q_i - J'Q_j J positive definite on every edge
Fails when  the leaves are too large; some orbit has a rate beyond c or C.
Rests on    as D1. With one state the forms are potentials: log c is a lower bound of the least mean of log |F'| over the cycles of the
            graph, log C an upper bound of the greatest (Karp 1978), and such potentials exist for every smaller c, every greater C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.space import ExponentBounds, TrappingBox
from proofs.theorems.boxes import MAX_STATES, bounds, edges_of, read_tree

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> ExponentBounds:
    """Verify one application; see the card above."""
    box = step.cite(TrappingBox)
    bits = step.needed_bits()
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    tree, leaves = read_tree(step, tuple(zip(box.low, box.high, strict=True)))
    edges = list(edges_of(step, step.network, tree, leaves, bits))
    lower, upper = bounds(step, edges, len(leaves), bits)
    return ExponentBounds(lower, upper, box)
