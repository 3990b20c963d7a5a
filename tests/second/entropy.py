"""A lower bound of the entropy of a piecewise-linear map of the line, found without a witness: coverings of a fine partition."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from flint import fmpq, fmpz_mat

from tests.second.line import Line

MOST_CELLS = 120
ROUNDS = 60


def entropy_floor(line: Line, iterate: int) -> list:
    """Return pairs (n, r) with h >= log(r) / n."""
    powers = sorted({1, 2, min(iterate, 4)})
    return [(n, _radius(_covers(line, cells, n))) for n in powers if len(cells := _cells(line, n)) <= MOST_CELLS]


def covers_exactly(line: Line, iterate: int, rate: Fraction) -> bool:
    """Say whether ``rate`` is itself an eigenvalue of the covering matrix of F^iterate, hence at most its spectral radius."""
    cells = _cells(line, iterate) if iterate <= 4 else []
    if not 1 < len(cells) <= MOST_CELLS:
        return False
    covers = _covers(line, cells, iterate)
    matrix = fmpz_mat([[int(j in cover) for j in range(len(covers))] for cover in covers])
    return matrix.charpoly()(fmpq(rate.numerator, rate.denominator)) == 0


def _cells(line: Line, times: int) -> list:
    """Cut at the kinks, their orbits, the short cycles, and where F^times bends."""
    cuts = set(line.knots)
    for knot in line.knots:
        x = knot
        for _ in range(4):
            x = line(x)
            cuts.add(x)
    for k in (1, 2, 3, 4, 5):
        cuts.update(line.solutions(k)[0])
    return sorted(cuts | set(line.candidates(times)))


def _covers(line: Line, cuts: list, times: int) -> list:
    """Return for each cell those that F^times, monotone on it, maps it across."""
    ends, cells = [line.power(x, times) for x in cuts], list(pairwise(cuts))
    return [[j for j, (low, high) in enumerate(cells) if min(a, b) <= low and high <= max(a, b)] for a, b in pairwise(ends)]


def _radius(covers: list) -> Fraction:
    """Return r with T v >= r v for some v >= 0, v != 0, T the matrix of the coverings."""
    weights = [1.0] * len(covers)
    for _ in range(ROUNDS):
        weights = [w + sum(weights[j] for j in cover) for w, cover in zip(weights, covers, strict=True)]
        scale = max(weights)
        weights = [w / scale for w in weights]
    exact = [Fraction(round(w * 2**40), 2**40) if w > 1e-4 else Fraction(0) for w in weights]
    ratios = [sum(exact[j] for j in cover) / w for w, cover in zip(exact, covers, strict=True) if w > 0]
    return min(ratios, default=Fraction(0))
