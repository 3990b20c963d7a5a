"""The cycle of one itinerary followed over a range of mu: its points and their derivatives by mu, as solutions of linear systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.theorems.family import gate_blocks, tangent_on, tangent_pieces
from proofs.theorems.orbits import prime_factors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from proofs.network import Piece
    from proofs.parameters import Line
    from proofs.theorems.card import Application

    Word = tuple[str, ...]

_MAX_GATES = 2**20
_CORRECTIONS = 2
_REMEDY = "more bits, a better approximate inverse, or a shorter range of mu"


@dataclass(frozen=True)
class Round:
    """Once around an itinerary, for every mu of a range: z -> product z + offset from time 1 to time 1, and its derivative by mu.

    **Shapes:** M x M and M x 1 (slope and drift: the derivatives of product and offset); pieces carry (dz/dmu; z).
    """

    pieces: list[Piece]
    product: Matrix
    offset: Matrix
    slope: Matrix
    drift: Matrix


def read_word(step: Application, number: int, name: str = "itinerary") -> Word:
    """Read a closed itinerary that is not a power of a shorter one, so that a cycle that follows it strictly has its length as period."""
    word, hinges = step.witness.texts(name), step.network.hinges
    require_word(step, number, word)
    step.require_work(number, len(word) * hinges * step.network.dimension, None)
    return word


def require_word(step: Application, number: int, word: Word) -> None:
    """Require letters 0 and 1, one a hinge, for a piecewise-linear program, and that the word is no power of a shorter one."""
    network = step.network
    step.require(number, network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    hinges = network.hinges
    spelled = 0 < len(word) <= _MAX_GATES and all(len(letters) == hinges and set(letters) <= {"0", "1"} for letters in word)
    step.require(number, spelled, f"one or more patterns of {hinges} letters 0 or 1", word)
    for prime in prime_factors(len(word)):
        least = len(word) // prime
        step.require(number, word != word[:least] * prime, "an itinerary that is no power of a shorter one", ("the power", prime, "of one"))


def once_around(step: Application, line: Line, word: Word, ends: tuple[Fraction, Fraction], bits: int) -> Round:
    """Compose the tangent program's pieces along an itinerary, for every mu between the ends."""
    size = step.network.dimension
    step.require_work(2, 8 * len(word) * (size**3 + step.network.products), bits)
    pieces = tangent_pieces(step, tangent_on(step, line, *ends, bits), word)
    product, offset = Matrix.identity(2 * size), _zeros(2 * size)
    for piece in pieces:
        product = (piece.jacobian @ product).rounded(bits)
        offset = piece.image(offset).rounded(bits)
        step.require_short_entries(2, product)
    top, bottom = rows_of(product, 0, size), rows_of(product, size, size)
    return Round(pieces, bottom.columns(size, size), rows_of(offset, size, size), top.columns(size, size), rows_of(offset, 0, size))


def solved(step: Application, number: int, system: Matrix, inverse: Matrix, right: Matrix, bits: int) -> Matrix:
    """Enclose the solution x of K x = r for each K in ``system`` and r in ``right``, one column; each K is nonsingular.

    For any m, y = x - m solves y = C (r - K m) + E y with E = I - C K; if e = |E| < 1, |y| <= |C (r - K m)| / (1 - e) = d, and y_i lies
    within sum_j |E_ij| d of the first term, over the entries j that move: those where that term is not exactly 0 and, in turn, those
    with a row of E that meets them (the others solve y = E y among themselves, so y = 0). m is C r, corrected with the middles of K and r.
    """
    size = len(system.mid)
    defect = Matrix.identity(size) - inverse @ system
    error = defect.norm()
    step.require(number, error < 1, "|I - C K| < 1 for the approximate inverse C", error, _REMEDY)
    middle, told = _middle(system), _middle(right)
    guess = _middle((inverse @ told).rounded(bits))
    for _ in range(_CORRECTIONS):
        guess = _middle((guess + inverse @ (told - middle @ guess)).rounded(bits))
    shift = inverse @ (right - system @ guess)
    reach = (defect.magnitudes() @ _moving(shift.magnitudes(), defect.magnitudes())).times(shift.norm() / (1 - error))
    return guess + shift + Matrix(_zeros(size).mid, reach.mid, reach.den)


