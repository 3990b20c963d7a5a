"""Small systems with known exponents, their tangent maps by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt

import torch
from torch import Tensor

from verify.lyapunov.results import Mode

Field = Callable[[Tensor], Tensor]


@dataclass
class Map:
    """A step x -> F(x) + u, F the rule, with its Jacobian as a function of the states (B, n) -> (B, n, n)."""

    name: str
    dimension: int
    rule: Field
    jacobian: Field
    determinant: Field | None = None
    mode: Mode = "autonomous"
    input_size: int | None = None
    dtype: torch.dtype = torch.float64
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    spread: float = 0.2

    def start(self, batch: int, seed: int) -> Tensor:
        noise = torch.rand(batch, self.dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return (self.spread * noise).to(self.dtype)

    def step(self, states: Tensor, inputs: Tensor | None) -> Tensor:
        return self.rule(states) if inputs is None else self.rule(states) + inputs

    def push(self, states: Tensor, inputs: Tensor | None, frames: Tensor) -> tuple[Tensor, Tensor]:
        return self.step(states, inputs), self.jacobian(states) @ frames

    def log_det(self, states: Tensor, inputs: Tensor | None) -> Tensor | None:  # noqa: ARG002 - as the protocol has it
        return None if self.determinant is None else self.determinant(states)


def linear(rows: list[list[float]], dtype: torch.dtype = torch.float64, *, mod: bool = False) -> Map:
    """Return x -> A x at the origin, or modulo 1 anywhere."""
    A = torch.tensor(rows, dtype=dtype)
    found = Map("linear", len(rows), lambda x: (x @ A.T) % 1 if mod else x @ A.T, lambda x: A.expand(len(x), -1, -1), dtype=dtype)
    found.spread = float(mod)
    return found


def henon(b: float = 0.3) -> Map:
    """Return (x, y) -> (1 - 1.4 x^2 + y, b x)."""

    def jacobian(x: Tensor) -> Tensor:
        one = torch.ones_like(x[:, 0])
        return torch.stack([torch.stack([-2.8 * x[:, 0], one], 1), torch.stack([b * one, 0 * one], 1)], 1)

    return Map("Henon", 2, lambda x: torch.stack([1 - 1.4 * x[:, 0] ** 2 + x[:, 1], b * x[:, 0]], 1), jacobian)


def lozi(a: float, b: float) -> Map:
    """Return (x, y) -> (1 - a |x| + y, b x)."""

    def jacobian(x: Tensor) -> Tensor:
        one = torch.ones_like(x[:, 0])
        return torch.stack([torch.stack([-a * x[:, 0].sign(), one], 1), torch.stack([b * one, 0 * one], 1)], 1)

    return Map("Lozi", 2, lambda x: torch.stack([1 - a * x[:, 0].abs() + x[:, 1], b * x[:, 0]], 1), jacobian)


def tanh_net(W: Tensor) -> Map:
    """Return x -> tanh(W x)."""
    volume = float(torch.linalg.slogdet(W.double())[1])

    def slopes(x: Tensor) -> Tensor:
        return 1 - torch.tanh(x @ W.T) ** 2

    def determinant(x: Tensor) -> Tensor:
        return slopes(x).log().sum(dim=1) + volume

    return Map("tanh", len(W), lambda x: torch.tanh(x @ W.T), lambda x: slopes(x).unsqueeze(-1) * W, determinant, dtype=W.dtype)


def relu_net(W: Tensor, b: Tensor) -> Map:
    """Return x -> relu(W x + b)."""
    return Map("relu", len(W), lambda x: torch.relu(x @ W.T + b), lambda x: (x @ W.T + b > 0).to(W).unsqueeze(-1) * W, dtype=W.dtype)


def tent(slope: float) -> Map:
    """Return the tent map as a net of two relu units, of rank one."""
    W = torch.tensor([[slope, -2 * slope], [slope, -2 * slope]], dtype=torch.float64)
    return relu_net(W, torch.tensor([0.0, -0.5], dtype=torch.float64))


def three_cycle() -> Map:
    """Return the net of three tanh units that settles on a stable cycle of period 3 from (0.1, 0.2, -0.3)."""
    return tanh_net(torch.tensor([[-4.0, 2, -4], [-4, -4, 2], [0, -4, -4]], dtype=torch.float64))


def random_net(size: int, gain: float, seed: int = 0, dtype: torch.dtype = torch.float64) -> Map:
    """Return a random tanh net of a gain."""
    W = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return tanh_net((W * (gain / sqrt(size))).to(dtype))
