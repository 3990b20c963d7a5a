"""Lyapunov exponents of systems where they are known: estimates against references, what is proved, and how often intervals hold.

    python -m tests.benchmarks.bench_lyapunov_known [--json FILE] [--steps T] [--quick] [--parts PART ...]

First each system: reference, estimate with its 95 % interval (inside: does it hold the reference?), and below it what is proved. Then
random tanh networks against the limit N to infinity. Last the calibration: of many runs from different starts, the share of intervals
that hold the reference, which should be near 95 %; and the mean half width over the root mean square error (2 would be exact).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import exp, inf, isfinite
from pathlib import Path
from time import perf_counter

import numpy as np

from proofs.claims import Claim
from proofs.errors import Rejected
from proofs.functions import log
from proofs.network import Network
from tests.benchmarks.measured import Table
from tests.known.exponents import (
    FUNCTIONS,
    LINE_MAPS,
    LORENZ,
    NETWORKS,
    PLANE_MAPS,
    Known,
    cat,
    finder_network,
    henon,
    inside,
    logistic,
    markov,
    skew,
    tanh_network,
    tent,
    tent_network,
)
from tests.known.plane_maps import lozi
from tests.known.random_networks import (
    CONTINUOUS,
    Draws,
    circular_law,
    determinant_bias,
    flow_network,
    large_network,
    limit,
    over_draws,
    random_weights,
    recurrent,
    tanh_theory,
)
from verify import certification
from verify.answers import CycleList
from verify.certification.draft import Draft
from verify.certification.spectra import certify_exponents
from verify.lyapunov import spectrum
from verify.lyapunov.results import Exact
from verify.lyapunov.statistics import batch_mean

GROUP = 8
PARTS = ("estimates", "damped", "proofs", "finder", "random", "calibration")
Row = dict[str, object]


@dataclass(frozen=True)
class Proof:
    """A network to prove something of, and where an orbit starts."""

    name: str
    network: Network
    start: tuple[float, ...] | None = None


TWO_CYCLE = (-0.3821656050955415, 0.3503184713375797)
PROOFS = (
    Proof("logistic r=4, fixed point", logistic(Fraction(4)), (0.75,)),
    Proof("logistic r=3.9", logistic(Fraction(39, 10)), (0.5,)),
    Proof("logistic r=3.7", logistic(Fraction(37, 10)), (0.5,)),
    Proof("logistic r=3.83", logistic(Fraction(383, 100)), (0.5,)),
    Proof("tent 2 (never simulated)", tent(Fraction(2))),
    Proof("tent 1.9", tent(Fraction(19, 10))),
    Proof("skew tent .3", skew(Fraction(3, 10))),
    Proof("skew tent .4", skew(Fraction(2, 5))),
    Proof("Markov map", markov()),
    Proof("cat map, linear part", cat(), (0.0, 0.0)),
    Proof("Henon (1.4, .3), fixed point", henon(), (0.6313544770895048, 0.18940634312685144)),
    Proof("Lozi (1.7, .5), fixed point", lozi("17/10", "1/2"), (1 / 2.2, 0.5 / 2.2)),
    Proof("Lozi (1.7, .5), fixed point", lozi("17/10", "1/2"), (-1 / 1.2, -0.5 / 1.2)),
    Proof("Lozi (1.7, .5), 2-cycle", lozi("17/10", "1/2"), TWO_CYCLE),
    Proof("Lozi (1.4, .3), fixed point", lozi("7/5", "3/10"), (1 / 2.1, 0.3 / 2.1)),
    Proof("Lozi (1.8, .4), fixed point", lozi("9/5", "2/5"), (1 / 2.4, 0.4 / 2.4)),
    Proof("tent as ReLU-RNN 1.9", tent_network(Fraction(19, 10)), (0.3, 0.0)),
    Proof("tent as ReLU-RNN 2", tent_network(Fraction(2)), (0.3, 0.0)),
    *(Proof(one.name, one.network, one.proof_start) for one in NETWORKS if one.network is not None and one.proof_start),
    Proof("tanh net N=6, g=.5, origin", tanh_network(random_weights(6, 0.5, 0)), (0.1,) * 6),
)


def main() -> None:
    """Print the tables, and write them as JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="file to write")
    parser.add_argument("--steps", type=int, default=20_000, help="of each estimate with a batch of 64")
    parser.add_argument("--budget", type=float, default=4.0, help="seconds for each proof")
    parser.add_argument("--quick", action="store_true", help="shorter runs, no network with more than 512 units, 80 repeats")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which tables")
    chosen = parser.parse_args()
    made = {
        "estimates": lambda: estimates(chosen.steps // 10 if chosen.quick else chosen.steps),
        "damped": damped,
        "proofs": lambda: proofs_of(chosen.budget),
        "finder": finder,
        "random": lambda: random_networks(quick=chosen.quick),
        "calibration": lambda: calibration(80 if chosen.quick else 320),
    }
    content = {part: list(made[part]()) for part in PARTS if part in chosen.parts}
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(content, indent=1))


