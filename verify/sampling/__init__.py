"""Random networks at scale: families, decisions, campaigns, statistics."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.sampling.campaign import Summary


def sample(  # noqa: PLR0913 - a grid of laws, and how it is carried out
    family: str | Iterable[str],
    width: int | Iterable[int],
    scale: float | Iterable[float] | None = None,
    *,
    count: int,
    seed: int = 0,
    depth: int = 1,
    output: str = "",
    database: str | Path | None = None,
    jobs: int = 0,
    dask: str | None = None,
    device: str = "cpu",
) -> Summary:
    """Draw ``count`` random networks of every law of a grid, decide each, and count.

    ``scale`` None: each family's own. ``database``: a DuckDB file that keeps the rows and from which an interrupted campaign goes on.
    ``jobs`` processes (0: one for each processor, 1: this one) or the workers of a dask scheduler.

    **Guarantee:** chaotic networks were accepted by the kernel; ordered ones by floats with rigorous rounding bounds, a random 1 % by the
    kernel too; the answer depends on laws, count and seed alone. **Raises:** Malformed: unknown laws, a database of another seed or in use.

    **Example**

    >>> counts = sample("theory", 16, [2, 8], count=50, seed=1, jobs=1).cells
    >>> [(cell.cell.scale, cell.chaotic + cell.ordered) for cell in counts]
    [(2.0, 50), (8.0, 50)]
    """
    from verify.sampling.campaign import Plan, run
    from verify.sampling.families import FAMILIES, Cell

    families, widths = [family] if isinstance(family, str) else list(family), [width] if isinstance(width, int) else list(width)
    scales = None if scale is None else [scale] if isinstance(scale, int | float) else list(scale)
    own = {name: law.scale for name, law in FAMILIES.items()}
    cells = [Cell(name, k, s, depth, output) for name in families for k in widths for s in scales or [own.get(name, 1.0)]]
    path = None if database is None else Path(database)
    return run(Plan(tuple(cells), count, seed), path, jobs=jobs, dask=dask, device=device)
