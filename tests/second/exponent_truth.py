# mypy: disable-error-code="no-any-return"
"""Are claims about exponents true? Without a witness: exact chains on the line, walks on a grid of boxes, and orbits in floats."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise, product

from tests.second import boxes
from tests.second.cards import bends
from tests.second.exponents import determinant_bounds, driven_by, jacobians_over, meet, reached, read_rank, scalar
from tests.second.line import kinks
from tests.second.multipliers import matches_moduli
from tests.second.nets import Net
from tests.second.orbits import HALF, WHOLE, float_det, follow, growth, log, start_in
from tests.second.text import Json, Refused, number, numbers, table

MOST_POINTS = 24
MOST_BOXES = 64
PARTS = (1, 2, 4, 8, 16, 64)
COARSE = 32
MOST_WALKS = 40_000
MARGIN = 0.02
NEARLY = 1e-9
LEAST = -20.0  # logarithm of determinants that rounding makes of 0


def markov_exponent_holds(net: Net, claim: dict) -> bool | None:
    """Cut the spans at all images of knots and ends: if these are finitely many, solve each closed class of the chain exactly."""
    spans, slopes, weights = table(claim["spans"]), numbers(claim["slopes"]), numbers(claim["weights"])
    ordered = all(a < b for a, b in spans) and all(one[1] < two[0] for one, two in pairwise(spans)) and spans != []
    if not ordered or sum(weights) != 1 or min(weights) <= 0 or min(slopes) <= 0 or slopes != sorted(set(slopes)):
        return False
    form, line = scalar(net)
    if numbers(claim["form"]) != form:
        return None
    stated, value = dict(zip(slopes, weights, strict=True)), mean_log(dict(zip(slopes, weights, strict=True)))
    cells = partition(line, spans)
    found = [] if cells is None else classes(line, cells)
    if found:
        return True if all(law == stated for law in found) else False if any(abs(mean_log(law) - value) > NEARLY for law in found) else None
    return False if found == [] and cells is not None else wanders(line, spans, value)


def mean_log(law: dict) -> float:
    """Return the mean of the logarithms of the slopes."""
    return math.fsum(float(weight) * log(slope) for slope, weight in law.items())


def value_at(line: Net, x: Fraction) -> Fraction:
    """Return f(x)."""
    return line.run([boxes.point(x)])[0][0][0]


def partition(line: Net, spans: list) -> list | None:
    """Return the spans cut at their knots and all images of these; None if they are too many or lead out of the spans."""
    points = {x for span in spans for x in span}
    places = kinks(line)
    places = [places[0] - 1, *places, places[-1] + 1]
    points |= {x for x in bends(places, [value_at(line, x) for x in places]) if any(a < x < b for a, b in spans)}
    fresh = set(points)
    while fresh:
        fresh = {value_at(line, x) for x in fresh} - points
        points |= fresh
        if len(points) > MOST_POINTS or any(not any(a <= x <= b for a, b in spans) for x in fresh):
            return None
    return [(a, b) for a, b in pairwise(sorted(points)) if any(c <= a and b <= d for c, d in spans)]


def classes(line: Net, cells: list) -> list:
    """Return the law of the slope in each closed class of cells; [] where a cell is flat, which gives -infinity."""
    images, slopes = [], []
    for low, high in cells:
        bottom, top = sorted((value_at(line, low), value_at(line, high)))
        if bottom == top:
            return []
        slopes.append((top - bottom) / (high - low))
        images.append({j for j, (a, b) in enumerate(cells) if bottom <= a and b <= top})
    laws, seen = [], set[int]()
    for start in range(len(cells)):
        circle = reached(images, start)
        if start in seen or not all(start in reached(images, j) for j in circle):
            continue
        seen |= circle
        order = sorted(circle)
        matrix = [
            [(cells[j][1] - cells[j][0]) / (slopes[i] * (cells[i][1] - cells[i][0])) * (j in images[i]) - (i == j) for i in order]
            for j in order
        ]
        masses: Json = boxes.solve([*matrix[:-1], [Fraction(1)] * len(order)], [Fraction(0)] * (len(order) - 1) + [Fraction(1)])
        law: dict = {}
        for i, mass in zip(order, masses, strict=True):
            law[slopes[i]] = law.get(slopes[i], Fraction(0)) + mass
        laws.append(law)
    return laws


def wanders(line: Net, spans: list, value: float) -> bool | None:
    """Follow jittered points, put back into the spans; False where the mean is clearly another."""
    random_numbers, means = random.Random(7), []
    for _ in range(4):
        low, high = random_numbers.choice(spans)
        x, total = float(low) + random_numbers.random() * float(high - low), 0.0
        for _ in range(HALF * 4):
            image, rows = follow(line, [x], [1.0])
            if rows[0] == 0:
                return None
            total += math.log(abs(rows[0]))
            x = min(
                (min(max(image[0] * (1 + 1e-13 * random_numbers.random()), float(a)), float(b)) for a, b in spans), key=nearest(image[0])
            )
        means.append(total / (HALF * 4))
    return False if abs(sum(means) / 4 - value) > 0.1 + 4 * (max(means) - min(means)) else None


def nearest(place: float) -> Json:
    """Return the distance from a place, as a key."""
    return lambda x: abs(x - place)


def against(rate: float | None, claim: dict) -> bool:
    """Say whether a measured rate is clearly outside the bounds; one vector grows at most like the norm."""
    above = claim["upper"] is not None and rate is not None and rate > log(number(claim["upper"])) + MARGIN
    return above or (claim["lower"] is not None and rate is not None and rate < log(number(claim["lower"])) - MARGIN)


def grid(root: list, parts: int) -> list:
    """Return boxes that cover a box, so many across each side; none if these are too many."""
    if parts ** len(root) > MOST_BOXES:
        return []
    cuts = [[a + (b - a) * i / parts for i in range(parts + 1)] if a < b else [a, b] for a, b in root]
    return [list(cell) for cell in product(*(list(pairwise(line)) for line in cuts))]


def walks_prove(nets: list, moves: list, nodes: int, root: list, rate: Fraction, side: str) -> bool:
    """Try grids of more and more boxes."""
    grids = [cells for parts in PARTS if (cells := grid(root, parts))] if root else [[[]]]
    return any(through(cells, nets, moves, nodes, root, rate, side) for cells in grids)


def through(cells: list, nets: list, moves: list, nodes: int, root: list, rate: Fraction, side: str) -> bool:
    """Say whether products of norms (of slopes, on the line) along all walks through the boxes keep to the rate."""
    sizes = [weighed(net, cell, side, root) for net in nets for cell in cells]
    if None in sizes:
        return False
    images = [image_of(net, cell) for net in nets for cell in cells] if root else [[]] * len(nets)
    leads = [[j for j, other in enumerate(cells) if meet(image, other)] for image in images]
    count = len(cells)
    if sum(len(leads[s * count + i]) for _, s, _ in moves for i in range(count)) > MOST_WALKS:
        return False
    best = [[Fraction(1)] * count for _ in range(nodes)]
    pick, limit = (max, Fraction(1)) if side == "upper" else (min, Fraction(1))
    for _ in range(24):
        limit *= rate
        further: list = [[None] * count for _ in range(nodes)]
        for a, s, b in moves:
            for i, value in enumerate(best[a]):
                if value is None:
                    continue
                reach = value * sizes[s * count + i]
                for j in leads[s * count + i]:
                    further[b][j] = reach if further[b][j] is None else pick(further[b][j], reach)
        best = [[shorter(value, side) for value in row] for row in further]
        held = [value for row in best for value in row if value is not None]
        if all(value <= limit if side == "upper" else value >= limit for value in held):
            return True
    return False


def shorter(value: Json, side: str) -> Json:
    """Round up or down to 60 leading bits."""
    if not value:
        return value
    shift = 60 + value.denominator.bit_length() - value.numerator.bit_length()
    scaled = value * Fraction(2) ** shift
    return (Fraction(math.ceil(scaled)) if side == "upper" else Fraction(math.floor(scaled))) / Fraction(2) ** shift


def image_of(net: Net, cell: list) -> list:
    """Return an enclosure of F over a box."""
    return [rounded(x) for x in net.run(cell, boxes.PRECISION)[0]]


def rounded(x: tuple) -> tuple:
    """Round an interval outward to 32 bits behind the point, so that products stay short."""
    unit = 2**COARSE
    return Fraction(math.floor(x[0] * unit), unit), Fraction(math.ceil(x[1] * unit), unit)


def weighed(net: Net, cell: list, side: str, root: list) -> Fraction | None:
    """Return the largest norm of the Jacobians over a box, or with one state the least slope."""
    matrices = jacobians_over(net, cell, boxes.PRECISION) if root else [net.slopes(None, boxes.PRECISION)]
    if side == "upper":
        return shorter(max(map(boxes.norm, matrices)), side)
    if net.dimension > 1:
        return None
    return shorter(min(max(cell[0], -cell[1], Fraction(0)) for matrix in matrices for row in matrix for cell in row), side)


def bounds_hold(nets: list, moves: list, root: list, claim: dict, *, exact: bool) -> bool | None:
    """Refute by random walks with random starts; prove by walks through a grid."""
    chance = random.Random(11)
    nodes = 1 + max(max(a, b) for a, _, b in moves)
    if claim["lower"] is None and claim["upper"] is None:
        return False
    if any(number(claim[side]) <= 0 for side in ("lower", "upper") if claim[side] is not None):
        return False
    for seed in range(6 if exact else 0):
        path = random_walk(moves, chance)
        if path and against(growth([nets[s] for s in path], start_in(root, nets[0].dimension, chance), seed), claim):
            return False
    wanted = [(number(claim[side]), side) for side in ("lower", "upper") if claim[side] is not None]
    return True if all(walks_prove(nets, moves, nodes, root, rate, side) for rate, side in wanted) else None


def random_walk(moves: list, chance: random.Random) -> list:
    """Return the symbols of a long random walk; none where it gets stuck."""
    node, path = chance.choice(moves)[0], []
    for _ in range(WHOLE):
        choices = [move for move in moves if move[0] == node]
        if not choices:
            return []
        _, symbol, node = chance.choice(choices)
        path.append(symbol)
    return path


def driven_exponents_hold(net: Net, claim: dict) -> bool | None:
    """Let random walks drive random points of the box, which no input may lead out of it."""
    nets = [driven_by(net, {str(i): bias for i, bias in symbol})[1] for symbol in claim["symbols"]]
    root = list(zip(numbers(claim["low"]), numbers(claim["high"]), strict=True))
    if any(not 0 <= s < len(nets) for _, s, _ in claim["edges"]) or any(a > b for a, b in root):
        return False
    if root and not all(stays(one, root) for one in nets):
        return None
    return bounds_hold(nets, claim["edges"], root, claim, exact=net.exact)


def stays(net: Net, root: list) -> bool:
    """Say whether F maps the box into itself, part by part."""
    cells = next(found for parts in (8, 4, 2, 1) if (found := grid(root, parts)) or parts == 1) or [root]
    images = [net.run(cell, boxes.PRECISION)[0] for cell in cells]
    return all(a <= x[0] and x[1] <= b for image in images for x, (a, b) in zip(image, root, strict=True))


def smooth_bounds_hold(net: Net, claim: dict) -> bool | None:
    """Decide bounds in a box: one input, one node."""
    inside = claim["inside"]
    if inside is None or inside["claim"] not in {"trapping_box", "trapping_polytope"}:
        return None
    if inside["claim"] == "trapping_polytope" and net.dimension > 1:
        return None
    if inside["claim"] == "trapping_box":
        root = list(zip(numbers(inside["low"]), numbers(inside["high"]), strict=True))
    else:
        facets = table(inside["facets"])
        root = [(max(-b / a for a, b in facets if a > 0), min(-b / a for a, b in facets if a < 0))]
    return bounds_hold([net], [[0, 0, 0]], root, claim, exact=net.exact)


def driven_contraction_holds(net: Net, claim: dict) -> bool | None:
    """Decide whether some maximum norm with weights contracts; refute by random walks among random biases."""
    rate, chance = number(claim["rate"]), random.Random(3)
    if any(name == "mul" for name, *_ in net.program):
        return None
    bound = [[boxes.size(cell) for cell in row] for row in net.slopes(None)]
    weights = boxes.solve(
        [[rate * (i == j) - cell for j, cell in enumerate(row)] for i, row in enumerate(bound)], [Fraction(1)] * len(bound)
    )
    if all(sum(row) <= rate for row in bound) or (weights is not None and min(weights) > 0):
        return True
    nets = []
    for _ in range(8):
        program = [
            (name, of, ms, [[boxes.point(Fraction(chance.randrange(-64, 65), 16))] for _ in bias]) for name, of, ms, bias in net.program
        ]
        nets.append(Net(net.dimension, program))
    found = {"lower": None, "upper": claim["rate"]}
    walks = ([chance.choice(nets) for _ in range(WHOLE)] for _ in range(6))
    return False if any(against(growth(walk, start_in([], net.dimension, chance), 5), found) for walk in walks) else None


def volume_bounds_hold(net: Net, claim: dict) -> bool | None:
    """Enclose determinants part by part; refute at points that stay in the box, and the rank by longer products."""
    low, high, size = number(claim["lower"]), number(claim["upper"]), net.dimension
    if not 0 <= low <= high or claim["states"] != size or not 0 <= claim["rank"] <= size:
        return False
    root = list(zip(numbers(claim["low"]), numbers(claim["high"]), strict=True))
    if any(a > b for a, b in root) or len(root) not in {0, size}:
        return False
    if net.exact and any(escapes_volume(net, claim, root, seed) for seed in range(6)):
        return False
    try:
        found = determinant_bounds(net, root or None, boxes.PRECISION)
    except Refused:
        return None
    return True if low <= found[0] and found[1] <= high and claim["rank"] >= read_rank(net) else None


def escapes_volume(net: Net, claim: dict, root: list, seed: int) -> bool:
    """Say whether the mean of log |det| along a long orbit that stays is clearly outside the bounds, or a product has a larger rank."""
    chance = random.Random(seed)
    state, total, size = start_in(root, net.dimension, chance), 0.0, net.dimension
    for _ in range(60):
        columns = [follow(net, state, [float(i == j) for i in range(size)])[1] for j in range(size)]
        value = abs(float_det(columns))
        if not value < math.inf:
            return False
        total += math.log(max(value, 1e-300))
        state = follow(net, state, [0.0] * size)[0]
        if not all(map(math.isfinite, state)):
            return False
        if root and not all(float(a) <= x <= float(b) for x, (a, b) in zip(state, root, strict=True)):
            return False
    mean, low, high = total / 60, number(claim["lower"]), number(claim["upper"])
    if claim["rank"] < size and mean > math.log(NEARLY):
        return True
    return bool((mean < log(low) - MARGIN) or (mean > max(log(high), LEAST) + MARGIN))


def attracted_holds(net: Net, claim: dict) -> bool | None:
    """Follow one orbit to the fixed point and count the multipliers there; True only for a contraction in the maximum norm."""
    state = [boxes.ZERO] * net.dimension
    for _ in range(200):
        state = [boxes.point(rounded(x)[0]) for x in net.run(state, boxes.PRECISION)[0]]
    below = matches_moduli([net.slopes(state, boxes.PRECISION)], [number(claim["rate"])], [net.dimension])
    if below is not True:
        return below if net.exact else None
    contracts = all(name != "mul" for name, *_ in net.program) and boxes.norm(net.slopes(None)) < 1
    return True if contracts and net.exact else None


TRUTHS = {
    "attracted": attracted_holds,
    "markov_exponent": markov_exponent_holds,
    "volume_bounds": volume_bounds_hold,
    "driven_exponents": driven_exponents_hold,
    "driven_contraction": driven_contraction_holds,
}
