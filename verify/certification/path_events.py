"""A census of branches and events along a path becomes claims: events first, then what exists between them, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.certification.bifurcation_results import Certification, ProvedBranch, ProvedEvent, Undecided
from verify.certification.covers import Gap, without
from verify.certification.path_prover import PathProver, free_room
from verify.events import Census, Cluster, Event, Virtual, Word
from verify.itineraries import rotated

if TYPE_CHECKING:
    from proofs.claims import Claim
    from verify.certification.draft import Draft
    from verify.paths import Path

    Range = tuple[Fraction, Fraction]
    Progress = Callable[[str, int, int], None]

_BESIDE = Fraction(1, 2**12)  # of the path
_HOLE = Fraction(1, 2**20)  # of the path, around a multiplier 1 of a virtual cycle: no card covers it
VIRTUAL = "its multiplier 1 there, virtual on both sides in exact arithmetic, was not accepted by the checker"
NO_STABILITY = "no quadratic forms were accepted: an event is unresolved here, the cells would be too many, or the time ran out"
NEVER = "never"
_ESCAPES = {"multiplier_one", "to_infinity"}


def certify_events(
    draft: Draft,
    path: Path,
    census: Census,
    *,
    goes_on: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    absences: bool = True,
    line: int = 0,
) -> Certification:
    """Offer every event and branch of a census to the kernel.

    ``draft`` is about ``path.start``; ``line`` is the number of the step ``path`` in it, if there is one.

    ``absences``: prove that these cycles do not exist elsewhere on the path. ``goes_on`` may end the work early.

    **Guarantee:** events, branches and absences are claims of the draft; what the kernel rejected is among the clusters or the undecided
    ranges, with the reason.
    """
    work = _Work(PathProver(draft, path, goes_on, line), census, progress)
    work.prove_events()
    work.prove_branches()
    if absences:
        work.prove_absences()
    return work.result()


@dataclass
class _Work:
    """One census being certified."""

    prover: PathProver
    census: Census
    progress: Progress | None
    events: list[ProvedEvent] = field(default_factory=list)
    branches: list[ProvedBranch] = field(default_factory=list)
    absent: list[ProvedBranch] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    barred: list[ProvedEvent] = field(default_factory=list)
    unbarred: list[tuple[Virtual, str]] = field(default_factory=list)
    done: int = 0

    @property
    def ends(self) -> Range:
        return self.prover.path.low, self.prover.path.high

    @property
    def words(self) -> list[Word]:
        """Return every itinerary that has a branch or an event, the shortest first."""
        found = {branch.itinerary for branch in self.census.branches}
        found |= {word for event in self.census.events for word in _words(event)}
        return sorted(found, key=lambda word: (len(word), word))

    def prove_events(self) -> None:
        self.clusters = list(self.census.clusters)
        for event in _distinct(self.census.events):
            proved = self.prover.event(event, free_room(event, list(self._others(event)), self.ends))
            if isinstance(proved, str):
                self.clusters.append(Cluster(event.low, event.high, tuple(sorted(_words(event))), f"{event.kind}: {proved}"))
            else:
                (self.barred if proved.side == NEVER else self.events).append(proved)
            self._tell()

    def bar_virtual(self) -> None:
        """Prove that no cycle follows an itinerary where it has a multiplier 1 and is virtual on both sides."""
        for item in self.census.virtual:
            if item.kind not in _ESCAPES:
                continue
            event = Event("to_infinity", item.low, item.high, item.itinerary)
            proved = self.prover.event(event, free_room(event, list(self._others(event)), self.ends))
            if isinstance(proved, str):
                self.unbarred.append((item, proved))
            elif proved.side == NEVER:
                self.barred.append(proved)

    def prove_branches(self) -> None:
        """Prove existence everywhere first, with stability where that is cheap; then stability as far as the time allows."""
        for branch in self.census.branches:
            for low, high in without(branch.low, branch.high, self._zones(branch.itinerary)):
                self._prove_branch(branch.itinerary, low, high)
            self._tell()
        for bare in [branch for branch in self.branches if branch.label is None]:
            near = self._unresolved(bare.itinerary)
            for low, high in without(bare.low, bare.high, near):
                self.branches += self.prover.stable(bare.itinerary, low, high)

    def _prove_branch(self, word: Word, low: Fraction, high: Fraction) -> None:
        """Cover one range; beside what is unresolved, where stability would take ever smaller cells, by existence alone."""
        near = self._unresolved(word)
        plain = [part for left, right in near for part in without(max(left, low), min(right, high), []) if part[0] < part[1]]
        parts = [(part, True) for part in without(low, high, near)] + [(part, False) for part in plain]
        for part, stability in parts:
            found, missing = self.prover.exists(word, *part, stability=stability)
            self.branches += found
            self._leave(word, missing, "existence")

    def _unresolved(self, word: Word) -> list[Range]:
        reach = _BESIDE * (self.ends[1] - self.ends[0])
        return [(item.low - reach, item.high + reach) for item in self.clusters if word in item.itineraries]

    def _without_repeats(self) -> list[ProvedBranch]:
        """Cut from branches without stability what others show with it; what is left of them is undecided."""
        kept = [branch for branch in self.branches if branch.label is not None]
        for bare in [branch for branch in self.branches if branch.label is None]:
            settled = [(other.low, other.high) for other in kept if other.itinerary == bare.itinerary and other.label is not None]
            for low, high in without(bare.low, bare.high, settled):
                kept.append(replace(bare, low=low, high=high))
                self._leave(bare.itinerary, [Gap(low, high, NO_STABILITY)], "stability")
        return kept

    def prove_absences(self) -> None:
        self.bar_virtual()
        for word in self.words:
            holes = self._zones(word) + [(branch.low, branch.high) for branch in self.census.branches if branch.itinerary == word]
            holes += [(cluster.low, cluster.high) for cluster in self.census.clusters if word in cluster.itineraries]
            virtual = [hole for hole, _ in self._virtual_holes(word)]
            for low, high in without(*self.ends, holes + virtual):
                found, gaps = self.prover.absent(word, low, high)
                self.absent += found
                self._leave(word, gaps, "absence")
            self._leave(word, [Gap(*hole, reason) for hole, reason in self._virtual_holes(word)], "absence")
            self._tell()

    def result(self) -> Certification:
        """Put everything in order, with what exists beside each event."""
        self.branches = self._without_repeats()
        self.events.sort(key=lambda event: (event.low, event.period, event.itinerary))
        for parts in (self.branches, self.absent):
            parts.sort(key=lambda branch: (branch.period, branch.itinerary, branch.low))
        claims: list[Claim] = list(self.prover.draft.facts[self.prover.line :])
        return Certification(
            tuple(with_neighbours(event, self.branches) for event in self.events),
            tuple(self.branches),
            tuple(self.absent),
            tuple(sorted(self.census.virtual, key=lambda item: item.low)),
            tuple(self.barred),
            tuple(sorted(self.clusters, key=lambda item: item.low)),
            tuple(self.undecided),
            tuple(claims),
            self.census.notes,
        )

    def _others(self, event: Event) -> Iterator[Range]:
        """Yield the intervals of everything else that happens to the same itineraries."""
        mine = _words(event)
        for other in self.census.events:
            if other is not event and mine & _words(other):
                yield other.low, other.high
        for cluster in self.census.clusters:
            if mine & set(cluster.itineraries):
                yield cluster.low, cluster.high
        for item in self.census.virtual:
            if item.itinerary in mine:
                yield item.low, item.high

    def _zones(self, word: Word) -> list[Range]:
        return [event.reach for event in (*self.events, *self.barred) if word in event.words]

    def _virtual_holes(self, word: Word) -> Iterator[tuple[Range, str]]:
        reach = _HOLE * (self.ends[1] - self.ends[0])
        for item, reason in self.unbarred:
            if item.itinerary == word:
                yield (max(item.low - reach, self.ends[0]), min(item.high + reach, self.ends[1])), f"{VIRTUAL}: {reason}"

    def _leave(self, word: Word, gaps: list[Gap], what: str) -> None:
        self.undecided += [Undecided(word, gap.low, gap.high, what, gap.reason) for gap in gaps]

    def _tell(self) -> None:
        self.done += 1
        if self.progress is not None:
            total = len(self.census.events) + len(self.census.branches) + len(self.words)
            self.progress("events and branches offered to the checker", self.done, total)


def with_neighbours(event: ProvedEvent, branches: list[ProvedBranch]) -> ProvedEvent:
    """Return the event with the cycles that exist on either side, and the stability that was proved of them there."""
    sides = list(zip(event.words, (event.side, *(side for _, side in event.partners)), strict=True))
    before = tuple((word, _label(branches, word, event.reach[0], before=True)) for word, side in sides if side in {"before", None})
    after = tuple((word, _label(branches, word, event.reach[1], before=False)) for word, side in sides if side in {"after", None})
    return replace(event, before=before, after=after)


def _label(branches: list[ProvedBranch], word: Word, end: Fraction, *, before: bool) -> str | None:
    """Return the stability of the branch that ends, or begins, where the event's range begins, or ends."""
    for branch in branches:
        if branch.itinerary == word and branch.low <= end <= branch.high and end != (branch.low if before else branch.high):
            return branch.label
    return None


def _words(event: Event) -> set[Word]:
    return {rotated(word) for word in (event.itinerary, *event.partners)}


def _distinct(events: tuple[Event, ...]) -> list[Event]:
    """Leave out a collision that another one, at the same place and of the same itineraries, tells already."""
    kept: list[Event] = []
    for event in events:
        words = _words(event)
        twins = (other for other in kept if other.kind == event.kind == "border_collision" and event.low < other.high)
        if not any(other.low < event.high and _words(other) == words for other in twins):
            kept.append(event)
    return kept


def reason_of(item: Virtual) -> str:
    """Say why nothing happens at a virtual event."""
    return f"unit {item.unit} at time {item.time} has the wrong sign"
