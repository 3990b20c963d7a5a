"""What the cards about a path ask for: approximate inverses, bordering vectors and cells, made at the middle of a range."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Matrix
from proofs.grammar import write_number
from verify.certification.covers import HOPELESS, Cell
from verify.certification.draft import spelled, spelled_rows
from verify.certification.orbits import Orbit, PieceTable, block_matrix, closed_orbit, enclosure_witness
from verify.certification.pair_steps import pair_witness
from verify.numerics.balls import SingularError, approximate_inverse, solve
from verify.numerics.batch import floats_of
from verify.numerics.lyapunov_forms import cyclic_forms
from verify.rounding import exponent

if TYPE_CHECKING:
    from verify.events import Event, Word
    from verify.paths import Path

_BITS = 160
_INVERSE_BITS = 64
_VECTOR_BITS = 20
_SIMPLE = 0.125  # cosine of the angle between null vectors, from which a multiplier counts as simple
_MOST_TABLES = 64
_MOST_EXACT, _MOST_EXACT_BITS = 7, 1_200
NOT_REAL = f"{HOPELESS}the cycle does not exist in the middle of this range"
SINGULAR = f"{HOPELESS}I - P is singular in this range"
NO_FORMS = "no quadratic forms: a multiplier is too close to the unit circle"


@dataclass
class Family:
    """The exact networks of a path, each with its affine pieces, made once."""

    path: Path
    _tables: dict[Fraction, PieceTable] = field(default_factory=dict)
    _orbits: dict[tuple[Word, Fraction], Orbit] = field(default_factory=dict)

    def table(self, mu: Fraction) -> PieceTable:
        """Return the pieces of the network at mu."""
        if mu not in self._tables:
            if len(self._tables) >= _MOST_TABLES:
                self._tables.clear()
            self._tables[mu] = PieceTable(self.path.at(mu))
        return self._tables[mu]

    def orbit(self, word: Word, mu: Fraction) -> Orbit:
        """Return the closed orbit of an itinerary at mu, real or virtual. **Raises:** SingularError."""
        if (word, mu) not in self._orbits:
            if len(self._orbits) >= _MOST_TABLES:
                self._orbits.clear()
            self._orbits[word, mu] = closed_orbit(self.table(mu), word)
        return self._orbits[word, mu]

    def product(self, word: Word, mu: Fraction) -> Matrix:
        """Return J_k..J_1 along an itinerary at mu."""
        result = Matrix.identity(self.path.start.dimension)
        for piece in self.table(mu).along(word):
            result = piece.jacobian @ result
        return result


def exists_cell(family: Family, word: Word, low: Fraction, high: Fraction, *, stability: bool, block: bool = False) -> Cell | str:
    """Return a cell of card ``exists_on`` from the orbit at the middle of a range, or the reason why there is none.

    ``block``: with an inverse for all points at once, which bears longer cells on long cycles.

    **Guarantee:** heuristic (the kernel checks it).
    """
    try:
        orbit = family.orbit(word, (low + high) / 2)
        if not orbit.is_real or orbit.touches_border:
            return NOT_REAL
        found = enclosure_witness(orbit, exact=False)
    except SingularError:
        return SINGULAR
    points, inverse, bits = (found[name] for name in ("points", "inverse", "bits"))
    if not isinstance(points, tuple) or not isinstance(inverse, Matrix) or not isinstance(bits, int):
        raise TypeError(found)
    radius = Fraction(2) ** (2 + max(0, exponent(max(abs(x) for point in points for x in point))))  # any that holds the error bounds
    cell: Cell = {"itinerary": list(word), "points": [spelled(point) for point in points], "radius": write_number(radius)}
    cell |= {"bits": max(bits, _BITS)}
    if block:
        cell |= {"inverse_block": spelled_rows(approximate_inverse(block_matrix([piece.jacobian for piece in orbit.pieces])))}
    else:
        cell |= {"inverse": spelled_rows(inverse)}
    if not stability:
        return cell
    forms = cyclic_forms([piece.jacobian for piece in orbit.pieces], 1.0)
    return NO_FORMS if forms is None else cell | {"forms": [spelled_rows(form) for form in forms]}


def absent_cell(family: Family, word: Word, low: Fraction, high: Fraction) -> Cell | str:
    """Return a cell of card ``absent_on``: the sign that the itinerary's own solution misses most, at both ends and in the middle."""
    try:
        middle = family.orbit(word, (low + high) / 2)
        inverse = approximate_inverse(Matrix.identity(len(middle.product.mid)) - middle.product)
    except SingularError:
        return SINGULAR
    try:
        orbits = [family.orbit(word, low), middle, family.orbit(word, high)]
    except SingularError:
        return SINGULAR.removeprefix(HOPELESS)
    tables = [margins_of(orbit) for orbit in orbits]
    if all(margin >= 0 for margin in tables[1].values()):
        return f"{HOPELESS}the cycle exists, or touches a border, in the middle of this range"
    worst = {place: max(table[place] for table in tables) for place in tables[1]}
    time, unit = place = min(worst, key=lambda place: worst[place])
    if worst[place] >= 0:
        return "no one sign is wrong at both ends and in the middle"
    return {"inverse": spelled_rows(inverse), "time": time, "unit": unit, "bits": _working(low, high, middle.product, inverse)}


