"""Straight lines of networks, naively: the path card, all networks of a range as one of intervals, and the derivative by mu."""

from __future__ import annotations

from fractions import Fraction

from tests.second import boxes
from tests.second.cards import Step
from tests.second.nets import Net, read_net
from tests.second.text import items, need, number, numbers, spell, string

ENDS: dict[str, Net] = {}  # of all lines that were read, by digest


def path(step: Step) -> dict:
    """E0: the fact keeps the end as a network."""
    fields = step.fields("end at")
    at, end = numbers(fields["at"]), read_net(fields["end"])
    need(len(at) == 2 and at[0] < at[1], "m0 < m1")
    need(outline(step.net) == outline(end) and step.net.exact == end.exact, "networks of one shape, radii in both or in neither")
    ENDS[end.digest] = end
    return {"claim": "line", "net": end, "at": at}


def outline(net: Net) -> list:
    """Return what both ends must share."""
    return [net.dimension, *((name, of, [(len(m), len(m[0])) for m in matrices], len(bias)) for name, of, matrices, bias in net.program)]


def read_range(fields: dict, line: dict) -> tuple[Fraction, Fraction]:
    """Return low < high within the line."""
    low, high = number(fields["low"]), number(fields["high"])
    need(line["at"][0] <= low < high <= line["at"][1], "low < high within the line")
    return low, high


