"""Low-rank network in its latent coordinates: z' = a z + m relu(n z + b).

a is a number, a vector (a diagonal) or a matrix; any scaling of m (dt/tau, 1/N) is part of the numbers given. Checkpoints of smc_rnns
name their factors the other way round and leave the scaling out: ``verify.models.layouts`` turns them into this form. See Pals et al. 2024.
"""

from __future__ import annotations

from proofs.network import Network
from verify.models.blocks import affine, apply, constant
from verify.models.parts import Family, Parts


def build_low_rank(parts: Parts) -> Network:
    """Return the network with one hinge a hidden unit."""
    size = parts.size("m")
    bias = parts.inflow if "input" in parts.arrays else constant(0, size)
    last = affine(bias, (parts.square("a", size), 0), (parts["m"], 2))
    return Network(size, (affine(parts["b"], (parts["n"], 0)), apply("relu", 1), last))


LOW_RANK = Family(
    "z' = a z + m relu(n z + b)",
    {"m": "M x H", "n": "H x M", "b": "H", "a": "1 or M or M x M"},
    {"M": ("m", 0), "H": ("b", None)},
    build_low_rank,
)
