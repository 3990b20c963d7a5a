"""Campaigns: the same rows however they are computed, cut into chunks, interrupted, killed and taken up again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from proofs.errors import Malformed, Rejected
from tests.verify.sampling.standin import CELLS, deadly_work, failing_work, refusing_work, work
from verify.errors import NotFound
from verify.sampling.campaign import MAX_COUNT, Plan, run
from verify.sampling.executors import Workforce
from verify.sampling.families import Cell
from verify.sampling.spread import spread
from verify.sampling.work import compute

if TYPE_CHECKING:
    from verify.sampling.database import Columns

PLAN = Plan(CELLS, 120, 3, chunk=10)
ROOT = Path(__file__).parents[3]
SECONDS = 600.0  # on a busy machine


def rows(path: Path) -> list[tuple]:
    """Return everything that is stored of the networks, in order."""
    with duckdb.connect(str(path)) as connection:
        return connection.execute("SELECT text, networks.* EXCLUDE cell FROM networks JOIN cells USING (cell) ORDER BY text, i").fetchall()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple]:
    """Return the rows of the plan, computed in one go."""
    path = tmp_path_factory.mktemp("campaign") / "whole.db"
    summary = run(PLAN, path, jobs=1, work=work)
    assert (summary.computed, [counts.total for counts in summary.cells]) == (240, [120, 120])
    return rows(path)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "campaign.db"


@pytest.mark.parametrize("chunk", [0, 1, 7, 119, 500])
def test_chunks_do_not_matter(chunk: int, db: Path, expected: list[tuple]) -> None:
    run(replace(PLAN, chunk=chunk), db, jobs=1, work=work)
    assert rows(db) == expected


def test_processes_do_not_matter(db: Path, expected: list[tuple]) -> None:
    summary = run(PLAN, db, jobs=2, work=work)
    assert rows(db) == expected
    assert summary.database == str(db)


def test_threads_do_not_matter(db: Path, expected: list[tuple]) -> None:
    with ThreadPoolExecutor(3) as pool:
        run(PLAN, db, executor=pool, jobs=3, work=work)
        assert pool.submit(int, "1").result() == 1  # it is still open
    assert rows(db) == expected


def test_in_memory_counts_the_same(db: Path) -> None:
    kept, unkept = run(PLAN, db, jobs=1, work=work), run(PLAN, jobs=1, work=work)
    assert (kept.cells, kept.checked, unkept.database) == (unkept.cells, unkept.checked, None)
    assert sum(counts.chaotic for counts in kept.cells) > 0


def test_counts_are_those_of_the_rows(db: Path, expected: list[tuple]) -> None:
    done = run(PLAN, db, jobs=1, work=work)
    for counts, checked in zip(done.cells, done.checked, strict=True):
        mine = [row for row in expected if row[0] == counts.cell.text]
        assert (counts.total, counts.chaotic) == (len(mine), sum(row[3] == "chaotic" for row in mine))
        assert counts.ordered_by_bound == sum(row[3] == "ordered_by_bound" for row in mine)
        assert (counts.period_3, counts.period_3_open) == tuple(sum(row[8] == value for row in mine) for value in (1, -1))
        assert checked == sum(row[3] == "ordered" and row[9] for row in mine) == 0


def test_done_once_is_done(db: Path, expected: list[tuple]) -> None:
    first = run(PLAN, db, jobs=1, work=work)
    again = run(PLAN, db, jobs=1, work=failing_work)
    assert (again.cells, again.computed, again.networks_per_second) == (first.cells, 0, None)
    assert rows(db) == expected


def test_a_plan_may_grow(db: Path, expected: list[tuple]) -> None:
    assert run(Plan(CELLS[:1], 35, 3, chunk=10), db, jobs=1, work=work).computed == 35
    assert run(Plan(CELLS[:1], 100, 3, chunk=9), db, jobs=1, work=work).computed == 65
    assert run(PLAN, db, jobs=1, work=work).computed == 140
    assert rows(db) == expected


def test_less_may_be_asked_for(db: Path, expected: list[tuple]) -> None:
    run(PLAN, db, jobs=1, work=work)
    fewer = run(Plan(CELLS[1:], 50, 3), db, jobs=1, work=failing_work)
    assert (len(fewer.cells), fewer.cells[0].total, fewer.computed) == (1, 50, 0)
    assert rows(db) == expected


def test_another_seed_is_refused(db: Path, expected: list[tuple]) -> None:
    run(PLAN, db, jobs=1, work=work)
    with pytest.raises(Malformed) as caught:
        run(replace(PLAN, seed=4), db, jobs=1, work=work)
    assert str(caught.value).splitlines() == [
        f"Malformed at {db}, a campaign has one seed",
        "  expected  seed 3, as the file has it",
        "  got       seed 4",
        "  remedy    another --db, or remove this file to start afresh",
    ]
    assert rows(db) == expected


@pytest.mark.parametrize("chunks", [0, 1, 5, 23])
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_and_resumed(chunks: int, jobs: int, db: Path, expected: list[tuple]) -> None:
    def interrupt(_: str, done: int, total: int) -> None:
        assert total == 240
        if done >= 10 * chunks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(PLAN, db, jobs=jobs, progress=interrupt, work=work)
    assert len(rows(db)) == 10 * chunks
    run(replace(PLAN, chunk=7), db, jobs=1, work=work)
    assert rows(db) == expected


class Interrupted(Executor):
    """Takes tasks, and is interrupted each time."""

    def submit(self, *_: object, **__: object) -> Future:
        raise KeyboardInterrupt


class Closed(Workforce):
    """Writes down whether its executor was closed with all finished."""

    def __init__(self) -> None:
        self.finished: list[bool] = []

    def open(self) -> Executor:
        return Interrupted()

    def close(self, executor: Executor, *, finished: bool) -> None:  # noqa: ARG002 - as in Workforce
        self.finished.append(finished)


def test_an_interrupt_while_the_first_task_is_sent() -> None:
    """Nothing is noted as running then; what was sent is ended all the same, not waited for."""
    force = Closed()
    with pytest.raises(KeyboardInterrupt):
        list(spread(compute, [()], force))
    assert force.finished == [False]


def is_running(process: int) -> bool:
    """Say whether there is such a process; one that has ended may still be listed, where nobody asks how it did."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in {"Z", "X"}
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # it ended just now, or there is no such list here
        return not Path("/proc/self/stat").exists()


