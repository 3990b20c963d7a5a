# mypy: disable-error-code="no-any-return"
"""The cards of Markov maps (D3), volume (D4), cycle means (D1b), driven graphs and contractions (D5, D6), fixed points (D7), naively."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

from tests.second import boxes
from tests.second.cards import Step, bends, sampled
from tests.second.forms import expands_somewhere, is_positive, is_symmetric
from tests.second.free import live_hinges
from tests.second.nets import Net, read_matrix
from tests.second.polyhedra import reduced
from tests.second.text import BeyondReach, Json, entry, integer, items, need, number, numbers, spell, spell_entry, table, take

MOST_STATES = 256
MOST_LEAVES = 2**14
MOST_EDGES = 2**16
MOST_CHECKED = 3000
MOST_TRANSITIONS = 2**20
MOST_SYMBOLS = 2**12
OPEN = 3
UNITS = {"relu", "tanh", "sigmoid"}


def markov_exponent(step: Step) -> dict:
    """D3."""
    fields = step.fields("max_knots ends density")
    form, net = scalar(step.net)
    spots, samples = sampled(net, integer(fields["max_knots"], 1, 2**19))
    values = [sample[-1][0][0] for sample in samples]
    knots, spans, density = bends(spots, values), table(fields["ends"]), numbers(fields["density"])
    need(0 < len(spans) == len(density) and all(len(span) == 2 and span[0] < span[1] for span in spans), "intervals, a density for each")
    need(all(one[1] <= two[0] for one, two in pairwise(spans)), "intervals that overlap or are not in order")
    need(not any(low < x < high for x in knots for low, high in spans), "a knot inside an interval")
    need(all(value > 0 for value in density), "positive densities")
    slopes, images = branches(net, spans)
    need(sum(map(len, images)) <= MOST_TRANSITIONS and is_connected(images), "the transitions are not strongly connected")
    for j, value in enumerate(density):
        need(value == sum(density[i] / slopes[i] for i in range(len(spans)) if j in images[i]), "the density is not invariant")
    masses = [value * (high - low) for value, (low, high) in zip(density, spans, strict=True)]
    rates = sorted(set(slopes))
    weights = [sum((m for m, s in zip(masses, slopes, strict=True) if s == rate), Fraction(0)) / sum(masses, Fraction(0)) for rate in rates]
    joined: list[list[Fraction]] = []
    for low, high in spans:
        joined = [*joined[:-1], [joined[-1][0], high]] if joined and joined[-1][1] == low else [*joined, [low, high]]
    shown = {"spans": [list(map(spell, span)) for span in joined], "form": list(map(spell, form))}
    return {"claim": "markov_exponent", **shown, "slopes": list(map(spell, rates)), "weights": list(map(spell, weights))}


def scalar(net: Net) -> tuple[list, Net]:
    """Return v and a net with one state for f(y) = v.F(z), v.z = y; its first operation takes y to such a z."""
    need(net.exact and net.linear, "exact and piecewise linear")
    if net.dimension == 1:
        return [Fraction(1)], net
    (name, of, matrices, _), *rest = net.program
    need(name == "affine" and of == [0] and all(0 not in operation[1] for operation in rest), "not one operation alone reads the state")
    rows = [[cell[0] for cell in row] for row in matrices[0]]
    form = next((row for row in rows if any(row)), None)
    need(form is not None and len(reduced([[*row, Fraction(0)] for row in rows])[1]) == 1, "not of rank one")
    form = form or []
    pivot = next(j for j, value in enumerate(form) if value)
    up = ("affine", [0], [[[boxes.point(1 / form[pivot]) if j == pivot else boxes.ZERO] for j in range(len(form))]], zeros(len(form)))
    down = ("affine", [len(net.program) + 1], [[[boxes.point(x) for x in form]]], zeros(1))
    later = [(name, [i + 1 for i in of], matrices, bias) for name, of, matrices, bias in net.program]
    return form, Net(1, [up, *later, down])


def zeros(count: int) -> list:
    """Return a column of zeros."""
    return [[boxes.ZERO] for _ in range(count)]


def branches(net: Net, spans: list) -> tuple[list, list]:
    """Return the absolute slope on each interval and the set of intervals that fill its image."""
    slopes, images = [], []
    for low, high in spans:
        bottom, top = sorted(net.run([boxes.point(x)])[0][0][0] for x in (low, high))
        need(bottom < top, "a flat interval")
        inside = {j for j, (a, b) in enumerate(spans) if bottom <= a and b <= top}
        need(sum(spans[j][1] - spans[j][0] for j in inside) == top - bottom, "an image that is no union of intervals")
        slopes.append((top - bottom) / (high - low))
        images.append(inside)
    return slopes, images


def is_connected(images: list) -> bool:
    """Say whether every interval leads to every interval."""
    return all(len(reached(images, start)) == len(images) for start in range(len(images)))


def reached(images: list, start: int) -> set:
    """Return where one or more steps lead."""
    found: set = set()
    waiting = [start]
    while waiting:
        fresh = images[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def volume(step: Step) -> dict:
    """D4."""
    net, bits = step.net, step.bits()
    need(net.dimension <= MOST_STATES, "at most 256 states")
    box = sides(step.fields("bits low high"), net) if {"low", "high"} & set(step.witness) else None
    step.fields("bits", "low high")
    low, high = determinant_bounds(net, box, bits)
    ends = [[spell(span[i]) for span in box or []] for i in (0, 1)]
    shown = {"rank": read_rank(net), "states": net.dimension, "low": ends[0], "high": ends[1]}
    return {"claim": "volume_bounds", "lower": spell(low), "upper": spell(high), **shown}


def sides(fields: dict, net: Net) -> list:
    """Return the sides of the witness's box."""
    low, high = numbers(fields["low"]), numbers(fields["high"])
    need(len(low) == len(high) == net.dimension and all(a <= b for a, b in zip(low, high, strict=True)), "ends in order")
    return list(zip(low, high, strict=True))


