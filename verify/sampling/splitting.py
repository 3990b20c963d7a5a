"""Multilevel splitting: the probability of a rare event as a product of shares that are not small.

The levels and the sizes of the moves come from a pilot run with random numbers of its own and are then fixed: for fixed levels the product
is an unbiased estimate, whatever the moves' mixing (poor mixing costs variance, which the repetitions show). Each level's networks are
copied from those above it and moved by steps that leave the law above the level invariant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.errors import NotFound
from verify.sampling.walks import Floats, Networks, Walks

ACCEPTANCE = 0.35  # aimed at by the pilot
GAIN = 0.5
FIRST_SIZE = 0.5
MOST_LEVELS = 200


@dataclass(frozen=True)
class Schedule:
    """Rising levels, the last of them 0, and the size of the moves above each of the others."""

    levels: tuple[float, ...]
    sizes: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Climb:
    """One run: its estimate, the share kept at every level, the share of moves accepted, and the networks that reached the event.

    ``ancestors``: of how many first networks these descend; few of them mean that they are hardly independent.
    """

    probability: float
    kept: tuple[float, ...]
    accepted: tuple[float, ...]
    ancestors: int
    reached: Networks
    points: Floats


@dataclass(eq=False)
class _Population:
    walks: Walks
    generator: np.random.Generator
    networks: Networks
    scores: Floats
    points: Floats
    ancestors: NDArray[np.int64]

    @classmethod
    def start(cls, walks: Walks, generator: np.random.Generator, count: int) -> _Population:
        networks = walks.draw(generator, count)
        return cls(walks, generator, networks, *walks.scores(networks), np.arange(count))

    def choose(self, rows: NDArray[np.int64]) -> None:
        self.networks, self.scores, self.points = self.networks.rows(rows), self.scores[rows], self.points[rows]
        self.ancestors = self.ancestors[rows]

    def copy_those_above(self, level: float) -> float:
        """Keep the networks at or above the level, each copied about equally often to the old number; return their share."""
        above = np.flatnonzero(self.scores >= level)
        count = len(self.scores)
        if above.size:
            self.choose(above[((np.arange(count) + self.generator.random()) * (above.size / count)).astype(np.int64) % above.size])
        return above.size / count

    def move(self, level: float, size: float) -> float:
        """Propose one move for every network, accept it where it stays at or above the level; return the share accepted."""
        proposed = self.walks.moved(self.generator, self.networks, size)
        scores, points = self.walks.scores(proposed)
        accepted = scores >= level
        self.networks = self.networks.replaced(accepted, proposed)
        self.scores, self.points = np.where(accepted, scores, self.scores), np.where(accepted, points, self.points)
        return float(accepted.mean())


def plan(walks: Walks, generator: np.random.Generator, count: int, moves: int, share: float) -> Schedule:
    """Return levels that about ``share`` of the networks pass each, and sizes of moves that are accepted often enough.

    **Raises:** NotFound when no network comes nearer to the event.
    """
    population = _Population.start(walks, generator, count)
    levels: list[float] = []
    sizes: list[float] = []
    size = FIRST_SIZE
    while True:
        level = min(0.0, float(np.quantile(population.scores, 1.0 - share)))
        if len(levels) == MOST_LEVELS or (levels and level <= levels[-1]):
            got = f"level {len(levels)} at score {level}"
            raise NotFound(where="splitting, pilot", law="levels rise to the event", expected="scores above the last level", got=got)
        levels.append(level)
        if level == 0.0:
            return Schedule(tuple(levels), tuple(sizes))
        population.copy_those_above(level)
        for _ in range(moves):
            size = min(1.0, size * math.exp(GAIN * (population.move(level, size) - ACCEPTANCE)))
        sizes.append(size)


def climb(walks: Walks, generator: np.random.Generator, schedule: Schedule, count: int, moves: int) -> Climb:
    """Run once through fixed levels. **Guarantee:** the expectation of ``probability`` is the event's probability, as the scores say it."""
    population = _Population.start(walks, generator, count)
    kept: list[float] = []
    accepted: list[float] = []
    for level, size in zip(schedule.levels, (*schedule.sizes, 0.0), strict=True):
        if level == 0.0:
            population_above = np.flatnonzero(population.scores >= 0.0)
            kept.append(population_above.size / count)
            population.choose(population_above)
            break
        kept.append(population.copy_those_above(level))
        if kept[-1] == 0.0:
            population.choose(np.empty(0, dtype=np.int64))
            break
        accepted.append(float(np.mean([population.move(level, size) for _ in range(moves)])))
    ancestors = len(np.unique(population.ancestors))
    return Climb(math.prod(kept), tuple(kept), tuple(accepted), ancestors, population.networks, population.points)
