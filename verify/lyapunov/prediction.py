"""Does a spectrum predict the final loss of runs that the predictor has not seen? AeLLE beside the simplest baselines, with error bars.

Runs are split into training and test runs, stratum by stratum, several times. Every predictor is fitted to the training runs alone and
judged on the test runs by R^2 (against the mean of the training losses) and Spearman's coefficient with a permutation test. With
``within`` both spectra and losses are taken minus the mean of their stratum's training runs, so that differences of size or architecture
predict nothing; ranks are then over all test runs (aligned ranks), centred and permuted within strata.

Over splits: medians; intervals have the median ends of intervals of half the error probability, p-values are twice the median, which
keeps both valid however the splits depend on each other. **See:** Chernozhukov, Demirer, Duflo and Fernandez-Val (2018), section 3.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from proofs.errors import Malformed
from verify.lyapunov.correlation import LEAST, correlation, holm
from verify.lyapunov.embedding import Scale, Settings, embedded

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]
AELLE, ALONE = "AeLLE", "stratum alone"
LEVEL = 0.05
PAIR = 2
RIDGES = tuple(float(10.0**power) for power in range(-4, 7))  # times the number of columns
RESAMPLES = 2_000
WHERE = "prediction of losses"


@dataclass(frozen=True)
class Score:
    """How one predictor does on unseen runs; ``r2_each`` one a split, ``lead`` encloses R^2 of AeLLE minus R^2 of this predictor.

    ``constant``: in so many splits its predictions had no order at all; there the coefficient counts as 0 and the p-value as 1.
    """

    name: str
    r2: float
    r2_interval: tuple[float, float]
    r2_each: tuple[float, ...]
    spearman: float
    spearman_interval: tuple[float, float]
    p_value: float
    adjusted: float
    constant: int
    lead: tuple[float, float]

    def statement(self) -> str:
        """Say it in one line."""
        r2 = f"R^2 {self.r2:+.3f} [{self.r2_interval[0]:+.3f}, {self.r2_interval[1]:+.3f}]"
        rho = f"Spearman {self.spearman:+.3f} [{self.spearman_interval[0]:+.3f}, {self.spearman_interval[1]:+.3f}]"
        return f"{self.name}: {r2}, {rho}, p = {self.p_value:.2g} (Holm {self.adjusted:.2g})"


@dataclass(frozen=True)
class Report:
    """What was predicted out of sample, and whether the prediction survives."""

    scores: tuple[Score, ...]
    runs: int
    test: int
    strata: int
    within: bool
    splits: int
    confidence: float
    seed: int

    @property
    def aelle(self) -> Score:
        """The score of the embedding."""
        return next(score for score in self.scores if score.name == AELLE)

    @property
    def survives(self) -> bool:
        """Whether the embedding's R^2 and its order of the losses are both above chance."""
        return self.ordered and self.aelle.r2_interval[0] > 0

    @property
    def ordered(self) -> bool:
        """Whether the embedding's order of the losses is above chance (Holm over the predictors)."""
        return self.aelle.spearman > 0 and self.aelle.adjusted <= LEVEL

    @property
    def needed(self) -> bool:
        """Whether the embedding predicts better than every baseline, each at the level of the intervals."""
        return all(score.lead[0] > 0 for score in self.scores if score.name != AELLE)

    def statement(self) -> str:
        """Say in a few sentences what was found."""
        what = "differences of loss within strata" if self.within else "final losses"
        head = f"Prediction of {what} from spectra: {self.runs} runs in {self.strata} strata, {self.test} of them for testing, "
        head += f"{self.splits} splits, {100 * self.confidence:g} % intervals."
        verdict = "No prediction is shown."
        if self.ordered:
            verdict = "The prediction survives." if self.survives else "Only the order of the losses is predicted."
            better = "AeLLE is better than every baseline." if self.needed else "No advantage of AeLLE over the best baseline is shown."
            verdict = f"{verdict} {better}"
        elif self.aelle.r2_interval[0] > 0:
            verdict = "No prediction is shown: R^2 is above 0, the order of the losses not above chance."
        warning = "" if self.within else " Size and architecture are not held fixed: they may be all that is predicted."
        return "\n".join([head, *(f"  {score.statement()}" for score in self.scores), f"{verdict}{warning}"])


@dataclass(frozen=True, eq=False)
class _Judged:
    """One predictor on one split, bootstrap values of its R^2 with it."""

    r2: float
    samples: Floats
    spearman: float
    ends: tuple[float, float]
    p_value: float
    constant: bool


