# mypy: disable-error-code="no-any-return"
"""D9 naively: bounds of secant matrices, or sectors of slopes as a quadratic form built term by term; then pairs of points."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from tests.second import boxes
from tests.second.cards import Step
from tests.second.exponents import driven_by, sides
from tests.second.finite_times import GUARD, coarse, read_symbols
from tests.second.floats import Floats, rates
from tests.second.forms import is_positive, is_symmetric
from tests.second.nets import Net, read_matrix
from tests.second.orbits import WHOLE, log
from tests.second.text import BeyondReach, Json, items, need, number, numbers, spell

MOST_SIZE = 512
MOST_WIDE = 60
MOST_EFFORT = 2**32
PAIRS = 24
NEAR = 1e-3
SLACK = 1e-9
MARGIN = 0.01


def box_contraction(step: Step) -> dict:
    """D9."""
    net, by_form = step.net, "form" in step.witness
    fields = step.fields("low high symbols rate bits " + ("form multipliers" if by_form else "weights"))
    bits, root, rate = step.bits(), sides(fields, net), number(fields["rate"])
    spelled, nets = read_symbols(net, fields["symbols"])
    need(rate > 0, "a positive rate")
    need(effort(net, len(nets), bits, root) <= MOST_EFFORT, "too much work")
    need(all(stays(one, root, bits) for one in nets), "F leaves the box")
    if by_form:
        form, lists = read_matrix(fields["form"], net.dimension, net.dimension), [numbers(part) for part in items(fields["multipliers"])]
        need(is_symmetric(form) and is_positive(form) and len(lists) == len(nets), "a positive definite form, multipliers for each symbol")
        for one, multipliers in zip(nets, lists, strict=True):
            need(all(weight >= 0 for weight in multipliers), "a negative multiplier")
            gap = gap_of(one, root, bits, form, rate, multipliers)
            need(gap is not None and is_positive(coarse(gap, bits + GUARD)), "another number of signals, or not positive definite")

        floats = np.array([[float(q[0]) for q in row] for row in form])

        def length(ways: Json) -> Json:
            return np.sqrt(np.maximum(np.sum(ways @ floats * ways, axis=1), 0))
    else:
        weights = numbers(fields["weights"])
        need(len(weights) == net.dimension and all(d > 0 for d in weights), "positive weights")
        for one in nets:
            for row, weight in zip(one.slopes(root, bits), weights, strict=True):
                need(sum(boxes.size(x) * d for x, d in zip(row, weights, strict=True)) <= rate * weight, "N d <= c d fails")

        units = np.array(list(map(float, weights)))

        def length(ways: Json) -> Json:
            return np.max(np.abs(ways) / units, axis=1)

    need(pairs_obey(net, spelled, root, float(rate), length), "a pair of points that does not obey")
    ends = {name: [spell(span[i]) for span in root] for i, name in enumerate(("low", "high"))}
    return {"claim": "box_contraction", "symbols": spelled, **ends, "rate": spell(rate)}


def effort(net: Net, symbols: int, bits: int, root: list) -> int:
    """Count products of short numbers as the card does: of the Jacobian, a smooth unit 512, long numbers more, 16 times a symbol."""
    sizes, entries, curved = [net.dimension], 0, 0
    for name, of, matrices, bias in net.program:
        sizes.append(len(bias) if name == "affine" else sizes[of[0]])
        entries += sum(len(row) for matrix in matrices for row in matrix) if name == "affine" else sizes[-1]
        curved += sizes[-1] if name in {"tanh", "sigmoid"} else 0
    shared = math.lcm(*(2 * end.denominator for span in root for end in span))
    longest = max([shared.bit_length(), *((abs(end) * shared).numerator.bit_length() for span in root for end in span)])
    return 16 * symbols * (entries * (net.dimension + 1) + 512 * curved) * (1 + max(bits, longest) // 256) ** 2


def stays(net: Net, root: list, bits: int) -> bool:
    """Say whether the enclosure of F over the box lies in it."""
    values = [root]
    for place in range(1, len(net.program) + 1):
        mixed = shares(net, place)
        value = register(net, values, bits, spread=False)
        values.append(value if mixed is None else [between(*x) for x in zip(*(values[i] for i in mixed), strict=True)])
    return all(a <= x[0] and x[1] <= b for x, (a, b) in zip(values[-1], root, strict=True))


def gap_of(net: Net, root: list, bits: int, form: list, rate: Fraction, multipliers: list) -> list | None:
    """Return the matrix of c^2 d'Qd - F'QF - sum L (s - low a)(high a - s); None for another number of multipliers.

    Registers whose numbers do not fit the bits may be rounded, then a slope that was one number is a signal; both ways are tried.
    """
    for spread in (False, True):
        image, signals = differences(net, root, bits, spread=spread)
        if len(signals) == len(multipliers):
            break
    else:
        return None
    size, states = net.dimension + len(signals), net.dimension
    need(size <= MOST_SIZE, "too many signals")
    if size > MOST_WIDE:
        raise BeyondReach("too wide a form")
    image = [filled(row, size) for row in image]
    result = [[boxes.ZERO] * size for _ in range(size)]
    for i in range(states):
        for j in range(states):
            result[i][j] = boxes.mul(boxes.point(rate * rate), form[i][j])
            subtract(result, image[i], image[j], form[i][j])
    for number_of, ((row, (low, high)), weight) in enumerate(zip(signals, multipliers, strict=True)):
        unit = [boxes.ONE if j == states + number_of else boxes.ZERO for j in range(size)]
        pairs = list(zip(unit, filled(row, size), strict=True))
        one = [boxes.sub(u, boxes.mul(boxes.point(low), a)) for u, a in pairs]
        two = [boxes.sub(boxes.mul(boxes.point(high), a), u) for u, a in pairs]
        subtract(result, one, two, boxes.point(weight))
    return [[half(result[i][j], result[j][i]) for j in range(size)] for i in range(size)]


def shares(net: Net, number: int) -> tuple | None:
    """Return q, u, v where a register is the sum of two products (1 - q) u and q v that nothing else reads, None elsewhere."""
    name, of, *_ = net.program[number - 1]
    made = [("state", (), [], None), *net.program]
    read_by = [i for _, others, *_ in net.program for i in set(others)]
    if name != "add" or of[0] == of[1] or any(made[i][0] != "mul" or read_by.count(i) > 1 for i in of):
        return None
    (a, b), (c, d) = (made[i][1] for i in of)
    for rest, u, q, v in ((a, b, c, d), (a, b, d, c), (b, a, c, d), (b, a, d, c), (c, d, a, b), (c, d, b, a), (d, c, a, b), (d, c, b, a)):
        kind, source, matrices, bias = made[rest]
        if kind == "affine" and tuple(source) == (q,) and all(x == (1, 1) for (x,) in bias):
            size = range(len(bias))
            if all(len(row) == len(bias) for row in matrices[0]) and all(matrices[0][i][j] == (-(i == j),) * 2 for i in size for j in size):
                return q, u, v
    return None


def between(q: tuple, u: tuple, v: tuple) -> tuple:
    """Return the range of (1 - q) u + q v: an end of each range is worst."""
    corners = [(1 - s) * x + s * y for s in q for x in u for y in v]
    return min(corners), max(corners)


def half(one: tuple, two: tuple) -> tuple:
    """Return the mean of two intervals, an entry of the symmetric part."""
    return boxes.mul(boxes.point(Fraction(1, 2)), boxes.add(one, two))


def filled(row: list, size: int) -> list:
    """Fill a row up with zeros."""
    return [*row, *[boxes.ZERO] * (size - len(row))]


def subtract(table: list, one: list, two: list, factor: tuple) -> None:
    """Subtract factor times (one . x)(two . x)."""
    for i, a in enumerate(one):
        if a == boxes.ZERO:
            continue
        for j, b in enumerate(two):
            if b != boxes.ZERO:
                table[i][j] = boxes.sub(table[i][j], boxes.mul(factor, boxes.mul(a, b)))


def differences(net: Net, root: list, bits: int, *, spread: bool) -> tuple[list, list]:
    """Return the rows of F(x) - F(y) in (d, s), and of each signal s: its input a as a row, and its slopes' range."""
    rows: list = [[[boxes.ONE if i == j else boxes.ZERO for j in range(net.dimension)] for i in range(net.dimension)]]
    values = [root]
    signals: list = []
    hidden = {i for place in range(1, len(net.program) + 1) if shares(net, place) for i in net.program[place - 1][1]}
    for place, (name, of, matrices, bias) in enumerate(net.program, 1):
        value, mixed = register(net, values, bits, spread=spread), shares(net, place)
        given = [rows[i] for i in of]
        if place in hidden:
            out: list = [[] for _ in value]
        elif mixed is not None:
            q, u, v = mixed
            value = coarse([[between(*x) for x in zip(values[q], values[u], values[v], strict=True)]], bits if spread else bits + 4096)[0]
            apart = [summed([row, scaled(less, boxes.point(Fraction(-1)))]) for row, less in zip(rows[v], rows[u], strict=True)]
            turned = [passed(row, span, signals, net) for row, span in zip(apart, values[q], strict=True)]
            spans = [boxes.sub(x, y) for x, y in zip(values[v], values[u], strict=True)]
            shared = [passed(row, span, signals, net) for row, span in zip(rows[q], spans, strict=True)]
            out = [summed(parts) for parts in zip(rows[u], turned, shared, strict=True)]
        elif name == "affine":
            out = [[boxes.ZERO] for _ in bias]
            for matrix, part in zip(matrices, given, strict=True):
                out = [summed([o, *(scaled(r, w) for r, w in zip(part, row, strict=True))]) for o, row in zip(out, matrix, strict=True)]
        elif name == "add":
            out = [summed(pair) for pair in zip(*given, strict=True)]
        elif name == "mul":
            pairs = zip(given, (values[of[1]], values[of[0]]), strict=True)
            parts = [[passed(row, span, signals, net) for row, span in zip(part, factors, strict=True)] for part, factors in pairs]
            out = [summed(pair) for pair in zip(*parts, strict=True)]
        else:
            out = [passed(row, span, signals, net) for row, span in zip(given[0], slopes(name, values[of[0]], value), strict=True)]
        values.append(value)
        rows.append(out)
    return rows[-1], signals


