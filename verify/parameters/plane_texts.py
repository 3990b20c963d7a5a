"""A plane of parameters as lines of text."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verify.events import Word
    from verify.numerics.curve_parts import Part
    from verify.parameters.marching import Tube
    from verify.parameters.plane import Boundary, Plane

KINDS = {
    "to_infinity": "multiplier 1, to infinity",
    "multiplier_one": "multiplier 1, bounded",
    "flip": "multiplier -1, degenerate flip",
    "complex_pair": "complex pair on the unit circle",
    "border_collision": "border collision",
}
_DIGITS = 10


def plane_lines(plane: Plane) -> list[str]:
    """Return all that a terminal shows of a plane."""
    x, y = plane.surface.entries
    frame = f"{x.label} from {x.low} to {x.high}, {y.label} from {y.low} to {y.high}"
    lines = [f"{plane.surface.loaded.name}: {len(plane.words)} cycles over the plane {frame}", f"looked for: {plane.looked}"]
    for word in plane.words:
        lines += ["", f"{period_text(word)}, itinerary {word_text(word)}", *_word_lines(plane, word)]
    if plane.forms:
        lines += ["", "closed forms and arcs: exact, by computer algebra, not kernel-checked; cells and tubes: proved by the kernel"]
    if not plane.regions.in_time or not plane.marched.in_time:
        lines.append("the time was up: open cells may be settled with a larger budget")
    lines += [f"note: {note}" for note in plane.notes]
    return lines if plane.path is None else [*lines, f"certificates: {plane.path}"]


def word_text(word: Word) -> str:
    """Spell an itinerary: its patterns with dots between them."""
    return ".".join(word)


def period_text(word: Word) -> str:
    """Name a cycle by its period."""
    return "fixed point" if len(word) == 1 else f"{len(word)}-cycle"


def stability_text(outside: int, states: int) -> str:
    """Name the stability by the number of multipliers outside the unit circle."""
    return "stable" if outside == 0 else "repelling" if outside == states else f"saddle, {outside} outside"


def arc_text(boundary: Boundary, part: Part, labels: Sequence[str]) -> str:
    """Say where an arc runs, and on which side of it the cycle exists."""
    span = f"{labels[part.axis]} in ({_end_text(part.low)}, {_end_text(part.high)})"
    which = f", root {part.branch + 1} of {part.branches}" if part.branches > 1 else ""
    left, _, right = boundary.curve.equation.rpartition(" = ")
    sides: dict[tuple[int, ...], str] = {(1,): f"exists for {left} > {right}", (-1,): f"exists for {left} < {right}"}
    return f"{span}{which}: {sides.get(part.sides, 'exists on both sides') if part.is_real else 'virtual'}"


def _word_lines(plane: Plane, word: Word) -> Iterator[str]:
    for form in plane.forms:
        if form.itinerary == word:
            yield from (f"  z_{t} = ({', '.join(point)})" for t, point in enumerate(form.texts, 1))
    for boundary in plane.boundaries:
        if boundary.curve.itinerary == word:
            yield f"  {KINDS[boundary.curve.kind]}{_colliding_text(boundary)}: {boundary.curve.equation}"
            yield from (f"    {arc_text(boundary, part, plane.surface.labels)}" for part in boundary.parts)
    exists, absent, left = (float(share) for share in plane.regions.shares(word, plane.area))
    yield f"  cells: exists on {exists:.1%} of the plane, absent on {absent:.1%}, not decided on {left:.1%}"
    kinds = Counter[tuple[int, int]]()
    for item in plane.regions.settled:
        if item.itinerary == word and item.outside is not None:
            kinds[item.outside, item.index] += 1
    states = plane.surface.loaded.network.dimension
    yield from (f"    {stability_text(outside, states)}, index {index:+d}: {n} cells" for (outside, index), n in sorted(kinds.items()))
    yield from _tube_lines([tube for tube in plane.marched.tubes if tube.place.itinerary == word], plane.surface.labels)
    for place, why in plane.marched.refused.items():
        if place.itinerary == word:
            where = f" of unit {place.unit} at time {place.time}" if place.unit else ""
            yield f"  no tube for {KINDS[place.kind]}{where}: {why}"


def _tube_lines(tubes: Sequence[Tube], labels: Sequence[str]) -> Iterator[str]:
    groups: dict[tuple[object, int, bool], list[Tube]] = {}
    for tube in tubes:
        groups.setdefault((tube.place, tube.axis, tube.is_real), []).append(tube)
    for (_, axis, real), found in groups.items():
        place = found[0].place
        others = [tube.cell.y if axis == 0 else tube.cell.x for tube in found]
        total = sum((side.hi - side.lo for side in others), Fraction(0))
        where = f" of unit {place.unit} at time {place.time}" if place.unit else ""
        span = f"{labels[1 - axis]} from {_decimal(min(s.lo for s in others))} to {_decimal(max(s.hi for s in others))}"
        kind = KINDS[place.kind] + where + ("" if real else ", virtual on both sides")
        yield f"  {len(found)} tubes: {kind}, exactly one in each for every {span} ({_decimal(total)} in all)"


def _colliding_text(boundary: Boundary) -> str:
    if boundary.curve.kind != "border_collision":
        return ""
    return " of " + ", ".join(f"unit {unit} at time {time}" for unit, time in boundary.curve.colliding)


def _end_text(end: Interval) -> str:
    return _decimal(end.lo) if end.lo == end.hi else f"{float((end.lo + end.hi) / 2):.{_DIGITS}g}..."


def _decimal(value: Fraction) -> str:
    return f"{float(value):.{_DIGITS}g}" if Fraction(f"{float(value):.{_DIGITS}g}") == value else f"{float(value):.{_DIGITS}g}..."
