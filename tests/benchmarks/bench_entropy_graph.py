"""Lower bounds on the entropy from covering graphs of many boxes: one row for every network and number of paths allowed.

Memory: the longest word; bound: the logarithm of the rate in the certificate, rounded down. Search: until the best graph of that many paths
within the budget; prove: rounding and the exact checks that make the certificate; check: the kernel on the certificate alone.

    python tests/benchmarks/bench_entropy_graph.py --budget 10 --paths 30 100 300 1000 4000 --only lozi
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from math import floor, log
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import proofs  # noqa: E402
from proofs.network import Network  # noqa: E402
from tests.known.plane_maps import border_collision, lozi, plrnn  # noqa: E402
from verify.certification.draft import Draft  # noqa: E402
from verify.certification.horseshoe import prove_horseshoe  # noqa: E402
from verify.search.entropy_graph import improving_graphs  # noqa: E402

SYSTEMS = ROOT.parent / "shared" / "cases" / "published_systems.json"
COLUMNS = (
    ("network", 22), ("allowed", 8), ("memory", 7), ("boxes", 6), ("paths", 6), ("bound", 8), ("search s", 9), ("prove s", 8),
    ("check s", 8), ("MB", 6),
)  # fmt: skip


def networks() -> Iterator[tuple[str, Network]]:
    """Yield Lozi's map at three places, the border-collision normal form, and the chaotic map of the published systems."""
    for a, b in (("17/10", "1/2"), ("9/5", "2/5"), ("7/5", "3/10")):
        yield f"lozi ({a}, {b})", lozi(a, b)
    yield "border collision", border_collision()
    systems = json.loads(SYSTEMS.read_text(encoding="utf-8")) if SYSTEMS.exists() else []
    for system in systems:
        if system["name"] == "pl-map-chaos":
            yield system["name"], plrnn(*(_spelled(system["parameters"][key]) for key in ("A", "W", "h")))


def _spelled(value: object) -> list[Any]:
    """Read decimal numbers as what they say."""
    return [_spelled(item) if isinstance(item, list) else str(item) for item in value] if isinstance(value, list) else []


def row(name: str, network: Network, most: int, budget: float, seed: int) -> None:
    """Search, prove, check, and print the figures."""
    best = max(improving_graphs(network, budget_seconds=budget, seed=seed, most_paths=most), key=lambda stage: stage.entropy, default=None)
    if best is None:
        print(f"{name:<22}{most:>8}   nothing found")
        return
    start = perf_counter()
    draft = Draft(network)
    proof = prove_horseshoe(draft, best.covering)
    proving = perf_counter() - start
    if isinstance(proof, str):
        print(f"{name:<22}{most:>8}   not proved: {proof}")
        return
    certificate, _ = draft.finish([proof.entropy[1]])
    megabytes = sum(map(len, certificate.lines())) / 1e6
    start = perf_counter()
    proofs.check(certificate)
    checking, claim = perf_counter() - start, proof.entropy[1]
    bound = floor(1e4 * log(float(claim.rate))) / 1e4
    print(
        f"{name:<22}{most:>8}{best.longest:>7}{claim.boxes:>6}{claim.paths:>6}{bound:>8.4f}{best.seconds:>9.1f}{proving:>8.1f}"
        f"{checking:>8.1f}{megabytes:>6.2f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paths", type=int, nargs="+", default=[30, 100, 300, 1000, 4000])
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    print("".join(f"{title:<{width}}" if title == "network" else f"{title:>{width}}" for title, width in COLUMNS))
    for name, network in networks():
        if not options.only or any(part in name for part in options.only):
            for most in options.paths:
                row(name, network, most, options.budget, options.seed)


if __name__ == "__main__":
    main()
