"""Gradients at bifurcations: measured exponents beside the predicted ones, what vanishes at collisions, and what forcing does.

    python -m tests.benchmarks.bench_gradients

First, near three escapes to infinity, slopes of log |.| against log |1 - m| with standard errors: exact derivatives of the cycle, then
automatic differentiation through long free runs (with what is left of the transient: T |1 - m| = 30). Then a border collision. Last the
least share of the teacher for which the training map of random PLRNNs is proved to contract, the published rule of thumb 1 - 1 / max |J|,
and the norm of the loss gradient through 100 steps with that share and without.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as Q
from time import perf_counter

import numpy as np

from tests.benchmarks.measured import Table
from tests.verify.training.families import TOY, five_states, plrnn, toy, two_cycles
from verify.certification.forcing_report import largest_slope
from verify.certification.gradients import divergence_report, vanishing_report
from verify.certification.teacher_forcing import least_forcing
from verify.events import Event
from verify.loading import Loaded
from verify.paths import Path, vary
from verify.training.forcing import published_alpha
from verify.training.gradient_law import Slope, approach, gradient_law, log_slope
from verify.training.gradients import cycle_gradients
from verify.training.run_gradients import run_gradients

ESCAPES: tuple[tuple[str, Callable[[], tuple[Path, Event]], int], ...] = (
    ("two-cycle family", two_cycles, 1),
    ("2-D toy, a_1 -> 1", toy, 1),
    ("random, 5 states", five_states, -1),
)
PREDICTED = {"z": -1, "dz/dmu": -2, "dz/dA": -2, "dz/dW": -2, "dz/dh": -1, "dLoss/dA": -3, "dLoss/dW": -3, "dLoss/dh": -2}
TRANSIENTS, STEPS = 30, 100


def main() -> None:
    """Print the tables."""
    exact_slopes()
    run_slopes()
    collision()
    forcing()


def exact_slopes() -> None:
    """Fit exact derivatives at eight parameters, from 2^-9 of the path on, each four times nearer."""
    print("exact derivatives, slope against |1 - m|: measured +- standard error")
    table = Table(("family", 22), *((f"{name} ({power})", 20) for name, power in PREDICTED.items()), ("proved", 8))
    for name, family, side in ESCAPES:
        path, event = family()
        middle = (event.low + event.high) / 2
        targets = np.full((event.period, path.start.dimension), Q(0), dtype=object)
        parameters = approach(middle, side * (path.high - path.low) / 512, 8)
        law = gradient_law(path, event.itinerary, middle, parameters, targets=targets)
        proved = "yes" if divergence_report(path, event).is_proved else "no"
        table.line(name, *(shown(law.slopes[key]) for key in PREDICTED), proved)


def run_slopes() -> None:
    """Fit automatic derivatives of the loss through long runs near attracting cycles, against 0 as the target."""
    print("\nautomatic differentiation through free runs: |dLoss| by A, W, h, and the ratio of |dLoss/dA| to the exact one")
    table = Table(("family", 22), ("|1 - m|", 12), ("steps", 8), ("A", 12), ("W", 12), ("h", 12), ("ratio", 14), ("seconds", 9))
    for name, family, side in (ESCAPES[0], ESCAPES[2]):
        path, event = family()
        middle, gaps = (event.low + event.high) / 2, list[float]()
        norms: dict[str, list[float]] = {"A": [], "W": [], "h": []}
        for mu in approach(middle, side * (path.high - path.low) / 32, 4, Q(1, 2)):
            network = path.at(mu)
            cycle = cycle_gradients(network, event.itinerary)
            steps = event.period * int(TRANSIENTS / cycle.gap / event.period)
            start = perf_counter()
            targets = np.zeros((2 * steps, network.dimension))
            run = run_gradients(network, [float(x) for x in cycle.orbit.points[0]], targets, settle=steps)
            zeros = np.full((event.period, network.dimension), Q(0), dtype=object)
            place = next(iter(cycle.names))
            exact = float(np.abs(cycle.loss(place, zeros)).max())
            gaps.append(cycle.gap)
            for key, values in norms.items():
                values.append(run.norms[key])
            numbers = (f"{run.norms[key]:.4g}" for key in norms)
            table.line(name, f"{cycle.gap:.4g}", steps, *numbers, f"{run.norms['A'] / exact:.9f}", f"{perf_counter() - start:.2f}")
        slopes = (shown(log_slope(gaps, values)) for values in norms.values())
        print(f"    slopes by A, W, h (predicted -3, -3, -2): {', '.join(slopes)}; the distances are long: |1 - m| up to {max(gaps):.2g}")


def collision() -> None:
    """Report on the collision of the published 2-D toy."""
    print()
    border = 1 - Q("0.37298") * Q("0.52505") / Q("0.97931")
    event = Event("border_collision", border - Q(1, 10**12), border + Q(1, 10**12), ("11",), 2, 1)
    print("\n".join(vanishing_report(vary(plrnn(**TOY), "A[0]=3/4:17/20"), event).lines()))


def forcing() -> None:
    """Find the least shares for random networks."""
    print(f"\nteacher forcing of all states: least share proved, norms of the loss gradient through {STEPS} steps")
    table = Table(("network", 26), ("share", 9), ("at least", 10), ("rule", 9), ("norm", 20), ("forced", 12), ("free", 12), ("seconds", 9))
    for size, gain in ((2, 1.0), (5, 1.0), (5, 2.0), (10, 1.0), (10, 2.0)):
        network = random_plrnn(size, gain).network
        start = perf_counter()
        found = least_forcing(network, size)
        seconds = perf_counter() - start
        targets = np.random.default_rng(1).standard_normal((STEPS, size))
        share = 1.0 if found.alpha is None else float(found.alpha)
        runs = [run_gradients(network, np.zeros(size), targets, forced=n, alpha=a) for n, a in ((size, share), (0, 0.0))]
        bound = "-" if found.below is None else f"{float(found.below):.4f}"
        rule = f"{published_alpha(largest_slope(network)):.4f}"
        norms = (f"{run.norm:.3g}" for run in runs)
        table.line(f"PLRNN M = {size}, gain {gain:g}", f"{share:.4f}", bound, rule, found.norm, *norms, f"{seconds:.2f}")


def random_plrnn(size: int, gain: float) -> Loaded:
    """Return A uniform in [0.2, 0.9], W normal with standard deviation gain / sqrt(M) off the diagonal, h normal."""
    rng = np.random.default_rng(size)
    W = (gain * rng.standard_normal((size, size)) / np.sqrt(size)).round(3)
    np.fill_diagonal(W, 0)
    return plrnn(A=rng.uniform(0.2, 0.9, size).round(3).tolist(), W=W.tolist(), h=rng.standard_normal(size).round(3).tolist())


def shown(slope: Slope) -> str:
    """Return a slope with its standard error."""
    return "-" if np.isnan(slope.value) else f"{slope.value:+.4f} +- {slope.error:.4f}"


if __name__ == "__main__":
    main()
