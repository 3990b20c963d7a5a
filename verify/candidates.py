"""What a search hands on: float-born suggestions, what it could not settle, and what it spent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Candidate:
    """A closed orbit that a float search suggests; the exact stage decides its least period and whether two of them are one.

    **Shapes:** points (k, M); itinerary: k strings, one letter a hinge, the least of its rotations (None for a smooth network).
    **Guarantee:** heuristic. Where ``touches_border`` holds, some pre-activation is too small for its letter to be trusted.
    """

    period: int
    itinerary: tuple[str, ...] | None
    points: NDArray[np.float64]
    touches_border: bool = False


@dataclass(frozen=True)
class Unresolved:
    """An itinerary that seems to hold periodic points while its linear system is singular: perhaps a whole segment of them."""

    itinerary: tuple[str, ...]
    reason: str = "singular"


@dataclass(frozen=True)
class Effort:
    """What a search has spent: wall time, Newton steps (one a start and iteration) and starts."""

    seconds: float = 0.0
    newton_steps: int = 0
    starts: int = 0


@dataclass(frozen=True)
class Found:
    """What a search for cycles returns; ``saturated`` says that it stopped because nothing new came, not for lack of time.

    **Guarantee:** heuristic: cycles may be missing, and nothing here is proved.
    """

    candidates: tuple[Candidate, ...]
    unresolved: tuple[Unresolved, ...] = ()
    effort: Effort = field(default_factory=Effort)
    saturated: bool = False

    def count_by_period(self) -> dict[int, int]:
        """Return the number of candidates of each period that has any."""
        return dict(sorted(Counter(candidate.period for candidate in self.candidates).items()))


@dataclass(frozen=True, eq=False)
class Slab:
    """A parallelepiped center + basis (eta, xi), |eta| <= 1 and |xi| <= 1; the first columns of the basis are its unstable directions.

    **Shapes:** center (M,), basis (M, M); forms (n, M) in the coordinates (eta, xi), to tell strips of this slab apart.
    **Guarantee:** heuristic.
    """

    center: NDArray[np.float64]
    basis: NDArray[np.float64]
    forms: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Strip:
    """The part eta = offset + tilt xi + width y, |y| <= 1, |xi| <= height, of one slab, which F^steps seems to map right across another.

    **Shapes:** offset (u,), width (u, u), tilt (u, M - u); itinerary: ``steps`` letters of all hinges or more, None for a smooth network.
    **Guarantee:** heuristic. ``slack``: how much room its tightest inequality leaves, 0 to 1.
    """

    start: int
    end: int
    steps: int
    itinerary: tuple[str, ...] | None
    offset: NDArray[np.float64]
    width: NDArray[np.float64]
    tilt: NDArray[np.float64]
    height: float
    slack: float = 0.0


@dataclass(frozen=True)
class Covering:
    """Slabs and strips that a float search suggests for card B5; strips that start from one slab should be told apart by it.

    **Guarantee:** heuristic: the exact stage leaves out the strips that fail, and finds the weights and the rate of what is left.
    """

    unstable: int
    slabs: tuple[Slab, ...]
    strips: tuple[Strip, ...]
