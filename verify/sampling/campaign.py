"""A campaign: the first N random networks of every cell of a grid, drawn, decided and counted.

The answer depends on the plan alone: not on the number of processes, the size or order of chunks, or on how often the work was killed and
taken up again. The database holds what is finished; a campaign computes what the plan asks for and the database lacks.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, fields
from time import perf_counter
from typing import TYPE_CHECKING, Any

from proofs.errors import Malformed
from verify.sampling.counts import CellCounts
from verify.sampling.database import Database
from verify.sampling.executors import workforce
from verify.sampling.families import MAX_SEED, Cell
from verify.sampling.laws import FAMILIES
from verify.sampling.spread import spread
from verify.sampling.work import compute, made_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from verify.sampling.database import Columns
    from verify.sampling.executors import Workforce

    Progress = Callable[[str, int, int], None]
    Work = Callable[[Cell, int, int, int, str], Columns]

UNITS = {"cpu": 2**20, "cuda": 2**22}  # hidden units of a chunk
LEAST, MOST = 32, 16_384  # networks of a chunk
SHARES = 4  # chunks for each worker, at least
VECTOR = 8  # networks of R^d: each may take seconds
MAX_COUNT = 2**40
KINDS = ("chaotic", "period_3", "period_2")


@dataclass(frozen=True)
class Plan:
    """Cells, the number of networks of each, the seed; ``chunk`` networks are computed at a time (0: chosen by the width).

    **Raises** Malformed.
    """

    cells: tuple[Cell, ...]
    count: int
    seed: int
    chunk: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        _check(bool(self.cells), "at least one cell", "none")
        texts = [cell.text for cell in self.cells]
        _check(len(set(texts)) == len(texts), "every cell once", next((text for text in texts if texts.count(text) > 1), ""))
        _check(type(self.count) is int and 1 <= self.count <= MAX_COUNT, f"a count from 1 to {MAX_COUNT}", repr(self.count))
        _check(type(self.seed) is int and 0 <= self.seed <= MAX_SEED, f"a seed from 0 to {MAX_SEED}", repr(self.seed))
        _check(type(self.chunk) is int and self.chunk >= 0, "a chunk of 1 network or more", repr(self.chunk))

    def size(self, cell: Cell, device: str = "cpu") -> int:
        """Return how many networks of a cell are computed at a time."""
        units = cell.width + (cell.depth - 1) * cell.width**2
        chosen = VECTOR if FAMILIES[cell.family].vector else max(LEAST, min(MOST, UNITS.get(device, UNITS["cpu"]) // units))
        return self.chunk or chosen

    @property
    def total(self) -> int:
        """Return the number of networks of all cells."""
        return len(self.cells) * self.count


@dataclass(frozen=True)
class Summary:
    """What a campaign counted: every cell, its ``checked`` ordered networks, and what this run computed of it in how many seconds."""

    plan: Plan
    cells: tuple[CellCounts, ...]
    checked: tuple[int, ...]
    computed: int
    seconds: float
    database: str | None

    @property
    def networks_per_second(self) -> float | None:
        """Return the rate of this run, None where all was there already."""
        return self.computed / self.seconds if self.computed else None

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``sample --json``."""
        rate = self.networks_per_second
        return {
            "verdict": "Sampled",
            "seed": self.plan.seed,
            "count": self.plan.count,
            "cells": [cell_json(counts, checked) for counts, checked in zip(self.cells, self.checked, strict=True)],
            "counts": counts_json(self.cells, sum(self.checked)),
            "probability": probability_json(self.cells),
            "networks_per_second": None if rate is None else round(rate, 3),
            "computed": self.computed,
            "db": self.database,
        }


def run(  # noqa: PLR0913 - the plan, where it is kept, and who works
    plan: Plan,
    database: Path | None = None,
    *,
    jobs: int = 0,
    executor: Executor | None = None,
    dask: str | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    work: Work = compute,
) -> Summary:
    """Carry out a plan and count what came out; with a database, go on from what it holds.

    ``jobs`` processes (0: one for each processor, 1: this process), or any ``concurrent.futures`` executor, or the workers of a dask
    scheduler. ``work(cell, seed, first, count, device)`` returns the columns of a chunk's rows and must be picklable.

    **Guarantee:** finished chunks are kept, whatever ends the program. **Raises:** Malformed: a database of another seed, a damaged one, or
    one in use; NotFound: workers are lost again and again, or there are none.

    **Example**

    >>> done = run(Plan((Cell("theory", 8, 4),), count=100, seed=1), jobs=1)
    >>> done.cells[0].total, done.cells[0].undecided
    (100, 0)
    """
    with Database(database, plan.seed, made_with(device)) as rows:
        return fill(plan, rows, workforce(jobs, executor, dask), device=device, progress=progress, work=work)


