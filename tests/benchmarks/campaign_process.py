"""A campaign in a process of its own: its memory is its own, and it may be killed. One argument, a plan in JSON; prints one JSON object.

{"cells": [["theory", 16, 8.0], ...], "count": 1000, "seed": 1, "chunk": 0, "jobs": 0, "device": "cpu", "db": "FILE"}
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.measured import peaks  # noqa: E402
from verify.sampling.campaign import Plan, run  # noqa: E402
from verify.sampling.families import Cell  # noqa: E402


def main() -> None:
    """Carry out a plan; print the counts of every cell, the time of the campaign, and the peaks of this process and its workers."""
    asked = json.loads(sys.argv[1])
    plan = Plan(tuple(Cell(*cell) for cell in asked["cells"]), asked["count"], asked["seed"], asked.get("chunk", 0))
    database = Path(asked["db"]) if "db" in asked else None
    done = run(plan, database, jobs=asked.get("jobs", 0), device=asked.get("device", "cpu"), progress=tell if asked.get("told") else None)
    own, workers = peaks()
    cells = [asdict(counts) for counts in done.cells]
    print(json.dumps({"cells": cells, "computed": done.computed, "seconds": done.seconds, "parent_mb": own, "worker_mb": workers}))


def tell(_: str, done: int, __: int) -> None:
    """Print how many networks are there."""
    print(done, flush=True)


if __name__ == "__main__":
    main()
