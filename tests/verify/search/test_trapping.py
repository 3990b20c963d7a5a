"""Trapping regions found in floats, settled exactly, and seen to hold orbits by simulation that shares nothing with the search."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from time import monotonic

import numpy as np
import pytest

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network
from verify.loading import load_network
from verify.numerics.hulls import float_piece, hull, images, simpler, stays_inside, vertices
from verify.numerics.templates import grown_template, template
from verify.numerics.trapped import Polytope, trapped
from verify.search.trapping import BOX_BITS, box, ellipsoid, polytopes, simulated_orbits

NOWHERE = np.empty((0, 2))


def lozi(a: str, b: str) -> Network:
    return load_network({"model": "plrnn", "A": [[a, "1"], [b, "0"]], "W": [[str(-2 * Fraction(a)), "0"], ["0", "0"]], "h": ["1", "0"]})


def collision() -> Network:
    """Return the border-collision normal form with slopes 7/5, -3/2."""
    A, W = [["7/5", "1"], ["-1/5", "0"]], [["-29/10", "0"], ["-1/5", "0"]]
    return load_network({"model": "plrnn", "A": A, "W": W, "h": ["1", "0"]})


def relu_network(size: int, gain: float, shift: float, seed: int) -> Network:
    """Return z' = W relu(z) + 1 with a random W."""
    W = gain * np.random.default_rng(seed).normal(size=(size, size)) / np.sqrt(size) - shift / size
    return load_network({"model": "plrnn", "A": np.zeros((size, size)).tolist(), "W": W.tolist(), "h": [1.0] * size})


def found(network: Network, seconds: float = 60.0) -> Polytope | None:
    orbits = simulated_orbits(network)
    assert orbits is not None
    nowhere = np.empty((0, network.dimension))
    deadline = monotonic() + seconds
    tried = (trapped(network, facets, deadline) for facets in polytopes(network, orbits, nowhere, deadline))
    return next((one for one in tried if one is not None), None)


def holds(facets: tuple[tuple[int, ...], ...], point: list[Fraction]) -> bool:
    return all(sum((a * x for a, x in zip(facet, [*point, Fraction(1)], strict=True)), Fraction(0)) >= 0 for facet in facets)


@pytest.mark.parametrize("network", [lozi("17/10", "1/2"), lozi("7/5", "3/10"), collision()], ids=["lozi", "calmer lozi", "collision"])
def test_random_states_of_the_polytope_stay_in_it(network: Network) -> None:
    region = found(network)
    assert region is not None
    assert holds(region.facets, list(region.point))
    random, inside = Random(1), 0
    for _ in range(4000):
        state = [Fraction(random.randint(-1500, 1500), 1000) for _ in range(2)]
        if holds(region.facets, state):
            inside += 1
            image = network.image(Matrix.column(state))
            assert holds(region.facets, [image.middle(i) for i in range(2)])
    assert inside > 100


def test_a_region_without_room_around_it_is_found_by_its_corners() -> None:
    """At (9/5, 2/5) the attractor touches the stable set of a saddle: Misiurewicz's triangle itself, and nothing larger, will do."""
    region = found(lozi("9/5", "2/5"))
    assert region is not None
    assert set(region.facets) == {(-4, 16, 5), (-4, -20, 5), (2, 1, 2)}


def test_nothing_is_found_where_every_orbit_leaves() -> None:
    doubling = load_network({"model": "plrnn", "A": [[2, 0], [0, 2]], "W": [[1, 0], [0, 1]], "h": [1, 1]})
    assert simulated_orbits(doubling) is None
    assert box(doubling, None) is None


@pytest.mark.parametrize(("size", "seed"), [(3, 7), (5, 7)])
def test_regions_of_random_networks_with_three_and_five_states(size: int, seed: int) -> None:
    region = found(relu_network(size, 3, 2, seed))
    assert region is not None
    assert len(region.facets) < 30
    assert all(len(rows) == len(region.facets) for _, rows in region.kept)


