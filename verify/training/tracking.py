"""Cycles, stability and exponents at each checkpoint of a training run, and the exact events on the straight lines between checkpoints.

Each checkpoint and each segment is kept in a file of its own, written whole or not at all, with what it was made from: tracking the same
run again does only what is missing, and an interruption loses the one that was being made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from proofs.errors import Malformed
from verify.certification.files import write_lines
from verify.formats import read
from verify.loading import load
from verify.numerics.batch import FloatNetwork
from verify.training.run import read_run
from verify.training.track_answers import (
    CheckpointRecord,
    CycleRecord,
    SegmentRecord,
    Tracking,
    as_plain,
    checkpoint_of,
    segment_of,
)

if TYPE_CHECKING:
    from verify.events import Word
    from verify.loading import Loaded
    from verify.training.checkpoints import Checkpoint
    from verify.training.run import TrainingRun

Progress = Callable[[str, int, int], None]
Record = TypeVar("Record", CheckpointRecord, SegmentRecord)
FORMAT = 2
MOST_PATTERNS = 4096
_UNIT = 1e-9  # nearer to 1 than that, a multiplier in floats counts as outside


@dataclass(frozen=True)
class Settings:
    """How much is done: cycles up to period ``up_to`` in ``budget`` seconds a checkpoint or segment, exponents over ``steps`` steps.

    ``exponents``: how many of the leading ones, 0 for none. ``branches``: prove, too, that cycles exist between their events. ``every``:
    of the checkpoints in range only each n-th, counted from the first, and the last. ``low``, ``high``: updates, inclusive.
    """

    up_to: int = 4
    budget: float = 10.0
    steps: int = 2000
    exponents: int = 3
    seed: int = 0
    branches: bool = True
    every: int = 1
    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of range. **Raises** Malformed."""
        for name, least in (("up_to", 1), ("steps", 64), ("exponents", 0), ("every", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise Malformed(where="track", law=name, expected=f"at least {least}", got=str(getattr(self, name)))
        if not self.budget > 0:
            raise Malformed(where="track", law="budget", expected="a positive number of seconds", got=str(self.budget))
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise Malformed(where="track", law="a range of updates", expected="FROM < TO", got=f"{self.low} to {self.high}")

    @property
    def made_with(self) -> dict[str, object]:
        """Return what a record depends on."""
        names = ("up_to", "budget", "steps", "exponents", "seed", "branches")
        return {"format": FORMAT, **{name: getattr(self, name) for name in names}}


def chosen(run: TrainingRun, settings: Settings) -> list[Checkpoint]:
    """Return the checkpoints that are looked at. **Raises** Malformed where fewer than two are left."""
    low, high = settings.low, settings.high
    inside = [one for one in run.checkpoints if (low is None or one.update >= low) and (high is None or one.update <= high)]
    kept = inside[:: settings.every]
    if inside and kept[-1] is not inside[-1]:
        kept.append(inside[-1])
    if len(kept) < 2:  # noqa: PLR2004 - a segment has two ends
        ends = "" if not run.checkpoints else f", which are from update {run.checkpoints[0].update} to {run.updates}"
        got = f"{len(kept)} of {len(run.checkpoints)}{ends}"
        raise Malformed(where=str(run.directory), law="two checkpoints in the range", expected="at least 2", got=got)
    return kept


Segmenter = Callable[["Loaded", "Loaded", Sequence["Word"], Settings], tuple[SegmentRecord, Iterable[bytes] | None]]


def track(
    folder: str | Path,
    settings: Settings | None = None,
    *,
    output: Path | None = None,
    progress: Progress | None = None,
    segment: Segmenter | None = None,
) -> Tracking:
    """Track a run: its checkpoints, then the segments between consecutive ones; records go to ``output`` (default: RUN/tracking).

    ``segment`` finds the events of one segment; by default ``verify.training.segments.proved_segment``, which has the kernel prove them.

    **Guarantee:** heuristic for cycles and exponents; an event with a theorem is proved, its certificate lies beside the record. Cycles,
    hence events, may be missing. **Raises** Malformed: a folder, a checkpoint or a record that does not fit.
    """
    wanted = settings or Settings()
    run = read_run(folder)
    place = output or run.directory / "tracking"
    files = chosen(run, wanted)
    networks = _Networks()
    records = []
    for done, one in enumerate(files, 1):
        records.append(_checkpoint(run, one, networks, wanted, place))
        if progress is not None:
            progress("checkpoints", done, len(files))
    find = segment or _proved
    segments = []
    for done, (first, last) in enumerate(pairwise(zip(files, records, strict=True)), 1):
        job = _Job(networks.of(first[0].path), networks.of(last[0].path), first[1], last[1])
        segments.append(_segment(job, wanted, place, find))
        if progress is not None:
            progress("segments", done, len(files) - 1)
    shown = {**wanted.made_with, "every": wanted.every, "from": wanted.low, "to": wanted.high}
    metrics = tuple(asdict(record) for record in run.metrics)
    return Tracking(run.directory.resolve().name, str(place), shown, tuple(records), tuple(segments), metrics)


def _proved(one: Loaded, two: Loaded, words: Sequence[Word], settings: Settings) -> tuple[SegmentRecord, Iterable[bytes] | None]:
    from verify.training.segments import proved_segment

    return proved_segment(one, two, words, settings)


class _Networks:
    """The last few networks that were read."""

    def __init__(self) -> None:
        self.kept: dict[Path, Loaded] = {}

    def of(self, file: Path) -> Loaded:
        if file not in self.kept:
            if len(self.kept) > 2:  # noqa: PLR2004 - the two ends of a segment
                self.kept.pop(next(iter(self.kept)))
            self.kept[file] = load(file)
        return self.kept[file]


def _checkpoint(run: TrainingRun, one: Checkpoint, networks: _Networks, settings: Settings, place: Path) -> CheckpointRecord:
    path = place / "checkpoints" / f"{one.update:08d}.json"
    loaded = networks.of(one.path)
    key = _key(settings, loaded.network.digest)
    kept = _kept(path, key)
    if kept is not None:
        return checkpoint_of(kept, str(path))
    record = checkpoint_record(run, one, loaded, settings)
    _keep(path, key, record)
    return record


def checkpoint_record(run: TrainingRun, one: Checkpoint, loaded: Loaded, settings: Settings) -> CheckpointRecord:
    """Estimate what there is to say of one checkpoint; loss, gradient norm and alpha are those that the run recorded of its parameters.

    **Guarantee:** heuristic.
    """
    from verify.search.cycles import find_cycles

    network = loaded.network
    floats = FloatNetwork(network)
    found = find_cycles(network, settings.up_to, budget_seconds=settings.budget, seed=settings.seed)
    cycles = tuple(_cycle(floats, candidate.points, candidate.itinerary) for candidate in found.candidates if not candidate.touches_border)
    exponents, escaped = _exponents(loaded, settings)
    said = next((record for record in run.metrics if record.update == one.update), None)
    numbers = (None, None, None) if said is None else (said.loss, said.gradient_norm, said.alpha)
    alpha = numbers[2]
    norm = None if alpha is None else forced_norm(floats, alpha, forced_states(run, one, network.dimension))
    loss, gradient = numbers[:2]
    return CheckpointRecord(one.update, network.digest, loss, gradient, alpha, cycles, found.saturated, exponents, escaped, norm)


def forced_states(run: TrainingRun, one: Checkpoint, dimension: int) -> int:
    """Return how many states forcing mixes with data: the observed ones, or all M where the observation is affine."""
    estimate = read(one.path).arrays.get("L")  # (M - N, N); absent where all states are observed
    return dimension if run.config.model.observation == "affine" or estimate is None else int(estimate.shape[1])


def _cycle(floats: FloatNetwork, points: np.ndarray, itinerary: tuple[str, ...] | None) -> CycleRecord:
    product = np.eye(floats.dimension)
    for jacobian in floats.jacobian(points):
        product = jacobian @ product
    moduli = np.abs(np.linalg.eigvals(product))
    return CycleRecord(len(points), itinerary, tuple(points[0].tolist()), float(moduli.max()), int(np.count_nonzero(moduli > 1.0 - _UNIT)))


def _exponents(loaded: Loaded, settings: Settings) -> tuple[tuple[tuple[float, float], ...], str]:
    """Return the leading exponents, or why there are none: orbits that escape are no error of the run."""
    from verify.lyapunov.spectra import spectrum

    count = min(settings.exponents, loaded.network.dimension)
    if count == 0:
        return (), ""
    try:
        found = spectrum(loaded, k=count, steps=settings.steps, seed=settings.seed)
    except Malformed as failure:
        return (), f"{failure.law}: {failure.got}"
    return tuple((entry.value, entry.half_width) for entry in found.exponents), ""


def forced_norm(floats: FloatNetwork, alpha: float, forced: int) -> float | None:
    """Return the largest spectral norm of J_D T over all patterns D, T = (1 - alpha) on the first ``forced`` states, else 1.

    Below 1 the driven training map z -> F(T z + forcing) contracts. **Guarantee:** heuristic (floats); None for over 4,096 patterns.
    """
    live = np.flatnonzero(floats.live)
    if not floats.is_piecewise_linear or 2 ** len(live) > MOST_PATTERNS:
        return None
    patterns = np.zeros((2 ** len(live), floats.hinges), dtype=bool)
    patterns[:, live] = (np.arange(2 ** len(live))[:, None] >> np.arange(len(live))) & 1
    scale = np.where(np.arange(floats.dimension) < forced, 1.0 - alpha, 1.0)
    jacobians = np.broadcast_to(floats.pieces(patterns)[0], (len(patterns), floats.dimension, floats.dimension))
    return float(np.linalg.norm(jacobians * scale, ord=2, axis=(1, 2)).max())


@dataclass(frozen=True)
class _Job:
    """The two ends of a segment."""

    one: Loaded
    two: Loaded
    first: CheckpointRecord
    last: CheckpointRecord

    @property
    def words(self) -> tuple[Word, ...]:
        cycles = (*self.first.cycles, *self.last.cycles)
        return tuple(dict.fromkeys(cycle.itinerary for cycle in cycles if cycle.itinerary is not None))


def _segment(job: _Job, settings: Settings, place: Path, find: Segmenter) -> SegmentRecord:
    name = f"{job.first.update:08d}-{job.last.update:08d}"
    path = place / "segments" / f"{name}.json"
    key = _key(settings, job.first.digest, job.last.digest)
    kept = _kept(path, key)
    earlier = None if kept is None else segment_of(kept, str(path))
    if earlier is not None and (earlier.certificate is None or (place / earlier.certificate).is_file()):
        return earlier  # what is called proved has its certificate beside it
    found, lines = find(job.one, job.two, job.words, settings)
    file = None if lines is None else f"segments/{name}.cert"
    if lines is not None:
        write_lines(place / "segments" / f"{name}.cert", lines)
    record = replace(found, first=job.first.update, last=job.last.update, certificate=file)
    _keep(path, key, record)
    return record


def _key(settings: Settings, *digests: str) -> str:
    return sha256(json.dumps([settings.made_with, *digests], sort_keys=True).encode()).hexdigest()


def _kept(path: Path, key: str) -> Mapping[str, Any] | None:
    """Return a record made of the same networks with the same settings, if there is one. **Raises** Malformed for a damaged file."""
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if content["key"] == key else None
    except (ValueError, KeyError, TypeError) as failure:
        law, expected = "a record of tracking", "a JSON object with a key"
        raise Malformed(where=str(path), law=law, expected=expected, got=str(failure), remedy="remove the file") from failure


def _keep(path: Path, key: str, record: Record) -> None:
    text = json.dumps({"key": key, **as_plain(record)}, allow_nan=False)
    write_lines(path, [text.encode() + b"\n"])
