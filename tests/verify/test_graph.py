"""The region graph: its edges are decided exactly, both those that are there and those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import verify
from proofs.errors import Malformed
from proofs.network import Network, Operation
from proofs.theorems.word_path import excludes
from tests.verify.arrangements import Q, affine, half_open, image, layer, lozi, random_network, realised
from tests.verify.test_regions import is_certificate
from verify.errors import NotFound, Unsupported
from verify.graph import closed_walks, point_text, region_graph, save_graph, strong_components, why_not
from verify.itineraries import rotated
from verify.loading import load_network
from verify.numerics.linear_systems import coordinates
from verify.regions import Limits, word_rows

BOX = (Q(-1), Q(3, 2))
PLRNN_LOZI = {"A": [["17/10", 1], ["1/2", 0]], "W": [["-17/5", 0], [0, 0]], "h": [1, 0]}


def check_graph(graph: nx.DiGraph) -> None:
    """Check the point of every node and edge, and a certificate for every pair of words that has none."""
    network, box = graph.graph["network"], graph.graph["box"]
    for name, facts in graph.nodes(data=True):
        assert name == ".".join(facts["patterns"])
        assert follows(network, coordinates(facts["point"]), facts["patterns"], box)
        assert facts["rows"] == word_rows(network, facts["patterns"], box)
    for start, end in product(graph, repeat=2):
        one, two = (graph.nodes[name]["patterns"] for name in (start, end))
        if graph.has_edge(start, end):
            assert one[1:] == two[:-1]
            assert follows(network, coordinates(graph.edges[start, end]["point"]), (*one, two[-1]), box)
        elif one[1:] == two[:-1]:
            missing = why_not(graph, start, end)
            assert is_certificate(missing.reason)
            assert excludes(missing.reason.rows)
            assert set(missing.reason.rows) <= set(word_rows(network, (*one, two[-1]), box))


def follows(network: Network, point: tuple[Fraction, ...], word: tuple[str, ...], box: tuple[Fraction, Fraction] | None) -> bool:
    """Run the orbit of a point exactly, and compare."""
    state = list(point)
    for pattern in word:
        if half_open(network, state) != pattern or not (box is None or all(box[0] <= x <= box[1] for x in state)):
            return False
        state = image(network, state)
    return True


def transitions(graph: nx.DiGraph) -> set[tuple[str, ...]]:
    return {(*graph.nodes[start]["patterns"], graph.nodes[end]["patterns"][-1]) for start, end in graph.edges}


def test_lozi_by_hand() -> None:
    """The image x' = 1 - 17/10 |x| + y can have either sign whatever the signs of x and y; y' = x / 2 has the sign of x."""
    graph = region_graph(PLRNN_LOZI, model="plrnn")
    assert set(graph) == {"00", "01", "10", "11"}
    assert {(start, end) for start, end in product(graph, repeat=2) if start[0] == end[1]} == set(graph.edges)
    assert graph.graph["idle"] == (1,)
    check_graph(graph)
    missing = why_not(graph, "11", "10")
    assert missing.names == ("hinge 2, time 1", "hinge 1, time 0")
    assert str(missing).splitlines()[-1] == "sum  0 > 0, which is false"


def test_a_map_that_leaves_a_region_for_good() -> None:
    """The map z' = z / 2 + 1 keeps z >= 0; from z < 0 both signs are reached; all cycles are in the half z >= 0."""
    graph = region_graph({"A": ["1/2"], "W": [[0]], "h": [1]}, model="plrnn")
    assert set(graph.edges) == {("0", "0"), ("0", "1"), ("1", "1")}
    assert strong_components(graph) == [("0",), ("1",)]
    onward = region_graph({"A": [1], "W": [[0]], "h": [1]}, (Q(-1), Q(0)), model="plrnn")
    assert set(onward.edges) == {("0", "1")}
    assert strong_components(onward) == []
    assert list(closed_walks(onward, 5)) == []
    check_graph(onward)


@pytest.mark.parametrize("seed", range(24))
def test_brute_force_agrees_on_degenerate_networks(seed: int) -> None:
    network = random_network(seed, 1 + seed % 2, 2 + seed % 2, deep=seed % 4 == 3)
    box = BOX if seed % 3 == 2 else None
    graph = region_graph(network, box)
    check_graph(graph)
    assert {facts["patterns"] for _, facts in graph.nodes(data=True)} == realised(network, 1, box)
    assert transitions(graph) == realised(network, 2, box)


