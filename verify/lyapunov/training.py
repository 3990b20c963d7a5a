"""Lyapunov spectra during training: a callback for plain PyTorch loops, and the records it keeps.

    watch = SpectrumCallback(model.rnn, k=8, every=100, inputs=probe)
    watch.begin()
    for ...:
        loss.backward(); optimizer.step()
        watch.step(loss)

The spectrum is that of the network in evaluation mode, driven by a fixed probe; weights, training flags and random numbers are afterwards
what they were, so that a watched training ends with the same bits as one that is not watched.
"""

from __future__ import annotations

import math
import random
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

    from verify.lyapunov.spectra import Spectrum

    Probe = Tensor | np.ndarray | Callable[[], Tensor | np.ndarray]

REMEDY = "a smaller learning rate, or clip the gradient's norm"


@dataclass(frozen=True)
class Record:
    """The leading exponents after ``step`` optimizer steps, nats per step, largest first, with half widths of their 95 % intervals.

    ``loss`` is the training loss that the loop had last reported (None: none yet), ``seconds`` what the estimate took, ``failed`` the
    names of the identities that did not hold: if there are any, the numbers are not to be trusted.
    """

    step: int
    loss: float | None
    exponents: tuple[float, ...]
    half_widths: tuple[float, ...]
    seconds: float
    failed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the record as JSON writes it: minus infinity as a string, an unknown half width as null."""
        exponents = [value if math.isfinite(value) else str(value) for value in self.exponents]
        half_widths = [width if math.isfinite(width) else None for width in self.half_widths]
        spectrum = {"exponents": exponents, "half_widths": half_widths, "failed": list(self.failed)}
        return {"step": self.step, "loss": self.loss, **spectrum, "seconds": round(self.seconds, 6)}


class Diverged(Malformed):
    """The loss is no longer a number: which step, and in ``history`` the spectra up to there."""

    def __init__(self, step: int, loss: float, history: Sequence[Record]) -> None:
        """Name the step."""
        kept = f"{loss}, after {len(history)} recorded {'spectrum' if len(history) == 1 else 'spectra'}, which are kept"
        super().__init__(where=f"training step {step}", law="loss of a training", expected="a finite number", got=kept, remedy=REMEDY)
        self.history = tuple(history)


class SpectrumCallback:
    """Estimate the ``k`` leading exponents (all, where there are fewer) of a recurrent module every ``every`` optimizer steps.

    ``module`` is the recurrent part of the model, ``inputs`` the probe that drives it, or a function that returns it (an embedding that is
    trained along). ``steps``, ``warmup`` and the rest go to ``spectrum``. The training's time is counted from ``begin()``.

    **Shapes:** probe (T, B, m) or (T, m). **Guarantee:** heuristic: estimates with error bars; the training itself is not changed by
    a bit (a callable probe runs as it is: what it changes stays changed).
    **Cost:** each spectrum's seconds are in its record, their share of the training's time in ``overhead``.
    **Raises:** Malformed: the fields here; whatever ``spectrum`` raises; Diverged, from ``step``: a loss that is not finite.
    """

    def __init__(self, module: nn.Module, *, inputs: Probe | None, k: int = 8, every: int = 100, **spectrum_options: Any) -> None:  # noqa: ANN401
        """Load what spectra need and start the clock; nothing is computed yet."""
        for name, value in (("k", k), ("every", every)):
            if type(value) is not int or value < 1:
                raise Malformed(where="callback", law=f"{name} of a callback", expected="an integer, at least 1", got=repr(value))
        self.module, self.inputs, self.k, self.every, self.options = module, inputs, k, every, dict(spectrum_options)
        self.history: list[Record] = []
        self.latest: Spectrum | None = None
        self.loss: float | None = None
        self.index = 0
        self._own = 0.0
        _load()
        self._begun = self._seen = perf_counter()

    def begin(self, *, initial: bool = True) -> Record | None:
        """Start the clock anew, at the first optimizer step; ``initial``: record the spectrum before it, too."""
        self._own = 0.0
        self._begun = self._seen = perf_counter()
        return self.record() if initial else None

    def step(self, loss: float | Tensor | None, index: int | None = None) -> Record | None:
        """Take the loss of an optimizer step just made, number ``index`` (1 the first; None: one more than last time).

        Returns the new record at every ``every``-th step. A loss on a GPU is fetched, which waits for it.
        """
        self.index = self.index + 1 if index is None else index
        if loss is not None:
            self.take(float(loss if isinstance(loss, float | int) else loss.detach()), self.index)
        made = self.record() if self.index % self.every == 0 else None
        self._seen = perf_counter()
        return made

    def take(self, loss: float, index: int) -> None:
        """Note the loss of step ``index`` without counting a step. **Raises:** Diverged."""
        require_finite(loss, index, self.history)
        self.loss = loss

    def record(self) -> Record:
        """Estimate the spectrum now and keep it."""
        begun = perf_counter()
        with undisturbed(self.module):
            self.latest = self._spectrum()
        seconds = perf_counter() - begun
        self._own += seconds
        self._seen = perf_counter()
        values, half_widths = zip(*((one.value, one.half_width) for one in self.latest.exponents), strict=True)
        failed = tuple(check.name for check in self.latest.failed)
        self.history.append(Record(self.index, self.loss, values, half_widths, seconds, failed))
        return self.history[-1]

    @property
    def seconds(self) -> float:
        """Return the seconds spent on spectra since ``begin``."""
        return self._own

    @property
    def overhead(self) -> float:
        """Return the seconds spent on spectra as a fraction of all other seconds from ``begin`` to the last step."""
        training = self._seen - self._begun - self._own
        return self._own / training if training > 0 else math.inf

    def as_json(self) -> dict[str, object]:
        """Return the history and its cost."""
        records = [record.as_json() for record in self.history]
        return {"unit": "nats/step", "every": self.every, "records": records, "seconds": self.seconds, "overhead": self.overhead}

    def _spectrum(self) -> Spectrum:
        from verify.lyapunov.spectra import spectrum
        from verify.lyapunov.systems import system_of

        own = {name: value for name, value in self.options.items() if name in _SYSTEM_OPTIONS}
        rest = {name: value for name, value in self.options.items() if name not in _SYSTEM_OPTIONS}
        system = system_of(self.module, **own)
        probe = self.inputs() if callable(self.inputs) else self.inputs
        return spectrum(system, probe, k=min(self.k, system.dimension), **rest)


_SYSTEM_OPTIONS = {"closed_loop", "driven", "dimension", "input_size", "dtype", "device"}


@cache
def _load() -> None:
    """Let torch and the engine load what the first spectrum of a process loads, seconds of it: later times are those of spectra."""
    from torch import nn

    from verify.lyapunov.spectra import spectrum

    module = nn.Module()
    with undisturbed(module):
        spectrum(lambda state: state / 2, dimension=1, steps=2, warmup=0, tangent_warmup=0, blocks=2)


def require_finite(loss: float, step: int, history: Sequence[Record] = ()) -> None:
    """Raise Diverged where the loss of a step is not finite."""
    if not math.isfinite(loss):
        raise Diverged(step, loss, history)


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Work with a module in evaluation mode and without gradients; afterwards its flags and all random numbers are as before.

    **Guarantee:** exact: every submodule's own ``training`` flag, the random states of Python, NumPy, torch and its GPUs.
    """
    import torch

    flags = [(part, part.training) for part in module.modules()]
    ours, numbers, state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - the user's own
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    try:
        module.eval()
        with torch.no_grad():
            yield
    finally:
        for part, flag in flags:
            part.training = flag
        random.setstate(ours)
        np.random.set_state(numbers)  # noqa: NPY002 - the same
        torch.set_rng_state(state)
        if on_gpus is not None:
            torch.cuda.set_rng_state_all(on_gpus)
