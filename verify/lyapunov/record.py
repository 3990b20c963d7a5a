"""A run of a network kept for the doctor: its states and inputs, and its Jacobians when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from verify.lyapunov.readings import Record
from verify.lyapunov.systems import system_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from verify.lyapunov.system import System

_MOST_NUMBERS = 2**27  # a gigabyte of float64
_BLOCK = 2**20
_KEPT = 2**25
_STEPS = 5000


def record_of(
    source: object,
    inputs: np.ndarray | Tensor | None = None,
    *,
    steps: int | None = None,
    warmup: int | None = None,
    start: np.ndarray | None = None,
    seed: int = 0,
    closed_loop: object = None,
) -> Record:
    """Return the run of anything ``system_of`` takes, ``steps`` after ``warmup``, from a state (n,) or (B, n).

    Inputs (T, m) or (T, B, m) drive it and set its length. It starts where ``spectrum`` does: without a start at 0.1 times normal numbers
    by ``seed``, not at 0 as torch's modules do. The Jacobians are dense, from the network's own push of the identity.

    **Guarantee:** heuristic, float64. **Raises** Malformed: too few inputs, a run that leaves the finite numbers or the memory.
    """
    import torch

    first = None if start is None else torch.as_tensor(start, dtype=torch.float64)
    mode = {"driven": inputs is not None} if closed_loop is None else {"closed_loop": closed_loop}
    system = system_of(source, start=first, **mode)
    drive = None if inputs is None else _batched(inputs, system)
    total, warmup = _lengths(drive, steps, warmup)
    states = _states(system, drive, total, _first(system, drive, start, seed))
    return Record(_jacobians(system, states, drive), total, warmup, hidden_coordinates(source))


def _jacobians(system: System, states: Tensor, drive: Tensor | None) -> Callable[[int], np.ndarray]:
    """Return the Jacobians (B, n, n) by their step, a block of steps computed at once and the last block kept."""
    batch, n = states.shape[1:]
    block = max(1, min(len(states), _BLOCK // (batch * n * n)))

    @lru_cache(maxsize=max(2, _KEPT // (block * batch * n * n)))
    def computed(number: int) -> np.ndarray:
        import torch

        span = slice(number * block, (number + 1) * block)
        flat = states[span].reshape(-1, n)
        frames = torch.eye(n, dtype=system.dtype).expand(len(flat), -1, -1)
        with torch.no_grad():
            found = system.push(flat, None if drive is None else drive[span].reshape(len(flat), -1), frames)[1]
        array: np.ndarray = found.numpy().reshape(-1, batch, n, n)
        return array

    def jacobian(t: int) -> np.ndarray:
        found: np.ndarray = computed(t // block)[t % block]
        return found

    return jacobian


def hidden_coordinates(source: object) -> tuple[int, ...] | None:
    """Return where h is in the full state of an LSTM, (h_1, c_1, h_2, c_2, ...); None for a network whose state is all hidden state."""
    import torch

    if not isinstance(source, (torch.nn.LSTM, torch.nn.LSTMCell)):
        return None
    size, layers = source.hidden_size, source.num_layers if isinstance(source, torch.nn.LSTM) else 1
    return tuple(2 * layer * size + i for layer in range(layers) for i in range(size))


def _batched(inputs: np.ndarray | Tensor, system: System) -> Tensor:
    import torch

    drive = torch.as_tensor(inputs, dtype=system.dtype)
    drive = drive[:, None] if drive.ndim == 2 else drive  # noqa: PLR2004 - (T, m)
    if drive.ndim != 3 or 0 in drive.shape or drive.shape[-1] != system.input_size:  # noqa: PLR2004 - (T, B, m)
        expected = f"shape (T, m) or (T, B, m), T >= 1, m = {system.input_size}"
        raise Malformed(where="inputs", law="an input sequence", expected=expected, got=f"shape {tuple(drive.shape)}")
    if not torch.isfinite(drive).all():
        raise Malformed(where="inputs", law="entries are finite", expected="finite numbers", got="nan or infinite entries")
    return drive


def _lengths(drive: Tensor | None, steps: int | None, warmup: int | None) -> tuple[int, int]:
    """Return all steps and those of the warm-up. **Raises** Malformed."""
    if drive is None:
        measured = _STEPS if steps is None else steps
        warmup = min(1000, max(1, measured // 5)) if warmup is None else warmup
        total = measured + warmup
    else:
        warmup = min(1000, len(drive) // 5) if warmup is None else warmup
        total = len(drive) if steps is None else warmup + steps
        measured = total - warmup
    if measured < 1 or warmup < 0 or (drive is not None and total > len(drive)):
        there = "" if drive is None else f"; the input has {len(drive)} steps"
        expected = "at least one step after the warm-up" if drive is None else "warm-up and measured steps within the input"
        raise Malformed(
            where="inputs, steps", law="length of the run", expected=expected, got=f"warm-up {warmup}, measured {measured}{there}"
        )
    return total, warmup


def _first(system: System, drive: Tensor | None, start: np.ndarray | Tensor | None, seed: int) -> Tensor:
    """Return the states (B, n) that ``spectrum`` starts from, too. **Raises** Malformed."""
    import torch

    from verify.lyapunov.request import starts

    batch = 1 if drive is None else drive.shape[1]
    if start is not None:
        first = torch.as_tensor(np.atleast_2d(start), dtype=system.dtype)
        if first.shape[-1] != system.dimension or first.shape[0] not in {1, batch} or not torch.isfinite(first).all():
            expected = f"{system.dimension} finite numbers, for each of {batch} sequences or once"
            raise Malformed(where="start", law="a starting state", expected=expected, got=f"shape {tuple(first.shape)}")
        start = first[0] if len(first) == 1 else first
    return starts(system, start, batch, seed)


def _states(system: System, drive: Tensor | None, total: int, first: Tensor) -> torch.Tensor:
    """Return the states before each step, (T, B, n). **Raises** Malformed: too many numbers, or a run to infinity."""
    import torch

    numbers = max(total * first.numel(), first.shape[0] * system.dimension**2)
    if numbers > _MOST_NUMBERS:
        raise Malformed(
            where="run", law="size limit", expected=f"at most {_MOST_NUMBERS} numbers", got=f"{numbers}", remedy="fewer --steps"
        )
    states = torch.empty(total, *first.shape, dtype=system.dtype)
    state = first
    with torch.no_grad():
        for t in range(total):
            states[t] = state
            state = system.step(state, None if drive is None else drive[t])
            if not torch.isfinite(state).all():
                raise Malformed(
                    where=f"run, step {t + 1}", law="states stay finite", expected="a bounded orbit", got="nan or infinite entries"
                )
    return states


def as_module_input(source: object, inputs: np.ndarray) -> Tensor:
    """Return inputs as a torch module takes them: a tensor (T, B, m), or (B, T, m) for a ``batch_first`` module, in its dtype."""
    import torch

    drive = torch.as_tensor(inputs)
    drive = drive[:, None] if drive.ndim == 2 else drive  # noqa: PLR2004 - (T, m)
    if not isinstance(source, torch.nn.Module):
        return drive
    dtype = next((parameter.dtype for parameter in source.parameters()), torch.float64)
    return (drive.transpose(0, 1) if getattr(source, "batch_first", False) else drive).to(dtype)