@pytest.mark.parametrize("memory", [2, 3])
def test_words_remember(memory: int) -> None:
    for network in (lozi(), random_network(7, 2, 2)):
        graph = region_graph(network, memory=memory)
        check_graph(graph)
        assert {facts["patterns"] for _, facts in graph.nodes(data=True)} == realised(network, memory)
        assert transitions(graph) == realised(network, memory + 1)
    with pytest.raises(Malformed, match=r"expected  a word that begins with 1"):
        why_not(region_graph(lozi(), memory=2), "0.1", "0.1")


def random_families() -> Iterator[Network]:
    rng = np.random.Generator(np.random.Philox(5))
    for states in (2, 4, 5):
        A, W, h = rng.uniform(0.2, 0.9, states), rng.normal(size=(states, states)), rng.normal(size=states)
        yield load_network({"A": A.tolist(), "W": W.tolist(), "h": h.tolist()}, model="plrnn")
    A, W, h = rng.uniform(0.2, 0.9, 6), rng.normal(size=(6, 6)), rng.normal(size=6)
    yield load_network({"A": A.tolist(), "W": W.tolist(), "h": h.tolist()}, model="alrnn", P="3")


def test_simulated_orbits_are_paths() -> None:
    rng = np.random.Generator(np.random.Philox(6))
    for network in random_families():
        graph = region_graph(network)
        for _ in range(20):
            state = [Q(float(x)) for x in rng.normal(size=network.dimension) * 3]
            orbit = []
            for _ in range(8):
                orbit.append(half_open(network, state))
                state = [Q(float(x)) for x in image(network, state)] if len(orbit) == 4 else image(network, state)
                assert orbit[-1] in graph
            assert all(graph.has_edge(*step) for step in pairwise(orbit[:4]))
            assert all(graph.has_edge(*step) for step in pairwise(orbit[4:]))


def test_cycles_are_closed_walks_in_a_strong_component() -> None:
    graph = region_graph(PLRNN_LOZI, model="plrnn")
    walks = set(closed_walks(graph, 6))
    for candidate in verify.find(load_network(PLRNN_LOZI, model="plrnn"), 6, budget_seconds=5).candidates:
        assert candidate.itinerary is not None
        before = (*candidate.itinerary[-1:], *candidate.itinerary[:-1])
        word = tuple(here[0] + last[0] for here, last in zip(candidate.itinerary, before, strict=True))  # y has the sign x had
        assert rotated(word) in walks
        assert any(set(word) <= set(part) for part in strong_components(graph))


@pytest.mark.parametrize("seed", range(6))
def test_closed_walks_are_all_necklaces_of_the_graph(seed: int) -> None:
    graph = nx.gnp_random_graph(4, 0.5, seed=seed, directed=True)
    graph = nx.relabel_nodes(graph, "abcd".__getitem__)
    if seed % 2:
        graph.add_edge("b", "b")
    every = {rotated(word) for n in range(1, 7) for word in product("abcd", repeat=n)}
    closed = {word for word in every if all(graph.has_edge(*step) for step in pairwise((*word, word[0])))}
    walks = list(closed_walks(graph, 6))
    assert sorted(closed) == walks
    assert list(closed_walks(graph, 0)) == []


def test_facts_about_nodes() -> None:
    graph = region_graph(PLRNN_LOZI, model="plrnn", memory=2)
    network = graph.graph["network"]
    for _, facts in graph.nodes(data=True):
        first, second = (network.piece(pattern).jacobian for pattern in facts["patterns"])
        product_matrix = np.array((second @ first).mid) / (second @ first).den
        modulus = np.abs(np.linalg.eigvals(product_matrix)).max()
        radius = facts["spectral_radius"]
        assert float(radius.lo) - 1e-9 <= modulus <= float(radius.hi) + 1e-9
        assert radius.hi - radius.lo < Q(1, 10**9)
    assert {name for name, facts in graph.nodes(data=True) if not facts["unbounded"]} == {"00.10", "10.11"}  # triangles
    assert not any(facts["unbounded"] for _, facts in region_graph(lozi(), BOX).nodes(data=True))


