"""Exact programs of one step of recurrent layers (RNN, LSTM, GRU) with a fixed input, and of a round of a periodic input.

PyTorch's order of gates and formulas, s the logistic function, * entry by entry, x the input of the layer:

    RNN     h' = act(W_ih x + b_ih + W_hh h + b_hh), act tanh or relu
    LSTM    i, f, g, o stacked in this order; c' = s(f) * c + s(i) * tanh(g), h' = s(o) * tanh(c')
    GRU     r, z, n; n = tanh(W_in x + b_in + s(r) * (W_hn h + b_hn)), h' = (1 - s(z)) * n + s(z) * h

A layer above reads the new h of the layer below. The state is that of the whole network, layer by layer: h_1, h_2, .. and for an LSTM
h_1, c_1, h_2, c_2, .. . Every stored float is the dyadic number that it is; W_ih x + b is folded as exact rationals, not as floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, Protocol, cast

import numpy as np

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.network import Network, Operation
from verify.errors import Unsupported
from verify.models.blocks import above, affine, apply, selection, zeros
from verify.models.exact import exact
from verify.models.rounds import round_program

Cell = Literal["rnn_tanh", "rnn_relu", "lstm", "gru"]
Number = float | Fraction
_GATES: dict[str, int] = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
_STATES: dict[str, int] = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 2, "gru": 1}
_CLASSES = {"RNN": "", "LSTM": "lstm", "GRU": "gru", "RNNCell": "", "LSTMCell": "lstm", "GRUCell": "gru"}


@dataclass(frozen=True, eq=False)
class Layer:
    """The arrays of one layer, gates stacked as PyTorch stacks them; a layer without biases has None.

    **Shapes:** W_ih (gates H, m), W_hh (gates H, H), b_ih and b_hh (gates H,). **Raises:** Malformed, naming the array.
    """

    cell: Cell
    W_ih: np.ndarray
    W_hh: np.ndarray
    b_ih: np.ndarray | None = None
    b_hh: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check shapes and entries."""
        rows = _GATES[self.cell] * self.size
        shapes = {"W_ih": (rows, self.inputs), "W_hh": (rows, self.size), "b_ih": (rows,), "b_hh": (rows,)}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array is not None and (array.shape != shape or not array.size):
                raise _unfit(f"layer, array {name}", f"shape {shape}", str(array.shape))
            if array is not None and not np.all(np.isfinite(np.asarray(array, dtype=np.float64))):
                raise _unfit(f"layer, array {name}", "finite numbers", "NaN or infinity")

    @property
    def size(self) -> int:
        """Return the number of units H."""
        return int(self.W_hh.shape[-1])

    @property
    def inputs(self) -> int:
        """Return the number of inputs m."""
        return int(self.W_ih.shape[-1])

    @property
    def states(self) -> int:
        """Return the number of states: H, or 2 H for an LSTM."""
        return _STATES[self.cell] * self.size

    def gate(self, name: str, number: int) -> Matrix:
        """Return the rows of one gate of W_ih or W_hh, or of the bias b_ih or b_hh (zeros where there is none), exactly."""
        array = getattr(self, name)
        if array is None:
            return zeros(self.size, 1)
        return exact(array[number * self.size : (number + 1) * self.size])


class _Tensor(Protocol):
    def detach(self) -> _Tensor: ...
    def cpu(self) -> _Tensor: ...
    def double(self) -> _Tensor: ...
    def numpy(self) -> np.ndarray: ...


def step_program(source: object, inputs: Sequence[Number | Interval] | None = None) -> Network:
    """Return the exact program of one step with this constant input (zeros without one).

    ``source``: a torch.nn RNN, LSTM, GRU, their cells, or a sequence of ``Layer``. ``inputs``: one number an input of the first layer;
    with an interval biases are intervals, and the program stands for the steps with each input in it.
    **Guarantee:** exact: the program is the step over the real numbers, not its floating-point execution.
    **Raises:** Malformed for another module or an input that does not fit; Unsupported for what has no such step (bidirectional, ..).
    """
    layers = layers_of(source)
    column = _input_column(inputs, layers[0].inputs)
    program: list[Operation] = []
    below: Matrix | int = column
    outputs: list[int] = []
    total = sum(layer.states for layer in layers)
    start = 0
    for layer in layers:
        made = _Step(program, layer, start, total, below).build()
        outputs += made
        below, start = made[0], start + layer.states
    sizes = [layer.size for layer in layers for _ in range(_STATES[layer.cell])]
    if len(outputs) > 1:
        program.append(_gathered(outputs, sizes))
    return Network(total, tuple(program))


