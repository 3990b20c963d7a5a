"""Quadratic forms on a graph whose nodes are small boxes: what cycle_mean and driven_graph share.

A bisection tree cuts one box into closed leaves that cover it. A leaf leads to every leaf that the enclosure of its image meets, so the
leaves an orbit visits form a walk. If J'S_j J - c^2 S_i > 0 on each edge, v'S v grows at least like c^2t along every orbit; likewise above.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.grammar import read_number
from proofs.inertia import is_positive_definite, pivot_signs
from proofs.reader import read_list, read_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proofs.network import Network
    from proofs.theorems.card import Application

    Sides = tuple[tuple[Fraction, Fraction], ...]
    Edge = tuple[int, int, Matrix]  # from, to, the Jacobian

MAX_LEAVES = 2**14
MAX_EDGES = 2**16
MAX_STATES = 256


@dataclass(frozen=True)
class Tree:
    """A box cut at ``cut`` across ``axis`` into ``lower`` and ``upper``, or leaf number ``leaf``."""

    leaf: int
    axis: int = 0
    cut: Fraction = Fraction(0)
    lower: Tree | None = None
    upper: Tree | None = None

    def meeting(self, sides: Sequence[Interval]) -> Iterator[int]:
        """Yield the leaves that meet a box, of those that cover its part inside the root."""
        waiting = [self]
        while waiting:
            tree = waiting.pop()
            if tree.lower is None or tree.upper is None:
                yield tree.leaf
                continue
            if sides[tree.axis].hi >= tree.cut:
                waiting.append(tree.upper)
            if sides[tree.axis].lo <= tree.cut:
                waiting.append(tree.lower)


def read_tree(step: Application, root: Sides) -> tuple[Tree, list[Sides]]:
    """Read the witness's cuts in preorder, lower side first, null for a leaf; return the tree and its leaves in order (check 1)."""
    cuts = step.witness.items("cuts")
    where = f"{step.witness.where}, field cuts"
    step.require(1, len(cuts) < 2 * MAX_LEAVES, f"at most {MAX_LEAVES} leaves", len(cuts))
    open_boxes: list[Sides] = [root]
    leaves: list[Sides] = []
    nodes: list[tuple[int, Fraction] | int] = []
    for entry in cuts:
        step.require(1, bool(open_boxes), "as many cuts as the tree has nodes", "more")
        sides = open_boxes.pop()
        if entry is None:
            nodes.append(len(leaves))
            leaves.append(sides)
            continue
        axis, cut = _cut(entry, len(root), where)
        low, high = sides[axis]
        step.require(1, low < cut < high, f"a cut inside {low} to {high}", cut)
        nodes.append((axis, cut))
        open_boxes += [(*sides[:axis], (cut, high), *sides[axis + 1 :]), (*sides[:axis], (low, cut), *sides[axis + 1 :])]
    step.require(1, not open_boxes, "as many cuts as the tree has nodes", "fewer")
    built: list[Tree] = []
    for node in reversed(nodes):
        built.append(Tree(node) if isinstance(node, int) else Tree(-1, *node, built.pop(), built.pop()))
    return built[0], leaves


def enclosing(sides: Sides) -> Matrix:
    """Return a box as a column of intervals."""
    return Matrix.intervals(Interval(low, high) for low, high in sides)


def edges_of(step: Application, network: Network, tree: Tree, leaves: list[Sides], bits: int) -> Iterator[Edge]:
    """Yield each pair of leaves such that F may lead from the one to the other, with the Jacobians on the first (check 2)."""
    step.require_work(2, 2 * network.products * len(leaves), bits)
    for i, sides in enumerate(leaves):
        box = enclosing(sides)
        jacobian = network.jacobian(box, bits)
        image = network.image(box, bits).entries()
        for j in tree.meeting(image):
            yield i, j, jacobian


def bounds(step: Application, edges: list[Edge], nodes: int, bits: int) -> tuple[Fraction | None, Fraction | None]:
    """Return the lower and the upper rate that the witness's forms prove; None for one that is not given (checks 3 and 4)."""
    size = step.network.dimension
    step.require(2, len(edges) <= MAX_EDGES, f"at most {MAX_EDGES} edges", len(edges))
    step.require_work(2, 2 * size**3 * (len(edges) + nodes), bits)
    step.require(3, step.witness.has("lower") or step.witness.has("upper"), "a lower or an upper bound", "neither")
    lower = _rate(step, "lower", edges, nodes, bits) if step.witness.has("lower") else None
    return lower, _rate(step, "upper", edges, nodes, bits) if step.witness.has("upper") else None


def _rate(step: Application, name: str, edges: list[Edge], nodes: int, bits: int) -> Fraction:
    check = 3 if name == "lower" else 4
    fields = step.witness.part(name)
    rate, forms = fields.number("rate"), _forms(step, check, fields.items("forms"), f"{fields.where}, field forms")
    fields.close()
    step.require(check, rate > 0, "a positive rate", rate)
    step.require(check, len(forms) == nodes, f"{nodes} forms, one a node", len(forms))
    for i, form in enumerate(forms, 1):
        holds = 1 in pivot_signs(form, bits) if name == "lower" else is_positive_definite(form, bits)
        step.require(check, holds, f"form {i} {'with a positive direction' if name == 'lower' else 'positive definite'}", "not proved")
    scaled = [form.times(rate * rate) for form in forms]
    for i, j, jacobian in edges:
        moved = jacobian.transposed() @ forms[j] @ jacobian
        gap = moved - scaled[i] if name == "lower" else scaled[i] - moved
        law = f"{'J SJ - c^2 S' if name == 'lower' else 'C^2 Q - J QJ'} positive definite from node {i + 1} to {j + 1}"
        step.require(check, is_positive_definite(gap, bits), law, "not proved", "smaller boxes, or a rate with more slack")
    return rate


def _forms(step: Application, check: int, entries: list[object], where: str) -> list[Matrix]:
    size = step.network.dimension
    forms = [read_matrix(rows, (size, size), f"{where}[{i}]") for i, rows in enumerate(entries)]
    for form in forms:
        step.require(check, form.is_exact and form.mid == form.transposed().mid, "symmetric forms without radii", "another matrix")
    return forms


def _cut(entry: object, size: int, where: str) -> tuple[int, Fraction]:
    pair = read_list(entry, where)
    axis = pair[0] if len(pair) == 2 else None  # noqa: PLR2004 - an axis and a number
    if type(axis) is not int or not 0 <= axis < size:
        raise Malformed(where=where, law="cuts", expected=f"null, or an axis from 0 to {size - 1} and a number", got=str(entry)[:200])
    return axis, read_number(pair[1], where)
