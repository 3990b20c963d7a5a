"""Finite-time exponents of one orbit: against exact values, 200 digits and float SVDs; what is lowered, given up and refused."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import log

import mpmath
import numpy as np
import pytest

from proofs import check
from proofs.arithmetic import Matrix
from proofs.certificate import Certificate
from proofs.errors import Malformed, Rejected
from proofs.network import Network, Operation
from tests.verify.certification.test_cycle_exponents import W, lozi, plain
from verify.certification.finite_time import ProvedFiniteTime, certify_finite_time, certify_orbit, joined, orbit_of, wish_of
from verify.certification.spectra import certify_exponents
from verify.models.blocks import affine
from verify.models.gated import Cell, Layer
from verify.numerics.batch import FloatNetwork

START = (0.1, 0.2, -0.3)
PARTS: dict[Cell, int] = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}


def linear(rows: Sequence[Sequence[Fraction | int]]) -> Network:
    """Return z' = A z."""
    matrix = Matrix.exact([[Fraction(entry) for entry in row] for row in rows])
    return Network(len(rows), (affine(Matrix.column([Fraction(0)] * len(rows)), (matrix, 0)),))


def henon() -> Network:
    """Return (x, y) -> (1 - 7/5 x^2 + y, 3/10 x) with a product of registers."""
    first = affine(Matrix.column([Fraction(0)]), (Matrix(((1, 0),), None, 1), 0))
    last = affine(
        Matrix.column([Fraction(1), Fraction(0)]),
        (Matrix(((-7,), (0,)), None, 5), 2),
        (Matrix.exact([[Fraction(0), Fraction(1)], [Fraction(3, 10), Fraction(0)]]), 0),
    )
    return Network(2, (first, Operation("mul", (1, 1)), last))


def random_layer(cell: Cell, units: int, inputs: int, seed: int) -> Layer:
    """Return a layer with normal weights."""
    random, rows = np.random.default_rng(seed), PARTS[cell] * units
    return Layer(cell, random.normal(size=(rows, inputs)), random.normal(size=(rows, units)), random.normal(size=rows) / 2)


def ends(found: ProvedFiniteTime) -> list[tuple[Fraction, Fraction]]:
    """Return the intervals, all of them closed; the certificate must pass once more, from its bytes."""
    assert found.certificate is not None
    assert check(found.certificate).claims == found.claims
    assert [entry.of for entry in found.entries] == list(range(1, len(found.entries) + 1))
    assert all(entry.steps == found.steps for entry in found.entries)
    return [(entry.lower, entry.upper) for entry in found.entries if entry.lower is not None and entry.upper is not None]


def digits_of(weights: Sequence[Sequence[float]], start: Sequence[float], steps: int) -> list[mpmath.mpf]:
    """Return the exponents of h' = tanh(W h) by 400 digits."""
    matrix, state = mpmath.matrix([list(row) for row in weights]), mpmath.matrix(list(start))
    product = mpmath.eye(len(start))
    for _ in range(steps):
        state = (matrix * state).apply(mpmath.tanh)
        product = mpmath.diag([1 - value**2 for value in state]) * matrix * product
    return [mpmath.log(value) / steps for value in mpmath.svd_r(product, compute_uv=False)]