def driven_program(source: object, inputs: Sequence[Sequence[Number]]) -> Network:
    """Return the exact program of one round of a periodic input: the steps with inputs[0], inputs[1], .. one after another.

    Its exponents are those of the driven network times len(inputs). At most 128 steps of a layer of an RNN, 36 of an LSTM or a GRU, and so
    many fewer with more layers; see ``verify.models.rounds``.
    **Raises:** as ``step_program``; Malformed without inputs and for too many.
    """
    layers = layers_of(source)
    return round_program(layers, [_input_column(entry, layers[0].inputs) for entry in inputs])


def layers_of(source: object) -> tuple[Layer, ...]:
    """Return the layers of a recurrent torch module, or the given ones after a check that they fit on each other."""
    if isinstance(source, Sequence):
        layers = tuple(source)
        if not layers or not all(isinstance(layer, Layer) for layer in layers):
            raise _unfit("network", "one or more layers", str([type(layer).__name__ for layer in layers]))
        for number, (lower, upper) in enumerate(pairwise(layers), 2):
            if lower.size != upper.inputs:
                raise _unfit(f"layer {number}, array W_ih", f"{lower.size} columns, one a unit of the layer below", f"{upper.inputs}")
        return cast("tuple[Layer, ...]", layers)
    kind = type(source).__name__
    if kind not in _CLASSES or not type(source).__module__.startswith("torch.nn."):
        expected = "torch.nn.RNN, LSTM, GRU, one of their cells, or a sequence of layers"
        raise _unfit("network", expected, type(source).__name__)
    return _module_layers(source, kind)


def _module_layers(module: object, kind: str) -> tuple[Layer, ...]:
    settings = vars(module)
    if "forward" in settings or settings["_forward_hooks"] or settings["_forward_pre_hooks"]:
        expected, got = f"the forward of torch.nn.{kind}, without hooks", "another forward, or hooks"
        raise Unsupported(where=f"module {kind}", law="the step is the one torch documents", expected=expected, got=got)
    cell = cast("Cell", _CLASSES[kind] or f"rnn_{settings['nonlinearity']}")
    if kind.endswith("Cell"):
        return (_layer(module, cell, ""),)
    count = int(settings["num_layers"])
    refused = {
        "bidirectional": (settings["bidirectional"], "the backward direction runs against time: there is no step"),
        "proj_size": (settings["proj_size"], "projected LSTM layers have no program here"),
        "dropout": (count > 1 and settings["dropout"] and settings["training"], "dropout is random: call eval()"),
    }
    for name, (found, why) in refused.items():
        if found:
            raise Unsupported(where=f"module {kind}, {name}", law="one deterministic step", expected=f"no {name}", got=why)
    return tuple(_layer(module, cell, f"_l{number}") for number in range(count))


