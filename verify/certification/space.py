"""The main job in more than one dimension: order, cycles, chaos, entropy and exponents, each as far as its cards reach."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from proofs.claims import OnePoint
from proofs.exponents import BoxContraction
from proofs.functions import log
from proofs.space import CoveringGraph, Trapping
from verify.candidates import Candidate
from verify.center import without_radius
from verify.certification.choose import why_not
from verify.certification.complete import complete_cycles
from verify.certification.draft import Draft
from verify.certification.exponents import prove_exponents
from verify.certification.find import LOG_BITS, certify_all, search
from verify.certification.horseshoe import prove_horseshoe
from verify.certification.order import prove_contraction, prove_order
from verify.certification.outcome import Outcome
from verify.certification.robust import boxes_of, corners, is_robust
from verify.certification.smooth_cycles import claims_of, entries_of, no_list, prove_all_cycles
from verify.certification.snapback import prove_snap_back
from verify.numerics.box_trees import candidate_boxes
from verify.numerics.strip_radius import surviving
from verify.search.entropy_graph import find_entropy_graph
from verify.search.horseshoe import find_horseshoe
from verify.search.recurrence import find_recurrence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from proofs.claims import Claim
    from verify.answers import CycleEntry
    from verify.candidates import Covering, Found
    from verify.certification.find import Effort
    from verify.loading import Loaded
    from verify.search.horseshoe import Horseshoe
    from verify.search.recurrence import Recurrence

DEFAULT_UP_TO = 4
_COMPLETE_SECONDS = 3.0
_MOST_SMOOTH = 6  # states of a smooth network, for all its cycles
_QUICK_ORDER_SECONDS = 2.0
_MOST_COMPLETE_STEPS = 2_000
_TRANSIENT_SHARE = 0.25  # of the budget, for chaos off the attractors
_FEW_BOXES = 2  # of a graph made to prove chaos, not to raise the entropy
_MOST_CORNERED = 4  # states: so many corners of boxes go into a trapping region
_OVERSHOOTS, _STURDY_SECONDS, _STURDY_PATHS = (0.3, 0.2, 0.5), 3.0, 300
_SHARE = 0.5  # of the budget, for each stage but the last resort


@dataclass
class Searches:
    """What float searches found for the network without a radius: made once, proved again at every radius.

    ``known``: the decision at radius 0, once that is made; then nothing else is tried for, and nothing sharpened; but with ``lists`` all
    cycles are listed where that is quick.
    """

    loaded: Loaded
    period: int | None
    effort: Effort
    found: Found | None = None
    horseshoe: Horseshoe | None = None
    recurrence: Recurrence | None = None
    sturdy: dict[float, Covering | None] = field(default_factory=dict)
    known: str = ""
    lists: bool = False

    @property
    def up_to(self) -> int:
        """Return the largest period of the cycles that are looked for."""
        return self.period or DEFAULT_UP_TO


def decide(outcome: Outcome, claim: str, searches: Searches) -> None:
    """Fill the outcome with what can be proved of its draft's network. **Guarantee:** every claim was accepted by its card."""
    sharpen = claim == "auto" and not searches.known
    if claim != "cycles" and searches.known in {"", "ordered"}:
        _look_for_order(outcome, claim, searches)
    if claim in {"auto", "cycles"}:
        network = outcome.draft.network
        listed = (sharpen and network.is_exact) or ((sharpen or searches.lists) and not network.is_piecewise_linear)
        find_cycles(outcome, searches, complete=listed)
    if claim in {"auto", "chaos"} and outcome.decision != "ordered" and searches.known in {"", "chaotic"}:
        _look_for_chaos(outcome, searches)
    if sharpen and outcome.decision != "ordered":
        _bound_exponents(outcome, searches)


def find_cycles(outcome: Outcome, searches: Searches, *, complete: bool) -> None:
    """List the cycles, all of them with a proof of it where that is quick."""
    told = len(outcome.undecided)
    if complete and searches.period is None and list_all(outcome, searches):
        return
    # what is said of each cycle is said again, and of more of them, where they are certified one by one
    outcome.undecided[told:] = [text for text in outcome.undecided[told:] if text.startswith("all cycles")]
    center, effort = without_radius(outcome.draft.network), searches.effort
    if searches.found is None:
        searches.found = search(center, searches.up_to, searches.period, effort)
    harvest = certify_all(outcome.draft, center, searches.found, effort)
    outcome.cycles = harvest.entries
    outcome.searched_to, outcome.saturated = searches.up_to, searches.found.saturated
    outcome.claims.extend(harvest.claims)
    outcome.undecided.extend(harvest.unresolved)
    if not harvest.entries:
        what = f"least period {searches.period}" if searches.period else f"least period up to {DEFAULT_UP_TO}"
        outcome.undecided.append(f"cycles: none of {what} found in {harvest.spent['starts']} starts, {harvest.spent['seconds']} s")


