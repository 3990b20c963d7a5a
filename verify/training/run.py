"""Train a network as a configuration says, into a folder of checkpoints, records and a state to resume from."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.files import replace_file
from verify.training.checkpoints import FOLDER, STATE, Checkpoint, checkpoints_of, load_state, path_of, save_network, save_state
from verify.training.config import Config, check_length, read_config
from verify.training.data import digest, series_of
from verify.training.measures import Quality, judge
from verify.training.records import METRICS, Diverged, Record, append, read_records
from verify.version import version

if TYPE_CHECKING:
    import numpy as np

    from verify.training.loop import Loop

    Report = Callable[[str, int, int], None]

CONFIG = "config.json"
RESULT = "result.json"


@dataclass(frozen=True)
class TrainingRun:
    """A run's folder: its configuration, checkpoints and records. ``quality`` is None until all updates are done."""

    directory: Path
    config: Config
    checkpoints: tuple[Checkpoint, ...]
    metrics: tuple[Record, ...]
    quality: Quality | None
    seconds: float

    @property
    def updates(self) -> int:
        """Return how many updates the last checkpoint has had."""
        return self.checkpoints[-1].update if self.checkpoints else 0


def train(
    config: Config | Mapping[str, object] | Path | str,
    directory: Path | str,
    *,
    resume: bool = False,
    until: int | None = None,
    progress: Report | None = None,
) -> TrainingRun:
    """Train as ``config`` says and return what lies in ``directory``; ``until``: pause after so many updates.

    The folder gets config.json, metrics.jsonl (one record an update, the last one after the last update), checkpoints, result.json, and
    state.pt: with ``resume`` the training goes on from there and ends with the same bytes of parameters as if it had not stopped.

    **Guarantee:** heuristic. Files are written whole or not at all.
    **Cost:** sequence_length steps forward and back an update.
    **Raises:** Malformed: the configuration, the data, a folder that holds another run; Diverged: loss or gradient no longer finite.
    """
    _require_torch()
    from verify.numerics.threads import one_thread
    from verify.training.loop import Loop

    asked, folder = read_config(config), Path(directory)
    series = series_of(asked.data, Path(config).parent if isinstance(config, (str, Path)) else None)
    check_length(asked, len(series), "configuration")
    with one_thread():
        loop = Loop(asked, series)
        again = resume and not _has_only_begun(asked, folder)
        earlier = _resumed(loop, folder, digest(series)) if again else _begun(asked, folder, series)
        return _Work(loop, folder, digest(series), progress, earlier).carried_out(until)


def read_run(directory: Path | str) -> TrainingRun:
    """Return what lies in a run's folder, finished or not. **Raises:** Malformed."""
    folder = Path(directory)
    checkpoints = checkpoints_of(folder)
    config = read_config(_object(folder / CONFIG).get("config", {}))  # type: ignore[arg-type]
    records = read_records(folder)
    quality = _quality(folder / RESULT) if (folder / RESULT).exists() else None
    return TrainingRun(folder, config, checkpoints, records, quality, records[-1].seconds if records else 0.0)


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    import numpy as np
    import scipy
    import torch

    named = {"orbitproof": version(), "python": platform.python_version(), "numpy": np.__version__}
    return named | {"scipy": scipy.__version__, "torch": torch.__version__}


class _Work:
    """The loop of updates, with what it leaves in the folder."""

    def __init__(self, loop: Loop, folder: Path, data: str, progress: Report | None, earlier: list[Record]) -> None:
        self.loop, self.folder, self.data, self.progress, self.records = loop, folder, data, progress, earlier
        self.before = earlier[-1].seconds if earlier else 0.0
        self.begun = perf_counter()
        self.versions = versions()

    def carried_out(self, until: int | None) -> TrainingRun:
        """Work until the end, or until so many updates are done."""
        loop, interval = self.loop, self.loop.config.interval
        total = loop.config.training.updates
        with (self.folder / METRICS).open("a", encoding="utf-8") as stream:
            while True:
                kept = loop.update % interval == 0 or loop.update == total
                paused = loop.update < total and until is not None and loop.update >= until
                if kept or paused:
                    # before the next batch is drawn: what is drawn again after resuming is the same
                    save_state(self.folder, loop.state())
                if paused:
                    return read_run(self.folder)
                record = self._recorded()
                if kept:
                    self._checkpoint(record)
                append(stream, record)
                if loop.update == total:
                    return self._judged()
                loop.step()
                if self.progress is not None:
                    self.progress("updates", loop.update, total)

    def _recorded(self) -> Record:
        record = self.loop.measure(self.before + perf_counter() - self.begun)
        if not record.is_finite:
            raise Diverged(record, self.records)
        self.records.append(record)
        return record

    def _checkpoint(self, record: Record) -> None:
        """Write the network that the record is about."""
        loop, config = self.loop, self.loop.config
        said = {
            "update": loop.update,
            "epoch": loop.epoch,
            "updates": config.training.updates,
            "loss": record.loss,
            "gradient_norm": record.gradient_norm,
            "alpha": record.alpha,
            "seed": config.seed,
            "config_sha256": config.digest,
            "data": config.data.describe(),
            "data_sha256": self.data,
            "versions": self.versions,
        }
        save_network(path_of(self.folder, loop.update), f"{config.name} {loop.update}", loop.model, loop.observation, said)

    def _judged(self) -> TrainingRun:
        """Let the network run freely, and write down how well it does."""
        points = self.loop.series.numpy()
        quality = judge(points, self.loop.free_run(len(points)), self.loop.predict)
        _write(self.folder / RESULT, {"quality": quality.as_json(), "loss": self.records[-1].loss, "seconds": self.records[-1].seconds})
        return read_run(self.folder)


