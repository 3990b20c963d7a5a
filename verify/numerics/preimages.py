"""A piecewise-linear network run backwards in floats: preimages of points through the affine pieces that can be inverted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from verify.numerics.batch import Bools, FloatNetwork, Floats

SINGULAR = 1e11  # condition number beyond which a piece is taken for singular
THIN = 1e-9  # pre-activations smaller than this, beside the state, are taken for zero
FAR = 1e9  # states beyond are left alone
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Preimages:
    """Points strictly inside their regions, each with its full pattern and the place of the point that it is carried to.

    **Shapes:** points (n, M), patterns (n, hinges), places (n,).
    """

    points: Floats
    patterns: Bools
    places: Indices


class InversePieces:
    """The invertible pieces among those of the given patterns, turned round.

    **Shapes:** patterns (R, hinges): the letters of live hinges count, the others may be anything. **Guarantee:** heuristic.
    **Cost:** R products of M x M for each point; memory R M for each.
    """

    def __init__(self, network: FloatNetwork, patterns: Bools) -> None:
        """Invert what can be inverted."""
        self.network, self.patterns = network, patterns
        self.jacobians, self.offsets = network.pieces(patterns)
        self.invertible = conditions(self.jacobians) < SINGULAR
        self._inverses = np.linalg.inv(self.jacobians[self.invertible])
        self._offsets = self.offsets[self.invertible]
        self._letters = patterns[self.invertible][:, network.live]

    def of(self, points: Floats) -> Preimages:
        """Return all preimages of the points (n, M) through invertible pieces. **Guarantee:** heuristic."""
        count, size = points.shape
        with np.errstate(all="ignore"):
            shifted = points.T[None, :, :] - self._offsets[:, :, None]
            found = np.matmul(self._inverses, shifted).transpose(0, 2, 1).reshape(-1, size)
            letters = np.repeat(self._letters, count, axis=0)
            inside, patterns = self._strictly_inside(found, letters)
        places = np.tile(np.arange(count), len(self._inverses))
        return Preimages(found[inside], patterns[inside], places[inside])

    def fixed_points(self) -> tuple[Floats, Bools]:
        """Return the fixed points of all pieces with their full patterns; one near a border may come several times.

        **Guarantee:** heuristic: pieces with a multiplier next to 1 are left out.
        """
        size = self.network.dimension
        remainder = np.eye(size) - self.jacobians
        regular = conditions(remainder) < SINGULAR
        found = np.asarray(np.linalg.solve(remainder[regular], self.offsets[regular][:, :, None])[:, :, 0], dtype=np.float64)
        letters = self.patterns[regular][:, self.network.live]
        gates = self.network.gates(found)
        wrong = (gates[:, self.network.live] > 0.0) != letters
        slack = THIN * (1.0 + np.abs(found).max(axis=1, initial=0.0))[:, None]
        inside = np.all(~wrong | (np.abs(gates[:, self.network.live]) <= slack), axis=1)
        patterns = gates > 0.0
        patterns[:, self.network.live] = letters
        return found[inside], patterns[inside]

    def _strictly_inside(self, points: Floats, letters: Bools) -> tuple[Bools, Bools]:
        """Say which points are in the region that the letters of the live hinges name, away from all borders; return all patterns."""
        gates = self.network.gates(points)
        size = np.abs(points).max(axis=1, initial=0.0)
        patterns = gates > 0.0
        clear = np.all(np.abs(gates[:, self.network.live]) > THIN * (1.0 + size)[:, None], axis=1) & (size < FAR)
        return np.all(patterns[:, self.network.live] == letters, axis=1) & clear, patterns


def conditions(matrices: Floats) -> Floats:
    """Return the condition numbers of matrices (R, M, M); infinite where singular. **Guarantee:** heuristic."""
    values = np.linalg.svd(matrices, compute_uv=False)
    with np.errstate(all="ignore"):
        quotients = values[:, 0] / values[:, -1]
    return np.asarray(np.where(values[:, -1] > 0.0, quotients, np.inf))


def all_patterns(network: FloatNetwork) -> Bools:
    """Return every pattern of the live hinges, the others 0: 2^L of them for L live hinges."""
    live = np.flatnonzero(network.live)
    patterns = np.zeros((1 << len(live), network.hinges), dtype=bool)
    patterns[:, live] = np.array(list(product((False, True), repeat=len(live))), dtype=bool).reshape(1 << len(live), len(live))
    return patterns
