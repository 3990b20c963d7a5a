"""The heuristic search of ``verify.search.cycles`` followed by proof: found, certified, entered in the answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.functions import log
from verify.answers import CycleEntry
from verify.candidates import Candidate, Found, Unresolved
from verify.certification.cycles import CertifiedCycle, CycleProver
from verify.errors import NotFound
from verify.itineraries import rotated
from verify.pools import brief_pool
from verify.search.cycles import find_cycles

if TYPE_CHECKING:
    from proofs.claims import Claim, MultiplierModuli
    from proofs.network import Network
    from verify.certification.draft import Draft

Progress = Callable[[str, int, int], None]
LOG_BITS = 64
_LEAST_BUDGET = 1.0
_SEARCH_SECONDS = 20.0
_SHOWN = 120


@dataclass(frozen=True)
class Effort:
    """How long and how hard to search; without a budget a heuristic search takes 20 seconds, one for completeness what it needs."""

    budget_seconds: float | None = None
    seed: int = 0
    jobs: int = 1
    progress: Progress | None = None

    @property
    def search_seconds(self) -> float:
        """Return the time for a search that has no end of its own."""
        return _SEARCH_SECONDS if self.budget_seconds is None else self.budget_seconds


@dataclass
class Harvest:
    """What came of the candidates."""

    entries: list[CycleEntry] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    spent: dict[str, object] = field(default_factory=dict)


def search(network: Network, up_to: int, period: int | None, effort: Effort) -> Found:
    """Run the finder, once or in ``jobs`` processes with different seeds, and merge what they found by itinerary."""
    run = partial(find_cycles, network, up_to, period=period, budget_seconds=effort.search_seconds)
    if effort.jobs == 1:
        return run(seed=effort.seed, progress=effort.progress)
    results = _in_processes(run, range(effort.seed, effort.seed + effort.jobs))
    candidates: dict[object, Candidate] = {}
    unresolved: dict[object, Unresolved] = {}
    for result in results:
        candidates.update({_key(candidate): candidate for candidate in result.candidates})
        unresolved.update({item.itinerary: item for item in result.unresolved})
    ordered = tuple(sorted(candidates.values(), key=lambda candidate: candidate.period))
    return Found(ordered, tuple(unresolved.values()), results[0].effort, all(result.saturated for result in results))


def certify_all(draft: Draft, center: Network, found: Found, effort: Effort) -> Harvest:
    """Certify every candidate into the draft; itineraries that the search left open are put to the exact solver as well.

    **Cost:** at most about the effort's budget once more; what was then not certified is named in the answer.
    """
    start = monotonic()
    prover, harvest = CycleProver(draft, center), Harvest()
    doubtful = [Candidate(len(item.itinerary), item.itinerary, np.empty((0, center.dimension))) for item in found.unresolved]
    deadline = start + max(effort.search_seconds, _LEAST_BUDGET)
    for done, candidate in enumerate((*found.candidates, *doubtful), 1):
        if monotonic() > deadline:
            left = len(found.candidates) + len(doubtful) - done + 1
            harvest.unresolved.append(f"{left} candidates from period {candidate.period} on were found but not certified: budget over")
            break
        outcome = prover.prove(candidate)
        if isinstance(outcome, CertifiedCycle):
            harvest.entries.append(entry_of(outcome))
            harvest.claims.append(outcome.heading)
            if outcome.moduli is not None:
                harvest.claims.append(outcome.moduli)
        elif outcome is not None:
            harvest.unresolved.append(_unresolved_text(outcome))
        if effort.progress is not None:
            effort.progress("cycles certified", done, len(found.candidates) + len(doubtful))
    harvest.spent = {
        "seconds": round(found.effort.seconds + monotonic() - start, 3),
        "search_seconds": round(found.effort.seconds, 3),
        "newton_steps": found.effort.newton_steps,
        "starts": found.effort.starts,
        "saturated": found.saturated,
    }
    return harvest


def entry_of(cycle: CertifiedCycle) -> CycleEntry:
    """Return a certified cycle as the answers show it."""
    stability = cycle.stability
    return CycleEntry(
        period=cycle.period,
        itinerary=cycle.itinerary,
        points=cycle.points,
        multipliers=cycle.multipliers,
        inside=None if stability is None else stability.inside,
        outside=None if stability is None else stability.outside,
        label=None if stability is None else stability.label,
        margin=cycle.margin,
        signs=cycle.signs,
        note=cycle.note,
        statement=cycle.heading.statement(),
        exponent=_largest_exponent(cycle.moduli),
    )


def _largest_exponent(moduli: MultiplierModuli | None) -> tuple[Fraction, Fraction] | None:
    """Return what A3b says of the largest exponent: between the last rate that misses some multipliers and the first that has them all."""
    if moduli is None:
        return None
    total = len(moduli.cycle.points[0])
    below = [rate for rate, count in zip(moduli.rates, moduli.counts, strict=True) if count < total]
    above = [rate for rate, count in zip(moduli.rates, moduli.counts, strict=True) if count == total]
    return (log(below[-1], LOG_BITS).lo, log(above[0], LOG_BITS).hi) if below and above else None


def _in_processes(run: Callable[..., Found], seeds: range) -> list[Found]:
    """Run one search a seed, each in its own process; an interrupt ends them all at once. **Raises:** NotFound: one of them died."""
    try:
        with brief_pool(len(seeds)) as pool:
            return list(pool.map(_seeded, [run] * len(seeds), seeds))
    except BrokenProcessPool as failure:
        law, expected, remedy = "every search ends by itself", "memory enough for each process", "fewer of them, with --jobs"
        raise NotFound(where="workers", law=law, expected=expected, got="a process that died", remedy=remedy) from failure


def _seeded(run: Callable[..., Found], seed: int) -> Found:
    return run(seed=seed)


def _key(candidate: Candidate) -> object:
    return rotated(candidate.itinerary) if candidate.itinerary is not None else candidate.points.tobytes()


def _unresolved_text(item: Unresolved) -> str:
    word = " ".join(item.itinerary)
    shown = word if len(word) <= _SHOWN else f"{word[:_SHOWN]}... ({len(item.itinerary)} patterns)"
    return f"period {len(item.itinerary)}, itinerary {shown}: {item.reason}" if item.itinerary else item.reason
