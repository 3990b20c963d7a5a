"""What the search excludes in floats the kernel's interval arithmetic excludes too."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network
from proofs.theorems.elimination import inverse
from tests.known.exponents import tanh_network
from verify.models.gated import Layer, step_program
from verify.numerics.smooth_returns import Looks, Returns

BITS = 64


def networks() -> list[Network]:
    random = np.random.default_rng(3)
    gates = Layer("gru", *(2 * random.standard_normal(shape) for shape in ((6, 1), (6, 2), (6,), (6,))))
    return [tanh_network(2 * random.standard_normal((3, 3))), step_program([gates], [0.5])]


def kernel_defect(network: Network, box: Matrix, period: int) -> Fraction | None:
    """Return |I - C (P - I)| as card A4b finds it."""
    identity = product = Matrix.identity(network.dimension)
    for _ in range(period):
        box, jacobian = network.tangent(box, BITS)
        product = (jacobian @ product).rounded(BITS)
    found = inverse(product - identity)
    return None if found is None else (identity - found.rounded(BITS) @ (product - identity)).norm()


@pytest.mark.parametrize("network", networks(), ids=["tanh", "gru"])
@pytest.mark.parametrize("period", [1, 3])
def test_defects_are_those_of_the_kernel(network: Network, period: int) -> None:
    size, random = network.dimension, np.random.default_rng(period)
    low = random.uniform(-1, 0.9, (12, size))
    high = np.minimum(low + random.uniform(0.001, 0.2, (12, size)), 1.0)
    looks = Returns(network, -np.ones(size), np.ones(size), period).looks(low, high)
    for row in range(len(low)):
        sides = [(Fraction(a), Fraction(b)) for a, b in zip(low[row].tolist(), high[row].tolist(), strict=True)]
        box = Matrix.intervals(Interval(a, b) for a, b in sides)
        defect = kernel_defect(network, box, period)
        assert defect is not None
        assert looks.defect[row] == pytest.approx(float(defect), rel=1e-6)


def test_a_fixed_point_is_never_lost() -> None:
    network = tanh_network([[0.5, 0.0], [0.0, -0.5]])
    looks = Returns(network, -np.ones(2), np.ones(2), 2).looks(np.array([[-0.1, -0.2], [0.1, 0.1]]), np.array([[0.3, 0.1], [0.2, 0.2]]))
    assert looks.empty.tolist() == [False, True]
    assert np.all(looks.low[0] <= 0)
    assert np.all(looks.high[0] >= 0)
    assert Looks.joined([looks.taken([1]), looks.taken([0])]).empty.tolist() == [True, False]


def test_numbers_that_overflow_exclude_nothing() -> None:
    network = tanh_network([[1e308, 1e308], [1e308, -1e308]])
    looks = Returns(network, -np.ones(2), np.ones(2), 2).looks(-np.ones((1, 2)), np.ones((1, 2)))
    assert not looks.empty[0]
    assert np.isinf(looks.defect[0])
