"""Two small tasks to watch spectra on: predict the next character of a text, and read a digit row by row.

Every training is a function of its configuration: same configuration, same machine and number of threads, same weights and losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import nn

from proofs.errors import Malformed
from verify.lyapunov.training import Record, require_finite

if TYPE_CHECKING:
    from torch import Tensor

    from verify.lyapunov.training import SpectrumCallback

    Watch = Callable[[nn.Module, Tensor], SpectrumCallback]
    Batches = Iterator[tuple[Tensor, Tensor]]

CELLS: dict[str, Callable[[int, int, int], nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
MOST_SEED = 2**63 - 1
LARGEST = 1e37  # Adam's step must be a float32


@dataclass(frozen=True)
class Common:
    """What both tasks have: a cell (rnn, gru, lstm) of ``hidden`` units, and Adam with a clipped gradient.

    Recurrent weights are drawn from N(0, gain^2 / hidden), the others as torch does. **Raises:** Malformed.
    """

    cell: str = "rnn"
    hidden: int = 32
    layers: int = 1
    gain: float = 1.0
    rate: float = 3e-3
    steps: int = 300
    batch: int = 16
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        _check("cell", self.cell in CELLS, f"one of {', '.join(CELLS)}", self.cell)
        for name in ("hidden", "layers", "steps", "batch"):
            value = getattr(self, name)
            _check(name, type(value) is int and value >= 1, "an integer, at least 1", value)
        for name in ("gain", "rate", "clip"):
            value = getattr(self, name)
            _check(name, type(value) in {int, float} and 0 < value <= LARGEST, f"a positive number, at most {LARGEST:g}", value)
        _check("seed", type(self.seed) is int and 0 <= self.seed <= MOST_SEED, f"an integer from 0 to {MOST_SEED}", self.seed)


@dataclass(frozen=True)
class CharConfig(Common):
    """A training to predict the next character; the last tenth of the text is kept for validation and for the probe (rows x columns)."""

    length: int = 50
    characters: int = 30_000
    text_seed: int = 0
    probe_length: int = 400
    probe_batch: int = 4

    def __post_init__(self) -> None:
        """Check that there is text enough."""
        super().__post_init__()
        for name in ("length", "probe_length", "probe_batch"):
            value = getattr(self, name)
            _check(name, type(value) is int and value >= 1, "an integer, at least 1", value)
        needed = 10 * max(self.length + 1, self.probe_length * self.probe_batch)
        _check("characters", type(self.characters) is int and self.characters >= needed, f"at least {needed}", self.characters)


@dataclass(frozen=True)
class DigitConfig(Common):
    """A training to read digits; a fifth of the images is kept for validation, the probe shows some of them one after another."""

    probe_images: int = 50
    probe_batch: int = 4

    def __post_init__(self) -> None:
        """Check that there are images enough for the probe."""
        super().__post_init__()
        for name in ("probe_images", "probe_batch"):
            value = getattr(self, name)
            _check(name, type(value) is int and value >= 1, "an integer, at least 1", value)
        _check("probe_images", self.probe_images * self.probe_batch <= _KEPT_DIGITS, f"at most {_KEPT_DIGITS} in all", self.probe_images)


_KEPT_DIGITS = 359  # a fifth of 1,797


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished training: the model, its validation loss (nats), all training losses, seconds without those of the spectra.

    ``probe`` is what drove the spectra, shape (T, B, m); ``accuracy`` is the share of validation targets that were guessed.
    """

    model: Reader
    probe: Tensor
    losses: tuple[float, ...]
    final_loss: float
    accuracy: float
    seconds: float
    records: tuple[Record, ...]


class Reader(nn.Module):
    """A recurrent ``core`` and a linear ``readout``. **Shapes:** (T, B, m) -> (T, B, classes), or of the last time only (B, classes)."""

    def __init__(self, plan: Common, inputs: int, classes: int, *, last: bool) -> None:
        """Draw the weights from the plan's seed; torch's own generator is left alone."""
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            self.core = CELLS[plan.cell](inputs, plan.hidden, plan.layers)
            self.readout = nn.Linear(plan.hidden, classes)
            with torch.no_grad():
                for name, weights in self.core.named_parameters():
                    if name.startswith("weight_hh"):
                        weights.normal_(0.0, plan.gain / math.sqrt(plan.hidden))
        self.last = last

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        hidden, _ = self.core(inputs)
        return cast("Tensor", self.readout(hidden[-1] if self.last else hidden))


