"""Routes to the theorems about families of networks and about training: events along a path, gradients there, teacher forcing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from verify.events import Event

if TYPE_CHECKING:
    from verify.certification.bifurcation_results import ProvedEvent
    from verify.certification.gradients import GradientReport
    from verify.certification.named_request import Request


def by_forcing(request: Request) -> None:
    """Card teacher_forcing: the share asked for, or the least one found."""
    from verify.certification.forcing_report import forcing_report

    report = forcing_report(
        request.loaded, request.alpha, request.forced, seconds=request.seconds, seed=request.effort.seed, draft=request.draft
    )
    request.reasons += report.reasons
    request.notes += report.lines()


def by_path(request: Request) -> None:
    """Theorems about families: the events and branches of the path."""
    _events(request)


def by_divergence(request: Request) -> None:
    """Card gradient_divergence, at every escape to infinity of the path."""
    from verify.certification.gradients import divergence_report

    _at_events(request, "to_infinity", divergence_report)


def by_vanishing(request: Request) -> None:
    """Card gradient_vanishing, at every border collision of the path."""
    from verify.certification.gradients import vanishing_report

    _at_events(request, "border_collision", vanishing_report)


def _at_events(request: Request, kind: str, report: Callable[..., GradientReport]) -> None:
    if request.path is None:
        return
    events = [event for event in _events(request) if event.kind == kind]
    if not events:
        request.reasons.append(f"no event {kind} of a cycle of period at most {request.up_to} was proved on this path")
    for event in events:
        found = report(request.path, event, draft=request.draft)
        request.reasons += found.reasons
        request.notes += found.lines()


def _events(request: Request) -> list[Event]:
    """Certify the path's events and branches into the draft; return its events with their own enclosures."""
    from verify.certification.bifurcations import bifurcations

    if request.path is None:
        return []
    found = bifurcations(
        request.path,
        up_to=request.up_to,
        box=request.box,
        complete=request.box is not None,
        budget=request.seconds,
        seed=request.effort.seed,
        progress=request.effort.progress,
    )
    if found.certificate is not None:
        request.draft.absorb(found.certificate)
    request.reasons += [f"{cluster.reason} (near {float(cluster.low):.9g})" for cluster in found.clusters]
    request.reasons += [found.why_not_complete] if found.why_not_complete and request.box is not None else []
    return [plain for event in found.events for plain in _with_partners(event)]


def _with_partners(event: ProvedEvent) -> list[Event]:
    """Return the event of the cycle itself, and that of each partner of the same period that exists on one side."""
    words = [event.itinerary, *(word for word, side in event.partners if side != "never" and len(word) == event.period)]
    return [Event(event.kind, event.low, event.high, word, event.unit, event.time) for word in words]
