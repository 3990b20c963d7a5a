"""``orbitproof regions``: text, JSON, files, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest

from tests.verify.command import CONTRACTION, lozi, orbitproof, saved

KEYS = {"network", "box", "memory", "idle_hinges", "cells", "transitions", "strong_components", "path", "effort"}


@pytest.fixture
def lozi_file(tmp_path: Path) -> Path:
    return saved(tmp_path, lozi(), "lozi.json")


def test_text(lozi_file: Path) -> None:
    done = orbitproof("regions", lozi_file)
    assert (done.code, done.err) == (0, "")
    assert done.last == "Exact  4 nonempty cells, 8 transitions of 16 (decided in rational arithmetic; not a certificate)"
    assert "idle         hinge 2: no orbit depends on it\n" in done.out
    assert done.out.count("\ncell         ") == 4
    assert "  unbounded, spectral radius 1.95567, holds (" in done.out
    assert "strong       components that can hold cycles, in cells: 4\n" in done.out


def test_text_without_cycles(tmp_path: Path) -> None:
    done = orbitproof("regions", saved(tmp_path, {"model": "plrnn", "A": [1], "W": [[0]], "h": [1]}), "--box", -1, 0)
    assert "strong       components that can hold cycles, in cells: none, so there is no cycle\n" in done.out
    assert done.last.startswith("Exact  2 nonempty cells, 1 transitions of 4 for orbits with every coordinate in [-1, 0] (")


def test_json_and_file(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    content = orbitproof("regions", lozi_file, "--box", "-2", "5/2", "--memory", 2, "-o", path, "--json").json()
    assert content.keys() == KEYS
    assert (content["box"], content["memory"], content["idle_hinges"], content["path"]) == (["-2", "5/2"], 2, [2], str(path))
    assert all(cell.keys() == {"word", "point", "unbounded", "spectral_radius"} for cell in content["cells"])
    assert all(len(cell["word"]) == len(cell["point"]) == 2 and not cell["unbounded"] for cell in content["cells"])
    graph = nx.read_graphml(path)
    assert [list(edge) for edge in graph.edges] == content["transitions"]
    assert set(graph) == {".".join(cell["word"]) for cell in content["cells"]}
    assert content["strong_components"]


def test_cells_only(lozi_file: Path, tmp_path: Path) -> None:
    content = orbitproof("regions", lozi_file, "--cells-only", "--json").json()
    assert (content["transitions"], content["strong_components"]) == (None, None)
    assert [cell["word"] for cell in content["cells"]] == [["00"], ["01"], ["10"], ["11"]]
    text = orbitproof("regions", lozi_file, "--cells-only").last
    assert text == "Exact  4 nonempty cells (decided in rational arithmetic; not a certificate)"
    refused = orbitproof("regions", lozi_file, "--cells-only", "-o", tmp_path / "graph.dot", "--json")
    assert (refused.code, refused.json()["law"]) == (2, "options go together")


def test_refusals(lozi_file: Path, tmp_path: Path) -> None:
    for options, code, law in (
        (("-o", tmp_path / "graph.svg"), 2, "the suffix chooses the format"),
        (("--box", 1, "-1"), 2, "LO <= HI"),
        (("--max-cells", 3), 3, "number of cells"),
        (("--max-edges", 7), 3, "number of transitions"),
        (("--budget", 0), 3, "time budget"),
    ):
        done = orbitproof("regions", lozi_file, *options, "--json")
        assert (done.code, done.json()["law"]) == (code, law)
    smooth = saved(tmp_path, {"model": "rnn", "W": [[2]], "b": [0], "activation": "tanh"}, "smooth.json")
    done = orbitproof("regions", smooth)
    assert (done.code, done.out.splitlines()[0]) == (2, "Unsupported at network, cells of a piecewise-linear network")
    assert {entry.suffix for entry in tmp_path.iterdir()} == {".json"}


def test_the_network_is_not_overwritten(tmp_path: Path) -> None:
    source = saved(tmp_path, lozi(), "net.json")
    link = tmp_path / "net.dot"
    link.symlink_to(source)
    assert orbitproof("regions", source, "-o", link).code == 2
    assert json.loads(source.read_text(encoding="utf-8")) == lozi()


def test_a_name_of_the_family_may_be_given(tmp_path: Path) -> None:
    source = saved(tmp_path, {key: value for key, value in CONTRACTION.items() if key != "model"})
    done = orbitproof("regions", source, "--model", "alrnn", "--set", "P=1")
    assert (done.code, done.last.split()[1]) == (0, "2")
