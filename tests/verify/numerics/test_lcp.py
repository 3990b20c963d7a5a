"""Relaxations of complementarity problems: they say the same as an independent linear program, and search trees shrink as they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from verify.numerics.lcp import OPTIMAL, PROBES, Node, Relaxation, estimated_nodes, independent_rows, smallest_tree

SIZE = 7


def drawn(seed: int, sides: int = 2) -> tuple[Relaxation, np.random.Generator]:
    random = np.random.default_rng(seed)
    shapes = (SIZE, SIZE), (SIZE,), (sides, SIZE), (sides,)
    matrix, constants, rows, side_constants = (random.normal(size=shape) for shape in shapes)
    return Relaxation(matrix, constants + 0.5, rows, side_constants + 0.5), random


def is_feasible(relaxation: Relaxation, locked: np.ndarray) -> bool:
    """Ask HiGHS whether some x >= 0 has y = M x + q >= 0 and all side rows >= 0, the locked variables 0."""
    n = relaxation.count
    rows = np.concatenate([relaxation.matrix, relaxation.sides])
    constants = np.concatenate([relaxation.constants, relaxation.side_constants])
    fixed = np.concatenate([locked[n : 2 * n], np.zeros(len(relaxation.side_constants), dtype=bool)])
    bounds = [(0, 0 if fixed_x else None) for fixed_x in locked[:n]]
    equal = {"A_eq": rows[fixed], "b_eq": -constants[fixed]} if fixed.any() else {}
    return bool(linprog(np.zeros(n), A_ub=-rows, b_ub=constants, bounds=bounds, **equal).success)


def values(node: Node, size: int) -> np.ndarray:
    result = np.zeros(size)
    result[node.tableau.basis] = node.tableau.table[:-1, -1]
    return result


@pytest.mark.parametrize("seed", range(30))
def test_a_relaxation_agrees_with_a_linear_program(seed: int) -> None:
    relaxation, random = drawn(seed)
    n = relaxation.count
    locked = np.zeros(2 * n + 2, dtype=bool)
    for i in random.permutation(n)[: seed % 5]:
        locked[i + n * random.integers(2)] = True
    node = relaxation.root(locked)
    assert (node.row == OPTIMAL) == is_feasible(relaxation, locked)
    if node.row == OPTIMAL:
        point = values(node, len(locked))
        assert point.min() >= -1e-9
        assert np.abs(point[locked]).max(initial=0) <= 1e-9
        assert point[n : 2 * n] == pytest.approx(relaxation.matrix @ point[:n] + relaxation.constants, abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_children_agree_with_a_linear_program(seed: int) -> None:
    relaxation, random = drawn(seed + 100, sides=0)
    n = relaxation.count
    node = relaxation.root(np.zeros(2 * n, dtype=bool))
    for i in random.permutation(n):
        if node.row != OPTIMAL:
            break
        node = node.child(int(i + n * random.integers(2)), keep=True)
        assert (node.row == OPTIMAL) == is_feasible(relaxation, node.tableau.locked)


def test_an_infeasible_row_is_a_certificate() -> None:
    rows = 0
    for seed in range(40):
        relaxation, _ = drawn(seed + 200)
        node = relaxation.root(np.zeros(2 * SIZE + 2, dtype=bool))
        if node.row >= 0:
            rows += 1
            assert node.tableau.table[node.row, -1] < 0
            assert node.tableau.table[node.row, :-1].max() <= 1e-9
    assert rows > 5


def test_a_child_may_use_up_its_parent_or_not() -> None:
    relaxation, _ = drawn(3)
    node = relaxation.root(np.zeros(2 * SIZE + 2, dtype=bool))
    before = node.tableau.table.copy()
    kept = node.child(0, keep=True)
    assert np.array_equal(node.tableau.table, before)
    used = node.child(0, keep=False)
    assert used.tableau is node.tableau
    assert np.array_equal(used.tableau.table, kept.tableau.table)


def test_a_refreshed_tableau_is_the_same_without_the_rounding_errors() -> None:
    relaxation, _ = drawn(4)
    node = relaxation.root(np.zeros(2 * SIZE + 2, dtype=bool)).child(2, keep=True)
    assert node.row == OPTIMAL
    spoilt = Node(node.tableau.copy(), node.row)
    spoilt.tableau.table += 1e-6
    again = relaxation.refreshed(spoilt)
    assert again.row == node.row
    assert np.array_equal(again.tableau.basis, node.tableau.basis)
    assert again.tableau.table == pytest.approx(node.tableau.table, abs=1e-9)


def test_a_singular_basis_is_left_as_it_was() -> None:
    relaxation = Relaxation(np.zeros((2, 2)), np.ones(2), np.zeros((0, 2)), np.zeros(0))
    node = relaxation.root(np.zeros(4, dtype=bool))
    node.tableau.basis[:] = (0, 1)
    assert relaxation.refreshed(node) is node


def test_branches_are_on_undecided_indices() -> None:
    relaxation, random = drawn(8)
    for _ in range(20):
        locked = np.zeros(2 * SIZE + 2, dtype=bool)
        chosen = random.permutation(SIZE)[: SIZE - 2]
        locked[chosen + SIZE * random.integers(2, size=len(chosen))] = True
        index = relaxation.root(locked).branch(PROBES)
        assert index in set(range(SIZE)) - set(chosen.tolist())


def test_a_small_tree_is_counted_exactly_and_preferred() -> None:
    trees = [drawn(seed, sides=0)[0] for seed in range(4)]
    counts = [estimated_nodes(tree, 10_000) for tree in trees]
    assert all(count == int(count) and count % 2 == 1 for count in counts)
    assert counts[smallest_tree(trees, 10_000)] == min(counts)
    assert smallest_tree(trees[:1], 10) == 0


def test_nothing_closed_is_a_hopeless_tree() -> None:
    assert estimated_nodes(drawn(1)[0], 0) == float("inf")


def test_rank_is_found_in_floats() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(6, 2)) @ random.normal(size=(2, 4))
    rows = independent_rows(matrix)
    assert len(rows) == 2
    assert np.linalg.matrix_rank(matrix[rows]) == 2
    assert independent_rows(np.zeros((3, 2))) == []
