"""Random networks: their laws, and that network i can be drawn alone, bit for bit."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from proofs.errors import Malformed
from verify.numerics.batch import FloatNetwork
from verify.sampling.families import FAMILIES, Batch, Cell, draw

Law = Any  # a distribution function, of a number or of an array
NORMAL: Law = stats.norm.cdf
IN_ONE: Law = stats.truncnorm(-1, 1).cdf
CUT: Law = stats.truncnorm(-2, 2, scale=1 / 0.8796256610342398).cdf
UNIT: Law = stats.uniform.cdf
TWO_SIDED: Law = stats.uniform(-1, 2).cdf
Entry = tuple[Law, float]
Layers = list[tuple[Entry, Entry]]

ALL = [Cell(name, 8, 1.5) for name in FAMILIES] + [Cell(name, 8, 1.5, 2) for name, family in FAMILIES.items() if family.deep]


def numbers_of(batch: Batch) -> list[np.ndarray]:
    return [*batch.weights, *batch.biases]


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.text)
def test_a_network_drawn_alone_is_the_one_in_any_batch(cell: Cell) -> None:
    batch = draw(cell, 5, 1000, 20_000 if cell.depth == 1 and cell.width * cell.width < cell.numbers else 3000)
    for row in (0, 1, 1716, len(batch) - 1):
        alone = draw(cell, 5, 1000 + row, 1)
        assert alone.sha256(0) == batch.sha256(row)
        for one, many in zip(numbers_of(alone), numbers_of(batch), strict=True):
            assert one[0].tobytes() == many[row].tobytes()


def test_another_seed_cell_or_index_is_another_network() -> None:
    cells = [
        Cell("he", 3, 1),
        Cell("he", 3, 1.5),
        Cell("he", 4, 1),
        Cell("he", 3, 1, 2),
        Cell("he", 3, 1, output="clip"),
        Cell("lecun", 3, 1),
    ]
    numbers = {draw(cell, seed, first, 1).weights[0].tobytes() for cell in cells for seed in (0, 2**64 - 1) for first in (0, 1, 2**63)}
    assert len(numbers) == len(cells) * 2 * 3


def test_the_streams_are_those_of_philox_at_the_documented_key_and_counter() -> None:
    cell = Cell("theory", 5, 4)
    half = int.from_bytes(hashlib.sha256(b"theory width=5 scale=4.0 depth=1 output=clip").digest()[:8], "big")
    philox = np.random.Philox(key=np.array([11, half], dtype=np.uint64), counter=np.array([0, 29, 0, 0], dtype=np.uint64))
    expected = np.random.Generator(philox).random(5)
    assert np.array_equal(-draw(cell, 11, 29, 1).biases[0][0], expected)


# what every machine must draw: networks 0 to 9 with seed 1, width 8, s = 3/2 and the largest of the depths 1 and 2
PINNED = {
    "theory": "e379de92eb9f4d3c",
    "brownian": "d0f21464a93f7432",
    "he": "6d51eff73a6913c4",
    "glorot": "3293982b44e520c7",
    "lecun": "6fbb5d7e37a4050e",
    "uniform": "e6f667ae21b889a8",
    "truncated_normal": "000e796e05c8f9f8",
    "gaussian": "ebafa6283ae8b4c4",
    "orthogonal": "6b3410b05a011380",
    "stable": "37134b156f66959c",
    "he_ones": "587a6cbb42c81adb",
    "he_uniform": "e68f1a7297c4f917",
    "normal_k": "6b82f6780cbacf2c",
    "first_notebook": "3849c6ad14c23781",
    "relu_rnn": "fcc82d3071b45d67",
}


@pytest.mark.parametrize("name", PINNED)
def test_the_bits_are_the_same_on_every_machine(name: str) -> None:
    batch = draw(Cell(name, 8, 1.5, 2 if FAMILIES[name].deep else 1), 1, 0, 10)
    assert hashlib.sha256(b"".join(map(batch.sha256, range(10)))).hexdigest()[:16] == PINNED[name]


def by_layer(
    deviation: Callable[[int, int], float], law: Law = NORMAL, bias: Entry | None = None
) -> Callable[[Cell], list[tuple[Entry, Entry]]]:
    """Say that a layer's weights have a deviation given by n_in and n_out, and the biases the same unless said otherwise."""

    def entries(cell: Cell) -> list[tuple[Entry, Entry]]:
        found = [(law, cell.scale * deviation(m, n)) for m, n in pairwise(cell.sizes)]
        return [(entry, (bias[0], bias[1] * cell.scale) if bias else entry) for entry in found]

    return entries


