"""Small systems: the states of many steps first, then all their Jacobians, dense, in one call.

A step of a small network costs its calls, not its arithmetic: here the calls are shared by all steps of a chunk.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from proofs.errors import Malformed
from verify.lyapunov.march import march

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verify.lyapunov.system import System

    Numbers = NDArray[np.floating]

_LARGEST = 64
_ROOM = 2**16
_FEWEST = 8
_CHUNK = 64


def worthwhile(system: System, batch: int) -> bool:
    """Say whether dense Jacobians in chunks beat pushed frames: at most 64 states, and eight steps of the batch in 2^16 numbers.

    Measured on one core: 5 to 10 times up to n = 16 and four sequences, about 2 times at the edge, equal there for k = 1.
    """
    return system.device.type == "cpu" and system.dimension <= _LARGEST and _FEWEST * batch * system.dimension**2 <= _ROOM


def walk(system: System, states: Tensor, inputs: Tensor | None, steps: int, least: int) -> list[Tensor]:
    """Return the states before each step and after the last; ``inputs`` (T, B, m) has a row for each step.

    Fewer than ``steps`` where a step later than ``least`` is refused: it may never be asked for.
    **Raises:** Malformed: one of the first ``least`` steps is refused. States that are not finite are the caller's to find.
    """
    marched = march(system, states, inputs, steps) if states.numel() <= _ROOM // _CHUNK else None
    if marched is not None:
        return marched
    passed = [states]
    for step in range(steps):
        try:
            states = system.step(states, None if inputs is None else inputs[step])
        except Malformed:
            if step < least:
                raise
            break
        passed.append(states)
    return passed


def first_unbounded(states: list[Tensor]) -> int | None:
    """Return the index of the first batch of states with an infinite or NaN entry, None without one."""
    finite = torch.isfinite(torch.stack(states)).flatten(1).all(dim=1)
    return None if bool(finite.all()) else int((~finite).nonzero()[0, 0])


def overflow(step: int) -> Malformed:
    """Return the error of an orbit that is no longer finite after so many steps."""
    return Malformed(
        where=f"the state after step {step}",
        law="states stay finite",
        expected="finite numbers",
        got="an infinite or NaN state: the orbit diverges",
        remedy="start elsewhere, or check weights and inputs",
    )


class Ahead:
    """The coming steps of a small system, a chunk at a time; ``end`` is the time after which no step is taken.

    **Shapes:** a chunk of L steps has states (B, n) before each step and after the last, Jacobians (L, B, n, n), log|det J| by formula
    (L, B) where it is wanted and known. ``drift``: the largest distance so far between a state and where ``push`` moves the one before,
    relative where above 1. **Cost** of a step: one step of the states, and its share of one push of n columns.
    """

    def __init__(self, system: System, inputs: Tensor | None, end: int | None, *, with_volumes: bool) -> None:
        self.system, self.inputs, self.end, self.with_volumes = system, inputs, end, with_volumes
        self.first = 0
        self.states: list[Tensor] = []
        self.jacobians: Numbers = np.empty(0)
        self.volumes: Numbers | None = None
        self.regular = True
        self.drift = 0.0

    def reach(self, time: int, states: Tensor, length: int) -> int:
        """Have ``length`` steps from ``time`` and return the offset of the first in the chunk.

        **Raises:** Malformed where a step is refused or leads to a state that is not finite, naming the step.
        """
        offset = time - self.first
        if not 0 <= offset <= len(self.states) - 1 - length or self.states[offset] is not states:
            self._fill(time, states, length)
            offset = 0
        return offset

    def volume(self, time: int, length: int) -> Tensor | None:
        """Return the sum of log|det J| (B,) over steps that are in the chunk, None without a formula."""
        at = time - self.first
        return None if self.volumes is None else torch.from_numpy(self.volumes[at : at + length].sum(axis=0))

    def _fill(self, time: int, states: Tensor, length: int) -> None:
        batch, n = states.shape
        steps = max(length, min(_CHUNK, _ROOM // (batch * n * n)))
        steps = length if self.end is None else max(length, min(steps, self.end - time))
        inputs = None if self.inputs is None else self.inputs[time : time + steps]
        passed = walk(self.system, states, inputs, steps, length)
        lost = first_unbounded(passed)
        if lost is not None and lost <= length:
            raise overflow(time + lost)
        passed = passed[:lost]
        steps = len(passed) - 1
        flat = torch.stack(passed[:-1]).flatten(0, 1)
        driving = None if inputs is None else inputs[:steps].flatten(0, 1)
        columns = torch.eye(n, dtype=states.dtype).expand(len(flat), n, n)
        self.first, self.states = time, passed
        moved, jacobians = self.system.push(flat, driving, columns)
        self.jacobians = jacobians.reshape(steps, batch, n, n).numpy()
        apart = (moved - torch.stack(passed[1:]).flatten(0, 1)).abs() / moved.abs().clamp_min(1)
        self.drift = max(self.drift, float(apart.max().nan_to_num(inf)))
        volumes = self.system.log_det(flat, driving) if self.with_volumes else None
        self.volumes = None if volumes is None else volumes.double().reshape(steps, batch).numpy()
        self.regular = self.volumes is None or bool(np.isfinite(self.volumes).all())
