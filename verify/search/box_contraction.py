"""Boxes that all stated inputs map into themselves, and norms in which the network contracts there: candidates for card D9.

Inputs enter through the biases: a network whose biases are intervals stands for all inputs in a range; one range holds an alphabet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from math import ceil
from time import monotonic

import numpy as np

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network, Operation
from proofs.theorems.blends import registers
from proofs.theorems.sectors import MAX_SIZE
from verify.numerics.batch import Floats
from verify.numerics.box_images import BoxNetwork
from verify.numerics.box_slopes import slopes_on
from verify.numerics.box_trees import Sides, candidate_boxes
from verify.numerics.form_rates import FormWitness, Rates, rounded_form
from verify.numerics.max_norms import perron_weights
from verify.numerics.sector_barrier import Quadratic, Shape
from verify.numerics.sectors import Sector, sector_of, slowest_slopes

_TURNS = 4000
_FINE = 2.0**-16  # of the width of a side: the grid of its ends
_SETTLED = 1e-4
_GRID = 2**24
_UP = 1e-9
_DIAGONAL_SHARE = 0.3
_LARGE, _LARGEST = 2.0**16, 2.0**40
_NEAR = Fraction(1, 100)


@dataclass(frozen=True)
class BoxNorm:
    """A norm in which differences shrink by ``rate`` a step on a box: a weighted max norm, or a form. **Guarantee:** heuristic."""

    rate: Fraction
    weights: tuple[Fraction, ...] = ()
    form: FormWitness | None = None


@dataclass(frozen=True)
class BoxNorms:
    """The norms found for one box, the best one first, and what is to be said of those that were not."""

    norms: tuple[BoxNorm, ...]
    reasons: tuple[str, ...]


def hull_of(networks: Sequence[Network]) -> Network:
    """Return the network whose biases are the least ranges that hold those of all; nothing else differs. **Guarantee:** exact."""
    programs = zip(*(network.program for network in networks), strict=True)
    return Network(networks[0].dimension, tuple(_hull(lines) for lines in programs)) if len(networks) > 1 else networks[0]


def invariant_boxes(network: Network, bits: int) -> Iterator[Sides]:
    """Yield boxes that the enclosed image of the network stays inside, each shrunk as far as images of images go.

    In turn: images of a large box, one with some room that every orbit with moderate entries enters, a cube, and boxes grown around
    simulated orbits; none that holds an earlier one, or nearly: it could only do worse. Their ends are short.
    **Guarantee:** exact, with ``bits`` bits (the kernel looks again).
    """
    seen: list[Sides] = []
    for sides in chain(_from_afar(network), candidate_boxes([network])):
        if not stays_inside(network, sides, bits):
            continue
        small = _shrunk(network, sides)
        kept = small if stays_inside(network, small, bits) else sides
        if not any(_holds(kept, other) for other in seen):
            seen.append(kept)
            yield kept


def stays_inside(network: Network, sides: Sides, bits: int) -> bool:
    """Say whether the kernel's enclosure of the image of a box lies in the box. **Guarantee:** exact."""
    spans = registers(network, column_of(sides), bits)[-1].entries()
    return all(low <= span.lo and span.hi <= high for (low, high), span in zip(sides, spans, strict=True))


def column_of(sides: Sides) -> Matrix:
    """Return a box as the column of intervals that the kernel makes of it."""
    return Matrix.intervals(Interval(low, high) for low, high in sides)


def norms_on(network: Network, sides: Sides, bits: int, seconds: float, below: float = np.inf) -> BoxNorms:
    """Search norms with the least rate on a box: the best weighted max norm, then quadratic forms, diagonal and full.

    Rates at or above 1 are told, too: their logarithms bound the exponents all the same. ``below``: no forms are looked for where slopes
    that the box allows show that none has such a rate. **Guarantee:** heuristic.
    **Cost:** about ``seconds``; a full form of an LSTM with 16 units takes some seconds.
    """
    found, reasons = list[BoxNorm](), list[str]()
    weighted = _by_weights(network, sides)
    found += [] if weighted is None else [weighted]
    sector = sector_of(network, slopes_on(network, column_of(sides), bits))
    width = 0 if sector is None else sum(sector.G.shape)
    if sector is None or not sector.largest < _LARGEST:
        reasons.append("quadratic forms: floats cannot hold its weights")
    elif width > MAX_SIZE:
        reasons.append(f"quadratic forms: {width} states and signals, they are for at most {MAX_SIZE}")
    else:
        floor = slowest_slopes(sector)[0]
        formed = _by_forms(sector, floor, seconds) if floor < below else None
        found += [] if formed is None else [formed]
        why = f"some slopes that the box allows give the Jacobian the spectral radius {floor:.6g}" if floor >= below else "no rate reached"
        reasons += [f"quadratic forms: {why}"] if formed is None else []
    return BoxNorms(tuple(sorted(found, key=lambda norm: norm.rate)), tuple(reasons))


