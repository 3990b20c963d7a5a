"""Many boxes and paths: the bound that they promise, proved, and that nothing is promised where there is no chaos."""

from __future__ import annotations

from fractions import Fraction as Q
from itertools import combinations
from math import log

import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from tests.known.plane_maps import lozi, plrnn
from verify.certification.draft import Draft
from verify.certification.horseshoe import prove_horseshoe
from verify.numerics.strips import told_apart
from verify.search.cycles import find_cycles
from verify.search.entropy_graph import find_entropy_graph, improving_graphs

LOZI = lozi("17/10", "1/2")


def test_the_entropy_of_lozis_map_is_proved_above_two_fifths() -> None:
    """The true value is about 0.500; the first stage comes within a fifth of it, and the checker agrees with its rate."""
    stage = next(improving_graphs(LOZI, budget_seconds=20.0, most_paths=250))
    assert stage.entropy > 0.4
    proof = prove_horseshoe(Draft(LOZI), stage.covering)
    assert not isinstance(proof, str)
    assert log(float(proof.entropy[1].rate)) == pytest.approx(stage.entropy, abs=1e-6)
    assert stage.entropy < 0.501


def test_strips_of_one_box_are_told_apart() -> None:
    """By their words or by the forms that were chosen for the box, every pair of them."""
    covering = next(improving_graphs(LOZI, budget_seconds=20.0, most_paths=250)).covering
    strips = covering.strips
    assert all(told_apart(covering.slabs[one.start], one, two) for one, two in combinations(strips, 2) if one.start == two.start)
    assert all(slab.forms is not None and 1 <= len(slab.forms) <= 32 for slab in covering.slabs)


def test_the_same_seed_gives_the_same_graph() -> None:
    """Another seed another one."""
    one, two, other = (next(improving_graphs(LOZI, budget_seconds=20.0, seed=seed, most_paths=60)).covering for seed in (3, 3, 4))
    assert [(s.start, s.end, s.itinerary) for s in one.strips] == [(s.start, s.end, s.itinerary) for s in two.strips]
    assert [(s.start, s.end, s.itinerary) for s in one.strips] != [(s.start, s.end, s.itinerary) for s in other.strips]


def test_a_horseshoe_that_repels_is_found_on_cycles() -> None:
    """At (5/2, 3/10) nearly all orbits escape; the entropy of what stays is log 2."""
    network = lozi("5/2", "3/10")
    cycles = find_cycles(network, 3, budget_seconds=10.0).candidates
    stage = next(improving_graphs(network, budget_seconds=20.0, cycles=cycles, most_paths=100))
    assert 0.5 < stage.entropy < log(2.0)


def test_the_hinge_that_counts_need_not_be_the_first() -> None:
    """Lozi's map with its states swapped, and a third one between them that nothing reads."""
    swapped = plrnn([[0, "1/2"], [1, "17/10"]], [[0, 0], [0, "-17/5"]], [0, 1])
    idle = plrnn([[0, 0, "1/2"], [0, "1/3", 0], [1, 0, "17/10"]], [[0, 0, 0], [0, 0, 0], [0, 0, "-17/5"]], [0, "1/5", 1])
    for network in (swapped, idle):
        stage = next(improving_graphs(network, budget_seconds=20.0, most_paths=60))
        assert 0.3 < stage.entropy < 0.501
        assert not isinstance(prove_horseshoe(Draft(network), stage.covering), str)


def test_three_states() -> None:
    """A box of two stable directions: a plane map with a third state that follows it."""
    network = plrnn([["7/5", 1, 0], ["-1/5", 0, "1/10"], [0, "1/5", "1/10"]], [["-29/10", 0, 0], ["-1/5", 0, 0], [0, 0, 0]], [1, 0, 0])
    covering = find_entropy_graph(network, budget_seconds=10.0, most_paths=100)
    assert covering is not None
    assert {len(slab.center) for slab in covering.slabs} == {3}
    assert not isinstance(prove_horseshoe(Draft(network), covering), str)


def test_nothing_grows_where_a_cycle_attracts() -> None:
    """Lozi's map at (1, 1/2) has an unstable fixed point, given here, and a 2-cycle that attracts."""
    network = lozi("1", "1/2")
    cycles = find_cycles(network, 4, budget_seconds=0.5).candidates
    assert find_entropy_graph(network, budget_seconds=0.5, cycles=cycles) is None


def test_smooth_networks_and_contractions_are_left_alone() -> None:
    """Their orbits do not expand, or follow no word."""
    affine = Operation("affine", (0,), (Matrix.exact([[Q(3), Q(1)], [Q(1), Q(3)]]),), Matrix.column([Q(0), Q(0)]))
    smooth = Network(2, (affine, Operation("tanh", (1,))))
    contraction = plrnn([["1/2", 0], [0, "1/3"]], [[0, "1/9"], ["1/9", 0]], [1, 1])
    assert find_entropy_graph(smooth, budget_seconds=0.2) is None
    assert find_entropy_graph(contraction, budget_seconds=0.2) is None
