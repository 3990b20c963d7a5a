"""Simulated orbits around saddles: cycles that nearly returning orbits close up to, and the excursions from a saddle back to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.newton import batch_size, converge
from verify.numerics.seeds import ESCAPED, Simulation, random_states, scale_of

Indices = NDArray[np.int64]
TINY = 1e-290
VISITS = 600  # times nearest to a saddle that are paired with each other
NEWTON_STEPS = 12
QR_STEPS = 600
PROBES = 96  # times of each orbit at which recurrences are looked for
SCOUTS = 8  # short orbits a long one
SCOUT_STEPS = 250


@dataclass(frozen=True, eq=False)
class Record:
    """Orbits side by side, long after their start: states (T, n, M) and exponents (n,)."""

    states: Floats
    exponents: Floats

    @property
    def exponent(self) -> float:
        """Return the largest exponent estimated, -inf where every orbit escaped."""
        return float(self.exponents.max(initial=-np.inf))

    def chaotic(self, least: float) -> Record:
        """Keep the orbits whose estimated exponent is above ``least``."""
        keep = self.exponents > least
        return Record(self.states[:, keep], self.exponents[keep])

    def simulation(self) -> Simulation:
        """Return the same orbits as one simulation without restarts."""
        length, orbits = self.states.shape[:2]
        return Simulation(self.states, np.repeat(np.arange(length)[:, None], orbits, axis=1))


def scout(network: FloatNetwork, rng: np.random.Generator, orbits: int, least: float) -> tuple[Floats, float]:
    """Return states from which orbits seem chaotic, as many as ``orbits``, and the largest exponent seen.

    Many short orbits are tried, for a chaotic set may draw few of them. None chaotic: an array without rows.
    """
    short = record(network, random_states(network, rng, SCOUTS * orbits), SCOUT_STEPS, SCOUT_STEPS)
    ends = short.states[-1, short.exponents > least]
    if not len(ends):
        return ends, short.exponent
    chosen = ends[rng.permutation(np.arange(orbits) % len(ends))]
    return chosen * (1.0 + 1e-6 * rng.standard_normal(chosen.shape)), short.exponent


def record(network: FloatNetwork, start: Floats, settle: int, length: int) -> Record:
    """Run orbits from these states, forget the first ``settle`` steps, keep ``length``; those that escape are left out.

    **Guarantee:** heuristic: an exponent is the mean growth of one tangent vector over ``length`` steps.
    """
    Z, orbits = start, len(start)
    V = np.cos(1.0 + np.arange(start.size)).reshape(start.shape)
    states, growth, alive = np.empty((length, *Z.shape)), np.zeros(orbits), np.ones(orbits, dtype=bool)
    limit = ESCAPED * scale_of(network)
    with np.errstate(all="ignore"):
        for t in range(-settle, length):
            if t >= -length // 8:
                V = np.matmul(network.jacobian(Z), V[:, :, None])[:, :, 0]
                sizes = np.maximum(np.linalg.norm(V, axis=1), TINY)
                V = V / sizes[:, None]
                growth += np.log(sizes) * (t >= 0)
            if t >= 0:
                states[t] = Z
            Z = network.step(Z)
            alive &= np.abs(Z).max(axis=1) < limit
            Z[~alive] = 0.0
    return Record(states[:, alive], growth[alive] / length)


def expanding_directions(network: FloatNetwork, orbit: Floats) -> int:
    """Return how many exponents of an orbit (T, M) are positive, by the QR method; at least 1. **Guarantee:** heuristic."""
    steps = orbit[:QR_STEPS]
    frame = np.linalg.qr(np.cos(1.0 + np.arange(orbit.shape[1] ** 2)).reshape(orbit.shape[1], -1))[0]
    growth = np.zeros(orbit.shape[1])
    for number, jacobian in enumerate(network.jacobian(steps)):
        frame, upper = np.linalg.qr(jacobian @ frame)
        growth += np.log(np.maximum(np.abs(np.diag(upper)), TINY)) * (number >= len(steps) // 8)
    return max(1, int((growth > 0.0).sum()))


def likely_periods(data: Record, longest: int) -> list[int]:
    """Return the periods up to ``longest`` after which some orbits come back the closest, those first; long ones have to come closer."""
    length, _, size = data.states.shape
    longest = min(longest, length // 2)
    times = np.linspace(0, length - longest - 1, min(PROBES, length - longest)).astype(np.int64)
    spread = data.states.std(axis=(0, 1)) + TINY
    spread = np.maximum(spread, 1e-6 * spread.max())
    here = data.states[times] / spread
    scores = []
    for period in range(1, longest + 1):
        gaps = np.abs(data.states[times + period] / spread - here).max(axis=2).ravel()
        count = max(1, len(gaps) // 500)
        scores.append(float(np.partition(gaps, count - 1)[:count].mean()) * (1.0 + period / 50.0) ** size**0.5)
    return [int(i) + 1 for i in np.argsort(scores, kind="stable")]


def nearby_cycles(network: FloatNetwork, data: Record, period: int, count: int, visited: set[int]) -> Iterator[Floats]:
    """Yield the points (period, M) of cycles that the orbits closest to returning after ``period`` steps close up to.

    **Guarantee:** heuristic. **Cost:** a few Newton steps for each of ``count`` stretches.
    """
    if len(data.states) <= period + 1:
        return
    windows = data.simulation().near_returns(period, min(count, batch_size(network.dimension, period)))
    patterns = network.patterns(windows.reshape(-1, network.dimension)).reshape(*windows.shape[:2], -1)
    orbits = converge(network, patterns, windows, visited, NEWTON_STEPS)
    for points, singular, border in zip(orbits.points, orbits.singular, orbits.touches_border, strict=True):
        if not (singular or border or _repeats(points)):
            yield points


def _repeats(points: Floats) -> bool:
    """Say whether the period is not the least one."""
    size = len(points)
    scale = np.abs(points).max() + TINY
    return any(size % d == 0 and np.abs(points - np.roll(points, d, axis=0)).max() < 1e-7 * scale for d in range(1, size // 2 + 1))


@dataclass(frozen=True, eq=False)
class Visits:
    """Pairs of visits to a saddle, the best first: an orbit's number, and when it leaves and comes back."""

    orbits: Indices
    leaves: Indices
    arrives: Indices
    nearness: float  # of the best, beside the spread of the orbits


