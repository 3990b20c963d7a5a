"""Tracked runs side by side: are jumps of the loss where events are, and does forcing change their numbers.

Tests and intervals: shares by Clopper and Pearson; a two-by-two table by Fisher's exact test; differences within pairs of runs by
Wilcoxon's signed ranks, exactly, and a bootstrap of the pairs for the mean. Consecutive segments of one run are not independent, which
Fisher's test takes them to be; cyclic shifts within the runs do not need it. The pairs of runs are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from verify.sampling.statistics import clopper_pearson

if TYPE_CHECKING:
    from verify.training.track_answers import Tracking

_DRAWS = 10_000
_LEVEL = 0.95


@dataclass(frozen=True)
class Table:
    """Segments by jump of the loss and event: how many have both, only a jump, only an event, neither.

    **Example**

    >>> table = Table(9, 1, 40, 150)
    >>> [round(end, 3) for end in table.share_with_event(jump=True)]
    [0.555, 0.997]
    >>> table.p_value < 1e-4
    True
    """

    both: int
    jump_only: int
    event_only: int
    neither: int

    def share_with_event(self, *, jump: bool) -> tuple[float, float]:
        """Return the 95 % Clopper-Pearson interval of the share of segments with an event, among those with or without a jump."""
        hit, missed = (self.both, self.jump_only) if jump else (self.event_only, self.neither)
        return clopper_pearson(hit, 0, hit + missed, _LEVEL)

    @property
    def p_value(self) -> float:
        """Return that of Fisher's exact test, two-sided, of no association."""
        from scipy.stats import fisher_exact

        return float(fisher_exact(np.array([[self.both, self.jump_only], [self.event_only, self.neither]]))[1])

    @property
    def jumps(self) -> int:
        """Return the number of segments with a jump."""
        return self.both + self.jump_only

    @property
    def total(self) -> int:
        """Return the number of segments."""
        return self.jumps + self.event_only + self.neither

    def statement(self) -> str:
        """Say it in one sentence."""
        with_jump, without = (self.share_with_event(jump=jump) for jump in (True, False))
        calm = self.event_only + self.neither
        one = f"{self.both} of {self.jumps} segments with a jump have an event (95 % {with_jump[0]:.2f} to {with_jump[1]:.2f})"
        two = f"{self.event_only} of {calm} without ({without[0]:.2f} to {without[1]:.2f})"
        return f"{one}, {two}; Fisher's exact test p = {self.p_value:.2g}"


