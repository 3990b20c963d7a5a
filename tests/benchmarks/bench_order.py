"""Random networks h' = act(W h + b), W Gaussian of gain g (entries of deviation g / sqrt M): the share that each norm proves contracting.

A share counts witnesses that the kernel accepted. Every second network is relu, the others tanh: the sectors are the same. ``least`` is
the mean, over the networks, of a spectral radius that some slopes give: where it is at least 1, no norm can contract.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from statistics import mean, median
from time import perf_counter

import numpy as np

from proofs.arithmetic import Matrix
from proofs.errors import Rejected
from proofs.network import Network, Operation
from verify.certification.draft import Draft
from verify.certification.order import form_witness
from verify.numerics.sector_barrier import Shape
from verify.numerics.sectors import sector_of, slowest_slopes
from verify.search.contraction import contraction_form, contraction_weights

GAINS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SHAPES: tuple[Shape, ...] = ("identity", "diagonal", "full")
COUNTS = {20: 20, 100: 4}


def network(size: int, gain: float, seed: int) -> Network:
    """Draw one network."""
    rng = np.random.default_rng([size, seed])
    W, b = gain * rng.standard_normal((size, size)) / np.sqrt(size), rng.standard_normal((size, 1))
    rows = [Matrix.exact([[Fraction(float(x)) for x in row] for row in part]) for part in (W, b)]
    return Network(size, (Operation("affine", (0,), (rows[0],), rows[1]), Operation("tanh" if seed % 2 else "relu", (1,))))


def judged(subject: Network, witness: dict[str, object]) -> float | None:
    """Return the seconds that the kernel took to accept a witness, None if it did not."""
    started = perf_counter()
    try:
        Draft(subject).add("contraction", witness)
    except Rejected:
        return None
    return perf_counter() - started


def row(size: int, gain: float) -> None:
    """Print one row: shares, then the medians of search and check for each kind of form."""
    proved: dict[str, int] = dict.fromkeys(("max", *SHAPES), 0)
    searches: dict[str, list[float]] = {shape: [] for shape in SHAPES}
    checks: dict[str, list[float]] = {shape: [] for shape in SHAPES}
    radii = []
    for seed in range(COUNTS[size]):
        subject = network(size, gain, seed)
        sector = sector_of(subject)
        radii.append(0.0 if sector is None else slowest_slopes(sector)[0])
        proved["max"] += contraction_weights(subject, 96)[1] < 1
        for shape in SHAPES if radii[-1] < 1 else ():
            found = contraction_form(subject, shape, 60.0)
            searches[shape].append(found.seconds)
            spent = None if found.witness is None else judged(subject, form_witness(found.witness))
            if spent is not None:
                proved[shape] += 1
                checks[shape].append(spent)
    shares = "".join(f"{count / COUNTS[size]:>11.0%}" for count in proved.values())
    times = "".join(f"{_median(searches[shape]):>7}/{_median(checks[shape]):<6}" for shape in SHAPES)
    print(f"{size:>5}{gain:>6.1f}{COUNTS[size]:>5}{mean(radii):>8.3f}{shares}  {times}", flush=True)


def _median(values: list[float]) -> str:
    return f"{median(values):.2f}" if values else "-"


def main() -> None:
    """Print the table; arguments are sizes (20 and 100 without any)."""
    names = "".join(f"{name:>11}" for name in ("max norm", "spectral", "diagonal", "full LMI"))
    print(f"{'M':>5}{'gain':>6}{'nets':>5}{'least':>8}{names}  search/check seconds, medians: spectral, diagonal, full")
    for size in map(int, sys.argv[1:]) if len(sys.argv) > 1 else COUNTS:
        for gain in GAINS:
            row(size, gain)


if __name__ == "__main__":
    main()
