"""The plain recurrent network h' = act(W h + b), activation relu or tanh, in the user's own coordinates.

``state`` is an optional starting point and no part of the map.
"""

from __future__ import annotations

from typing import cast

from proofs.network import Network
from verify.models.blocks import affine, apply
from verify.models.parts import INPUT_SHAPES, Family, Parts


def build_rnn(parts: Parts) -> Network:
    """Return act(W h + b); for relu one hinge a unit, for tanh none."""
    activation = cast("str", parts.meta["activation"])
    return Network(parts.size("b"), (affine(parts.bias("b"), (parts["W"], 0)), apply(activation, 1)))


RNN = Family(
    "h' = act(W h + b)",
    {"W": "M x M", "b": "M"},
    {"M": ("b", None)},
    build_rnn,
    ("activation",),
    {**INPUT_SHAPES, "state": "M"},
)
