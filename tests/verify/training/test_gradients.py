"""Derivatives of cycles by weights: known values, exact differences, and the gradient laws near escapes and collisions."""

from __future__ import annotations

from fractions import Fraction as Q
from math import isnan

import numpy as np
import pytest

from proofs.errors import Malformed
from tests.verify.training.families import TOY, five_states, plrnn, toy, two_cycles, with_entry
from verify.certification.orbits import PieceTable, closed_orbit
from verify.errors import Unsupported
from verify.loading import load
from verify.paths import vary
from verify.training.gradient_law import approach, gradient_law, log_slope
from verify.training.gradients import Place, cycle_gradients, direction, outgoing, places, relu_size

A, W, H = Place(1, 0), Place(1, 1), Place(1)


def test_one_state_has_the_known_derivatives() -> None:
    found = cycle_gradients(plrnn(A=["1/5"], W=[["3/10"]], h=[1]).network, ("1",))
    assert found.orbit.points == ((Q(2),),)
    assert found.norm(H) == 2
    assert found.norm(A) == found.norm(W) == 4
    assert found.gap == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["A", "W", "h"])
def test_agrees_with_exact_differences(name: str) -> None:
    loaded = plrnn(A=[["-2/5", "4/5"], ["-2/5", "1/5"]], W=[["-11/10", 0], ["9/10", 0]], h=["107/500", 0])
    word, step = ("11", "01"), Q(1, 2**60)
    found = cycle_gradients(loaded.network, word)
    assert found.is_real
    place = next(place for place, known in places(loaded.network).items() if known == name)
    for index in np.ndindex(*np.shape(loaded.arrays[name])):
        moved = with_entry(loaded, name, index, Q(str(loaded.arrays[name][index])) + step)
        before, after = (closed_orbit(PieceTable(one.network), word).points for one in (loaded, moved))
        entry = index if len(index) == 2 else (*index, 0)
        for state in range(2):
            difference = (after[0][state] - before[0][state]) / step
            assert abs(difference - found.by(place)[state, *entry]) < Q(1, 2**40)


def test_the_loss_agrees_with_exact_differences() -> None:
    path, event = two_cycles()
    mu, step, goal = Q(1, 10), Q(1, 2**60), np.array([[Q(1), Q(2)], [Q(3), Q(-1)]], dtype=object)

    def loss(at: Q) -> Q:
        points = closed_orbit(PieceTable(path.at(at)), event.itinerary).points
        return sum(((z - y) ** 2 for point, row in zip(points, goal, strict=True) for z, y in zip(point, row, strict=True)), Q(0)) / 4

    found, moving = cycle_gradients(path.at(mu), event.itinerary), direction(path)
    total = Q(0)
    for place, speed in moving.items():
        rows, columns = speed.shape
        total += sum((found.loss(place, goal)[i, j] * speed.middle(i, j) for i in range(rows) for j in range(columns)), Q(0))
    assert abs((loss(mu + step) - loss(mu)) / step - total) < Q(1, 2**40)


def test_along_the_path_is_the_derivative_by_mu() -> None:
    path, _ = two_cycles()
    word, mu, step = ("11", "01"), Q(1, 10), Q(1, 2**60)
    speed = cycle_gradients(path.at(mu), word).along(direction(path))
    before, after = (closed_orbit(PieceTable(path.at(x)), word).points for x in (mu, mu + step))
    for a, b, s in zip(before, after, speed, strict=True):
        assert max(abs((b[i] - a[i]) / step - s.middle(i)) for i in range(2)) < Q(1, 2**40)


@pytest.mark.parametrize(("family", "first"), [(two_cycles, Q(1, 128)), (toy, Q(1, 128)), (five_states, Q(-1, 64))])
def test_gradient_law_at_an_escape(family: object, first: Q) -> None:
    path, event = family()  # type: ignore[operator]
    middle = (event.low + event.high) / 2
    targets = np.full((event.period, path.start.dimension), Q(0), dtype=object)
    parameters = approach(middle, first, 6)
    assert all(cycle_gradients(path.at(mu), event.itinerary).is_real for mu in parameters)
    law = gradient_law(path, event.itinerary, middle, parameters, targets=targets)
    for name, power in (("z", -1), ("dz/dmu", -2), ("dz/dA", -2), ("dz/dh", -1), ("dLoss/dA", -3), ("dLoss/dh", -2)):
        assert abs(law.slopes[name].value / power - 1) < 0.05, (name, law.slopes[name])
        assert law.slopes[name].error < 0.05


