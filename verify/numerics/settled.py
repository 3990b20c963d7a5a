"""The cycle that an orbit settles on, seen in floats: the orbit is followed until it comes back to where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np

from proofs.errors import Malformed
from proofs.network import Network
from verify.numerics.batch import FloatNetwork, Floats

LONGEST = 1024
_NEAR_START = 64  # longest period looked for at the start itself
_STAGES = (1_000, 4_000, 16_000, 64_000, 256_000)
_TIGHT, _LOOSE = 1e-10, 1e-5
_FAR = 1e12


@dataclass(frozen=True, eq=False)
class Settled:
    """A stretch of an orbit that nearly closes. ``after``: steps before it, 0 where the start itself nearly comes back.

    **Shapes:** points (k, M). **Guarantee:** heuristic.
    """

    points: Floats
    after: int


def checked_start(network: Network, start: Sequence[float] | None) -> Floats:
    """Return the state to start from; without one, a fixed random state. **Raises:** Malformed for a wrong length or what is not finite."""
    if start is None:
        return np.random.default_rng(0).uniform(-0.5, 0.5, network.dimension)
    found = np.array([float(value) for value in start], dtype=np.float64)
    if found.shape != (network.dimension,) or not np.all(np.isfinite(found)):
        expected = f"{network.dimension} finite numbers, one a state"
        raise Malformed(where="start", law="a state of the network", expected=expected, got=str(list(start))[:200])
    return found


def settled_orbits(network: Network, start: Floats, deadline: float, longest: int = LONGEST) -> Iterator[Settled]:
    """Yield stretches that nearly close: at the start itself, then after ever longer transients; the last ones may close only loosely.

    Ends where the orbit leaves all bounds or the time is over. **Guarantee:** heuristic. **Cost:** about 30 us a step.
    """
    simulated = FloatNetwork(network)
    first = _followed(simulated, start, _NEAR_START)
    yield from _returns(first[::-1], _TIGHT, 0)
    state, done = start, 0
    for stage in _STAGES:
        while done < stage:
            orbit = _followed(simulated, state, min(2_000, stage - done))
            state, done = orbit[-1], done + len(orbit) - 1
            if not np.all(np.abs(state) < _FAR) or monotonic() > deadline:
                return
        orbit = _followed(simulated, state, 2 * longest)
        if not np.all(np.abs(orbit[-1]) < _FAR):
            return
        yield from _returns(orbit, _TIGHT if stage < _STAGES[-1] else _LOOSE, done)


def _followed(simulated: FloatNetwork, start: Floats, steps: int) -> Floats:
    orbit = np.empty((steps + 1, len(start)))
    orbit[0] = start
    with np.errstate(over="ignore", invalid="ignore"):
        for time in range(steps):
            orbit[time + 1] = simulated.step(orbit[time][None])[0]
    return orbit


def _returns(orbit: Floats, tolerance: float, after: int) -> Iterator[Settled]:
    """Yield the shortest stretch at the end of ``orbit`` that closes (for ``after`` = 0 the orbit is given backwards)."""
    last = orbit[-1]
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.abs(orbit[:-1] - last).max(axis=1)
    lags = np.flatnonzero(gaps[::-1] <= tolerance * (1.0 + float(np.abs(last).max()))) + 1
    if len(lags):
        stretch = orbit[len(orbit) - int(lags[0]) :]
        if after:
            yield Settled(stretch, after)
        else:
            yield Settled(stretch[::-1], 0)
