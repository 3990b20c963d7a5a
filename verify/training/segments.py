"""A certified segment as the tracking of a run keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.certification.bifurcation_results import STABLE
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
    stable = _stable(event, event.before, "before"), _stable(event, event.after, "after")
    place = event.low, event.high
    return EventRecord(event.kind, place, event.itinerary, event.unit, event.time, event.side, event.partners, stable, event.theorem)


def _stable(event: ProvedEvent, cycles: Sequence[tuple[Word, str | None]], side: str) -> bool | None:
    """Say whether one of the cycles that meet here is stable on this side; None unless that is proved of one, or of none of all."""
    labels = dict(cycles)
    there = [word for word, where in ((event.itinerary, event.side), *event.partners) if where in {None, side}]
    if STABLE in labels.values():
        return True
    return None if any(labels.get(word) is None for word in there) else False


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
