"""A campaign's proofs checked again, and the same rows whatever is killed: theory s = 8 of width 16 and he of width 4, 10,000 networks.

First, the certificates of all chaotic networks, written by the command line into one file a cell and then, of both cells, into one file;
each checked by ``python -S -m proofs check``, whose time and peak memory are those of one process. Then the campaign killed with SIGKILL
at 20 random moments and taken up again, with worker processes killed, and on a Dask cluster of which a worker is killed: the rows are
compared, bit for bit, with those of an undisturbed run. Arguments: ``--count N`` networks of each cell, ``--kills N``, ``--ordered`` (write
certificates of the ordered networks, too), ``--only 1 2 3``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402

from tests.benchmarks.measured import Table, campaign_command, measured  # noqa: E402
from verify.sampling.campaign import Plan, run  # noqa: E402
from verify.sampling.database import Database  # noqa: E402
from verify.sampling.families import Cell  # noqa: E402
from verify.sampling.witnesses import write_certificates  # noqa: E402
from verify.sampling.work import made_with  # noqa: E402

SEED = 44
CELLS = (("theory", 16, 8.0), ("he", 4, 1.0))
CHUNKS = 50  # of each cell, where something is killed
GAPS = 12
WORKER_KILLS = 3
COMMAND = str(Path(sys.executable).with_name("orbitproof"))
ROWS = """
    SELECT text, i, sha256, verdict, theorem, recipe, margin, period_2, period_3, checked
    FROM networks JOIN cells USING (cell) ORDER BY text, i
"""


def main() -> None:
    """Print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=5_000, help="networks of each of the two cells")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ordered", action="store_true", help="write certificates of the ordered networks, too")
    parser.add_argument("--only", nargs="+", type=int, default=[1, 2, 3], help="1 certificates, 2 kills, 3 lost workers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orbitproof-bench-") as name:
        folder = Path(name)
        if 1 in options.only:
            certificates(folder, options.count, ordered=options.ordered)
        if {2, 3} & set(options.only):
            disturbed(folder, options)


def certificates(folder: Path, count: int, *, ordered: bool) -> None:
    """Write and check the certificates of each cell, then of both in one file."""
    print(f"1. Certificates of {count:,} networks a cell, {'chaotic and ordered' if ordered else 'chaotic'}")
    columns = (("rows", 8), ("certificates", 14), ("write s", 9), ("file MB", 9), ("B/cert.", 9), ("check s", 9), ("cert./s", 9))
    table = Table(("campaign", 26), *columns, ("check MB", 10), ("exit", 6), ("answer", 30))
    database = folder / "certified.duckdb"
    wanted = 0
    for family, width, scale in CELLS:
        path = folder / f"{family}.certs"
        which = ["--family", family, "--width", str(width), "--scale", repr(scale), "--count", str(count), "--seed", str(SEED)]
        extra = ["--certify-ordered"] if ordered else []
        done = measured([COMMAND, "sample", *which, "--db", str(database), "--certificates", str(path), *extra, "--json"])
        if done.code:
            print(f"{family}: FAILED {done.output}{done.errors}", flush=True)
            continue
        answer = json.loads(done.output)
        chosen = answer["counts"]["chaotic"] + ordered * answer["counts"]["ordered"]
        checked(table, f"{family} {width} s={scale:g}, sampled", path, chosen, done.seconds)
        wanted += chosen
    plan = Plan(tuple(Cell(*cell) for cell in CELLS), count, SEED)
    start = perf_counter()
    with Database(database, SEED, made_with()) as rows:
        write_certificates(plan, rows, folder / "both.certs", ordered=ordered)
    checked(table, "both, written alone", folder / "both.certs", wanted, perf_counter() - start)


def checked(table: Table, name: str, path: Path, wanted: int, seconds: float) -> None:
    """Check a file by the standard library alone and print its row, then what the checker counted."""
    done = measured([sys.executable, "-S", "-m", "proofs", "check", str(path)])
    _, *details, last = done.output.strip().split("\n")
    there = int("".join(filter(str.isdigit, last)) or 0)
    size = path.stat().st_size
    right = "" if (done.code, there) == (0, wanted) else "  NOT ALL PROVED"
    spent = (f"{seconds:.1f}", f"{size / 1e6:.2f}", f"{size / max(1, there):.0f}", f"{done.seconds:.2f}", f"{there / done.seconds:,.0f}")
    table.line(name, wanted, there, *spent, f"{done.megabytes:.0f}", done.code, f"{last}{right}")
    print(f"    {'; '.join(details)}", flush=True)


