"""Exponents of cycles to twenty digits, against eigenvalues by mpmath and closed forms; and certificates that say too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from time import monotonic

import mpmath
import numpy as np
import pytest

from proofs import check
from proofs.arithmetic import Matrix
from proofs.certificate import Certificate
from proofs.errors import Malformed, Rejected
from proofs.grammar import read_number, write_number
from proofs.network import Network
from verify.certification.cycle_exponents import CycleExponents, prove_cycle_exponents
from verify.certification.draft import Draft
from verify.models.blocks import affine, apply
from verify.models.exact import exact
from verify.models.gated import Layer, driven_program

W = np.array([[-4.0, 2.0, -4.0], [-4.0, -4.0, 2.0], [0.0, -4.0, -4.0]])
WIDTH = Fraction(1, 10**20)


def plain(weights: object, bias: object = None, name: str = "tanh") -> Network:
    """Return act(W h + b)."""
    matrix = np.array(weights, dtype=np.float64)
    column = np.zeros(len(matrix)) if bias is None else np.array(bias, dtype=np.float64)
    return Network(len(matrix), (affine(exact(column), (exact(matrix), 0)), apply(name, 1)))


def lozi(a: Fraction = Fraction(17, 10), b: Fraction = Fraction(1, 2)) -> Network:
    """Return x' = 1 - a |x| + y, y' = b x."""
    zero, one = Fraction(0), Fraction(1)
    first = affine(Matrix.column([zero, zero]), (Matrix.exact([[one, zero], [-one, zero]]), 0))
    linear, folded = Matrix.exact([[zero, one], [b, zero]]), Matrix.exact([[-a, -a], [zero, zero]])
    return Network(2, (first, apply("relu", 1), affine(Matrix.column([one, zero]), (linear, 0), (folded, 2))))


def proved(network: Network, start: Sequence[float] | None = None, digits: int = 20) -> tuple[Draft, CycleExponents]:
    """Prove, and have the whole certificate checked."""
    draft = Draft(network)
    found, reason = prove_cycle_exponents(draft, start, digits=digits, deadline=monotonic() + 60.0)
    assert found is not None, reason
    draft.finish([found.cycle, found.moduli])
    return draft, found


def fraction(value: object) -> Fraction:
    """Return an mpmath number exactly."""
    sign, mantissa, exponent, _ = mpmath.mpf(value)._mpf_
    return Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)


def holds(found: CycleExponents, truth: list[object], width: Fraction = WIDTH) -> None:
    """Require enclosures of the truth (largest first) no wider than ``width``."""
    assert len(found.bounds) == len(truth)
    for (low, high), value in zip(found.bounds, truth, strict=True):
        assert low is not None
        assert high is not None
        assert low <= fraction(value) <= high
        assert high - low < width


def tanh_exponents(weights: np.ndarray, start: Sequence[float | Fraction], period: int, steps: int) -> list[object]:
    """Return the exponents of a stable cycle of tanh(W h) by plain iteration and mpmath's eigenvalues."""
    matrix, state = (
        mpmath.matrix(weights.tolist()),
        mpmath.matrix([mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in start]),
    )
    for _ in range(steps):
        state = (matrix * state).apply(mpmath.tanh)
    product = mpmath.eye(len(state))
    for _ in range(period):
        state = (matrix * state).apply(mpmath.tanh)
        product = mpmath.diag([1 - x**2 for x in state]) * matrix * product
    moduli = [abs(value) for value in mpmath.eig(product, left=False, right=False)]
    return sorted((mpmath.log(modulus) / period for modulus in moduli), reverse=True)


def test_the_three_cycle_of_the_integer_net_has_these_exponents() -> None:
    _, found = proved(plain(W), (0.1, 0.2, -0.3))
    assert found.cycle.period == 3
    with mpmath.workdps(60):
        holds(found, tanh_exponents(W, (0.1, 0.2, -0.3), 3, 300))
    assert [round(float(low or 0), 10) for low, _ in found.bounds] == [-1.0169133922, -3.6951472621, -8.5860879295]


