"""Exponent bounds against memory: what the search finds with each memory, what the kernel accepts, and how long both take."""

from __future__ import annotations

from fractions import Fraction
from math import log
from time import perf_counter

import numpy as np

import proofs
from proofs.network import Network
from verify.certification.draft import Draft
from verify.certification.exponents import prove_exponents
from verify.loading import load, load_network

MEMORY = 6
BUDGET = 60.0
GAINS = (2, 3, 4)
SHIFTS = (0, 2, 4)
SEEDS = 4


def lozi(a: str, b: str) -> dict[str, object]:
    """Return the arrays of x' = 1 - a |x| + y, y' = b x."""
    return {"model": "plrnn", "A": [[a, "1"], [b, "0"]], "W": [[str(-2 * Fraction(a)), "0"], ["0", "0"]], "h": ["1", "0"]}


def collision() -> Network:
    """Return the border-collision normal form."""
    A, W = [["7/5", "1"], ["-1/5", "0"]], [["-29/10", "0"], ["-1/5", "0"]]
    return load_network({"model": "plrnn", "A": A, "W": W, "h": ["1", "0"]})


def relu_network(size: int, gain: float, shift: float, seed: int) -> Network:
    """Return z' = W relu(z) + 1 with W = gain N(0, 1) / sqrt(M) - shift / M."""
    W = gain * np.random.default_rng(seed).normal(size=(size, size)) / np.sqrt(size) - shift / size
    return load_network({"model": "plrnn", "A": np.zeros((size, size)).tolist(), "W": W.tolist(), "h": [1.0] * size})


def main() -> None:
    """Print a table for each network, then one line for each random one."""
    for a, b in (("17/10", "1/2"), ("9/5", "2/5"), ("7/5", "3/10")):
        row(f"Lozi ({a}, {b})", load_network(lozi(a, b)), MEMORY)
    row("border collision", collision(), MEMORY)
    for power in (20, 10, 8):
        row(f"Lozi (17/10, 1/2) +- 2^-{power}", load(lozi("17/10", "1/2")).with_radius(Fraction(1, 2**power)), 1)
    for size, memory in ((3, 4), (5, 2)):
        for gain, shift, seed in ((gain, shift, seed) for gain in GAINS for shift in SHIFTS for seed in range(SEEDS)):
            row(f"relu M={size} g={gain} c={shift} seed {seed}", relu_network(size, gain, shift, seed), memory, BUDGET / 3, table=False)


def row(name: str, network: Network, memory: int, budget: float = BUDGET, *, table: bool = True) -> None:
    """Search, check, and print."""
    draft, start = Draft(network), perf_counter()
    found = prove_exponents(draft, memory, budget)
    searched, start = perf_counter() - start, perf_counter()
    if found.claim is None:
        print(f"{name:<34} nothing proved in {searched:.1f} s: {'; '.join(found.reasons)}", flush=True)
        return
    certificate, _ = draft.finish([found.claim])
    start = perf_counter()
    proofs.check(certificate)
    checked = perf_counter() - start
    region = "a region" if draft.steps[0][0] == "trapping" else "no region"
    print(f"{name:<34}{shown(found.claim)} proved, {region}, search {searched:.1f} s, check {checked:.2f} s", flush=True)
    for bound in found.table if table else ():
        lower, upper = (" none    " if value is None else f"{value:9.6f}" for value in (bound.lower, bound.upper))
        print(f"    memory {bound.memory}: [{lower}, {upper}]  {bound.nodes} nodes, {bound.edges} edges")


def shown(claim: proofs.Claim) -> str:
    """Return the proved bounds as logarithms."""
    ends = (getattr(claim, "lower", None), getattr(claim, "upper", None))
    return "[" + ", ".join("none" if rate is None else f"{log(rate):.6f}" for rate in ends) + "]"


if __name__ == "__main__":
    main()
