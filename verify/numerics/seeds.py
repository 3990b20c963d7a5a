"""Where Newton's method for cycles may start: simulated orbits and their near-returns, walks on the observed transitions, altered words."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from verify.numerics.batch import Bools, FloatNetwork, Floats

ESCAPED = 1e5  # a state this much larger than F(0) has left
MOST_LETTERS = 96  # patterns beyond which a graph of transitions is of no use
MOST_WALKS = 300_000  # closed walks that are listed one by one
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Simulation:
    """Orbits of many states side by side, started again where they escape.

    **Shapes:** states (T, N, M); age (T, N) counts the steps since the last start.
    """

    states: Floats
    age: Indices

    def windows(self, first: Indices, column: Indices, period: int) -> Floats:
        """Return stretches of orbits, (n, period, M); those broken by a new start are left out."""
        whole = self.age[first + period - 1, column] == self.age[first, column] + period - 1
        times = first[whole, None] + np.arange(period)
        return np.asarray(self.states[times, column[whole, None]])

    def random_windows(self, rng: np.random.Generator, period: int, count: int) -> Floats:
        """Return windows at random places, the early (transient) times as likely as the late ones on a logarithmic scale."""
        length, orbits = self.age.shape
        first = np.exp(rng.random(count) * log(length - period + 1)).astype(np.int64) - 1
        return self.windows(first, rng.integers(0, orbits, count), period)

    def near_returns(self, period: int, count: int) -> Floats:
        """Return the windows that come closest to closing, beside the length of their own first step; one a slab of time and orbit."""
        length, orbits = self.age.shape
        slab = max(1, min(32, length - period))
        usable = (length - period) // slab * slab
        stay = self.states[period : period + usable] - self.states[:usable]
        step = self.states[1 : usable + 1] - self.states[:usable]
        size = np.abs(self.states[:usable]).max(axis=2) * 1e-3 if period > 1 else 1.0
        score = np.abs(stay).max(axis=2) / (np.abs(step).max(axis=2) * (period > 1) + size + 1e-300)
        score = np.where(self.age[period : period + usable] == self.age[:usable] + period, score, np.inf)
        slabs = score.reshape(-1, slab, orbits)
        inside = slabs.argmin(axis=1)
        best = np.take_along_axis(slabs, inside[:, None], axis=1)[:, 0].ravel()
        order = np.argsort(best, kind="stable")[:count]
        row, column = order // orbits, order % orbits
        return self.windows(row * slab + inside[row, column], column, period)


@dataclass(frozen=True)
class Transitions:
    """The patterns seen and which was seen to follow which. **Shapes:** letters (n, hinges), follows (n, n)."""

    letters: Bools
    follows: Bools

    def closed_walks(self, period: int) -> float:
        """Return the number of closed walks of this length."""
        return float(np.trace(np.linalg.matrix_power(self.follows.astype(np.float64), period)))

    def necklaces(self, period: int) -> Bools:
        """Return every closed walk of this length, one rotation of each, as itineraries (n, period, hinges)."""
        size = len(self.letters)
        reach = [np.eye(size, dtype=bool)]
        for _ in range(period):
            reach.append(reach[-1] @ self.follows)
        walks = np.arange(size)[:, None]
        for t in range(1, period):
            row, letter = np.nonzero(self.follows[walks[:, -1]] & reach[period - t].T[walks[:, 0]])
            walks = np.concatenate([walks[row], letter[:, None]], axis=1)[letter >= walks[row, 0]]
        walks = walks[self.follows[walks[:, -1], walks[:, 0]]]
        return self.letters[walks[_is_least(walks)]]

    def random_walks(self, rng: np.random.Generator, period: int, count: int) -> Bools:
        """Return closed walks of this length, each as likely as any other."""
        graph = self.follows.astype(np.float64)
        powers = [np.eye(len(graph))]
        for _ in range(period):
            power = graph @ powers[-1]
            powers.append(power / max(power.max(), 1.0))
        weights = np.diag(powers[period])
        if not weights.sum() > 0.0:
            return np.zeros((0, period, self.letters.shape[1]), dtype=bool)
        start = rng.choice(len(graph), count, p=weights / weights.sum())
        walk = [start]
        for t in range(1, period):
            odds = np.cumsum(graph[walk[-1]] * powers[period - t][:, start].T, axis=1)
            walk.append((odds < rng.random(count)[:, None] * odds[:, -1:]).sum(axis=1))
        return self.letters[np.stack(walk, axis=1)]


def scale_of(network: FloatNetwork) -> float:
    """Return a length typical of the network: the largest entry of F(0), or of a bias inside it, or 1."""
    sizes = [float(np.abs(operation.bias).max(initial=0.0)) for operation in network.program]
    return max(sizes) or 1.0


def random_states(network: FloatNetwork, rng: np.random.Generator, count: int) -> Floats:
    """Return states of many sizes around the origin."""
    size = scale_of(network) * 10.0 ** rng.uniform(-2.0, 1.2, (count, 1))
    return rng.standard_normal((count, network.dimension)) * size


def simulate(network: FloatNetwork, rng: np.random.Generator, length: int, orbits: int) -> Simulation:
    """Run orbits side by side from random states, starting again where one escapes."""
    states = np.empty((length, orbits, network.dimension))
    age = np.zeros((length, orbits), dtype=np.int64)
    states[0] = random_states(network, rng, orbits)
    limit = ESCAPED * scale_of(network)
    for t in range(1, length):
        with np.errstate(all="ignore"):
            states[t] = network.step(states[t - 1])
        age[t] = age[t - 1] + 1
        lost = ~(np.abs(states[t]).max(axis=1) < limit)
        if lost.any():
            states[t, lost] = random_states(network, rng, int(lost.sum()))
            age[t, lost] = 0
    return Simulation(states, age)


def observe(network: FloatNetwork, states: Floats) -> Transitions | None:
    """Collect the patterns of states and of their images; None where they are too many."""
    with np.errstate(all="ignore"):
        patterns = np.concatenate([network.patterns(states), network.patterns(network.step(states))]) & network.live
    words = np.packbits(patterns, axis=1)
    names = np.ascontiguousarray(words).view(np.dtype((np.void, max(1, words.shape[1])))).ravel() if words.size else np.zeros(len(words))
    _, first, code = np.unique(names, return_index=True, return_inverse=True)
    if len(first) > MOST_LETTERS:
        return None
    follows = np.zeros((len(first), len(first)), dtype=bool)
    follows[code[: len(states)], code[len(states) :]] = True
    return Transitions(patterns[first], follows)


def flips(network: FloatNetwork, patterns: Bools, points: Floats, count: int) -> Bools:
    """Return an itinerary with one letter of one live hinge changed, for those nearest to their border first.

    **Shapes:** patterns (k, hinges), points (k, M); result (n, k, hinges).
    """
    margin = np.where(network.live, np.abs(network.gates(points)), np.inf).ravel()
    order = np.argsort(margin, kind="stable")[: min(count, int(np.isfinite(margin).sum()))]
    altered = np.repeat(patterns.reshape(1, -1), len(order), axis=0)
    altered[np.arange(len(order)), order] ^= True
    return altered.reshape(len(order), *patterns.shape)


def shortened(patterns: Bools) -> Bools:
    """Return an itinerary with each of its patterns left out once, (k, k - 1, hinges)."""
    period = len(patterns)
    index = np.arange(period - 1)[None, :]
    return patterns[index + (index >= np.arange(period)[:, None])]


def lengthened(patterns: Bools) -> Bools:
    """Return an itinerary with each of its patterns said twice, (k, k + 1, hinges)."""
    index = np.arange(len(patterns) + 1)[None, :]
    return patterns[index - (index > np.arange(len(patterns))[:, None])]


def spliced(one: tuple[Bools, Floats], two: tuple[Bools, Floats], powers: tuple[int, int]) -> Bools:
    """Return the itinerary that goes round one cycle and then round another, changing where their points are closest."""
    gap = np.abs(one[1][:, None] - two[1][None]).max(axis=2)
    i, j = np.unravel_index(int(gap.argmin()), gap.shape)
    rounds = [np.roll(one[0], -int(i), axis=0)] * powers[0] + [np.roll(two[0], -int(j), axis=0)] * powers[1]
    return np.concatenate(rounds)


def _is_least(walks: Indices) -> Bools:
    """Say which rows are not larger than any of their rotations."""
    least = np.ones(len(walks), dtype=bool)
    for shift in range(1, walks.shape[1]):
        difference = np.roll(walks, -shift, axis=1) - walks
        place = (difference != 0).argmax(axis=1)
        least &= difference[np.arange(len(walks)), place] >= 0
    return least
