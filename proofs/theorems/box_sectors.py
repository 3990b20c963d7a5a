"""Differences of two orbits in a box: what every unit and every product of registers does to them, with slopes in a range.

With d = x - y the difference of two states, that of each register is linear in (d, s), s the signals: of a relu, tanh or sigmoid unit with
input difference a it is s = slope a; a product has two, as u v - u' v' = v (u - u') + u' (v - v'). Each slope lies in the range [low, high]
that the box gives, so (s - low a)(high a - s) >= 0. Where low = high no signal is needed. A blend (1 - q) u + q v has two, of inputs
(v - v') - (u - u') and q - q' with slopes in the ranges of q and of v - u; its products have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.functions import sigmoid_slope, tanh_slope
from proofs.theorems.blends import blends, registers
from proofs.theorems.lifted import chosen_rows, room, unit_rows
from proofs.theorems.sectors import MAX_SIZE, diagonal, embedded

if TYPE_CHECKING:
    from proofs.network import Network, Operation
    from proofs.theorems.card import Application

    Spans = list[Interval]

_RELU = {1: Interval(Fraction(1), Fraction(1)), 0: Interval(Fraction(0), Fraction(1)), -1: Interval(Fraction(0), Fraction(0))}
_CURVES = {"tanh": tanh_slope, "sigmoid": sigmoid_slope}


@dataclass(frozen=True)
class BoxSectors:
    """F's difference and the signals' inputs as rows in (d, s), and the slopes' ranges. **Shapes:** M and S rows of M + S; S ranges."""

    image: Matrix
    inputs: Matrix
    ranges: tuple[Interval, ...]

    def gap(self, form: Matrix, rate: Fraction, multipliers: tuple[Fraction, ...]) -> Matrix:
        """Return the symmetric matrix of rate^2 d'Qd - F'QF - sum L_j (s_j - low_j a_j)(high_j a_j - s_j). **Guarantee:** enclosure."""
        states, size = len(form.mid), self.image.shape[1]
        gap = embedded(form.times(rate * rate), size, Fraction(0)) - self.image.transposed() @ form @ self.image
        if not self.ranges:
            return gap
        pairs = list(zip(self.ranges, multipliers, strict=True))
        mixed = Matrix.stacked([_zeros(states, size), _weighed(self.inputs, [weight * (span.lo + span.hi) / 2 for span, weight in pairs])])
        curved = self.inputs.transposed() @ _weighed(self.inputs, [weight * span.lo * span.hi for span, weight in pairs])
        return gap + diagonal([Fraction(0)] * states + list(multipliers)) - mixed - mixed.transposed() + curved


def box_sectors(step: Application, check: int, network: Network, box: Matrix, bits: int, count: int = 1) -> BoxSectors:
    """Return the sector form of differences over a box, one of ``count`` that are wanted.

    **Raises:** Rejected (as ``check``) with more than 512 states and signals, or too much work.
    """
    mixed = blends(network)
    factors = factors_on(network, box, bits)
    ranges = tuple(span for lists in factors for spans in lists for span in spans if span.lo < span.hi)
    width = network.dimension + len(ranges)
    step.require(check, width <= MAX_SIZE, f"at most {MAX_SIZE} states and signals", width)
    step.require_work(check, count * (room(network, width) + 4 * width**3), bits)
    signals = _Signals(width, network.dimension)
    rows = [unit_rows(network.dimension, 0, width)]
    for number, (operation, lists) in enumerate(zip(network.program, factors, strict=True), 1):
        blend = mixed.get(number)
        parts = [rows[i] for i in operation.of]
        if blend is not None:
            turned, shared = lists
            parts = [rows[blend.u], signals.through(rows[blend.v] - rows[blend.u], turned), signals.through(rows[blend.q], shared)]
        elif lists:
            parts = [signals.through(part, spans) for part, spans in zip(parts, lists, strict=True)]
        elif operation.bias is not None:
            parts = [matrix @ part for matrix, part in zip(operation.matrices, parts, strict=True)]
        rows.append(reduce(add, parts).rounded(bits))
    return BoxSectors(rows[-1], Matrix.stacked(signals.inputs), ranges)


class _Signals:
    """The signals met so far."""

    def __init__(self, width: int, used: int) -> None:
        self._width, self._used = width, used
        self.inputs: list[Matrix] = []

    def through(self, rows: Matrix, spans: Spans) -> Matrix:
        """Return slopes times rows: a new signal for each range, the product itself for a single slope."""
        opened = [i for i, span in enumerate(spans) if span.lo < span.hi]
        if opened:
            self.inputs.append(chosen_rows(rows, opened))
        units = [[0] * self._width for _ in spans]
        for column, i in enumerate(opened, self._used):
            units[i][column] = 1
        self._used += len(opened)
        closed = rows.scaled_rows([span if span.lo == span.hi else _RELU[-1] for span in spans])
        return closed + Matrix(tuple(map(tuple, units)), None, 1)


def factors_on(network: Network, box: Matrix, bits: int) -> list[list[Spans]]:
    """Return for each operation the ranges on a box of what multiplies the differences of what it reads; nothing for affine and add.

    A blend has two, its share and the difference of what it blends; its products, which nothing else reads, have none.
    """
    values, mixed = registers(network, box, bits), blends(network)
    hidden = {product for blend in mixed.values() for product in blend.products}
    factors: list[list[Spans]] = []
    for number, (operation, output) in enumerate(zip(network.program, values[1:], strict=True), 1):
        blend = mixed.get(number)
        if blend is not None:
            factors.append([values[blend.q].entries(), (values[blend.v] - values[blend.u]).entries()])
        else:
            factors.append([] if number in hidden else _factors(operation, values, output))
    return factors


def _factors(operation: Operation, values: list[Matrix], output: Matrix) -> list[Spans]:
    arguments = [values[i] for i in operation.of]
    if operation.name == "relu":
        return [[_RELU[low if low == high else 0] for low, high in arguments[0].signs()]]
    if operation.name == "mul":
        return [argument.entries() for argument in reversed(arguments)]
    return [[_CURVES[operation.name](entry) for entry in output.entries()]] if operation.name in _CURVES else []


def _weighed(rows: Matrix, weights: list[Fraction]) -> Matrix:
    return rows.scaled_rows([Interval(weight, weight) for weight in weights])


def _zeros(rows: int, columns: int) -> Matrix:
    return Matrix(((0,) * columns,) * rows, None, 1)
