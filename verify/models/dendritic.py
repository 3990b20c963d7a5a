"""Dendritic PLRNN: z' = A z + W sum_b alpha_b relu(z - H_b) + h.

Two sign conventions are in use, so ``threshold_sign`` must say which: "minus" for relu(z - H), "plus" for relu(z + H).
``clipped`` subtracts relu(z) from every basis function.

Hinges: unit 1 with its B thresholds in order (if clipped, then its 0), unit 2 ...

See Brenner et al. 2022.
"""

from __future__ import annotations

from fractions import Fraction

from proofs.network import Network
from verify.models.blocks import above, affine, apply, beside, constant, flattened, repeated, selection, spread, total
from verify.models.parts import Family, Parts

_SHAPES = {"A": "M or M x M", "W": "M x M", "h": "M", "alpha": "B", "H": "M x B"}


def build_dendritic(parts: Parts) -> Network:
    """Return the network: all thresholds, relu, the sums over b, then W. No product of parameters is formed beforehand."""
    size, alpha = parts.size("h"), parts["alpha"]
    thresholds = parts["H"].times(Fraction(-1 if parts.meta["threshold_sign"] == "minus" else 1))
    if parts.meta["clipped"]:
        alpha = above(alpha, total(alpha).times(Fraction(-1)))
        thresholds = beside(thresholds, constant(0, size))
    bases = alpha.shape[0]
    units = [unit for unit in range(size) for _ in range(bases)]
    first = affine(flattened(thresholds), (selection(size, units), 0))
    sums = affine(constant(0, size), (spread(repeated(alpha, size), units, size).transposed(), 2))
    last = affine(parts.bias("h"), (parts.square("A", size), 0), (parts["W"], 3))
    return Network(size, (first, apply("relu", 1), sums, last))


DENDRITIC = Family(
    "z' = A z + W sum_b alpha_b relu(z - H_b) + h",
    _SHAPES,
    {"M": ("h", None), "B": ("alpha", None)},
    build_dendritic,
    ("threshold_sign", "clipped"),
)