def test_polytopes_contain_the_points_asked_for() -> None:
    network = lozi("17/10", "1/2")
    orbits = simulated_orbits(network)
    assert orbits is not None
    corner = [Fraction(13, 10), Fraction(1, 20)]
    deadline = monotonic() + 10
    chosen = polytopes(network, orbits, np.array([[float(x) for x in corner]]), deadline)
    region = next(one for one in (trapped(network, facets, deadline) for facets in chosen) if one is not None)
    assert holds(region.facets, corner)
    alone = found(network)
    assert alone is not None
    assert not holds(alone.facets, corner)


def test_polytopes_that_leak_or_are_unbounded_are_refused() -> None:
    network, late = lozi("17/10", "1/2"), monotonic() + 10
    square = [(1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, -1, 1)]
    assert trapped(network, square, late) is None
    assert trapped(network, square[:3], late) is None
    assert trapped(network, [(1, 0, -1), (-1, 0, 0), (0, 1, 1), (0, -1, 1)], late) is None
    constant = load_network({"model": "plrnn", "A": [[0, 0], [0, 0]], "W": [[0, 0], [0, 0]], "h": [0, 1]})
    region = trapped(constant, square, late)
    assert region is not None
    assert region.kept == (("", ((), (), (), ())),)


def test_a_box_holds_its_enclosed_image_weights_with_radius_too() -> None:
    W = (1.5 * np.random.default_rng(3).normal(size=(6, 6))).tolist()
    network = load_network({"model": "rnn", "W": W, "b": [0.5] * 6, "activation": "tanh"})
    region = box(network, simulated_orbits(network))
    assert region is not None
    low, high = region
    image = network.image(Matrix.intervals(Interval(a, b) for a, b in zip(low, high, strict=True)), BOX_BITS)
    assert all(a <= one.lo and one.hi <= b for a, b, one in zip(low, high, image.entries(), strict=True))
    assert max(map(abs, (*low, *high))) < 2


def test_an_ellipsoid_comes_from_a_contracting_form() -> None:
    network = load_network({"model": "rnn", "W": [["1/2", "1/4"], ["-1/4", "1/2"]], "b": ["1", "-1/2"], "activation": "tanh"})
    region = ellipsoid(network, Matrix.identity(2), (Fraction(1, 2), Fraction(1, 2)), Fraction(4, 5))
    assert region is not None
    assert 0 < region.decay < 1
    sigmoid = load_network({"model": "rnn", "W": [["1/2"]], "b": ["0"], "activation": "tanh"})
    assert ellipsoid(sigmoid, Matrix.identity(1), (Fraction(1),), Fraction(3, 4)) is not None


def test_vertices_of_a_square_and_of_what_is_no_polytope() -> None:
    square = np.array([[1.0, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]])
    corners = vertices(square)
    assert corners is not None
    assert {tuple(np.round(corner, 6)) for corner in corners} == set(product((-1.0, 1.0), repeat=2))
    assert vertices(square[:3]) is None
    assert vertices(np.vstack([square, [1.0, 0.0, -2.0]])) is None
    assert hull(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])) is None


def test_images_of_parts_and_facets_that_are_not_needed() -> None:
    network = lozi("17/10", "1/2")
    pieces = [float_piece(network, bits) for bits in "01"]
    square = np.array([[1.0, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]])
    reached = images(pieces, square)
    assert float(reached[:, 0].max()) == pytest.approx(2.0)
    assert float(reached[:, 0].min()) == pytest.approx(-1.7)
    assert not stays_inside(pieces, square, 0.0, 10.0)
    assert len(simpler(np.vstack([square, [1.0, 0, 5]]), lambda rows: vertices(rows) is not None and len(rows) >= 4)) == 4


def test_templates_are_distinct_directions_and_grow_until_nothing_leaves() -> None:
    network = relu_network(3, 0.4, 0, 4)
    pieces = [float_piece(network, "".join(bits)) for bits in product("01", repeat=3)]
    unit = np.eye(3)
    normals = template(pieces, np.vstack([unit, -unit, unit]), 10)
    assert len(normals) == 10
    orbits = simulated_orbits(network)
    assert orbits is not None
    facets = grown_template(pieces, normals, orbits.reshape(-1, 3), 0.05, monotonic() + 10)
    assert facets is not None
    assert stays_inside(pieces, facets, 0.0, 100.0)
