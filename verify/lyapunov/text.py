"""A small text to train character networks on: English-like sentences from a seeded grammar, written for this project and free to use.

The text is generated, not quoted: it has words, agreement of subject and verb across a clause, and brackets and quotation marks that are
closed again, so that a network with a memory reads it better than one without.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST, MOST = 100, 10_000_000  # characters
DEEPEST = 2  # clauses inside clauses
_NOUNS = (
    "boat", "bird", "child", "cloud", "clock", "door", "farmer", "field", "fire", "fox", "garden", "hill", "horse", "house", "king",
    "lamp", "letter", "miller", "moon", "owl", "path", "queen", "river", "road", "sailor", "ship", "star", "stone", "storm", "tower",
    "tree", "wind",
)  # fmt: skip
_ADJECTIVES = (
    "old",
    "young",
    "grey",
    "quiet",
    "bright",
    "small",
    "tall",
    "cold",
    "distant",
    "green",
    "hidden",
    "patient",
    "slow",
    "strange",
)
_TRANSITIVE = ("follow", "find", "hear", "keep", "know", "leave", "love", "need", "see", "seek", "shelter", "warn")
_INTRANSITIVE = ("rest", "sing", "sleep", "wait", "wander", "turn", "return", "rise", "fall", "burn")
_PLACES = (
    "by the sea",
    "under the bridge",
    "near the wood",
    "in the valley",
    "beyond the wall",
    "at night",
    "in the morning",
    "after the rain",
)
_JOINS = (" and ", ", but ", ", for ", " while ", "; ")


@dataclass(frozen=True, eq=False)
class Text:
    """A text as numbers. **Shapes:** ``codes`` (length,), indices into ``alphabet`` (its characters, sorted)."""

    characters: str
    alphabet: str
    codes: NDArray[np.int64]


def generated(length: int = 30_000, seed: int = 0) -> Text:
    """Return the first ``length`` characters of the text of this seed; a longer text begins with the shorter one.

    **Guarantee:** exact: the same on every machine and version, for only ``random.Random.random`` is drawn from. **Raises:** Malformed.

    **Example**

    >>> generated(1000).characters[:27]
    'the fire seeks some towers.'
    """
    if not LEAST <= length <= MOST:
        raise Malformed(where="text", law="length of a text", expected=f"{LEAST} to {MOST} characters", got=str(length))
    source, sentences, there = _Grammar(random.Random(seed)), [], 0
    while there < length:
        sentences.append(source.sentence())
        there += len(sentences[-1])
    return encoded("".join(sentences)[:length])


def encoded(characters: str, alphabet: str = "") -> Text:
    """Return any text as numbers, over its own characters or a given alphabet. **Raises:** Malformed: empty, or a character outside."""
    letters = alphabet or "".join(sorted(set(characters)))
    if not characters:
        raise Malformed(where="text", law="length of a text", expected="at least one character", got="none")
    place = {letter: i for i, letter in enumerate(letters)}
    strange = sorted(set(characters) - set(letters))
    if strange:
        raise Malformed(where="text", law="alphabet", expected=f"the characters {letters!r}", got=repr("".join(strange)))
    return Text(characters, letters, np.array([place[letter] for letter in characters], dtype=np.int64))


class _Grammar:
    """Sentences, one after another."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def sentence(self) -> str:
        """Return a sentence with its final stop; now and then spoken, or with a remark in brackets."""
        words = self._clause(DEEPEST)
        if self._chance(0.35):
            words += self._one(_JOINS) + self._clause(DEEPEST - 1)
        if self._chance(0.15):
            words += f" ({self._clause(0)})"
        if self._chance(0.2):
            return f'"{words}," {self._verb("say", plural=False)} the {self._one(_NOUNS)}.\n'
        return f"{words}.{self._one((' ', ' ', chr(10)))}"

    def _clause(self, depth: int) -> str:
        plural = self._chance(0.4)
        subject = self._noun(plural, depth)
        if self._chance(0.4):
            return f"{subject} {self._verb(self._one(_INTRANSITIVE), plural)} {self._one(_PLACES)}"
        return f"{subject} {self._verb(self._one(_TRANSITIVE), plural)} {self._noun(self._chance(0.4), 0)}"

    def _noun(self, plural: bool, depth: int) -> str:
        """Return a noun phrase; a clause between it and its verb makes the verb's number hard to guess."""
        adjective = f"{self._one(_ADJECTIVES)} " if self._chance(0.4) else ""
        article = ("the", "some", "many")[self._below(3)] if plural else ("the", "the", "every")[self._below(3)]
        phrase = f"{article} {adjective}{self._one(_NOUNS)}{'s' if plural else ''}"
        if depth and self._chance(0.3):
            other = self._chance(0.5)
            phrase += f" that {self._noun(other, depth - 1)} {self._verb(self._one(_TRANSITIVE), other)}"
        return phrase

    def _verb(self, stem: str, plural: bool) -> str:
        return stem if plural else f"{stem}s"

    def _one(self, choices: tuple[str, ...]) -> str:
        return choices[self._below(len(choices))]

    def _below(self, count: int) -> int:
        return int(self._source.random() * count)

    def _chance(self, probability: float) -> bool:
        return self._source.random() < probability
