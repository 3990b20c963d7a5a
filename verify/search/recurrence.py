"""Search for a covering graph of a network that hardly contracts or expands a step, one that imitates a flow: with words of any length.

Stretches of long orbits that nearly close are closed up exactly to cycles. From one with expanding directions, points of its unstable space
are followed until their letters are, for a whole window, those of the cycle from some place on; an orbit on the unstable space that says
just this, and goes on as the cycle does, is homoclinic. Its word and the cycle's own map strips of one slab right across it: the words are
so long that the direction along the flow contracts, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from proofs.network import Network
from verify.candidates import Covering, Slab, Strip
from verify.itineraries import least_rotation
from verify.numerics.batch import Bools, FloatNetwork, Floats
from verify.numerics.growth import log_growth
from verify.numerics.strips import SAFE, Frame, Letters, Passage, fit, saddle_frame, slab_frame, solve_map, strip_of, told_apart
from verify.numerics.windows import LoopWatch, near_returns, settled_orbits

ORBITS, SETTLE, LENGTH = 32, 3000, 6000  # of the simulation, the length doubled from round to round
LONGEST_LOOP = 900
EACH = 4  # stretches tried of every length
REPAIRS = 6  # times that a word is corrected by the signs along its own orbit
STARTS, WINDOW = 4096, 200
TURNS = 3  # windows tried of one cycle
LONGEST_WORD, MOST_STEPS = 1000, 2500  # of one word, and of all together: what the checker can follow in short time
WORDS = 24  # homoclinic words tried of one cycle for the first pair of strips
MARGIN = 2.0**-6  # by which slabs are larger than the words need
STEEPEST = 1e7  # entries of a word's matrix beyond which floats do not know what it contracts
LEAST_GROWTH = 8.0  # of a cycle in its expanding directions
STRETCHES = 480  # tried in the first round
MOST_STRIPS = 12
WORTH = 0.1  # relative growth of the entropy that a further strip has to bring
WIDEST = 1e3  # times its simulated size that a cycle may have
Progress = Callable[[str, int, int], None]
Word = tuple[int, ...]


@dataclass(frozen=True)
class RecurrenceAccount:
    """What a search did: stretches that nearly close, cycles, excursions, homoclinic words; and why words failed, most frequent first."""

    stretches: int = 0
    cycles: int = 0
    saddles: int = 0
    arrivals: int = 0
    homoclinic: int = 0
    refusals: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0

    def sentence(self) -> str:
        """Say it."""
        if not self.stretches:
            return "no stretch of a simulated orbit was closed up: all escaped, or the time was over"
        told = f"{self.stretches} stretches of orbits closed up to {self.cycles} cycles, {self.saddles} of them expanding"
        reasons = "; ".join(f"{what} ({count})" for what, count in self.refusals[:3])
        return f"{told}; {self.arrivals} excursions gave {self.homoclinic} homoclinic words" + (f": {reasons}" if reasons else "")


@dataclass(frozen=True)
class Recurrence:
    """A covering graph that floats suggest, None where none was found, and the account of the search."""

    covering: Covering | None
    account: RecurrenceAccount


@dataclass(frozen=True, eq=False)
class _Loop:
    """A cycle that expands: its points, word, frame, how much one round expands at least, and contracts at least."""

    points: Floats
    word: Word
    frame: Frame
    growth: float
    neutral: float


def find_recurrence(network: Network, *, budget_seconds: float = 60.0, seed: int = 0, progress: Progress | None = None) -> Recurrence:
    """Search for a slab around a long cycle with strips that long words map right across it.

    **Guarantee:** heuristic; the same seed gives the same result unless the budget runs out. Piecewise-linear networks only.
    **Cost:** up to ``budget_seconds``; one look at a cycle takes a few seconds and is not broken off.
    """
    search = _Search(FloatNetwork(network), seed, budget_seconds, progress)
    covering = search.run() if search.network.is_piecewise_linear and network.hinges else None
    return Recurrence(covering, search.account())


class _Search:
    """One search: its clock, its letters and its tally."""

    def __init__(self, network: FloatNetwork, seed: int, budget: float, progress: Progress | None) -> None:
        self.network = network
        self.rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        self.start, self.budget, self.progress = monotonic(), budget, progress
        self.letters = Letters(network)
        self.maps: dict[Word, tuple[Floats, Floats]] = {}
        self.stretches = self.cycles = self.saddles = self.arrivals = self.homoclinic = 0
        self.refusals: Counter[str] = Counter()

    def account(self) -> RecurrenceAccount:
        """Return the tally."""
        refusals = tuple(self.refusals.most_common())
        seconds = monotonic() - self.start
        return RecurrenceAccount(self.stretches, self.cycles, self.saddles, self.arrivals, self.homoclinic, refusals, seconds)

    def run(self) -> Covering | None:
        """Go round after round, each with longer orbits, until a covering graph is found or the time is over."""
        scale = 1
        while not self._over(1.0):
            states = settled_orbits(self.network, self.rng, ORBITS, SETTLE, LENGTH * scale)
            if not states.shape[1]:
                return None
            for loop in self._expanding_loops(states, STRETCHES * scale):
                if self.progress is not None:
                    self.progress("searching for long returns", int(100 * (monotonic() - self.start)), int(100 * self.budget))
                covering = self._horseshoe(loop)
                if covering is not None or self._over(1.0):
                    return covering
            scale *= 2
        return None

    def _over(self, share: float) -> bool:
        return monotonic() - self.start > share * self.budget

    # Cycles

    def _expanding_loops(self, states: Floats, most: int) -> list[_Loop]:
        """Close up the stretches that nearly close; short loops with much room at the borders and clear contraction come first."""
        found, known = dict[Word, tuple[float, _Loop]](), set[Word]()
        near = near_returns(states, LONGEST_LOOP, EACH)
        reach = WIDEST * float(np.abs(states[-1]).max())
        for time, orbit, lag in zip(near.times[:most].tolist(), near.orbits[:most].tolist(), near.lags[:most].tolist(), strict=True):
            if self._over(0.5):
                break
            self.stretches += 1
            closed = self._closed(self.letters.of_states(states[time : time + lag, orbit]), known, reach)
            if closed is not None:
                word, points, room = closed
                self.cycles += 1
                loop = self._loop(word, points)
                if loop is not None:
                    start = least_rotation(word)
                    found[word[start:] + word[:start]] = (room * (1.0 - loop.neutral) / lag, loop)
        self.saddles += len(found)
        return [loop for _, loop in sorted(found.values(), key=lambda entry: -entry[0])]

    def _closed(self, word: Word, known: set[Word], reach: float) -> tuple[Word, Floats, float] | None:
        """Return the cycle that a word, corrected by the signs along its own orbit, closes up to: word, points and room at the borders."""
        for _ in range(REPAIRS):
            if word in known:
                return None
            known.add(word)
            A, b = self.letters.compose(word)
            if not np.isfinite(A).all():
                return None
            try:
                start = np.asarray(np.linalg.solve(np.eye(len(b)) - A, b), dtype=np.float64)
            except np.linalg.LinAlgError:
                return None
            if not np.abs(start).max() < reach:
                return None
            points = self.letters.orbit(word, start)[:-1]
            said, room = self.letters.obeyed(word, points)
            if said == word:
                return word, points, room
            word = said
        return None

    def _loop(self, word: Word, points: Floats) -> _Loop | None:
        """Return a cycle with its frame, None if it is no saddle, grows too little, or goes round more than once."""
        size = len(word)
        if any(size % d == 0 and word[:d] * (size // d) == word for d in range(1, size // 2 + 1)):
            return None
        multipliers = self.letters.compose(word)[0]
        frame = saddle_frame(points[0], multipliers)
        if frame is None:
            return None
        sizes = np.sort(np.abs(np.linalg.eigvals(multipliers)))[::-1]
        growth, neutral = float(sizes[frame.unstable - 1]), float(sizes[frame.unstable :].max(initial=0.0))
        return _Loop(points, word, frame, growth, neutral) if growth > LEAST_GROWTH else None

    # Words

    def _horseshoe(self, loop: _Loop) -> Covering | None:
        """Return slab and strips around a cycle: of its own word, the first homoclinic one that goes with it, and as many as time lets."""
        window, seen = WINDOW, set[int]()
        while window not in seen and len(seen) < TURNS:
            seen.add(window)
            words, noticed = self._homoclinic_words(loop, window)
            for place, word in enumerate(words[:WORDS]):
                strips = self._crossing(loop, [loop.word, word])
                if strips is not None:
                    return self._enriched(loop, [loop.word, word], words[place + 1 :], strips)
            if words or self._over(1.0):
                return None
            window = 2 * window if noticed else window // 2
        return None

    def _homoclinic_words(self, loop: _Loop, window: int) -> tuple[list[Word], int]:
        """Return the words of orbits that leave the cycle on its unstable space and come back for good, the shortest first.

        Also how many orbits came back for a window of letters.
        """
        patterns = np.array([self.letters.patterns[letter] for letter in loop.word], dtype=bool)
        watch = LoopWatch(self.network, patterns, window)
        starts = self._starts(loop)
        arrivals = watch.arrivals(starts, LONGEST_WORD)
        self.arrivals += len(arrivals.starts)
        found: dict[Word, None] = {}
        rest = (len(loop.word) - arrivals.places) % len(loop.word)
        _, first = np.unique(np.stack([arrivals.times + rest, arrivals.places], axis=1), axis=0, return_index=True)
        for index in first[: 2 * WORDS].tolist():
            start, time, place = (int(part[index]) for part in (arrivals.starts, arrivals.times, arrivals.places))
            word = self._homoclinic(loop, self._said(starts[start], time), place, window)
            if word is not None:
                found.setdefault(word)
        self.homoclinic += len(found)
        return sorted(found, key=len), len(arrivals.starts)

    def _starts(self, loop: _Loop) -> Floats:
        """Return points of the unstable space, from where it follows the loop just once to where it leaves it at once."""
        u = loop.frame.unstable
        directions = self.rng.standard_normal((STARTS, u))
        directions /= np.abs(directions).max(axis=1, keepdims=True)
        sizes = self._room(loop) * np.exp(self.rng.uniform(0.0, np.log(min(loop.growth, 1e12)), STARTS))
        return np.asarray(loop.points[0] + (sizes[:, None] * directions) @ loop.frame.basis[:, :u].T)

    def _room(self, loop: _Loop) -> float:
        """Return how far points may be on the unstable space to follow the loop once."""
        spread, room = loop.frame.basis[:, : loop.frame.unstable], np.inf
        for letter, point in zip(loop.word, loop.points, strict=True):
            values = np.abs(self.letters.gates[letter] @ point + self.letters.shifts[letter])
            reach = np.abs(self.letters.gates[letter] @ spread).sum(axis=1)
            room = min(room, float(np.min(values / (reach + 1e-300), initial=np.inf)))
            spread = self.letters.J[letter] @ spread
        return room

    def _said(self, start: Floats, steps: int) -> Word:
        patterns: list[Bools] = []
        Z = start[None]
        for _ in range(steps):
            Z, gates = self.network.trace(Z)
            patterns.append(gates[0] > 0.0)
        return self.letters.read(np.array(patterns, dtype=bool).reshape(steps, -1))

    def _homoclinic(self, loop: _Loop, excursion: Word, place: int, window: int) -> Word | None:
        """Correct an excursion until an orbit on the unstable space says it and then the loop; return both, up to the first point."""
        u, size = loop.frame.unstable, len(loop.word)
        home = loop.word[place:] + (loop.word if size - place < window else ())
        if len(excursion) + len(home) > LONGEST_WORD:
            self.refusals["a word is too long"] += 1
            return None
        for _ in range(REPAIRS):
            whole = excursion + home
            A, b = self._map(whole)
            passage = solve_map([loop.frame], (0, 0), whole, A, b)
            if passage is None or np.abs(A).max() > STEEPEST:
                self.refusals["a word expands too much for floats"] += 1
                return None
            start = loop.points[0] + loop.frame.basis[:, :u] @ passage.offset
            said, _ = self.letters.obeyed(whole, self.letters.orbit(whole, start))
            if said == whole:
                return None if whole == loop.word * (len(whole) // size) else whole
            excursion = said[: len(excursion)]
        self.refusals["no orbit says the word of the excursion and then the loop"] += 1
        return None

    # Strips

    def _crossing(self, loop: _Loop, words: list[Word]) -> tuple[Slab, list[Strip]] | None:
        """Return the slab that these words need, and the strips that they map right across it."""
        slabs = fit([loop.frame], self._passages(loop.frame, words), MARGIN)
        if slabs is None:
            self.refusals["no slab is small enough to be mapped into itself where it should contract"] += 1
            return None
        frame = slab_frame(slabs[0], loop.frame.unstable)
        strips: list[Strip] = []
        for passage in self._passages(frame, words):
            strip, (name, _, _) = strip_of(self.letters, [frame], passage)
            if strip.slack < SAFE or not all(told_apart(slabs[0], strip, other) for other in strips):
                self.refusals[f"a strip fails: {name}" if strip.slack < SAFE else "two strips are not told apart"] += 1
                return None
            strips.append(strip)
        return (slabs[0], strips) if len(strips) == len(words) else None

    def _passages(self, frame: Frame, words: list[Word]) -> list[Passage]:
        """Solve words in a frame; those that do not expand are left out."""
        passages = (solve_map([frame], (0, 0), word, *self._map(word)) for word in words)
        return [passage for passage in passages if passage is not None]

    def _map(self, word: Word) -> tuple[Floats, Floats]:
        if word not in self.maps:
            self.maps[word] = self.letters.compose(word)
        return self.maps[word]

    def _enriched(self, loop: _Loop, words: list[Word], more: list[Word], first: tuple[Slab, list[Strip]]) -> Covering:
        """Add words, the shortest first, while all their strips cross one slab and each is worth its length."""
        best = first
        for word in more:
            if len(words) >= MOST_STRIPS or self._over(1.0) or _entropy([*words, word]) < (1.0 + WORTH) * _entropy(words):
                break
            if sum(map(len, [*words, word])) > MOST_STEPS:
                break
            larger = self._crossing(loop, [*words, word])
            if larger is not None:
                words, best = [*words, word], larger
        slab, strips = best
        return Covering(loop.frame.unstable, (slab,), tuple(strips))


def _entropy(words: list[Word]) -> float:
    return log_growth([(0, 0, len(word)) for word in words], 1)
