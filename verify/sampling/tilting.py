"""Importance sampling: networks drawn from a mixture of tilted laws under which the event is common, and weighed back.

In each component of the mixture the units are independent and alike: a kink falls into one of equal bins of [0, 1] with that bin's share,
and the unit's normal coordinate has the bin's mean and variance. The mixture is learned, from larger scales s downwards, by expectation
and maximisation on weighed networks that have the event; it is then fixed, so that the mean weight of independent networks is unbiased.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from verify.errors import NotFound
from verify.sampling.families import Cell
from verify.sampling.walks import Floats, Networks, Walks

BINS = 16
COMPONENTS = 16
EASY_SCALE = 4.0  # here period three has a probability of almost 1 %
STEPS_DOWN = 2.0**-0.25
LEARNING_WIDTH = 64
REFINEMENTS = 3  # rounds at the scale asked for
ROUNDS = 3  # of expectation and maximisation: more would fit the mixture to single heavy networks
FEWEST = 5 * COMPONENTS  # networks with the event to learn from
CUT = 100  # while learning, the largest of this many weights is cut down to the next
LEAST_SHARE = 0.05  # of all networks, spread evenly over the components
PRIOR = 2.0  # units per bin that are added as the cell's own law has them
HALF_A_UNIT = 0.5
TOWARDS_THE_LAW = (0.9, 0.8, 0.7, 0.6, 0.5)
GUARD = 0.4  # of all networks come from components drawn back towards the cell's law, which bounds the weights of unusual networks
GUARD_SPREAD = 2.0  # over the width's root: added to their variances
VIEWS = np.linspace(0.2, 1.0, 7)


@dataclass(frozen=True, eq=False)
class Tilt:
    """Shares of the components (L,), and for every component and bin the share of kinks, the mean and the variance (L, B)."""

    shares: Floats
    bins: Floats
    means: Floats
    variances: Floats

    @classmethod
    def none(cls, bins: int) -> Tilt:
        """Return the cell's own law."""
        return cls(np.ones(1), np.full((1, bins), 1.0 / bins), np.zeros((1, bins)), np.ones((1, bins)))

    def rescaled(self, factor: float) -> Tilt:
        """Return the tilt with so many times the means: the same drift where the scale, or the width's root, is so many times smaller."""
        return Tilt(self.shares, self.bins, self.means * factor, self.variances)

    def guarded(self, width: int) -> Tilt:
        """Return the tilt with copies of its components that lie nearer to the cell's law and are wider."""
        bins, copies = self.bins.shape[1], len(TOWARDS_THE_LAW)
        wider = self.variances * (1.0 + GUARD_SPREAD / math.sqrt(width))
        return Tilt(
            np.concatenate([(1.0 - GUARD) * self.shares] + [GUARD / copies * self.shares] * copies),
            np.concatenate([self.bins] + [nearer * self.bins + (1.0 - nearer) / bins for nearer in TOWARDS_THE_LAW]),
            np.concatenate([self.means] + [nearer * self.means for nearer in TOWARDS_THE_LAW]),
            np.concatenate([self.variances] + [wider] * copies),
        )

    def draw(self, walks: Walks, generator: np.random.Generator, count: int) -> Networks:
        """Draw independent networks from the mixture."""
        width, bins = walks.cell.width, self.bins.shape[1]
        parts = np.sort(generator.choice(len(self.shares), count, p=self.shares))
        kinks = np.sort(self._kinks(generator.random((count, width)), parts), axis=1) if walks.moving else walks.fixed_kinks
        where = parts[:, None], _bin(kinks, bins)
        return Networks(kinks, self.means[where] + np.sqrt(self.variances[where]) * generator.standard_normal((count, width)))

    def weigh(self, networks: Networks) -> tuple[Floats, Floats]:
        """Return log(cell's density / mixture's density) of every network, and how much of it each component explains."""
        bins = self.bins.shape[1]
        spread = np.log(self.bins * bins) - 0.5 * np.log(self.variances) - self.means**2 / (2.0 * self.variances)
        table = np.concatenate([spread, self.means / self.variances, 0.5 - 0.5 / self.variances], axis=1)
        exponents = _sums(networks, bins) @ table.T + np.log(self.shares)
        top = exponents.max(axis=1)
        parts = np.exp(exponents - top[:, None])
        total = parts.sum(axis=1)
        return -(top + np.log(total)), parts / total[:, None]

    def _kinks(self, uniforms: Floats, parts: np.ndarray) -> Floats:
        """Turn uniform numbers into kinks; networks of one component are neighbours."""
        kinks, bins = np.empty_like(uniforms), self.bins.shape[1]
        for part, shares in enumerate(self.bins):
            rows = slice(*np.searchsorted(parts, [part, part + 1]))
            ends = np.concatenate([[0.0], np.cumsum(shares)])
            kinks[rows] = np.interp(uniforms[rows], ends / ends[-1], np.arange(bins + 1) / bins)
        return np.minimum(kinks, np.nextafter(1.0, 0.0))