def slopes(name: str, before: list, after: list) -> list:
    """Return the ranges of the slopes of relu, tanh or sigmoid."""
    if name == "relu":
        return [boxes.ONE if x[0] > 0 else boxes.ZERO if x[1] < 0 else (Fraction(0), Fraction(1)) for x in before]
    return [boxes.slope(name, y) for y in after]


def passed(row: list, span: tuple, signals: list, net: Net) -> list:
    """Return a slope times a row: a new signal, or the product where the slope is one number."""
    if span[0] == span[1]:
        return scaled(row, span)
    signals.append((row, span))
    return [*[boxes.ZERO] * (net.dimension + len(signals) - 1), boxes.ONE]


def scaled(row: list, factor: tuple) -> list:
    """Return a multiple of a row."""
    return [boxes.mul(factor, x) for x in row]


def summed(rows: Json) -> list:
    """Return the sum of rows of any lengths."""
    width = max(map(len, rows))
    return [boxes.total(row[j] for row in rows if j < len(row)) for j in range(width)]


def register(net: Net, values: list, bits: int, *, spread: bool) -> list:
    """Return the next register over intervals, where asked with sums and products rounded outward to the bits."""
    name, of, matrices, bias = net.program[len(values) - 1]
    bits = bits if spread else bits + 4096
    if name == "affine":
        out = [b[0] for b in bias]
        for matrix, i in zip(matrices, of, strict=True):
            out = [boxes.add(o, boxes.total(map(boxes.mul, row, values[i]))) for o, row in zip(out, matrix, strict=True)]
        return coarse([out], bits)[0]
    if name in {"add", "mul"}:
        out = [(boxes.add if name == "add" else boxes.mul)(a, b) for a, b in zip(values[of[0]], values[of[1]], strict=True)]
        return coarse([out], bits)[0] if name == "mul" else out
    return net.bend(name, values[of[0]], len(values[of[0]]), bits)[0] or []


