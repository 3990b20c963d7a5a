"""Steps of cards gradient_divergence and gradient_vanishing (E3): their witnesses, and ranges of mu as long as the kernel accepts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.errors import Rejected
from proofs.parameters import GradientDivergence
from proofs.reader import Fields
from proofs.theorems.card import Application
from proofs.theorems.following import rows_of
from proofs.theorems.to_infinity import Escape, escape
from verify.certification.bifurcation_steps import Family, event_witness
from verify.certification.draft import Draft, in_short, spelled
from verify.numerics.balls import SingularError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proofs.arithmetic import Interval, Matrix
    from proofs.claims import Claim
    from verify.events import Event
    from verify.paths import Path

    Pair = tuple[Fraction, Fraction]

_GRID = 2**20
_TIGHT = Fraction(5, 4)
_LONGEST, _SHORTEST = 4, 40  # halvings of the path


def line_step(draft: Draft, path: Path) -> int:
    """Return the number of the step that says which family the draft is about, added if it is not there. **Raises:** Rejected."""
    witness = path.witness()
    for number, (theorem, _, known) in enumerate(draft.steps, 1):
        if theorem == "path" and known == witness:
            return number
    return draft.add("path", witness)[0]


def add_divergence(draft: Draft, path: Path, event: Event) -> tuple[Claim | None, str]:
    """Add gradient_divergence around a to_infinity event; or None and why not.

    Ranges are halved from a sixteenth of the path down to the event's own; the longest on which both laws hold within a factor 5/4 is
    taken, or the longest that the kernel accepts. **Guarantee:** exact for the claim.
    """
    reason, spare = "the event lies too near an end of the path", None
    line = line_step(draft, path)
    for wide in _ranges(path, event):
        witness = _divergence_witness(draft, path, wide, line)
        if isinstance(witness, str):
            reason = witness
            continue
        try:
            number, claim = draft.add("gradient_divergence", witness, [line])
        except Rejected as failure:
            reason = in_short(failure)
            continue
        if isinstance(claim, GradientDivergence) and all(high <= _TIGHT * low for low, high in (claim.position, claim.gradient)):
            return claim, ""
        draft.drop(number)
        spare = spare or witness
    if spare is None:
        return None, f"gradient_divergence: {reason}"
    return draft.add("gradient_divergence", spare, [line])[1], ""


def _divergence_witness(draft: Draft, path: Path, event: Event, line: int) -> dict[str, object] | str:
    """Return the witness on the event's own range, or why there is none."""
    try:
        card, witness = event_witness(Family(path), event, event.low, event.high)
        found = escape(Application(0, card, draft.network, Fields(witness, "witness"), (line,), draft.facts))
    except Rejected as failure:
        return in_short(failure)
    except SingularError:
        return "the bordered matrix is singular in the middle of the range"
    return witness | {name: spelled(pair) for name, pair in _laws(found).items()}


def add_collision(draft: Draft, path: Path, event: Event) -> tuple[Claim | None, str]:
    """Add border_collision for an event, without partners; or None and why not."""
    line = line_step(draft, path)
    try:
        card, witness = event_witness(Family(path), replace(event, partners=()), event.low, event.high)
        return draft.add(card, witness, [line])[1], ""
    except Rejected as failure:
        return None, f"border_collision: {in_short(failure)}"
    except SingularError:
        return None, "border_collision: I - P is singular in the middle of the range"


def add_vanishing(draft: Draft, path: Path, event: Event) -> tuple[Claim | None, str]:
    """Add border_collision and, on it, gradient_vanishing; or None and why not (the collision alone stays then)."""
    claim, reason = add_collision(draft, path, event)
    if claim is None:
        return None, reason
    try:
        return draft.add("gradient_vanishing", {}, [len(draft.facts)])[1], ""
    except Rejected as failure:
        return None, f"gradient_vanishing: {in_short(failure)}"


def _ranges(path: Path, event: Event) -> Iterator[Event]:
    middle, length = (event.low + event.high) / 2, path.high - path.low
    for halvings in range(_LONGEST, _SHORTEST):
        reach = length / 2**halvings
        low, high = middle - reach, middle + reach
        if path.low <= low <= event.low and event.high <= high <= path.high:
            yield replace(event, low=low, high=high)
    yield event


def _laws(found: Escape) -> dict[str, Pair]:
    """Return what checks 7 and 8 of the card let be said, rounded outward."""
    width, size = found.ends[1] - found.ends[0], len(found.direction.mid) - 1
    v, y, turn, drift = (_norm(rows_of(x, 0, size)) for x in (found.direction, found.rest, found.direction_speed, found.rest_speed))
    speed, pull = _sizes(found.direction_speed.interval(size)), _sizes(found.rest.interval(size))
    change = found.rest_speed.interval(size).magnitude
    rest = width * (change * v[1] + pull[1] * turn[1]) / speed[0] + width * width * drift[1]
    near = width * y[1]
    gradient = pull[0] * speed[0] * v[0] / speed[1] ** 2 - rest, pull[1] * speed[1] * v[1] / speed[0] ** 2 + rest
    return {"position": _outward((pull[0] * v[0] / speed[1] - near, pull[1] * v[1] / speed[0] + near)), "gradient": _outward(gradient)}


def _outward(pair: Pair) -> Pair:
    """Round to few digits; what is not positive stays as it is and is rejected."""
    unit = max(pair[1], Fraction(1)) / _GRID if pair[0] <= 0 else Fraction(2) ** (_power(pair[0]) - 20)
    return (pair[0] // unit) * unit, -((-pair[1]) // unit) * unit


def _power(value: Fraction) -> int:
    return value.numerator.bit_length() - value.denominator.bit_length()


def _sizes(value: Interval) -> Pair:
    """Return the least and the largest absolute value."""
    return (Fraction(0) if value.lo <= 0 <= value.hi else min(abs(value.lo), abs(value.hi))), value.magnitude


def _norm(column: Matrix) -> Pair:
    """Return bounds of the max norm."""
    sizes = [_sizes(entry) for entry in column.entries()]
    return max(low for low, _ in sizes), max(high for _, high in sizes)
