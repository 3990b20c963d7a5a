"""Shares of random networks: exact intervals, and what counts over several widths say about 'independent of width'.

Undecided networks are never dropped: every number here holds however they would be decided. No test proves independence: a test that
does not reject says only that these counts show no dependence, and `equivalence` says how much dependence they still leave room for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from proofs.errors import Malformed

Floats = NDArray[np.float64]
OUTWARD = 2.0**-40  # far above the relative error of scipy's inverse of the incomplete beta function
MOST_OPEN = 16  # cells with undecided networks; the extreme assignments are 2 to this power
FEW = 5.0
WHERE = "sampling statistics"


@dataclass(frozen=True)
class Share:
    """How many of ``total`` networks are in the class counted, and for how many that is not known."""

    successes: int
    undecided: int
    total: int

    def __post_init__(self) -> None:
        if min(self.successes, self.undecided) < 0 or self.successes + self.undecided > self.total:
            got = f"{self.successes} + {self.undecided} of {self.total}"
            raise Malformed(
                where=WHERE,
                law="successes and undecided are counts within the total",
                expected="0 <= successes + undecided <= total",
                got=got,
            )

    @property
    def most(self) -> int:
        """The successes if every undecided network were one."""
        return self.successes + self.undecided

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the Clopper-Pearson interval, see `clopper_pearson`."""
        return clopper_pearson(self.successes, self.undecided, self.total, confidence)


