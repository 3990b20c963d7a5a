"""A sweep: one training for every configuration of a grid, its spectra and final loss kept in a DuckDB file.

    sweep    format, seed, task, made_with                                  one row
    runs     run_id, config, final_loss, seconds, seed, failure             config: JSON; final_loss NULL and failure why: it diverged
    spectra  run_id, step, exponents, half_widths, loss, failed             nats per step; failed: identities that did not hold

A run and its spectra are one transaction, and a run's name and seed depend on its configuration and the sweep's seed alone: a sweep that
was ended by whatever means goes on where it was, and a larger grid computes only what is new.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from proofs.errors import Malformed
from verify.duck import DuckFile, Kind
from verify.lyapunov.training import Diverged, Record
from verify.version import version

if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]

FORMAT = "orbitproof sweep 1"
TABLES = {
    "sweep": {"format": "VARCHAR", "seed": "UBIGINT", "task": "VARCHAR", "made_with": "VARCHAR"},
    "runs": {
        "run_id": "VARCHAR", "config": "VARCHAR", "final_loss": "DOUBLE", "seconds": "DOUBLE", "seed": "UBIGINT", "failure": "VARCHAR",
    },
    "spectra": {
        "run_id": "VARCHAR", "step": "BIGINT", "exponents": "DOUBLE[]", "half_widths": "DOUBLE[]", "loss": "DOUBLE", "failed": "VARCHAR[]",
    },
}  # fmt: skip
_SPECTRA = "SELECT run_id, step, loss, exponents, half_widths, failed FROM spectra ORDER BY run_id, step"


class Trained(Protocol):
    """What a training hands back: its validation loss and the records of a ``SpectrumCallback``."""

    @property
    def final_loss(self) -> float:
        """Return the validation loss at the end, nats."""

    @property
    def records(self) -> tuple[Record, ...]:
        """Return the spectra, in order of the steps."""


@dataclass(frozen=True)
class Run:
    """One run as it is stored; ``final_loss`` is None, and ``failure`` says why, where it diverged. Its records' seconds are nan."""

    run_id: str
    config: dict[str, object]
    final_loss: float | None
    seconds: float
    seed: int
    failure: str | None
    records: tuple[Record, ...]


def run_sweep(
    train: Callable[[Mapping[str, object]], Trained],
    grid: Mapping[str, Sequence[object]] | Sequence[Mapping[str, object]],
    database: Path | str | None,
    *,
    seed: int = 0,
    task: str = "",
    progress: Progress | None = None,
) -> tuple[Run, ...]:
    """Train every configuration of a grid that the file lacks, and return all runs of the grid, in its order.

    ``grid``: names with their values, all combinations, the last name fastest; or the configurations themselves. ``train`` gets each with
    its own ``seed`` added; a name that it should not see twice, such as ``repeat``, is its own business. ``database`` None: in memory.

    **Guarantee:** a run depends on its configuration and ``seed`` alone. A training that raises Diverged is a run that failed; its spectra
    are kept. **Raises:** Malformed: a grid, a file of another seed or task, a damaged one, one in use; whatever else ``train`` raises.
    """
    configs = configurations(grid)
    with Sweep(None if database is None else Path(database), seed, task) as kept:
        there = kept.names()
        for i, config in enumerate(configs):
            if progress is not None:
                progress("trainings", i, len(configs))
            if run_name(config, seed) not in there:
                kept.add(_train(train, config, seed))
        if progress is not None:
            progress("trainings", len(configs), len(configs))
        found = {run.run_id: run for run in kept.runs()}
    return tuple(found[run_name(config, seed)] for config in configs)


def read_runs(database: Path | str) -> tuple[Run, ...]:
    """Return every run of a sweep's file, in order of their names. **Raises:** Malformed: no such file, a damaged one, one in use."""
    path = Path(database)
    if not path.exists():
        raise Malformed(where=str(path), law=Sweep.kind.law, expected="a file of a sweep", got="no such file")
    with Sweep(path, None, None) as kept:
        return kept.runs()


def configurations(grid: Mapping[str, Sequence[object]] | Sequence[Mapping[str, object]]) -> tuple[dict[str, object], ...]:
    """Return the configurations of a grid. **Raises:** Malformed: none, the same twice, one with a seed, one that JSON cannot write.

    **Example**

    >>> configurations({"cell": ["rnn", "gru"], "gain": [1, 2]})[1]
    {'cell': 'rnn', 'gain': 2}
    """
    if isinstance(grid, Mapping):
        found = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    else:
        found = [dict(config) for config in grid]
    if not found or not all(found):
        raise _bad_grid("at least one configuration with at least one name", "none")
    texts = [_canonical(config) for config in found]
    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        raise _bad_grid("every configuration once", twice)
    if any("seed" in config for config in found):
        raise _bad_grid("no seed: the sweep gives every run its own", "seed")
    return tuple(found)


