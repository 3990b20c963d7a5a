"""How near a one-hidden-layer network with unit input weights and clipped output is to having a point of Li and Yorke (so period three).

f(x) = sum_i a_i relu(x - t_i), and F = min(max(f, 0), 1) maps [0, 1] into itself. At a point with a < F(a) < F^2(a) the score is
(a - g(F^2(a))) / (F^2(a) - a) with g = max(f, 0), mirrored where both steps go down: at least 0 exactly at points of Li and Yorke, and
from -1 to 0 where the third step goes back, but not far enough. Between knots of F^3 it is a quotient of affine functions, hence
monotone, and where one of the two steps vanishes it tends to -1 or less: its supremum, where above -1, is its maximum over the knots.
Below -1 a score q is told as -2 - 1/q; a network with f(x) <= x everywhere, whose only cycles are fixed points, scores max f(x)/x - 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from verify.numerics.compiled import compiled, inner

Floats = NDArray[np.float64]
Orbit = tuple[float, float, float]
Place = tuple[float, float]  # the largest score so far and its point

TINY = 1e-12  # steps this short may be rounding: such points are passed over
FLOOR = -2.0  # the lowest score of a network with F(x) > x somewhere, and the highest of one without


def li_yorke_scores(kinks: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return each network's largest score and a point that has it (nan where there is none).

    Rows are networks; ``kinks`` ascend within each row and lie in [0, 1]; one row of them serves all networks. **Guarantee:** up to
    rounding; floats, nothing proved.
    **Cost:** linear in the knots of F^3.
    """
    scores, points = np.empty(len(weights)), np.empty(len(weights))
    _scores(np.ascontiguousarray(kinks), np.ascontiguousarray(weights), scores, points)
    return scores, points


@compiled
def _scores(kinks: Floats, weights: Floats, scores: Floats, points: Floats) -> None:
    width = kinks.shape[1]
    xs, ys, gs = np.empty(3 * width + 5), np.empty(3 * width + 5), np.empty(3 * width + 5)
    for row in range(len(weights)):
        size, rise = _table(kinks[row if len(kinks) > 1 else 0], weights[row], xs, ys, gs)
        best = (-np.inf, np.nan)
        if rise > 1.0:
            j = 0
            for i in range(size - 1):
                j, best = _piece(i, j, xs, ys, gs, size, best)
        points[row] = best[1]
        scores[row] = best[0] if best[0] >= -1.0 else FLOOR - 1.0 / best[0] + min(rise - 1.0, 0.0)


@inner
def _table(kinks: Floats, weights: Floats, xs: Floats, ys: Floats, gs: Floats) -> tuple[int, float]:
    """Write the knots on [0, 1] with the values of F and g; return their number and the largest f(x)/x after the first kink."""
    place, value, slope, rise = 0.0, 0.0, 0.0, -np.inf
    xs[0], ys[0], gs[0] = 0.0, 0.0, 0.0
    size = 1
    width = len(kinks)
    for i in range(width + 1):
        end = kinks[i] if i < width else 1.0
        after = value + slope * (end - place)
        for level in (0.0, 1.0) if after > value else (1.0, 0.0):
            if min(value, after) < level < max(value, after):
                size = _append(xs, ys, gs, size, place + (level - value) / slope, level)
        size = _append(xs, ys, gs, size, end, after)
        if i > 0 and end > 0.0:
            rise = max(rise, after / end)
        place, value = end, after
        if i < width:
            slope += weights[i]
    return size, rise


@inner
def _append(xs: Floats, ys: Floats, gs: Floats, size: int, x: float, value: float) -> int:
    """Append a knot; one at the same place is replaced, and one in the middle of a piece at 0 too."""
    g = max(value, 0.0)
    last = size if x > xs[size - 1] else size - 1
    if last > 1 and g == 0.0 and gs[last - 1] == 0.0 and gs[last - 2] == 0.0:
        last -= 1
    xs[last], ys[last], gs[last] = max(x, xs[size - 1]), min(g, 1.0), g
    return last + 1


@inner
def _cell(xs: Floats, size: int, x: float) -> int:
    """Return j with xs[j] <= x <= xs[j + 1]."""
    low, high = 0, size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    return low


@inner
def _ahead(xs: Floats, j: int, x: float, goal: float) -> int:
    """Return the piece that x is about to cross on its way to the goal, where x may be an end of piece j."""
    if goal > x >= xs[j + 1]:
        return j + 1
    if goal < x <= xs[j]:
        return j - 1
    return j


@inner
def _value(xs: Floats, ys: Floats, j: int, x: float) -> float:
    time = min((x - xs[j]) / (xs[j + 1] - xs[j]), 1.0)
    return float((1.0 - time) * ys[j] + time * ys[j + 1])


@inner
def _piece(i: int, j: int, xs: Floats, ys: Floats, gs: Floats, size: int, best: Place) -> tuple[int, Place]:
    """Cut piece i of F where F^2 has knots, and leave out parts on which no point takes two steps in one direction.

    j is the piece in which F's value at the start lies; return the one of the end.
    """
    x0, y0, x1, y1 = xs[i], ys[i], xs[i + 1], ys[i + 1]
    j = _ahead(xs, j, y0, y1)
    start = (x0, y0, _value(xs, ys, j, y0))
    while True:
        m = j + 1 if y1 > y0 else j
        inside = y0 < xs[m] < y1 or y1 < xs[m] < y0
        end = (x0 + (xs[m] - y0) / (y1 - y0) * (x1 - x0), xs[m], ys[m]) if inside else (x1, y1, _value(xs, ys, j, y1))
        if _two_steps(start, end):
            best = _part(start, end, xs, gs, size, best)
        if not inside:
            return j, best
        start = end
        j += 1 if y1 > y0 else -1


@inner
def _two_steps(start: Orbit, end: Orbit) -> bool:
    (a0, u0, v0), (a1, u1, v1) = start, end
    return ((u0 > a0 or u1 > a1) and (v0 > u0 or v1 > u1)) or ((u0 < a0 or u1 < a1) and (v0 < u0 or v1 < u1))


@inner
def _part(start: Orbit, end: Orbit, xs: Floats, gs: Floats, size: int, best: Place) -> Place:
    """Score the knots of F^3 on a piece of F^2."""
    (a0, u0, v0), (a1, u1, v1) = start, end
    j = _ahead(xs, _cell(xs, size, v0), v0, v1)
    best = _score(start, _value(xs, gs, j, v0), best)
    while True:
        m = j + 1 if v1 > v0 else j
        if not (v0 < xs[m] < v1 or v1 < xs[m] < v0):
            return _score(end, _value(xs, gs, j, v1), best)
        time = (xs[m] - v0) / (v1 - v0)
        best = _score((a0 + time * (a1 - a0), u0 + time * (u1 - u0), xs[m]), gs[m], best)
        j += 1 if v1 > v0 else -1


@inner
def _score(orbit: Orbit, w: float, best: Place) -> Place:
    a, u, v = orbit
    if u > a + TINY and v > u + TINY:
        score = (a - w) / (v - a)
    elif u < a - TINY and v < u - TINY and w > v + TINY:
        score = (w - a) / (a - v)
    else:
        return best
    return (score, a) if score > best[0] else best
