"""High-precision steps, cycles and Stein equations against floats and against each other."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic

import flint
import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from tests.verify.certification.test_cycle_exponents import W, lozi, plain
from verify.models.gated import Layer, step_program
from verify.numerics.batch import FloatNetwork
from verify.numerics.precise import Numbers, PreciseNetwork, fraction_of, identity, largest, matrix_of, on_grid, refined_cycle, to_digits
from verify.numerics.precise_stein import basis_of, factorised, outside_projector, summed
from verify.numerics.settled import checked_start, settled_orbits

BITS = 256


def numbers(array: np.ndarray) -> Numbers:
    """Return a float array in FLINT's numbers."""
    rows, columns = array.shape
    return Numbers(rows, columns, [flint.arb(float(x)) for x in array.ravel()])


def floats(matrix: Numbers) -> np.ndarray:
    """Return the entries as floats."""
    return np.array([[float(matrix[i, j]) for j in range(matrix.ncols())] for i in range(matrix.nrows())])


def test_steps_and_jacobians_are_those_of_floats() -> None:
    random = np.random.default_rng(0)
    gated = Layer("gru", random.normal(size=(6, 2)), random.normal(size=(6, 2)))
    layers = [gated, Layer("rnn_relu", random.normal(size=(2, 2)), random.normal(size=(2, 2)))]
    for network in (step_program(layers, [0.5, -1.0]), step_program(layers[:1], [1.0, 0.0])):
        point = random.normal(size=(network.dimension, 1))
        with flint.ctx.workprec(BITS):
            image, jacobian = PreciseNetwork(network).linearised(numbers(point))
        single = FloatNetwork(network)
        assert np.allclose(floats(image)[:, 0], single.step(point.T)[0], rtol=0, atol=1e-14)
        assert np.allclose(floats(jacobian), single.jacobian(point.T)[0], rtol=0, atol=1e-13)


def test_newton_reduces_a_period_to_the_least_one() -> None:
    orbit = next(settled_orbits(plain(W), checked_start(plain(W), (0.1, 0.2, -0.3)), monotonic() + 10.0))
    assert len(orbit.points) == 3
    cycle = refined_cycle(plain(W), np.vstack([orbit.points, orbit.points]), BITS)
    assert cycle is not None
    assert cycle.period == 3
    assert np.allclose(cycle.floats(), orbit.points, atol=1e-9)


def test_newton_gives_up_where_a_multiplier_is_one() -> None:
    assert refined_cycle(plain([[1.0]], [1.0], "relu"), np.array([[1.0]]), BITS) is None


def test_both_ways_to_solve_steins_equation_agree() -> None:
    random = np.random.default_rng(1)
    change = random.normal(size=(4, 4))
    spectrum = np.array([[0.5, 0.4, 0, 0], [-0.4, 0.5, 0, 0], [0, 0, 1.5, 0], [0, 0, 0, -3.0]])
    with flint.ctx.workprec(BITS):
        matrix = numbers(change @ spectrum @ np.linalg.inv(change))
        basis, projector = basis_of(matrix, BITS), outside_projector(matrix, BITS)
        assert basis is not None
        assert projector is not None
        assert largest(basis.outside(flint.arb(1)) - projector) < -200
        factors = factorised(projector, 2)
        assert factors is not None
        assert largest(factors[0] * factors[1] - projector) < -200
        assert largest(factors[1] * factors[0] - identity(2)) < -200
        inside = identity(4) - projector
        right = (inside.transpose() * inside).mid()
        within = summed(right, (matrix * inside).mid(), BITS)
        assert within is not None
        assert largest(within - matrix.transpose() * within * matrix - right) < -150
        both = (right + projector.transpose() * projector).mid()
        solved = basis.stein(both, flint.arb(1))
        assert largest(solved - matrix.transpose() * solved * matrix - both) < -150
        assert largest(inside.transpose() * solved * inside - within) < -150


def test_a_defective_matrix_has_no_basis_but_a_projector() -> None:
    with flint.ctx.workprec(BITS):
        matrix = numbers(np.array([[0.5, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 2.0]]))
        assert basis_of(matrix, BITS) is None
        projector = outside_projector(matrix, BITS)
        assert projector is not None
        assert largest(projector - numbers(np.diag([0.0, 0.0, 1.0]))) < -200


@pytest.mark.parametrize(("bits", "expected"), [(2, Fraction(5, 4)), (0, Fraction(1)), (-1, Fraction(2))])
def test_rounding_to_a_grid(bits: int, expected: Fraction) -> None:
    assert on_grid(flint.arb("1.25"), bits) == expected
    assert on_grid(-flint.arb(3) / 4, 1) in {Fraction(-1), Fraction(-1, 2)}


def test_rounding_to_digits_and_to_a_matrix() -> None:
    with flint.ctx.workprec(BITS):
        third = flint.arb(1) / 3
        assert abs(to_digits(third, 40) * 3 - 1) < Fraction(1, 2**38)
        assert abs(fraction_of(third) * 3 - 1) < Fraction(1, 2**250)
        assert matrix_of(Numbers(1, 2, [1, third]), 1) == Matrix.exact([[Fraction(1), Fraction(1, 2)]])


def test_an_escaping_orbit_settles_on_nothing() -> None:
    network = plain([[2.0]], [1.0], "relu")
    assert list(settled_orbits(network, checked_start(network, [1.0]), monotonic() + 5.0)) == []


def test_a_start_on_an_unstable_cycle_is_seen() -> None:
    x = 1 / 2.2
    orbit = next(settled_orbits(lozi(), checked_start(lozi(), [x, x / 2]), monotonic() + 5.0))
    assert (orbit.after, orbit.points.shape) == (0, (1, 2))


def test_without_a_start_it_is_always_the_same() -> None:
    assert np.array_equal(checked_start(lozi(), None), checked_start(lozi(), None))
    with pytest.raises(Malformed, match="start"):
        checked_start(lozi(), [])