def estimates(steps: int) -> Iterator[Row]:
    """Print and yield each system's estimates beside their references."""
    table = Table(("system", 24), ("i", 4), ("reference", 15), ("origin", 18), ("estimate", 13), ("+-", 10), ("inside", 8), ("s", 7))
    for known in (*LINE_MAPS, *FUNCTIONS, *PLANE_MAPS, *NETWORKS, LORENZ):
        start = perf_counter()
        found = known.run(1, **({} if "steps" in known.settings else {"steps": steps}))
        seconds = perf_counter() - start
        for of, (entry, truth, said) in enumerate(zip(found.exponents, known.reference, inside(found, known), strict=False), 1):
            row = _row(known, of, truth, entry.value / known.unit, entry.half_width / known.unit) | {"inside": said, "seconds": seconds}
            yield _print(table, row)
        if known.total is not None and found.sum is not None:
            value, half = found.sum.value / known.unit, found.sum.half_width / known.unit
            row = _row(known, "sum", known.total, value, half) | {"inside": abs(value - known.total) <= half + 1e-4, "seconds": seconds}
            yield _print(table, row | {"origin": "volume"})
        for check in found.failed:
            print(f"    identity check failed: {check}")


def _row(known: Known, of: object, truth: float | None, value: float, half: float) -> Row:
    return {"system": known.name, "i": of, "reference": truth, "origin": known.origin, "estimate": value, "half_width": half}


def _print(table: Table, row: Row) -> Row:
    """Print a row; return it with what JSON cannot hold as text."""
    truth, value, half = row["reference"], row["estimate"], row["half_width"]
    shown = [f"{number:.7f}" if isinstance(number, float) else "-" for number in (truth, value)]
    said = {True: "yes", False: "NO", None: "-"}[row["inside"]]  # type: ignore[index]
    table.line(row["system"], row["i"], shown[0], row["origin"], shown[1], f"{half:.1e}", said, f"{row['seconds']:.1f}")
    return {key: str(one) if isinstance(one, float) and not isfinite(one) else one for key, one in row.items()}


def damped(size: int = 128, g: float = 0.5) -> Iterator[Row]:
    """Print the spectrum of a random tanh network that falls to the origin against log |eigenvalues| and the circular law."""
    weights, start = random_weights(size, g, 0), perf_counter()
    found = spectrum(recurrent(weights), driven=False, steps=4000, batch=1)
    truth = np.sort(np.log(np.abs(np.linalg.eigvals(weights))))[::-1]
    values = np.array([entry.value for entry in found.exponents])
    held = float(np.mean([abs(entry.value - one) <= entry.half_width for entry, one in zip(found.exponents, truth, strict=True)]))
    error, distance = float(np.abs(values - truth).max()), circular_law(values, g)
    print(f"\nrandom tanh net N={size}, g={g}: {held:.1%} of {size} exponents inside, largest error {error:.1e}, ", end="")
    print(f"distance from the circular law {distance:.3f}, {perf_counter() - start:.1f} s\n")
    yield {"size": size, "g": g, "inside": held, "largest_error": error, "circular_law": distance}


def proofs_of(budget: float) -> Iterator[Row]:
    """Print and yield what is proved of each network."""
    print("proved, every line checked by the kernel")
    for one in PROOFS:
        start = perf_counter()
        found = certify_exponents(one.network, start=one.start, budget=budget)
        print(f"{one.name}  ({perf_counter() - start:.1f} s)", flush=True)
        for entry in found.entries:
            text = entry.text if isinstance(entry, Exact) else ""
            yield _proved(one.name, entry.of, entry.lower, entry.upper, f"{entry.kind} {text}".strip(), entry.scope, entry.theorem)
        if not any(entry.of == "sum" for entry in found.entries):
            yield from _volume(one)


