"""What the benchmarks of random networks share: a command's time and peak memory, a stopwatch around functions, tables as text."""

from __future__ import annotations

import functools
import json
import os
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
TO_MEGABYTES = 1 / 2**20 if sys.platform == "darwin" else 1 / 2**10  # from the unit of ru_maxrss
# a command's peak starts at that of the process that starts it: so it is started by one that has imported next to nothing
LAUNCHER = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.call(sys.argv[1:])
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""


@dataclass(frozen=True)
class Measured:
    """A command that has run: its exit code and output, seconds of the clock and of processors, the peak of its largest process."""

    code: int
    seconds: float
    processor_seconds: float
    megabytes: float
    output: str
    errors: str


def measured(command: Sequence[str]) -> Measured:
    """Run a command from the root of the repository."""
    done = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    *errors, figures = done.stderr.rstrip("\n").split("\n")
    code, seconds, processor, peak = figures.split()
    return Measured(int(code), float(seconds), float(processor), int(peak) * TO_MEGABYTES, done.stdout, "\n".join(errors))


def campaign_command(cells: Sequence[tuple[str, int, float]], count: int, seed: int, **others: object) -> list[str]:
    """Return the command of a campaign in a process of its own, see ``campaign_process.py``."""
    plan = {"cells": [list(cell) for cell in cells], "count": count, "seed": seed, **others}
    return [sys.executable, str(Path(__file__).with_name("campaign_process.py")), json.dumps(plan)]


@contextmanager
def crew(jobs: int) -> Iterator[tuple[Executor | None, int]]:
    """Yield processes that several campaigns share, and their number (0: one for each processor); None for one, which is this process."""
    count = jobs or len(os.sched_getaffinity(0))
    if count == 1:
        yield None, 1
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # theirs, as they begin
    with ProcessPoolExecutor(count, get_context("spawn")) as executor:
        yield executor, count


def peaks() -> tuple[float, float]:
    """Return the peak memory of this process and of the largest that it has waited for, in megabytes."""
    own, others = (resource.getrusage(who).ru_maxrss * TO_MEGABYTES for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own, others


@dataclass
class Stopwatch:
    """Seconds by label, and how often each was started."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    times: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @contextmanager
    def of(self, label: str) -> Iterator[None]:
        """Add the time of a block."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[label] += perf_counter() - start
            self.times[label] += 1

    @contextmanager
    def around(self, *functions: tuple[Any, str, str]) -> Iterator[None]:
        """While it lasts, add the time of every call of these functions: owner, name, label."""
        with ExitStack() as patches:
            for owner, name, label in functions:
                patches.enter_context(patch.object(owner, name, self._timed(getattr(owner, name), label)))
            yield

    def _timed(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the function that is timed
            with self.of(label):
                return function(*arguments, **named)

        return timed


class Table:
    """Lines printed one by one, columns right-aligned but for the first."""

    def __init__(self, *columns: tuple[str, int]) -> None:
        """Print the heads; a column is its head and its width."""
        self._widths = [width for _, width in columns]
        self.line(*(head for head, _ in columns))

    def line(self, *texts: object) -> None:
        """Print one line."""
        first, *others = (str(text) for text in texts)
        cells = [text.rjust(width) for text, width in zip(others, self._widths[1:], strict=True)]
        print((first.ljust(self._widths[0]) + "".join(cells)).rstrip(), flush=True)
