"""Trees of words that settle every cycle in a box along a straight line of weights: linear programs suggest, the checker's sums decide.

Cells of mu are halved until words without a cycle, and words with singular equations, are excluded; what is left when that takes too
long is listed, or named residual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heapify, heappop
from operator import itemgetter
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network, Piece
from proofs.parameters import Line
from proofs.reader import Fields
from proofs.theorems.card import Application
from proofs.theorems.family import network_on
from proofs.theorems.lifted import live_hinges
from proofs.theorems.path_cells import Farkas, Prefix, Stretch, is_regular
from verify.numerics.box_programs import BoxProgram, Step, common_multipliers

Floats = NDArray[np.float64]
Word = tuple[str, ...]
Box = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]
Sums = dict[tuple[str, int, int], float]  # multipliers by kind, time and number
Progress = Callable[[str, int, int], None]
BITS = 64
MAX_NODES = 20_000  # of one tree; a cell with more is halved
MAX_HALVINGS = 14
PARTS = (1, 4, 16)
SCALES = (10, 20, 34, 48)  # bits of the largest multiplier, tried in this order: short witnesses first
SLACK = 1e-9
START = 1  # cells to begin with
OVERRUN = 0.25  # of the time allowed, for cells that have no tree yet


@dataclass(frozen=True)
class Question:
    """What is asked: cycles of least period at most ``up_to`` inside ``box``, for mu from ``low`` to ``high`` on the line."""

    start: Network
    line: Line
    low: Fraction
    high: Fraction
    up_to: int
    box: Box


@dataclass(frozen=True)
class Grown:
    """Trees for the cells between ``breaks``, for the witness of card ``cycles_on``, and what keeps it from saying more.

    ``loose``: listed words that no cycle in the box was seen to follow; ``singular``: residual ones. ``finished`` is False where the budget
    ran out before every cell had its tree. **Guarantee:** heuristic until checked.
    """

    breaks: tuple[Fraction, ...]
    cells: tuple[list[object], ...]
    loose: tuple[Word, ...]
    singular: tuple[Word, ...]
    finished: bool
    bits: int = BITS


def grow(question: Question, deadline: float, progress: Progress | None = None) -> Grown:
    """Grow a tree for each cell, halving cells where it says too little.

    **Guarantee:** heuristic until checked. **Cost:** a small linear program and a sum of the checker's for each node.
    """
    return _Growth(question, deadline, progress).run()


class _Map(NamedTuple):
    """One affine piece at the middle of a cell in floats, and its change to either end (``straight``) or its radii."""

    jacobian: Floats
    offset: Floats
    gates: Floats
    gate_offsets: Floats
    spread: tuple[Floats, Floats, Floats, Floats]


@dataclass
class _Tree:
    """The tree of one cell in the making."""

    nodes: list[object] = field(default_factory=list)
    real: set[Word] = field(default_factory=set)
    loose: set[Word] = field(default_factory=set)
    singular: set[Word] = field(default_factory=set)


class _TooLarge(Exception):
    """The tree of a cell has too many nodes, or there is no time left for it."""


class _Growth:
    """All cells of one question."""

    def __init__(self, question: Question, deadline: float, progress: Progress | None) -> None:
        self._question, self._deadline, self._progress = question, deadline, progress
        self._last = deadline + OVERRUN * max(1.0, deadline - monotonic())
        self._step = Application(0, "cycles_on", question.start, Fields({}, "search"), (), ())
        self._live = live_hinges(network_on(self._step, question.line, question.low, question.high, None))
        self._box = Matrix.intervals(Interval(low, high) for low, high in zip(*question.box, strict=True))

    def run(self) -> Grown:
        """Refine the widest cell that says too little until none does or time is up; what is left says less, but is as valid."""
        low, width = self._question.low, (self._question.high - self._question.low) / START
        cells = {low + i * width: self._tree(low + i * width, low + (i + 1) * width) for i in range(START)}
        known = {word for tree in cells.values() if tree is not None for word in tree.real}
        pending = [(0, left) for left in cells]
        while pending and monotonic() < self._last:
            depth, left = heappop(pending)
            half = width / 2 ** (depth + 1)
            if self._progress is not None:
                self._progress("cells", len(cells) - len(pending), len(cells))
            if not self._says_too_little(cells[left], known) or depth == MAX_HALVINGS:
                continue
            halves = {start: self._tree(start, start + half) for start in (left, left + half)}
            if cells[left] is None or None not in halves.values():
                cells.update(halves)
                known |= {word for tree in halves.values() if tree is not None for word in tree.real}
                pending += [(depth + 1, start) for start in halves]
                heapify(pending)
        return self._grown(cells, known)

    def _says_too_little(self, tree: _Tree | None, known: set[Word]) -> bool:
        """Say whether a cell is to be halved: it has no tree, or one with words that a tree of a narrower cell may exclude."""
        return tree is None or (monotonic() < self._deadline and bool(tree.singular or tree.loose - known))

    def _grown(self, cells: dict[Fraction, _Tree | None], known: set[Word]) -> Grown:
        found = [(left, tree) for left, tree in sorted(cells.items(), key=itemgetter(0)) if tree is not None]
        loose = {word for _, tree in found for word in tree.loose} - known
        singular = {word for _, tree in found for word in tree.singular}
        breaks = (*(left for left, _ in found), self._question.high)
        whole = len(found) == len(cells)
        return Grown(breaks, tuple(tree.nodes for _, tree in found), _sorted(loose - singular), _sorted(singular), whole)

    def _tree(self, low: Fraction, high: Fraction) -> _Tree | None:
        """Return the tree of one cell, None if it gets too large."""
        stretch = Stretch(self._step, self._question.line, (low, high), self._live, self._box, BITS)
        try:
            return _Walker(stretch, self._question, self._last).run()
        except _TooLarge:
            return None


class _Walker:
    """The walk through one cell, node by node as the checker will walk."""

    def __init__(self, stretch: Stretch, question: Question, deadline: float) -> None:
        self._stretch, self._cell, self._up_to, self._deadline = stretch, stretch.cell, question.up_to, deadline
        self._width = len(self._cell.live)
        ends = [np.array([float(value) for value in part]) for part in question.box]
        self._low, self._high = ends
        self._program = BoxProgram(*ends)
        self._labels: list[tuple[str, int, int, int]] = []  # of the forms: kind, time, number, sign
        self._maps: dict[str, _Map] = {}
        self._tree = _Tree()

    def run(self) -> _Tree:
        """Visit all nodes depth-first. **Raises:** _TooLarge."""
        pending = self._below(self._cell.start, 0)
        while pending:
            prefix, letters, count = pending.pop()
            self._truncate(count)
            if self._width and self._is_closed(prefix, letters):
                continue
            count = self._program.count
            if len(letters) < self._width:
                pending += [(cut, longer, count) for cut, longer in reversed(self._cell.branches(prefix, letters))]
                continue
            whole = self._cell.extended(prefix, letters)
            if whole is not None:
                self._add_box(whole)
                count = self._program.count
                if len(whole.letters) % whole.lyndon == 0:
                    self._close(whole)
                pending += self._below(whole, count)
        return self._tree

    def _below(self, prefix: Prefix, count: int) -> list[tuple[Prefix, str, int]]:
        if len(prefix.letters) == self._up_to:
            return []
        if not self._width:
            return [(prefix, "", count)]
        return [(cut, letters, count) for cut, letters in reversed(self._cell.branches(prefix, ""))]

    def _is_closed(self, prefix: Prefix, letters: str) -> bool:
        """Add the form of the last bit and the node: multipliers that exclude the word, or 1."""
        if len(self._tree.nodes) >= MAX_NODES or (len(self._tree.nodes) % 64 == 0 and monotonic() > self._deadline):
            raise _TooLarge
        hinge, sign = self._cell.live[len(letters) - 1], 1 if letters[-1] == "1" else -1
        piece, time = self._map(letters), len(prefix.letters) + 1
        spread = piece.spread[2][hinge : hinge + 1], piece.spread[3][hinge : hinge + 1]
        self._add(prefix, sign * piece.gates[hinge : hinge + 1], sign * piece.gate_offsets[hinge : hinge + 1], spread)
        self._labels.append(("gates", time, hinge + 1, sign))
        told, _ = self._excluded(prefix, letters)
        self._tree.nodes.append(told or 1)
        return told is not None

    def _close(self, prefix: Prefix) -> None:
        """Add the node that says how a necklace closes."""
        self._add_closing(prefix)
        told, height = self._excluded(prefix, "")
        parts = 0 if told else self._parts(prefix.letters)
        self._tree.nodes.append(told or parts)
        if told is None and parts == 0:
            self._tree.singular.add(prefix.letters)
        elif told is None and prefix.lyndon == len(prefix.letters):
            (self._tree.real if height < SLACK else self._tree.loose).add(prefix.letters)

    def _parts(self, word: Word) -> int:
        """Return on how many equal parts the checker finds the word regular, 0 if on none of those tried."""
        return next((count for count in PARTS if all(is_regular(part, word) for part in self._stretch.parts(count))), 0)

    def _excluded(self, prefix: Prefix, letters: str) -> tuple[dict[str, object] | None, float]:
        """Return multipliers that the checker accepts, None if there seem to be none; and by how much the forms contradict each other."""
        height, values = self._program.solve()
        if height == 0.0:
            return None, height
        told = self._accepted(prefix, letters, self._summed(values)) if height > 1 - SLACK else None
        if told is None and self._stretch.straight:
            told = self._accepted(prefix, letters, self._common(prefix, letters))
        return told, height

    def _accepted(self, prefix: Prefix, letters: str, sums: Sums) -> dict[str, object] | None:
        """Return the shortest of the roundings of these multipliers that the checker accepts."""
        for scale in SCALES if sums else ():
            told, farkas = self._rounded(sums, scale)
            if self._cell.bound(prefix, letters, farkas) < 0:
                return told
        return None

    def _summed(self, values: Floats) -> Sums:
        """Return the multipliers of the forms by what they belong to."""
        sums: Sums = {}
        for (kind, time, number, sign), value in zip(self._labels, values.tolist(), strict=True):
            if value:
                key = (kind, time, number)
                sums[key] = sums.get(key, 0.0) + (value if kind == "gates" else sign * value)
        return sums

    def _common(self, prefix: Prefix, letters: str) -> Sums:
        """Return multipliers that suit both ends of the cell; none if there seem to be none."""
        word = (*prefix.letters, letters) if letters else prefix.letters
        steps = [self._at(box, bits) for box, bits in zip(prefix.boxes, word, strict=False)]
        height, gates, after = common_multipliers(steps, closing=not letters)
        if height == 0.0:
            return {}
        back = np.zeros(self._cell.size) if letters else after.pop()
        sums: Sums = {("back", 0, state): value for state, value in enumerate(back.tolist(), 1) if not letters}
        ahead = back
        for time in range(len(word), 0, -1):
            step, weights = steps[time - 1], gates[time - 1]
            rows = [ahead @ jacobian + weights @ gate for jacobian, gate in zip(step.jacobians, step.gates, strict=True)]
            sums.update({("gates", time, self._cell.live[i] + 1): value for i, value in enumerate(weights.tolist()) if value > 0})
            if time > 1:
                ahead = after[time - 2]
                sums.update({("states", time, state): value for state, value in enumerate((sum(rows) / len(rows) - ahead).tolist(), 1)})
        return sums

    def _at(self, box: Matrix, bits: str) -> Step:
        """Return one time of an orbit at both ends of the cell."""
        ends = [tuple(_floats(part) for part in _parts(piece)) for piece in self._cell.pieces(bits)]
        chosen = [self._cell.live[i] for i in range(len(bits))]
        signs = np.array([1.0 if bit == "1" else -1.0 for bit in bits])
        middle, reach = _floats(box).ravel(), _radii(box).ravel()
        return Step(
            middle - reach,
            middle + reach,
            [jacobian for jacobian, _, _, _ in ends],
            [offset.ravel() for _, offset, _, _ in ends],
            [signs[:, None] * gate[chosen] for _, _, gate, _ in ends],
            [signs * constant.ravel()[chosen] for _, _, _, constant in ends],
        )

    def _rounded(self, sums: Sums, scale: int) -> tuple[dict[str, object], Farkas]:
        """Spell multipliers as integers of at most ``scale`` bits."""
        largest = max(map(abs, sums.values()), default=1.0) or 1.0
        whole = {key: round(value / largest * 2**scale) for key, value in sums.items()}
        found = {kind: {key[1:]: value for key, value in whole.items() if key[0] == kind and value} for kind in ("gates", "states", "back")}
        back = tuple(found["back"].get((0, state), 0) for state in range(1, self._cell.size + 1)) if found["back"] else ()
        told: dict[str, object] = {"gates": _flat(found["gates"])}
        if found["states"]:
            told["states"] = _flat(found["states"])
        if back:
            told["back"] = list(back)
        return told, Farkas(found["gates"], found["states"], back)

    def _add_box(self, prefix: Prefix) -> None:
        """Add low <= z <= high for the point after the prefix, where its image may lie outside."""
        time, last = len(prefix.letters) + 1, self._map(prefix.letters[-1])
        box = prefix.boxes[-2]
        middle, reach = last.jacobian @ _floats(box).ravel() + last.offset, np.abs(last.jacobian) @ _radii(box).ravel()
        below, above = np.flatnonzero(middle - reach < self._low), np.flatnonzero(middle + reach > self._high)
        rows = np.vstack([np.eye(self._cell.size)[below], -np.eye(self._cell.size)[above]])
        if len(rows):
            limits = np.concatenate([-self._low[below], self._high[above]])
            self._add(prefix, rows, limits, (np.zeros_like(rows), np.zeros(len(rows))))
            self._labels += [("states", time, int(state) + 1, -1) for state in below] + [
                ("states", time, int(state) + 1, 1) for state in above
            ]

    def _add_closing(self, prefix: Prefix) -> None:
        """Add z_(k+1) - z_1 >= 0 and <= 0 for every state."""
        size = self._cell.size
        zero = (np.zeros((size, size)), np.zeros(size))
        for sign in (1, -1):
            self._add(prefix, sign * np.eye(size), np.zeros(size), zero, -sign * np.eye(size))
            self._labels += [("back", 0, state, sign) for state in range(1, size + 1)]

    def _add(self, prefix: Prefix, rows: Floats, constants: Floats, spread: tuple[Floats, Floats], first: Floats | float = 0.0) -> None:
        """Add rows z_(t+1) + constants + first z_1 as forms in z_1, t the letters of the prefix; ``spread``: how far they are known."""
        boxes = [_reach(box) for box in prefix.boxes]
        losses = np.abs(spread[0]) @ boxes[len(prefix.letters)] + np.abs(spread[1])
        for time in range(len(prefix.letters) - 1, -1, -1):
            piece = self._map(prefix.letters[time])
            weights = rows if self._stretch.straight else np.abs(rows)
            losses = losses + np.abs(weights @ piece.spread[0]) @ boxes[time] + np.abs(weights @ piece.spread[1])
            constants = constants + rows @ piece.offset
            rows = rows @ piece.jacobian
        self._program.add(rows + first, constants, losses)

    def _truncate(self, count: int) -> None:
        self._program.truncate(count)
        del self._labels[count:]

    def _map(self, letters: str) -> _Map:
        if letters not in self._maps:
            pieces = self._cell.pieces(letters)
            ends = [[_floats(part) for part in _parts(piece)] for piece in pieces]
            middles = [sum(parts) / len(ends) for parts in zip(*ends, strict=True)]
            if self._stretch.straight:
                spread = [(two - one) / 2 for one, two in zip(*ends, strict=True)]
            else:
                spread = [_radii(part) for part in _parts(pieces[0])]
            self._maps[letters] = _Map(middles[0], middles[1].ravel(), middles[2], middles[3].ravel(), _shaped(spread))
        return self._maps[letters]


def _parts(piece: Piece) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    return piece.jacobian, piece.offset, piece.gates, piece.gate_offsets


def _shaped(parts: Sequence[Floats]) -> tuple[Floats, Floats, Floats, Floats]:
    return parts[0], parts[1].ravel(), parts[2], parts[3].ravel()


def _floats(matrix: Matrix) -> Floats:
    return np.array([[value / matrix.den for value in row] for row in matrix.mid]).reshape(matrix.shape)


def _reach(box: Matrix) -> Floats:
    radii = box.rad or ((0,),) * len(box.mid)
    return np.array([(abs(middle) + radius) / box.den for (middle,), (radius,) in zip(box.mid, radii, strict=True)])


def _radii(matrix: Matrix) -> Floats:
    rows = matrix.rad or tuple((0,) * len(row) for row in matrix.mid)
    return np.array([[value / matrix.den for value in row] for row in rows]).reshape(matrix.shape)


def _flat(values: dict[tuple[int, int], int]) -> list[int]:
    return [number for (time, unit), value in values.items() for number in (time, unit, value)]


def _sorted(words: set[Word]) -> tuple[Word, ...]:
    return tuple(sorted(words, key=lambda word: (len(word), word)))
