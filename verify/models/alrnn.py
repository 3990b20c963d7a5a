"""Almost-linear RNN: z' = A z + W phi(z) + h, where phi rectifies the last P units and leaves the others.

See Brenner et al. 2024.
"""

from __future__ import annotations

from typing import cast

from proofs.network import Network
from verify.models.blocks import affine, apply, beside, column_range, constant, selection, zeros
from verify.models.parts import Family, Parts


def build_alrnn(parts: Parts) -> Network:
    """Return the network with P hinges; the columns of W for the linear units are added to A."""
    size, rectified = parts.size("h"), cast("int", parts.meta["P"])
    linear = size - rectified
    weights, matrix, bias = parts["W"], parts.square("A", size), parts.bias("h")
    if linear:
        matrix = matrix + (beside(column_range(weights, 0, linear), zeros(size, rectified)) if rectified else weights)
    if not rectified:
        return Network(size, (affine(bias, (matrix, 0)),))
    if not linear:
        return Network(size, (apply("relu", 0), affine(bias, (matrix, 0), (weights, 1))))
    last_units = affine(constant(0, rectified), (selection(size, range(linear, size)), 0))
    return Network(size, (last_units, apply("relu", 1), affine(bias, (matrix, 0), (column_range(weights, linear, size), 2))))


ALRNN = Family(
    "z' = A z + W (z_1, ..., z_(M-P), relu(z_(M-P+1)), ..., relu(z_M)) + h",
    {"A": "M or M x M", "W": "M x M", "h": "M"},
    {"M": ("h", None)},
    build_alrnn,
    ("P",),
)
