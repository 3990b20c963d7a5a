# mypy: disable-error-code="no-any-return"
"""The cards of cycles and events on a line of networks (E1 to E3), naively, from whole products of interval matrices."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from tests.second import boxes
from tests.second.cards import Step
from tests.second.cycles import _below, cycle, jacobians_along
from tests.second.families import (
    around,
    claim_on,
    gates_along,
    lower,
    moved,
    named,
    places,
    read_range,
    read_word,
    sign,
    solution,
    speed,
    upper,
)
from tests.second.nets import Net, read_matrix
from tests.second.regions import CARDS as REGION_CARDS
from tests.second.text import Json, integer, items, need, number, numbers, spell, table, take

MOST_CELLS = 2**14


def ranged(net: Net, line: dict, mu: tuple) -> Net:
    """Return one network of intervals for all mu of an interval."""
    program: list[tuple] = []
    for (name, of, matrices, bias), (_, _, others, other) in zip(net.program, line["net"].program, strict=True):
        pairs = [*zip(matrices, others, strict=True), (bias, other)] if name == "affine" else []
        mixed = [moved(a, speed(a, b, line), line, mu) for a, b in pairs]
        program.append((name, of, mixed[:-1], mixed[-1] if mixed else []))
    return Net(net.dimension, program)


def read_breaks(fields: dict, line: dict) -> list:
    """Return m_0 < .. < m_n within the line."""
    breaks = numbers(fields["breaks"])
    need(1 < len(breaks) <= MOST_CELLS and all(a < b for a, b in pairwise(breaks)), "breaks in order")
    need(line["at"][0] <= breaks[0] and breaks[-1] <= line["at"][1], "breaks within the line")
    return breaks


def exists_on(step: Step) -> dict:
    """E1: A2 and A3 cell by cell."""
    line, net = step.cite("line"), step.net
    fields = step.fields("breaks cells", "" if net.linear else "joints")
    breaks, cells = read_breaks(fields, line), items(fields["cells"])
    need(len(cells) == len(breaks) - 1, "a cell between breaks")
    facts, counts = [], []
    for cell, ends in zip(cells, pairwise(breaks), strict=True):
        need(isinstance(cell, dict), "a cell")
        integer(cell.get("bits"), 8, 100_000)
        here = ranged(net, line, ends)
        facts.append(cycle(Step(here, {name: value for name, value in cell.items() if name != "forms"}, [])))
        need(not net.linear or facts[-1]["claim"] == "cycle", "balls in a piecewise-linear family")
        jacobians_along(here, facts[-1], cell["bits"])
        inside = None
        if cell.get("forms") is not None:
            inside = _below(Step(here, {}, []), jacobians_along(here, facts[-1], cell["bits"]), Fraction(1), cell["forms"])
        counts.append(inside)
    words, periods = [fact.get("itinerary", []) for fact in facts], [len(fact["points"]) for fact in facts]
    need(all(word == words[0] for word in words) and set(periods) == {periods[0]} and set(counts) == {counts[0]}, "different cells")
    if not net.linear:
        joints(net, line, fields, breaks, facts)
    inside = counts[0]
    told = {"itinerary": words[0], "period": periods[0], "inside": inside, "outside": None if inside is None else net.dimension - inside}
    return claim_on(line, "exists_on", breaks[0], breaks[-1], told)


def joints(net: Net, line: dict, fields: dict, breaks: list, facts: list) -> None:
    """Refuse unless one cycle lies in the balls of both cells where they meet."""
    listed = items(fields.get("joints"))
    need(len(listed) == len(facts) - 1, "a joint at each inner break")
    for joint, mu, pair in zip(listed, breaks[1:-1], pairwise(facts), strict=True):
        fact = cycle(Step(ranged(net, line, (mu, mu)), joint, []))
        for other in pair:
            need(fact["claim"] == other["claim"] == "ball_cycle" and len(fact["points"]) == len(other["points"]), "balls")
            for mine, theirs in zip(table(fact["points"]), table(other["points"]), strict=True):
                reach = max(abs(a - b) for a, b in zip(mine, theirs, strict=True)) + number(fact["radius"])
                need(reach <= number(other["radius"]), "a joint outside a ball")


def absent_on(step: Step) -> dict:
    """E1b: one letter is wrong on each cell."""
    line, size = step.cite("line"), step.net.dimension
    fields = step.fields("itinerary breaks cells")
    breaks, word, cells = read_breaks(fields, line), read_word(fields, step.net), items(fields["cells"])
    need(step.net.hinges > 0 and len(cells) == len(breaks) - 1, "a cell between breaks")
    for cell, ends in zip(cells, pairwise(breaks), strict=True):
        take(cell, "inverse time unit bits")
        integer(cell["bits"], 8, 100_000)
        time, unit = integer(cell["time"], 1, len(word)), integer(cell["unit"], 1, step.net.hinges)
        gates = gates_along(around(step.net, line, word, ends), read_matrix(cell["inverse"], size, size))
        need(sign(gates[time - 1][unit - 1][0]) == (-1 if word[time - 1][unit - 1] == "1" else 1), "no wrong sign")
    return claim_on(line, "absent_on", breaks[0], breaks[-1], {"itinerary": word})


def border_collision(step: Step) -> dict:
    """E2: one pre-activation passes 0."""
    line, net, size = step.cite("line"), step.net, step.net.dimension
    fields = step.fields("low high itinerary time unit inverse bits partners")
    integer(fields["bits"], 8, 100_000)
    ends, word = read_range(fields, line), read_word(fields, net)
    time, unit = integer(fields["time"], 1, len(word)), integer(fields["unit"], 1, net.hinges)
    inverse = read_matrix(fields["inverse"], size, size)
    side = collision_side(net, line, word, ends, inverse, {(time, unit)})
    first, last = (sign(gates_along(around(net, line, word, (mu, mu)), inverse)[time - 1][unit - 1][0]) for mu in ends)
    need(first * last < 0, "no change of sign")
    partners = []
    for partner in items(fields["partners"]):
        take(partner, "itinerary inverse")
        other = read_word(partner, net)
        copies = len(other) // len(word)
        need(other != word and len(other) % len(word) == 0, "another itinerary, of a multiple of the length")
        for place, (mine, theirs) in enumerate(zip(word * copies, other, strict=True)):
            differ = {i + 1 for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b}
            need(differ <= ({unit} if place % len(word) == time - 1 else set()), "another letter")
        spots = {(time + i * len(word), unit) for i in range(copies)}
        partners.append([other, collision_side(net, line, other, ends, read_matrix(partner["inverse"], size, size), spots)])
    return claim_on(line, "border_collision", *ends, {"itinerary": word, "unit": unit, "time": time, "side": side, "partners": partners})


def collision_side(net: Net, line: dict, word: list, ends: tuple, inverse: list, spots: set) -> str:
    """Return before, after or never."""
    gates = gates_along(around(net, line, word, ends), inverse)
    named(gates, word, spots)
    rises = {(time, unit): sign(gates[time - 1][unit - 1][1]) for time, unit in spots}
    need(0 not in rises.values(), "no speed")
    agree = {(rise > 0) == (word[time - 1][unit - 1] == "1") for (time, unit), rise in rises.items()}
    return "never" if len(agree) > 1 else "after" if True in agree else "before"


def bordered(block: list, left: list, right: list) -> list:
    """Return [[block, left], [right', 0]]."""
    return [*([*row, x[0]] for row, x in zip(block, left, strict=True)), [*(x[0] for x in right), boxes.ZERO]]


def column(content: Json, size: int) -> list:
    """Read a vector."""
    return read_matrix([[x] for x in items(content)], size, 1)


def flip(step: Step) -> dict:
    """E2: det(I + P) passes 0 while the cycle stays."""
    line, net, size = step.cite("line"), step.net, step.net.dimension
    fields = step.fields("low high itinerary inverse left right bordered bits")
    integer(fields["bits"], 8, 100_000)
    ends, word = read_range(fields, line), read_word(fields, net)
    found = around(net, line, word, ends)
    named(gates_along(found, read_matrix(fields["inverse"], size, size)), word)
    rows = [column(fields[name], size) for name in ("left", "right")]
    inverse, unit = read_matrix(fields["bordered"], size + 1, size + 1), [[boxes.ZERO]] * size + [[boxes.ONE]]

    def system(here: dict) -> list:
        return bordered(boxes.plus(boxes.eye(size), lower(here["product"], size)), *rows)

    signs = [sign(solution(system(around(net, line, word, (mu, mu))), inverse, unit)[size][0]) for mu in ends]
    need(signs[0] * signs[1] < 0, "g has no change of sign")
    direction = solution(system(found), inverse, unit)
    pull = boxes.times(upper(found["product"], size), direction[:size])
    rate = solution(system(found), inverse, [*([boxes.mul(boxes.point(-1), x[0])] for x in pull), [boxes.ZERO]])[size][0]
    need(sign(rate) != 0, "g has no speed")
    return claim_on(line, "flip", *ends, {"itinerary": word})


def escape(step: Step, more: str = "") -> tuple[dict, dict, dict]:
    """Return the claim of to_infinity, what was enclosed, and the fields."""
    line, net, size = step.cite("line"), step.net, step.net.dimension
    fields = step.fields(f"low high itinerary left right inverse bits {more}".strip())
    integer(fields["bits"], 8, 100_000)
    ends, word = read_range(fields, line), read_word(fields, net)
    need(net.hinges > 0, "no hinge")
    rows = [column(fields[name], size) for name in ("left", "right")]
    inverse, unit = read_matrix(fields["inverse"], size + 1, size + 1), [[boxes.ZERO]] * size + [[boxes.ONE]]

    def system(here: dict) -> list:
        return bordered(boxes.minus(boxes.eye(size), lower(here["product"], size)), *rows)

    signs = [sign(solution(system(around(net, line, word, (mu, mu))), inverse, unit)[size][0]) for mu in ends]
    need(signs[0] * signs[1] < 0, "g has no change of sign")
    found = around(net, line, word, ends)
    slope, zero = upper(found["product"], size), [[boxes.ZERO]]
    v = solution(system(found), inverse, unit)
    dv = solution(system(found), inverse, boxes.times(slope, v[:size]) + zero)
    y = solution(system(found), inverse, found["offset"][size:] + zero)
    dy = solution(system(found), inverse, boxes.plus(found["offset"][:size], boxes.times(slope, y[:size])) + zero)
    need(sign(dv[size][0]) != 0 and sign(y[size][0]) != 0, "g has no speed, or s may vanish")
    agree = agreement(found, word, v, y, size)
    need(len(agree) > 0, "nothing feels the escape")
    wanted = -sign(y[size][0]) if True in agree else sign(y[size][0])
    side = "never" if len(agree) > 1 else "after" if signs[1] == wanted else "before"
    known = {"v": v, "dv": dv, "y": y, "dy": dy, "width": ends[1] - ends[0]}
    return claim_on(line, "to_infinity", *ends, {"itinerary": word, "side": side}), known, fields


def agreement(found: dict, word: list, v: list, y: list, size: int) -> set:
    """Return whether the letters agree with the signs of G v_t where it moves."""
    least, most = sizes(y[size][0])[0], sizes(v[size][0])[1]
    far, near, agree = v[:size], y[:size], set()
    for letters, (j, q, rows, constants) in zip(word, found["pieces"], strict=True):
        for letter, (i, count) in zip(letters, places(found), strict=True):
            form = rows[i + count][size:]
            slope = boxes.total(boxes.mul(a, x[0]) for a, x in zip(form, far, strict=True))
            value = boxes.add(constants[i + count], boxes.total(boxes.mul(a, x[0]) for a, x in zip(form, near, strict=True)))
            if slope == boxes.ZERO:
                need(sign(value) == (1 if letter == "1" else -1), "a bounded unit of the wrong sign")
                continue
            need(least * sizes(slope)[0] > most * boxes.size(value), "a pull too weak")
            agree.add((sign(slope) > 0) == (letter == "1"))
        block = lower(j, size)
        far, near = boxes.times(block, far), boxes.plus(boxes.times(block, near), [[c] for c in q[size:]])
    return agree


def sizes(value: tuple) -> tuple[Fraction, Fraction]:
    """Return the least and the largest absolute value."""
    return (min(abs(value[0]), abs(value[1])) if sign(value) else Fraction(0)), boxes.size(value)


def to_infinity(step: Step) -> dict:
    """E2: det(I - P) passes 0 and the cycle escapes."""
    return escape(step)[0]


def gradient_divergence(step: Step) -> dict:
    """E3: how fast."""
    claim, found, fields = escape(step, "position gradient")
    need(claim["side"] != "never", "virtual on both sides")
    size, width = len(found["v"]) - 1, found["width"]

    def norms(part: list) -> tuple[Fraction, Fraction]:
        pairs = [sizes(x[0]) for x in part[:size]]
        return max(a for a, _ in pairs), max(b for _, b in pairs)

    v, y, turn, drift = (norms(found[name]) for name in ("v", "y", "dv", "dy"))
    g, s, change = sizes(found["dv"][size][0]), sizes(found["y"][size][0]), sizes(found["dy"][size][0])[1]
    position, gradient = numbers(fields["position"]), numbers(fields["gradient"])
    need(len(position) == len(gradient) == 2, "pairs")
    need(0 < position[0] <= s[0] * v[0] / g[1] - width * y[1] and s[1] * v[1] / g[0] + width * y[1] <= position[1], "position")
    rest = width * (change * v[1] + s[1] * turn[1]) / g[0] + width * width * drift[1]
    need(0 < gradient[0] <= s[0] * g[0] * v[0] / g[1] ** 2 - rest and s[1] * g[1] * v[1] / g[0] ** 2 + rest <= gradient[1], "gradient")
    told = {"position": list(map(spell, position)), "gradient": list(map(spell, gradient))}
    return {**claim, "claim": "gradient_divergence", **told}


def gradient_vanishing(step: Step) -> dict:
    """E3: the unit is open at the collision at most, affine operations alone read it."""
    fact = step.cite("border_collision")
    step.fields("")
    need(all(letters[fact["unit"] - 1] == "0" or time == fact["time"] for time, letters in enumerate(fact["itinerary"], 1)), "active")
    counts, passed, home = [len(v) for v in step.net.registers([boxes.ZERO] * step.net.dimension)[0]], 0, 0
    for register, (name, *_) in enumerate(step.net.program, 1):
        if name == "relu":
            home = register if passed < fact["unit"] <= passed + counts[register] else home
            passed += counts[register]
    readers = {name for name, of, *_ in step.net.program if home in of}
    need(readers == {"affine"} and step.net.program[-1][0] == "affine", "read by another operation")
    return {"claim": "gradient_vanishing", "collision": fact}


def teacher_forcing(step: Step) -> dict:
    """E3: C1 for F after the first states were shrunk."""
    net, size = step.net, step.net.dimension
    need({"alpha", "forced"} <= set(step.witness), "alpha and forced")
    alpha, forced = number(step.witness["alpha"]), integer(step.witness["forced"], 1, size)
    need(0 <= alpha <= 1 and all(name != "mul" for name, *_ in net.program), "alpha, and no products")
    scale = [[boxes.point((1 - alpha if i < forced else 1) if i == j else 0) for j in range(size)] for i in range(size)]
    later = [(name, [i + 1 for i in of], matrices, bias) for name, of, matrices, bias in net.program]
    inner = Net(size, [("affine", [0], [scale], [[boxes.ZERO]] * size), *later])
    rest = {name: value for name, value in step.witness.items() if name not in {"alpha", "forced"}}
    fact = REGION_CARDS["contraction"](Step(inner, rest, []))
    need(fact["claim"] == "contraction", "no contraction")
    return {"claim": "teacher_forcing", "alpha": spell(alpha), "forced": forced, "rate": fact["rate"]}


CARDS = {
    "exists_on": exists_on,
    "absent_on": absent_on,
    "border_collision": border_collision,
    "flip": flip,
    "to_infinity": to_infinity,
    "gradient_divergence": gradient_divergence,
    "gradient_vanishing": gradient_vanishing,
    "teacher_forcing": teacher_forcing,
}
FIELDS = {
    "exists_on": "end at low high itinerary period inside outside",
    "absent_on": "end at low high itinerary",
    "border_collision": "end at low high itinerary unit time side partners",
    "flip": "end at low high itinerary",
    "to_infinity": "end at low high itinerary side",
    "gradient_divergence": "end at low high itinerary side position gradient",
    "gradient_vanishing": "collision",
    "teacher_forcing": "alpha forced rate",
    "complex_pair": "end at low high itinerary crossing trace",
    "smooth_fold": "end at low high points radius twist side",
}