def visits(data: Record, center: Floats, inverse: Floats, unstable: int, longest: int) -> Visits:
    """Return how simulated orbits leave the neighbourhood of a saddle and come back, those nearest to a homoclinic orbit first.

    **Shapes:** center (M,), inverse (M, M) of a basis whose first columns are unstable. **Guarantee:** heuristic.
    """
    _, orbits, size = data.states.shape
    away = np.abs((data.states.reshape(-1, size) - center) @ inverse.T)
    away /= away.mean(axis=0) + 1e-9 * away.mean() + TINY
    distance = away.max(axis=1)
    count = min(VISITS, len(distance))
    nearest = np.argpartition(distance, count - 1)[:count]
    times, which = nearest // orbits, nearest % orbits
    order = np.lexsort((times, which))
    nearest, times, which = nearest[order], times[order], which[order]
    gap = times[None, :] - times[:, None]
    first, last = np.nonzero((which[:, None] == which[None, :]) & (gap >= 1) & (gap <= longest))
    leaving = away[nearest, unstable:].max(axis=1, initial=0.0) + 0.1 * distance[nearest]
    arriving = away[nearest, :unstable].max(axis=1) + 0.1 * distance[nearest]
    score = (leaving[first] + arriving[last]) * (1.0 + (times[last] - times[first]) / longest)
    best = np.argsort(score, kind="stable")
    first, last = first[best], last[best]
    return Visits(which[first], times[first], times[last], float(np.sort(distance[nearest])[: max(1, count // 20)].mean()))