def fill(
    plan: Plan, rows: Database, force: Workforce, *, device: str = "cpu", progress: Progress | None = None, work: Work = compute
) -> Summary:
    """Compute what the plan asks for and an open database lacks, and count."""
    begun = perf_counter()
    rows.ask(plan.cells, plan.count)
    tasks = list(_tasks(plan, rows, device, force.workers))
    left = sum(task[3] for task in tasks)
    done = plan.total - left
    if progress is not None and tasks:
        progress("networks", done, plan.total)
    with closing(spread(_chunk, ((work, *task) for task in tasks), force)) as finished:
        for (_, cell, _, first, count, _), (columns, versions) in finished:
            if len(columns["i"]) != count:
                message = f"{len(columns['i'])} rows where {count} were to be"
                raise RuntimeError(message)
            rows.add(cell, first, columns, versions)
            done += count
            if progress is not None:
                progress("networks", done, plan.total)
    lost = [cell.text for cell in plan.cells if rows.missing(cell, plan.count)]
    if lost:
        message = f"rows are missing of {', '.join(lost)}"
        raise RuntimeError(message)
    return summary(plan, rows, left, perf_counter() - begun)


def summary(plan: Plan, rows: Database, computed: int = 0, seconds: float = 0.0) -> Summary:
    """Count what an open database holds of a plan."""
    counts = tuple(rows.counts(cell, plan.count) for cell in plan.cells)
    checked = tuple(rows.checked(cell, plan.count) for cell in plan.cells)
    return Summary(plan, counts, checked, computed, seconds, None if rows.path is None else str(rows.path))


def cell_json(counts: CellCounts, checked: int) -> dict[str, Any]:
    """Return one cell's part of the JSON answer."""
    about = {field.name: getattr(counts.cell, field.name) for field in fields(Cell)}
    return {**about, "counts": counts_json([counts], checked), "probability": probability_json([counts])}


def counts_json(cells: tuple[CellCounts, ...] | list[CellCounts], checked: int) -> dict[str, int]:
    """Return the counts of some cells together. ``ordered_checked``: how many of the ordered the kernel has checked."""
    names = [field.name for field in fields(CellCounts) if field.name != "cell"]
    return {name: sum(getattr(counts, name) for counts in cells) for name in names} | {"ordered_checked": checked}


def probability_json(cells: tuple[CellCounts, ...] | list[CellCounts]) -> dict[str, list[float]]:
    """Return 95 % intervals of the shares of some cells together, of as many networks each; undecided ones count against both ends."""
    from verify.sampling.statistics import clopper_pearson

    answer = {}
    for kind in KINDS:
        certain, most, total = (sum(column) for column in zip(*(counts.successes(kind) for counts in cells), strict=True))
        answer[kind] = list(clopper_pearson(certain, most - certain, total))
    return answer


def _tasks(plan: Plan, rows: Database, device: str, workers: int) -> Iterator[tuple[Cell, int, int, int, str]]:
    """Yield what is missing in chunks; small campaigns in smaller ones, so that every worker has something to do."""
    share = -(-plan.total // (SHARES * workers)) if workers > 1 and not plan.chunk else plan.total
    for cell in plan.cells:
        size = min(plan.size(cell, device), share)
        for first, count in rows.missing(cell, plan.count):
            for start in range(first, first + count, size):
                yield cell, plan.seed, start, min(size, first + count - start), device


def _chunk(work: Work, cell: Cell, seed: int, first: int, count: int, device: str) -> tuple[Columns, str]:
    return work(cell, seed, first, count, device), made_with(device)


def _check(holds: bool, expected: str, got: str) -> None:
    if not holds:
        raise Malformed(where="plan", law="plan of a campaign", expected=expected, got=got)