def train_char(config: CharConfig | Mapping[str, object], callback: Watch | None = None) -> Trained:
    """Train a network to predict the next character of a generated text.

    ``callback(core, probe)`` returns the ``SpectrumCallback`` that watches the recurrent core on the probe, one-hot characters of the text
    kept for validation. **Raises:** Malformed: a configuration; Diverged: a loss that is not finite.
    """
    from verify.lyapunov.text import generated

    plan = configured(CharConfig, config)
    text = generated(plan.characters, plan.text_seed)
    codes, size = torch.from_numpy(text.codes), len(text.alphabet)
    border = len(codes) - len(codes) // 10
    training, kept = codes[:border], codes[border:]
    model = Reader(plan, size, size, last=False)
    probe = _one_hot(kept[: plan.probe_batch * plan.probe_length].view(plan.probe_batch, plan.probe_length).T, size)
    windows = kept[: len(kept) // (plan.length + 1) * (plan.length + 1)].view(-1, plan.length + 1).T
    validation = _one_hot(windows[:-1], size), windows[1:]
    return _fit(model, plan, _text_batches(training, size, plan), validation, probe, callback)


def train_digits(config: DigitConfig | Mapping[str, object], callback: Watch | None = None) -> Trained:
    """Train a network to tell a digit from its 8 rows of pixels, read from above; ``callback`` as for ``train_char``.

    The probe is the rows of images of the validation set, one image after another without a reset of the state.
    **Raises:** Malformed: a configuration; Unsupported: scikit-learn is not there; Diverged: a loss that is not finite.
    """
    from verify.lyapunov.digits import CLASSES, ROWS, load_digits

    plan = configured(DigitConfig, config)
    digits = load_digits()
    rows, labels = torch.from_numpy(digits.rows), torch.from_numpy(digits.labels)
    border = len(labels) - len(labels) // 5
    kept, count = rows[:, border:], plan.probe_images * plan.probe_batch
    model = Reader(plan, ROWS, CLASSES, last=True)
    probe = kept[:, :count].transpose(0, 1).reshape(plan.probe_batch, -1, ROWS).transpose(0, 1).contiguous()
    batches = _digit_batches(rows[:, :border], labels[:border], plan)
    return _fit(model, plan, batches, (kept, labels[border:]), probe, callback)


_Plan = TypeVar("_Plan", CharConfig, DigitConfig)


def configured(kind: type[_Plan], config: _Plan | Mapping[str, object]) -> _Plan:
    """Return a configuration from a mapping. **Raises:** Malformed: a name or value that it does not have."""
    if isinstance(config, kind):
        return config
    names = [field.name for field in fields(kind)]
    given = dict(cast("Mapping[str, Any]", config))
    strange = sorted(set(given) - set(names))
    if strange:
        _check(strange[0], False, f"one of {', '.join(names)}", strange[0])
    return kind(**given)


def _fit(
    model: Reader, plan: Common, batches: Batches, validation: tuple[Tensor, Tensor], probe: Tensor, callback: Watch | None
) -> Trained:
    watch = callback(model.core, probe) if callback is not None else None
    if watch is not None:
        watch.begin()
    begun, spent = perf_counter(), watch.seconds if watch is not None else 0.0
    losses = _optimise(model, plan, batches, watch)
    seconds = perf_counter() - begun - (watch.seconds - spent if watch is not None else 0.0)
    final, accuracy = _validate(model, *validation)
    require_finite(final, plan.steps, watch.history if watch else ())
    return Trained(model, probe, losses, final, accuracy, seconds, tuple(watch.history) if watch else ())


def _optimise(model: Reader, plan: Common, batches: Batches, watch: SpectrumCallback | None) -> tuple[float, ...]:
    """Run the plan's steps of Adam and return the losses."""
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=plan.rate), []
    for index in range(1, plan.steps + 1):
        inputs, targets = next(batches)
        loss = nn.functional.cross_entropy(model(inputs).flatten(0, -2), targets.flatten())
        losses.append(loss.item())
        require_finite(losses[-1], index, watch.history if watch else ())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        optimizer.step()
        if watch is not None:
            watch.step(losses[-1], index)
    return tuple(losses)


def _validate(model: Reader, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
    with torch.no_grad():
        logits = model(inputs).flatten(0, -2)
        loss = nn.functional.cross_entropy(logits, targets.flatten())
        guessed = (logits.argmax(-1) == targets.flatten()).double().mean()
    return loss.item(), guessed.item()


def _text_batches(codes: Tensor, size: int, plan: CharConfig) -> Batches:
    """Yield windows that start anywhere in the text, and the same one character on."""
    source = torch.Generator().manual_seed(plan.seed)
    within = torch.arange(plan.length + 1)[:, None]
    while True:
        starts = torch.randint(len(codes) - plan.length, (plan.batch,), generator=source)
        window = codes[within + starts]
        yield _one_hot(window[:-1], size), window[1:]


def _digit_batches(rows: Tensor, labels: Tensor, plan: Common) -> Batches:
    source = torch.Generator().manual_seed(plan.seed)
    while True:
        chosen = torch.randint(len(labels), (plan.batch,), generator=source)
        yield rows[:, chosen], labels[chosen]


def _one_hot(codes: Tensor, size: int) -> Tensor:
    return nn.functional.one_hot(codes, size).float()


def _check(name: str, holds: bool, expected: str, got: object) -> None:
    if not holds:
        raise Malformed(where=f"configuration, {name}", law="configuration of a training", expected=expected, got=repr(got))
