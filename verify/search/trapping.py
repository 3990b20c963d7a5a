"""Compact sets that a network may map into itself: polytopes around simulated orbits, boxes, ellipsoids. Candidates for card C2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from math import ceil, floor
from operator import mul
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network
from proofs.theorems.elimination import dependency
from proofs.theorems.lifted import lifted, live_hinges
from verify.numerics.batch import FloatNetwork, floats_of
from verify.numerics.hulls import FloatPiece, Grown, closed_hull, float_piece, grown_hull, simpler, stays_inside
from verify.numerics.linear_systems import Form, homogeneous, primitive
from verify.numerics.sectors import sector_of
from verify.numerics.templates import grown_template, template

Floats = NDArray[np.float64]
STEPS = (0.01, 0.002, 0.05, 0.0005)  # how far images are pushed out, relative to the attractor
FINENESS = (8, 14, 20, 32, 48)  # bits of the facets' coefficients, tried in this order
BOX_BITS = 64
MOST_HULL_STATES = 3
_CORNERS = 24  # a set without room around it is looked for only if it has few vertices
_DENOMINATORS = (16, 256, 4096)
_TEMPLATES = (0, 40, 80)  # normals besides the plain ones
_MOST_ORBITS = 3
_ORBITS, _SETTLE, _FOLLOW = 16, 600, 1500
_MOST_NUMBERS = 10**7
_FAR = 1e6
_WIDER = 2.0  # what leaving out facets may do to the reach
_ALL_LETTERS = 6  # so many hinges and fewer: every pattern is looked at
_TURNS = 60


@dataclass(frozen=True)
class Ellipsoid:
    """A candidate for the ellipsoid (z - center)' form (z - center) <= 1 of card C2. **Guarantee:** heuristic."""

    center: tuple[Fraction, ...]
    form: Matrix
    multipliers: tuple[Fraction, ...]
    decay: Fraction


