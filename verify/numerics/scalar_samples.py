"""Where the bounded orbits of a scalar network seem to live, by simulation."""

from __future__ import annotations

import numpy as np

from proofs.network import Network
from verify.numerics.batch import FloatNetwork, Floats

FAR = 1e12
WARM_UP = 200
KEPT = 56


def sampling_grid(network: Network, count: int = 2**14) -> Floats | None:
    """Return an even grid over the hull of simulated bounded orbits, slightly widened; None if none was seen or the weights leave float range.

    **Guarantee:** heuristic.
    """
    try:
        step = FloatNetwork(network).step
    except OverflowError:
        return None
    scales = np.ldexp(1.0, np.arange(-12, 13))
    states = np.concatenate([np.linspace(-2.0, 2.0, 401), scales, -scales])
    late = []
    with np.errstate(all="ignore"):
        for time in range(WARM_UP + KEPT):
            states = step(states[:, None])[:, 0]
            states = states[np.isfinite(states) & (np.abs(states) < FAR)]
            if time >= WARM_UP and states.size:
                late.append((float(states.min()), float(states.max())))
    if not late or not states.size:
        return None
    low, high = min(low for low, _ in late), max(high for _, high in late)
    margin = 0.05 * (high - low) + 1e-9 * (1.0 + abs(low) + abs(high))
    return np.linspace(low - margin, high + margin, count)