def _volume(one: Proof) -> Iterator[Row]:
    """Print the bounds of the sum for orbits that stay within 3 of the origin."""
    side, draft = ["3"] * one.network.dimension, Draft(one.network)
    try:
        claim: Claim = draft.add("volume", {"low": ["-3"] * len(side), "high": side, "bits": 128})[1]
    except Rejected:
        return
    draft.finish([claim])
    low, high = (log(end, 128) if end else None for end in (claim.lower, claim.upper))  # type: ignore[attr-defined]
    scope = "every orbit staying in a region"
    yield _proved(one.name, "sum", low.lo if low else None, high.hi if high else None, "certified, box [-3, 3]^n given", scope, "volume")


def _proved(name: str, of: object, low: Fraction | None, high: Fraction | None, kind: str, scope: str, theorem: str) -> Row:
    ends = ", ".join("-inf" if end is None else f"{float(end):.13g}" for end in (low, high))
    ends = "= -inf" if low is None and high is None else f"[{ends}]"
    width = "" if low is None or high is None else f" width {float(high - low):.0e}"
    print(f"    {of!s:>3}  {ends}{width}  {kind}; {scope}; {theorem}")
    return {"system": name, "i": of, "proved": ends, "kind": kind, "scope": scope, "theorem": theorem}


def finder() -> Iterator[Row]:
    """Print the fixed points of the FixedPointFinder's test networks, proved to be all."""
    print("\nfixed points of the finder networks on all of R^n, proved complete (card A4b); spectral radii within certified bounds")
    for n in (2, 3, 4):
        start = perf_counter()
        found = finder_list(n)
        said = f"{len(found.cycles)} fixed points, " + ("no others" if found.complete else f"NOT complete: {'; '.join(found.unresolved)}")
        bounds = [(exp(low), exp(high)) for low, high in finder_bounds(found)]
        shown = ", ".join(f"{(low + high) / 2:.6f}" for low, high in bounds)
        print(f"    n={n}: {said}, {found.effort.get('nodes')} boxes; spectral radii {shown}", end="")
        print(f" (+- {max(high - low for low, high in bounds) / 2:.0e})", end="")
        print(f", sum of sign det(I - J) = {found.index_sum[1]}, {perf_counter() - start:.1f} s")
        yield {"n": n, "fixed_points": len(bounds), "complete": found.complete, "radii": bounds, "index_sum": found.index_sum[1]}


def finder_list(n: int) -> CycleList:
    """Return all fixed points of a finder network, with a certificate that there are no others."""
    return certification.cycles(finder_network(n), 1, complete=True, effort=certification.Effort(budget_seconds=600.0))


def finder_bounds(found: CycleList) -> list[tuple[Fraction, Fraction]]:
    """Return the certified bounds of the logarithm of each spectral radius, smallest first."""
    return sorted(entry.exponent for entry in found.cycles if entry.exponent is not None)


def random_networks(*, quick: bool) -> Iterator[Row]:
    """Print largest and mean exponent of random tanh networks of several sizes, and the line through them in 1/N, beside theory."""
    sizes = ((256, 8), (512, 6)) if quick else ((256, 16), (512, 12), (1024, 12))
    print("\nrandom tanh maps, 95 % intervals over draws of the weights. Theory of the largest is for N to infinity, the bias about c / N")
    print("(row inf: the line in 1/N); theory of the mean has the exact expectation of log|det J| at this N")
    columns = [(name, 9) for name in ("largest", "+-", "theory", "inside", "mean", "+-", "theory", "inside")]
    table = Table(("g", 6), ("N", 6), ("draws", 6), *columns, ("s", 7))
    for g in (2.0, 3.0, 5.0):
        _, largest, mean = tanh_theory(g)
        found = []
        for size, draws in sizes:
            start = perf_counter()
            found.append(large_network(g, size, draws))
            yield _large(table, g, f"{size}", draws, found[-1], (largest, mean + determinant_bias(size)), perf_counter() - start)
        top, slope = _limit([one[0] for one in found])
        rest, _ = _limit([Draws(one.size, one.value - determinant_bias(one.size), one.half_width) for _, one in found])
        yield _large(table, g, "inf", sum(draws for _, draws in sizes), (top, rest), (largest, mean), 0.0)
        print(f"      largest exponent: bias about {slope:.1f} / N")
    yield from _flows(quick=quick)


