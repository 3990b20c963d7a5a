"""Every cycle with proof, beside the restart heuristic: one row a network.

Search: growing the proof tree of ``verify.cycles(..., complete=True)``. List: certifying the cycles one by one, with points and stability.
Check: a fresh process that reads the certificate with the standard library alone; its time and its peak memory. Heuristic: ``restart.py``,
with the loop counts of its authors; it has no list to certify. Figures are medians of three runs where the search takes under two seconds.

    python tests/benchmarks/bench_every_cycle.py --quick
    python tests/benchmarks/bench_every_cycle.py --only lozi 80-cycle --no-heuristic
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.every_cycle_cases import Case, every_case  # noqa: E402
from tests.benchmarks.restart import Harvest, find_cycles  # noqa: E402
from verify.answers import CycleList  # noqa: E402
from verify.certification import Effort, cycles  # noqa: E402
from verify.loading import Loaded  # noqa: E402

LONG_POOL_SECONDS = 0.1
RUNS, CHEAP_SECONDS = 3, 2.0  # runs of a case whose search takes less
CHECK = """
import sys
from pathlib import Path
from time import perf_counter
from proofs.__main__ import main
start = perf_counter()
code = main(["check", sys.argv[1]])
seconds = perf_counter() - start
status = Path("/proc/self/status")
peak = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else ["0"]
print(code, seconds, *peak, file=sys.stderr)
"""
COLUMNS = (
    ("network", 40), ("K", 3), ("method", 8), ("cycles", 8), ("nodes", 9), ("search s", 10), ("list s", 8), ("ms/cycle", 10),
    ("cert MB", 9), ("check s", 9), ("check MB", 10), ("chk/srch", 10), ("heur. s", 9), ("missed", 8),
)  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """One run of the checker: seconds without the start of Python, peak memory (0 where the system does not tell), verdict."""

    seconds: float
    megabytes: float
    proved: bool


@dataclass(frozen=True)
class Run:
    """One complete search with its check."""

    answer: CycleList
    megabytes: float
    checked: Checked | None

    def seconds(self, stage: str) -> float:
        """Return how long a stage took."""
        spent = self.answer.effort.get(f"{stage}_seconds", 0.0)
        return spent if isinstance(spent, float) else 0.0


def main() -> None:
    """Print one row a case."""
    options = parsed()
    chosen = [case for case in every_case() if wanted(case, options)]
    print(aligned([name for name, _ in COLUMNS]), flush=True)
    for case in chosen:
        if case.missing:
            print(f"{case.name:<40}skipped: {case.missing}", flush=True)
            continue
        row(case, options)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the short cases only")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="cases of these groups, or whose names contain one of these")
    parser.add_argument("--budget", type=float, default=600.0, metavar="SECONDS", help="for each complete search (default 600)")
    parser.add_argument("--patience", type=float, default=120.0, metavar="SECONDS", help="for the heuristic on each case (default 120)")
    parser.add_argument("--method", default="auto", help="auto, words or cyclic")
    parser.add_argument("--jobs", type=int, default=1, help="processes of the complete search")
    parser.add_argument("--no-heuristic", action="store_true", help="leave the heuristic out")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{case.group:<12}{case.name:<40}K = {case.up_to}{'  quick' * case.quick}" for case in every_case()))
        sys.exit()
    return options


def wanted(case: Case, options: argparse.Namespace) -> bool:
    """Say whether the command line asks for a case."""
    if options.only:
        return any(word == case.group or word.lower() in case.name.lower() for word in options.only)
    return case.quick or not options.quick


def row(case: Case, options: argparse.Namespace) -> None:
    """Run one case and print its row, then its cycles by period."""
    loaded = case.make()
    runs = [complete(case, loaded, options)]
    while len(runs) < RUNS and runs[0].seconds("search") < CHEAP_SECONDS:
        runs.append(complete(case, loaded, options))
    heuristic = None if options.no_heuristic else find_cycles(loaded.network, case.up_to, budget_seconds=options.patience)
    print(aligned([case.name, str(case.up_to), *proved_cells(runs), *heuristic_cells(case, runs[0].answer, heuristic)]))
    for line in remarks(case, runs[0].answer, heuristic):
        print(f"    {line}")
    sys.stdout.flush()


def complete(case: Case, loaded: Loaded, options: argparse.Namespace) -> Run:
    """Search, write the certificate, and check it in a process of its own."""
    effort = Effort(budget_seconds=options.budget, jobs=options.jobs)
    with tempfile.TemporaryDirectory(prefix="orbitproof-bench-") as folder:
        path = Path(folder) / "network.cert"
        answer = cycles(loaded, case.up_to, complete=True, method=options.method, output=path, effort=effort)
        if not answer.complete:
            return Run(answer, 0.0, None)
        return Run(answer, path.stat().st_size / 1e6, checked(path))


def checked(path: Path) -> Checked:
    """Run the checker alone on a certificate."""
    command = [sys.executable, "-S", "-c", CHECK, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    code, seconds, kilobytes = done.stderr.split()[-3:]
    return Checked(float(seconds), int(kilobytes) / 1024, code == "0")


def proved_cells(runs: list[Run]) -> list[str]:
    """Return the figures of the proof and of its check."""
    answer, checks = runs[0].answer, [run.checked for run in runs if run.checked is not None]
    search, listing = (statistics.median(run.seconds(stage) for run in runs) for stage in ("search", "listing"))
    total = sum(answer.cycles_by_least_period.values())
    cells = [str(answer.effort.get("method", "-")), str(total), str(answer.effort.get("nodes", "-")), f"{search:.2f}", f"{listing:.2f}"]
    cells += [f"{1000 * search / total:.2f}" if total else "-", f"{runs[0].megabytes:.2f}"]
    if not checks:
        return [*cells, "-", "-", "-"]
    check = statistics.median(one.seconds for one in checks)
    memory = max(one.megabytes for one in checks)
    proved = "" if all(one.proved for one in checks) else " NOT PROVED"
    return [*cells, f"{check:.2f}", f"{memory:.0f}", f"{check / search:.2f}{proved}" if search else "-"]


def heuristic_cells(case: Case, answer: CycleList, heuristic: Harvest | None) -> list[str]:
    """Return the heuristic's time and how many cycles it missed among those proved to be all (with + where its time was over)."""
    if heuristic is None:
        return ["-", "-"]
    missed = str(heuristic.missed(answer.cycles_by_least_period)) if answer.complete else "?"
    return [f"{heuristic.seconds:.2f}", missed if heuristic.finished == case.up_to else f"{missed}+"]


