"""Unstable segments of many boxes at once, cut where F bends, until their images cross a box.

A piece is a part of the middle line {center + basis (eta, 0)} of a box that has followed one word so far, with the affine map that F^t is
along the word. Where its image crosses a box the strip is solved for that the word maps right across, with all its stable extent; the piece
ends there and goes on beside it. Nothing here is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verify.numerics.batch import Bools, Floats
from verify.numerics.compiled import compiled
from verify.numerics.strips import Letters

Indices = NDArray[np.int64]
HEIGHT = 1.0 + 2.0**-12  # of strips, in units of the box they lie in
OVERSHOOT = 2.0**-10  # by which the image of a strip is wider than the box that it crosses
SAFE = 2.0**-14  # the room that every inequality has to leave
GAP = 2.0**-11  # left free on both sides of a strip, in units of its width
APART = 1e-9  # of a piece's length, left out on both sides of a border
SHORTEST = 1e-11  # pieces of eta beyond the reach of floats
STEEPEST = 1e11  # growth beyond it
DELAY = 8  # steps after which all strips of a piece have nearly the same tilt
ROOM = 2**25  # numbers kept of all pieces


class Boxes(NamedTuple):
    """Parallelepipeds center + basis [-1, 1]^M, the first column of the basis unstable. **Shapes:** (K, M), (K, M, M)."""

    centers: Floats
    bases: Floats

    def chosen(self, which: Indices) -> Boxes:
        """Return some of the boxes."""
        return Boxes(self.centers[which], self.bases[which])

    def joined(self, other: Boxes) -> Boxes:
        """Return these boxes and others behind them."""
        return Boxes(np.concatenate([self.centers, other.centers]), np.concatenate([self.bases, other.bases]))

    def lengths(self) -> Floats:
        """Return the lengths (max norm) of the middle lines."""
        return np.asarray(2.0 * np.abs(self.bases[:, :, 0]).max(axis=1))


class Limits(NamedTuple):
    """How far to go: pieces are dropped when rate^-t times their length is below the floor of their box, or beyond these numbers.

    **Shapes:** floors (K,). ``escaped``: a size (max norm) no state should have. ``deadline``: no step is begun after it.
    ``overshoot``: by which the image of a strip is to be wider than the box that it crosses.
    """

    rate: float
    floors: Floats
    steps: int
    pieces: int
    escaped: float
    deadline: float = inf
    overshoot: float = OVERSHOOT


class Crossings(NamedTuple):
    """Strips, as in card B5 with one unstable direction. **Shapes:** tilt (n, M - 1), words (n, longest) filled up with -1, others (n,).

    **Guarantee:** heuristic: every inequality of the card but (5) and (6) holds in floats, with room.
    """

    starts: Indices
    ends: Indices
    steps: Indices
    offset: Floats
    width: Floats
    tilt: Floats
    words: Indices

    def chosen(self, which: Indices | Bools) -> Crossings:
        """Return some of the strips."""
        return Crossings._make(part[which] for part in self)


class _Pieces(NamedTuple):
    """Pieces low <= eta <= high of boxes, F^t on them A x + b in the coordinates of their box; ``place`` in the history."""

    box: Indices
    A: Floats
    b: Floats
    low: Floats
    high: Floats
    place: Indices

    def chosen(self, which: Indices | Bools) -> _Pieces:
        return _Pieces._make(part[which] for part in self)

    def between(self, low: Floats, high: Floats) -> _Pieces:
        """Return the same pieces with other ends, those that are long enough."""
        return self._replace(low=low, high=high).chosen(high - low > SHORTEST)

    def at(self, eta: Floats) -> Floats:
        """Return the states where the middle lines' points eta are."""
        return np.asarray(self.A[:, :, 0] * eta[:, None] + self.b)

    def lengths(self) -> Floats:
        return np.asarray(np.abs(self.A[:, :, 0]).max(axis=1) * (self.high - self.low))


class _History:
    """All pieces of all times: the one before, the letter, and the live hinges as forms in (eta, xi, 1), positive where the word holds."""

    def __init__(self, hinges: int, size: int) -> None:
        self.count = 0
        self.parents = np.zeros(1024, dtype=np.int64)
        self.letters = np.zeros(1024, dtype=np.int64)
        self.forms = np.zeros((1024, hinges, size + 1))

    def add(self, parents: Indices, letters: Indices, forms: Floats) -> Indices:
        """Note pieces, and return their places."""
        places = np.arange(self.count, self.count + len(parents))
        self.count += len(parents)
        if self.count > len(self.parents):
            for name in ("parents", "letters", "forms"):
                old = getattr(self, name)
                new = np.zeros((2 * self.count, *old.shape[1:]), dtype=old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)
        self.parents[places], self.letters[places], self.forms[places] = parents, letters, forms
        return places

    def back(self, places: Indices, steps: int) -> Indices:
        """Return the places some steps before."""
        for _ in range(steps):
            places = self.parents[places]
        return places


