"""Tables of deep networks against the exact ones of the kernel: every knot and every line within its radius, in the same order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from proofs.piecewise import PiecewiseLinear
from proofs.theorems.unfold import table_of
from verify.models.families import build
from verify.numerics.line_deep import deep_tables
from verify.numerics.line_tables import LineTables, hidden_tables

Layers = tuple[list[np.ndarray], list[np.ndarray]]


def drawn(rng: np.random.Generator, sizes: tuple[int, ...], count: int, law: str = "he") -> Layers:
    pairs = list(pairwise(sizes))
    spread = [np.sqrt(2 / m) if law == "he" else np.sqrt(2 / (m + n)) for m, n in pairs]
    weights = [s * rng.standard_normal((count, n, m)) for s, (m, n) in zip(spread, pairs, strict=True)]
    return weights, [s * rng.standard_normal((count, n)) for s, (_, n) in zip(spread, pairs, strict=True)]


def tables(layers: Layers) -> LineTables:
    return deep_tables([torch.from_numpy(w) for w in layers[0]], [torch.from_numpy(b) for b in layers[1]])


def exact_table(layers: Layers, row: int) -> PiecewiseLinear:
    words = ["relu"] * (len(layers[0]) - 1) + ["identity"]
    arrays = {f"layers.{i}.W": w[row] for i, w in enumerate(layers[0])} | {f"layers.{i}.b": b[row] for i, b in enumerate(layers[1])}
    return table_of(build("scalar", arrays, {"layers": words}), 10_000)


def line_at(table: PiecewiseLinear, x: Fraction) -> tuple[Fraction, Fraction]:
    """Return slope and intercept of the piece around x."""
    slope = table.slopes()[bisect_right(table.knots, x)]
    return slope, table(x) - slope * x


def fault(tables: LineTables, row: int, table: PiecewiseLinear) -> str:
    """Say in what the float table of a network contradicts the exact one; empty if in nothing."""
    start, end = (int(tables.start[row + i]) for i in (0, 1))
    knots = [(Fraction(float(x)), Fraction(float(r))) for x, r in zip(tables.knots[start:end], tables.knot_radii[start:end], strict=True)]
    table = table.simplified()
    true = list(table.knots) if table.slopes()[0] != table.slopes()[1] else []
    boxes = [next((x for x in true if abs(x - place) <= radius), None) for place, radius in knots]
    if [x for x in boxes if x is not None] != true:
        return f"knots {true} in boxes {knots}"
    if any(b[0] - b[1] <= a[0] + a[1] for a, b in pairwise(knots)):
        return "boxes that meet"
    places = [x[0] if found is None else found for x, found in zip(knots, boxes, strict=True)]
    middles = [places[0] - 1, *((a + b) / 2 for a, b in pairwise(places)), places[-1] + 1] if places else [Fraction(0)]
    for i, x in enumerate(middles, start + row):
        for true_one, found, radius in zip(
            line_at(table, x), (tables.slopes[i], tables.intercepts[i]), (tables.slope_radii[i], tables.intercept_radii[i]), strict=True
        ):
            if abs(true_one - Fraction(float(found))) > Fraction(float(radius)):
                return f"line {i - start - row} at {x}: {true_one} is not {found} +- {radius}"
    return ""


@pytest.mark.parametrize("law", ["he", "glorot"])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 6, 1), (1, 2, 2, 1), (1, 5, 5, 1), (1, 3, 3, 3, 1), (1, 6, 2, 4, 3, 1), (1, 4, 4, 4, 4, 1)]
)
def test_knots_and_lines_lie_within_their_radii(law: str, sizes: tuple[int, ...]) -> None:
    layers = drawn(np.random.default_rng([5, *sizes]), sizes, 60, law)
    found = tables(layers)
    assert not found.unsafe.any()
    assert [fault(found, row, exact_table(layers, row)) for row in range(60)] == [""] * 60


def with_twins(factor: float, shift: float) -> Callable[[np.random.Generator, Layers], Layers]:
    """Make the last unit of each hidden layer a multiple of the first."""

    def change(_: np.random.Generator, layers: Layers) -> Layers:
        for w, b in zip(layers[0][:-1], layers[1][:-1], strict=True):
            w[:, -1], b[:, -1] = w[:, 0] * factor, b[:, 0] * shift
        return layers

    return change


def by_numbers(change: Callable[[np.random.Generator, np.ndarray], np.ndarray]) -> Callable[[np.random.Generator, Layers], Layers]:
    return lambda rng, layers: ([change(rng, x) for x in layers[0]], [change(rng, x) for x in layers[1]])


# What is done to generic networks, and the share of them that may be unsafe.
PECULIAR: dict[str, tuple[Callable[[np.random.Generator, Layers], Layers], float]] = {
    "no biases": (lambda _, layers: (layers[0], [0 * b for b in layers[1]]), 0.0),
    "zeros": (by_numbers(lambda rng, x: x * (rng.random(x.shape) < 0.5)), 0.0),
    "twins": (with_twins(1.0, 1.0), 1.0),
    "mirrored twins": (with_twins(-1.0, -1.0), 1.0),
    "nearly parallel": (with_twins(1 + 2.0**-40, 1.0), 0.1),
    "small integers": (by_numbers(lambda _, x: np.round(2 * x)), 0.6),
    "sizes": (by_numbers(lambda rng, x: x * 2.0 ** rng.integers(-60, 60, x.shape)), 0.9),
    "extremes": (by_numbers(lambda rng, x: x * 10.0 ** rng.integers(-150, 150, x.shape)), 1.0),
}


@pytest.mark.parametrize("kind", PECULIAR)
@pytest.mark.parametrize("sizes", [(1, 4, 1), (1, 3, 3, 1), (1, 4, 3, 4, 1)])
def test_a_table_is_right_or_unsafe(kind: str, sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng([6, *sizes])
    change, share = PECULIAR[kind]
    layers = change(rng, drawn(rng, sizes, 60))
    found = tables(layers)
    assert [fault(found, row, exact_table(layers, row)) for row in range(60) if not found.unsafe[row]] == [""] * int((~found.unsafe).sum())
    assert float(found.unsafe.double().mean()) <= share


def test_no_generic_network_is_unsafe() -> None:
    for sizes in ((1, 2, 1), (1, 16, 1), (1, 2, 2, 1), (1, 16, 16, 1), (1, 8, 8, 8, 1), (1, 16, 16, 16, 16, 1)):
        assert not tables(drawn(np.random.default_rng([7, *sizes]), sizes, 1500)).unsafe.any()


def test_dead_ends_are_exactly_flat() -> None:
    weights = [np.array([[[1.0], [1.0]]]), np.array([[[0.1, 0.3], [-0.7, 0.1]]]), np.array([[[0.3, 1.7]]])]
    biases = [np.array([[0.1, -0.3]]), np.array([[-0.2, 0.4]]), np.array([[0.1]])]
    found = tables((weights, biases))
    assert float(found.slopes[0]) == float(found.slope_radii[0]) == 0.0
    assert float(found.slope_radii[-1]) > 0.0
    dead = tables(([-np.abs(w) for w in weights], [-np.abs(b) for b in biases]))
    assert dead.slopes.tolist()[-1:] == [0.0]
    assert dead.intercepts.tolist()[-1:] == [-0.1]
    assert dead.intercept_radii.tolist()[-1:] == [0.0]


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = drawn(np.random.default_rng(8), (1, 5, 5, 5, 1), 40)
    whole = tables(layers)
    monkeypatch.setattr("verify.numerics.line_deep.CHUNK", 2000)
    parts = tables(layers)
    assert torch.equal(whole.start, parts.start)
    assert torch.equal(whole.knots, parts.knots)
    assert torch.equal(whole.slopes, parts.slopes)
    assert torch.equal(whole.intercepts, parts.intercepts)


def test_no_networks_have_empty_tables() -> None:
    assert len(tables(drawn(np.random.default_rng(9), (1, 3, 3, 1), 0))) == 0


@pytest.mark.parametrize("width", [1, 2, 7, 33])
def test_one_hidden_layer_agrees_with_its_own_tables(width: int) -> None:
    (w, a), (b, c) = drawn(np.random.default_rng([10, width]), (1, width, 1), 300)
    one, two = tables(([w, a], [b, c])), hidden_tables(*(torch.from_numpy(x) for x in (w[:, :, 0], b, a[:, 0], c[:, 0])))
    assert torch.equal(one.start, two.start)
    assert not (one.unsafe | two.unsafe).any()
    for name, radius in (("knots", "knot_radii"), ("slopes", "slope_radii"), ("intercepts", "intercept_radii")):
        apart = (getattr(one, name) - getattr(two, name)).abs()
        assert bool((apart <= getattr(one, radius) + getattr(two, radius)).all()), name
