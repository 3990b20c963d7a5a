"""Pools of processes that never hear of Ctrl-C, end with this one, whatever ends it, and can be ended in the middle of their work."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import parent_process
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")
Handler = Callable[[int, FrameType | None], Any] | int


class QuietPool(ProcessPoolExecutor):
    """Processes that never hear of Ctrl-C, not even while they start: it is the parent's business."""

    def submit(self, function: Callable[..., Result], /, *arguments: object, **named: object) -> Future[Result]:
        """Submit a task; an interrupt that comes meanwhile is heard afterwards."""
        with interrupts_held():
            return super().submit(function, *arguments, **named)


@contextmanager
def brief_pool(jobs: int, begin: Callable[[], None] | None = None) -> Iterator[QuietPool]:
    """Yield a pool whose processes call ``begin`` first; at the end they are ended, whatever they are doing."""
    pool = QuietPool(jobs, initializer=partial(_begin, begin))
    try:
        yield pool
    finally:
        try:
            end_processes(pool)
        finally:
            end_processes(pool)  # where an interrupt came before the first could
            pool.shutdown(cancel_futures=True)


def end_processes(executor: Executor) -> None:
    """End a pool's processes, whatever they are doing; to be called before ``shutdown``. Interrupts are heard afterwards.

    This process's own end of the pipe of results is closed, too: a process that ends while it sends leaves half a message, and the pool
    waits for the rest as long as anybody holds that end: for ever.
    """
    with interrupts_held():
        for process in list((getattr(executor, "_processes", None) or {}).values()):
            with suppress(ValueError):  # it has ended already
                process.terminate()
        writer = getattr(getattr(executor, "_result_queue", None), "_writer", None)
        if writer is not None:
            writer.close()


def _begin(begin: Callable[[], None] | None) -> None:
    """Start a worker: interrupts are the parent's business, and without a parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if begin is not None:
        begin()


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Put off Ctrl-C until the end of the block, where this is the main thread; processes that are started meanwhile never get it."""
    heard: list[int] = []
    before = _handled_by(lambda number, _: heard.append(number))
    try:
        with _blocked():
            yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
            if heard and callable(before):
                before(signal.SIGINT, None)


def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Handler | None:
    """Handle SIGINT so, and return what did before; None, and nothing is changed, outside the main thread."""
    try:
        return signal.signal(signal.SIGINT, handler)
    except ValueError:
        return None


@contextmanager
def _blocked() -> Iterator[None]:
    """Block SIGINT for what is started here; this alone does not hold it back where another thread takes it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
