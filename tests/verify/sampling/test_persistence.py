"""Radii of card B1: what is returned is proved, and the next step is refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from proofs import Rejected, check
from proofs.claims import LiYorke
from proofs.errors import Malformed
from verify.certification.draft import Draft, spelled
from verify.certification.persistent import Radii
from verify.errors import NotFound, Unsupported
from verify.loading import Loaded, load
from verify.rounding import dyadic_below
from verify.sampling.database import Row
from verify.sampling.families import Cell, draw
from verify.sampling.persistence import (
    Distribution,
    Sampled,
    chaotic_networks,
    distribution,
    loaded_row,
    persistence,
    point_of,
    sampled_radii,
    stored_networks,
)

LAYERS = [{"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"}, {"W": [[2, -4]], "b": [0], "activation": "identity"}]
CELL = Cell("theory", 12, 8.0)


def tent() -> Loaded:
    """Return the tent map as a file would give it."""
    return load({"layers": LAYERS}, model="scalar", name="tent")


def claimed(found: Radii) -> tuple[LiYorke, LiYorke]:
    """Check both certificates and return what they claim."""
    assert found.sup is not None
    assert found.weights is not None
    sup, weights = (check(radius.certificate).claims[0] for radius in (found.sup, found.weights))
    assert isinstance(sup, LiYorke)
    assert isinstance(weights, LiYorke)
    return sup, weights


def test_the_tent() -> None:
    """At a = 1/4 the gaps are 1/4, 1/2, 1/4 and L = 2: e (1 + 2 + 4) <= 1/4, so 1/32 passes, and 1/28 would."""
    found = persistence(tent(), Fraction(1, 4))
    assert found.name == "tent"
    sup, weights = claimed(found)
    assert found.sup is not None
    assert found.weights is not None
    assert (sup.sup_radius, weights.sup_radius) == (Fraction(1, 32), None)
    assert (found.sup.value, found.sup.point) == (Fraction(1, 32), Fraction(1, 4))
    assert found.weights.certificate.network.largest_radius == found.weights.value == Fraction(181, 131072)


def test_the_next_step_is_refused() -> None:
    for network in chaotic_networks(CELL, 5, 60):
        if network.theorem != "li_yorke":
            continue
        found = persistence(network.loaded, point_of(network.recipe))
        claimed(found)
        assert found.sup is not None
        assert found.weights is not None
        draft = Draft(network.loaded.network)
        table, _ = draft.add("pieces", {"max_knots": 10_000})
        step: dict[str, object] = {"point": spelled([found.sup.point])[0], "sup_radius": spelled([next_step(found.sup.value)])[0]}
        with pytest.raises(Rejected):
            draft.add("li_yorke", step, [table])
        wide = Draft(network.loaded.with_radius(next_step(found.weights.value)))
        with pytest.raises(Rejected):
            wide.add("li_yorke", {"point": spelled([found.weights.point])[0], "bits": 256})


def next_step(radius: Fraction) -> Fraction:
    """Return the step after a radius."""
    place = next(q for q in range(-400, 81) if dyadic_below(q) == radius)
    return dyadic_below(place + 1)


def test_a_better_point_is_looked_for_unless_it_is_not_wanted() -> None:
    loaded = tent()
    off = Fraction(249, 1000)
    at, better = persistence(loaded, off, improve=False), persistence(loaded, off)
    assert at.sup is not None
    assert better.sup is not None
    assert at.sup.point == off
    assert better.sup.value >= at.sup.value
    assert better.sup.point == Fraction(1, 4)


def test_where_no_radius_passes_there_is_none() -> None:
    """The map 0 -> 1 -> 2 -> 0 at a = 0: F^3(a) = a, so there is no room at all."""
    layers = [{"W": [[1], [1], [-1]], "b": [0, -1, 0], "activation": "relu"}, {"W": [[1, -3, 0]], "b": [1], "activation": "identity"}]
    loaded = load({"layers": layers}, model="scalar")
    found = persistence(loaded, Fraction(0), improve=False)
    assert (found.sup, found.weights) == (None, None)
    assert distribution([found], "sup") == Distribution((), 1)


def test_what_it_cannot_do_it_says() -> None:
    with pytest.raises(NotFound) as error:
        persistence(tent(), Fraction(1, 5))
    assert error.value.expected == "F^3(a) <= a < F(a) < F^2(a), or all reversed"
    assert error.value.got == "a = 1/5, where this fails"
    with pytest.raises(NotFound, match="expected  the affine pieces of F\n  got       too many for a budget of 0"):
        persistence(tent(), Fraction(1, 4), most_knots=0)
    plane = load({"A": [0.5, 0.5], "W": [[0, 1], [-1, 0]], "h": [0, 1]}, model="plrnn")
    with pytest.raises(Unsupported, match="an exact piecewise-linear network with one state\n  got       2 states"):
        persistence(plane, Fraction(0))
    smooth = load({"layers": [{"W": [[1]], "b": [0], "activation": "tanh"}]}, model="scalar")
    with pytest.raises(Unsupported, match="got       1 state, weights with a radius or smooth operations"):
        persistence(smooth, Fraction(0))


def test_a_distribution_counts_networks_without_a_radius() -> None:
    found = Distribution((Fraction(1, 8), Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)), 2)
    assert found.total == 6
    assert [found.quantile(level) for level in (0.1, 1 / 3, 0.5, 0.75, 1.0)] == [0, 0, Fraction(1, 8), Fraction(1, 4), Fraction(1, 2)]
    assert [found.at_least(Fraction(radius)) for radius in ("1/100", "1/8", "1/4", "3/8", "1")] == [4, 4, 3, 1, 0]
    for bad, level in ((found, 0.0), (found, 1.1), (Distribution(()), 0.5)):
        with pytest.raises(Malformed, match="quantiles of networks\n  expected  a level in"):
            bad.quantile(level)
    with pytest.raises(Malformed, match="a kind of radius\n  expected  sup or weights\n  got       'l2'"):
        distribution([], "l2")


def test_sampled_networks_are_those_of_the_cell() -> None:
    networks = list(chaotic_networks(CELL, 5, 60))
    assert networks
    assert [each.index for each in networks] == sorted({each.index for each in networks})
    late = list(chaotic_networks(CELL, 5, 60 - networks[0].index - 1, first=networks[0].index + 1))
    assert [each.index for each in late] == [each.index for each in networks[1:]]
    batch = draw(CELL, 5, networks[0].index, 1)
    assert networks[0].loaded.network.digest == batch.network(0).digest
    assert networks[0].loaded.name == f"theory width=12 scale=8.0 depth=1 output=clip seed=5 network={networks[0].index}"
    found = list(sampled_radii(networks, improve=False))
    assert len(found) == sum(each.theorem == "li_yorke" for each in networks)
    radii = distribution(found, "sup")
    assert radii.total == len(found)
    assert all(np.diff([float(radius) for radius in radii.radii]) >= 0)


def test_a_campaigns_rows_give_the_same_networks() -> None:
    found = next(chaotic_networks(CELL, 5, 60))
    name = draw(CELL, 5, found.index, 1).sha256(0)
    rows = [Row(0, b"", "ordered", "coppel", "{}", False), Row(found.index, name, "chaotic", found.theorem, found.recipe, True)]
    (again,) = stored_networks(CELL, 5, rows)
    assert (again.index, again.theorem, again.recipe) == (found.index, found.theorem, found.recipe)
    assert again.loaded.network.digest == found.loaded.network.digest
    with pytest.raises(Malformed, match=f"a network is that of its row\n  expected  SHA-256 [0-9a-f]*\n  got       {name.hex()}"):
        next(stored_networks(CELL, 6, rows))


def test_networks_proved_otherwise_are_passed_over() -> None:
    batch = draw(CELL, 5, 0, 1)
    assert not list(sampled_radii([Sampled(0, loaded_row(batch, 0, 5), "odd_period", '{"point":"0","times":5}')]))
    with pytest.raises(Unsupported, match="networks on the line\n  expected  one state\n  got       3 states"):
        next(chaotic_networks(Cell("relu_rnn", 3, 1.0), 1, 10))


@pytest.mark.parametrize("recipe", ["", "[]", "{", '{"times":3}'])
def test_recipes_without_a_point_are_refused(recipe: str) -> None:
    with pytest.raises(Malformed, match="a recipe for card B1"):
        point_of(recipe)
