"""A campaign in a process of its own, to be killed: python killed.py DATABASE FOLDER COUNT JOBS."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from tests.verify.sampling.standin import CELLS, slow_work
from verify.sampling.campaign import Plan, run


def main() -> None:
    """Carry out the plan."""
    database, folder, count, jobs = sys.argv[1:]
    plan = Plan(CELLS, int(count), 3, chunk=10)
    run(plan, Path(database), jobs=int(jobs), work=partial(slow_work, Path(folder)))


if __name__ == "__main__":
    main()
