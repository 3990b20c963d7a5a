"""Polygons of starting points, cut by one half-plane after the other, in float64 with rigorous error bounds.

A polygon is a cycle of edges, each lying on a row; corner k, where edge k meets edge k + 1, is the cross product of their two rows, in
homogeneous coordinates. The plane is a box of half width 2^200, whose edges are no rows and prove nothing. A polygon may be larger than
the true cell: that costs nodes. Where one is wrong in any other way, nothing false is called proved: a proof is three rows.
"""

from __future__ import annotations

from math import frexp, ldexp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verify.numerics.compiled import compiled, inner
from verify.numerics.planar_forms import (
    ERROR,
    FINE,
    HEAD,
    TAIL,
    TINY,
    UNIT,
    Floats,
    Forms,
    Integers,
    closing_form,
    may_be_singular,
    plus_product,
)

BOX = 4  # edges of the box come before row 0
OPEN, PROVED, SUGGESTED, UNSURE = range(4)  # a cut leaves a polygon; or three rows exclude each other; or perhaps these do, or some
NOTHING, SINGULAR, DOUBTFUL, CYCLE = range(4, 8)  # a closed word: no cycle; perhaps I - P is singular; too close to call; a cycle
_ROUGH = 3  # beside head, tail and error of a row: a bound on the error of the head alone
_UNCLEAR = 2
_MOST_EDGES = 256
_WIDTH = 2.0**-200


class Polygons(NamedTuple):
    """The oriented rows (the box first), each scaled by a power of two, and the polygon that the first r rows leave, at index r.

    What doubles leave undecided is computed again with the rows' tails.
    **Shapes:** R rows: rows (4 + R, 3, 4); sizes (R + 1,); edges (R + 1, V); corners (R + 1, V, 3, 2), numbers and error bounds.
    """

    rows: Floats
    sizes: Integers
    edges: Integers
    corners: Floats


def whole_plane(count: int) -> Polygons:
    """Return room for ``count`` rows, the box at index 0."""
    width = min(count + BOX + 1, _MOST_EDGES)
    rows, corners = np.zeros((BOX + count, 3, 4)), np.empty((count + 1, width, 3, 2))
    sizes, edges = np.zeros(count + 1, np.int64), np.empty((count + 1, width), np.int64)
    rows[:BOX, :, HEAD] = [[_WIDTH, 0, 1], [0, _WIDTH, 1], [-_WIDTH, 0, 1], [0, -_WIDTH, 1]]
    sizes[0], edges[0, :BOX] = BOX, range(BOX)
    corners[0, :BOX, :, 0] = np.cross(rows[:BOX, :, HEAD], np.roll(rows[:BOX, :, HEAD], -1, axis=0))  # powers of two: exact
    corners[0, :BOX, :, 1] = 0
    return Polygons(rows, sizes, edges, corners)


@compiled
def orient(forms: Forms, polygons: Polygons, r: int) -> None:
    """Make row r from its gate and its bit, so that it is >= 0 or > 0 along the word."""
    gate, row = forms.gates[r], polygons.rows[BOX + r]
    size = max(abs(gate[0, HEAD]), abs(gate[1, HEAD]), abs(gate[2, HEAD]))
    scale = ldexp(1.0, -frexp(size)[1]) if np.isfinite(size) and size > 0 else 1.0
    sign = scale if forms.bits[r] else -scale
    for k in range(3):
        row[k, HEAD] = sign * gate[k, HEAD]
        row[k, TAIL] = sign * gate[k, TAIL]
        row[k, ERROR] = scale * gate[k, ERROR]
        row[k, _ROUGH] = (abs(row[k, TAIL]) + row[k, ERROR]) * (1 + 4 * UNIT)


@inner
def _minor(one: Floats, two: Floats, i: int) -> tuple[float, float]:
    """Return entry i of the cross product of two rows, and a bound on its error."""
    j, k = (i + 1) % 3, (i + 2) % 3
    plus, minus = one[j, HEAD] * two[k, HEAD], one[k, HEAD] * two[j, HEAD]
    spread = abs(one[j, HEAD]) * two[k, _ROUGH] + one[j, _ROUGH] * (abs(two[k, HEAD]) + two[k, _ROUGH])
    spread += abs(one[k, HEAD]) * two[j, _ROUGH] + one[k, _ROUGH] * (abs(two[j, HEAD]) + two[j, _ROUGH])
    return plus - minus, spread * (1 + 16 * UNIT) + 2 * UNIT * (abs(plus) + abs(minus)) + TINY


