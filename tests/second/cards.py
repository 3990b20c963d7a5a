# mypy: disable-error-code="no-any-return"
"""The cards on the line (one state), checked naively. Each returns the claim as JSON or refuses."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from tests.second import boxes
from tests.second.line import from_claim, kinks
from tests.second.nets import Net
from tests.second.text import Json, integer, items, need, number, numbers, spell, string, table, take

CYCLES = ("exact_cycle", "cycle", "ball_cycle")
MOST_SPLIT = 6


class Step:
    """One step: the network, its witness, the cited facts in order."""

    def __init__(self, net: Net, witness: Json, cited: list) -> None:
        self.net, self.witness, self.cited = net, witness, list(cited)

    def fields(self, needed: str, allowed: str = "") -> dict:
        """Return the witness if it has these fields."""
        return take(self.witness, needed, allowed)

    def bits(self) -> int:
        """Return the precision asked for; smooth networks must name one."""
        if "bits" in self.witness:
            return integer(self.witness["bits"], 8, 100_000)
        need(self.net.linear, "a smooth network needs bits")
        return 0

    def cite(self, *kinds: str) -> dict:
        """Return the next cited claim, of one of these kinds."""
        need(len(self.cited) > 0, "no further citation")
        fact = self.cited.pop(0)
        need(fact["claim"] in kinds, f"a citation of {kinds}")
        return fact

    def scalar(self) -> None:
        """Refuse more than one state."""
        need(self.net.dimension == 1, "one state")

    def lipschitz(self) -> Fraction:
        """Return the largest slope, by the cited table or globally."""
        return from_claim(self.cite("pieces")).lipschitz() if self.cited else boxes.norm(self.net.slopes(None))

    def orbit(self, start: Fraction, times: int) -> list:
        """Return enclosures of the orbit."""
        bits, orbit = self.bits(), [boxes.point(start)]
        for _ in range(times):
            orbit += self.net.run(orbit[-1:], bits)[0]
        return orbit


def pieces(step: Step) -> dict:
    """A0: sample every register at all kinks; where a slope changes there is a knot."""
    step.scalar()
    need(step.net.exact and step.net.linear, "exact and piecewise linear")
    most = integer(step.fields("max_knots")["max_knots"], 1, 2**19)
    spots, samples = sampled(step.net, most)
    values = [sample[-1][0][0] for sample in samples]
    knots = bends(spots, values) or [Fraction(0)]
    line = dict(zip(spots, values, strict=True))
    at_knots = [line[x] if x in line else step.net.run([boxes.point(x)])[0][0][0] for x in knots]
    outer = {"left": spell(values[1] - values[0]), "right": spell(values[-1] - values[-2])}
    return {"claim": "pieces", "knots": list(map(spell, knots)), "values": list(map(spell, at_knots)), **outer}


def sampled(net: Net, most: int) -> tuple[list, list]:
    """Return points with all kinks between the first and the last, and all registers there. **Raises:** Refused beyond ``most`` knots."""
    spots = sorted(kinks(net))
    spots = [spots[0] - 1, *spots, spots[-1] + 1]
    samples = [net.registers([boxes.point(x)])[0] for x in spots]
    units = [(register, unit) for register in range(1, len(samples[0])) for unit in range(len(samples[0][register]))]
    knots_of = (len(bends(spots, [sample[register][unit][0] for sample in samples])) for register, unit in units)
    need(sum(knots_of) <= most, "too many knots")
    return spots, samples


def bends(spots: list, values: list) -> list:
    """Return the inner spots at which the slope changes."""
    slopes = [(d - c) / (b - a) for (a, b), (c, d) in zip(pairwise(spots), pairwise(values), strict=True)]
    return [x for x, (one, two) in zip(spots[1:-1], pairwise(slopes), strict=True) if one != two]


def all_cycles(step: Step) -> dict:
    """A4 on the line."""
    line = from_claim(step.cite("pieces"))
    fields = step.fields("up_to max_knots")
    up_to, most = integer(fields["up_to"], 1, 4096), integer(fields["max_knots"], 1, 2**19)
    cycles = [step.cite("exact_cycle") for _ in list(step.cited)]
    orbits = [[row[0] for row in table(cycle["points"])] for cycle in cycles]
    need(all(len(orbit) <= up_to for orbit in orbits), "a listed period is too long")
    listed = [x for orbit in orbits for x in orbit]
    need(len(set(listed)) == len(listed), "a cycle is listed twice")
    residual = []
    for k in range(1, up_to + 1):
        need(k == 1 or line.bends(k) <= most, "too many knots")
        if 2 * k > up_to:
            isolated, spans = line.solutions(k)
            need(all(x in listed for x in isolated), f"a cycle of period dividing {k} is missing")
            residual += [[k, low if low is None else spell(low), high if high is None else spell(high)] for low, high in spans]
    return {"claim": "all_cycles", "up_to": up_to, "cycles": cycles, "residual": residual}


def no_period(step: Step) -> dict:
    """A6."""
    step.scalar()
    period = integer(step.fields("period")["period"], 3, 999)
    need(period % 2 == 1, "an odd period")
    slope = step.lipschitz()
    need(slope == 0 or slope**period < 2 * slope ** (period - 2) + 1, "the slope is too large")
    return {"claim": "no_odd_period", "period": period}


def li_yorke(step: Step) -> dict:
    """B1."""
    step.scalar()
    fields = step.fields("point", "sup_radius bits")
    start = number(fields["point"])
    _, one, two, three = step.orbit(start, 3)
    up = one[0] > start and two[0] > one[1] and three[1] <= start
    down = one[1] < start and two[1] < one[0] and three[0] >= start
    need(up or down, "not the inequalities of Li and Yorke")
    claim = {"claim": "li_yorke", "point": spell(start), "sup_radius": None}
    if "sup_radius" not in fields:
        return claim
    radius, slope = number(fields["sup_radius"]), step.lipschitz()
    u = (one[0] - start) if up else (start - one[1])
    v = (two[0] - one[1]) if up else (one[0] - two[1])
    w = (start - three[1]) if up else (three[0] - start)
    need(0 < radius < u and radius * (2 + slope) < v and radius * (1 + slope + slope * slope) <= w, "the radius is too large")
    return {**claim, "sup_radius": spell(radius)}


def odd_period(step: Step) -> dict:
    """B2."""
    step.scalar()
    fields = step.fields("point times", "bits")
    times, start = integer(fields["times"], 3, 100_000), number(fields["point"])
    need(times % 2 == 1, "an odd number of steps")
    orbit = step.orbit(start, times)
    up, down = orbit[1][0] > start >= orbit[-1][1], orbit[1][1] < start <= orbit[-1][0]
    need(up or down, "the point does not come back on the other side")
    return {"claim": "odd_period", "bound": times}


def _period(fact: dict) -> int:
    return 3 if fact["claim"] == "li_yorke" else fact["bound"] if fact["claim"] == "odd_period" else len(fact["points"])


def sharkovskii(step: Step) -> dict:
    """B3, the order."""
    step.scalar()
    step.fields("")
    return {"claim": "forced_periods", "period": _period(step.cite(*CYCLES, "li_yorke"))}


def entropy_from_period(step: Step) -> dict:
    """B3, the entropy."""
    step.scalar()
    odd, power = _period(step.cite(*CYCLES, "odd_period", "li_yorke")), 1
    while odd % 2 == 0:
        odd, power = odd // 2, power * 2
    need(1 < odd <= 9999, "a period that is no power of two")
    rate = number(step.fields("rate")["rate"])
    need(rate > 0 and rate**odd - 2 * rate ** (odd - 2) <= 1, "the rate is too large")
    return {"claim": "entropy_lower", "rate": spell(rate), "iterate": power}


def covering_intervals(step: Step) -> dict:
    """B4."""
    step.scalar()
    fields = step.fields("iterate intervals extremes weights rate", "bits")
    times, rate = integer(fields["iterate"], 1, 100_000), number(fields["rate"])
    spans, extremes, weights = table(fields["intervals"]), table(fields["extremes"]), numbers(fields["weights"])
    step.bits()
    need(0 < len(spans) == len(extremes) == len(weights) and all(len(pair) == 2 for pair in spans + extremes), "lengths")
    need(all(low < high for low, high in spans), "a degenerate interval")
    need(all(one[1] <= two[0] for one, two in pairwise(spans)), "intervals that overlap or are not in order")
    need(all(low <= x <= high for (low, high), pair in zip(spans, extremes, strict=True) for x in pair), "an extreme outside its interval")
    need(rate > 0 and all(v > 0 for v in weights), "positive weights")
    line = from_claim(step.cite("pieces")) if step.cited else None

    def last(x: Fraction) -> tuple:
        return boxes.point(line.power(x, times)) if line else step.orbit(x, times)[-1]

    for (c, d), weight in zip(extremes, weights, strict=True):
        bottom, top = last(c)[1], last(d)[0]
        covered = [v for (low, high), v in zip(spans, weights, strict=True) if bottom <= low and high <= top]
        need(sum(covered) >= rate * weight, "T v >= r v fails")
    return {"claim": "entropy_lower", "rate": spell(rate), "iterate": times}


def entropy_gives_scrambling(step: Step) -> dict:
    """B8."""
    step.fields("")
    need(number(step.cite("entropy_lower", "covering_graph")["rate"]) > 1, "no positive entropy")
    return {"claim": "scrambled_set"}


def entropy_upper(step: Step) -> dict:
    """C4."""
    step.scalar()
    fields = step.fields("iterate by", "max_knots")
    iterate, by = integer(fields["iterate"], 1, 4096), string(fields["by"])
    need(by in {"laps", "slope"}, "laps or slope")
    if not step.cited:
        need("max_knots" not in fields and iterate == 1 and by == "slope", "a table is needed")
        rate = boxes.norm(step.net.slopes(None))
    else:
        line, most = from_claim(step.cite("pieces")), integer(fields.get("max_knots"), 1, 2**19)
        need(all(line.bends(k) <= most for k in range(2, iterate + 1)), "too many knots")
        rate = Fraction(line.laps(iterate)) if by == "laps" else line.lipschitz(iterate)
    return {"claim": "entropy_upper", "rate": spell(max(rate, Fraction(1))), "iterate": iterate}


def contraction(step: Step) -> dict:
    """C1 (i)."""
    fields = step.fields("weights rate", "bits")
    weights, rate = numbers(fields["weights"]), number(fields["rate"])
    step.bits()
    need(len(items(fields["weights"])) == step.net.dimension and all(d > 0 for d in weights) and rate > 0, "positive weights and rate")
    for row, weight in zip(step.net.slopes(None), weights, strict=True):
        need(sum(boxes.size(entry) * d for entry, d in zip(row, weights, strict=True)) <= rate * weight, "N d <= c d fails")
    return {"claim": "contraction" if rate < 1 else "exponent_upper", "rate": spell(rate)}


def coppel(step: Step) -> dict:
    """C3. A certificate for a large n is accepted when the condition holds already for a smaller one (periods dividing 2^m divide 2^n)."""
    step.scalar()
    if "monotone" in step.witness:
        fields = step.fields("monotone", "bits")
        step.bits()
        ((slope,),) = step.net.slopes(None)
        need(string(fields["monotone"]) in {"increasing", "decreasing"}, "a direction")
        rising = fields["monotone"] == "increasing"
        need(slope[0] >= 0 if rising else slope[1] <= 0, "not monotone")
        return {"claim": "order", "exponent": 0 if rising else 1}
    line, fields = from_claim(step.cite("pieces")), step.fields("exponent max_knots")
    exponent, most = integer(fields["exponent"], 0, 20), integer(fields["max_knots"], 1, 2**19)
    need(exponent > 1 or line.bends(2 ** (exponent + 1)) <= most, "too many knots")
    need(any(line.settles(n) for n in range(min(exponent, MOST_SPLIT - 1) + 1)), "periods that do not divide 2^n")
    return {"claim": "order", "exponent": exponent}


CARDS: dict[str, Callable[[Step], dict]] = {
    card.__name__: card
    for card in (
        pieces, all_cycles, no_period, li_yorke, odd_period, sharkovskii, entropy_from_period, covering_intervals,
        entropy_gives_scrambling, entropy_upper, contraction, coppel,
    )
}  # fmt: skip
