"""The ways in which a product of Jacobians is read, right and wrong, each computed from one recorded run.

A reading is a choice of order, state, window, unit and length. The right one multiplies J_T ... J_1 on the full state, after a warm-up, in
nats, and divides by the number of steps measured. **Source:** the faults are those found in published code; G. Benettin et al.,
Meccanica 15 (1980), for the right way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Literal

import numpy as np

from proofs.errors import Malformed

Order = Literal["forward", "reversed"]
State = Literal["full", "hidden"]
Window = Literal["after warm-up", "from the first step"]

_BLOCKS = 32
_T_QUANTILE = 2.04  # of Student's law for 31 degrees of freedom, 95 %
_VANISHED = 8  # a pivot below so many roundings of its column is 0
_SEQUENCES = 4  # axes of a batch of sequences of matrices


@dataclass(frozen=True, eq=False)
class Record:
    """A run kept step by step. ``jacobian(t)`` is (B, n, n), [i, j] the derivative of h'_i by h_j; the first ``warmup`` steps settle.

    ``hidden`` are the coordinates of the hidden state where the full state holds more, as an LSTM's does.
    """

    jacobian: Callable[[int], np.ndarray]
    steps: int
    warmup: int
    hidden: tuple[int, ...] | None = None

    @property
    def dimension(self) -> int:
        """Return n."""
        return int(self.jacobian(0).shape[-1])

    @property
    def measured(self) -> int:
        """Return the number of steps after the warm-up."""
        return self.steps - self.warmup


def record(jacobians: Sequence[np.ndarray] | np.ndarray, warmup: int | None = None, hidden: Sequence[int] | None = None) -> Record:
    """Return the record of given Jacobians, shape (T, n, n) or (T, B, n, n); a fifth of the steps are warm-up, at most 1000.

    **Raises** Malformed: no steps, matrices that are not square, NaN, a warm-up that leaves nothing.
    """
    try:
        array = np.asarray(jacobians, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise _malformed("matrices of numbers, all of one shape", str(error)) from error
    array = array if array.ndim == _SEQUENCES else array[:, None] if array.ndim == _SEQUENCES - 1 else array
    if array.ndim != _SEQUENCES or 0 in array.shape or array.shape[-1] != array.shape[-2]:
        raise _malformed("shape (T, n, n) or (T, B, n, n), T >= 1", f"shape {np.shape(jacobians)}")
    if not np.isfinite(array).all():
        raise _malformed("finite entries", f"{int((~np.isfinite(array)).sum())} entries that are not finite")
    warmup = min(1000, len(array) // 5) if warmup is None else warmup
    if not 0 <= warmup < len(array):
        raise _malformed(f"more steps than the warm-up of {warmup}", f"{len(array)} steps")
    return Record(lambda t: array[t], len(array), warmup, None if hidden is None else tuple(hidden))


def _malformed(expected: str, got: str) -> Malformed:
    return Malformed(where="Jacobians", law="a sequence of Jacobians", expected=expected, got=got)


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to read the run, and the numbers it gives, sorted descending. ``factor`` turns nats per step into what is printed."""

    order: Order
    state: State
    window: Window
    unit: str
    length: str
    factor: float
    values: np.ndarray
    half_widths: np.ndarray

    @property
    def faults(self) -> frozenset[str]:
        """Return the names of the faults; none for the right reading."""
        named = {
            "reversed order": self.order == "reversed",
            "missing cell state": self.state == "hidden",
            "missing warm-up": self.window == "from the first step",
            self.unit: self.unit != "nats",
            self.length: self.length != "steps measured",
        }
        return frozenset(name for name, there in named.items() if there)


