"""The laws of random weights and biases, one function a family, and the table of families.

A law gets the sizes (1, k, ..., k, 1) of the layers' ends (relu_rnn: (d, d)), the scale s and the streams, and returns weights and biases
layer after layer, drawn in that order. n_in and n_out are a layer's own. Unless said otherwise s is a factor on all weights and biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from verify.sampling.draws import Array, Draws
from verify.sampling.elementary import cube_root

Sizes = tuple[int, ...]
Layers = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Family:
    """A law, what its cells take where nothing else is said, and which shapes it has.

    ``deep``: more than one hidden layer is possible; ``power_of_two``: of the width; ``vector``: a map of R^width, else of the line.
    """

    law: Callable[[Sizes, float, Draws], Layers]
    output: str
    scale: float = 1.0
    deep: bool = True
    power_of_two: bool = False
    vector: bool = False


def _normal(sizes: Sizes, draws: Draws, deviation: Callable[[int, int], float]) -> Layers:
    """Return layers whose weights and biases are normal with one deviation, a function of n_in and n_out."""
    return [(draws.normal(deviation(m, n), n, m), draws.normal(deviation(m, n), n)) for m, n in pairwise(sizes)]


def theory(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights 1, kinks t = -b uniform on [0, 1), output weights N(0, s^2/k), no output bias: the slope is a random walk.

    A reconstruction of the model in Chatziafratis, Panageas, Sanford and Stavroulakis (NeurIPS 2022); He's variance is s = sqrt 2.
    """
    k = sizes[1]
    kinks = draws.uniform(k)
    return [(draws.constant(1.0, k, 1), -kinks), (draws.normal(s / math.sqrt(k), 1, k), draws.constant(0.0, 1))]


def brownian(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights 1, kinks j/k (j = 0, ..., k - 1), slopes s B: the limit k -> infinity of ``theory``, integrated Brownian motion.

    Output weight j is the increment of s B over [j/k, (j+1)/k], so the slope there is s B((j+1)/k), exactly. Network i at resolution 2k
    refines network i at resolution k: the same path B. No output bias.
    """
    k = sizes[1]
    kinks = draws.constant(0.0, k) + np.arange(k) / k
    return [(draws.constant(1.0, k, 1), -kinks), (draws.brownian(s, k)[:, None], draws.constant(0.0, 1))]


def he(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and biases N(0, 2/n_in), as the published notebooks of Chatziafratis et al. have it (He et al. 2015 set biases to 0)."""
    return _normal(sizes, draws, lambda m, _: s * math.sqrt(2 / m))


def glorot(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and biases N(0, 2/(n_in + n_out)), as the published notebooks have it (Glorot and Bengio 2010, also called Xavier)."""
    return _normal(sizes, draws, lambda m, n: s * math.sqrt(2 / (m + n)))


def lecun(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and biases N(0, 1/n_in) (LeCun et al. 1998)."""
    return _normal(sizes, draws, lambda m, _: s * math.sqrt(1 / m))


def gaussian(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """All weights and biases of all layers N(0, s^2/k), k the width."""
    return _normal(sizes, draws, lambda *_: s / math.sqrt(sizes[1]))


def uniform(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and biases uniform on (-1, 1)/sqrt(n_in): what ``torch.nn.Linear`` starts from."""
    bounds = [(m, n, s / math.sqrt(m)) for m, n in pairwise(sizes)]
    return [(draws.symmetric(bound, n, m), draws.symmetric(bound, n)) for m, n, bound in bounds]


def truncated_normal(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and biases normal, cut off at two sigma, with variance 2/n_in after the cut: Keras' ``HeNormal``, for the biases too."""
    deviations = [(m, n, s * math.sqrt(2 / m)) for m, n in pairwise(sizes)]
    return [(draws.truncated_normal(sigma, n, m), draws.truncated_normal(sigma, n)) for m, n, sigma in deviations]


def orthogonal(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights sqrt 2 times orthonormal columns or rows (Saxe et al. 2014, gain for relu), biases N(0, 2/max(n_in, n_out)) as one weight."""
    gain, ends = s * math.sqrt(2), pairwise(sizes)
    return [(draws.orthogonal(gain, n, m), draws.normal(gain / math.sqrt(max(m, n)), n)) for m, n in ends]


def stable(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and biases symmetric stable of index 3/2 and scale n_in^(-2/3): heavy tails, E exp(itX) = exp(-|s t|^(3/2) / n_in)."""
    scales = [(m, n, s * float(cube_root(np.array([1 / (m * m)]))[0])) for m, n in pairwise(sizes)]
    return [(draws.stable(scale, n, m), draws.stable(scale, n)) for m, n, scale in scales]


def he_ones(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Row "1,He | He,He": first weights 1, first biases N(0, 2), output weights and bias N(0, 2/k); s on the random ones."""
    k = sizes[1]
    first, second = s * math.sqrt(2), s * math.sqrt(2 / k)
    return [(draws.constant(1.0, k, 1), draws.normal(first, k)), (draws.normal(second, 1, k), draws.normal(second, 1))]


def he_uniform(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Row "He,U": weights N(0, 2/n_in), biases uniform on [0, 1), as the published notebooks have it."""
    return [(draws.normal(s * math.sqrt(2 / m), n, m), s * draws.uniform(n)) for m, n in pairwise(sizes)]


def normal_k(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Row "N(0,1/k),TR(-1,1)": weights N(0, 1/n_out^2), as the published code has it, biases standard normal cut off to (-1, 1)."""
    return [(draws.normal(s / n, n, m), s * draws.normal_within_one(n)) for m, n in pairwise(sizes)]


def first_notebook(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights and hidden biases N(0, (2/(k+1))^2), no output bias: the first published notebook as committed (a root is missing)."""
    k = sizes[1]
    deviation = s * 2 / (k + 1)
    return [(draws.normal(deviation, k, 1), draws.normal(deviation, k)), (draws.normal(deviation, 1, k), draws.constant(0.0, 1))]


def relu_rnn(sizes: Sizes, s: float, draws: Draws) -> Layers:
    """Weights N(0, s^2/d) and biases N(0, 1) of h' = relu(W h + b) on R^d; s leaves the biases alone."""
    d = sizes[0]
    return [(draws.normal(s / math.sqrt(d), d, d), draws.normal(1.0, d))]


FAMILIES: dict[str, Family] = {
    "theory": Family(theory, "clip", scale=math.sqrt(2), deep=False),
    "brownian": Family(brownian, "clip", scale=math.sqrt(2), deep=False, power_of_two=True),
    "he": Family(he, "relu"),
    "glorot": Family(glorot, "relu"),
    "lecun": Family(lecun, "relu"),
    "uniform": Family(uniform, "relu"),
    "truncated_normal": Family(truncated_normal, "relu"),
    "gaussian": Family(gaussian, "relu", scale=math.sqrt(2)),
    "orthogonal": Family(orthogonal, "relu"),
    "stable": Family(stable, "relu"),
    "he_ones": Family(he_ones, "identity", deep=False),
    "he_uniform": Family(he_uniform, "relu"),
    "normal_k": Family(normal_k, "relu"),
    "first_notebook": Family(first_notebook, "identity", deep=False),
    "relu_rnn": Family(relu_rnn, "relu", scale=math.sqrt(2), deep=False, vector=True),
}