def learn(walks: Walks, generator: np.random.Generator, count: int) -> Tilt:
    """Return a mixture for the walks' event, from ``count`` networks at every scale on the way down.

    Where the kinks are fixed, networks of width ``LEARNING_WIDTH`` suffice: the tilt is a drift of their path, which any width can follow.

    **Raises:** NotFound when too few networks have the event to learn from.
    """
    cell = walks.cell
    if not walks.moving and cell.width > LEARNING_WIDTH:
        narrow = Walks(Cell(cell.family, LEARNING_WIDTH, cell.scale), walks.score)
        return _learnt(narrow, generator, count).rescaled(math.sqrt(LEARNING_WIDTH / cell.width)).guarded(cell.width)
    return _learnt(walks, generator, count).guarded(cell.width)


def _learnt(walks: Walks, generator: np.random.Generator, count: int) -> Tilt:
    cell = walks.cell
    scales = [max(EASY_SCALE, cell.scale)]
    while scales[-1] > cell.scale:
        scales.append(max(cell.scale, STEPS_DOWN * scales[-1]))
    scales += [cell.scale] * REFINEMENTS
    tilt = Tilt.none(min(BINS, cell.width))
    for before, scale in zip([scales[0], *scales], scales, strict=False):
        there = Walks(Cell(cell.family, cell.width, scale), walks.score)
        tilt = tilt.rescaled(before / scale)
        networks = tilt.draw(there, generator, count)
        hits = networks.rows(np.flatnonzero(there.scores(networks)[0] >= 0.0))
        if len(hits) < FEWEST:
            got = f"{len(hits)} of {count} at scale {scale}"
            remedy = "more networks to learn from, or splitting"
            raise NotFound(
                where="importance sampling",
                law="learn from networks that have the event",
                expected=f"at least {FEWEST}",
                got=got,
                remedy=remedy,
            )
        tilt = _fitted(there, generator, tilt, hits)
    return tilt


def _fitted(walks: Walks, generator: np.random.Generator, tilt: Tilt, hits: Networks) -> Tilt:
    """Fit the mixture to weighed networks; the largest weights are cut down, which only costs efficiency."""
    logs, parts = tilt.weigh(hits)
    logs = np.minimum(logs, np.sort(logs)[-max(1, len(logs) // CUT)])
    weights = np.exp(logs - logs.max())
    weights *= len(hits) / weights.sum()
    bins = tilt.bins.shape[1]
    sums = _sums(hits, bins)
    if len(tilt.shares) == 1:
        parts = _nearest(hits, generator)
        tilt = _maximised(sums, parts * weights[:, None], bins)
    for _ in range(ROUNDS):
        tilt = _maximised(sums, tilt.weigh(hits)[1] * weights[:, None], bins)
    return tilt if walks.moving else Tilt(tilt.shares, np.full_like(tilt.bins, 1.0 / bins), tilt.means, np.ones_like(tilt.variances))


def _maximised(sums: Floats, parts: Floats, bins: int) -> Tilt:
    """Return the most likely mixture, given how much of each network every component explains."""
    counts, first, second = (parts.T @ part for part in np.split(sums, 3, axis=1))
    shares = (counts + PRIOR) / (counts.sum(axis=1, keepdims=True) + PRIOR * bins)
    means = first / (counts + HALF_A_UNIT)
    variances = (second - 2.0 * means * first + means**2 * counts + PRIOR) / (counts + PRIOR)
    total = parts.sum(axis=0)
    # a variance below the law's own would make tails too light for the weights to stay bounded
    return Tilt((1.0 - LEAST_SHARE) * total / total.sum() + LEAST_SHARE / len(total), shares, means, np.maximum(variances, 1.0))


def _nearest(hits: Networks, generator: np.random.Generator) -> Floats:
    """Assign every network to the nearest of a few of them, by values of f."""
    values = np.stack([(np.maximum(x - hits.kinks, 0.0) * hits.normals).sum(axis=1) for x in VIEWS], axis=1)
    chosen = values[generator.choice(len(values), COMPONENTS, replace=False)]
    nearest = ((values[:, None, :] - chosen) ** 2).sum(axis=2).argmin(axis=1)
    return np.asarray(nearest[:, None] == np.arange(COMPONENTS), dtype=np.float64)


def _sums(networks: Networks, bins: int) -> Floats:
    """Return, for every network, how many kinks each bin has, the sum of their normal coordinates, and that of the squares."""
    normals = networks.normals
    rows = len(normals)
    cells = (np.broadcast_to(_bin(networks.kinks, bins), normals.shape) + bins * np.arange(rows)[:, None]).ravel()
    parts = [np.bincount(cells, weights, minlength=rows * bins) for weights in (None, normals.ravel(), (normals * normals).ravel())]
    return np.concatenate([part.reshape(rows, bins).astype(np.float64) for part in parts], axis=1)


def _bin(kinks: Floats, bins: int) -> np.ndarray:
    return np.minimum((kinks * bins).astype(np.int64), bins - 1)
