"""A box cut into small ones, with what the maps do on each, enclosed a little wider than the kernel encloses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, frexp
from time import monotonic

import numpy as np

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.network import Network
from verify.numerics.batch import FloatNetwork
from verify.numerics.box_forms import BoxGraph
from verify.numerics.box_images import BoxNetwork, Range
from verify.numerics.cone_forms import Integers
from verify.rounding import float_above, float_below

BITS = 64
_ORBITS, _SETTLE, _FOLLOW = 32, 400, 600
_FAR = 1e6
_TURNS = 60
_WIDE_TURNS = 1000
_SLACK = 2.0**-7
_LARGE, _HUGE = 2.0**20, 2.0**30
_CUBE = Fraction(65, 64)  # outputs of tanh lie inside, hence states of an RNN or a GRU
_ROOM = (0.02, 0.1, 0.3, 1.0)
_LEAST_ROOM = 1e-3
_FOR_WIDTH = 0.25  # how much the length of an axis counts beside what a cut does to the Jacobians
Sides = tuple[tuple[Fraction, Fraction], ...]
Walk = tuple[int, int, int]


@dataclass
class Cell:
    """A box; enclosures of its images and Jacobians under each map, a little wider than the kernel's; its two halves once it is cut.

    **Shapes:** images (symbols, M), jacobians (symbols, M, M).
    """

    sides: Sides
    images: Range
    jacobians: Range
    axis: int = -1
    halves: tuple[Cell, ...] = ()

    @property
    def cut(self) -> Fraction:
        """Return the middle across the axis of the cut."""
        return _middle(*self.sides[self.axis])

    @property
    def spread(self) -> float:
        """Return the sum of all radii of the Jacobians."""
        return float(self.jacobians.rad.sum())


@dataclass
class BoxTree:
    """Bisections of a box that all the maps should send into itself, and the walks of their inputs: edges (node, symbol, node).

    **Raises:** Malformed for a box without inside.
    """

    networks: Sequence[Network]
    sides: Sides
    nodes: int = 1
    walks: Sequence[Walk] = ((0, 0, 0),)
    root: Cell = field(init=False)

    def __post_init__(self) -> None:
        """Enclose the whole box."""
        if any(low >= high for low, high in self.sides):
            law = "sides of a box"
            raise Malformed(
                where="box", law=law, expected="lower ends below the upper ones", got=str([tuple(map(str, s)) for s in self.sides])
            )
        self._maps = [BoxNetwork(network) for network in self.networks]
        self.root = self.cells([self.sides])[0]

    def cells(self, boxes: Sequence[Sides]) -> list[Cell]:
        """Enclose images and Jacobians on boxes."""
        low = np.array([[float_below(side[0]) for side in sides] for sides in boxes])
        high = np.array([[float_above(side[1]) for side in sides] for sides in boxes])
        images, jacobians = zip(*(one.enclose(low, high) for one in self._maps), strict=True)
        ends = [np.stack([getattr(one, end) for one in part], axis=1) for part in (images, jacobians) for end in ("low", "high")]
        return [Cell(sides, Range(ends[0][i], ends[1][i]), Range(ends[2][i], ends[3][i])) for i, sides in enumerate(boxes)]

    def split(self, chosen: Sequence[Cell]) -> None:
        """Cut leaves in the middle, each across an axis that is long and makes the halves' Jacobians narrow."""
        boxes = [half for cell in chosen for axis in range(len(self.sides)) for half in _halves(cell.sides, axis)]
        made, at = self.cells(boxes), 0
        for cell in chosen:
            widths = [float((high - low) / (up - down)) for (low, high), (down, up) in zip(cell.sides, self.sides, strict=True)]
            best = np.inf
            for axis, width in enumerate(widths):
                halves, at = tuple(made[at : at + 2]), at + 2
                left = sum(half.spread for half in halves) / (2 * cell.spread) if cell.spread > 0.0 else 1.0
                score = left - _FOR_WIDTH * width / max(widths)
                if score < best:
                    best, cell.axis, cell.halves = score, axis, halves

    def trap(self, deadline: float, most_leaves: int) -> bool:
        """Cut leaves until the image of each lies in the whole box; say whether so many leaves suffice."""
        while monotonic() < deadline:
            leaves = self.leaves()
            leaky = [cell for cell in leaves if not self._stays(cell)]
            if not leaky:
                return True
            if len(leaves) + len(leaky) > most_leaves:
                return False
            self.split(leaky)
        return False

    def leaves(self) -> list[Cell]:
        """Return the leaves in preorder, lower halves first."""
        return [cell for cell in self._preorder() if not cell.halves]

    def cuts(self) -> list[tuple[int, Fraction] | None]:
        """Return axis and cut of each cell in preorder, None for a leaf, as the cards read them."""
        return [(cell.axis, cell.cut) if cell.halves else None for cell in self._preorder()]

    def graph(self, leaves: Sequence[Cell]) -> BoxGraph:
        """Return the graph on pairs (node, leaf), leaves first; letters are symbol * leaves + leaf. Edges: all the kernel sees, or more."""
        count, size = len(leaves), len(self.sides)
        arrows = [_meetings(leaves, symbol) for symbol in range(len(self.networks))]
        starts = np.concatenate([a * count + arrows[s][0] for a, s, _ in self.walks])
        ends = np.concatenate([b * count + arrows[s][1] for _, s, b in self.walks])
        letters = np.concatenate([s * count + arrows[s][0] for _, s, _ in self.walks])
        shape = (len(self.networks) * count, size, size)
        mids = np.stack([cell.jacobians.mid for cell in leaves], axis=1).reshape(shape)
        rads = np.stack([cell.jacobians.rad for cell in leaves], axis=1).reshape(shape)
        return BoxGraph(self.nodes * count, starts, ends, letters, mids, rads)

    def _stays(self, cell: Cell) -> bool:
        low, high = (np.array([float(side[end]) for side in self.sides]) for end in (0, 1))
        return bool(np.all(low < cell.images.low) and np.all(cell.images.high < high))

    def _preorder(self) -> Iterator[Cell]:
        waiting = [self.root]
        while waiting:
            cell = waiting.pop()
            yield cell
            waiting += cell.halves[::-1]


