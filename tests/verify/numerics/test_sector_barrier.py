"""The barrier method against norms that are known in closed form, and the sector form against the kernel's own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems.card import Application
from proofs.theorems.sectors import embedded, sectors
from tests.verify.order_networks import clipped, gaussian, layered, linear, plrnn, recurrent
from verify.numerics.batch import floats_of
from verify.numerics.sector_barrier import Shape, question, solve, start_of
from verify.numerics.sectors import Sector, sector_of, slowest_slopes


def sector(network: Network) -> Sector:
    found = sector_of(network)
    assert found is not None
    return found


def margin(network: Network, rate: float, shape: Shape) -> float:
    asked = question(sector(network).balanced(), rate, shape)
    return solve(asked, start_of(asked), 20.0, enough=1e-4).point.margin


@pytest.mark.parametrize("network", [plrnn(gaussian(4, 0.5, 1), gaussian(4, 1.0, 2)), clipped(3), layered(4, gain=1.0)])
def test_the_matrix_is_the_kernels(network: Network) -> None:
    """Both are exact here up to the rounding of floats."""
    rng = np.random.default_rng(0)
    mine = sector(network)
    states, units = len(mine.J), len(mine.limits)
    half = rng.integers(-8, 9, (states, states))
    form, multipliers = (half + half.T).astype(float), rng.integers(1, 9, units).astype(float)
    theirs = sectors(Application(1, "contraction", network, Fields({}, "witness"), (), ()), 3)
    assert [float(limit) for limit in theirs.limits] == list(mine.limits)
    exact_form = Matrix.exact([[Fraction(float(x)) for x in row] for row in form])
    base = embedded(exact_form.times(Fraction(9, 16)), states + units, Fraction(0))
    gap = floats_of(theirs.gap(base, exact_form, tuple(Fraction(float(x)) for x in multipliers)))
    assert np.allclose(gap, mine.matrix(0.75, form, multipliers), rtol=0, atol=1e-12 * np.abs(gap).max())


def test_the_adjoint_is_one() -> None:
    rng = np.random.default_rng(1)
    it = sector(layered(4, gain=1.0))
    states, units = len(it.J), len(it.limits)
    form, weight = rng.standard_normal((states, states)), rng.standard_normal((states + units, states + units))
    form, weight, multipliers = form + form.T, weight + weight.T, rng.standard_normal(units)
    forms, weights = it.adjoint(0.7, weight)
    assert np.isclose((it.matrix(0.7, form, multipliers) * weight).sum(), (forms * form).sum() + weights @ multipliers)


def test_balancing_scales_by_powers_of_two_and_keeps_the_slopes() -> None:
    network = plrnn(np.diag([0.5, 0.5, 0.5]), [[0, 1e5, 0], [1e-7, 0, 1e3], [0, 1e-6, 0]])
    plain, balanced = sector(network), sector(network).balanced()
    assert (np.log2(balanced.states) % 1 == 0).all()
    assert (np.log2(balanced.units) % 1 == 0).all()
    slopes = np.array([0.25, 1.0, 0.5])
    assert np.allclose(balanced.jacobian(slopes), plain.jacobian(slopes) * balanced.states / balanced.states[:, None])
    assert np.abs(balanced.jacobian(np.ones(3))).max() < 1
    assert np.abs(plain.jacobian(np.ones(3))).max() > 1e4


@pytest.mark.parametrize("seed", range(4))
def test_the_identity_reaches_the_spectral_norm(seed: int) -> None:
    W = gaussian(8, 1.0, seed)
    norm = float(np.linalg.norm(W, 2))
    assert margin(recurrent(W), 1.005 * norm, "identity") > 0
    assert margin(recurrent(W), 0.995 * norm, "identity") < 0


@pytest.mark.parametrize("shape", ["diagonal", "full"])
def test_wider_shapes_do_at_least_as_well(shape: Shape) -> None:
    W = gaussian(8, 1.0, 5)
    assert margin(recurrent(W), float(np.linalg.norm(W, 2)), shape) > 0


def test_a_linear_network_reaches_its_spectral_radius() -> None:
    J = np.array([[0.9, 30.0], [-0.001, 0.8]])
    radius = float(np.abs(np.linalg.eigvals(J)).max())
    assert margin(linear(J), 1.02 * radius, "full") > 0
    assert margin(linear(J), 0.98 * radius, "full") < 0


def test_no_shape_beats_the_slowest_slopes() -> None:
    network = recurrent(gaussian(10, 1.0, 6))
    radius, slopes = slowest_slopes(sector(network))
    assert ((slopes == 0) | (slopes == 1)).all()
    assert np.isclose(radius, np.abs(np.linalg.eigvals(sector(network).jacobian(slopes))).max())
    assert radius >= np.abs(np.linalg.eigvals(gaussian(10, 1.0, 6))).max() - 1e-12
    asked = question(sector(network).balanced(), 0.99 * radius, "full")
    ended = solve(asked, start_of(asked), 20.0)
    assert ended.hopeless
    assert ended.point.margin < 0


def test_products_of_registers_have_no_sector_form() -> None:
    assert sector_of(Network(2, (Operation("mul", (0, 0)),))) is None
