"""Period three in the limit of infinite width, by doubling the resolution of one and the same Brownian path. Estimates, nothing proved.

A network of the family brownian is a path seen at k points; the sums of neighbouring output weights are the same path at k/2 points. So one
draw at the finest width gives the answer at every width, and the differences between widths have much less noise than the answers.
The slope at k points is the path at the right ends of k intervals, so probabilities differ from their limit by c/k to first order, which
twice the last one less the one before removes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from proofs.errors import Malformed
from verify.numerics.line_scores import li_yorke_scores
from verify.sampling.families import Cell, draw
from verify.sampling.rare import PILOT, TILTED, balance, parts_of, share_of
from verify.sampling.tilting import learn
from verify.sampling.walks import Floats, Score, Walks


@dataclass(frozen=True)
class Doubling:
    """Probabilities at widths k, 2k, 4k, ... from the same paths, repetition by repetition, and what they tend to.

    ``changed``: the probability that a path has the event at one of two neighbouring widths only.
    """

    scale: float
    seed: int
    count: int
    widths: tuple[int, ...]
    repetitions: tuple[tuple[float, ...], ...]
    changed: tuple[float, ...]
    confidence: float

    @property
    def probabilities(self) -> tuple[tuple[float, float], ...]:
        """The probability at every width, and its standard error."""
        return tuple(_summary(column) for column in self._table.T)

    @property
    def differences(self) -> tuple[tuple[float, float], ...]:
        """The probability at every width less that at half the width, and the standard error of the difference."""
        return tuple(_summary(column) for column in np.diff(self._table, axis=1).T)

    @property
    def limit(self) -> tuple[float, float]:
        """The extrapolated probability and its standard error."""
        return _summary(2.0 * self._table[:, -1] - self._table[:, -2])

    @property
    def interval(self) -> tuple[float, float]:
        """An interval for the limit: Student's t on the repetitions, widened on both sides by all that the extrapolation has added."""
        value, error = self.limit
        added = abs(value - self.probabilities[-1][0])
        half = float(special.stdtrit(len(self.repetitions) - 1, 0.5 + self.confidence / 2.0)) * error + added
        return max(0.0, value - half), min(1.0, value + half)

    @property
    def _table(self) -> Floats:
        return np.array(self.repetitions)

    def statement(self) -> str:
        """Say it in one sentence."""
        (last, _), (step, error), (low, high) = self.probabilities[-1], self.differences[-1], self.interval
        return (
            f"Estimate for infinite width at s = {self.scale:g}, not a proof: {self.limit[0]:.3g}, {100 * self.confidence:g} % interval "
            f"[{low:.3g}, {high:.3g}] if the error falls like 1/k (at width {self.widths[-1]} {last:.3g}, the last doubling changed it by "
            f"{step:.2g} with standard error {error:.2g}, and the answer on paths of probability {self.changed[-1]:.2g})."
        )


def doubling(
    scale: float,
    seed: int,
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256, 512),
    count: int = 100_000,
    repetitions: int = 20,
    confidence: float = 0.95,
    score: Score = li_yorke_scores,
) -> Doubling:
    """Count the event at every width on networks 0, 1, ... of the cell brownian at the last width with this seed."""
    cell = _finest(scale, widths, repetitions)

    def sample(repetition: int) -> tuple[Floats, Floats]:
        first = sum(share_of(count, repetitions, i) for i in range(repetition))
        tables = []
        for rows in parts_of(cell, share_of(count, repetitions, repetition)):
            tables.append(_answers(draw(cell, seed, first, rows).weights[1][:, 0, :], widths, score))
            first += rows
        table = np.concatenate(tables)
        return table, np.ones(len(table))

    return _doubled(sample, cell, seed, count, widths, repetitions, confidence)


def rare_doubling(  # noqa: PLR0913 (as above)
    scale: float,
    seed: int,
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256, 512),
    count: int = 200_000,
    repetitions: int = 20,
    pilot: int = 60_000,
    confidence: float = 0.95,
    score: Score = li_yorke_scores,
) -> Doubling:
    """Do the same by importance sampling, where the event is too rare to be counted. **Raises:** NotFound, see `verify.sampling.rare`."""
    cell = _finest(scale, widths, repetitions)
    walks = Walks(cell, score)
    tilt = learn(walks, walks.generator(seed, PILOT), pilot)
    found: list[Floats] = []

    def sample(repetition: int) -> tuple[Floats, Floats]:
        generator = walks.generator(seed, TILTED, repetition)
        tables, weights = [], []
        for rows in parts_of(cell, share_of(count, repetitions, repetition)):
            networks = tilt.draw(walks, generator, rows)
            tables.append(_answers(walks.deviation * networks.normals, widths, score))
            weights.append(np.exp(tilt.weigh(networks)[0]))
        table, together = np.concatenate(tables), np.concatenate(weights)
        found.append(together[table[:, -1] > 0.0])
        return table, together

    result = _doubled(sample, cell, seed, count, widths, repetitions, confidence)
    balance(np.concatenate(found))
    return result


def coarser(weights: Floats, width: int) -> Floats:
    """Return the output weights of the same paths at a smaller width."""
    return np.asarray(weights.reshape(len(weights), width, -1).sum(axis=2))


def _answers(weights: Floats, widths: tuple[int, ...], score: Score) -> Floats:
    """Say with 1 and 0 which paths have the event at which width."""
    columns = [score(np.arange(width)[None, :] / width, coarser(weights, width))[0] >= 0.0 for width in widths]
    return np.stack(columns, axis=1).astype(np.float64)


def _doubled(
    sample: Callable[[int], tuple[Floats, Floats]],
    cell: Cell,
    seed: int,
    count: int,
    widths: tuple[int, ...],
    repetitions: int,
    confidence: float,
) -> Doubling:
    means, changed = [], np.zeros(len(widths) - 1)
    for i in range(repetitions):
        table, weights = sample(i)
        means.append(tuple((weights @ table / len(table)).tolist()))
        changed += weights @ np.abs(np.diff(table, axis=1)) / len(table)
    return Doubling(cell.scale, seed, count, widths, tuple(means), tuple((changed / repetitions).tolist()), confidence)


def _finest(scale: float, widths: tuple[int, ...], repetitions: int) -> Cell:
    if len(widths) < 2 or any(2 * one != two for one, two in pairwise(widths)) or repetitions < 2:  # noqa: PLR2004
        got = f"widths {widths}, {repetitions} repetitions"
        raise Malformed(where="limit of infinite width", law="widths double", expected="k, 2k, ... and at least 2 repetitions", got=got)
    return Cell("brownian", widths[-1], scale)


def _summary(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
