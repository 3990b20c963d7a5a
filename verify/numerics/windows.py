"""Symbolic shadows: when simulated orbits come to say what a closed word says, and which stretches of orbits nearly close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.numerics.batch import Bools, FloatNetwork, Floats
from verify.numerics.seeds import ESCAPED, random_states, scale_of

Indices = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_BASE = np.uint64(6364136223846793005)
SPREADS = 4  # principal directions that near-returns are looked for in
SLAB = 16  # steps of which one stretch is kept


def settled_orbits(network: FloatNetwork, rng: np.random.Generator, orbits: int, settle: int, length: int) -> Floats:
    """Return orbits (length, n, M) of random states after ``settle`` steps, without those that escape.

    **Guarantee:** heuristic.
    """
    Z = random_states(network, rng, orbits)
    limit = ESCAPED * scale_of(network)
    states = np.empty((length, *Z.shape))
    with np.errstate(all="ignore"):
        for t in range(settle + length):
            if t >= settle:
                states[t - settle] = Z
            Z = network.step(Z)
            Z = np.where(np.abs(Z).max(axis=1, keepdims=True) < limit, Z, np.nan)
    return states[:, np.isfinite(Z).all(axis=1)]


@dataclass(frozen=True)
class NearReturns:
    """Stretches of orbits that nearly close, the closest first: first time, orbit and length of each, and the gap beside the spread."""

    times: Indices
    orbits: Indices
    lags: Indices
    gaps: Floats


def near_returns(states: Floats, longest: int, each: int) -> NearReturns:
    """Return the stretches of at most ``longest`` steps that come closest to closing, ``each`` of every length.

    **Shapes:** states (T, n, M). **Guarantee:** heuristic: gaps are measured along the directions in which the orbits spread most.
    **Cost:** one pass over T n states for every length.
    """
    length, orbits, size = states.shape
    seen = _principal(states.reshape(-1, size)).reshape(-1, length, orbits)
    found: list[Floats] = []
    for lag in range(1, min(longest, length - SLAB) + 1):
        usable = (length - lag) // SLAB * SLAB
        gaps = np.abs(seen[0, lag : lag + usable] - seen[0, :usable])
        for other in seen[1:]:
            np.maximum(gaps, np.abs(other[lag : lag + usable] - other[:usable]), out=gaps)
        slabs = gaps.reshape(-1, SLAB, orbits)
        inside = slabs.argmin(axis=1)
        best = np.take_along_axis(slabs, inside[:, None], axis=1)[:, 0].ravel()
        kept = np.argpartition(best, min(each, len(best)) - 1)[:each]
        rows, columns = kept // orbits, kept % orbits
        found.append(np.stack([rows * SLAB + inside[rows, columns], columns, np.full(len(kept), lag), best[kept]]))
    table = np.concatenate([np.empty((4, 0)), *found], axis=1)
    table = table[:, np.argsort(table[3], kind="stable")]
    times, columns, lags = table[:3].astype(np.int64)
    return NearReturns(times, columns, lags, table[3])


def _principal(points: Floats) -> NDArray[np.float32]:
    """Return the coordinates of points, one row each, along the directions of their widest spread, in units of the widest."""
    centered = points - points.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    seen = directions[:, : -SPREADS - 1 : -1].T @ centered.T
    spread = max(seen.std(axis=1).max(), 1e-9 * np.abs(points).max(), 1e-300)
    return np.asarray(seen / spread, dtype=np.float32)


@dataclass(frozen=True)
class Arrivals:
    """Orbits that come to say what a loop says: which start, after how many steps, and from which place of the loop on."""

    starts: Indices
    times: Indices
    places: Indices


class LoopWatch:
    """Notices orbits that say, for a whole window of letters, what a closed word says from some place on.

    A word is known by a hash of its letters, a letter by the pattern of the live hinges: words that hash alike may differ, so what is
    noticed is a suggestion.
    """

    def __init__(self, network: FloatNetwork, loop: Bools, window: int) -> None:
        """Watch for the closed itinerary ``loop`` (n, hinges)."""
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(len(loop))))
        self.network, self.window = network, window
        self.keys = rng.integers(1, 2**63, network.hinges, dtype=np.uint64) * network.live.astype(np.uint64)
        self.loop = self._coded(loop)
        self.leaving = np.uint64(pow(int(_BASE), window, 2**64))
        hashes = self._hashes()
        self.hashes, self.places = np.unique(hashes, return_index=True)

    def _coded(self, patterns: Bools) -> Hashes:
        return np.asarray(np.where(patterns, self.keys, np.uint64(0)).sum(axis=1, dtype=np.uint64) + np.uint64(1))

    def _hashes(self) -> Hashes:
        """Return the hash of the window of letters from each place of the loop on."""
        places = np.arange(len(self.loop))
        total = np.zeros(len(places), dtype=np.uint64)
        for step in range(self.window):
            total = total * _BASE + self.loop[(places + step) % len(places)]
        return total

    def arrivals(self, starts: Floats, steps: int) -> Arrivals:
        """Run orbits that start beside the loop's first point; return where each, having left the loop, first says a window of it again.

        **Shapes:** starts (n, M). **Guarantee:** heuristic. **Cost:** ``steps`` steps of the whole batch.
        """
        count, window = len(starts), self.window
        Z, total = starts, np.zeros(count, dtype=np.uint64)
        ring = np.zeros((window, count), dtype=np.uint64)
        left, waiting = np.full(count, steps, dtype=np.int64), np.ones(count, dtype=bool)
        found: list[tuple[Indices, Indices, Indices]] = []
        with np.errstate(all="ignore"):
            for time in range(steps):
                after, gates = self.network.trace(Z)
                codes = self._coded(gates > 0.0)
                total = total * _BASE + codes - self.leaving * ring[time % window]
                ring[time % window] = codes
                left = np.where((left == steps) & (codes != self.loop[time % len(self.loop)]), time, left)
                first = time - window + 1
                slot = np.minimum(np.searchsorted(self.hashes, total), len(self.hashes) - 1)
                hit = np.flatnonzero(waiting & (left <= first) & (self.hashes[slot] == total))
                if len(hit):
                    waiting[hit] = False
                    found.append((hit, np.full(len(hit), first, dtype=np.int64), self.places[slot[hit]]))
                if not waiting.any():
                    break
                Z = after
        parts = [np.concatenate([np.empty(0, dtype=np.int64), *column]) for column in zip(*found, strict=True)] or [
            np.empty(0, np.int64)
        ] * 3
        return Arrivals(parts[0], parts[1], parts[2])
