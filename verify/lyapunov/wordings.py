"""What the doctor says of each fault: its evidence in numbers, and what to change."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.lyapunov.readings import Reading

REMEDIES = {
    "reversed order": "push the frame with Q <- J_t Q, J_t[i, j] = d h'_i / d h_j: a transposed Jacobian multiplies in the reversed order",
    "missing cell state": "the state of an LSTM is (h, c): differentiate (h', c') by (h, c), which gives 2H exponents",
    "missing warm-up": "drop the first steps: the state has to settle on its orbit, and the frame has to align",
    "bits for nats": "take natural logarithms, or say bits: 1 bit is 0.6931 nats",
    "log10 for nats": "take natural logarithms: 1 decimal digit is 2.3026 nats",
    "per time unit, not per step": "say so: per time unit is per step divided by dt",
    "wrong length": "divide by the number of steps whose logarithms were summed",
    "not sorted": "sort the exponents, the largest first: the columns of a finite run need not be in order",
    "finite for minus infinity": "give -inf where R_ii is 0 up to rounding: the logarithm of a rounding error is no exponent",
    "not a number": "find where the run leaves the finite numbers; the logarithm of 0 is minus infinity, not nan",
    "too many numbers": "a state of n numbers has n exponents",
    "no re-orthonormalisation": "orthonormalise the frame by QR: without it every column turns to the fastest direction",
    "sum against mean log|det J|": (
        "all exponents sum to the mean of log|det J|, whatever the order: compare the sum of log|R_ii| with log|det J_t| step by step"
    ),
    "the function fails": "run it by itself with the same arguments",
}
_ORDER = ("reversed order", "missing cell state", "bits for nats", "log10 for nats", "missing warm-up")


def listed(names: Collection[str]) -> list[str]:
    """Return names of faults, the gravest first."""
    return sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def evidence_of(name: str, reading: Reading, difference: float, without: float) -> str:
    """Return what speaks for a fault: how near the numbers are with it, and how far they are without it."""
    count = len(reading.values)
    what = {
        "reversed order": "the numbers are those of J_1 J_2 ... J_T, not of J_T ... J_2 J_1",
        "missing cell state": f"the numbers are those of dh'/dh with the cell state held, {count} where (h, c) has {2 * count}",
        "missing warm-up": "the numbers are those of the whole run, its transient with it",
        "bits for nats": "the numbers are 1/ln 2 = 1.4427 times those in nats",
        "log10 for nats": "the numbers are 1/ln 10 = 0.4343 times those in nats",
        "wrong length": f"the numbers are {reading.factor:.6g} times the exponents, all by the same factor",
    }.get(name, name)
    apart = f"; without this fault up to {without:.3g}" if isfinite(without) else ""
    return f"{what} (they differ by up to {difference:.2g}{apart})"