def test_forty_digits_are_possible() -> None:
    _, found = proved(plain(W), (0.1, 0.2, -0.3), digits=40)
    with mpmath.workdps(80):
        holds(found, tanh_exponents(W, (0.1, 0.2, -0.3), 3, 400), Fraction(1, 10**40))


@pytest.mark.parametrize("side", [1, -1])
def test_the_fixed_points_of_lozi(side: int) -> None:
    x = 1 / (side * 1.7 + 0.5)
    _, found = proved(lozi(), (x, 0.5 * x))
    with mpmath.workdps(50):
        root = mpmath.sqrt(mpmath.mpf(489) / 100)
        holds(found, [mpmath.log((mpmath.mpf(17) / 10 + root) / 2), mpmath.log((root - mpmath.mpf(17) / 10) / 2)])


def test_the_two_cycle_of_lozi() -> None:
    points = np.linalg.solve([[1.7, -1, 1, 0], [-0.5, 0, 0, 1], [1, 0, -1.7, -1], [0, 1, -0.5, 0]], [1, 0, 1, 0])
    _, found = proved(lozi(), points[:2].tolist())
    assert found.cycle.period == 2
    with mpmath.workdps(50):
        a, b = mpmath.mpf(17) / 10, mpmath.mpf(1) / 2
        product = mpmath.matrix([[a, 1], [b, 0]]) * mpmath.matrix([[-a, 1], [b, 0]])
        moduli = [abs(value) for value in mpmath.eig(product, left=False, right=False)]
        holds(found, sorted((mpmath.log(value) / 2 for value in moduli), reverse=True))
    assert abs(float(found.bounds[0][1] or 0) - 0.27891807300579996) < 1e-15


@pytest.mark.slow
def test_a_random_net_with_a_cycle_of_period_28() -> None:
    random = np.random.default_rng(2)
    weights = random.normal(size=(6, 6)) * 4 / np.sqrt(6)
    _, found = proved(plain(weights), random.normal(size=6).tolist())
    assert found.cycle.period == 28
    with mpmath.workdps(400):
        holds(found, tanh_exponents(weights, found.cycle.points[0], 28, 4000))


def test_a_driven_vanilla_net_with_an_input_of_period_three() -> None:
    random = np.random.default_rng(5)
    layer = Layer("rnn_tanh", random.normal(size=(2, 1)), random.normal(size=(2, 2)))
    _, found = proved(driven_program([layer], [[1.0], [-0.5], [0.25]]))
    assert found.cycle.period == 1
    with mpmath.workdps(60):
        inner, outer = mpmath.matrix(layer.W_hh.tolist()), mpmath.matrix(layer.W_ih.tolist())
        state, product = mpmath.matrix([0, 0]), mpmath.eye(2)
        for time in range(1200):
            state = (inner * state + outer * [1.0, -0.5, 0.25][time % 3]).apply(mpmath.tanh)
            if time >= 1197:
                product = mpmath.diag([1 - x**2 for x in state]) * inner * product
        moduli = [abs(value) for value in mpmath.eig(product, left=False, right=False)]
        holds(found, sorted((mpmath.log(value) for value in moduli), reverse=True))


def test_a_lower_end_is_missing_where_a_multiplier_vanishes() -> None:
    chain = [[0.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0.5]]
    _, found = proved(plain(chain, np.ones(4), "relu"))
    with mpmath.workdps(50):
        value = fraction(-mpmath.log(2))
    low, high = found.bounds[0]
    assert low is not None
    assert high is not None
    assert low <= value <= high
    assert high - low < WIDTH
    assert all(low is None and high is not None and high < -20 for low, high in found.bounds[1:])


