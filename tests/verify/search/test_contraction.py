"""Weights and forms in which networks contract, judged by the kernel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from proofs.claims import Contraction
from proofs.network import Network, Operation
from tests.verify.order_networks import clipped, gaussian, layered, linear, plrnn, recurrent
from verify.certification.draft import Draft
from verify.certification.order import form_witness
from verify.numerics.sector_barrier import Shape
from verify.search.contraction import contraction_form, contraction_weights, why_no_form


def accepted(network: Network, shape: Shape, *, roomy: bool = False) -> Fraction:
    """Return the rate that the kernel accepts with the witness found."""
    found = contraction_form(network, shape, roomy=roomy)
    assert found.witness is not None, found.reason
    _, claim = Draft(network).add("contraction", form_witness(found.witness))
    assert isinstance(claim, Contraction)
    assert claim.rate == found.witness.rate
    return claim.rate


@pytest.mark.parametrize(
    ("J", "rate"),
    [
        ([[0.5, 0.0], [0.0, 0.25]], 0.5),
        ([[0.9, 100.0], [0.0, 0.9]], 0.9),
        ([[0.0, 1e6], [0.0, 0.0]], 1e-3),
        ([[0.0, 0.0], [0.0, 0.0]], 1e-9),
        ([[0.0, 2.0, 0.0], [0.25, 0.0, 0.0], [7.0, 7.0, 0.125]], 0.70711),
    ],
)
def test_weights_reach_the_spectral_radius_of_nonnegative_matrices(J: list[list[float]], rate: float) -> None:
    """Reducible and nilpotent ones too."""
    weights, reached = contraction_weights(linear(J))
    assert min(weights) > 0
    assert reached <= Fraction(rate) * Fraction(1001, 1000)


@pytest.mark.parametrize("shape", ["identity", "diagonal", "full"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_gaussian_networks_below_the_spectral_norm(shape: Shape, activation: str) -> None:
    W = gaussian(6, 0.4, 1)
    assert accepted(recurrent(W, activation), shape) <= 1.03 * np.linalg.norm(W, 2)


def test_a_full_form_contracts_where_no_diagonal_one_does() -> None:
    network = recurrent(gaussian(20, 0.75, 1), "tanh")
    assert accepted(network, "full") < 1
    for shape in ("identity", "diagonal"):
        found = contraction_form(network, shape)
        assert found.witness is None
        assert found.best > 1
        assert found.reason == f"best rate reached {found.best:.4g}"


def test_a_sigmoid_has_a_quarter_of_the_slope() -> None:
    W = gaussian(6, 1.6, 2)
    assert accepted(recurrent(W, "sigmoid"), "identity") <= 1.03 * np.linalg.norm(W, 2) / 4


def test_deeper_programs() -> None:
    assert accepted(layered(4, gain=0.4), "full") < 1
    assert accepted(clipped(5), "full") < 1


def test_permuted_diagonals() -> None:
    rng = np.random.default_rng(4)
    scales = rng.uniform(0.3, 1.2, 8)
    network = plrnn(np.zeros((8, 8)), np.roll(np.diag(scales), 1, axis=0))
    rate = float(np.prod(scales) ** (1 / 8))
    assert accepted(network, "diagonal") < 1.03 * rate
    assert contraction_weights(network)[1] < 1.001 * rate


def test_scales_far_apart() -> None:
    network = plrnn(np.diag([0.5, 0.5, 0.5]), [[0, 1e5, 0], [1e-7, 0, 1e3], [0, 1e-6, 0]])
    assert accepted(network, "diagonal") < 1


def test_a_roomy_witness_stays_just_below_one() -> None:
    network = recurrent(gaussian(8, 0.5, 3))
    assert accepted(network, "full", roomy=True) == Fraction(1023, 1024)
    assert contraction_form(network, "full", roomy=True) is contraction_form(network, "full", roomy=True)


def test_no_form_need_be_looked_for() -> None:
    assert why_no_form(recurrent(gaussian(6, 0.3, 1))) is None
    assert why_no_form(Network(2, (Operation("mul", (0, 0)),))) == "products of registers have no global slopes"
    turning = why_no_form(linear([[0.0, 1.25], [-1.25, 0.0]]))
    assert turning == "no norm contracts: with some slopes the units may have, the Jacobian has spectral radius 1.25"
    assert why_no_form(recurrent(0.1 * np.eye(256))) == "512 states and units, quadratic forms are for fewer than 512"
