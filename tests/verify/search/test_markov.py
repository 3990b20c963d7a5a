"""Markov partitions of known maps: densities and exponents in closed form, rank-one networks, and what is said where there is none."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import log

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network
from proofs.theorems.unfold import table_of
from verify.loading import load, load_network
from verify.models.blocks import affine, apply
from verify.numerics.stationary import stationary_density
from verify.search.markov import Factor, MarkovClass, absorbing_facets, markov_classes, scalar_factor


def line(slopes: list[str], knots: list[str], start: str) -> Network:
    """Return the map with these slopes from left to right, bent at these knots, and the value ``start`` at 0 on the first line."""
    first, *others = map(Fraction, slopes)
    gains = [str(b - a) for a, b in pairwise([first, *others])]
    arrays: dict[str, object] = {
        "A": [str(first)],
        "W1": [gains],
        "W2": [["1"]] * len(knots),
        "h1": [start],
        "h2": [str(-Fraction(k)) for k in knots],
    }
    return load_network({"model": "shallow_plrnn", **arrays})


def skew(a: str) -> Network:
    top = Fraction(a)
    return line([str(1 / top), str(-1 / (1 - top))], [a], "0")


def one_class(network: Network) -> MarkovClass:
    found = markov_classes(network)
    assert len(found.classes) == 1
    require(network, found.classes[0])
    return found.classes[0]


def require(network: Network, found: MarkovClass) -> None:
    """Check slopes, images and density exactly, by code of this test alone."""
    table = table_of(network, 100)
    inflow = [Fraction(0)] * len(found.ends)
    for (low, high), slope, density in zip(found.ends, found.slopes, found.density, strict=True):
        assert not [knot for knot in table.knots if low < knot < high]
        down, up = sorted((table(low), table(high)))
        assert abs(slope) == (up - down) / (high - low)
        covered = [j for j, (a, b) in enumerate(found.ends) if down <= a and b <= up]
        assert sum((found.ends[j][1] - found.ends[j][0] for j in covered), Fraction(0)) == up - down
        for j in covered:
            inflow[j] += density / abs(slope)
    assert inflow == list(found.density)


def test_the_density_of_a_map_with_two_slopes_is_not_constant() -> None:
    found = one_class(line(["1", "-2"], ["1/2"], "1/2"))
    assert found.ends == ((Fraction(0), Fraction(1, 2)), (Fraction(1, 2), Fraction(1)))
    assert found.density[1] == 2 * found.density[0]
    assert found.exponent == pytest.approx(2 * log(2) / 3, abs=1e-15)


@pytest.mark.parametrize("a", ["3/10", "2/5", "1/7"])
def test_skew_tents_have_the_entropy_of_a_coin(a: str) -> None:
    x = float(Fraction(a))
    assert one_class(skew(a)).exponent == pytest.approx(-x * log(x) - (1 - x) * log(1 - x), abs=1e-14)


def test_a_partition_may_have_many_intervals() -> None:
    found = one_class(line(["3/2", "-2"], ["1/2"], "1/4"))
    assert len(found.ends) == 5
    assert found.density == tuple(map(Fraction, (9, 15, 16, 20, 18)))
    assert log(3 / 2) < found.exponent < log(2)


def test_two_classes_are_two_entries() -> None:
    """Full tents on [0, 1] and on [2, 3], the second a copy; between them the map rises from one square to the other."""
    network = line(["2", "-2", "2", "-2"], ["1/2", "1", "5/2"], "0")
    table = table_of(network, 100)
    assert [table(Fraction(x)) for x in (0, 1, 2, 3)] == [0, 0, 2, 2]
    found = markov_classes(network)
    assert {one.ends[0][0] for one in found.classes} == {Fraction(0), Fraction(2)}
    for one in found.classes:
        require(network, one)


def tent(mu: str) -> Network:
    other = str(-2 * Fraction(mu))
    return load_network({"model": "rnn", "W": [[mu, other], [mu, other]], "b": ["0", "-1/2"], "activation": "relu"})


def test_a_rank_one_relu_network_is_a_tent_inside() -> None:
    factor = scalar_factor(tent("2"))
    assert isinstance(factor, Factor)
    assert factor.form == (Fraction(2), Fraction(-4))
    state = [Fraction(3, 7), Fraction(1, 11)]
    image = tent("2").image(Matrix.column(state))
    inside = factor.network.image(Matrix.column([2 * state[0] - 4 * state[1]]))
    assert inside.middle(0) == 2 * image.middle(0) - 4 * image.middle(1)
    assert one_class(factor.network).exponent == pytest.approx(log(2), abs=1e-15)


def test_an_expanding_map_that_is_not_markov_has_a_reason() -> None:
    factor = scalar_factor(tent("19/10"))
    assert isinstance(factor, Factor)
    found = markov_classes(factor.network)
    assert not found.classes
    assert "the orbit of 19/200 does not close up within" in found.reasons[-1]
    regions = absorbing_facets(factor, 2)
    assert [row[-1] for row in regions[0][:2]] == [-19, 19]
    assert len(regions) == 1


def test_what_is_not_scalar_is_told_so() -> None:
    lozi = load_network({"model": "plrnn", "A": [["17/10", "1"], ["1/2", "0"]], "W": [["-17/5", "0"], ["0", "0"]], "h": ["1", "0"]})
    assert scalar_factor(lozi) == "markov: several states, and more than one affine operation reads them"
    full = load_network({"model": "rnn", "W": [["1", "2"], ["3", "4"]], "b": ["0", "0"], "activation": "relu"})
    assert scalar_factor(full) == "markov: several states, and the matrix that reads them has a rank above one"
    nothing = Network(2, (affine(Matrix.column([Fraction(0)] * 2), (Matrix.exact([[Fraction(0)] * 2] * 2), 0)), apply("relu", 1)))
    assert scalar_factor(nothing) == "markov: the matrix that reads the state has radii, or is 0"


def test_smooth_maps_and_intervals_are_refused_with_the_reason() -> None:
    exact_only = ("markov: for exact piecewise-linear networks only",)
    assert markov_classes(load_network({"model": "rnn", "W": [["2"]], "b": ["0"], "activation": "tanh"})).reasons == exact_only
    loose = load({"model": "rnn", "W": [["2"]], "b": ["0"], "activation": "relu"}).with_radius(Fraction(1, 8))
    assert markov_classes(loose).reasons == exact_only


def test_constant_pieces_leave_no_class() -> None:
    found = markov_classes(line(["0", "1/2", "0"], ["0", "1"], "0"))
    assert not found.classes
    assert found.reasons


def test_knots_that_are_fixed_leave_nothing_to_start_from() -> None:
    found = markov_classes(line(["-2", "-1/2"], ["0"], "0"))
    assert not found.classes
    assert found.reasons == ("markov: every knot is a fixed point, so that none has an absorbing interval",)


def test_a_density_needs_one_closed_class() -> None:
    assert stationary_density([[0], [1]], [Fraction(1), Fraction(1)]) is None
    assert stationary_density([[0, 1], [0, 1]], [Fraction(2), Fraction(-2)]) == (Fraction(1), Fraction(1))


def test_long_orbits_agree_with_the_exponent() -> None:
    """Orbits in floats are heuristic, but slopes that are no powers of two do not lose them."""
    network, state, total = skew("3/10"), 0.1234, 0.0
    for _ in range(20_000):
        total += log(10 / 3 if state < 0.3 else 10 / 7)
        state = state / 0.3 if state < 0.3 else (1 - state) / 0.7
    assert np.isclose(total / 20_000, one_class(network).exponent, atol=0.02)
