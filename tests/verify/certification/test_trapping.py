"""Trapping regions as steps of a certificate: polytopes, boxes, ellipsoids, and what is said where there is none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from proofs.kernel import check
from proofs.network import Network
from proofs.space import TrappingBox, TrappingEllipsoid, TrappingPolytope
from verify.certification.draft import Draft
from verify.certification.trapping import prove_trapping
from verify.loading import load, load_network

LOZI = {"model": "plrnn", "A": [["17/10", "1"], ["1/2", "0"]], "W": [["-17/5", "0"], ["0", "0"]], "h": ["1", "0"]}


def relu(size: int, gain: float, seed: int, activation: str = "relu") -> Network:
    random = np.random.default_rng(seed)
    W = gain * random.normal(size=(size, size)) / np.sqrt(size)
    return load_network({"model": "rnn", "W": W.tolist(), "b": random.normal(size=size).tolist(), "activation": activation})


def region_of(network: Network) -> tuple[Draft, object]:
    draft = Draft(network)
    number, reason = prove_trapping(draft, 10.0)
    assert (number, reason) == (1, "")
    certificate, proved = draft.finish(draft.facts)
    assert check(certificate).claims == proved.claims == tuple(draft.facts)
    return draft, draft.facts[0]


def test_lozi_gets_a_polytope_of_few_facets() -> None:
    _, region = region_of(load_network(LOZI))
    assert isinstance(region, TrappingPolytope)
    assert len(region.facets) <= 6


def test_points_that_it_should_contain() -> None:
    draft = Draft(load_network(LOZI))
    number, _ = prove_trapping(draft, 10.0, around=[(1.3, 0.05), (-1.2, 0.5)])
    region = draft.facts[0]
    assert number == 1
    assert isinstance(region, TrappingPolytope)
    assert all(float(facet[0]) * 1.3 + float(facet[1]) * 0.05 + float(facet[2]) >= 0 for facet in region.facets)


def test_one_state() -> None:
    _, region = region_of(load_network({"model": "plrnn", "A": ["3/2"], "W": [["-3"]], "h": ["1/2"]}))
    assert isinstance(region, TrappingPolytope)
    assert len(region.facets) == 2


def test_tanh_networks_get_a_box_and_so_do_weights_with_a_radius() -> None:
    _, region = region_of(relu(20, 1.5, 1, "tanh"))
    assert isinstance(region, TrappingBox)
    loaded = load({"model": "rnn", "W": [["1/2", "1/4"], ["1/4", "1/2"]], "b": [1, 0], "activation": "relu"})
    _, region = region_of(loaded.with_radius(Fraction(1, 2**10)))
    assert isinstance(region, TrappingBox)


def test_many_relu_units_that_contract_get_an_ellipsoid() -> None:
    _, region = region_of(relu(24, 0.6, 2))
    assert isinstance(region, TrappingEllipsoid)
    draft = Draft(relu(24, 0.6, 2))
    number, reason = prove_trapping(draft, 5.0, smooth=False)
    assert number is None
    assert reason == ("trapping region (C2): polytopes are for at most 32 states and 16 live hinges; no box holds its own enclosed image")


def test_where_every_orbit_leaves_it_is_said_so() -> None:
    draft = Draft(load_network({"model": "plrnn", "A": [[2, 0], [0, 2]], "W": [[1, 0], [0, 1]], "h": [1, 1]}))
    number, reason = prove_trapping(draft, 5.0)
    assert number is None
    assert reason == (
        "trapping region (C2): no simulated orbit stays bounded; no box holds its own enclosed image; "
        "no ellipsoid: no norm contracts: with some slopes the units may have, the Jacobian has spectral radius 3"
    )
    assert not draft.facts
