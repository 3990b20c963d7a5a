"""The network with the outputs of its units set free, and what slopes in a sector say of them as a quadratic form.

With x the outputs of all relu, tanh and sigmoid units in program order, F(z) = A z + B x + c and their inputs are a = G z + E x + g.
Differences of two states obey x_j = s_j a_j without the constants, s_j in [0, 1] (in [0, 1/4] for sigmoid): x_j (limit_j a_j - x_j) >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.theorems.lifted import combined, require_room, unit_rows

if TYPE_CHECKING:
    from proofs.theorems.card import Application

MAX_SIZE = 512
_LIMITS = {"relu": Fraction(1), "tanh": Fraction(1), "sigmoid": Fraction(1, 4)}


@dataclass(frozen=True)
class Sectors:
    """Rows of F and of the units' inputs in the variables (z, x, 1). **Shapes:** M and P rows of M + P + 1, P limits."""

    image: Matrix
    inputs: Matrix
    limits: tuple[Fraction, ...]

    @property
    def has_sigmoid(self) -> bool:
        """Say whether some unit is a sigmoid."""
        return any(limit != 1 for limit in self.limits)

    def at(self, center: Matrix) -> Sectors:
        """Return the rows of F - center and of the inputs in the variables (z - center, x, 1)."""
        width = self.image.shape[1]
        moved = [
            _joined(rows.columns(0, width - 1), rows.columns(0, len(center.mid)) @ center + rows.columns(width - 1, 1))
            for rows in (self.image, self.inputs)
            if rows.mid
        ]
        shift = _joined(Matrix(((0,) * (width - 1),) * len(center.mid), None, 1), center)
        return Sectors(moved[0] - shift, moved[-1] if self.limits else self.inputs, self.limits)

    def gap(self, base: Matrix, form: Matrix, multipliers: tuple[Fraction, ...]) -> Matrix:
        """Return the symmetric matrix of base - F' form F - 2 sum L_j x_j (limit_j a_j - x_j). **Guarantee:** enclosure.

        **Shapes:** base M + P or M + P + 1 square (then with the constants), form M x M.
        """
        size, states = len(base.mid), len(form.mid)
        image = self.image.columns(0, size)
        gap = base - image.transposed() @ form @ image
        if not self.limits:
            return gap
        factors = [limit * weight for limit, weight in zip(self.limits, multipliers, strict=True)]
        scaled = self.inputs.columns(0, size).scaled_rows([Interval(factor, factor) for factor in factors])
        empty = Matrix(((0,) * size,) * states, None, 1)
        below = [Matrix(((0,) * size,) * (size - states - len(factors)), None, 1)] if size > states + len(factors) else []
        mixed = Matrix.stacked([empty, scaled, *below])
        doubled = [Fraction(0)] * states + [2 * weight for weight in multipliers] + [Fraction(0)] * (size - states - len(factors))
        return gap + diagonal(doubled) - mixed - mixed.transposed()


def sectors(step: Application, check: int) -> Sectors:
    """Return the sector form of the step's network. **Raises:** Rejected (as ``check``) for products of registers and large networks."""
    network = step.network
    step.require(check, all(op.name != "mul" for op in network.program), "a network without products of registers", "an operation mul")
    sizes = [network.dimension]
    for operation in network.program:
        sizes.append(sizes[operation.of[0]] if operation.bias is None else len(operation.bias.mid))
    units = sum(size for size, operation in zip(sizes[1:], network.program, strict=True) if operation.name in _LIMITS)
    width = network.dimension + units + 1
    step.require(check, width <= MAX_SIZE, f"at most {MAX_SIZE - 1} states and units", width - 1)
    require_room(network, width)
    registers, inputs = [unit_rows(network.dimension, 0, width)], list[Matrix]()
    limits: list[Fraction] = []
    for operation, size in zip(network.program, sizes[1:], strict=True):
        arguments = [registers[i] for i in operation.of]
        if operation.name in _LIMITS:
            registers.append(unit_rows(size, network.dimension + len(limits), width))
            inputs.append(arguments[0])
            limits += [_LIMITS[operation.name]] * size
        else:
            registers.append(combined(operation, arguments, width))
    return Sectors(registers[-1], Matrix.stacked(inputs), tuple(limits))


def diagonal(values: list[Fraction]) -> Matrix:
    """Return the diagonal matrix of these values."""
    return Matrix.exact([[value if i == j else Fraction(0) for j in range(len(values))] for i, value in enumerate(values)])


def embedded(form: Matrix, size: int, corner: Fraction) -> Matrix:
    """Return ``form`` in the upper left of a square matrix with this corner entry at the lower right, zeros elsewhere."""
    states = len(form.mid)
    rows = [[form.middle(i, j) if max(i, j) < states else Fraction(0) for j in range(size)] for i in range(size)]
    rows[-1][-1] += corner
    return Matrix.exact(rows)


def _joined(left: Matrix, right: Matrix) -> Matrix:
    return Matrix.stacked([left.transposed(), right.transposed()]).transposed()