def simulated_orbits(network: Network, seed: int = 1) -> Floats | None:
    """Return orbits that stayed bounded, after they have settled; None if none did. **Shapes:** (times, orbits, M).

    **Guarantee:** heuristic.
    """
    simulated = FloatNetwork(network)
    states = np.random.default_rng(seed).uniform(-1.0, 1.0, (_ORBITS, network.dimension))
    states[0] = 0.0
    visited = np.empty((max(_ORBITS, min(_FOLLOW, _MOST_NUMBERS // states.size)), *states.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        for turn in range(_SETTLE + len(visited)):
            states = simulated.step(states)
            visited[max(0, turn - _SETTLE)] = states
    alive = np.all(np.abs(visited) < _FAR, axis=(0, 2))
    return visited[:, alive] if np.any(alive) else None


def polytopes(network: Network, orbits: Floats, around: Floats, deadline: float) -> Iterator[list[Form]]:
    """Yield facets of polytopes that floats see mapped into themselves, with short coefficients first.

    Exact piecewise-linear networks: around all orbits, then around single ones, first together with the points ``around`` and then without
    them; hulls with 2 and 3 states, and templates. **Guarantee:** heuristic.
    """
    single = [orbits[:, i] for i in range(min(_MOST_ORBITS, orbits.shape[1]))]
    chosen = [orbits.reshape(-1, orbits.shape[2]), *single]
    if len(around):
        chosen = [np.vstack([points, around]) for points in chosen[:2]] + chosen
    for points in chosen:
        pieces = float_pieces(network, points)
        if 1 < network.dimension <= MOST_HULL_STATES:
            yield from _by_hull(pieces, points, deadline)
        yield from _by_template(network, pieces, points, deadline)
        if monotonic() > deadline:
            return


def float_pieces(network: Network, points: Floats) -> list[FloatPiece]:
    """Return the affine pieces of all letters, or, where there are many, of those met near the points."""
    live = live_hinges(network)
    if len(live) <= _ALL_LETTERS:
        letters = {"".join(bits) for bits in product("01", repeat=len(live))}
    else:
        random = np.random.default_rng(2)
        chosen = points[random.integers(0, len(points), (20_000, 3))]
        near = np.einsum("nk,nkm->nm", random.dirichlet(np.ones(3), len(chosen)) * 1.4 - 0.4 / 3, chosen)
        patterns = FloatNetwork(network).patterns(np.vstack([points, near]))[:, list(live)]
        letters = {"".join("01"[int(bit)] for bit in row) for row in np.unique(patterns, axis=0)}
    return [float_piece(network, bits, live) for bits in sorted(letters)]


def box(network: Network, orbits: Floats | None) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]] | None:
    """Return a box whose enclosed image lies inside it, weight intervals included; None where none was found.

    From the box around the orbits upwards, then from a large one downwards. **Guarantee:** exact, with ``BOX_BITS`` bits.
    """
    if orbits is not None:
        low, high = orbits.min(axis=(0, 1)), orbits.max(axis=(0, 1))
        room = 0.05 * max(float((high - low).max()), 1e-3)
        found = _upwards(network, [_outward(a - room, b + room) for a, b in zip(low.tolist(), high.tolist(), strict=True)])
        if found is not None:
            return _ends(found)
    large = [Interval(Fraction(-(2**20)), Fraction(2**20))] * network.dimension
    if not _is_inside(network, large):
        return None
    for _ in range(_TURNS):
        smaller = [_outward(float(one.lo), float(one.hi)) for one in network.image(Matrix.intervals(large), BOX_BITS).entries()]
        if not _is_inside(network, smaller):
            break
        large = smaller
    return _ends(large)


def ellipsoid(network: Network, form: Matrix, multipliers: Sequence[Fraction], rate: Fraction) -> Ellipsoid | None:
    """Return a large enough ellipsoid, around a fixed point, from a form in which differences of orbits shrink by a rate below 1 (card C1).

    **Guarantee:** heuristic. None for products of registers, and for sigmoid units.
    """
    sector = sector_of(network)
    if sector is None or np.any(sector.limits != 1.0):
        return None
    simulated, size = FloatNetwork(network), network.dimension
    state = np.zeros((1, size))
    for _ in range(_SETTLE):
        state = simulated.step(state)
    center = [Fraction(round(value * 2**20), 2**20) for value in state[0].tolist()]
    image, inputs = _constants(network, np.array([float(value) for value in center]))
    Q, L = floats_of(form), np.array([float(value) for value in multipliers])
    decay = (1 + float(rate) ** 2) / 2
    linear = sector.matrix(decay**0.5, Q, L)
    mixed = -sector.ahead.T @ Q @ image
    mixed[size:] -= L * inputs
    needed = float(image @ Q @ image) + float(mixed @ np.linalg.lstsq(linear, mixed, rcond=None)[0])
    if not 0 <= needed < _FAR / (1 - decay):
        return None
    level = Fraction(max(1.0, ceil(4 * needed / (1 - decay))))
    tau = Fraction(ceil(decay * 2**20), 2**20)
    return Ellipsoid(tuple(center), form.times(1 / level), tuple(value / level for value in multipliers), tau)


def _by_hull(pieces: Sequence[FloatPiece], points: Floats, deadline: float) -> Iterator[list[Form]]:
    size = _size(points)
    grid = size * min(STEPS)
    rounded = np.unique(np.round(points / grid), axis=0) * grid
    for step in STEPS:
        grown = grown_hull(pieces, rounded, step * size, deadline)
        if grown is not None:
            facets = simpler(grown.facets, partial(_holds, pieces, grown))
            for bits in FINENESS:
                yield _rounded(facets, bits)
    corners = closed_hull(pieces, points, size * 1e-6, deadline)
    if corners is not None and len(corners) <= _CORNERS:
        for most in _DENOMINATORS:
            yield _through([tuple(Fraction(float(x)).limit_denominator(most) for x in corner) for corner in corners])


def _by_template(network: Network, pieces: Sequence[FloatPiece], points: Floats, deadline: float) -> Iterator[list[Form]]:
    seeds = _normals(network)
    visited = _visited(network, pieces, points)
    for more in _TEMPLATES:
        normals = template(visited if more else [], seeds, len(seeds) + more)
        for step in STEPS[:-1]:
            facets = grown_template(pieces, normals, points, step * _size(points), deadline)
            if facets is not None:
                for bits in FINENESS[1:]:
                    yield _rounded(facets, bits)


def _normals(network: Network) -> Floats:
    """Return the plain normals: coordinates first, then the directions in which the units write."""
    unit = np.eye(network.dimension)
    writing = np.linalg.pinv(floats_of(lifted(network, "0" * network.hinges).source))
    total = writing.sum(axis=0)[None, :]
    return np.vstack([unit, -unit, writing, -writing, total, -total])


def _visited(network: Network, pieces: Sequence[FloatPiece], points: Floats) -> list[FloatPiece]:
    """Return the pieces that the points meet, the most frequent ones first."""
    patterns = FloatNetwork(network).patterns(points)[:, list(live_hinges(network))]
    found, counts = np.unique(patterns, axis=0, return_counts=True)
    names = ["".join("01"[int(bit)] for bit in row) for row in found[np.argsort(-counts, kind="stable")]]
    known = {piece.bits: piece for piece in pieces}
    return [known[name] for name in names if name in known]


def _size(points: Floats) -> float:
    return max(float(np.ptp(points, axis=0).max()), 1e-3 * float(np.abs(points).max()), 1e-9)


def _holds(pieces: Sequence[FloatPiece], grown: Grown, facets: Floats) -> bool:
    return stays_inside(pieces, facets, grown.slack / 4, _WIDER * float(np.abs(grown.corners).max()))


def _rounded(facets: Floats, bits: int) -> list[Form]:
    """Return integer forms near the facets, each moved out by what rounding may take."""
    forms = []
    for row in facets / np.abs(facets[:, :-1]).max(axis=1)[:, None]:
        *slopes, constant = (Fraction(float(value)) for value in row)
        form = [round(value * 2**bits) for value in slopes]
        forms.append((*form, -((-constant * 2**bits).__floor__())))
    return forms


def _through(corners: Sequence[tuple[Fraction, ...]]) -> list[Form]:
    """Return the facets of the hull of a few exact points: the hyperplanes through M of them that leave no other behind."""
    size = len(corners[0])
    points = [homogeneous(corner) for corner in corners]
    found: dict[Form, None] = {}
    for chosen in combinations(points, size):
        columns = [list(values) for values in zip(*chosen, strict=True)]
        form = dependency(columns)
        if form is None:
            continue
        sides = {(value > 0) - (value < 0) for value in (sum(map(mul, form, point)) for point in points)}
        if sides <= {0, 1}:
            found[primitive(form)] = None
        elif sides <= {0, -1}:
            found[primitive([-value for value in form])] = None
    return list(found)


def _constants(network: Network, center: Floats) -> tuple[Floats, Floats]:
    """Return what F - center and the inputs of the units are at the centre if all units put out 0."""
    registers, inputs = [center], [np.empty(0)]
    for operation in FloatNetwork(network).program:
        arguments = [registers[i] for i in operation.of]
        if operation.matrices:
            terms = [matrix @ argument for matrix, argument in zip(operation.matrices, arguments, strict=True)]
            registers.append(np.sum([*terms, operation.bias], axis=0))
        elif operation.name == "add":
            registers.append(arguments[0] + arguments[1])
        else:
            inputs.append(arguments[0])
            registers.append(np.zeros_like(arguments[0]))
    return registers[-1] - center, np.concatenate(inputs)


def _upwards(network: Network, box: list[Interval]) -> list[Interval] | None:
    """Widen the box by what leaves it, and a little more, until nothing does."""
    widest = 1000 * max(one.magnitude + 1 for one in box)
    for _ in range(_TURNS):
        images = network.image(Matrix.intervals(box), BOX_BITS).entries()
        if all(one.lo <= image.lo and image.hi <= one.hi for one, image in zip(box, images, strict=True)):
            return box
        if max(image.magnitude for image in images) > widest:
            return None
        box = [_joined(one, image) for one, image in zip(box, images, strict=True)]
    return None


def _joined(one: Interval, image: Interval) -> Interval:
    low, high = float(min(one.lo, image.lo)), float(max(one.hi, image.hi))
    room = (high - low) / 50
    return _outward(low - room * (image.lo < one.lo), high + room * (image.hi > one.hi))


def _is_inside(network: Network, box: list[Interval]) -> bool:
    images = network.image(Matrix.intervals(box), BOX_BITS).entries()
    return all(one.lo <= image.lo and image.hi <= one.hi for one, image in zip(box, images, strict=True))


def _outward(low: float, high: float) -> Interval:
    """Return a short dyadic interval around [low, high], wider by a thousandth or so."""
    scale = Fraction(2) ** (12 - int(np.frexp(max(high - low, 2.0**-40))[1]))
    return Interval(Fraction(floor(Fraction(low) * scale)) / scale, Fraction(ceil(Fraction(high) * scale)) / scale)


def _ends(box: Sequence[Interval]) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    return tuple(one.lo for one in box), tuple(one.hi for one in box)
