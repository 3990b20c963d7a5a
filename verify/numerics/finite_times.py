"""The product of the Jacobians along one orbit in FLINT balls, as the kernel will enclose it, and its singular values.

``rough_growth`` follows the orbit without radii and says what precision a product needs; ``enclosed_product`` carries radii and the
rounding of the kernel's ``bits`` through every operation. Nothing here is a proof: the kernel repeats all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, inf, log, log2

import flint

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from verify.numerics.balanced_bases import balanced_basis
from verify.numerics.precise import Numbers, PreciseNetwork, fraction_of, identity, largest, log2_above, on_grid, to_digits

_GUARD = 64
_WIDE = 0  # log2 of the radius of a state at which the enclosure is given up
_SINGULAR = 0.5  # of the working precision: a direction shorter than this by a factor of 2**bits counts as lost
_BASIS_BITS = 3  # what the counts lose in a basis
_MARGIN = 8  # bits between a pivot and what is known of it
_FEW = 16
_PLAIN = 512  # bits up to which the columns of the product itself will do
_SAVED = 0.8  # of the bits: a basis that saves less is not worth its place in a certificate
_LOST = 16  # bits a step more where directions are mapped to 0, so that their bound is far down
_NOISE = 2  # log2 of what rounding adds to an entry in an operation, in units of 2**-bits


class BorderError(ArithmeticError):
    """The enclosure of the orbit touches a border of a relu, or grew too wide; the argument is the step, from 1."""


@dataclass(frozen=True)
class Growth:
    """Sums of log2 |R_ii| of the QR factors along an orbit, and how many directions no step maps to 0. **Guarantee:** heuristic."""

    logs: tuple[float, ...]
    rank: int
    room: int  # log2 of how large the product becomes on the way, about
    steps: int

    def first_bits(self, wanted: int, most: int) -> int:
        """Return a precision to begin with for the ``wanted`` largest singular values."""
        turned = self.needs_basis(wanted)
        return min(most, self._bits(wanted, turned=turned))

    def needs_basis(self, wanted: int) -> bool:
        """Say whether a basis near the singular vectors saves many of very many bits."""
        plain = self._bits(wanted, turned=False)
        return self.rank >= wanted and plain > _PLAIN and self._bits(wanted, turned=True) < _SAVED * plain

    def _bits(self, wanted: int, *, turned: bool) -> int:
        known = sorted((value for value in self.logs if value > -inf), reverse=True)[:wanted]
        top, bottom = (min(0.0, known[0]), min(0.0, known[-1])) if known else (0.0, 0.0)
        lost = _LOST * self.steps if self.rank < wanted else 0
        return _GUARD + int(max(0, self.room) + max(0.0, -bottom if turned else top - 2 * bottom)) + lost


@dataclass(frozen=True, eq=False)
class Product:
    """Balls that hold J_(T-1) .. J_0, as wide as the kernel's at ``bits``, up to a small factor. **Guarantee:** heuristic."""

    numbers: Numbers
    bits: int
    steps: int
    top: int  # log2 of the largest entry, rounded up
    turned: bool = False  # the exponents are counted in a basis near the right singular vectors

    @property
    def error(self) -> int:
        """Return log2 of the largest radius, rounded up."""
        return max(log2_above(entry.rad()) for entry in self.numbers.entries())

    def blur(self, square: float = -inf) -> int:
        """Return log2 of how far P'P is known where its eigenvalues are about 2**``square`` (in a basis; without one, anywhere)."""
        error = max(self.error, -self.bits)
        length = error + _BASIS_BITS if square == -inf else ceil(square / 2)
        scale = max(length, self.error) if self.turned else max(self.top, self.error)
        return error + scale + 2 * self.numbers.nrows().bit_length() + _BASIS_BITS * self.turned

    @cached_property
    def basis(self) -> Matrix | None:
        """Return the basis V for the counts. **Guarantee:** heuristic."""
        if not self.turned:
            return None
        with flint.ctx.workprec(2 * _GUARD + self.top - min(self.top, self.error)):
            return balanced_basis(self.numbers.mid(), self.error)

    @cached_property
    def exponents(self) -> list[Fraction | None]:
        """Return (1/T) log s, s the middle's singular values, largest first; None for s within the radius. **Guarantee:** heuristic."""
        with flint.ctx.workprec(2 * (self.bits + max(0, self.top)) + _GUARD):
            middle = self.numbers.mid()
            squares = flint.acb_mat((middle.transpose() * middle).mid()).eig(algorithm="approx") if middle.nrows() > 1 else None
            values = [middle[0, 0] ** 2] if squares is None else [value.real.mid() for value in squares]
            lost = 2 * (self.error + len(values).bit_length())
            values.sort(key=lambda value: (log2_above(value), value.mid()), reverse=True)
            return [fraction_of(value.log() / (2 * self.steps)) if value > 0 and log2_above(value) > lost else None for value in values]

    def matrix(self) -> Matrix:
        """Return the product as the kernel's intervals over 2**bits, radii rounded up to powers of 2."""
        size, entries = self.numbers.nrows(), self.numbers.entries()
        middles = [int(on_grid(entry, self.bits) * (1 << self.bits)) for entry in entries]
        radii = [1 << max(1, log2_above(entry.rad()) + self.bits + 1) for entry in entries]
        rows = range(0, size * size, size)
        return Matrix(tuple(tuple(middles[i : i + size]) for i in rows), tuple(tuple(radii[i : i + size]) for i in rows), 1 << self.bits)


