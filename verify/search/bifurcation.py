"""Follow every cycle of a piecewise-linear path and type what happens to it: the census of branches and events.

Words come from a finder at sampled mu and from the events themselves (a letter that flips, a word that doubles), until no new one comes.
Each is followed over the whole path as an exact rational function of mu. Nothing here is proved; the kernel decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from time import monotonic

import numpy as np

from proofs.errors import Malformed
from proofs.network import Network
from verify.errors import Unsupported
from verify.events import Census, Word
from verify.itineraries import root_length, rotated
from verify.numerics.events_crossings import Followed, short_between
from verify.numerics.events_follow import follow
from verify.numerics.events_partners import Partners, doubled, flipped, subsets
from verify.numerics.events_types import assemble
from verify.numerics.rational_paths import Pieces, WordEquations
from verify.paths import Path

Finder = Callable[[Network], Iterable[Word]]
Progress = Callable[[str, int, int], None]
MOST_WORDS = 2048  # so many words are simply all tried, where no finder is given
MOST_EXTRA = 200  # so many are tried beside those that a finder gives
_FEW_STATES = 3  # in that dimension at most
MOST_COLLIDING = 4  # letters of which all combinations are tried where several pre-activations vanish at once


def census(  # noqa: PLR0913 - an option is a parameter
    path: Path,
    *,
    up_to: int = 4,
    words: Sequence[Word] = (),
    find: Finder | None = None,
    samples: int = 9,
    precision: Fraction = Fraction(1, 10**12),
    budget: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Census:
    """Return the branches and events of the cycles of least period 1 to ``up_to``, and of the given ``words`` (of any period).

    ``find`` returns itineraries of cycles of one network; without it all words are tried, where those are few. ``samples``: networks along
    the path that it is asked about, besides those between events where there was none. Events are enclosed to ``precision``, with dyadic
    ends (to a sixteenth of the path at most); what happens on the path's ends, or closer together than that, is a cluster.

    **Guarantee:** heuristic; the same seed gives the same census unless the ``budget`` (seconds) runs out, which a note then says.
    **Raises:** Unsupported for a path that is not piecewise linear; Malformed for settings or words that do not fit.
    """
    if not path.is_piecewise_linear:
        law = "piecewise-linear paths"
        raise Unsupported(
            where="census", law=law, expected="affine and relu only", got="a smooth program", remedy="search for smooth folds"
        )
    for name, value in (("up_to", up_to), ("samples", samples), ("precision", precision), ("budget", budget)):
        if not value > 0:
            raise Malformed(where=f"census, {name}", law="a positive number", expected=f"{name} > 0", got=str(value))
    search = _Search(path, up_to, _bits(min(precision, (path.high - path.low) / 16)), monotonic() + budget, progress)
    for word in words:
        search.give(word)
    search.run(find, samples, seed)
    return assemble(search.pieces, search.partners, search.followed, frozenset(search.named), search.notes())


class _Search:
    """The words known so far, and those still to follow."""

    def __init__(self, path: Path, up_to: int, bits: int, deadline: float, progress: Progress | None) -> None:
        self.path, self.up_to, self.bits, self.deadline, self.progress = path, up_to, bits, deadline, progress
        self.pieces = Pieces(path)
        self.followed: dict[Word, tuple[WordEquations, Followed]] = {}
        self.partners = Partners(self.pieces, up_to)
        self.anchors: dict[Word, set[Fraction]] = {}
        self.tried: set[tuple[Word, Fraction]] = set()
        self.named: set[Word] = set()  # given, or found at a sample
        self.queue: deque[Word] = deque()
        self.asked: list[Fraction] = []
        self.unasked = False

    def give(self, word: Sequence[str], at: Fraction | None = None) -> None:
        """Take a word from outside. **Raises:** Malformed."""
        hinges = self.pieces.hinges
        if not word or any(type(letter) is not str or len(letter) != hinges or set(letter) - set("01") for letter in word):
            expected = f"one or more letters, each {hinges} digits 0 or 1"
            raise Malformed(where="census, words", law="an itinerary", expected=expected, got=str(list(word)))
        self.named.add(self._add(tuple(word), at))

    def run(self, find: Finder | None, samples: int, seed: int) -> None:
        """Ask the finder along the path, follow, ask again between the events found, follow."""
        if find is None:
            self.unasked = not self._try_all(MOST_WORDS)
            self._drain()
            return
        if self.pieces.dimension <= _FEW_STATES:
            self._try_all(MOST_EXTRA)
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        low, width = self.path.low, self.path.high - self.path.low
        shifts = [Fraction(int(shift), 64) for shift in rng.integers(16, 48, samples)]
        spread = width / max(1, samples)
        inner = [low + spread * (i + shift) for i, shift in enumerate(shifts)]
        self._ask(find, [low, self.path.high, *(short_between(mu - spread / 64, mu + spread / 64) for mu in inner)])
        self._drain()
        self._ask(find, list(self._unsampled())[:samples])
        self._drain()

    def notes(self) -> tuple[str, ...]:
        """Say what was done, and what was not."""
        scanned = sum(equations.is_scanned for equations, _ in self.followed.values())
        asked = f"networks at {len(self.asked)} values of {self.path.label} searched for cycles"
        told = [f"itineraries followed: {len(self.followed)}; {asked}"]
        if scanned:
            told.append(f"{scanned} of them have a high degree in {self.path.label} and were scanned: events of theirs may be missing")
        if self.queue:
            told.append(f"time ran out with {len(self.queue)} words not followed")
        if self.unasked:
            told.append(f"more than {MOST_WORDS} words up to period {self.up_to} and no finder: only the words given were followed")
        return tuple(told)

    def _ask(self, find: Finder, mus: list[Fraction]) -> None:
        for mu in mus:
            if monotonic() > self.deadline:
                return
            self.asked.append(mu)
            for word in find(self.path.at(mu)):
                self.give(word, mu)
            self._tell("networks searched", len(self.asked), len(mus))

    def _add(self, word: Word, at: Fraction | None = None) -> Word:
        """Queue the root of a word, unless it is known and known to exist at ``at``."""
        name = rotated(word[: root_length(word)])
        anchors = self.anchors.setdefault(name, set())
        fresh = name not in self.followed
        if at is not None and (name, at) not in self.tried:
            anchors.add(at)
            self.tried.add((name, at))
            fresh = fresh or (self.followed[name][0].is_scanned and not _is_seen(self.followed[name][1], at, self.path))
        if fresh and name not in self.queue:
            self.queue.append(name)
        return name

    def _drain(self) -> None:
        while self.queue and monotonic() <= self.deadline:
            word = self.queue.popleft()
            equations, followed = follow(self.pieces, word, self.bits, sorted(self.anchors[word]))
            self.followed[word] = equations, followed
            for new, at in self._suggested(equations, followed):
                self._add(new, at)
            self._tell("words followed", len(self.followed), len(self.followed) + len(self.queue))

    def _suggested(self, equations: WordEquations, followed: Followed) -> Iterator[tuple[Word, Fraction | None]]:
        """Yield the words that events of this one make likely."""
        word = followed.word
        for i, crossing in enumerate(followed.crossings):
            if not (followed.cells[i] or followed.cells[i + 1]):
                continue
            colliding = [(zero.time, zero.unit) for zero in crossing.zeros if zero.kind == "gate"]
            for chosen in subsets(colliding[:MOST_COLLIDING]):
                yield flipped(word, chosen), None
            if crossing.only("gate"):
                for partner, at in self.partners.of(word, crossing):
                    self.anchors.setdefault(partner, set()).update((crossing.low, crossing.high))
                    yield partner, at
            if any(zero.kind == "minus_one" for zero in crossing.zeros) and 2 * len(word) <= self.up_to:
                yield doubled(equations, short_between(crossing.low, crossing.high)), None

    def _unsampled(self) -> Iterator[Fraction]:
        """Yield a number in each gap between crossings of existing cycles in which no network was searched, widest gaps first."""
        ends = {self.path.low, self.path.high}
        for _, followed in self.followed.values():
            pairs = zip(followed.crossings, followed.cells, followed.cells[1:], strict=False)
            ends |= {crossing.high for crossing, before, after in pairs if before or after}
        marks = sorted(end for end in ends if self.path.low <= end <= self.path.high)
        gaps = [(one, two) for one, two in pairwise(marks) if not any(one < mu < two for mu in self.asked)]
        gaps = [gap for gap in gaps if gap[1] - gap[0] > Fraction(8, 1 << self.bits)]
        yield from (short_between(*gap) for gap in sorted(gaps, key=lambda gap: gap[0] - gap[1]))

    def _try_all(self, most: int) -> bool:
        """Queue every word up to the period, if there are not more than ``most``, and say whether it was done."""
        hinges = self.pieces.hinges
        if hinges >= most.bit_length() or sum(2 ** (hinges * k) // k for k in range(1, self.up_to + 1)) > most:
            return False
        letters = ["".join(bits) for bits in product("01", repeat=hinges)]
        for k in range(1, self.up_to + 1):
            for word in product(letters, repeat=k):
                if root_length(word) == k and rotated(word) == word:
                    self._add(word)
        return True

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)


def _is_seen(followed: Followed, mu: Fraction, path: Path) -> bool:
    """Say whether the table says that the cycle exists at mu, or that mu lies in a crossing."""
    gaps = [followed.gap(i, path.low, path.high) for i in range(len(followed.cells))]
    inside = [exists for (start, end), exists in zip(gaps, followed.cells, strict=True) if start <= mu <= end]
    return not inside or any(inside)


def _bits(precision: Fraction) -> int:
    """Return the least b >= 0 with 2^(1 - b) <= precision."""
    bits = 0
    while Fraction(2, 1 << bits) > precision:
        bits += 1
    return bits
