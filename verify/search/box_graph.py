"""A box cut into small ones, the graph of what may follow what on them, and forms on it that bound the exponents of every orbit.

For cards cycle_mean (one map) and driven_graph (one map a symbol, and a graph of the inputs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from math import ceil, exp, floor, frexp, inf, log, log2
from time import monotonic

import numpy as np

from proofs.arithmetic import Matrix
from verify.numerics.batch import Floats
from verify.numerics.box_forms import BoxGraph
from verify.numerics.box_trees import BITS, BoxTree, Cell
from verify.numerics.cone_forms import FormGraph, growing, shrinking
from verify.numerics.cycle_means import least_mean

MOST_LEAVES = 2**14
MOST_EDGES = 2**16
FEW_LEAVES = 16  # until there are so many all are cut
MOST_UNKNOWNS = 6_000
MOST_ENTRIES = 2 * 10**6
RATE_BITS = 40
FORM_BITS = 40
BACK_OFF = 1e-9  # of a rate, for what floats have rounded
LEAST_SLOPE = 2.0**-40
_SPARE = 64
_DISTANCES = tuple(0.002 * 2.0**k for k in range(12))  # from what orbits show, in logarithms
_LOOK_AHEAD = 8
_LATER = 4  # so many times more leaves before a bound that was not found is tried again


@dataclass(frozen=True)
class Forms:
    """A rate, a symmetric dyadic matrix for each (node of the inputs, leaf), and a working precision. **Guarantee:** heuristic."""

    rate: Fraction
    forms: tuple[Matrix, ...]
    bits: int

    def moved(self, factor: float) -> Forms:
        """Return the same forms with another rate."""
        return Forms(_short(float(self.rate) * factor), self.forms, self.bits)


@dataclass(frozen=True)
class Bound:
    """What forms on one graph show from one side: the forms (None: nothing) and the leaves on which the rate depends."""

    forms: Forms | None
    critical: tuple[int, ...]


@dataclass(frozen=True)
class Refinement:
    """The best found: the tree's cuts with the bounds on them, and one row (leaves, edges, log lower, log upper) for each size tried."""

    cuts: tuple[tuple[int, Fraction] | None, ...]
    lower: Forms | None
    upper: Forms | None
    table: tuple[tuple[int, int, float | None, float | None], ...]


def refine(tree: BoxTree, deadline: float, tolerance: float = 1e-4, most_leaves: int = MOST_LEAVES) -> Refinement:
    """Cut the boxes on which the bounds depend until both bounds settle, or the limits or the time end it.

    The two bounds need one tree; the last one that is affordable is kept. **Guarantee:** heuristic.
    """
    table: list[tuple[int, int, float | None, float | None]] = []
    kept: Refinement | None = None
    sides = (_Side(upper=False), _Side(upper=True))
    while True:
        leaves = tree.leaves()
        graph = tree.graph(leaves)
        if kept is not None and not _is_affordable(graph):
            return kept
        start = monotonic()
        lower = sides[0].bound(graph, len(leaves), start + (deadline - start) / 2)
        upper = sides[1].bound(graph, len(leaves), deadline)
        logs = [None if bound.forms is None else log(bound.forms.rate) for bound in (lower, upper)]
        table.append((len(leaves), len(graph.starts), logs[0], logs[1]))
        gap = inf if logs[0] is None or logs[1] is None else logs[1] - logs[0]
        if kept is None or not _is_worse(kept, lower.forms, upper.forms):
            kept = Refinement(tuple(tree.cuts()), lower.forms, upper.forms, tuple(table))
        chosen = _chosen(tree, leaves, (lower, upper), tolerance)[: max(0, most_leaves - len(leaves))]
        if not chosen or gap < tolerance or monotonic() > deadline:
            return kept
        tree.split([leaves[place] for place in chosen])


def _chosen(tree: BoxTree, leaves: Sequence[Cell], sides: tuple[Bound, Bound], tolerance: float) -> list[int]:
    """Return the leaves to cut: those that decide a bound, both sides in turn; all where there are few."""
    if len(leaves) < FEW_LEAVES:
        return list(range(len(leaves)))
    turns = zip_longest(*(bound.critical for bound in sides))
    places = dict.fromkeys(place for pair in turns for place in pair if place is not None)
    return [place for place in places if _is_wide(tree, leaves[place], tolerance)]