def missing_bits(product: Product, growth: Growth, wanted: int, width: float) -> int:
    """Return how many more bits the ``wanted`` largest exponents need to be told within ``width``; 0 or less where they do not."""
    exponents = product.exponents
    count = min(wanted, growth.rank)
    if count == 0:
        return 0
    value = exponents[count - 1]
    rough = sorted(growth.logs, reverse=True)[count - 1]
    square = 2 * rough - _FEW if value is None else 2 * product.steps * float(value) / log(2)
    missing = product.blur(square) + _MARGIN - floor(square + log2(min(1.0, product.steps * width)))
    return max(_GUARD, missing) if value is None else missing


def rough_growth(networks: Sequence[Network], order: Sequence[int], start: Sequence[Fraction]) -> Growth:
    """Follow the orbit of ``start`` with QR of the tangents at some hundred bits. **Shapes:** start (M,), order (T,), symbols from 0.

    **Raises:** BorderError where a state is not finite. **Cost:** M^3 products a step.
    """
    bits = 2 * _GUARD + 2 * len(order)
    with flint.ctx.workprec(bits):
        precise = {number: PreciseNetwork(networks[number]) for number in set(order)}
        point, frame = _column(start), identity(len(start))
        sums, lost, room = [0.0] * len(start), set[int](), 0.0
        for step, number in enumerate(order, 1):
            point, jacobian = precise[number].linearised(point)
            frame, lengths = _orthogonal((jacobian * frame).mid())
            if not all(entry.is_finite() for entry in point.entries()):
                raise BorderError(step)
            least = max(lengths) - _SINGULAR * bits
            lost |= {i for i, length in enumerate(lengths) if length <= least}
            sums = [total + length for total, length in zip(sums, lengths, strict=True)]
            room = max(room, *sums)
    return Growth(tuple(-inf if i in lost else total for i, total in enumerate(sums)), len(start) - len(lost), ceil(room), len(order))


def enclosed_product(
    networks: Sequence[Network], order: Sequence[int], start: Sequence[Fraction], bits: int, room: int, *, turned: bool = False
) -> Product:
    """Enclose the product of the Jacobians along the orbit of ``start``, with the roundings that the kernel makes at ``bits``.

    ``room``: log2 of how large its entries may become; ``turned``: its exponents are to be counted in a basis.
    **Guarantee:** heuristic (the kernel encloses it itself).
    **Raises:** BorderError: the enclosure meets a border of a relu, or is wider than a unit, at that step.
    """
    with flint.ctx.workprec(bits + max(0, room) + _GUARD):
        balls = {number: _Balls(networks[number], bits) for number in set(order)}
        point, product = _column(start), identity(len(start))
        for step, number in enumerate(order, 1):
            enclosed = balls[number].tangent(point)
            if enclosed is None:
                raise BorderError(step)
            point, jacobian = enclosed
            product = balls[number].blurred(jacobian * product)
            if any(not entry.is_finite() or log2_above(entry.rad()) > _WIDE for entry in point.entries()):
                raise BorderError(step)
        return Product(product, bits, len(order), largest(product), turned)


def short_exp(value: Fraction, bits: int) -> Fraction:
    """Return a rational of ``bits`` significant bits next to exp(value). **Guarantee:** heuristic."""
    with flint.ctx.workprec(bits + _GUARD):
        return to_digits((flint.arb(flint.fmpz(value.numerator)) / value.denominator).exp(), bits)


