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
