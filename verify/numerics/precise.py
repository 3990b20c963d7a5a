"""A network in FLINT numbers of hundreds or thousands of bits: its steps, its Jacobians, and Newton's method for a cycle.

Balls are replaced by their middles after every operation: nothing here is an enclosure, and the kernel checks whatever is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import flint
import numpy as np

from proofs.arithmetic import Matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from proofs.network import Network, Operation

Numbers = flint.arb_mat
_NEWTON_STEPS = 60
_FAR = 40


@dataclass(frozen=True, eq=False)
class PreciseCycle:
    """A cycle to about ``bits`` bits: points (M x 1) in order of time and the Jacobian (M x M) at each. **Guarantee:** heuristic."""

    points: tuple[Numbers, ...]
    jacobians: tuple[Numbers, ...]
    bits: int

    @property
    def period(self) -> int:
        """Return how many points there are."""
        return len(self.points)

    def rounded(self, places: int) -> list[tuple[Fraction, ...]]:
        """Return the points with coordinates rounded to multiples of 2**-places."""
        return [tuple(on_grid(entry, places) for entry in point.entries()) for point in self.points]

    def floats(self) -> NDArray[np.float64]:
        """Return the points as floats, (k, M)."""
        return np.array([[float(entry) for entry in point.entries()] for point in self.points], dtype=np.float64)


class PreciseNetwork:
    """F and its Jacobian at the precision that FLINT is set to when it is made; relu counts as open where its input is positive."""

    def __init__(self, network: Network) -> None:
        """Convert all weights (middles). **Cost:** one division a weight."""
        self.dimension = network.dimension
        self._program = [(operation, *_weights(operation)) for operation in network.program]

    def linearised(self, point: Numbers) -> tuple[Numbers, Numbers]:
        """Return F(point), M x 1, and the Jacobian there, M x M."""
        values, slopes = [point], [identity(self.dimension)]
        for operation, matrices, bias in self._program:
            arguments = [values[i] for i in operation.of]
            tangents = [slopes[i] for i in operation.of]
            if bias is not None:
                terms = [matrix * argument for matrix, argument in zip(matrices, arguments, strict=True)]
                values.append(sum(terms, start=bias).mid())
                terms = [matrix * tangent for matrix, tangent in zip(matrices, tangents, strict=True)]
                slopes.append(sum(terms[1:], start=terms[0]).mid())
            elif operation.name == "add":
                values.append((arguments[0] + arguments[1]).mid())
                slopes.append((tangents[0] + tangents[1]).mid())
            elif operation.name == "mul":
                values.append(_diagonal_times(arguments[0], arguments[1]))
                slopes.append((_diagonal_times(arguments[1], tangents[0]) + _diagonal_times(arguments[0], tangents[1])).mid())
            else:
                outputs, factors = _curve(operation.name, arguments[0])
                values.append(outputs)
                slopes.append(_diagonal_times(factors, tangents[0]))
        return values[-1], slopes[-1]


def refined_cycle(network: Network, points: NDArray[np.float64], bits: int) -> PreciseCycle | None:
    """Bring a nearly periodic float orbit to about ``bits`` bits by Newton's method on all its points at once.

    The period is reduced to the least one. **Shapes:** points (k, M). **Guarantee:** heuristic; None where Newton does not converge.
    **Cost:** about log2(bits) rounds of k Jacobians.
    """
    with flint.ctx.workprec(bits + 64):
        precise = PreciseNetwork(network)
        states = [Numbers(precise.dimension, 1, [flint.arb(float(x)) for x in point]) for point in points]
        last = False
        for _ in range(_NEWTON_STEPS):
            moved = _newton(precise, states)
            if moved is None:
                return None
            states, size = moved
            if last:
                states = states[: _least_period(states, bits // 2)]
                jacobians = tuple(precise.linearised(state)[1] for state in states)
                return PreciseCycle(tuple(states), jacobians, bits)
            last = size < -(bits // 2 + 8)
    return None


def _newton(precise: PreciseNetwork, states: Sequence[Numbers]) -> tuple[list[Numbers], int] | None:
    """Return the states after one step, and how large it was as a power of 2; None where it is singular or far too long."""
    linear = [precise.linearised(state) for state in states]
    residuals = [(image - after).mid() for (image, _), after in zip(linear, [*states[1:], states[0]], strict=True)]
    product, drift = identity(precise.dimension), Numbers(precise.dimension, 1)
    for (_, jacobian), residual in zip(linear, residuals, strict=True):
        product, drift = (jacobian * product).mid(), (jacobian * drift + residual).mid()
    try:
        shift = (identity(precise.dimension) - product).solve(drift, algorithm="approx").mid()
    except (ZeroDivisionError, ValueError):
        return None
    moved, size = [], -(2**31)
    for state, (_, jacobian), residual in zip(states, linear, residuals, strict=True):
        moved.append((state + shift).mid())
        if not all(entry.is_finite() for entry in shift.entries()):
            return None
        size = max(size, largest(shift))
        shift = (jacobian * shift + residual).mid()
    return (moved, size) if size < _FAR else None


def _least_period(states: Sequence[Numbers], bits: int) -> int:
    tiny, length = flint.arb(2) ** -bits, len(states)

    def closes(step: int) -> bool:
        return all(abs(a - b) < tiny for a, b in zip(states[0].entries(), states[step % length].entries(), strict=True))

    return next(step for step in range(1, length + 1) if length % step == 0 and closes(step))


def identity(size: int) -> Numbers:
    """Return the identity."""
    return Numbers(size, size, [int(i == j) for i in range(size) for j in range(size)])


def numbers_of(matrix: Matrix) -> Numbers:
    """Return the middles of a matrix at the precision in force."""
    rows, columns = matrix.shape
    den = flint.fmpz(matrix.den)
    return Numbers(rows, columns, [flint.arb(flint.fmpq(value, den)).mid() for row in matrix.mid for value in row])


def precisely(matrices: Sequence[Matrix], bits: int) -> tuple[Numbers, ...]:
    """Return the middles of matrices to ``bits`` bits; equal ones are converted once."""
    with flint.ctx.workprec(bits):
        known = {id(matrix): numbers_of(matrix) for matrix in matrices}
        return tuple(known[id(matrix)] for matrix in matrices)


def matrix_of(numbers: Numbers, places: int) -> Matrix:
    """Return the middles rounded to multiples of 2**-places (>= 0) as an exact matrix."""
    columns, whole = numbers.ncols(), [_whole(entry, places) for entry in numbers.entries()]
    rows = tuple(tuple(whole[i : i + columns]) for i in range(0, len(whole), columns))
    return Matrix(rows, None, 1 << places).reduced()


def fraction_of(value: flint.arb) -> Fraction:
    """Return the middle of a ball, exactly."""
    mantissa, exponent = value.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def on_grid(value: flint.arb, bits: int) -> Fraction:
    """Return the middle of a ball rounded to a multiple of 2**-bits (``bits`` may be negative)."""
    whole = _whole(value, bits)
    return Fraction(whole, 1 << bits) if bits >= 0 else Fraction(whole << -bits)


def _whole(value: flint.arb, bits: int) -> int:
    """Return the whole number nearest to the middle times 2**bits."""
    mantissa, exponent = (int(part) for part in value.mid().man_exp())
    shift = exponent + bits
    return mantissa << shift if shift >= 0 else ((mantissa >> (-shift - 1)) + 1) >> 1


def to_digits(value: flint.arb, bits: int) -> Fraction:
    """Return the middle of a ball, not 0, rounded to ``bits`` significant bits."""
    mantissa, _ = value.mid().man_exp()
    return on_grid(value, bits - log2_above(value) if mantissa else bits)


def log2_above(value: flint.arb) -> int:
    """Return the least whole number e with |middle| < 2**e; far below 0 for 0."""
    mantissa, exponent = value.mid().man_exp()
    return int(abs(mantissa).bit_length() + exponent) if mantissa else -(2**31)


def largest(matrix: Numbers) -> int:
    """Return ``log2_above`` of the largest entry."""
    return max(log2_above(entry) for entry in matrix.entries())


def _weights(operation: Operation) -> tuple[list[Numbers], Numbers | None]:
    return [numbers_of(matrix) for matrix in operation.matrices], None if operation.bias is None else numbers_of(operation.bias)


def _diagonal_times(column: Numbers, matrix: Numbers) -> Numbers:
    rows, columns = matrix.nrows(), matrix.ncols()
    factors, entries = column.entries(), matrix.entries()
    return Numbers(rows, columns, [(factors[i // columns] * entry).mid() for i, entry in enumerate(entries)])


def _curve(name: str, inputs: Numbers) -> tuple[Numbers, Numbers]:
    """Return outputs and slopes of relu, tanh or sigmoid."""
    apply: dict[str, Callable[[flint.arb], tuple[flint.arb, flint.arb]]] = {"relu": _relu, "tanh": _tanh, "sigmoid": _sigmoid}
    pairs = [apply[name](entry) for entry in inputs.entries()]
    return Numbers(len(pairs), 1, [one for one, _ in pairs]), Numbers(len(pairs), 1, [two for _, two in pairs])


def _relu(value: flint.arb) -> tuple[flint.arb, flint.arb]:
    return (value, flint.arb(1)) if value > 0 else (flint.arb(0), flint.arb(0))


def _tanh(value: flint.arb) -> tuple[flint.arb, flint.arb]:
    output = value.tanh().mid()
    return output, (value.sech() ** 2).mid()


def _sigmoid(value: flint.arb) -> tuple[flint.arb, flint.arb]:
    output = (1 / (1 + (-value).exp())).mid()
    return output, (output / (1 + value.exp())).mid()
