"""Single steps about scalar networks: each builds one witness, has it checked, and returns nothing where the kernel refuses it."""

from __future__ import annotations

from fractions import Fraction
from math import log

from proofs.claims import Claim, EntropyLower, Pieces, entropy_bound
from proofs.errors import Malformed, Rejected
from proofs.piecewise import PiecewiseLinear
from proofs.theorems.slopes import below_root
from verify.certification.draft import Draft, spelled
from verify.numerics.interval_maps import Powers
from verify.search.entropy import Horseshoe, markov_horseshoe
from verify.search.li_yorke import Point
from verify.search.scalar_cycles import Cycle, slopes_along, stability_forms

Step = tuple[int, Claim]
BITS = 256
RATE_BITS = 40
LADDER = range(6, 61, 4)
ENOUGH = 1e-7
REGISTER = 16  # knots of one register's functions together, against those of F
MOST_ITERATES = 64


def attempt(draft: Draft, theorem: str, witness: dict[str, object], *cites: int) -> Step | None:
    """Add a step if it passes."""
    try:
        return draft.add(theorem, witness, cites)
    except (Rejected, Malformed):
        return None


def add_pieces(draft: Draft, max_knots: int) -> tuple[int, PiecewiseLinear] | None:
    """Prove the table of F, None for networks without one (smooth, weights with a radius) or beyond ``max_knots``."""
    network = draft.network
    if not (network.is_exact and network.is_piecewise_linear):
        return None
    step = attempt(draft, "pieces", {"max_knots": REGISTER * max_knots})
    return (step[0], step[1].function) if step is not None and isinstance(step[1], Pieces) else None


def add_li_yorke(draft: Draft, point: Point, table: int | None, bits: int | None) -> Step | None:
    """Prove B1 at the point, with its sup-norm radius if that passes."""
    witness: dict[str, object] = {"point": spelled([point.a])[0], **({} if bits is None else {"bits": bits})}
    cites = [] if table is None else [table]
    wide = None if point.radius is None else attempt(draft, "li_yorke", {**witness, "sup_radius": spelled([point.radius])[0]}, *cites)
    return wide or attempt(draft, "li_yorke", witness)


def add_cycle(draft: Draft, cycle: Cycle) -> Step | None:
    """Prove A1."""
    return attempt(draft, "exact_cycle", {"point": spelled(cycle[:1]), "period": len(cycle)})


def add_stability(draft: Draft, function: PiecewiseLinear, cycle: Cycle, step: int) -> Step | None:
    """Prove A3 for a cycle that touches no kink and has no multiplier on the unit circle."""
    slopes = slopes_along(function, cycle)
    found = None if slopes is None else stability_forms(slopes)
    if found is None:
        return None
    forms, bits = found
    return attempt(draft, "stability", {"forms": [[[text]] for text in spelled(forms)], "bits": bits}, step)


def add_period_entropy(draft: Draft, period: int, step: int) -> Step | None:
    """Prove B3 from a step with this period (for B1: 3), the rate rounded down."""
    odd = period // (period & -period)
    return attempt(draft, "entropy_from_period", {"rate": spelled([odd_rate(odd)])[0]}, step)


