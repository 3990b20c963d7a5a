"""Continuous piecewise-linear functions of one real variable, exactly: evaluate, compose, fixed points, laps.

The function is given by its knots, its values there and its slopes to the left of the first and to the right of the last knot.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Span = tuple[Fraction | None, Fraction | None]


class TooManyPieces(Exception):
    """A composition went over the number of knots allowed."""


@dataclass(frozen=True, slots=True)
class PiecewiseLinear:
    """f with f(knots[i]) = values[i], affine in between, slopes ``left`` and ``right`` outside. At least one knot, strictly increasing."""

    knots: tuple[Fraction, ...]
    values: tuple[Fraction, ...]
    left: Fraction
    right: Fraction

    def __call__(self, x: Fraction) -> Fraction:
        """Return f(x). **Guarantee:** exact."""
        i = bisect_right(self.knots, x)
        if i == 0:
            return self.values[0] + self.left * (x - self.knots[0])
        if i == len(self.knots):
            return self.values[-1] + self.right * (x - self.knots[-1])
        start, end = self.knots[i - 1], self.knots[i]
        return self.values[i - 1] + (self.values[i] - self.values[i - 1]) * (x - start) / (end - start)

    def slopes(self) -> list[Fraction]:
        """Return the slopes from left to right, one more than knots."""
        inner = [(d - c) / (b - a) for (a, b), (c, d) in zip(pairwise(self.knots), pairwise(self.values), strict=True)]
        return [self.left, *inner, self.right]

    def lipschitz(self) -> Fraction:
        """Return the largest absolute slope."""
        return max(map(abs, self.slopes()))

    def laps(self) -> int:
        """Return the least number of intervals, covering the line, on each of which f is monotone (constant pieces join either side)."""
        signs = [slope > 0 for slope in self.slopes() if slope != 0]
        return 1 + sum(one != two for one, two in pairwise(signs))

    def after(self, inner: PiecewiseLinear, limit: int) -> PiecewiseLinear:
        """Return self o inner, knots that are none dropped.

        **Guarantee:** exact. **Raises:** TooManyPieces beyond ``limit`` knots.
        """
        knots: list[Fraction] = []
        values: list[Fraction] = []
        for x, value in self._composed_knots(inner):
            knots.append(x)
            values.append(value)
            if len(knots) > limit:
                raise TooManyPieces
        left, right = self._end_slope(-inner.left) * inner.left, self._end_slope(inner.right) * inner.right
        return PiecewiseLinear(tuple(knots), tuple(values), left, right).simplified()

    def simplified(self) -> PiecewiseLinear:
        """Drop the knots at which the slope does not change (one knot always stays)."""
        slopes = self.slopes()
        keep = [i for i in range(len(self.knots)) if slopes[i] != slopes[i + 1]] or [0]
        return PiecewiseLinear(tuple(self.knots[i] for i in keep), tuple(self.values[i] for i in keep), self.left, self.right)

    def fixed_points(self) -> tuple[list[Fraction], list[Span]]:
        """Return all solutions of f(x) = x: isolated points in order, and the pieces on which f is the identity (None: infinity).

        End points of identity pieces are not repeated among the points. **Guarantee:** exact and complete.
        """
        excess = [value - knot for knot, value in zip(self.knots, self.values, strict=True)]
        spans: list[Span] = []
        points: set[Fraction] = set()
        if excess[0] == 0 and self.left == 1:
            spans.append((None, self.knots[0]))
        for (a, b), (c, d) in zip(pairwise(self.knots), pairwise(excess), strict=True):
            if c == d == 0:
                spans.append((a, b))
            elif c * d <= 0:
                points.add(a + c * (b - a) / (c - d))
        if excess[-1] == 0 and self.right == 1:
            spans.append((self.knots[-1], None))
        points.update(self._outer_fixed_points(excess))
        starts = [span[0] for span in spans if span[0] is not None]
        first = spans[0] if spans and spans[0][0] is None else None
        return sorted(x for x in points if not _covered(x, first, starts, spans)), spans

    def is_identity_on(self, span: Span) -> bool:
        """Say whether f(x) = x on the whole interval."""
        low, high = span
        start = 0 if low is None else bisect_left(self.knots, low)
        end = len(self.knots) if high is None else bisect_right(self.knots, high)
        inner = [x for x in (low, *self.knots[start:end], high) if x is not None]
        ends = (low is not None or self.left == 1) and (high is not None or self.right == 1)
        return ends and all(self(x) == x for x in inner or self.knots)

    def _outer_fixed_points(self, excess: list[Fraction]) -> Iterator[Fraction]:
        """On a ray f(x) - x is excess + (slope - 1)(x - knot)."""
        if self.left != 1:
            x = self.knots[0] - excess[0] / (self.left - 1)
            if x <= self.knots[0]:
                yield x
        if self.right != 1:
            x = self.knots[-1] - excess[-1] / (self.right - 1)
            if x >= self.knots[-1]:
                yield x

    def _composed_knots(self, inner: PiecewiseLinear) -> Iterator[tuple[Fraction, Fraction]]:
        first, last = inner.values[0], inner.values[-1]
        if inner.left != 0:
            rising = range(bisect_left(self.knots, first))
            for i in rising if inner.left > 0 else range(len(self.knots) - 1, bisect_right(self.knots, first) - 1, -1):
                yield inner.knots[0] + (self.knots[i] - first) / inner.left, self.values[i]
        for (a, b), (c, d) in zip(pairwise(inner.knots), pairwise(inner.values), strict=True):
            yield a, self(c)
            if c != d:
                low, high = bisect_right(self.knots, min(c, d)), bisect_left(self.knots, max(c, d))
                for i in range(low, high) if c < d else range(high - 1, low - 1, -1):
                    yield a + (self.knots[i] - c) * (b - a) / (d - c), self.values[i]
        yield inner.knots[-1], self(last)
        if inner.right != 0:
            rising = range(bisect_right(self.knots, last), len(self.knots))
            for i in rising if inner.right > 0 else range(bisect_left(self.knots, last) - 1, -1, -1):
                yield inner.knots[-1] + (self.knots[i] - last) / inner.right, self.values[i]

    def _end_slope(self, direction: Fraction) -> Fraction:
        return self.right if direction > 0 else self.left if direction < 0 else Fraction(0)


def _covered(x: Fraction, first: Span | None, starts: list[Fraction], spans: list[Span]) -> bool:
    """Say whether x lies in one of the ordered spans, whose finite starts are given; ``first`` is the one without a start."""
    last = bisect_right(starts, x) - 1 + (first is not None)
    return any(_inside(x, spans[i]) for i in (last - 1, last) if 0 <= i < len(spans))


def _inside(x: Fraction, span: Span) -> bool:
    return (span[0] is None or span[0] <= x) and (span[1] is None or x <= span[1])