def clopper_pearson(successes: int, undecided: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval for a probability: undecided networks fail at its lower end and succeed at its upper end.

    **Guarantee:** covers with at least the given confidence, for independent networks; ends rounded outward, 0 and 1 exact.

    >>> clopper_pearson(0, 0, 10)[0], clopper_pearson(10, 0, 10)[1], clopper_pearson(0, 0, 0)
    (0.0, 1.0, (0.0, 1.0))
    """
    share = Share(successes, undecided, total)
    tail = (1.0 - _confidence(confidence)) / 2.0
    low, high = 0.0, 1.0
    if successes > 0:
        low = float(special.betaincinv(successes, total - successes + 1, tail)) * (1.0 - OUTWARD)
    if share.most < total:
        high = min(1.0, float(special.betainccinv(share.most + 1, total - share.most, tail)) * (1.0 + OUTWARD))
    return low, high


@dataclass(frozen=True)
class Trend:
    """The Cochran-Armitage test of a linear trend in log2 width, over every assignment of the undecided networks."""

    z: tuple[float, float]
    p_value: tuple[float, float]

    def statement(self) -> str:
        """Say it in one sentence."""
        return f"Trend in log2 width (Cochran-Armitage): z {_range(self.z)}, p {_range(self.p_value)}; {_verdict(self.p_value, 'a trend')}."


@dataclass(frozen=True)
class Homogeneity:
    """The chi-square test of one common probability, over every assignment of the undecided networks.

    ``expected`` is the smallest number of successes or of failures that a group should have: the test is rough where it is small.
    """

    chi_square: tuple[float, float]
    degrees: int
    p_value: tuple[float, float]
    expected: float

    def statement(self) -> str:
        """Say it in one sentence."""
        test = f"One probability for all widths (chi-square, {self.degrees} degrees of freedom)"
        rough = f" (rough: only {self.expected:.2g} successes or failures expected in some group)" if self.expected < FEW else ""
        return f"{test}: {_range(self.chi_square)}, p {_range(self.p_value)}{rough}; {_verdict(self.p_value, 'a difference')}."


@dataclass(frozen=True)
class Equivalence:
    """How far apart the probabilities can be, if every one of the simultaneous intervals holds."""

    confidence: float
    intervals: tuple[tuple[float, float], ...]
    difference: float
    ratio: float
    common: tuple[float, float] | None

    def statement(self) -> str:
        """Say it in one sentence."""
        room = f"differ by at most {_above(self.difference)}" + (
            f" and by a factor of at most {_above(self.ratio)}" if math.isfinite(self.ratio) else " (their ratio is not bounded)"
        )
        one = "no single value fits every interval" if self.common is None else f"a single value in {_interval(self.common)} would fit"
        return f"With {100 * self.confidence:g} % confidence for all together the probabilities {room}; {one}."


@dataclass(frozen=True)
class Comparison:
    """Two probabilities: an interval for first - second, and Fisher's exact test, over every assignment of the undecided networks."""

    confidence: float
    difference: tuple[float, float]
    p_value: tuple[float, float]

    def statement(self) -> str:
        """Say it in one sentence."""
        low, high = self.difference
        more = "the first is larger" if low > 0 else "the second is larger" if high < 0 else "which is larger is not shown"
        gap = f"first - second is in {_interval(self.difference)} with {100 * self.confidence:g} % confidence"
        return f"{gap}: {more} (Fisher's exact test: p {_range(self.p_value)})."


def trend(widths: Sequence[int], shares: Sequence[Share]) -> Trend:
    """Test for a trend in log2 width. **Guarantee:** the range holds for every assignment of the undecided; p is asymptotic."""
    if len(widths) != len(shares) or len(set(widths)) < 2 or min(widths) < 1:  # noqa: PLR2004
        raise Malformed(
            where=WHERE,
            law="a trend needs a share for every width, and two widths",
            expected="as many shares as widths",
            got=str(list(widths)),
        )
    totals = _totals(shares)
    scores = np.log2(np.asarray(widths, dtype=np.float64))
    scores -= np.average(scores, weights=totals)
    spread = math.sqrt(float(totals @ scores**2) / float(totals.sum()))
    corners = _corners(shares)
    slopes = corners @ scores
    # quasi-convex in the counts on the side of its sign: the farthest ends are corners, the near one is bounded by its factors
    zs = _ratio(slopes, spread * np.sqrt(_variance(corners, totals)))
    least, most = float(zs.min()), float(zs.max())
    if slopes.min() < 0.0 < slopes.max():
        nearest = 0.0
    else:
        nearest = float(_ratio(np.abs(slopes).min(), spread * math.sqrt(_largest_variance(corners, totals))))
        least, most = (min(least, nearest), most) if least >= 0.0 else (least, max(most, -nearest))
    return Trend((least, most), (_two_sided(max(-least, most)), _two_sided(nearest)))


def homogeneity(shares: Sequence[Share]) -> Homogeneity:
    """Test for one common probability. **Guarantee:** the range holds for every assignment of the undecided; p is asymptotic."""
    totals = _totals(shares)
    corners = _corners(shares)
    pooled = corners.sum(axis=1) / totals.sum()
    squares = ((corners - pooled[:, None] * totals) ** 2 / totals).sum(axis=1)
    most = float(_ratio(squares, _variance(corners, totals) / totals.sum()).max())
    low = np.array([share.successes for share in shares], dtype=np.float64)
    high = np.array([share.most for share in shares], dtype=np.float64)

    def distance(p: float) -> float:
        return float(((np.clip(p * totals, low, high) - p * totals) ** 2 / totals).sum())

    nearest = distance(float(optimize.minimize_scalar(distance, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-12}).x))
    least = min(most, float(_ratio(nearest, _largest_variance(corners, totals) / totals.sum())))
    degrees = len(shares) - 1
    p_value = (float(stats.chi2.sf(most, degrees)), float(stats.chi2.sf(least, degrees)))
    return Homogeneity((least, most), degrees, p_value, float(np.minimum(pooled, 1.0 - pooled).min() * totals.min()))


def equivalence(shares: Sequence[Share], confidence: float = 0.95) -> Equivalence:
    """Bound how far apart the probabilities are. **Guarantee:** simultaneous Clopper-Pearson intervals (Bonferroni)."""
    _totals(shares)
    each = 1.0 - (1.0 - _confidence(confidence)) / len(shares)
    intervals = tuple(share.interval(each) for share in shares)
    pairs = [(one[1], two[0]) for one, two in permutations(intervals, 2)]
    difference = max(high - low for high, low in pairs)
    ratio = max(high / low if low > 0.0 else math.inf for high, low in pairs)
    common = (max(low for low, _ in intervals), min(high for _, high in intervals))
    return Equivalence(confidence, intervals, difference, ratio, common if common[0] <= common[1] else None)


