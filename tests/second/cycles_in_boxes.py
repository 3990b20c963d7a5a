# mypy: disable-error-code="no-any-return"
"""A4b naively, as its card says, with an exact inverse of rounded middles."""

from __future__ import annotations

from fractions import Fraction

from tests.second import boxes
from tests.second.cards import Step
from tests.second.exponents import leaves, sides
from tests.second.finite_times import GUARD, coarse
from tests.second.nets import Net
from tests.second.text import BeyondReach, Json, integer, items, need, number, spell, table, take

MOST_PERIOD = 64
MOST_STATES = 64
MOST_LEAVES_TIMES_STEPS = 20_000


def cycles_in_box(step: Step) -> dict:
    """A4b."""
    net = step.net
    fields = step.fields("low high up_to trees bits", "everywhere")
    need(net.dimension <= MOST_STATES, "too many states")
    root, bits, up_to = sides(fields, net), step.bits(), integer(fields["up_to"], 1, MOST_PERIOD)
    cycles = [step.cite("ball_cycle") for _ in list(step.cited)]
    balls = [balls_of(cycle) for cycle in cycles]
    need(all(len(each) <= up_to for each in balls), "a listed period is too long")
    need(all(lies_in(ball, root) for each in balls for ball in each), "a ball outside the box")
    need(are_apart(balls), "listed cycles that may be the same")
    everywhere = bool(integer(fields.get("everywhere", 0), 0, 1))
    if everywhere:
        image = range_of(net, bits)
        need(image is not None and lies_in(image or [], root), "F may lead out of the box")
    periods = [k for k in range(1, up_to + 1) if 2 * k > up_to]
    need(len(items(fields["trees"])) == len(periods), "another number of trees")
    for period, tree in zip(periods, fields["trees"], strict=True):
        settle(net, root, period, take(tree, "cuts leaves"), balls, bits)
    ends = {name: [spell(span[i]) for span in root] for i, name in enumerate(("low", "high"))}
    return {"claim": "cycles_in_box", "up_to": up_to, **ends, "everywhere": everywhere, "cycles": cycles}


def balls_of(cycle: dict) -> list:
    """Return the balls of a cycle as boxes."""
    return [[boxes.widened(boxes.point(x), number(cycle["radius"])) for x in point] for point in table(cycle["points"])]


def lies_in(one: list, two: list) -> bool:
    """Say whether a box lies in another."""
    return all(c <= a and b <= d for (a, b), (c, d) in zip(one, two, strict=True))


def common(one: list, two: list) -> list | None:
    """Return the common part of two closed boxes, None where they have none."""
    found = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, two, strict=True)]
    return None if any(a > b for a, b in found) else found


def are_apart(balls: list) -> bool:
    """Say whether the first ball of each cycle meets no ball of a later one of the same period."""
    pairs = [(one, two) for i, one in enumerate(balls) for two in balls[i + 1 :] if len(one) == len(two)]
    return all(common(one[0], ball) is None for one, two in pairs for ball in two)


def range_of(net: Net, bits: int) -> list | None:
    """Return where F takes every state; None where an unbounded register reaches it."""
    found: list = [None]
    for i, (name, of, _, _) in enumerate(net.program):
        given = [found[j] for j in of]
        if None not in given:
            found.append(one_operation(net, i, found, bits))
        elif name in {"tanh", "sigmoid"}:
            found.append([(Fraction(-1 if name == "tanh" else 0), Fraction(1))] * size_of(net, of[0]))
        else:
            found.append(None)
    return found[-1]


def size_of(net: Net, register: int) -> int:
    """Return how many numbers a register holds."""
    if register == 0:
        return net.dimension
    name, of, _, bias = net.program[register - 1]
    return len(bias) if name == "affine" else size_of(net, of[0])


def one_operation(net: Net, place: int, found: list, bits: int) -> list:
    """Return one operation over intervals, as a program of its own on the registers it reads."""
    name, of, matrices, bias = net.program[place]
    joined = [x for i in of for x in found[i]]
    program, start = [], 0
    for i in of:
        rows = [[boxes.ONE if j == start + r else boxes.ZERO for j in range(len(joined))] for r in range(len(found[i]))]
        program.append(("affine", [0], [rows], [[boxes.ZERO]] * len(rows)))
        start += len(found[i])
    program.append((name, list(range(1, len(of) + 1)), matrices, bias))
    return Net(len(joined), program).run(joined, bits)[0]


