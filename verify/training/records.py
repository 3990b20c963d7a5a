"""What a training writes down at every update, and how it ends when the loss is no longer a number."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from proofs.errors import Malformed

METRICS = "metrics.jsonl"
_REMEDY = "a smaller rate, more forcing (a larger alpha, a shorter interval), or clip the gradient's norm"


@dataclass(frozen=True)
class Record:
    """Loss and gradient at the parameters after ``update`` updates, on the batch of the next one.

    ``loss`` is the mean squared error, ``penalty`` the regularisation; ``gradient_norm`` is that of their sum over all parameters, before
    any clipping. ``alpha`` is None where forcing is not generalised. ``seconds`` of training so far.
    """

    update: int
    epoch: int
    loss: float
    penalty: float
    gradient_norm: float
    alpha: float | None
    seconds: float

    def line(self) -> str:
        """Return the record as a line of JSON."""
        return json.dumps(asdict(self) | {"seconds": round(self.seconds, 6)}, allow_nan=False) + "\n"

    @property
    def is_finite(self) -> bool:
        """Say whether loss and gradient are numbers."""
        return all(math.isfinite(value) for value in (self.loss, self.penalty, self.gradient_norm))


class Diverged(Malformed):
    """Loss or gradient are no longer numbers: after which update; ``history`` holds the records up to there, as does metrics.jsonl."""

    def __init__(self, record: Record, history: Sequence[Record]) -> None:
        """Name the update."""
        got = f"loss {record.loss}, gradient norm {record.gradient_norm}; the {len(history)} records and all checkpoints before are kept"
        where = f"training after update {record.update}"
        super().__init__(where=where, law="loss of a training", expected="finite numbers", got=got, remedy=_REMEDY)
        self.history = tuple(history)


def read_records(directory: Path) -> tuple[Record, ...]:
    """Return the records in a run's folder; a last line cut short is left out. **Raises:** Malformed: a line that is no record."""
    path = directory / METRICS
    try:
        lines = path.read_bytes().decode("utf-8").splitlines(keepends=True)
        return tuple(_record(json.loads(line)) for line in lines if line.endswith("\n"))
    except (OSError, ValueError, TypeError) as failure:
        got = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        raise Malformed(where=str(path), law="records of a training", expected="a JSON object a line", got=got) from failure


def _record(content: dict[str, Any]) -> Record:
    """Return a record, its entries checked. **Raises:** ValueError, TypeError."""
    found = Record(**content)
    for name, value in asdict(found).items():
        whole = name in {"update", "epoch"}
        fits = type(value) is int and value >= 0 if whole else type(value) in {int, float} and math.isfinite(value)
        if not fits and not (name == "alpha" and value is None):
            message = f"{name} {value!r:.100}"
            raise ValueError(message)
    return found


def append(stream: IO[str], record: Record) -> None:
    """Write one record and hand it to the system, so that an interrupt loses at most the line being written."""
    stream.write(record.line())
    stream.flush()