def determinant_bounds(net: Net, box: list | None, bits: int) -> tuple:
    """Enclose |det DF| over a box or everywhere."""
    if box is None and net.linear and len(live := live_hinges(net)) <= 12:
        found = []
        for word in product("01", repeat=len(live)):
            known = dict(zip(live, word, strict=True))
            found.append(magnitude(net.piece("".join(known.get(i, "0") for i in range(net.hinges)))[0]))
        return min(low for low, _ in found), max(high for _, high in found)
    return backwards(net, box, bits, len(net.program))


def backwards(net: Net, box: list | None, bits: int, register: int) -> tuple:
    """Enclose |det| of the Jacobian of a register of M units, as a product along single arguments for as long as these have M units."""
    if register == 0:
        return boxes.ONE
    name, of, matrices, _ = net.program[register - 1]
    until = Net(net.dimension, net.program[:register])
    square = len(of) == 1 and widths(net)[of[0]] == net.dimension
    if not square or (name != "affine" and name not in UNITS):
        return magnitude(until.slopes(box, bits))
    if name == "affine":
        own = magnitude(matrices[0])
    else:
        values = None if box is None else until.registers(box, bits)[0][of[0]]
        own = boxes.ONE
        for factor in net.bend(name, values, net.dimension, bits)[1]:
            own = boxes.mul(own, (max(factor[0], Fraction(0)), factor[1]))
    return boxes.mul(own, backwards(net, box, bits, of[0]))


def widths(net: Net) -> list:
    """Return the number of units of each register."""
    found = [net.dimension]
    for name, of, _, bias in net.program:
        found.append(len(bias) if name == "affine" else found[of[0]])
    return found


def magnitude(matrix: list) -> tuple:
    """Enclose |det| of every matrix inside; refuses an interval matrix that elimination does not show to be nonsingular."""
    if boxes.is_exact(matrix):
        return boxes.point(abs(boxes.det([[cell[0] for cell in row] for row in matrix])))
    found = [ends for rows in (matrix, matrix[::-1]) if (ends := eliminated(rows)) is not None]
    need(found != [], "elimination finds no pivot")
    return max(low for low, _ in found), min(high for _, high in found)


def eliminated(matrix: list) -> tuple | None:
    """Enclose |det| by elimination; where several pivots are equally far from 0 the first row's is taken."""
    rows, result = [list(row) for row in matrix], boxes.ONE
    while rows:
        pivot = max(rows, key=lambda row: gap(row[0]))
        if gap(pivot[0]) == 0:
            return None
        rows.remove(pivot)
        result = boxes.mul(result, (gap(pivot[0]), boxes.size(pivot[0])))
        factors = [boxes.divide(row[0], pivot[0]) for row in rows]
        rows = [
            [boxes.sub(a, boxes.mul(factor, b)) for a, b in zip(row[1:], pivot[1:], strict=True)]
            for row, factor in zip(rows, factors, strict=True)
        ]
    return result


