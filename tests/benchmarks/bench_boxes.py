"""Smooth networks in boxes: complete lists of cycles, contraction under all inputs, finite-time exponents, and the engine's small systems.

    python -m tests.benchmarks.bench_boxes [--full] [--parts PART ...]

Times are seconds of this process's processor, medians of three; one run (marked *) where that takes longer than ``ONCE`` seconds, unless
--full is given. kB: size of the certificate; MB: peak memory of search and proof above what the process had before (Linux).
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log
from pathlib import Path
from statistics import median
from time import monotonic, process_time
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

import proofs
from proofs.certificate import Certificate
from proofs.exponents import BoxContraction
from proofs.network import Network
from tests.benchmarks.measured import ROOT, Table
from tests.known.exponents import PERIOD_3, START, finder_network, henon, tanh_network
from tests.known.random_networks import random_weights, recurrent
from verify.certification.box_contraction import BoxReport, prove_box_contraction
from verify.certification.draft import Draft
from verify.certification.finite_time import FiniteTimeFound, Orbit, Wish, orbit_of, prove_finite_time
from verify.certification.smooth_cycles import SmoothCycles, prove_all_cycles, range_box
from verify.certification.symbols import input_range
from verify.loading import load
from verify.lyapunov import Spectrum, spectrum
from verify.models.gated import step_program
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.threads import one_thread
from verify.search.smooth_cycles import Sides, find_all_cycles

ONCE = 1.0
RUNS = 3
STARTS, NEWTON_STEPS = 2000, 60
SAME, CLOSED = 1e-6, 1e-10
NOTED = {2: 15, 3: 23, 4: 400}  # boxes of the notes' script, which rounds by inflation: fixed points of the finder networks
HENON_BOX = ((Fraction(-3, 2), Fraction(3, 2)), (Fraction(-1, 2), Fraction(1, 2)))
MODULES: dict[str, Callable[[int, int], nn.RNNBase]] = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}
INPUTS = 2
Result = TypeVar("Result")


@dataclass(frozen=True)
class Timed:
    """Medians of runs, in seconds of the processor, and how many runs there were."""

    seconds: float
    runs: int

    def __str__(self) -> str:
        """Return the seconds; a star says that there was one run only."""
        return f"{self.seconds:.2f}{'*' if self.runs == 1 else ''}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="larger cases, and three runs of each")
    made = {"lists": lists, "contraction": contraction, "finite": finite_times, "engine": engine}
    parser.add_argument("--parts", nargs="+", choices=tuple(made), default=tuple(made), help="which tables")
    chosen = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with one_thread():
        for part in chosen.parts:
            made[part](full=chosen.full)
            print()


def timed(work: Callable[[], Result], *, full: bool) -> tuple[Result, Timed]:
    """Return the first run's result and the median time."""
    spent, start = list[float](), process_time()
    result = work()
    spent.append(process_time() - start)
    for _ in range(0 if spent[0] > ONCE and not full else RUNS - 1):
        start = process_time()
        work()
        spent.append(process_time() - start)
    return result, Timed(median(spent), len(spent))


def kilobytes(certificate: Certificate | None) -> str:
    """Return the size of a certificate."""
    return "-" if certificate is None else f"{sum(len(line) for line in certificate.lines()) / 1000:.0f}"


def forget_peak() -> None:
    """Let the peak memory of this process begin at what it has now, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def memory(name: str) -> float | None:
    """Return VmRSS (now) or VmHWM (peak) in megabytes, None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), None)


# --- complete lists ---


def networks(*, full: bool) -> Iterator[tuple[str, Network, int, Sides | None, int | None]]:
    """Yield name, network, largest period, box (None: everywhere) and the boxes of the notes."""
    for n in (2, 3, 4):
        yield f"finder n={n}", finder_network(n), 1, None, NOTED[n]
    for up_to in (1, 2, 3):
        yield "three neurons", load(ROOT / "examples" / "three_neurons.json").network, up_to, None, None
    yield "Henon (1.4, .3)", henon(), 4 if full else 2, HENON_BOX, None
    chosen = [(2, 3.0, 2), (3, 2.0, 1), (3, 2.0, 2), (4, 3.0, 1), (5, 2.0, 1)]
    chosen += [(6, 1.5, 1), (4, 2.0, 2), (8, 1.0, 1)] if full else []
    for size, gain, up_to in chosen:
        yield f"tanh N={size} g={gain:g}", tanh_network(random_weights(size, gain, 0)), up_to, None, None


