# mypy: disable-error-code="no-any-return"
"""Is this claim true? Decided without any witness where brute force can; None where it cannot say.

Networks with weight intervals: a claim that is false for the middle or for a corner is False; cycles are decided by an own inclusion.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from flint import fmpq, fmpq_mat

from tests.second import boxes
from tests.second.boxes_on_lines import TRUTHS as BOX_TRUTHS
from tests.second.contractions_in_boxes import TRUTHS as CONTRACTION_TRUTHS
from tests.second.counts import cycle_counts_hold, one_point_holds
from tests.second.cycle_truth import holds as all_in_box_hold
from tests.second.cycles import enclosed, jacobians_along, krawczyk, solved
from tests.second.entropy import covers_exactly, entropy_floor
from tests.second.event_truth import TRUTHS as EVENT_TRUTHS
from tests.second.finite_times import TRUTHS as FINITE_TRUTHS
from tests.second.line import Line, inside, line_of
from tests.second.multipliers import matches_moduli
from tests.second.nets import Net, read_net
from tests.second.space_truth import TRUTHS as SPACE_TRUTHS
from tests.second.text import Json, Refused, number, table

MOST_PERIOD = 7
MOST_POWER = 8
MOST_BLOCK = 8
CORNERS = 3


def claim_is_true(network: Json, claim: dict) -> bool | None:
    """Return whether the claim holds for every network within the weights of ``network``."""
    net = read_net(network)
    try:
        return decide(net, claim)
    except Refused:
        return None


def decide(net: Net, claim: dict) -> bool | None:
    """Decide for an exact network, for intervals where that is possible, or by exact networks inside."""
    kind = claim["claim"]
    if net.exact or kind in INTERVAL:
        return (TRUTHS if net.exact else INTERVAL)[kind](net, claim)
    if kind in EVENT_TRUTHS:  # the other end of the line would have to move with the corner
        return None
    return False if any(TRUTHS[kind](corner(net, which), claim) is False for which in range(CORNERS)) else None


def corner(net: Net, which: int) -> Net:
    """Return one exact network inside: the middle, or alternating ends of the intervals."""
    count = [which]

    def pick(entry: tuple) -> tuple:
        count[0] += 1
        return boxes.point((entry[0] + entry[1]) / 2 if which == 0 else entry[count[0] % 2])

    def frozen(matrix: list) -> list:
        return [[pick(entry) for entry in row] for row in matrix]

    return Net(net.dimension, [(name, of, [frozen(m) for m in matrices], frozen(bias)) for name, of, matrices, bias in net.program])


def scalar_line(net: Net) -> Line | None:
    """Return F as a function of the line where brute force applies."""
    return line_of(net) if net.dimension == 1 and net.linear and net.exact else None


def exact_cycle_holds(net: Net, claim: dict) -> bool | None:
    """Each point maps to the next, the last to the first, and all are different."""
    points = table(claim["points"])
    if not net.linear:
        return None
    images = [[x[0] for x in net.run([boxes.point(x) for x in point])[0]] for point in points]
    return images == [*points[1:], points[0]] and len({tuple(point) for point in points}) == len(points)


def cycle_holds(net: Net, claim: dict) -> bool:
    """Solve along the itinerary."""
    return solved(net, claim["itinerary"], table(claim["points"]), number(claim["radius"]))


def cycle_in_intervals(net: Net, claim: dict) -> bool | None:
    """Solve the middle and two corners; prove the rest by an inclusion with an own approximate inverse."""
    if any(not cycle_holds(corner(net, which), claim) for which in range(CORNERS)):
        return False
    points, words = table(claim["points"]), claim["itinerary"]
    if len(points) * net.dimension > MOST_BLOCK:
        return None
    inverse = block_inverse([net.piece(word)[0] for word in words])
    return True if inverse and enclosed(net, words, points, number(claim["radius"]), inverse, block=True) else None


def ball_cycle_holds(net: Net, claim: dict) -> bool | None:
    """Try Krawczyk's test with an own approximate inverse; a ball that its own image leaves behind refutes."""
    points, radius = table(claim["points"]), number(claim["radius"])
    balls = [[boxes.widened(boxes.point(x), radius) for x in point] for point in points]
    for here, there in zip(balls, [*balls[1:], balls[0]], strict=True):
        image = net.run(here, boxes.PRECISION)[0]
        if any(a[1] < b[0] or b[1] < a[0] for a, b in zip(image, there, strict=True)):
            return False
    if len(points) * net.dimension > MOST_BLOCK:
        return None
    inverse = block_inverse([net.slopes([boxes.point(x) for x in point]) for point in points])
    return True if inverse and krawczyk(net, points, radius, inverse, boxes.PRECISION) else None


