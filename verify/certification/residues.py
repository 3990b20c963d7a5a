"""What the periodic points of a singular closed word look like: a point, a segment, a half-line or more, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from proofs.theorems.word_path import WordPath, Words
from proofs.wording import decimal
from verify.numerics.linear_programs import decide
from verify.numerics.linear_systems import Farkas, Row, coordinates, primitive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network
    from verify.certification.chunks import Word

    Vector = tuple[Fraction, ...]

_MOST_LETTERS = 40
_MOST_ENTRIES = 4


@dataclass(frozen=True)
class Flat:
    """The points origin + s_1 d_1 + .. + s_m d_m. **Shapes:** M; m vectors of M."""

    origin: Vector
    directions: tuple[Vector, ...]

    def at(self, parameters: Sequence[Fraction]) -> Vector:
        """Return the point with these parameters."""
        moves = list(zip(parameters, self.directions, strict=True))
        return tuple(x + sum((s * d[i] for s, d in moves), Fraction(0)) for i, x in enumerate(self.origin))

    def along(self, form: Sequence[int | Fraction]) -> Vector:
        """Return a linear form with its constant (M + 1 numbers) in the parameters (m + 1 numbers)."""
        slopes = (sum((a * b for a, b in zip(form, d, strict=False)), Fraction(0)) for d in self.directions)
        return *slopes, sum((a * b for a, b in zip(form, self.origin, strict=False)), Fraction(form[-1]))


def residue_text(network: Network, word: Word) -> str:
    """Describe the closed polyhedron of the points z that follow this word (live hinges) and return after it.

    **Guarantee:** exact; numbers marked with ~ are shown to six decimals.
    """
    path = word_path(Words(network), word)
    name = " ".join(word[:_MOST_LETTERS]) + (" ..." if len(word) > _MOST_LETTERS else "")
    image = "F" if len(word) == 1 else f"F^{len(word)}"
    return f"{image}(z) = z on {_shape(path, network.dimension)}; itinerary (live hinges): {name.strip() or 'no hinge is live'}"


def _shape(path: WordPath, size: int) -> str:
    flat, rows, inside = _reduced(path, size)
    if flat is None:
        return "no point at all"
    return _named(flat, rows, inside) if flat.directions else f"the point {_point(flat.origin)}"


def _reduced(path: WordPath, size: int) -> tuple[Flat | None, list[Row], Vector]:
    """Return the smallest flat that holds the closed polyhedron (None if it is empty), its rows and an inner point in the parameters."""
    equations = [tuple(map(Fraction, (*row[:-1], -row[-1]))) for row in path.closing()]
    while True:
        flat = flat_of(equations, size)
        forms = [] if flat is None else [flat.along(form) for form, _ in path.rows]
        if flat is None or any(not any(form[:-1]) and form[-1] < 0 for form in forms):
            return None, [], ()
        rows = [Row(_whole(form), strict=True) for form in forms if any(form[:-1])]
        found = decide(rows, len(flat.directions)) if flat.directions else (1,)
        if not isinstance(found, Farkas):
            return flat, rows, coordinates(found)
        if sum(factor * row.form[-1] for factor, row in zip(found.multipliers, found.rows, strict=True)) < 0:
            return None, [], ()
        tight = {row.form for row in found.rows}  # they sum to 0, so each vanishes on all of the closed polyhedron
        pairs = zip(path.rows, forms, strict=True)
        equations += [tuple(map(Fraction, form)) for (form, _), seen in pairs if any(seen[:-1]) and _whole(seen) in tight]


def _named(flat: Flat, rows: list[Row], inside: Vector) -> str:
    """Name a polyhedron with interior in its parameters."""
    if len(flat.directions) > 1:
        return f"a polyhedron of dimension {len(flat.directions)} around {_point(flat.at(inside))}"
    ends = [(Fraction(-row.form[1], row.form[0]), row.form[0] > 0) for row in rows]
    low = max((end for end, rising in ends if rising), default=None)
    high = min((end for end, rising in ends if not rising), default=None)
    if low is not None and high is not None:
        return f"the segment from {_point(flat.at([low]))} to {_point(flat.at([high]))}"
    direction = flat.directions[0]
    if low is None and high is None:
        return f"the line through {_point(flat.origin)} along {_point(direction)}"
    end, sign = (low, 1) if low is not None else (high, -1)
    return f"the half-line from {_point(flat.at([end or Fraction(0)]))} along {_point(tuple(sign * x for x in direction))}"


def flat_of(equations: Sequence[Vector], size: int) -> Flat | None:
    """Solve equations (coefficients, constant; form = 0) by Gauss's algorithm; None if they contradict each other.

    **Guarantee:** exact.

    >>> flat_of([(Fraction(1), Fraction(1), Fraction(-2))], 2)
    Flat(origin=(Fraction(2, 1), Fraction(0, 1)), directions=((Fraction(-1, 1), Fraction(1, 1)),))
    """
    table = [list(row) for row in equations]
    leads: list[int] = []
    for column in range(size):
        rank = len(leads)
        pivot = next((i for i in range(rank, len(table)) if table[i][column]), None)
        if pivot is None:
            continue
        table[rank], table[pivot] = table[pivot], table[rank]
        head = [value / table[rank][column] for value in table[rank]]
        table = [head if i == rank else [a - row[column] * b for a, b in zip(row, head, strict=True)] for i, row in enumerate(table)]
        leads.append(column)
    if any(row[-1] for row in table[len(leads) :]):
        return None
    place = {column: i for i, column in enumerate(leads)}
    free = [column for column in range(size) if column not in place]
    origin = tuple(-table[place[i]][-1] if i in place else Fraction(0) for i in range(size))
    directions = (tuple(-table[place[i]][j] if i in place else Fraction(int(i == j)) for i in range(size)) for j in free)
    return Flat(origin, tuple(directions))


def word_path(words: Words, word: Word) -> WordPath:
    """Return the exact path of a word over the live hinges."""
    path = words.start
    for letter in word:
        rows = tuple(words.row(path, letter[:i], bit) for i, bit in enumerate(letter))
        path = words.extended(path, letter, rows)
    return path


def _whole(form: Sequence[Fraction]) -> tuple[int, ...]:
    den = lcm(*(value.denominator for value in form))
    return primitive([int(value * den) for value in form])


def _point(entries: Sequence[Fraction]) -> str:
    shown = [decimal(entry) for entry in entries[:_MOST_ENTRIES]]
    return f"({', '.join(shown)}{', ...' if len(entries) > len(shown) else ''})"
