"""Orbits that stay in a box along a word, for every network on a stretch of a line of weights: enclosures and sums that exclude them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.network import Piece
from proofs.theorems.elimination import inverse
from proofs.theorems.family import network_on
from proofs.theorems.lifted import chosen_rows, full_pattern
from proofs.theorems.word_path import lyndon_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network, Operation
    from proofs.parameters import Line
    from proofs.theorems.card import Application


_MOST_ENTRIES = 2**20


@dataclass(frozen=True, slots=True)
class Prefix:
    """Letters so far (a bit a live hinge), their longest Lyndon prefix, and boxes that hold z_1, z_2, .. and the point after them."""

    letters: tuple[str, ...]
    lyndon: int
    boxes: tuple[Matrix, ...]


@dataclass(frozen=True)
class Farkas:
    """Multipliers: ``gates`` (time, hinge) >= 0 of oriented pre-activations, ``states`` (time, state), ``back`` of z_1 = F(z_k)."""

    gates: Mapping[tuple[int, int], int]
    states: Mapping[tuple[int, int], int] = field(default_factory=dict)
    back: tuple[int, ...] = ()


class Cell:
    """All networks on a stretch of mu; ``corners``: those at both ends if pieces are affine in mu, else one network that holds them all.

    Letters are those of the ``live`` hinges; every point of an orbit lies in ``box``. **Guarantee:** enclosures, rounded to ``bits``.
    """

    def __init__(self, corners: Sequence[Network], live: tuple[int, ...], box: Matrix, bits: int) -> None:
        """Take over the stretch; pieces are computed when first asked for."""
        self.live, self.bits, self.size = live, bits, corners[0].dimension
        self.start = Prefix((), 0, (box,))
        self._corners, self._box = corners, box
        self._known: dict[str, list[Piece]] = {}

    def pieces(self, letters: str) -> list[Piece]:
        """Return the affine map for these bits of a letter in each corner; hinges behind the bits given are not decided."""
        if letters not in self._known:
            if len(self._known) * self.size * (self.size + len(self.live) + 2) > _MOST_ENTRIES:
                self._known.clear()
            pattern = full_pattern(self.live, letters.ljust(len(self.live), "0"), self._corners[0].hinges)
            self._known[letters] = [_rounded(network.piece(pattern), self.bits) for network in self._corners]
        return self._known[letters]

    def branches(self, prefix: Prefix, letters: str) -> list[tuple[Prefix, str]]:
        """Return the bits with one more (1 first), unless no necklace goes on so or the next pre-activation has the other sign on the box.

        A pre-activation of one state cuts the box off where it is 0.
        """
        hinge, point = self.live[len(letters)], prefix.boxes[-1]
        gates = [(chosen_rows(piece.gates, [hinge]), chosen_rows(piece.gate_offsets, [hinge])) for piece in self.pieces(letters)]
        signs = [(row @ point + constant).signs()[0] for row, constant in gates]
        open_bits = [("1", any(high >= 0 for _, high in signs)), ("0", any(low <= 0 for low, _ in signs))]
        found = [f"{letters}{bit}" for bit, holds in open_bits if holds and not _is_behind(prefix, f"{letters}{bit}")]
        return [(replace(prefix, boxes=(*prefix.boxes[:-1], _cut(point, gates, longer[-1]))), longer) for longer in found]

    def extended(self, prefix: Prefix, letter: str) -> Prefix | None:
        """Return the prefix with this letter; None if the image of its last box has no point in the box."""
        images = [piece.image(prefix.boxes[-1]).entries() for piece in self.pieces(letter)]
        ends = [
            (max(old.lo, min(new.lo for new in entry)), min(old.hi, max(new.hi for new in entry)))
            for old, *entry in zip(self._box.entries(), *images, strict=True)
        ]
        if any(low > high for low, high in ends):
            return None
        box = Matrix.intervals(Interval(low, high) for low, high in ends).rounded(self.bits)
        return Prefix((*prefix.letters, letter), lyndon_after(prefix.letters, prefix.lyndon, letter), (*prefix.boxes, box))

    def bound(self, prefix: Prefix, letters: str, farkas: Farkas) -> Fraction:
        """Bound sum l s (gate z_t + offset) + sum n_t (J_t z_t + h_t - z_(t+1)) from above over the boxes, in every corner.

        s = 1 for a letter 1 and -1 for a letter 0; n_k = ``back`` with z_(k+1) = z_1 (0 without); each other n_t is the rounded mean of
        what the later terms leave of z_(t+1), less its ``states``. An orbit that follows the letters has a sum >= 0.
        """
        word = (*prefix.letters, letters) if letters else prefix.letters
        back = Matrix.exact([[Fraction(value) for value in farkas.back or (0,) * self.size]])
        totals, ahead = [Matrix.exact([[Fraction(0)]])] * len(self._corners), back
        for time in range(len(word), 0, -1):
            pieces, weights = self.pieces(word[time - 1]), self._weights(farkas, time, word[time - 1])
            rows = [ahead @ piece.jacobian for piece in pieces]
            totals = [total + ahead @ piece.offset for total, piece in zip(totals, pieces, strict=True)]
            if weights is not None:
                rows = [row + weights @ piece.gates for row, piece in zip(rows, pieces, strict=True)]
                totals = [total + weights @ piece.gate_offsets for total, piece in zip(totals, pieces, strict=True)]
            kept = Matrix.exact([[Fraction(farkas.states.get((time, state), 0)) for state in range(1, self.size + 1)]])
            ahead = back if time == 1 else _mean(rows, self.bits) - kept
            left = [(row - ahead).rounded(self.bits) @ prefix.boxes[time - 1] for row in rows]
            totals = [(total + rest).rounded(self.bits) for total, rest in zip(totals, left, strict=True)]
        return max(total.interval(0).hi for total in totals)

    def _weights(self, farkas: Farkas, time: int, letters: str) -> Matrix | None:
        """Return the multipliers of the pre-activations at one time, with their signs; None if there are none."""
        signed = {
            hinge: farkas.gates.get((time, hinge + 1), 0) * (1 if bit == "1" else -1)
            for hinge, bit in zip(self.live, letters, strict=False)
        }
        if not any(signed.values()):
            return None
        return Matrix.exact([[Fraction(signed.get(hinge, 0)) for hinge in range(self._corners[0].hinges)]])


class Stretch:
    """One range of mu as a cell, and its equal parts."""

    def __init__(
        self, step: Application, line: Line, ends: tuple[Fraction, Fraction], live: tuple[int, ...], box: Matrix, bits: int
    ) -> None:
        """Take over the range; ``live`` hinges, ``box`` and ``bits`` are the cell's."""
        self._step, self._line, self._ends = step, line, ends
        self._rest = (live, box, bits)
        self.straight = is_affine(step.network, line.end)
        self.cell = Cell(
            [network_on(step, line, *pair, bits) for pair in ([(mu, mu) for mu in ends] if self.straight else [ends])], *self._rest
        )
        self._parts: dict[int, list[Cell]] = {}

    def parts(self, count: int) -> list[Cell]:
        """Return cells with one corner for ``count`` equal parts."""
        if count not in self._parts:
            low, width = self._ends[0], (self._ends[1] - self._ends[0]) / count
            spans = [(low + i * width, low + (i + 1) * width) for i in range(count)]
            self._parts[count] = [Cell([network_on(self._step, self._line, *span, self._rest[2])], *self._rest) for span in spans]
        return self._parts[count]


