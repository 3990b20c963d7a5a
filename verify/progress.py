"""Progress on stderr, only on a terminal and only for work that takes over a second."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

_PATIENCE = 1.0


@contextmanager
def shown() -> Iterator[Callable[[str, int, int], None] | None]:
    """Yield a callback (what, done, total) that draws a bar; None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    start = monotonic()
    bars: dict[str, int] = {}
    progress = Progress(console=Console(stderr=True), transient=True)

    def report(what: str, done: int, total: int) -> None:
        if monotonic() - start < _PATIENCE:
            return
        progress.start()
        if what not in bars:
            bars[what] = progress.add_task(what, total=total)
        progress.update(progress.task_ids[list(bars).index(what)], completed=done, total=total)

    try:
        yield report
    finally:
        progress.stop()