def _layer(module: object, cell: Cell, suffix: str) -> Layer:
    arrays = [getattr(module, name + suffix, None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    found = [None if array is None else cast("_Tensor", array).detach().cpu().double().numpy() for array in arrays]
    if found[0] is None or found[1] is None:
        raise _unfit(f"module {type(module).__name__}", f"weights weight_ih{suffix} and weight_hh{suffix}", "none")
    return Layer(cell, found[0], found[1], found[2], found[3])


def _input_column(inputs: Sequence[Number | Interval] | None, size: int) -> Matrix:
    if inputs is None:
        return zeros(size, 1)
    entries = [_span(value) for value in inputs]
    if len(entries) != size or None in entries:
        raise _unfit("input", f"{size} finite numbers, one an input", str(list(inputs))[:200])
    return Matrix.intervals(value for value in entries if value is not None)


def _span(value: Number | Interval) -> Interval | None:
    number = value if isinstance(value, Interval) else _number(value)
    return Interval(number, number) if isinstance(number, Fraction) else number


def _number(value: Number) -> Fraction | None:
    try:
        return Fraction(value) if isinstance(value, Fraction) else Fraction(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


class _Step:
    """The operations of one layer, added to a program; registers are numbered as the network numbers them."""

    def __init__(self, program: list[Operation], layer: Layer, start: int, total: int, below: Matrix | int) -> None:
        """``start``: where the layer's state begins among ``total``; ``below``: the input, a constant or the register that holds it."""
        self.program, self.layer, self.below = program, layer, below
        self.hidden = selection(total, range(start, start + layer.size))
        self.cell = selection(total, range(start + layer.size, start + layer.states))

    def build(self) -> list[int]:
        """Add the layer; return the registers of its new state, h first."""
        if self.layer.cell == "lstm":
            return self._lstm()
        return [self._gru() if self.layer.cell == "gru" else self._apply(self.layer.cell.removeprefix("rnn_"), self._sum(0))]

    def _lstm(self) -> list[int]:
        i, f, o = (self._apply("sigmoid", self._sum(gate)) for gate in (0, 1, 3))
        g = self._apply("tanh", self._sum(2))
        c = self._add(affine(zeros(self.layer.size, 1), (self.cell, 0)))
        after = self._pair("add", self._pair("mul", f, c), self._pair("mul", i, g))
        return [self._pair("mul", o, self._apply("tanh", after)), after]

    def _gru(self) -> int:
        size = self.layer.size
        r, z = (self._apply("sigmoid", self._sum(gate)) for gate in (0, 1))
        inner = self._add(affine(self.layer.gate("b_hh", 2), self._recurrent(2)))
        gated = self._pair("mul", r, inner)
        one = selection(size, range(size))
        bias, terms = self._driven(2)
        n = self._apply("tanh", self._add(affine(bias, *terms, (one, gated))))
        rest = self._add(affine(Matrix(((1,),) * size, None, 1), (one.times(Fraction(-1)), z)))
        h = self._add(affine(zeros(size, 1), (self.hidden, 0)))
        return self._pair("add", self._pair("mul", rest, n), self._pair("mul", z, h))

    def _sum(self, gate: int) -> int:
        """Add W_ih x + b_ih + W_hh h + b_hh of one gate."""
        bias, terms = self._driven(gate)
        return self._add(affine(bias + self.layer.gate("b_hh", gate), *terms, self._recurrent(gate)))

    def _driven(self, gate: int) -> tuple[Matrix, list[tuple[Matrix, int]]]:
        """Return W_ih x + b_ih as a bias and terms; a constant x goes into the bias."""
        weights, bias = self.layer.gate("W_ih", gate), self.layer.gate("b_ih", gate)
        if isinstance(self.below, Matrix):
            return weights @ self.below + bias, []
        return bias, [(weights, self.below)]

    def _recurrent(self, gate: int) -> tuple[Matrix, int]:
        return self.layer.gate("W_hh", gate) @ self.hidden, 0

    def _apply(self, name: str, register: int) -> int:
        return self._add(apply(name, register))

    def _pair(self, name: str, one: int, two: int) -> int:
        return self._add(Operation(name, (one, two)))

    def _add(self, operation: Operation) -> int:
        self.program.append(operation)
        return len(self.program)


def _gathered(registers: Sequence[int], sizes: Sequence[int]) -> Operation:
    """Return the operation that puts registers below each other."""
    total, terms, start = sum(sizes), [], 0
    for register, size in zip(registers, sizes, strict=True):
        parts = [zeros(start, size)] if start else []
        parts.append(selection(size, range(size)))
        parts += [zeros(total - start - size, size)] if start + size < total else []
        terms.append((above(*parts), register))
        start += size
    return affine(zeros(total, 1), *terms)


def _unfit(where: str, expected: str, got: str) -> Malformed:
    return Malformed(where=where, law="recurrent layers", expected=expected, got=got)
