"""The published table of chaos percentages, recounted on its grid and decided: what it counts, what was meant, what is proved.

For every published setting: the share that was printed, the same statistic recounted (f^4 on 163 points) and the one that was meant (f^3),
of the first 20,000 networks; then, of the first 100,000 (``--full`` 1,000,000), the shares with a cycle of period 2 and 3 and the share
proved chaotic, with 95 % intervals, undecided networks against both ends. Then the decided shares beside those of an independent
enumeration of cycles in floats. A cell's ``depth`` counts hidden layers. ``--db FILE`` keeps the networks and goes on from what is there;
``--out FOLDER`` writes the table as text, CSV and SVG.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.measured import Table, crew  # noqa: E402
from verify.sampling.campaign import Plan, run  # noqa: E402
from verify.sampling.corrected_table import TableRow, percent_text, table_csv, table_text  # noqa: E402
from verify.sampling.counts import CellCounts  # noqa: E402
from verify.sampling.families import Cell, draw  # noqa: E402
from verify.sampling.published import AS_MEANT, AS_PUBLISHED, ROWS, Row, extra_fixed_points  # noqa: E402
from verify.sampling.statistics import Share, compare  # noqa: E402

SEED = 2022
GRID_NETWORKS, AT_ONCE = 20_000, 2_000
Decide = Callable[[Cell], CellCounts]


@dataclass(frozen=True)
class Enumerated:
    """What an independent enumeration of all cycles, in floats, found among ``total`` networks: percent with period 2 and with period 3."""

    cell: Cell
    total: int
    period_2: float
    period_3: float

    def share(self, percent: float) -> Share:
        """Return a rounded percentage as a count."""
        return Share(round(self.total * percent / 100), 0, self.total)


ENUMERATED = (
    Enumerated(Cell("he_ones", 2, 1), 400_000, 14.08, 0.014),
    Enumerated(Cell("he_ones", 4, 1), 400_000, 14.82, 0.005),
    Enumerated(Cell("he_ones", 8, 1), 400_000, 14.71, 0.002),
    Enumerated(Cell("he_ones", 64, 1), 300_000, 15.79, 0.001),
    Enumerated(Cell("he", 2, 1), 400_000, 7.02, 0.064),
    Enumerated(Cell("he", 4, 1), 400_000, 8.90, 0.091),
    Enumerated(Cell("he", 8, 1), 400_000, 10.44, 0.068),
    Enumerated(Cell("he", 16, 1), 100_000, 11.55, 0.028),
    Enumerated(Cell("he", 64, 1), 200_000, 12.56, 0.003),
    Enumerated(Cell("he_uniform", 2, 1), 100_000, 10.81, 0.040),
    Enumerated(Cell("glorot", 2, 1), 100_000, 2.88, 0.004),
)


def main() -> None:
    """Print the rows as they are done, then both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="1,000,000 networks of each cell")
    parser.add_argument("--count", type=int, help="networks of each cell (100,000 unless given)")
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0: one for each processor")
    parser.add_argument("--db", type=Path, help="keep the networks in this DuckDB file")
    parser.add_argument("--out", type=Path, help="write the table into this folder")
    options = parser.parse_args()
    count = options.count or (1_000_000 if options.full else 100_000)
    with tempfile.TemporaryDirectory(prefix="orbitproof-bench-") as folder, crew(options.jobs) as workers:
        decide = decider(count, options.db or Path(folder) / "campaign.duckdb", *workers)
        rows = published(decide, min(count, GRID_NETWORKS))
        print(f"\n{table_text(rows)}")
        lines = enumerated(decide)
    if options.out is not None:
        written(options.out, rows, lines)


def decider(count: int, database: Path, executor: Executor | None, jobs: int) -> Decide:
    """Return what decides the first networks of a cell, once each."""
    heads = (
        ("networks", 10),
        ("seconds", 9),
        ("networks/s", 12),
        ("chaotic", 9),
        ("undecided", 11),
        ("per. 2 open", 13),
        ("per. 3 open", 13),
    )
    table = Table(("cell", 58), *heads)
    known: dict[Cell, CellCounts] = {}

    def decide(cell: Cell) -> CellCounts:
        if cell not in known:
            done = run(Plan((cell,), count, SEED), database, executor=executor, jobs=jobs)
            known[cell] = counts = done.cells[0]
            rate = done.networks_per_second
            open_ends = (counts.chaotic, counts.undecided, counts.period_2_open, counts.period_3_open)
            table.line(cell.text, counts.total, f"{done.seconds:.1f}", "kept" if rate is None else f"{rate:,.0f}", *open_ends)
        return known[cell]

    return decide


def published(decide: Decide, grid_networks: int) -> list[TableRow]:
    """Return the corrected table."""
    rows = []
    for row in ROWS:
        counts = decide(row.cell)
        period_2, period_3, chaotic = (share_of(counts, what) for what in ("period_2", "period_3", "chaotic"))
        four, three = (recounted(row, iterate, grid_networks) for iterate in (AS_PUBLISHED, AS_MEANT))
        rows.append(TableRow(row.name, row.published, four, three, period_2, period_3, chaotic))
    return rows


def share_of(counts: CellCounts, what: str) -> Share:
    """Return the share of a class; what is open counts as undecided."""
    certain, most, total = counts.successes(what)
    return Share(certain, most - certain, total)


def recounted(row: Row, iterate: int, count: int) -> Share:
    """Return the statistic on the grid."""
    batches = (draw(row.cell, SEED, first, min(AT_ONCE, count - first)) for first in range(0, count, AT_ONCE))
    return Share(sum(int(extra_fixed_points(batch, iterate, row.window).sum()) for batch in batches), 0, count)


def enumerated(decide: Decide) -> list[list[str]]:
    """Print the decided shares beside the enumerated ones, and return the lines."""
    start = perf_counter()
    for each in ENUMERATED:
        decide(each.cell)
    print(f"\nDecided shares beside an independent enumeration in floats (percent; p: both from one law; {perf_counter() - start:.0f} s)")
    heads = ("period 2", "enumerated", "covered", "p", "period 3", "enumerated", "covered", "p", "proved chaotic")
    sizes = (25, 12, 9, 8, 27, 12, 9, 8, 27)
    table = Table(("cell", 14), *zip(heads, sizes, strict=True))
    lines = [["cell", *heads]]
    for each in ENUMERATED:
        counts = decide(each.cell)
        lines.append([f"{each.cell.family} {each.cell.width}"])
        for what, percent in (("period_2", each.period_2), ("period_3", each.period_3)):
            share, other = share_of(counts, what), each.share(percent)
            low, high = share.interval()
            p_value = compare(share, other).p_value[1]
            covered = "yes" if low <= percent / 100 <= high else "no"
            lines[-1] += [percent_text(share, interval=True), f"{percent:g}", covered, f"{p_value:.2f}"]
        lines[-1].append(percent_text(share_of(counts, "chaotic"), interval=True))
        table.line(*lines[-1])
    return lines


def written(folder: Path, rows: list[TableRow], lines: list[list[str]]) -> None:
    """Write what was printed, and the figure."""
    from verify.sampling.figures import save, table_figure

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corrected_table.txt").write_text(table_text(rows), encoding="utf-8")
    (folder / "corrected_table.csv").write_text(table_csv(rows), encoding="utf-8")
    text = "".join(";".join(line) + "\n" for line in lines)
    (folder / "enumeration.csv").write_text(text, encoding="utf-8")
    save(table_figure(rows), folder / "corrected_table.svg")
    print(f"written: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    main()
