"""Completeness by the tree of words: one tree for all periods, a letter a step.

What the certificate holds of the tree is the words that no orbit follows (its leaves, cut down to what their rows speak of) and what is
told of singular closed words; the checker finds its own way through all words that are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.reader import Fields, read_list
from proofs.theorems.lifted import live_hinges
from proofs.theorems.word_path import Words
from verify.certification.chunks import Chunk, Leaf, misread, read_task, spelled_task
from verify.certification.factors import avoiding, minimal
from verify.certification.residues import word_path
from verify.certification.stream import Numbering
from verify.certification.survey import Survey, some
from verify.numerics.balls import det_sign
from verify.search import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proofs.network import Network
    from verify.certification.chunks import Task, Word
    from verify.certification.farm import Grower
    from verify.certification.ledger import Ledger
    from verify.certification.stream import Step

ROOT = spelled_task([])
_PLANAR_NODES, _NODES = 50_000, 2_000
_WORDS_A_STEP = 5_000
_MOST_LETTERS = 40


@dataclass
class WordProof:
    """A proof by words in the making; the ledger holds its tree."""

    network: Network
    up_to: int
    ledger: Ledger
    _told: list[Step] = field(default_factory=list)

    def grow(self, farm: Callable[[Grower, list[Task]], str]) -> str:
        """Grow what the ledger lacks; return why it ended."""
        return farm(WordGrower(self.network, self.up_to, self.ledger.question.limit), [ROOT])

    def survey(self) -> Survey:
        """Go through the ledger: cycles by period, residual words, what is open."""
        leaves: list[Leaf] = []
        forbidden: dict[str, tuple[int, ...]] = {}
        singular: dict[Word, object] = {}
        for task in self.ledger.in_order(ROOT):
            chunk = self.ledger.chunk(task)
            leaves += chunk.leaves
            for word, rows, told in _read_nodes(chunk):
                if told is None:
                    forbidden.setdefault(word[0], rows)
                else:
                    singular[word] = told
        width = len(live_hinges(self.network))
        kept = minimal(forbidden, width)
        met = avoiding(singular, kept, width)
        told_of = {word: told for word, told in singular.items() if word in met}
        self._told = list(_steps(self.up_to, kept, told_of))
        residual = (word for word, told in told_of.items() if told == "residual")
        leaves.sort(key=lambda leaf: (len(leaf.word), leaf.word))
        explored = sum(entry.explored for entry in self.ledger.done.values())
        return Survey(leaves, tuple(sorted(residual, key=lambda word: (len(word), word))), self._unresolved(), explored)

    def steps(self, numbering: Numbering, numbers: Mapping[Word, int]) -> Iterator[Step]:
        """Yield the steps of the surveyed tree: forbidden words, some thousands a step, and the count of what avoids them."""
        del numbers
        cites = [numbering.next() for _ in self._told[:-1]]
        yield from self._told[:-1]
        name, _, witness = self._told[-1]
        numbering.next()
        yield name, tuple(cites), witness

    def _unresolved(self) -> list[str]:
        open_words = [_shown(tuple(map(str, read_task(task, 0)))) for task in self.ledger.pending([ROOT])]
        texts = [text for entry in self.ledger.done.values() for text in entry.unresolved]
        named = some("subtrees of words are not explored, by what they begin with", open_words)
        return named + some("words are not settled", texts)


def chunk_limit(network: Network) -> int:
    """Return how many nodes a chunk has: a second of work or so, whatever the machine."""
    return _PLANAR_NODES if network.dimension == 2 else _NODES  # noqa: PLR2004 - a plane


@dataclass(frozen=True)
class WordGrower:
    """Grows the tree of words, ``limit`` nodes a chunk."""

    network: Network
    up_to: int
    limit: int

    def grow(self, task: Task, deadline: float | None) -> Chunk:
        """Grow one chunk below a word."""
        start = words.WordTask(self.up_to, tuple(map(str, read_task(task, 0))))
        grown = words.grow(self.network, start, self.limit, deadline)
        points = dict(grown.pinned)
        return Chunk(
            task,
            [{"forbidden": _spelled(grown, len(self._words.live)), "singular": [_told(word, told) for word, told in grown.singular]}],
            tuple(spelled_task(list(part.prefix)) for part in grown.subtasks),
            tuple(self._leaf(word, points.get(word)) for word in grown.words),
            (),
            grown.nodes,
            tuple(f"word {_shown(word)}: {reason}" for word, reason in grown.unresolved),
        )

    def _leaf(self, word: Word, point: tuple[Fraction, ...] | None) -> Leaf:
        """Return the leaf of a word with the signs of det(I - P) and det(I + P), and its point if borders pin it down."""
        path = word_path(self._words, word)
        product = Matrix(tuple(row[:-1] for row in path.map[:-1]), None, path.map[-1][-1])
        identity = Matrix.identity(self.network.dimension)
        return Leaf(word, (det_sign(identity - product), det_sign(identity + product)), point)

    @cached_property
    def _words(self) -> Words:
        return Words(self.network)


def _spelled(grown: words.WordChunk, width: int) -> list[object]:
    return [[word, *rows] for word, rows in minimal(grown.forbidden, width).items()]


def _told(word: Word, told: object) -> dict[str, object]:
    return {"word": list(word), "told": told}


def _steps(up_to: int, forbidden: Mapping[str, tuple[int, ...]], singular: Mapping[Word, object]) -> Iterator[Step]:
    """Yield the steps without citations."""
    kept = [[word, *rows] for word, rows in forbidden.items()]
    for start in range(0, len(kept), _WORDS_A_STEP):
        yield "forbidden_words", (), {"words": kept[start : start + _WORDS_A_STEP]}
    yield "necklaces", (), {"up_to": up_to, "singular": [_told(word, told) for word, told in singular.items()]}


def _read_nodes(chunk: Chunk) -> Iterator[tuple[Word, tuple[int, ...], object]]:
    """Yield forbidden words (as one letter) with their rows, then singular words with what is told of them. **Raises:** Malformed."""
    fields = Fields(chunk.nodes[0] if chunk.nodes else None, f"chunk {chunk.task}")
    for entry in fields.items("forbidden"):
        word, *rows = read_list(entry, fields.where) or [None]
        whole = tuple(row for row in rows if type(row) is int)
        if not isinstance(word, str) or not word or len(whole) < len(rows):
            raise misread(str(entry))
        yield (word,), whole, None
    for part in fields.objects("singular"):
        yield part.texts("word"), (), part.raw("told")


def _shown(word: Word) -> str:
    if not any(word):
        return f"{len(word)} letters without bits" if word else "the empty word"
    return " ".join(word[:_MOST_LETTERS]) + (f" ... ({len(word)} letters)" if len(word) > _MOST_LETTERS else "")
