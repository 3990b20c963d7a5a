"""D4 ``volume``. The sum of all Lyapunov exponents, and how many are -infinity, from determinants alone.

Statement   along every orbit of F (every orbit that stays in the box low <= z <= high) each average of log |det DF| lies in [log low,
            log high], log 0 = -infinity, and so does the sum of its exponents where they exist; at least M - r of them are -infinity.
Witness     low, high: a box, or neither; bits: working precision.
Checks      1  the box is nonempty; at most 256 states
            2  piecewise linear with at most 12 live hinges, no box: |det J| of every pattern
            3  otherwise, from the last operation back to the state: a relu, tanh or sigmoid of M units contributes its slopes, a square
               matrix of one register its |det|, anything else the |det| of the enclosed Jacobian, found by elimination
            4  r is the rank of all matrices that read the state together (M if anything else reads it, a weight has a radius, or their
               numbers are long)
Fails when  a Jacobian may be singular and is enclosed, not exact, as it is where numbers are long: take a smaller box; the network has
            products and no box is given.
Rests on    det of a product is the product of the determinants; rank J_(t-1)..J_0 <= r.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval
from proofs.exponents import VolumeBounds
from proofs.network import Network, Operation
from proofs.theorems.boxes import MAX_STATES, enclosing, read_sides
from proofs.theorems.determinant import MAX_EXACT_BITS, absolute_determinant
from proofs.theorems.elimination import is_singular_modulo, rank
from proofs.theorems.exponent_bounds import MAX_WIDTH
from proofs.theorems.lifted import full_pattern, live_hinges

if TYPE_CHECKING:
    from proofs.arithmetic import Matrix
    from proofs.theorems.card import Application

_UNITS = {"relu", "tanh", "sigmoid"}
_ONE = Interval(Fraction(1), Fraction(1))


def check(step: Application) -> VolumeBounds:
    """Verify one application; see the card above."""
    network, bits = step.network, step.needed_bits()
    size = network.dimension
    step.require(1, size <= MAX_STATES, f"at most {MAX_STATES} states", size)
    sides = read_sides(step) if step.witness.has("low") else ()
    box = enclosing(sides) if sides else None
    few = network.is_piecewise_linear and box is None and len(live_hinges(network)) <= MAX_WIDTH
    found = _by_patterns(step, bits) if few else _backwards(step, network, box, bits)
    step.require(3, found.lo >= 0, "a lower bound that is not negative", found.lo)
    step.require_short(3, found.lo)
    step.require_short(3, found.hi)
    low, high = tuple(low for low, _ in sides), tuple(high for _, high in sides)
    return VolumeBounds(found.lo, found.hi, _rank(network), size, low, high)


def _by_patterns(step: Application, bits: int) -> Interval:
    network = step.network
    live = live_hinges(network)
    step.require_work(2, 2 ** len(live) * (network.products + network.dimension**3), bits)
    pieces = (network.piece(full_pattern(live, "".join(letters), network.hinges)) for letters in product("01", repeat=len(live)))
    values = [_determinant(step, 2, piece.jacobian, bits) for piece in pieces]
    return Interval(min(value.lo for value in values), max(value.hi for value in values))


def _backwards(step: Application, network: Network, box: Matrix | None, bits: int) -> Interval:
    """Enclose |det| of the Jacobian of a program over a box (over all states without one)."""
    step.require_work(3, len(network.program) * (network.products + network.dimension**3), bits)
    size, total, register = network.dimension, _ONE, len(network.program)
    while register:
        operation = network.program[register - 1]
        before = operation.of[0]
        one_matrix = operation.bias is not None and len(operation.of) == 1
        if _size(network, before) != size or not (one_matrix or operation.name in _UNITS):
            inner = Network(size, network.program[:register])
            return _product(total, _determinant(step, 3, inner.jacobian(box, bits), bits), bits)
        if one_matrix:
            total = _product(total, _determinant(step, 3, operation.matrices[0], bits), bits)
        else:
            values = box if box is None or not before else Network(size, network.program[:before]).image(box, bits)
            slopes = Network(size, (Operation(operation.name, (0,)),)).jacobian(values, bits)
            for i in range(size):
                slope = slopes.interval(i, i)  # never negative, but rounding outward does not know that
                total = _product(total, Interval(max(Fraction(0), slope.lo), slope.hi), bits)
        register = before
    return total


def _size(network: Network, register: int) -> int:
    """Return how many numbers a register holds."""
    while register and network.program[register - 1].bias is None:
        register = network.program[register - 1].of[0]
    bias = network.program[register - 1].bias if register else None
    return network.dimension if bias is None else len(bias.mid)


def _determinant(step: Application, check: int, matrix: Matrix, bits: int) -> Interval:
    found = absolute_determinant(matrix, bits)
    step.require(check, found is not None, "a Jacobian that elimination shows to be nonsingular", "not proved", "a smaller box")
    return found or _ONE


def _product(one: Interval, two: Interval, bits: int) -> Interval:
    """Multiply intervals of nonnegative numbers, keeping about ``bits`` digits of each end."""
    low, high = one.lo * two.lo, one.hi * two.hi
    return Interval(_cut(low, bits), -_cut(-high, bits))


def _cut(value: Fraction, bits: int) -> Fraction:
    """Round down to about ``bits`` leading binary digits; a short number stays as it is."""
    shift = bits + value.denominator.bit_length() - value.numerator.bit_length()
    if value.denominator.bit_length() + value.numerator.bit_length() <= 2 * bits:
        return value
    scaled = value * 2**shift if shift >= 0 else value / 2**-shift
    floor = scaled.numerator // scaled.denominator
    return Fraction(floor, 2**shift) if shift >= 0 else Fraction(floor * 2**-shift)


def _rank(network: Network) -> int:
    """Return the rank of all matrices that read the state; M where it is not lower or the numbers are too long to tell."""
    readers = [operation for operation in network.program if 0 in operation.of]
    if any(operation.bias is None for operation in readers) or not network.is_exact:
        return network.dimension
    pairs = [pair for operation in readers for pair in zip(operation.of, operation.matrices, strict=True)]
    rows = [row for register, matrix in pairs if register == 0 for row in matrix.mid]
    longest = max(abs(value) for row in rows for value in row).bit_length()
    if longest * len(rows) > MAX_EXACT_BITS or (len(rows) == network.dimension and not is_singular_modulo(rows)):
        return network.dimension
    return rank(rows)