def odd_rate(odd: int) -> Fraction:
    """Return a dyadic just below lambda_q, the positive root of x^q - 2 x^(q-2) - 1, for odd q >= 3."""
    low, high = 2**RATE_BITS, 2 * 2**RATE_BITS  # the root lies in [1, 2]
    while high - low > 1:
        half = Fraction((low + high) // 2, 2**RATE_BITS)
        if below_root(half, odd, strict=False):
            low = (low + high) // 2
        else:
            high = (low + high) // 2
    return Fraction(low, 2**RATE_BITS)


def add_horseshoe(draft: Draft, shoe: Horseshoe, table: int | None, bits: int | None) -> Step | None:
    """Prove B4."""
    witness: dict[str, object] = {
        "iterate": shoe.iterate,
        "intervals": [spelled(pair) for pair in shoe.intervals],
        "extremes": [spelled(pair) for pair in shoe.extremes],
        "weights": spelled(shoe.weights),
        "rate": spelled([shoe.rate])[0],
        **({} if bits is None else {"bits": bits}),
    }
    return attempt(draft, "covering_intervals", witness, *([] if table is None else [table]))


def best_horseshoe(function: PiecewiseLinear, upper: float, powers: Powers) -> Horseshoe | None:
    """Refine the partition until the bound meets ``upper``, stops growing twice, or the time is used."""
    best: Horseshoe | None = None
    quiet = 0
    for level in LADDER:
        if quiet > 1 or not powers.has_time() or (best is not None and best.entropy >= upper - ENOUGH):
            break
        shoe = markov_horseshoe(function, Fraction(1, 2**level))
        if shoe is None:
            quiet += best is not None
        elif best is None or shoe.entropy > best.entropy:
            quiet = quiet + 1 if best is not None and shoe.entropy < best.entropy * (1 + ENOUGH) + ENOUGH / 100 else 0
            best = shoe
        else:
            quiet += 1
    return best


def add_entropy_upper(draft: Draft, powers: Powers, table: int, lower: float) -> Step | None:
    """Prove the least of the bounds C4 by slope and by laps of the iterates within the budget; ``lower`` ends the search early."""
    best, iterate, power = (float("inf"), 1, "slope"), 1, powers.function
    while True:
        for by, rate in (("laps", Fraction(power.laps())), ("slope", max(Fraction(1), power.lipschitz()))):
            value = log_of(rate) / iterate
            best = min(best, (value, iterate, by)) if value < best[0] * (1 - ENOUGH) else best
        if best[0] <= lower + ENOUGH or iterate >= MOST_ITERATES:
            break
        longer = powers.extended(iterate + 1, power)
        if longer is None:
            break
        power, iterate = longer, iterate + 1
    return attempt(draft, "entropy_upper", {"iterate": best[1], "by": best[2], "max_knots": powers.max_knots}, table)


def log_of(rate: Fraction) -> float:
    """Return log(rate) >= 0 as a float, for ordering only."""
    shift = max(0, rate.numerator.bit_length() - rate.denominator.bit_length() - 1)
    return log(rate / 2**shift) + shift * log(2)


def larger(one: Step | None, two: Step | None) -> Step | None:
    """Return the step with the greater lower bound of the entropy."""
    bounds = [
        (entropy_bound(step[1]), -i, step) for i, step in enumerate((one, two)) if step is not None and isinstance(step[1], EntropyLower)
    ]
    return max(bounds)[2] if bounds else None


def widest_point(draft: Draft, points: list[Point], table: int | None) -> Step | None:
    """Prove B1 at the first of the points that passes, then widen its sup-norm radius by bisection."""
    for point in points:
        step = add_li_yorke(draft, point, table, BITS)
        if step is not None:
            return _widened(draft, point, table) or step
    return None


def _widened(draft: Draft, point: Point, table: int | None) -> Step | None:
    """Halve a radius from 1 down until it passes, then try three steps up."""
    radius = Fraction(1)
    found: Step | None = None
    for _ in range(RATE_BITS):
        found = _with_radius(draft, Point(point.a, radius), table)
        if found is not None:
            break
        radius /= 2
    for factor in (Fraction(3, 2), Fraction(5, 4), Fraction(9, 8)) if found is not None else ():
        found = _with_radius(draft, Point(point.a, radius * factor), table) or found
    return found


def _with_radius(draft: Draft, point: Point, table: int | None) -> Step | None:
    witness: dict[str, object] = {"point": spelled([point.a])[0], "sup_radius": spelled([point.radius or Fraction(1)])[0], "bits": BITS}
    return attempt(draft, "li_yorke", witness, *([] if table is None else [table]))
