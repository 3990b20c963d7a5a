"""Tasks spread over executors: each comes back once, whoever computes them and whatever dies."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from proofs.errors import OrbitproofError
from tests.verify.sampling.standin import CELLS, deadly_work, refusing_work, slow_work, work
from verify.errors import NotFound, Unsupported
from verify.sampling.campaign import Plan, run
from verify.sampling.executors import Dask, Given, Processes, workforce
from verify.sampling.spread import Task, spread

PLAN = Plan(CELLS, 120, 3, chunk=10)
ROOT = Path(__file__).parents[3]


def tasks(count: int) -> Iterator[Task]:
    """Yield tasks one at a time, as a campaign does."""
    yield from ((number,) for number in range(count))


def identity(number: int) -> int:
    """Do nothing."""
    return number


def test_every_task_comes_back() -> None:
    assert [result for _, result in spread(identity, tasks(5), workforce(1))] == list(range(5))
    with ThreadPoolExecutor(2) as pool:
        found = list(spread(identity, tasks(50), workforce(2, pool)))
    assert sorted(found) == [((number,), number) for number in range(50)]
    assert list(spread(identity, tasks(0), workforce(1))) == []


def test_every_task_comes_back_from_processes() -> None:
    assert sorted(result for _, result in spread(identity, tasks(20), workforce(2))) == list(range(20))


def half_a_message(started: Path) -> None:
    """Begin to send a result of 1,000 bytes and never end: an interrupt at that moment must not wait for the rest."""
    queue = sys._getframe(1).f_locals["result_queue"]
    with queue._wlock:
        queue._writer._send(struct.pack("!i", 1000))
        started.touch()
        time.sleep(600)


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_that_are_ended_while_they_send_are_not_waited_for(jobs: int, tmp_path: Path) -> None:
    force, started = Processes(jobs), tmp_path / "started"
    executor = force.open()
    future = executor.submit(half_a_message, started)
    while not started.exists():
        time.sleep(0.02)
    ending = threading.Thread(target=force.close, args=(executor,), kwargs={"finished": False}, daemon=True)
    ending.start()
    ending.join(60)
    assert not ending.is_alive()
    assert isinstance(future.exception(0), BrokenExecutor)


def test_who_works() -> None:
    assert workforce(1).workers == 1
    assert type(workforce(3)) is Processes
    assert workforce(3).workers == 3
    assert workforce().workers == len(os.sched_getaffinity(0))
    assert type(workforce(0, None, "tcp://nowhere:1")) is Dask
    with ThreadPoolExecutor(1) as pool:
        assert type(workforce(0, pool)) is Given


class Forgetful(Executor):
    """Loses every second task."""

    def __init__(self) -> None:
        self.given = 0

    def submit(self, function, /, *arguments, **named) -> Future:  # noqa: ANN001, ANN002, ANN003 - as in Executor
        self.given += 1
        future: Future = Future()
        if self.given % 2:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_result(function(*arguments, **named))
        return future


def test_lost_tasks_are_sent_again() -> None:
    forgetful = Forgetful()
    assert sorted(result for _, result in spread(identity, tasks(9), Given(forgetful, 1))) == list(range(9))
    assert forgetful.given >= 17


def test_a_library_that_workers_lack() -> None:
    def lacking(number: int) -> int:
        raise ModuleNotFoundError(name=f"library_{number}")

    with pytest.raises(Unsupported) as caught:
        list(spread(lacking, tasks(1), workforce(1)))
    assert str(caught.value).splitlines() == [
        "Unsupported at workers, workers have this program and what it needs",
        "  expected  the module library_0",
        "  got       no such module",
        '  remedy    pip install "orbitproof[sampling]", for each worker',
    ]


def test_memory_that_workers_lack() -> None:
    def hungry(number: int) -> int:
        raise MemoryError(number)

    with pytest.raises(NotFound) as caught:
        list(spread(hungry, tasks(1), workforce(1)))
    assert (caught.value.law, caught.value.got) == ("every task is computed", "MemoryError: 0")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Unsupported) as caught:
        run(PLAN, dask="tcp://127.0.0.1:8786", work=work)
    assert str(caught.value).splitlines() == [
        "Unsupported at --dask, the library for many machines is installed",
        "  expected  the module distributed",
        "  got       no such module",
        '  remedy    pip install "orbitproof[dask]"',
    ]


def unreachable(address: str) -> OrbitproofError:
    pytest.importorskip("distributed")
    with pytest.raises(NotFound) as caught:
        run(PLAN, dask=address, work=work)
    assert (caught.value.where, caught.value.law) == (f"--dask {address}", "the scheduler can be reached")
    assert caught.value.expected == "a dask scheduler with at least one worker"
    return caught.value


def test_addresses_that_are_none() -> None:
    assert unreachable("nonsense").got == "ValueError: missing port number in address 'nonsense'"
    assert unreachable("what://ever:1").got.startswith("ValueError: unknown address scheme 'what'")


def test_something_else_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        unreachable(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        thread.join()


@pytest.fixture
def cluster() -> Iterator[tuple[str, subprocess.Popen]]:
    """Return the address of a cluster of two workers, and its process."""
    pytest.importorskip("distributed")
    command = [sys.executable, "-m", "tests.verify.sampling.cluster"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process.stdout.readline().strip(), process
        process.communicate()


@pytest.mark.slow
def test_a_cluster_counts_the_same(cluster: tuple[str, subprocess.Popen]) -> None:
    expected = run(PLAN, jobs=1, work=work)
    assert run(PLAN, dask=cluster[0], work=work).cells == expected.cells
    real = Plan(CELLS, 40, 3, chunk=10)
    assert run(real, dask=cluster[0]).cells == run(real, jobs=1).cells
    with pytest.raises(OrbitproofError, match="Rejected at network 40, a law"):
        run(PLAN, dask=cluster[0], work=refusing_work)


@pytest.mark.slow
@pytest.mark.parametrize("deaths", [1, 5])
def test_a_worker_of_a_cluster_is_killed(deaths: int, cluster: tuple[str, subprocess.Popen], tmp_path: Path) -> None:
    found = run(PLAN, dask=cluster[0], work=partial(deadly_work, tmp_path / "died", deaths))
    assert len(list(tmp_path.glob("died.*"))) == deaths
    assert found.cells == run(PLAN, jobs=1, work=work).cells


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_scheduler_is_killed(cluster: tuple[str, subprocess.Popen], tmp_path: Path) -> None:
    address, process = cluster
    database = tmp_path / "campaign.db"
    killing = threading.Timer(2.0, process.kill)
    killing.start()
    with pytest.raises(NotFound) as caught:
        run(Plan(CELLS, 3000, 3, chunk=10), database, dask=address, work=partial(slow_work, tmp_path))
    assert caught.value.law == "the scheduler can be reached"
    killing.join()
    assert run(Plan(CELLS, 3000, 3), database, jobs=1, work=work).cells == run(Plan(CELLS, 3000, 3), jobs=1, work=work).cells
