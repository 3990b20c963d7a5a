"""Random numbers of which network i's are the same whoever asks: one stream of uniform numbers a network, and what is made of it.

The generator is Philox, a function of key and counter: the key is (seed, 64 bits of the cell), the counter starts at [0, i, 0, 0] for
network i, so no network's stream depends on another's. Every number of a network takes a fixed count of uniform numbers (quantiles, never
rejection), so the stream's layout is the same for all networks of a cell.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from verify.sampling.elementary import cosine, cube_root, folded_sum, logarithm, normal_quantile, sine

Array = NDArray[np.float64]
_HALF_STEP = 2.0**-54  # Generator.random gives multiples of 2**-53; half a step further they lie symmetrically in (0, 1)
_HALF_PI = 1.57079632679489661923
_WITHIN_ONE, _WITHIN_TWO = 0.682689492137085897171, 0.954499736103641585599  # probabilities of a standard normal number
_TRUNCATED_DEVIATION = 0.879625661034239785955  # of a standard normal number given that it lies within (-2, 2)
_GRID_BITS = 44


def uniforms(seed: int, stream: int, first: int, count: int, numbers: int) -> Array:
    """Return the first ``numbers`` uniform numbers in [0, 1) of networks ``first``, ..., one row a network."""
    philox = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    generator, state = np.random.Generator(philox), philox.state
    counter = state["state"]["counter"]  # the other fields say that no number is buffered, which is where every stream starts
    rows = np.empty((count, numbers))
    for i, row in enumerate(rows, first):
        counter[1] = i
        philox.state = state
        generator.random(out=row)
    return rows


class Draws:
    """The streams of several networks, read from left to right; every method returns one array with a row a network."""

    def __init__(self, rows: Array) -> None:
        """Start at the first number of every row."""
        self.rows, self.used = rows, 0

    def uniform(self, *shape: int) -> Array:
        """Return uniform numbers in [0, 1), multiples of 2**-53."""
        start, self.used = self.used, self.used + math.prod(shape)
        return self.rows[:, start : self.used].reshape(len(self.rows), *shape)

    def _centred(self, *shape: int) -> Array:
        return (self.uniform(*shape) - 0.5) + _HALF_STEP  # exact: at most 53 bits

    def constant(self, value: float, *shape: int) -> Array:
        """Return the same number everywhere; takes nothing from the streams."""
        return np.full((len(self.rows), *shape), value)

    def symmetric(self, bound: float, *shape: int) -> Array:
        """Return uniform numbers in (-bound, bound)."""
        return self._centred(*shape) * (2.0 * bound)

    def normal(self, deviation: float, *shape: int) -> Array:
        """Return normal numbers of mean 0, as the normal quantile of a uniform number."""
        return normal_quantile(self._centred(*shape)) * deviation

    def normal_within_one(self, *shape: int) -> Array:
        """Return standard normal numbers given that they lie in (-1, 1), by their quantiles."""
        return normal_quantile(self._centred(*shape) * _WITHIN_ONE)

    def truncated_normal(self, deviation: float, *shape: int) -> Array:
        """Return normal numbers cut off at two sigma, by their quantiles; ``deviation`` is that of the truncated law."""
        return normal_quantile(self._centred(*shape) * _WITHIN_TWO) * (deviation / _TRUNCATED_DEVIATION)

    def stable(self, scale: float, *shape: int) -> Array:
        """Return symmetric stable numbers of index 3/2: E exp(itX) = exp(-|scale t|^(3/2)).

        Chambers, Mallows and Stuck (1976): sin(aU) cos(U)^(-1/a) (cos(U - aU) / W)^((1-a)/a), U uniform in (-pi/2, pi/2), W exponential,
        with V = U/2 equal to sin(3V) (W / (cos V cos(U)^2))^(1/3). Two uniform numbers each, U's before W's.
        """
        q = self._centred(*shape)
        waiting = -logarithm(1.0 - self.uniform(*shape))
        s, c = sine(_HALF_PI * q), cosine(_HALF_PI * q)
        w = _HALF_PI * (0.5 - np.abs(q))
        edge = 2.0 * sine(w) * cosine(w)  # cos U, accurate near the ends
        return s * (3.0 - 4.0 * s * s) * cube_root(waiting / (c * edge * edge)) * scale

    def orthogonal(self, gain: float, rows: int, columns: int) -> Array:
        """Return ``gain`` times Haar-distributed orthonormal columns, or rows where these are fewer.

        The Q of the QR decomposition of a Gaussian matrix with R's diagonal positive, by Gram and Schmidt, every vector twice.
        """
        short, long = sorted((rows, columns))
        vectors = self.normal(1.0, short, long)
        for j in range(short):
            vector = vectors[:, j]
            for _ in range(2 if j else 0):
                shares = folded_sum(vectors[:, :j] * vector[:, None])
                vector -= folded_sum(np.swapaxes(vectors[:, :j] * shares[:, :, None], 1, 2))
            vector /= np.sqrt(folded_sum(vector * vector))[:, None]
        return gain * (vectors if rows == short else np.swapaxes(vectors, 1, 2))

    def brownian(self, scale: float, steps: int) -> Array:
        """Return the increments of ``scale`` times Brownian motion on [0, 1] over equal steps, a power of two of them.

        Lévy's midpoint construction: the increment over the whole first, then each halved at its midpoint, level after level. Increments
        are rounded to multiples of 2**-44 of the power of two at or below ``scale``, so two halves add up to the whole exactly.
        **Guarantee:** with twice the steps the same path, bit for bit, since the longer stream begins with the shorter one.
        """
        grid = math.ldexp(1.0, _GRID_BITS - math.frexp(scale)[1] + 1)
        increments = np.rint(self.normal(scale, 1) * grid) / grid
        while (size := increments.shape[1]) < steps:
            shifts = self.normal(scale * math.sqrt(0.25 / size), size)
            left = np.rint((0.5 * increments + shifts) * grid) / grid
            increments = np.stack([left, increments - left], axis=2).reshape(len(left), 2 * size)
        return increments
