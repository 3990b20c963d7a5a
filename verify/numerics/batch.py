"""A network in float64, run on whole batches of states at once: the fast and unproved twin of ``proofs.network``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Matrix
from proofs.network import Network

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class FloatOperation:
    """One line of the program with its matrices as arrays; ``matrices`` and ``bias`` are empty unless it is affine."""

    name: str
    of: tuple[int, ...]
    matrices: tuple[Floats, ...]
    bias: Floats


@dataclass(frozen=True)
class Slope:
    """The derivative of one register with respect to the state, kept in factored form: diag(factor) @ matrix.

    **Shapes:** factor (B, n) or None for ones; matrix (n, M) shared by the batch, (B, n, M), or None for the identity.
    """

    factor: Floats | None
    matrix: Floats | None

    def under(self, weights: Floats) -> Floats:
        """Return weights @ slope, of shape (rows, M) where nothing in it depends on the batch, else (B, rows, M)."""
        if self.factor is None:
            return weights if self.matrix is None else np.asarray(np.matmul(weights, self.matrix))
        if self.matrix is not None and self.matrix.ndim > 2:  # noqa: PLR2004 - one axis more than a matrix
            return np.asarray(np.matmul(weights, self.matrix * self.factor[:, :, None]))
        scaled = weights * self.factor[:, None, :]
        return scaled if self.matrix is None else np.asarray(np.matmul(scaled, self.matrix))

    def times(self, factor: Floats) -> Slope:
        """Return diag(factor) @ slope."""
        return Slope(factor if self.factor is None else self.factor * factor, self.matrix)

    def dense(self, dimension: int) -> Floats:
        """Return the slope as one array, (n, M) or (B, n, M)."""
        matrix = np.eye(dimension) if self.matrix is None else self.matrix
        return matrix if self.factor is None else self.factor[:, :, None] * matrix


class FloatNetwork:
    """F on batches of points, its patterns, its affine pieces and its Jacobians.

    **Shapes:** a batch of states is (B, M), of patterns (B, hinges).
    **Guarantee:** heuristic: rounded to nearest, weights read at their middles.
    **Cost:** one pass over the program a call; a piece costs one product with the batch for each affine operation on a hidden layer.
    """

    def __init__(self, network: Network) -> None:
        self.dimension = network.dimension
        self.is_piecewise_linear = network.is_piecewise_linear
        self.program = tuple(
            FloatOperation(
                operation.name,
                operation.of,
                tuple(floats_of(matrix) for matrix in operation.matrices),
                floats_of(operation.bias)[:, 0] if operation.bias is not None else np.empty(0),
            )
            for operation in network.program
        )
        self.sizes = self._sizes()
        self.hinges = sum(self.sizes[line] for line, operation in enumerate(self.program, 1) if operation.name == "relu")

    def step(self, Z: Floats) -> Floats:
        """Return F of each state."""
        return self._values(Z, None)[0][-1]

    def gates(self, Z: Floats) -> Floats:
        """Return the pre-activation of every hinge, (B, hinges)."""
        return self._stack(self._values(Z, None)[1], len(Z))

    def patterns(self, Z: Floats) -> Bools:
        """Return which pre-activations are positive, (B, hinges)."""
        return np.greater(self.gates(Z), 0.0)

    def trace(self, Z: Floats) -> tuple[Floats, Floats]:
        """Return F and the pre-activations of every hinge from one pass."""
        registers, gates = self._values(Z, None)
        return registers[-1], self._stack(gates, len(Z))

    def pieces(self, patterns: Bools) -> tuple[Floats, Floats]:
        """Return for each pattern the affine map J z + q that F is on its region, J (B, M, M) and q (B, M).

        The pattern need not be one that any state has.
        """
        masks = self._split(patterns)
        offsets = self._values(np.zeros((len(patterns), self.dimension)), masks)[0][-1]
        return self._slopes([], masks, len(patterns)), offsets

    def piece_gates(self, Z: Floats, patterns: Bools) -> Floats:
        """Return the pre-activations that each state would have if the hinges were as its pattern says, (B, hinges)."""
        return self._stack(self._values(Z, self._split(patterns))[1], len(Z))

    def jacobian(self, Z: Floats) -> Floats:
        """Return DF at each state, (B, M, M); at a kink the slope of relu is 0."""
        registers, gates = self._values(Z, None)
        masks = [np.where(gate > 0.0, 1.0, 0.0) for gate in gates]
        return self._slopes(registers, masks, len(Z))

    def linearise(self, Z: Floats) -> tuple[Floats, Floats]:
        """Return J = DF and q = F(z) - J z at each state: the tangent map."""
        J = self.jacobian(Z)
        return J, self.step(Z) - np.matmul(J, Z[:, :, None])[:, :, 0]

    @cached_property
    def live(self) -> Bools:
        """Say for each hinge whether a path of nonzero weights leads from it to the next state; only those change a piece."""
        live = [np.zeros(size, dtype=bool) for size in self.sizes]
        live[-1][:] = True
        hinges: list[Bools] = []
        for line in range(len(self.program), 0, -1):
            operation = self.program[line - 1]
            for place, register in enumerate(operation.of):
                reached = np.any(operation.matrices[place][live[line]] != 0.0, axis=0) if operation.name == "affine" else live[line]
                live[register] = live[register] | reached
            if operation.name == "relu":
                hinges.insert(0, live[line])
        return np.concatenate([np.zeros(0, dtype=bool), *hinges])

    def _sizes(self) -> list[int]:
        sizes = [self.dimension]
        for operation in self.program:
            sizes.append(len(operation.bias) if operation.name == "affine" else sizes[operation.of[0]])
        return sizes

    def _split(self, patterns: Bools) -> list[Floats]:
        masks: list[Floats] = []
        first = 0
        for line, operation in enumerate(self.program, 1):
            if operation.name == "relu":
                masks.append(patterns[:, first : first + self.sizes[line]].astype(np.float64))
                first += self.sizes[line]
        return masks

    def _stack(self, gates: list[Floats], batch: int) -> Floats:
        return gates[0] if len(gates) == 1 else np.concatenate([np.empty((batch, 0)), *gates], axis=1)

    def _values(self, Z: Floats, masks: list[Floats] | None) -> tuple[list[Floats], list[Floats]]:
        """Run the program; with masks each relu multiplies by its mask instead of cutting at zero."""
        registers: list[Floats] = [Z]
        gates: list[Floats] = []
        for operation in self.program:
            inputs = [registers[register] for register in operation.of]
            if operation.name == "affine":
                registers.append(_combination(operation, inputs))
            elif operation.name == "relu":
                registers.append(np.maximum(inputs[0], 0.0) if masks is None else inputs[0] * masks[len(gates)])
                gates.append(inputs[0])
            elif operation.name == "tanh":
                registers.append(np.tanh(inputs[0]))
            elif operation.name == "sigmoid":
                registers.append(0.5 * (1.0 + np.tanh(0.5 * inputs[0])))
            else:
                registers.append(inputs[0] * inputs[1] if operation.name == "mul" else inputs[0] + inputs[1])
        return registers, gates

    def _slopes(self, registers: list[Floats], masks: list[Floats], batch: int) -> Floats:
        """Differentiate the program forwards; ``registers`` are read for tanh, sigmoid and mul only."""
        slopes = [Slope(None, None)]
        units = iter(masks)
        for line, operation in enumerate(self.program, 1):
            inputs = [slopes[register] for register in operation.of]
            if operation.name == "affine":
                terms = [slope.under(weights) for slope, weights in zip(inputs, operation.matrices, strict=True)]
                slopes.append(Slope(None, _total(terms)))
            elif operation.name == "relu":
                slopes.append(inputs[0].times(next(units)))
            elif operation.name in {"tanh", "sigmoid"}:
                slopes.append(inputs[0].times(_derivative(operation.name, registers[line])))
            else:
                slopes.append(Slope(None, self._pair(operation, inputs, registers)))
        return np.array(np.broadcast_to(slopes[-1].dense(self.dimension), (batch, self.dimension, self.dimension)))

    def _pair(self, operation: FloatOperation, inputs: list[Slope], registers: list[Floats]) -> Floats:
        if operation.name == "mul":
            inputs = [slope.times(registers[other]) for slope, other in zip(inputs, reversed(operation.of), strict=True)]
        return _total([slope.dense(self.dimension) for slope in inputs])


def floats_of(matrix: Matrix) -> Floats:
    """Return the middles of a matrix as float64."""
    return np.array([[value / matrix.den for value in row] for row in matrix.mid], dtype=np.float64)


def _combination(operation: FloatOperation, inputs: list[Floats]) -> Floats:
    total: Floats = operation.bias + inputs[0] @ operation.matrices[0].T
    for weights, register in zip(operation.matrices[1:], inputs[1:], strict=True):
        total += register @ weights.T
    return total


def _total(terms: list[Floats]) -> Floats:
    total = terms[0]
    for term in terms[1:]:
        total = total + term  # shapes may differ: not in place
    return total


def _derivative(name: str, output: Floats) -> Floats:
    return np.asarray(1.0 - output * output if name == "tanh" else output * (1.0 - output))
