"""Is chaos independent of the width? Period 3 and chaos in the theory's model, w = 1, kinks uniform, a ~ N(0, s^2/k), output clipped.

One row a cell: shares with 95 % intervals (undecided networks against both ends), and the share of period 3 that an independent
enumeration in floats gave (3,000 networks a cell; p: both samples from one law). Below the widths of a scale, in a column of its own, the
estimate of the limit k -> infinity by doubling the width along Brownian paths: never one of the counted shares. Then what tests over the
widths say. With ``--rare``, the probability of period 3 at He's variance (s = sqrt 2), which counting does not reach, by splitting and by
importance sampling. ``--db FILE`` keeps the networks and goes on from what is there; ``--out FOLDER`` writes CSV and figures.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from math import sqrt
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.measured import Table, crew  # noqa: E402
from verify.errors import NotFound  # noqa: E402
from verify.sampling.campaign import Plan, Summary, run  # noqa: E402
from verify.sampling.corrected_table import percent_text  # noqa: E402
from verify.sampling.counts import CellCounts  # noqa: E402
from verify.sampling.families import Cell  # noqa: E402
from verify.sampling.figures import Estimate, phase_diagram, save, width_limit  # noqa: E402
from verify.sampling.limit import Doubling, doubling, rare_doubling  # noqa: E402
from verify.sampling.rare import by_importance, by_splitting  # noqa: E402
from verify.sampling.statistics import Share, compare, equivalence, homogeneity, trend  # noqa: E402

SEED = 5
SCALES = (sqrt(2), 2.0, 4.0, 8.0, 16.0)
WIDTHS = (16, 64, 256, 1024, 4096)
SMALL = 256  # widths of which more networks are taken with --full
COUNTED = 4.0  # scales from here on have a limit that can be counted
ENUMERATED_NETWORKS = 3_000
ENUMERATED = {  # percent with a point of period 3, by an independent enumeration in floats: scale, width
    (sqrt(2), 16): 0.0, (sqrt(2), 64): 0.0, (sqrt(2), 256): 0.0, (sqrt(2), 1024): 0.0,
    (2.0, 64): 0.0, (2.0, 256): 0.0, (2.0, 1024): 0.0,
    (4.0, 16): 1.0, (4.0, 64): 0.7, (4.0, 256): 0.63, (4.0, 1024): 0.47,
    (8.0, 16): 7.5, (8.0, 64): 7.6, (8.0, 256): 8.2, (8.0, 1024): 6.8,
    (16.0, 16): 17.8, (16.0, 64): 21.7, (16.0, 256): 23.1, (16.0, 1024): 20.8,
}  # fmt: skip
COLUMNS = (
    ("networks", 10), ("period 3, %", 25), ("enumerated", 12), ("p", 6), ("chaotic, %", 25), ("undecided", 11), ("us/net", 9),
    ("ESTIMATE of the limit, %", 42),
)  # fmt: skip


def main() -> None:
    """Print the grid, scale after scale, and what tests over the widths say."""
    options = parsed()
    counts: list[CellCounts] = []
    estimates: list[Estimate] = []
    with tempfile.TemporaryDirectory(prefix="orbitproof-bench-") as folder, crew(options.jobs) as (executor, jobs):
        work = partial(run, database=options.db or Path(folder) / "campaign.duckdb", executor=executor, jobs=jobs)
        table = Table(("s", 6), ("k", 8), *COLUMNS)
        for scale in options.scales:
            rows = [decided(table, Cell("theory", width, scale), options, work) for width in options.widths]
            counts += rows
            estimates += () if options.no_estimate else limit(table, scale, options.full)
            tested(rows)
    if options.rare:
        rare(options.widths, options.full)
    if options.out is not None:
        written(options.out, counts, estimates)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help=f"100,000 networks a cell up to width {SMALL}, 20,000 beyond")
    parser.add_argument("--count", type=int, help="networks of each cell (4,000 unless given)")
    parser.add_argument("--scales", nargs="+", type=float, default=SCALES)
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0: one for each processor")
    parser.add_argument("--db", type=Path, help="keep the networks in this DuckDB file")
    parser.add_argument("--no-estimate", action="store_true", help="leave out the estimates of the limit")
    parser.add_argument("--rare", action="store_true", help="He's variance by rare-event sampling")
    parser.add_argument("--out", type=Path, help="write CSV and figures into this folder")
    return parser.parse_args()


def decided(table: Table, cell: Cell, options: argparse.Namespace, work: Callable[[Plan], Summary]) -> CellCounts:
    """Decide a cell's networks and print its row."""
    count = options.count or ((100_000 if cell.width <= SMALL else 20_000) if options.full else 4_000)
    done = work(Plan((cell,), count, SEED))
    counts = done.cells[0]
    three, chaotic = share_of(counts, "period_3"), share_of(counts, "chaotic")
    other = ENUMERATED.get((cell.scale, cell.width))
    beside = ("-", "-")
    if other is not None:
        p_value = compare(three, Share(round(ENUMERATED_NETWORKS * other / 100), 0, ENUMERATED_NETWORKS)).p_value[1]
        beside = (f"{other:g}", f"{p_value:.2f}")
    spent = "kept" if not done.computed else f"{1e6 * done.seconds / done.computed:.0f}"
    shares = [percent_text(share, interval=True) for share in (three, chaotic)]
    table.line(f"{cell.scale:.3g}", cell.width, counts.total, shares[0], *beside, shares[1], counts.undecided, spent, "")
    return counts


