"""Where tasks are computed: this process, processes of this machine, a given executor, or the workers of a dask scheduler."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe, get_context
from typing import TYPE_CHECKING, Any, TypeVar

from verify.errors import NotFound, Unsupported
from verify.pools import QuietPool, end_processes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Result = TypeVar("Result")

AHEAD = 2  # tasks in flight for each worker
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
        return QuietPool(self.workers, get_context("spawn"), _begin, (held,))

    def close(self, executor: Executor, *, finished: bool) -> None:
        """Wait for the processes to end; unless all is finished, end them at once."""
        if self._leash is not None and not finished:
            end_processes(executor)
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

    workers = 16  # a guess, until the scheduler says how many

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