def gap(cell: tuple) -> Fraction:
    """Return the distance of an interval from 0."""
    return max(cell[0], -cell[1], Fraction(0))


def read_rank(net: Net) -> int:
    """Return the rank of all matrices that read the state; M where that may not bound it."""
    readers = [operation for operation in net.program if 0 in operation[1]]
    if not net.exact or any(name != "affine" for name, *_ in readers):
        return net.dimension
    rows = [row for _, of, matrices, _ in readers for i, matrix in zip(of, matrices, strict=True) if i == 0 for row in matrix]
    return len(reduced([[*(cell[0] for cell in row), Fraction(0)] for row in rows])[1])


def cycle_mean(step: Step) -> dict:
    """D1b."""
    net = step.net
    fields = step.fields("cuts bits", "lower upper low high")
    bits = step.bits()
    need(net.dimension <= MOST_STATES, "at most 256 states")
    stated = "low" in fields or "high" in fields
    if stated:
        root = sides(step.fields("cuts bits low high", "lower upper"), net)
        inside = {"claim": "trapping_box", **{name: [spell(span[i]) for span in root] for i, name in enumerate(("low", "high"))}}
    else:
        inside = step.cite("trapping_box", "trapping_polytope")
        root = rooted(net, inside)
    found = leaves(fields["cuts"], root)
    edges = steps_between(net, found, bits, root if stated else None)
    return {"claim": "exponent_bounds", **rates(fields, net.dimension, len(found), edges), "inside": inside}


def rooted(net: Net, inside: dict) -> list:
    """Return the sides of a cited box, or of a cited polytope on the line."""
    if inside["claim"] == "trapping_box":
        return list(zip(numbers(inside["low"]), numbers(inside["high"]), strict=True))
    need(net.dimension == 1, "a polytope of more than one state")
    facets = table(inside["facets"])
    return [(max(-b / a for a, b in facets if a > 0), min(-b / a for a, b in facets if a < 0))]


def leaves(content: Json, root: list) -> list:
    """Return the leaves of a bisection tree in preorder."""
    rest = list(items(content))
    need(len(rest) < 2 * MOST_LEAVES, "too many leaves")
    found, waiting = [], [root]
    while waiting:
        need(len(rest) > 0, "too few cuts")
        cut, box = rest.pop(0), waiting.pop(0)
        if cut is None:
            found.append(box)
            continue
        need(len(items(cut)) == 2, "an axis and a number")
        axis, at = integer(cut[0], 0, len(box) - 1), number(cut[1])
        need(box[axis][0] < at < box[axis][1], "a cut that is not inside")
        halves = [[span if i != axis else half for i, span in enumerate(box)] for half in ((box[axis][0], at), (at, box[axis][1]))]
        waiting = halves + waiting
    need(rest == [], "too many cuts")
    return found


def steps_between(net: Net, found: list, bits: int, root: list | None) -> list:
    """Return (i, j, J) for all leaves i, all leaves j that F over i meets, all enclosures J over i; with a root F must stay in it."""
    edges = []
    for i, leaf in enumerate(found):
        image = net.run(leaf, bits)[0]
        need(root is None or all(a <= x[0] and x[1] <= b for x, (a, b) in zip(image, root, strict=True)), "a leaf may leave the box")
        jacobians = jacobians_over(net, leaf, bits)
        edges += [(i, j, jacobian) for j, other in enumerate(found) if meet(image, other) for jacobian in jacobians]
        need(len(edges) <= MOST_EDGES, "too many edges")
    return edges


def meet(one: list, two: list) -> bool:
    """Say whether two closed boxes have a common point."""
    return all(a <= d and c <= b for (a, b), (c, d) in zip(one, two, strict=True))


def jacobians_over(net: Net, leaf: list, bits: int) -> list:
    """Return matrices that enclose all Jacobians over a box: one for each adjacent piece where these are few, else one for all."""
    if net.linear:
        letters = ["01" if gate[0] <= 0 <= gate[1] else "1" if gate[0] > 0 else "0" for gate in net.run(leaf, bits)[1]]
        if sum(len(choice) == 2 for choice in letters) <= OPEN:
            return [net.piece("".join(word))[0] for word in product(*letters)]
    return [net.slopes(leaf, bits)]