def is_regular(cell: Cell, word: Sequence[str]) -> bool:
    """Say whether I - J_k..J_1 is shown to be nonsingular in every network of a cell with one corner: |I - C (I - P)| < 1 for some C."""
    identity = Matrix.identity(cell.size)
    product = identity
    for letter in word:
        product = (cell.pieces(letter)[0].jacobian @ product).rounded(cell.bits)
    closing = (identity - product).rounded(cell.bits)
    found = inverse(closing)
    if found is None:
        return False
    near = _middle(found.rounded(cell.bits))
    return (identity - near @ closing).norm() < 1


def growth(network: Network) -> int:
    """Return the bits before the point by which one step can lengthen a number."""
    matrices = [m for operation in network.program for m in (*operation.matrices, operation.bias) if m is not None]
    largest = max((int(m.norm()).bit_length() for m in matrices), default=0)
    return largest * sum(operation.name == "affine" for operation in network.program)


def is_affine(one: Network, two: Network) -> bool:
    """Say whether, along any letters, image and pre-activations are affine in mu on the straight line of weights between the networks."""
    degrees = [0]
    for a, b in zip(one.program, two.program, strict=True):
        degrees.append(_degree(a, b, [degrees[i] for i in a.of]))
    return max(degrees) <= 1


def _degree(one: Operation, two: Operation, inputs: list[int]) -> int:
    if one.bias is None:
        return max(inputs)
    moving = (degree + (a != b) for a, b, degree in zip(one.matrices, two.matrices, inputs, strict=True))
    return max(int(one.bias != two.bias), *moving)


def _cut(box: Matrix, gates: list[tuple[Matrix, Matrix]], bit: str) -> Matrix:
    """Return the box without the points at which a pre-activation of one state, exact and the same in all corners, has the other sign."""
    row, constant = gates[0]
    states = [state for state, value in enumerate(row.mid[0]) if value]
    if any(gate != gates[0] for gate in gates) or not row.is_exact or not constant.is_exact or len(states) != 1:
        return box
    slope, entries = row.middle(0, states[0]), box.entries()
    border, old = -constant.middle(0) / slope, entries[states[0]]
    if (slope > 0) == (bit == "1"):
        entries[states[0]] = Interval(min(max(old.lo, border), old.hi), old.hi)
    else:
        entries[states[0]] = Interval(old.lo, max(min(old.hi, border), old.lo))
    return Matrix.intervals(entries)


def _is_behind(prefix: Prefix, letters: str) -> bool:
    """Say whether every letter that starts with these bits ends all hope of a necklace."""
    return bool(prefix.letters) and letters < prefix.letters[len(prefix.letters) - prefix.lyndon][: len(letters)]


def _mean(rows: list[Matrix], bits: int) -> Matrix:
    """Return an exact row near the mean of the middles."""
    total = _middle(rows[0])
    for row in rows[1:]:
        total = total + _middle(row)
    return _middle(total.times(Fraction(1, len(rows))).rounded(bits))


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)


def _rounded(piece: Piece, bits: int) -> Piece:
    return Piece(*(part.rounded(bits) for part in (piece.jacobian, piece.offset, piece.gates, piece.gate_offsets)))
