"""Gradient flossing: leading Lyapunov exponents with a gradient, and a loss that draws them to a target.

    loss = task_loss + 0.1 * flossing_loss(model.rnn, inputs, k=4)

An exponent at 0 lets gradients pass through time without vanishing or exploding in its direction.
**Source:** R. Engelken, Gradient flossing, NeurIPS 2023 (arXiv 2312.17306): the gradient is taken through the QR decompositions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from proofs.errors import Malformed
from verify.lyapunov.systems import system_of

if TYPE_CHECKING:
    from verify.lyapunov.system import System

_LAW = "exponents with a gradient"
_VANISHED = 8  # a pivot below so many roundings of its column is 0


def flossing_loss(  # noqa: PLR0913 - as for leading_exponents, and the target
    source: nn.Module | System,
    inputs: Tensor | None = None,
    k: int = 1,
    *,
    target: float | Sequence[float] = 0.0,
    steps: int | None = None,
    warmup: int = 0,
    qr_every: int = 1,
    start: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """Return the mean of (lambda_i - target_i)^2 over the ``k`` leading exponents, a scalar with a gradient.

    ``target``: one number for all, or one for each, largest first. **Guarantee, Cost, Raises:** as for ``leading_exponents``.
    """
    exponents = leading_exponents(source, inputs, k, steps=steps, warmup=warmup, qr_every=qr_every, start=start, seed=seed)
    wanted = torch.as_tensor(target, dtype=exponents.dtype, device=exponents.device)
    if wanted.ndim and wanted.shape != exponents.shape:
        raise _unfit("flossing, target", f"one number, or {k}", f"{wanted.numel()} numbers")
    if not bool(torch.isfinite(wanted).all()):
        raise _unfit("flossing, target", "finite numbers", str(target))
    return (exponents - wanted).square().mean()


def leading_exponents(  # noqa: PLR0913 - where, how long, and how often
    source: nn.Module | System,
    inputs: Tensor | None = None,
    k: int = 1,
    *,
    steps: int | None = None,
    warmup: int = 0,
    qr_every: int = 1,
    start: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """Return the ``k`` leading finite-time exponents of a short window, nats per step, largest first, with a gradient.

    ``source``: a recurrent module of torch, with its own weights, or a system whose ``push`` keeps the gradient. The first ``warmup`` steps
    move state and frame without a gradient; it is taken through the ``steps`` after them, all that ``inputs`` has left unless said.

    **Shapes:** inputs (T, B, m) or (T, m), None for no input; start (B, n); the answer (k,), averaged over the sequences.
    **Guarantee:** heuristic: a finite-time estimate without an error bar. **Cost:** ``steps`` pushes of k columns, kept for the backward
    pass. **Raises:** Malformed: shapes, lengths, NaN, an exponent that is minus infinity; whatever reading the module raises.
    """
    given = None if inputs is None else _checked(inputs)
    system = _system(source, given is not None)
    given = None if given is None else given.to(system.device, system.dtype)
    measured = _length(given, steps, warmup, qr_every)
    batch = given.shape[1] if given is not None else 1 if start is None else len(start)
    states = system.start(batch, seed) if start is None else start.to(system.device, system.dtype)
    if states.shape != (batch, system.dimension) or not 1 <= k <= system.dimension:
        expected = f"states {(batch, system.dimension)} and 1 <= k <= {system.dimension}"
        raise _unfit("flossing, start and k", expected, f"{tuple(states.shape)}, k = {k}")
    frames = _frames(batch, system, k, seed)
    with torch.no_grad():
        for t in range(warmup):
            states, frames = system.push(states, None if given is None else given[t], frames)
            frames = torch.linalg.qr(frames)[0]
    total = states.new_zeros(batch, k)
    for t in range(measured):
        states, frames = system.push(states, None if given is None else given[warmup + t], frames)
        if (t + 1) % qr_every == 0 or t + 1 == measured:
            frames, triangle = torch.linalg.qr(frames)
            total = total + _logarithms(triangle, warmup + t)
    return torch.sort(total.mean(0) / measured, descending=True)[0]


def _logarithms(triangle: Tensor, step: int) -> Tensor:
    """Return log |R_ii|. **Raises:** Malformed: a direction that is mapped to 0 (or that rounding cannot tell from it), or no number."""
    pivots = triangle.diagonal(dim1=1, dim2=2).abs()
    lengths = torch.linalg.vector_norm(triangle.detach(), dim=1)
    good = torch.isfinite(pivots) & (pivots > _VANISHED * triangle.shape[1] * torch.finfo(triangle.dtype).eps * lengths)
    if not bool(good.all()):
        number = int((~good).any(0).nonzero()[0, 0]) + 1
        expected, got = "a growth rate above 0, and above rounding", f"{pivots[~good][0].item():.3g} in step {step + 1}"
        remedy = "fewer exponents (k), a smaller qr_every, or a smooth activation"
        raise Malformed(where=f"flossing, exponent {number}", law=_LAW, expected=expected, got=got, remedy=remedy)
    return pivots.log()


def _system(source: nn.Module | System, is_driven: bool) -> System:
    """Return a module's own weights as a system, in their precision; a system as it is."""
    if not isinstance(source, nn.Module):
        return source
    first = next(source.parameters(), torch.zeros(0))
    return system_of(source, driven=is_driven, dtype=first.dtype, device=first.device, differentiable=True)


def _frames(batch: int, system: System, k: int, seed: int) -> Tensor:
    """Return random orthonormal frames (B, n, k)."""
    source = torch.Generator().manual_seed(seed)
    drawn = torch.randn(batch, system.dimension, k, generator=source, dtype=torch.float64)
    frames: Tensor = torch.linalg.qr(drawn)[0]
    return frames.to(system.device, system.dtype)


def _checked(inputs: Tensor) -> Tensor:
    batched = inputs[:, None] if inputs.ndim == 2 else inputs  # noqa: PLR2004 - (T, m)
    if batched.ndim != 3 or 0 in batched.shape:  # noqa: PLR2004 - (T, B, m)
        raise _unfit("flossing, inputs", "shape (T, B, m) or (T, m), nothing empty", str(tuple(inputs.shape)))
    if not bool(torch.isfinite(batched).all()):
        raise _unfit("flossing, inputs", "finite numbers", f"{int((~torch.isfinite(batched)).sum())} that are not")
    return batched


def _length(inputs: Tensor | None, steps: int | None, warmup: int, qr_every: int) -> int:
    """Return the number of measured steps."""
    if warmup < 0 or qr_every < 1:
        raise _unfit("flossing, warmup and qr_every", "warmup >= 0 and qr_every >= 1", f"{warmup} and {qr_every}")
    if inputs is None and steps is None:
        raise _unfit("flossing, steps", "a number of steps, where there are no inputs", "none")
    measured = steps if steps is not None else len(cast("Tensor", inputs)) - warmup
    if measured < 1 or (inputs is not None and warmup + measured > len(inputs)):
        there = "" if inputs is None else f" of {len(inputs)} inputs"
        raise _unfit("flossing, steps", f"at least one step after the warm-up{there}", f"warmup {warmup}, steps {steps}")
    return measured


def _unfit(where: str, expected: str, got: str) -> Malformed:
    return Malformed(where=where, law=_LAW, expected=expected, got=got)
