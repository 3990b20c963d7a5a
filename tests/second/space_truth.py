# mypy: disable-error-code="no-any-return"
"""Are claims about horseshoes, repellers, trapping regions and exponents true? Without a witness, as far as brute force goes."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from tests.second import boxes
from tests.second.entropy import covers_exactly, entropy_floor
from tests.second.exponent_truth import TRUTHS as EXPONENT_TRUTHS
from tests.second.exponent_truth import smooth_bounds_hold
from tests.second.free import live_hinges
from tests.second.line import line_of
from tests.second.multipliers import matches_moduli
from tests.second.necklaces import facet_rows, rows_of
from tests.second.nets import Net
from tests.second.polyhedra import dot, sample
from tests.second.text import Json, number, numbers, table
from tests.second.words import Words

MOST_STATES = 3
MOST_HINGES = 6
MOST_WORDS = 600
MOST_FOLLOWED = 64
TRIALS = 40


def covering_graph_holds(net: Net, claim: dict) -> bool | None:
    """Compare with bounds of the entropy: M log+ of a Lipschitz constant, words, laps on the line above, and coverings below."""
    rate = number(claim["rate"])
    if not rate > 1 or not 1 <= claim["unstable"] <= net.dimension or claim["paths"] < 2:
        return False
    if all(name != "mul" for name, *_ in net.program):
        lipschitz = max(Fraction(1), boxes.norm(net.slopes(None)))
        if rate > lipschitz**net.dimension:
            return False
    if net.linear and net.exact and any(rate**n > count for n, count in followed(Words(net))):
        return False
    if net.dimension > 1 or not net.linear or not net.exact:
        return None
    line = line_of(net)
    return True if covers_exactly(line, 1, rate) or any(floor >= rate**n for n, floor in entropy_floor(line, 1)) else None


def followed(words: Words) -> list:
    """Return pairs (n, number of words of n letters that some point follows): h <= log(number) / n.

    The points of one word on a compact set are a convex set, and |P_t (x - y)|, t < n, is a norm in which it is bounded: it takes
    polynomially many balls.
    """
    found = []
    for length in (1, 2, 3, 4):
        if len(words.letters) ** length <= MOST_FOLLOWED and words.net.dimension <= MOST_STATES:
            rows = (rows_of(words, word) if words.live else [] for word in product(words.letters, repeat=length))
            found.append((length, sum(sample(row, words.net.dimension) is not None for row in rows)))
    return found


def snap_back_repeller_holds(net: Net, claim: dict) -> bool | None:
    """Look for a homoclinic orbit: preimages of the point by all words, then by its own letter until they are very close."""
    if not net.linear:
        return False
    words, point = Words(net), numbers(claim["point"])
    image, gates = words.step(point)
    if image != point or 0 in gates:
        return False
    home = "".join("1" if x > 0 else "0" for x in gates)
    slope = [[boxes.point(x) for x in row] for row in words.piece(home)[0]]
    if matches_moduli([slope], [Fraction(1)], [0]) is not True:
        return False if matches_moduli([slope], [Fraction(1)], [0]) is False else None
    for length in range(1, claim["steps"] + 1):
        if len(words.letters) ** length > MOST_WORDS:
            return None
        for word in product(words.letters, repeat=length):
            if word[0] != home and comes_from_near(words, point, home, word):
                return True
    return None


def comes_from_near(words: Words, point: list, home: str, word: tuple) -> bool:
    """Say whether going back along a word, then along the home letter, meets no border and ends close to the point."""
    state = point
    for time, letter in enumerate([*reversed(word), *[home] * TRIALS]):
        slope, offset, _, _ = words.piece(letter)
        found: Json = boxes.solve(slope, [x - q for x, q in zip(state, offset, strict=True)])
        if found is None:
            return False
        gates = words.step(found)[1]
        if 0 in gates or "".join("1" if x > 0 else "0" for x in gates) != letter or (found == point and time < len(word)):
            return False
        state = found
    return state != point and max(abs(a - b) for a, b in zip(state, point, strict=True)) < Fraction(1, 1000)


def box_holds(net: Net, claim: dict) -> bool | None:
    """Take the box as a polytope, or enclose its image."""
    low, high = numbers(claim["low"]), numbers(claim["high"])
    if not len(low) == len(high) == net.dimension or any(a > b for a, b in zip(low, high, strict=True)):
        return False
    image = net.run(list(zip(low, high, strict=True)), boxes.PRECISION)[0]
    if all(a <= x[0] and x[1] <= b for x, a, b in zip(image, low, high, strict=True)):
        return True
    return polytope_holds(net, claim) if net.linear and net.exact else None


def polytope_holds(net: Net, claim: dict) -> bool | None:
    """Look in every pattern for a point that leaves through a facet, and for a point and a direction of the polytope."""
    words, facets, size = Words(net), facet_rows(claim), net.dimension
    if size > MOST_STATES or len(words.live) > MOST_HINGES:
        return None
    if any(len(row) != size for row, _, _ in facets) or sample(facets, size) is None:
        return False
    units = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    flat = [(row, Fraction(0), False) for row, _, _ in facets]
    if any(sample([*flat, ([side * x for x in unit], Fraction(0), True)], size) is not None for unit in units for side in (1, -1)):
        return False
    for letter in words.letters:
        slope, offset, _, _ = words.piece(letter)
        rows = [*facets, *(rows_of(words, (), letter) if letter else [])]
        for row, constant, _ in facets:
            after = [dot(row, list(column)) for column in zip(*slope, strict=True)]
            if sample([*rows, ([-x for x in after], -constant - dot(row, offset), True)], size) is not None:
                return False
    return True


def ellipsoid_holds(net: Net, claim: dict) -> bool | None:
    """Decide on the line by the ends and the kinks; elsewhere look for points on the axes and diagonals that leave."""
    center, form = numbers(claim["center"]), table(claim["form"])
    if len(center) != net.dimension or any(form[i][i] <= 0 for i in range(len(form))):
        return False

    def inside(point: list) -> bool | None:
        """Say whether F(point) is inside; None if it may be or not."""
        away = [
            boxes.sub(x, boxes.point(c)) for x, c in zip(net.run([boxes.point(x) for x in point], boxes.PRECISION)[0], center, strict=True)
        ]
        terms = (
            boxes.mul(boxes.mul(a, b), boxes.point(q)) for a, row in zip(away, form, strict=True) for b, q in zip(away, row, strict=True)
        )
        low, high = boxes.total(terms)
        return True if high <= 1 else False if low > 1 else None

    for direction in product((-1, 0, 1), repeat=min(net.dimension, 4)):
        way = [*map(Fraction, direction), *[Fraction(0)] * (net.dimension - len(direction))]
        size = dot(way, [dot(row, way) for row in form])
        scale = Fraction(1) if size <= 1 else 1 / (size + 1)  # inside, as (1 / (s + 1))^2 s <= 1
        for part in (Fraction(1), Fraction(1, 2), Fraction(9, 10)):
            if inside([c + part * scale * d for c, d in zip(center, way, strict=True)]) is False:
                return False
    if net.dimension > 1 or not net.linear or not net.exact:
        return None
    q, line = form[0][0], line_of(net)
    within = [x for x in line.knots if q * (x - center[0]) ** 2 <= 1]
    radius = next(Fraction(n, 64) for n in range(1, 10**6) if q * Fraction(n, 64) ** 2 >= 1)
    ends = [center[0] - radius, center[0] + radius]
    return True if all(q * (line(x) - center[0]) ** 2 <= 1 for x in [*within, *ends]) else None


def exponent_bounds_hold(net: Net, claim: dict) -> bool | None:
    """Compare products of Jacobians over all words, and the multipliers of cycles, with both rates."""
    if claim["lower"] is None and claim["upper"] is None:
        return False
    if not net.linear:
        return smooth_bounds_hold(net, claim)
    answers = [bound_holds(net, claim, number(claim[side]), side) for side in ("lower", "upper") if claim[side] is not None]
    inside = claim["inside"]
    if inside is not None:
        answers.append((box_holds if inside["claim"] == "trapping_box" else polytope_holds)(net, inside) if net.exact else None)
    return False if False in answers else True if None not in answers else smooth_bounds_hold(net, claim)


def bound_holds(net: Net, claim: dict, rate: Fraction, side: str) -> bool | None:
    """Prove a bound by norms of products over all words (of patterns that K meets), refute it by a cycle in K."""
    if rate <= 0 or len(live_hinges(net)) > MOST_HINGES:
        return False if rate <= 0 else None
    if net.exact and refuted(net, claim, rate, side):
        return False
    slopes = [net.piece(pattern)[0] for pattern in patterns(net, claim)]
    products = [boxes.eye(net.dimension)]
    for length in range(1, 9):
        if len(products) * len(slopes) > MOST_WORDS:
            return None
        products = [boxes.times(slope, before) for before in products for slope in slopes]
        if side == "upper" and all(boxes.norm(matrix) <= rate**length for matrix in products):
            return True
        if side == "lower" and net.dimension == 1 and all(least(*matrix[0][0]) >= rate**length for matrix in products):
            return True
    return None


def least(low: Fraction, high: Fraction) -> Fraction:
    """Return the smallest absolute value in an interval."""
    return Fraction(0) if low <= 0 <= high else min(abs(low), abs(high))


def patterns(net: Net, claim: dict) -> list:
    """Return the patterns (0 at idle hinges) whose closed regions may meet K."""
    live = live_hinges(net)
    letters = ["".join(bits) for bits in product("01", repeat=len(live))]
    if net.exact and claim["inside"] is not None and net.dimension <= MOST_STATES:
        words, facets = Words(net), facet_rows(claim["inside"])
        letters = [
            x for x in letters if sample([*facets, *((r, c, False) for r, c, _ in (rows_of(words, (), x) if x else []))], net.dimension)
        ]
    return ["".join(dict(zip(live, letter, strict=True)).get(i, "0") for i in range(net.hinges)) for letter in letters]


def refuted(net: Net, claim: dict, rate: Fraction, side: str) -> bool:
    """Say whether some short cycle (in K) has all its multipliers below, or one above, the rate."""
    words = Words(net)
    facets = facet_rows(claim["inside"]) if claim["inside"] is not None else []
    for length in (1, 2, 3):
        if len(words.letters) ** length > 64:
            return False
        for word in product(words.letters, repeat=length):
            matrix, right = words.system(word)
            point = boxes.solve(matrix, right)
            if point is None or not words.follows(point, word) or any(dot(row, point) + constant < 0 for row, constant, _ in facets):
                continue
            slopes = [[[boxes.point(x) for x in row] for row in words.piece(letter)[0]] for letter in word]
            below = matches_moduli(slopes, [rate], [net.dimension])
            if (side == "lower" and below is True) or (side == "upper" and below is False and exceeds(slopes, rate)):
                return True
    return False


def exceeds(slopes: list, rate: Fraction) -> bool:
    """Say whether some multiplier is surely beyond the rate: a count of all but some is right."""
    return any(matches_moduli(slopes, [rate], [count]) is True for count in range(len(slopes[0])))


TRUTHS = {
    "covering_graph": covering_graph_holds,
    "snap_back_repeller": snap_back_repeller_holds,
    "trapping_box": box_holds,
    "trapping_polytope": polytope_holds,
    "trapping_ellipsoid": ellipsoid_holds,
    "exponent_bounds": exponent_bounds_hold,
    **EXPONENT_TRUTHS,
}
