"""An exact network, a program of proofs.network, run in floats with its tangents: this covers every family of verify.models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import Network, Operation
from verify.lyapunov.layers import log_abs_det, log_sech2, log_sigmoid_slope, sech2
from verify.lyapunov.results import Mode

Read = Callable[[Tensor], Tensor]


class Line(NamedTuple):
    """One operation with its weights as floats, each the float nearest to the middle of the exact interval."""

    name: str
    of: tuple[int, ...]
    matrices: tuple[Tensor, ...]
    bias: Tensor | None


@dataclass
class ProgramSystem:
    """z' = F(z) for an exact network F, autonomous. **Guarantee:** heuristic (floats)."""

    name: str
    network: Network
    read: Read
    origin: Callable[[int, int, int], Tensor]
    dtype: torch.dtype
    device: torch.device
    mode: Mode = field(default="autonomous", init=False)
    input_size: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Read the weights once, and the determinants if the program is a chain of square affine maps and activations."""
        self.dimension = self.network.dimension
        self.lines = [self._line(operation) for operation in self.network.program]
        self.volume = _volume(self.lines)
        self._border = torch.zeros((), dtype=torch.int64, device=self.device)

    @property
    def border_hits(self) -> int:
        """How many relu units had a pre-activation of exactly 0 in all pushes so far; the slope taken there is 0."""
        return int(self._border)

    def start(self, batch: int, seed: int) -> Tensor:
        """Return ``batch`` states to start from, reproducible from the seed."""
        return self.origin(self.dimension, batch, seed)

    def step(self, states: Tensor, inputs: Tensor | None) -> Tensor:
        """Return F(states)."""
        return self._values(states, inputs)[-1]

    def push(self, states: Tensor, inputs: Tensor | None, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(states) and J frames, the program's tangent operation by operation; the slope of relu at 0 is 0."""
        values = self._values(states, inputs)
        tangents = [frames]
        for number, line in enumerate(self.lines):
            if line.name == "relu":
                self._border += (values[line.of[0]] == 0).sum()
            tangents.append(_tangent(line, values, values[number + 1], tangents))
        return values[-1], tangents[-1]

    def log_det(self, states: Tensor, inputs: Tensor | None) -> Tensor | None:
        """Return the sum of log |det| of the operations if the program is a chain of square ones; None otherwise."""
        if self.volume is None:
            return None
        values = self._values(states, inputs)
        unary = [_log_slope(line.name, values[number]) for number, line in enumerate(self.lines) if line.bias is None]
        return torch.stack([logs.sum(1) for logs in unary]).sum(0) + self.volume if unary else self.volume.expand(len(states))

    def _values(self, states: Tensor, inputs: Tensor | None) -> list[Tensor]:
        if inputs is not None:
            law, got = "an exact network has no input", f"inputs of shape {tuple(inputs.shape)}"
            raise Malformed(where=self.name, law=law, expected="no inputs: they are part of the biases", got=got)
        values = [states]
        for line in self.lines:
            values.append(_value(line, [values[i] for i in line.of]))
        return values

    def _line(self, operation: Operation) -> Line:
        matrices = tuple(self.read(floats(matrix)) for matrix in operation.matrices)
        bias = None if operation.bias is None else self.read(floats(operation.bias).squeeze(1))
        return Line(operation.name, operation.of, matrices, bias)


def floats(matrix: Matrix) -> Tensor:
    """Return the middles of an exact matrix, each rounded to the nearest float64. **Raises** Malformed: too large for a float."""
    try:
        return torch.tensor([[entry / matrix.den for entry in row] for row in matrix.mid], dtype=torch.float64)
    except OverflowError as problem:
        law, got = "weights are floats", "a number beyond the range of float64"
        raise Malformed(where="network", law=law, expected="at most 1.8e308", got=got) from problem


def _value(line: Line, arguments: Sequence[Tensor]) -> Tensor:
    if line.bias is not None:
        total = linear(arguments[0], line.matrices[0], line.bias)
        for matrix, argument in zip(line.matrices[1:], arguments[1:], strict=True):
            total = total + linear(argument, matrix)
        return total
    if line.name == "mul":
        return arguments[0] * arguments[1]
    if line.name == "add":
        return arguments[0] + arguments[1]
    return {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[line.name](arguments[0])


def _tangent(line: Line, values: Sequence[Tensor], output: Tensor, tangents: Sequence[Tensor]) -> Tensor:
    moved = [tangents[i] for i in line.of]
    if line.bias is not None:
        total = torch.matmul(line.matrices[0], moved[0])
        for matrix, tangent in zip(line.matrices[1:], moved[1:], strict=True):
            total = total + torch.matmul(matrix, tangent)
        return total
    if line.name == "add":
        return moved[0] + moved[1]
    if line.name == "mul":
        one, two = (values[i].unsqueeze(-1) for i in line.of)
        return torch.addcmul(two * moved[0], one, moved[1])
    return _slope(line.name, values[line.of[0]], output).unsqueeze(-1) * moved[0]


def _slope(name: str, before: Tensor, after: Tensor) -> Tensor:
    if name == "relu":
        return (before > 0).to(before.dtype)
    return sech2(before) if name == "tanh" else after * torch.sigmoid(-before)


def _log_slope(name: str, before: Tensor) -> Tensor:
    if name == "relu":
        return (before > 0).to(before.dtype).log()
    return log_sech2(before) if name == "tanh" else log_sigmoid_slope(before)


def _volume(lines: Sequence[Line]) -> Tensor | None:
    """Return the sum of log |det| of the affine operations of a chain of square operations; None for another program."""
    chained = all(line.of == (number,) and line.name not in {"mul", "add"} for number, line in enumerate(lines))
    affine = [line.matrices[0] for line in lines if line.matrices]
    if not chained or not affine or any(matrix.shape[0] != matrix.shape[1] for matrix in affine):
        return None
    return torch.stack([log_abs_det(matrix) for matrix in affine]).sum()