def aligned(cells: list[str]) -> str:
    """Return one line of the table."""
    widths = [width for _, width in COLUMNS]
    return cells[0].ljust(widths[0]) + "".join(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))


def remarks(case: Case, answer: CycleList, heuristic: Harvest | None) -> list[str]:
    """Return what the row cannot hold."""
    lines = [f"{'all' if answer.complete else 'NOT COMPLETE'}: {listed(answer.cycles_by_least_period)}"]
    agrees = case.agrees(answer.cycles_by_least_period)
    if agrees is not None:
        lines[0] += "  (as listed)" if agrees else "  DIFFERS from the known list"
    lines += [f"residual: {text}" for text in answer.residual]
    lines += [f"unresolved: {text}" for text in answer.unresolved[:3]]
    if heuristic is not None and answer.complete:
        surplus = {k: n - answer.cycles_by_least_period.get(k, 0) for k, n in heuristic.counts().items()}
        if any(n > 0 for n in surplus.values()):
            lines.append(f"reported by the heuristic but no isolated cycles: {listed({k: n for k, n in surplus.items() if n > 0})}")
    if heuristic is not None and heuristic.pool_seconds > LONG_POOL_SECONDS:
        lines.append(f"of the heuristic's time, {heuristic.pool_seconds:.2f} s for its pool of patterns (once; as published once a period)")
    if heuristic is not None and heuristic.finished < case.up_to:
        lines.append(f"the heuristic's time was over in period {heuristic.finished + 1}")
    return lines


def listed(counts: Mapping[int, int]) -> str:
    """Show counts by period."""
    return ", ".join(f"{k}: {n}" for k, n in sorted(counts.items())) or "none"


if __name__ == "__main__":
    main()
