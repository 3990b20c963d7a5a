"""Branches of cycles of smooth networks, cut at their turning points into arcs over which mu is monotone; floats only."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verify.search.folds import LARGEST_STEP, Family, FoldCandidate, is_least, same_cycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.numerics.batch import Floats
    from verify.paths import Path
    from verify.search.folds import Trace

_NEAR = 3.0 * LARGEST_STEP
_FOUND = 1e-5
_BEFORE, _AFTER = -1, 1


@dataclass(frozen=True, eq=False)
class Arc:
    """One cycle for each mu of [low, high]: knots (share of the path, points), the events that end it, and whether it ends unexplained.

    **Shapes:** shares (n,) ascending, points (n, k, M). **Guarantee:** heuristic.
    """

    family: Family
    path: Path
    shares: Floats
    points: Floats
    ends: tuple[FoldCandidate | None, FoldCandidate | None]

    @property
    def period(self) -> int:
        """Return the number of points."""
        return int(self.points.shape[1])

    @property
    def low(self) -> Fraction:
        """Return the first mu."""
        return self._mu(float(self.shares[0]))

    @property
    def high(self) -> Fraction:
        """Return the last mu."""
        return self._mu(float(self.shares[-1]))

    def at(self, mu: Fraction) -> Floats | None:
        """Return the cycle's points at mu, (k, M); None where Newton's method does not converge to a cycle of this period."""
        share = float(self.path.share(mu))
        found = self.family.at_share(self._between(share), share)
        return found if found is not None and np.isfinite(found).all() and is_least(found) else None

    def speed(self, points: Floats, mu: Fraction) -> float:
        """Return |dz / dmu| there (max norm), infinity at a turning point."""
        return self.family.speed(points, float(self.path.share(mu))) / float(self.path.high - self.path.low)

    def _between(self, share: float) -> Floats:
        """Interpolate between two knots; beside a turning point as the square root."""
        last = len(self.shares) - 1
        here = min(max(int(np.searchsorted(self.shares, share)) - 1, 0), last - 1)
        part = float((share - self.shares[here]) / (self.shares[here + 1] - self.shares[here]))
        if here == 0 and self.ends[0] is not None:
            part = max(part, 0.0) ** 0.5
        elif here + 1 == last and self.ends[1] is not None:
            part = 1.0 - max(1.0 - part, 0.0) ** 0.5
        between: Floats = self.points[here] + (self.points[here + 1] - self.points[here]) * part
        return between

    def _mu(self, share: float) -> Fraction:
        exact = self.path.low + Fraction(min(max(share, 0.0), 1.0)) * (self.path.high - self.path.low)
        return exact if share <= 0.0 or share >= 1.0 else Fraction(float(exact))


def arcs_of(path: Path, branches: Sequence[tuple[Trace, ...]], events: Sequence[FoldCandidate]) -> list[Arc]:
    """Cut branches into arcs, each cycle of each mu in one of them only."""
    family = Family(path)
    arcs: list[Arc] = []
    for branch in branches:
        for one, run, two in _monotone(branch):
            before, after = (_event(family, end, events) for end in (one, two))
            arc = _arc(family, path, run, (before, after))
            if arc is not None and not any(_same(arc, other) for other in arcs):
                arcs.append(arc)
    return sorted(arcs, key=lambda arc: (arc.period, arc.low, arc.high))


def _monotone(branch: tuple[Trace, ...]) -> list[tuple[Trace | None, list[Trace], Trace | None]]:
    """Return runs of traces between turning points, with the trace beyond each turning point."""
    cuts = [0, *(i for i, (a, b) in enumerate(pairwise(branch), 1) if a.tangent[-1] * b.tangent[-1] <= 0.0), len(branch)]
    runs = []
    for first, last in pairwise(cuts):
        run = list(branch[first:last])
        beyond = (run[0] if first else None, run[-1] if last < len(branch) else None)
        runs.append((beyond[0], run, beyond[1]) if run and run[0].share <= run[-1].share else (beyond[1], run[::-1], beyond[0]))
    return runs


def _event(family: Family, turn: Trace | None, events: Sequence[FoldCandidate]) -> FoldCandidate | None:
    """Return the fold, or the flip of half the period, at which a branch turns beside this trace."""
    if turn is None:
        return None
    distances = []
    for event in events:
        times = len(turn.points) // event.period
        if (event.twist, times) in {(1, 1), (-1, 2)} and times * event.period == len(turn.points):
            whole = np.tile(event.points, (times, 1))
            apart = min(float(np.abs(np.roll(whole, t, axis=0) - turn.points).max()) for t in range(len(whole)))
            distances.append((max(apart, abs(family.share_of(event.mu) - turn.share)), event))
    near = min(distances, key=lambda item: item[0], default=None)
    return near[1] if near is not None and near[0] < _NEAR else None


def _arc(family: Family, path: Path, run: list[Trace], ends: tuple[FoldCandidate | None, FoldCandidate | None]) -> Arc | None:
    knots = [(trace.share, trace.points) for trace in run]
    for event, side in zip(ends, (_BEFORE, _AFTER), strict=True):
        if event is not None and knots:
            share, own = family.share_of(event.mu), knots[0 if side == _BEFORE else -1][1]
            whole = np.tile(event.points, (len(own) // event.period, 1))
            whole = min((np.roll(whole, t, axis=0) for t in range(len(whole))), key=lambda turned: float(np.abs(turned - own).max()))
            knots = [knot for knot in knots if side * (share - knot[0]) > 0.0]
            knots = [(share, whole), *knots] if side == _BEFORE else [*knots, (share, whole)]
    shares = np.array([share for share, _ in knots])
    if len(knots) < 2 or (np.diff(shares) <= 0.0).any() or shares[-1] <= 0.0 or shares[0] >= 1.0:  # noqa: PLR2004
        return None
    arc = Arc(family, path, shares, np.array([points for _, points in knots]), ends)
    return arc if arc.low < arc.high and arc.at((arc.low + arc.high) / 2) is not None else None


def _same(one: Arc, two: Arc) -> bool:
    """Say whether two arcs are the same cycles where both are."""
    low, high = max(one.low, two.low), min(one.high, two.high)
    if one.period != two.period or low >= high:
        return False
    mine, theirs = one.at((low + high) / 2), two.at((low + high) / 2)
    return mine is not None and theirs is not None and same_cycle(mine, theirs, _FOUND)