@dataclass
class _Side:
    """The search from one side, with what graphs before have taught: where to look first, and whether to look at all."""

    upper: bool
    first: int = 0
    wanted: int = 1

    def bound(self, graph: BoxGraph, leaves: int, deadline: float) -> Bound:
        """Return the bound that one graph gives."""
        if graph.size == 1:
            return _by_cycles(graph, leaves, upper=self.upper)
        if leaves < self.wanted:
            return Bound(None, _widest(graph, leaves))
        found, place = _by_programs(graph, leaves, deadline, self.first, upper=self.upper)
        self.first = max(0, place - 2)
        self.wanted = 0 if found.forms is not None else _LATER * leaves
        return found


def _by_cycles(graph: BoxGraph, leaves: int, *, upper: bool) -> Bound:
    """With one state: the least (greatest) cycle mean of log |slope|, and potentials a little away from it as forms."""
    least, most = graph.slopes()
    slopes = np.maximum(most, LEAST_SLOPE) if upper else least
    if slopes.min() <= 0.0:
        return Bound(None, tuple(np.unique(graph.starts[slopes <= 0.0] % leaves).tolist()))
    weights = -np.log(slopes) if upper else np.log(slopes)
    found = least_mean(graph.nodes, graph.starts, graph.ends, weights)
    if found is None:
        return Bound(None, ())
    critical = tuple(np.unique(graph.starts[list(found.cycle)] % leaves).tolist())
    potentials = -found.potentials if upper else found.potentials
    return Bound(_certified(graph, [_power(2 * value) for value in potentials.tolist()], upper=upper), critical)


def _by_programs(graph: BoxGraph, leaves: int, deadline: float, first: int, *, upper: bool) -> tuple[Bound, int]:
    """Solve for forms at rates away from what orbits show until they no longer prove more; the Jacobians' radii count afterwards.

    Return the bound and at which distance it was found; ``first``: the distance to begin with.
    """
    solver: Callable[[FormGraph, float, float], tuple[float, Floats] | None] = shrinking if upper else growing
    program = _program(graph)
    rates = _loop_rates(graph)
    limit = max(float(rates.max() if upper else rates.min()) if len(rates) else 1.0, LEAST_SLOPE)
    best: Forms | None = None
    place = 0
    for number, distance in list(enumerate(_DISTANCES))[first:]:
        rate = limit * exp(distance if upper else -distance)
        if monotonic() > deadline:
            break
        found = solver(program, rate, deadline - monotonic())
        forms = None if found is None else [_rounded(form) for form in found[1]]
        proved = None if forms is None else _certified(graph, forms, upper=upper, near=rate)
        if proved is None:
            continue
        if best is not None and (proved.rate >= best.rate) == upper:
            break
        best, place = proved, number
    if best is None:
        return Bound(None, _widest(graph, leaves)), 0
    return Bound(best, _decisive(graph, leaves, best, upper=upper)), place


