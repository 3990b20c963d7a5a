"""A4 ``forbidden_words``. No orbit follows any of these words.

Statement   no point of R^M (of the cited region K) has an itinerary that starts with one of the words. Half-open patterns: bit 1 means
            a >= 0, bit 0 means a < 0, one bit a live hinge and time, time after time; the last letter may be cut short.
Cites       optionally C2: a box or polytope K.
Witness     words: [word, row, row, ..] each; row t H + j is that of live hinge j at time t, row -(f + 1) is facet f of K at time 0.
Checks      1  exact weights, piecewise linear, at most 32 states; words of 1 to 4,096 bits
            2  the rows' one linear dependency is positive and sums them to a constant < 0, or to 0 with a strict row among them
Fails when  some point follows the word; numbers grow beyond 131,072 bits.
Rests on    Farkas' lemma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.reader import read_list
from proofs.space import TrappingBox, TrappingPolytope
from proofs.theorems.card import Application
from proofs.theorems.parts import ForbiddenWords
from proofs.theorems.word_path import Words, excludes, facet_rows

if TYPE_CHECKING:
    from proofs.theorems.word_path import Row, WordPath

MAX_STATES = 32
MAX_DEPTH = 4096


def check(step: Application) -> ForbiddenWords:
    """Verify one application; see the card above."""
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    region = step.cite(TrappingBox, TrappingPolytope) if step.citations_left else None
    facets = () if region is None else facet_rows(region)
    paths = Paths(step)
    words: dict[str, bool] = {}
    where = f"{step.witness.where}, field words"
    for entry in step.witness.items("words"):
        word, *rows = read_list(entry, where) or [None]
        if not isinstance(word, str) or not 1 <= len(word) <= MAX_DEPTH or set(word) - {"0", "1"}:
            raise Malformed(
                where=where, law="forbidden words", expected=f"1 to {MAX_DEPTH} letters 0 or 1, then rows", got=str(entry)[:200]
            )
        step.require(1, paths.width > 0, "a live hinge for every bit", "none")
        chosen = _chosen(paths.rows(word), facets, rows, where)
        step.require(2, excludes(chosen), ("rows that exclude the word", word), rows)
        words[word] = words.get(word, False) or excludes([(form, False) for form, _ in chosen])
    return ForbiddenWords(frozenset(words), frozenset(word for word, closed in words.items() if closed), region)


class Paths:
    """Exact paths along words, sharing what a word has in common with the one before."""

    def __init__(self, step: Application) -> None:
        """Start with the empty word."""
        self._step = step
        self._words = Words(step.network)
        self._known = [self._words.start]
        self.width = len(self._words.live)

    def along(self, letters: list[str] | tuple[str, ...]) -> WordPath:
        """Return the path along whole letters. **Raises:** Rejected where its numbers grow too long."""
        shared = 0
        last = self._known[-1].letters
        while shared < min(len(letters), len(last)) and letters[shared] == last[shared]:
            shared += 1
        del self._known[shared + 1 :]
        for letter in letters[shared:]:
            path = self._known[-1]
            longer = self._words.extended(path, letter, self._begun(path, letter))
            self._step.require_short_entries(2, Matrix(longer.map, None, 1))
            self._known.append(longer)
        return self._known[-1]

    def rows(self, word: str) -> tuple[Row, ...]:
        """Return the rows of a word of bits, the last letter of which may be cut short."""
        whole = len(word) - len(word) % self.width
        path = self.along([word[i : i + self.width] for i in range(0, whole, self.width)])
        return (*path.rows, *self._begun(path, word[whole:]))

    def _begun(self, path: WordPath, letter: str) -> tuple[Row, ...]:
        return tuple(self._words.row(path, letter[:i], bit) for i, bit in enumerate(letter))


def _chosen(rows: tuple[Row, ...], facets: tuple[Row, ...], indices: list[object], where: str) -> list[Row]:
    known = [i for i in indices if type(i) is int and -len(facets) <= i < len(rows)]
    if len(known) < len(indices) or len(indices) > MAX_STATES + 1:
        expected = f"at most {MAX_STATES + 1} rows from {-len(facets)} to {len(rows) - 1}"
        raise Malformed(where=where, law="forbidden words", expected=expected, got=str(indices)[:200])
    return [rows[i] if i >= 0 else facets[-i - 1] for i in known]