def share_of(counts: CellCounts, what: str) -> Share:
    """Return the share of a class; what is open counts as undecided."""
    certain, most, total = counts.successes(what)
    return Share(certain, most - certain, total)


def limit(table: Table, scale: float, full: bool) -> list[Estimate]:
    """Estimate the limit of large width and print it in the column that is there for it; return nothing where too little was found."""
    start = perf_counter()
    try:
        found = estimated(scale, full)
    except NotFound as failure:
        print(f"{scale:<6.3g}     inf  no estimate: {failure.got} (expected {failure.expected})", flush=True)
        return []
    low, high = found.interval
    text = f"{100 * found.limit[0]:.3g} [{100 * low:.3g}, {100 * high:.3g}]"
    spent = 1e6 * (perf_counter() - start) / found.count
    table.line(f"{scale:.3g}", "-> inf", found.count, *["-"] * 5, f"{spent:.0f}", text)
    print(f"    {found.statement()}", flush=True)
    return [Estimate(scale, found.limit[0], low, high)]


def estimated(scale: float, full: bool) -> Doubling:
    """Return the estimate: counted, or by importance sampling where the event is rare."""
    widths = (32, 64, 128, 256, 512) if full else (32, 64, 128)
    if scale >= COUNTED:
        return doubling(scale, SEED, widths=widths, count=100_000 if full else 20_000)
    return rare_doubling(scale, SEED, widths=widths, count=200_000 if full else 40_000, pilot=40_000 if full else 20_000)


def tested(rows: list[CellCounts]) -> None:
    """Say what the counts of one scale show about a dependence on the width."""
    if len(rows) < 2:
        return
    widths = [row.cell.width for row in rows]
    for what in ("period_3", "chaotic"):
        shares = [share_of(row, what) for row in rows]
        for result in (trend(widths, shares), homogeneity(shares), equivalence(shares)):
            print(f"    {what}: {result.statement()}", flush=True)


def rare(widths: Iterable[int], full: bool) -> None:
    """Estimate the probability of period 3 at He's variance, with both methods."""
    print(
        "\nPeriod 3 at He's variance, s = sqrt 2: estimates with error bars, nothing proved but what the kernel certified of the networks"
    )
    for width in widths:
        cell = Cell("theory", width, sqrt(2))
        count = (400_000, 2_000) if full else (100_000, 500)
        found = []
        for method in (lambda: by_importance(cell, SEED, count=count[0]), lambda: by_splitting(cell, SEED, count=count[1])):  # noqa: B023 - called at once
            start = perf_counter()
            try:
                found.append(method())
            except NotFound as failure:
                print(f"k = {width}: {failure.where}: {failure.got} (expected {failure.expected})", flush=True)
            else:
                print(f"k = {width}: {found[-1].statement()} {perf_counter() - start:.0f} s", flush=True)
        if len(found) > 1:
            print(f"k = {width}: the two lie {found[0].deviations(found[1]):.2f} joint standard errors apart", flush=True)


def written(folder: Path, counts: list[CellCounts], estimates: list[Estimate]) -> None:
    """Write the counts, and the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "theory_grid.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["scale", "width", "networks", "what", "count", "open", "low", "high"])
        for row in counts:
            for what in ("period_2", "period_3", "chaotic"):
                share = share_of(row, what)
                about = [row.cell.scale, row.cell.width, row.total, what]
                writer.writerow([*about, share.successes, share.undecided, *share.interval()])
        for each in estimates:
            writer.writerow([each.scale, "inf", "", "estimate of period_3", each.value, "", each.low, each.high])
    save(phase_diagram(counts), folder / "phase_diagram.svg")
    save(phase_diagram(counts, what="period_3", log=True), folder / "phase_diagram_period_3.svg")
    save(width_limit(counts, estimates, what="period_3"), folder / "width_limit.svg")
    print(f"written: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    main()
