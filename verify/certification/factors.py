"""Which forbidden words are needed: those that contain no other one. An automaton over all of them makes that linear in their length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.certification.chunks import Word

    Rows = tuple[int, ...]


def minimal(forbidden: Mapping[str, Rows], width: int) -> dict[str, Rows]:
    """Keep the words of bits that contain no other one, a letter's start at a letter's start (``width`` bits a letter); sorted.

    **Guarantee:** exact: what avoids the words kept avoids all of them.

    >>> minimal({"0110": (), "11": (), "100": ()}, 1)
    {'100': (), '11': ()}
    """
    words = sorted(forbidden)
    factors = Factors(words, width)
    return {word: forbidden[word] for word in words if not factors.occur_inside(word)}


def avoiding(words: Iterable[Word], forbidden: Iterable[str], width: int) -> set[Word]:
    """Return the closed words w for which w w contains no forbidden word. **Guarantee:** exact."""
    factors = Factors(forbidden, width)
    return {word for word in words if not factors.occur_in("".join(word * 2))}


class Factors:
    """An automaton that finds words of bits whose occurrences begin where letters begin.

    Node 0 is the empty word. ``_links``: the longest proper suffix that begins where a letter begins and is the beginning of a word, -1 if
    there is none (within a letter); ``_ends``: whether a node is a word, or a word is such a suffix of it.

    **See:** Aho and Corasick 1975, Efficient string matching (CACM 18, 333-340).
    """

    def __init__(self, words: Iterable[str], width: int) -> None:
        """Plant the words, then link every node to its suffix."""
        self._width = max(1, width)
        self._below: tuple[list[int], list[int]] = ([0], [0])
        self._ends = bytearray(1)
        for word in words:
            self._plant(word)
        self._links = [-1] * len(self._ends)
        self._link()

    def occur_in(self, text: str) -> bool:
        """Say whether some word occurs in a text that begins with a letter."""
        node = 0
        for place, bit in enumerate(text):
            node = self._step(node, bit == "1", place)
            if node >= 0 and self._ends[node]:
                return True
        return False

    def occur_inside(self, word: str) -> bool:
        """Say whether some other word occurs in one of the words."""
        if self.occur_in(word[:-1]):
            return True
        node = 0
        for bit in word:
            node = self._below[bit == "1"][node]
        return self._links[node] >= 0 and bool(self._ends[self._links[node]])

    def _plant(self, word: str) -> None:
        node = 0
        for bit in word:
            below = self._below[bit == "1"]
            if not below[node]:
                below[node] = len(self._ends)
                self._below[0].append(0)
                self._below[1].append(0)
                self._ends.append(0)
            node = below[node]
        self._ends[node] = 1

    def _link(self) -> None:
        queue = [(0, 0)]
        for node, depth in queue:
            for bit in (False, True):
                child = self._below[bit][node]
                if child:
                    link = self._step(self._links[node], bit, depth)
                    self._links[child] = link
                    if link >= 0 and self._ends[link]:
                        self._ends[child] = 1
                    queue.append((child, depth + 1))

    def _step(self, node: int, bit: bool, place: int) -> int:
        """Return the node after one bit more, ``place`` bits having been read."""
        below = self._below[bit]
        while node >= 0:
            if below[node]:
                return below[node]
            node = self._links[node]
        return -1 if (place + 1) % self._width else 0
