"""Random networks by the thousand: rate and memory of a campaign, cost against width, and the ratio to the published way of counting.

First, campaigns of width 64 at s = 4 and 8 with all processors and a database. Then one process at s = 8 and widths 16 to 65,536:
microseconds a network for drawing, for the float decision (and for sorting the kinks alone), for the kernel with the exact networks it is
given, for the exact decision of what floats leave open, and the rest. Last, the same networks by a plain loop: f and f^3 at 1,000 points
each, counting changes of sign, which decides nothing. Arguments: ``--full`` (1,000,000 networks), or ``--count N``; ``--only 1 2 3``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from math import log2
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch are there: one thread against one thread

import numpy as np  # noqa: E402

from tests.benchmarks.measured import Stopwatch, Table, campaign_command, measured  # noqa: E402
from verify.sampling.campaign import Plan  # noqa: E402
from verify.sampling.families import Batch, Cell, draw  # noqa: E402

SEED = 1
WIDTHS = (16, 64, 256, 1024, 4096, 16_384, 65_536)
UNITS, LEAST = (2**19, 2**22), (16, 64)  # hidden units in all, and networks at least: by default and with --full
POINTS = 1000
LOOP_UNITS = (2**13, 2**16)
PARTS = ("draw", "float", "network", "kernel", "exact", "sha256")


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="1,000,000 networks in the campaigns, 2^22 units at every width")
    parser.add_argument("--count", type=int, help="networks of each campaign (20,000 unless given)")
    parser.add_argument("--jobs", type=int, default=0, help="processes of the campaigns; 0: one for each processor")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--only", nargs="+", type=int, default=[1, 2, 3], help="numbers of the tables")
    options = parser.parse_args()
    if 1 in options.only:
        campaigns(options.count or (1_000_000 if options.full else 20_000), options.jobs, options.device)
    if 2 in options.only:
        widths(UNITS[options.full], LEAST[options.full], options.device)
    if 3 in options.only:
        against_grid(LOOP_UNITS[options.full], options.device)


def campaigns(count: int, jobs: int, device: str) -> None:
    """Print one row a campaign: each is a process of its own."""
    print(
        f"\n1. Campaigns of {count:,} networks of width 64 (seconds without the start of Python; memory of the largest process of a kind)"
    )
    heads = ("seconds", "networks/s", "core us/net", "chaotic", "ordered", "by bound", "undecided", "share und.", "P(chaos), 95 %")
    sizes = (9, 12, 13, 9, 9, 10, 11, 12, 20)
    table = Table(("cell", 18), *zip(heads, sizes, strict=True), ("parent MB", 11), ("worker MB", 11), ("db MB", 8), ("B/net", 7))
    for scale in (4.0, 8.0):
        with tempfile.TemporaryDirectory(prefix="orbitproof-bench-") as folder:
            database = Path(folder) / "campaign.duckdb"
            done = measured(campaign_command([("theory", 64, scale)], count, SEED, jobs=jobs, device=device, db=str(database)))
            if done.code:
                print(f"theory 64 s={scale:g}: FAILED\n{done.errors}", flush=True)
                continue
            campaign_row(table, scale, json.loads(done.output), done.processor_seconds, database.stat().st_size)


def campaign_row(table: Table, scale: float, answer: dict[str, Any], processor_seconds: float, size: int) -> None:
    """Print one campaign."""
    from verify.sampling.statistics import Share

    counts, seconds, computed = answer["cells"][0], answer["seconds"], answer["computed"]
    low, high = Share(counts["chaotic"], counts["undecided"], counts["total"]).interval()
    table.line(
        f"theory 64 s={scale:g}",
        f"{seconds:.1f}",
        f"{computed / seconds:,.0f}",
        f"{1e6 * processor_seconds / computed:.0f}",
        *(counts[name] for name in ("chaotic", "ordered", "ordered_by_bound", "undecided")),
        f"{counts['undecided'] / counts['total']:.2e}",
        f"[{low:.5f}, {high:.5f}]",
        f"{answer['parent_mb']:.0f}",
        f"{answer['worker_mb']:.0f}",
        f"{size / 1e6:.1f}",
        f"{size / counts['total']:.0f}",
    )


def widths(units: int, least: int, device: str) -> None:
    """Print one row a width."""
    print(f"\n2. Cost against width, s = 8, one process: microseconds a network (k n = {units:,} units, at least {least} networks)")
    names = ("in all", "draw", "sort alone", "float", "exact nets", "kernel", "exact dec.", "sha256", "rest", "ns/(k log2 k)")
    columns = [(name, max(9, len(name) + 2)) for name in names]
    counts = [(name, len(name) + 2) for name in ("chaotic", "by bound", "undecided", "us/check")]
    table = Table(("width", 7), ("networks", 10), *columns, *counts)
    decided(Cell("theory", 16, 8), 64, device, Stopwatch())  # imports, and whatever is only slow once
    for width in WIDTHS:
        width_row(table, Cell("theory", width, 8), max(least, units // width), device)


def width_row(table: Table, cell: Cell, count: int, device: str) -> None:
    """Print one width."""
    watch = Stopwatch()
    with watch.of("in all"):
        verdicts, checks = decided(cell, count, device, watch)
    alone = sorting(cell, count, device)
    total = watch.seconds["in all"]
    parts = [watch.seconds[name] for name in PARTS]
    shown = [total, parts[0], alone, *parts[1:], total - sum(parts)]
    table.line(
        cell.width,
        count,
        *(f"{1e6 * seconds / count:.1f}" for seconds in shown),
        f"{1e9 * total / count / (cell.width * log2(cell.width)):.1f}",
        *(verdicts.get(name, 0) for name in ("chaotic", "ordered_by_bound", "undecided")),
        f"{1e6 * (watch.seconds['kernel'] + watch.seconds['network']) / max(1, checks):.0f}",
    )


def decided(cell: Cell, count: int, device: str, watch: Stopwatch) -> tuple[dict[str, int], int]:
    """Compute what a campaign stores, in its chunks; return the verdicts, and how many recipes the kernel looked at."""
    from verify.numerics import line_networks
    from verify.sampling import decide, work

    timed = (
        (work, "draw", "draw"),
        (line_networks, "decide_networks", "float"),
        (Batch, "network", "network"),
        (decide, "check_recipe", "kernel"),
        (decide, "decide_exactly", "exact"),
        (Batch, "sha256", "sha256"),
    )
    verdicts: dict[str, int] = {}
    size = Plan((cell,), count, SEED).size(cell, device)
    with watch.around(*timed):
        for first in range(0, count, size):
            columns = work.compute(cell, SEED, first, min(size, count - first), device)
            for name, number in zip(*np.unique(columns["verdict"].astype(str), return_counts=True), strict=True):
                verdicts[str(name)] = verdicts.get(str(name), 0) + int(number)
    return verdicts, watch.times["kernel"]


def sorting(cell: Cell, count: int, device: str) -> float:
    """Return the seconds of sorting the kinks of as many networks, in the groups in which floats decide them."""
    import torch

    from verify.numerics.line_networks import GROUP_UNITS

    torch.set_num_threads(1)
    rows, spent = max(1, GROUP_UNITS[device] // cell.width), 0.0
    for first in range(0, count, rows):
        kinks = torch.from_numpy(-draw(cell, SEED, first, min(rows, count - first)).biases[0]).to(device)
        start = perf_counter()
        kinks.sort(dim=1, stable=True)
        if device == "cuda":
            torch.cuda.synchronize()
        spent += perf_counter() - start
    return spent


def against_grid(units: int, device: str) -> None:
    """Print one row a cell: the plain loop and the decision of the same networks, one after the other."""
    print(f"\n3. A plain loop over {POINTS:,} points (f and f^3, nothing decided) against the decision of the same networks, one process")
    heads = (("networks", 10), ("loop us/net", 13), ("decision us/net", 17), ("ratio", 8), ("f^3 on the grid", 17), ("period 3", 10))
    table = Table(("cell", 22), *heads, ("both", 6), ("chaotic", 9), ("undecided", 11))
    from verify.sampling.work import compute

    for cell in (Cell("theory", 64, 4), *(Cell("theory", width, 8) for width in WIDTHS[:4])):
        count = max(32, units // cell.width * 4)
        decided(cell, count, device, Stopwatch())
        batch = draw(cell, SEED, 0, count)
        start = perf_counter()
        crossed = looped(batch)
        middle = perf_counter()
        columns = compute(cell, SEED, 0, count, device)
        loop, decision = (1e6 * seconds / count for seconds in (middle - start, perf_counter() - middle))
        three, verdict = columns["period_3"] == 1, columns["verdict"]
        times = (f"{loop:.0f}", f"{decision:.0f}", f"{loop / decision:.2f}")
        hits = (int(crossed.sum()), int(three.sum()), int((crossed & three).sum()))
        table.line(f"theory {cell.width} s={cell.scale:g}", count, *times, *hits, *((verdict == x).sum() for x in ("chaotic", "undecided")))


def looped(batch: Batch) -> np.ndarray:
    """Say of each network whether x - f^3(x) changes sign more often than x - f(x) on the grid, one network at a time."""
    grid = np.linspace(0.0, 1.0, POINTS)
    found = np.empty(len(batch), dtype=np.bool_)
    for row in range(len(batch)):
        w, b = batch.weights[0][row, :, 0], batch.biases[0][row]
        a, c = batch.weights[1][row, 0], batch.biases[1][row]
        states, changes = grid, []
        for _ in range(3):
            states = np.clip(np.maximum(states[:, None] * w + b, 0.0) @ a + c, 0.0, 1.0)
            signs = np.sign(grid - states)
            changes.append(int(np.count_nonzero(signs[1:] * signs[:-1] < 0)))
        found[row] = changes[2] > changes[0]
    return found


if __name__ == "__main__":
    main()
