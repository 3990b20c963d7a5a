"""Dense Jacobians by automatic differentiation, for comparison."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


def dense_jacobians(step: Callable[[Tensor], Tensor], states: Tensor) -> tuple[Tensor, Tensor]:
    """Return step(states) and its Jacobians (B, n, n); ``step`` maps (B, n) row by row."""
    new = step(states)
    whole = torch.autograd.functional.jacobian(step, states, create_graph=new.requires_grad)
    return new, whole.diagonal(dim1=0, dim2=2).permute(2, 0, 1)


def known(value: Tensor | None) -> Tensor:
    """Return a tensor that must be there."""
    assert value is not None
    return value


def doubled(module: Module, factor: float = 1.0) -> Module:
    """Return a module in float64 with its weights times ``factor``."""
    with torch.no_grad():
        for value in module.double().parameters():
            value.mul_(factor)
    return module
