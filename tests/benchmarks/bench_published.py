"""Published piecewise-linear systems: cycles found by the heuristic search and certified, beside the complete lists. Needs ../shared."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter

import proofs
from verify.certification import Effort, cycles
from verify.loading import load

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "published_systems.json"
FAMILIES = {"PLRNN": "plrnn", "shPLRNN": "shallow_plrnn", "clippedshPLRNN": "clipped_shallow_plrnn", "ALRNN": "alrnn"}


def main() -> None:
    """Print one row a system: found of listed at each period, and the times."""
    if not CASES.exists():
        print(f"skipped: {CASES.name} is not there")
        return
    print(f"{'system':<30}{'up to':>6}  {'found/listed by period':<72}{'find+prove s':>13}{'check s':>9}")
    for system in json.loads(CASES.read_text(encoding="utf-8")):
        settings = {"P": 1} if system["model"] == "ALRNN" else {}
        loaded = load(system["parameters"], FAMILIES[system["model"]], name=system["name"], **settings)
        listed = {int(k): n for k, n in system["cycles_by_least_period"].items()}
        up_to = system["complete_up_to_period"]
        start = perf_counter()
        answer = cycles(loaded, up_to, effort=Effort(budget_seconds=60.0))
        spent = perf_counter() - start
        start = perf_counter()
        if answer.certificate is not None:
            proofs.check(answer.certificate)
        checked = perf_counter() - start
        found = answer.cycles_by_least_period
        row = ", ".join(f"{k}: {found.get(k, 0)}/{listed.get(k, 0)}" for k in sorted({*found, *listed}))
        print(f"{system['name']:<30}{up_to:>6}  {row:<72}{spent:>13.2f}{checked:>9.2f}")


if __name__ == "__main__":
    main()
