"""D1b ``cycle_mean``. Bounds for the largest Lyapunov exponent of every orbit in a box, smooth networks included.

Statement   for every orbit of F in the cited box and every choice of sides where it touches a border:
            liminf (1/t) log |J_(t-1)..J_0| >= log c, and limsup (1/t) log |J_(t-1)..J_0| <= log C.
Cites       a trapping box or, with one state, a trapping polytope C2; nothing where the witness states a box: low, high.
Witness     cuts: a bisection tree of the box in preorder, [axis from 0, cut] for a node, lower side first, null for a leaf; lower and
            upper, at least one: rate and forms, the rows of a symmetric matrix for each leaf in order; bits.
Checks      1  every cut lies strictly inside its box; at most 2^14 leaves; at most 256 states
            2  from each leaf there is an edge to each leaf that the enclosure of F over it meets; at most 2^16 edges; where no trapping
               set is cited each of these enclosures lies in the box
               A Jacobian of leaf i is the enclosure over it or, piecewise linear with at most 3 hinges open there, each of its pieces'
            3  lower: every S_i has a positive pivot, J'S_j J - c^2 S_i positive definite on every edge, J each Jacobian of leaf i
            4  upper: every Q_i positive definite, C^2 Q_i - J'Q_j J positive definite on every edge
Fails when  the leaves are too large; some orbit has a rate beyond c or C.
Rests on    as D1. With one state the forms are potentials: log c is a lower bound of the least mean of log |F'| over the cycles of the
            graph, log C an upper bound of the greatest (Karp 1978), and such potentials exist for every smaller c, every greater C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.space import ExponentBounds, TrappingBox, TrappingPolytope
from proofs.theorems.box_forms import bounds
from proofs.theorems.boxes import MAX_STATES, edges_of, read_sides, read_tree

if TYPE_CHECKING:
    from proofs.space import Trapping
    from proofs.theorems.boxes import Sides
    from proofs.theorems.card import Application


def check(step: Application) -> ExponentBounds:
    """Verify one application; see the card above."""
    bits = step.needed_bits()
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    stated = step.witness.has("low")
    sides = read_sides(step) if stated else ()
    region: Trapping = TrappingBox(*zip(*sides, strict=True)) if stated else step.cite(TrappingBox, TrappingPolytope)
    root = sides or _root(step, region)
    tree, leaves = read_tree(step, root)
    edges = list(edges_of(step, step.network, tree, leaves, bits, sides))
    lower, upper = bounds(step, edges, len(leaves), bits)
    return ExponentBounds(lower, upper, region)


def _root(step: Application, region: Trapping) -> Sides:
    """Return the sides of a cited box, or the interval that a cited polytope on the line is."""
    if isinstance(region, TrappingBox):
        return tuple(zip(region.low, region.high, strict=True))
    step.require_scalar(1)
    facets = region.facets if isinstance(region, TrappingPolytope) else ()
    low = max(-constant / slope for slope, constant in facets if slope > 0)
    return ((low, min(-constant / slope for slope, constant in facets if slope < 0)),)
