"""Are claims about cycles and events on a line of networks true? Exact orbits at many mu; what only floats could tell is left open."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from tests.second import boxes
from tests.second.cycles import orbit_along
from tests.second.nets import Net
from tests.second.pair_truth import TRUTHS as PAIR_TRUTHS
from tests.second.pair_truth import at_mu, floats, line_of, outline
from tests.second.text import Json, number, numbers

SAMPLES = 8
CLOSE = 1e-6
BISECTIONS = 60
Truth = bool | None


def family(net: Net, claim: dict) -> Callable[[Fraction], Net] | None:
    """Return mu -> F_mu for exact piecewise-linear ends that were read."""
    line = line_of(claim)
    if line is None or not net.linear or not line["net"].exact or outline(net) != outline(line["net"]):
        return None
    return lambda mu: at_mu(net, line, mu)


def grid(claim: dict) -> list:
    """Return mu from low to high."""
    low, high = number(claim["low"]), number(claim["high"])
    return [low + (high - low) * i / SAMPLES for i in range(SAMPLES + 1)]


def is_there(net: Net, word: list) -> bool:
    """Say whether exactly one cycle follows this word strictly."""
    orbit = orbit_along(net, word)
    return orbit is not None and [net.pattern([boxes.point(x) for x in point]) for point in orbit] == list(word)


def product(net: Net, word: list) -> list:
    """Return J_k..J_1, exact."""
    total = boxes.eye(net.dimension)
    for letters in word:
        total = boxes.times(net.piece(letters)[0], total)
    return [[entry[0] for entry in row] for row in total]


def shifted(net: Net, word: list, sign: int) -> Fraction:
    """Return det(I + sign P)."""
    return boxes.det([[int(i == j) + sign * x for j, x in enumerate(row)] for i, row in enumerate(product(net, word))])


def exists_holds(net: Net, claim: dict) -> Truth:
    """Solve along the word at many mu and count multipliers."""
    at, word = family(net, claim), claim["itinerary"]
    if at is None or not word:
        return None
    if len(word) != claim["period"] or not all(is_there(at(mu), word) for mu in grid(claim)):
        return False
    if claim["inside"] is None:
        return True
    for mu in grid(claim):
        sizes = np.abs(np.linalg.eigvals(np.array(product(at(mu), word), dtype=np.float64)))
        if np.abs(sizes - 1).min() < CLOSE:
            return None
        if (int((sizes < 1).sum()), int((sizes > 1).sum())) != (claim["inside"], claim["outside"]):
            return False
    return True


def absent_holds(net: Net, claim: dict) -> Truth:
    """Look for the cycle at many mu."""
    at = family(net, claim)
    return None if at is None else not any(is_there(at(mu), claim["itinerary"]) for mu in grid(claim))


def sided(at: Callable[[Fraction], Net], claim: dict, word: list, side: str) -> bool:
    """Say whether the cycle is there at one end only, and seen from end to end changes once at most."""
    seen = [is_there(at(mu), word) for mu in (grid(claim)[0], grid(claim)[-1])]
    return seen == {"before": [True, False], "after": [False, True], "never": [False, False]}[side]


def collision_holds(net: Net, claim: dict) -> Truth:
    """Look for the cycle and for its partners at both ends, and for the sign of the pre-activation there."""
    at = family(net, claim)
    if at is None:
        return None
    signs = []
    for mu in (grid(claim)[0], grid(claim)[-1]):
        here = at(mu)
        orbit = orbit_along(here, claim["itinerary"])
        if orbit is None:
            return False
        form, constant = (part[claim["unit"] - 1] for part in here.piece(claim["itinerary"][claim["time"] - 1])[2:])
        signs.append(sum((a[0] * x for a, x in zip(form, orbit[claim["time"] - 1], strict=True)), constant[0]))
    if signs[0] * signs[1] >= 0:
        return False
    return all(sided(at, claim, word, side) for word, side in [(claim["itinerary"], claim["side"]), *claim["partners"]])


def escape_holds(net: Net, claim: dict) -> Truth:
    """Compare the signs of det(I - P), and where the cycle is, at both ends; with bounds, measure the growth at many mu."""
    at, word = family(net, claim), claim["itinerary"]
    if at is None:
        return None
    low, high = grid(claim)[0], grid(claim)[-1]
    signs = [shifted(at(mu), word, -1) for mu in (low, high)]
    if signs[0] * signs[1] >= 0 or not sided(at, claim, word, claim["side"]):
        return False
    return measured(at, claim, signs[0], low, high) if "position" in claim else True


def measured(at: Callable[[Fraction], Net], claim: dict, first: Fraction, low: Fraction, high: Fraction) -> bool:
    """Say whether |z_1| |mu - mu*| and its derivative's law keep their bounds at both ends and between."""
    one, two, word = low, high, claim["itinerary"]
    for _ in range(BISECTIONS):
        middle = (one + two) / 2
        one, two = (middle, two) if shifted(at(middle), word, -1) * first > 0 else (one, middle)
    bounds = [[float(x) for x in numbers(claim[name])] for name in ("position", "gradient")]
    tiny = (high - low) / 10**6
    for mu in (low + tiny, (low + one) / 2, (one + high) / 2, high - tiny):
        orbits = [orbit_along(at(mu + side * tiny / 10**3), word) for side in (-1, 0, 1)]
        starts = [np.array([float(x) for x in orbit[0]]) if orbit else None for orbit in orbits]
        before, here, after = starts
        if before is None or here is None or after is None:
            return False
        away, step = abs(float(mu - one)), 2 * float(tiny) / 10**3
        told = [np.abs(here).max() * away, np.abs(after - before).max() / step * away**2]
        if not all(least * (1 - 1e-3) <= value <= most * (1 + 1e-3) for value, (least, most) in zip(told, bounds, strict=True)):
            return False
    return True


def flip_holds(net: Net, claim: dict) -> Truth:
    """Compare the signs of det(I + P) at both ends, and look for the cycle between."""
    at, word = family(net, claim), claim["itinerary"]
    if at is None:
        return None
    ends = [shifted(at(mu), word, 1) for mu in (grid(claim)[0], grid(claim)[-1])]
    return ends[0] * ends[1] < 0 and all(is_there(at(mu), word) for mu in grid(claim))


def vanishing_holds(net: Net, claim: dict) -> Truth:
    """Decide what is said of the collision; the gradients themselves are left open."""
    return False if collision_holds(net, claim["collision"]) is False else None


def forcing_holds(net: Net, claim: dict) -> Truth:
    """Compare the rate with the multipliers of two pieces of the forced map, which a bound in any norm bounds."""
    alpha, forced = float(number(claim["alpha"])), claim["forced"]
    if not net.linear or not net.exact:
        return None
    scale = np.diag([1 - alpha if i < forced else 1.0 for i in range(net.dimension)])
    radii = [np.abs(np.linalg.eigvals(floats(net.piece(letter * net.hinges)[0]) @ scale)).max() for letter in "01"]
    return False if max(radii) > float(number(claim["rate"])) * (1 + CLOSE) else None


TRUTHS: dict[str, Callable[[Net, Json], Truth]] = {
    **PAIR_TRUTHS,
    "exists_on": exists_holds,
    "absent_on": absent_holds,
    "border_collision": collision_holds,
    "to_infinity": escape_holds,
    "gradient_divergence": escape_holds,
    "flip": flip_holds,
    "gradient_vanishing": vanishing_holds,
    "teacher_forcing": forcing_holds,
}
