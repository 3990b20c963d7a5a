"""What a spectrum is asked for, checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from proofs.errors import Malformed
from verify.lyapunov.system import System

if TYPE_CHECKING:
    Data = Tensor | NDArray[np.floating]

_STEPS = 10_000
_WARMUP = 1000
_DTYPES = {"float64": torch.float64, "float32": torch.float32}
_MEMBERS = ("name", "mode", "dimension", "input_size", "dtype", "device", "start", "step", "push", "log_det")


@dataclass(frozen=True)
class Request:
    """A checked request: where to start, what drives it, how long each part is."""

    start: Tensor
    inputs: Tensor | None
    k: int
    steps: int
    warmup: int
    tangent_warmup: int
    blocks: int
    qr: int | Literal["adaptive"]


def is_system(source: object) -> bool:
    """Tell whether an object follows the ``System`` protocol already."""
    return not isinstance(source, torch.nn.Module) and all(hasattr(source, member) for member in _MEMBERS)


def dtype_of(name: str | None) -> torch.dtype | None:
    """Return the dtype of a name, None for none."""
    if name is None:
        return None
    if name not in _DTYPES:
        raise bad("dtype", "a known precision", " or ".join(_DTYPES), str(name))
    return _DTYPES[name]


def bad(where: str, law: str, expected: str, got: str, remedy: str = "") -> Malformed:
    """Return the error for a wrong argument."""
    return Malformed(where=where, law=law, expected=expected, got=got, remedy=remedy)


def data(system: System, inputs: Data | None, batch: int) -> Tensor | None:
    """Return the inputs as (T, B, m) of the system's dtype; (T, m) is given to every sequence alike.

    **Raises:** Malformed for an autonomous system with inputs, a driven one without, wrong shapes, zero length, NaN or infinity.
    """
    if inputs is None:
        if system.mode == "driven":
            remedy = "or ask for closed_loop, or for driven=False"
            raise bad("inputs", "a driven system has inputs", "an array (T, B, m) or (T, m)", "none", remedy)
        return None
    if system.mode != "driven":
        raise bad("inputs", "only a driven system reads inputs", "none", f"inputs for a system in mode {system.mode}")
    found = torch.as_tensor(inputs).to(dtype=system.dtype, device=system.device)
    if found.ndim not in {2, 3} or found.shape[-1] != system.input_size:
        expected = f"(T, B, {system.input_size}) or (T, {system.input_size}), time first"
        raise bad("inputs", "inputs have the network's input size", expected, str(tuple(found.shape)))
    if 0 in found.shape:
        raise bad("inputs", "inputs are not empty", "at least one step", f"shape {tuple(found.shape)}")
    if not bool(torch.isfinite(found).all()):
        first = (~torch.isfinite(found)).nonzero()[0].tolist()
        raise bad("inputs", "inputs are finite", "finite numbers", f"{float(found[tuple(first)])} at index {first}, the first of them")
    if found.ndim == 2:  # noqa: PLR2004 - (T, m)
        return found.unsqueeze(1).expand(-1, batch, -1)
    if batch not in {1, found.shape[1]}:
        raise bad("batch", "one sequence an element", str(found.shape[1]), str(batch), "leave batch out")
    return found


def starts(system: System, start: Data | None, batch: int, seed: int) -> Tensor:
    """Return the states (B, n) to start from; given one state (n,), the first sequence has it and the others are a thousandth away.

    **Raises:** Malformed for wrong shapes, NaN or infinity.
    """
    if start is None:
        found = system.start(batch, seed)
    else:
        found = torch.as_tensor(start).to(dtype=system.dtype, device=system.device)
        found = _nearby(found, batch, seed) if found.ndim == 1 else found
    if found.shape != (batch, system.dimension):
        expected = f"({batch}, {system.dimension}) or ({system.dimension},)"
        raise bad("start", "a start is a full state for each sequence", expected, str(tuple(found.shape)))
    if not bool(torch.isfinite(found).all()):
        raise bad("start", "states are finite", "finite numbers", "a NaN or infinite entry")
    return found


def _nearby(state: Tensor, batch: int, seed: int) -> Tensor:
    noise = torch.randn(batch, len(state), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    noise[0] = 0.0
    return state + 1e-3 * (1 + state.abs()) * noise.to(state)


def lengths(available: int | None, steps: int | None, warmup: int | None, tangent_warmup: int | None) -> tuple[int, int, int]:
    """Return measured steps, state warm-up and tangent warm-up: inputs are consumed in that order from the last, never replayed.

    Without ``steps``: 10,000, or what the inputs leave. Each warm-up is min(1000, steps / 5) unless said, less where inputs are short.
    **Raises:** Malformed where a length is not positive or the inputs are too short.
    """
    for name, value, least in (("steps", steps, 1), ("warmup", warmup, 0), ("tangent_warmup", tangent_warmup, 0)):
        if value is not None and value < least:
            raise bad(name, "a run has a length", f"at least {least}", str(value))
    given = (warmup or 0) + (tangent_warmup or 0)
    open_ends = (warmup is None) + (tangent_warmup is None)
    if available is not None and available < given + (steps or 1):
        expected = f"at least warmup + tangent warmup + steps = {given + (steps or 1)} inputs"
        raise bad("inputs", "warm-up and measurement fit the inputs", expected, f"{available} inputs", "give more, or ask for less")
    if steps is None:
        total = None if available is None else available - given
        share = 0 if total is None else min(_WARMUP, total // (5 + open_ends))
        steps = _STEPS if total is None else total - open_ends * share
    else:
        share = min(_WARMUP, steps // 5)
        share = share if available is None or not open_ends else min(share, (available - given - steps) // open_ends)
    share = min(_WARMUP, steps // 5) if available is None else share
    return steps, share if warmup is None else warmup, share if tangent_warmup is None else tangent_warmup


def counts(system: System, k: int | None, blocks: int, steps: int, qr: int | Literal["adaptive"]) -> int:
    """Return the number of exponents; check it, the number of blocks and the interval.

    **Raises:** Malformed for k outside 1 ... n, fewer steps than blocks, an interval below 1.
    """
    if k is not None and not 1 <= k <= system.dimension:
        raise bad("k", "there are as many exponents as dimensions", f"1 to {system.dimension}", str(k))
    if blocks < 1 or steps < blocks:
        raise bad("steps", "a block has a step", f"1 <= blocks <= steps = {steps}", f"{blocks} blocks", "more steps, or fewer blocks")
    if qr != "adaptive" and (not isinstance(qr, int) or qr < 1):
        raise bad("qr", "frames are orthonormalised every so many steps", "a positive number or 'adaptive'", str(qr))
    return system.dimension if k is None else k