def kill_again_and_again(times: int, db: Path, folder: Path, seed: int) -> int:
    """Kill a campaign so many times at random moments, then let it finish; return how often there was something to kill."""
    moments, killed = random.Random(seed), 0
    command = [sys.executable, "-W", "error", "-m", "tests.verify.sampling.killed", str(db), str(folder), "120", "2"]
    for kill in [True] * times + [False]:
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            process.wait(moments.uniform(0.3, 2.2) if kill else SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        finally:
            process.wait()
    assert process.returncode == 0
    return killed


def check_nobody_is_left(folder: Path) -> None:
    """Workers end with their parent."""
    deadline = time.monotonic() + SECONDS
    left = {int(path.stem) for path in folder.glob("*.pid")}
    assert left
    while left and time.monotonic() < deadline:
        left = {process for process in left if is_running(process)}
        time.sleep(0.05)
    assert not left


def test_killed_at_random_moments(db: Path, tmp_path: Path, expected: list[tuple]) -> None:
    assert kill_again_and_again(3, db, tmp_path, seed=1) > 0
    assert rows(db) == expected
    check_nobody_is_left(tmp_path)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(db: Path, tmp_path: Path, expected: list[tuple]) -> None:
    assert kill_again_and_again(20, db, tmp_path, seed=2) > 0
    assert rows(db) == expected
    check_nobody_is_left(tmp_path)


def test_a_worker_is_killed(db: Path, tmp_path: Path, expected: list[tuple]) -> None:
    run(PLAN, db, jobs=2, work=partial(deadly_work, tmp_path / "died", 2))
    assert len(list(tmp_path.glob("died.*"))) == 2
    assert rows(db) == expected


def test_workers_are_killed_for_ever(db: Path, tmp_path: Path, expected: list[tuple]) -> None:
    with pytest.raises(NotFound) as caught:
        run(PLAN, db, jobs=2, work=partial(deadly_work, tmp_path / "died", 1000))
    lines = str(caught.value).splitlines()
    assert lines[:2] == [
        "NotFound at workers, every task is computed",
        "  expected  memory enough, and a finished task before 4 losses in a row",
    ]
    assert lines[2].startswith("  got       BrokenProcessPool: ")
    assert lines[3] == "  remedy    what is finished is kept; with fewer workers (--jobs), the same command goes on from there"
    before = rows(db)
    assert set(before) < set(expected)
    run(PLAN, db, jobs=1, work=work)
    assert rows(db) == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_worker_is_told(jobs: int, db: Path, expected: list[tuple]) -> None:
    with pytest.raises(Rejected) as caught:
        run(PLAN, db, jobs=jobs, work=refusing_work)
    assert str(caught.value).splitlines() == [
        "Rejected at network 40, a law", "  expected  this", "  got       that", "  remedy    none"
    ]  # fmt: skip
    with pytest.raises(ZeroDivisionError):
        run(PLAN, db, jobs=jobs, work=failing_work)
    run(PLAN, db, jobs=1, work=work)
    assert rows(db) == expected


def test_few_chunks_are_in_flight() -> None:
    held: list[Future] = []
    told: list[int] = []
    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
        submit = pool.submit
        patch.setattr(pool, "submit", lambda *task: held.append(submit(*task)) or held[-1])  # type: ignore[func-returns-value]
        run(replace(PLAN, chunk=1), executor=pool, jobs=2, work=work, progress=lambda _, done, __: told.append(len(held) - done))
    assert told[0] == 0
    assert max(told) <= 4


def test_small_campaigns_are_shared_out() -> None:
    sizes: list[int] = []

    def measured(cell: Cell, seed: int, first: int, count: int, device: str) -> Columns:
        sizes.append(count)
        return work(cell, seed, first, count, device)

    with ThreadPoolExecutor(1) as pool:
        run(replace(PLAN, chunk=0), executor=pool, jobs=3, work=measured)
    assert sizes == [20] * 12
    sizes.clear()
    run(replace(PLAN, chunk=0), jobs=1, work=measured)
    assert sizes == [120, 120]


def test_rows_that_go_missing_are_noticed() -> None:
    with pytest.raises(RuntimeError, match="11 rows where 10 were to be"):
        run(PLAN, jobs=1, work=lambda cell, seed, first, _, device: work(cell, seed, first, 11, device))


def test_an_executor_that_is_shut(db: Path) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        run(PLAN, db, executor=pool, jobs=1, work=work)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"cells": ()}, "at least one cell"),
        ({"cells": (CELLS[0], Cell("theory", 4, 4))}, "every cell once"),
        ({"count": 0}, f"a count from 1 to {MAX_COUNT}"),
        ({"count": 1.5}, f"a count from 1 to {MAX_COUNT}"),
        ({"seed": -1}, f"a seed from 0 to {2**64 - 1}"),
        ({"chunk": -1}, "a chunk of 1 network or more"),
    ],
)
def test_plans_are_checked(change: dict, expected: str) -> None:
    with pytest.raises(Malformed) as caught:
        replace(PLAN, **change)
    assert (caught.value.where, caught.value.law, caught.value.expected) == ("plan", "plan of a campaign", expected)


