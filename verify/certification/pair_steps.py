"""From a complex pair of multipliers near the unit circle to the numbers that card ``complex_pair`` asks for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Matrix
from proofs.grammar import write_number
from proofs.theorems.complex_pair import Pair
from verify.certification.draft import spelled_rows
from verify.certification.fold_steps import is_falling
from verify.errors import NotFound
from verify.numerics.balls import SingularError, approximate_inverse
from verify.numerics.batch import floats_of

if TYPE_CHECKING:
    from verify.events import Event, Word
    from verify.numerics.batch import Floats
    from verify.paths import Path

MOST_STEPS = 60
SPARE = 24  # bits between the error of the enclosure and the working precision
SLACK = 3  # how many times farther than the pair moves the box reaches


def pair_witness(path: Path, event: Event, bits: int = 160, slack: int = SLACK) -> dict[str, object]:
    """Return a witness of card ``complex_pair`` for the pair whose modulus is nearest to 1 in the middle of the event's range.

    ``slack``: 2 suits ranges so long that a box may not be larger than need be, more suits long cycles, whose enclosures are coarse.
    **Guarantee:** heuristic (the kernel checks it). **Cost:** (2M + 4)^3, three times. **Raises:** NotFound where no multiplier is complex,
    Newton's method does not converge or the cycle has a multiplier 1.
    """
    middle = (event.low + event.high) / 2
    products = [_product(path, mu, event.itinerary, bits) for mu in (event.low, middle, event.high)]
    guess = _guess(event, products[1])
    try:
        pair = _settled(event, guess, products[1], bits)
        inverse = approximate_inverse(Matrix.identity(path.start.dimension) - products[1])
    except SingularError:
        raise _lost(event, "a linear system is singular: a multiplier is 1, or the pair is double") from None
    reach = max((pair.inverse @ pair.residual(product)).norm() for product in products)
    radius = _short_above(slack * reach + Fraction(1, 1 << (bits - SPARE)))
    return {
        "low": write_number(event.low),
        "high": write_number(event.high),
        "itinerary": list(event.itinerary),
        "inverse": spelled_rows(inverse),
        "basis": spelled_rows(pair.basis),
        "block": spelled_rows(pair.block),
        "right": spelled_rows(pair.right),
        "inverse_pair": spelled_rows(pair.inverse),
        "radius": write_number(radius),
        "bits": bits,
    }


def _product(path: Path, mu: Fraction, word: Word, bits: int) -> Matrix:
    """Return J_k..J_1 at mu, rounded to ``bits``."""
    network = path.at(mu)
    pieces = {letters: network.piece(letters).jacobian for letters in dict.fromkeys(word)}
    product = Matrix.identity(network.dimension)
    for letters in word:
        product = _middle((_middle(pieces[letters]) @ product).rounded(bits))
    return product


def _guess(event: Event, product: Matrix) -> Pair:
    """Return the invariant plane of the complex pair of modulus nearest to 1, from float eigenvectors.

    P (a + ib) = (x + iy)(a + ib) reads P [a b] = [a b] [[x, y], [-y, x]]; ``right`` is X (X'X)^-1, so that R'X = I.
    """
    values, vectors = np.linalg.eig(floats_of(product))
    upper = [i for i, value in enumerate(values) if value.imag > 0.0]
    if not upper:
        raise _lost(event, "all multipliers are real")
    chosen = min(upper, key=lambda i: abs(abs(values[i]) - 1.0))
    value, vector = values[chosen], vectors[:, chosen]
    basis = np.stack([vector.real, vector.imag], axis=1)
    block = np.array([[value.real, value.imag], [-value.imag, value.real]])
    right = basis @ np.linalg.inv(basis.T @ basis)
    return Pair(_exact(basis), _exact(block), _exact(right), Fraction(0), Matrix.identity(2 * len(product.mid) + 4))


def _settled(event: Event, pair: Pair, product: Matrix, bits: int) -> Pair:
    """Improve a pair by Newton steps with one inverse, and give it the inverse at its place."""
    pair, sizes = replace(pair, inverse=approximate_inverse(pair.derivative(product))), list[Fraction]()
    while len(sizes) < MOST_STEPS and is_falling(sizes, bits):
        move = pair.inverse @ pair.residual(product)
        pair = pair.moved(move, bits)
        sizes.append(move.norm())
    if sizes[-1] > Fraction(1, 1 << (bits // 2)):
        raise _lost(event, "Newton's method for the invariant plane does not converge")
    return replace(pair, inverse=approximate_inverse(pair.derivative(product)))


def _exact(table: Floats) -> Matrix:
    return Matrix.exact([[Fraction(x) for x in row] for row in table.tolist()])


def _short_above(value: Fraction) -> Fraction:
    """Return a dyadic of 8 bits or so that is at least, and almost, ``value``."""
    unit = Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length() - 8)
    return -(-value // unit) * unit


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)


def _lost(event: Event, reason: str) -> NotFound:
    where = f"complex pair in [{float(event.low):.6g}, {float(event.high):.6g}]"
    return NotFound(where=where, law="complex pair", expected="one regular complex pair of multipliers", got=reason)
