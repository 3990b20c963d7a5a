"""D8 ``finite_time``. Finite-time Lyapunov exponents of one orbit, driven or not.

Statement   for the orbit of z over T steps (step t with the t-th stated input): of the M numbers (1/T) log s, s the singular values of
            DF^T(z), n_i lie below log c_i and the others above.
Witness     start: z, a rational point; rates 0 < c_1 < c_2 < ..; bits; steps: T, or symbols (as in driven_graph) and inputs: the symbol
            of each step, from 0 (with radii: each input within them); optionally basis: a rational M x M matrix V (without: I).
Checks      1  T is between 1 and 2^16; the rates are positive and increase; the symbols fit
            2  the enclosure of the orbit meets no border of a relu at any step, so that DF^T(z) is the product of the J_t
            3  V has no radii; (PV)'(PV) - c_i^(2T) V'V has pivots of definite signs, P the enclosure of J_(T-1)..J_0; n_i are negative
Fails when  an exponent equals log c_i; bits do not resolve c_i^T or the growth of the errors over T steps; the orbit touches a border.
Rests on    the eigenvalues of P'P are the squares of the singular values; Sylvester's law of inertia: V'(P'P - c^(2T) I)V has the
            inertia of P'P - c^(2T) I if V is invertible. If Vx = 0 for an x other than 0, V'(..)V is singular, hence has no M pivots that
            are not 0: check 3 fails for every singular V.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.exponents import FiniteTime
from proofs.inertia import pivot_signs
from proofs.theorems.card import MAX_NUMBER_BITS
from proofs.theorems.symbols import read_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network
    from proofs.theorems.card import Application

MAX_STEPS = 2**16


def check(step: Application) -> FiniteTime:
    """Verify one application; see the card above."""
    bits, size = step.needed_bits(), step.network.dimension
    driven = step.witness.has("symbols")
    symbols, networks = read_symbols(step) if driven else ((), (step.network,))
    inputs = step.witness.integers("inputs", 0, len(networks) - 1) if driven else ()
    steps = len(inputs) if driven else step.witness.integer("steps", 1, MAX_STEPS)
    step.require(1, 0 < steps <= MAX_STEPS, f"from 1 to {MAX_STEPS} steps", steps)
    start, rates = step.witness.numbers("start"), step.witness.numbers("rates")
    step.require(1, len(start) == size, f"a point of {size} coordinates", len(start))
    ordered = len(rates) > 0 and rates[0] > 0 and all(low < high for low, high in pairwise(rates))
    step.require(1, ordered, "one or more positive rates in increasing order", rates)
    step.require_short_column(1, (*start, *rates))
    length = 2 * steps * max(max(rate.numerator.bit_length(), rate.denominator.bit_length()) for rate in rates)
    step.require(1, length <= MAX_NUMBER_BITS, f"powers of at most {MAX_NUMBER_BITS} bits", length, "rates with short numbers")
    step.require_work(2, steps * (3 * step.network.products + size**3), bits)
    product = _product(step, [networks[i] for i in inputs] or [networks[0]] * steps, Matrix.column(start), bits)
    square, plain = _squares(step, product, len(rates), bits)
    counts: list[int] = []
    for number, rate in enumerate(rates, 1):
        shift = plain.times(rate ** (2 * steps)).rounded(2 * bits)
        signs = pivot_signs(square - shift, 2 * bits)
        definite = len(signs) == size and all(signs)
        step.require(3, definite, f"pivots of definite signs for rate {number}", "one that may be 0", "other rates, or more bits")
        counts.append(signs.count(-1))
    return FiniteTime(start, steps, symbols, inputs, rates, tuple(counts))


def _squares(step: Application, product: Matrix, rates: int, bits: int) -> tuple[Matrix, Matrix]:
    """Return (PV)'(PV) and V'V."""
    size, given = len(product.mid), step.witness.has("basis")
    basis = step.witness.matrix("basis", (size, size)) if given else Matrix.identity(size)
    step.require(3, basis.is_exact, "a basis without radii", "radii")
    step.require_short_entries(3, basis)
    step.require_work(3, (2 + rates) * size**3, 2 * (bits + product.longest + basis.longest))
    image = (product @ basis).rounded(bits) if given else product
    return image.transposed() @ image, basis.transposed() @ basis


def _product(step: Application, networks: Sequence[Network], point: Matrix, bits: int) -> Matrix:
    """Enclose J_(T-1)..J_0 along the orbit of ``point`` (check 2)."""
    product, bends = Matrix.identity(len(point.mid)), step.network.hinges > 0
    for time, network in enumerate(networks, 1):
        law = f"no border inside the enclosure of the orbit at step {time}"
        signed = not bends or network.pattern(point, bits) is not None
        step.require(2, signed, law, "one it may touch", "more bits, or another start")
        point, jacobian = network.tangent(point, bits)
        product = (jacobian @ product).rounded(bits)
        step.require_short_entries(2, product)
        step.require_short_entries(2, point)
    return product