LAWS = {
    "he": by_layer(lambda m, _: math.sqrt(2 / m)),
    "glorot": by_layer(lambda m, n: math.sqrt(2 / (m + n))),
    "lecun": by_layer(lambda m, _: math.sqrt(1 / m)),
    "gaussian": by_layer(lambda *_: math.sqrt(1 / 8)),
    "uniform": by_layer(lambda m, _: math.sqrt(1 / m), TWO_SIDED),
    "truncated_normal": by_layer(lambda m, _: math.sqrt(2 / m), CUT),
    "he_uniform": by_layer(lambda m, _: math.sqrt(2 / m), NORMAL, (UNIT, 1)),
    "normal_k": by_layer(lambda _, n: 1 / n, NORMAL, (IN_ONE, 1)),
}


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("name", LAWS)
def test_every_layer_has_its_law(name: str, depth: int) -> None:
    cell = Cell(name, 8, 1.5, depth)
    batch = draw(cell, 2, 0, 2000)
    for (weight, bias), weights, biases in zip(LAWS[name](cell), batch.weights, batch.biases, strict=True):
        for (law, unit), numbers in ((weight, weights), (bias, biases)):
            assert stats.kstest(numbers.ravel()[:20_000] / unit, law).pvalue > 1e-3
            assert stats.kstest(numbers[:, -1].ravel() / unit, law).pvalue > 1e-3  # the last unit alone


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Cell("theory", 8, 4), [1.0, (UNIT, -1.0), (NORMAL, 4 / math.sqrt(8)), 0.0]),
        (Cell("he_ones", 8, 1.5), [1.0, (NORMAL, 1.5 * math.sqrt(2)), (NORMAL, 1.5 / 2), (NORMAL, 1.5 / 2)]),
        (Cell("first_notebook", 8, 1), [(NORMAL, 2 / 9), (NORMAL, 2 / 9), (NORMAL, 2 / 9), 0.0]),
        (Cell("relu_rnn", 8, 4), [(NORMAL, math.sqrt(2)), (NORMAL, 1.0)]),
    ],
    ids=lambda value: value.family if isinstance(value, Cell) else "",
)
def test_special_laws(cell: Cell, expected: list[float | Entry]) -> None:
    batch = draw(cell, 3, 0, 2000)
    layers = [part for layer in zip(batch.weights, batch.biases, strict=True) for part in layer]
    for entry, numbers in zip(expected, layers, strict=True):
        if isinstance(entry, float):
            assert np.all(numbers == entry)
        else:
            assert stats.kstest(numbers.ravel() / entry[1], entry[0]).pvalue > 1e-3


def test_weights_are_uncorrelated() -> None:
    batch = draw(Cell("gaussian", 3, math.sqrt(3), 2), 4, 0, 40_000)
    flat = np.concatenate([part.reshape(len(batch), -1) for part in numbers_of(batch)], axis=1)
    assert np.abs(np.cov(flat.T) - np.eye(flat.shape[1])).max() < 5 * math.sqrt(2 / 40_000)


def test_heavy_tails_have_the_characteristic_function_of_their_law() -> None:
    batch = draw(Cell("stable", 8, 1.5), 6, 0, 40_000)
    for numbers, inputs in ((batch.weights[0], 1), (batch.weights[1], 8), (batch.biases[1], 8)):
        found = numbers.ravel() / (1.5 * inputs ** (-2 / 3))
        for t in (0.05, 0.3, 1.0, 2.0):
            assert abs(np.cos(t * found).mean() - math.exp(-(t**1.5))) < 5 / math.sqrt(found.size)
        assert abs(np.median(found)) < 10 / math.sqrt(found.size)
        tail = 2 * math.gamma(1.5) * math.sin(0.75 * math.pi) / math.pi * 50**-1.5  # of P(|X| > 50), to first order
        assert (np.abs(found) > 50).mean() == pytest.approx(tail, rel=0.25)