def candidate_boxes(networks: Sequence[Network], *, narrow: bool = False) -> Iterator[Sides]:
    """Yield boxes that the maps may send into themselves: one that all orbits enter, a cube, boxes around simulated orbits.

    ``narrow``: only those around simulated orbits, the narrowest first. **Guarantee:** heuristic.
    """
    if not narrow:
        wide = wide_box(networks)
        if wide is not None:
            yield wide
        yield ((-_CUBE, _CUBE),) * networks[0].dimension
    yield from orbit_boxes(networks)


def orbit_boxes(networks: Sequence[Network], seed: int = 1) -> Iterator[Sides]:
    """Yield boxes around simulated orbits under random symbols, with more and more room; none if no orbit is bounded.

    **Guarantee:** heuristic: the maps may lead out of them. The corners are short dyadics.
    """
    maps, random = [FloatNetwork(network) for network in networks], np.random.default_rng(seed)
    states = random.uniform(-1.0, 1.0, (_ORBITS, networks[0].dimension))
    visited = np.empty((_FOLLOW, *states.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        for turn in range(_SETTLE + _FOLLOW):
            chosen = random.integers(len(maps), size=_ORBITS)
            images = np.array([one.step(states) for one in maps])
            states = images[chosen, np.arange(_ORBITS)]
            visited[max(0, turn - _SETTLE)] = states
        alive = np.all(np.abs(visited) < _FAR, axis=(0, 2))
    if not np.any(alive):
        return
    low, high = visited[:, alive].min(axis=(0, 1)), visited[:, alive].max(axis=(0, 1))
    width = np.maximum(high - low, _LEAST_ROOM)
    for room in _ROOM:
        sides = tuple(_outward(a, b) for a, b in zip((low - room * width).tolist(), (high + room * width).tolist(), strict=True))
        yield sides
        grown = _grown(networks, sides)
        if grown is not None:
            yield grown


def wide_box(networks: Sequence[Network]) -> Sides | None:
    """Return a box that every orbit with entries up to 2^20 enters under any symbols, and that the maps should send into itself.

    Images of a large box, until they are nested and no longer shrink by much. **Guarantee:** heuristic. None where that does not end.
    """
    maps, size = [BoxNetwork(network) for network in networks], networks[0].dimension
    low, high, nested = np.full(size, -_LARGE), np.full(size, _LARGE), False
    for _ in range(_WIDE_TURNS):
        images = [one.images(low[None], high[None]) for one in maps]
        down, up = np.min([image.low[0] for image in images], axis=0), np.max([image.high[0] for image in images], axis=0)
        room = _SLACK * np.maximum(up - down, _LEAST_ROOM)
        down, up = down - room, up + room
        nested = bool(np.all(low <= down) and np.all(up <= high))
        if np.any(up - down > _HUGE) or (nested and np.all(up - down > (1 - _SLACK) * (high - low))):
            break
        low, high = down, up
    return tuple(_outward(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)) if nested else None


def _grown(networks: Sequence[Network], sides: Sides) -> Sides | None:
    """Widen a box by what leaves it, and a little more, until nothing does; None where that does not end."""
    most = _FAR * max(float(high - low) for low, high in sides)
    for _ in range(_TURNS):
        box = Matrix.intervals(Interval(low, high) for low, high in sides)
        images = [network.image(box, BITS).entries() for network in networks]
        ends = [(min(image.lo for image in column), max(image.hi for image in column)) for column in zip(*images, strict=True)]
        if all(low <= down and up <= high for (low, high), (down, up) in zip(sides, ends, strict=True)):
            return sides
        if max(float(up - down) for down, up in ends) > most:
            return None
        sides = tuple(_joined(*pair) for pair in zip(sides, ends, strict=True))
    return None


def _joined(side: tuple[Fraction, Fraction], image: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    low, high = float(min(side[0], image[0])), float(max(side[1], image[1]))
    room = (high - low) / 50
    return _outward(low - room * (image[0] < side[0]), high + room * (image[1] > side[1]))


def _outward(low: float, high: float) -> tuple[Fraction, Fraction]:
    """Return dyadics a little outside, with about ten bits for the width."""
    scale = Fraction(2) ** (10 - frexp(high - low)[1])
    return floor(Fraction(low) * scale) / scale, ceil(Fraction(high) * scale) / scale


def _meetings(leaves: Sequence[Cell], symbol: int) -> tuple[Integers, Integers]:
    """Return all pairs of leaves such that the image of the one meets the other, or nearly does."""
    sides = range(len(leaves[0].sides))
    low, high = (np.array([[float(cell.sides[k][end]) for k in sides] for cell in leaves]) for end in (0, 1))
    low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    down, up = np.array([cell.images.low[symbol] for cell in leaves]), np.array([cell.images.high[symbol] for cell in leaves])
    if len(sides) == 1:
        first, last = np.searchsorted(high[:, 0], down[:, 0], "left"), np.searchsorted(low[:, 0], up[:, 0], "right")
        counts = last - first
        starts = np.repeat(np.arange(len(leaves)), counts)
        return starts, np.arange(len(starts)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    rows = [np.flatnonzero(np.all((low <= up[i]) & (high >= down[i]), axis=1)) for i in range(len(leaves))]
    return np.repeat(np.arange(len(leaves)), [len(row) for row in rows]), np.concatenate(rows)


def _halves(sides: Sides, axis: int) -> tuple[Sides, Sides]:
    low, high = sides[axis]
    middle = _middle(low, high)
    return (*sides[:axis], (low, middle), *sides[axis + 1 :]), (*sides[:axis], (middle, high), *sides[axis + 1 :])


def _middle(low: Fraction, high: Fraction) -> Fraction:
    return (low + high) / 2
