"""Every cycle followed along a path of networks: typed events with enclosures, branches with their stability, each a theorem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path as FilePath
from time import monotonic
from typing import TYPE_CHECKING

from proofs.certificate import Remarks
from proofs.errors import Malformed
from verify.certification.bifurcation_results import Bifurcations, Certification, ProvedBranch, ProvedEvent, Undecided
from verify.certification.draft import Draft
from verify.certification.files import write_lines
from verify.certification.path_events import certify_events
from verify.errors import Unsupported
from verify.paths import Path
from verify.search.cycles import find_cycles

if TYPE_CHECKING:
    from proofs.claims import Claim
    from proofs.network import Network
    from verify.events import Word

    Progress = Callable[[str, int, int], None]

__all__ = ["Bifurcations", "Certification", "ProvedBranch", "ProvedEvent", "Undecided", "bifurcations", "certify_events"]

MOST_PERIOD = 100
SAMPLES = 9
_LEAST_BUDGET = 1.0
_SHARE = 0.5  # of the time for the census, spent on looking for cycles at single networks
NOT_ASKED = "not proved complete: cycles are searched for at single networks and followed; --complete with --box asks for the proof"
SMOOTH = "not proved complete: folds and flips are searched for from single starts, and smooth paths have no proof of completeness"


def bifurcations(  # noqa: PLR0913 - what is asked for is said by name
    path: Path,
    *,
    up_to: int = 4,
    box: tuple[Fraction, Fraction] | None = None,
    complete: bool = False,
    samples: int = SAMPLES,
    budget: float = 60.0,
    seed: int = 0,
    output: str | FilePath | None = None,
    progress: Progress | None = None,
) -> Bifurcations:
    """Find and certify the events of all cycles of least period at most ``up_to`` along a path.

    Piecewise-linear paths: border collisions, escapes to infinity, flips and complex pairs. Smooth paths (no relu): folds and flips.

    **Guarantee:** every event, branch and absence was accepted by ``proofs.check``; virtual events, clusters and closed forms are not
    kernel-checked. The same seed gives the same answer unless the budget runs out.
    **Raises:** Malformed, Unsupported.
    **Example**

    >>> from verify.loading import load
    >>> from verify.paths import vary
    >>> tent = load({"A": ["1/5"], "W": [["-3"]], "h": [1]}, "plrnn")
    >>> answer = bifurcations(vary(tent, "W[0,0]=-3:9/5"), up_to=1, budget=5)
    >>> [(event.kind, event.closed_form, event.side) for event in answer.events]
    [('flip', '-6/5', None), ('to_infinity', '4/5', 'before')]
    >>> [branch.label for branch in answer.branches]
    ['repelling', 'stable']
    """
    _check(up_to, box, complete=complete)
    if complete and not path.is_piecewise_linear:
        law = "piecewise-linear networks"
        raise Unsupported(where="completeness along a path", law=law, expected="affine and relu only", got="a smooth operation")
    start = monotonic()
    draft = Draft(path.start, Remarks(path.name, path.model, path.assumptions))
    found = _certified(draft, path, up_to, (budget, seed, samples), progress)
    not_asked = NOT_ASKED if path.is_piecewise_linear else SMOOTH
    reason, claims = (not_asked, found.claims) if not complete or box is None else _completed(draft, path, found, up_to, box, budget)
    found = replace(found, claims=claims)
    certificate = draft.finish(found.claims)[0] if found.claims else None
    if certificate is not None and output is not None:
        write_lines(FilePath(output), certificate.lines())
    proved = not reason if complete else bool(found.events or found.branches)
    spent = {"seconds": round(monotonic() - start, 3), "steps": len(draft.steps)}
    saved_as = str(output) if certificate is not None and output is not None else None
    verdict = "Proved" if proved else "NotFound"
    return Bifurcations(verdict, _about(path), _range(path), up_to, found, not reason, reason, box, spent, certificate, saved_as)


def cycle_words(up_to: int, seconds: float, seed: int) -> Callable[[Network], list[Word]]:
    """Return a search for the itineraries of the cycles of one network. **Guarantee:** heuristic."""

    def find(network: Network) -> list[Word]:
        found = find_cycles(network, up_to, budget_seconds=seconds, seed=seed)
        words = [candidate.itinerary for candidate in found.candidates] + [item.itinerary for item in found.unresolved]
        return [word for word in words if word]

    return find


def _certified(draft: Draft, path: Path, up_to: int, effort: tuple[float, int, int], progress: Progress | None) -> Certification:
    from verify.certification.closed_events import with_closed_forms
    from verify.search.bifurcation import census

    if not path.is_piecewise_linear:
        from verify.certification.smooth_events import certify_folds

        return certify_folds(draft, path, up_to, effort[0], effort[1], progress)
    budget, seed, samples = effort
    find = cycle_words(up_to, max(_SHARE * budget / samples, _LEAST_BUDGET / samples), seed)
    found = census(path, find=find, up_to=up_to, samples=samples, budget=budget, seed=seed, progress=progress)
    deadline = monotonic() + max(budget, _LEAST_BUDGET)
    return with_closed_forms(path, certify_events(draft, path, found, goes_on=lambda: monotonic() < deadline, progress=progress))


def _completed(
    draft: Draft, path: Path, found: Certification, up_to: int, box: tuple[Fraction, Fraction], budget: float
) -> tuple[str, tuple[Claim, ...]]:
    from verify.certification.path_completeness import completed

    return completed(draft, path, found, up_to, box, budget)


def _check(up_to: int, box: tuple[Fraction, Fraction] | None, *, complete: bool) -> None:
    if isinstance(up_to, bool) or not 1 <= up_to <= MOST_PERIOD:
        raise Malformed(where="period", law="a possible period", expected=f"an integer from 1 to {MOST_PERIOD}", got=str(up_to))
    if box is not None and box[0] >= box[1]:
        raise Malformed(where="box", law="LO < HI", expected="the lower bound first", got=f"{box[0]} {box[1]}")
    if complete and box is None:
        law = "completeness along a path is proved inside a bounded box"
        raise Malformed(where="--complete", law=law, expected="--box LO HI beside it", got="none")


def _about(path: Path) -> dict[str, object]:
    return {
        "digest": path.start.digest,
        "name": path.name,
        "model": path.model,
        "dimension": path.start.dimension,
        "hinges": path.start.hinges if path.is_piecewise_linear else 0,
        "assumptions": list(path.assumptions),
    }


def _range(path: Path) -> dict[str, object]:
    return {"parameter": path.label, "low": str(path.low), "high": str(path.high), "end_digest": path.end.digest}
