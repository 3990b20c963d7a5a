"""How strongly a number read from the spectra goes with the final loss: a coefficient, an interval and a permutation test.

Network size and architecture change both the spectra and the loss, and alone can make a strong correlation. With ``strata`` (one label a
run, for example its architecture and size) only differences between runs of the same stratum count: values, or their ranks within the
stratum, are centred stratum by stratum, and the permutation test permutes losses within strata only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from proofs.errors import Malformed

Floats = NDArray[np.float64]
Method = Literal["spearman", "pearson"]
Interval = Literal["bootstrap", "fisher"]
Groups = tuple[NDArray[np.intp], ...]
LEAST = 4  # runs: below, Fisher's standard error has nothing to divide by
PERMUTATIONS = 9_999
RESAMPLES = 2_000
TIE = 1e-12  # permuted sums this close to the observed one, relatively, are equal: the same terms in another order
WHERE = "correlation"


@dataclass(frozen=True)
class Correlation:
    """A coefficient within ``strata`` strata over ``runs`` runs, its interval, and a two-sided permutation test.

    ``p_value`` = (``exceeded`` + 1) / (``permutations`` + 1), ``exceeded`` the permutations whose coefficient is at least as far from 0.
    ``undefined`` bootstrap samples had no spread and are left out of the interval. ``alone``: runs alone in their stratum, which say
    nothing and are left out.
    """

    method: Method
    value: float
    low: float
    high: float
    confidence: float
    interval: Interval
    runs: int
    strata: int
    alone: int
    p_value: float
    exceeded: int
    permutations: int
    undefined: int
    seed: int

    def statement(self) -> str:
        """Say it in one sentence."""
        within = "" if self.strata == 1 else f" within {self.strata} strata"
        name = f"{self.method.capitalize()} {self.value:+.3f}{within}"
        ends = f"{100 * self.confidence:g} % {self.interval} interval [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{name}, {ends}, permutation p = {self.p_value:.2g} ({self.runs} runs, {self.permutations:,} permutations)."

    def as_json(self) -> dict[str, object]:
        """Return the fields as ``--json`` prints them."""
        return dict(self.__dict__)


def correlation(  # noqa: PLR0913
    x: ArrayLike,
    y: ArrayLike,
    *,
    strata: Sequence[Hashable] | None = None,
    method: Method = "spearman",
    interval: Interval = "fisher",
    confidence: float = 0.95,
    permutations: int = PERMUTATIONS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Correlation:
    """Correlate two numbers a run, within strata.

    **Shapes:** x, y (runs,). **Guarantee:** the permutation test is exact (its p-value is valid at any number of runs) if losses are
    exchangeable within strata under the null; the intervals are approximate. Reproducible from ``seed``. Ties have their mean rank.
    **Raises** Malformed: other shapes, NaN or infinities, fewer than 4 runs left, no spread within strata.

    **See:** Phipson and Smyth (2010) for (r + 1) / (n + 1); Bonett and Wright (2000) for the standard error of Spearman's coefficient.

    >>> found = correlation(range(12), [i % 6 for i in range(12)], strata=["a"] * 6 + ["b"] * 6, permutations=199)
    >>> found.value, found.p_value
    (1.0, 0.005)
    """
    first, second, groups, alone = _prepared(x, y, strata)
    _check_options(method, interval, confidence, permutations, resamples)
    u, v = (_centred(values[None], groups, method)[0] for values in (first, second))
    value = float(_coefficient(u[None], v[None])[0])
    if np.isnan(value):
        expected = "some spread of both numbers within the strata"
        raise Malformed(where=WHERE, law="a correlation needs spread", expected=expected, got="a constant in every stratum")
    spreads = np.random.SeedSequence(seed).spawn(2)
    exceeded = _exceeded(u, v, groups, permutations, np.random.default_rng(spreads[0]))
    undefined = 0
    if interval == "fisher":
        low, high = _fisher(value, method, len(u), len(groups), confidence)
    else:
        samples = _bootstrap(first, second, groups, method, resamples, np.random.default_rng(spreads[1]))
        undefined = int(np.isnan(samples).sum())
        low, high = (float(end) for end in np.nanquantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2]))
    p_value = (exceeded + 1) / (permutations + 1)
    test = (p_value, exceeded, permutations, undefined, seed)
    return Correlation(method, value, low, high, confidence, interval, len(u), len(groups), alone, *test)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p-values: those at most alpha are significant with family-wise error at most alpha, however dependent.

    >>> holm({"largest": 0.01, "mean": 0.04, "smallest": 0.03})
    {'largest': 0.03, 'mean': 0.06, 'smallest': 0.06}
    """
    if any(not 0 < p <= 1 for p in p_values.values()):
        raise Malformed(where=WHERE, law="p-values to adjust", expected="numbers in (0, 1]", got=str(dict(p_values)))
    adjusted, highest = {}, 0.0
    for i, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, (len(p_values) - i) * p))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _prepared(x: ArrayLike, y: ArrayLike, strata: Sequence[Hashable] | None) -> tuple[Floats, Floats, Groups, int]:
    """Return the numbers of all runs that share their stratum with another, and where each stratum's are."""
    first, second = (np.asarray(values, dtype=np.float64) for values in (x, y))
    if first.ndim != 1 or first.shape != second.shape:
        raise Malformed(
            where=WHERE, law="two numbers a run", expected="x and y of one shape (runs,)", got=f"{first.shape} and {second.shape}"
        )
    labels = [0] * len(first) if strata is None else list(strata)
    if len(labels) != len(first):
        raise Malformed(where=WHERE, law="one stratum a run", expected=str(len(first)), got=str(len(labels)))
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        remedy = "leave out runs whose loss is not a number, give exponents that are -inf a floor, and say so"
        raise Malformed(where=WHERE, law="numbers to correlate", expected="finite numbers", got="nan or infinity", remedy=remedy)
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    codes = np.array([numbers[label] for label in labels], dtype=np.intp)
    kept = np.bincount(codes, minlength=1)[codes] > 1
    if kept.sum() < LEAST:
        got = f"{int(kept.sum())} of {len(first)}"
        raise Malformed(where=WHERE, law="runs to correlate", expected=f"at least {LEAST} that share a stratum", got=got)
    codes = codes[kept]
    groups = tuple(np.flatnonzero(codes == code) for code in np.unique(codes))
    return first[kept], second[kept], groups, int((~kept).sum())


