"""A lower bound of the entropy of a piecewise-linear map of the line, found without a witness: coverings of a fine partition."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from tests.second.line import Line

MOST_CELLS = 120
ROUNDS = 60


def entropy_floor(line: Line, iterate: int) -> list:
    """Return pairs (n, r) with h >= log(r) / n; the partition is cut at kinks, their orbits and the short cycles."""
    cuts = set(line.knots)
    for knot in line.knots:
        x = knot
        for _ in range(4):
            x = line(x)
            cuts.add(x)
    for k in (1, 2, 3, 4, 5):
        cuts.update(line.solutions(k)[0])
    floors = []
    for n in sorted({1, 2, min(iterate, 4)}):
        cells = sorted(cuts | set(line.candidates(n)))
        if len(cells) <= MOST_CELLS:
            floors.append((n, _radius(line, cells, n)))
    return floors


def _radius(line: Line, cuts: list, times: int) -> Fraction:
    """Return r with T v >= r v for some v >= 0, v != 0: T covers cell j by cell i where F^times, monotone on i, maps across j."""
    ends = [line.power(x, times) for x in cuts]
    cells = list(pairwise(cuts))
    covers = [[j for j, (low, high) in enumerate(cells) if min(a, b) <= low and high <= max(a, b)] for a, b in pairwise(ends)]
    weights = [1.0] * len(cells)
    for _ in range(ROUNDS):
        weights = [w + sum(weights[j] for j in cover) for w, cover in zip(weights, covers, strict=True)]
        scale = max(weights)
        weights = [w / scale for w in weights]
    exact = [Fraction(round(w * 2**40), 2**40) if w > 1e-4 else Fraction(0) for w in weights]
    ratios = [sum(exact[j] for j in cover) / w for w, cover in zip(exact, covers, strict=True) if w > 0]
    return min(ratios, default=Fraction(0))