def _moving(shift: Matrix, defect: Matrix) -> Matrix:
    """Return the column of 1 for the entries that move and 0 for the others."""
    moving = [entry != 0 for (entry,) in shift.mid]
    for _ in moving:
        moving = [moves or any(e and m for e, m in zip(row, moving, strict=True)) for moves, row in zip(moving, defect.mid, strict=True)]
    return Matrix(tuple((int(moves),) for moves in moving), None, 1)


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)


def followed(step: Application, number: int, around: Round, inverse: Matrix, bits: int) -> list[Matrix]:
    """Enclose (dz_t/dmu; z_t) along the cycle, for every mu of the round's range, t = 1..k; I - P is nonsingular there."""
    system = Matrix.identity(len(inverse.mid)) - around.product
    point = solved(step, number, system, inverse, around.offset, bits).rounded(bits)
    speed = solved(step, number, system, inverse, around.drift + around.slope @ point, bits).rounded(bits)
    states = [Matrix.stacked([speed, point])]
    for piece in around.pieces[:-1]:
        states.append(piece.image(states[-1]).rounded(bits))
    return states


def gates_along(step: Application, around: Round, states: Sequence[Matrix]) -> list[list[tuple[Interval, Interval]]]:
    """Enclose, for each time, every hinge's pre-activation and its derivative by mu."""
    blocks = gate_blocks(step.network)
    told: list[list[tuple[Interval, Interval]]] = []
    for piece, state in zip(around.pieces, states, strict=True):
        entries = (piece.gates @ state + piece.gate_offsets).entries() if piece.gates.mid else []
        told.append([(entries[a + b + i], entries[2 * a + i]) for a, b in blocks for i in range(b - a)])
    return told


def gates_on(
    step: Application, number: int, line: Line, word: Word, ends: tuple[Fraction, Fraction], inverse: Matrix, bits: int
) -> list[list[tuple[Interval, Interval]]]:
    """Enclose pre-activations and their derivatives for every mu between the ends.

    A pre-activation lies in what the states give, and within |derivative| times half the width of its value at the middle of the range.
    """
    around = once_around(step, line, word, ends, bits)
    wide = gates_along(step, around, followed(step, number, around, inverse, bits))
    middle, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    if half == 0:
        return wide
    centre = once_around(step, line, word, (middle, middle), bits)
    exact = gates_along(step, centre, followed(step, number, centre, inverse, bits))
    return [
        [(_nearer(value, near, half * speed.magnitude), speed) for (value, speed), (near, _) in zip(*rows, strict=True)]
        for rows in zip(wide, exact, strict=True)
    ]


def _nearer(value: Interval, near: Interval, reach: Fraction) -> Interval:
    return Interval(max(value.lo, near.lo - reach), min(value.hi, near.hi + reach))


def sign(value: Interval) -> int:
    """Return 1 or -1 for an interval of that strict sign, 0 where it holds 0."""
    return (value.lo > 0) - (value.hi < 0)


def require_letters(
    step: Application, number: int, word: Word, gates: list[list[tuple[Interval, Interval]]], but: set[tuple[int, int]]
) -> None:
    """Require that every pre-activation strictly has the sign of its letter, but for these (time, unit)."""
    for time, (letters, values) in enumerate(zip(word, gates, strict=True), 1):
        for unit, (letter, (value, _)) in enumerate(zip(letters, values, strict=True), 1):
            wanted = 1 if letter == "1" else -1
            law = ("pre-activation of unit", unit, "at time", time, ">" if wanted > 0 else "<", "0 on the whole range")
            step.require(number, (time, unit) in but or sign(value) == wanted, law, value, _REMEDY)


def rows_of(matrix: Matrix, start: int, count: int) -> Matrix:
    """Return ``count`` rows from ``start`` on."""
    rad = None if matrix.rad is None else matrix.rad[start : start + count]
    return Matrix(matrix.mid[start : start + count], rad, matrix.den)


def bordered(block: Matrix, left: Matrix, right: Matrix) -> Matrix:
    """Return [[block, left], [right', 0]]."""
    corner = Matrix(((0,),), None, 1)
    top = Matrix.stacked([block.transposed(), left.transposed()]).transposed()
    return Matrix.stacked([top, Matrix.stacked([right, corner]).transposed()])


def _zeros(rows: int) -> Matrix:
    return Matrix(((0,),) * rows, None, 1)
