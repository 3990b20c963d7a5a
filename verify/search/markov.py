"""Markov partitions of piecewise-linear maps of the line, from exact orbits of their knots. Candidates for card markov_exponent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, pairwise
from math import lcm, log

import numpy as np

from proofs.arithmetic import Matrix
from proofs.network import MAX_OPERATIONS, Network, Operation
from proofs.piecewise import PiecewiseLinear, TooManyPieces
from proofs.theorems.unfold import table_of
from verify.numerics.stationary import stationary_density

MAX_KNOTS = 20_000
MOST_ENDS = 512
MOST_BITS = 2048
_GROWTHS = 64
_MOST_TOLD = 3
Span = tuple[Fraction, Fraction]
Form = tuple[int, ...]


@dataclass(frozen=True)
class Factor:
    """The scalar map y -> v . G(y) of F(z) = G(v . z) as a network, and v; with one state F itself and v = (1). **Guarantee:** exact."""

    network: Network
    form: tuple[Fraction, ...]


@dataclass(frozen=True)
class MarkovClass:
    """Intervals that the map permutes like a Markov chain, one closed and transitive class; slopes and invariant density on each.

    **Guarantee:** exact (the kernel checks it all the same).
    """

    ends: tuple[Span, ...]
    slopes: tuple[Fraction, ...]
    density: tuple[Fraction, ...]

    @property
    def exponent(self) -> float:
        """Return the mean of log |slope|, in nats per step. **Guarantee:** heuristic (a float)."""
        masses = [d * (high - low) for d, (low, high) in zip(self.density, self.ends, strict=True)]
        return sum(float(mass / sum(masses)) * log(abs(slope)) for mass, slope in zip(masses, self.slopes, strict=True))


@dataclass(frozen=True)
class MarkovSearch:
    """The classes found, and one reason for each place at which none was. **Guarantee:** exact."""

    classes: tuple[MarkovClass, ...]
    reasons: tuple[str, ...]


def scalar_factor(network: Network) -> Factor | str:
    """Return the scalar map that decides everything, or why there is none.

    With several states the first operation must be affine, of rank one, and the only one that reads the state. **Guarantee:** exact.
    """
    if network.dimension == 1:
        return Factor(network, (Fraction(1),))
    first, *others = network.program
    if first.of != (0,) or first.bias is None or any(0 in operation.of for operation in others):
        return "markov: several states, and more than one affine operation reads them"
    matrix = first.matrices[0]
    lead = next((row for row in matrix.mid if any(row)), None)
    if not matrix.is_exact or lead is None:
        return "markov: the matrix that reads the state has radii, or is 0"
    place = next(j for j, value in enumerate(lead) if value)
    if any(row[j] * lead[place] != row[place] * lead[j] for row in matrix.mid for j in range(len(lead))):
        return "markov: several states, and the matrix that reads them has a rank above one"
    if len(network.program) >= MAX_OPERATIONS:
        return f"markov: {len(network.program)} operations, less than {MAX_OPERATIONS} are allowed"
    column = Matrix.column(Fraction(row[place], lead[place]) for row in matrix.mid)
    row = Matrix.exact([[Fraction(value, matrix.den) for value in lead]])
    last = Operation("affine", (len(network.program),), (row,), Matrix.column([Fraction(0)]))
    return Factor(Network(1, (replace(first, matrices=(column,)), *others, last)), tuple(Fraction(value, matrix.den) for value in lead))


def markov_classes(network: Network, max_knots: int = MAX_KNOTS) -> MarkovSearch:
    """Look for Markov partitions of an exact piecewise-linear network with one state.

    From each knot the least interval that holds it and is mapped into itself; the orbits of all knots in it, and of its ends, have to
    close up. **Guarantee:** exact. A map may be expanding without being Markov: then, and beyond the limits, there is a reason.
    """
    if not network.is_exact or not network.is_piecewise_linear:
        return MarkovSearch((), ("markov: for exact piecewise-linear networks only",))
    try:
        table = table_of(network, max_knots)
    except TooManyPieces:
        return MarkovSearch((), (f"markov: more than {max_knots} knots in all registers",))
    found: dict[tuple[Span, ...], MarkovClass] = {}
    hulls, reasons = _hulls(table)
    for hull in hulls:
        ends = _closed_up(table, hull)
        if isinstance(ends, str):
            reasons[ends] = None
            continue
        classes = _classes(table, ends)
        found |= {one.ends: one for one in classes}
        if not classes:
            reasons[f"no transitive class of intervals in [{_shown(hull[0])}, {_shown(hull[1])}] is free of constant pieces"] = None
    if not found and not reasons:
        reasons["every knot is a fixed point, so that none has an absorbing interval"] = None
    told = [f"markov: {reason}" for reason in reasons]
    more = [f"markov: {len(told) - _MOST_TOLD} more reasons"] if len(told) > _MOST_TOLD else []
    return MarkovSearch(tuple(found.values()), (*told[:_MOST_TOLD], *more))


def absorbing_facets(factor: Factor, size: int) -> list[tuple[Form, ...]]:
    """Return the facets of a polytope of R^size for each interval that the scalar map of an exact network sends into itself.

    The states whose form lies in the interval, and whose entries lie in the range of F there: F sends them into themselves.
    **Shapes:** forms of size + 1 integers, form >= 0. **Guarantee:** exact. Empty beyond the limits on knots and turns.
    """
    try:
        table = table_of(factor.network, MAX_KNOTS)
        entries = [table_of(one, MAX_KNOTS) for one in _entries(factor.network, size)] if size > 1 else []
    except TooManyPieces:
        return []
    regions = []
    for low, high in _hulls(table)[0]:
        rows = [(*factor.form, -low), (*(-value for value in factor.form), high)]
        for i, entry in enumerate(entries):
            unit = [Fraction(int(i == j)) for j in range(size)]
            down, up = _image(entry, low, high)
            rows += [(*unit, -down), (*(-value for value in unit), up)]
        scales = [lcm(*(value.denominator for value in row)) for row in rows]
        regions.append(tuple(tuple(int(value * scale) for value in row) for row, scale in zip(rows, scales, strict=True)))
    return regions


def _entries(network: Network, size: int) -> list[Network]:
    """Return the entries of G, of which the last operation of a factor takes the form, as scalar maps."""
    *others, last = network.program
    zero = Matrix.column([Fraction(0)])
    units = [Matrix.exact([[Fraction(int(i == j)) for j in range(size)]]) for i in range(size)]
    return [Network(1, (*others, Operation("affine", last.of, (unit,), zero))) for unit in units]


def _hulls(table: PiecewiseLinear) -> tuple[list[Span], dict[str, None]]:
    """Return the absorbing intervals around the knots, and the reasons why some have none."""
    found, reasons = dict[Span, None](), dict[str, None]()
    for knot in table.knots:
        if table(knot) == knot:
            continue  # the least interval that holds it is a point
        hull = _absorbing(table, knot)
        if hull is None:
            reasons[f"no interval around the knot {_shown(knot)} was seen to be mapped into itself"] = None
        else:
            found[hull] = None
    return list(found), reasons


def _absorbing(table: PiecewiseLinear, knot: Fraction) -> Span | None:
    """Return the least interval around a knot, and its images, that the map does not leave."""
    low = high = knot
    for _ in range(_GROWTHS):
        down, up = _image(table, low, high)
        if low <= down and up <= high:
            return (low, high) if low < high else None
        low, high = min(low, down), max(high, up)
        if max(_bits(low), _bits(high)) > MOST_BITS:
            return None
    return None


def _image(table: PiecewiseLinear, low: Fraction, high: Fraction) -> Span:
    inner = table.values[bisect_left(table.knots, low) : bisect_right(table.knots, high)]
    values = (table(low), table(high), *inner)
    return min(values), max(values)


def _closed_up(table: PiecewiseLinear, hull: Span) -> list[Fraction] | str:
    """Return the ends of the hull, the knots in it and all their images, in order; or why there are too many."""
    first, last = bisect_right(table.knots, hull[0]), bisect_left(table.knots, hull[1])
    known = dict.fromkeys((*hull, *table.knots[first:last]))
    for start in list(known):
        point, steps = start, 0
        while (point := table(point)) not in known:
            known[point] = None
            steps += 1
            if len(known) > MOST_ENDS or _bits(point) > MOST_BITS:
                limits = f"{len(known)} points, the last of {_bits(point)} bits"
                return f"the orbit of {_shown(start)} does not close up within {steps} steps ({limits}): not Markov as far as was seen"
    return sorted(known)


def _classes(table: PiecewiseLinear, ends: list[Fraction]) -> list[MarkovClass]:
    """Return the closed transitive classes of the intervals between neighbouring ends, those without constant pieces."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    place = {end: i for i, end in enumerate(ends)}
    pairs = [sorted((place[table(a)], place[table(b)])) for a, b in pairwise(ends)]
    images = [list(range(low, high)) for low, high in pairs]
    starts = np.repeat(np.arange(len(images)), [len(image) for image in images])
    shape = (len(images), len(images))
    arrows = csr_array((np.ones(len(starts)), (starts, np.fromiter(chain.from_iterable(images), np.int64, len(starts)))), shape=shape)
    labels = connected_components(arrows, connection="strong")[1]
    found = []
    for label in dict.fromkeys(labels.tolist()):
        chosen = np.flatnonzero(labels == label).tolist()
        number = {old: new for new, old in enumerate(chosen)}
        if all(images[i] and set(images[i]) <= number.keys() for i in chosen):
            one = _class(table, [(ends[i], ends[i + 1]) for i in chosen], [[number[j] for j in images[i]] for i in chosen])
            found += [] if one is None else [one]
    return found


def _class(table: PiecewiseLinear, spans: list[Span], images: list[list[int]]) -> MarkovClass | None:
    slopes = tuple((table(high) - table(low)) / (high - low) for low, high in spans)
    density = stationary_density(images, slopes)
    return None if density is None else MarkovClass(tuple(spans), slopes, density)


def _bits(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def _shown(number: Fraction) -> str:
    return str(number) if _bits(number) <= 40 else f"{float(number):.6g}"  # noqa: PLR2004 - what is read at a glance
