"""Work spread over processes: tasks go out, finished chunks come back and are written down at once."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from verify.pools import brief_pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify.certification.chunks import Chunk, Task
    from verify.certification.interrupts import Interrupts
    from verify.certification.ledger import Ledger

    Progress = Callable[[str, int, int], None]

DONE, BUDGET, INTERRUPTED, DIED = "done", "budget over", "interrupted", "a worker process died (out of memory, perhaps)"
_POLL = 0.2
_GRACE = 2.0  # seconds for the chunks in hand after an interrupt
_PATIENCE = 3.0  # and after the time at which they should have cut themselves short


class Grower(Protocol):
    """One way of growing proof trees; sent to every process once."""

    def grow(self, task: Task, deadline: float | None) -> Chunk:
        """Grow one chunk, a node at least; it depends on the task alone unless the deadline (``time.monotonic``) cuts it short."""
        ...


@dataclass(frozen=True)
class Limits:
    """When to stop: no task is begun after ``soft``, one in hand is cut short at ``hard`` (both None: never)."""

    soft: float | None = None
    hard: float | None = None
    jobs: int = 1

    @property
    def patience(self) -> float | None:
        """Return for how many seconds from now to wait for work that should cut itself short, None for ever."""
        return None if self.hard is None else max(0.0, self.hard + _PATIENCE - monotonic())

    @property
    def over(self) -> bool:
        """Say whether no further task may begin."""
        return self.soft is not None and monotonic() >= self.soft


class Farm:
    """Grows everything below the roots that the ledger does not hold yet."""

    def __init__(self, ledger: Ledger, grower: Grower, limits: Limits, interrupts: Interrupts, progress: Progress | None = None) -> None:
        self._ledger = ledger
        self._grower = grower
        self._limits = limits
        self._interrupts = interrupts
        self._progress = progress
        self._tasks: list[Task] = []

    def run(self, roots: list[Task]) -> str:
        """Work until all is done or a limit is met; return which. **Raises:** KeyboardInterrupt at the second interrupt."""
        self._tasks = self._ledger.pending(roots)
        while self._tasks:
            if (reason := self._stopping()) is not None:
                return reason
            if len(self._tasks) > 1 and self._limits.jobs > 1:
                return self._in_processes()
            try:
                with self._interrupts.at_once(self._limits.patience):
                    chunk = self._grower.grow(self._tasks.pop(), self._limits.hard)
            except KeyboardInterrupt:
                return INTERRUPTED
            except TimeoutError:
                return BUDGET
            self._keep(chunk)
        return DONE

    def _in_processes(self) -> str:
        try:
            with brief_pool(self._limits.jobs, partial(_begin, self._grower, self._limits.hard)) as pool:
                return self._share_out(pool)
        except BrokenProcessPool:
            return DIED

    def _share_out(self, pool: Executor) -> str:
        running: set[Future[Chunk]] = set()
        while self._tasks or running:
            if (reason := self._stopping()) is not None:
                running = {future for future in running if not future.cancel()}
                self._collect(wait(running, _GRACE if reason == INTERRUPTED else self._limits.patience).done)
                return reason
            while self._tasks and len(running) <= self._limits.jobs:
                running.add(pool.submit(_grow, self._tasks.pop()))
            finished, running = wait(running, _POLL, FIRST_COMPLETED)
            self._collect(finished)
        return DONE

    def _collect(self, finished: set[Future[Chunk]]) -> None:
        for future in finished:
            self._keep(future.result())

    def _stopping(self) -> str | None:
        return INTERRUPTED if self._interrupts.wanted else BUDGET if self._limits.over else None

    def _keep(self, chunk: Chunk) -> None:
        self._ledger.append(chunk)
        self._tasks.extend(reversed(chunk.parts))
        if self._progress is not None:
            done = len(self._ledger.done)
            self._progress("parts of the proof tree", done, done + len(self._tasks))


_here: tuple[Grower, float | None] | None = None


def _begin(grower: Grower, deadline: float | None) -> None:
    """Tell a worker what it is for."""
    global _here  # noqa: PLW0603 - it is said once, when the process starts
    _here = grower, deadline


def _grow(task: Task) -> Chunk:
    if _here is None:
        raise RuntimeError(task)
    return _here[0].grow(task, _here[1])
