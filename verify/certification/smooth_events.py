"""Folds and flips along a path of smooth networks (card ``smooth_fold``) and the branches of cycles between them (card ``exists_on``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

from proofs.errors import OrbitproofError
from proofs.parameters import SmoothFold
from verify.certification.bifurcation_results import Certification, ProvedBranch, ProvedEvent, Undecided
from verify.certification.draft import in_short
from verify.certification.fold_steps import fold_witness
from verify.certification.smooth_arcs import Arc, arcs_of
from verify.certification.smooth_branches import ArcProver
from verify.events import Cluster
from verify.search.folds import FoldCandidate, follow, same_cycle

if TYPE_CHECKING:
    from verify.certification.draft import Draft
    from verify.events import EventType, Word
    from verify.paths import Path

_BITS = 96
_WIDTH = Fraction(1, 10**9)
_SHARE = 0.5  # of the time, for the search
_BESIDE = Fraction(1, 1 << 12)  # of the path: farther from an event, a branch does not say what lies beside it
BRANCHES = "smooth path: branches are followed from single starts; others may exist"
LOST = "the branch could not be followed further"


def certify_folds(
    draft: Draft, path: Path, up_to: int, budget: float, seed: int, progress: Callable[[str, int, int], None] | None = None
) -> Certification:
    """Find folds and flips of the cycles of least period at most ``up_to``, and the branches; offer all to the kernel.

    **Guarantee:** events and branches are claims of the draft; what the kernel rejected is a cluster or undecided, with the reason.
    **Raises:** Unsupported for programs with relu beside smooth operations.
    """
    deadline = monotonic() + budget
    candidates, curves = follow(path, up_to=up_to, budget=_SHARE * budget, seed=seed)
    line = draft.add("path", path.witness())[0]
    proved: list[tuple[FoldCandidate, ProvedEvent]] = []
    clusters: list[Cluster] = []
    for done, candidate in enumerate(candidates, 1):
        found = _proved(draft, path, line, candidate)
        if isinstance(found, str):
            around = Fraction(candidate.mu)
            clusters.append(Cluster(around - _WIDTH, around + _WIDTH, (), f"{candidate.kind} of a {candidate.period}-cycle: {found}"))
        else:
            proved.append((candidate, found))
        if progress is not None:
            progress("folds and flips offered to the checker", done, len(candidates))
    covered: list[tuple[Arc, list[ProvedBranch]]] = []
    undecided: list[Undecided] = []
    arcs = arcs_of(path, curves, candidates)
    for done, arc in enumerate(arcs, 1):
        until = monotonic() + max(deadline - monotonic(), 0.0) / (len(arcs) - done + 1)
        branches, left = ArcProver(draft, path, line, until).arc(arc, *_range(arc, proved))
        covered.append((arc, branches))
        undecided += left
        clusters += _lost(path, arc)
        if progress is not None:
            progress("branches offered to the checker", done, len(arcs))
    events = tuple(_with_sides(path, *pair, covered) for pair in proved)
    every = tuple(branch for _, branches in covered for branch in branches)
    claims = (*(event.claim for event in events), *(branch.claim for branch in every))
    return Certification(events, every, (), (), (), tuple(clusters), tuple(undecided), claims, (BRANCHES,))


def _range(arc: Arc, proved: list[tuple[FoldCandidate, ProvedEvent]]) -> tuple[Fraction, Fraction]:
    """Return the part of an arc that lies outside the enclosures of the events at its ends."""
    low, high = arc.low, arc.high
    for candidate, event in proved:
        low = max(low, event.high) if candidate is arc.ends[0] else low
        high = min(high, event.low) if candidate is arc.ends[1] else high
    return low, high


def _lost(path: Path, arc: Arc) -> list[Cluster]:
    """Name the ends of an arc that are neither events nor ends of the path."""
    found = []
    for mu, event, end, step in ((arc.low, arc.ends[0], path.low, -1), (arc.high, arc.ends[1], path.high, 1)):
        if event is None and mu != end:
            beyond = mu + step * min(_BESIDE * (path.high - path.low), abs(end - mu))
            found.append(Cluster(min(mu, beyond), max(mu, beyond), (), LOST))
    return found


def _with_sides(path: Path, candidate: FoldCandidate, event: ProvedEvent, covered: list[tuple[Arc, list[ProvedBranch]]]) -> ProvedEvent:
    """Say which proved branches end at an event, or run through it, on either side, each with its label."""
    before: list[tuple[Word, str | None]] = []
    after: list[tuple[Word, str | None]] = []
    reach = _BESIDE * (path.high - path.low)
    for arc, branches in covered:
        if not _meets(arc, candidate):
            continue
        left = max((branch for branch in branches if event.low - reach <= branch.high <= event.low), key=lambda b: b.high, default=None)
        right = min((branch for branch in branches if event.high <= branch.low <= event.high + reach), key=lambda b: b.low, default=None)
        word = ("",) * arc.period  # a network without hinges has the empty pattern
        before += [(word, left.label)] if left else []
        after += [(word, right.label)] if right else []
    return replace(event, before=tuple(before), after=tuple(after))


def _meets(arc: Arc, candidate: FoldCandidate) -> bool:
    """Say whether an arc ends at a fold or runs through a flip."""
    if candidate in arc.ends:
        return True
    mu = Fraction(candidate.mu)
    through = candidate.twist < 0 and arc.period == candidate.period and arc.low < mu < arc.high
    points = arc.at(mu) if through else None
    return points is not None and same_cycle(points, candidate.points)


def _proved(draft: Draft, path: Path, line: int, candidate: FoldCandidate) -> ProvedEvent | str:
    try:
        _, claim = draft.add("smooth_fold", fold_witness(path, candidate, _BITS), [line])
    except OrbitproofError as failure:
        return in_short(failure)
    if not isinstance(claim, SmoothFold):
        raise TypeError(claim)
    kind: EventType = "fold" if claim.twist > 0 else "flip"
    reach = claim.low, claim.high
    return ProvedEvent(kind, *reach, reach, (), len(claim.points), None, None, claim.side, (), "smooth_fold", claim)