class _Balls:
    """A network in balls; every result is widened by what the kernel's rounding may add to an entry."""

    def __init__(self, network: Network, bits: int) -> None:
        self._program = [(one, [_balls(matrix) for matrix in one.matrices], _bias(one)) for one in network.program]
        self._noise = flint.arb(0, flint.arb(2) ** (_NOISE - bits))
        self._known: dict[tuple[int, int], Numbers] = {}
        self._identity = identity(network.dimension)

    def blurred(self, matrix: Numbers) -> Numbers:
        """Widen every entry."""
        shape = (matrix.nrows(), matrix.ncols())
        if shape not in self._known:
            self._known[shape] = Numbers(*shape, [self._noise] * (shape[0] * shape[1]))
        return matrix + self._known[shape]

    def tangent(self, point: Numbers) -> tuple[Numbers, Numbers] | None:
        """Enclose F and DF over a point in balls; None where a relu may be at its border."""
        values, slopes = [point], [self._identity]
        for operation, matrices, bias in self._program:
            pair = self._step(operation, matrices, bias, [(values[i], slopes[i]) for i in operation.of])
            if pair is None:
                return None
            values.append(self.blurred(pair[0]))
            slopes.append(self.blurred(pair[1]))
        return values[-1], slopes[-1]

    def _step(
        self, operation: Operation, matrices: list[Numbers], bias: Numbers | None, arguments: list[tuple[Numbers, Numbers]]
    ) -> tuple[Numbers, Numbers] | None:
        (one, left), (two, right) = arguments[0], arguments[-1]
        if bias is not None:
            value = sum((matrix * argument for matrix, (argument, _) in zip(matrices, arguments, strict=True)), start=bias)
            terms = [matrix * tangent for matrix, (_, tangent) in zip(matrices, arguments, strict=True)]
            return value, sum(terms[1:], start=terms[0])
        if operation.name == "add":
            return one + two, left + right
        if operation.name == "mul":
            return _rows_times(one, two), _rows_times(two, left) + _rows_times(one, right)
        pairs = [_curve(operation.name, entry) for entry in one.entries()]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            return None
        columns = [Numbers(len(known), 1, [pair[part] for pair in known]) for part in (0, 1)]
        return columns[0], _rows_times(columns[1], left)


def _curve(name: str, value: flint.arb) -> tuple[flint.arb, flint.arb] | None:
    """Return output and slope; None for a relu whose sign is open."""
    if name == "relu":
        return (value, flint.arb(1)) if value > 0 else (flint.arb(0), flint.arb(0)) if value < 0 else None
    if name == "tanh":
        output = value.tanh()
        return output, 1 - output * output
    output = 1 / (1 + (-value).exp())
    return output, output * (1 - output)


def _rows_times(column: Numbers, matrix: Numbers) -> Numbers:
    factors, columns = column.entries(), matrix.ncols()
    return Numbers(matrix.nrows(), columns, [factors[i // columns] * entry for i, entry in enumerate(matrix.entries())])


def _orthogonal(matrix: Numbers) -> tuple[Numbers, list[float]]:
    """Return orthonormal columns and log2 of the lengths that Gram-Schmidt finds; a column that vanishes becomes 0, its length -inf."""
    size, columns, lengths = matrix.nrows(), list[list[flint.arb]](), list[float]()
    for number in range(size):
        column = [matrix[i, number] for i in range(size)]
        for other in columns:
            part = _dot(other, column)
            column = [(x - part * y).mid() for x, y in zip(column, other, strict=True)]
        length = _dot(column, column).sqrt().mid()
        exponent = log2_above(length)
        known = length > 0 and length.is_finite()
        lengths.append(exponent + log2(float(length * flint.arb(2) ** -exponent)) if known else -inf)
        columns.append([(x / length).mid() if known else flint.arb(0) for x in column])
    return Numbers(size, size, [columns[j][i] for i in range(size) for j in range(size)]), lengths


def _dot(one: list[flint.arb], two: list[flint.arb]) -> flint.arb:
    return sum((x * y for x, y in zip(one, two, strict=True)), start=flint.arb(0)).mid()


def _column(point: Sequence[Fraction]) -> Numbers:
    return Numbers(len(point), 1, [flint.arb(flint.fmpz(x.numerator)) / x.denominator for x in point])


def _balls(matrix: Matrix) -> Numbers:
    rows, columns = matrix.shape
    radii = matrix.rad or ((0,) * columns,) * rows
    entries = [
        flint.arb(m, r) / matrix.den for row, spread in zip(matrix.mid, radii, strict=True) for m, r in zip(row, spread, strict=True)
    ]
    return Numbers(rows, columns, entries)


def _bias(operation: Operation) -> Numbers | None:
    return None if operation.bias is None else _balls(operation.bias)
