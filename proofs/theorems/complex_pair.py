"""E2 ``complex_pair``. A complex pair of multipliers of a cycle crosses the unit circle.

Statement   For every mu in [low, high] the cycle with itinerary w exists and touches no border; one complex conjugate pair of its
            multipliers, continuous in mu, has its sum in tr S +- 2r, lies on the unit circle for exactly one mu* in (low, high), and
            crosses it there with nonzero speed in the stated direction.
Cites       a path step.
Witness     low, high; itinerary w; inverse C of I - P; basis X (M x 2), block S (2 x 2), right R (M x 2), radius r; inverse_pair: Y, 2M + 4
            square, for the derivative of (P X - X S, R'X - I), the entries of X and of these parts column by column, those of S and of
            R'X - I row by row and column by column; bits.
Checks      1  low < high within the path; w not a power of a shorter word; two states or more; r > 0, X, S and R without radii
            2  |I - C (I - P)| < 1 on [low, high]
            3  every pre-activation strictly has the sign that w names on [low, high]
            4  e = |I - Y D| < 1 and |Y (P X - X S, R'X - I)| + e r < r on [low, high], D the derivative over the box of radius r
               around (X, S): Krawczyk's K lies inside its interior, so for each mu one (X, S) of the box solves P X = X S, R'X = I
            5  (tr S)^2 < 4 det S in K, for all mu
            6  det S - 1 has strictly opposite signs at low and at high: there S lies within |Y (P X' - X'S', R'X' - I)| / (1 - e) of S',
               (X', S') in the box
            7  the derivative of det S by mu is not 0 on [low, high], from D (dX, dS) = (-P'X, 0)
Fails when  the pair is real or about to become so; the cycle touches a border first; the pair does not move in modulus.
Rests on    Krawczyk 1969. X has rank 2 by R'X = I, so the eigenvalues of S are multipliers; by 5 they are conjugate, of modulus
            squared det S. (X, S) depends smoothly on mu, D being regular.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.parameters import ComplexPair, Line
from proofs.theorems.family import read_range
from proofs.theorems.following import followed, gates_along, once_around, read_word, require_letters, rows_of, sign, solved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.arithmetic import Interval
    from proofs.theorems.card import Application

_CORRECTIONS = 3
_REMEDY = "another radius, a shorter range, or a better inverse"


@dataclass(frozen=True)
class Pair:
    """The centre of the box, and what the witness says beside it. **Shapes:** M x 2, 2 x 2, M x 2, 2M + 4 square."""

    basis: Matrix
    block: Matrix
    right: Matrix
    radius: Fraction
    inverse: Matrix

    def residual(self, product: Matrix) -> Matrix:
        """Return (P X - X S, R'X - I) at the centre, column below column."""
        first = product @ self.basis - self.basis @ self.block
        second = self.right.transposed() @ self.basis - Matrix.identity(2)
        return Matrix.stacked([part.columns(i, 1) for part in (first, second) for i in (0, 1)])

    def derivative(self, product: Matrix) -> Matrix:
        """Return D over the box: (dX, dS) -> (P dX - dX S - X dS, R'dX)."""
        size = len(product.mid)
        basis, block = self.basis.widened(self.radius), self.block.widened(self.radius)
        minus = [basis.columns(i, 1).times(Fraction(-1)) for i in (0, 1)]
        zero, wide, small = (_zeros(rows, columns) for rows, columns in ((size, 1), (2, size), (2, 4)))

        def scaled(row: int, column: int) -> Matrix:
            return Matrix.identity(size).scaled_rows([block.interval(row, column)] * size)

        upper = _beside([product - scaled(0, 0), scaled(1, 0).times(Fraction(-1)), minus[0], zero, minus[1], zero])
        lower = _beside([scaled(0, 1).times(Fraction(-1)), product - scaled(1, 1), zero, minus[0], zero, minus[1]])
        right = self.right.transposed()
        return Matrix.stacked([upper, lower, _beside([right, wide, small]), _beside([wide, right, small])])

    def moved(self, away: Matrix, bits: int) -> Pair:
        """Return the pair at the centre minus ``away``, at the middles and rounded."""
        size = len(self.basis.mid)
        columns = [rows_of(away, start, size).transposed() for start in (0, size)]
        rows = [rows_of(away, 2 * size + start, 2).transposed() for start in (0, 2)]
        basis = (self.basis - Matrix.stacked(columns).transposed()).rounded(bits)
        block = (self.block - Matrix.stacked(rows)).rounded(bits)
        return Pair(_middle(basis), _middle(block), self.right, self.radius, self.inverse)


def check(step: Application) -> ComplexPair:
    """Verify one application; see the card above."""
    line, bits, size = step.cite(Line), step.needed_bits(), step.network.dimension
    step.require(1, size > 1, "two states or more", size)
    ends, word = read_range(step, line, 1), read_word(step, 1)
    around = once_around(step, line, word, ends, bits)
    states = followed(step, 2, around, step.witness.matrix("inverse", (size, size)), bits)
    require_letters(step, 3, word, gates_along(step, around, states), set())
    pair = _read(step, bits)
    system = pair.derivative(around.product)
    total = 2 * size + 4
    defect = Matrix.identity(total) - pair.inverse @ system
    error, shift = defect.norm(), pair.inverse @ pair.residual(around.product)
    step.require(4, error < 1, "|I - Y D| < 1", error, _REMEDY)
    inside = shift.norm() + error * pair.radius
    step.require(4, inside < pair.radius, "|Y (P X - X S, R'X - I)| + e r < r", inside, _REMEDY)
    entries = (_flat(pair.block) - rows_of(shift, 2 * size, 4)).widened(error * pair.radius)
    gap = _difference(entries)
    step.require(5, gap.hi < 0, "(tr S)^2 < 4 det S on the range", gap, "a smaller radius; real multipliers are no complex pair")
    signs = [_sign_at(step, pair, once_around(step, line, word, (end, end), bits).product, error, bits) for end in ends]
    step.require(6, signs[0] * signs[1] < 0, "det S - 1 of strictly opposite signs at low and high", signs, "a longer range, or more bits")
    pull = (around.slope @ pair.basis.widened(pair.radius)).times(Fraction(-1))
    moving = Matrix.stacked([pull.columns(0, 1), pull.columns(1, 1), _zeros(4, 1)])
    speeds = rows_of(solved(step, 7, system, pair.inverse, moving, bits), 2 * size, 4)
    speed = _determinant_speed(entries, speeds)
    step.require(7, sign(speed) != 0, "d det S / dmu not 0 on the range", speed, "a shorter range")
    trace = pair.block.middle(0, 0) + pair.block.middle(1, 1)
    crossing = "outward" if signs[1] > 0 else "inward"
    return ComplexPair(line.end.digest, line.at, *ends, word, crossing, (trace - 2 * pair.radius, trace + 2 * pair.radius))


def _read(step: Application, bits: int) -> Pair:
    size = step.network.dimension
    step.require_work(1, (2 * size + 4) ** 3, bits)
    basis, block, right = (
        step.witness.matrix(name, shape) for name, shape in (("basis", (size, 2)), ("block", (2, 2)), ("right", (size, 2)))
    )
    step.require(1, basis.is_exact and block.is_exact and right.is_exact, "basis, block and right without radii", "a radius")
    radius = step.witness.number("radius")
    step.require_short(1, radius)
    step.require(1, radius > 0, "a positive radius", radius)
    inverse = step.witness.matrix("inverse_pair", (2 * size + 4, 2 * size + 4))
    for matrix in (basis, block, right, inverse):
        step.require_short_entries(1, matrix)
    return Pair(basis, block, right, radius, inverse)


def _sign_at(step: Application, pair: Pair, product: Matrix, error: Fraction, bits: int) -> int:
    """Return the sign of det S - 1 for one mu, 0 where it is not proved (check 6)."""
    place = pair
    for _ in range(_CORRECTIONS):
        place = place.moved(pair.inverse @ place.residual(product), bits)
    away = max((place.basis - pair.basis).norm(), (place.block - pair.block).norm())
    step.require(6, away <= pair.radius, "a place inside the box", away, _REMEDY)
    spread = (pair.inverse @ place.residual(product)).norm() / (1 - error)
    return sign((_determinant(_flat(place.block.widened(spread))) - Matrix.identity(1)).interval(0))


def _difference(entries: Matrix) -> Interval:
    """Enclose (tr S)^2 - 4 det S = (S11 - S22)^2 + 4 S12 S21."""
    a, b, c, d = (rows_of(entries, i, 1) for i in range(4))
    return ((a - d) @ (a - d) + (b @ c).times(Fraction(4))).interval(0)


def _determinant(entries: Matrix) -> Matrix:
    a, b, c, d = (rows_of(entries, i, 1) for i in range(4))
    return a @ d - b @ c


def _determinant_speed(entries: Matrix, speeds: Matrix) -> Interval:
    a, b, c, d = (rows_of(entries, i, 1) for i in range(4))
    factors = _beside([d, c.times(Fraction(-1)), b.times(Fraction(-1)), a])
    return (factors @ speeds).interval(0)


def _flat(block: Matrix) -> Matrix:
    """Return the four entries of S, row by row."""
    turned = block.transposed()
    return Matrix.stacked([turned.columns(0, 1), turned.columns(1, 1)])


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)


def _beside(parts: Sequence[Matrix]) -> Matrix:
    return Matrix.stacked([part.transposed() for part in parts]).transposed()


def _zeros(rows: int, columns: int) -> Matrix:
    return Matrix(((0,) * columns,) * rows, None, 1)
