"""From words followed along a path to typed events, branches, virtual events and clusters."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.events import Branch, Census, Cluster, Event, EventType, Virtual, Word
from verify.numerics.events_crossings import Crossing, Followed, Zero, short_between

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify.numerics.events_partners import Partners
    from verify.numerics.rational_paths import Pieces, WordEquations

Table = "Mapping[Word, tuple[WordEquations, Followed]]"
_KINDS: dict[str, EventType] = {"gate": "border_collision", "one": "to_infinity", "minus_one": "flip", "pair": "complex_pair"}
_ALWAYS = {
    "one": "I - P is singular for every mu",
    "gate": "the pre-activation of unit {unit} at time {time} is zero for every mu",
    "minus_one": "det(I + P) is zero for every mu",
    "pair": "two multipliers have product 1 for every mu",
}


def assemble(
    pieces: Pieces,
    partners: Partners,
    followed: Mapping[Word, tuple[WordEquations, Followed]],
    named: frozenset[Word],
    notes: tuple[str, ...],
) -> Census:
    """Type every crossing of every word, shortest words first.

    Virtual events are told of words that were named, or that follow a cycle somewhere. **Guarantee:** heuristic.
    """
    work = _Assembly(pieces, partners)
    for word in sorted(followed, key=lambda word: (len(word), word)):
        equations, table = followed[word]
        if table.exists or table.always or word in named:
            work.take(equations, table, told=word in named)
    return work.census(notes)


class _Assembly:
    """Events so far, and for each word what ended its branches."""

    def __init__(self, pieces: Pieces, partners: Partners) -> None:
        self.pieces, self.partners = pieces, partners
        self.low, self.high = pieces.path.low, pieces.path.high
        self.events: list[Event] = []
        self.branches: list[Branch] = []
        self.clusters: list[Cluster] = []
        self.virtual: list[Virtual] = []

    def take(self, equations: WordEquations, table: Followed, *, told: bool) -> None:
        """Type the crossings of one word and cut its branches at those that end them; ``told``: someone named the word."""
        for zero in table.always:
            if self._matters(equations, table, zero, told=told):
                self._cluster(self.low, self.high, table.word, _ALWAYS[zero.kind].format(time=zero.time, unit=zero.unit))
        ends: list[int | None] = []  # for each crossing the event, None where there is none
        cut: list[bool] = []
        for i, crossing in enumerate(table.crossings):
            event = self._type(equations, table, i)
            ends.append(event)
            cut.append(not (table.cells[i] and table.cells[i + 1] and event is not None and crossing.zeros[0].kind != "gate"))
        self._cut(table, ends, cut)

    def census(self, notes: tuple[str, ...]) -> Census:
        """Return everything in order of mu."""
        order = sorted(range(len(self.events)), key=lambda i: (self.events[i].low, self.events[i].period, self.events[i].itinerary))
        rank = {old: new for new, old in enumerate(order)}
        branches = [
            replace(b, starts=None if b.starts is None else rank[b.starts], ends=None if b.ends is None else rank[b.ends])
            for b in self.branches
        ]
        return Census(
            tuple(sorted(branches, key=lambda b: (b.low, len(b.itinerary), b.itinerary))),
            tuple(self.events[i] for i in order),
            _grouped(self.clusters),
            tuple(sorted(self.virtual, key=lambda v: (v.low, len(v.itinerary), v.itinerary))),
            notes,
        )

    def _type(self, equations: WordEquations, table: Followed, i: int) -> int | None:
        """Return the number of the event at a crossing, or None: then it was told as a cluster or as virtual, if at all."""
        crossing, before, after = table.crossings[i], table.cells[i], table.cells[i + 1]
        if crossing.low <= self.low or crossing.high >= self.high:
            if before or after:
                self._cluster(
                    crossing.low, crossing.high, table.word, f"on an end of the path, or closer to it than the precision: {_told(crossing)}"
                )
            return None
        if not (before or after):
            self._virtual(equations, crossing)
            return None
        reason = _unclear(crossing, before, after)
        if all(zero.kind == "gate" for zero in crossing.zeros) and before != after and all(zero.crosses for zero in crossing.zeros):
            for number, event in enumerate(self.events):
                meets = event.low <= crossing.high and crossing.low <= event.high and table.word in event.partners
                if meets and {zero.unit for zero in crossing.zeros} == {event.unit}:
                    return number
        if reason:
            self._cluster(crossing.low, crossing.high, table.word, reason)
            return None
        zero = crossing.zeros[0]
        event = Event(_KINDS[zero.kind], crossing.low, crossing.high, table.word)
        if zero.kind == "gate":
            met = tuple(partner for partner, _ in self.partners.of(table.word, crossing))
            event = replace(event, unit=zero.unit, time=zero.time, partners=met)
        self.events.append(event)
        return len(self.events) - 1

    def _matters(self, equations: WordEquations, table: Followed, zero: Zero, *, told: bool) -> bool:
        """Say whether something that vanishes for every mu could hide an event."""
        if zero.kind == "one":
            return all(equations.is_solvable(self.low + (self.high - self.low) * share) for share in (Fraction(2, 7), Fraction(5, 8)))
        if zero.kind == "pair":
            gaps = [table.gap(i, self.low, self.high) for i, exists in enumerate(table.cells) if exists]
            return any(equations.at(short_between(*gap)).has_complex_pair for gap in gaps)
        return table.exists or (told and zero.kind == "gate")

    def _virtual(self, equations: WordEquations, crossing: Crossing) -> None:
        """Tell of multipliers on the circle while no cycle is there: a pre-activation of the wrong sign, if possible on both sides."""
        sides = [values for values in map(equations.at, (crossing.low, crossing.high)) if values.gates is not None]
        wrong = [values.wrong(equations.word) for values in sides]
        if not wrong or not wrong[0]:
            return
        both = frozenset.intersection(*wrong) or wrong[0]
        time, unit = min(both)
        for zero in crossing.zeros:
            if zero.kind != "gate":
                self.virtual.append(Virtual(_KINDS[zero.kind], crossing.low, crossing.high, equations.word, unit, time))

    def _cluster(self, low: Fraction, high: Fraction, word: Word, reason: str) -> None:
        self.clusters.append(Cluster(max(low, self.low), min(high, self.high), (word,), reason))

    def _cut(self, table: Followed, ends: list[int | None], cut: list[bool]) -> None:
        start: int | None = None  # the first cell of the branch at hand
        for i, exists in enumerate(table.cells):
            if exists and start is None:
                start = i
            if start is not None and (i == len(cut) or cut[i]):
                low, high = table.gap(start, self.low, self.high)[0], table.gap(i, self.low, self.high)[1]
                starts = ends[start - 1] if start else None
                self.branches.append(Branch(table.word, low, high, starts, ends[i] if i < len(cut) else None))
                start = None


def _unclear(crossing: Crossing, before: bool, after: bool) -> str:
    """Return why a crossing next to an existing cycle is none of the typed events; empty where it is one."""
    if len(crossing.zeros) > 1:
        return f"closer together than the precision, or at once: {_told(crossing)}"
    zero = crossing.zeros[0]
    if not zero.crosses:
        return f"touches without crossing: {_told(crossing)}"
    if zero.kind == "one" and before and after:
        return "a multiplier 1 while no pre-activation goes to infinity: a segment of periodic points, or one that no unit sees"
    if (before == after) != (zero.kind in {"minus_one", "pair"}):
        return f"the cycle is not found where it should be on both sides: {_told(crossing)}"
    return ""


def _told(crossing: Crossing) -> str:
    return ", ".join(map(_text, crossing.zeros))


def _text(zero: Zero) -> str:
    plain = {"one": "multiplier 1", "minus_one": "multiplier -1", "pair": "two multipliers of product 1"}
    return plain.get(zero.kind) or f"pre-activation of unit {zero.unit} at time {zero.time}"


def _grouped(clusters: list[Cluster]) -> tuple[Cluster, ...]:
    """Put clusters of one place and one reason together."""
    grouped: dict[tuple[Fraction, Fraction, str], list[Word]] = {}
    for cluster in clusters:
        grouped.setdefault((cluster.low, cluster.high, cluster.reason), []).extend(cluster.itineraries)
    found = [Cluster(low, high, tuple(words), reason) for (low, high, reason), words in grouped.items()]
    return tuple(sorted(found, key=lambda c: (c.low, c.high, c.reason)))