def compare(first: Share, second: Share, confidence: float = 0.95) -> Comparison:
    """Compare two probabilities. **Guarantee:** the interval covers (Bonferroni); p is exact, twice the smaller tail."""
    each = 1.0 - (1.0 - _confidence(confidence)) / 2.0
    one, two = first.interval(each), second.interval(each)
    # Fisher's tails are monotone in each count, so their extremes are at the extreme assignments
    up = [_fisher(x, first.total, y, second.total) for x, y in ((first.most, second.successes), (first.successes, second.most))]
    down = [_fisher(y, second.total, x, first.total) for x, y in ((first.successes, second.most), (first.most, second.successes))]
    p_value = (min(1.0, 2.0 * min(up[0], down[0])), min(1.0, 2.0 * min(up[1], down[1])))
    return Comparison(confidence, (one[0] - two[1], one[1] - two[0]), p_value)


def _confidence(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise Malformed(where=WHERE, law="a confidence is a probability", expected="0 < confidence < 1", got=str(confidence))
    return confidence


def _totals(shares: Sequence[Share]) -> Floats:
    open_cells = sum(share.undecided > 0 for share in shares)
    if len(shares) < 2 or min(share.total for share in shares) < 1 or open_cells > MOST_OPEN:  # noqa: PLR2004
        law = f"two groups or more, none empty, at most {MOST_OPEN} of them with undecided networks"
        raise Malformed(
            where=WHERE, law=law, expected="groups of networks", got=f"{len(shares)} groups, {open_cells} with undecided networks"
        )
    return np.array([share.total for share in shares], dtype=np.float64)


def _corners(shares: Sequence[Share]) -> Floats:
    """Return the extreme assignments: in each group none or all of the undecided networks are successes."""
    return np.array(list(product(*(sorted({share.successes, share.most}) for share in shares))), dtype=np.float64)


def _variance(counts: Floats, totals: Floats) -> Floats:
    """Return N p (1 - p) for the pooled share p of each row of counts."""
    successes = counts.sum(axis=-1)
    return np.asarray(successes * (totals.sum() - successes) / totals.sum(), dtype=np.float64)


def _largest_variance(corners: Floats, totals: Floats) -> float:
    successes, total = corners.sum(axis=1), float(totals.sum())
    p = min(max(total / 2.0, float(successes.min())), float(successes.max())) / total
    return total * p * (1.0 - p)


def _ratio(numerator: Floats | float, denominator: Floats | float) -> Floats:
    """Divide, where 0 / 0 (all networks alike: nothing to compare) is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64))
    result = np.zeros(top.shape)
    np.divide(top, bottom, out=result, where=bottom > 0.0)
    return result


def _two_sided(z: float) -> float:
    return float(special.erfc(z / math.sqrt(2.0)))


def _fisher(x: int, total_x: int, y: int, total_y: int) -> float:
    """Return the chance of at least x of the x + y successes on the first side."""
    return float(stats.hypergeom.sf(x - 1, total_x + total_y, x + y, total_x))


def _verdict(p_value: tuple[float, float], what: str) -> str:
    level = 0.05
    if p_value[1] < level:
        return f"{what} is shown at the 5 % level"
    if p_value[0] < level:
        return f"whether {what} is shown depends on the undecided networks"
    return f"{what} is not shown, which does not prove that there is none"


def _range(ends: tuple[float, float]) -> str:
    low, high = (f"{end:.3g}" for end in ends)
    return f"= {low}" if low == high else f"from {low} to {high}"


def _interval(ends: tuple[float, float]) -> str:
    return f"[{_below(ends[0])}, {_above(ends[1])}]"


def _above(value: float) -> str:
    """Write with three digits, rounded up."""
    return f"{-_floor(-value):.3g}"


def _below(value: float) -> str:
    return f"{_floor(value):.3g}"


def _floor(value: float) -> float:
    if value == 0.0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return math.floor(value / unit) * unit