def run_name(config: Mapping[str, object], seed: int) -> str:
    """Return the name of a run: 16 hexadecimal digits of a digest of seed and configuration."""
    return _digest(config, seed).hexdigest()[:16]


def run_seed(config: Mapping[str, object], seed: int) -> int:
    """Return the seed of a run, 0 to 2^31 - 1."""
    return int.from_bytes(_digest(config, seed).digest()[-4:], "big") >> 1


def _train(train: Callable[[Mapping[str, object]], Trained], config: Mapping[str, object], seed: int) -> Run:
    begun, own = perf_counter(), run_seed(config, seed)
    loss: float | None = None
    failure: str | None = None
    try:
        done = train({**config, "seed": own})
        loss, records = done.final_loss, done.records
    except Diverged as diverged:
        failure, records = f"{diverged.where}: {diverged.got}", diverged.history
    return Run(run_name(config, seed), dict(config), loss, perf_counter() - begun, own, failure, records)


class Sweep(DuckFile):
    """An open file of a sweep; a context manager. Whoever opens it is its only reader and writer. ``path`` None: in memory.

    **Raises:** Malformed, from every method: another seed or task (None: any), another format, a damaged file, one in use.
    """

    kind = Kind("sweep", TABLES, "another file", "another file, or remove this one to start afresh")

    def __init__(self, path: Path | None, seed: int | None, task: str | None) -> None:
        """Open the file, or begin it."""
        super().__init__(path, partial(self._greet, seed, task))

    def names(self) -> set[str]:
        """Return the names of the finished runs."""
        with self._clear():
            return {name for (name,) in self._run("SELECT run_id FROM runs")}

    def add(self, run: Run) -> None:
        """Keep a finished run and its spectra, or neither."""
        row = [run.run_id, _canonical(run.config), run.final_loss, run.seconds, run.seed, run.failure]
        with self._transaction():
            self._run("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)
            for one in run.records:
                spectrum = [run.run_id, one.step, list(one.exponents), list(one.half_widths), one.loss, list(one.failed)]
                self._run("INSERT INTO spectra VALUES (?, ?, ?, ?, ?, ?)", spectrum)

    def runs(self) -> tuple[Run, ...]:
        """Return all finished runs with their spectra, in order of their names."""
        spectra: dict[str, list[Record]] = {}
        with self._clear():
            rows = self._run(_SPECTRA)
            runs = self._run("SELECT run_id, config, final_loss, seconds, seed, failure FROM runs ORDER BY run_id")
        for name, step, loss, exponents, half_widths, failed in rows:
            spectra.setdefault(name, []).append(Record(step, loss, tuple(exponents), tuple(half_widths), math.nan, tuple(failed)))
        return tuple(
            Run(name, json.loads(config), loss, seconds, seed, failure, tuple(spectra.get(name, ())))
            for name, config, loss, seconds, seed, failure in runs
        )

    def _greet(self, seed: int | None, task: str | None) -> None:
        """Compare what is there with what is asked; begin an empty file."""
        if not self._tables() and seed is not None:
            with self._transaction():
                self._make_tables()
                self._run("INSERT INTO sweep VALUES (?, ?, ?, ?)", [FORMAT, seed, task or "", f"orbitproof {version()}"])
            return
        self._check_tables()
        self._check_about(seed, task)
        lost = "SELECT count(*) FROM spectra WHERE run_id NOT IN (SELECT run_id FROM runs)"
        if self._run(lost) != [(0,)] or self._run("SELECT count(*) = count(DISTINCT run_id) FROM runs") != [(True,)]:
            raise self._unfit("every run once, and no other spectra than theirs", "rows that do not fit together")

    def _check_about(self, seed: int | None, task: str | None) -> None:
        found = self._run("SELECT format, seed, task FROM sweep")
        if len(found) != 1 or found[0][0] != FORMAT:
            raise self._unfit(FORMAT, ", ".join(str(row[0]) for row in found))
        for name, there, asked in (("seed", found[0][1], seed), ("task", found[0][2], task)):
            if asked is not None and there != asked:
                raise self._differs(name, there, asked)


def _canonical(config: Mapping[str, object]) -> str:
    try:
        return json.dumps(dict(config), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as failure:
        raise _bad_grid("values that JSON can write", repr(dict(config))) from failure


def _digest(config: Mapping[str, object], seed: int) -> hashlib._Hash:
    return hashlib.sha256(f"{seed} {_canonical(config)}".encode())


def _bad_grid(expected: str, got: str) -> Malformed:
    return Malformed(where="grid", law="grid of a sweep", expected=expected, got=got)
