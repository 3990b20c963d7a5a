"""What a training run is asked to do: read from JSON, checked in every entry, written back in full."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from proofs.errors import Malformed
from verify.training.data import LONGEST, NAMES, SHORTEST, about
from verify.training.fields import read, require

FAMILIES = {"plrnn": (), "alrnn": ("P",), "shallow_plrnn": ("H",), "clipped_shallow_plrnn": ("H",), "dendritic_plrnn": ("B",)}
"""Families that can be trained, with the sizes each needs besides M."""
_OBSERVATIONS = ("identity", "affine")
RULES = ("constant", "jacobian_upper_bound", "batch_maximum", "product_upper_bound", "arithmetic_mean", "explog_approx")
OPTIMISERS = ("radam", "adam", "gradient_descent")
FORCINGS = ("sparse", "generalised", "none")
_LARGEST = 10_000_000
_WIDEST = 1_000
_SHORTEST = 2
_LAST_SEED = 2**63 - 1


@dataclass(frozen=True)
class ModelSettings:
    """Family, sizes, and the observation: identity (the first N states) or affine."""

    family: str
    M: int
    P: int | None = None
    H: int | None = None
    B: int | None = None
    clipped: bool = False
    observation: str = "identity"

    def check(self, where: str) -> None:
        """Refuse what no model has. **Raises:** Malformed."""
        require(self.family in FAMILIES, f"{where}, key family", f"one of {', '.join(FAMILIES)}", self.family)
        require(1 <= self.M <= _WIDEST, f"{where}, key M", f"an integer from 1 to {_WIDEST}", self.M)
        for name in ("P", "H", "B"):
            value, wanted = getattr(self, name), name in FAMILIES[self.family]
            said = f"{where}, key {name}"
            require((value is not None) == wanted, said, "a size" if wanted else f"none: {self.family} has no {name}", value)
            low, high = (0, self.M) if name == "P" else (1, 10 * _WIDEST)
            require(value is None or low <= value <= high, said, f"an integer from {low} to {high}", value)
        require(not self.clipped or self.family == "dendritic_plrnn", f"{where}, key clipped", "false: only dendritic_plrnn has it", True)
        require(self.observation in _OBSERVATIONS, f"{where}, key observation", " or ".join(_OBSERVATIONS), self.observation)


@dataclass(frozen=True)
class DataSettings:
    """A simulated system, or a file of the user's (.npy or .csv, time first); a relative name is read from the configuration's folder."""

    system: str | None = None
    file: str | None = None
    steps: int = 10_000
    dt: float | None = None
    seed: int = 0
    noise: float = 0.0
    standardise: bool = True

    def check(self, where: str) -> None:
        """Refuse what is no series. **Raises:** Malformed."""
        require((self.system is None) != (self.file is None), where, "either system or file", f"system {self.system}, file {self.file}")
        require(self.system is None or self.system in NAMES, f"{where}, key system", f"one of {', '.join(NAMES)}", self.system)
        require(_SHORTEST <= self.steps <= _LARGEST, f"{where}, key steps", f"an integer from {_SHORTEST} to {_LARGEST}", self.steps)
        fits = self.dt is None or SHORTEST <= self.dt <= LONGEST
        require(fits, f"{where}, key dt", f"a number from {SHORTEST:g} to {LONGEST:g}", self.dt)
        require(self.dt is None or self.system != "ellipse", f"{where}, key dt", "none: the ellipse is a map", self.dt)
        require(self.seed >= 0, f"{where}, key seed", "an integer, at least 0", self.seed)
        require(self.noise >= 0, f"{where}, key noise", "a number, at least 0", self.noise)

    def describe(self) -> str:
        """Return where the series comes from as text."""
        return f"file {self.file}" if self.system is None else about(self.system)


@dataclass(frozen=True)
class ForcingSettings:
    """Teacher forcing: sparse with an interval, generalised with alpha, its rule, gamma and every; or none."""

    kind: str = "generalised"
    interval: int | None = None
    alpha: float | None = None
    rule: str = "constant"
    gamma: float = 0.999
    every: int = 5

    def check(self, where: str) -> None:
        """Refuse what is no forcing. **Raises:** Malformed."""
        require(self.kind in FORCINGS, f"{where}, key kind", f"one of {', '.join(FORCINGS)}", self.kind)
        sparse, generalised = self.kind == "sparse", self.kind == "generalised"
        require((self.interval is not None) == sparse, f"{where}, key interval", _needed(sparse, "sparse"), self.interval)
        require((self.alpha is not None) == generalised, f"{where}, key alpha", _needed(generalised, "generalised"), self.alpha)
        require(self.interval is None or self.interval >= 1, f"{where}, key interval", "an integer, at least 1", self.interval)
        require(self.alpha is None or 0 <= self.alpha <= 1, f"{where}, key alpha", "a number from 0 to 1", self.alpha)
        require(self.rule in RULES, f"{where}, key rule", f"one of {', '.join(RULES)}", self.rule)
        require(self.rule == "constant" or generalised, f"{where}, key rule", "constant, unless kind is generalised", self.rule)
        require(0 <= self.gamma <= 1, f"{where}, key gamma", "a number from 0 to 1", self.gamma)
        require(self.every >= 1, f"{where}, key every", "an integer, at least 1", self.every)


@dataclass(frozen=True)
class TrainingSettings:
    """Epochs of batches of sequences, each of sequence_length predictions; the loss is the mean squared error plus penalties.

    ``noise`` is added to every batch; ``clip`` bounds the gradient's norm, null leaves it.
    """

    epochs: int = 100
    batches_per_epoch: int = 50
    batch_size: int = 16
    sequence_length: int = 200
    noise: float = 0.0
    latent_regularisation: float = 0.0
    observation_regularisation: float = 0.0
    clip: float | None = None

    def check(self, where: str) -> None:
        """Refuse sizes that are no sizes. **Raises:** Malformed."""
        for name in ("epochs", "batches_per_epoch", "batch_size", "sequence_length"):
            value = getattr(self, name)
            require(1 <= value <= _LARGEST, f"{where}, key {name}", f"an integer from 1 to {_LARGEST}", value)
        for name in ("noise", "latent_regularisation", "observation_regularisation"):
            require(getattr(self, name) >= 0, f"{where}, key {name}", "a number, at least 0", getattr(self, name))
        require(self.clip is None or self.clip > 0, f"{where}, key clip", "a positive number", self.clip)

    @property
    def updates(self) -> int:
        """Return how many updates there are in all."""
        return self.epochs * self.batches_per_epoch


@dataclass(frozen=True)
class OptimiserSettings:
    """Rates fall exponentially from ``rate`` to ``final_rate`` over the run."""

    kind: str = "radam"
    rate: float = 1e-3
    final_rate: float = 1e-6

    def check(self, where: str) -> None:
        """Refuse what is no optimiser. **Raises:** Malformed."""
        require(self.kind in OPTIMISERS, f"{where}, key kind", f"one of {', '.join(OPTIMISERS)}", self.kind)
        require(self.rate > 0, f"{where}, key rate", "a positive number", self.rate)
        require(0 < self.final_rate <= self.rate, f"{where}, key final_rate", f"a positive number up to {self.rate}", self.final_rate)


@dataclass(frozen=True)
class CheckpointSettings:
    """A checkpoint every so many updates, or every so many epochs; the first and the last network are always kept."""

    every_updates: int | None = None
    every_epochs: int | None = None

    def check(self, where: str) -> None:
        """Refuse what is no interval. **Raises:** Malformed."""
        both = self.every_updates is not None and self.every_epochs is not None
        require(not both, where, "every_updates or every_epochs", f"every_updates {self.every_updates}, every_epochs {self.every_epochs}")
        for name in ("every_updates", "every_epochs"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{where}, key {name}", "an integer, at least 1", value)


@dataclass(frozen=True)
class Config:
    """One training run, all of it; the same configuration gives the same bytes of parameters."""

    model: ModelSettings
    data: DataSettings
    forcing: ForcingSettings
    seed: int = 0
    name: str = "run"
    training: TrainingSettings = field(default_factory=TrainingSettings)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    checkpoints: CheckpointSettings = field(default_factory=CheckpointSettings)

    def as_json(self) -> dict[str, object]:
        """Return every setting, defaults included; ``read_config`` reads it back."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON text."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def interval(self) -> int:
        """Return the updates from one checkpoint to the next: by default one epoch."""
        kept = self.checkpoints
        return kept.every_updates or (kept.every_epochs or 1) * self.training.batches_per_epoch


