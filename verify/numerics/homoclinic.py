"""Homoclinic orbits of a saddle in the pieces of a word, and the loops before and after it that make a horseshoe. Nothing is proved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, log

import numpy as np

from verify.candidates import Slab, Strip
from verify.numerics.batch import Floats
from verify.numerics.strips import SAFE, Frame, Letters, fit, slab_frame, solve_passage, strip_of, told_apart

Word = tuple[int, ...]
CORRECTIONS = 12  # of the letters of a word
TIGHT = 0.8  # what a power of the saddle's loop may keep of the slab
MOST_ROUNDS = 60
FACTORS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)  # loops before and after, in times that the saddle needs for a factor e
MARGINS = (0.05, 0.01)


@dataclass(frozen=True, eq=False)
class Saddle:
    """A hyperbolic periodic point with its frame, its word and the moduli of its multipliers; ``letters`` knows the word."""

    letters: Letters
    frame: Frame
    loop: Word
    multipliers: Floats

    @cached_property
    def rounds(self) -> tuple[int, int]:
        """Return how many loops it takes to expand, and to contract, by a factor e."""
        sizes = self.multipliers
        least, most = float(sizes[sizes > 1.0].min()), float(sizes[sizes < 1.0].max(initial=0.0))
        return ceil(1.0 / log(least)), ceil(-1.0 / log(max(most, 1e-9)))

    @cached_property
    def power(self) -> int | None:
        """Return the least number of loops that contract in the max norm, forwards and backwards; None where they seem never to."""
        for power in range(1, MOST_ROUNDS):
            passage = solve_passage(self.letters, [self.frame], (0, 0), self.loop * power)
            if passage is None:
                return None
            norms = [np.abs(part).sum(axis=1).max(initial=0.0) for part in (passage.narrow, passage.slide)]
            if max(norms) < TIGHT:
                return power
        return None

    def shortened(self, word: Word) -> Word:
        """Leave out all but one of the loops that a word begins and ends with."""
        size = len(self.loop)
        while word[: 2 * size] == self.loop * 2:
            word = word[size:]
        while word[-2 * size :] == self.loop * 2:
            word = word[:-size]
        return word

    def is_loops(self, word: Word) -> bool:
        """Say whether a word is nothing but loops."""
        return word == self.loop * (len(word) // len(self.loop))


def homoclinic_word(saddle: Saddle, word: Word, longest: int) -> tuple[Word | None, str]:
    """Return a word along which an orbit from the saddle's unstable space comes back to its stable space, starting from a likely one.

    The orbit is solved for in the affine pieces of the word; the letters it really has are the next word, until they agree.

    **Guarantee:** heuristic. **Returns:** the word, or None and why not.
    """
    tried: set[Word] = set()
    letters, frame, loop = saddle.letters, saddle.frame, saddle.loop
    u, around = frame.unstable, 1 + max(saddle.rounds) // 2
    for _ in range(CORRECTIONS):
        word = saddle.shortened(word)
        if not word or saddle.is_loops(word) or word in tried or len(word) > longest:
            return None, "no orbit comes back to the saddle along the words tried"
        tried.add(word)
        passage = solve_passage(letters, [frame], (0, 0), word)
        if passage is None:
            return None, "a word does not expand every unstable direction"
        back = solve_passage(letters, [frame], (0, 0), loop * around)
        start = passage.offset if back is None else back.narrow @ passage.offset
        whole = loop * around + word + loop * around
        obeyed, room = letters.obeyed(whole, letters.orbit(whole, frame.center + frame.basis[:, :u] @ start))
        if obeyed == whole:
            return (word, "") if room > SAFE else (None, "an orbit back to the saddle touches a border")
        word = obeyed
    return None, "no orbit comes back to the saddle along the words tried"


@dataclass(frozen=True, eq=False)
class Pair:
    """A slab with strips that cross it, told apart; or why there is none. Their images are wider than the slab by ``overshoot``."""

    slab: Slab | None
    strips: tuple[Strip, ...]
    words: tuple[Word, ...]
    failure: str = ""
    overshoot: float = 0.0


def horseshoe_of(saddle: Saddle, excursion: Word, longest: int, margins: tuple[float, ...] = MARGINS) -> Pair:
    """Return a slab around the saddle that loops and an excursion map across it, with as few loops added as will do."""
    failure = "the loops of the saddle do not contract in the max norm"
    for factor in FACTORS if saddle.power is not None else ():
        before, after = (ceil(factor * count) for count in saddle.rounds)
        word = saddle.loop * before + excursion + saddle.loop * after
        if len(word) > longest:
            break
        for own in _powers(saddle, word):
            for margin in margins:
                found = crossings(saddle, (own, word), margin)
                if not found.failure:
                    return found
                failure = found.failure
    return Pair(None, (), (), failure)


def crossings(saddle: Saddle, words: tuple[Word, ...], margin: float) -> Pair:
    """Return the smallest slab around the saddle that these words all map across, if the borders allow it."""
    passages = [solve_passage(saddle.letters, [saddle.frame], (0, 0), word) for word in words]
    solved = [item for item in passages if item is not None]
    if len(solved) < len(words):
        return Pair(None, (), (), "a word does not expand every unstable direction")
    slabs = fit([saddle.frame], solved, margin)
    if slabs is None:
        return Pair(None, (), (), "the words do not contract enough")
    u, size = saddle.frame.unstable, len(saddle.frame.center)
    slab = Slab(slabs[0].center, slabs[0].basis, np.eye(size)[:u])
    frames = [slab_frame(slab, u)]
    strips = []
    for word in words:
        passage = solve_passage(saddle.letters, frames, (0, 0), word)
        if passage is None:
            return Pair(None, (), (), "a word does not expand every unstable direction")
        strip, where = strip_of(saddle.letters, frames, passage, margin / 2.0)
        if strip.slack <= SAFE:
            return Pair(None, (), (), _REASONS[where[0]])
        strips.append(strip)
    if not all(told_apart(slab, one, two) for i, one in enumerate(strips) for two in strips[:i]):
        return Pair(None, (), (), "two strips are not told apart")
    return Pair(slab, tuple(strips), words, overshoot=margin / 2.0)


def endurance(saddle: Saddle, pair: Pair) -> float:
    """Return about how large a weight radius the strips bear: what one unit of it moves, along each word, beside the room there is.

    **Guarantee:** heuristic; 0 for a pair that failed.
    """
    if pair.slab is None:
        return 0.0
    frame = slab_frame(pair.slab, saddle.frame.unstable)
    return min(_endured(saddle.letters, frame, strip, word, pair.overshoot) for strip, word in zip(pair.strips, pair.words, strict=True))


def _endured(letters: Letters, frame: Frame, strip: Strip, word: Word, overshoot: float) -> float:
    u = frame.unstable
    center = frame.center + frame.basis[:, :u] @ strip.offset
    tall = strip.height * (frame.basis[:, u:] + frame.basis[:, :u] @ strip.tilt)
    spread = np.concatenate([frame.basis[:, :u] @ strip.width, tall], axis=1)
    moved, least = np.zeros(len(center)), 1.0
    for letter in word:
        gates = letters.gates[letter]
        room = letters.signs[letter] * (gates @ center + letters.shifts[letter]) - np.abs(gates @ spread).sum(axis=1)
        least = min(least, float((room / (np.abs(gates) @ moved + 1e-300)).min(initial=1.0)))
        pushed = 1.0 + 2.0 * float((np.abs(center) + np.abs(spread).sum(axis=1)).sum())
        moved = np.abs(letters.J[letter]) @ moved + pushed
        center, spread = letters.J[letter] @ center + letters.q[letter], letters.J[letter] @ spread
    shifted = np.abs(frame.inverse) @ moved
    landed = np.abs(frame.inverse @ (center - frame.center)) + np.abs(frame.inverse @ spread).sum(axis=1)
    across = (1.0 - landed[u:]) / shifted[u:]
    return min(least, overshoot / float(shifted[:u].max()), float(across.min(initial=1.0)))


_REASONS = {
    "border": "a strip meets a border on its way",
    "inside": "a strip does not fit into its slab",
    "landing": "the image of a strip leaves the slab sideways",
}


def _powers(saddle: Saddle, word: Word) -> list[Word]:
    """Return how often to go round the loop: as often as needed to contract, and until the letters differ from the word's."""
    least, size = saddle.power or 1, len(saddle.loop)
    repeated = saddle.loop * (len(word) // size + 2)
    common = next((i for i, letter in enumerate(word) if letter != repeated[i]), len(word))
    return [saddle.loop * power for power in sorted({least, max(least, common // size + 1)})]
