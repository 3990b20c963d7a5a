"""The two main jobs: ``certify`` a network and list its ``cycles``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from proofs.certificate import Remarks
from proofs.claims import LiYorke
from proofs.errors import Malformed
from proofs.exponents import CyclesInBox
from proofs.network import Network
from verify.answers import Certified, CycleEntry, CycleList, Report
from verify.certification.choose import check_method, why_not
from verify.certification.complete import complete_cycles
from verify.certification.draft import Draft
from verify.certification.files import saved
from verify.certification.find import Effort, certify_all, search
from verify.certification.outcome import Outcome, weight
from verify.certification.scalar import MAX_KNOTS, Wanted, prove_scalar
from verify.certification.scalar_entries import scalar_entries
from verify.certification.smooth_cycles import complete_smooth, no_list
from verify.certification.space import Searches, decide, find_cycles, list_all
from verify.errors import NotFound, Unsupported
from verify.loading import Loaded, describe, load
from verify.rounding import dyadic_below, dyadic_radius

if TYPE_CHECKING:
    from verify.loading import Source

    Subject = Network | Loaded | Source

CLAIMS: tuple[Wanted, ...] = ("auto", "cycles", "chaos", "order")
MAX_PERIOD = 100_000
_RADIUS_QUARTERS = (-400, 80)


def certify(
    source: Subject,
    claim: str = "auto",
    *,
    period: int | None = None,
    radius: Fraction | str | float | None = None,
    max_radius: bool = False,
    model: str | None = None,
    effort: Effort | None = None,
    **meta: object,
) -> Certified | NotFound:
    """Prove what can be proved of a network: its cycles, and chaos or order.

    ``claim``: auto, cycles, chaos or order. ``period``: only cycles of this least period. ``radius``: for all stored weights within it;
    ``max_radius``: for the largest radius, in steps of 2**(1/4), at which the same is still proved.

    **Guarantee:** every claim was accepted by ``proofs.check``; NotFound refutes nothing and says what was tried.
    **Raises:** Malformed, Unsupported.
    **Example**

    >>> tent = {"layers": [{"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"}, {"W": [[2, -4]], "b": [0], "activation": "identity"}]}
    >>> answer = certify(tent, "chaos", model="scalar")
    >>> answer.report.decision, answer.report.sup_radius
    ('chaotic', Fraction(1, 28))
    """
    wanted = next((known for known in CLAIMS if known == claim), None)
    if wanted is None:
        raise Malformed(where="claim", law="known claims", expected=", ".join(CLAIMS), got=str(claim))
    check_period(period)
    loaded = loaded_of(source, model, meta)
    if radius is not None and max_radius:
        raise Malformed(where="radius", law="one radius", expected="radius or max_radius", got="both")
    attempt = _Attempt(loaded, wanted, Searches(loaded, period, effort or Effort()))
    used = dyadic_radius(radius) if radius is not None else None
    outcome = attempt.run(used)
    if max_radius and outcome.claims:
        used, outcome = attempt.widest(outcome)
        if used is None:
            return _missing(loaded, claim, outcome.decision, "; ".join(outcome.undecided), "without --max-radius it is proved")
    return _dressed(loaded, claim, outcome, used)


def cycles(  # noqa: PLR0913 - what is asked for is said by name
    source: Subject,
    up_to: int,
    *,
    complete: bool = False,
    method: str = "auto",
    box: tuple[Fraction, Fraction] | None = None,
    output: str | Path | None = None,
    model: str | None = None,
    effort: Effort | None = None,
    **meta: object,
) -> CycleList:
    """Find and certify the cycles of least period at most ``up_to``.

    With ``complete`` the verdict is Proved only if the certificate shows that there are no others on all of R^M (exact piecewise-linear
    networks; smooth ones with a bounded F), or, of a smooth network with a ``box``, in that. ``method``: words (one tree over itineraries),
    cyclic (one tree a period) or auto. ``box``: only cycles all of whose points lie in [low, high]^M. ``output``: write the
    certificate there; a search for completeness of a piecewise-linear network that was cut short is resumed from the file beside it.

    **Guarantee:** every listed cycle was accepted by ``proofs.check``, by itself or (its note says so) as one of a checked count.
    **Raises:** Malformed, Unsupported.
    **Example**

    >>> lozi = {"A": [["17/10", 1], ["1/2", 0]], "W": [["-17/5", 0], [0, 0]], "h": [1, 0]}
    >>> cycles(lozi, 4, model="plrnn").cycles_by_least_period
    {1: 2, 2: 1, 4: 1}
    >>> answer = cycles(lozi, 6, complete=True, model="plrnn")
    >>> answer.complete, answer.claims[0].statement()
    (True, 'These are ALL cycles of F on R^M with least period at most 6: 2 of period 1, 1 of period 2, 1 of period 4, 4 of period 6')
    """
    check_period(up_to)
    if box is not None and box[0] > box[1]:
        raise Malformed(where="box", law="LO <= HI", expected="the lower bound first", got=f"{box[0]} {box[1]}")
    loaded, effort = loaded_of(source, model, meta), effort or Effort()
    place = None if output is None else Path(output)
    network = loaded.network
    check_method(method)
    if complete and network.dimension > 1 and not why_not(network, up_to):
        answer = complete_cycles(loaded, up_to, effort, method=method, output=place)
    elif complete and not network.is_piecewise_linear and not no_list(network, up_to, box):
        answer = complete_smooth(loaded, up_to, effort, box)
    else:
        answer = _searched(loaded, up_to, effort, complete=complete)
    answer = answer if box is None or answer.box is not None else _within(answer, box)
    return answer if answer.path is not None else saved(answer, place)


def _searched(loaded: Loaded, up_to: int, effort: Effort, *, complete: bool) -> CycleList:
    """List what a heuristic search finds; on a line all cycles, from the exact pieces of F^k."""
    start, network = monotonic(), loaded.network
    draft = Draft(network, _remarks(loaded))
    exact_line = network.dimension == 1 and network.is_piecewise_linear
    listed_to = 0
    if exact_line:
        report = prove_scalar(
            draft, claim="cycles", period=up_to, max_knots=MAX_KNOTS, budget_seconds=effort.search_seconds, progress=effort.progress
        )
        listing = scalar_entries(network, report.claims)
        entries, claims, residual, is_complete = listing.entries, list(report.claims), listing.residual, listing.up_to >= up_to
        listed_to = listing.up_to
        unresolved = tuple(report.undecided)
        spent: dict[str, object] = {"seconds": round(monotonic() - start, 3)}
    if listed_to == 0:
        found = search(network, up_to, None, effort)
        harvest = certify_all(draft, network, found, effort)
        entries, claims, residual, is_complete = harvest.entries, harvest.claims, (), False
        unresolved, spent = tuple(harvest.unresolved), harvest.spent
    certificate = draft.finish(claims)[0] if claims else None
    proved = bool(claims) and (is_complete if complete else bool(entries))
    if complete and not is_complete and not exact_line:
        why = why_not(network, up_to) if network.is_piecewise_linear else no_list(network, up_to, None)
        unresolved = (*unresolved, f"completeness: {why}")
    return CycleList(
        "Proved" if proved else "NotFound",
        describe(loaded),
        tuple(entries),
        is_complete,
        min(listed_to, up_to),
        up_to,
        residual,
        unresolved,
        {"nodes": 0, **spent},
        tuple(claims),
        certificate,
        steps=len(draft.steps),
    )


def _within(answer: CycleList, box: tuple[Fraction, Fraction]) -> CycleList:
    """Keep the cycles inside a box; a proof of completeness stays one on all of R^M."""
    kept = tuple(entry for entry in answer.cycles if _inside(entry, box))
    verdict = answer.verdict if kept or answer.complete else "NotFound"
    return replace(answer, verdict=verdict, cycles=kept, box=box, outside_box=len(answer.cycles) - len(kept))


def loaded_of(source: Subject, model: str | None, meta: dict[str, object]) -> Loaded:
    """Return the network with what is known of its origin."""
    if isinstance(source, Loaded):
        return source
    if isinstance(source, Network):
        return Loaded(source, "network", "program", (), {}, {})
    return load(source, model, **meta)


def check_period(period: int | None) -> None:
    """Refuse periods that are not from 1 to 100,000. **Raises:** Malformed."""
    if period is not None and (isinstance(period, bool) or not 1 <= period <= MAX_PERIOD):
        raise Malformed(where="period", law="a possible period", expected=f"an integer from 1 to {MAX_PERIOD}", got=str(period))


@dataclass
class _Attempt:
    """One question to one network, asked at several radii; the float searches are run once."""

    loaded: Loaded
    claim: Wanted
    searches: Searches

    @property
    def effort(self) -> Effort:
        return self.searches.effort

    def run(self, radius: Fraction | None) -> Outcome:
        network = self.loaded.network if radius is None else self._widened(radius)
        outcome = Outcome(Draft(network, _remarks(self.loaded)))
        if network.dimension == 1:
            self._line(outcome)
        else:
            decide(outcome, self.claim, self.searches)
        return outcome

    def widest(self, base: Outcome) -> tuple[Fraction | None, Outcome]:
        """Bisect for the largest radius at which as much is proved as at radius ``2**-100``, the least one tried."""
        low, high = _RADIUS_QUARTERS
        if base.decision == "undecided" and not base.cycles:
            base.undecided.append("max-radius: nothing was proved that a radius could spoil")
            return None, base
        self.searches.known = base.decision
        best_radius, best = dyadic_below(low), self.run(dyadic_below(low))
        if not self._as_good(best, base):
            why = "; ".join(best.undecided) or "fewer cycles or multipliers are certain"
            best.undecided = [f"max-radius: not even at radius 2^{low // 4} is as much proved as without: {why}"]
            return None, best
        while high - low > 1:
            middle = (low + high) // 2
            outcome = self.run(dyadic_below(middle))
            if self._as_good(outcome, base):
                low, best_radius, best = middle, dyadic_below(middle), outcome
            else:
                high = middle
            if self.effort.progress is not None:
                self.effort.progress("radius search, steps left", max(1, (high - low).bit_length()), 9)
        return best_radius, self._listed(best_radius, best, base)

    def _listed(self, radius: Fraction, best: Outcome, base: Outcome) -> Outcome:
        """Try for the list of all cycles of a smooth network, if there was one, at the radius found without; say if it falls short."""
        wanted = _listed_to(base)
        if not wanted:
            return best
        self.searches.lists = True
        outcome = self.run(radius)
        reached = _listed_to(outcome) if self._as_good(outcome, base) else 0
        best = outcome if reached else best
        if reached < wanted:
            here = f"up to period {reached} only" if reached else "not"
            best.undecided.append(
                f"max-radius: all cycles (A4b) are listed up to period {wanted} without a radius, {here} at this one, which is the largest "
                "for the other claims; a smaller --radius may do"
            )
        return best

    def _widened(self, radius: Fraction) -> Network:
        if self.loaded.model == "program":
            law = "radius on stored parameters"
            raise Unsupported(where="radius", law=law, expected="a network loaded from a family's parameters", got="a bare program")
        return self.loaded.with_radius(radius)

    def _line(self, outcome: Outcome) -> None:
        report = prove_scalar(
            outcome.draft,
            claim=self.claim,
            period=self.searches.period,
            max_knots=MAX_KNOTS,
            budget_seconds=self.effort.search_seconds,
            progress=self.effort.progress,
        )
        outcome.decision, outcome.entropy, outcome.outside = report.decision, report.entropy, report.outside
        outcome.claims, outcome.undecided = list(report.claims), list(report.undecided)
        outcome.cycles = list(scalar_entries(outcome.draft.network, report.claims).entries)
        if self.claim == "auto" and not self.searches.known and not outcome.draft.network.is_piecewise_linear:
            list_all(outcome, self.searches)
        if not outcome.cycles and (self.claim == "cycles" or (self.claim == "auto" and outcome.decision == "undecided")):
            find_cycles(outcome, self.searches, complete=False)

    def _as_good(self, outcome: Outcome, base: Outcome) -> bool:
        """Say whether the same decision is proved, by cards that allow a radius, and, where it is not chaos, as many cycles.

        Of a line's cycles the decision says enough, unless they were what was asked for.
        """
        if self.claim == "cycles":
            return bool(outcome.cycles) and outcome.settled >= base.settled
        by_cycles = base.decision != "chaotic" and base.draft.network.dimension > 1
        return bool(outcome.claims) and outcome.decision == base.decision and outcome.settled >= (base.settled if by_cycles else 0)


def _listed_to(outcome: Outcome) -> int:
    """Return up to which period all cycles of a smooth network are listed, 0 if they are not."""
    return max((claim.up_to for claim in outcome.claims if isinstance(claim, CyclesInBox)), default=0)


def _dressed(loaded: Loaded, claim: str, outcome: Outcome, radius: Fraction | None) -> Certified | NotFound:
    if not outcome.answers(claim):
        tried = "; ".join(outcome.undecided) or "nothing applies"
        if outcome.decision != "undecided":
            tried = f"decision {outcome.decision}: {'; '.join(item.statement() for item in outcome.claims)}"
        too_wide = radius is not None and outcome.decision == "undecided"
        remedy = "a smaller --radius, or none" if too_wide else _SATURATED if outcome.saturated else _REMEDIES[claim]
        return _missing(loaded, claim, outcome.decision, tried, remedy)
    certificate, proved = outcome.draft.finish(sorted(outcome.claims, key=weight))
    sup = next((item.sup_radius for item in outcome.claims if isinstance(item, LiYorke)), None)
    report = Report(
        "Proved",
        describe(replace(loaded, network=outcome.draft.network)),
        outcome.decision,
        tuple(outcome.undecided),
        outcome.entropy,
        radius,
        sup,
        outcome.outside,
        tuple(outcome.cycles),
        proved.theorems,
        tuple(outcome.draft.theorem_of(item) for item in certificate.claims),
        outcome.searched_to,
        notes=tuple(outcome.notes),
    )
    return Certified(certificate.network, certificate.claims, certificate.steps, certificate.remarks, report=report)


def _missing(loaded: Loaded, claim: str, decision: str, tried: str, remedy: str) -> NotFound:
    missing = NotFound(where=loaded.name, law=f"certify --claim {claim}", expected="a proof", got=tried, remedy=remedy)
    missing.decision = decision
    return missing


_SATURATED = "the search had stopped by itself, nothing new coming: another --seed, or a --period above 4"
_REMEDIES = {
    "auto": "a larger --budget lets the search go further",
    "cycles": "a larger --budget, another --seed or another --period",
    "chaos": "--claim auto says what can be proved instead",
    "order": "--claim auto says what can be proved instead",
}


def _remarks(loaded: Loaded) -> Remarks:
    return Remarks(loaded.name, loaded.model, loaded.assumptions)


def _inside(entry: CycleEntry, box: tuple[Fraction, Fraction]) -> bool:
    return all(box[0] <= x.lo and x.hi <= box[1] for point in entry.points for x in point)