def block_inverse(jacobians: list) -> list | None:
    """Return the exact inverse of the whole-cycle matrix at the middles, None if singular, rounded to 60 bits."""
    width, length = len(jacobians[0]), len(jacobians)
    size = width * length
    matrix = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    for t, jacobian in enumerate(jacobians):
        row = (t + 1) % length * width
        for i in range(width):
            for j in range(width):
                matrix[row + i][t * width + j] -= (jacobian[i][j][0] + jacobian[i][j][1]) / 2
    table = fmpq_mat(size, size, [fmpq(round(x * 2**40), 2**40) for row in matrix for x in row])
    if table.det() == 0:
        return None
    rows = [[Fraction(int(x.p), int(x.q)) for x in row] for row in table.inv().tolist()]
    return [[boxes.point(Fraction(round(x * 2**60), 2**60)) for x in row] for row in rows]


def stability_holds(net: Net, claim: dict) -> bool | None:
    """Count multipliers by their enclosures."""
    holds = decide(net, claim["cycle"])
    counts = claim["inside"] + claim["outside"] == net.dimension and min(claim["inside"], claim["outside"]) >= 0
    found = matches_moduli(jacobians_along(net, claim["cycle"], boxes.PRECISION), [Fraction(1)], [claim["inside"]])
    return all_true(holds, counts, found)


def moduli_hold(net: Net, claim: dict) -> bool | None:
    """Count multipliers below each rate^k."""
    holds = decide(net, claim["cycle"])
    rates = [number(rate) for rate in claim["rates"]]
    return all_true(holds, matches_moduli(jacobians_along(net, claim["cycle"], boxes.PRECISION), rates, claim["counts"]))


def all_true(*parts: bool | None) -> bool | None:
    """Return the three-valued conjunction."""
    return False if False in parts else None if None in parts else True


def pieces_hold(net: Net, claim: dict) -> bool | None:
    """Compare with the function found from the network."""
    line, knots = scalar_line(net), [number(x) for x in claim["knots"]]
    if line is None or knots != sorted(set(knots)):
        return None if line is None else False
    values = [number(x) for x in claim["values"]]
    other = Line(knots, values, number(claim["left"]), number(claim["right"]))
    spots = sorted({*line.knots, *knots})
    spots = [spots[0] - 2, spots[0] - 1, *spots, spots[-1] + 1, spots[-1] + 2]
    return all(line(x) == other(x) for x in spots)


def all_cycles_hold(net: Net, claim: dict) -> bool | None:
    """Solve F^k(x) = x for every k."""
    line = scalar_line(net)
    if line is None or claim["up_to"] > MOST_POWER:
        return None
    orbits = [[row[0] for row in table(cycle["points"])] for cycle in claim["cycles"]]
    if not all(exact_cycle_holds(net, cycle) for cycle in claim["cycles"]) or any(len(orbit) > claim["up_to"] for orbit in orbits):
        return False
    spans = [(k, *(None if x is None else number(x) for x in ends)) for k, *ends in claim["residual"]]
    listed = {x for orbit in orbits for x in orbit}
    if len(listed) != sum(map(len, orbits)):
        return False
    for k in range(1, claim["up_to"] + 1):
        isolated, idle = line.solutions(k)
        if any(x not in listed and not any(inside(x, (low, high)) for _, low, high in spans) for x in isolated):
            return False
        named = [span for m, *span in spans if m == k]
        middles = [_middle(span) for span in named]
        if any(line.power(x, k) != x for x in middles) or (2 * k > claim["up_to"] and bool(idle) != bool(named)):
            return False
    return True


