"""The cards about cycles in any dimension, checked naively; a cycle with exact weights is moreover solved exactly along its itinerary."""

from __future__ import annotations

from fractions import Fraction

from tests.second import boxes
from tests.second.cards import CYCLES, Step
from tests.second.nets import Net, read_matrix
from tests.second.text import Json, Refused, integer, items, need, number, numbers, spell, string, table, take


def primes(value: int) -> list:
    """Return the primes that divide ``value``."""
    return [p for p in range(2, value + 1) if value % p == 0 and all(p % d for d in range(2, int(p**0.5) + 1))]


def spelled(points: list) -> list:
    """Return points as a claim spells them."""
    return [[spell(x) for x in point] for point in points]


def exact_cycle(step: Step) -> dict:
    """A1."""
    need(step.net.exact and step.net.linear, "exact and piecewise linear")
    fields = step.fields("point period")
    period = integer(fields["period"], 1, 100_000)
    start = [row[0] for row in read_matrix([[x] for x in items(fields["point"])], step.net.dimension, 1)]
    need(boxes.is_exact([start]), "a point without radius")
    orbit = [[x[0] for x in start]]
    for _ in range(period):
        orbit.append([x[0] for x in step.net.run([boxes.point(x) for x in orbit[-1]])[0]])
    need(orbit[period] == orbit[0], "the point does not return")
    need(all(orbit[period // p] != orbit[0] for p in primes(period)), "it returns earlier")
    return {"claim": "exact_cycle", "points": spelled(orbit[:period])}


def cycle(step: Step) -> dict:
    """A2."""
    smooth = "itinerary" not in step.witness
    block = smooth or "inverse_block" in step.witness
    fields = step.fields("points radius" + (" inverse_block" if block else " inverse") + ("" if smooth else " itinerary"), "bits")
    points, radius, width = table(fields["points"]), number(fields["radius"]), step.net.dimension
    need(len(points) > 0 and all(len(point) == width for point in points) and radius > 0, "points and a positive radius")
    bits = step.bits()
    if smooth:
        need(krawczyk(step.net, points, radius, read_matrix(fields["inverse_block"], *[width * len(points)] * 2), bits), "no inclusion")
        return {"claim": "ball_cycle", "points": spelled(points), "radius": spell(radius)}
    words = [string(word) for word in items(fields["itinerary"])]
    need(step.net.linear and len(words) == len(points), "an itinerary of a piecewise-linear program")
    need(all(len(word) == step.net.hinges and set(word) <= {"0", "1"} for word in words), "a pattern")
    count = width * len(points) if block else width
    inverse = read_matrix(fields["inverse_block" if block else "inverse"], count, count)
    need(enclosed(step.net, words, points, radius, inverse, block=block), "not enclosed along the itinerary")
    if step.net.exact:
        need(solved(step.net, words, points, radius), "the exact solution disagrees")
    return {"claim": "cycle", "itinerary": words, "points": spelled(points), "radius": spell(radius)}


def enclosed(net: Net, words: list, points: list, radius: Fraction, inverse: list, *, block: bool) -> bool:
    """Say whether checks 2 to 5 of A2 hold, for every network within the weight intervals."""
    pieces = [net.piece(word) for word in words]
    states = [boxes.column(point) for point in points]
    images = [boxes.plus(boxes.times(j, z), [[c] for c in q]) for (j, q, _, _), z in zip(pieces, states, strict=True)]
    residuals = [boxes.minus(image, there) for image, there in zip(images, [*states[1:], states[0]], strict=True)]
    if block:
        error, spread = _block([piece[0] for piece in pieces], residuals, inverse)
        if error >= 1:
            return False
        deltas = [spread / (1 - error)] * len(points)
    else:
        product, end = boxes.eye(net.dimension), states[0]
        for j, q, _, _ in pieces:
            product, end = boxes.times(j, product), boxes.plus(boxes.times(j, end), [[c] for c in q])
        one = boxes.eye(net.dimension)
        error = boxes.norm(boxes.minus(one, boxes.times(inverse, boxes.minus(one, product))))
        if error >= 1:
            return False
        deltas = [boxes.norm(boxes.times(inverse, boxes.minus(end, states[0]))) / (1 - error)]
        for (j, _, _, _), residual in zip(pieces[:-1], residuals[:-1], strict=True):
            deltas.append(boxes.norm(j) * deltas[-1] + boxes.norm(residual))
    signed = all(_signed(piece, word, point, delta) for piece, word, point, delta in zip(pieces, words, points, deltas, strict=True))
    return max(deltas) <= radius and signed and _apart(points, deltas)


def _signed(piece: tuple, word: str, point: list, delta: Fraction) -> bool:
    ball = [[boxes.widened(boxes.point(x), delta)] for x in point]
    values = boxes.plus(boxes.times(piece[2], ball), [[c] for c in piece[3]]) if word else []
    return all(value[0] > 0 if letter == "1" else value[1] < 0 for letter, (value,) in zip(word, values, strict=True))


def _apart(points: list, deltas: list) -> bool:
    others = [len(points) // p for p in primes(len(points))]
    return all(max(abs(a - b) for a, b in zip(points[0], points[t], strict=True)) > deltas[0] + deltas[t] for t in others)


def _block(jacobians: list, residuals: list, inverse: list) -> tuple[Fraction, Fraction]:
    """Return |I - C B| and |C r|: block row t + 1 of B has I at t + 1 and -J_t at t."""
    width, length = len(jacobians[0]), len(jacobians)
    matrix, right = boxes.eye(width * length), [[boxes.ZERO]] * (width * length)
    for t, (jacobian, residual) in enumerate(zip(jacobians, residuals, strict=True)):
        row = (t + 1) % length * width
        for i in range(width):
            right[row + i] = residual[i]
            for j in range(width):
                matrix[row + i][t * width + j] = boxes.sub(matrix[row + i][t * width + j], jacobian[i][j])
    error = boxes.norm(boxes.minus(boxes.eye(width * length), boxes.times(inverse, matrix)))
    return error, boxes.norm(boxes.times(inverse, right))


def krawczyk(net: Net, points: list, radius: Fraction, inverse: list, bits: int) -> bool:
    """Say whether Krawczyk's operator maps the balls into their interior, and the balls that must be disjoint are."""
    jacobians = [net.slopes([boxes.widened(boxes.point(x), radius) for x in point], bits) for point in points]
    images = [net.run([boxes.point(x) for x in point], bits)[0] for point in points]
    pairs = zip(images, [*points[1:], points[0]], strict=True)
    residuals = [[[boxes.sub(a, boxes.point(b))] for a, b in zip(image, there, strict=True)] for image, there in pairs]
    error, spread = _block(jacobians, residuals, inverse)
    return error < 1 and spread + error * radius < radius and _apart(points, [radius] * len(points))


def orbit_along(net: Net, words: list) -> list | None:
    """Return the one exact orbit with this closed itinerary (signs not yet asked), None if I - P is singular (exact weights)."""
    width = net.dimension
    pieces = [net.piece(word) for word in words]
    product, offset = boxes.eye(width), [[boxes.ZERO]] * width
    for j, q, _, _ in pieces:
        product, offset = boxes.times(j, product), boxes.plus(boxes.times(j, offset), [[c] for c in q])
    system = [[entry[0] for entry in row] for row in boxes.minus(boxes.eye(width), product)]
    start = boxes.solve(system, [row[0][0] for row in offset])
    if start is None:
        return None
    orbit = [start]
    for j, q, _, _ in pieces:
        orbit.append([value[0][0] for value in boxes.plus(boxes.times(j, boxes.column(orbit[-1])), [[c] for c in q])])
    return orbit[:-1]


def solved(net: Net, words: list, points: list, radius: Fraction) -> bool:
    """Say whether the claim of A2 is true: exact weights, exact solution, exact signs, exact least period."""
    if not words or any(len(word) != net.hinges or set(word) - {"0", "1"} for word in words) or len(words) != len(points):
        return False
    orbit = orbit_along(net, words)
    if orbit is None:
        return False
    for here, word, point, there in zip(orbit, words, points, [*orbit[1:], orbit[0]], strict=True):
        image, gates = net.run([boxes.point(x) for x in here])
        signs = ["1" if gate[0] > 0 else "0" if gate[0] < 0 else "?" for gate in gates]
        near = max(abs(a - b) for a, b in zip(here, point, strict=True)) <= radius
        if "".join(signs) != word or [x[0] for x in image] != there or not near:
            return False
    return all(orbit[0] != orbit[t] for t in range(1, len(orbit)))


def jacobians_along(net: Net, fact: dict, bits: int) -> list:
    """Return the Jacobians of a claimed cycle; refuses if it may touch a border."""
    points = table(fact["points"])
    if fact["claim"] == "ball_cycle":
        balls = [[boxes.widened(boxes.point(x), number(fact["radius"])) for x in point] for point in points]
        need(all(net.pattern(ball, bits) is not None for ball in balls), "a border inside a ball")
        return [net.slopes(ball, bits) for ball in balls]
    words: Json = fact["itinerary"] if fact["claim"] == "cycle" else [net.pattern([boxes.point(x) for x in point]) for point in points]
    need(None not in words, "a point on a border")
    return [net.piece(word)[0] for word in words]


def stability(step: Step) -> dict:
    """A3."""
    fact, fields = step.cite(*CYCLES), step.fields("forms bits")
    jacobians = jacobians_along(step.net, fact, integer(fields["bits"], 8, 100_000))
    inside = _below(step, jacobians, Fraction(1), fields["forms"])
    return {"claim": "stability", "cycle": fact, "inside": inside, "outside": step.net.dimension - inside}


def multiplier_moduli(step: Step) -> dict:
    """A3b."""
    fact, fields = step.cite(*CYCLES), step.fields("rates levels bits")
    jacobians = jacobians_along(step.net, fact, integer(fields["bits"], 8, 100_000))
    rates = numbers(fields["rates"])
    need(len(rates) > 0 and rates[0] > 0 and rates == sorted(set(rates)), "positive increasing rates")
    need(len(items(fields["levels"])) == len(rates), "a level of forms for each rate")
    counts = [_below(step, jacobians, rate, forms) for rate, forms in zip(rates, fields["levels"], strict=True)]
    return {"claim": "multiplier_moduli", "cycle": fact, "rates": list(map(spell, rates)), "counts": counts}


def _below(step: Step, jacobians: list, rate: Fraction, forms: Json) -> int:
    width = step.net.dimension
    need(len(items(forms)) == len(jacobians), "one form a point")
    matrices = [read_matrix(form, width, width) for form in forms]
    need(all(boxes.is_exact(form) and form == boxes.turned(form) for form in matrices), "symmetric forms without radii")
    for jacobian, here, there in zip(jacobians, matrices, [*matrices[1:], matrices[0]], strict=True):
        scaled = [[boxes.mul(entry, boxes.point(rate * rate)) for entry in row] for row in here]
        drop = boxes.minus(scaled, boxes.times(boxes.times(boxes.turned(jacobian), there), jacobian))
        need(boxes.inertia(drop) == (width, 0), "c^2 Q - J'QJ is not positive definite")
    signs = boxes.inertia(matrices[0])
    if signs is None:
        raise Refused("a pivot of Q_1 vanishes")
    return signs[0]


CARDS = {"exact_cycle": exact_cycle, "cycle": cycle, "stability": stability, "multiplier_moduli": multiplier_moduli}


def step_fields(line: Json) -> dict:
    """Return a step line with its fields checked."""
    return take(line, "step theorem cites witness")
