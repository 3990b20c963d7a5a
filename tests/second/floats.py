# mypy: disable-error-code="no-any-return"
"""A network in floats at many points at once: what refutes a claim, never what proves one. Shapes (n, M) and (n, M, M)."""

from __future__ import annotations

import numpy as np

from tests.second.nets import Net
from tests.second.orbits import HALF, middle
from tests.second.text import Json


class Floats:
    """The middles of a network's weights as arrays."""

    def __init__(self, net: Net) -> None:
        """Turn every matrix into floats once."""
        self.dimension, self.linear = net.dimension, net.linear
        self._program = [
            (name, of, [np.array([[middle(x) for x in row] for row in m]).T for m in matrices], np.array([middle(x[0]) for x in bias]))
            for name, of, matrices, bias in net.program
        ]

    def image(self, points: Json) -> Json:
        """Return F at many points."""
        return self.tangent(points, np.zeros((len(points), self.dimension, 0)))[0]

    def jacobians(self, points: Json) -> tuple:
        """Return F and its Jacobians at many points."""
        return self.tangent(points, np.broadcast_to(np.eye(self.dimension), (len(points), self.dimension, self.dimension)))

    def tangent(self, points: Json, ways: Json) -> tuple:
        """Return F and DF times these columns; relu has slope 0 at its border."""
        registers: list = [(points, ways)]
        for name, of, weights, bias in self._program:
            given = [registers[i] for i in of]
            u, a = given[0]
            if name == "affine":
                value = bias + sum(x @ w for w, (x, _) in zip(weights, given, strict=True))
                slope = sum(w.T @ p for w, (_, p) in zip(weights, given, strict=True))
            elif name == "add":
                value, slope = u + given[1][0], a + given[1][1]
            elif name == "mul":
                v, b = given[1]
                value, slope = u * v, u[:, :, None] * b + v[:, :, None] * a
            else:
                value, factor = curved(name, u)
                slope = factor[:, :, None] * a
            registers.append((value, slope))
        return registers[-1]


def curved(name: str, u: Json) -> tuple:
    """Return a curve and its slope."""
    if name == "relu":
        return np.maximum(u, 0), (u > 0).astype(float)
    scale = 2 if name == "tanh" else 1
    small = np.exp(-scale * np.abs(u))
    value = np.tanh(u) if name == "tanh" else (1 + np.tanh(u / 2)) / 2
    return value, scale**2 * small / (1 + small) ** 2


def rates(path: list, points: Json, seed: int) -> Json:
    """Return the rates of growth of one vector at each point along a path of networks, over all but its first steps; nan where it dies."""
    ways, total = np.random.default_rng(seed).standard_normal((*points.shape, 1)), np.zeros(len(points))
    with np.errstate(all="ignore"):
        for time, one in enumerate(path):
            points, ways = one.tangent(points, ways)
            size = np.linalg.norm(ways, axis=1)[:, 0]
            ways = ways / size[:, None, None]
            total += np.log(size) if time >= HALF else 0.0
    return np.where(np.isfinite(total), total / (len(path) - HALF), np.nan)
