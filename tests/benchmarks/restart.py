"""The published restart heuristic for the cycles of piecewise-linear networks, as a yardstick: it proves nothing and may miss cycles.

Durstewitz 2017 for fixed points; Eisenmann, Monfared, Goering, Durstewitz 2023 (SCYFI) for cycles. Written anew from the description:

    draw a pattern for each step; solve the linear equation of a cycle with these patterns; run the map from the solution and read the
    patterns of its orbit; if they are the assumed ones the cycle is real, and new patterns are drawn; otherwise these are the next ones.
    After ``inner`` solutions without a new cycle everything starts again; after ``outer`` restarts without one the search ends.

As published are the loop counts, their reset by every new cycle, strict signs, and, where hinges outnumber states, the pool of patterns
from which restarts draw: those of ten million random states in [-10, 10]^M. Different, in the heuristic's favour: cycles are told apart by
their itineraries up to rotation and not by a first point rounded to two decimals, so none is lost by rounding; letters of hinges that reach
nothing are ignored; the pool is made once and not once a period. What is drawn and counted does not depend on how many descents run side by
side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from proofs.network import Network
from verify.itineraries import root_length, rotated
from verify.numerics.batch import Bools, FloatNetwork, Floats

OUTER = ((8, 10), (30, 40))  # below this period: so many restarts
INNER = ((3, 20), (6, 60), (8, 300), (20, 1080))
LAST_OUTER, LAST_INNER = 100, 1115
POOL_STATES, POOL_BATCH, POOL_RANGE = 10_000_000, 50_000, 10.0
MOST_AHEAD = 256  # descents drawn before their turn
TABLE_LETTERS = 10  # live hinges up to which the affine pieces of all patterns are kept
Word = tuple[bytes, ...]


@dataclass(frozen=True)
class Harvest:
    """What the heuristic found: itineraries (letters of the live hinges, packed) by least period.

    ``finished`` is the last period searched to the end; ``systems`` counts the linear systems that the loops ask for. ``pool_seconds``, the
    time for the pool of patterns, are part of ``seconds``.
    """

    words: dict[int, frozenset[Word]]
    finished: int
    systems: int
    seconds: float
    pool_seconds: float

    def counts(self) -> dict[int, int]:
        """Return the number of cycles of each least period that has any."""
        return {k: len(words) for k, words in self.words.items() if words}

    def missed(self, complete: dict[int, int]) -> int:
        """Return how many cycles of a complete list, up to the last period searched to the end, were not found."""
        found = self.counts()
        return sum(max(0, count - found.get(k, 0)) for k, count in complete.items() if k <= self.finished)


def loop_counts(period: int) -> tuple[int, int]:
    """Return the published numbers of outer and inner iterations.

    >>> loop_counts(1), loop_counts(7), loop_counts(84)
    ((10, 20), (10, 300), (100, 1115))
    """
    outer = next((count for below, count in OUTER if period < below), LAST_OUTER)
    inner = next((count for below, count in INNER if period < below), LAST_INNER)
    return outer, inner


def find_cycles(network: Network, up_to: int, *, seed: int = 0, budget_seconds: float = float("inf")) -> Harvest:
    """Run the heuristic for every period up to ``up_to``; a period that the budget breaks off is left out."""
    start = perf_counter()
    finder = Finder(FloatNetwork(network), seed, start + budget_seconds)
    words: dict[int, frozenset[Word]] = {}
    for period in range(1, up_to + 1):
        found = finder.search(period)
        if found is None:
            break
        words[period] = found
    return Harvest(words, len(words), finder.systems, perf_counter() - start, finder.pool_seconds)


@dataclass
class Ledger:
    """The published loops: descents are entered in the order in which they were drawn, whenever they end."""

    outer: int
    inner: int
    found: set[Word] = field(default_factory=set)
    restart: int = 0
    spent: int = 0  # inner iterations since the restart or the last new cycle
    front: int = 0  # the next descent to enter
    loops: int = 1  # inner loops begun
    systems: int = 0
    over: bool = False

    @property
    def reach(self) -> int:
        """Return the first descent that need not be drawn yet: about as many are ahead as the restarts left will take."""
        left = self.outer - self.restart + 1
        return self.front + min(MOST_AHEAD, left * (1 + self.front // self.loops))

    def enter(self, steps: int, word: Word | None) -> None:
        """Enter a descent that ended after so many solutions, at a cycle of this least period or at none."""
        self.front += 1
        self.systems += min(steps, self.inner - self.spent)
        self.spent += steps
        if word is not None and word not in self.found and self.spent <= self.inner:
            self.found.add(word)
            self.restart = self.spent = 0
        elif self.spent >= self.inner:
            self.over = self.restart >= self.outer
            self.restart += 1
            self.loops += 1
            self.spent = 0


class Finder:
    """The heuristic on one network."""

    def __init__(self, network: FloatNetwork, seed: int, deadline: float) -> None:
        self.network, self.seed, self.deadline = network, seed, deadline
        self.live = np.flatnonzero(network.live)
        self.systems = 0
        self._table = self._all_pieces() if len(self.live) <= TABLE_LETTERS else None
        start = perf_counter()
        self._pool = self._seen_patterns() if len(self.live) > network.dimension else None
        self.pool_seconds = perf_counter() - start

    def search(self, period: int) -> frozenset[Word] | None:
        """Return the cycles of one least period; None if the deadline came first."""
        rng = np.random.default_rng([self.seed, period])
        ledger = Ledger(*loop_counts(period))
        patterns = np.zeros((0, period, len(self.live)), dtype=bool)
        name = steps = np.zeros(0, dtype=np.int64)
        ended: dict[int, tuple[int, Word | None]] = {}
        drawn = 0
        while not ledger.over:
            if perf_counter() > self.deadline:
                return None
            fresh = max(0, ledger.reach - drawn)
            patterns = np.concatenate([patterns, self._draw(rng, fresh, period)])
            name = np.concatenate([name, np.arange(drawn, drawn + fresh)])
            steps = np.concatenate([steps, np.zeros(fresh, dtype=np.int64)]) + 1
            drawn += fresh
            signs, regular, real = self._improve(patterns)
            for lane in np.flatnonzero(real | ~regular | (steps >= ledger.inner)):
                ended[int(name[lane])] = (int(steps[lane]), self._word(patterns[lane]) if real[lane] else None)
            self._settle(ledger, ended, name, steps)
            stays = (name >= ledger.front) & regular & ~real & (steps < ledger.inner)
            patterns, name, steps = signs[stays], name[stays], steps[stays]
        self.systems += ledger.systems
        return frozenset(ledger.found)

    @staticmethod
    def _settle(ledger: Ledger, ended: dict[int, tuple[int, Word | None]], name: np.ndarray, steps: np.ndarray) -> None:
        """Enter what has ended, and the front descent as soon as the inner loop is over for it."""
        while not ledger.over:
            if ledger.front in ended:
                ledger.enter(*ended.pop(ledger.front))
                continue
            running = np.flatnonzero(name == ledger.front)
            if not len(running) or ledger.spent + steps[running[0]] < ledger.inner:
                return
            ledger.enter(int(steps[running[0]]), None)

    def _improve(self, patterns: Bools) -> tuple[Bools, Bools, Bools]:
        """Solve each cycle system and run the map from its solution: the orbit's signs, which systems were regular, which orbits real."""
        J, q = self._composed(patterns)
        with np.errstate(all="ignore"):
            state, regular = _solved(np.eye(self.network.dimension) - J, q)
            gates = np.empty(patterns.shape)
            for t in range(patterns.shape[1]):
                state, gate = self.network.trace(state)
                gates[:, t] = gate[:, self.live]
        signs = gates > 0.0
        real = regular & (signs == patterns).all(axis=(1, 2)) & np.isfinite(gates).all(axis=(1, 2))
        return signs, regular, real

    def _composed(self, patterns: Bools) -> tuple[Floats, Floats]:
        """Compose the affine pieces of each row of patterns, neighbours first."""
        J, q = self._pieces(patterns)
        with np.errstate(all="ignore"):
            while J.shape[1] > 1:
                even = J.shape[1] // 2 * 2
                first, second = J[:, 0:even:2], J[:, 1:even:2]
                shift = (second @ q[:, 0:even:2, :, None])[..., 0] + q[:, 1:even:2]
                J = np.concatenate([second @ first, J[:, even:]], axis=1)
                q = np.concatenate([shift, q[:, even:]], axis=1)
        return J[:, 0], q[:, 0]

    def _pieces(self, patterns: Bools) -> tuple[Floats, Floats]:
        count, period, letters = patterns.shape
        if self._table is not None:
            codes = patterns @ (1 << np.arange(letters))
            return self._table[0][codes], self._table[1][codes]
        J, q = self.network.pieces(self._whole(patterns.reshape(count * period, letters)))
        return J.reshape(count, period, *J.shape[1:]), q.reshape(count, period, -1)

    def _whole(self, patterns: Bools) -> Bools:
        """Put the live hinges' letters where they belong among all."""
        whole = np.zeros((len(patterns), self.network.hinges), dtype=bool)
        whole[:, self.live] = patterns
        return whole

    def _all_pieces(self) -> tuple[Floats, Floats]:
        codes = np.arange(1 << len(self.live))
        return self.network.pieces(self._whole((codes[:, None] >> np.arange(len(self.live)) & 1).astype(bool)))

    def _seen_patterns(self) -> Bools:
        """Return the patterns of random states: the pool from which restarts draw."""
        rng = np.random.default_rng([self.seed, 0])
        width = -(-len(self.live) // 64) * 64
        mixer = rng.integers(1, 2**63, width // 64, dtype=np.uint64) | np.uint64(1)
        seen: dict[int, Bools] = {}
        for _ in range(0, POOL_STATES, POOL_BATCH):
            states = rng.uniform(-POOL_RANGE, POOL_RANGE, (POOL_BATCH, self.network.dimension))
            patterns = np.zeros((POOL_BATCH, width), dtype=bool)
            patterns[:, : len(self.live)] = self.network.patterns(states)[:, self.live]
            names, rows = np.unique((np.packbits(patterns, axis=1).view(np.uint64) * mixer).sum(axis=1), return_index=True)
            seen.update(zip(names.tolist(), patterns[rows, : len(self.live)], strict=True))
        return np.array([seen[name] for name in sorted(seen)])

    def _draw(self, rng: np.random.Generator, count: int, period: int) -> Bools:
        if self._pool is not None:
            return self._pool[rng.integers(0, len(self._pool), (count, period))]
        return rng.random((count, period, len(self.live))) < 0.5

    @staticmethod
    def _word(patterns: Bools) -> Word | None:
        """Name a cycle by the least rotation of its itinerary; None if its least period is a proper divisor."""
        letters = tuple(map(bytes, np.packbits(patterns, axis=1)))
        return rotated(letters) if root_length(letters) == len(letters) else None


def _solved(matrices: Floats, right: Floats) -> tuple[Floats, Bools]:
    """Solve a batch of systems; the singular ones are marked and their solutions are not to be used."""
    try:
        return np.asarray(np.linalg.solve(matrices, right[..., None])[..., 0]), np.ones(len(right), dtype=bool)
    except np.linalg.LinAlgError:
        regular = np.linalg.slogdet(matrices)[0] != 0.0
        solutions = np.zeros_like(right)
        solutions[regular] = np.linalg.solve(matrices[regular], right[regular, :, None])[..., 0]
        return solutions, np.asarray(regular, dtype=bool)