def prediction(  # noqa: PLR0913
    spectra: ArrayLike,
    losses: ArrayLike,
    *,
    strata: Sequence[Hashable] | None = None,
    within: bool = False,
    splits: int = 5,
    share: float = 0.35,
    settings: Settings | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Report:
    """Predict the losses of unseen runs from interpolated spectra, by AeLLE and by linear regression on summaries.

    **Shapes:** spectra (runs, length), as ``interpolated`` gives them; losses (runs,). ``share`` of each stratum is for testing.
    **Guarantee:** the p-values are valid if losses are exchangeable under the null (within strata where ``within``); the intervals are
    approximate, and those of R^2, a bootstrap over the test runs, know nothing of other training runs. **Raises** Malformed: other shapes,
    NaN, ``within`` without strata, too few runs to test on.
    """
    x, y = np.asarray(spectra, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    labels = _labels(x, y, strata, within=within, splits=splits, share=share, confidence=confidence)
    level = confidence if splits == 1 else (1 + confidence) / 2
    judged: dict[str, list[_Judged]] = {}
    for number in range(splits):
        train, test = split_runs(labels, share, seed + number)
        inputs, targets, groups = x, y, np.zeros(len(test), dtype=np.intp)
        if within:
            inputs, targets, groups = _less_means(x, labels, train), _less_means(y[:, None], labels, train)[:, 0], labels[test]
        predicted = _predicted(inputs, targets, labels * (not within), (train, test), settings or Settings(), seed + number)
        target = targets[test], float(targets[train].mean())
        for name, values in predicted.items():
            judged.setdefault(name, []).append(_judge(values, target, groups, level, seed + number))
    scores = _scores(judged, level)
    return Report(scores, len(x), len(test), len(set(labels.tolist())), within, splits, confidence, seed)


def split_runs(labels: Sequence[int] | Labels, share: float, seed: int) -> tuple[Labels, Labels]:
    """Return the indices of training and test runs: of each stratum the rounded share is for testing.

    At least one run is for training, and at least two for testing where there are four: one alone has no order.

    >>> train, test = split_runs([0] * 6 + [1], 0.35, seed=0)
    >>> len(train), len(test), 6 in train
    (5, 2, True)
    """
    random = np.random.default_rng(seed)
    codes = np.asarray(labels)
    test: list[int] = []
    for code in np.unique(codes):
        rows = random.permutation(np.flatnonzero(codes == code))
        least = PAIR if len(rows) >= 2 * PAIR else 0
        test.extend(rows[: min(max(round(share * len(rows)), least), len(rows) - 1)])
    chosen = np.array(sorted(test), dtype=np.intp)
    return np.setdiff1d(np.arange(len(codes)), chosen), chosen


def ridge(features: ArrayLike, targets: ArrayLike, unseen: ArrayLike) -> Floats:
    """Return the predictions at ``unseen`` of a ridge regression whose penalty has the least leave-one-out error.

    **Shapes:** features (runs, columns), targets (runs,), unseen (others, columns). The penalties tried are 1e-4 to 1e6 times the number
    of columns, on standardised columns. **Guarantee:** heuristic; with one column nearly ordinary least squares.
    """
    rows, y, others = (np.asarray(values, dtype=np.float64) for values in (features, targets, unseen))
    scale = Scale.of(rows)
    x, centre = scale.down(rows), y.mean()
    u, sizes, v = np.linalg.svd(x, full_matrices=False)
    best, weights = np.inf, np.zeros(x.shape[1])
    for penalty in (each * x.shape[1] for each in RIDGES):
        shrunk = sizes**2 / (sizes**2 + penalty)
        hat = (u * shrunk) @ u.T + 1.0 / len(y)
        left_out = (y - centre - (u * shrunk) @ (u.T @ (y - centre))) / np.maximum(1 - np.diag(hat), np.finfo(float).eps)
        error = float((left_out**2).mean())
        if error < best:
            best, weights = error, v.T @ ((sizes / (sizes**2 + penalty)) * (u.T @ (y - centre)))
    return np.asarray(scale.down(others) @ weights + centre)


def _labels(
    x: Floats, y: Floats, strata: Sequence[Hashable] | None, *, within: bool, splits: int, share: float, confidence: float
) -> Labels:
    """Check the input and return the number of each run's stratum."""
    if x.ndim != 2 or y.shape != x.shape[:1]:  # noqa: PLR2004
        raise Malformed(where=WHERE, law="spectra and losses", expected="(runs, length) and (runs,)", got=f"{x.shape} and {y.shape}")
    if strata is not None and len(strata) != len(x):
        raise Malformed(where=WHERE, law="one stratum a run", expected=str(len(x)), got=str(len(strata)))
    if within and strata is None:
        raise Malformed(where=WHERE, law="prediction within strata", expected="strata", got="none")
    if splits < 1 or not 0 < share < 1 or not 0 < confidence < 1:
        expected, got = "splits >= 1, share and confidence between 0 and 1", f"{splits}, {share}, {confidence}"
        raise Malformed(where=WHERE, law="options", expected=expected, got=got)
    labels = [0] * len(x) if strata is None else list(strata)
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.intp)


def _predicted(x: Floats, y: Floats, labels: Labels, parts: tuple[Labels, Labels], settings: Settings, seed: int) -> dict[str, Floats]:
    """Return every predictor's values at the test runs."""
    train, test = parts
    found = {AELLE: embedded(x[train], y[train], settings, seed).predict(x[test])}
    summaries = {"largest exponent": x[:, :1], "mean exponent": x.mean(axis=1, keepdims=True), "full spectrum": x}
    found |= {name: ridge(values[train], y[train], values[test]) for name, values in summaries.items()}
    if labels.any():
        found[ALONE] = y[test] - _less_means(y[:, None], labels, train)[test, 0]
    return found


def _less_means(values: Floats, labels: Labels, train: Labels) -> Floats:
    """Return the rows minus the mean of their stratum's training runs."""
    less = values.copy()
    for code in np.unique(labels):
        less[labels == code] -= values[train[labels[train] == code]].mean(axis=0)
    return less


def _judge(values: Floats, target: tuple[Floats, float], groups: Labels, level: float, seed: int) -> _Judged:
    truth, mean = target
    together = int(sum(count for count in np.bincount(groups) if count > 1))
    if together < LEAST:
        expected, remedy = f"at least {LEAST} test runs that share a stratum", "more runs a stratum, larger strata or a larger share"
        raise Malformed(where=WHERE, law="runs to test on", expected=expected, got=str(together), remedy=remedy)
    drawn = _drawn(groups, seed)
    errors, spreads = (truth - values) ** 2, (truth - mean) ** 2
    if spreads.sum() == 0:
        raise Malformed(where=WHERE, law="losses to predict", expected="different losses among the test runs", got="equal losses")
    sums = spreads[drawn].sum(axis=1)
    samples = np.where(sums > 0, 1 - errors[drawn].sum(axis=1) / np.where(sums > 0, sums, 1.0), np.nan)
    r2 = float(1 - errors.sum() / spreads.sum())
    if all(np.ptp(values[groups == code]) == 0 for code in np.unique(groups)):  # one alone has no spread either
        return _Judged(r2, samples, 0.0, (-1.0, 1.0), 1.0, constant=True)
    ranks = stats.rankdata(values), stats.rankdata(truth)
    found = correlation(*ranks, strata=groups.tolist(), method="pearson", confidence=level, seed=seed)
    return _Judged(r2, samples, found.value, (found.low, found.high), found.p_value, constant=False)


def _drawn(groups: Labels, seed: int) -> Labels:
    """Return bootstrap samples of the test runs within strata, the same for all predictors."""
    random = np.random.default_rng([seed, 1])
    drawn = np.empty((RESAMPLES, len(groups)), dtype=np.intp)
    for code in np.unique(groups):
        rows = np.flatnonzero(groups == code)
        drawn[:, rows] = random.choice(rows, (RESAMPLES, len(rows)))
    return drawn


def _scores(judged: dict[str, list[_Judged]], level: float) -> tuple[Score, ...]:
    """Take each predictor's splits together."""
    p_values = {name: _combined([each.p_value for each in found]) for name, found in judged.items()}
    adjusted = holm(p_values)
    scores = []
    for name, found in judged.items():
        low, high = np.median([each.ends for each in found], axis=0)
        r2 = tuple(each.r2 for each in found)
        order = float(np.median([each.spearman for each in found])), (float(low), float(high))
        flat = sum(each.constant for each in found)
        lead = _ends([first.samples - each.samples for first, each in zip(judged[AELLE], found, strict=True)], level)
        scores.append(
            Score(
                name,
                float(np.median(r2)),
                _ends([each.samples for each in found], level),
                r2,
                *order,
                p_values[name],
                adjusted[name],
                flat,
                lead,
            )
        )
    return tuple(scores)


def _combined(p_values: list[float]) -> float:
    """Return twice the median of p-values that may depend on each other in any way; one p-value is left as it is."""
    return p_values[0] if len(p_values) == 1 else min(1.0, 2 * float(np.median(p_values)))


def _ends(samples: list[Floats], level: float) -> tuple[float, float]:
    """Return the medians over splits of the ends of percentile intervals."""
    low, high = np.median([np.nanquantile(each, ((1 - level) / 2, (1 + level) / 2)) for each in samples], axis=0)
    return float(low), float(high)
