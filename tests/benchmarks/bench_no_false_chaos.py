"""No false positives: 1,000 networks of entropy 0, and 100 of which only an attracting cycle is known, never get a chaos certificate.

Each is put to ``certify --claim chaos``; where that stops early because the network contracts, to the finders themselves. The prover is
also offered the covering graphs of chaotic maps and, for networks with at most two live hinges, strips of all short words. The families,
and why their entropy is 0, are in ``tests/known/orderly.py``. Arguments: the numbers of families (all unless given), ``--scale X`` times
as many networks, and ``--budget SECONDS`` for each search. In the rows without a reason entropy 0 is not known: a certificate there is to
be looked at by hand.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.known.orderly import FAMILIES, Attempts, Case, attempt, cases  # noqa: E402
from tests.known.plane_maps import border_collision, lozi  # noqa: E402
from verify.candidates import Covering  # noqa: E402
from verify.certification import Effort, cycles  # noqa: E402
from verify.search.horseshoe import find_horseshoe  # noqa: E402

CYCLES_FOR = ("words do not grow", "")  # the reasons with which attracting cycles are looked for
UP_TO = 8


@dataclass
class Row:
    """The tally of a family."""

    reason: str
    attempts: list[Attempts] = field(default_factory=list)
    attracting: int = 0


def coverings() -> tuple[Covering, ...]:
    """Return covering graphs of maps that are chaotic."""
    found = [find_horseshoe(network).covering for network in (lozi("17/10", "1/2"), lozi("9/5", "2/5"), border_collision())]
    return tuple(covering for covering in found if covering is not None)


def attracts(case: Case, budget: float) -> bool:
    """Say whether an attracting cycle is proved."""
    answer = cycles(case.source, UP_TO, effort=Effort(budget_seconds=budget))
    return any(entry.label == "stable" for entry in answer.cycles)


def main() -> None:
    """Print one row a family as soon as it is done, then the sums."""
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", type=int, default=list(range(len(FAMILIES))))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--budget", type=float, default=0.2)
    options = parser.parse_args()
    heads = ("networks", "contract", "attracting", "CHAOS", "median s", "sum s")
    print(f"{'family':<28}{'entropy 0, since':<26}" + "".join(f"{head:>12}" for head in heads), flush=True)
    offered, total = coverings(), Row("")
    for _, group in groupby(cases(options.scale, only=options.families), key=lambda drawn: drawn[0]):
        rows: dict[str, Row] = {}
        for _, case in group:
            row = rows.setdefault(case.family, Row(case.reason))
            row.attempts.append(attempt(case, options.budget, offered))
            row.attracting += case.reason in CYCLES_FOR and attracts(case, options.budget)
            if row.attempts[-1].chaos:
                print(f"CHAOS certified: {case.family}: {case.source}: {row.attempts[-1].chaos}", flush=True)
        for family, row in sorted(rows.items()):
            shown(family, row)
            total.attempts += row.attempts
            total.attracting += row.attracting
    shown("all", total)


def shown(family: str, row: Row) -> None:
    """Print one row."""
    seconds = [tried.seconds for tried in row.attempts]
    counts = (
        len(row.attempts),
        sum(tried.contracts for tried in row.attempts),
        row.attracting,
        sum(bool(tried.chaos) for tried in row.attempts),
    )
    times = f"{median(seconds):>12.2f}{sum(seconds):>12.0f}"
    print(f"{family:<28}{row.reason or '-':<26}" + "".join(f"{count:>12}" for count in counts) + times, flush=True)


if __name__ == "__main__":
    main()
