"""How fast the walks on a graph of paths multiply, and which share of them each path has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from verify.numerics.batch import Floats
from verify.numerics.segments import Crossings, Indices

NEWTON_STEPS = 100
LEAST_RATE = 1.0 + 1e-6  # below this nothing grows
ROUNDING = 1e-10


class Growth(NamedTuple):
    """The rate r of a graph of paths with numbers of steps, the values v with v_a = sum of r^-steps v_b, and the reach: the same backwards.

    **Shapes:** values, reach (K,), greatest entry 1; all 0 where the rate is 1 because nothing grows. **Guarantee:** heuristic.
    """

    rate: float
    values: Floats
    reach: Floats

    def flow(self, paths: Crossings) -> Floats:
        """Return which share of all long walks, step for step, each path has."""
        weight = self.reach[paths.starts] * self.rate ** -paths.steps.astype(np.float64) * self.values[paths.ends]
        return np.asarray(weight / max(float(weight.sum()), 1e-300))


def growth(paths: Crossings, count: int, guess: float = 2.0) -> Growth:
    """Return the rate at which the walks on a graph of ``count`` boxes multiply, per step."""
    rate, steps = max(guess, LEAST_RATE), paths.steps.astype(np.float64)
    ends = paths.starts * count + paths.ends
    for time in range(NEWTON_STEPS if len(ends) else 0):
        weight = rate**-steps
        radius, values, reach = _perron(_matrix(ends, weight, count))
        if radius < 1.0 and time == 0 and rate > LEAST_RATE:
            rate = LEAST_RATE  # from below Newton's method does not miss
            continue
        slope = reach @ _matrix(ends, weight * steps, count) @ values
        if not (radius > 1.0 - ROUNDING or rate > LEAST_RATE) or not slope > 0.0:
            break
        change = np.log(radius) * radius * (reach @ values) / slope
        rate *= np.exp(change)
        if abs(change) < ROUNDING:
            return Growth(float(rate), values, reach)
    return Growth(1.0, np.zeros(count), np.zeros(count))


def _matrix(places: Indices, weight: Floats, count: int) -> Floats:
    return np.bincount(places, weight, count * count).astype(np.float64).reshape(count, count)


def _perron(matrix: Floats) -> tuple[float, Floats, Floats]:
    """Return the spectral radius of a nonnegative matrix with its right and left eigenvectors, greatest entry 1."""
    vectors = []
    for one in (matrix, matrix.T):
        numbers, columns = np.linalg.eig(one)
        first = int(numbers.real.argmax())
        vector = np.abs(columns[:, first].real)
        vectors.append(np.where(vector > 1e-12 * vector.max(initial=0.0), vector, 0.0) / max(vector.max(initial=0.0), 1e-300))
    return float(numbers[first].real), vectors[0], vectors[1]
