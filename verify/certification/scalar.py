"""The decision for scalar networks: chaos, order, entropy and cycles, each claim a checked step of the draft."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import Literal

from proofs.claims import Claim, ExactCycle
from proofs.errors import Rejected
from verify.certification.draft import Draft
from verify.certification.scalar_case import Case, Progress, bound_entropy, enclosure
from verify.certification.scalar_decide import decide
from verify.certification.scalar_steps import Step, add_cycle, add_period_entropy, add_pieces, add_stability, attempt
from verify.numerics.interval_maps import Powers
from verify.search.scalar_cycles import cycles_up_to
from verify.search.scalar_outside import describe_outside

Wanted = Literal["auto", "cycles", "chaos", "order"]
MAX_KNOTS = 20_000
MOST_CYCLES = 2_000
MOST_STABILITIES = 64
DEFAULT_PERIOD = 3
LONGEST_ORDER = 64  # cycles of ordered maps are listed up to this period unasked


@dataclass(frozen=True)
class ScalarReport:
    """What was decided about a scalar network; every claim is the conclusion of a step in the draft.

    ``decision``: chaotic, ordered or undecided. ``undecided``: what was asked and not settled, with what was tried. ``entropy``: bounds of
    the topological entropy over compact invariant sets, the lower 0 or from a claim, the upper from one; for ordered maps 0, 0
    (positive entropy would force a period that is no power of two). ``outside``: an exact sentence on orbits far out, computed from the
    table of F and no part of the certificate.
    """

    decision: str
    claims: tuple[Claim, ...]
    undecided: tuple[str, ...]
    entropy: tuple[Fraction, Fraction] | None
    outside: str


def prove_scalar(
    draft: Draft,
    *,
    claim: Wanted = "auto",
    period: int | None = None,
    max_knots: int = MAX_KNOTS,
    budget_seconds: float = 60.0,
    progress: Progress | None = None,
) -> ScalarReport:
    """Decide whether a network with one state is chaotic or ordered, and list its cycles up to ``period``.

    Exact piecewise-linear networks: F is chaotic if and only if some F^(2^j) has a point of period 3, and ordered once some F^(2^n) has
    none of period 2, the infinities included; both are looked for in exact tables, within the budget. Smooth networks and weights with
    a radius are decided by global slopes and by sampled points. Type 2^infinity stays undecided.

    **Guarantee:** every claim was checked; ``undecided`` names the budget. **Raises:** Rejected if the network has several states.
    """
    if draft.network.dimension != 1:
        raise Rejected(where="network", law="scalar decision", expected="one state", got=f"{draft.network.dimension} states")
    case = Case(draft, max_knots, budget_seconds, monotonic() + budget_seconds, progress)
    case.tell("table of F")
    found = add_pieces(draft, max_knots)
    if found is not None:
        case.table, case.powers = found[0], Powers(found[1], max_knots, monotonic() + budget_seconds / 4)
    if claim != "cycles":
        decide(case)
        bound_entropy(case)
    _list_cycles(case, claim, period)
    outside = describe_outside(case.powers.function) if case.powers is not None else "Not computed: F has no exact table of pieces."
    return ScalarReport(case.decision, tuple(case.claims), tuple(case.undecided), enclosure(case), outside)


def _list_cycles(case: Case, claim: Wanted, period: int | None) -> None:
    """Prove all cycles up to a period: the one asked for; unasked, all cycles of an ordered map."""
    order = 2**case.order if case.decision == "ordered" and 2**case.order <= LONGEST_ORDER else None
    up_to = period or (DEFAULT_PERIOD if claim == "cycles" else order)
    if up_to is None:
        return
    if case.powers is None or case.table is None:
        if period is not None or claim == "cycles":
            case.undecided.append(
                f"all cycles of period at most {up_to}: the card all_cycles needs the exact table of a piecewise-linear F"
            )
        return
    case.tell("cycles", 0, up_to)
    powers = Powers(case.powers.function, case.max_knots, monotonic() + case.seconds / 4)
    cycles, reached = cycles_up_to(powers, up_to, MOST_CYCLES)
    steps = [(cycle, add_cycle(case.draft, cycle)) for cycle in cycles]
    numbers = [step[0] for _, step in steps if step is not None]
    witness: dict[str, object] = {"up_to": reached, "max_knots": case.max_knots}
    whole = attempt(case.draft, "all_cycles", witness, case.table, *numbers) if reached else None
    if case.keep(whole) is None or reached < up_to:
        what = f"all cycles of period at most {up_to}{f' (the list is complete to {reached})' if whole else ''}"
        case.undecided.append(f"{what}: {powers.stopped or 'the kernel refused the list'}; {case.budget}")
    for cycle, step in steps if len(steps) <= MOST_STABILITIES else []:
        if step is not None and case.keep(add_stability(case.draft, powers.function, cycle, step[0])) is None:
            case.keep(step)
    if claim == "cycles":
        _strongest_period(case, [step for _, step in steps if step is not None])


def _strongest_period(case: Case, steps: list[Step]) -> None:
    """Draw Sharkovskii's and the entropy's conclusions from the strongest period listed."""
    ranked = sorted(steps, key=lambda step: _rank(step[1].period) if isinstance(step[1], ExactCycle) else (1, 0, 0))
    if not ranked or not isinstance(ranked[0][1], ExactCycle):
        return
    number, cycle = ranked[0][0], ranked[0][1]
    if cycle.period > 1:
        case.keep(attempt(case.draft, "sharkovskii", {}, number))
    if _rank(cycle.period)[0] == 0:
        case.decision, case.lower = "chaotic", case.keep(add_period_entropy(case.draft, cycle.period, number))
        if case.lower is not None:
            case.keep(attempt(case.draft, "entropy_gives_scrambling", {}, case.lower[0]))


def _rank(period: int) -> tuple[int, int, int]:
    """Sort by Sharkovskii's order."""
    doublings = period & -period
    odd = period // doublings
    return (0, doublings, odd) if odd > 1 else (1, 0, -period)
