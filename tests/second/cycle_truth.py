# mypy: disable-error-code="no-any-return"
"""Are these all cycles in the box? Newton from a dense grid finds what is missing; bisection with own leaves proves that nothing is."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from tests.second import boxes
from tests.second.cycles import primes
from tests.second.cycles_in_boxes import balls_of, common, inverses, lies_in, misses, never_returns, range_of
from tests.second.floats import Floats
from tests.second.nets import Net
from tests.second.text import Json, number, numbers, table

STARTS = {1: 200, 2: 20, 3: 8}
MOST_PERIOD = 8
NEWTON_STEPS = 25
SHARP, NEAR, EDGE = 1e-10, 1e-6, 1e-6
MOST_BISECTIONS = {1: 150, 2: 60}
PLACES = [Fraction(x, 10000) for x in (4873, 6211, 3744, 7489, 2519, 8761, 1244)]
WIDER = 3


def holds(net: Net, claim: dict, decide: Callable[[Net, dict], bool | None]) -> bool | None:
    """Decide a claim of A4b; ``decide`` says whether a listed cycle is one."""
    root = list(zip(numbers(claim["low"]), numbers(claim["high"]), strict=True))
    if len(root) != net.dimension or any(a > b for a, b in root):
        return False
    balls = [balls_of(cycle) for cycle in claim["cycles"]]
    if any(len(each) > claim["up_to"] or not all(common(ball, root) for ball in each) for each in balls):
        return False
    listed = [decide(net, cycle) for cycle in claim["cycles"]]
    if False in listed or same_twice(net, claim) or found_another(net, claim, root):
        return False
    inside = all(lies_in(ball, root) for each in balls for ball in each)
    return True if None not in listed and inside and proved(net, claim, root, balls) else None


def same_twice(net: Net, claim: dict) -> bool:
    """Say whether Newton leads from two listed cycles to the same one."""
    ends, floats = [], Floats(net)
    for cycle in claim["cycles"]:
        points = np.array([[float(x) for x in point] for point in table(cycle["points"])[:1]])
        ends.append((len(cycle["points"]), newton(floats, points, len(cycle["points"]))))
    orbits = [(k, through(floats, found[0], k)) for k, found in ends if len(found)]
    return any(
        k == m and float(np.min(np.max(np.abs(one[0] - two), axis=1))) < SHARP * 100
        for i, (k, one) in enumerate(orbits)
        for m, two in orbits[i + 1 :]
    )


def found_another(net: Net, claim: dict, root: list) -> bool:
    """Say whether Newton finds a cycle in the box (for `everywhere`, anywhere) that is not listed."""
    if net.dimension not in STARTS:
        return False
    spans = np.array([[float(a), float(b)] for a, b in root])
    if claim["everywhere"]:
        half = WIDER * (spans[:, 1:] - spans[:, :1] + 1)
        spans = np.hstack([spans[:, :1] - half, spans[:, 1:] + half])
    lines = [np.linspace(a, b, STARTS[net.dimension]) for a, b in spans]
    starts = np.stack([axis.ravel() for axis in np.meshgrid(*lines)], axis=1)
    floats = Floats(net)
    for period in range(1, min(claim["up_to"], MOST_PERIOD) + 1):
        for point in newton(floats, starts, period):
            orbit = through(floats, point, period)
            if any(np.max(np.abs(orbit[period // p] - orbit[0])) < NEAR for p in primes(period)):
                continue
            stays = all(np.all((orbit > spans[:, 0] + EDGE) & (orbit < spans[:, 1] - EDGE), axis=1))
            if (stays or claim["everywhere"]) and not any(is_listed(orbit, cycle) for cycle in claim["cycles"]):
                return True
    return False


def is_listed(orbit: Json, cycle: dict) -> bool:
    """Say whether an orbit is within the balls of a listed cycle, in some order of time."""
    points = np.array([[float(x) for x in point] for point in table(cycle["points"])])
    far = float(number(cycle["radius"])) + NEAR
    return len(points) == len(orbit) and any(np.max(np.abs(np.roll(orbit, i, axis=0) - points)) <= far for i in range(len(orbit)))


def through(net: Floats, point: Json, period: int) -> Json:
    """Return the points of an orbit."""
    orbit = [point]
    for _ in range(period - 1):
        orbit.append(net.image(orbit[-1][None])[0])
    return np.array(orbit)


def newton(net: Floats, points: Json, period: int) -> Json:
    """Return the different solutions of F^k(z) = z that Newton reaches, sharp and not nearly degenerate ones."""
    identity = np.eye(net.dimension)
    with np.errstate(all="ignore"):
        for _ in range(NEWTON_STEPS):
            end, slope = iterated(net, points, period)
            matrices = slope - identity
            good = np.all(np.isfinite(matrices), axis=(1, 2)) & np.all(np.isfinite(end), axis=1)
            points, end, matrices = points[good], end[good], matrices[good]
            good = np.abs(np.linalg.det(matrices)) > SHARP
            points, end, matrices = points[good], end[good], matrices[good]
            points = points - np.linalg.solve(matrices, (end - points)[:, :, None])[:, :, 0]
        end, slope = iterated(net, points, period)
        error = np.max(np.abs(end - points), axis=1) if len(points) else np.zeros(0)
        sharp = (error < SHARP * 1e-2) & (np.abs(np.linalg.det(slope - identity)) > 1e-4)
    different: list = []
    for point in points[sharp]:
        if not any(np.max(np.abs(point - other)) < NEAR for other in different):
            different.append(point)
    return different


def iterated(net: Floats, points: Json, period: int) -> tuple:
    """Return F^k and its Jacobians at many points."""
    slope = np.broadcast_to(np.eye(net.dimension), (len(points), net.dimension, net.dimension))
    for _ in range(period):
        points, jacobian = net.jacobians(points)
        slope = jacobian @ slope
    return points, slope


def proved(net: Net, claim: dict, root: list, balls: list) -> bool:
    """Bisect with own leaves until each is settled, or too many are open."""
    if claim["everywhere"]:
        image = range_of(net, boxes.PRECISION)
        if image is None or not lies_in(image, root):
            return False
    left = MOST_BISECTIONS.get(net.dimension, 0)
    for period in range(claim["up_to"] // 2 + 1, claim["up_to"] + 1):
        waiting = [root]
        while waiting:
            left -= period
            leaf = waiting.pop()
            if left < 0:
                return False
            if not settled(net, root, leaf, period, balls):
                waiting += halves(leaf, balls)
    return True


def settled(net: Net, root: list, leaf: list, period: int, balls: list) -> bool:
    """Say whether a leaf holds no point of a cycle but a listed one."""
    bits = 60
    if never_returns(net, root, leaf, period, bits):
        return True
    held = [ball for each in balls if period % len(each) == 0 for ball in each if lies_in(ball, leaf)]
    found = inverses(net, leaf, period, bits)[:1]
    if len(held) == 1:
        one = boxes.eye(net.dimension)
        return any(boxes.norm(boxes.minus(one, boxes.times(inverse, change))) < 1 for inverse, change in found)
    return held == [] and any(misses(net, leaf, period, bits, near) for near in found)


def halves(leaf: list, balls: list) -> list:
    """Cut a box across its longest side, off its centre and where possible through no ball of a listed cycle."""
    axis = max(range(len(leaf)), key=lambda i: leaf[i][1] - leaf[i][0])
    low, high = leaf[axis]
    if low == high:
        return [leaf]
    places = [low + (high - low) * part for part in PLACES]
    spans = [ball[axis] for each in balls for ball in each]
    cut = next((x for x in places if not any(a <= x <= b for a, b in spans)), places[0])
    return [[*leaf[:axis], part, *leaf[axis + 1 :]] for part in ((low, cut), (cut, high))]
