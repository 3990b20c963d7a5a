"""Events, branches and absences along a path, offered to the kernel one by one; what it rejects comes back as the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from proofs.errors import OrbitproofError, Rejected
from proofs.parameters import AbsentOn, BorderCollision, ExistsOn, Flip, OnLine, ToInfinity
from verify.certification.bifurcation_results import ProvedBranch, ProvedEvent
from verify.certification.bifurcation_steps import Family, absent_cell, event_witness, exists_cell, margins_of
from verify.certification.covers import Cell, Gap, Run, cover, without
from verify.certification.draft import Draft, spelled
from verify.certification.orbits import Orbit
from verify.certification.pair_steps import pair_witness
from verify.events import Event
from verify.numerics.balls import SingularError
from verify.rounding import exponent

if TYPE_CHECKING:
    from verify.events import Word
    from verify.paths import Path

    Range = tuple[Fraction, Fraction]

_NARROWINGS = 40
_WIDENINGS = 3  # to about 5e-9 where the interval is 1e-12
_SHOWN = 80
_SLACK = 32  # of a second witness for a complex pair
_STABILITY_ATTEMPTS = 800
_LEAST_BLOCK, _MOST_BLOCK = 4, 96
_SMALL = 16
_WHOLE_ATTEMPTS = 160  # for one claim over the whole range
_EDGE, _EDGE_ATTEMPTS = 2**10, 40
_HALVINGS = 30
_ABSENT_HALVINGS, _ABSENT_ATTEMPTS = 22, 400
_WIDEST = Fraction(1, 1024)  # of the path: beyond, cells of ``exists_on`` say more, the stability too


@dataclass
class PathProver:
    """Builds one draft about the networks of a path; ``scratch`` tries cells before they are put together."""

    draft: Draft
    path: Path
    goes_on: Callable[[], bool] | None = None
    line: int = 0
    scratch: Draft = field(init=False)
    family: Family = field(init=False)

    def __post_init__(self) -> None:
        """Add the path step, unless ``line`` is its number. **Raises:** Rejected."""
        self.family = Family(self.path)
        witness = self.path.witness()
        self.scratch = Draft(self.draft.network)
        self.scratch.add("path", witness)
        if not self.line:
            self.line = self.draft.add("path", witness)[0]

    def event(self, event: Event, room: Range) -> ProvedEvent | str:
        """Prove an event in its narrow interval, and that it is the only such one in a wider one within ``room``; else say why not."""
        event = aligned(event)
        narrow = self._claim(event, event.low, event.high)
        for _ in range(_WIDENINGS):
            if not isinstance(narrow, str):
                break
            wider = widened(event, room)
            narrow, event = self._claim(wider, wider.low, wider.high), wider
        if isinstance(narrow, str):
            return narrow
        card, claim = narrow
        met = tuple(word for word, _ in claim.partners) if isinstance(claim, BorderCollision) else ()
        return _proved(event, card, claim, self._reach(replace(event, partners=met), room))

    def exists(self, word: Word, low: Fraction, high: Fraction, *, stability: bool = True) -> tuple[list[ProvedBranch], list[Gap]]:
        """Cover [low, high] by cells on which the cycle exists: with its stability if few cells do for that, else without.

        Returns the branches, and the gaps where existence is not proved. Enclosures are sharpest at time 1, so itineraries are turned until
        the pre-activation that is nearest to 0 is there.
        """
        parts = self._turned(word, (low, high), nearest)
        if stability:
            attempt = self._attempt(parts[0][0], stability=True)
            most = 3 * _WHOLE_ATTEMPTS if len(word) * self.path.start.dimension <= _SMALL else _WHOLE_ATTEMPTS
            whole = cover(low, high, attempt, self.goes_on, halvings=_HALVINGS, attempts=most)
            if not whole.gaps:
                return [self._existing(word, run) for run in whole.runs], []
        covers = [
            cover(start, end, self._attempt(turned, stability=False), self.goes_on, halvings=_HALVINGS) for turned, start, end in parts
        ]
        branches = [self._existing(word, run) for found in covers for run in found.runs]
        return branches, [gap for found in covers for gap in found.gaps]

    def stable(self, word: Word, low: Fraction, high: Fraction) -> list[ProvedBranch]:
        """Cover as much as can be of [low, high], where the cycle exists, by cells with proved stability, those at the ends first."""
        parts: list[ProvedBranch] = []
        edge = (high - low) / _EDGE
        for start, end, attempts, widest in (
            (low, low + edge, _EDGE_ATTEMPTS, False),
            (high - edge, high, _EDGE_ATTEMPTS, False),
            (low, high, _STABILITY_ATTEMPTS, True),
        ):
            holes = [(branch.low, branch.high) for branch in parts]
            for left, right in without(start, end, holes):
                for turned, first, last in self._turned(word, (left, right), nearest):
                    attempt = self._attempt(turned, stability=True)
                    found = cover(first, last, attempt, self.goes_on, halvings=_HALVINGS, attempts=attempts, widest_first=widest)
                    parts += [self._existing(word, run) for run in found.runs]
        return sorted(parts, key=lambda branch: branch.low)

    def absent(self, word: Word, low: Fraction, high: Fraction) -> tuple[list[ProvedBranch], list[Gap]]:
        """Cover [low, high] by cells on which no cycle has this itinerary."""
        branches: list[ProvedBranch] = []
        gaps: list[Gap] = []
        for turned, start, end in self._turned(word, (low, high), farthest):
            found = cover(
                start, end, partial(self._absent_attempt, turned), self.goes_on, halvings=_ABSENT_HALVINGS, attempts=_ABSENT_ATTEMPTS
            )
            branches += [self._absent(word, turned, run) for run in found.runs]
            gaps += found.gaps
        return branches, gaps

    def _turned(self, word: Word, ends: Range, choose: Callable[[Orbit], int]) -> list[tuple[Word, Fraction, Fraction]]:
        """Return the rotations to use, each with its part of the range: one for either half, or one for both."""
        low, high = ends
        shifts = []
        for mu in ends:
            try:
                shifts.append(choose(self.family.orbit(word, mu)))
            except SingularError:
                shifts.append(0)
        words = [word[shift:] + word[:shift] for shift in shifts]
        middle = (low + high) / 2
        return [(words[0], low, high)] if words[0] == words[1] else [(words[0], low, middle), (words[1], middle, high)]

    def _absent_attempt(self, word: Word, start: Fraction, end: Fraction) -> Cell | str:
        cell = absent_cell(self.family, word, start, end)
        return cell if isinstance(cell, str) else self._tried("absent_on", _absent(word, Run((start, end), (cell,))), cell)

    def meets(self, event: ProvedEvent, word: Word) -> BorderCollision | None:
        """Prove what becomes of one more itinerary at a collision, in the event's range; None if it is no partner, or not accepted.

        On the border either letter will do, so at mu* the colliding cycle follows every such itinerary; off mu* it may be that none does.
        """
        if event.kind != "border_collision":
            return None
        asked = Event("border_collision", *event.reach, event.itinerary, event.unit, event.time)
        for turned in beside(asked, word):
            found = self._claim(first_in_time(replace(asked, partners=(turned,))), *event.reach)
            if not isinstance(found, str) and isinstance(found[1], BorderCollision) and found[1].partners:
                return found[1]
        return None

    def _attempt(self, word: Word, *, stability: bool) -> Callable[[Fraction, Fraction], Cell | str]:
        block = _LEAST_BLOCK < len(word) * self.path.start.dimension <= _MOST_BLOCK and len(word) > 1

        def attempt(start: Fraction, end: Fraction) -> Cell | str:
            cell = exists_cell(self.family, word, start, end, stability=stability, block=block)
            return cell if isinstance(cell, str) else self._tried("exists_on", _existing(Run((start, end), (cell,))), cell)

        return attempt

    def _tried(self, card: str, witness: dict[str, object], cell: Cell) -> Cell | str:
        try:
            number, _ = self.scratch.add(card, witness, [1])
        except Rejected as failure:
            return _reason(failure)
        self.scratch.drop(number)
        return cell

    def _existing(self, word: Word, run: Run) -> ProvedBranch:
        _, claim = self.draft.add("exists_on", _existing(run), [self.line])
        if not isinstance(claim, ExistsOn):
            raise TypeError(claim)
        return ProvedBranch(word, claim.period, run.low, run.high, True, claim.inside, claim.outside, len(run.cells), claim)

    def _absent(self, word: Word, turned: Word, run: Run) -> ProvedBranch:
        _, claim = self.draft.add("absent_on", _absent(turned, run), [self.line])
        if not isinstance(claim, AbsentOn):
            raise TypeError(claim)
        return ProvedBranch(word, len(word), run.low, run.high, False, None, None, len(run.cells), claim)

    def _claim(self, event: Event, low: Fraction, high: Fraction, *, whole: bool = False) -> tuple[str, OnLine] | str:
        """Offer one event to its card, without the partners that the card does not accept; with ``whole`` all of them have to be."""
        try:
            card, witness = event_witness(self.family, event, low, high)
            kept = witness.get("partners", [])
            if whole and isinstance(kept, list) and len(kept) < len(event.partners):
                return "a partner's system is singular in the middle of the interval"
            try:
                _, claim = self.draft.add(card, witness, [self.line])
            except Rejected:
                other = None if whole and kept else self._changed(replace(event, low=low, high=high), card, witness)
                if other is None:
                    raise
                _, claim = self.draft.add(card, other, [self.line])
        except SingularError:
            return "a system that has to be solved is singular in the middle of the interval"
        except OrbitproofError as failure:
            return _reason(failure)
        if not isinstance(claim, OnLine):
            raise TypeError(claim)
        return card, claim

    def _changed(self, event: Event, card: str, witness: dict[str, object]) -> dict[str, object] | None:
        """Return another witness for a refused one, if there is any: with fewer partners, or a larger box for the plane of a pair."""
        if witness.get("partners"):
            return witness | {"partners": self._accepted(card, witness)}
        if card == "complex_pair":
            return pair_witness(self.path, event, slack=_SLACK)
        return None

    def _accepted(self, card: str, witness: dict[str, object]) -> list[object]:
        partners = witness["partners"]
        if not isinstance(partners, list):
            raise TypeError(partners)
        return [one for one in partners if not isinstance(self._tried(card, witness | {"partners": [one]}, {}), str)]

    def _reach(self, event: Event, room: Range) -> Range:
        """Return the widest tried range around the narrow one that the card accepts; there it becomes a claim of its own.

        It has to speak of every partner of the narrow one: the range counts as settled for them too.
        """
        most = _WIDEST * (self.path.high - self.path.low)
        left, right = min(event.low - room[0], most), min(room[1] - event.high, most)
        least, turned = event.high - event.low, first_in_time(event)
        for _ in range(_NARROWINGS):
            if max(left, right) <= least:
                break
            low, high = max(event.low - _short(left), room[0]), min(event.high + _short(right), room[1])
            if not isinstance(self._claim(turned, low, high, whole=True), str):
                return low, high
            left, right = left / 4, right / 4
        return event.low, event.high


def aligned(event: Event) -> Event:
    """Return a collision with each partner turned so that it agrees with the repeated itinerary but for the colliding letters."""
    return replace(event, partners=tuple(next(beside(event, word), word) for word in event.partners))


def beside(event: Event, word: Word) -> Iterator[Word]:
    """Yield the rotations of an itinerary that agree with the repeated one of a collision but for the colliding letters."""
    if event.unit is None or event.time is None or len(word) % len(event.itinerary):
        return
    copies = event.itinerary * (len(word) // len(event.itinerary))
    for shift in range(len(word)):
        turned = word[shift:] + word[:shift]
        if turned != copies and _differ_there(copies, turned, event.unit, event.time, len(event.itinerary)):
            yield turned


def _differ_there(copies: Word, word: Word, unit: int, time: int, period: int) -> bool:
    """Say whether two itineraries differ at most in letters of one unit at one time of every round."""
    for place, (mine, theirs) in enumerate(zip(copies, word, strict=True)):
        differ = {i + 1 for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b}
        if differ - ({unit} if place % period == time - 1 else set()):
            return False
    return True


def widened(event: Event, room: Range) -> Event:
    """Return the event with an interval 17 times as long, within the room that it has."""
    reach = 8 * (event.high - event.low)
    return replace(event, low=max(event.low - reach, room[0]), high=min(event.high + reach, room[1]))


def first_in_time(event: Event) -> Event:
    """Return a collision with its itineraries turned so that it happens at time 1, where enclosures are sharpest."""
    if event.time is None:
        return event
    shift = event.time - 1
    partners = tuple(word[shift:] + word[:shift] for word in event.partners)
    return replace(event, itinerary=event.itinerary[shift:] + event.itinerary[:shift], time=1, partners=partners)


def nearest(orbit: Orbit) -> int:
    """Return how many times are before that at which a pre-activation is nearest to 0, relative to the reach of its gate."""
    margins = margins_of(orbit)
    return min(margins, key=lambda place: abs(margins[place]))[0] - 1 if margins else 0


def farthest(orbit: Orbit) -> int:
    """Return how many times are before that at which a pre-activation misses the sign of its letter most."""
    margins = margins_of(orbit)
    return min(margins, key=lambda place: margins[place])[0] - 1 if margins else 0


def free_room(event: Event, others: Sequence[Range], ends: Range) -> Range:
    """Return the range around an event that reaches less than half-way to the nearest other intervals, and not beyond the path's ends."""
    low = max((other[1] for other in others if other[1] <= event.low), default=ends[0])
    high = min((other[0] for other in others if other[0] >= event.high), default=ends[1])
    left = ends[0] if low == ends[0] else (low + 2 * event.low) / 3
    right = ends[1] if high == ends[1] else (high + 2 * event.high) / 3
    return left, right


