"""A certified segment as the tracking of a run keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.certification.segments import certify_segment
from verify.training.track_answers import EventRecord, SegmentRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from verify.certification.bifurcations import Certification, ProvedEvent
    from verify.events import Cluster, Word
    from verify.loading import Loaded
    from verify.training.tracking import Settings

_SHOWN = 60


def proved_segment(one: Loaded, two: Loaded, words: Sequence[Word], settings: Settings) -> tuple[SegmentRecord, Iterable[bytes] | None]:
    """Return the events between two networks with the lines of their certificate, None where nothing was proved.

    The record's updates are the caller's to fill in. **Guarantee:** as ``certify_segment``; what was found and not accepted is in
    ``unresolved``.
    """
    found = certify_segment(one, two, words, up_to=settings.up_to, budget=settings.budget, seed=settings.seed, branches=settings.branches)
    proved = found.proved
    events = tuple(_event(event) for event in proved.events)
    digests = one.network.digest, two.network.digest
    seconds = round(found.seconds, 3)
    return SegmentRecord(0, 1, digests, events, found.branches, _open(proved), len(proved.virtual), None, seconds), found.lines()


def _event(event: ProvedEvent) -> EventRecord:
    return EventRecord(event.kind, (event.low, event.high), event.itinerary, event.unit, event.time, event.side, event.theorem)


def _open(proved: Certification) -> tuple[str, ...]:
    """Say what was not settled, shortly."""
    clusters = [f"{_place(item)}: {item.reason}" for item in proved.clusters]
    gaps: dict[tuple[str, Word, str], list[Fraction]] = {}
    for gap in proved.undecided:
        gaps.setdefault((gap.what, gap.itinerary, gap.reason), []).append(gap.high - gap.low)
    ranges = [
        f"{what} of the cycle {_shortened(' '.join(word))} on {float(sum(widths)):.3g} of the segment: {reason}"
        for (what, word, reason), widths in gaps.items()
    ]
    return (*clusters, *ranges, *(note for note in proved.notes if "time ran out" in note))


def _place(item: Cluster) -> str:
    words = _shortened("; ".join(" ".join(word) for word in item.itineraries))
    return f"[{float(item.low):.9g}, {float(item.high):.9g}], {words}"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