def rates(fields: dict, size: int, nodes: int, edges: list) -> dict:
    """Return the rates that the forms prove."""
    need("lower" in fields or "upper" in fields, "a lower or an upper bound")
    if len(edges) > MOST_CHECKED:
        raise BeyondReach("too many edges")
    found: dict = {"lower": None, "upper": None}
    for side in ("lower", "upper"):
        if side not in fields:
            continue
        content, lower = take(fields[side], "rate forms"), side == "lower"
        rate, forms = number(content["rate"]), [read_matrix(form, size, size) for form in items(content["forms"])]
        need(rate > 0 and len(forms) == nodes and all(map(is_symmetric, forms)), "a positive rate, a symmetric form for each node")
        need(all(expands_somewhere(form) if lower else is_positive(form) for form in forms), "a form of the wrong sign")
        for i, j, slope in edges:
            after = boxes.times(boxes.turned(slope), boxes.times(forms[j], slope))
            before = [[boxes.mul(boxes.point(rate * rate), cell) for cell in row] for row in forms[i]]
            need(is_positive(boxes.minus(after, before) if lower else boxes.minus(before, after)), "the rate is not proved")
        found[side] = spell(rate)
    return found


def driven_graph(step: Step) -> dict:
    """D5."""
    net, bits = step.net, step.bits()
    boxed = bool({"low", "high", "cuts"} & set(step.witness))
    fields = step.fields(f"symbols nodes edges bits {'low high cuts' if boxed else ''}", "lower upper")
    need(net.dimension <= MOST_STATES and 0 < len(items(fields["symbols"])) <= MOST_SYMBOLS, "too many states or symbols")
    spelled, nets = zip(*(driven_by(net, symbol) for symbol in fields["symbols"]), strict=True)
    nodes = integer(fields["nodes"], 1, MOST_EDGES)
    walks = [items(walk) for walk in items(fields["edges"])]
    need(len(walks) > 0 and all(len(walk) == 3 for walk in walks), "edges: node, symbol, node")
    for walk in walks:
        for value, most in zip(walk, (nodes, len(nets), nodes), strict=True):
            integer(value, 0, most - 1)
    need({walk[0] for walk in walks} == set(range(nodes)), "a node without an edge out of it")
    root = sides(fields, net) if boxed else []
    found = leaves(fields["cuts"], root) if boxed else [root]
    moves = [steps_between(one, found, bits, root) if boxed else [(0, 0, one.slopes(None, bits))] for one in nets]
    edges = [(a * len(found) + i, b * len(found) + j, slope) for a, s, b in walks for i, j, slope in moves[s]]
    need(len(edges) <= MOST_EDGES, "too many edges")
    bounds = rates(fields, net.dimension, nodes * len(found), edges)
    ends = {name: [spell(span[i]) for span in root] for i, name in enumerate(("low", "high"))}
    return {"claim": "driven_exponents", "symbols": list(spelled), "edges": walks, **ends, **bounds}


def driven_by(net: Net, symbol: Json) -> tuple[list, Net]:
    """Return a symbol as the claim spells it, and the net with its biases."""
    need(isinstance(symbol, dict), "a symbol is an object")
    numbered = {str(i): i for i, (name, *_) in enumerate(net.program) if name == "affine"}
    need(set(symbol) <= set(numbered), "a symbol names affine operations")
    program, spelled = list(net.program), []
    for key, i in numbered.items():
        if key in symbol:
            bias = [entry(text) for text in items(symbol[key])]
            name, of, matrices, old = program[i]
            need(len(bias) == len(old), "a bias of another length")
            program[i] = (name, of, matrices, [[(middle - radius, middle + radius)] for middle, radius in bias])
            spelled.append([i, [spell_entry(*pair) for pair in bias]])
    return spelled, replace(net, program=program)


def driven_contraction(step: Step) -> dict:
    """D6."""
    step.fields("")
    fact = step.cite("contraction", "exponent_upper")
    need(all(name != "mul" for name, *_ in step.net.program), "products of registers")
    return {"claim": "driven_contraction", "rate": fact["rate"]}


def attracted(step: Step) -> dict:
    """D7."""
    step.fields("")
    contraction, moduli = step.cite("contraction"), step.cite("multiplier_moduli")
    need(number(contraction["rate"]) < 1 and len(moduli["cycle"]["points"]) == 1, "no contraction, or no fixed point")
    need(moduli["counts"][-1] == step.net.dimension, "a multiplier beyond the largest rate")
    return {"claim": "attracted", "rate": moduli["rates"][-1]}


CARDS = {card.__name__: card for card in (markov_exponent, volume, cycle_mean, driven_graph, driven_contraction, attracted)}
