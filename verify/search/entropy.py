"""Horseshoes of scalar maps: partitions that F nearly respects, their covering matrices, and rational Perron weights."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import gcd, log

import numpy as np

from proofs.network import Network
from proofs.piecewise import PiecewiseLinear
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.interval_maps import turning_points

MAX_BITS = 24_000
MAX_STEPS = 2_000
MAX_INTERVALS = 800
CLOSING_STEPS = 64
WEIGHT_BITS = 45
WIDENING = 16
LEVELS = 11
LARGE = 1e9
BISECTIONS = 8
Range = tuple[int, int]
Pair = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Horseshoe:
    """Intervals, for each the points of it where F^iterate is least and greatest, weights v and a rate with T v >= rate v."""

    iterate: int
    intervals: tuple[tuple[Fraction, Fraction], ...]
    extremes: tuple[tuple[Fraction, Fraction], ...]
    weights: tuple[Fraction, ...]
    rate: Fraction

    @property
    def entropy(self) -> float:
        """Return log(rate) / iterate, as a float."""
        return log(self.rate) / self.iterate


def markov_horseshoe(function: PiecewiseLinear, tolerance: Fraction) -> Horseshoe | None:
    """Return the best horseshoe of F on a partition by the turning points and by orbits that start near their images.

    Near each turning value a point is chosen, closer than ``tolerance`` where possible, whose orbit ends in a turning or fixed point; F
    maps the partition into itself but for the turning points.

    **Guarantee:** exact coverings; where F expands the bound tends to the entropy.
    """
    points = _partition(function, tolerance)
    if not 1 < len(points) <= MAX_INTERVALS:
        return None
    values = [function(x) for x in points]
    extremes = [(a, b) if f <= g else (b, a) for (a, b), (f, g) in zip(pairwise(points), pairwise(values), strict=True)]
    ranges = [_covered(points, *sorted(pair)) for pair in pairwise(values)]
    return _heaviest(list(pairwise(points)), extremes, ranges)


def sampled_horseshoes(network: Network, grid: Floats, iterate: int) -> list[Horseshoe]:
    """Return horseshoes in which F^iterate maps every interval across one common interval, the best first. **Guarantee:** heuristic."""
    step = FloatNetwork(network).step
    images = grid
    with np.errstate(all="ignore"):
        for _ in range(iterate):
            images = step(images[:, None])[:, 0]
    finite = np.sort(images[np.isfinite(images)])
    cuts = np.unique(finite[np.linspace(0, len(finite) - 1, LEVELS + 2).astype(int)[1:-1]]) if len(finite) else finite
    found = [
        _crossings(grid, images, low, high, iterate, slack * (high - low))
        for i, low in enumerate(cuts)
        for high in cuts[i + 1 :]
        for slack in (1e-9, 1e-3, 1e-2)
    ]
    return sorted((shoe for shoe in found if shoe is not None), key=lambda shoe: -shoe.entropy)


def smallest_band(function: PiecewiseLinear, shoe: Horseshoe) -> tuple[int, Pair]:
    """Return the greatest common divisor d of all loops of a horseshoe of F, and the hull of the narrowest of the d classes it permutes."""
    levels = {0: 0}
    queue, divisor = [0], 0
    ranges = [_inside(shoe.intervals, function(c), function(d)) for c, d in shoe.extremes]
    while queue:
        i = queue.pop()
        for j in range(*ranges[i]):
            if j not in levels:
                levels[j] = levels[i] + 1
                queue.append(j)
            divisor = gcd(divisor, levels[i] + 1 - levels[j])
    hulls: dict[int, Pair] = {}
    for i, (low, high) in enumerate(shoe.intervals):
        old = hulls.get(levels[i] % divisor, (low, high))
        hulls[levels[i] % divisor] = (min(old[0], low), max(old[1], high))
    return divisor, min(hulls.values(), key=lambda hull: hull[1] - hull[0])


def _inside(intervals: Sequence[Pair], bottom: Fraction, top: Fraction) -> Range:
    """Return first and one past the last of the ordered intervals inside [bottom, top]."""
    first = bisect_left(intervals, bottom, key=lambda pair: pair[0])
    last = bisect_right(intervals, top, key=lambda pair: pair[1])
    return (first, last) if first < last else (0, 0)


def _crossings(grid: Floats, images: Floats, low: float, high: float, iterate: int, slack: float) -> Horseshoe | None:
    signs = np.where(images <= low - slack, -1, np.where(images >= high + slack, 1, 0))
    signs = np.where((grid >= low) & (grid <= high), signs, 0)
    places = np.flatnonzero(signs)
    turns = np.flatnonzero(np.diff(signs[places]))
    if not 1 < len(turns) <= MAX_INTERVALS:
        return None
    pairs = [(Fraction(float(grid[places[i]])), Fraction(float(grid[places[i + 1]])), int(signs[places[i]])) for i in turns]
    extremes = tuple((a, b) if sign < 0 else (b, a) for a, b, sign in pairs)
    intervals = tuple((a, b) for a, b, _ in pairs)
    return Horseshoe(iterate, intervals, extremes, (Fraction(1),) * len(pairs), Fraction(len(pairs)))


def _partition(function: PiecewiseLinear, tolerance: Fraction) -> list[Fraction]:
    """Return turning points, fixed points and the chosen orbits, in order."""
    turns = turning_points(function)
    fixed, _ = function.fixed_points()
    base = sorted({*turns, *fixed})
    points = set(base)
    for place in dict.fromkeys(side for turn in turns for side in _sides(function, turn)):
        points.update(_closed_orbit(function, place[0], points) or _near_orbit(function, place, base, tolerance) or [])
        if len(points) > MAX_INTERVALS + 1:
            break
    return sorted(points)


def _sides(function: PiecewiseLinear, turn: Fraction) -> list[tuple[Fraction, int]]:
    """Return F(turn) with the sides (-1 below, 1 above) on which F takes values to the left and right of the turning point."""
    i = bisect_left(function.knots, turn)
    slopes = function.slopes()[i : i + 2]
    sides = [-1 if slope * direction < 0 else 1 for slope, direction in zip(slopes, (-1, 1), strict=True) if slope != 0]
    return [(function(turn), side) for side in sides]


def _closed_orbit(function: PiecewiseLinear, x: Fraction, known: set[Fraction]) -> list[Fraction] | None:
    """Return the orbit of x if it soon meets itself or a known point."""
    seen = [x]
    for _ in range(CLOSING_STEPS):
        if seen[-1] in known or seen[-1] in seen[:-1]:
            return seen
        if seen[-1].denominator.bit_length() > MAX_BITS // 8:
            return None
        seen.append(function(seen[-1]))
    return None


def _near_orbit(function: PiecewiseLinear, place: tuple[Fraction, int], base: list[Fraction], tolerance: Fraction) -> list[Fraction] | None:
    """Return the orbit, ending in the base, of a point close to a turning value on its inner side; wider where the search fails."""
    (y, side), width = place, tolerance
    hull = _reach(function, base)
    least, path = Fraction(0), None
    while path is None and width <= WIDENING * (hull[1] - hull[0]):
        path = _stretch(function, (y, y + side * width), base, hull)
        least, width = (least, width) if path else (width, width * WIDENING)
    for _ in range(BISECTIONS if path and least else 0):
        narrower = _stretch(function, (y, y + side * (least + width) / 2), base, hull)
        least, width = (least, (least + width) / 2) if narrower else ((least + width) / 2, width)
        path = narrower or path
    return path


def _reach(function: PiecewiseLinear, base: list[Fraction]) -> tuple[Fraction, Fraction]:
    """Return an interval around the base, its images and their images."""
    images = [function(x) for x in base]
    points = [*base, *images, *(function(x) for x in images)]
    return min(points), max(points)


def _stretch(function: PiecewiseLinear, ends: Pair, base: list[Fraction], hull: Pair) -> list[Fraction] | None:
    """Follow the interval between y and z until a base point lies in its image (nearest to y's image), and pull that point back."""
    path = [ends]
    for _ in range(MAX_STEPS):
        y, z = path[-1]
        inside = base[bisect_right(base, min(y, z)) : bisect_left(base, max(y, z))]
        if inside:
            return _pulled_back(function, path, inside[-1] if y > z else inside[0])
        y, z = function(y), function(z)
        escaped = max(y, z) < hull[0] or min(y, z) > hull[1]
        if y == z or escaped or max(y.denominator.bit_length(), z.denominator.bit_length()) > MAX_BITS:
            return None
        path.append((y, z))
    return None


def _pulled_back(function: PiecewiseLinear, path: Sequence[Pair], target: Fraction) -> list[Fraction]:
    """Return the orbit that ends in ``target``, one point in each interval of the path; F is monotone on each but the last."""
    points = [target]
    for y, z in reversed(path[:-1]):
        points.append(_solve(function, min(y, z), max(y, z), points[-1]))
    return points[::-1]


def _solve(function: PiecewiseLinear, low: Fraction, high: Fraction, value: Fraction) -> Fraction:
    """Return x in [low, high] with F(x) = value, F monotone there and value between its ends."""
    inner = function.knots[bisect_right(function.knots, low) : bisect_left(function.knots, high)]
    rising = function(low) < function(high)
    i = bisect_left(inner, True, key=lambda x: function(x) >= value if rising else function(x) <= value)
    a, b = inner[i - 1] if i else low, inner[i] if i < len(inner) else high
    c, d = function(a), function(b)
    return a if c == d else a + (value - c) * (b - a) / (d - c)


def _covered(points: Sequence[Fraction], bottom: Fraction, top: Fraction) -> Range:
    """Return first and one past the last index of the intervals between neighbouring points inside [bottom, top]."""
    first, last = bisect_left(points, bottom), bisect_right(points, top) - 1
    return (first, last) if first < last else (0, 0)


def _heaviest(
    intervals: list[tuple[Fraction, Fraction]], extremes: list[tuple[Fraction, Fraction]], ranges: list[Range]
) -> Horseshoe | None:
    """Restrict to the strong component with the greatest rate."""
    best: Horseshoe | None = None
    for members in _components(ranges):
        rows = [(bisect_left(members, ranges[i][0]), bisect_left(members, ranges[i][1])) for i in members]
        weights, rate = _rounded_weights(_perron(rows), rows)
        if rate > 1 and (best is None or rate > best.rate):
            best = Horseshoe(1, tuple(intervals[i] for i in members), tuple(extremes[i] for i in members), weights, rate)
    return best


def _components(ranges: list[Range]) -> list[list[int]]:
    """Return the strong components with more than one interval, or one that covers itself, each sorted; the 16 largest."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    starts = list(accumulate((end - start for start, end in ranges), initial=0))
    columns = np.concatenate([np.arange(start, end) for start, end in ranges])
    matrix = csr_array((np.ones(len(columns), dtype=np.int8), columns, np.array(starts)), shape=(len(ranges), len(ranges)))
    labels = connected_components(matrix, directed=True, connection="strong")[1]
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    live = [group for group in groups if len(group) > 1 or ranges[group[0]][0] <= group[0] < ranges[group[0]][1]]
    return sorted(live, key=len, reverse=True)[:16]


def _perron(rows: list[Range]) -> Floats:
    """Return the positive eigenvector by Noda's iteration: solve (mu - T) w = v with mu just above the greatest quotient (T v)_i / v_i."""
    size = len(rows)
    matrix = np.zeros((size, size))
    for i, (start, end) in enumerate(rows):
        matrix[i, start:end] = 1.0
    vector = np.ones(size)
    for _ in range(60):
        quotients = matrix @ vector / vector
        top, bottom = float(quotients.max()), float(quotients.min())
        if top - bottom <= 1e-13 * top:
            break
        solved = np.linalg.solve((top * (1 + 1e-14) + 1e-300) * np.eye(size) - matrix, vector)
        if not np.all(np.isfinite(solved)) or solved.min() <= 0.0:
            break
        vector = solved / solved.max()
    return vector


def _rounded_weights(vector: Floats, rows: list[Range]) -> tuple[tuple[Fraction, ...], Fraction]:
    """Round the weights, small integers first, and return them with the greatest rate that they prove, rounded down."""
    scaled = vector / vector.min()
    factors = (1, 2, 3, 4, 5, 6, 8, 12) if scaled.max() < LARGE else ()
    choices = [[max(1, round(value * factor)) for value in scaled.tolist()] for factor in factors]
    mantissas, exponents = np.frexp(scaled)
    fine = [int(m * 2**WEIGHT_BITS) << int(e) for m, e in zip(mantissas.tolist(), exponents.tolist(), strict=True)]
    weights = max([*choices, fine], key=lambda integers: _rate(integers, rows))
    rate = _rate(weights, rows)
    if rate.denominator.bit_length() > WEIGHT_BITS:
        rate = Fraction((rate.numerator << WEIGHT_BITS) // rate.denominator, 1 << WEIGHT_BITS)
    unit = Fraction(1) if weights is not fine else Fraction(1, 2**WEIGHT_BITS)
    return tuple(weight * unit for weight in weights), rate


def _rate(weights: list[int], rows: list[Range]) -> Fraction:
    sums = list(accumulate(weights, initial=0))
    return min(Fraction(sums[end] - sums[start], weight) for weight, (start, end) in zip(weights, rows, strict=True))