def read_config(source: Config | Mapping[str, object] | Path | str) -> Config:
    """Return a configuration from a JSON file or an object, checked.

    **Raises:** Malformed, naming the key: unknown, missing, of another type, out of its range, sequences longer than the series.

    **Example**

    >>> asked = {"model": {"family": "plrnn", "M": 3}, "data": {"system": "ellipse", "steps": 100}, "forcing": {"kind": "none"}}
    >>> read_config(asked | {"training": {"sequence_length": 10}}).optimiser.kind
    'radam'
    """
    where = str(source) if isinstance(source, (str, Path)) else "configuration"
    config = source if isinstance(source, Config) else read(Config, _content(source), where)
    require(config.name.isprintable(), f"{where}, key name", "printable text", config.name)
    require(0 <= config.seed <= _LAST_SEED, f"{where}, key seed", "an integer from 0 to 2**63 - 1", config.seed)
    for part in ("model", "data", "forcing", "training", "optimiser", "checkpoints"):
        getattr(config, part).check(f"{where}, key {part}")
    if config.data.file is None:
        check_length(config, config.data.steps, where)
    return config


def check_length(config: Config, steps: int, where: str) -> None:
    """Refuse sequences that the series cannot hold. **Raises:** Malformed."""
    wanted = config.training.sequence_length + 1
    if wanted > steps:
        expected = f"at most {steps - 1}, as the series has {steps} points and a sequence of T predictions takes T + 1"
        raise Malformed(
            where=f"{where}, key training, key sequence_length",
            law="a sequence fits into the data",
            expected=expected,
            got=str(wanted - 1),
            remedy="more data steps, or shorter sequences",
        )


def _content(source: Mapping[str, object] | Path | str) -> object:
    if isinstance(source, Mapping):
        return source
    try:
        text = Path(source).read_text(encoding="utf-8")
        return json.loads(text, object_pairs_hook=_unique)
    except (OSError, ValueError, RecursionError) as failure:
        got = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        law = "the configuration can be read"
        raise Malformed(where=str(source), law=law, expected="a JSON object, each key once", got=got) from failure


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in {name for name, _ in pairs[:i]})
        raise ValueError(f"the key {twice} twice")
    return found


def _needed(wanted: bool, kind: str) -> str:
    return f"a number, as kind is {kind}" if wanted else f"none, unless kind is {kind}"
