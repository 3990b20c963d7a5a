"""D3 ``markov_exponent`` (exact, piecewise linear). The exponent of almost every orbit of a Markov map, in closed form.

Statement   Lebesgue-almost every x in K = I_1 u .. u I_n has the Lyapunov exponent sum_i mu(I_i) log |s_i|, s_i the slope of f on I_i
            and mu the invariant measure with the stated density. With M > 1, where F(z) = G(v.z) and f(y) = v.G(y): this is the
            largest exponent of almost every z with v.z in K, and the other M - 1 are -infinity.
Witness     ends: [low_i, high_i] in order; density: a positive number for each interval, any common factor; max_knots as in A0.
Checks      1  one state (f = F), or a first operation of rank one that alone reads the state; exact, piecewise linear; the table of
               f within max_knots
            2  low_i < high_i <= low_(i+1)
            3  no knot of f inside an interval, its slope not 0, its image exactly a union of stated intervals; at most 2^20 transitions
            4  the graph of transitions is strongly connected
            5  all densities are positive and density_j = sum over i with I_j in f(I_i) of density_i / |s_i|
Fails when  the orbits of the knots are infinite; the map is flat somewhere; K falls into parts.
Rests on    Birkhoff. f is affine on each I_i, so under mu the intervals visited form a stationary Markov chain, ergodic by check 4; mu
            has a positive density, so mu-almost every point of K is Lebesgue-almost every. DF^t = G'(y_t-1) f'(y_t-2) .. f'(y_0) v'
            has rank 1.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.exponents import MarkovExponent
from proofs.network import Network, Operation
from proofs.piecewise import TooManyPieces
from proofs.theorems.powers import limit
from proofs.theorems.unfold import table_of

if TYPE_CHECKING:
    from proofs.piecewise import PiecewiseLinear
    from proofs.theorems.card import Application

    Ends = tuple[tuple[Fraction, ...], ...]

MAX_TRANSITIONS = 2**20


def check(step: Application) -> MarkovExponent:
    """Verify one application; see the card above."""
    form, scalar = _scalar(step)
    function = _table(step, scalar)
    ends, density = step.witness.table("ends"), step.witness.numbers("density")
    step.require(2, 0 < len(ends) == len(density) and {len(pair) for pair in ends} == {2}, "as many pairs of ends as densities", len(ends))
    for one, two in pairwise([x for pair in ends for x in pair]):
        step.require(2, one <= two, "ends in order", (one, two))
    step.require(2, all(low < high for low, high in ends), "intervals with low < high", "an empty one")
    slopes, images = _branches(step, function, ends)
    step.require(4, _connected(images), "a strongly connected graph of transitions", f"another, of {len(ends)} intervals")
    step.require_short_column(5, density)
    step.require(5, all(value > 0 for value in density), "positive densities", density)
    _require_invariant(step, density, slopes, images)
    masses = [value * (high - low) for value, (low, high) in zip(density, ends, strict=True)]
    rates = sorted(set(slopes))
    weights = tuple(sum((m for m, s in zip(masses, slopes, strict=True) if s == rate), Fraction(0)) / sum(masses) for rate in rates)
    return MarkovExponent(_merged(ends), form, tuple(rates), weights)


def _scalar(step: Application) -> tuple[tuple[Fraction, ...], Network]:
    """Return v and the map f; (1,) and F for one state."""
    step.require_exact(1)
    network = step.network
    step.require(1, network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    if network.dimension == 1:
        return (Fraction(1),), network
    first, *rest = network.program
    alone = first.of == (0,) and bool(first.matrices) and all(0 not in operation.of for operation in rest)
    step.require(1, alone, "one state, or a first operation that alone reads the state", f"{network.dimension} states")
    table = first.matrices[0]
    row = next((row for row in table.mid if any(row)), (0,))
    pivot = next((j for j, value in enumerate(row) if value), 0)
    multiples = all(a * row[pivot] == b * other[pivot] for other in table.mid for a, b in zip(other, row, strict=False))
    step.require(1, any(row) and multiples, "a first matrix of rank one", "another rank")
    factors = Matrix.exact([Fraction(other[pivot], row[pivot])] for other in table.mid)
    form = Matrix((row,), None, table.den)
    zero = Matrix.column([Fraction(0)])
    program = (Operation("affine", (0,), (factors,), first.bias), *rest, Operation("affine", (len(network.program),), (form,), zero))
    return tuple(form.middle(0, j) for j in range(network.dimension)), Network(1, program)


def _table(step: Application, scalar: Network) -> PiecewiseLinear:
    most = limit(step)
    table: PiecewiseLinear | None
    try:
        table = table_of(scalar, most)
    except TooManyPieces:
        table = None
    step.require(1, table is not None, f"at most {most} knots in all registers, as the witness allows", "more")
    if table is None:
        raise TypeError(table)
    return table


def _branches(step: Application, function: PiecewiseLinear, ends: Ends) -> tuple[list[Fraction], list[tuple[int, int]]]:
    """Return the absolute slope on each interval and the run of intervals that its image consists of."""
    lows, highs = [low for low, _ in ends], [high for _, high in ends]
    sums = list(accumulate((high - low for low, high in ends), initial=Fraction(0)))
    bends = [knot for knot, (one, two) in zip(function.knots, pairwise(function.slopes()), strict=True) if one != two]
    slopes, images, count = [], [], 0
    for i, (low, high) in enumerate(ends, 1):
        smooth = bisect_right(bends, low) == bisect_left(bends, high)
        step.require(3, smooth, f"no knot of f inside interval {i}", "one")
        bottom, top = sorted((function(low), function(high)))
        step.require(3, bottom < top, f"a slope that is not 0 on interval {i}", "0")
        first, end = bisect_left(lows, bottom), bisect_right(highs, top)
        filled = first < end and sums[end] - sums[first] == top - bottom
        step.require(3, filled, f"the image of interval {i} a union of stated intervals", (bottom, "to", top))
        count += end - first
        step.require(3, count <= MAX_TRANSITIONS, f"at most {MAX_TRANSITIONS} transitions", "more")
        slopes.append((top - bottom) / (high - low))
        images.append((first, end))
    return slopes, images


def _connected(images: list[tuple[int, int]]) -> bool:
    """Say whether interval 1 leads to all others and all others lead to it."""
    backward: list[list[int]] = [[] for _ in images]
    for i, (first, end) in enumerate(images):
        for j in range(first, end):
            backward[j].append(i)
    return all(len(_reached(graph)) == len(images) for graph in ([list(range(*image)) for image in images], backward))


def _reached(graph: list[list[int]]) -> set[int]:
    seen, waiting = {0}, [0]
    while waiting:
        further = [j for j in graph[waiting.pop()] if j not in seen]
        seen.update(further)
        waiting += further
    return seen


def _require_invariant(step: Application, density: tuple[Fraction, ...], slopes: list[Fraction], images: list[tuple[int, int]]) -> None:
    gains = [Fraction(0)] * (len(density) + 1)
    for value, slope, (first, end) in zip(density, slopes, images, strict=True):
        gains[first] += value / slope
        gains[end] -= value / slope
    total = Fraction(0)
    for j, (value, gain) in enumerate(zip(density, gains, strict=False), 1):
        total += gain
        step.require_short(5, total)
        step.require(5, total == value, f"the density of interval {j} invariant", (value, "becomes", total))


def _merged(ends: Ends) -> tuple[tuple[Fraction, Fraction], ...]:
    starts = [low for (_, before), (low, _) in pairwise(ends) if before < low]
    stops = [before for (_, before), (low, _) in pairwise(ends) if before < low]
    return tuple(zip([ends[0][0], *starts], [*stops, ends[-1][1]], strict=True))
