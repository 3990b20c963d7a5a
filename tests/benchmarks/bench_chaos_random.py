"""Chaos proved for random ReLU networks z' = W relu(z) + 1, W = g N(0, 1) / sqrt M - c / M: share, time, and why the others were not.

The networks are the first of fixed seeds whose orbits stay bounded with a positive numerical exponent, 50 for each M (fewer where there
are fewer). Arguments: the dimensions (3 5 10 20 unless given), ``--most N`` networks of each, ``--budget SECONDS`` for each search.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from verify.certification.draft import Draft
from verify.certification.horseshoe import prove_horseshoe
from verify.loading import load
from verify.numerics.batch import Floats
from verify.search.horseshoe import find_horseshoe

GAINS, SHIFTS = (2, 3, 4), (0, 2, 4)
BATCH, MOST_BATCHES = 100, 12
STARTS, SETTLE, LENGTH = 3, 2000, 3000
BOUND = 1e6
POSITIVE = 0.003
Seed = tuple[int, int, int, int]


def weights(seed: Seed) -> Floats:
    """Draw W for (M, g, c, number)."""
    size, gain, shift, _ = seed
    drawn = np.random.default_rng(seed).standard_normal((size, size))
    return np.asarray(gain * drawn / np.sqrt(size) - shift / size, dtype=np.float64)


def exponents(W: Floats) -> Floats:
    """Return the largest exponent of a few orbits of each network, -inf where all of them leave. **Shapes:** (n, M, M) to (n,)."""
    count, size, _ = W.shape
    W = np.repeat(W, STARTS, axis=0)
    rng = np.random.default_rng(0)
    z, v = rng.standard_normal((2, len(W), size))
    total, bounded = np.zeros(len(W)), np.ones(len(W), dtype=bool)
    with np.errstate(all="ignore"):
        for t in range(SETTLE + LENGTH):
            on = z > 0.0
            z = np.matmul(W, np.where(on, z, 0.0)[:, :, None])[:, :, 0] + 1.0
            v = np.matmul(W, (on * v)[:, :, None])[:, :, 0]
            growth = np.maximum(np.linalg.norm(v, axis=1), 1e-290)
            v /= growth[:, None]
            total += np.log(growth) * (t >= SETTLE)
            bounded &= (np.abs(z) < BOUND).all(axis=1)
            z[~bounded] = 0.0
    return np.asarray(np.where(bounded, total / LENGTH, -np.inf).reshape(count, STARTS).max(axis=1))


def chaotic_networks(size: int, most: int) -> Iterator[tuple[Seed, float]]:
    """Yield seeds of networks with bounded orbits of a positive exponent, and that exponent."""
    found = 0
    for first in range(0, MOST_BATCHES * BATCH, BATCH):
        for gain in GAINS:
            for shift in SHIFTS:
                seeds = [(size, gain, shift, number) for number in range(first, first + BATCH)]
                values = exponents(np.stack([weights(seed) for seed in seeds]))
                for i in np.flatnonzero(values > POSITIVE).tolist():
                    yield seeds[i], float(values[i])
                    found += 1
                    if found >= most:
                        return


def main() -> None:
    """Print one line a dimension, and one for each network that was not proved chaotic."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[3, 5, 10, 20])
    parser.add_argument("--most", type=int, default=50)
    parser.add_argument("--budget", type=float, default=10.0)
    options = parser.parse_args()
    heads = ("networks", "proved", "share", "search s", "proof s", "longest s", "unstable", "of exponent")
    print(f"{'M':>3}" + "".join(f"{head:>12}" for head in heads))
    for size in options.sizes:
        row(size, options.most, options.budget)


def row(size: int, most: int, budget: float) -> None:
    """Try the networks of one dimension."""
    searches, proofs, unstable, rates, failures = [], [], [], [], list[str]()
    seeds = list(chaotic_networks(size, most))
    for seed, exponent in seeds:
        loaded = load({"A": np.zeros(size), "W": weights(seed), "h": np.ones(size)}, model="plrnn", name=str(seed))
        start = perf_counter()
        found = find_horseshoe(loaded.network, budget_seconds=budget)
        middle = perf_counter()
        proof = found.account.sentence() if found.covering is None else prove_horseshoe(Draft(loaded.network), found.covering)
        searches.append(middle - start)
        if isinstance(proof, str):
            failures.append(f"    g={seed[1]} c={seed[2]} seed {seed[3]}, exponent {exponent:.3f}: {proof}")
            continue
        proofs.append(perf_counter() - middle)
        unstable.append(proof.entropy[1].unstable)
        rates.append(float(np.log(float(proof.entropy[1].rate))) / exponent)
    times = (statistics.median(searches), statistics.median(proofs or [0.0]), max(searches))
    shown = (
        f"{len(seeds)}",
        f"{len(proofs)}",
        f"{len(proofs) / max(1, len(seeds)):.0%}",
        *(f"{seconds:.2f}" for seconds in times),
        f"1 to {max(unstable, default=0)}",
        f"{statistics.median(rates or [0.0]):.1%}",
    )
    print(f"{size:>3}" + "".join(f"{text:>12}" for text in shown))
    for failure in failures:
        print(failure, flush=True)


if __name__ == "__main__":
    main()
