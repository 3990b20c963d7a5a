"""Chaos or order on the line: the proofs that are tried, from the cheapest to the last resort."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic

from proofs.claims import EntropyLower, ExactCycle, Order
from proofs.errors import Rejected
from proofs.network import Network
from proofs.piecewise import TooManyPieces
from proofs.theorems.unfold import table_of
from verify.center import without_radius
from verify.certification.draft import spelled
from verify.certification.scalar_case import Case, find_shoe, sampled_entropy
from verify.certification.scalar_steps import BITS, Step, add_cycle, add_li_yorke, add_period_entropy, attempt, widest_point
from verify.numerics.interval_maps import Powers
from verify.numerics.scalar_samples import sampling_grids
from verify.search.entropy import smallest_band
from verify.search.li_yorke import Point, best_point, suggest
from verify.search.order import excluded_odd_period, is_ordered
from verify.search.scalar_cycles import cycle_of_period, odd_cycle_in
from verify.search.scalar_odd import suggest_odd

MAX_EXPONENT = 20  # of the card C3
SHOE_EXPONENT = 3  # tables this far, then horseshoes are tried
LONGEST = 1_024
ODD = range(5, 32, 2)


def decide(case: Case, *, thorough: bool = True) -> None:
    """Try the short proofs of order, then the tables, then (``thorough``) horseshoes and sampling."""
    if _by_slopes(case):
        return
    if case.powers is not None:
        _by_tables(case, case.powers)
    if case.decision == "undecided" and case.powers is not None and thorough:
        _by_horseshoe(case, case.powers)
    if case.decision == "undecided" and thorough:
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
        case.looked += case.looked == exponent and powers.get(3 * 2**exponent) is not None
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
    """Prove chaos by a horseshoe alone; a cycle inside its narrowest band then gives a strong period."""
    step = find_shoe(case, powers.function)
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


def _by_sampling(case: Case) -> None:
    """Points that a simulation suggests: period 3, other odd periods, horseshoes."""
    network = without_radius(case.draft.network)
    grids = sampling_grids(network)
    case.tell("sampling")
    points = _exact_points(case, network) + [Point(a, None) for grid in grids for a in suggest(network, grid)]
    if _chaotic(case, widest_point(case.draft, points, case.table), 3):
        return
    for odd in ODD:
        if monotonic() > case.deadline:
            return
        for x in (x for grid in grids for x in suggest_odd(network, grid, odd)):
            step = attempt(case.draft, "odd_period", {"point": spelled([x])[0], "times": odd, "bits": BITS})
            if case.keep(step) is not None and step is not None:
                case.decision, case.lower = "chaotic", add_period_entropy(case.draft, odd, step[0])
                return
    sampled_entropy(case)
    if isinstance(case.lower, tuple) and isinstance(case.lower[1], EntropyLower) and case.lower[1].rate > 1:
        case.decision = "chaotic"


def _exact_points(case: Case, network: Network) -> list[Point]:
    """Return the best point of Li and Yorke of the middle network, where weights carry a radius."""
    if case.powers is not None or not network.is_piecewise_linear:
        return []
    try:
        powers = Powers(table_of(network, case.max_knots), case.max_knots, monotonic() + case.seconds / 8)
    except TooManyPieces:
        return []
    two, three = powers.get(2), powers.get(3)
    point = None if two is None or three is None else best_point(powers.function, two, three)
    return [] if point is None else [Point(point.a, None)]


def _undecided_text(case: Case) -> str:
    """Say what was tried and how far."""
    rest = f"no sampled point proved a period 3, an odd period up to {ODD[-1]} or a horseshoe; {case.budget}"
    if case.powers is None:
        reason = "no table of pieces (tanh, sigmoid, weights with a radius, or too many kinks), so the card coppel could not be used"
        return f"chaos or order: {reason}; {rest}"
    tables = f"looked for periods 2 and 3 of F^(2^j), j < {case.looked}, in exact tables without a proof"
    return f"chaos or order: {tables}; then {case.powers.stopped or 'the greatest exponent was reached'}; {rest}"
