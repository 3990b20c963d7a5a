"""Which cycles meet at a border collision: words made of the colliding word and of the same word with the colliding letter turned."""

from __future__ import annotations

from itertools import chain, combinations, product
from typing import TYPE_CHECKING

import numpy as np

from verify.itineraries import root_length, rotated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from verify.events import Word
    from verify.numerics.events_crossings import Crossing
    from verify.numerics.rational_paths import Pieces, WordEquations

MOST_BLOCKS = 6  # copies of the colliding word in a partner


class Partners:
    """The partners of single collisions, kept."""

    def __init__(self, pieces: Pieces, up_to: int) -> None:
        self.pieces, self.up_to = pieces, up_to
        self._known: dict[tuple[Word, Crossing], tuple[tuple[Word, Fraction], ...]] = {}

    def of(self, word: Word, crossing: Crossing) -> tuple[tuple[Word, Fraction], ...]:
        """Return the words that follow a cycle on one side of a collision of one unit at one time and meet ``word`` there, with such a mu.

        A partner's equations are regular at the collision, so that its points are there those of ``word``, repeated.
        **Guarantee:** exact at both ends of the crossing, heuristic in between. **Cost:** two exact values a candidate, at most 23.
        """
        key = word, crossing
        if key not in self._known:
            self._known[key] = tuple(self._meeting(word, crossing))
        return self._known[key]

    def _meeting(self, word: Word, crossing: Crossing) -> Iterator[tuple[Word, Fraction]]:
        zero = crossing.zeros[0]
        path = self.pieces.path
        for partner in _blocks(word, flipped(word, [(zero.time, zero.unit)]), max(1, min(self.up_to // len(word), MOST_BLOCKS))):
            equations = self.pieces.word(partner)
            low, high = (equations.at(mu) for mu in (crossing.low, crossing.high))
            if low.one * high.one > 0:
                sides = [mu for mu, values in ((crossing.low, low), (crossing.high, high)) if values.follows(partner)]
                if sides and path.low <= sides[0] <= path.high:
                    yield partner, sides[0]


def flipped(word: Word, places: Iterable[tuple[int, int]]) -> Word:
    """Return a word with the digits at some (time, unit), from 1, turned.

    >>> flipped(("01", "10"), [(2, 1)])
    ('01', '00')
    """
    table = [list(letter) for letter in word]
    for time, unit in places:
        table[time - 1][unit - 1] = "1" if table[time - 1][unit - 1] == "0" else "0"
    return tuple("".join(letter) for letter in table)


def doubled(equations: WordEquations, mu: Fraction) -> Word:
    """Return the word of period 2 k whose cycle leaves the cycle of a word where that has the multiplier -1, near mu.

    There z_t + s v_t, v the eigenvector, is a segment of points of period 2 k. It ends where the first pre-activation vanishes, and there
    the new cycle starts: one digit of the repeated word turned. **Guarantee:** heuristic (floats).
    """
    mus = np.array([float(mu)])
    size, word = equations.pieces.dimension, equations.word
    gates = equations.floats(mus)[0][0]
    blocks = [equations.pieces.floats(letter, mus)[0] for letter in word]
    total = np.eye(size)
    for block in blocks:
        total = block[:size, :size] @ total
    vector = np.linalg.svd(total + np.eye(size))[2][-1]
    best, place = np.inf, (1, 1)
    for time, block in enumerate(blocks, 1):
        pull = block[size:, :size] @ vector
        with np.errstate(divide="ignore", invalid="ignore"):
            lengths = np.where(pull != 0, np.abs(gates[time - 1] / pull), np.inf)
        if len(lengths) and lengths.min() < best:
            best, place = float(lengths.min()), (time, int(lengths.argmin()) + 1)
        vector = block[:size, :size] @ vector
    return flipped((*word, *word), [place])


def subsets(places: Sequence[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield the subsets with at least one member."""
    return chain.from_iterable(combinations(places, size) for size in range(1, len(places) + 1))


def _blocks(word: Word, other: Word, most: int) -> list[Word]:
    """Return the primitive words of up to ``most`` blocks, each one of two, but for the first of the two itself; least rotations."""
    found: dict[Word, None] = {}
    for size in range(1, most + 1):
        for choice in product((word, other), repeat=size):
            whole = tuple(chain.from_iterable(choice))
            if root_length(whole) == len(whole) and (name := rotated(whole)) != word:
                found[name] = None
    return list(found)
