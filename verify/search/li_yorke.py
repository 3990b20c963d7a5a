"""Points of Li and Yorke: F^3(a) <= a < F(a) < F^2(a) or reversed, decided from exact tables or suggested by sampling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from proofs.network import Network
from proofs.piecewise import PiecewiseLinear
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.interval_maps import round_down, short_rational

Triple = tuple[Fraction, Fraction, Fraction]
ALMOST = Fraction(999, 1000)
SUGGESTIONS = 12
RADIUS_BITS = 24


@dataclass(frozen=True)
class Point:
    """A point a and the largest e (rounded down; None if 0) for which every continuous g within e of F has it too."""

    a: Fraction
    radius: Fraction | None


def best_point(first: PiecewiseLinear, second: PiecewiseLinear, third: PiecewiseLinear) -> Point | None:
    """Return a point of Li and Yorke with nearly the largest sup-norm radius, None if there is none (then F has no period 3).

    **Guarantee:** exact and complete, given the tables of F, F^2 and F^3. **Cost:** linear in their knots.
    """
    lipschitz = first.lipschitz()
    best: tuple[Fraction, Fraction, Fraction] | None = None
    knots = sorted({*first.knots, *second.knots, *third.knots})
    places = (knots[0] - 1, *knots, knots[-1] + 1)
    forward = [(x, _gaps(x, first(x), second(x), third(x))) for x in places]
    backward = [(x, (-u, -v, -w)) for x, (u, v, w) in forward]
    for a, gaps in (*_candidates(forward, lipschitz), *_candidates(backward, lipschitz)):
        score = _score(gaps, lipschitz)
        if score is not None and (best is None or score > best[:2]):
            best = (*score, a)
    return None if best is None else _shortened(first, best, lipschitz)


def gaps_at(function: PiecewiseLinear, a: Fraction) -> Triple:
    """Return F(a) - a, F^2(a) - F(a), a - F^3(a), all with the sign that makes the first positive."""
    one = function(a)
    two = function(one)
    three = function(two)
    u, v, w = _gaps(a, one, two, three)
    return (u, v, w) if u > 0 else (-u, -v, -w)


def suggest(network: Network, grid: Floats) -> list[Fraction]:
    """Return points of a grid that seem to be of Li and Yorke's kind, widest margins first. **Guarantee:** heuristic."""
    step = FloatNetwork(network).step
    with np.errstate(all="ignore"):
        one = step(grid[:, None])[:, 0]
        two = step(one[:, None])[:, 0]
        three = step(two[:, None])[:, 0]
        gaps = np.stack([one - grid, two - one, grid - three])
        margins = np.maximum(gaps.min(axis=0), (-gaps).min(axis=0))
    margins = np.where(np.isfinite(margins), margins, -1.0)
    order = np.argsort(-margins)
    chosen = [i for i in order[: SUGGESTIONS * 4 : 4] if margins[i] >= 0.0]
    return [_rounded(float(grid[i]), float(margins[i])) for i in chosen]


def _rounded(x: float, margin: float) -> Fraction:
    return next((q for q in short_rational(Fraction(x)) if abs(q - Fraction(x)) <= Fraction(margin) / 64), Fraction(x))


def _score(gaps: Triple, lipschitz: Fraction) -> tuple[Fraction, Fraction] | None:
    u, v, w = gaps
    if not (u > 0 and v > 0 and w >= 0):
        return None
    scaled = min(u, v / (2 + lipschitz))
    return min(scaled, w / (1 + lipschitz + lipschitz**2)), scaled


def _shortened(function: PiecewiseLinear, best: tuple[Fraction, Fraction, Fraction], lipschitz: Fraction) -> Point:
    """Replace the point by a short one that is nearly as good."""
    for a in short_rational(best[2]):
        score = _score(gaps_at(function, a), lipschitz)
        if score is not None and score[0] >= ALMOST * best[0]:
            return Point(a, _radius(gaps_at(function, a), lipschitz))
    return Point(best[2], None)


def _radius(gaps: Triple, lipschitz: Fraction) -> Fraction | None:
    u, v, w = gaps
    outer, inner = min(u, v / (2 + lipschitz)), w / (1 + lipschitz + lipschitz**2)
    if inner == 0:
        return None
    return round_down(inner if inner < outer else outer * (1 - Fraction(1, 2**RADIUS_BITS)), RADIUS_BITS)


def _gaps(x: Fraction, one: Fraction, two: Fraction, three: Fraction) -> Triple:
    return one - x, two - one, x - three


def _candidates(points: list[tuple[Fraction, Triple]], lipschitz: Fraction) -> Iterator[tuple[Fraction, Triple]]:
    """Yield the places where the least of the three weighted gaps can be largest, with the gaps there."""
    yield from points
    for i, (here, there) in enumerate(pairwise(points)):
        ray = -1 if i == 0 else 1 if i == len(points) - 2 else 0
        if ray or all(max(one, two) >= 0 for one, two in zip(here[1], there[1], strict=True)):
            yield from _inner(here, there, ray, lipschitz)


def _inner(
    here: tuple[Fraction, Triple], there: tuple[Fraction, Triple], ray: int, lipschitz: Fraction
) -> Iterator[tuple[Fraction, Triple]]:
    """Yield the crossings of the three affine gaps and their zeros between two points (on a ray: beyond and between too)."""
    (a, one), (b, two) = here, there
    weights = (Fraction(1), 1 / (2 + lipschitz), 1 / (1 + lipschitz + lipschitz**2))
    low = [gap * weight for gap, weight in zip(one, weights, strict=True)]
    high = [gap * weight for gap, weight in zip(two, weights, strict=True)]
    pairs = [(low[i] - low[j], high[i] - high[j]) for i, j in ((0, 1), (0, 2), (1, 2))] + list(zip(low, high, strict=True))
    times = sorted({p / (p - q) for p, q in pairs if p != q})
    if ray:
        ends = [times[0] - 1, *times, times[-1] + 1] if times else [Fraction(0)]
        times = sorted({*times, *((s + t) / 2 for s, t in pairwise(ends))})
    for time in times:
        if 0 < time < 1 or (ray < 0 and time <= 0) or (ray > 0 and time >= 1):
            u, v, w = (p + time * (q - p) for p, q in zip(one, two, strict=True))
            yield a + time * (b - a), (u, v, w)