def disturbed(folder: Path, options: argparse.Namespace) -> None:
    """Compare the rows of campaigns in which something was killed with those of one that was left alone."""
    chunk = max(1, options.count // CHUNKS)
    whole = folder / "whole.duckdb"
    moments = told_moments(campaign_command(CELLS, options.count, SEED, db=str(whole), chunk=chunk, told=True))
    print(
        f"\nUndisturbed: {len(rows_of(whole)):,} rows, the last after {moments[-1]:.1f} s, the first after {moments[2]:.1f} s", flush=True
    )
    if 2 in options.only:
        kills(folder, options, chunk, moments)
    if 3 in options.only:
        lost_workers(folder, options.count, chunk)


def told_moments(command: list[str]) -> list[float]:
    """Run a campaign and return when it began, when its work did, and when each of its chunks was stored, in seconds."""
    start = perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        lines = [(perf_counter() - start, line) for line in process.stdout or ()]
    return [0.0, *(moment for moment, line in lines if line.strip().isdigit())]


def kills(folder: Path, options: argparse.Namespace, chunk: int, moments: list[float]) -> None:
    """Kill a campaign again and again until there were enough kills; begin another when one is finished."""
    print(f"\n2. Killed with SIGKILL at a random moment between two of the first {GAPS + 1} lines (start, work begins, a chunk is stored)")
    chance, left, campaign = random.Random(SEED), options.kills, 0
    while left > 0:
        campaign += 1
        database = folder / f"killed{campaign}.duckdb"
        command = campaign_command(CELLS, options.count, SEED, db=str(database), chunk=chunk, told=True)
        stored: list[int] = []
        while True:
            gap = chance.randrange(min(GAPS, len(moments) - 1))
            moment = (gap, chance.uniform(0.0, moments[gap + 1] - moments[gap]))
            if finished(command, moment if left > 0 else None):
                break
            left -= 1
            stored.append(rows_of_copy(database, folder / "copy"))
        print(f"campaign {campaign}: {len(stored)} kills, rows stored after each: {stored}; {compared(database, folder)}", flush=True)


def finished(command: list[str], moment: tuple[int, float] | None) -> bool:
    """Run a campaign until it is done, or kill it some seconds after a number of lines; say whether it was done."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines, delay = moment or (0, None)
        for _ in range(lines):
            if process.stdout is not None:
                process.stdout.readline()
        try:
            _, errors = process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            return False
    if process.returncode:
        raise RuntimeError(errors)
    return True


def rows_of_copy(database: Path, place: Path) -> int:
    """Return how many rows a database has, looking at a copy: opening it would be the first repair."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    files = list(database.parent.glob(f"{database.name}*"))
    for file in files:
        shutil.copy(file, place / file.name)
    copy = place / database.name
    if not copy.exists():
        return 0
    with duckdb.connect(str(copy)) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        found = connection.execute("SELECT count(*) FROM networks").fetchone() if "networks" in tables else None
    return int(found[0]) if found else 0


def lost_workers(folder: Path, count: int, chunk: int) -> None:
    """Kill worker processes while they work, of this program's own kind and of Dask's."""
    print(f"\n3. {WORKER_KILLS} workers killed with SIGKILL while the campaign runs")
    plan = Plan(tuple(Cell(*cell) for cell in CELLS), count, SEED, chunk)

    def own() -> list[int]:
        return [process.pid for process in active_children() if process.pid is not None]

    path = folder / "processes.duckdb"
    start, killer = perf_counter(), Killer(own, plan.total)
    done = run(plan, path, jobs=2, progress=killer)
    print(f"two processes: {killer.told(done.computed, start)}; {compared(path, folder)}", flush=True)
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        print("dask: skipped, the module distributed is not installed")
        return
    path = folder / "dask.duckdb"
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        start, killer = perf_counter(), Killer(lambda: list(client.run(os.getpid).values()), plan.total)
        done = run(plan, path, dask=cluster.scheduler_address, progress=killer)
        print(f"dask, two workers: {killer.told(done.computed, start)}; {compared(path, folder)}", flush=True)


class Killer:
    """A progress callback that kills one of the workers at evenly spread moments."""

    def __init__(self, workers: Callable[[], list[int]], total: int) -> None:
        self._workers, self._killed = workers, list[int]()
        self._moments = [total * (i + 1) // (WORKER_KILLS + 1) for i in range(WORKER_KILLS)]

    def __call__(self, _: str, done: int, __: int) -> None:
        """Kill if it is time; the first of the processes that are there."""
        if self._moments and done >= self._moments[0]:
            pids = sorted(self._workers())
            if pids:
                self._moments.pop(0)
                os.kill(pids[0], signal.SIGKILL)
                self._killed.append(done)

    def told(self, computed: int, start: float) -> str:
        """Say what happened."""
        return f"killed after {self._killed} networks, {computed:,} computed in {perf_counter() - start:.1f} s"


def compared(database: Path, folder: Path) -> str:
    """Say whether the rows are those of the undisturbed campaign, and where they are not."""
    found, expected = rows_of(database), rows_of(folder / "whole.duckdb")
    if found == expected:
        return f"the same {len(found):,} rows, bit for bit"
    pairs = [pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]]
    first = f", first {pairs[0][0]} where {pairs[0][1]}" if pairs else ""
    return f"DIFFERENT: {len(found)} and {len(expected)} rows, {len(pairs)} of these differ{first}"


def rows_of(database: Path) -> list[str]:
    """Return all that is stored of each network, in order; floats are written exactly."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return [repr(row) for row in connection.execute(ROWS).fetchall()]


if __name__ == "__main__":
    main()