def drawn(net: Net, symbols: Json, chance: random.Random) -> list:
    """Return an exact network within the weights for each symbol, its biases drawn from their ranges."""
    exact = [
        (name, of, [[[picked(x, chance) for x in row] for row in m] for m in matrices], [[picked(x[0], chance)] for x in bias])
        for name, of, matrices, bias in net.program
    ]
    nets = []
    for symbol in symbols:
        one = driven_by(Net(net.dimension, exact), {str(i): bias for i, bias in symbol})[1]
        program = [(name, of, matrices, [[picked(x[0], chance)] for x in bias]) for name, of, matrices, bias in one.program]
        nets.append(Net(net.dimension, program))
    return nets


def picked(x: tuple, chance: random.Random) -> tuple:
    """Return an end of an interval or a point inside."""
    return boxes.point(x[0] + (x[1] - x[0]) * chance.choice([Fraction(0), Fraction(1), Fraction(chance.randrange(17), 16)]))


def within(root: list, chance: random.Random) -> list:
    """Return a random point of a box, often on its faces."""
    return [chance.choice([float(a), float(b), float(a) + chance.random() * float(b - a)]) for a, b in root]


def pairs_obey(net: Net, symbols: Json, root: list, rate: float, length: Callable[[Json], Json]) -> bool:
    """Draw networks, inputs and pairs of points, far and near, and compare lengths before and after."""
    chance = random.Random(5)
    for _ in range(3):
        for one in map(Floats, drawn(net, symbols, chance)):
            x, y = (np.array([within(root, chance) for _ in range(PAIRS)]) for _ in range(2))
            y[::2] = x[::2] + (y[::2] - x[::2]) * NEAR
            u, v = one.image(x), one.image(y)
            rounding = 1e-12 * len(root) ** 2 * length(np.abs(x) + np.abs(y) + np.abs(u) + np.abs(v))
            if np.any(length(u - v) > rate * length(x - y) * (1 + SLACK) + rounding):
                return False
    return True