def _middle(span: list) -> Fraction:
    low, high = span
    if low is None or high is None:
        return Fraction(0) if low is high else high - 1 if low is None else low + 1
    return (low + high) / 2


def no_odd_period_holds(net: Net, claim: dict) -> bool | None:
    """Solve F^q(x) = x for the small odd q."""
    line = scalar_line(net)
    if line is None:
        return None
    found = [q for q in range(3, min(claim["period"], MOST_PERIOD) + 1, 2) if q in line.periods(q)]
    open_ended = any(line.solutions(q)[1] for q in (1, 3, 5))
    return False if found else True if claim["period"] <= MOST_PERIOD and not open_ended else None


def li_yorke_holds(net: Net, claim: dict) -> bool | None:
    """Iterate the point; the radius with the least Lipschitz constant at hand."""
    orbit, start = [boxes.point(number(claim["point"]))], number(claim["point"])
    for _ in range(3):
        orbit += net.run(orbit[-1:], boxes.PRECISION)[0]
    (_, one, two, three), sign = orbit, 1
    if one[1] < start:
        (one, two, three), sign = ([(-x[1], -x[0]) for x in (one, two, three)]), -1
    gaps = [one[0] - sign * start, two[0] - one[1], sign * start - three[1]]
    if gaps[0] <= 0 or gaps[1] <= 0 or gaps[2] < 0:
        return False if net.exact and net.linear else None
    if claim["sup_radius"] is None:
        return True
    line, radius = scalar_line(net), number(claim["sup_radius"])
    slope = line.lipschitz() if line else boxes.norm(net.slopes(None))
    return True if 0 < radius < gaps[0] and radius * (2 + slope) < gaps[1] and radius * (1 + slope + slope**2) <= gaps[2] else None


def odd_period_holds(net: Net, claim: dict) -> bool | None:
    """Look for a cycle of a small odd period."""
    line, bound = scalar_line(net), claim["bound"]
    if line is None:
        return None
    if any(q in line.periods(q) for q in range(3, min(bound, MOST_PERIOD) + 1, 2)):
        return True
    return False if bound <= MOST_PERIOD and not any(line.solutions(q)[1] for q in range(1, bound + 1, 2)) else None


def forced_periods_hold(net: Net, claim: dict) -> bool | None:
    """Look for a cycle of the period itself."""
    line, period = scalar_line(net), claim["period"]
    if line is None or not 1 <= period <= MOST_POWER:
        return None
    return True if period in line.periods(period) else None if line.solutions(period)[1] else False


def entropy_lower_holds(net: Net, claim: dict) -> bool | None:
    """Compare with own bounds: coverings of a fine partition below, laps and slopes above."""
    line, rate, iterate = scalar_line(net), number(claim["rate"]), claim["iterate"]
    if rate <= 1:
        return True if rate > 0 else None
    if line is None:
        return None
    if any(rate**n > ceiling**iterate for n, ceiling in ceilings(line)):
        return False
    if covers_exactly(line, iterate, rate):
        return True
    return True if any(floor**iterate >= rate**n for n, floor in entropy_floor(line, iterate)) else None


def entropy_upper_holds(net: Net, claim: dict) -> bool | None:
    """Compare with own bounds from the other side."""
    line, rate, iterate = scalar_line(net), number(claim["rate"]), claim["iterate"]
    if line is None:
        return True if net.dimension == 1 and rate**1 >= boxes.norm(net.slopes(None)) ** iterate and rate >= 1 else None
    if rate >= 1 and any(rate**n >= ceiling**iterate for n, ceiling in ceilings(line, iterate)):
        return True
    return False if any(floor**iterate > rate**n for n, floor in entropy_floor(line, 1)) else None


def ceilings(line: Line, more: int = 1) -> list:
    """Return pairs (n, c) with h <= log(c) / n."""
    powers = sorted({1, 2, 3, 4, min(more, MOST_POWER)})
    return [(n, max(Fraction(1), min(Fraction(line.laps(n)), line.lipschitz(n)))) for n in powers]