def _from_afar(network: Network) -> Iterator[Sides]:
    """Yield the hull of two images of a large box, without room around: cells of an LSTM that hardly forget leave none.

    None where a side stays nearly as large: the blend of a GRU keeps every large cube, and that tells nothing.
    """
    maps, far = BoxNetwork(network, blended=True), np.full((1, network.dimension), _LARGE)
    first = maps.images(-far, far)
    second = maps.images(first.low, first.high)
    low, high = np.minimum(np.floor(first.low), np.floor(second.low))[0], np.maximum(np.ceil(first.high), np.ceil(second.high))[0]
    if np.all(np.abs(low) < _LARGE / 2) and np.all(np.abs(high) < _LARGE / 2):
        yield tuple((Fraction(a), Fraction(b)) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _holds(sides: Sides, other: Sides) -> bool:
    room = [_NEAR * (high - low) for low, high in sides]
    pairs = zip(sides, other, room, strict=True)
    return all(low <= inner_low + more and inner_high <= high + more for (low, high), (inner_low, inner_high), more in pairs)


def _hull(lines: Sequence[Operation]) -> Operation:
    biases = [line.bias for line in lines if line.bias is not None]
    if not biases or all(bias == biases[0] for bias in biases):
        return lines[0]
    rows = zip(*(bias.entries() for bias in biases), strict=True)
    return replace(lines[0], bias=Matrix.intervals(Interval(min(x.lo for x in row), max(x.hi for x in row)) for row in rows))


def _shrunk(network: Network, sides: Sides) -> Sides:
    """Take images of images, ends rounded outward to a grid, until little changes."""
    maps = BoxNetwork(network, blended=True)
    low, high = (np.array([float(ends[k]) for ends in sides]) for k in (0, 1))
    for _ in range(_TURNS):
        grid = 2.0 ** np.floor(np.log2(np.maximum(high - low, _FINE))) * _FINE  # finer grids hold the coarser ones: boxes stay nested
        image = maps.images(low[None], high[None])
        down = np.maximum(low, np.floor(image.low[0] / grid) * grid)
        up = np.minimum(high, np.ceil(image.high[0] / grid) * grid)
        gain = float(np.max((high - low - (up - down)) / np.maximum(high - low, _FINE), initial=0.0))
        low, high = down, np.maximum(up, down)
        if gain < _SETTLED:
            break
    return tuple((Fraction(a), Fraction(b)) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _by_weights(network: Network, sides: Sides) -> BoxNorm | None:
    """Return the best weighted max norm of the enclosed Jacobian, in floats that are a little too wide."""
    low, high = (np.array([float(ends[k]) for ends in sides])[None] for k in (0, 1))
    slopes = BoxNetwork(network).enclose(low, high)[1]
    bound: Floats = np.maximum(np.abs(slopes.low), np.abs(slopes.high))[0]
    if not np.all(bound < _LARGEST):
        return None
    weights = perron_weights(bound)
    column = np.array([float(weight) for weight in weights])
    rate = float(np.max(bound @ column / column)) * (1 + _UP) + _UP
    return BoxNorm(Fraction(ceil(rate * _GRID), _GRID), weights)


def _by_forms(sector: Sector, floor: float, seconds: float) -> BoxNorm | None:
    """Return the form with the least rate: a diagonal one first, from which the full one starts."""
    started, whole = monotonic(), sector.balanced()
    best: tuple[float, Quadratic | None] = (np.inf, None)
    shapes: tuple[tuple[Shape, float], ...] = (("diagonal", _DIAGONAL_SHARE), ("full", 1.0))
    for shape, share in shapes:
        rates = Rates(whole, shape, started + share * seconds, last=best[1])
        found = rates.least(floor) if best[1] is None else rates.least_below(best[0], best[1], floor)
        best = min(best, found, key=lambda pair: pair[0])
    if best[1] is None:
        return None
    form = rounded_form(whole, best[0], best[1])
    return BoxNorm(form.rate, form=form)