def test_sizes_of_chunks() -> None:
    plan = Plan((Cell("he", 64, 1),), 1, 0)
    sizes = {width: plan.size(Cell("he", width, 1)) for width in (1, 16, 64, 1024, 65536)}
    assert sizes == {1: 16384, 16: 16384, 64: 16384, 1024: 1024, 65536: 32}
    assert plan.size(Cell("he", 64, 1, 3)) == 127
    assert plan.size(Cell("relu_rnn", 2, 1)) == 8
    assert plan.size(Cell("he", 64, 1), "cuda") == 16384
    assert replace(plan, chunk=5).size(Cell("relu_rnn", 2, 1)) == 5


def test_the_largest_seed(db: Path) -> None:
    plan = replace(PLAN, seed=2**64 - 1)
    run(plan, db, jobs=1, work=work)
    assert run(plan, db, jobs=1, work=failing_work).computed == 0


REAL = [Cell("theory", 16, 8), Cell("he", 4, 1, 3), Cell("theory", 8, 6, 1, "tanh"), Cell("relu_rnn", 2, 0.2)]


@pytest.mark.parametrize("cell", REAL, ids=lambda cell: cell.text)
def test_the_real_work(cell: Cell, db: Path) -> None:
    count = 2 if cell.family == "relu_rnn" else 60
    summary = run(Plan((cell,), count, 11, chunk=25), db, jobs=1)
    counts = summary.cells[0]
    assert counts.total == count
    assert counts.undecided == 0
    assert summary.as_json()["cells"][0]["counts"]["chaotic"] == counts.chaotic
    columns = compute(cell, 11, 1, 1)
    stored = rows(db)[1]
    assert stored[1:6] == (1, *(columns[name][0] for name in ("sha256", "verdict", "theorem", "recipe")))
    assert stored[9] == columns["checked"][0]


def test_no_cuda_here(db: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(Malformed) as caught:
        run(Plan((Cell("theory", 4, 4),), 10, 0), db, jobs=2, device="cuda")
    assert (caught.value.where, caught.value.expected) == ("--device", "a CUDA device that torch can use")