def logarithms(run: Record, order: Order, state: State) -> np.ndarray:
    """Return log R_ii of every step, shape (T, B, k), from the identity frame on; minus infinity where a direction is lost.

    The reversed order pushes with the transposed Jacobian, Q <- J_t^T Q, which gives the exponents of J_1 J_2 ... J_T.
    **Guarantee:** heuristic, float64. **Cost:** one QR of n x n a step.
    """
    keep = np.arange(run.dimension) if state == "full" or run.hidden is None else np.array(run.hidden)
    frame = np.broadcast_to(np.eye(len(keep)), (run.jacobian(0).shape[0], len(keep), len(keep)))
    found = np.empty((run.steps, *frame.shape[:2]))
    for t in range(run.steps):
        matrix = run.jacobian(t)[:, keep[:, None], keep]
        pushed = (np.swapaxes(matrix, 1, 2) if order == "reversed" else matrix) @ frame
        frame, triangle = np.linalg.qr(pushed)
        pivots = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
        tiny = pivots <= _VANISHED * len(keep) * np.finfo(float).eps * np.linalg.norm(pushed, axis=1)
        if tiny.any():
            pivots = np.where(tiny & _singular(matrix)[:, None], 0.0, pivots)
        with np.errstate(divide="ignore"):
            found[t] = np.log(pivots)
    return found


def _singular(matrices: np.ndarray) -> np.ndarray:
    """Say of each matrix (B, n, n) whether it is singular at rounding level when its rows are brought to one size."""
    sizes = np.abs(matrices).max(axis=2, keepdims=True)
    evened = np.divide(matrices, sizes, out=np.zeros_like(matrices), where=sizes > 0)
    values = np.linalg.svd(evened, compute_uv=False)
    result: np.ndarray = values[:, -1] <= _VANISHED * matrices.shape[-1] * np.finfo(float).eps * values[:, 0]
    return result


def averages(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means over steps and sequences, sorted descending, with half widths.

    A half width is the largest of three: the 95 % interval of block means; what the ends of the run can change, which is what remains on
    a cycle; half of what the two halves of the run differ by. Infinite for one block. **Shapes:** logs (T, B, k). **Guarantee:** heuristic:
    the blocks are taken as independent.
    """
    values = logs.mean(axis=(0, 1))
    real = np.isfinite(values)
    parts = np.array_split(logs[:, :, real], min(_BLOCKS, len(logs)))
    blocks = np.concatenate([part.mean(axis=0) for part in parts])
    spread = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)) if len(blocks) > 1 else np.full(int(real.sum()), np.inf)
    ends = np.ptp(np.cumsum((logs[:, :, real] - values[real]).mean(axis=1), axis=0), axis=0) / len(logs)
    middle = -(-len(logs) // 2)
    halves = [part[:, :, real].mean(axis=(0, 1)) for part in (logs[:middle], logs[-middle:])]
    half_widths = np.zeros(len(values))
    half_widths[real] = np.maximum.reduce([_T_QUANTILE * spread, ends, np.abs(halves[0] - halves[1]) / 2])
    down = np.argsort(-values, kind="stable")
    return values[down], half_widths[down]


def readings(run: Record, dt: float | None = None) -> Iterator[Reading]:
    """Yield every combination of order, state, window, unit and length, the right one first."""
    states: tuple[State, ...] = ("full",) if run.hidden is None else ("full", "hidden")
    orders: tuple[Order, ...] = ("forward", "reversed")
    windows: dict[Window, int] = {"after warm-up": run.warmup}
    windows |= {"from the first step": 0} if run.warmup else {}
    for state, order in product(states, orders):
        logs = logarithms(run, order, state)
        half_widths = averages(logs[run.warmup :])[1]  # a transient is no fluctuation: it does not widen the bars
        for window, first in windows.items():
            values = averages(logs[first:])[0]
            for (unit, base), (length, ratio) in product(_UNITS.items(), _lengths(run, first, dt).items()):
                factor = ratio / log(base) if base else ratio
                yield Reading(order, state, window, unit, length, factor, factor * values, factor * half_widths)


_UNITS = {"nats": 0.0, "bits for nats": 2.0, "log10 for nats": 10.0}


def _lengths(run: Record, first: int, dt: float | None) -> dict[str, float]:
    """Return the lengths that a sum of logarithms may have been divided by, as factors."""
    summed, other = run.steps - first, run.measured if first == 0 else run.steps
    found = {"steps measured": 1.0}
    if dt is not None:
        found["per time unit, not per step"] = 1 / dt
    if other != summed:
        found[f"divided by {other}, where {summed} steps were summed"] = summed / other
    return found