def lists(*, full: bool) -> None:
    """Print what complete lists cost, beside Newton's method from many starts."""
    print(f"complete lists of cycles of least period at most K (A4b); Newton's method from {STARTS} random starts a period, no proof")
    sizes = [("cycles", 12), ("notes' boxes", 14), ("leaves", 12), ("search s", 10), ("all s", 9), ("kernel s", 10), ("kB", 7), ("MB", 5)]
    table = Table(("network", 17), ("K", 3), *sizes, ("Newton finds", 14), ("not ours", 10), ("s", 7))
    for name, network, up_to, sides, noted in networks(full=full):
        box = sides or range_box(network) or ()
        forget_peak()
        before = memory("VmRSS")
        _, search = timed(lambda: find_all_cycles(network, box, up_to, budget=inf), full=full)  # noqa: B023 - called at once
        (found, certificate), proof = timed(lambda: listed(network, up_to, sides), full=full)  # noqa: B023 - the same
        peak = memory("VmHWM")
        kernel = "-" if certificate is None else timed(lambda: proofs.check(certificate), full=full)[1]  # noqa: B023 - the same
        used = "-" if before is None or peak is None else f"{peak - before:.0f}"
        counts = Counter(cycle.period for cycle in found.cycles)
        told = "+".join(f"{counts[period]}" for period in range(1, up_to + 1)) if found.complete else "NOT complete"
        leaves = "+".join(str(count) for count in found.leaves.values())
        newton, spent = timed(lambda: starts_of_newton(network, box, up_to), full=full)  # noqa: B023 - the same
        seen, others = compared(found, newton)
        cells = [up_to, told, noted or "-", leaves, search, proof, kernel, kilobytes(certificate), used]
        table.line(name, *cells, f"{seen} of {sum(period * count for period, count in counts.items())}", others, spent)


def listed(network: Network, up_to: int, sides: Sides | None) -> tuple[SmoothCycles, Certificate | None]:
    """Search and prove, certificate and all."""
    draft = Draft(network)
    found = prove_all_cycles(draft, up_to, sides=sides)
    return found, None if found.claim is None else draft.finish([found.claim])[0]


def starts_of_newton(network: Network, sides: Sides, up_to: int) -> Floats:
    """Return the solutions of F^k(z) = z, k up to K, in a box, that Newton's method meets from uniform starts; each once, (n, M)."""
    floats, random = FloatNetwork(network), np.random.default_rng(0)
    low, high = (np.array([float(end) for end in ends]) for ends in zip(*sides, strict=True))
    met = [newton(floats, random.uniform(low, high, (STARTS, len(low))), period) for period in range(1, up_to + 1)]
    points = np.concatenate(met)
    points = points[np.all((points > low) & (points < high), axis=1)]
    return distinct(points)


def newton(floats: FloatNetwork, points: Floats, period: int) -> Floats:
    """Return where Newton's method for F^k(z) - z ends, where it ends."""
    size = points.shape[1]
    with np.errstate(all="ignore"):
        for _ in range(NEWTON_STEPS):
            image, product = np.asarray(points), np.broadcast_to(np.eye(size), (len(points), size, size))
            for _ in range(period):
                product, image = floats.jacobian(image) @ product, floats.step(image)
            good = np.isfinite(image).all(axis=1) & np.isfinite(product).all(axis=(1, 2))
            points, image, product = points[good], image[good], product[good]
            points = points + np.linalg.solve(np.eye(size) - product + 1e-300, (image - points)[..., None])[..., 0]
        image = points
        for _ in range(period):
            image = floats.step(image)
        return np.asarray(points[np.abs(image - points).max(axis=1, initial=0.0) < CLOSED])


def distinct(points: Floats) -> Floats:
    """Return points that are farther apart than SAME."""
    kept = list[Floats]()
    for point in np.unique(np.round(points, 7), axis=0):
        if all(np.abs(point - one).max() > SAME for one in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, points.shape[1])


