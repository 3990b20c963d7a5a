"""From a tree of words to the few words that no orbit follows: every leaf's rows speak of a stretch of its word, and stretches recur."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from proofs.theorems.word_path import lyndon_after

Word = tuple[str, ...]
Rows = tuple[int, ...]


class Gleaned(NamedTuple):
    """What the tokens of one chunk say: forbidden words (bits, with their rows), and what is told of singular closed words."""

    forbidden: dict[str, Rows]
    singular: dict[Word, object]


def glean(tokens: Iterable[object], prefix: Word, up_to: int, width: int) -> Gleaned:
    """Read the tokens of a chunk, walking the words as the finder did.

    ``width``: bits a letter. Each excluded word is cut down to the stretch from the first of its rows' times to the last row.

    **Guarantee:** heuristic; the checker verifies every word.
    """
    return _Reader(iter(tokens), up_to, width).read(prefix)


def minimal(forbidden: Mapping[str, Rows], width: int) -> dict[str, Rows]:
    """Keep the words that contain no other one, letters starting at letters' starts; sorted.

    **Guarantee:** exact: what avoids the words kept avoids all of them.
    """
    root: dict[str, object] = {}
    kept: list[str] = []
    for word in sorted(forbidden, key=lambda word: (len(word), word)):
        if not any(_begins(root, word, start) for start in range(0, len(word), width)):
            kept.append(word)
            _plant(root, word)
    return {word: forbidden[word] for word in sorted(kept)}


def avoiding(words: Iterable[Word], forbidden: Iterable[str], width: int) -> set[Word]:
    """Return the closed words w that, repeated once, contain no forbidden word.

    **Guarantee:** exact.
    """
    root: dict[str, object] = {}
    for word in forbidden:
        _plant(root, word)
    return {word for word in words if not any(_begins(root, "".join(word * 2), start * width) for start in range(2 * len(word)))}


class _Reader:
    """A walk along the tokens."""

    def __init__(self, tokens: Iterator[object], up_to: int, width: int) -> None:
        self._tokens, self._up_to, self._width = tokens, up_to, width
        self._ahead: list[object] = []
        self._letters: list[str] = []
        self._found = Gleaned({}, {})

    def read(self, prefix: Word) -> Gleaned:
        lyndon = 0
        for letter in prefix:
            lyndon = lyndon_after(self._letters, lyndon, letter)
            self._letters.append(letter)
        pending = self._whole(lyndon) if prefix else self._below(0, 0, "")
        while pending:
            depth, lyndon, bits = pending.pop()
            del self._letters[depth:]
            if len(bits) == self._width:
                lyndon = lyndon_after(self._letters, lyndon, bits)
                self._letters.append(bits)
                pending += self._whole(lyndon)
            elif not self._is_behind(lyndon, bits) and not self._is_excluded(bits):
                pending += self._below(depth, lyndon, bits)
        return self._found

    def _whole(self, lyndon: int) -> list[tuple[int, int, str]]:
        """Read what a word of whole letters says; return what lies below it."""
        depth = len(self._letters)
        if lyndon == 0 or (depth < self._up_to and self._is_excluded("")):
            return []
        if depth % lyndon == 0:
            told = self._next()
            if told == "residual" or isinstance(told, dict):
                self._found.singular[tuple(self._letters)] = told
            else:
                self._ahead.append(told)
        return self._below(depth, lyndon, "") if depth < self._up_to else []

    def _below(self, depth: int, lyndon: int, bits: str) -> list[tuple[int, int, str]]:
        return [(depth, lyndon, bits + bit) for bit in "10"] if self._width else [(depth, lyndon, "")]

    def _is_behind(self, lyndon: int, bits: str) -> bool:
        return bool(self._letters) and bits < self._letters[len(self._letters) - lyndon][: len(bits)]

    def _is_excluded(self, bits: str) -> bool:
        """Read the token of a node; note the stretch that its rows exclude. A part left to another chunk counts as excluded."""
        told = self._next()
        if not isinstance(told, list):
            return told == "part"
        start = min(told) // self._width
        stretch = "".join(self._letters[start:]) + bits
        shift = start * self._width
        self._found.forbidden.setdefault(stretch[: max(told) + 1 - shift], tuple(row - shift for row in told))
        return True

    def _next(self) -> object:
        return self._ahead.pop() if self._ahead else next(self._tokens, None)


def _begins(root: dict[str, object], word: str, start: int) -> bool:
    """Say whether a planted word starts in ``word`` at ``start``."""
    tree: object = root
    for place in range(start, len(word)):
        if not isinstance(tree, dict) or word[place] not in tree:
            return False
        tree = tree[word[place]]
        if tree is None:
            return True
    return False


def _plant(root: dict[str, object], word: str) -> None:
    tree = root
    for bit in word[:-1]:
        below = tree.setdefault(bit, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree[word[-1]] = None