def test_orthogonal_layers_have_orthonormal_columns_or_rows() -> None:
    batch = draw(Cell("orthogonal", 6, 1.5, 2), 7, 0, 300)
    first, middle, last = batch.weights
    assert np.allclose(np.sum(first**2, axis=(1, 2)), 4.5, rtol=1e-14)
    assert np.allclose(np.sum(last**2, axis=(1, 2)), 4.5, rtol=1e-14)
    assert np.allclose(middle @ np.swapaxes(middle, 1, 2), 4.5 * np.eye(6), atol=1e-13)
    assert set(np.sign(np.linalg.det(middle))) == {-1.0, 1.0}


def test_orthonormal_vectors_are_uniform_on_the_sphere() -> None:
    batch = draw(Cell("orthogonal", 3, 1, 2), 8, 0, 4000)
    for vectors in (batch.weights[0][:, :, 0], batch.weights[1][:, 0], batch.weights[1][:, 2], batch.weights[1][:, :, 1]):
        for i in range(3):  # Archimedes: a coordinate of a point on the sphere is uniform
            assert stats.kstest(vectors[:, i] / math.sqrt(2), TWO_SIDED).pvalue > 1e-3


def brownian(width: int, scale: float = 1.3) -> Batch:
    return draw(Cell("brownian", width, scale), 9, 100, 500)


@pytest.mark.parametrize("scale", [1.3, 2.0, 1e-3, 977.0])
def test_doubling_the_resolution_refines_the_same_path_exactly(scale: float) -> None:
    for k in (1, 2, 64):
        coarse, fine = (brownian(width, scale).weights[1][:, 0] for width in (k, 2 * k))
        for i in (0, 499):
            pairs = fine[i].reshape(k, 2)
            assert [Fraction(a) + Fraction(b) for a, b in pairs.tolist()] == [Fraction(a) for a in coarse[i].tolist()]
        slopes = np.cumsum(fine, axis=1)
        assert np.array_equal(slopes[:, 1::2], np.cumsum(coarse, axis=1))
        assert sum(map(Fraction, fine[7].tolist())) == Fraction(float(slopes[7, -1]))  # sums are exact in floats


def test_increments_are_those_of_brownian_motion_at_even_kinks() -> None:
    batch = brownian(16)
    assert np.array_equal(-batch.biases[0], np.tile(np.arange(16) / 16, (500, 1)))
    assert np.all(batch.weights[0] == 1.0)
    assert np.all(batch.biases[1] == 0.0)
    steps = batch.weights[1][:, 0] / (1.3 / 4)
    assert stats.kstest(steps.ravel(), NORMAL).pvalue > 1e-3
    assert np.abs(np.cov(steps.T) - np.eye(16)).max() < 5 * math.sqrt(2 / 500)


def test_one_bit_more_is_another_sha256() -> None:
    batch = draw(Cell("he", 3, 1, 2), 1, 0, 2)
    before = {batch.sha256(0), batch.sha256(1)}
    assert len(before) == 2
    for part in numbers_of(batch):
        entry = part[0].reshape(-1)
        kept = entry[-1]
        entry[-1] = np.nextafter(kept, np.inf)
        assert batch.sha256(0) not in before
        entry[-1] = kept
    assert batch.sha256(0) in before