def scrambled_set_holds(net: Net, _: dict) -> bool | None:
    """Look for a period that is no power of two, or for order."""
    line = scalar_line(net)
    if line is None:
        return None
    if any(line.periods(k) - {1, 2, 4, 8, None} for k in (3, 5, 6, 7)) or any(floor > 1 for _, floor in entropy_floor(line, 1)):
        return True
    return False if any(line.settles(n) for n in range(2)) and line.left >= 0 <= line.right else None


def contraction_holds(net: Net, claim: dict) -> bool | None:
    """Decide whether some d > 0 has N d <= c d: surely if (c - N) d = 1 has a positive solution."""
    rate, width = number(claim["rate"]), net.dimension
    bound = [[boxes.size(entry) for entry in row] for row in net.slopes(None)]
    if claim["claim"] == "contraction" and not 0 < rate < 1:
        return None
    if all(sum(row) <= rate for row in bound):
        return True
    weights = boxes.solve([[rate * (i == j) - bound[i][j] for j in range(width)] for i in range(width)], [Fraction(1)] * width)
    return True if weights is not None and all(weight > 0 for weight in weights) else None


def order_holds(net: Net, claim: dict) -> bool | None:
    """Solve F^(2^(m+1))(x) = x for m <= n; monotone maps by their slopes."""
    ((slope,),) = net.slopes(None) if net.dimension == 1 else [[(Fraction(-1), Fraction(1))]]
    if slope[0] >= 0 or (slope[1] <= 0 and claim["exponent"] >= 1):
        return True
    line = scalar_line(net)
    if line is None:
        return None
    if any(line.settles(n) for n in range(min(claim["exponent"], 3) + 1)):
        return True
    allowed = 2 ** claim["exponent"]
    return False if any(p is not None and allowed % p for k in (3, 4, 5, 6) for p in line.periods(k)) else None


def cycles_in_box_hold(net: Net, claim: dict) -> bool | None:
    """Look for further cycles and prove that there are none."""
    return all_in_box_hold(net, claim, decide)


TRUTHS: dict[str, Callable[[Net, dict], bool | None]] = {
    "exact_cycle": exact_cycle_holds,
    "cycle": cycle_holds,
    "ball_cycle": ball_cycle_holds,
    "stability": stability_holds,
    "multiplier_moduli": moduli_hold,
    "pieces": pieces_hold,
    "all_cycles": all_cycles_hold,
    "cycle_counts": cycle_counts_hold,
    "one_point": one_point_holds,
    "no_odd_period": no_odd_period_holds,
    "li_yorke": li_yorke_holds,
    "odd_period": odd_period_holds,
    "forced_periods": forced_periods_hold,
    "entropy_lower": entropy_lower_holds,
    "entropy_upper": entropy_upper_holds,
    "scrambled_set": scrambled_set_holds,
    "contraction": contraction_holds,
    "exponent_upper": contraction_holds,
    "order": order_holds,
    **SPACE_TRUTHS,
    **EVENT_TRUTHS,
    **BOX_TRUTHS,
    **FINITE_TRUTHS,
    **CONTRACTION_TRUTHS,
    "cycles_in_box": cycles_in_box_hold,
}
INTERVAL: dict[str, Callable[[Net, dict], bool | None]] = {
    "cycle": cycle_in_intervals,
    "ball_cycle": ball_cycle_holds,
    "contraction": contraction_holds,
    "exponent_upper": contraction_holds,
    "li_yorke": li_yorke_holds,
    "stability": stability_holds,
    "multiplier_moduli": moduli_hold,
    "covering_graph": SPACE_TRUTHS["covering_graph"],
    "trapping_box": SPACE_TRUTHS["trapping_box"],
    **CONTRACTION_TRUTHS,
    **{kind: SPACE_TRUTHS[kind] for kind in ("exponent_bounds", "volume_bounds", "driven_exponents", "driven_contraction")},
}