@inner
def _fine_minor(one: Floats, two: Floats, i: int) -> tuple[float, float, float, float]:
    """Return the same entry with its tail, a bound on its error, and the size of its terms."""
    total, size, spread = (0.0, 0.0), 0.0, 0.0
    for sign in (1.0, -1.0):
        j, k = ((i + 1) % 3, (i + 2) % 3) if sign > 0 else ((i + 2) % 3, (i + 1) % 3)
        total = plus_product(total, sign * one[j, HEAD], sign * one[j, TAIL], two[k, HEAD], two[k, TAIL])
        size += abs(one[j, HEAD] * two[k, HEAD])
        spread += abs(one[j, HEAD]) * two[k, ERROR] + one[j, ERROR] * (abs(two[k, HEAD]) + two[k, ERROR])
    return total[0], total[1], spread * (1 + 16 * UNIT) + 4 * FINE * size + TINY, size


@inner
def _determinant(one: Floats, two: Floats, three: Floats) -> tuple[float, float]:
    """Return the determinant of three rows, and a bound on its error, from the tails too."""
    total, error = (0.0, 0.0), 0.0
    for i in range(3):
        head, tail, spread, size = _fine_minor(one, two, i)
        total = plus_product(total, head, tail, three[i, HEAD], three[i, TAIL])
        error += abs(three[i, HEAD]) * (spread + 4 * FINE * size) + three[i, ERROR] * (size + spread)
    return total[0], error * (1 + 16 * UNIT) + 2 * UNIT * abs(total[0]) + TINY


@inner
def _turn(one: Floats, two: Floats) -> int:
    """Return the sign of the last entry of the cross product of two rows; 0 where it certainly vanishes, else _UNCLEAR."""
    value, error = _minor(one, two, 2)
    if abs(value) <= error:
        value, _, error, _ = _fine_minor(one, two, 2)
    if abs(value) > error:
        return 1 if value > 0 else -1
    return 0 if (_is_zero(one[0]) or _is_zero(two[1])) and (_is_zero(one[1]) or _is_zero(two[0])) else _UNCLEAR


@inner
def _is_zero(entry: Floats) -> bool:
    return bool(entry[HEAD] == 0 and entry[_ROUGH] == 0)


@inner
def _value(row: Floats, point: Floats) -> tuple[float, float]:
    """Return the row at a homogeneous point, and a bound on its error."""
    total, size, spread = 0.0, 0.0, 0.0
    for k in range(3):
        term = row[k, HEAD] * point[k, 0]
        total += term
        size += abs(term)
        spread += abs(row[k, HEAD]) * point[k, 1] + row[k, _ROUGH] * (abs(point[k, 0]) + point[k, 1])
    return total, spread * (1 + 16 * UNIT) + 4 * UNIT * size + TINY


@inner
def _at_corner(polygons: Polygons, r: int, k: int) -> tuple[float, float]:
    """Return row r at corner k of the polygon before it, and a bound on its error."""
    value, error = _value(polygons.rows[BOX + r], polygons.corners[r, k])
    if abs(value) <= error:
        one, two = polygons.edges[r, k], polygons.edges[r, (k + 1) % polygons.sizes[r]]
        return _determinant(polygons.rows[one], polygons.rows[two], polygons.rows[BOX + r])
    return value, error


@compiled
def cut(polygons: Polygons, r: int, strict: bool, chosen: Integers) -> int:
    """Cut the polygon of the first r rows by row r; where nothing is left, write up to three rows into ``chosen``, then -1.

    **Guarantee:** exact where PROVED: the rows have one dependency, it is positive, and sums them to less than 0, or not to more than 0
    where row r is strict.
    """
    size, some, every = polygons.sizes[r], False, True
    inside = np.empty(size, np.bool_)
    for k in range(size):
        value, error = _at_corner(polygons, r, k)
        if not np.isfinite(value + error):
            return UNSURE
        inside[k] = value >= -error
        some |= value > error
        every &= value >= -error
    if not some:
        answer = _exclude(polygons, r, strict, chosen)
        if answer != OPEN:
            return answer
    if every or size + 1 >= polygons.edges.shape[1]:
        polygons.sizes[r + 1] = size
        for k in range(size):
            _keep(polygons, r, k, k)
    else:
        _shorten(polygons, r, inside)
    return OPEN


@inner
def _shorten(polygons: Polygons, r: int, inside: NDArray[np.bool_]) -> None:
    """Replace a run of corners that are outside by the edge of row r."""
    size, place, k = polygons.sizes[r], 1, 0
    while inside[k] or not inside[(k + 1) % size]:
        k += 1
    k = (k + 1) % size
    polygons.edges[r + 1, 0] = BOX + r
    _set_corner(polygons, r + 1, 0, polygons.edges[r, k])
    while inside[k]:
        _keep(polygons, r, k, place)
        place += 1
        k = (k + 1) % size
    polygons.edges[r + 1, place] = polygons.edges[r, k]
    _set_corner(polygons, r + 1, place, BOX + r)
    polygons.sizes[r + 1] = place + 1