def compared(found: SmoothCycles, newton: Floats) -> tuple[int, int]:
    """Return how many of the listed points Newton's method met, and how many it met that are not listed."""
    middles = [[float((side.lo + side.hi) / 2) for side in ball] for cycle in found.cycles for ball in cycle.points]
    known = np.array(middles).reshape(-1, newton.shape[1])
    near = np.abs(known[:, None] - newton[None]).max(axis=2) < SAME
    return int(near.any(axis=1).sum()), int((~near.any(axis=0)).sum())


# --- contraction ---


def contraction(*, full: bool) -> None:
    """Print bounds of the largest exponent under all inputs in [-1, 1] beside the largest estimate seen."""
    print(f"contraction on a box (D9): modules as torch makes them (seed 0) times a gain, all {INPUTS} inputs in [-1, 1] at every step")
    columns = [("gain", 6), ("bound", 9), ("estimate", 10), ("norm", 9), ("search and proof s", 20), ("kernel s", 10), ("kB", 5)]
    table = Table(("module", 10), *columns, ("why not", 10))
    sizes = (4, 8, 16, 32) if full else (4, 8, 16)
    gains = {"LSTM": (1.0, 0.5), "GRU": (1.0, 0.5, 0.25), "RNN": (1.0, 0.5)}
    for kind, size, gain in ((one, size, gain) for one in MODULES for size in sizes for gain in gains[one]):
        module = scaled(kind, size, gain)
        (report, draft), spent = timed(lambda: contracted(module), full=full)  # noqa: B023 - called at once
        estimate, name = f"{largest_seen(module):.4f}", f"{kind} H={size}"
        if report.claim is None:
            table.line(name, gain, "-", estimate, "-", spent, "-", "-", f"  {'; '.join(report.reasons)}")
            continue
        certificate = draft.finish([report.claim])[0]
        _, kernel = timed(lambda: proofs.check(certificate), full=full)  # noqa: B023 - the same
        norm = "form" if "form" in draft.steps[0][2] else "weights"
        table.line(name, gain, f"{logarithm(report.claim):.4f}", estimate, norm, spent, kernel, kilobytes(certificate), "")


def scaled(kind: str, size: int, gain: float) -> nn.RNNBase:
    """Return a module as torch initialises it, its weights times the gain."""
    torch.manual_seed(0)
    module = MODULES[kind](INPUTS, size).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(gain)
    return module


def contracted(module: nn.RNNBase) -> tuple[BoxReport, Draft]:
    """Look for a norm and prove it; every case has the same time limit, which idle machines do not reach."""
    draft = Draft(step_program(module, [0.0] * INPUTS))
    return prove_box_contraction(draft, input_range(module, [-1.0] * INPUTS, [1.0] * INPUTS), 30.0), draft


def logarithm(claim: BoxContraction) -> float:
    """Return the bound in nats a step."""
    return log(claim.rate)