def read_word(fields: dict, net: Net) -> list:
    """Return an itinerary that is no power."""
    word = [string(letters) for letters in items(fields["itinerary"])]
    need(net.linear and len(word) > 0, "an itinerary of a piecewise-linear program")
    need(all(len(letters) == net.hinges and set(letters) <= {"0", "1"} for letters in word), "a pattern")
    need(all(word != word[:d] * (len(word) // d) for d in range(1, len(word)) if len(word) % d == 0), "a power of a shorter word")
    return word


def speed(one: list, two: list, line: dict) -> list:
    """Return the derivative by mu of a matrix; an entry with the same interval at both ends does not move."""
    width = boxes.point(1 / (line["at"][1] - line["at"][0]))
    return [
        [boxes.ZERO if a == b else boxes.mul(boxes.sub(b, a), width) for a, b in zip(r, s, strict=True)]
        for r, s in zip(one, two, strict=True)
    ]


def moved(one: list, change: list, line: dict, mu: tuple) -> list:
    """Return a matrix for all mu of an interval."""
    away = boxes.sub(mu, boxes.point(line["at"][0]))
    return [[boxes.add(a, boxes.mul(away, c)) for a, c in zip(r, s, strict=True)] for r, s in zip(one, change, strict=True)]


def tangent(net: Net, line: dict, mu: tuple) -> Net:
    """Return the program of (dz/dmu; z): [[W, W'], [0, W]] for each matrix."""
    program: list[tuple] = []
    for (name, of, matrices, bias), (_, _, others, other) in zip(net.program, line["net"].program, strict=True):
        if name != "affine":
            program.append((name, of, [], []))
            continue
        changes = [speed(a, b, line) for a, b in zip(matrices, others, strict=True)]
        values = [moved(a, c, line, mu) for a, c in zip(matrices, changes, strict=True)]
        doubled = [
            [*([*r, *s] for r, s in zip(value, change, strict=True)), *([*([boxes.ZERO] * len(r)), *r] for r in value)]
            for value, change in zip(values, changes, strict=True)
        ]
        drift = speed(bias, other, line)
        program.append((name, of, doubled, [*drift, *moved(bias, drift, line, mu)]))
    return Net(2 * net.dimension, program)


def around(net: Net, line: dict, word: list, mu: tuple) -> dict:
    """Return pieces of the tangent program along a word, and its whole product and offset (both 2 M)."""
    sizes = [len(gates) for gates in relu_sizes(net)]
    pieces = []
    for letters in word:
        both, rest = "", letters
        for size in sizes:
            both, rest = both + rest[:size] * 2, rest[size:]
        pieces.append(tangent(net, line, mu).piece(both))
    product, offset = boxes.eye(2 * net.dimension), [[boxes.ZERO]] * (2 * net.dimension)
    for j, q, _, _ in pieces:
        product, offset = boxes.times(j, product), boxes.plus(boxes.times(j, offset), [[c] for c in q])
    return {"pieces": pieces, "product": product, "offset": offset, "sizes": sizes}


def relu_sizes(net: Net) -> list:
    """Return the registers that relus read."""
    registers = net.registers([boxes.ZERO] * net.dimension)[0]
    return [registers[of[0]] for name, of, _, _ in net.program if name == "relu"]


def solution(matrix: list, inverse: list, right: list) -> list:
    """Enclose the x with K x = r, one column: x - m = C (r - K m) + E (x - m) for any m, here near C r; bounds improved by turns."""
    defect = boxes.minus(boxes.eye(len(matrix)), boxes.times(inverse, matrix))
    error = boxes.norm(defect)
    need(error < 1, "|I - C K| < 1")
    middle, told = ([[boxes.point((a + b) / 2) for a, b in row] for row in part] for part in (matrix, right))
    guess = [[short(x) for x in row] for row in boxes.times(inverse, told)]
    for _ in range(2):
        step = boxes.times(inverse, boxes.minus(told, boxes.times(middle, guess)))
        guess = [[short(x) for x in row] for row in boxes.plus(guess, step)]
    shift = boxes.times(inverse, boxes.minus(right, boxes.times(matrix, guess)))
    moves = [x != boxes.ZERO for (x,) in shift]
    for _ in matrix:
        moves = [m or any(e != boxes.ZERO and n for e, n in zip(row, moves, strict=True)) for m, row in zip(moves, defect, strict=True)]
    away = [boxes.norm(shift) / (1 - error) if m else Fraction(0) for m in moves]
    for _ in range(3):
        ends = [boxes.total(boxes.mul(e, (-d, d)) for e, d in zip(row, away, strict=True)) for row in defect]
        found = [[boxes.add(s[0], e)] for s, e in zip(shift, ends, strict=True)]
        away = [short_above(boxes.size(x[0])) for x in found]
    return boxes.plus(guess, found)


def short(value: tuple) -> tuple:
    """Return a short number near the middle of an interval."""
    return boxes.point(Fraction(round((value[0] + value[1]) * 2**255), 2**256))


def short_above(value: Fraction) -> Fraction:
    """Return a short number that is not below."""
    return Fraction(-(-value.numerator * 2**300 // value.denominator), 2**300)


def gates_along(found: dict, inverse: list) -> list:
    """Return for each time all pre-activations of the solution along the word, each with its derivative by mu."""
    size = len(inverse)
    system = boxes.minus(boxes.eye(size), lower(found["product"], size))
    point = solution(system, inverse, found["offset"][size:])
    pull = boxes.plus(found["offset"][:size], boxes.times(upper(found["product"], size), point))
    state = [*solution(system, inverse, pull), *point]
    told = []
    for j, q, rows, constants in found["pieces"]:
        values = boxes.plus(boxes.times(rows, state), [[c] for c in constants]) if rows else []
        told.append([(values[i + count][0], values[i][0]) for i, count in places(found)])
        state = boxes.plus(boxes.times(j, state), [[c] for c in q])
    return told


def places(found: dict) -> list:
    """Return for each hinge where the derivative of its pre-activation stands, and how much farther on the value."""
    listed, start = [], 0
    for count in found["sizes"]:
        listed += [(i, count) for i in range(start, start + count)]
        start += 2 * count
    return listed


def lower(matrix: list, size: int) -> list:
    """Return the block of (z, z)."""
    return [row[size:] for row in matrix[size:]]


def upper(matrix: list, size: int) -> list:
    """Return the block of (dz/dmu, z)."""
    return [row[size:] for row in matrix[:size]]


def sign(value: tuple) -> int:
    """Return 1 or -1 for a strict sign, else 0."""
    return int(value[0] > 0) - int(value[1] < 0)


def named(gates: list, word: list, but: set | None = None) -> None:
    """Refuse unless the pre-activations have the signs of the letters, strictly, but for some (time, unit)."""
    for time, (values, letters) in enumerate(zip(gates, word, strict=True), 1):
        for unit, ((value, _), letter) in enumerate(zip(values, letters, strict=True), 1):
            right = sign(value) == (1 if letter == "1" else -1)
            need(right or (time, unit) in (but or set()), "a sign that the word does not name")


def claim_on(line: dict, kind: str, low: Fraction, high: Fraction, told: dict) -> dict:
    """Return a claim about a line."""
    at = [spell(x) for x in line["at"]]
    return {"claim": kind, "end": line["net"].digest, "at": at, "low": spell(low), "high": spell(high), **told}


CARDS = {"path": path}
