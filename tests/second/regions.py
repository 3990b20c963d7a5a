# mypy: disable-error-code="no-any-return"
"""The cards of trapping regions (C2), exponent bounds (D1), snap-back repellers (B6) and contractions by a form (C1, ii), naively."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from tests.second import boxes
from tests.second.cards import CARDS as LINE_CARDS
from tests.second.cards import Step
from tests.second.forms import expands_somewhere, is_positive, is_symmetric
from tests.second.free import LIMITS, count_units, freed, live_hinges
from tests.second.necklaces import exact_words, facet_rows, is_contradiction, rows_of
from tests.second.nets import Net, read_matrix
from tests.second.polyhedra import dependencies, dot, reduced
from tests.second.text import BeyondReach, Json, integer, items, need, number, numbers, spell, string, table, take
from tests.second.words import Words

MOST_STATES = 32
MOST_WIDTH = 64
MOST_UNITS = 511
MOST_LETTERS = 2**12
MOST_EDGES = 2**16
MOST_CHECKED = 300


def trapping(step: Step) -> dict:
    """C2."""
    return box(step) if "low" in step.witness else polytope(step) if "facets" in step.witness else ellipsoid(step)


def box(step: Step) -> dict:
    """C2 for a box."""
    fields = step.fields("low high", "bits")
    low, high, bits = numbers(fields["low"]), numbers(fields["high"]), step.bits()
    need(len(low) == len(high) == step.net.dimension and all(a <= b for a, b in zip(low, high, strict=True)), "ends in order")
    image = step.net.run(list(zip(low, high, strict=True)), bits)[0]
    need(all(a <= x[0] and x[1] <= b for x, a, b in zip(image, low, high, strict=True)), "the image leaves the box")
    return {"claim": "trapping_box", "low": list(map(spell, low)), "high": list(map(spell, high))}


def polytope(step: Step) -> dict:
    """C2 for a polytope: every pattern in turn."""
    words, fields, size = exact_words(step), step.fields("facets point bounded excluded kept"), step.net.dimension
    facets, point = table(fields["facets"]), numbers(fields["point"])
    need(size <= MOST_STATES and all(len(facet) == size + 1 for facet in facets), "facets of M + 1 numbers, at most 32 states")
    need(len(point) == size and all(dot(facet, [*point, Fraction(1)]) >= 0 for facet in facets), "the point is outside")
    claim = {"claim": "trapping_polytope", "facets": [list(map(spell, facet)) for facet in facets]}
    rows = facet_rows(claim)
    used: list = []
    for group in items(fields["bounded"]):
        chosen = [rows[integer(i, 0, len(rows) - 1)][0] for i in items(group)]
        basis = dependencies(chosen)
        need(len(chosen) <= MOST_STATES + 1 and len(basis) == 1 and (min(basis[0]) > 0 or max(basis[0]) < 0), "no positive dependency")
        used += chosen
    need(len(reduced([[*row, 0] for row in used])[1]) == size, "groups of lower rank")
    every_pattern(words, rows, entries(fields["excluded"], words), entries(fields["kept"], words))
    return claim


def entries(content: Json, words: Words) -> dict:
    """Read [bits, what is told], once for each word."""
    found: dict = {}
    need(len(words.live) <= MOST_WIDTH, "at most 64 live hinges")
    for entry in items(content):
        need(len(items(entry)) > 0, "a word")
        bits = string(entry[0])
        need(len(bits) <= len(words.live) and set(bits) <= {"0", "1"} and bits not in found, "different words of live letters")
        found[bits] = entry[1:]
    return found


def every_pattern(words: Words, facets: list, excluded: dict, kept: dict) -> None:
    """Close every facet in every pattern that nothing excludes."""
    used = set()
    if len(words.live) > 12:
        raise BeyondReach("too many patterns")
    for bits in words.letters:
        begun = next((bits[:i] for i in range(len(bits) + 1) if bits[:i] in excluded), None)
        used.add(begun if begun is not None else bits)
        rows = rows_of(words, (), begun if begun is not None else bits) if bits else []
        if begun is not None:
            need(is_excluded(rows, facets, excluded[begun], []), "the pattern is not excluded")
            continue
        need(bits in kept and len(kept[bits]) == len(facets), "a pattern, or a facet, is not told of")
        slope, offset, _, _ = words.piece(bits)
        for (row, constant, _), told in zip(facets, kept[bits], strict=True):
            after = [sum((a * x for a, x in zip(row, column, strict=True)), Fraction(0)) for column in zip(*slope, strict=True)]
            out = ([-x for x in after], -constant - dot(row, offset), True)
            need(is_excluded(rows, facets, items(told), [out]), "a way out")
    need(used == set(excluded) | set(kept) and not set(excluded) & set(kept), "an entry too many")


def is_excluded(rows: list, facets: list, told: list, more: list) -> bool:
    """Say whether these rows exclude each other."""
    chosen = [integer(i, -len(facets), len(rows) - 1) for i in told]
    need(len(chosen) <= MOST_STATES + 1, "too many rows")
    picked = [*(rows[i] if i >= 0 else facets[-i - 1] for i in chosen), *more]
    return picked != [] and is_contradiction(picked, [])


def sector_form(net: Net, center: list, base: list, form: list, multipliers: list, *, affine: bool) -> list:
    """Return base - (F - c)'Q(F - c) - 2 sum L_j x_j (limit_j a_j - x_j) in (z - c, x), and 1 where ``affine``."""
    size, units = net.dimension, len(multipliers)
    free, width = freed(net, units), size + units + 1
    shift = [[*boxes.eye(width)[i][:-1], boxes.point(center[i]) if i < size else boxes.ZERO] for i in range(width - 1)]
    shift.append(boxes.eye(width)[-1])
    image, inputs = boxes.times(free.image, shift), boxes.times(free.inputs, shift) if units else []
    image = [[*row[:-1], boxes.sub(row[-1], boxes.point(x))] for row, x in zip(image, center, strict=True)]
    used = width if affine else width - 1
    image, inputs = [row[:used] for row in image], [row[:used] for row in inputs]
    gap = boxes.minus(base, boxes.times(boxes.turned(image), boxes.times(form, image)))
    for j, (row, name, weight) in enumerate(zip(inputs, free.names, multipliers, strict=True)):
        at = size + j
        for k, entry in enumerate(row):
            change = boxes.mul(boxes.point(weight * LIMITS[name]), entry)
            gap[at][k] = boxes.sub(gap[at][k], change)
            gap[k][at] = boxes.sub(gap[k][at], change)
        gap[at][at] = boxes.add(gap[at][at], boxes.point(2 * weight))
    return gap


