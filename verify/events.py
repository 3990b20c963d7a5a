"""What a search along a path hands on: branches of cycles, events on them, and clusters that it did not resolve."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Word = tuple[str, ...]
EventType = Literal["border_collision", "to_infinity", "multiplier_one", "flip", "complex_pair", "fold"]


@dataclass(frozen=True)
class Branch:
    """A cycle that exists on (low, high), followed by its closed itinerary (primitive, the least of its rotations).

    ``low`` and ``high`` are ends of the path, or rational numbers inside the branch close to the event that ends it there (then
    ``starts`` / ``ends`` hold the index of that event in the census). **Guarantee:** heuristic until certified.
    """

    itinerary: Word
    low: Fraction
    high: Fraction
    starts: int | None = None
    ends: int | None = None


@dataclass(frozen=True)
class Event:
    """One event of the cycle with this itinerary at exactly one mu in (low, high); not certified.

    border_collision: hinge ``unit`` (from 1, the kernel's program order) at ``time`` (from 1) has pre-activation 0 there; ``partners`` are
    the itineraries (of the period, or of a multiple: period doubling) that agree with the repeated itinerary but for letters of that unit
    at that time, and whose cycles are suspected to meet here. to_infinity, flip, complex_pair: no unit.
    """

    kind: EventType
    low: Fraction
    high: Fraction
    itinerary: Word
    unit: int | None = None
    time: int | None = None
    partners: tuple[Word, ...] = ()

    @property
    def period(self) -> int:
        """Return the period."""
        return len(self.itinerary)


@dataclass(frozen=True)
class Cluster:
    """Events closer than the precision, or of a form that no card covers: an interval of mu and the reason; nothing is guessed."""

    low: Fraction
    high: Fraction
    itineraries: tuple[Word, ...]
    reason: str


@dataclass(frozen=True)
class Virtual:
    """An event of an itinerary that no cycle of the network follows there, and why: (unit, time) has the wrong sign."""

    kind: EventType
    low: Fraction
    high: Fraction
    itinerary: Word
    unit: int
    time: int


@dataclass(frozen=True)
class Census:
    """All branches and events that a search along a path found, in order of mu. **Guarantee:** heuristic."""

    branches: tuple[Branch, ...]
    events: tuple[Event, ...]
    clusters: tuple[Cluster, ...] = ()
    virtual: tuple[Virtual, ...] = ()
    notes: tuple[str, ...] = field(default=())
