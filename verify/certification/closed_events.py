"""Proved events with their exact positions beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verify.numerics.root_texts import ClosedForms

if TYPE_CHECKING:
    from verify.certification.bifurcation_results import Certification, ProvedEvent
    from verify.paths import Path

_MOST_EVENTS = 200


def with_closed_forms(path: Path, found: Certification) -> Certification:
    """Return the same with the exact mu* of events of low degree as text. **Guarantee:** exact, not kernel-checked."""
    forms = ClosedForms(path)

    def exact(event: ProvedEvent) -> ProvedEvent:
        text = forms.of(event.kind, event.itinerary, (event.time, event.unit), (event.low, event.high))
        return event if text is None else replace(event, closed_form=text)

    events = [exact(event) for event in found.events[:_MOST_EVENTS]]
    return replace(found, events=(*events, *found.events[_MOST_EVENTS:]))
