"""Lyapunov spectra of recurrent networks along runs: estimates with error bars, in nats per step."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from math import inf, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from verify.lyapunov import checks, request
from verify.lyapunov.checks import Check
from verify.lyapunov.covariant import Covariant, covariant_vectors
from verify.lyapunov.engine import Engine, Stretch
from verify.lyapunov.orthogonal import Pace
from verify.lyapunov.request import Request
from verify.lyapunov.results import UNIT, Estimate, Mode, Of
from verify.lyapunov.statistics import batch_mean, distinct, running_means, whole_run
from verify.lyapunov.summaries import entropy_sum, kaplan_yorke, participation_ratio
from verify.lyapunov.system import System

if TYPE_CHECKING:
    from verify.lyapunov.request import Data

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
_SAMPLES = 4096
_LARGE = 512
_CHECKED = 8
_LONGEST_CYCLE = 64
_DENSE_WORK = 2 * 10**9


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The ``k`` leading exponents of a run with all that was measured along it.

    **Shapes:** blocks (blocks, B, k), the means over blocks of time; convergence (blocks, k), the running means; finite_time (B, k), the
    exponents of each sequence over the whole run. **Units:** nats per step; minus infinity where a direction dies.
    **Guarantee:** heuristic: floats along one run; ``exponents`` carry 95 % intervals over blocks and sequences. A minus infinity is
    what floats tell: a slope of 0 in the formula of log|det J|, or shrunk below rounding level in one step.
    ``sum`` and ``log_det`` (mean log|det J|, by formula along the run, else from a sample of dense Jacobians) only for k = n; where floats
    lose directions although no Jacobian is singular, those are minus infinity, a note says so and ``sum`` is that of the formula;
    ``kaplan_yorke`` None where k does not suffice; ``participation`` None where the state stands still. ``notes``: what a reader must know.
    ``start`` (n,): where the first sequence began.
    """

    system: str
    mode: Mode
    dimension: int
    k: int
    steps: int
    warmup: int
    tangent_warmup: int
    batch: int
    dtype: str
    device: str
    seed: int
    exponents: tuple[Estimate, ...]
    sum: Estimate | None
    log_det: Estimate | None
    kaplan_yorke: float | None
    entropy_sum: float
    participation: float | None
    block_steps: int
    blocks: Array
    convergence: Array
    finite_time: Array
    covariant: Covariant | None
    checks: tuple[Check, ...]
    qr_interval: float
    notes: tuple[str, ...] = ()
    start: Array | None = None

    @property
    def failed(self) -> tuple[Check, ...]:
        """Return the identities that did not hold: if there are any, the numbers are not to be trusted."""
        return tuple(check for check in self.checks if not check.passed)

    def as_json(self) -> dict[str, object]:
        """Return what ``--json`` prints: minus infinity as a string, what is not known as null."""
        names = ("kaplan_yorke", "steps", "warmup", "tangent_warmup", "system", "dimension", "k", "batch", "dtype", "device", "seed")
        more = ("entropy_sum", "participation", "block_steps", "qr_interval")
        return {
            "mode": self.mode,
            "unit": UNIT,
            "exponents": [entry.as_json() for entry in self.exponents],
            "sum": None if self.sum is None else self.sum.as_json(),
            "log_det": None if self.log_det is None else self.log_det.as_json(),
            **{name: getattr(self, name) for name in (*names, *more)},
            "convergence": _plain(self.convergence),
            "finite_time": _plain(self.finite_time),
            "covariant": None if self.covariant is None else _covariant(self.covariant),
            "checks": [check.as_json() for check in self.checks],
            "notes": list(self.notes),
            "start": None if self.start is None else self.start.tolist(),
        }