def based(form: list, factor: Fraction, size: int, corner: Fraction | None) -> list:
    """Return factor times a form in the upper left of a larger matrix of zeros, and a last corner."""
    found = [[boxes.ZERO] * size for _ in range(size)]
    for i, row in enumerate(form):
        found[i][: len(row)] = [boxes.mul(boxes.point(factor), entry) for entry in row]
    if corner is not None:
        found[-1][-1] = boxes.point(corner)
    return found


def ellipsoid(step: Step) -> dict:
    """C2 for an ellipsoid."""
    net, size = step.net, step.net.dimension
    fields = step.fields("center form multipliers decay bits")
    step.bits()
    units = count_units(net)
    need(all(name not in {"mul", "sigmoid"} for name, *_ in net.program) and size + units <= MOST_UNITS, "relu and tanh only, not too many")
    center, rows, decay = numbers(fields["center"]), table(fields["form"]), number(fields["decay"])
    multipliers = numbers(fields["multipliers"])
    need(len(center) == size == len(rows) and all(len(row) == size for row in rows), "shapes")
    form = [[boxes.point(x) for x in row] for row in rows]
    need(is_symmetric(form) and is_positive(form) and 0 <= decay < 1, "a positive definite form and a decay in [0, 1)")
    need(len(multipliers) == units and all(weight >= 0 for weight in multipliers), "multipliers >= 0")
    base = based(form, decay, size + units + 1, 1 - decay)
    need(is_positive(sector_form(net, center, base, form, multipliers, affine=True)), "the quadratic form is not positive definite")
    return {"claim": "trapping_ellipsoid", "center": list(map(spell, center)), "form": [list(map(spell, row)) for row in rows]}


def contraction(step: Step) -> dict:
    """C1, either form."""
    if "form" not in step.witness:
        return LINE_CARDS["contraction"](step)
    net, size = step.net, step.net.dimension
    fields = step.fields("form multipliers rate bits")
    step.bits()
    rate, units = number(fields["rate"]), count_units(net)
    need(rate > 0 and all(name != "mul" for name, *_ in net.program) and size + units <= MOST_UNITS, "a positive rate, no products")
    form, multipliers = read_matrix(fields["form"], size, size), numbers(fields["multipliers"])
    need(is_symmetric(form) and is_positive(form), "a positive definite form")
    need(len(multipliers) == units and all(weight >= 0 for weight in multipliers), "multipliers >= 0")
    base = based(form, rate * rate, size + units, None)
    origin = [Fraction(0)] * size
    need(is_positive(sector_form(net, origin, base, form, multipliers, affine=False)), "the quadratic form is not positive definite")
    return {"claim": "contraction" if rate < 1 else "exponent_upper", "rate": spell(rate)}


