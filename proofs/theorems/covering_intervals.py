"""B4 ``covering_intervals`` (M = 1). A horseshoe: intervals whose images under F^m cover each other.

Statement   h(F) >= log(r) / m.
Witness     iterate m; intervals [low_i, high_i]; extremes: for each a pair c_i, d_i of its points; weights v_i; rate r; optional bits.
            Optionally cites A0: then F is evaluated through its table.
Checks      1  one state
            2  low_i < high_i strictly, and in the given order high_i <= low_(i+1): interiors pairwise disjoint
            3  c_i and d_i lie in interval i
            4  all v_i > 0 and r > 0; T v >= r v, where T_ij = 1 exactly if F^m(c_i) <= low_j and F^m(d_i) >= high_j (enclosures: the ends)
Fails when  an interval is a point (its interior is empty); a covering only touches; the rate was rounded up.
Rests on    intermediate values; Collatz-Wielandt: the spectral radius of T is at least r; Misiurewicz (horseshoes carry entropy).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval
from proofs.claims import EntropyLower, Pieces
from proofs.theorems.card import MAX_PERIOD
from proofs.theorems.li_yorke import orbit_of

if TYPE_CHECKING:
    from proofs.piecewise import PiecewiseLinear
    from proofs.theorems.card import Application

_PAIR = 2
MAX_EVALUATIONS = 2**20


def check(step: Application) -> EntropyLower:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    times, bits = step.witness.integer("iterate", 1, MAX_PERIOD), step.bits()
    intervals, extremes = step.witness.table("intervals"), step.witness.table("extremes")
    weights, rate = step.witness.numbers("weights"), step.witness.number("rate")
    count = len(intervals)
    fits = count > 0 and len(extremes) == count == len(weights) and {len(pair) for pair in (*intervals, *extremes)} == {_PAIR}
    step.require(2, fits, "as many pairs of ends, pairs of extremes and weights, at least one", (count, len(extremes), len(weights)))
    work = count * times
    step.require(2, work <= MAX_EVALUATIONS, f"intervals times iterate at most {MAX_EVALUATIONS}", work)
    for i, (low, high) in enumerate(intervals, 1):
        step.require(2, low < high, f"interval {i} with low < high", (low, high))
    for i, ((_, high), (low, _)) in enumerate(pairwise(intervals), 1):
        step.require(2, high <= low, f"interval {i} to end before interval {i + 1} begins", (high, low))
    for i, ((low, high), pair) in enumerate(zip(intervals, extremes, strict=True), 1):
        step.require(3, all(low <= x <= high for x in pair), f"extremes {i} inside interval {i}", pair)
    step.require(4, rate > 0 and all(v > 0 for v in weights), "a positive rate and positive weights", (rate, *weights))
    function = step.cite(Pieces).function if step.citations_left else None
    sums = list(accumulate(weights, initial=Fraction(0)))
    lows, highs = [low for low, _ in intervals], [high for _, high in intervals]
    for i, (c, d) in enumerate(extremes):
        bottom, top = (_power(step, function, x, times, bits) for x in (c, d))
        first, end = bisect_left(lows, bottom.hi), bisect_right(highs, top.lo)
        total = sums[end] - sums[first] if first < end else Fraction(0)
        step.require(4, total >= rate * weights[i], f"(T v)_{i + 1} >= r v_{i + 1}", total)
    return EntropyLower(rate, times)


def _power(step: Application, function: PiecewiseLinear | None, x: Fraction, times: int, bits: int | None) -> Interval:
    if function is None:
        return orbit_of(step, x, times, bits)[times]
    for _ in range(times):
        x = function(x)
        step.require_short(4, x)
    return Interval(x, x)