def spectrum(  # noqa: PLR0913 - what is asked for is said by name
    source: object,
    inputs: Data | None = None,
    *,
    k: int | None = None,
    steps: int | None = None,
    warmup: int | None = None,
    tangent_warmup: int | None = None,
    batch: int = 1,
    start: Data | None = None,
    covariant: bool = False,
    blocks: int = 32,
    qr: int | Literal["adaptive"] = "adaptive",
    dtype: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    progress: Progress | None = None,
    **others: Any,  # noqa: ANN401 - closed_loop, driven, dimension, ...: of ``system_of``
) -> Spectrum:
    """Return the leading ``k`` Lyapunov exponents (all without ``k``) of a recurrent network along a run.

    ``source`` is a ``System`` or anything ``verify.lyapunov.systems.system_of`` reads. First the states move alone (``warmup``), then with
    frames that nobody looks at (``tangent_warmup``), then ``steps`` steps are measured; inputs are used up in that order, none twice.
    Without lengths: all inputs or 10,000 steps; each warm-up a fifth of the steps and at most 1000. ``blocks``: of time, for the error
    bars. ``qr``: steps between factorisations. ``covariant``: covariant vectors, too, on a window. ``progress`` is called block by block.

    **Shapes:** inputs (T, B, m), or (T, m) for one sequence given to all; time first also for a torch module with ``batch_first``. start
    (n,) or (B, n), the full state. **Guarantee:** heuristic, see ``Spectrum``; identities are checked in every run (``checks``).
    **Cost** a step: the network's tangent map on k columns; a factorisation, 4 n k^2, every few steps. Small systems (``ahead``): the step
    of the states, and a share of one call for all dense Jacobians of up to 64 steps.
    **Raises:** Malformed for bad input (NaN, zero length, T too short, k > n, steps < blocks), and where the orbit diverges.
    **See:** Benettin et al. (1980); Geist, Parlitz and Lauterborn (1990).
    """
    with torch.no_grad():
        system = _system(source, request.dtype_of(dtype), device, start, others)
        given = request.data(system, inputs, batch)
        size = batch if given is None else given.shape[1]
        lengths = request.lengths(None if given is None else len(given), steps, warmup, tangent_warmup)
        count = request.counts(system, k, blocks, lengths[0], qr)
        wanted = Request(request.starts(system, start, size, seed), given, count, *lengths, blocks, qr)
        found = _Run(system, wanted, seed, progress).result(covariant=covariant)
    if given is None or not getattr(source, "batch_first", False):
        return found
    read = f"time first: {given.shape[0]} steps of {given.shape[1]} sequences"
    return replace(found, notes=(*found.notes, f"the module has batch_first, which has no say here: the input was read {read}"))


def _system(source: object, dtype: torch.dtype | None, device: str, start: Data | None, others: dict[str, Any]) -> System:
    if request.is_system(source):
        system: System = source  # type: ignore[assignment]
        if others or (dtype is not None and dtype != system.dtype):
            told = ", ".join([*others, *([] if dtype is None else [f"dtype {dtype}"])])
            raise request.bad("source", "a System is used as it is", f"its own settings, dtype {system.dtype}", told)
        return system
    from verify.lyapunov.systems import system_of

    point = None if start is None else torch.as_tensor(start)
    first = point if point is None or point.ndim < 2 else point[0]  # noqa: PLR2004 - (B, n)
    return system_of(source, start=first, dtype=dtype, device=torch.device(device), **others)