def box_contraction_holds(net: Net, claim: dict) -> bool | None:
    """Random inputs drive points of the box: they stay, and vectors grow no faster; true where some maximum norm contracts."""
    rate, root = number(claim["rate"]), list(zip(numbers(claim["low"]), numbers(claim["high"]), strict=True))
    if rate <= 0 or len(root) != net.dimension or any(a > b for a, b in root) or not claim["symbols"]:
        return False
    chance, driven = random.Random(13), any(claim["symbols"])
    nets = [one for _ in range(3) for one in map(Floats, drawn(net, claim["symbols"], chance))]
    points = np.array([within(root, chance) for _ in range(PAIRS)])
    if not all(lands(one.image(points), root) for one in nets):
        return False
    paths = [[chance.choice(nets) for _ in range(WHOLE)] for _ in range(2)] if driven else [[one] * WHOLE for one in nets[:2]]
    if any(np.any(rates(path, points, seed) > log(rate) + MARGIN) for seed, path in enumerate(paths)):
        return False
    if not driven and rate < Fraction(99, 100) and not meets_one(nets[0], points, root, math.ceil(-30 / log(rate))):
        return False
    return True if proved(net, claim, root, rate) else None


def lands(images: Json, root: list) -> bool:
    """Say whether images lie in the box, up to rounding."""
    return all(np.all((x >= float(a) - tiny(a, b)) & (x <= float(b) + tiny(a, b))) for x, (a, b) in zip(images.T, root, strict=True))


def tiny(a: Fraction, b: Fraction) -> float:
    """Return what rounding may do at the scale of a span."""
    return 1e-10 * float(1 + abs(a) + abs(b))


def meets_one(net: Floats, points: Json, root: list, steps: int) -> bool:
    """Say whether orbits from several points come together."""
    for _ in range(steps):
        points = net.image(points)
    return all(np.ptp(x) <= 100 * tiny(a, b) for x, (a, b) in zip(points.T, root, strict=True))


def proved(net: Net, claim: dict, root: list, rate: Fraction) -> bool:
    """Look for weights d with N d <= c d for every symbol."""
    nets = [driven_by(net, {str(i): bias for i, bias in symbol})[1] for symbol in claim["symbols"]]
    if not all(stays(one, root, boxes.PRECISION) for one in nets):
        return False
    tables = [[[boxes.size(x) for x in row] for row in one.slopes(root, boxes.PRECISION)] for one in nets]
    most = [[max(cells) for cells in zip(*rows, strict=True)] for rows in zip(*tables, strict=True)]
    if all(sum(row) <= rate for row in most):
        return True
    short = [[Fraction(math.ceil(x * 2**GUARD), 2**GUARD) for x in row] for row in most]
    weights = boxes.solve([[rate * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(short)], [Fraction(1)] * len(short))
    return weights is not None and min(weights) > 0


CARDS = {"box_contraction": box_contraction}
FIELDS = {"box_contraction": "symbols low high rate"}
TRUTHS = {"box_contraction": box_contraction_holds}