def _check_options(method: str, interval: str, confidence: float, permutations: int, resamples: int) -> None:
    if method not in {"spearman", "pearson"}:
        raise Malformed(where=WHERE, law="method", expected="spearman or pearson", got=repr(method))
    if interval not in {"bootstrap", "fisher"}:
        raise Malformed(where=WHERE, law="kind of interval", expected="bootstrap or fisher", got=repr(interval))
    if not 0 < confidence < 1:
        raise Malformed(where=WHERE, law="confidence", expected="a number between 0 and 1", got=str(confidence))
    if min(permutations, resamples) < 1:
        got = f"{permutations} permutations, {resamples} resamples"
        raise Malformed(where=WHERE, law="effort", expected="at least one permutation and one resample", got=got)


def _centred(values: Floats, groups: Groups, method: Method) -> Floats:
    """Return the values (samples, runs), or their scaled ranks within strata, minus their means within strata.

    Ranks are divided by one more than the stratum has runs, so that a run of a large stratum weighs as much as one of a small stratum.
    """
    centred = np.empty_like(values)
    for group in groups:
        part = values[:, group]
        if method == "spearman":
            part = stats.rankdata(part, axis=1) / (len(group) + 1)
        part = part - part.mean(axis=1, keepdims=True)
        # a constant's mean may be off by rounding; what is left of it is no spread
        centred[:, group] = np.where(np.ptp(part, axis=1, keepdims=True) > 0, part, 0.0)
    return centred


def _coefficient(u: Floats, v: Floats) -> Floats:
    """Return the correlation of each row of centred numbers, NaN where one of them has no spread."""
    size = np.sqrt((u * u).sum(axis=1) * (v * v).sum(axis=1))
    product = (u * v).sum(axis=1)
    return np.where(size > 0, np.clip(np.divide(product, size, out=np.full_like(size, np.nan), where=size > 0), -1, 1), np.nan)


def _exceeded(u: Floats, v: Floats, groups: Groups, permutations: int, random: np.random.Generator) -> int:
    """Count the permutations of v within strata that correlate at least as much; spreads do not change, so products are compared."""
    totals = np.zeros(permutations)
    for group in groups:
        totals += random.permuted(np.broadcast_to(v[group], (permutations, len(group))), axis=1) @ u[group]
    observed = abs(float(u @ v))
    slack = TIE * float(np.sqrt((u @ u) * (v @ v)))
    return int((np.abs(totals) >= observed - slack).sum())


def _bootstrap(x: Floats, y: Floats, groups: Groups, method: Method, resamples: int, random: np.random.Generator) -> Floats:
    """Return the coefficients of samples of runs drawn with replacement within strata."""
    drawn = np.empty((resamples, len(x)), dtype=np.intp)
    for group in groups:
        drawn[:, group] = random.choice(group, (resamples, len(group)))
    return _coefficient(_centred(x[drawn], groups, method), _centred(y[drawn], groups, method))


def _fisher(value: float, method: Method, runs: int, strata: int, confidence: float) -> tuple[float, float]:
    """Return the interval of Fisher's z; centring within strata costs one degree of freedom a stratum after the first.

    All of [-1, 1] where z says nothing: at a coefficient of 1 or -1, and without degrees of freedom.
    """
    degrees = runs - strata - 2
    if degrees <= 0 or abs(value) == 1.0:
        return -1.0, 1.0
    variance = (1 + value**2 / 2 if method == "spearman" else 1.0) / degrees
    half = float(stats.norm.ppf((1 + confidence) / 2)) * float(np.sqrt(variance))
    centre = float(np.arctanh(value))
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))
