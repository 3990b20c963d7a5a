"""Odd periods by sampling: points with F^n(x) <= x < F(x), or reversed, for odd n."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from proofs.network import Network
from verify.numerics.batch import FloatNetwork, Floats

SUGGESTIONS = 6


def suggest_odd(network: Network, grid: Floats, period: int) -> list[Fraction]:
    """Return points of the grid that seem to come back on the other side after ``period`` steps, widest margins first.

    **Guarantee:** heuristic.
    """
    step = FloatNetwork(network).step
    with np.errstate(all="ignore"):
        first = step(grid[:, None])[:, 0]
        last = first
        for _ in range(period - 1):
            last = step(last[:, None])[:, 0]
        margins = np.maximum(np.minimum(grid - last, first - grid), np.minimum(last - grid, grid - first))
    margins = np.where(np.isfinite(margins), margins, -1.0)
    order = [i for i in np.argsort(-margins)[: 2 * SUGGESTIONS : 2] if margins[i] >= 0.0]
    return [Fraction(float(grid[i])) for i in order]
