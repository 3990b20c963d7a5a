"""Where the bounded orbits of a scalar network seem to live, by simulation."""

from __future__ import annotations

import numpy as np

from proofs.network import Network
from verify.numerics.batch import FloatNetwork, Floats

FAR = 1e12
WARM_UP = 200
KEPT = 56
EARLY = 3
NARROW = 1e-9


def sampling_grids(network: Network, count: int = 2**14) -> list[Floats]:
    """Return even grids, slightly widened, over the hull of late states of bounded orbits and over that of early ones (transient chaos).

    **Guarantee:** heuristic; empty for weights beyond the float range.
    """
    try:
        step = FloatNetwork(network).step
    except OverflowError:
        return []
    scales = np.ldexp(1.0, np.arange(-12, 13))
    states = np.concatenate([np.linspace(-2.0, 2.0, 401), scales, -scales])
    hulls: list[tuple[float, float]] = []
    with np.errstate(all="ignore"):
        for _ in range(WARM_UP + KEPT):
            states = step(states[:, None])[:, 0]
            states = states[np.isfinite(states) & (np.abs(states) < FAR)]
            if states.size:
                hulls.append((float(states.min()), float(states.max())))
    spans = [_hull(hulls[WARM_UP:]), _hull(hulls[:EARLY])]
    return [np.linspace(low, high, count) for low, high in spans if high - low > NARROW]


def _hull(hulls: list[tuple[float, float]]) -> tuple[float, float]:
    if not hulls:
        return 0.0, 0.0
    low, high = min(low for low, _ in hulls), max(high for _, high in hulls)
    margin = 0.05 * (high - low)
    return low - margin, high + margin
