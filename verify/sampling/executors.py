"""Tasks spread over a ``concurrent.futures.Executor``: a bounded number in flight, finished ones handed over at once, lost ones sent again.

A worker that dies takes its tasks with it and nothing else: the executor is made anew and they are submitted again. Only where that
happens several times in a row with no task finished in between is it an error.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from typing import TYPE_CHECKING, Any, TypeVar

from proofs.errors import OrbitproofError
from verify.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Task = tuple[Any, ...]
Result = TypeVar("Result")
Work = Callable[..., Result]

AHEAD = 2  # tasks in flight for each worker
MOST_LOSSES = 4  # in a row with nothing finished in between
PATIENCE = 30.0  # seconds between two looks at whether anybody is at work
CONNECT_SECONDS = 10.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Workforce:
    """Where tasks are computed. ``workers`` run at a time; ``lost`` are the exceptions that mean a lost task, not a failed one."""

    workers: int = 1
    lost: tuple[type[BaseException], ...] = ()

    def open(self) -> Executor:
        """Return an executor that takes tasks. **Raises:** OrbitproofError where there is none to be had."""
        return _AtOnce()

    def close(self, executor: Executor, *, finished: bool) -> None:
        """Let go of the executor; unless all is finished, end what it is doing."""

    def room(self) -> int:
        """Return how many tasks may be in flight; 0 where nobody is left to do them."""
        return self.workers

    def survives(self) -> bool:
        """Say whether the executor can be used after a loss."""
        return True


class _AtOnce(Executor):
    """Computes in this process while a task is submitted."""

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:  # noqa: ANN401 - as in Executor
        future: Future[Result] = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as failure:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(failure)
        return future


class Given(Workforce):
    """An executor that somebody else made and will close."""

    lost = (BrokenExecutor, CancelledError)

    def __init__(self, executor: Executor, workers: int) -> None:
        self.workers = workers
        self._executor = executor

    def open(self) -> Executor:
        """Return it, as often as it is asked for."""
        return self._executor

    def room(self) -> int:
        """Return twice the number of workers, so that none of them waits."""
        return AHEAD * self.workers


class Processes(Workforce):
    """``jobs`` processes of this machine, each with one thread; they end when this one does, whatever ends it."""

    lost = (BrokenExecutor,)

    def __init__(self, jobs: int) -> None:
        self.workers = jobs
        self._leash: Connection | None = None

    def open(self) -> Executor:
        """Return an executor with fresh processes."""
        held, self._leash = Pipe(duplex=False)
        return ProcessPoolExecutor(self.workers, get_context("spawn"), _begin, (held,))

    def close(self, executor: Executor, *, finished: bool) -> None:
        """Wait for the processes to end; unless all is finished, end them at once."""
        if self._leash is not None and not finished:
            self._leash.close()
        executor.shutdown(wait=True, cancel_futures=True)
        if self._leash is not None:
            self._leash.close()

    def room(self) -> int:
        """Return twice the number of processes, so that none of them waits."""
        return AHEAD * self.workers

    def survives(self) -> bool:
        """Say no: one process that dies takes the others with it."""
        return False


class Dask(Workforce):
    """The workers of a ``dask.distributed`` scheduler, with this program installed in the same version."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Any = None

    def open(self) -> Executor:
        """Connect to the scheduler. **Raises:** NotFound: it cannot be reached, or has no worker; Unsupported: no such library here."""
        distributed = self._library()
        try:
            _in_a_thread(_greet_scheduler(distributed, self._address))
            self._client = distributed.Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
            self._client.wait_for_workers(1, CONNECT_SECONDS)
        except (OSError, ValueError, TypeError, MemoryError, ImportError) as failure:
            self._let_go()
            expected, got = "a dask scheduler with at least one worker", f"{type(failure).__name__}: {failure}"
            raise NotFound(where=f"--dask {self._address}", law="the scheduler can be reached", expected=expected, got=got) from failure
        self.lost = (distributed.KilledWorker, CancelledError)
        executor: Executor = self._client.get_executor(pure=False)
        return executor

    def close(self, executor: Executor, *, finished: bool) -> None:  # noqa: ARG002 - the scheduler forgets what is not finished
        """Disconnect."""
        self._let_go()

    def survives(self) -> bool:
        """Say whether the scheduler is still there: it replaces its workers itself."""
        return bool(self._client.status == "running")

    def room(self) -> int:
        """Return twice the number of the workers' threads, as they come and go."""
        try:
            threads: dict[str, int] = self._client.nthreads()
        except (OSError, RuntimeError):  # the scheduler is gone: the tasks in flight will say so
            return 0
        return AHEAD * sum(threads.values())

    def _library(self) -> Any:  # noqa: ANN401 - a module without types
        try:
            import distributed
        except ModuleNotFoundError as failure:
            law, remedy = "the library for many machines is installed", 'pip install "orbitproof[dask]"'
            raise Unsupported(where="--dask", law=law, expected="the module distributed", got="no such module", remedy=remedy) from failure
        return distributed

    def _let_go(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


async def _greet_scheduler(distributed: Any, address: str) -> None:  # noqa: ANN401 - a module without types
    """Ask who is there: a client that cannot be made would try to close itself for a long time. **Raises:** ValueError: no scheduler."""
    secrets = distributed.Security().get_connection_args("client")
    async with distributed.rpc(address, timeout=CONNECT_SECONDS, connection_args=secrets) as scheduler:
        identity = await asyncio.wait_for(scheduler.identity(), 2 * CONNECT_SECONDS)
    if identity["type"] != "Scheduler":
        message = f"a dask {identity['type']}"
        raise ValueError(message)


def _in_a_thread(question: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine where no event loop runs yet."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, question).result()


def workforce(jobs: int = 0, executor: Executor | None = None, dask: str | None = None) -> Workforce:
    """Return who works: an executor, a scheduler's workers, or ``jobs`` processes (0: one for each processor; 1: this process)."""
    count = jobs or _processors()
    if executor is not None:
        return Given(executor, count)
    if dask is not None:
        return Dask(dask)
    return Workforce() if count == 1 else Processes(count)


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Letter:
    """An error of this program as it travels: an exception with five named fields cannot be pickled as it is."""

    kind: type[OrbitproofError]
    fields: dict[str, str]

    def opened(self) -> OrbitproofError:
        return self.kind(**self.fields)


def spread(work: Work[Result], tasks: Iterable[Task], force: Workforce) -> Generator[tuple[Task, Result]]:
    """Yield each task with ``work(*task)`` as these are finished, in any order. Close the iterator to end what is in flight.

    **Raises:** what ``work`` raises; NotFound where workers are lost again and again.
    """
    crew = _Crew(work, tasks, force)
    try:
        yield from crew.results()
    finally:
        crew.leave()


class _Crew:
    """The tasks that are left, those in flight, and the executor that has them."""

    def __init__(self, work: Work[Any], tasks: Iterable[Task], force: Workforce) -> None:
        self._work, self._force = work, force
        self._left, self._again = iter(tasks), deque[Task]()
        self._running: dict[Future[Any], Task] = {}
        self._executor: Executor | None = None
        self._losses = 0

    def results(self) -> Iterator[tuple[Task, Any]]:
        while True:
            lost = self._fill()
            if not self._running and lost is None:
                return
            finished = wait(self._running, 0 if lost else PATIENCE, FIRST_COMPLETED).done
            for future in finished:
                task = self._running.pop(future)
                try:
                    result = future.result()
                except self._force.lost as failure:
                    self._again.append(task)
                    lost = failure
                except ModuleNotFoundError as failure:
                    raise _not_installed(str(failure.name)) from failure
                except MemoryError as failure:
                    raise _lost(failure) from failure
                else:
                    self._losses = 0
                    yield task, _opened(result)
            if lost is None and not finished and not self._force.room():
                lost = TimeoutError("no worker is left")
            if lost is not None:
                self._start_anew(lost)

    def leave(self) -> None:
        """Let go of the executor."""
        if self._executor is not None:
            executor, self._executor = self._executor, None
            self._force.close(executor, finished=not self._running)

    def _fill(self) -> BaseException | None:
        """Submit tasks until enough are in flight; return the exception if the executor turns out to be lost."""
        if self._executor is None:
            self._executor = self._force.open()
        room = max(1, self._force.room()) - len(self._running)
        for _ in range(room):
            task = self._again.popleft() if self._again else next(self._left, None)
            if task is None:
                break
            try:
                self._running[self._executor.submit(_guarded, self._work, task)] = task
            except self._force.lost as failure:
                self._again.append(task)
                return failure
        return None

    def _start_anew(self, lost: BaseException) -> None:
        self._losses += 1
        if not self._force.survives():
            self._again.extend(self._running.values())
            self.leave()
            self._running.clear()
        if self._losses >= MOST_LOSSES:
            raise _lost(lost) from lost


def _lost(failure: BaseException) -> NotFound:
    return NotFound(
        where="workers",
        law="every task is computed",
        expected=f"memory enough, and a finished task before {MOST_LOSSES} losses in a row",
        got=f"{type(failure).__name__}: {failure}",
        remedy="what is finished is kept; with fewer workers (--jobs), the same command goes on from there",
    )


def _not_installed(module: str) -> Unsupported:
    law, remedy = "workers have this program and what it needs", 'pip install "orbitproof[sampling]", for each worker'
    return Unsupported(where="workers", law=law, expected=f"the module {module}", got="no such module", remedy=remedy)


def _guarded(work: Work[Result], task: Task) -> Result | _Letter:
    """Compute a task where the work is done."""
    try:
        return work(*task)
    except OrbitproofError as failure:
        fields = failure.as_json()
        return _Letter(type(failure), {name: fields[name] for name in ("where", "law", "expected", "got", "remedy")})


def _opened(result: Result | _Letter) -> Result:
    if isinstance(result, _Letter):
        raise result.opened()
    return result


def _begin(leash: Connection) -> None:
    """Start a worker: one thread, interrupts are the parent's business, and without the parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    threading.Thread(target=_leave_with_parent, args=(leash,), daemon=True).start()


def _leave_with_parent(leash: Connection) -> None:
    """End this process when the other end of the pipe is closed, by the parent or by its death."""
    with suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(1)
