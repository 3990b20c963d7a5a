"""Many steps of a small network's states, in NumPy: a call of it costs a tenth of one of torch, and a small step is nothing but calls.

Same formulas as the layers and programs themselves; results agree to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from verify.lyapunov.layers import Layer, Stack
from verify.lyapunov.program import Line, ProgramSystem
from verify.lyapunov.recurrent import GRULayer, LSTMLayer, RNNLayer

if TYPE_CHECKING:
    from verify.lyapunov.system import System

Numbers = NDArray[np.floating]
Step = Callable[[Numbers, int], Numbers]


def march(system: System, states: Tensor, inputs: Tensor | None, steps: int) -> list[Tensor] | None:
    """Return the states before each step and after the last, None for a system that is not of known layers or operations.

    **Shapes:** states (B, n), inputs (T, B, m) with a row for each step, or None. **Guarantee:** heuristic (floats).
    """
    if states.requires_grad or states.device.type != "cpu":
        return None
    first = states.numpy()
    with np.errstate(all="ignore"):
        if type(system) is ProgramSystem and inputs is None:
            passed = _repeated(_program(system), first, steps)
        elif type(system) is Stack and system.readout is None and (inputs is None) == (system.mode != "driven"):
            if not all(type(layer) in _STEPS for layer in system.layers):
                return None
            passed = _stack(system, first, None if inputs is None else inputs.to(states.dtype).numpy(), steps)
        else:
            return None
    return [states, *torch.from_numpy(passed[1:]).unbind()]


def _repeated(step: Step, first: Numbers, steps: int) -> Numbers:
    passed = np.empty((steps + 1, *first.shape), first.dtype)
    passed[0] = first
    for number in range(steps):
        passed[number + 1] = step(passed[number], number)
    return passed


def _stack(system: Stack, first: Numbers, xs: Numbers | None, steps: int) -> Numbers:
    """Move the lowest layer all the way, then the one above on its outputs, and so on."""
    parts, begin = [], 0
    for layer in system.layers:
        moved = _repeated(_STEPS[type(layer)](layer, xs), first[:, begin : begin + layer.size], steps)
        parts.append(moved)
        begin, xs = begin + layer.size, moved[1:, :, : layer.width]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _driven(layer: Layer, xs: Numbers | None, bias: Tensor | None) -> Callable[[int], Numbers | float]:
    """Return what the input and the bias add at each step."""
    constant = 0.0 if bias is None else bias.detach().numpy()
    if xs is None:
        return lambda _: constant
    drives = xs @ layer.driving.detach().numpy().T + constant
    return lambda number: drives[number]


def _rnn(layer: RNNLayer, xs: Numbers | None) -> Step:
    weight, drive = layer.recurrent.detach().numpy().T, _driven(layer, xs, layer.bias)
    if layer.is_relu:
        return lambda h, number: np.maximum(h @ weight + drive(number), 0.0)
    return lambda h, number: np.tanh(h @ weight + drive(number))


def _lstm(layer: LSTMLayer, xs: Numbers | None) -> Step:
    width, weight, drive = layer.width, layer.recurrent.detach().numpy().T, _driven(layer, xs, layer.bias)

    def step(state: Numbers, number: int) -> Numbers:
        before = state[:, :width] @ weight + drive(number)
        gates = _sigmoid(before)
        cell = gates[:, width : 2 * width] * state[:, width:] + gates[:, :width] * np.tanh(before[:, 2 * width : 3 * width])
        return np.concatenate((gates[:, 3 * width :] * np.tanh(cell), cell), axis=1)

    return step


def _gru(layer: GRULayer, xs: Numbers | None) -> Step:
    width, weight, drive = layer.width, layer.recurrent.detach().numpy().T, _driven(layer, xs, layer.driving_bias)
    bias = 0.0 if layer.bias is None else layer.bias.detach().numpy()
    none = np.zeros(3 * width, weight.dtype)

    def step(h: Numbers, number: int) -> Numbers:
        inside: Numbers = h @ weight + bias
        outside: Numbers = drive(number) + none
        before = (inside + outside)[:, : 2 * width]
        r, z = _sigmoid(before[:, :width]), before[:, width:]
        n: Numbers = np.tanh(outside[..., 2 * width :] + r * inside[:, 2 * width :])
        return _sigmoid(-z) * n + _sigmoid(z) * h

    return step


_STEPS: dict[type[Layer], Callable[..., Step]] = {RNNLayer: _rnn, LSTMLayer: _lstm, GRULayer: _gru}


def _sigmoid(values: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-values))


def _program(system: ProgramSystem) -> Step:
    lines = [_operation(line) for line in system.lines]

    def step(state: Numbers, number: int) -> Numbers:
        del number
        values = [state]
        for line in lines:
            values.append(line(values))
        return values[-1]

    return step


def _operation(line: Line) -> Callable[[list[Numbers]], Numbers]:
    if line.bias is None:
        of, function = line.of, _FUNCTIONS[line.name]
        return lambda values: function(*(values[i] for i in of))
    pairs = [(argument, matrix.detach().numpy().T) for argument, matrix in zip(line.of, line.matrices, strict=True)]
    bias = line.bias.detach().numpy()

    def affine(values: list[Numbers]) -> Numbers:
        total = bias
        for argument, matrix in pairs:
            total = total + values[argument] @ matrix
        return total

    return affine


_FUNCTIONS: dict[str, Callable[..., Numbers]] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "mul": np.multiply,
    "add": np.add,
}