def test_why_not_refuses_what_is_no_missing_edge() -> None:
    graph = region_graph(lozi())
    with pytest.raises(Malformed, match="expected  no edge\n  got       an edge, from "):
        why_not(graph, "0", "1")
    with pytest.raises(Malformed, match="expected  two nodes\n  got       no node 2"):
        why_not(graph, "0", "2")


def test_limits() -> None:
    network = layer([[1, 0], [0, 1]], [0, 0], [[1, -2], [3, 1]])
    with pytest.raises(NotFound) as refusal:
        region_graph(network, limits=Limits(max_edges=3))
    assert (refusal.value.law, refusal.value.expected) == ("number of transitions", "at most 3")
    with pytest.raises(NotFound, match="at least 2\\^2"):
        region_graph(network, limits=Limits(max_cells=3))
    with pytest.raises(NotFound, match="time budget"):
        region_graph(network, limits=Limits(seconds=0))
    with pytest.raises(Malformed, match="1 to 64 patterns"):
        region_graph(network, memory=0)
    with pytest.raises(Malformed, match="LO <= HI"):
        region_graph(network, (Q(1), Q(0)))
    with pytest.raises(Unsupported, match="cells of a piecewise-linear network"):
        region_graph(Network(1, (affine([[2]], [0], 0), Operation("tanh", (1,)))))


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    region_graph(lozi(), limits=Limits(progress=lambda *step: told.append(step)))
    assert {what for what, _, _ in told} == {"cells", "transitions"}
    assert told[-1] == ("transitions", 1000, 1000)


def test_graphml_reads_back(tmp_path: Path) -> None:
    graph = region_graph(PLRNN_LOZI, BOX, model="plrnn", memory=2)
    path = tmp_path / "new" / "graph.graphml"
    save_graph(graph, path)
    again = nx.read_graphml(path)
    assert set(again.edges) == set(graph.edges)
    assert again.graph["network"] == graph.graph["network"].digest
    assert (again.graph["memory"], again.graph["idle_hinges"], again.graph["box"]) == ("2", "2", "[-1, 3/2] in every coordinate")
    for name, facts in graph.nodes(data=True):
        assert again.nodes[name]["point"] == point_text(facts["point"])
        assert again.nodes[name]["polyhedron"] == "; ".join(map(str, facts["rows"]))
        assert again.nodes[name]["unbounded"] == "false"
        low, high = map(Q, again.nodes[name]["spectral_radius"].split(" to "))
        assert low <= facts["spectral_radius"].lo <= facts["spectral_radius"].hi <= high
    assert [entry.name for entry in path.parent.iterdir()] == ["graph.graphml"]


def test_dot(tmp_path: Path) -> None:
    path = tmp_path / "graph.dot"
    save_graph(region_graph({"A": ["1/2"], "W": [[0]], "h": [1]}, model="plrnn"), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("digraph regions {", "}")
    assert lines[1].startswith('  graph [network="')
    assert lines[1].endswith('", box="all states", memory="1", idle_hinges="1"];')
    assert lines[2].startswith('  "0" [polyhedron="-z1 > 0", point="(')
    assert 'unbounded="true", spectral_radius="0.5 to 0.50000000000' in lines[2]
    assert [line.partition(" [")[0] for line in lines[4:-1]] == ['  "0" -> "0"', '  "0" -> "1"', '  "1" -> "1"']


def test_a_network_without_hinges_can_be_saved(tmp_path: Path) -> None:
    graph = region_graph(Network(1, (affine([[2]], [1], 0),)))
    save_graph(graph, tmp_path / "one.graphml")
    assert list(nx.read_graphml(tmp_path / "one.graphml").edges) == [("affine", "affine")]


@pytest.mark.parametrize("name", ["graph.gml", "graph"])
def test_unknown_suffixes(tmp_path: Path, name: str) -> None:
    with pytest.raises(Malformed) as refusal:
        save_graph(region_graph(lozi()), tmp_path / name)
    assert (refusal.value.law, refusal.value.expected) == ("the suffix chooses the format", ".graphml or .dot")
    assert list(tmp_path.iterdir()) == []


def test_the_public_face() -> None:
    assert verify.region_graph is region_graph