class _Run:
    """One run: warm-ups, blocks, and what is kept of them."""

    def __init__(self, system: System, wanted: Request, seed: int, progress: Progress | None) -> None:
        self.system, self.wanted, self.seed, self.progress = system, wanted, seed, progress
        end = wanted.warmup + wanted.tangent_warmup + wanted.steps
        self.engine = Engine(system, wanted.start, wanted.inputs, wanted.k, Pace(wanted.qr, system.dtype), seed, end)
        edges = np.round(np.linspace(0, wanted.steps, wanted.blocks + 1)).astype(int)
        self.lengths = np.diff(edges).astype(float)
        self.samples: list[Tensor] = []
        self.stretches: list[Stretch] = []
        self.passed = 0
        few = 1 if system.dimension > _LARGE else _CHECKED
        self.looked_at = {round(i * (wanted.blocks - 1) / max(few - 1, 1)) for i in range(few)}
        self.densest = max(1, _DENSE_WORK // system.dimension**3)
        self.stride = -(-wanted.steps * len(wanted.start) // _SAMPLES)

    def result(self, *, covariant: bool) -> Spectrum:
        """Run, and return what was found."""
        self.engine.settle(self.wanted.warmup)
        self._transient()
        vectors = self._vectors() if covariant else None
        blocks, volumes = self._measured()
        order = np.argsort(-whole_run(blocks, self.lengths).mean(axis=0), kind="stable")
        rounding = self.engine.pace.rounding(self.wanted.steps)
        return self._spectrum(blocks[:, :, order], rounding[order], volumes, vectors)

    def _transient(self) -> None:
        left = self.wanted.tangent_warmup
        while left:
            left -= len(self.engine.stretch(left).trail)
        self.engine.count_from_here()

    def _vectors(self) -> Covariant:
        """Return the covariant vectors from here on; the engine itself stays where it is."""
        ahead = self._copy()
        left = min(self.wanted.steps, _CHECKED)
        while left:
            left -= len(ahead.stretch(left).trail)
        return covariant_vectors(self._copy(), self.wanted.steps, int(ahead.rank.min()), self.seed)

    def _copy(self) -> Engine:
        other = copy(self.engine)
        other.pace, other.rank = copy(self.engine.pace), self.engine.rank.clone()
        return other

    def _measured(self) -> tuple[Array, Array | None]:
        """Return the block means of the exponents (blocks, B, k) and of log|det J| by formula (blocks, B)."""
        rows, volumes = [], []
        for block, length in enumerate(self.lengths.astype(int).tolist()):
            logs, volume = self._block(length, keep=block in self.looked_at)
            rows.append(logs / length)
            volumes.append(None if volume is None else volume / length)
            if self.progress is not None:
                self.progress("blocks", block + 1, self.wanted.blocks)
        by_formula = [volume for volume in volumes if volume is not None]
        return np.stack(rows), np.stack(by_formula) if len(by_formula) == len(rows) else None

    def _block(self, length: int, *, keep: bool) -> tuple[Array, Array | None]:
        total: Tensor | None = None
        volume: Tensor | None = None
        left = length
        while left:
            first = keep and left == length
            done = self.engine.stretch(min(left, self.densest) if first else left)
            if first and done.whole:
                self.stretches.append(done.first_sequence())
            self._sample(done)
            total = done.logs if total is None else total + done.logs
            volume = done.volume if volume is None or done.volume is None else volume + done.volume
            left -= len(done.trail)
        return _array(total), None if volume is None else _array(volume)

    def _sample(self, done: Stretch) -> None:
        for offset, (states, _) in enumerate(done.trail):
            if (self.passed + offset) % self.stride == 0:
                self.samples.append(states)
        self.passed += len(done.trail)

    def _spectrum(self, blocks: Array, rounding: Array, volumes: Array | None, vectors: Covariant | None) -> Spectrum:
        system, wanted = self.system, self.wanted
        kept = distinct(_array(self.engine.states))
        exponents = tuple(self._estimate(index + 1, blocks[:, kept, index], float(rounding[index])) for index in range(wanted.k))
        values = [entry.value for entry in exponents]
        whole = wanted.k == system.dimension
        total = self._estimate("sum", blocks[:, kept].sum(axis=2), float(rounding.sum())) if whole else None
        found, log_det = self._checks(blocks, volumes)
        if self.engine.lost and log_det is not None and log_det.value > -inf:
            total = log_det
        return Spectrum(
            system.name, system.mode, system.dimension, wanted.k, wanted.steps, wanted.warmup, wanted.tangent_warmup, len(wanted.start),
            str(system.dtype).removeprefix("torch."), str(system.device), self.seed, exponents, total, log_det if whole else None,
            kaplan_yorke(values, system.dimension), entropy_sum(values),
            participation_ratio(torch.cat(self.samples).cpu().numpy()), wanted.steps // wanted.blocks, blocks,
            running_means(blocks, self.lengths), whole_run(blocks, self.lengths), vectors,
            found if vectors is None else (*found, vectors.check), wanted.steps / self.engine.factorisations, self._notes(),
            _array(wanted.start[0]),
        )  # fmt: skip

    def _notes(self) -> tuple[str, ...]:
        """Say what a reader must know: directions that floats lose, and orbits that repeat themselves in floats."""
        return (*self._lost(), *self._repeating())

    def _lost(self) -> tuple[str, ...]:
        count, batch = self.engine.lost, len(self.wanted.start)
        if not count:
            return ()
        what = f"{count} direction{'s' * (count > 1)}" + (f" (over {batch} sequences)" if batch > 1 else "")
        total = "; the sum of all is that of the formula" if self.wanted.k == self.system.dimension else ""
        return (
            f"{what} shrank below rounding level in one step, no Jacobian being singular: -inf stands for what floats cannot tell{total}",
        )

    def _repeating(self) -> tuple[str, ...]:
        """Say so if the orbit of the first sequence repeats itself exactly: orbits of expanding maps do that in binary floats alone."""
        if self.wanted.inputs is not None:
            return ()
        first = states = self.engine.states[:1]
        for period in range(1, _LONGEST_CYCLE + 1):
            states = self.system.step(states, None)
            if torch.equal(states, first):
                cycle = "on a fixed point" if period == 1 else f"on a cycle of period {period}"
                return (f"in floats the orbit stands {cycle}: the numbers are those of it, the orbit of real numbers may move on",)
        return ()

    def _estimate(self, of: Of, blocks: Array, rounding: float) -> Estimate:
        known = np.abs(blocks[np.isfinite(blocks)])
        floor = 8 * float(torch.finfo(self.system.dtype).eps) * max(1.0, float(known.max(initial=0.0)))
        mean = batch_mean(blocks, self.lengths, floor + rounding)
        return Estimate(of, mean.value, mean.half_width)

    def _checks(self, blocks: Array, volumes: Array | None) -> tuple[tuple[Check, ...], Estimate | None]:
        """Return the identities of this run, and the mean of log|det J|."""
        system, found = self.system, []
        log_det: Estimate | None = None
        if self.wanted.k == system.dimension and volumes is not None:
            log_det = self._estimate("sum", volumes[:, distinct(_array(self.engine.states))], 0.0)
            sums = whole_run(blocks, self.lengths).sum(axis=1)
            means = whole_run(volumes[:, :, None], self.lengths)[:, 0]
            pair, lost = (torch.as_tensor(sums), torch.as_tensor(means)), self.engine.lost > 0
            found.append(checks.determinant_by_formula(*pair, system.dtype, system.dimension, lost=lost))
        elif self.wanted.k == system.dimension:
            check, values = checks.determinant_by_sample(system, self.stretches)
            mean = batch_mean(np.array(values)[:, None], np.ones(len(values))) if values else None
            log_det = Estimate("sum", -inf if mean is None else mean.value, nan if mean is None else mean.half_width)
            found.append(check)
        moments = [stretch.trail[0] for stretch in checks.spread(self.stretches)]
        ahead = self.engine.ahead
        found.append(checks.jacobian_check(system, moments, self.seed, 0.0 if ahead is None else ahead.drift))
        order = checks.order_check(system, self.stretches, self.seed)
        found += [] if order is None else [order]
        dead = int(np.isneginf(whole_run(blocks, self.lengths)).sum())
        return (*found, checks.resolution_check(max(0, self.engine.lost - dead), self.engine.lost)), log_det


def _array(values: Tensor | None) -> Array:
    return np.zeros(0) if values is None else np.asarray(values.cpu().numpy(), dtype=np.float64)


def _plain(values: Array) -> list[object]:
    """Return nested lists, minus infinity as a string and nan as null."""
    rows = [["-inf" if value == -inf else None if value != value else value for value in row] for row in values.tolist()]  # noqa: PLR0124
    return list(rows)


def _covariant(found: Covariant) -> dict[str, object]:
    growth = found.growth.mean(axis=(0, 1)).tolist()
    return {"steps": len(found.vectors), "growth": growth, "least_angle": float(found.angles.min()), "error": found.error}
