"""The cards of complex pairs and of smooth folds and flips (E2), naively: whole matrices; second derivatives by the chain rule."""

from __future__ import annotations

from fractions import Fraction

from tests.second import boxes
from tests.second.cards import Step
from tests.second.cycles import _apart, spelled
from tests.second.families import around, claim_on, gates_along, lower, moved, named, read_range, read_word, short, solution, speed, upper
from tests.second.nets import Net, read_matrix
from tests.second.text import integer, need, number, numbers, spell, table

MINUS = boxes.point(-1)
Table = list


def complex_pair(step: Step) -> dict:
    """E2: one complex pair on the circle."""
    line, size = step.cite("line"), step.net.dimension
    fields = step.fields("low high itinerary inverse basis block right radius inverse_pair bits")
    bits = integer(fields["bits"], 8, 100_000)
    need(size > 1 and bits > 0, "two states")
    (low, high), word = read_range(fields, line), read_word(fields, step.net)
    found = around(step.net, line, word, (low, high))
    named(gates_along(found, read_matrix(fields["inverse"], size, size)), word)
    basis, block, right = (
        read_matrix(fields[name], *shape) for name, shape in (("basis", (size, 2)), ("block", (2, 2)), ("right", (size, 2)))
    )
    need(all(map(boxes.is_exact, (basis, block, right))), "exact matrices")
    radius, inverse = number(fields["radius"]), read_matrix(fields["inverse_pair"], 2 * size + 4, 2 * size + 4)
    need(radius > 0, "a positive radius")
    product, slope = lower(found["product"], size), upper(found["product"], size)
    wide, turn = ([[boxes.widened(x, radius) for x in row] for row in part] for part in (basis, block))
    matrix = pair_derivative(product, wide, turn, right)
    error = boxes.norm(boxes.minus(boxes.eye(2 * size + 4), boxes.times(inverse, matrix)))
    shift = boxes.times(inverse, pair_residual(product, basis, block, right))
    need(error < 1 and boxes.norm(shift) + error * radius < radius, "no inclusion of the pair")
    centre = [[block[i // 2][i % 2]] for i in range(4)]
    entries = [boxes.widened(boxes.sub(c[0], s[0]), error * radius) for c, s in zip(centre, shift[2 * size :], strict=True)]
    a, b, c, d = entries
    gap = boxes.sub(a, d)
    square = (Fraction(0), boxes.size(gap) ** 2)
    need(boxes.add(square, boxes.mul(boxes.point(4), boxes.mul(b, c)))[1] < 0, "real multipliers")
    signs = []
    for mu in (low, high):
        here = lower(around(step.net, line, word, (mu, mu))["product"], size)
        signs.append(sign_at(here, basis, block, right, inverse, error, radius))
    need(signs[0] * signs[1] < 0, "no crossing between the ends")
    pull = boxes.times(slope, wide)
    moving = [[boxes.mul(MINUS, row[i])] for i in (0, 1) for row in pull] + [[boxes.ZERO]] * 4
    speeds = [row[0] for row in solution(matrix, inverse, moving)[2 * size :]]
    terms = boxes.total((boxes.mul(d, speeds[0]), boxes.mul(a, speeds[3])))
    fast = boxes.sub(terms, boxes.add(boxes.mul(c, speeds[1]), boxes.mul(b, speeds[2])))
    need(fast[0] * fast[1] > 0, "no speed")
    trace = block[0][0][0] + block[1][1][0]
    told = {
        "itinerary": word,
        "crossing": "outward" if signs[1] > 0 else "inward",
        "trace": [spell(trace - 2 * radius), spell(trace + 2 * radius)],
    }
    return claim_on(line, "complex_pair", low, high, told)


def pair_residual(product: Table, basis: Table, block: Table, right: Table) -> Table:
    """Return (P X - X S, R'X - I), column below column."""
    first = boxes.minus(boxes.times(product, basis), boxes.times(basis, block))
    second = boxes.minus(boxes.times(boxes.turned(right), basis), boxes.eye(2))
    return [[row[i]] for part in (first, second) for i in (0, 1) for row in part]


def pair_derivative(product: Table, basis: Table, block: Table, right: Table) -> Table:
    """Return the derivative of the residual, one unit vector (dX, dS) after the other."""
    size, columns = len(product), []
    for k in range(2 * size + 4):
        change = [[boxes.ONE if k == j * size + i else boxes.ZERO for j in (0, 1)] for i in range(size)]
        turn = [[boxes.ONE if k == 2 * size + 2 * i + j else boxes.ZERO for j in (0, 1)] for i in (0, 1)]
        first = boxes.minus(boxes.minus(boxes.times(product, change), boxes.times(change, block)), boxes.times(basis, turn))
        second = boxes.times(boxes.turned(right), change)
        columns.append([row[i] for part in (first, second) for i in (0, 1) for row in part])
    return boxes.turned(columns)


def sign_at(product: Table, basis: Table, block: Table, right: Table, inverse: Table, error: Fraction, radius: Fraction) -> int:
    """Return the sign of det S - 1 at one mu, 0 if it is open; the pair is approached by Newton steps that must stay in the box."""
    size, here, turn = len(product), basis, block
    for _ in range(3):
        move = [short(row[0]) for row in boxes.times(inverse, pair_residual(product, here, turn, right))]
        here = [[boxes.sub(x, move[j * size + i]) for j, x in enumerate(row)] for i, row in enumerate(here)]
        turn = [[boxes.sub(x, move[2 * size + 2 * i + j]) for j, x in enumerate(row)] for i, row in enumerate(turn)]
    need(max(boxes.norm(boxes.minus(here, basis)), boxes.norm(boxes.minus(turn, block))) <= radius, "outside the box")
    spread = boxes.norm(boxes.times(inverse, pair_residual(product, here, turn, right))) / (1 - error)
    a, b, c, d = (boxes.widened(turn[i // 2][i % 2], spread) for i in range(4))
    value = boxes.sub(boxes.sub(boxes.mul(a, d), boxes.mul(b, c)), boxes.ONE)
    return int(value[0] > 0) - int(value[1] < 0)


def smooth_fold(step: Step) -> dict:
    """E2: a fold or flip of smooth networks."""
    line, size = step.cite("line"), step.net.dimension
    fields = step.fields("points vectors mu radius normal twist inverse bits")
    points, vectors, normal = table(fields["points"]), table(fields["vectors"]), numbers(fields["normal"])
    mu, radius, twist = number(fields["mu"]), number(fields["radius"]), integer(fields["twist"], -1, 1)
    bits = integer(fields["bits"], 8, 100_000)
    need(0 < len(points) == len(vectors) and all(len(row) == size for row in (*points, *vectors, normal)), "points and vectors")
    need(twist != 0 and radius > 0 and line["at"][0] <= mu - radius and mu + radius <= line["at"][1], "twist, radius and mu")
    need(all(name != "relu" for name, *_ in step.net.program), "a relu")
    count, width = len(points), 2 * size
    inverse = read_matrix(fields["inverse"], width * count + 1, width * count + 1)
    matrix = boxes.eye(width * count + 1)
    matrix[-1] = [*map(boxes.point, normal), *[boxes.ZERO] * (width * count + 1 - size)]
    residual, bends = [[boxes.ZERO]] * (width * count + 1), [[boxes.ZERO]] * (width * count + 1)
    for t in range(count):
        after, last = (t + 1) % count, t == count - 1
        centre = [boxes.point(x) for x in (*vectors[t], *points[t], mu)]
        image, _ = second_order(step.net, line, centre, bits)
        _, slopes = second_order(step.net, line, [boxes.widened(x, radius) for x in centre], bits)
        for i in range(width):
            factor = boxes.point(-twist if last and i < size else -1)
            target = (*vectors[after], *points[after])[i]
            residual[after * width + i] = [boxes.add(boxes.point(target), boxes.mul(factor, image[i]))]
            for j in range(width):
                place = matrix[after * width + i]
                place[t * width + j] = boxes.add(place[t * width + j], boxes.mul(factor, slopes[i][j]))
            matrix[after * width + i][-1] = boxes.mul(factor, slopes[i][width])
            if i < size:
                curved = boxes.total(boxes.mul(slopes[i][size + j], boxes.widened(centre[j], radius)) for j in range(size))
                bends[after * width + size + i] = [curved]
    residual[-1] = [boxes.point(sum((a * b for a, b in zip(normal, vectors[0], strict=True)), Fraction(-1)))]
    error = boxes.norm(boxes.minus(boxes.eye(width * count + 1), boxes.times(inverse, matrix)))
    need(error < 1 and boxes.norm(boxes.times(inverse, residual)) + error * radius < radius, "no inclusion")
    need(_apart(points, [radius] * count), "a shorter period")
    closing = [[boxes.widened(boxes.point(x), radius)] for x in vectors[0]] + [[boxes.ZERO]] * (width * count + 1 - size)
    answer = solution(matrix, inverse, closing)
    if twist < 0:
        speeds = answer[-1][0]
        need(speeds[0] * speeds[1] > 0, "a double multiplier, or no speed")
        side = "before" if speeds[0] > 0 else "after"
    else:
        along = boxes.total(boxes.mul(boxes.point(a), x[0]) for a, x in zip(normal, answer[size:width], strict=True))
        bend = solution(matrix, inverse, bends)[-1][0]
        need(along[0] * along[1] > 0 and bend[0] * bend[1] > 0, "a double multiplier, or no bend")
        side = "after" if bend[0] > 0 else "before"
    told = {"points": spelled(points), "radius": spell(radius), "twist": twist, "side": side}
    return claim_on(line, "smooth_fold", mu - radius, mu + radius, told)


def second_order(net: Net, line: dict, place: list, bits: int) -> tuple[list, Table]:
    """Return (DF v, F) and its derivatives by (v, z, mu) at a box (v, z, mu), all by the chain rule register by register.

    A register is value, derivative of the value, tangent (the derivative along v), derivative of the tangent.
    """
    size = net.dimension
    unit = boxes.eye(2 * size + 1)
    registers = [(place[size:-1], unit[size:-1], place[:size], unit[:size])]
    for (name, of, matrices, bias), (_, _, others, other) in zip(net.program, line["net"].program, strict=True):
        given = [registers[i] for i in of]
        if name == "affine":
            registers.append(moving_affine(line, place[-1], (matrices, bias), (others, other), given))
        elif name in {"add", "mul"}:
            (u, du, s, ds), (v, dv, t, dt) = given
            if name == "add":
                registers.append((sums(u, v), boxes.plus(du, dv), sums(s, t), boxes.plus(ds, dt)))
                continue
            first = boxes.plus(scaled(u, dv), scaled(v, du))
            second = boxes.plus(boxes.plus(scaled(v, ds), scaled(s, dv)), boxes.plus(scaled(t, du), scaled(u, dt)))
            registers.append((products(u, v), first, sums(products(s, v), products(u, t)), second))
        else:
            values, dvalue, tangents, dtangent = given[0]
            outputs = [boxes.curve(name, x, bits) for x in values]
            slopes = [boxes.slope(name, y) for y in outputs]
            factors = [boxes.mul(boxes.point(-2), y) if name == "tanh" else boxes.sub(boxes.ONE, boxes.add(y, y)) for y in outputs]
            bent = products(products(slopes, factors), tangents)
            registers.append(
                (outputs, scaled(slopes, dvalue), products(slopes, tangents), boxes.plus(scaled(slopes, dtangent), scaled(bent, dvalue)))
            )
    value, dvalue, tangents, dtangent = registers[-1]
    return [*tangents, *value], [*dtangent, *dvalue]


def moving_affine(line: dict, mu: tuple, one: tuple, two: tuple, given: list) -> tuple:
    """Return W(mu) y + b(mu) and W(mu) t with their derivatives."""
    (matrices, bias), (others, other) = one, two
    drift = speed(bias, other, line)
    value, rate = [row[0] for row in moved(bias, drift, line, mu)], [row[0] for row in drift]
    tangents, pace = [boxes.ZERO] * len(bias), [boxes.ZERO] * len(bias)
    width = len(given[0][1][0])
    dvalue = dtangent = [[boxes.ZERO] * width for _ in bias]
    for a, b, (y, dy, t, dt) in zip(matrices, others, given, strict=True):
        change = speed(a, b, line)
        here = moved(a, change, line, mu)
        value, tangents = sums(value, applied(here, y)), sums(tangents, applied(here, t))
        rate, pace = sums(rate, applied(change, y)), sums(pace, applied(change, t))
        dvalue, dtangent = boxes.plus(dvalue, boxes.times(here, dy)), boxes.plus(dtangent, boxes.times(here, dt))
    dvalue = [[*row[:-1], boxes.add(row[-1], x)] for row, x in zip(dvalue, rate, strict=True)]
    dtangent = [[*row[:-1], boxes.add(row[-1], x)] for row, x in zip(dtangent, pace, strict=True)]
    return value, dvalue, tangents, dtangent


def applied(matrix: Table, values: list) -> list:
    """Return a matrix times a list."""
    return [boxes.total(map(boxes.mul, row, values)) for row in matrix]


def sums(one: list, two: list) -> list:
    """Add entry by entry."""
    return [boxes.add(a, b) for a, b in zip(one, two, strict=True)]


def products(one: list, two: list) -> list:
    """Multiply entry by entry."""
    return [boxes.mul(a, b) for a, b in zip(one, two, strict=True)]


def scaled(factors: list, rows: Table) -> Table:
    """Multiply each row by its factor."""
    return [[boxes.mul(factor, x) for x in row] for factor, row in zip(factors, rows, strict=True)]


CARDS = {"complex_pair": complex_pair, "smooth_fold": smooth_fold}