def test_weights_of_inactive_units_have_no_gradient() -> None:
    path, event = toy()
    law = gradient_law(path, event.itinerary, Q(1), approach(Q(1), Q(1, 64), 4))
    assert isnan(law.slopes["dz/dW"].value)
    assert {row[3][law.columns.index("dz/dW")] for row in law.rows} == {0.0}


def test_at_a_collision_the_column_vanishes_and_the_bias_does_not() -> None:
    loaded = plrnn(**TOY)
    border = Q("0.37298") * Q("0.52505") / Q("0.97931")  # z_2 = 0 where w_2 h_1 / (1 - a_1) = -h_2
    path, mu = vary(loaded, "A[0]=3/4:17/20"), 1 - border
    at_border = cycle_gradients(path.at(mu), ("11",))
    assert at_border.orbit.points[0][1] == 0
    assert at_border.norm(W, 1) == 0 < at_border.norm(W, 0)
    assert at_border.norm(H) > 1
    law = gradient_law(path, ("11",), mu, approach(mu, Q(1, 32), 6), unit=2, against="distance")
    assert law.slopes["dz/dW[:,1]"].value == pytest.approx(1, abs=0.05)
    assert law.slopes["dz/dh"].value == pytest.approx(0, abs=0.05)


def test_a_unit_active_elsewhere_keeps_its_gradient() -> None:
    path = vary(plrnn(A=["1/5"], W=[["-2"]], h=[1]), "W[0,0]=-5:-11/10")
    collision = cycle_gradients(path.at(Q(-6, 5)), ("0", "1"))
    assert collision.orbit.points[0][0] == 0
    assert collision.norm(W, 0) > 0


def test_outgoing_columns() -> None:
    shallow = load(
        {"A": ["1/2", "1/4"], "W1": [[1, 2, 3], [4, 5, 6]], "W2": [[1, 0], [0, 1], [1, 1]], "h1": [0, 0], "h2": [0, 0, 0]}, "shallow_plrnn"
    )
    assert outgoing(shallow.network, 3) == [(Place(2, 1), 2)]
    assert relu_size(shallow.network, 1) == 3
    assert places(shallow.network)[Place(2)] == "h"
    with pytest.raises(Malformed):
        outgoing(shallow.network, 4)


def test_slopes_need_three_pairs() -> None:
    assert isnan(log_slope([1.0, 2.0], [1.0, 2.0]).value)
    assert isnan(log_slope([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).value)
    assert log_slope([1.0, 2.0, 4.0], [0.0, float("inf"), 1.0]).points == 1


def test_bad_input() -> None:
    path, event = two_cycles()
    with pytest.raises(Malformed, match="parameters"):
        gradient_law(path, event.itinerary, Q(0), [Q(2)])
    with pytest.raises(Malformed):
        gradient_law(path, event.itinerary, Q(0), [])
    with pytest.raises(Malformed):
        gradient_law(path, event.itinerary, Q(0), [Q(0)], against="time")
    with pytest.raises(Malformed):
        approach(Q(0), Q(0))
    with pytest.raises(Malformed):
        log_slope([1.0], [])
    found = cycle_gradients(path.at(Q(0)), event.itinerary)
    with pytest.raises(Malformed):
        found.norm(W, 7)
    with pytest.raises(Malformed):
        found.norm(Place(9))
    with pytest.raises(Malformed):
        found.loss(W, np.full((3, 2), Q(0), dtype=object))
    with pytest.raises(Malformed):
        cycle_gradients(path.at(Q(0)), ())
    smooth = load({"W": [["1/2"]], "b": [0], "activation": "tanh"}, "rnn")
    with pytest.raises(Unsupported):
        cycle_gradients(smooth.network, ("1",))