def list_all(outcome: Outcome, searches: Searches) -> bool:
    """Enter the complete list up to the default period, or up to 1; say whether one of them was quick enough."""
    network, effort = searches.loaded.network, searches.effort
    if not network.is_piecewise_linear:
        return _list_smooth(outcome, searches)
    for up_to in (DEFAULT_UP_TO, 1):
        if why_not(network, up_to):
            continue
        seconds = min(_COMPLETE_SECONDS, effort.search_seconds)
        answer = complete_cycles(searches.loaded, up_to, replace(effort, budget_seconds=seconds))
        if any("interrupted" in text for text in answer.unresolved):
            raise KeyboardInterrupt
        certificate = answer.certificate
        if answer.complete and certificate is not None and len(certificate.steps) <= _MOST_COMPLETE_STEPS:
            outcome.draft.absorb(certificate)
            outcome.cycles, outcome.claims = list(answer.cycles), [*outcome.claims, *answer.claims]
            outcome.notes += [f"residual: {text}" for text in answer.residual]
            if up_to < DEFAULT_UP_TO:
                outcome.undecided.append(f"all cycles up to period {DEFAULT_UP_TO}: not settled in {seconds:g} s")
            return True
    return False


def _list_smooth(outcome: Outcome, searches: Searches) -> bool:
    """Do the same for a smooth network of few states, up to the largest period that can be settled in a share of the budget."""
    draft, before, sides = outcome.draft, len(outcome.draft.facts), None
    if draft.network.dimension > _MOST_SMOOTH or searches.period is not None:
        return False
    if no_list(draft.network, DEFAULT_UP_TO, None):
        sides = next(candidate_boxes((draft.network,)))
    budget = _SHARE * searches.effort.search_seconds
    found = prove_all_cycles(draft, DEFAULT_UP_TO, sides=sides, budget=budget, seed=searches.effort.seed, progress=searches.effort.progress)
    outcome.undecided += found.reasons
    if found.claim is None:
        while len(draft.facts) > before:
            draft.drop(len(draft.facts))
        return False
    outcome.cycles = entries_of(found)
    outcome.claims += claims_of(found)
    return True


def _look_for_order(outcome: Outcome, claim: str, searches: Searches) -> None:
    if claim == "chaos":
        found, _ = prove_contraction(outcome.draft, _QUICK_ORDER_SECONDS)
        claims: list[Claim] = [] if found is None else [found]
        reasons: list[str] = []
    else:
        report = prove_order(outcome.draft, searches.effort.search_seconds)
        claims, reasons = report.claims, report.reasons
    outcome.claims.extend(claims)
    outcome.undecided.extend(f"order: {reason}" for reason in reasons)
    if any(not isinstance(item, OnePoint | BoxContraction) for item in claims):  # these do not speak of all orbits
        outcome.decision = "ordered"


def _look_for_chaos(outcome: Outcome, searches: Searches) -> None:
    network, effort = outcome.draft.network, searches.effort
    if not network.is_piecewise_linear:
        outcome.undecided.append("chaos: covering graphs are searched for in piecewise-linear networks only")
        return
    if searches.horseshoe is None:
        seconds, seed = _SHARE * effort.search_seconds, effort.seed
        searches.horseshoe = find_horseshoe(without_radius(network), budget_seconds=seconds, seed=seed, progress=effort.progress)
    covering, reasons = searches.horseshoe.covering, list[str]()
    if covering is None:
        reasons.append(f"covering graph (B5) by short cycles: {searches.horseshoe.account.sentence()}")
        covering = _by_recurrence(searches, reasons) if searches.horseshoe.account.exponent > 0 else _by_cycles(outcome, searches)
    if network.is_exact and covering is not None:
        _enter_covering(outcome, covering, reasons)
    elif not network.is_exact:
        _enter_sturdy(outcome, searches, covering, reasons)
    if outcome.decision != "chaotic" and network.is_exact:
        _try_snap_back(outcome, searches, reasons)
    elif network.is_exact and covering is not None and len(covering.slabs) <= _FEW_BOXES:
        _raise_entropy(outcome, searches, covering)
    if outcome.decision != "chaotic":
        outcome.undecided.append(f"chaos: {'; '.join(reasons)}")


def _by_cycles(outcome: Outcome, searches: Searches) -> Covering | None:
    """Look around the saddles among the cycles up to the default period: chaos may be transient, off all attractors."""
    if not outcome.draft.network.is_exact:
        return None
    listed = outcome
    if not outcome.cycles:
        listed = Outcome(Draft(outcome.draft.network))
        list_all(listed, searches)
    if all(entry.outside != 1 for entry in listed.cycles):
        return None
    covering = _grown(listed, searches, _TRANSIENT_SHARE * searches.effort.search_seconds)
    if covering is not None:
        outcome.notes.append("the simulated orbits all leave the chaotic set: as far as they show, chaos is transient (seen, not proved)")
    return covering


def _grown(outcome: Outcome, searches: Searches, seconds: float) -> Covering | None:
    """Search for a graph of many boxes, on simulated orbits and around the cycles that are listed."""
    known = [Candidate(entry.period, tuple(entry.itinerary or ()), _middles(entry)) for entry in outcome.cycles]
    effort = searches.effort
    return find_entropy_graph(searches.loaded.network, budget_seconds=seconds, seed=effort.seed, cycles=known, progress=effort.progress)


