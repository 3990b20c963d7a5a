"""Records of tracking made by hand, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verify.training.track_answers import CheckpointRecord, CycleRecord, EventRecord, SegmentRecord, Tracking

SADDLE = CycleRecord(1, ("10",), (0.5, -1.0), 1.25, 1)
STABLE = CycleRecord(2, ("01", "11"), (0.25, 0.75), 0.5, 0)


def event(kind: str = "border_collision", low: str = "1/4", *, proved: bool = True) -> EventRecord:
    """Return an event just after ``low``."""
    unit, time = (2, 1) if kind == "border_collision" else (None, None)
    at = Fraction(low), Fraction(low) + Fraction(1, 2**40)
    partners = ((("11",), "after"),) if unit else ()
    return EventRecord(kind, at, ("10",), unit, time, "before", partners, (True, None if unit else False), kind if proved else None)


def checkpoint(update: int, loss: float | None, alpha: float | None = None, escaped: str = "") -> CheckpointRecord:
    """Return a checkpoint with a saddle and a stable 2-cycle."""
    exponents = () if escaped else ((-0.125, 0.01), (-1.0, float("nan")))
    norm = None if alpha is None else 1.5 * (1 - alpha)
    return CheckpointRecord(update, f"{update:064x}", loss, 0.5, alpha, (SADDLE, STABLE), True, exponents, escaped, norm)


def tracking(losses: Sequence[float | None], events: Sequence[Sequence[EventRecord]], alpha: float | None = None) -> Tracking:
    """Return a tracked run with a checkpoint a loss, every 10 updates, and these events between them."""
    checkpoints = tuple(checkpoint(10 * i, loss, alpha) for i, loss in enumerate(losses))
    segments = tuple(
        SegmentRecord(10 * i, 10 * i + 10, (f"{10 * i:064x}", f"{10 * i + 10:064x}"), tuple(here), 2) for i, here in enumerate(events)
    )
    lines = tuple(
        {"update": 10 * i + j, "loss": loss, "gradient_norm": 1.0 + j}
        for i, loss in enumerate(losses)
        if loss is not None
        for j in range(10)
    )
    return Tracking("run", "run/tracking", {"up_to": 2}, checkpoints, segments, lines)
