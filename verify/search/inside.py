"""The words that orbits of a region follow, length after length, and the shortest words that none follows, each with its certificate.

Regions of patterns are closed here: bit 1 means a >= 0, bit 0 means a <= 0. A word that is excluded so is excluded strictly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from proofs.network import Network
from proofs.theorems.word_path import WordPath, Words
from verify.numerics.polyhedra import Polyhedron, Row

Rows = tuple[int, ...]


@dataclass(frozen=True)
class Inside:
    """All words of ``length`` letters that some orbit in the region follows (bits of live hinges), and all shortest ones that none does.

    ``forbidden``: bits, the last letter perhaps cut short, with rows that exclude each other; row t H + j is live hinge j at time t, row
    -(f + 1) facet f of the region at time 0. **Guarantee:** exact.
    """

    length: int
    words: tuple[str, ...]
    forbidden: dict[str, Rows]


def words_inside(network: Network, facets: Sequence[Row], most: int, deadline: float) -> Iterator[Inside]:
    """Yield the words of 1, 2, 3, .. letters inside a region that F maps into itself (no facets: all states); stop beyond ``most``.

    **Cost:** an exact linear program a word, most of them one pivot from that of the word before.
    """
    search = _Search(network, tuple(facets))
    while search.longer(most, deadline):
        yield search.found()


class _Search:
    """The words of one length, each with the polyhedron of the states that follow it."""

    def __init__(self, network: Network, facets: tuple[Row, ...]) -> None:
        self._words = Words(network)
        self._width = len(self._words.live)
        self._facets = len(facets)
        region = Polyhedron.whole(network.dimension).cut_by(facets)
        self._cells: dict[str, tuple[WordPath, Polyhedron]] = {}
        if isinstance(region, Polyhedron):
            self._cells[""] = self._words.start, region
        self._begun: set[str] | None = None  # beginnings of the words of this length; None: all
        self._forbidden: dict[str, Rows] = {}
        self._length = 0

    def found(self) -> Inside:
        """Return what is known of this length."""
        return Inside(self._length, tuple(self._cells), dict(self._forbidden))

    def longer(self, most: int, deadline: float) -> bool:
        """Go one letter further; False where that is too much."""
        cells: dict[str, tuple[WordPath, Polyhedron]] = {}
        forbidden: dict[str, Rows] = {}
        for word, (path, cell) in self._cells.items():
            for letter, narrower in self._letters(word, path, cell, forbidden):
                rows = tuple(self._words.row(path, letter[:i], bit) for i, bit in enumerate(letter))
                cells[word + letter] = self._words.extended(path, letter, rows), narrower
            if len(cells) > most or monotonic() > deadline:
                return False
        self._cells, self._length = cells, self._length + 1
        self._forbidden |= forbidden
        self._begun = {word[:i] for word in cells for i in range(1, len(word) + 1)}
        return bool(cells)

    def _letters(self, word: str, path: WordPath, cell: Polyhedron, forbidden: dict[str, Rows]) -> Iterator[tuple[str, Polyhedron]]:
        pending = [("", cell)]
        while pending:
            bits, here = pending.pop()
            if len(bits) == self._width:
                yield bits, here
                continue
            for bit in "10":
                longer = bits + bit
                if self._length and self._begun is not None and (word + longer)[self._width :] not in self._begun:
                    continue
                cut = here.cut((self._words.row(path, bits, bit)[0], False))
                if isinstance(cut, Polyhedron):
                    pending.append((longer, cut))
                else:
                    forbidden[word + longer] = tuple(sorted(row - self._facets if row >= self._facets else -(row + 1) for row in cut))
