"""A box cut into small ones, and which of them F may lead to which: what cycle_mean and driven_graph share.

A bisection tree cuts one box into closed leaves that cover it. A leaf leads to every leaf that the enclosure of its image meets, so the
leaves an orbit visits form a walk. At a border of a piecewise-linear network the Jacobian is that of any adjacent piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.grammar import read_number
from proofs.reader import read_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proofs.network import Network
    from proofs.reader import Fields
    from proofs.theorems.card import Application

    Sides = tuple[tuple[Fraction, Fraction], ...]
    Edge = tuple[int, int, Matrix]  # from, to, the Jacobian

MAX_LEAVES = 2**14
MAX_EDGES = 2**16
MAX_STATES = 256
MAX_OPEN = 3
MAX_END_BITS = 4096


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


def read_tree(step: Application, root: Sides, part: Fields | None = None) -> tuple[Tree, list[Sides]]:
    """Read the cuts of the witness, or of a part of it, in preorder, lower side first, null for a leaf; return the tree and its leaves.

    A cut that does not fit fails check 1. The leaves come in order.
    """
    fields = part or step.witness
    cuts = fields.items("cuts")
    where = f"{fields.where}, field cuts"
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
        _require_short(step, cut)
        low, high = sides[axis]
        step.require(1, low < cut < high, ("a cut inside", low, "to", high), cut)
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


def read_sides(step: Application) -> Sides:
    """Read low and high, the ends of a nonempty box, of at most 4096 bits each (check 1)."""
    low, high = step.witness.numbers("low"), step.witness.numbers("high")
    size = step.network.dimension
    ordered = len(low) == size == len(high) and all(a <= b for a, b in zip(low, high, strict=True))
    step.require(1, ordered, f"{size} lower and upper ends in order", (len(low), len(high)))
    for end in (*low, *high):
        _require_short(step, end)
    return tuple(zip(low, high, strict=True))


def _require_short(step: Application, end: Fraction) -> None:
    length = max(end.denominator.bit_length(), end.numerator.bit_length())
    step.require(1, length <= MAX_END_BITS, f"ends of boxes of at most {MAX_END_BITS} bits", length)


def edges_of(step: Application, network: Network, tree: Tree, leaves: list[Sides], bits: int, root: Sides = ()) -> Iterator[Edge]:
    """Yield each pair of leaves such that F may lead from the one to the other, with the Jacobians on the first (check 2).

    With ``root`` the image of every leaf must lie in it: then F maps the root into itself.
    """
    ways = 2**MAX_OPEN if network.is_piecewise_linear else 1
    step.require_work(2, (1 + ways) * network.products * len(leaves), bits)
    count = 0
    for i, sides in enumerate(leaves, 1):
        box = enclosing(sides)
        image, gates = network.trace(box, bits)
        jacobians = _jacobians(network, box, gates, bits)
        inside = all(low <= span.lo and span.hi <= high for (low, high), span in zip(root, image.entries(), strict=False))
        step.require(2, inside, f"F over leaf {i} inside the box", "not proved", "smaller leaves, or a box with more slack")
        for j in tree.meeting(image.entries()):
            count += len(jacobians)
            step.require(2, count <= MAX_EDGES, f"at most {MAX_EDGES} edges", "more")
            yield from ((i - 1, j, jacobian) for jacobian in jacobians)


def _jacobians(network: Network, box: Matrix, gates: list[Matrix], bits: int) -> list[Matrix]:
    """Return enclosures of all Jacobians over a box: of each affine piece where a few hinges are open, else one for all together."""
    letters = ["1" if low > 0 else "0" if high < 0 else "?" for gate in gates for low, high in gate.signs()]
    if not network.is_piecewise_linear or letters.count("?") > MAX_OPEN:
        return [network.jacobian(box, bits)]
    choices = product(*("01" if letter == "?" else letter for letter in letters))
    return [network.piece("".join(choice)).jacobian.rounded(bits) for choice in choices]


def _cut(entry: object, size: int, where: str) -> tuple[int, Fraction]:
    pair = read_list(entry, where)
    axis = pair[0] if len(pair) == 2 else None  # noqa: PLR2004 - an axis and a number
    if type(axis) is not int or not 0 <= axis < size:
        raise Malformed(where=where, law="cuts", expected=f"null, or an axis from 0 to {size - 1} and a number", got=str(entry)[:200])
    return axis, read_number(pair[1], where)
