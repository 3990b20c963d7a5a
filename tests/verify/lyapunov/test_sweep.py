"""A sweep's file: every run once whatever ends the program, whole runs only, one seed, and nothing read from it that it does not say."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from proofs.errors import Malformed
from verify.lyapunov.sweep import FORMAT, TABLES, Run, configurations, read_runs, run_name, run_seed, run_sweep
from verify.lyapunov.tasks import train_char
from verify.lyapunov.training import Diverged, Record, SpectrumCallback

ROOT = Path(__file__).parents[3]
GRID: dict[str, list[object]] = {"cell": ["rnn", "gru"], "gain": [0.5, 1, 2]}


@dataclass(frozen=True)
class Done:
    final_loss: float
    records: tuple[Record, ...]


class Training:
    """A stand-in for a training: its spectra and loss are made of its configuration; it counts its calls and may end early."""

    def __init__(self, dies_at: int = 0, diverges: float = 0.0) -> None:
        self.calls: list[Mapping[str, object]] = []
        self.dies_at, self.diverges = dies_at, diverges

    def __call__(self, config: Mapping[str, object]) -> Done:
        self.calls.append(config)
        if len(self.calls) == self.dies_at:
            raise KeyboardInterrupt
        gain, seed = float(str(config["gain"])), int(str(config["seed"]))
        records = tuple(Record(step, None if step == 0 else 2.0, (gain, -math.inf), (seed / 2**31, math.nan), 1.0) for step in (0, 10))
        if gain == self.diverges:
            raise Diverged(11, math.nan, records)
        return Done(gain + seed / 2**31, (*records, Record(20, 1.5, (gain, 0.0), (0.0, 0.0), 1.0, ("sum",))))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "sweep.duckdb"


def shape(runs: tuple[Run, ...]) -> list[tuple[object, ...]]:
    """Return what does not depend on the clock."""
    return [(run.run_id, run.config, run.final_loss, run.seed, run.failure, repr(run.records)) for run in runs]


def test_every_configuration_is_trained_once(db: Path) -> None:
    training = Training()
    runs = run_sweep(training, GRID, db, seed=3)
    assert [run.config for run in runs] == list(configurations(GRID)) == [
        {"cell": cell, "gain": gain} for cell in ("rnn", "gru") for gain in (0.5, 1, 2)
    ]  # fmt: skip
    assert [call["seed"] for call in training.calls] == [run.seed for run in runs]
    assert len({run.seed for run in runs}) == 6
    assert [record.step for record in runs[0].records] == [0, 10, 20]
    assert runs[1].records[0].exponents == (1.0, -math.inf)
    assert math.isnan(runs[1].records[0].half_widths[1])
    assert [record.loss for record in runs[1].records] == [None, 2.0, 1.5]
    assert [record.failed for record in runs[1].records] == [(), (), ("sum",)]
    again = Training()
    assert shape(run_sweep(again, GRID, db, seed=3)) == shape(runs)
    assert again.calls == []
    assert sorted(shape(read_runs(db)), key=str) == sorted(shape(runs), key=str)


def test_a_larger_grid_computes_only_what_is_new(db: Path) -> None:
    first = run_sweep(Training(), GRID, db)
    training = Training()
    runs = run_sweep(training, GRID | {"gain": [3, 2, 1]}, db)
    assert [call["gain"] for call in training.calls] == [3, 3]
    assert shape(runs)[2] == shape(first)[1]
    assert len(read_runs(db)) == 8


def test_an_interrupted_sweep_goes_on(db: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_sweep(Training(dies_at=4), GRID, db)
    assert len(read_runs(db)) == 3
    training = Training()
    runs = run_sweep(training, GRID, db)
    assert len(training.calls) == 3
    assert shape(runs) == shape(run_sweep(Training(), GRID, None))


def test_a_killed_sweep_goes_on(db: Path) -> None:
    """The process is killed in the middle of a training; what was finished is there, and the lock is gone."""
    program = f"""
        import os, signal
        from dataclasses import dataclass
        from pathlib import Path
        from verify.lyapunov.sweep import run_sweep
        @dataclass
        class Done:
            final_loss: float
            records: tuple = ()
        def train(config):
            if config["gain"] == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return Done(1.0)
        run_sweep(train, {{"gain": [0, 1, 2, 3]}}, Path({str(db)!r}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    assert [run.config["gain"] for run in sorted(read_runs(db), key=lambda run: str(run.config))] == [0, 1]
    training = Training()
    run_sweep(training, {"gain": [0, 1, 2, 3]}, db)
    assert [call["gain"] for call in training.calls] == [2, 3]


def test_a_run_that_diverges_is_kept_with_its_reason(db: Path) -> None:
    runs = run_sweep(Training(diverges=1.0), {"gain": [0.5, 1.0]}, db)
    assert [run.final_loss is None for run in runs] == [False, True]
    assert runs[1].failure == "training step 11: nan, after 2 recorded spectra, which are kept"
    assert [record.step for record in runs[1].records] == [0, 10]
    assert runs[0].failure is None


def test_other_errors_are_not_swallowed(db: Path) -> None:
    def train(config: Mapping[str, object]) -> Done:
        raise ZeroDivisionError(config)

    with pytest.raises(ZeroDivisionError):
        run_sweep(train, {"gain": [1]}, db)
    assert read_runs(db) == ()


def test_a_real_training(db: Path) -> None:
    small = {"hidden": 3, "steps": 2, "batch": 2, "length": 5, "characters": 2000, "probe_length": 50, "probe_batch": 1}

    def train(config: Mapping[str, object]) -> object:
        return train_char(small | dict(config), lambda core, probe: SpectrumCallback(core, k=4, every=2, inputs=probe))

    runs = run_sweep(train, {"cell": ["lstm"]}, db)  # type: ignore[arg-type]
    assert [len(record.exponents) for record in runs[0].records] == [4, 4]
    assert shape(runs) == shape(run_sweep(train, {"cell": ["lstm"]}, None))  # type: ignore[arg-type]


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    run_sweep(Training(), {"gain": [1, 2]}, None, progress=lambda *args: told.append(args))
    assert told == [("trainings", 0, 2), ("trainings", 1, 2), ("trainings", 2, 2)]


def test_names_and_seeds_depend_on_configuration_and_seed_alone() -> None:
    assert run_name({"a": 1, "b": 2}, 0) == run_name({"b": 2, "a": 1}, 0) != run_name({"a": 1, "b": 2}, 1)
    assert len(run_name({"a": 1}, 0)) == 16
    assert 0 <= run_seed({"a": 1}, 0) < 2**31


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        ({}, "at least one configuration with at least one name"),
        ([], "at least one configuration with at least one name"),
        ({"gain": []}, "at least one configuration with at least one name"),
        ({"gain": [1, 1]}, "every configuration once"),
        ({"seed": [1, 2]}, "no seed: the sweep gives every run its own"),
        ({"gain": [math.nan]}, "values that JSON can write"),
        ([{"gain": object()}], "values that JSON can write"),
    ],
)
def test_grids_that_are_none(grid: Mapping[str, list[object]], expected: str) -> None:
    with pytest.raises(Malformed, match="grid of a sweep") as caught:
        run_sweep(Training(), grid, None)
    assert caught.value.expected == expected


