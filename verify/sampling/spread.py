"""Tasks spread over an executor: a bounded number in flight, finished ones handed over at once, lost ones sent again.

A worker that dies takes its tasks with it and nothing else: they are submitted again, to a new executor where the old one is broken. Only
where that happens several times in a row with no task finished in between is it an error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from proofs.errors import OrbitproofError
from verify.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from verify.sampling.executors import Workforce

Task = tuple[Any, ...]
Result = TypeVar("Result")
Work = Callable[..., Result]

MOST_LOSSES = 4  # in a row with nothing finished in between
PATIENCE = 30.0  # seconds between two looks at whether anybody is at work


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
    crew, finished = _Crew(work, tasks, force), False
    try:
        yield from crew.results()
        finished = True
    finally:
        crew.leave(finished=finished)


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

    def leave(self, *, finished: bool) -> None:
        """Let go of the executor."""
        if self._executor is not None:
            executor, self._executor = self._executor, None
            self._force.close(executor, finished=finished)

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
            self.leave(finished=False)
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
