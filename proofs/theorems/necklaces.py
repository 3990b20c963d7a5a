"""A4 ``necklaces``. Every cycle up to a period, counted by its itinerary.

Statement   F has exactly these numbers of cycles of least period 1..K, and no others; where residual polyhedra are named, at least these
            numbers, and any others consist of points of those polyhedra.
            Half-open patterns (1 means a >= 0, 0 means a < 0; one bit a live hinge), so each orbit has one itinerary, borders included.
Witness     cites forbidden_words; up_to: K; singular: objects with a word (its letters) and what is told of it: "residual",
            {"empty": rows} or {"tight": rows}; rows past the word's own are the closing equations.
Checks      1  exact weights, piecewise linear, at most 32 states, at most 4,096 bits in K letters
            2  every necklace (word no rotation of which is smaller) of at most K letters without a forbidden word is visited, letter by
               letter; a word that starts no necklace, or contains a forbidden word, is given up (at most 2^24 beginnings, 2^21 bits)
            3  a necklace w with a forbidden word in w w has no cycle. Else its closing equations (I - P) z = q are solved: if the word
               is primitive and the one solution follows it, that is one cycle. (The one solution of a power is that of its root.)
               The squares of length times (states + 1) sum to at most 2^32
            4  singular equations, empty: the rows' one dependency, positive on the word's own, sums them to a constant < 0, or 0 with a
               strict row; tight: it sums them to 0 identically without one, so these rows vanish, and they and the equations have one
               solution, treated as in 3
            5  each word is told of once, and met
Fails when  a forbidden word is missing, so that too many words are visited; a singular word is not told of.
Rests on    Farkas' lemma; Fredricksen, Kessler and Maiorana: the prefixes of necklaces (Ruskey, Savage and Wang 1992).
"""

from __future__ import annotations

from collections import Counter

from proofs.claims import CycleCounts
from proofs.errors import Malformed
from proofs.reader import Fields, read_list
from proofs.theorems.automaton import Avoider, State
from proofs.theorems.card import Application
from proofs.theorems.forbidden_words import MAX_DEPTH, MAX_STATES, Paths
from proofs.theorems.parts import ForbiddenWords
from proofs.theorems.word_path import WordPath, excludes_closed, lyndon_after, tight_solution

MAX_NODES = 2**24
MAX_BITS = 2**21
MAX_WORK = 2**32


def check(step: Application) -> CycleCounts:
    """Verify one application; see the card above."""
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    forbidden: set[str] = set()
    while step.citations_left:
        words = step.cite(ForbiddenWords)
        step.require(2, words.inside is None, "words that no orbit of R^M follows", "words of a region")
        forbidden |= words.words
    size = sum(map(len, forbidden))
    step.require(2, size <= MAX_BITS, f"forbidden words of at most {MAX_BITS} bits in all", size)
    walk = _Walk(step, forbidden)
    walk.run()
    counts = tuple(walk.counts[n] for n in range(1, walk.up_to + 1))
    return CycleCounts(walk.up_to, counts, tuple(sorted(walk.residual, key=lambda word: (len(word), word))))


class _Walk:
    """The walk through all words without a forbidden one that may start a necklace."""

    def __init__(self, step: Application, forbidden: set[str]) -> None:
        self._step = step
        self._paths = Paths(step)
        self._avoider = Avoider(forbidden, self._paths.width)
        self.up_to = step.witness.integer("up_to", 1, MAX_DEPTH)
        depth = self.up_to * max(1, self._paths.width)
        step.require(1, depth <= MAX_DEPTH, f"at most {MAX_DEPTH} bits in a word", depth)
        entries = step.witness.objects("singular")
        self._told = {entry.texts("word"): entry for entry in entries}
        step.require(5, len(self._told) == len(entries), "each singular word once", f"{len(entries)} entries")
        self._letters: list[str] = []
        self._work = 0
        self.counts: Counter[int] = Counter()
        self.residual: list[tuple[str, ...]] = []

    def run(self) -> None:
        """Visit the words depth-first, a letter at a time."""
        pending = [(0, 0, "", self._avoider.opened(self._avoider.start))]
        visited = 0
        while pending:
            depth, lyndon, bits, state = pending.pop()
            visited += 1
            self._step.require(2, visited <= MAX_NODES, "at most 2^24 words", "more", "forbid more words, or a smaller period")
            del self._letters[depth:]
            if len(bits) == self._paths.width:
                lyndon = lyndon_after(self._letters, lyndon, bits)
                if not lyndon:
                    continue
                self._letters.append(bits)
                depth, bits = depth + 1, ""
                if depth % lyndon == 0:
                    self._close(lyndon, state)
                if depth == self.up_to:
                    continue
                state = self._avoider.opened(state)
                if not self._paths.width:
                    pending.append((depth, lyndon, bits, state))
                    continue
            for bit in "10":
                further = self._avoider.bit(state, bit)
                if further is not None and not self._is_behind(lyndon, bits + bit):
                    pending.append((depth, lyndon, bits + bit, further))
        self._step.require(5, not self._told, "singular words that are met", lambda: " ".join(next(iter(self._told))))

    def _is_behind(self, lyndon: int, bits: str) -> bool:
        """Say whether every letter that starts with these bits is too small for a necklace."""
        return bool(self._letters) and bits < self._letters[len(self._letters) - lyndon][: len(bits)]

    def _close(self, lyndon: int, state: State) -> None:
        """Decide the periodic points with this necklace."""
        turned: State | None = state
        for letter in self._letters:
            turned = self._avoider.letter(turned, letter) if turned is not None else None
            if turned is None:
                return
        self._work += (len(self._letters) * (self._step.network.dimension + 1)) ** 2
        self._step.require(3, self._work <= MAX_WORK, f"necklaces that take at most {MAX_WORK} units of work", "more", "forbid more words")
        path = self._paths.along(self._letters)
        solution = path.solution()
        if solution is None:
            solution = self._singular(path)
        if solution is not None and lyndon == len(self._letters) and path.accepts(*solution):
            self.counts[lyndon] += 1

    def _singular(self, path: WordPath) -> tuple[int, list[int]] | None:
        self._step.require(4, path.letters in self._told, "a singular word that is told of", lambda: " ".join(path.letters))
        entry = self._told.pop(path.letters)
        told = entry.raw("told")
        entry.close()
        if told == "residual":
            self.residual.append(path.letters)
            return None
        where = f"{self._step.witness.where}, field singular"
        kind = Fields(told, where)
        name = "empty" if kind.has("empty") else "tight"
        chosen = self._indices(read_list(kind.raw(name), where), len(path.rows) + self._step.network.dimension, where)
        kind.close()
        if name == "empty":
            self._step.require(4, excludes_closed(path, chosen), lambda: f"rows that exclude the closed word {path.letters}", chosen)
            return None
        forced, solution = tight_solution(path, chosen)
        self._step.require(4, forced, lambda: f"rows that leave one point of the closed word {path.letters}", chosen)
        return solution

    def _indices(self, content: list[object], size: int, where: str) -> list[int]:
        chosen = [i for i in content if type(i) is int and 0 <= i < size]
        if len(chosen) < len(content) or len(content) > 2 * MAX_STATES + 1:
            expected = f"at most {2 * MAX_STATES + 1} rows from 0 to {size - 1}"
            raise Malformed(where=where, law="necklaces", expected=expected, got=str(content)[:200])
        return chosen
