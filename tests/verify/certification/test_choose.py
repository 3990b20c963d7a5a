"""Which method ``auto`` takes."""

from __future__ import annotations

import pytest

from verify import load_network
from verify.certification.choose import chosen_method, why_not


def planar(hinges: int) -> dict[str, object]:
    """Return a network with two states and so many lines."""
    normals = [[f"{(7 * i) % 11 - 5}/3", f"{(5 * i) % 13 - 6}/5"] for i in range(1, hinges + 1)]
    biases = [f"{i}/{hinges}" for i in range(hinges)]
    weights = [[f"{(-1) ** i}/{hinges}" for i in range(hinges)]] * 2
    return {"A": ["1/2", "1/3"], "W1": weights, "W2": normals, "h1": ["1", "0"], "h2": biases}


@pytest.mark.parametrize(("hinges", "method"), [(1, "words"), (32, "words"), (33, "cyclic"), (128, "cyclic")])
def test_many_lines_in_the_plane_go_to_the_complementarity_problem(hinges: int, method: str) -> None:
    network = load_network(planar(hinges), model="shallow_plrnn")
    assert chosen_method(network, 1, "auto", None).method == method


def test_networks_beyond_the_checker_are_told_so_before_any_search() -> None:
    size = 450
    rows = [["1/1024" if i != j else "0" for j in range(size)] for i in range(size)]
    network = load_network({"A": ["1/2"] * size, "W": rows, "h": ["1"] * size}, model="plrnn")
    assert why_not(network, 1).startswith("card A4 (all cycles) needs a program that takes at most 268435456 products")
