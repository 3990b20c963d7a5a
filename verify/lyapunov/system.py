"""What the spectrum engine needs to know of a recurrent network: how a batch of full states moves, and how its tangent frames do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from verify.lyapunov.results import Mode


class System(Protocol):
    """A recurrent step on batches of full states (an LSTM's is (h, c) of every layer, stacked).

    **Shapes:** states (B, n); inputs (B, m), None for a system that is not driven; frames (B, n, k).
    """

    name: str
    mode: Mode
    dimension: int
    input_size: int | None
    dtype: torch.dtype
    device: torch.device

    def start(self, batch: int, seed: int) -> Tensor:
        """Return ``batch`` states to start from, reproducible from the seed."""

    def step(self, states: Tensor, inputs: Tensor | None) -> Tensor:
        """Return F(states)."""

    def push(self, states: Tensor, inputs: Tensor | None, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(states) and J frames, J the Jacobian of F at the states with respect to the full state; J is never built."""

    def log_det(self, states: Tensor, inputs: Tensor | None) -> Tensor | None:
        """Return log |det J| at the states from a formula, shape (B,), minus infinity where J is singular; None without a formula."""
