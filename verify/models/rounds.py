"""Exact programs of several steps of recurrent layers, one after another, in as few operations as they take.

A step takes 2 operations a layer for an RNN and 7 for an LSTM or a GRU; one more at the end gathers the state. Gates are stacked in one
register of several blocks, and what a later operation needs of a register is selected by its own matrices. Over the real numbers
tanh(g) = 2 s(2 g) - 1 and 1 - s(z) = s(-z), s the logistic function; 0 stands in the blocks that are not needed:

    LSTM    S = s(i, f, 2 g, o);  S * (2 S_3 - 1, c, 0, 0) = (s(i) tanh(g), s(f) c, 0, 0);  S * tanh(0, 0, 0, c') = (0, 0, 0, h')
    GRU     S = s(r, z, -z);  S * (W_hn h + b_hn, h, 0) = (s(r) (W_hn h + b_hn), s(z) h, 0);  S * tanh(0, 0, n) = (0, 0, (1 - s(z)) n)
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import MAX_OPERATIONS, Network, Operation
from verify.models.blocks import above, affine, apply, constant, selection, zeros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.models.gated import Layer

    View = tuple[tuple[Matrix, int], ...]
"""A vector as the sum of matrices times registers."""
_TWO, _LESS = Fraction(2), Fraction(-1)


def round_program(layers: Sequence[Layer], columns: Sequence[Matrix]) -> Network:
    """Return the exact program of the steps with these inputs (one column each), the first step first.

    **Guarantee:** exact. **Raises:** Malformed for none, and for more steps than a network has operations for.
    """
    most = (MAX_OPERATIONS - _gathers(layers)) // operations(layers)
    if not 1 <= len(columns) <= most:
        expected = f"1 to {most} steps: {operations(layers)} operations a step, of at most {MAX_OPERATIONS}"
        raise Malformed(where="round of inputs", law="recurrent layers", expected=expected, got=f"{len(columns)} steps")
    program = _Round(layers)
    for column in columns:
        program.step(column)
    return program.network()


def operations(layers: Sequence[Layer]) -> int:
    """Return how many operations a step takes."""
    return sum(2 if layer.cell.startswith("rnn") else 7 for layer in layers)


def _gathers(layers: Sequence[Layer]) -> bool:
    """Say whether the state stands in several registers at the end."""
    return len(layers) > 1 or not layers[0].cell.startswith("rnn")


class _Round:
    """A program that grows step by step; ``states`` says for each layer where its h stands, and its c."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers, self.program = layers, list[Operation]()
        self.total = sum(layer.states for layer in layers)
        self.states: list[tuple[View, View]] = []
        start = 0
        for layer in layers:
            h, c = range(start, start + layer.size), range(start + layer.size, start + layer.states)
            self.states.append((((selection(self.total, h), 0),), ((selection(self.total, c), 0),)))
            start += layer.states

    def step(self, column: Matrix) -> None:
        """Add one step of all layers; the first reads the constant input ``column``."""
        below: Matrix | View = column
        for number, layer in enumerate(self.layers):
            made = {"lstm": self._lstm, "gru": self._gru}.get(layer.cell, self._rnn)
            self.states[number] = made(layer, below, *self.states[number])
            below = self.states[number][0]

    def network(self) -> Network:
        """Return the network, its state gathered in one register."""
        if _gathers(self.layers):
            terms, start = list[tuple[Matrix, int]](), 0
            for view, size in self._parts():
                terms += _rows(view, self.total, start)
                start += size
            self._affine(zeros(self.total, 1), terms)
        return Network(self.total, tuple(self.program))

    def _parts(self) -> list[tuple[View, int]]:
        pairs = [(layer, parts) for layer, parts in zip(self.layers, self.states, strict=True)]
        return [(view, layer.size) for layer, parts in pairs for view in parts[: layer.states // layer.size]]

    def _rnn(self, layer: Layer, below: Matrix | View, h: View, c: View) -> tuple[View, View]:
        last = self._add(apply(layer.cell.removeprefix("rnn_"), self._gates(layer, below, h, [(0, Fraction(1))])))
        return ((selection(layer.size, range(layer.size)), last),), c

    def _lstm(self, layer: Layer, below: Matrix | View, h: View, c: View) -> tuple[View, View]:
        size, one = layer.size, Fraction(1)
        gates = self._add(apply("sigmoid", self._gates(layer, below, h, [(0, one), (1, one), (2, _TWO), (3, one)])))
        g = _rows(((_block(size, 2, 4).times(_TWO), gates),), 4 * size, 0)
        minus = above(constant(-1, size), zeros(3 * size, 1))
        products = self._add(Operation("mul", (gates, self._affine(minus, [*g, *_rows(c, 4 * size, size)]))))
        both = _block(size, 0, 4) + _block(size, 1, 4)
        after = self._affine(zeros(4 * size, 1), _rows(((both, products),), 4 * size, 3 * size))
        last = self._add(Operation("mul", (gates, self._add(apply("tanh", after)))))
        return ((_block(size, 3, 4), last),), ((_block(size, 3, 4), after),)

    def _gru(self, layer: Layer, below: Matrix | View, h: View, c: View) -> tuple[View, View]:
        size, one = layer.size, Fraction(1)
        gates = self._add(apply("sigmoid", self._gates(layer, below, h, [(0, one), (1, one), (1, _LESS)])))
        weights = above(layer.gate("W_hh", 2), selection(size, range(size)), zeros(size, size))
        bias = above(layer.gate("b_hh", 2), zeros(2 * size, 1))
        inner = self._affine(bias, [(weights @ matrix, register) for matrix, register in h])
        products = self._add(Operation("mul", (gates, inner)))
        bias, terms = _driven(layer, below, 2)
        read = _rows((*terms, (_block(size, 0, 3), products)), 3 * size, 2 * size)
        new = self._affine(above(zeros(2 * size, 1), bias), read)
        last = self._add(Operation("mul", (gates, self._add(apply("tanh", new)))))
        return ((_block(size, 1, 3), products), (_block(size, 2, 3), last)), c

    def _gates(self, layer: Layer, below: Matrix | View, h: View, chosen: Sequence[tuple[int, Fraction]]) -> int:
        """Add factor * (W_ih x + b_ih + W_hh h + b_hh) of the chosen gates, below each other."""
        driven = [(_driven(layer, below, gate), gate, factor) for gate, factor in chosen]
        bias = above(*((own + layer.gate("b_hh", gate)).times(factor) for (own, _), gate, factor in driven))
        parts = zip(*(terms for (_, terms), _, _ in driven), strict=True)
        factors = [factor for _, factor in chosen]
        read = [(above(*(matrix.times(factor) for (matrix, _), factor in zip(part, factors, strict=True))), part[0][1]) for part in parts]
        weights = above(*(layer.gate("W_hh", gate).times(factor) for gate, factor in chosen))
        return self._affine(bias, [*read, *((weights @ matrix, register) for matrix, register in h)])

    def _affine(self, bias: Matrix, terms: Sequence[tuple[Matrix, int]]) -> int:
        return self._add(affine(bias, *terms))

    def _add(self, operation: Operation) -> int:
        self.program.append(operation)
        return len(self.program)


def _driven(layer: Layer, below: Matrix | View, gate: int) -> tuple[Matrix, View]:
    """Return W_ih x + b_ih of one gate as a bias and terms; a constant x goes into the bias."""
    weights, bias = layer.gate("W_ih", gate), layer.gate("b_ih", gate)
    if isinstance(below, Matrix):
        return weights @ below + bias, ()
    return bias, tuple((weights @ matrix, register) for matrix, register in below)


def _block(size: int, number: int, count: int) -> Matrix:
    """Return the matrix that selects one of ``count`` blocks."""
    return selection(count * size, range(number * size, (number + 1) * size))


def _rows(view: View, total: int, start: int) -> list[tuple[Matrix, int]]:
    """Return the terms that put a vector at ``start`` of one of ``total`` entries, zeros elsewhere."""
    found = []
    for matrix, register in view:
        rows, width = matrix.shape
        rest = total - start - rows
        parts = [*([zeros(start, width)] if start else []), matrix, *([zeros(rest, width)] if rest else [])]
        found.append((above(*parts), register))
    return found
