"""A driven sequence of states with its gradient written out: the loops of forward and backward without a graph of every step.

    p_t = L z_t + R relu(U z_t + u) + h,   z_(t+1) = f_t + k_t p_t

f_t is what the data add, k_t (M numbers) what is kept of the prediction. The gradient is that of automatic differentiation: the states'
gradient runs back through the same steps, the matrices' are one product each over all steps at once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from verify.training.models import Form

Gradients = tuple[Tensor | None, ...]


class _Drive(Function):
    """The predictions p as a function of first state, forcing and matrices."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, added: Tensor, kept: Tensor, *form: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
        L, R, U, u, h = form
        states, inner = first.new_empty((len(added), *first.shape)), first.new_empty((len(added), len(first), len(u)))
        found, z, (Lt, Rt, Ut) = torch.empty_like(states), first, (L.T, R.T, U.T)
        for t, (f, k) in enumerate(zip(added, kept, strict=True)):
            states[t] = z
            hinges = torch.addmm(u, z, Ut, out=inner[t]).relu_()
            predicted = torch.addmm(torch.addmm(h, z, Lt), hinges, Rt, out=found[t])
            z = torch.addcmul(f, predicted, k)
        ctx.save_for_backward(states, inner, kept, L, R, U)
        return found

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Gradients:  # noqa: ANN401 - torch's own
        (gradient,) = outer
        states, inner, kept, L, R, U = ctx.saved_tensors
        active = (inner > 0).to(inner.dtype)
        at_predictions, at_hinges, at_added = torch.empty_like(states), torch.empty_like(inner), torch.empty_like(states)
        g = torch.zeros_like(states[0])
        for t in range(len(states) - 1, -1, -1):
            at_added[t] = g
            p = torch.addcmul(gradient[t], g, kept[t], out=at_predictions[t])
            hinges = torch.mm(p, R, out=at_hinges[t]).mul_(active[t])
            g = torch.addmm(torch.mm(p, L), hinges, U)
        z, a, p, q = (value.flatten(0, 1) for value in (states, inner, at_predictions, at_hinges))
        return g, at_added, None, p.T @ z, p.T @ a, q.T @ z, q.sum(0), p.sum(0)


def drive(first: Tensor, added: Tensor, kept: Tensor, form: Form) -> Tensor:
    """Return the predictions p_1 .. p_T. **Shapes:** first (B, M), added (T, B, M), kept (T, M), result (T, B, M).

    **Guarantee:** heuristic: floats. **Cost:** T steps forward, T back. No second derivatives.
    """
    found: Tensor = _Drive.apply(first, added, kept, *form)  # type: ignore[no-untyped-call]
    return found
