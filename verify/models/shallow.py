"""Shallow PLRNNs.

    shallow_plrnn           z' = A z + W1 relu(W2 z + h2) + h1
    clipped_shallow_plrnn   z' = A z + W1 [relu(W2 z + h2) - relu(W2 z)] + h1

The clipped one has 2H hinges: first those of W2 z + h2, then those of W2 z. See Hess et al. 2023.
"""

from __future__ import annotations

from fractions import Fraction

from proofs.network import Network
from verify.models.blocks import above, affine, apply, beside, constant
from verify.models.parts import Anchor, Family, Parts

_SHAPES = {"A": "M or M x M", "W1": "M x H", "W2": "H x M", "h1": "M", "h2": "H"}
_ANCHORS: dict[str, Anchor] = {"M": ("h1", None), "H": ("h2", None)}


def build_shallow(parts: Parts) -> Network:
    """Return the network with one hinge a hidden unit."""
    size = parts.size("h1")
    last = affine(parts.bias("h1"), (parts.square("A", size), 0), (parts["W1"], 2))
    return Network(size, (affine(parts["h2"], (parts["W2"], 0)), apply("relu", 1), last))


def build_clipped(parts: Parts) -> Network:
    """Return the network with two hinges a hidden unit; under a radius the copies of W1 and of W2 vary independently."""
    size, hidden = parts.size("h1"), parts.size("h2")
    first = affine(above(parts["h2"], constant(0, hidden)), (above(parts["W2"], parts["W2"]), 0))
    outer = beside(parts["W1"], parts["W1"].times(Fraction(-1)))
    return Network(size, (first, apply("relu", 1), affine(parts.bias("h1"), (parts.square("A", size), 0), (outer, 2))))


SHALLOW = Family("z' = A z + W1 relu(W2 z + h2) + h1", _SHAPES, _ANCHORS, build_shallow)
CLIPPED = Family("z' = A z + W1 [relu(W2 z + h2) - relu(W2 z)] + h1", _SHAPES, _ANCHORS, build_clipped)