def _widest(graph: BoxGraph, leaves: int) -> tuple[int, ...]:
    """Return the half of the leaves with the widest Jacobians."""
    spread = graph.rads.reshape(-1, leaves, graph.size**2).sum(axis=(0, 2))
    return tuple(np.argsort(-spread, kind="stable")[: (leaves + 1) // 2].tolist())


def _certified(graph: BoxGraph, forms: Sequence[Matrix], *, upper: bool, near: float = 1.0) -> Forms | None:
    """Return the forms with the best rate that they prove, less a little for rounding."""
    if graph.size == 1:
        least, most = graph.slopes()
        logs = np.array([log(form.mid[0][0]) - log(form.den) for form in forms])
        rates: Floats | None = (most if upper else least) * np.exp((logs[graph.ends] - logs[graph.starts]) / 2)
    else:
        table = _floats(forms)
        rates = graph.upper_rates(table) if upper else graph.lower_rates(table, near)
    if rates is None or not np.all(np.isfinite(rates) if upper else rates > 0.0):
        return None
    rate = float(rates.max()) * (1 + BACK_OFF) if upper else float(rates.min()) * (1 - BACK_OFF)
    return Forms(_short(max(rate, LEAST_SLOPE)), tuple(forms), _bits(forms, rate))


def _decisive(graph: BoxGraph, leaves: int, found: Forms, *, upper: bool) -> tuple[int, ...]:
    """Return the leaves of the edges that hold the rate back most, at most a third of all."""
    table, rate = _floats(found.forms), float(found.rate)
    rates = graph.upper_rates(table) if upper else graph.lower_rates(table, rate * (1 - BACK_OFF))
    if rates is None:
        return ()
    order = np.argsort(-rates if upper else rates, kind="stable")
    chosen = dict.fromkeys((graph.starts[order] % leaves).tolist())
    return tuple(chosen)[: (leaves + 2) // 3]


def _program(graph: BoxGraph) -> FormGraph:
    edges = list(zip(graph.starts.tolist(), graph.ends.tolist(), graph.letters.tolist(), strict=True))
    first, after = dict[int, tuple[int, int]](), np.random.default_rng(0).permutation(len(edges)).tolist()
    for e in after:
        first[edges[e][0]] = edges[e][1], edges[e][2]
    directions = []
    for node in range(graph.nodes):
        product, at = np.eye(graph.size), node
        for _ in range(_LOOK_AHEAD if at in first else 0):
            at, letter = first[at]
            product = graph.mids[letter] @ product
            product /= max(float(np.abs(product).max()), LEAST_SLOPE)
            if at not in first:
                break
        directions.append(np.linalg.svd(product)[2][0])
    return FormGraph(graph.nodes, edges, graph.mids, np.array(directions), np.ones(graph.nodes))


def _loop_rates(graph: BoxGraph) -> Floats:
    """Return the spectral radii of the middle Jacobians on loops: no bound lies beyond those that belong to fixed points."""
    loops = np.unique(graph.letters[graph.starts == graph.ends])
    return np.abs(np.linalg.eigvals(graph.mids[loops])).max(axis=1) if len(loops) else np.empty(0)


def _is_affordable(graph: BoxGraph) -> bool:
    if graph.size == 1:
        return len(graph.starts) <= MOST_EDGES
    entries = graph.size * (graph.size + 1) // 2
    return graph.nodes * entries <= MOST_UNKNOWNS and len(graph.starts) * entries**2 <= MOST_ENTRIES


def _is_worse(kept: Refinement, lower: Forms | None, upper: Forms | None) -> bool:
    """Say whether a finer tree shows less: it does where the time was over before all forms were found."""
    lost = (kept.lower is not None and lower is None) or (kept.upper is not None and upper is None)
    gains = (0.0 if one is None or two is None else log(two.rate / one.rate) for one, two in ((kept.lower, lower), (upper, kept.upper)))
    return lost or sum(gains) < 0.0


def _is_wide(tree: BoxTree, cell: Cell, tolerance: float) -> bool:
    """Say whether cutting a cell can still change a bound: its Jacobians vary, or its sides are long."""
    sides = zip(cell.sides, tree.sides, strict=True)
    longest = max((float((high - low) / (up - down)) for (low, high), (down, up) in sides if down < up), default=0.0)
    return longest > tolerance**2 and (cell.spread > tolerance * LEAST_SLOPE or longest > tolerance)


def _rounded(form: Floats) -> Matrix:
    """Return a dyadic form of ``FORM_BITS`` bits below its greatest entry."""
    scale = Fraction(2) ** (FORM_BITS - frexp(float(np.abs(form).max(initial=0.0)) or 1.0)[1])
    rows = range(len(form))
    return Matrix.exact([[Fraction(floor(float(form[max(i, j), min(i, j)]) * scale)) / scale for j in rows] for i in rows])


def _power(logarithm: float) -> Matrix:
    """Return a short dyadic near exp(logarithm) as a form; it may be far beyond the floats."""
    whole = floor(logarithm / log(2))
    mantissa = Fraction(round(2 ** (logarithm / log(2) - whole) * 2**FORM_BITS), 2**FORM_BITS)
    return Matrix.exact([[mantissa * Fraction(2) ** whole]])


def _floats(forms: Sequence[Matrix]) -> Floats:
    size = len(forms[0].mid)
    return np.array([float(form.middle(i, j)) for form in forms for i, j in np.ndindex(size, size)]).reshape(-1, size, size)


def _bits(forms: Sequence[Matrix], rate: float) -> int:
    """Return bits enough for eliminations on the smallest of the forms."""
    least = min(max(abs(value) for row in form.mid for value in row) / Fraction(form.den) for form in forms)
    return BITS + _SPARE + max(0, least.denominator.bit_length() - least.numerator.bit_length()) + 2 * max(0, ceil(-log2(rate)))


def _short(value: float) -> Fraction:
    scale = Fraction(2) ** (RATE_BITS - frexp(value)[1])
    return Fraction(round(Fraction(value) * scale)) / scale