def snap_back_repeller(step: Step) -> dict:
    """B6."""
    words, size = exact_words(step), step.net.dimension
    fields = step.fields("point start steps form level bits")
    step.bits()
    need(size <= 128, "at most 128 states")
    point, start, steps = numbers(fields["point"]), numbers(fields["start"]), integer(fields["steps"], 1, 100_000)
    need(len(point) == size == len(start), "points of M coordinates")
    image, gates = words.step(point)
    need(image == point and 0 not in gates, "a fixed point off all borders")
    slope, _, rows, _ = words.piece(signs(gates))
    form, level = read_matrix(fields["form"], size, size), number(fields["level"])
    need(is_symmetric(form) and is_positive(form) and level > 0, "a positive definite form and level")
    jacobian = [[boxes.point(x) for x in row] for row in slope]
    moved = boxes.times(boxes.turned(jacobian), boxes.times(form, jacobian))
    need(is_positive(boxes.minus(moved, form)), "F does not expand")
    exact = [[entry[0] for entry in row] for row in form]
    for hinge, gate in zip(words.live, gates, strict=True):
        across: Json = boxes.solve(exact, rows[hinge])
        need(gate * gate > level * dot(rows[hinge], across), "the ellipsoid meets a border")
    away = [a - b for a, b in zip(start, point, strict=True)]
    need(any(away) and dot(away, [dot(row, away) for row in exact]) <= level, "the start is not inside")
    state = start
    for _ in range(steps):
        image, gates = words.step(state)
        need(0 not in gates and boxes.det(words.piece(signs(gates))[0]) != 0, "a border or a singular Jacobian")
        state = image
        need(all(x.denominator.bit_length() <= 2**17 for x in state), "long numbers")
    need(state == point, "the orbit does not return")
    return {"claim": "snap_back_repeller", "point": list(map(spell, point)), "steps": steps}


def signs(gates: list) -> str:
    """Return the letter of these pre-activations."""
    return "".join("1" if x >= 0 else "0" for x in gates)


def exponent_bounds(step: Step) -> dict:
    """D1."""
    net, size = step.net, step.net.dimension
    need(net.linear and size <= 256, "piecewise linear, at most 256 states")
    cited = step.cite("forbidden_words") if step.cited else {"closed": set(), "inside": None}
    fields = step.fields("memory bits", "lower upper")
    memory, live = integer(fields["memory"], 1, 4096), live_hinges(net)
    step.bits()
    need("lower" in fields or "upper" in fields, "a lower or an upper bound")
    edges = words_without(len(live), memory + 1, cited["closed"])
    width = len(live)
    letters = {edge[0] for edge in edges}
    blank = {letter: dict(zip(live, letter, strict=True)) for letter in letters}
    slopes = {letter: net.piece("".join(known.get(i, "0") for i in range(net.hinges)))[0] for letter, known in blank.items()}
    if len(edges) > MOST_CHECKED:
        raise BeyondReach("too many edges")
    found = {"claim": "exponent_bounds", "lower": None, "upper": None, "inside": cited["inside"]}
    nodes = {"".join(word) for edge in edges for word in (edge[:-1], edge[1:])} if width else {""}
    for side in ("lower", "upper"):
        if side in fields:
            rate, forms = side_forms(fields[side], size, nodes)
            lower = side == "lower"
            need(all(expands_somewhere(form) if lower else is_positive(form) for form in forms.values()), "a form of the wrong sign")
            for edge in edges:
                here, there, slope = forms["".join(edge[:-1])], forms["".join(edge[1:])], slopes[edge[0]]
                after = boxes.times(boxes.turned(slope), boxes.times(there, slope))
                before = based(here, rate * rate, size, None)
                need(is_positive(boxes.minus(after, before) if lower else boxes.minus(before, after)), "the rate is not proved")
            found[side] = spell(rate)
    return found


def words_without(width: int, length: int, forbidden: set) -> list:
    """Return all words (tuples of letters) of this length in which no forbidden one starts at a letter."""
    letters = ["".join(bits) for bits in product("01", repeat=width)] if width <= 12 else []
    need(letters != [], "too many hinges")
    layer: list = [()]
    for _ in range(length):
        need(len(layer) * len(letters) <= 2**22, "too many words")
        layer = [(*word, letter) for word in layer for letter in letters]
        if width:
            layer = [word for word in layer if not starts_forbidden("".join(word), width, forbidden)]
        need(0 < len(layer) <= MOST_EDGES, "too many words, or none")
    return layer


def starts_forbidden(bits: str, width: int, forbidden: set) -> bool:
    """Say whether a forbidden word occurs where a letter starts."""
    return any(bits.startswith(word, i) for word in forbidden for i in range(0, len(bits), width))


def side_forms(content: Json, size: int, nodes: set) -> tuple[Fraction, dict]:
    """Read the rate and a form for each node."""
    take(content, "rate forms")
    rate, forms = number(content["rate"]), {}
    for entry in items(content["forms"]):
        need(len(items(entry)) == 2, "a word and a form")
        word, form = string(entry[0]), read_matrix(entry[1], size, size)
        need(is_symmetric(form) and word not in forms, "one symmetric form for each word")
        forms[word] = form
    need(rate > 0 and set(forms) == nodes, "a positive rate and forms for exactly the nodes")
    return rate, forms


CARDS = {card.__name__: card for card in (trapping, contraction, snap_back_repeller, exponent_bounds)}