def _limit(found: list[Draws]) -> tuple[Draws, float]:
    value, half, slope = limit(found)
    return Draws(0, value, half), slope


def _large(table: Table, g: float, size: str, draws: int, found: tuple[Draws, Draws], theory: tuple[float, float], seconds: float) -> Row:
    cells: list[str] = []
    row: Row = {"g": g, "N": size, "draws": draws}
    for name, one, truth in zip(("largest", "mean"), found, theory, strict=True):
        held = abs(one.value - truth) <= one.half_width
        cells += [f"{one.value:.5f}", f"{one.half_width:.5f}", f"{truth:.5f}", "yes" if held else "NO"]
        row |= {name: one.value, f"{name}_half_width": one.half_width, f"{name}_theory": truth, f"{name}_inside": held}
    table.line(f"{g:g}", size, draws, *cells, f"{seconds:.1f}")
    return row


def _flows(*, quick: bool) -> Iterator[Row]:
    """Print the largest exponent of random networks in continuous time, over draws."""
    g, truth = 3.0, CONTINUOUS[3.0]
    found = []
    for size, draws in ((128, 6), (256, 6)) if quick else ((128, 8), (256, 8), (512, 4)):
        start = perf_counter()
        found.append(over_draws(size, [flow_network(g, size, seed, 600)[0] for seed in range(draws)]))
        one, seconds = found[-1], perf_counter() - start
        print(
            f"continuous time, g={g:g}, N={size}: {one.value:.4f} +- {one.half_width:.4f} per tau, theory {truth}, {seconds:.1f} s",
            flush=True,
        )
        yield {"flow": g, "N": size, "largest": one.value, "half_width": one.half_width, "theory": truth}
    value, half, slope = limit(found)
    held = "inside" if abs(value - truth) <= half else "OUTSIDE"
    print(f"continuous time, g={g:g}, N to infinity: {value:.4f} +- {half:.4f}: {held}; bias about {slope:.1f} / N")
    yield {"flow": g, "N": "inf", "largest": value, "half_width": half, "theory": truth, "inside": held == "inside"}


def calibration(repeats: int) -> Iterator[Row]:
    """Print how often intervals hold the reference: of single sequences, and of groups, as a batch of that size would be reported."""
    print()
    table = Table(
        ("calibration", 24),
        ("i", 3),
        ("steps", 7),
        ("repeats", 9),
        ("inside", 8),
        ("ratio", 7),
        (f"by {GROUP}", 7),
        ("inside", 8),
        ("ratio", 7),
    )
    for known in (*LINE_MAPS[:3], *LINE_MAPS[5:], *PLANE_MAPS):
        for steps in (500, 4000):
            yield _calibrated(table, known, steps, repeats)
    yield _calibrated(table, FUNCTIONS[1], 500, repeats)


def _calibrated(table: Table, known: Known, steps: int, repeats: int) -> Row:
    row: Row = {"system": known.name, "i": 1, "steps": steps}
    cells: list[str] = []
    single, grouped = coverage(known, steps, repeats)
    for group, (count, share, ratio) in ((1, single), (GROUP, grouped)):
        cells += [f"{count}", f"{share:.1%}", f"{ratio:.1f}"]
        row |= {f"repeats_by_{group}": count, f"inside_by_{group}": share, f"ratio_by_{group}": ratio}
    table.line(known.name, 1, steps, *cells)
    return row


def coverage(known: Known, steps: int, repeats: int, seed: int = 7) -> list[tuple[int, float, float]]:
    """Return, for single sequences and for groups, repeats, the share of intervals of the largest exponent that hold, half width / error.

    One run with ``repeats`` sequences: a sequence's blocks are those of a run alone, and its interval that which would be reported.
    """
    found = known.run(seed, batch=repeats, steps=steps)
    lengths = np.diff(np.round(np.linspace(0, found.steps, len(found.blocks) + 1)))
    truth = known.reference[0]
    assert truth not in {None, -inf}
    told = []
    for group in (1, GROUP):
        parts = [found.blocks[:, first : first + group, 0] / known.unit for first in range(0, repeats - group + 1, group)]
        means = [batch_mean(part, lengths) for part in parts]
        errors = np.array([one.value for one in means]) - truth
        halves = np.array([one.half_width for one in means])
        told.append(
            (len(means), float((np.abs(errors) <= halves + known.error).mean()), float(halves.mean() / np.sqrt((errors**2).mean())))
        )
    return told


if __name__ == "__main__":
    main()
