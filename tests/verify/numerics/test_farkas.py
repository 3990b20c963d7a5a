"""Farkas multipliers: whatever is handed on refutes its node by the kernel's own check, and exact zeros are not lost to rounding."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from proofs.theorems.cyclic_tree import refutes
from proofs.theorems.parts import CyclicSystem
from verify.numerics.farkas import Multipliers, Refuter
from verify.numerics.lcp import OPTIMAL, Bools

SIZE = 4


def drawn(seed: int, *, scale: int = 2**40, spread: int = 2**41, radius: int = 0) -> CyclicSystem:
    """Draw two moments of two hinges."""
    random = np.random.default_rng(seed)
    rows = tuple(tuple(int(value) for value in row) for row in random.integers(-spread, spread + 1, (SIZE, SIZE)))
    constants = tuple(int(value) for value in random.integers(-spread, spread + 1, SIZE))
    return CyclicSystem(2, "01", rows, constants, radius, scale)


def paths() -> list[tuple[int, ...]]:
    """Return all lists of decisions on the first indices."""
    return [
        tuple(sign * (i + 1) for i, sign in enumerate(signs)) for length in range(SIZE + 1) for signs in product((1, -1), repeat=length)
    ]


def holds(refuter: Refuter, locked: Bools, found: Multipliers) -> bool:
    return refutes(refuter.system, refuter.order, refuter.decided(locked), found.weights, found.turns)


@pytest.mark.parametrize("order", [None, 1])
@pytest.mark.parametrize("seed", range(6))
def test_rounded_multipliers_refute(seed: int, order: int | None) -> None:
    refuter = Refuter(drawn(seed, radius=seed % 2), order)
    relaxation = refuter.relaxation()
    refuted = 0
    for path in paths():
        node = relaxation.root(refuter.locked(path))
        if node.row >= 0:
            found = refuter.refuted(node)
            assert found is not None
            assert holds(refuter, node.tableau.locked, found)
            assert max(abs(value).bit_length() for value in found.weights.values()) < 64
            refuted += 1
        else:
            assert node.row == OPTIMAL
            assert refuter.settled(node.tableau.locked) is None
    assert refuted


@pytest.mark.parametrize("order", [None, 0])
@pytest.mark.parametrize("seed", range(8))
def test_degenerate_nodes_are_settled_exactly(seed: int, order: int | None) -> None:
    refuter = Refuter(drawn(seed, scale=1, spread=1), order)
    relaxation = refuter.relaxation()
    for path in paths():
        node = relaxation.root(refuter.locked(path))
        settled = refuter.settled(node.tableau.locked)
        assert settled is None or holds(refuter, node.tableau.locked, settled)
        if node.row >= 0:
            assert settled is not None


def test_decisions_fix_one_variable_each() -> None:
    refuter = Refuter(drawn(0), None)
    assert [refuter.variable(decision) for decision in (1, -1, 2, -2)] == [SIZE, 0, 1, SIZE + 1]
    assert refuter.decided(refuter.locked((1, -2, -3))) == {0: True, 1: False, 2: False}


def test_zeros_of_the_frame_stay_zeros() -> None:
    """y_0 = -1 + 0 x_1 can be seen with x_1 free only if the 0 is exact."""
    system = CyclicSystem(1, "00", ((3, 0), (1, 5)), (-7, 1), 0, 7)
    locked = np.array([True, False, False, False])
    refuter = Refuter(system, None, [[1, 0], [1, 1]])
    node = refuter.relaxation().root(locked)
    found = refuter.refuted(node)
    assert found == Multipliers({0: -1}, {})
    coarse = Refuter(CyclicSystem(1, "00", system.rows, system.constants, 1, 7), None)
    assert coarse.refuted(coarse.relaxation().root(locked)) is None
    assert coarse.settled(locked) is None


def test_a_frame_gives_the_same_answers() -> None:
    frame = [[1, 0, 2, 0], [0, 3, 0, 0], [1, 0, -1, 0], [0, 1, 1, 1]]
    for seed in range(4):
        system = drawn(seed)
        plain, framed = Refuter(system, 0), Refuter(system, 0, frame)
        relaxation = plain.relaxation()
        for path in paths():
            node = relaxation.root(plain.locked(path))
            if node.row >= 0:
                found = framed.refuted(node)
                assert found is not None
                assert holds(plain, node.tableau.locked, found)


def test_multipliers_are_made_exact_where_rounding_has_no_room() -> None:
    """3 y_0 + 7 y_1 = -1 / 11, whatever x is: no other combination of these rows has coefficients of one sign."""
    system = CyclicSystem(1, "00", ((7, -14), (-3, 6)), (-5, 2), 0, 11)
    refuter = Refuter(system, None)
    locked = np.array([False, False, False, True])
    node = refuter.relaxation().root(locked)
    assert refuter.refuted(node) == Multipliers({0: -3, 1: -7}, {})


def test_too_large_systems_are_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verify.numerics.farkas.MOST_SETTLED", SIZE - 1)
    refuter = Refuter(drawn(1, scale=1, spread=1), None)
    assert all(refuter.settled(refuter.locked(path)) is None for path in paths())
