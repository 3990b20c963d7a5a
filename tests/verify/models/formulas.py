"""The formulas of every family in plain Fractions, written from the literature and sharing nothing with ``verify.models``."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Vector = list[Fraction]
Rows = list[Vector]
Arrays = dict[str, np.ndarray]
Case = tuple[Arrays, dict[str, object]]


def relu(x: Fraction) -> Fraction:
    return max(x, Fraction(0))


def dot(row: Vector, z: Vector) -> Fraction:
    return sum((a * b for a, b in zip(row, z, strict=True)), Fraction(0))


def listed(array: np.ndarray) -> Any:  # noqa: ANN401  (nested lists of the array's depth)
    """Return nested lists of Fractions."""

    def exact(x: Any) -> Any:  # noqa: ANN401
        return [exact(y) for y in x] if isinstance(x, list) else Fraction(x)

    return exact(array.tolist())


def linear(A: list[Any], z: Vector) -> Vector:
    """Return A z for a vector (a diagonal) or a matrix."""
    if isinstance(A[0], list):
        return [dot(row, z) for row in A]
    return [a * x for a, x in zip(A, z, strict=True)]


def plus(*terms: Vector) -> Vector:
    return [sum(entries, Fraction(0)) for entries in zip(*terms, strict=True)]


def plrnn(p: dict[str, Any], _: dict[str, object], z: Vector) -> Vector:
    return plus(linear(p["A"], z), linear(p["W"], [relu(x) for x in z]), p["h"])


def mean_centred_plrnn(p: dict[str, Any], _: dict[str, object], z: Vector) -> Vector:
    mean = sum(z, Fraction(0)) / len(z)
    return plus(linear(p["A"], z), linear(p["W"], [relu(x - mean) for x in z]), p["h"])


def shallow_plrnn(p: dict[str, Any], _: dict[str, object], z: Vector) -> Vector:
    hidden = [relu(dot(row, z) + h) for row, h in zip(p["W2"], p["h2"], strict=True)]
    return plus(linear(p["A"], z), [dot(row, hidden) for row in p["W1"]], p["h1"])


def clipped_shallow_plrnn(p: dict[str, Any], _: dict[str, object], z: Vector) -> Vector:
    hidden = [relu(dot(row, z) + h) - relu(dot(row, z)) for row, h in zip(p["W2"], p["h2"], strict=True)]
    return plus(linear(p["A"], z), [dot(row, hidden) for row in p["W1"]], p["h1"])


def dendritic_plrnn(p: dict[str, Any], meta: dict[str, object], z: Vector) -> Vector:
    sign = {"minus": -1, "plus": 1}[str(meta["threshold_sign"])]
    bases = [
        sum((a * (relu(x + sign * H) - (relu(x) if meta["clipped"] else 0)) for a, H in zip(p["alpha"], row, strict=True)), Fraction(0))
        for x, row in zip(z, p["H"], strict=True)
    ]
    return plus(linear(p["A"], z), linear(p["W"], bases), p["h"])


def alrnn(p: dict[str, Any], meta: dict[str, object], z: Vector) -> Vector:
    linear_units = len(z) - int(str(meta["P"]))
    return plus(linear(p["A"], z), linear(p["W"], [x if i < linear_units else relu(x) for i, x in enumerate(z)]), p["h"])


def low_rank(p: dict[str, Any], _: dict[str, object], z: Vector) -> Vector:
    hidden = [relu(dot(row, z) + b) for row, b in zip(p["n"], p["b"], strict=True)]
    decay = p["a"] * len(z) if len(p["a"]) == 1 else p["a"]
    return plus(linear(decay, z), [dot(row, hidden) for row in p["m"]])


def rnn(p: dict[str, Any], _: dict[str, object], z: Vector) -> Vector:
    return [relu(dot(row, z) + b) for row, b in zip(p["W"], p["b"], strict=True)]


def scalar(p: dict[str, Any], meta: dict[str, Any], z: Vector) -> Vector:
    act = {"identity": lambda x: x, "relu": relu, "clip": lambda x: relu(x) - relu(x - 1)}
    for i, word in enumerate(meta["layers"]):
        z = [act[word](dot(row, z) + b) for row, b in zip(p[f"layers.{i}.W"], p[f"layers.{i}.b"], strict=True)]
    return z


FORMULAS: dict[str, Callable[[dict[str, Any], dict[str, Any], Vector], Vector]] = {
    f.__name__: f for f in (plrnn, mean_centred_plrnn, shallow_plrnn, clipped_shallow_plrnn, dendritic_plrnn, alrnn, low_rank, rnn, scalar)
}


def evaluate(model: str, arrays: Arrays, meta: dict[str, object], z: Vector) -> Vector:
    """Return F(z) by the formula of the family; a constant input is added where it belongs."""
    parameters = {name: listed(array) for name, array in arrays.items()}
    drive = [dot(row, parameters["input"]) for row in parameters["C"]] if "C" in parameters else None
    bias = {"shallow_plrnn": "h1", "clipped_shallow_plrnn": "h1", "rnn": "b"}.get(model, "h")
    if drive is not None and model != "low_rank":
        parameters[bias] = plus(parameters[bias], drive)
    image = FORMULAS[model](parameters, meta, z)
    return plus(image, drive) if drive is not None and model == "low_rank" else image


def random_case(model: str, seed: int) -> Case:
    """Return random arrays and settings of a family: floats or Fractions, A in any of its shapes, perhaps an input."""
    rng = random.Random(seed)
    size, hidden, bases = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 3)
    exact = rng.random() < 0.5

    def array(*shape: int) -> np.ndarray:
        entries = [Fraction(rng.randint(-9, 9), rng.choice([1, 3, 8])) if exact else rng.gauss(0, 1) for _ in range(int(np.prod(shape)))]
        found = np.empty(len(entries), dtype=object if exact else np.float64)
        found[:] = entries
        return found.reshape(shape)

    def decay() -> np.ndarray:
        return array(size) if rng.random() < 0.5 else array(size, size)

    def layers() -> tuple[Arrays, dict[str, object]]:
        words = [rng.choice(["identity", "relu", "clip"]) for _ in range(rng.randint(1, 3))]
        widths = [1, *(rng.randint(1, 3) for _ in words[1:]), 1]
        found = {f"layers.{i}.W": array(widths[i + 1], widths[i]) for i in range(len(words))}
        return found | {f"layers.{i}.b": array(widths[i + 1]) for i in range(len(words))}, {"layers": words}

    vanilla = {"A": decay(), "W": array(size, size), "h": array(size)}
    shallow = {"A": decay(), "W1": array(size, hidden), "W2": array(hidden, size), "h1": array(size), "h2": array(hidden)}
    dendrite = {"threshold_sign": rng.choice(["minus", "plus"]), "clipped": rng.random() < 0.5}
    cases: dict[str, Case] = {
        "plrnn": (vanilla, {}),
        "mean_centred_plrnn": (vanilla, {}),
        "shallow_plrnn": (shallow, {}),
        "clipped_shallow_plrnn": (shallow, {}),
        "dendritic_plrnn": (vanilla | {"alpha": array(bases), "H": array(size, bases)}, dendrite),
        "alrnn": (vanilla, {"P": rng.randint(0, size)}),
        "low_rank": (
            {"m": array(size, hidden), "n": array(hidden, size), "b": array(hidden), "a": rng.choice([array(1), decay()])},
            {},
        ),
        "rnn": ({"W": array(size, size), "b": array(size)}, {"activation": "relu"}),
        "scalar": layers(),
    }
    arrays, meta = cases[model]
    if model != "scalar" and rng.random() < 0.4:
        arrays = arrays | {"C": array(size, 2), "input": array(2)}
    return arrays, meta
