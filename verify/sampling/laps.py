"""Laps of iterates and of compositions of piecewise-linear maps of the line, counted without making their tables.

Between two neighbouring turning points a composition is monotone, so what the next map does there depends only on the interval of its
values. The same interval comes back many times: the ends of all of them are images of turning points. Each is cut once; the counts are
then sums over a graph of intervals, far fewer than the laps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import inf

from proofs.errors import Malformed
from proofs.piecewise import PiecewiseLinear
from verify.errors import NotFound

End = Fraction | float  # floats are the two infinities only
Range = tuple[End, End]
Course = tuple[bool, bool, int] | None  # rises at its start, rises at its end, turns in between; None: constant
Parts = list[tuple[int, bool]]  # (interval of the next level, run through upwards)

LINE: Range = (-inf, inf)
MOST_INTERVALS = 200_000
_IDENTITY: Course = (True, True, 0)


def iterate_laps(
    function: PiecewiseLinear, times: int, *, window: tuple[Fraction, Fraction] | None = None, most: int = MOST_INTERVALS
) -> tuple[int, ...]:
    """Return the laps of F, F^2, .., F^times on the line, or on a window: the least numbers of intervals on which they are monotone.

    **Guarantee:** exact. **Cost:** one cut for each interval that occurs, at most about (turning points * times)^2; the ends take some
    hundred bits more with each iteration. **Raises:** NotFound beyond ``most`` intervals, with the laps known by then; Malformed for
    ``times`` < 1 or an empty window.

    **Example:** the tent map doubles its laps, a hundred times too.

    >>> tent = PiecewiseLinear((Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(1)), Fraction(2), Fraction(-2))
    >>> iterate_laps(tent, 4), iterate_laps(tent, 100)[99] == 2**100
    ((2, 4, 8, 16), True)
    """
    numbers, cutter = {_start(window, times): 0}, _Cutter(function)
    cuts: list[Parts] = []
    ends = [0]
    for _ in range(times):
        for interval in list(numbers)[len(cuts) :]:
            cuts.append(cutter.numbered(interval, numbers))
            if len(numbers) > most:
                raise _stopped(_steady(cuts, ends), times, most)
        ends.append(len(cuts))
    return _steady(cuts, ends)


def composition_laps(
    functions: list[PiecewiseLinear], *, window: tuple[Fraction, Fraction] | None = None, most: int = MOST_INTERVALS
) -> tuple[int, ...]:
    """Return the laps of F_1, F_2 o F_1, .., of all maps one after the other.

    **Guarantee**, **Raises:** as ``iterate_laps``. **Cost:** the intervals are counted level by level and summed anew for each composition.

    **Example**

    >>> tent = PiecewiseLinear((Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(1)), Fraction(2), Fraction(-2))
    >>> shrink = PiecewiseLinear((Fraction(0),), (Fraction(0),), Fraction(1, 3), Fraction(1, 3))
    >>> composition_laps([tent, shrink, tent]), composition_laps([tent, tent, tent])
    ((2, 2, 2), (2, 4, 8))
    """
    levels: list[list[Parts]] = []
    numbers = {_start(window, len(functions)): 0}
    room = most
    for function in functions:
        cutter, level = _Cutter(function), list[Parts]()
        following: dict[Range, int] = {}
        for interval in numbers:
            level.append(cutter.numbered(interval, following))
            if len(following) > room:
                raise _stopped(_passing(levels), len(functions), most)
        levels.append(level)
        numbers, room = following, room - len(following)
    return _passing(levels)


@dataclass
class _Cutter:
    """A map as its affine pieces and turning points; each end is mapped once."""

    function: PiecewiseLinear
    turns: list[Fraction] = field(init=False)
    _images: dict[End, End] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find where the slope changes its sign; a flat stretch turns at its first end."""
        bent = [(slope > 0, i) for i, slope in enumerate(self.function.slopes()) if slope]
        self.turns = [self.function.knots[i] for (rises, i), (rises_next, _) in pairwise(bent) if rises != rises_next]

    def numbered(self, interval: Range, numbers: dict[Range, int]) -> Parts:
        """Cut an interval, new parts getting the next numbers."""
        return [(numbers.setdefault(part, len(numbers)), up) for part, up in self.cut(interval)]

    def cut(self, interval: Range) -> list[tuple[Range, bool]]:
        """Return the intervals of values between neighbouring turning points, from left to right, and whether F rises there."""
        low, high = interval
        inner = self.turns[bisect_right(self.turns, low) : bisect_left(self.turns, high)]
        values = [self._image(x) for x in (low, *inner, high)]
        return [((c, d), True) if c < d else ((d, c), False) for c, d in pairwise(values) if c != d]

    def _image(self, x: End) -> End:
        if x not in self._images:
            self._images[x] = self.function(x) if isinstance(x, Fraction) else self._far(x)
        return self._images[x]

    def _far(self, x: float) -> End:
        """Return the limit at an infinity."""
        slope = self.function.left if x < 0 else self.function.right
        if slope:
            return x if slope > 0 else -x
        return self.function.values[0 if x < 0 else -1]


def _joined(parts: Parts, courses: list[Course]) -> Course:
    """Run through the parts one after the other."""
    first = last = None
    turns = 0
    for number, up in parts:
        course = courses[number]
        if course is not None:
            start, end, inside = course if up else (not course[1], not course[0], course[2])
            turns += inside + (last is not None and last != start)
            first, last = (start if first is None else first), end
    return None if first is None or last is None else (first, last, turns)


def _steady(cuts: list[Parts], ends: list[int]) -> tuple[int, ...]:
    """Sum for the iterates of one map; ``ends[s]`` intervals come up within s steps."""
    courses = [_IDENTITY] * (1 + max((number for parts in cuts for number, _ in parts), default=0))
    found = []
    for steps in range(1, len(ends)):
        courses = [_joined(parts, courses) for parts in cuts[: ends[len(ends) - steps]]]
        found.append(_laps(courses[0]))
    return tuple(found)


def _passing(levels: list[list[Parts]]) -> tuple[int, ...]:
    """Sum for compositions of different maps, from the last level back to the first."""
    found = []
    for length in range(1, len(levels) + 1):
        most = max((number for parts in levels[length - 1] for number, _ in parts), default=0)
        courses = [_IDENTITY] * (most + 1)
        for level in reversed(levels[:length]):
            courses = [_joined(parts, courses) for parts in level]
        found.append(_laps(courses[0]))
    return tuple(found)


def _laps(course: Course) -> int:
    return 1 if course is None else course[2] + 1


def _start(window: tuple[Fraction, Fraction] | None, times: int) -> Range:
    if times < 1:
        raise Malformed(where="laps", law="at least one map", expected="1 iteration or more", got=str(times))
    if window is not None and not window[0] < window[1]:
        raise Malformed(where="window", law="LO < HI", expected="the lower bound first", got=f"{window[0]} {window[1]}")
    return LINE if window is None else window


def _stopped(known: tuple[int, ...], times: int, most: int) -> NotFound:
    """Return the error that says how far the count went."""
    laps = f"; the laps of the first {len(known)} are {', '.join(map(str, known))}" if known else ""
    return NotFound(
        where=f"laps, iteration {len(known) + 1} of {times}",
        law="the budget of intervals",
        expected=f"at most {most} intervals",
        got=f"more{laps}",
        remedy=f"ask for {len(known)} iterations, or allow more intervals" if known else "allow more intervals",
    )