def test_smooth_nets_of_rank_one_have_vanishing_multipliers_too() -> None:
    _, found = proved(plain(np.outer([1, 2, 0.5], [0.3, 0.2, -0.4]), [0.1, 0.2, 0.1]))
    assert [low is None for low, _ in found.bounds] == [False, True, True]


@pytest.mark.parametrize("weights", [[[0.5, 1, 0], [0, 0.5, 1], [0, 0, 0.5]], [[0.5, 1, 0], [0, 0.5, 0], [0, 0, 0.5]]])
def test_defective_multipliers_are_enclosed_as_well(weights: list[list[float]]) -> None:
    _, found = proved(plain(weights, np.ones(3), "relu"))
    with mpmath.workdps(50):
        holds(found, [-mpmath.log(2)] * 3)


def test_equal_complex_pairs_are_enclosed_together() -> None:
    block = np.array([[0.5, 0.25], [-0.25, 0.5]])
    _, found = proved(plain(np.kron(np.eye(2), block), [0.1, 0.2, 0.1, 0.2]))
    assert len(set(found.bounds)) == 1
    assert len(found.moduli.rates) == 2


@pytest.mark.parametrize(("level", "factor"), [(1, 1 - Fraction(1, 10**21)), (4, 1 + Fraction(1, 10**21)), (5, Fraction(1, 2))])
def test_a_rate_moved_past_a_modulus_is_rejected(level: int, factor: Fraction) -> None:
    draft, found = proved(plain(W), (0.1, 0.2, -0.3))
    name, cites, witness = draft.steps[found.steps[1] - 1]
    rates = [read_number(rate, "rate") for rate in witness["rates"]]  # type: ignore[attr-defined]
    rates[level] *= factor
    steps = (*draft.steps[: found.steps[1] - 1], (name, cites, witness | {"rates": [write_number(rate) for rate in rates]}))
    claim = replace(found.moduli, rates=tuple(rates))
    with pytest.raises(Rejected):
        check(Certificate(draft.network, (claim,), steps))


def test_an_exponent_that_no_step_proves_is_rejected() -> None:
    draft, found = proved(plain(W), (0.1, 0.2, -0.3))
    claim = replace(found.moduli, counts=(0, 1, 1, 2, 3, 3))
    with pytest.raises(Rejected):
        check(Certificate(draft.network, (claim,), tuple(draft.steps)))


def test_a_ball_beside_the_cycle_is_rejected() -> None:
    draft, found = proved(plain(W), (0.1, 0.2, -0.3))
    name, cites, witness = draft.steps[found.steps[0] - 1]
    points = [list(point) for point in witness["points"]]  # type: ignore[attr-defined]
    points[0][0] = write_number(read_number(points[0][0], "point") + Fraction(1, 2**100))
    with pytest.raises(Rejected):
        check(Certificate(draft.network, (found.cycle,), ((name, cites, witness | {"points": points}),)))


def test_a_chaotic_orbit_gives_a_reason() -> None:
    found, reason = prove_cycle_exponents(Draft(lozi()), (0.1, 0.1), deadline=monotonic() + 0.5)
    assert found is None
    assert "not periodic" in reason


def test_a_multiplier_of_one_gives_a_reason_and_leaves_no_step() -> None:
    draft = Draft(plain([[1.0, 0.0], [0.0, 0.5]], [0.0, 1.0], "relu"))
    found, reason = prove_cycle_exponents(draft, (1.0, 0.0), deadline=monotonic() + 5.0)
    assert found is None
    assert "singular" in reason
    assert not draft.facts


@pytest.mark.parametrize("start", [(0.0,), (0.0, float("nan"), 0.0), (0.0, float("inf"), 0.0)])
def test_a_start_that_is_no_state_is_refused(start: tuple[float, ...]) -> None:
    with pytest.raises(Malformed, match="start"):
        prove_cycle_exponents(Draft(plain(W)), start, deadline=monotonic() + 1.0)
