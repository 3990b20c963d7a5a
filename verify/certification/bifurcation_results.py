"""What the verb ``bifurcations`` answers: frozen dataclasses with the content of ``--json``, one for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval
from proofs.certificate import Certificate
from verify.certification.covers import without
from verify.events import Cluster, EventType, Virtual, Word
from verify.itineraries import rotated
from verify.rounding import decimal_pair, pair_within

if TYPE_CHECKING:
    from proofs.claims import Claim
    from proofs.parameters import OnLine

Knot = tuple[Fraction, Fraction, tuple[tuple[Fraction, ...], ...]]
STABLE, SADDLE, REPELLING = "stable", "saddle", "repelling"


@dataclass(frozen=True)
class ProvedEvent:
    """An event that the kernel accepted: exactly one mu* in (low, high), and in (reach[0], reach[1]) no other of its type.

    At every mu of ``reach`` it is known which of its itineraries have a cycle. Flips and complex pairs that happen to them there too are
    not excluded: where ``exists_on`` shows the stability they are.

    ``side``: where the cycle exists, "before" or "after" mu* (None where it exists on both sides); ``partners``: pairs of an itinerary and
    its side, which may be "never". ``before`` and ``after``: which cycles exist there, each with its label (None where stability is not
    proved). ``unit`` and ``time`` count from 1. ``closed_form``: the exact mu*, not kernel-checked (None where it is not simple).
    ``itinerary`` is empty for a smooth network.
    """

    kind: EventType
    low: Fraction
    high: Fraction
    reach: tuple[Fraction, Fraction]
    itinerary: Word
    period: int
    unit: int | None
    time: int | None
    side: str | None
    partners: tuple[tuple[Word, str], ...]
    theorem: str
    claim: OnLine
    before: tuple[tuple[Word, str | None], ...] = ()
    after: tuple[tuple[Word, str | None], ...] = ()
    closed_form: str | None = None

    @property
    def words(self) -> tuple[Word, ...]:
        """Return the itineraries that meet here, each as the least of its rotations, as branches have them."""
        return tuple(rotated(word) for word in (self.itinerary, *(word for word, _ in self.partners)))

    def as_json(self) -> dict[str, object]:
        """Return the event as ``--json`` prints it."""
        return {
            "parameter": decimal_pair(Interval(self.low, self.high)),
            "type": self.kind,
            "itinerary": list(self.itinerary),
            "period": self.period,
            "unit": self.unit,
            "time": self.time,
            "side": self.side,
            "partners": [{"itinerary": list(word), "side": side} for word, side in self.partners],
            "before": [_cycle(word, label) for word, label in self.before],
            "after": [_cycle(word, label) for word, label in self.after],
            "alone_in": pair_within(Interval(*self.reach)),
            "closed_form": self.closed_form,
            "theorem": self.theorem,
            "statement": self.claim.statement(),
            "not_kernel_checked": ["closed_form"],
        }


@dataclass(frozen=True)
class ProvedBranch:
    """A cycle on [low, high] without an event (card ``exists_on``), or a proof that there is none (card ``absent_on``).

    ``knots``, smooth networks only: first and last mu of each cell and the centres of its balls.
    """

    itinerary: Word
    period: int
    low: Fraction
    high: Fraction
    exists: bool
    inside: int | None
    outside: int | None
    cells: int
    claim: OnLine
    knots: tuple[Knot, ...] = ()

    @property
    def label(self) -> str | None:
        """Return stable, saddle or repelling; None where stability is not proved."""
        if self.inside is None or self.outside is None:
            return None
        return STABLE if self.outside == 0 else REPELLING if self.inside == 0 else SADDLE

    def as_json(self) -> dict[str, object]:
        """Return the branch as ``--json`` prints it."""
        stability = None if self.label is None else {"inside": self.inside, "outside": self.outside, "label": self.label}
        return {
            "itinerary": list(self.itinerary),
            "period": self.period,
            "parameter": pair_within(Interval(self.low, self.high)),
            "exists": self.exists,
            "stability": stability,
            "cells": self.cells,
            "theorem": "exists_on" if self.exists else "absent_on",
        }


@dataclass(frozen=True)
class Undecided:
    """A range of mu on which existence, absence or stability of this itinerary's cycle was not proved, and why."""

    itinerary: Word
    low: Fraction
    high: Fraction
    what: str
    reason: str


