"""Maps that are known to be chaotic: what ``certify`` proves of each, in which time, and how long a process of its own takes to check it.

One row a map, medians of several runs: the first part is ``--claim chaos``, the second ``--claim auto``, which also bounds the exponents of
all orbits of a trapping region. The entropy is the proved lower bound; ``search`` is the time without the kernel's. Argument: the budget
in seconds for each search (4 unless given), then the number of runs. Networks of ../shared are left out where that is not there.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from proofs.functions import log  # noqa: E402
from proofs.reader import Fields  # noqa: E402
from proofs.space import ExponentBounds  # noqa: E402
from tests.benchmarks.bench_check_against_search import KernelClock  # noqa: E402
from tests.known.plane_maps import border_collision, lozi  # noqa: E402
from tests.known.test_published import network as published  # noqa: E402
from tests.known.test_published import system  # noqa: E402
from verify.answers import Certified  # noqa: E402
from verify.certification import Effort, certify  # noqa: E402
from verify.loading import Loaded, load  # noqa: E402

SHARED = Path(__file__).resolve().parents[3] / "shared"
BITS = 64
LONGEST = 100_000
LONG_BUDGET = 200.0  # for the trained network, once
HEADS = ("search s", "check s", "MB", "boxes", "strips", "longest", "entropy", "exponent >=", "<=")
WIDTH = 13


def maps() -> Iterator[tuple[str, Loaded]]:
    """Yield the small maps by name."""
    for a, b in (("17/10", "1/2"), ("9/5", "2/5"), ("7/5", "3/10")):
        yield f"Lozi ({a}, {b})", Loaded(lozi(a, b), f"lozi {a} {b}", "program", (), {}, {})
    yield "border collision", Loaded(border_collision(), "border collision", "program", (), {}, {})
    if SHARED.is_dir():
        yield "pl-map-chaos", load(published(system(SHARED, "pl-map-chaos")), name="pl-map-chaos")


def main() -> None:
    """Print both parts."""
    budget = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for claim in ("chaos", "auto"):
        print(f"\n{'--claim ' + claim:<22}" + "".join(f"{head:>{WIDTH}}" for head in HEADS))
        for name, loaded in maps():
            row(name, loaded, claim, budget, runs)
    trained = SHARED / "cases/models/lorenz_m20_p2.pt"
    if trained.exists():
        row("lorenz_m20_p2", load(trained, "alrnn", P=2), "chaos", LONG_BUDGET, 1)


def row(name: str, loaded: Loaded, claim: str, budget: float, runs: int) -> None:
    """Time one network and print its row."""
    searches, checks = [], []
    answer: object = None
    for _ in range(runs):
        clock, start = KernelClock(), perf_counter()
        with clock:
            answer = certify(loaded, claim, effort=Effort(budget_seconds=budget))
        searches.append(perf_counter() - start - clock.seconds)
        if not isinstance(answer, Certified):
            print(f"{name:<22}   nothing proved: {answer}")
            return
        checks.append(checked(answer))
    if isinstance(answer, Certified):
        cells = (f"{statistics.median(searches):.2f}", f"{statistics.median(checks):.2f}", *content(answer))
        print(f"{name:<22}" + "".join(f"{cell:>{WIDTH}}" for cell in cells), flush=True)


def checked(answer: Certified) -> float:
    """Return the seconds that ``python -S -m proofs check`` takes, the start of the process included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.cert"
        path.write_bytes(b"".join(answer.lines()))
        start = perf_counter()
        subprocess.run(
            [sys.executable, "-S", "-m", "proofs", "check", path], check=True, capture_output=True, cwd=Path(__file__).parents[2]
        )
        return perf_counter() - start


def content(answer: Certified) -> tuple[str, ...]:
    """Say how large the certificate is, what its largest covering graph is made of, and what is proved."""
    size = sum(map(len, answer.lines())) / 1e6
    graphs = [Fields(witness, "witness") for theorem, _, witness in answer.steps if theorem == "covering_graph"]
    boxes, strips, longest = max((graph_size(graph) for graph in graphs), key=lambda sizes: sizes[1], default=(0, 0, 0))
    entropy = "-" if answer.report.entropy is None else f"{float(answer.report.entropy[0]):.4f}"
    bounds = [claim for claim in answer.claims if isinstance(claim, ExponentBounds)]
    lower, upper = (bounds[0].lower, bounds[0].upper) if bounds else (None, None)
    low = "-" if lower is None else f"{float(log(lower, BITS).lo):.4f}"
    high = "-" if upper is None else f"{float(log(upper, BITS).hi):.4f}"
    return f"{size:.3f}", str(boxes), str(strips), str(longest), entropy, low, high


def graph_size(graph: Fields) -> tuple[int, int, int]:
    """Return the numbers of boxes and strips, and the length of the longest word."""
    paths = graph.objects("paths")
    return len(graph.objects("boxes")), len(paths), max(path.integer("steps", 1, LONGEST) for path in paths)


if __name__ == "__main__":
    main()