def refused(path: Path, **options: object) -> Malformed:
    with pytest.raises(Malformed) as caught:
        run_sweep(Training(), GRID, path, **options)  # type: ignore[arg-type]
    assert caught.value.where == str(path)
    return caught.value


def test_another_seed_or_task_is_refused(db: Path) -> None:
    run_sweep(Training(), {"gain": [1]}, db, seed=3, task="text")
    assert refused(db, seed=4, task="text").law == "a sweep has one seed"
    assert refused(db, seed=3, task="digits").expected == "task 'text', as the file has it"
    assert refused(db, seed=3, task="digits").remedy == "another file, or remove this one to start afresh"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sweep SET format = 'orbitproof sweep 9'",
        "DELETE FROM sweep",
        "DELETE FROM runs",
        "INSERT INTO runs SELECT * FROM runs",
        "ALTER TABLE runs ADD COLUMN more INTEGER",
        "CREATE VIEW strange AS SELECT 1",
        "CREATE MACRO strange() AS 1",
        "DROP TABLE spectra",
    ],
)
def test_a_changed_file_is_refused(db: Path, change: str) -> None:
    run_sweep(Training(), {"gain": [1]}, db)
    with duckdb.connect(str(db)) as connection:
        connection.execute(change)
    assert refused(db).law == "a sweep's DuckDB file"


def test_files_of_another_kind(db: Path, tmp_path: Path) -> None:
    db.write_text("no database")
    assert refused(db).expected == "a DuckDB file"
    with pytest.raises(Malformed, match="no such file"):
        read_runs(tmp_path / "nowhere.duckdb")
    assert not (tmp_path / "nowhere.duckdb").exists()
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    with pytest.raises(Malformed, match="a sweep's DuckDB file"):
        read_runs(empty)


def test_one_writer(db: Path) -> None:
    def train(config: Mapping[str, object]) -> Done:
        refused(db)
        return Done(float(str(config["gain"])), ())

    assert run_sweep(train, {"gain": [1]}, db)[0].final_loss == 1.0


def test_the_tables_are_those_promised(db: Path) -> None:
    run_sweep(Training(), {"gain": [1]}, db, seed=5, task="text")
    with duckdb.connect(str(db)) as connection:
        assert set(TABLES) == {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert connection.execute("SELECT format, seed, task FROM sweep").fetchall() == [(FORMAT, 5, "text")]
        question = "SELECT config, exponents[1], len(half_widths) FROM runs JOIN spectra USING (run_id) WHERE step = 20"
        assert connection.execute(question).fetchall() == [('{"gain": 1}', 1.0, 2)]
