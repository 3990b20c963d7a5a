"""Where to cut a cell of a bisection tree that holds known solutions, each perhaps with a ball around it that no cut may enter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.numerics.batch import Floats

CLEAR = 1.001  # of the radius of a ball: cuts keep off it by more
SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.25, 0.75)
EDGE = 0.002
NEAREST = 2.0**-10  # of the root's sides: cells are not narrowed down on a solution closer than that
LEAST_SLAB, LEAST_PART = 0.3, 0.15


@dataclass(frozen=True, eq=False)
class Cell:
    """A box, the part of it that may hold solutions, the known ones in it, and the radii of their balls (0: only a point).

    ``tight``: it may be cut next to the balls.

    **Shapes:** low, high, first, last (M,); held (n, M); radii (n,).
    """

    low: Floats
    high: Floats
    first: Floats
    last: Floats
    held: Floats
    radii: Floats
    tight: bool = False

    def cuts(self, sizes: Floats, least: Floats) -> list[tuple[int, float]]:
        """Return places to cut: across each axis about the middle, and at the ends of the part that may hold solutions.

        ``sizes``: the root's sides; an axis along which the cell is no wider than ``least`` is not cut. **Shapes:** (M,) both.
        **Guarantee:** heuristic; exact in that no cut meets a ball of positive radius.
        """
        cuts, radii, balls = list[tuple[int, float]](), CLEAR * self.radii, bool(self.radii.any())
        for axis, (low, high) in enumerate(zip(self.low.tolist(), self.high.tolist(), strict=True)):
            width, taken = high - low, self.held[:, axis]
            if width <= least[axis]:
                continue
            share = max((_room(share, (taken - low) / width, radii / width), share) for share in SHARES)[1]
            near = [low + width * share, *(_between(taken, radii) if balls else [])]
            room = max(NEAREST * float(sizes[axis]), float(radii.max(initial=0.0)))
            first = min(float(self.first[axis]) - EDGE * width, float(taken.min(initial=np.inf)) - room)
            last = max(float(self.last[axis]) + EDGE * width, float(taken.max(initial=-np.inf)) + room)
            near += [first] if first > low + LEAST_SLAB * width else []
            near += [last] if last < high - LEAST_SLAB * width else []
            near += _beside(low, high, taken, radii) if self.tight and balls else []
            if len(taken) == 1:
                near += [cut for cut in _around(low, high, float(taken[0])) if abs(cut - taken[0]) > room]
            cuts += [(axis, cut) for cut in near if not balls or np.all(np.abs(cut - taken) >= radii)]
        return cuts


def _room(share: float, taken: Floats, radii: Floats) -> float:
    """Return how far a cut is from solutions and their balls, at most a quarter of the width, less for cuts off the middle."""
    return min(float((np.abs(taken - share) - radii).min(initial=np.inf)), 0.25) - 0.1 * abs(share - 0.5)


def _between(taken: Floats, radii: Floats) -> list[float]:
    """Return the middles of the gaps between balls, in order."""
    order = np.argsort(taken)
    low, high = (taken + radii)[order], (taken - radii)[order]
    return [(a + b) / 2 for a, b in zip(low[:-1].tolist(), high[1:].tolist(), strict=True) if a < b]


def _beside(low: float, high: float, taken: Floats, radii: Floats) -> list[float]:
    """Return the ends of all balls together where they leave enough of the cell to be cut off."""
    room, part = EDGE * (high - low), LEAST_PART / 2 * (high - low)
    ends = float((taken - radii).min()) - room, float((taken + radii).max()) + room
    return [end for end in ends if low + part < end < high - part]


def _around(low: float, high: float, point: float) -> list[float]:
    """Return a cut that leaves a solution in the middle of its half, and cuts that do not leave it much room."""
    left, right, width = point - low, high - point, high - low
    cuts = []
    if left > right * 1.2:
        cuts.append(point - right)
    elif right > left * 1.2:
        cuts.append(point + left)
    cuts += [point - width / 4, point + width / 4]
    return [cut for cut in cuts if low + LEAST_PART * width < cut < high - LEAST_PART * width]
