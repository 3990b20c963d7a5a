"""E4 ``cycles_on``. All cycles in a box up to a period, for every network on a stretch of a line of weights.

Statement   for every mu in [low, high] each cycle of F_mu of least period k <= K all of whose points lie in the box follows, up to
            rotation, a listed or residual word of length k (letter 1: a >= 0, 0: a <= 0, ?: any); a listed one is followed by one at most.
Witness     cites a line; up_to: K (1 to 64); box: [lower ends, upper ends]; breaks: m_0 < .. < m_n; bits; cells, for each [m_i, m_(i+1)] a
            list of the nodes of a tree of words in preorder. A word grows by bits, one a live hinge, bit 1 before bit 0; each bit that is
            open has a node, a bit that is not (check 2) has none: 1 (go on) or an object farkas. After the last bit of a letter, if the
            letters are a necklace and the image is not lost, a node says how the word closes: n > 0 (regular on n equal parts, at most
            1024), 0 (residual) or an object farkas; then come the bits of the next letter, up to K letters. Necklace: the least of its
            rotations, letters compared as strings of bits; powers are necklaces.
            farkas: gates [time, hinge, l, ..] (from 1, all hinges counted, l >= 0), optional states [time, state, b, ..]
            (only those at times 2 to k count), back [b_1, .., b_M] (when closing only; 0 without it); integers of at most 10^18.
Checks      1  piecewise linear; the breaks lie on the line; low <= high in the box; hinges whose output reaches F in no network are "?"
            2  nodes are neither missing nor left over. A bit is not open if the letters so far, the rest of it filled with 1, begin no
               necklace of any length, or if the pre-activation has strictly the other sign on the box around z_t. That box: the stated one
               for z_1; then its image, cut with the stated one (an empty one loses the word); and cut at 0 of each decided pre-activation
               that reads one state, without a radius and the same all along the cell. Signs and images: the hull of those at both ends
               of the cell if the pieces are affine in mu, else by intervals
            3  farkas: sum l s (gate z_t + offset) + sum n_t (J_t z_t + h_t - z_(t+1)) is >= 0 on such an orbit (s = 1 for letter 1, -1 for
               0; z_(k+1) = z_1 when closing) and is shown < 0 for all z_t in their boxes and all networks, at both ends of the cell if
               the pieces are affine in mu, else by intervals. n_k = back; each other n_t is the coefficient that the later terms leave
               at z_(t+1), at the middle and rounded, less its b; what is left is bounded by the box around z_(t+1)
            4  n > 0: |I - C (I - P)| < 1 on each part, C the inverse of the middle of the interval matrix I - P: one solution at most, so
               no further cycle if the word is a power (listed if not); a word that is residual in some cell is residual
Fails when  a cell is too wide for its multipliers; a word is singular and not excluded in the box (residual then).
Rests on    Farkas' lemma.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.parameters import CyclesOn, Line
from proofs.reader import Fields, read_list
from proofs.theorems.card import Application
from proofs.theorems.family import network_on, require_range
from proofs.theorems.lifted import live_hinges
from proofs.theorems.path_cells import Farkas, Prefix, Stretch, growth, is_regular

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.theorems.parts import Word

MAX_UP_TO = 64
MAX_PARTS = 1024
MAX_INTEGER = 10**18


def check(step: Application) -> CyclesOn:
    """Verify one application; see the card above."""
    line = step.cite(Line)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    up_to, bits = step.witness.integer("up_to", 1, MAX_UP_TO), step.needed_bits()
    breaks, ends = step.witness.numbers("breaks"), step.witness.table("box")
    step.require(1, len(breaks) > 1, "two breaks or more", len(breaks))
    step.require_short_column(1, breaks)
    for low, high in pairwise(breaks):
        require_range(step, line, 1, low, high)
    box = _box(step, ends)
    live = live_hinges(network_on(step, line, breaks[0], breaks[-1], None))
    trees = step.witness.items("cells")
    step.require(2, len(trees) == len(breaks) - 1, f"{len(breaks) - 1} cells", len(trees))
    names = [f"{step.witness.where}, field cells[{number}]" for number in range(len(trees))]
    nodes = [read_list(tree, where) for tree, where in zip(trees, names, strict=True)]
    _require_work(step, nodes, up_to, bits, max(growth(step.network), growth(line.end)))
    walks = []
    for tree, where, stretch in zip(nodes, names, pairwise(breaks), strict=True):
        walks.append(_Walk(step, tree, where, Stretch(step, line, stretch, live, box, bits), up_to))
        walks[-1].run()
    residual = {word for walk in walks for word in walk.residual}
    words = {word for walk in walks for word in walk.words} - residual
    named = [_named(step, live, part) for part in (words, residual)]
    return CyclesOn(line.end.digest, line.at, breaks[0], breaks[-1], up_to, ends[0], ends[1], named[0], named[1])


class _Walk:
    """The walk through the tree of one cell."""

    def __init__(self, step: Application, nodes: list[object], where: str, stretch: Stretch, up_to: int) -> None:
        self._step, self._nodes, self._where, self._stretch, self._up_to = step, nodes, where, stretch, up_to
        self._cell, self._width, self._used = stretch.cell, len(stretch.cell.live), 0
        self.words: set[Word] = set()
        self.residual: set[Word] = set()

    def run(self) -> None:
        """Visit all nodes."""
        pending = self._below(self._cell.start)
        while pending:
            prefix, letters = pending.pop()
            if self._width:
                told = self._node()
                if type(told) is not int or told != 1:
                    self._excluded(told, prefix, letters)
                    continue
            if len(letters) < self._width:
                pending += reversed(self._cell.branches(prefix, letters))
                continue
            whole = self._cell.extended(prefix, letters)
            if whole is not None:
                self._close(whole)
                pending += self._below(whole)
        left = len(self._nodes) - self._used
        self._step.require(2, left == 0, "no node left over", left)

    def _below(self, prefix: Prefix) -> list[tuple[Prefix, str]]:
        """Return the first bits of the next letter, the last one first."""
        if len(prefix.letters) == self._up_to:
            return []
        return self._cell.branches(prefix, "")[::-1] if self._width else [(prefix, "")]

    def _node(self) -> object:
        if self._used == len(self._nodes):
            raise self._misread("a node for every word that is open", "none left")
        self._used += 1
        return self._nodes[self._used - 1]

    def _close(self, prefix: Prefix) -> None:
        """Read how a necklace closes."""
        length = len(prefix.letters)
        if length % prefix.lyndon:
            return
        told = self._node()
        if type(told) is not int:
            self._excluded(told, prefix, "")
        elif told == 0:
            self.residual.add(prefix.letters)
        else:
            self._step.require(4, 0 < told <= MAX_PARTS, f"1 to {MAX_PARTS} parts", told)
            regular = all(is_regular(part, prefix.letters) for part in self._stretch.parts(told))
            self._step.require(
                4, regular, lambda: f"I - P nonsingular all along the cell for {' '.join(prefix.letters)}", "it may be singular"
            )
            if prefix.lyndon == length:
                self.words.add(prefix.letters)

    def _excluded(self, told: object, prefix: Prefix, letters: str) -> None:
        """Require that these multipliers exclude the word; ``letters`` are the bits of a letter begun, none if the word closes."""
        if not isinstance(told, dict):
            raise self._misread('1, an object with "gates", or at a closing word a number of parts', told)
        fields = Fields(told, f"{self._where}, node {self._used}")
        gates = self._triples(fields, "gates", 0)
        states = self._triples(fields, "states", -MAX_INTEGER)
        back = fields.integers("back", -MAX_INTEGER, MAX_INTEGER) if fields.has("back") else ()
        fields.close()
        fits = len(back) in ({0} if letters else {0, self._cell.size})
        self._step.require(3, fits, "as many numbers back as states, where a word closes", len(back))
        word = (*prefix.letters, letters) if letters else prefix.letters
        decided = {(time, hinge + 1) for time, bits in enumerate(word, 1) for hinge, _ in zip(self._cell.live, bits, strict=False)}
        self._step.require(3, gates.keys() <= decided, "hinges that this word decides", lambda: sorted(gates.keys() - decided))
        top = self._cell.bound(prefix, letters, Farkas(gates, states, back))
        self._step.require(3, top < 0, lambda: f"a sum < 0 that excludes {' '.join(word)}", lambda: f"one that may reach {top}")

    def _triples(self, fields: Fields, name: str, least: int) -> dict[tuple[int, int], int]:
        values = fields.integers(name, least, MAX_INTEGER) if name == "gates" or fields.has(name) else ()
        if len(values) % 3:
            raise self._misread(f"{name} in threes: time, number, multiplier", len(values))
        return {(values[i], values[i + 1]): values[i + 2] for i in range(0, len(values), 3)}

    def _misread(self, expected: str, got: object) -> Malformed:
        return Malformed(where=self._where, law="tree of words", expected=expected, got=str(got)[:200])


def _box(step: Application, ends: tuple[tuple[Fraction, ...], ...]) -> Matrix:
    fits = len(ends) == 2 and all(len(part) == step.network.dimension for part in ends)  # noqa: PLR2004 - lower and upper ends
    step.require(1, fits, f"two vectors of {step.network.dimension} ends", [len(part) for part in ends])
    step.require_short_column(1, [*ends[0], *ends[1]])
    step.require(1, all(low <= high for low, high in zip(*ends, strict=True)), "lower ends <= upper ends", ends)
    return Matrix.intervals(Interval(low, high) for low, high in zip(*ends, strict=True))


def _require_work(step: Application, trees: list[list[object]], up_to: int, bits: int, growth: int) -> None:
    """Refuse trees that take too long: pieces and sums for each node, products and an inverse for each part of a cell."""
    size, pieces = step.network.dimension, 2 * step.network.products
    count = sum(map(len, trees)) + len(trees)
    longest = bits + up_to * growth
    step.require_work(2, 2 * count * (pieces + up_to * size * (size + step.network.hinges)), longest)
    parts = sum(told for tree in trees for told in tree if type(told) is int and told > 0)
    step.require_work(4, parts * (pieces + (up_to + 3) * size**3), longest * size // 8)


def _named(step: Application, live: tuple[int, ...], words: set[Word]) -> tuple[Word, ...]:
    """Spell words over all hinges, ? where no network depends on the letter, in order."""
    spelled = []
    for word in sorted(words, key=lambda word: (len(word), word)):
        letters = [dict(zip(live, letter, strict=True)) for letter in word]
        spelled.append(tuple("".join(chosen.get(hinge, "?") for hinge in range(step.network.hinges)) for chosen in letters))
    return tuple(spelled)
