"""Scalar networks with tanh output, F = tanh(g), g piecewise linear: images of intervals and slopes on them, many networks at a time.

**Bounds.** Everything happens on [-1, 1], which holds F(R) and so all cycles. ``slack`` of a network bounds the error of every value of F:
twice the sum of (i) the largest error of a line of g on [-1, 1] (radii of slope and intercept, rounding of slope x + intercept), (ii) the
largest product of a knot's radius and the sizes of the slopes beside it (x may lie on the neighbouring piece, or the range may turn at the
true knot instead of its float), plus 2^-49 for tanh, which has slope <= 1: a platform's tanh is assumed to be right to 4 units in the
last place, at most 2^-51, and the sums that follow are rounded. Slopes of g on an interval are those of all pieces whose true ends may
meet it; tanh' = 1 - F^2 over the range of F, widened by 2^-50. A network whose slack is above 2^-24, or whose table is unsafe, is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from verify.numerics.line_tables import UNIT, LineTables, owners_of, starts_of

TANH = 2.0**-49
WIDER = 2.0**-50
TOO_VAGUE = 2.0**-24


class Span(NamedTuple):
    """Intervals [low, high], one an entry."""

    low: Tensor
    high: Tensor


@dataclass(frozen=True, eq=False)
class Largest:
    """Flat pairs of numbers, prepared for the largest of each kind in a range: level k has those of 2^k neighbours."""

    levels: Tensor
    logs: Tensor

    @classmethod
    def of(cls, pairs: Tensor, longest: int) -> Largest:
        """Prepare ranges of up to ``longest`` entries. **Cost:** their logarithm."""
        levels, step = [pairs], 1
        while 2 * step <= longest:
            last = levels[-1]
            levels.append(torch.cat([torch.maximum(last[:-step], last[step:]), last[-step:]]))
            step *= 2
        logs = torch.arange(longest + 2, device=pairs.device).double().log2().floor().clamp_min(0).long()
        return cls(torch.stack(levels), logs)

    def between(self, first: Tensor, end: Tensor) -> Tensor:
        """Return the largest numbers of first .. end - 1, at least one entry."""
        level = self.logs[end - first]
        return torch.maximum(self.levels[level, first], self.levels[level, end - (1 << level)])


@dataclass(frozen=True, eq=False)
class SmoothMaps:
    """F of n networks on [-1, 1], from their tables: the knots there and the lines beside them; see the text above for the bounds.

    ``bends`` are F and -F at the knots, ``steeps`` upper bounds of s and -s for each piece.
    """

    start: Tensor
    knots: Tensor
    radii: Tensor
    lines: Tensor
    bends: Largest
    steeps: Largest
    slack: Tensor
    usable: Tensor

    def __len__(self) -> int:
        """Return the number of networks."""
        return len(self.usable)

    def places(self, owner: Tensor, x: Tensor) -> Tensor:
        """Return how many of the network's knots lie below x, by bisection."""
        first = self.start[owner]
        count = self.start[owner + 1] - first
        below = torch.zeros_like(owner)
        step = 1 << (int(count.max()).bit_length() if len(count) else 0)
        while step := step >> 1:
            trial = below + step
            fits = trial <= count
            knot = self.knots[torch.where(fits, first + trial - 1, 0)]
            below = torch.where(fits & (knot < x), trial, below)
        return below

    def values(self, owner: Tensor, x: Tensor) -> Tensor:
        """Return F(x) for x in [-1, 1], off by at most ``slack``."""
        return self._on_piece(self.start[owner] + owner + self.places(owner, x), x)

    def image(self, owner: Tensor, span: Span) -> tuple[Span, Span]:
        """Return F of intervals inside [-1, 1], and its slopes there. **Guarantee:** enclosure by the bounds above."""
        first = self.start[owner]
        left, right = self.places(owner, span.low), self.places(owner, span.high)
        ends = [self._on_piece(first + owner + at, x) for at, x in zip((left, right), span, strict=True)]
        top, bottom = torch.maximum(*ends), torch.minimum(*ends)
        bent = (right > left).nonzero()[:, 0]
        bends = self.bends.between((first + left)[bent], (first + right)[bent])
        top[bent] = torch.maximum(top[bent], bends[:, 0])
        bottom[bent] = torch.minimum(bottom[bent], -bends[:, 1])
        slack = self.slack[owner]
        found = Span((bottom - slack).clamp_min(-1.0), (top + slack).clamp_max(1.0))
        return found, self._slopes(owner, span, (left, right), found)

    def _on_piece(self, piece: Tensor, x: Tensor) -> Tensor:
        line = self.lines[piece]
        return torch.tanh(line[:, 0] * x + line[:, 1])

    def _slopes(self, owner: Tensor, span: Span, places: tuple[Tensor, Tensor], values: Span) -> Span:
        """Return the slopes of F on a span whose ends have these places and whose values are these."""
        first, (left, right) = self.start[owner], places
        count = self.start[owner + 1] - first
        before, after = (first + left - 1).clamp_min(0), (first + right).clamp_max(max(len(self.knots) - 1, 0))
        if len(self.knots):
            left = left - ((left > 0) & (self.knots[before] + self.radii[before] >= span.low)).long()
            right = right + ((right < count) & (self.knots[after] - self.radii[after] <= span.high)).long()
        steeps = self.steeps.between(first + owner + left, first + owner + right + 1)
        largest = torch.maximum(values.low.abs(), values.high.abs())
        least = torch.where((values.low <= 0) & (values.high >= 0), 0.0, torch.minimum(values.low.abs(), values.high.abs()))
        tanh = Span((1 - largest * largest - WIDER).clamp_min(0.0), (1 - least * least + WIDER).clamp_max(1.0))
        return times(Span(-steeps[:, 1], steeps[:, 0]), tanh)


