"""Search for cycles in any dimension: batches of Newton starts for every period, each new cycle suggesting further starts.

Nothing found here is proved, and nothing not found is excluded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from proofs.network import Network
from verify.candidates import Effort, Found
from verify.numerics.batch import Bools, FloatNetwork, Floats
from verify.numerics.catalogue import Catalogue, Cycle
from verify.numerics.homotopy import trace_paths
from verify.numerics.newton import batch_size, converge, follow, tangent_cycles
from verify.numerics.seeds import (
    MOST_WALKS,
    Simulation,
    Transitions,
    flips,
    lengthened,
    observe,
    random_states,
    shortened,
    simulate,
    spliced,
)

PATIENCE = 3  # visits without a new cycle after which a period is settled
LONG_PATIENCE = 8  # the same where there are very many regions
CHUNKS = 4  # batches taken from a period's queue in one visit
FLIPS = 256  # altered letters tried a cycle
PATHS = 48  # paths followed a visit at period 1
MANY_HINGES = 5  # from here on Newton's method alone may wander
MANY_STATES = 20  # and in this dimension paths too must be many
Progress = Callable[[str, int, int], None]


@dataclass
class Period:
    """What is still to try at one period."""

    length: int
    patience: int
    queue: deque[tuple[Bools, Floats, int]] = field(default_factory=deque)  # itineraries, points near them, Newton steps they deserve
    visited: set[int] = field(default_factory=set)  # names of itineraries solved before
    quiet: int = 0
    listed: bool = False  # closed walks have been looked at
    complete: bool = False  # and were few enough to be queued, all of them

    @property
    def settled(self) -> bool:
        """Say whether the queue is empty and the last visits brought nothing."""
        return not self.queue and self.quiet >= self.patience

    def batch(self, size: int) -> tuple[Bools, Floats, int]:
        """Take entries of the queue that deserve the same number of steps, until they fill a batch."""
        parts = [self.queue.popleft()]
        total = len(parts[0][0])
        while self.queue and self.queue[0][2] == parts[0][2] and total + len(self.queue[0][0]) <= size:
            parts.append(self.queue.popleft())
            total += len(parts[-1][0])
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]), parts[0][2]


def find_cycles(
    network: Network,
    up_to: int,
    *,
    period: int | None = None,
    budget_seconds: float = 20.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Found:
    """Search for the cycles of least period 1 to ``up_to``, or of one ``period``.

    Starts: patterns along simulated orbits and their near-returns, random patterns, closed walks on the transitions seen (all of them where
    they are few), and the itineraries of known cycles with one letter changed, left out or doubled, repeated, or joined to another's.

    **Guarantee:** heuristic; the same seed gives the same result unless the budget runs out.
    **Cost:** stops when every period has had three visits without a new cycle, or after ``budget_seconds``.
    """
    periods = range(1, up_to + 1) if period is None else range(period, period + 1)
    search = _Search(FloatNetwork(network), periods, seed, monotonic() + budget_seconds)
    start = monotonic()
    search.run(progress)
    effort = Effort(monotonic() - start, search.steps, search.starts)
    saturated = all(item.settled for item in search.periods.values())
    return Found(search.catalogue.candidates(periods), search.catalogue.unresolved_words(periods), effort, saturated)


class _Search:
    """One search: the periods, what is known, and what it has cost."""

    def __init__(self, network: FloatNetwork, periods: range, seed: int, deadline: float) -> None:
        self.network = network
        patience = LONG_PATIENCE if network.dimension >= MANY_STATES and network.live.sum() >= MANY_STATES else PATIENCE
        self.periods = {k: Period(k, patience) for k in periods}
        self.rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        self.catalogue = Catalogue(network)
        self.deadline = deadline
        self.longest = max(periods, default=1)
        self.graph: Transitions | None = None
        self.steps = self.starts = 0

    def run(self, progress: Progress | None) -> None:
        """Visit the unsettled periods in turn until none is left or the time is over."""
        while open_periods := [item for item in self.periods.values() if not item.settled]:
            simulation = self._simulate()
            for item in open_periods:
                if monotonic() > self.deadline:
                    return
                self._visit(item, simulation)
                if progress is not None:
                    progress("periods settled", sum(other.settled for other in self.periods.values()), len(self.periods))

    def _simulate(self) -> Simulation:
        length = max(200, 4 * self.longest)
        orbits = max(8, min(64, 4_000_000 // (length * self.network.dimension)))
        simulation = simulate(self.network, self.rng, length, orbits)
        if self.graph is None and self.network.is_piecewise_linear and self.network.hinges:
            spread = random_states(self.network, self.rng, 20_000)
            self.graph = observe(self.network, np.concatenate([simulation.states.reshape(-1, self.network.dimension), spread]))
        return simulation

    def _visit(self, item: Period, simulation: Simulation) -> None:
        """Try new starts at one period, and part of its queue."""
        before = len(self.catalogue.cycles)
        if not self.network.is_piecewise_linear:
            self._try_points(item.length, simulation)
        else:
            self._list_walks(item)
            self._try(item, *self._fresh_starts(item.length, simulation), 25)
            for _ in range(CHUNKS):
                if item.queue:
                    self._try(item, *item.batch(batch_size(self.network.dimension, item.length)))
            if item.quiet and not item.complete and self.network.live.sum() >= MANY_HINGES:
                self._follow_paths(item, simulation)
        item.quiet = item.quiet + 1 if len(self.catalogue.cycles) == before else 0

    def _try(self, item: Period, patterns: Bools, near: Floats, limit: int) -> None:
        size = batch_size(self.network.dimension, item.length)
        for first in range(0, len(patterns), size):
            if monotonic() > self.deadline:
                return
            part = slice(first, first + size)
            orbits = converge(self.network, patterns[part], near[part], item.visited, limit)
            self.steps += orbits.steps
            self.starts += len(patterns[part])
            for cycle in self.catalogue.add(orbits):
                self._suggest(cycle)

    def _follow_paths(self, item: Period, simulation: Simulation) -> None:
        """Look along paths from a few orbits, fewer where each is dear."""
        k, letters = item.length, item.length * self.network.hinges
        limit = min(600, 100 + 6 * letters)
        count = int(min(PATHS // k, 4e9 / (limit * (k * self.network.dimension / 8 + self.network.dimension) ** 3)))
        for _ in range(0, count, 8):
            if monotonic() > self.deadline:
                return
            scattered = follow(self.network, random_states(self.network, self.rng, 8), k)
            start = np.concatenate([scattered[: 8 if k == 1 else 4], simulation.random_windows(self.rng, k, 4)])[: min(8, count)]
            patterns, near, pieces = trace_paths(self.network, start[np.isfinite(start).all(axis=(1, 2))], limit)
            self.steps += pieces
            self._try(item, patterns, near, 25)

    def _try_points(self, period: int, simulation: Simulation) -> None:
        count = max(8, min(128, batch_size(self.network.dimension, period)))
        scattered = follow(self.network, random_states(self.network, self.rng, count // 2), period)
        points = np.concatenate([scattered, *self._windows(period, simulation, count)])
        closed, steps = tangent_cycles(self.network, points[np.isfinite(points).all(axis=(1, 2))])
        self.steps += steps
        self.starts += len(points)
        self.catalogue.add_smooth(closed)

    def _windows(self, period: int, simulation: Simulation, count: int) -> tuple[Floats, Floats]:
        return simulation.random_windows(self.rng, period, count), simulation.near_returns(period, count // 2)

    def _fresh_starts(self, period: int, simulation: Simulation) -> tuple[Bools, Floats]:
        """Return itineraries from simulated orbits, at random, from random walks and from joined cycles."""
        count = max(8, min(96, batch_size(self.network.dimension, period)))
        hinges = self.network.hinges
        points = np.concatenate(self._windows(period, simulation, count))
        parts = [
            self.network.patterns(points.reshape(-1, points.shape[2])).reshape(len(points), period, hinges),
            self.rng.random((count // 2, period, hinges)) < self.rng.random((count // 2, 1, 1)),
            *self._joined(period, count // 2),
        ]
        if self.graph is not None:
            parts.append(self.graph.random_walks(self.rng, period, count))
        patterns = np.concatenate(parts)
        blank = np.zeros((len(patterns) - len(points), period, self.network.dimension))
        return patterns, np.concatenate([points, blank])

    def _joined(self, period: int, count: int) -> list[Bools]:
        """Join rounds of two known cycles into itineraries of this period."""
        known = [cycle for length, cycles in self.catalogue.by_period.items() if length < period for cycle in cycles]
        joined: list[Bools] = []
        if len(known) < 2:  # noqa: PLR2004 - nothing to join
            return joined
        for one, two in self.rng.integers(0, len(known), (count, 2)):
            a, b = known[one], known[two]
            left = [(i, period - i * a.period) for i in range(1, period // a.period + 1)]
            powers = [(i, rest // b.period) for i, rest in left if rest and rest % b.period == 0]
            if powers and one != two:
                joined.append(spliced((a.patterns, a.points), (b.patterns, b.points), powers[self.rng.integers(len(powers))])[None])
        return joined

    def _list_walks(self, item: Period) -> None:
        if not item.listed and self.graph is not None and self.graph.closed_walks(item.length) <= MOST_WALKS:
            self._queue(item.length, self.graph.necklaces(item.length), 1)
            item.complete = True
        item.listed = True

    def _suggest(self, cycle: Cycle) -> None:
        """Queue the itineraries that a new cycle makes likely."""
        k = cycle.period
        altered = flips(self.network, cycle.patterns, cycle.points, FLIPS)
        self._queue(k, altered)
        for rounds in range(2, self.longest // k + 1):
            self._queue(k * rounds, np.tile(cycle.patterns, (rounds, 1))[None], near=np.tile(cycle.points, (rounds, 1))[None])
            if rounds <= 3:  # noqa: PLR2004 - where a cycle has just doubled or tripled
                plain = np.broadcast_to(cycle.patterns, (len(altered), *cycle.patterns.shape))
                self._queue(k * rounds, np.concatenate([altered, *[plain] * (rounds - 1)], axis=1))
        self._queue(k + 1, lengthened(cycle.patterns))
        self._queue(k - 1, shortened(cycle.patterns))

    def _queue(self, period: int, patterns: Bools, limit: int = 25, near: Floats | None = None) -> None:
        if period in self.periods and len(patterns):
            blank = np.zeros((len(patterns), period, self.network.dimension))
            self.periods[period].queue.append((patterns, blank if near is None else near, limit))