def _middles(entry: CycleEntry) -> NDArray[np.float64]:
    return np.array([[float((x.lo + x.hi) / 2) for x in point] for point in entry.points])


def _by_recurrence(searches: Searches, reasons: list[str]) -> Covering | None:
    """Look among the near-recurrences of long orbits, as slow flows need it."""
    network, effort = searches.loaded.network, searches.effort
    if searches.recurrence is None:
        seconds, seed = effort.search_seconds, effort.seed
        searches.recurrence = find_recurrence(network, budget_seconds=seconds, seed=seed, progress=effort.progress)
    if searches.recurrence.covering is None:
        reasons.append(f"by long recurrences: {searches.recurrence.account.sentence()}")
    return searches.recurrence.covering


def _enter_covering(outcome: Outcome, covering: Covering, reasons: list[str]) -> bool:
    proved = prove_horseshoe(outcome.draft, covering)
    if isinstance(proved, str):
        reasons.append(f"covering graph (B5): {proved}")
        return False
    graph, chaos = proved.entropy[1], proved.chaos[1]
    outcome.claims = [item for item in outcome.claims if not isinstance(item, CoveringGraph) and item != chaos] + [chaos, graph]
    outcome.entropy = log(graph.rate, LOG_BITS).lo, None
    _decide_chaotic(outcome)
    return True


def _enter_sturdy(outcome: Outcome, searches: Searches, covering: Covering | None, reasons: list[str]) -> None:
    """Enter the first graph that is left when the strips that do not bear the radius are taken out."""
    network = outcome.draft.network
    for graph in (covering, *_sturdy(searches)):
        strips = [] if graph is None else surviving(network, graph, graph.strips)
        if graph is not None and strips and _enter_covering(outcome, replace(graph, strips=tuple(strips)), []):
            return
    reasons.append("covering graph (B5): no graph of the network itself bears this radius")


def _sturdy(searches: Searches) -> Iterator[Covering]:
    """Yield graphs of short paths whose images are much wider than the boxes that they cross, each searched for once."""
    for overshoot in _OVERSHOOTS:
        if overshoot not in searches.sturdy:
            seconds = min(_STURDY_SECONDS, searches.effort.search_seconds)
            found = find_entropy_graph(
                searches.loaded.network, budget_seconds=seconds, seed=searches.effort.seed, most_paths=_STURDY_PATHS, overshoot=overshoot
            )
            searches.sturdy[overshoot] = found
        graph = searches.sturdy[overshoot]
        if graph is not None:
            yield graph


def _decide_chaotic(outcome: Outcome) -> None:
    """Decide; how far attempts at the opposite got is then of no interest."""
    outcome.decision = "chaotic"
    outcome.undecided = [text for text in outcome.undecided if not text.startswith("order: ")]


def _raise_entropy(outcome: Outcome, searches: Searches, covering: Covering) -> None:
    """Search for a larger graph; keep the better of the two."""
    effort = searches.effort
    if covering.unstable != 1:
        return
    found = _grown(outcome, searches, _SHARE * effort.search_seconds)
    if found is None:
        return
    before, steps = outcome.entropy, len(outcome.draft.facts)
    kept = list(outcome.claims)
    if _enter_covering(outcome, found, []) and before is not None and outcome.entropy is not None and outcome.entropy[0] <= before[0]:
        while len(outcome.draft.facts) > steps:
            outcome.draft.drop(len(outcome.draft.facts))
        outcome.entropy, outcome.claims = before, kept


def _try_snap_back(outcome: Outcome, searches: Searches, reasons: list[str]) -> None:
    effort = searches.effort
    hints = [entry.itinerary[0] for entry in outcome.cycles if entry.period == 1 and entry.itinerary is not None]
    proved = prove_snap_back(outcome.draft, hints, budget_seconds=_SHARE * effort.search_seconds, progress=effort.progress)
    if isinstance(proved, str):
        reasons.append(proved)
        return
    outcome.claims.append(proved[1])
    _decide_chaotic(outcome)


def _bound_exponents(outcome: Outcome, searches: Searches) -> None:
    network = outcome.draft.network
    if not network.is_piecewise_linear:
        return
    around = corners(boxes_of(outcome.draft)) if network.dimension <= _MOST_CORNERED else []
    found = prove_exponents(outcome.draft, budget=_SHARE * searches.effort.search_seconds, around=around)
    facts = [outcome.draft.facts[number - 1] for number in found.steps]
    outcome.claims += [fact for fact in facts if isinstance(fact, Trapping)]
    if found.claim is None:
        outcome.undecided.append(f"exponent bounds (D1): {'; '.join(found.reasons)}")
        return
    outcome.claims.append(found.claim)
    if outcome.decision == "chaotic" and is_robust(outcome.draft, found.claim):
        orbits = "every orbit" if found.claim.inside is None else "every orbit of a trapping region around it"
        outcome.notes.append(f"robust chaos: a covering graph (B5), and {orbits} has a positive Lyapunov exponent (D1)")