@dataclass(frozen=True)
class Certification:
    """What the kernel accepted of a census, and what is left; ``events``, ``branches``, ``absent`` and ``barred`` are claims.

    ``barred``: a multiplier 1 of an itinerary that no cycle follows on either side, nor anywhere else in its range.
    """

    events: tuple[ProvedEvent, ...]
    branches: tuple[ProvedBranch, ...]
    absent: tuple[ProvedBranch, ...]
    virtual: tuple[Virtual, ...]
    barred: tuple[ProvedEvent, ...]
    clusters: tuple[Cluster, ...]
    undecided: tuple[Undecided, ...]
    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()

    def gaps(self, ends: tuple[Fraction, Fraction]) -> dict[Word, list[tuple[Fraction, Fraction]]]:
        """Return, for each itinerary, the ranges of mu on which no claim says whether its cycle exists; none at all: it is settled.

        A range of existence, of absence, or around an event (exactly one there, the side of existence stated) settles every mu in it.
        """
        known: dict[Word, list[tuple[Fraction, Fraction]]] = {}
        for branch in (*self.branches, *self.absent):
            known.setdefault(branch.itinerary, []).append((branch.low, branch.high))
        for event in (*self.events, *self.barred):
            for word in event.words:
                known.setdefault(word, []).append(event.reach)
        for item in self.undecided:
            known.setdefault(item.itinerary, [])
        words = sorted((word for word in known if word), key=lambda word: (len(word), word))
        return {word: without(*ends, known[word]) for word in words}

    def excluded(self, item: Virtual) -> bool:
        """Say whether it is proved that no cycle has the itinerary of a virtual event there."""
        ranges = [(branch.low, branch.high) for branch in self.absent if branch.itinerary == item.itinerary]
        ranges += [event.reach for event in self.barred if event.itinerary == item.itinerary]
        return any(low <= item.low and item.high <= high for low, high in ranges)


@dataclass(frozen=True)
class Bifurcations:
    """The answer of ``bifurcations``: events in order of mu, branches between them, what stayed open, and whether the list is complete.

    ``virtual`` and ``clusters`` are not kernel-checked. ``complete``: every cycle of least period at most ``up_to`` that lies in ``box``,
    for some mu of the range, is accounted for; otherwise ``why_not_complete`` says what is missing.
    """

    verdict: str
    network: Mapping[str, object]
    path: Mapping[str, object]
    up_to: int
    found: Certification
    complete: bool
    why_not_complete: str
    box: tuple[Fraction, Fraction] | None
    effort: Mapping[str, object]
    certificate: Certificate | None = None
    saved_as: str | None = None

    @property
    def gaps(self) -> dict[Word, list[tuple[Fraction, Fraction]]]:
        """Return the ranges of mu on which nothing is proved of an itinerary, for every itinerary that was met."""
        return self.found.gaps((Fraction(str(self.path["low"])), Fraction(str(self.path["high"]))))

    @property
    def events(self) -> tuple[ProvedEvent, ...]:
        """Return the proved events, in order of mu."""
        return self.found.events

    @property
    def branches(self) -> tuple[ProvedBranch, ...]:
        """Return the proved branches, by period, itinerary and mu."""
        return self.found.branches

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Return what was not resolved."""
        return self.found.clusters

    def as_json(self) -> dict[str, object]:
        """Return the answer as ``--json`` prints it."""
        found = self.found
        return {
            "verdict": self.verdict,
            "network": dict(self.network),
            "path": dict(self.path),
            "up_to": self.up_to,
            "events": [event.as_json() for event in found.events],
            "branches": [branch.as_json() for branch in found.branches],
            "absent": [branch.as_json() for branch in found.absent],
            "virtual": [_virtual(item) | {"absence_proved": found.excluded(item)} for item in found.virtual],
            "clusters": [_cluster(item) for item in found.clusters],
            "undecided": [_undecided(item) for item in found.undecided],
            "itineraries": [_settled(word, gaps) for word, gaps in self.gaps.items()],
            "complete": self.complete,
            "why_not_complete": self.why_not_complete,
            "box": None if self.box is None else [str(end) for end in self.box],
            "notes": list(found.notes),
            "not_kernel_checked": ["virtual", "clusters", "notes"],
            "effort": dict(self.effort),
            "certificate": self.saved_as,
        }


def _cycle(word: Word, label: str | None) -> dict[str, object]:
    return {"itinerary": [letters for letters in word if letters], "period": len(word), "stability": label}


def _settled(word: Word, gaps: list[tuple[Fraction, Fraction]]) -> dict[str, object]:
    open_parts = [decimal_pair(Interval(*gap)) for gap in gaps]
    return {"itinerary": list(word), "period": len(word), "settled_everywhere": not gaps, "gaps": open_parts}


def _virtual(item: Virtual) -> dict[str, object]:
    return {
        "parameter": decimal_pair(Interval(item.low, item.high)),
        "type": item.kind,
        "itinerary": list(item.itinerary),
        "period": len(item.itinerary),
        "wrong_unit": item.unit,
        "wrong_time": item.time,
    }


def _cluster(item: Cluster) -> dict[str, object]:
    words = [list(word) for word in item.itineraries]
    return {"parameter": decimal_pair(Interval(item.low, item.high)), "itineraries": words, "reason": item.reason}


def _undecided(item: Undecided) -> dict[str, object]:
    where = decimal_pair(Interval(item.low, item.high))
    return {"itinerary": list(item.itinerary), "parameter": where, "what": item.what, "reason": item.reason}
