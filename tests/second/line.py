# mypy: disable-error-code="no-any-return"
"""Piecewise-linear maps of the line by brute force: candidate break points are preimages, everything else is evaluation."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from tests.second import boxes
from tests.second.nets import Net
from tests.second.text import BeyondReach, number, numbers

MOST_CANDIDATES = 20_000


class Line:
    """F through its values at knots and its two outer slopes."""

    def __init__(self, knots: list, values: list, left: Fraction, right: Fraction) -> None:
        self.knots, self.values, self.left, self.right = list(knots), list(values), left, right
        self._candidates = [sorted(self.knots)]

    def __call__(self, x: Fraction) -> Fraction:
        """Return F(x) by walking through the pieces."""
        if x <= self.knots[0]:
            return self.values[0] + (x - self.knots[0]) * self.left
        for (a, b), (c, d) in zip(pairwise(self.knots), pairwise(self.values), strict=True):
            if x <= b:
                return (c * (b - x) + d * (x - a)) / (b - a)
        return self.values[-1] + (x - self.knots[-1]) * self.right

    def power(self, x: Fraction, times: int) -> Fraction:
        """Return F^times(x)."""
        for _ in range(times):
            x = self(x)
        return x

    def preimages(self, y: Fraction) -> set:
        """Return all isolated solutions of F(x) = y."""
        found = set()
        for (a, b), (c, d) in zip(pairwise(self.knots), pairwise(self.values), strict=True):
            if c != d and min(c, d) <= y <= max(c, d):
                found.add(a + (y - c) * (b - a) / (d - c))
        for knot, value, slope, side in ((self.knots[0], self.values[0], self.left, -1), (self.knots[-1], self.values[-1], self.right, 1)):
            if slope != 0:
                x = knot + (y - value) / slope
                if (x - knot) * side >= 0:
                    found.add(x)
        return found

    def candidates(self, times: int) -> list:
        """Return points between neighbours of which F^times is affine, and so on both rays outside."""
        while len(self._candidates) < times:
            last = self._candidates[-1]
            more = set(self.knots).union(*(self.preimages(y) for y in last))
            if len(more) > MOST_CANDIDATES:
                raise BeyondReach("too many pieces for brute force")
            self._candidates.append(sorted(more))
        return self._candidates[times - 1]

    def graph(self, times: int) -> tuple[list, list, Fraction, Fraction]:
        """Return F^times as points, values and outer slopes."""
        xs = self.candidates(times)
        ys = [self.power(x, times) for x in xs]
        return xs, ys, ys[0] - self.power(xs[0] - 1, times), self.power(xs[-1] + 1, times) - ys[-1]

    def slopes(self, times: int) -> list:
        """Return the slopes of F^times from left to right."""
        xs, ys, left, right = self.graph(times)
        return [left, *((d - c) / (b - a) for (a, b), (c, d) in zip(pairwise(xs), pairwise(ys), strict=True)), right]

    def bends(self, times: int) -> int:
        """Return the number of points at which F^times really bends (at least 1)."""
        return max(1, sum(a != b for a, b in pairwise(self.slopes(times))))

    def laps(self, times: int) -> int:
        """Return the number of monotone stretches of F^times."""
        rising = [s > 0 for s in self.slopes(times) if s]
        return 1 + sum(a != b for a, b in pairwise(rising))

    def lipschitz(self, times: int = 1) -> Fraction:
        """Return the largest slope of F^times."""
        return max(abs(s) for s in self.slopes(times))

    def solutions(self, times: int) -> tuple[list, list]:
        """Return the isolated solutions of F^times(x) = x, and the closed intervals (None: infinite) of solutions."""
        xs, ys, left, right = self.graph(times)
        gaps = [y - x for x, y in zip(xs, ys, strict=True)]
        spans = [(a, b) for (a, b), (c, d) in zip(pairwise(xs), pairwise(gaps), strict=True) if c == d == 0]
        spans = ([(None, xs[0])] if gaps[0] == 0 and left == 1 else []) + spans + ([(xs[-1], None)] if gaps[-1] == 0 and right == 1 else [])
        points = {a + (b - a) * c / (c - d) for (a, b), (c, d) in zip(pairwise(xs), pairwise(gaps), strict=True) if c * d < 0}
        points |= {x for x, gap in zip(xs, gaps, strict=True) if gap == 0}
        for x, gap, slope, side in ((xs[0], gaps[0], left, -1), (xs[-1], gaps[-1], right, 1)):
            if slope != 1 and gap / (1 - slope) * side > 0:
                points.add(x + gap / (1 - slope))
        return sorted(x for x in points if not any(inside(x, span) for span in spans)), _joined(spans)

    def least_period(self, x: Fraction, most: int) -> int | None:
        """Return the least period of x if it is at most ``most``."""
        y = x
        for k in range(1, most + 1):
            y = self(y)
            if y == x:
                return k
        return None

    def periods(self, times: int) -> set:
        """Return the least periods of the isolated solutions of F^times(x) = x."""
        return {self.least_period(x, times) for x in self.solutions(times)[0]}

    def settles(self, exponent: int) -> bool:
        """Say whether every solution of F^(2^(exponent + 1))(x) = x on [-inf, inf] is one of F^(2^exponent)(x) = x."""
        once, twice = 2**exponent, 2 ** (exponent + 1)
        points, spans = self.solutions(twice)
        _, idle = self.solutions(once)
        if any(self.power(x, once) != x for x in points):
            return False
        if any(not any(_within(span, other) for other in idle) for span in spans):
            return False
        _, _, left, right = self.graph(twice)
        _, _, small_left, small_right = self.graph(once)
        return (left <= 0 or small_left > 0) and (right <= 0 or small_right > 0)


def inside(x: Fraction, span: tuple) -> bool:
    """Say whether a point lies in a closed interval whose ends may be infinite (None)."""
    return (span[0] is None or span[0] <= x) and (span[1] is None or x <= span[1])


def _within(one: tuple, two: tuple) -> bool:
    low = two[0] is None or (one[0] is not None and two[0] <= one[0])
    return low and (two[1] is None or (one[1] is not None and one[1] <= two[1]))


def _joined(spans: list) -> list:
    joined: list = []
    for low, high in spans:
        if joined and joined[-1][1] == low:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def from_claim(claim: dict) -> Line:
    """Return the function of a ``pieces`` claim."""
    return Line(numbers(claim["knots"]), numbers(claim["values"]), number(claim["left"]), number(claim["right"]))


def kinks(net: Net) -> list:
    """Return points between which F and every hinge are affine: hinge by hinge in program order, each affine between the kinks so far."""
    found: list = [Fraction(0)]
    for hinge in range(net.hinges):

        def gate(x: Fraction, hinge: int = hinge) -> Fraction:
            return net.run([boxes.point(x)])[1][hinge][0]

        points, more = sorted(set(found)), []
        for a, b in pairwise(points):
            c, d = gate(a), gate(b)
            if c * d < 0:
                more.append(a + (b - a) * c / (c - d))
        for x, side in ((points[0], -1), (points[-1], 1)):
            value, slope = gate(x), (gate(x + side) - gate(x)) * side
            if value != 0 and slope != 0 and -value / slope * side > 0:
                more.append(x - value / slope)
        found += more
    return sorted(set(found))


def line_of(net: Net) -> Line:
    """Return F as a function of the line, found from the network alone (M = 1, exact, piecewise linear)."""
    points = kinks(net)

    def image(x: Fraction) -> Fraction:
        return net.run([boxes.point(x)])[0][0][0]

    return Line(points, [image(x) for x in points], image(points[0]) - image(points[0] - 1), image(points[-1] + 1) - image(points[-1]))