@inner
def _keep(polygons: Polygons, level: int, k: int, place: int) -> None:
    """Take edge k of the polygon before, and the corner behind it, over."""
    polygons.edges[level + 1, place] = polygons.edges[level, k]
    for i in range(3):
        for part in range(2):
            polygons.corners[level + 1, place, i, part] = polygons.corners[level, k, i, part]


@inner
def _set_corner(polygons: Polygons, level: int, k: int, following: int) -> None:
    """Compute the corner at which edge k meets the one that follows."""
    for i in range(3):
        value, error = _minor(polygons.rows[polygons.edges[level, k]], polygons.rows[following], i)
        polygons.corners[level, k, i, 0], polygons.corners[level, k, i, 1] = value, error


@inner
def _exclude(polygons: Polygons, r: int, strict: bool, chosen: Integers) -> int:
    """Look for the corner at which row r is largest: it and the two edges there exclude each other, or it and one parallel edge.

    A row that is constant excludes itself, or nothing: then the answer is OPEN.
    """
    rows, row = polygons.rows, polygons.rows[BOX + r]
    if abs(row[0, HEAD]) <= row[0, _ROUGH] and abs(row[1, HEAD]) <= row[1, _ROUGH]:
        constant = _is_zero(row[0]) and _is_zero(row[1])
        if constant and _is_zero(row[2]) and not strict:
            return OPEN
        return _choose(chosen, -1, -1, r, constant and (row[2, HEAD] < -row[2, _ROUGH] or _is_zero(row[2])))
    answer = UNSURE
    for k in range(polygons.sizes[r]):
        one, two = polygons.edges[r, k], polygons.edges[r, (k + 1) % polygons.sizes[r]]
        first, second = _turn(rows[two], row), _turn(row, rows[one])
        if first < 0 or second < 0 or (first == 1 and one < BOX) or (second == 1 and two < BOX):
            continue
        value, spread = _at_corner(polygons, r, k)
        positive = 0 < first + second < _UNCLEAR or (first == 1 and second == 1)
        proved = positive and value < -spread and _turn(rows[one], rows[two]) == 1
        if proved or answer == UNSURE:
            answer = _choose(chosen, one - BOX if first == 1 else -1, two - BOX if second == 1 else -1, r, proved)
        if proved:
            break
    return answer


@inner
def _choose(chosen: Integers, one: int, two: int, r: int, proved: bool) -> int:
    """Write the rows in order, those that are -1 left out; return what they are."""
    chosen[:] = -1
    place = 0
    for row in (min(one, two), max(one, two), r):
        if row >= 0:
            chosen[place] = row
            place += 1
    return PROVED if proved else SUGGESTED


@compiled
def close(forms: Forms, polygons: Polygons, time: int, primitive: bool) -> int:
    """Decide the periodic point with this closed word of ``time`` letters.

    **Guarantee:** exact for NOTHING (no cycle of this least period, and I - P nonsingular) and CYCLE (one).
    """
    if may_be_singular(forms, time, True):
        return SINGULAR
    if not primitive:
        return NOTHING
    equations, point = np.empty((2, 3, 4)), np.empty((3, 2))
    for i in range(2):
        closing_form(forms, time, i, equations[i])
        for k in range(3):
            equations[i, k, _ROUGH] = (abs(equations[i, k, TAIL]) + equations[i, k, ERROR]) * (1 + 4 * UNIT)
    for i in range(3):
        point[i, 0], point[i, 1] = _minor(equations[0], equations[1], i)
    return _follow(polygons, equations, point, time * (forms.weights.shape[0] - 2))


@inner
def _follow(polygons: Polygons, equations: Floats, point: Floats, count: int) -> int:
    """Say whether the solution of two equations, roughly ``point``, satisfies the first ``count`` rows."""
    sign, answer = _turn(equations[0], equations[1]), CYCLE
    if abs(sign) != 1:
        return DOUBTFUL
    for r in range(count - 1, -1, -1):
        value, error = _value(polygons.rows[BOX + r], point)
        if abs(value) <= error:
            value, error = _determinant(equations[0], equations[1], polygons.rows[BOX + r])
        if sign * value < -error:
            return NOTHING
        if not sign * value > error:
            answer = DOUBTFUL
    return answer