def settle(net: Net, root: list, period: int, tree: dict, balls: list, bits: int) -> None:
    """Check every leaf of one tree."""
    found, told = leaves(tree["cuts"], root), items(tree["leaves"])
    need(len(found) == len(told), "another number of leaves")
    if len(found) * period * net.dimension > MOST_LEAVES_TIMES_STEPS:
        raise BeyondReach("too many leaves")
    for leaf, said in zip(found, told, strict=True):
        if said == 0 and integer(said, 0, 0) == 0:
            need(never_returns(net, root, leaf, period, bits), "an orbit may return")
        elif said == 1 and integer(said, 1, 1) == 1:
            need(any(misses(net, leaf, period, bits, near) for near in inverses(net, leaf, period, bits)), "there may be a solution")
        else:
            holds_one(net, leaf, period, said, balls, bits)


def never_returns(net: Net, root: list, leaf: list, period: int, bits: int) -> bool:
    """0: follow the leaf, cut with the box."""
    box: list | None = leaf
    for _ in range(period):
        box = common(coarse([net.run(box or [], bits)[0]], bits + GUARD)[0], root)
        if box is None:
            return True
    return common(box or [], leaf) is None


def closing(net: Net, leaf: list, period: int, bits: int) -> list:
    """Return P - I, P the enclosure of all secant matrices of F^k over a leaf."""
    product, box = boxes.eye(net.dimension), leaf
    for _ in range(period):
        product = coarse(boxes.times(net.slopes(box, bits), product), bits + GUARD)
        box = coarse([net.run(box, bits)[0]], bits + GUARD)[0]
    return boxes.minus(product, boxes.eye(net.dimension))


def inverses(net: Net, leaf: list, period: int, bits: int) -> list:
    """Return (C, P - I) for C the inverse of the middle of P - I, to more bits than asked and to the bits; [] if singular."""
    change = closing(net, leaf, period, bits)
    middle = [[(x[0] + x[1]) / 2 for x in row] for row in change]
    size = range(len(middle))
    columns: Json = [boxes.solve(middle, [Fraction(int(i == j)) for i in size]) for j in size]
    if None in columns:
        return []
    exact = [[columns[j][i] for j in size] for i in size]
    return [
        ([[boxes.point(Fraction((x.numerator << p) // x.denominator, 1 << p)) for x in row] for row in exact], change)
        for p in (bits + GUARD, bits)
    ]


def misses(net: Net, leaf: list, period: int, bits: int, near: tuple) -> bool:
    """1: Krawczyk's operator."""
    inverse, change = near
    middle = [(a + b) / 2 for a, b in leaf]
    end = [boxes.point(x) for x in middle]
    for _ in range(period):
        end = coarse([net.run(end, bits)[0]], bits + GUARD)[0]
    step = boxes.times(inverse, boxes.minus([[x] for x in end], boxes.column(middle)))
    defect = boxes.minus(boxes.eye(len(leaf)), boxes.times(inverse, change))
    spread = boxes.times(defect, boxes.minus([[x] for x in leaf], boxes.column(middle)))
    moved = boxes.plus(boxes.minus(boxes.column(middle), step), spread)
    return common([row[0] for row in moved], leaf) is None


def holds_one(net: Net, leaf: list, period: int, said: Json, balls: list, bits: int) -> None:
    """[c, i]: one solution in the leaf, the listed one."""
    need(len(items(said)) == 2, "a cycle and a point")
    cycle = balls[integer(said[0], 1, len(balls)) - 1]
    point = integer(said[1], 1, len(cycle))
    need(period % len(cycle) == 0 and lies_in(cycle[point - 1], leaf), "another period, or a ball not in the leaf")
    one = boxes.eye(net.dimension)
    found = inverses(net, leaf, period, bits)
    need(any(boxes.norm(boxes.minus(one, boxes.times(inverse, change))) < 1 for inverse, change in found), "not one solution")


CARDS = {"cycles_in_box": cycles_in_box}
FIELDS = {"cycles_in_box": "up_to low high everywhere cycles"}
