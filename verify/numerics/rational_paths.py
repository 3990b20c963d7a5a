"""The cycle of a fixed itinerary along a path of piecewise-linear networks, as an exact rational function of the parameter.

On the region of a letter F_mu is affine with entries polynomial in mu. So the point z_1 that a word w determines by (I - P) z_1 = q, every
pre-activation along its orbit, det(I - P) and det(I + P) are rational functions of mu over the common denominator det(I - P).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import flint
import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Matrix
from verify.center import without_radius
from verify.numerics.balls import working_precision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proofs.network import Network, Piece
    from verify.events import Word
    from verify.paths import Path

Floats = NDArray[np.float64]
Number = flint.fmpq | flint.arb
NumberMatrix = flint.fmpq_mat | flint.arb_mat
Blocks = tuple[Any, Any, Any, Any]  # Jacobian, offset, gates, their offsets: all fmpq_mat or all arb_mat
_PRECISIONS = (128, 384, 2048)
_MOST_KEPT = 32  # values of a word
MOST_DEGREE = 40  # up to which the polynomials themselves are worth having
_MOST_WORK = 320  # and degree times dimension


@dataclass(frozen=True)
class Values:
    """What the equations of a word say at one mu: numbers (fmpq), or balls (arb) of which each gate and det(I - P) has a sure sign.

    ``gates``: pre-activations, k rows of one number a hinge, None where I - P is singular; ``one``: det(I - P); ``product``: P.
    """

    gates: tuple[tuple[Number, ...], ...] | None
    one: Number
    product: NumberMatrix

    @cached_property
    def minus_one(self) -> Number:
        """Return det(I + P)."""
        product: Any = self.product
        with working_precision(_PRECISIONS[1]):
            return cast("Number", (product + type(product)(_identity(product.nrows()))).det())

    @property
    def has_complex_pair(self) -> bool:
        """Say whether a planar product has complex multipliers."""
        product: Any = self.product
        with working_precision(_PRECISIONS[1]):
            return bool((product[0, 0] - product[1, 1]) ** 2 + 4 * product[0, 1] * product[1, 0] < 0)

    def follows(self, word: Word) -> bool:
        """Say whether the cycle exists: every pre-activation strictly has the sign of its letter."""
        return self.gates is not None and not self.wrong(word)

    def wrong(self, word: Word) -> frozenset[tuple[int, int]]:
        """Return (time, unit), from 1, of the pre-activations that have not the sign of their letter."""
        pairs = ((t, u, v) for t, gates in enumerate(self.gates or (), 1) for u, v in enumerate(gates, 1))
        return frozenset((t, u) for t, u, v in pairs if not (v > 0 if word[t - 1][u - 1] == "1" else v < 0))

    @property
    def is_sure(self) -> bool:
        """Say whether det(I - P) and every gate has a sign, strictly."""
        return self.gates is not None and has_sign(self.one) and all(has_sign(value) for row in self.gates for value in row)


def has_sign(value: Number) -> bool:
    """Say whether a number is not zero, or a ball surely positive or surely negative."""
    return bool(value > 0 or value < 0)


class Pieces:
    """The affine pieces of a path's networks, as polynomials in mu, letter by letter.

    The piece of a letter is one (M + hinges) x (M + 1) matrix: Jacobian and offset above the gates and their offsets. Weights that carry
    radii are read at their middles. **Guarantee:** exact. **Raises:** Rejected for a network that is not piecewise linear.
    """

    def __init__(self, path: Path) -> None:
        self.path = replace(path, start=without_radius(path.start), end=without_radius(path.end))
        self.dimension, self.hinges = path.start.dimension, path.start.hinges
        self.degree, self.rank = _degree_and_rank(self.path.start, self.path.end)
        self._known: dict[str, tuple[flint.fmpq_mat, ...]] = {}
        self._floats: dict[str, Floats] = {}
        self._words: dict[Word, WordEquations] = {}

    def word(self, word: Word) -> WordEquations:
        """Return the equations of a word, always the same ones."""
        if word not in self._words:
            self._words[word] = WordEquations(self, word)
        return self._words[word]

    def coefficients(self, letter: str) -> tuple[flint.fmpq_mat, ...]:
        """Return the piece of a letter as matrices C_0, C_1, ...: it is the sum of mu^i C_i."""
        if letter not in self._known:
            nodes = [Fraction(node) for node in range(self.degree + 1)]
            values = [_flat(self.path.at(mu).piece(letter), self.dimension) for mu in nodes]
            size = len(values[0])
            powers = flint.fmpq_mat(len(nodes), len(nodes), [_fmpq(mu**i) for mu in nodes for i in range(len(nodes))])
            solved = powers.solve(flint.fmpq_mat(len(nodes), size, [entry for row in values for entry in row])).entries()
            shape = (self.dimension + self.hinges, self.dimension + 1)
            parts = [flint.fmpq_mat(*shape, solved[i * size : (i + 1) * size]) for i in range(len(nodes))]
            while len(parts) > 1 and not any(parts[-1].entries()):
                parts.pop()
            self._known[letter] = tuple(parts)
        return self._known[letter]

    def exact(self, letter: str, mu: Fraction) -> flint.fmpq_mat:
        """Return the piece of a letter at mu."""
        parts = self.coefficients(letter)
        total, at = parts[-1], _fmpq(mu)
        for part in parts[-2::-1]:
            total = total * at + part
        return total

    def floats(self, letter: str, mus: Floats) -> Floats:
        """Return the piece of a letter at each mu, (n, M + hinges, M + 1), rounded."""
        if letter not in self._floats:
            shape = (-1, self.dimension + self.hinges, self.dimension + 1)
            entries = [float(Fraction(int(e.p), int(e.q))) for part in self.coefficients(letter) for e in part.entries()]
            self._floats[letter] = np.array(entries).reshape(shape)
        parts = self._floats[letter]
        powers = mus[:, None] ** np.arange(len(parts))
        return np.asarray(np.tensordot(powers, parts, axes=1), dtype=np.float64)


class WordEquations:
    """The equations of one word along a path. Times and units count from 1.

    **Guarantee:** signs are exact, ``floats`` and ``multipliers`` rounded. **Cost:** a value is k products and one solve in dimension M.
    """

    def __init__(self, pieces: Pieces, word: Word) -> None:
        self.pieces, self.word = pieces, word
        self.degree = min(len(word) * pieces.rank, len(word) * pieces.degree * (pieces.dimension + 1))
        self._known: dict[Fraction, Values] = {}

    @property
    def is_scanned(self) -> bool:
        """Say whether the degree is too high to work with the polynomials."""
        return self.degree > MOST_DEGREE or self.degree * self.pieces.dimension > _MOST_WORK

    def at(self, mu: Fraction) -> Values:
        """Return all values at mu, in balls where those decide every sign, else exactly."""
        if mu not in self._known:
            if len(self._known) >= _MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[mu] = self._sure(mu)
        return self._known[mu]

    def exact(self, mu: Fraction) -> Values:
        """Return all values at mu exactly."""
        return self._values(self._blocks(mu))

    def is_solvable(self, mu: Fraction) -> bool:
        """Say whether (I - P) z = q has any solution at mu. **Guarantee:** exact."""
        _, offset, closing = self._closing(self._blocks(mu))
        size = self.pieces.dimension
        both = [entry for row, last in zip(closing.tolist(), offset.entries(), strict=True) for entry in (*row, last)]
        return bool(closing.rank() == flint.fmpq_mat(size, size + 1, both).rank())

    def _sure(self, mu: Fraction) -> Values:
        blocks = self._blocks(mu)
        for bits in _PRECISIONS:
            with working_precision(bits):
                try:
                    values = self._values({letter: tuple(map(flint.arb_mat, parts)) for letter, parts in blocks.items()})
                except ZeroDivisionError:
                    continue
            if values.is_sure:
                return values
        return self._values(blocks)

    def _blocks(self, mu: Fraction) -> dict[str, Blocks]:
        return {letter: _blocks(self.pieces.exact(letter, mu), self.pieces.dimension) for letter in dict.fromkeys(self.word)}

    def _values(self, parts: Mapping[str, tuple[Any, ...]]) -> Values:
        product, offset, closing = self._closing(parts)
        one = closing.det()
        if not has_sign(one):
            return Values(None, one, product)
        point, gates = closing.solve(offset), []
        for letter in self.word:
            jacobian, shift, forms, offsets = parts[letter]
            gates.append(tuple((forms * point + offsets).entries()) if self.pieces.hinges else ())
            point = jacobian * point + shift
        return Values(tuple(gates), one, product)

    def _closing(self, parts: Mapping[str, tuple[Any, ...]]) -> tuple[Any, Any, Any]:
        """Return P, q and I - P."""
        size = self.pieces.dimension
        kind = type(parts[self.word[0]][0])
        product, offset = kind(_identity(size)), kind(flint.fmpq_mat(size, 1))
        for letter in self.word:
            product, offset = parts[letter][0] * product, parts[letter][0] * offset + parts[letter][1]
        return product, offset, kind(_identity(size)) - product

    @cached_property
    def polynomials(self) -> Polynomials | None:
        """Return det(I - P), det(I + P), det P and the numerators of all gates; None where I - P is singular for every mu.

        **Cost:** ``degree`` + 1 exact values and one solve of that size; meant for degrees up to some dozens.
        """
        rows: list[list[Any]] = []
        nodes: list[int] = []
        singular = 0
        for node in (sign * i for i in count() for sign in ((1, -1) if i else (1,))):
            values = self.exact(Fraction(node))
            if values.gates is None:
                singular += 1
                if singular > self.degree:
                    return None
                continue
            nodes.append(node)
            one: Any = values.one
            rows.append([one, values.minus_one, values.product.det(), *(gate * one for row in values.gates for gate in row)])
            if len(nodes) > self.degree:
                break
        return self._interpolated(nodes, rows)

    def _interpolated(self, nodes: Sequence[int], rows: list[list[Any]]) -> Polynomials:
        size, width = len(nodes), len(rows[0])
        table = (_nodes_to_coefficients(tuple(nodes)) * flint.fmpq_mat(size, width, [entry for row in rows for entry in row])).tolist()
        found = [flint.fmpq_poly([table[i][j] for i in range(size)]) for j in range(width)]
        hinges = self.pieces.hinges
        gates = tuple(tuple(found[3 + t * hinges : 3 + (t + 1) * hinges]) for t in range(len(self.word)))
        return Polynomials(found[0], found[1], found[2], gates)

    def floats(self, mus: Floats) -> tuple[Floats, Floats, Floats]:
        """Return gates (n, k, hinges) and the signs of det(I - P) and det(I + P), (n), from the block system of all k points."""
        k, size = len(self.word), self.pieces.dimension
        parts = {letter: self.pieces.floats(letter, mus) for letter in dict.fromkeys(self.word)}
        system = np.tile(np.eye(k * size), (len(mus), 1, 1))
        right = np.zeros((len(mus), k * size))
        for t, letter in enumerate(self.word):
            row, column = ((t + 1) % k) * size, t * size
            system[:, row : row + size, column : column + size] -= parts[letter][:, :size, :size]
            right[:, row : row + size] += parts[letter][:, :size, size]
        one = np.linalg.slogdet(system)[0]
        turned = system.copy()
        turned[:, :size, (k - 1) * size :] -= 2 * (system[:, :size, (k - 1) * size :] - (np.eye(size) if k == 1 else 0))
        minus = np.linalg.slogdet(turned)[0]
        regular = np.isfinite(one) & (one != 0)
        points = np.full((len(mus), k, size), np.nan)
        if regular.any():
            points[regular] = np.linalg.solve(system[regular], right[regular][..., None]).reshape(-1, k, size)
        pieces = [parts[letter][:, size:] for letter in self.word]
        gates = [np.einsum("nhm,nm->nh", piece[:, :, :size], points[:, t]) + piece[:, :, size] for t, piece in enumerate(pieces)]
        return np.stack(gates, axis=1), one, minus

    def multipliers(self, mus: Floats) -> NDArray[np.complex128]:
        """Return the eigenvalues of P at each mu, (n, M), rounded."""
        size = self.pieces.dimension
        product = np.tile(np.eye(size), (len(mus), 1, 1))
        for letter in self.word:
            product = self.pieces.floats(letter, mus)[:, :size, :size] @ product
        return np.asarray(np.linalg.eigvals(product), dtype=np.complex128)


@dataclass(frozen=True)
class Polynomials:
    """det(I - P), det(I + P), det P and gate times det(I - P) for every time and hinge, as polynomials in mu."""

    one: flint.fmpq_poly
    minus_one: flint.fmpq_poly
    volume: flint.fmpq_poly
    gates: tuple[tuple[flint.fmpq_poly, ...], ...]


def moduli(matrix: NumberMatrix, bits: int = 256) -> list[float]:
    """Return |lambda| - 1 for each eigenvalue, computed with this precision before the one is taken off. **Guarantee:** heuristic."""
    product: Any = matrix
    with working_precision(bits):
        if product.nrows() == 1:
            return [float((abs(flint.arb(product[0, 0])) - 1).mid())]
        roots = flint.acb_mat(flint.arb_mat(product).mid()).eig(algorithm="approx")
        return [float((abs(root.mid()) - 1).mid()) for root in cast("list[Any]", roots)]


def as_float(value: Number) -> float:
    """Return a number, or the middle of a ball, rounded."""
    return float(value.mid()) if isinstance(value, flint.arb) else int(value.p) / int(value.q)


@cache
def _nodes_to_coefficients(nodes: tuple[int, ...]) -> flint.fmpq_mat:
    return flint.fmpq_mat(len(nodes), len(nodes), [x**i for x in nodes for i in range(len(nodes))]).inv()


@cache
def _identity(size: int) -> flint.fmpq_mat:
    return flint.fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])


def _blocks(piece: flint.fmpq_mat, size: int) -> Blocks:
    rows = piece.tolist()

    def part(chosen: list[list[flint.fmpq]], start: int, stop: int) -> flint.fmpq_mat:
        return flint.fmpq_mat(len(chosen), stop - start, [entry for row in chosen for entry in row[start:stop]])

    above, below = rows[:size], rows[size:]
    return part(above, 0, size), part(above, size, size + 1), part(below, 0, size), part(below, size, size + 1)


def _flat(piece: Piece, size: int) -> list[flint.fmpq]:
    entries: list[flint.fmpq] = []
    for left, right in ((piece.jacobian, piece.offset), (piece.gates, piece.gate_offsets)):
        for row, (last,) in zip(left.mid, right.mid, strict=True):
            entries += [flint.fmpq(row[j], left.den) for j in range(size)] + [flint.fmpq(last, right.den)]
    return entries


def _fmpq(value: Fraction) -> flint.fmpq:
    return flint.fmpq(value.numerator, value.denominator)


def _degree_and_rank(one: Network, two: Network) -> tuple[int, int]:
    """Return the degree of the pieces in mu, and the sum of the ranks of what moves.

    All registers of all times together satisfy one linear system whose part in mu has k times that rank, so by Cramer's rule k times that
    rank bounds the degree of every numerator and of det(I - P).
    """
    degrees, rank = [0], 0
    for a, b in zip(one.program, two.program, strict=True):
        degree = max(degrees[i] for i in a.of)
        if a.bias is not None and b.bias is not None and a != b:
            degree += 1
            moved = [y - x for x, y in zip((*a.matrices, a.bias), (*b.matrices, b.bias), strict=True)]
            rows = [[Fraction(v, m.den) for m in moved for v in m.mid[i]] for i in range(len(a.bias.mid))]
            rank += _rank(rows)
        degrees.append(degree)
    return max(degrees), rank


def _rank(rows: list[list[Fraction]]) -> int:
    table = Matrix.exact(rows)
    return int(flint.fmpz_mat(len(rows), len(rows[0]), [value for row in table.mid for value in row]).rank())
