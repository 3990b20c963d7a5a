"""Boundary curves as chains of tubes: thin rectangles in which the kernel proves exactly one event for every value of the other entry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Interval
from proofs.errors import Rejected
from verify.certification.bifurcation_steps import Family, event_witness
from verify.certification.draft import Draft, in_short
from verify.events import Event, EventType, Word
from verify.itineraries import root_length
from verify.numerics.balls import SingularError
from verify.parameters.floats import FloatSurface, Sampled
from verify.parameters.surfaces import Cell

if TYPE_CHECKING:
    from proofs.claims import Claim
    from verify.parameters.surfaces import Surface

    Progress = Callable[[str, int, int], None]

Floats = NDArray[np.float64]
_GRID = 192  # points along the moving entry
STRIPS = 16
_HALVINGS = 3
_STEEP = 0.55  # of a strip's width, both as shares of their sides: half would let every slope through once
_OFF = 0.618
_SECTIONS, _ROUNDS = 48, 3  # sections of a step of the grid, thrice; then a straight line
_SPARE = {"complex_pair": (4.0, 16.0)}  # how much wider than the curve a tube is tried; other events: next line
_SPARES = (1.5, 4.0)
_SHARED = (0.75, 1.5)  # half widths for entries that move several weights, as shares of a strip's width
_LEAST = 2.0**-30  # of the side: half the width of a tube at least
_BITS = 40
_NEAR_CIRCLE, _NOT_REAL = 1e-2, 1e-6
_TOGETHER = 1e-7  # of the moving entry: zeros that close count as one
_SLICE = Fraction(1, 64)  # of a strip, for complex pairs


@dataclass(frozen=True)
class Place:
    """An event that may happen: of which kind, and for a border of which unit at which time (from 1)."""

    kind: EventType
    itinerary: Word
    unit: int | None = None
    time: int | None = None


@dataclass(frozen=True)
class Tube:
    """A rectangle that the kernel accepted: along entry ``axis``, for each value of the other entry, exactly one event lies in it."""

    place: Place
    axis: int
    cell: Cell
    draft: Draft
    claim: Claim

    @property
    def is_real(self) -> bool:
        """Say whether the cycle exists beside the curve; only an escape to infinity can also be proved for a virtual cycle."""
        return getattr(self.claim, "side", "") != "never"


@dataclass(frozen=True)
class Marched:
    """The tubes; for each event without any, why the kernel refused the last one; the number of attempts; whether the time sufficed."""

    tubes: tuple[Tube, ...]
    refused: dict[Place, str]
    attempts: int
    in_time: bool


@dataclass(frozen=True)
class _Strip:
    axis: int
    other: Interval
    level: int = 0

    def halves(self) -> tuple[_Strip, _Strip]:
        middle = (self.other.lo + self.other.hi) / 2
        low, high = Interval(self.other.lo, middle), Interval(middle, self.other.hi)
        return _Strip(self.axis, low, self.level + 1), _Strip(self.axis, high, self.level + 1)

    def slice(self) -> _Strip:
        """Return a thin strip around the middle: over more, the multipliers of a pair and their vectors move too far for the card."""
        middle, half = (self.other.lo + self.other.hi) / 2, (self.other.hi - self.other.lo) * _SLICE / 2
        return _Strip(self.axis, Interval(middle - half, middle + half))


def march(surface: Surface, words: Sequence[Word], deadline: float, strips: int = STRIPS, progress: Progress | None = None) -> Marched:
    """Cover the curves on which something happens to these cycles by tubes.

    Both entries take turns as the moving one; each curve is followed where it is steep in the other. Strips are halved where the kernel
    does not accept; complex pairs are proved in thin slices only.

    **Guarantee:** tubes are kernel-checked; that all curves are covered is not claimed.
    """
    frame = [Interval(entry.low, entry.high) for entry in surface.entries]
    floats = FloatSurface(surface)
    strips_of = [_Strip(axis, part) for axis in (0, 1) for part in _cut(frame[1 - axis], strips)]
    todo = deque[tuple[Word, _Strip, frozenset[Place] | None]]((word, strip, None) for word in words for strip in strips_of)
    if floats.dimension > 1:
        todo.extend((word, strip.slice(), frozenset({Place("complex_pair", word)})) for word in words for strip in strips_of)
    whole = len(todo)
    tubes: dict[Place, list[Tube]] = {}
    refused: dict[Place, str] = {}
    attempts = done = 0
    while todo and monotonic() < deadline:
        word, strip, wanted = todo.popleft()
        again = set()
        for place, moving in _crossings(floats, frame, word, strip, wanted):
            attempts += 1
            tube = _shared(floats, place, strip, moving) or _tube(surface, frame, place, strip, moving)
            if isinstance(tube, Tube):
                tubes.setdefault(place, []).append(tube)
                continue
            refused[place] = tube
            if (place in tubes or strip.level == 0) and place.kind != "complex_pair":
                again.add(place)
        if again and strip.level < _HALVINGS:
            todo.extend((word, half, frozenset(again)) for half in strip.halves())
        done += strip.level == 0
        if progress is not None:
            progress("boundary curves", done, whole)
    found = tuple(tube for chain in tubes.values() for tube in chain)
    return Marched(found, {place: why for place, why in refused.items() if place not in tubes}, attempts, not todo)


def _cut(side: Interval, parts: int) -> list[Interval]:
    width = (side.hi - side.lo) / parts
    return [Interval(side.lo + i * width, side.lo + (i + 1) * width) for i in range(parts)]


def _crossings(
    floats: FloatSurface, frame: list[Interval], word: Word, strip: _Strip, wanted: frozenset[Place] | None
) -> Iterator[tuple[Place, tuple[float, float]]]:
    """Yield what floats suggest: places, each with the least and greatest value of the moving entry that its curve takes in the strip."""
    along = frame[strip.axis]
    grid = _grid(float(along.lo), float(along.hi))
    ends = [float(strip.other.lo), float(strip.other.hi)]
    middle = sum(ends) / 2
    sampled, edges = _on(floats, word, strip.axis, grid, middle), list[Sampled]()
    for place, read in _functions(word, floats.dimension):
        if place not in wanted if wanted is not None else place.kind == "complex_pair":
            continue
        values = read(sampled)
        for i in np.flatnonzero(values[:-1] * values[1:] < 0):
            root = _narrowed(floats, place, read, strip.axis, (grid[i], grid[i + 1]), middle)
            if root is None or not _matters(floats, place, strip.axis, root, middle, grid[1] - grid[0]):
                continue
            edges = edges or [_on(floats, word, strip.axis, grid, end) for end in ends]
            brackets = [_nearest(read(edge), grid, root) for edge in edges]
            reach = [b and _narrowed(floats, place, read, strip.axis, b, end) for b, end in zip(brackets, ends, strict=True)]
            steep = [abs(found - root) / (grid[-1] - grid[0]) if found is not None else np.inf for found in reach]
            wide = float(strip.other.hi - strip.other.lo) / float(frame[1 - strip.axis].hi - frame[1 - strip.axis].lo)
            if max(steep) <= wide * _STEEP:
                known = [root, *(found for found in reach if found is not None)]
                yield place, (min(known), max(known))


def _functions(word: Word, states: int) -> Iterator[tuple[Place, Callable[[Sampled], Floats]]]:
    """Yield every function whose zeros are events of the word."""
    yield Place("to_infinity", word), lambda s: s.minus
    yield Place("flip", word), lambda s: s.plus
    if states > 1:
        yield Place("complex_pair", word), lambda s: s.pairs
    for time, letters in enumerate(word, 1):
        for unit in range(1, len(letters) + 1):
            yield Place("border_collision", word, unit, time), partial(_gate, time=time, unit=unit)


def _gate(sampled: Sampled, time: int, unit: int) -> Floats:
    """Return a pre-activation times det(I - P): it has no poles."""
    return np.asarray(sampled.gates[:, time - 1, unit - 1] * sampled.minus, dtype=np.float64)


def _on(floats: FloatSurface, word: Word, axis: int, moving: Floats, other: float) -> Sampled:
    fixed = np.full_like(moving, other)
    return floats.sample(word, moving, fixed) if axis == 0 else floats.sample(word, fixed, moving)


def _grid(low: float, high: float) -> Floats:
    """Return points from low to high that keep off round numbers, where functions like to vanish."""
    inner = (np.arange(_GRID) + _OFF) / _GRID
    return np.concatenate([[low], low + inner * (high - low), [high]])


def _narrowed(
    floats: FloatSurface, place: Place, read: Callable[[Sampled], Floats], axis: int, bracket: tuple[float, float], other: float
) -> float | None:
    """Return a zero in a bracket with a change of sign, None where there is none."""
    low, high = bracket
    ends = (0.0, 0.0)
    for _ in range(_ROUNDS):
        points = np.linspace(low, high, _SECTIONS + 1)
        values = read(_on(floats, place.itinerary, axis, points, other))
        changes = np.flatnonzero(values[:-1] * values[1:] <= 0)
        if not len(changes):
            return None
        i = int(changes[0])
        low, high, ends = float(points[i]), float(points[i + 1]), (float(values[i]), float(values[i + 1]))
    return low if ends[0] == ends[1] else low - ends[0] * (high - low) / (ends[1] - ends[0])


def _nearest(values: Floats, grid: Floats, root: float) -> tuple[float, float] | None:
    """Return the bracket nearest to ``root`` in which the values change their sign."""
    changes = np.flatnonzero(values[:-1] * values[1:] < 0).tolist()
    if not changes:
        return None
    i = min(changes, key=lambda i: abs(grid[i] + grid[i + 1] - 2 * root))
    return float(grid[i]), float(grid[i + 1])


def _matters(floats: FloatSurface, place: Place, axis: int, root: float, other: float, step: float) -> bool:
    """Say whether the cycle exists on a side of the curve, or the event is a multiplier 1 (which is proved for virtual cycles too)."""
    if place.kind == "to_infinity":
        return True
    beside = np.array([root - step * 1e-3, root + step * 1e-3])
    sampled = _on(floats, place.itinerary, axis, beside, other)
    if not np.isfinite(sampled.product).all():
        return False
    if sampled.minus[0] * sampled.minus[1] < 0:  # the escape to infinity, seen through another function
        return False
    if place.kind == "complex_pair":
        moduli = np.linalg.eigvals(sampled.product)
        on_circle = (np.abs(np.abs(moduli) - 1) < _NEAR_CIRCLE) & (np.abs(moduli.imag) > _NOT_REAL)
        return bool(sampled.real.all() and on_circle.any())
    return bool(sampled.real.any() if place.kind == "border_collision" else sampled.real.all())


def _shared(floats: FloatSurface, place: Place, strip: _Strip, moving: tuple[float, float]) -> str:
    """Say which other units reach their borders with this one, all along: then the card does not apply; empty if none does."""
    if place.unit is None or place.time is None:
        return ""
    middle = float(strip.other.lo + strip.other.hi) / 2
    step = np.array([-1e-4, 1e-4]) * (1 + abs(moving[0]))
    values = _on(floats, place.itinerary, strip.axis, sum(moving) / 2 + step, middle).gates
    slopes = (values[1] - values[0]) / (step[1] - step[0])
    crossing = np.abs(values.mean(axis=0)) < _TOGETHER * np.abs(slopes)
    others = [f"unit {u + 1} at time {t + 1}" for t, u in np.argwhere(crossing).tolist() if (t + 1, u + 1) != (place.time, place.unit)]
    return f"{', '.join(others)} reaches its border there too, and the card takes one unit alone" if others else ""


def _tube(surface: Surface, frame: list[Interval], place: Place, strip: _Strip, moving: tuple[float, float]) -> Tube | str:
    """Ask the kernel about a rectangle around the curve; return why not where it accepts none."""
    side, other = frame[strip.axis], strip.other
    middle = (other.lo + other.hi) / 2
    point = Interval(middle, middle)
    family = Family(surface.along(side, point) if strip.axis == 0 else surface.along(point, side, 1))
    path = surface.along(side, other) if strip.axis == 0 else surface.along(other, side, 1)
    half = max((moving[1] - moving[0]) / 2, float(side.hi - side.lo) * _LEAST)
    why = "the curve meets the frame, or a linear system is singular"
    halves = [spare * half for spare in _SPARE.get(place.kind, _SPARES)]
    if any(len(entry.targets) > 1 for entry in surface.entries):  # weights share an entry, and as intervals they do not know it
        halves += [wide * float(other.hi - other.lo) for wide in _SHARED]
    for reach in halves:
        low, high = (_dyadic(sum(moving) / 2 + sign * reach) for sign in (-1, 1))
        if low < side.lo or high > side.hi:
            continue
        for partners in _partners(place):
            event = Event(place.kind, low, high, place.itinerary, place.unit, place.time, partners)
            draft = Draft(path.start)
            line, _ = draft.add("path", path.witness())
            try:
                card, witness = event_witness(family, event, low, high)
                _, claim = draft.add(card, witness, [line])
            except Rejected as failure:
                why = in_short(failure)
                continue
            except SingularError:
                continue
            within = Interval(low, high)
            return Tube(place, strip.axis, Cell(within, other) if strip.axis == 0 else Cell(other, within), draft, claim)
    return why


def _partners(place: Place) -> Iterator[tuple[Word, ...]]:
    """Yield the partners to try: the itinerary with the colliding letter changed, then none."""
    if place.unit is not None and place.time is not None:
        letters = place.itinerary[place.time - 1]
        turned = letters[: place.unit - 1] + ("0" if letters[place.unit - 1] == "1" else "1") + letters[place.unit :]
        other = (*place.itinerary[: place.time - 1], turned, *place.itinerary[place.time :])
        if root_length(other) == len(other):
            yield (other,)
    yield ()


def _dyadic(value: float) -> Fraction:
    return Fraction(round(value * (1 << _BITS)), 1 << _BITS)