@pytest.mark.parametrize("output", ["identity", "relu", "clip", "tanh"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_network_is_the_one_drawn(output: str, depth: int) -> None:
    batch = draw(Cell("he", 3, 1, depth, output), 1, 0, 3)
    assert list(batch.arrays(1)) == [f"layers.{i}.{name}" for i in range(depth + 1) for name in "Wb"]
    x = np.linspace(-2, 2, 9)
    value = x[None, :]
    for weights, biases in zip(batch.weights[:-1], batch.biases[:-1], strict=True):
        value = np.maximum(weights[1] @ value + biases[1][:, None], 0)
    value = (batch.weights[-1][1] @ value + batch.biases[-1][1][:, None])[0]
    ends = {"identity": value, "relu": np.maximum(value, 0), "clip": np.clip(value, 0, 1), "tanh": np.tanh(value)}
    assert np.allclose(FloatNetwork(batch.network(1)).step(x[:, None])[:, 0], ends[output], rtol=1e-12, atol=1e-12)


def test_a_recurrent_network_of_several_units() -> None:
    batch = draw(Cell("relu_rnn", 3, 2), 1, 0, 2)
    network = batch.network(1)
    assert (network.dimension, network.hinges, list(batch.arrays(1))) == (3, 3, ["W", "b"])
    x = np.array([0.5, -1.0, 2.0])
    expected = np.maximum(batch.weights[0][1] @ x + batch.biases[0][1], 0)
    assert np.allclose(FloatNetwork(network).step(x[None])[0], expected, rtol=1e-12)


def test_an_empty_batch_and_the_default_outputs() -> None:
    assert len(draw(Cell("he", 3, 1), 1, 5, 0)) == 0
    assert Cell("theory", 2, 1) == Cell("theory", 2, 1.0, 1, "clip")
    assert {name: Cell(name, 2, 1).activations for name in ("he", "he_ones", "theory", "relu_rnn")} == {
        "he": ("relu", "relu"),
        "he_ones": ("relu", "identity"),
        "theory": ("relu", "clip"),
        "relu_rnn": ("relu",),
    }


@pytest.mark.parametrize(
    ("fields", "where", "expected"),
    [
        (("nope", 2, 1), "cell, family", "theory, brownian"),
        (("he", 0, 1), "cell, width", "from 1 to 131072"),
        (("he", 2**17 + 1, 1), "cell, width", "from 1 to 131072"),
        (("he", 2.0, 1), "cell, width", "an integer"),
        (("he", True, 1), "cell, width", "an integer"),
        (("relu_rnn", 4097, 1), "cell, width", "from 1 to 4096"),
        (("he", 2, 0), "cell, scale", "above 0"),
        (("he", 2, -1.5), "cell, scale", "above 0"),
        (("he", 2, math.inf), "cell, scale", "finite"),
        (("he", 2, math.nan), "cell, scale", "finite"),
        (("he", 2, 10**400), "cell, scale", "finite"),
        (("he", 2, "1"), "cell, scale", "a finite number"),
        (("he", 2, 1, 0), "cell, depth", "from 1"),
        (("theory", 2, 1, 2), "cell, depth", "1, the only depth of the family theory"),
        (("brownian", 2, 1, 2), "cell, depth", "the only depth"),
        (("he_ones", 2, 1, 2), "cell, depth", "the only depth"),
        (("relu_rnn", 2, 1, 2), "cell, depth", "the only depth"),
        (("he", 2, 1, 1, "softmax"), "cell, output", "identity, relu, clip, tanh"),
        (("relu_rnn", 2, 1, 1, "clip"), "cell, output", "relu, the only output"),
        (("brownian", 48, 1), "cell, width", "a power of two"),
        (("he", 2**14, 1, 2), "cell, width", "weights and biases"),
    ],
)
def test_impossible_cells_are_refused(fields: tuple[object, ...], where: str, expected: str) -> None:
    with pytest.raises(Malformed) as caught:
        Cell(*fields)  # type: ignore[arg-type]
    assert caught.value.where == where
    assert expected in caught.value.expected


@pytest.mark.parametrize(("seed", "first", "count"), [(-1, 0, 1), (2**64, 0, 1), (0, -1, 1), (0, 2**64, 1), (0, 0, -1), (1.5, 0, 1)])
def test_impossible_draws_are_refused(seed: int, first: int, count: int) -> None:
    with pytest.raises(Malformed, match="an integer from 0 to"):
        draw(Cell("he", 2, 1), seed, first, count)
