"""Error bars by batch means: a long run is cut into blocks, whose means are nearly independent."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, stdtrit

Array = NDArray[np.float64]
_FEWEST = 8
_SURE = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean with the half width of its 95 % interval (nan where it cannot be told), and how many blocks a sequence were left."""

    value: float
    half_width: float
    blocks: int


def batch_mean(blocks: Array, lengths: Array, floor: float = 0.0) -> Mean:
    """Return the mean of block means with a 95 % interval of Student's t over blocks and sequences.

    Neighbouring blocks are merged while their lag-1 correlation is above its standard error and 16 of a sequence are left; what then
    remains of it widens the interval by sqrt((1 + r) / (1 - r)). Where the sequences differ by more than their blocks explain (an F test
    at 95 %), the sequences are the sample instead. ``floor`` is added to the half width: what rounding may do to every block alike.

    **Shapes:** blocks (blocks, B), lengths (blocks,) in steps. **Guarantee:** heuristic: 95 % where merged blocks are independent and
    nearly Gaussian. A mean of minus infinity has no interval; one block of one sequence has none either (half width nan).
    **See:** Law and Kelton, Simulation Modeling and Analysis, on batch means.

    >>> batch_mean(np.array([[1.0], [2.0], [1.0], [2.0]]), np.ones(4)).value
    1.5
    """
    weights = lengths / lengths.sum()
    value = float(weights @ blocks.mean(axis=1)) if np.isfinite(blocks).all() else (nan if np.isnan(blocks).any() else -inf)
    if not np.isfinite(value):
        return Mean(value, nan, len(blocks))
    merged, share, correlation = _merged(blocks, weights)
    within = _within(merged, share, correlation)
    between = _between(merged, share, value, within)
    half = within if between is None else between
    return Mean(value, half + floor, len(merged))


def _merged(blocks: Array, weights: Array) -> tuple[Array, Array, float]:
    """Merge neighbours while they are correlated; return blocks, their shares of the run and the correlation that remains."""
    while True:
        correlation = lag_one(blocks)
        pairs = (len(blocks) - 1) * blocks.shape[1]
        correlated = pairs > 0 and correlation > 1 / sqrt(pairs)
        if len(blocks) < 2 * _FEWEST or not correlated:
            return blocks, weights, correlation if correlated else 0.0
        even = len(blocks) - len(blocks) % 2
        tail = [blocks[even:], weights[even:]]
        share = weights[:even].reshape(-1, 2)
        joined = (blocks[:even].reshape(-1, 2, blocks.shape[1]) * share[:, :, None]).sum(axis=1) / share.sum(axis=1)[:, None]
        blocks, weights = np.concatenate([joined, tail[0]]), np.concatenate([share.sum(axis=1), tail[1]])


def lag_one(blocks: Array) -> float:
    """Return the lag-1 correlation of blocks within sequences, pooled over sequences, shape (blocks, B); 0 without variance."""
    if len(blocks) < 2:  # noqa: PLR2004 - no neighbours
        return 0.0
    centred = blocks - blocks.mean(axis=0)
    variance = float((centred**2).sum())
    return float((centred[1:] * centred[:-1]).sum()) / variance if variance > 0 else 0.0


def _within(blocks: Array, share: Array, correlation: float) -> float:
    """Return the half width from the scatter of blocks around the mean of their own sequence (blocks of unequal length are weighted)."""
    count, batch = blocks.shape
    freedom = (count - 1) * batch
    if freedom < 1:
        return nan
    means = share @ blocks
    variance = float((share[:, None] * (blocks - means) ** 2).sum()) * count / freedom
    spread = sqrt(variance * float((share**2).sum()) / batch)
    return float(stdtrit(freedom, (1 + _SURE) / 2)) * spread * sqrt((1 + min(correlation, 0.9)) / (1 - min(correlation, 0.9)))


def _between(blocks: Array, share: Array, value: float, within: float) -> float | None:
    """Return the half width from the scatter of the sequences' means, None where the blocks' own scatter explains it."""
    count, batch = blocks.shape
    if batch < 2:  # noqa: PLR2004 - nothing to compare
        return None
    variance = float(((share @ blocks - value) ** 2).sum()) / (batch - 1) / batch
    half = float(stdtrit(batch - 1, (1 + _SURE) / 2)) * sqrt(variance)
    if count < 2 or np.isnan(within):  # noqa: PLR2004 - one block a sequence
        return half
    explained = (within / float(stdtrit((count - 1) * batch, (1 + _SURE) / 2))) ** 2
    limit = float(fdtri(batch - 1, (count - 1) * batch, _SURE))
    return half if variance > limit * explained else None


def distinct(states: Array) -> list[int]:
    """Return one sequence of each set that ended up in the same state (to 1e-6): copies of an orbit are no evidence.

    **Shapes:** states (B, n), the last of each sequence. A network that one input has synchronised is such a set.
    """
    kept: list[int] = []
    for number, state in enumerate(states):
        others = states[kept]
        if not (np.abs(state - others) <= 1e-9 + 1e-6 * np.abs(others)).all(axis=1).any():
            kept.append(number)
    return kept


def running_means(blocks: Array, lengths: Array) -> Array:
    """Return the means over all blocks so far and all sequences, (blocks, B, k) -> (blocks, k); minus infinity stays."""
    return np.asarray((blocks.mean(axis=1) * lengths[:, None]).cumsum(axis=0) / lengths.cumsum()[:, None])


def whole_run(blocks: Array, lengths: Array) -> Array:
    """Return the finite-time exponents of each sequence over the whole run, (blocks, B, k) -> (B, k)."""
    with np.errstate(invalid="ignore"):
        return np.asarray((blocks * lengths[:, None, None]).sum(axis=0) / lengths.sum())
