"""Layered maps of the line: x -> act_n(W_n ... act_1(W_1 x + b_1) ... + b_n), one input and one output.

Activations: identity, relu, tanh, and clip to [0, 1]. clip(x) = relu(x) - relu(x - 1) is written as 1 - relu(1 - relu(x)), the same
function, also of two hinges, whose interval image stays inside [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import cast

import numpy as np

from proofs.errors import Malformed
from proofs.network import Network, Operation
from verify.models.blocks import affine, apply, constant, selection
from verify.models.parts import Family, Parts, check_entries, fit, shape_text

ACTIVATIONS = ("identity", "relu", "tanh", "clip")


def build_scalar(parts: Parts) -> Network:
    """Return the layers one after the other, each an affine operation and its activation."""
    program: list[Operation] = []
    for i, activation in enumerate(cast("list[str]", parts.meta["layers"])):
        program.append(affine(parts[f"layers.{i}.b"], (parts[f"layers.{i}.W"], len(program))))
        width = parts.size(f"layers.{i}.b")
        if activation == "clip":
            program += _clip(len(program), width)
        elif activation != "identity":
            program.append(apply(activation, len(program)))
    return Network(1, tuple(program))


def _clip(register: int, width: int) -> list[Operation]:
    """Return 1 - relu(1 - relu(x)) of a register."""
    minus, ones = selection(width, range(width)).times(Fraction(-1)), constant(1, width)
    return [
        apply("relu", register),
        affine(ones, (minus, register + 1)),
        apply("relu", register + 2),
        affine(ones, (minus, register + 3)),
    ]


def check_layers(arrays: Mapping[str, np.ndarray], words: object, place: str) -> dict[str, np.ndarray]:
    """Return the arrays ``layers.0.W``, ``layers.0.b``, ... in their canonical shapes. **Raises** Malformed, naming the layer."""
    if not isinstance(words, list) or not words:
        raise Malformed(where=place, law="layers", expected="a list of at least one layer {W, b, activation}", got=repr(words))
    found: dict[str, np.ndarray] = {}
    width = 1
    for i, word in enumerate(words):
        if word not in ACTIVATIONS:
            expected = f"one of {', '.join(ACTIVATIONS)}"
            raise Malformed(where=f"{place}, layer {i + 1} of {len(words)}", law="activations", expected=expected, got=repr(word))
        bias, last = f"layers.{i}.b", i + 1 == len(words)
        rows = 1 if last else check_entries(bias, arrays.get(bias), "a vector", place).size
        for name, shape in ((bias, (rows,)), (f"layers.{i}.W", (rows, width))):
            found[name] = _fitted(name, arrays.get(name), shape, place)
        width = rows
    return found


def _fitted(name: str, array: np.ndarray | None, shape: tuple[int, ...], place: str) -> np.ndarray:
    entries = check_entries(name, array, shape_text(shape), place)
    fitted = fit(entries, shape)
    if fitted is None:
        law = "array shapes of a map with one input and one output"
        raise Malformed(where=f"{place}, array {name}", law=law, expected=shape_text(shape), got=shape_text(entries.shape))
    return fitted


SCALAR = Family("x -> act_n(W_n ... act_1(W_1 x + b_1) ... + b_n)", {}, {}, build_scalar, ("layers",), {})