def _require_torch() -> None:
    """Refuse to train without torch. **Raises:** Unsupported."""
    if find_spec("torch") is None:
        law, remedy = "the library is installed", 'pip install "orbitproof[torch,formats]"'
        raise Unsupported(where="train", law=law, expected="the module torch", got="no such module", remedy=remedy)


def _has_only_begun(config: Config, folder: Path) -> bool:
    """Say whether a run of this configuration stopped before its first state was kept; what it left is then cleared away."""
    if (folder / STATE).exists() or not (folder / CONFIG).exists() or checkpoints_of(folder):
        return False
    if _object(folder / CONFIG).get("config_sha256") != config.digest:
        return False
    (folder / CONFIG).unlink()
    return True


def _begun(config: Config, folder: Path, series: np.ndarray) -> list[Record]:
    """Make the folder. **Raises:** Malformed: there is a run in it, or it cannot be made."""
    if (folder / CONFIG).exists() or ((folder / FOLDER).is_dir() and checkpoints_of(folder)):
        remedy = "resume it with --resume, or take another folder"
        raise Malformed(
            where=str(folder), law="a run has a folder of its own", expected="a new folder", got="one with a run", remedy=remedy
        )
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        (folder / METRICS).unlink(missing_ok=True)
    except OSError as failure:
        got = failure.strerror or str(failure)
        raise Malformed(where=str(folder), law="the folder can be made", expected="a folder that can be written to", got=got) from failure
    told = {"config_sha256": config.digest, "data_sha256": digest(series), "data": config.data.describe(), "versions": versions()}
    _write(folder / CONFIG, {"config": config.as_json(), **told})
    return []


def _resumed(loop: Loop, folder: Path, data: str) -> list[Record]:
    """Restore the loop and drop the records from its update on, which are made again. **Raises:** Malformed."""
    loop.restore(load_state(folder))
    before = str(_object(folder / CONFIG).get("data_sha256"))
    if before != data:
        remedy = "the file of the data has changed, or the libraries that simulate them"
        raise Malformed(where=str(folder), law="a run goes on with its own data", expected=before, got=data, remedy=remedy)
    kept = [record for record in read_records(folder) if record.update < loop.update]
    if [record.update for record in kept] != list(range(loop.update)):
        expected, got = f"one of each update from 0 to {loop.update - 1}", f"{len(kept)} records"
        remedy = "put the file back, or train in another folder"
        raise Malformed(where=str(folder / METRICS), law="a run goes on with its own records", expected=expected, got=got, remedy=remedy)
    replace_file(folder / METRICS, lambda file: file.writelines(record.line().encode() for record in kept))
    return kept


def _quality(path: Path) -> Quality:
    """Read how well a finished run does. **Raises:** Malformed."""
    found = _object(path).get("quality")
    if not isinstance(found, dict) or found.keys() != {part.name for part in fields(Quality)}:
        raise Malformed(where=str(path), law="a run's result", expected="the qualities of a free run", got=repr(found)[:200])
    return Quality(**found)


def _write(path: Path, content: Mapping[str, object]) -> None:
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    replace_file(path, lambda file: file.writelines([text.encode()]))


def _object(path: Path) -> dict[str, object]:
    """Return the JSON object in a file. **Raises:** Malformed."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as failure:
        got = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        raise Malformed(where=str(path), law="a run's folder", expected="a JSON object", got=got) from failure
    if not isinstance(found, dict):
        raise Malformed(where=str(path), law="a run's folder", expected="a JSON object", got=type(found).__name__)
    return found