def margins_of(orbit: Orbit) -> dict[tuple[int, int], Fraction]:
    """Return, for each time and unit (from 1), how far the pre-activation is on the side of its letter (negative: on the other side).

    Margins are relative to the reach of the gate over points of this orbit's size.
    """
    size = 1 + max(abs(x) for point in orbit.points for x in point)
    found: dict[tuple[int, int], Fraction] = {}
    for time, (row, word, piece) in enumerate(zip(orbit.gates, orbit.itinerary, orbit.pieces, strict=False), 1):
        for unit, (value, letter) in enumerate(zip(row, word, strict=True), 1):
            reach = Fraction(sum(abs(x) for x in piece.gates.mid[unit - 1]), piece.gates.den)
            found[time, unit] = (value if letter == "1" else -value) / (1 + size * reach)
    return found


def event_witness(family: Family, event: Event, low: Fraction, high: Fraction) -> tuple[str, dict[str, object]]:
    """Return the card and the witness that may prove an event inside [low, high]. **Raises:** SingularError; ValueError for other kinds."""
    makers = {"border_collision": _border, "to_infinity": _to_infinity, "multiplier_one": _to_infinity, "flip": _flip}
    if event.kind == "complex_pair":
        return "complex_pair", pair_witness(family.path, replace(event, low=low, high=high))
    if event.kind not in makers:
        message = f"no card for {event.kind}"
        raise ValueError(message)
    card = "to_infinity" if event.kind == "multiplier_one" else event.kind
    return card, makers[event.kind](family, event, low, high)


def _border(family: Family, event: Event, low: Fraction, high: Fraction) -> dict[str, object]:
    middle, identity = (low + high) / 2, Matrix.identity(family.path.start.dimension)
    product = family.product(event.itinerary, middle)
    inverse = approximate_inverse(identity - product, _INVERSE_BITS)
    partners = []
    for word in event.partners:
        try:
            other = approximate_inverse(identity - family.product(word, middle), _INVERSE_BITS)
        except SingularError:
            continue
        partners.append({"itinerary": list(word), "inverse": spelled_rows(other)})
    return _base(event.itinerary, low, high, _working(low, high, product, inverse)) | {
        "time": event.time,
        "unit": event.unit,
        "inverse": spelled_rows(inverse),
        "partners": partners,
    }


def _to_infinity(family: Family, event: Event, low: Fraction, high: Fraction) -> dict[str, object]:
    product = family.product(event.itinerary, (low + high) / 2)
    left, right, inverse = _bordered(Matrix.identity(len(product.mid)) - product)
    base = _base(event.itinerary, low, high, _working(low, high, product, inverse))
    return base | {"left": spelled(left), "right": spelled(right), "inverse": spelled_rows(inverse)}


def _flip(family: Family, event: Event, low: Fraction, high: Fraction) -> dict[str, object]:
    product = family.product(event.itinerary, (low + high) / 2)
    identity = Matrix.identity(len(product.mid))
    plain = approximate_inverse(identity - product, _INVERSE_BITS)
    left, right, inverse = _bordered(identity + product)
    base = _base(event.itinerary, low, high, _working(low, high, product, inverse))
    return base | {"inverse": spelled_rows(plain), "left": spelled(left), "right": spelled(right), "bordered": spelled_rows(inverse)}


def _base(word: Word, low: Fraction, high: Fraction, bits: int) -> dict[str, object]:
    return {"low": write_number(low), "high": write_number(high), "itinerary": list(word), "bits": bits}


def _bordered(singular: Matrix) -> tuple[list[Fraction], list[Fraction], Matrix]:
    """Return b, c and the inverse of [[A, b], [c', 0]] for a nearly singular A.

    c is its right null vector, so to say, and b too unless that is nearly orthogonal to the left one: then only states that grow with an
    escape are 0 nowhere in b, and units that do not feel the escape stay bounded exactly.
    """
    left, _, right = np.linalg.svd(floats_of(singular))
    outward = right[-1] if abs(left[:, -1] @ right[-1]) >= _SIMPLE else left[:, -1]
    b, c = ([Fraction(round(x * 2**_VECTOR_BITS), 2**_VECTOR_BITS) for x in vector.tolist()] for vector in (outward, right[-1]))
    size = len(b)
    rows = [[*(singular.middle(i, j) for j in range(size)), b[i]] for i in range(size)]
    return b, c, _inverse(Matrix.exact([*rows, [*c, Fraction(0)]]))


def _inverse(matrix: Matrix) -> Matrix:
    """Return the inverse: exactly in low dimension, where zeros then stay exact (a unit may not feel an escape at all)."""
    size = len(matrix.mid)
    if size > _MOST_EXACT or matrix.den.bit_length() > _MOST_EXACT_BITS:
        return approximate_inverse(matrix, _INVERSE_BITS)
    units = [Matrix.column([Fraction(int(i == j)) for i in range(size)]) for j in range(size)]
    columns = [solve(matrix, unit) for unit in units]
    return Matrix.exact([[column.middle(i) for column in columns] for i in range(size)])


def _working(low: Fraction, high: Fraction, product: Matrix, inverse: Matrix) -> int:
    """Return a working precision at which rounding is far below the width of the range."""
    return _BITS + max(0, exponent(product.norm())) + max(0, exponent(inverse.norm())) + max(0, -exponent(high - low))