class _Solved(NamedTuple):
    """Strips that are being tested: the piece they are part of, and the box they cross."""

    piece: Indices
    end: Indices
    offset: Floats
    width: Floats
    tilt: Floats

    def chosen(self, which: Indices | Bools) -> _Solved:
        return _Solved._make(part[which] for part in self)


def trace(letters: Letters, boxes: Boxes, values: Floats, limits: Limits) -> Crossings:
    """Follow the middle lines of all boxes of positive value, and return the strips that cross boxes, disjoint on each middle line.

    Where several strips of one piece overlap, those of the greatest total value are taken.

    **Shapes:** values (K,). **Guarantee:** heuristic. **Cost:** about 5 microseconds a piece and step in the plane.
    """
    return _Trace(letters, boxes, values, limits).run()


def prepare() -> None:
    """Compile what is to be compiled; once on a machine this takes about 10 seconds."""
    none, empty, square = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, 0))
    _crossed(square, square, np.zeros((0, 0, 0)), square, empty, np.zeros((0, 2), dtype=np.int64))
    _obeys(np.zeros((0, 0, 1)), none, none, empty, empty, square)
    _taken(none, empty, empty, empty)


class _Trace:
    """One run of ``trace``."""

    def __init__(self, letters: Letters, boxes: Boxes, values: Floats, limits: Limits) -> None:
        self._letters, self._boxes, self._values, self._limits = letters, boxes, values, limits
        self._inverses: Floats = np.asarray(np.linalg.inv(boxes.bases), dtype=np.float64)
        self._shifts = np.matmul(self._inverses, boxes.centers[:, :, None])[:, :, 0]
        self._live = np.flatnonzero(letters.network.live)
        self._history = _History(len(self._live), letters.network.dimension)
        self._found: list[tuple[Indices, Indices, _Solved]] = []

    def run(self) -> Crossings:
        """Go on step by step until no piece is left."""
        used = np.flatnonzero(self._values > 0.0)
        ones = np.ones(len(used))
        pieces = _Pieces(used, self._boxes.bases[used], self._boxes.centers[used], -ones, ones, np.full(len(used), -1))
        with np.errstate(all="ignore"):
            for time in range(self._limits.steps):
                pieces = self._worthwhile(self._split(pieces), time)
                if not len(pieces.box) or self._is_full(len(pieces.box)):
                    break
                pieces = self._clear(self._advance(pieces), time)
                strips = self._solve(pieces)
                taken = _taken(strips.piece, strips.offset - strips.width, strips.offset + strips.width, self._values[strips.end])
                strips = strips.chosen(taken)
                self._found.append((pieces.box[strips.piece], pieces.place[strips.piece], strips))
                pieces = _beside(pieces, strips)
        return self._collected()

    def _is_full(self, more: int) -> bool:
        forms = self._history.forms
        return (self._history.count + more) * forms[0].size > ROOM or monotonic() > self._limits.deadline

    def _split(self, pieces: _Pieces) -> _Pieces:
        """Cut the pieces where a live hinge changes its sign, the first hinge of the program first."""
        network = self._letters.network
        for _ in range(4 * len(self._live)):
            one, two = (network.gates(pieces.at(eta))[:, self._live] for eta in (pieces.low, pieces.high))
            changed = (one * two < 0.0) & (np.minimum(np.abs(one), np.abs(two)) > 1e-3 * APART * np.abs(one - two))
            cut = np.flatnonzero(changed.any(axis=1))
            if not len(cut):
                break
            hinge = changed[cut].argmax(axis=1)
            before, after = one[cut, hinge], two[cut, hinge]
            length = pieces.high[cut] - pieces.low[cut]
            middle = pieces.low[cut] + length * before / (before - after)
            low, high = np.concatenate([pieces.low, middle + APART * length]), np.concatenate([pieces.high, pieces.high[cut]])
            high[cut] = middle - APART * length
            pieces = pieces.chosen(np.concatenate([np.arange(len(pieces.box)), cut])).between(low, high)
        return pieces

    def _worthwhile(self, pieces: _Pieces, time: int) -> _Pieces:
        """Drop what has escaped, what is too short to matter, and the shortest where there are too many."""
        limits = self._limits
        size = pieces.lengths()
        mass = size * limits.rate**-time / limits.floors[pieces.box]
        inside = np.abs(pieces.at((pieces.low + pieces.high) / 2.0)).max(axis=1) < limits.escaped
        inside &= np.abs(pieces.A).max(axis=(1, 2)) < STEEPEST
        keep = np.flatnonzero((mass >= 1.0) & inside)
        if len(keep) > limits.pieces:
            keep = keep[np.argsort(-mass[keep], kind="stable")[: limits.pieces]]
        return pieces.chosen(keep)

    def _advance(self, pieces: _Pieces) -> _Pieces:
        """Note the letters and forms of this time, and take one step of F."""
        network, table = self._letters.network, self._letters
        patterns = network.patterns(pieces.at((pieces.low + pieces.high) / 2.0)) & network.live
        rows, places = np.unique(np.packbits(patterns, axis=1), axis=0, return_inverse=True)
        numbers = np.array(table.read(np.unpackbits(rows, axis=1, count=patterns.shape[1]).astype(bool)), dtype=np.int64)
        codes = numbers[places.ravel()]
        J, q, gates, shifts, signs = (
            np.stack([part[i] for i in numbers])[places.ravel()] for part in (table.J, table.q, table.gates, table.shifts, table.signs)
        )
        slopes = np.matmul(gates, pieces.A)
        constants = np.matmul(gates, pieces.b[:, :, None]) + shifts[:, :, None]
        forms = np.concatenate([slopes, constants], axis=2) * signs[:, :, None]
        places = self._history.add(pieces.place, codes, forms)
        A, b = np.matmul(J, pieces.A), np.matmul(J, pieces.b[:, :, None])[:, :, 0] + q
        return _Pieces(pieces.box, A, b, pieces.low, pieces.high, places)

    def _clear(self, pieces: _Pieces, time: int) -> _Pieces:
        """Cut off where strips of full height would have met a border some steps ago."""
        if time < DELAY or not len(self._live):
            return pieces
        forms = self._history.forms[self._history.back(pieces.place, DELAY)]
        rows = np.arange(len(pieces.box)), np.abs(pieces.A[:, :, 0]).argmax(axis=1)
        tilt = -pieces.A[:, :, 1:][rows] / pieces.A[:, :, 0][rows][:, None]
        slope = forms[:, :, 0]
        spread = (1.0 - 2.0**-3) * np.abs(forms[:, :, 1:-1] + slope[:, :, None] * tilt[:, None, :]).sum(axis=2)
        bound = (spread - forms[:, :, -1]) / slope  # slope eta + constant > spread
        low = np.where(slope > 0.0, bound, -inf).max(axis=1)
        high = np.where(slope < 0.0, bound, inf).min(axis=1)
        flat = ((slope == 0.0) & (forms[:, :, -1] <= spread)).any(axis=1)
        low, high = np.fmax(pieces.low, low), np.fmin(pieces.high, high)
        return pieces.between(low, np.where(flat, low, high))

    def _solve(self, pieces: _Pieces) -> _Solved:
        """Return the strips of the pieces that cross boxes with room, ordered by piece and upper end."""
        ends = pieces.at(pieces.low), pieces.at(pieces.high)
        pairs = np.empty((0, 2), dtype=np.int64)
        count = _crossed(*ends, self._inverses, self._shifts, self._values, pairs)
        pairs = np.empty((count, 2), dtype=np.int64)
        _crossed(*ends, self._inverses, self._shifts, self._values, pairs)
        piece, end = pairs[:, 0], pairs[:, 1]
        linear = np.matmul(self._inverses[end], pieces.A[piece])
        shift = np.matmul(self._inverses[end], pieces.b[piece][:, :, None])[:, :, 0] - self._shifts[end]
        slope = linear[:, 0, 0]
        overshoot = self._limits.overshoot
        offset, tilt, width = -shift[:, 0] / slope, -linear[:, 0, 1:] / slope[:, None], (1.0 + overshoot) / np.abs(slope)
        fits = np.abs(offset) + np.abs(tilt).sum(axis=1) + width < 1.0 - SAFE
        side = linear[:, 1:, 0]
        slide = linear[:, 1:, 1:] + side[:, :, None] * tilt[:, None, :]
        reach = np.abs(side) * width[:, None] + HEIGHT * np.abs(slide).sum(axis=2) + np.abs(shift[:, 1:] + side * offset[:, None])
        fits &= (reach < 1.0 - max(SAFE, overshoot / 4.0 - SAFE)).all(axis=1)
        strips = self._following(_Solved(piece, end, offset, width, tilt).chosen(fits), pieces.place)
        return strips.chosen(np.lexsort((strips.offset + strips.width, strips.piece)))

    def _following(self, strips: _Solved, places: Indices) -> _Solved:
        """Return the strips that follow the words of their pieces, all of each of them, with room."""
        history = self._history
        return strips.chosen(_obeys(history.forms, history.parents, places[strips.piece], strips.offset, strips.width, strips.tilt))

    def _collected(self) -> Crossings:
        """Return all strips that were taken, with their words."""
        longest, size = len(self._found), self._letters.network.dimension
        none, empty = np.zeros(0, dtype=np.int64), np.zeros(0)
        parts = [(none, none, none, empty, empty, np.zeros((0, size - 1)), np.zeros((0, longest), dtype=np.int64))]
        for time, (box, last, strips) in enumerate(self._found):
            words, place = np.full((len(last), longest), -1, dtype=np.int64), last
            for t in range(time, -1, -1):
                words[:, t] = self._history.letters[place]
                place = self._history.parents[place]
            steps = np.full(len(words), time + 1)
            parts.append((box, strips.end, steps, strips.offset, strips.width, strips.tilt, words))
        return Crossings(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _beside(pieces: _Pieces, strips: _Solved) -> _Pieces:
    """Return what is left of the pieces when the strips, ordered by piece and place, are taken out."""
    width, place = strips.width * (1.0 + GAP), strips.piece
    low, high = strips.offset - width, strips.offset + width
    new = np.ones(len(place) + 1, dtype=bool)
    new[1:-1] = place[1:] != place[:-1]
    first, last = new[:-1], new[1:]
    whole = np.ones(len(pieces.box), dtype=bool)
    whole[place] = False
    source = np.concatenate([np.flatnonzero(whole), place[first], place])
    upper = np.where(last, pieces.high[place], np.append(low[1:], 0.0)[: len(low)])
    left = np.concatenate([pieces.low[whole], pieces.low[place[first]], high])
    return pieces.chosen(source).between(left, np.concatenate([pieces.high[whole], low[first], upper]))


@compiled
def _crossed(ones: Floats, twos: Floats, inverses: Floats, shifts: Floats, values: Floats, pairs: Indices) -> int:
    """Count the pairs of a segment and a box of positive value that it crosses from side to side, and write those there is room for."""
    count = 0
    for i in range(len(ones)):
        for k in range(len(inverses)):
            if values[k] <= 0.0:
                continue
            one = two = -shifts[k, 0]
            for c in range(ones.shape[1]):
                one += inverses[k, 0, c] * ones[i, c]
                two += inverses[k, 0, c] * twos[i, c]
            if min(one, two) > -1.0 - OVERSHOOT or max(one, two) < 1.0 + OVERSHOOT:
                continue
            inside = True
            for r in range(1, ones.shape[1]):
                a = b = -shifts[k, r]
                for c in range(ones.shape[1]):
                    a += inverses[k, r, c] * ones[i, c]
                    b += inverses[k, r, c] * twos[i, c]
                slope = (b - a) / (two - one)
                inside = inside and abs(a + slope * (-1.0 - one)) < 1.0 and abs(a + slope * (1.0 - one)) < 1.0
            if inside:
                if count < len(pairs):
                    pairs[count, 0] = i
                    pairs[count, 1] = k
                count += 1
    return count


@compiled
def _obeys(forms: Floats, parents: Indices, places: Indices, offset: Floats, width: Floats, tilt: Floats) -> Bools:
    """Say which strips keep off every border, with room, at the times of their pieces."""
    hinges, size = forms.shape[1], forms.shape[2] - 1
    result = np.ones(len(places), np.bool_)
    for i in range(len(places)):
        place = places[i]
        while place >= 0 and result[i]:
            for h in range(hinges):
                slope, constant = forms[place, h, 0], forms[place, h, size]
                spread = abs(slope) * width[i]
                for c in range(1, size):
                    spread += HEIGHT * abs(forms[place, h, c] + slope * tilt[i, c - 1])
                result[i] = result[i] and constant + slope * offset[i] - spread > SAFE * (abs(constant) + abs(slope))
            place = parents[place]
    return result


@compiled
def _taken(group: Indices, low: Floats, high: Floats, value: Floats) -> Indices:
    """Return for every group of intervals, ordered by their upper ends, disjoint ones of the greatest total value (indices, ascending)."""
    keep = np.zeros(len(group), np.bool_)
    first = 0
    while first < len(group):
        last = first
        while last < len(group) and group[last] == group[first]:
            last += 1
        best, before, use = np.zeros(last - first + 1), np.zeros(last - first, np.int64), np.zeros(last - first, np.bool_)
        for i in range(last - first):
            place = i
            while place > 0 and high[first + place - 1] >= low[first + i]:
                place -= 1
            before[i] = place
            use[i] = value[first + i] + best[place] > best[i]
            best[i + 1] = max(value[first + i] + best[place], best[i])
        i = last - first
        while i > 0:
            keep[first + i - 1] = use[i - 1]
            i = before[i - 1] if use[i - 1] else i - 1
        first = last
    return np.flatnonzero(keep)


def spelled(letters: Letters, word: Sequence[int]) -> tuple[str, ...]:
    """Return a word (its -1 left out) as patterns, dead hinges 0."""
    return letters.spell([int(letter) for letter in word if letter >= 0])
