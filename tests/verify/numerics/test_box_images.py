"""Float enclosures on boxes are wider than the kernel's, and hardly wider."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network
from verify.loading import load, load_network
from verify.models.gated import Layer, step_program
from verify.numerics.box_images import BoxNetwork


def gated(cell: str, gates: int, seed: int) -> Network:
    random = np.random.default_rng(seed)
    arrays = [np.round(random.normal(size=shape), 2) for shape in ((gates * 2, 1), (gates * 2, 2), (gates * 2,))]
    return step_program([Layer(cell, *arrays)], [0.5])  # type: ignore[arg-type]


def networks() -> dict[str, Network]:
    lozi = {"model": "plrnn", "A": [["17/10", "1"], ["1/2", "0"]], "W": [["-17/5", "0"], ["0", "0"]], "h": ["1", "0"]}
    return {
        "lozi": load_network(lozi),
        "lozi with a radius": load(lozi).with_radius(Fraction(1, 2**6)),
        "tanh": load_network({"model": "rnn", "W": [["3/2", "1"], ["-1", "3/2"]], "b": ["0", "1/10"], "activation": "tanh"}),
        "lstm": gated("lstm", 4, 1),
        "gru": gated("gru", 3, 2),
    }


@pytest.mark.parametrize("name", networks())
def test_the_kernels_enclosures_lie_inside_and_near(name: str) -> None:
    network, random = networks()[name], np.random.default_rng(3)
    low = np.round(random.uniform(-1.5, 1.0, (6, network.dimension)), 3)
    high = low + np.round(random.uniform(0.0, 0.6, low.shape), 3)
    near = Fraction(1, 10**8) if network.is_exact else Fraction(1, 4)  # ranges of sums are exact in the kernel alone
    images, jacobians = BoxNetwork(network).enclose(low, high)
    for k in range(len(low)):
        box = Matrix.intervals(Interval(Fraction(a), Fraction(b)) for a, b in zip(low[k].tolist(), high[k].tolist(), strict=True))
        image, jacobian = network.image(box, 64), network.jacobian(box, 64)
        for i in range(network.dimension):
            inside(image.interval(i), images.low[k, i], images.high[k, i], near)
            for j in range(network.dimension):
                inside(jacobian.interval(i, j), jacobians.low[k, i, j], jacobians.high[k, i, j], near)


def inside(exact: Interval, low: float, high: float, near: Fraction) -> None:
    assert Fraction(low) < exact.lo < Fraction(low) + near
    assert Fraction(high) - near < exact.hi < Fraction(high)
