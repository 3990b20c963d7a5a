"""Networks of the families theory and brownian in the coordinates of rare-event sampling: kinks, and output weights in deviations.

f(x) = sum_i a_i relu(x - t_i), clipped to [0, 1], is the integral of a random walk with steps a_i = (s/sqrt k) z_i at the kinks t_i. In
``theory`` the t_i are uniform, in ``brownian`` t_i = i/k; the z_i are standard normal. What is rare is decided by a score of the batch:
at least 0 exactly where the event happens, and larger the nearer a network is to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from verify.errors import Unsupported
from verify.numerics.line_scores import li_yorke_scores
from verify.sampling.families import Batch, Cell

Floats = NDArray[np.float64]
Score = Callable[[Floats, Floats], tuple[Floats, Floats]]  # kinks, weights -> a score and a point for every network

KINKS_MOVE = 0.2  # of what the normal coordinates move


@dataclass(frozen=True, eq=False)
class Networks:
    """Kinks, ascending in each row (one row for all where they are fixed), and standard normal coordinates, one row a network."""

    kinks: Floats
    normals: Floats

    def __len__(self) -> int:
        return len(self.normals)

    def rows(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Networks:
        """Return the chosen networks."""
        return Networks(self.kinks if len(self.kinks) == 1 else self.kinks[chosen], self.normals[chosen])

    def replaced(self, where: NDArray[np.bool_], other: Networks) -> Networks:
        """Return the networks of ``other`` where asked for, else these."""
        kinks = self.kinks if len(self.kinks) == 1 else np.where(where[:, None], other.kinks, self.kinks)
        return Networks(kinks, np.where(where[:, None], other.normals, self.normals))


@dataclass(frozen=True)
class Walks:
    """One cell of theory or brownian, and the score of its rare event (period three unless another is given)."""

    cell: Cell
    score: Score = li_yorke_scores

    def __post_init__(self) -> None:
        if self.cell.family not in {"theory", "brownian"} or self.cell.output != "clip":
            raise Unsupported(
                where="rare events",
                law="networks whose slope is a Gaussian random walk",
                expected="family theory or brownian, output clip",
                got=self.cell.text,
                remedy="count them in a campaign instead",
            )

    @property
    def moving(self) -> bool:
        """Say whether the kinks are random."""
        return self.cell.family == "theory"

    @property
    def deviation(self) -> float:
        """Return the standard deviation of an output weight."""
        return self.cell.scale / math.sqrt(self.cell.width)

    @cached_property
    def fixed_kinks(self) -> Floats:
        """Return the kinks of ``brownian``, as one row."""
        return np.arange(self.cell.width)[None, :] / self.cell.width

    def generator(self, seed: int, *purpose: int) -> np.random.Generator:
        """Return the random numbers for one purpose, a function of the seed, the cell and the purpose only."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, self.cell.stream, self.cell.width, *purpose])))

    def draw(self, generator: np.random.Generator, count: int) -> Networks:
        """Draw from the cell's law."""
        shape = (count, self.cell.width)
        kinks = np.sort(generator.random(shape), axis=1) if self.moving else self.fixed_kinks
        return Networks(kinks, generator.standard_normal(shape))

    def moved(self, generator: np.random.Generator, networks: Networks, size: float) -> Networks:
        """Move every network by a step that is reversible for the cell's law: Crank-Nicolson, and kinks reflected at 0 and 1."""
        shape = networks.normals.shape
        normals = math.sqrt(1.0 - size * size) * networks.normals + size * generator.standard_normal(shape)
        if not self.moving:
            return Networks(networks.kinks, normals)
        kinks = np.abs(np.mod(networks.kinks + (KINKS_MOVE * size) * generator.standard_normal(shape) + 1.0, 2.0) - 1.0)
        order = np.argsort(kinks, axis=1)
        return Networks(np.take_along_axis(kinks, order, axis=1), np.take_along_axis(normals, order, axis=1))

    def scores(self, networks: Networks) -> tuple[Floats, Floats]:
        """Return every network's score and point."""
        return self.score(networks.kinks, self.deviation * networks.normals)

    def batch(self, networks: Networks) -> Batch:
        """Return the same networks with their weights and biases."""
        count = len(networks)
        biases = -np.broadcast_to(networks.kinks, networks.normals.shape)
        weights = (np.ones((count, self.cell.width, 1)), self.deviation * networks.normals[:, None, :])
        return Batch(self.cell, 0, weights, (biases, np.zeros((count, 1))), self.cell.activations)