def _reason(failure: OrbitproofError) -> str:
    """Tell why the kernel refused, without the numbers that are too long to read."""
    got = f"{failure.got[:_SHOWN]}..." if len(failure.got) > _SHOWN else failure.got
    return f"{failure.law}: expected {failure.expected}, got {got}"


def _short(width: Fraction) -> Fraction:
    """Return a power of two at most ``width``, at least a quarter of it; 0 for 0."""
    return Fraction(2) ** (exponent(width) - 1) if width > 0 else Fraction(0)


def _existing(run: Run) -> dict[str, object]:
    return {"breaks": spelled(run.breaks), "cells": list(run.cells)}


def _absent(word: Word, run: Run) -> dict[str, object]:
    return {"itinerary": list(word), "breaks": spelled(run.breaks), "cells": list(run.cells)}


def _proved(event: Event, card: str, claim: OnLine, reach: Range) -> ProvedEvent:
    side = claim.side if isinstance(claim, BorderCollision | ToInfinity) else None
    partners = claim.partners if isinstance(claim, BorderCollision) else ()
    kind = "to_infinity" if isinstance(claim, ToInfinity) else "flip" if isinstance(claim, Flip) else event.kind
    return ProvedEvent(
        kind, event.low, event.high, reach, event.itinerary, event.period, event.unit, event.time, side, partners, card, claim
    )