def floats_of(networks: Sequence[Network], order: Sequence[int], start: Sequence[float]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the exponents by a float SVD, which of them floats can tell, and the mean of log |det J|."""
    maps, state, product, volume = [FloatNetwork(one) for one in networks], np.array([start], dtype=float), np.eye(len(start)), 0.0
    for number in order:
        jacobian = np.asarray(maps[number].jacobian(state)[0])
        product, state = jacobian @ product, maps[number].step(state)
        volume += float(np.linalg.slogdet(jacobian)[1])
    values = np.linalg.svd(product, compute_uv=False)
    return np.log(np.maximum(values, 1e-300)) / len(order), values > 1e-7 * values[0], volume / len(order)


def inside(value: object, interval: tuple[Fraction, Fraction], width: float = 1.1e-6) -> bool:
    """Say whether a number lies in an interval that is this narrow."""
    low, high = interval
    with mpmath.workdps(50):
        number = mpmath.mpf(value)
        return bool(
            mpmath.mpf(low.numerator) / low.denominator < number < mpmath.mpf(high.numerator) / high.denominator and high - low < width
        )


@pytest.mark.parametrize(("steps", "first"), [(7, log(2) / 7), (1, log(2)), (8, 0.0)])
def test_a_linear_network_has_its_singular_values(steps: int, first: float) -> None:
    found = certify_finite_time(linear([[0, 2], [Fraction(-1, 2), 0]]), [0, 0], steps)  # A^2 = -1
    (high, low), told = ends(found), found.entries
    assert inside(first, high)
    assert inside(-first, low)
    assert {entry.said_of for entry in told} == {f"this orbit, {steps} step{'' if steps == 1 else 's'} from the stated start"}
    assert (found.steps, found.undecided, found.theorems) == (steps, (), ("finite_time",))


def test_two_units_by_400_digits() -> None:
    weights = [[1.5, -2.0], [1.0, 0.75]]
    with mpmath.workdps(400):
        truth = digits_of(weights, (0.1, -0.2), 25)
    found = certify_finite_time(plain(weights), (0.1, -0.2), 25, width=1e-12)
    assert all(inside(value, pair, 1.1e-12) for value, pair in zip(truth, ends(found), strict=True))


FAR = [pytest.param(steps, known, marks=pytest.mark.slow) for steps, known in ((100, 3), (200, 2))]


@pytest.mark.parametrize(("steps", "known"), [(1, 3), (12, 3), (60, 3), *FAR])
def test_the_integer_net(steps: int, known: int) -> None:
    with mpmath.workdps(100 + 10 * steps):
        truth = digits_of(W.tolist(), START, steps)
    found = certify_finite_time(plain(W), START, steps, budget=600.0)
    assert len(ends(found)) == known
    assert all(inside(value, pair) for value, pair in zip(truth, ends(found), strict=False))
    assert found.steps == steps
    assert found.certificate is not None
    assert ("basis" in found.certificate.steps[-1][2]) == (steps > 12)
    if known < len(truth):
        assert found.entries[-1].lower is None
        assert truth[-1] < float(found.entries[-1].upper or 0)
        assert "1 of 3 without a lower end: 2000 bits do not tell them from -infinity" in found.undecided[0]


@pytest.mark.parametrize(("cell", "units", "seed"), [("rnn_tanh", 3, 4), ("lstm", 2, 4), ("gru", 3, 4), ("rnn_relu", 3, 2)])
def test_driven_cells_against_floats(cell: Cell, units: int, seed: int) -> None:
    random, layer = np.random.default_rng(5), random_layer(cell, units, 2, seed)
    inputs = random.normal(size=(12, 2)).tolist()
    start = (random.normal(size=layer.states) / 2).tolist()
    found = certify_finite_time([layer], start, 12, inputs=inputs, width=1e-5, budget=120.0)
    orbit = orbit_of([layer], start, 12, inputs)
    values, told, volume = floats_of(orbit.networks, orbit.order, start)
    assert found.entries[0].said_of == "this orbit, 12 steps from the stated start, under the stated inputs"
    pairs = ends(found)
    assert all(inside(value, pair, 1.1e-5) for value, pair, known in zip(values, pairs, told, strict=False) if known)
    assert told[0]
    if len(pairs) == layer.states:
        low, high = (float(sum(pair[end] for pair in pairs)) for end in (0, 1))
        assert low < volume < high
        assert high - low < 1.1e-5 * len(pairs)


@pytest.mark.parametrize("steps", [20, pytest.param(50, marks=pytest.mark.slow)])
def test_an_lstm_whose_directions_shrink_at_different_rates(steps: int) -> None:
    random, layer = np.random.default_rng(0), random_layer("lstm", 4, 1, 0)
    inputs = random.normal(size=(steps, 1)).tolist()
    orbit = orbit_of([layer], [0.1] * 8, steps, inputs)
    found = certify_finite_time([layer], [0.1] * 8, steps, inputs=inputs, budget=600.0)
    values, told, volume = floats_of(orbit.networks, orbit.order, [0.1] * 8)
    pairs = ends(found)
    assert len(pairs) == 8
    assert all(inside(value, pair) for value, pair, known in zip(values, pairs, told, strict=True) if known)
    assert float(sum(low for low, _ in pairs)) < volume < float(sum(high for _, high in pairs))


def test_equal_exponents_in_a_basis() -> None:
    turn: list[list[Fraction | int]] = [[Fraction(3, 5), Fraction(-4, 5), 0], [Fraction(4, 5), Fraction(3, 5), 0], [0, 0, Fraction(1, 32)]]
    found = certify_finite_time(linear(turn), [1, 1, 1], 60)
    assert found.certificate is not None
    assert "basis" in found.certificate.steps[-1][2]
    assert all(inside(value, pair) for value, pair in zip((0, 0, -5 * log(2)), ends(found), strict=True))


def test_repeated_inputs_are_stored_once() -> None:
    layer = random_layer("gru", 2, 1, 0)
    inputs = [[0.5], [-1.0], [0.5], [0.5], [-1.0], [0.5], [3.0]]
    found = certify_finite_time([layer], [0.0, 0.0], 6, inputs=inputs)
    (claim,) = found.claims
    assert len(claim.symbols) == 2  # type: ignore[attr-defined]
    assert claim.inputs == (0, 1, 0, 0, 1, 0)  # type: ignore[attr-defined]
    constant = certify_finite_time([layer], [0.0, 0.0], 3, inputs=[[0.5]] * 3)
    assert constant.entries[0].said_of.endswith("under the stated inputs")
    free = certify_finite_time([layer], [0.0, 0.0], 3)
    assert ends(free)[0] != ends(constant)[0]


def test_products_of_registers_and_the_sum() -> None:
    found = certify_finite_time(henon(), [0.1, 0.1], 30)
    values, told, volume = floats_of([henon()], [0] * 30, [0.1, 0.1])
    (first, second), total = ends(found), log(0.3)
    assert inside(values[0], first)
    assert volume == pytest.approx(total)
    assert told.tolist() == [True, False]
    assert first[0] + second[0] < total < first[1] + second[1]


def test_lozi_far_along_and_only_the_first() -> None:
    found = certify_finite_time(lozi(), [0.1, 0.1], 100, k=1)
    values, _, _ = floats_of([lozi()], [0] * 100, [0.1, 0.1])
    assert len(ends(found)) == 1
    assert abs(float(ends(found)[0][0]) - values[0]) < 0.05  # the float orbit is another one by then
    assert found.steps == 100


@pytest.mark.parametrize("steps", [40, pytest.param(300, marks=pytest.mark.slow)])
def test_a_chaotic_network(steps: int) -> None:
    random = np.random.default_rng(3)
    weights = 4 * random.normal(size=(4, 4)) / 2
    start = (random.normal(size=4) / 10).tolist()
    with mpmath.workdps(400):
        truth = digits_of(weights.tolist(), start, steps)
    found = certify_finite_time(plain(weights), start, steps, k=1, budget=600.0)
    assert found.steps == steps
    assert inside(truth[0], ends(found)[0])


def test_a_lost_direction_has_only_an_upper_end() -> None:
    network = plain([[2.0, -4.0], [2.0, -4.0]], [0.0, -0.5], "relu")
    found = certify_finite_time(network, [0.3, 0.1], 10)
    assert len(ends(found)) == 1
    assert found.entries[1].lower is None
    assert (found.entries[1].upper or 0) < -3
    assert found.entries[1].as_json()["lower"] is None
    gone = certify_finite_time(plain([[0.0, 1.0], [0.0, 0.0]], [-1.0, -1.0], "relu"), [0.1, 0.1], 4)
    assert [entry.lower for entry in gone.entries] == [None, None]


def test_a_start_on_a_border_is_given_up() -> None:
    network = plain([[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0], "relu")
    found = certify_finite_time(network, [0.0, 1.0], 5)
    assert (found.certificate, found.entries, found.steps, found.theorems) == (None, (), 0, ())
    (reason,) = found.undecided
    assert reason.startswith("finite-time exponents: nothing over 5 steps, nor over fewer: with 20000 bits the enclosure")
    assert reason.endswith("touches a border, or is too wide, at step 1")


def test_an_orbit_that_meets_a_border_is_cut_there() -> None:
    network = plain([[1.0]], [-0.25], "relu")  # 1, 3/4, 1/2, 1/4, 0: on the border
    found = certify_finite_time(network, [1.0], 9)
    assert found.steps == 3
    assert inside(0, ends(found)[0])
    assert found.undecided[0].startswith("finite-time exponents: T lowered from 9 to 3 since with 20000 bits")


def test_a_short_budget_lowers_the_steps_or_refuses() -> None:
    found = certify_finite_time(plain(W), START, 2000, budget=0.4)
    assert found.steps < 2000
    assert any("would take" in reason for reason in found.undecided)
    layer = random_layer("lstm", 40, 1, 0)
    refused = certify_finite_time([layer], [0.0] * 80, 10, budget=0.01)
    assert refused.certificate is None
    assert "nothing over 10 steps, nor over fewer: checking" in refused.undecided[0]


def test_the_certificate_holds_no_more_than_was_proved() -> None:
    found = certify_finite_time(plain([[0.5]]), [0.5], 4)
    assert isinstance(found.certificate, Certificate)
    (claim,) = found.certificate.claims
    for wrong in ({"counts": (0, 0)}, {"steps": 5}, {"start": (Fraction(1, 4),)}):
        with pytest.raises(Rejected):
            check(
                Certificate(
                    found.certificate.network, (type(claim)(**(vars(claim) | wrong)),), found.certificate.steps, found.certificate.remarks
                )
            )


def test_two_certificates_become_one() -> None:
    network = plain([[0.5]])
    one = certify_finite_time(network, [0.5], 4)
    two = certify_orbit(orbit_of(network, [0.25], 3), wish_of(None, 60.0))
    both = joined(one.certificate, two.certificate)
    assert both is not None
    assert check(both).claims == (*one.claims, *two.claims)
    assert joined(None, two.certificate) is two.certificate
    assert joined(one.certificate, None) is one.certificate


def test_beside_all_other_proofs() -> None:
    found = certify_exponents(plain([[0.5, 0.25], [0.0, 0.25]]), start=[0.5, 0.5], budget=60.0, finite_time=(5, 1))
    (entry,) = [one for one in found.entries if one.scope == "this orbit"]
    alone = certify_finite_time(plain([[0.5, 0.25], [0.0, 0.25]]), [0.5, 0.5], 5, k=1)
    assert (entry.lower, entry.upper) == (alone.entries[0].lower, alone.entries[0].upper)
    assert found.certificate is not None
    assert "finite_time" in check(found.certificate).theorems
    with pytest.raises(Malformed, match="start"):
        certify_exponents(plain([[0.5]]), budget=1.0, finite_time=(5, None))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"start": (float("nan"), 0.0)}, "start"),
        ({"start": (0.0,)}, "start"),
        ({"start": (0.0, "x")}, "start"),
        ({"steps": 0}, "steps"),
        ({"steps": 70_000}, "steps"),
        ({"steps": 2.0}, "steps"),
        ({"k": 0}, "k"),
        ({"k": 3}, "k"),
        ({"width": 0.0}, "width"),
        ({"budget": float("nan")}, "budget"),
        ({"inputs": [[0.0]] * 4}, "inputs"),
        ({"inputs": [[0.0, 1.0]] * 5}, "input"),
        ({"inputs": [[float("nan")]] * 5}, "input"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], named: str) -> None:
    wishes: dict[str, object] = {"start": (0.0, 0.0), "steps": 5, **wrong}
    with pytest.raises(Malformed, match=named):
        certify_finite_time([random_layer("gru", 2, 1, 0)], **wishes)  # type: ignore[arg-type]


def test_a_network_file_has_no_inputs() -> None:
    with pytest.raises(Malformed, match="inputs"):
        certify_finite_time(henon(), [0.0, 0.0], 2, inputs=[[1.0], [1.0]])
