"""From a closed itinerary to its exact orbit, and from there to the numbers that cards A1 and A2 ask for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.theorems.orbits import distance, prime_factors
from verify.itineraries import rotated
from verify.numerics.balls import approximate_inverse, solve
from verify.rounding import exponent

if TYPE_CHECKING:
    from proofs.network import Network, Piece

    Point = tuple[Fraction, ...]

_LEAST_RADIUS_BITS = 30
_EXACT_BITS = 1500
_SPARE_BITS = 8


class PieceTable:
    """The exact affine pieces of a network, each computed once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._known: dict[str, Piece] = {}

    def along(self, itinerary: tuple[str, ...]) -> list[Piece]:
        """Return the pieces of an itinerary."""
        for pattern in itinerary:
            if pattern not in self._known:
                self._known[pattern] = self.network.piece(pattern)
        return [self._known[pattern] for pattern in itinerary]


@dataclass(frozen=True)
class Orbit:
    """The unique solution of a closed itinerary's linear system, whether or not its signs are the ones named.

    **Guarantee:** exact.
    """

    itinerary: tuple[str, ...]
    pieces: list[Piece]
    product: Matrix
    points: tuple[Point, ...]

    @cached_property
    def gates(self) -> list[list[Fraction]]:
        """Return the pre-activations at every point."""
        if not self.pieces[0].gates.mid:
            return []
        values = [piece.gates @ Matrix.column(point) + piece.gate_offsets for piece, point in zip(self.pieces, self.points, strict=True)]
        return [[value.middle(i) for i in range(len(value.mid))] for value in values]

    @property
    def is_real(self) -> bool:
        """Say whether every pre-activation has the named sign or is 0."""
        rows = zip(self.gates, self.itinerary, strict=False)
        return all(a >= 0 if letter == "1" else a <= 0 for row, word in rows for a, letter in zip(row, word, strict=True))

    @property
    def touches_border(self) -> bool:
        """Say whether some pre-activation is 0."""
        return any(a == 0 for row in self.gates for a in row)

    @property
    def margin(self) -> Fraction | None:
        """Return the least absolute pre-activation; None without hinges."""
        return min((abs(a) for row in self.gates for a in row), default=None)

    @property
    def least_period(self) -> int:
        """Return the least d dividing the length with point 1 + d equal to point 1."""
        length = len(self.points)
        return next(d for d in range(1, length + 1) if length % d == 0 and self.points[d % length] == self.points[0])


def closed_orbit(table: PieceTable, itinerary: tuple[str, ...]) -> Orbit:
    """Solve (I - J_k..J_1) z = q exactly. **Raises:** SingularError where the matrix is singular."""
    size = table.network.dimension
    pieces = table.along(itinerary)
    product, offset = Matrix.identity(size), Matrix.column([Fraction(0)] * size)
    for piece in pieces:
        product, offset = piece.jacobian @ product, piece.image(offset)
    state = solve(Matrix.identity(size) - product, offset)
    points = []
    for piece in pieces:
        points.append(tuple(state.middle(i) for i in range(size)))
        state = piece.image(state)
    return Orbit(itinerary, pieces, product, tuple(points))


def orbit_key(orbit: Orbit) -> object:
    """Return what tells closed orbits apart: the least rotation of the itinerary or, where a border is met, the points."""
    return frozenset(orbit.points) if orbit.touches_border else rotated(orbit.itinerary[: orbit.least_period])


def enclosure_witness(orbit: Orbit, *, exact: bool) -> dict[str, object]:
    """Return the numbers of card A2, first form, as exact values: points, radius, inverse (Matrix) and bits (or None).

    The points are rounded so finely that the card's error recursion, estimated by norms, stays below the radius.
    **Guarantee:** heuristic (the kernel checks them). **Raises:** SingularError.
    """
    size = len(orbit.points[0])
    inverse = approximate_inverse(Matrix.identity(size) - orbit.product)
    room = _room(orbit)
    limit = _power_of_two(min(room) / 4)
    radius = min(limit, Fraction(1, 1 << _LEAST_RADIUS_BITS)) if exact else _power_of_two(max(room))
    norms = [piece.jacobian.norm() for piece in orbit.pieces]
    growth = reach = Fraction(1)
    for norm in norms[:-1]:
        growth *= norm
        reach = max(reach, growth, Fraction(1))
    error = 4 * reach * (inverse.norm() * (1 + orbit.product.norm()) + len(norms) * (1 + max(norms)))
    bits = max(_SPARE_BITS, exponent(error / min(radius, limit)) + _SPARE_BITS)
    points = tuple(tuple(_rounded(x, bits) for x in point) for point in orbit.points)
    working = bits + max(0, exponent(orbit.product.norm())) + 32 if orbit.product.den.bit_length() > _EXACT_BITS or not exact else None
    return {"points": points, "radius": radius, "inverse": inverse, "bits": working}


def block_matrix(jacobians: list[Matrix]) -> Matrix:
    """Return B with (B z)_(t+1) = z_(t+1) - J_t z_t, blocks in order of time."""
    size, length = len(jacobians[0].mid), len(jacobians)
    rows = [[Fraction(int(i == j)) for j in range(size * length)] for i in range(size * length)]
    for t, jacobian in enumerate(jacobians):
        after = (t + 1) % length
        for i in range(size):
            for j in range(size):
                rows[after * size + i][t * size + j] -= jacobian.middle(i, j)
    return Matrix.exact(rows)


def _room(orbit: Orbit) -> list[Fraction]:
    """Return, for each time, how far the point may be off before a sign or the least period could be lost."""
    length = len(orbit.points)
    apart = min((distance(orbit.points[0], orbit.points[length // p]) / 2 for p in prime_factors(length)), default=Fraction(1))
    room: list[Fraction] = []
    for piece, row in zip(orbit.pieces, orbit.gates or [[]] * length, strict=True):
        norms = [sum((abs(piece.gates.middle(i, j)) for j in range(piece.gates.shape[1])), Fraction(0)) for i in range(len(row))]
        room.append(min((abs(a) / norm for a, norm in zip(row, norms, strict=True) if norm), default=Fraction(1)))
    return [min(r, apart) for r in room]


def _rounded(value: Fraction, bits: int) -> Fraction:
    return Fraction(round(value * (1 << bits)), 1 << bits)


def _power_of_two(value: Fraction) -> Fraction:
    """Return a power of two between a quarter of ``value`` and ``value``."""
    return Fraction(2) ** (exponent(value) - 1)