def times(one: Span, two: Span) -> Span:
    """Return the products of two intervals, rounded outward."""
    corners = torch.stack([one.low * two.low, one.low * two.high, one.high * two.low, one.high * two.high])
    low, high = corners.amin(dim=0), corners.amax(dim=0)
    return Span(low - WIDER * low.abs(), high + WIDER * high.abs())


def smooth_maps(tables: LineTables) -> SmoothMaps:
    """Prepare tanh of the functions that these tables give, on [-1, 1]. Unsafe tables are kept without knots, not usable."""
    owner = tables.owners
    low, high = tables.knots - tables.knot_radii, tables.knots + tables.knot_radii
    firm = ~tables.unsafe[owner]
    kept = firm & (high >= -1) & (low <= 1)
    twins = (owner[1:] == owner[:-1]) & (tables.knots[1:] == tables.knots[:-1]) & (tables.knot_radii[1:] + tables.knot_radii[:-1] == 0)
    kept[:-1] &= ~twins  # of exact knots at one place the last, and no piece between
    passed = torch.bincount(owner[firm & (high < -1)], minlength=len(tables))
    counts = torch.bincount(owner[kept], minlength=len(tables))
    start = starts_of(counts)
    left = torch.arange(int(start[-1]), device=owner.device) + owner[kept]
    first = torch.arange(len(tables), device=owner.device)
    pieces = torch.empty(len(left) + len(tables), dtype=torch.int64, device=owner.device)
    pieces[start[:-1] + first] = tables.start[:-1] + first + passed
    pieces[left + 1] = kept.nonzero()[:, 0] + owner[kept] + 1
    slopes, intercepts, slope_radii, intercept_radii = (
        part[pieces] for part in (tables.slopes, tables.intercepts, tables.slope_radii, tables.intercept_radii)
    )
    knots, radii = tables.knots[kept], tables.knot_radii[kept]
    rounding = UNIT * (2 * slopes.abs() + intercepts.abs())
    errors = _largest(slope_radii + intercept_radii + rounding, starts_of(counts + 1))
    sizes = slopes.abs() + slope_radii
    moved = _largest(radii * (sizes[left] + sizes[left + 1]), start)
    slack = 2 * (errors + moved) * (1 + UNIT) + TANH
    values = torch.tanh(slopes[left] * knots + intercepts[left])
    longest = int(counts.max()) if len(counts) else 0
    bends = Largest.of(torch.stack([values, -values], dim=1), longest)
    steeps = Largest.of(torch.stack([slopes + slope_radii, slope_radii - slopes], dim=1) + WIDER * sizes[:, None], longest + 1)
    usable = ~tables.unsafe & (slack < TOO_VAGUE)
    return SmoothMaps(start, knots, radii, torch.stack([slopes, intercepts], dim=1), bends, steeps, slack, usable)


def trapped(maps: SmoothMaps, times: int = 12) -> Span:
    """Return for each network an interval that holds F^(times + 1)(R), and so all its cycles."""
    owner = torch.arange(len(maps), device=maps.slack.device)
    span = Span(-torch.ones_like(maps.slack), torch.ones_like(maps.slack))
    for _ in range(times):
        span = maps.image(owner, span)[0]
    return span


def _largest(numbers: Tensor, start: Tensor) -> Tensor:
    """Return the largest number of each segment, 0 for an empty one; numbers >= 0."""
    none = numbers.new_zeros(len(start) - 1)
    return none.scatter_reduce(0, owners_of(start), numbers, "amax")