def largest_seen(module: nn.RNNBase, steps: int = 200) -> float:
    """Return the largest estimate under random inputs, under random corners of their range, and under each constant corner."""
    random = np.random.default_rng(0)
    inputs = random.uniform(-1, 1, (steps, 4, INPUTS))
    corners = np.array([[a, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])
    drives = (inputs, np.sign(inputs), np.broadcast_to(corners, inputs.shape))
    return max(spectrum(module, torch.tensor(drive.copy()), k=1).exponents[0].value for drive in drives)


# --- finite-time exponents ---


def orbits() -> Iterator[tuple[str, Callable[[int], Orbit]]]:
    """Yield name and the orbit of so many steps."""
    random = np.random.default_rng(0)
    inputs = random.uniform(-1, 1, (100, INPUTS)).tolist()
    torch.manual_seed(0)
    lstm = nn.LSTM(INPUTS, 4).double()
    wild = tanh_network(random_weights(8, 2.0, 0))
    yield "three neurons", lambda steps: orbit_of(tanh_network(PERIOD_3), START, steps)
    yield "tanh N=8 g=2", lambda steps: orbit_of(wild, [0.1] * 8, steps)
    yield "LSTM H=4, driven", lambda steps: orbit_of(lstm, [0.0] * 8, steps, inputs)


def finite_times(*, full: bool) -> None:
    """Print what exponents over T steps of one orbit cost."""
    print("exponents over T steps of one orbit (D8), each to 1e-6; two-sided: with a lower end too")
    columns = [("k", 4), ("bits", 7), ("two-sided", 11), ("largest in", 27), ("width", 9), ("search and proof s", 20), ("kernel s", 10)]
    table = Table(("orbit", 18), ("T", 5), *columns, ("kB", 6))
    for name, made in orbits():
        for steps in (20, 50, 100):
            orbit = made(steps)
            for k in (1, None):
                show_orbit(table, name, orbit, k, full=full)


def show_orbit(table: Table, name: str, orbit: Orbit, k: int | None, *, full: bool) -> None:
    """Prove k exponents of an orbit and print a line."""
    (found, draft), spent = timed(lambda: over_steps(orbit, k), full=full)
    if found.claim is None:
        table.line(name, orbit.steps, k or "all", "-", "-", "-", "-", spent, "-", "; ".join(found.undecided))
        return
    certificate = draft.finish([found.claim])[0]
    _, kernel = timed(lambda: proofs.check(certificate), full=full)
    ends = [(float(entry.lower), float(entry.upper)) for entry in found.entries if entry.lower is not None and entry.upper is not None]
    told = f"[{ends[0][0]:.7f}, {ends[0][1]:.7f}]" if ends else "-"
    width = f"{max(high - low for low, high in ends):.0e}" if ends else "-"
    cells = [draft.steps[0][2]["bits"], f"{len(ends)} of {len(found.entries)}", told, width, spent, kernel, kilobytes(certificate)]
    table.line(name, found.claim.steps, k or "all", *cells)


def over_steps(orbit: Orbit, k: int | None) -> tuple[FiniteTimeFound, Draft]:
    """Prove k exponents, with no limit of time worth the name."""
    draft = Draft(orbit.networks[0])
    return prove_finite_time(draft, orbit, Wish(k, monotonic() + 1e5)), draft


# --- the engine ---


def henon_function(z: Tensor) -> Tensor:
    """Return one step of the Henon map."""
    return torch.stack([1 - 1.4 * z[0] ** 2 + z[1], 0.3 * z[0]])


def engine(*, full: bool) -> None:
    """Print milliseconds of a step of small systems, the steps before those that are measured included."""
    steps = 4000 if full else 600
    random = torch.tensor(np.random.default_rng(0).uniform(-1, 1, (2 * steps, 1, INPUTS)))
    lorenz = load(ROOT / "examples" / "lorenz_plrnn.json")
    there = torch.tensor([START], dtype=torch.float64)
    print(f"engine: whole spectra, one sequence, {steps} steps")
    table = Table(("system", 26), ("states", 8), ("ms a step", 11), ("largest", 10))
    lstm, gru = scaled("LSTM", 8, 1.0), scaled("GRU", 16, 1.0)
    neurons = recurrent(np.array(PERIOD_3, dtype=float))
    cases: dict[str, Callable[[], Spectrum]] = {
        "Henon, a user's function": lambda: spectrum(henon_function, dimension=2, start=torch.tensor([[0.1, 0.1]]), steps=steps),
        "three neurons, nn.RNN": lambda: spectrum(neurons, driven=False, start=there, steps=steps),
        "three neurons, a file": lambda: spectrum(tanh_network(PERIOD_3), start=there, steps=steps),
        "LSTM H=8": lambda: spectrum(lstm, random, steps=steps),
        "GRU H=16": lambda: spectrum(gru, random, steps=steps),
        "Lorenz, examples": lambda: spectrum(lorenz, steps=steps),
    }
    for name, work in cases.items():
        found, spent = timed(work, full=True)
        total = found.steps + found.warmup + found.tangent_warmup
        cells = [len(found.exponents), f"{1e3 * spent.seconds / total:.3f}", f"{found.exponents[0].value:.4f}"]
        table.line(name, *cells)


if __name__ == "__main__":
    main()
