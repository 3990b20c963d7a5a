# mypy: disable-error-code="no-any-return"
"""The card of covering graphs (B5), checked naively: every strip is carried from its start, every pair of strips compared."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from tests.second import boxes
from tests.second.cards import Step
from tests.second.free import live_hinges
from tests.second.nets import read_matrix
from tests.second.text import Json, integer, items, need, number, numbers, spell, string, take

MOST_STATES = 128
MOST_TIMES = 100_000
MOST_EXACT = 256
MOST_FORMS = 32
MOST_BITS = 2**17


def plain(content: Json, rows: int, columns: int) -> list:
    """Read a matrix without radii."""
    found = read_matrix(content, rows, columns)
    need(boxes.is_exact(found), "numbers without radii")
    return found


def inverted(matrix: list) -> list | None:
    """Return the exact inverse of the middle of a matrix, None if singular."""
    size = len(matrix)
    middle = [[(entry[0] + entry[1]) / 2 for entry in row] for row in matrix]
    found: Json = [boxes.solve(middle, [Fraction(int(i == j)) for i in range(size)]) for j in range(size)]
    return None if None in found else [[boxes.point(found[j][i]) for j in range(size)] for i in range(size)]


def reach(*rows: list) -> Fraction:
    """Return the sum of all absolute values."""
    return sum((boxes.size(entry) for row in rows for entry in row), Fraction(0))


class Graph:
    """The network, its boxes and what a pattern says."""

    def __init__(self, step: Step, fields: dict) -> None:
        self.net, self.bits = step.net, step.bits()
        self.size = self.net.dimension
        need(self.size <= MOST_STATES, "at most 128 states")
        self.unstable = integer(fields["unstable"], 1, self.size)
        parts = items(fields["boxes"])
        named = items(fields["forms"]) if "forms" in fields else [[] for _ in parts]
        need(len(parts) == len(named) > 0, "boxes, and forms for each or none")
        first = [1] + [0] * (self.size - 1)
        own = [[boxes.point(x) for x in first]] if self.unstable == 1 else []
        self.forms = [[*([boxes.point(x) for x in numbers(form)] for form in items(forms)), *own] for forms in named]
        need(all(len(form) == self.size for forms in self.forms for form in forms), "forms of M coefficients")
        need(all(len(forms) <= MOST_FORMS for forms in self.forms), "too many forms")
        self.boxes = [self._box(part) for part in parts]
        self.live = live_hinges(self.net) if self.net.linear else []
        self.open: set | None = None

    def _box(self, part: Json) -> tuple:
        take(part, "center basis")
        basis = plain(part["basis"], self.size, self.size)
        inverse = inverted(basis)
        need(inverse is not None, "a nonsingular basis")
        return plain([[x] for x in items(part["center"])], self.size, 1), basis, inverse

    def word(self, letters: list) -> list:
        """Return what the live hinges say of an itinerary; all patterns leave the same hinges open."""
        for pattern in letters:
            need(len(pattern) == self.net.hinges and set(pattern) <= {"0", "1", "?"}, "a pattern")
            blank = {i for i, letter in enumerate(pattern) if letter == "?"}
            self.open = blank if self.open is None else self.open
            need(self.open == blank, "the same open hinges everywhere")
        return ["".join(pattern[i] for i in self.live if pattern[i] != "?") for pattern in letters]


class Strip:
    """One path."""

    def __init__(self, graph: Graph, part: Json) -> None:
        u, stable = graph.unstable, graph.size - graph.unstable
        take(part, "from to steps offset width" + (" tilt height" if stable else ""), "itinerary")
        self.start, self.end = (integer(part[name], 0, len(graph.boxes) - 1) for name in ("from", "to"))
        self.steps = integer(part["steps"], 1, MOST_TIMES)
        self.letters = [string(pattern) for pattern in items(part["itinerary"])] if "itinerary" in part else None
        offset, width = plain([[x] for x in items(part["offset"])], u, 1), plain(part["width"], u, u)
        tilt = plain(part["tilt"], u, stable) if stable else [[] for _ in range(u)]
        height = number(part["height"]) if stable else Fraction(2)
        need(height > 1, "height > 1")
        need(all(reach(*rows) < 1 for rows in zip(offset, width, tilt, strict=True)), "the strip is not inside its box")
        tall = boxes.point(height)
        self.middle = [*offset, *([boxes.ZERO] for _ in range(stable))]
        self.frame = [[*row, *(boxes.mul(tall, x) for x in lean)] for row, lean in zip(width, tilt, strict=True)]
        self.frame += [[tall if j - u == i else boxes.ZERO for j in range(graph.size)] for i in range(stable)]
        self.word = None if self.letters is None else graph.word(self.letters)

    def image(self, graph: Graph) -> tuple[list, list]:
        """Return F^steps of the strip as middle and frame, and refuse a strip that leaves its itinerary."""
        center, basis, _ = graph.boxes[self.start]
        middle, frame = boxes.plus(center, boxes.times(basis, self.middle)), boxes.times(basis, self.frame)
        if self.letters is None:
            return sloped(graph, middle, frame, self.steps)
        need(graph.net.linear and self.steps <= len(self.letters) <= MOST_TIMES, "an itinerary of a piecewise-linear program, long enough")
        need(graph.bits > 0 or len(self.letters) <= MOST_EXACT, "bits for long itineraries")
        states, found = (boxes.eye(graph.size), [[boxes.ZERO] for _ in range(graph.size)]), (middle, frame)
        for time, pattern in enumerate(self.letters, 1):
            slope, offset, rows, constants = graph.net.piece(pattern)
            linear, constant = states
            for i in graph.live:
                if pattern[i] != "?":
                    value = boxes.times([rows[i]], boxes.plus(boxes.times(linear, middle), constant))[0][0]
                    spread = reach(*boxes.times(boxes.times([rows[i]], linear), frame))
                    low, high = boxes.widened(boxes.add(value, constants[i]), spread)
                    need(low > 0 if pattern[i] == "1" else high < 0, "the strip leaves its itinerary")
            states = boxes.times(slope, linear), boxes.plus(boxes.times(slope, constant), [[x] for x in offset])
            if time == self.steps:
                found = boxes.plus(boxes.times(states[0], middle), states[1]), boxes.times(states[0], frame)
        return found


def sloped(graph: Graph, middle: list, frame: list, steps: int) -> tuple[list, list]:
    """Carry a strip by the secant slopes over boxes around its images."""
    for _ in range(steps):
        hull = [boxes.widened(x[0], reach(row)) for x, row in zip(middle, frame, strict=True)]
        frame = boxes.times(graph.net.slopes(hull, graph.bits), frame)
        middle = [[x] for x in graph.net.run([x[0] for x in middle], graph.bits)[0]]
    return middle, frame


def is_across(graph: Graph, image: tuple[list, list], box: tuple) -> bool:
    """Say whether an image lies across a box."""
    center, _, inverse = box
    frame, shift = boxes.times(inverse, image[1]), boxes.times(inverse, boxes.minus(image[0], center))
    u = graph.unstable
    stretched = [row[:u] for row in frame[:u]]
    back = inverted(stretched)
    if back is None:
        return False
    sheared, moved = boxes.times(back, [row[u:] for row in frame[:u]]), boxes.times(back, shift[:u])
    error = boxes.minus(boxes.eye(u), boxes.times(back, stretched))
    rows = [*zip(back, sheared, moved, error, strict=True), *zip(frame[u:], shift[u:], strict=True)]
    return all(reach(*parts) < 1 for parts in rows)


def are_apart(graph: Graph, one: Strip, two: Strip) -> bool:
    """Say whether two strips of one box are told apart."""
    if one.word is not None and two.word is not None and any(a != b for a, b in zip(one.word, two.word, strict=False)):
        return True
    for form in graph.forms[one.start]:
        (a, r), (b, s) = ((boxes.times([form], x.middle)[0][0][0], reach(*boxes.times([form], x.frame))) for x in (one, two))
        if abs(a - b) > r + s:
            return True
    return False


def covering_graph(step: Step) -> dict:
    """B5."""
    fields = step.fields("unstable boxes paths weights rate", "forms bits")
    graph = Graph(step, fields)
    strips = [Strip(graph, part) for part in items(fields["paths"])]
    need(all(is_across(graph, strip.image(graph), graph.boxes[strip.end]) for strip in strips), "a strip is not mapped across its box")
    pairs = [pair for pair in combinations(strips, 2) if pair[0].start == pair[1].start]
    need(all(are_apart(graph, *pair) for pair in pairs), "two strips of one box are not told apart")
    weights, rate = numbers(fields["weights"]), number(fields["rate"])
    need(len(weights) == len(graph.boxes) and all(v > 0 for v in weights) and rate > 1, "positive weights, a rate > 1")
    for box, weight in enumerate(weights):
        leaving = [strip for strip in strips if strip.start == box]
        digits = rate.numerator.bit_length() + rate.denominator.bit_length()
        need(max((strip.steps for strip in leaving), default=0) * digits <= MOST_BITS, "a long rate")
        need(sum((weights[strip.end] / rate**strip.steps for strip in leaving), Fraction(0)) >= weight, "the rate is too high")
    return {"claim": "covering_graph", "rate": spell(rate), "unstable": graph.unstable, "boxes": len(graph.boxes), "paths": len(strips)}


CARDS = {"covering_graph": covering_graph}
