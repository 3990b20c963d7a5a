"""Chaos or order on the line: the proofs that are tried, from the cheapest to the last resort, and the entropy bounds of chaotic maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import log
from time import monotonic

from proofs.claims import Claim, EntropyLower, EntropyUpper, ExactCycle, Order, entropy_bound
from proofs.errors import Rejected
from proofs.piecewise import PiecewiseLinear
from verify.certify.draft import Draft, spelled
from verify.certify.scalar_steps import (
    BITS,
    Step,
    add_cycle,
    add_entropy_upper,
    add_horseshoe,
    add_li_yorke,
    add_period_entropy,
    attempt,
    best_horseshoe,
    larger,
    log_of,
    widest_point,
)
from verify.numerics.interval_maps import Powers, middle
from verify.numerics.scalar_samples import sampling_grid
from verify.search.entropy import Horseshoe, sampled_horseshoes, smallest_band
from verify.search.li_yorke import Point, best_point, suggest
from verify.search.order import excluded_odd_period, is_ordered
from verify.search.scalar_cycles import cycle_of_period, odd_cycle_in
from verify.search.scalar_odd import suggest_odd

Progress = Callable[[str, int, int], None]
MAX_EXPONENT = 20  # of the card C3
SHOE_EXPONENT = 3  # tables this far, then horseshoes are tried
UPPER_KNOTS = 4_096
LONGEST = 1_024
ODD = range(5, 32, 2)
ITERATES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)
SHOES_TRIED = 4
ONE = Fraction(1)


@dataclass
class Case:
    """One decision under way."""

    draft: Draft
    max_knots: int
    seconds: float
    deadline: float
    progress: Progress | None
    table: int | None = None
    powers: Powers | None = None
    decision: str = "undecided"
    order: int = 0
    claims: list[Claim] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    lower: Step | None = None
    upper: Step | None = None
    looked: int = 0
    shoe: Horseshoe | None = None
    shoe_tried: bool = False
    shoe_step: Step | None = None

    def keep(self, step: Step | None) -> Step | None:
        """Head the certificate with a step's claim."""
        if step is not None and step[1] not in self.claims:
            self.claims.append(step[1])
        return step

    def tell(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(stage, done, total)

    @property
    def budget(self) -> str:
        """Say the budget."""
        return f"budget: {self.max_knots} knots a table, {self.seconds:g} s"


def decide(case: Case) -> None:
    """Try the short proofs of order, then the tables, then sampling."""
    if _by_slopes(case):
        return
    if case.powers is not None:
        _by_tables(case, case.powers)
    if case.decision == "undecided" and case.powers is not None:
        _by_horseshoe(case, case.powers)
    if case.decision == "undecided":
        _by_sampling(case)
    if case.decision == "undecided":
        case.undecided.append(_undecided_text(case))


def _by_slopes(case: Case) -> bool:
    """Contraction and monotone maps, from the global slopes."""
    bits: dict[str, object] = {} if case.draft.network.is_piecewise_linear else {"bits": BITS}
    try:
        slope = case.draft.network.jacobian(None, None if case.draft.network.is_piecewise_linear else BITS).interval(0)
    except Rejected:
        return False
    step = None
    if slope.magnitude < 1:
        rate = spelled([max(slope.magnitude, Fraction(1, 2))])[0]
        step = attempt(case.draft, "contraction", {"weights": ["1"], "rate": rate, **bits})
    elif slope.lo >= 0 or slope.hi <= 0:
        step = attempt(case.draft, "coppel", {"monotone": "increasing" if slope.lo >= 0 else "decreasing", **bits})
    if case.keep(step) is not None and step is not None:
        case.decision = "ordered"
        case.order = step[1].exponent if isinstance(step[1], Order) else 0
    return step is not None


def _by_tables(case: Case, powers: Powers) -> None:
    """Look at F^(2^j), j = 0, 1, 2, ...: no period 2 proves order, a period 3 proves chaos."""
    for exponent in range(MAX_EXPONENT + 1):
        case.tell("tables of F^(2^n)", exponent, MAX_EXPONENT)
        once, twice = powers.get(2**exponent), powers.get(2 ** (exponent + 1))
        if once is None or twice is None:
            return
        if is_ordered(once, twice) and _by_coppel(case, exponent):
            return
        if _by_period_three(case, powers, exponent):
            return
        case.looked = exponent + 1
        if exponent == SHOE_EXPONENT and _by_horseshoe(case, powers):
            return


def _by_coppel(case: Case, exponent: int) -> bool:
    cites = [] if case.table is None else [case.table]
    step = case.keep(attempt(case.draft, "coppel", {"exponent": exponent, "max_knots": case.max_knots}, *cites))
    if step is not None:
        case.decision, case.order = "ordered", exponent
    return step is not None


def _by_period_three(case: Case, powers: Powers, exponent: int) -> bool:
    if exponent == 0:
        one, two, three = powers.function, powers.get(2), powers.get(3)
        point = None if two is None or three is None else best_point(one, two, three)
        return point is not None and _chaotic(case, add_li_yorke(case.draft, point, case.table, None), 3)
    cycle = cycle_of_period(powers, 3 * 2**exponent)
    if cycle is None:
        return False
    stronger = _odd_multiple(powers, 2 ** (exponent - 1)) or cycle
    return _chaotic(case, add_cycle(case.draft, stronger), len(stronger))


def _odd_multiple(powers: Powers, doublings: int) -> tuple[Fraction, ...] | None:
    """Return a cycle of least period q * doublings for the least odd q > 3 within reach, which is stronger than 3 * 2 * doublings."""
    table = powers.get(doublings)
    if table is None or table.lipschitz() ** 2 <= 2:  # noqa: PLR2004 - odd periods need more
        return None
    excluded = excluded_odd_period(table.lipschitz(), 31) or 3
    reach = Powers(powers.function, powers.max_knots, monotonic() + max(0.0, powers.deadline - monotonic()) / 4)
    for odd in ODD:
        cycle = cycle_of_period(reach, odd * doublings) if odd > excluded else None
        if cycle is not None or reach.stopped:
            return cycle
    return None


def _chaotic(case: Case, step: Step | None, period: int) -> bool:
    """Draw the conclusions of a cycle of this period, or of B1 (3)."""
    if step is None:
        return False
    case.decision = "chaotic"
    if not isinstance(step[1], ExactCycle):
        case.keep(step)
    case.lower = add_period_entropy(case.draft, period, step[0])
    case.keep(attempt(case.draft, "sharkovskii", {}, step[0]))
    return True


def _by_horseshoe(case: Case, powers: Powers) -> bool:
    """A horseshoe alone proves chaos; a cycle inside its narrowest band then gives a strong period."""
    step = _find_shoe(case, powers.function)
    if step is None or case.shoe is None:
        return False
    case.decision, case.lower = "chaotic", step
    divisor, window = smallest_band(powers.function, case.shoe)
    limits = (min(31 * divisor, LONGEST), case.max_knots, monotonic() + case.seconds / 8)
    cycle = odd_cycle_in(powers.function, window, divisor, limits)
    found = None if cycle is None else add_cycle(case.draft, cycle)
    if found is not None:
        case.keep(attempt(case.draft, "sharkovskii", {}, found[0]))
    return True


def _find_shoe(case: Case, function: PiecewiseLinear) -> Step | None:
    """Return the best horseshoe of F, searched for once."""
    if case.shoe is None and not case.shoe_tried and case.table is not None:
        case.shoe_tried = True
        case.tell("horseshoes")
        time = Powers(function, 1, monotonic() + case.seconds / 4)
        case.shoe = best_horseshoe(function, log_of(max(ONE, function.lipschitz())), time)
        case.shoe_step = None if case.shoe is None else add_horseshoe(case.draft, case.shoe, case.table, None)
    return case.shoe_step


def _by_sampling(case: Case) -> None:
    """Points that a simulation suggests: period 3, other odd periods, horseshoes."""
    network = middle(case.draft.network)
    grid = sampling_grid(network)
    if grid is None:
        return
    case.tell("sampling")
    point = widest_point(case.draft, [Point(a, None) for a in suggest(network, grid)], case.table)
    if point is not None and _chaotic(case, point, 3):
        return
    for odd in ODD:
        for x in suggest_odd(network, grid, odd):
            step = attempt(case.draft, "odd_period", {"point": spelled([x])[0], "times": odd, "bits": BITS})
            if case.keep(step) is not None and step is not None:
                case.decision, case.lower = "chaotic", add_period_entropy(case.draft, odd, step[0])
                return
    _sampled_entropy(case)
    if isinstance(case.lower, tuple) and isinstance(case.lower[1], EntropyLower) and case.lower[1].rate > 1:
        case.decision = "chaotic"


def _sampled_entropy(case: Case) -> None:
    network = middle(case.draft.network)
    grid = sampling_grid(network)
    for iterate in ITERATES if grid is not None else ():
        if monotonic() > case.deadline or grid is None:
            return
        known = 0.0 if case.lower is None or not isinstance(case.lower[1], EntropyLower) else log(case.lower[1].rate) / case.lower[1].iterate
        for shoe in [shoe for shoe in sampled_horseshoes(network, grid, iterate) if shoe.entropy > known][:SHOES_TRIED]:
            step = add_horseshoe(case.draft, shoe, case.table, None if case.table is not None else BITS)
            if step is not None:
                case.lower = larger(case.lower, step)
                break


def bound_entropy(case: Case) -> None:
    """Sharpen both bounds of a chaotic map, draw the scrambled set from the lower one, and exclude odd periods by the slope."""
    if case.decision == "ordered":
        return
    case.tell("entropy")
    function = None if case.powers is None else case.powers.function
    if case.decision == "chaotic":
        _raise_lower(case, function)
    _lower_upper(case, function)
    lipschitz = function.lipschitz() if function is not None else _global_slope(case)
    period = None if lipschitz is None else excluded_odd_period(lipschitz)
    if period is not None:
        case.keep(attempt(case.draft, "no_period", {"period": period}, *([] if case.table is None else [case.table])))


def _raise_lower(case: Case, function: PiecewiseLinear | None) -> None:
    step = None if function is None else _find_shoe(case, function)
    case.lower = larger(case.lower, step)
    if step is None:
        _sampled_entropy(case)
    if case.lower is not None:
        case.keep(attempt(case.draft, "entropy_gives_scrambling", {}, case.lower[0]))
        case.keep(case.lower)


def _lower_upper(case: Case, function: PiecewiseLinear | None) -> None:
    if function is None or case.table is None:
        case.upper = attempt(case.draft, "entropy_upper", {"iterate": 1, "by": "slope"})
    else:
        known = 0.0 if case.lower is None else float(step_bound(case.lower))
        reach = Powers(function, min(case.max_knots, UPPER_KNOTS), monotonic() + case.seconds / 8)
        case.upper = add_entropy_upper(case.draft, reach, case.table, known)
    case.keep(case.upper)


def _global_slope(case: Case) -> Fraction | None:
    try:
        return case.draft.network.jacobian(None).norm()
    except Rejected:
        return None


def step_bound(step: Step) -> Fraction:
    return entropystep_bound(step[1]) if isinstance(step[1], EntropyLower | EntropyUpper) else Fraction(0)


def enclosure(case: Case) -> tuple[Fraction, Fraction] | None:
    if case.decision == "ordered":
        return Fraction(0), Fraction(0)
    if case.upper is None:
        return None
    return (Fraction(0) if case.lower is None else max(Fraction(0), step_bound(case.lower))), step_bound(case.upper)


def _undecided_text(case: Case) -> str:
    """Say what was tried and how far."""
    if case.powers is None:
        reason = "no table of pieces (tanh, sigmoid, weights with a radius, or too many kinks), so the card coppel could not be used"
        return f"chaos or order: {reason}; sampled points showed no period 3, no odd period up to {ODD[-1]} and no horseshoe; {case.budget}"
    tables = f"looked for periods 2 and 3 of F^(2^j) for j < {case.looked}"
    return f"chaos or order: {tables}, then stopped because {case.powers.stopped or 'the greatest exponent was reached'}; {case.budget}"
