"""Progress on stderr, only on a terminal and only for work that takes over a second."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0


@contextmanager
def shown(*, rate: bool = False) -> Iterator[Callable[[str, int, int], None] | None]:
    """Yield a callback (what, done, total) that draws a bar; None where stderr is not a terminal. ``rate``: say how many a second, too."""
    if not sys.stderr.isatty():
        yield None
        return
    start = monotonic()
    bars: dict[str, int] = {}
    progress = _bar(rate)

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


def _bar(rate: bool) -> Progress:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second, of late."""

        def render(self, task: Task) -> Text:
            """Return the rate once there is one."""
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 1 else f"{60 * speed:,.1f}/min")

    columns = [*Progress.get_default_columns(), *([Rate()] if rate else [])]
    return Progress(*columns, console=Console(stderr=True), transient=True)
