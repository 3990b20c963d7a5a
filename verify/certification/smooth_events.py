"""Folds and flips along a path of smooth networks: candidates of a float search, each offered to card ``smooth_fold``."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.errors import OrbitproofError
from proofs.parameters import SmoothFold
from verify.certification.bifurcation_results import Certification, ProvedEvent
from verify.certification.draft import in_short
from verify.certification.fold_steps import fold_witness
from verify.events import Cluster
from verify.search.folds import FoldCandidate, find_folds

if TYPE_CHECKING:
    from verify.certification.draft import Draft
    from verify.events import EventType
    from verify.paths import Path

_BITS = 96
_WIDTH = Fraction(1, 10**9)
BRANCHES = "smooth path: folds and flips are proved one by one; the branches between them are followed in floats only"


def certify_folds(
    draft: Draft, path: Path, up_to: int, budget: float, seed: int, progress: Callable[[str, int, int], None] | None = None
) -> Certification:
    """Find folds and flips of the cycles of least period at most ``up_to`` and offer each to the kernel.

    **Guarantee:** the events are claims of the draft; what the kernel rejected is a cluster with the reason. **Raises:** Unsupported for
    programs with relu beside smooth operations.
    """
    candidates = find_folds(path, up_to=up_to, budget=budget, seed=seed)
    line = draft.add("path", path.witness())[0]
    events: list[ProvedEvent] = []
    clusters: list[Cluster] = []
    for done, candidate in enumerate(candidates, 1):
        found = _proved(draft, path, line, candidate)
        if isinstance(found, str):
            around = Fraction(candidate.mu)
            clusters.append(Cluster(around - _WIDTH, around + _WIDTH, (), f"{candidate.kind} of a {candidate.period}-cycle: {found}"))
        else:
            events.append(found)
        if progress is not None:
            progress("folds and flips offered to the checker", done, len(candidates))
    claims = tuple(event.claim for event in events)
    return Certification(tuple(events), (), (), (), (), tuple(clusters), (), claims, (BRANCHES,))


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
