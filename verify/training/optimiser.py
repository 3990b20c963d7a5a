"""Optimisers and the exponential schedule of their rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from verify.training.config import OptimiserSettings


def optimiser_of(settings: OptimiserSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the optimiser at its first rate. RAdam and Adam have torch's default moments, gradient descent has none."""
    chosen = list(parameters)
    if settings.kind == "radam":
        return torch.optim.RAdam(chosen, lr=settings.rate)
    if settings.kind == "adam":
        return torch.optim.Adam(chosen, lr=settings.rate)
    return torch.optim.SGD(chosen, lr=settings.rate)


def rate_at(settings: OptimiserSettings, update: int, updates: int) -> float:
    """Return rate (final_rate / rate)^(update / (updates - 1)), from ``rate`` at update 0 to ``final_rate`` at the last one."""
    share = update / max(1, updates - 1)
    return float(settings.rate * (settings.final_rate / settings.rate) ** share)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of all parameters."""
    for group in optimiser.param_groups:
        group["lr"] = rate