def table_of(runs: Sequence[Tracking], types: Sequence[str] | None = None) -> Table:
    """Return the table over all segments whose losses are known; ``types``: only events of these count."""
    counts = {(jump, event): 0 for jump in (True, False) for event in (True, False)}
    for run in runs:
        for segment, jump, ratio in zip(run.segments, run.jumps(), run.ratios(), strict=True):
            if ratio is not None:
                counts[jump, any(types is None or event.type in types for event in segment.events)] += 1
    return Table(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def shifted_p_value(runs: Sequence[Tracking], seed: int = 0) -> float:
    """Return how often at least as many jumps meet events when each run's events are moved round cyclically by a random number of segments.

    One-sided; it keeps the order within runs, as Fisher's test does not. **Guarantee:** heuristic: 10,000 draws, the true order among them.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    rows = [(np.array(run.jumps()), np.array([bool(segment.events) for segment in run.segments])) for run in runs]
    true = sum(int((jumps & events).sum()) for jumps, events in rows)
    found = np.zeros(_DRAWS, dtype=int)
    for jumps, events in rows:
        hits = np.array([int((jumps & np.roll(events, shift)).sum()) for shift in range(len(events))])
        found += hits[rng.integers(len(events), size=_DRAWS)]
    return float((1 + (found >= true).sum()) / (1 + _DRAWS))


@dataclass(frozen=True)
class Paired:
    """A number of each run of two kinds, run by run from the same seed: means, and the difference within the pairs.

    ``interval``: 95 % percentile bootstrap of the mean difference; ``p_value``: Wilcoxon's signed ranks, two-sided; nan where every
    difference is 0.
    """

    what: str
    one: tuple[float, ...]
    two: tuple[float, ...]
    interval: tuple[float, float]
    p_value: float

    @property
    def difference(self) -> float:
        """Return the mean of the second less the first."""
        return float(np.mean(self.two) - np.mean(self.one))

    @property
    def decided(self) -> bool:
        """Say whether the interval excludes 0."""
        return self.interval[0] > 0 or self.interval[1] < 0

    def statement(self) -> str:
        """Say it in one sentence."""
        ends = f"95 % bootstrap {self.interval[0]:+.3g} to {self.interval[1]:+.3g}"
        test = f"Wilcoxon p = {self.p_value:.2g}" if isfinite(self.p_value) else "all pairs equal"
        return f"{self.what}: mean {np.mean(self.one):.3g} and {np.mean(self.two):.3g}, difference {self.difference:+.3g} ({ends}; {test})"


def paired(what: str, one: Sequence[float], two: Sequence[float], seed: int = 0) -> Paired:
    """Compare two equally long rows of numbers, pair by pair. **Raises** Malformed: other lengths, fewer than 2, not finite.

    >>> print(paired("jumps", [3, 4, 5, 6, 5, 7], [1, 2, 2, 3, 3, 2]).statement())
    jumps: mean 5 and 2.17, difference -2.83 (95 % bootstrap -3.83 to -2.17; Wilcoxon p = 0.031)
    """
    from scipy.stats import wilcoxon

    values = np.array(one, dtype=float), np.array(two, dtype=float)
    if len(values[0]) != len(values[1]) or len(values[0]) < 2 or not all(np.isfinite(row).all() for row in values):  # noqa: PLR2004
        got = f"{len(values[0])} and {len(values[1])} numbers"
        raise Malformed(where=f"comparison of {what}", law="pairs of runs", expected="two rows of equally many finite numbers", got=got)
    differences = values[1] - values[0]
    rng = np.random.Generator(np.random.Philox(seed))
    means = differences[rng.integers(len(differences), size=(_DRAWS, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    p_value = float(wilcoxon(differences, method="exact").pvalue) if _untied(differences) else _signed_ranks(differences)
    return Paired(what, tuple(values[0].tolist()), tuple(values[1].tolist()), (float(low), float(high)), p_value)


def _untied(differences: np.ndarray) -> bool:
    sizes = np.abs(differences)
    return bool((sizes > 0).all()) and len(np.unique(sizes)) == len(sizes)


def _signed_ranks(differences: np.ndarray) -> float:
    """Return the exact two-sided p-value with ties and zeros: all signs of the ranks of the differences that are not 0."""
    from scipy.stats import rankdata

    kept = differences[differences != 0.0]
    if len(kept) == 0:
        return nan
    doubled = np.round(2 * rankdata(np.abs(kept))).astype(int)  # ranks with ties are halves
    ways = np.zeros(doubled.sum() + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    total = int(doubled[kept > 0].sum())
    tail = min(ways[: total + 1].sum(), ways[total:].sum()) / ways.sum()
    return float(min(1.0, 2 * tail))


def compare(one: Sequence[Tracking], two: Sequence[Tracking], types: Sequence[str]) -> list[Paired]:
    """Compare events of each type, events of all types, and jumps, run by run. **Raises** Malformed: no pairs."""
    counts = {f"events, {name}": ([_count(run, name) for run in one], [_count(run, name) for run in two]) for name in types}
    counts["events, all types"] = ([float(run.events) for run in one], [float(run.events) for run in two])
    counts["jumps of the loss"] = ([float(sum(run.jumps())) for run in one], [float(sum(run.jumps())) for run in two])
    return [paired(what, *rows) for what, rows in counts.items()]


def _count(run: Tracking, name: str) -> float:
    return float(sum(event.type == name for segment in run.segments for event in segment.events))
