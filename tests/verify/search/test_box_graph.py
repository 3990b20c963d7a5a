"""Forms on boxes: every condition of the cards checked exactly on what the search returns, and bounds against maps that are known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import log, tanh
from time import monotonic

import numpy as np
import pytest

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.inertia import is_positive_definite, pivot_signs
from proofs.network import Network
from verify.loading import load_network
from verify.models.gated import Layer, step_program
from verify.numerics.box_trees import BoxTree, Sides, Walk, orbit_boxes
from verify.search.box_graph import Forms, Refinement, refine

UNIT = ((Fraction(-1), Fraction(1)),)


def tanh_network(W: list[list[str]], b: list[str]) -> Network:
    return load_network({"model": "rnn", "W": W, "b": b, "activation": "tanh"})


def found_on(networks: Sequence[Network], sides: Sides, seconds: float = 20.0, **inputs: object) -> tuple[BoxTree, Refinement]:
    tree = BoxTree(networks, sides, **inputs)  # type: ignore[arg-type]
    assert tree.trap(monotonic() + seconds, 64)
    return tree, refine(tree, monotonic() + seconds, 3e-3 if len(sides) == 1 else 1e-4, most_leaves=200)


def leaves_of(cuts: Sequence[tuple[int, Fraction] | None], sides: Sides) -> list[Sides]:
    """Read a tree in preorder, by code of this test alone."""
    waiting, leaves = [sides], list[Sides]()
    for cut in cuts:
        box = waiting.pop()
        if cut is None:
            leaves.append(box)
            continue
        axis, at = cut
        low, high = box[axis]
        assert low < at < high
        waiting += [(*box[:axis], (at, high), *box[axis + 1 :]), (*box[:axis], (low, at), *box[axis + 1 :])]
    assert not waiting
    return leaves


def require(networks: Sequence[Network], sides: Sides, found: Refinement, walks: Sequence[Walk] = ((0, 0, 0),)) -> None:
    """Check both bounds on every edge with the kernel's enclosures."""
    leaves = leaves_of(found.cuts, sides)
    for forms, sign in ((found.lower, 1), (found.upper, -1)):
        if forms is None:
            continue
        table, bits = forms.forms, forms.bits
        for form in table:
            assert 1 in pivot_signs(form, bits) if sign > 0 else is_positive_definite(form, bits)
        for s, network in enumerate(networks):
            for i, box in enumerate(leaves):
                enclosed = Matrix.intervals(Interval(*side) for side in box)
                jacobian, image = network.jacobian(enclosed, bits), network.image(enclosed, bits).entries()
                assert all(low <= one.lo and one.hi <= high for (low, high), one in zip(sides, image, strict=True))
                after = [j for j, other in enumerate(leaves) if not any(Interval(*a).apart(b) for a, b in zip(other, image, strict=True))]
                for a, symbol, b in walks:
                    for j in after if symbol == s else []:
                        here, there = table[a * len(leaves) + i], table[b * len(leaves) + j]
                        gap = jacobian.transposed() @ there @ jacobian - here.times(forms.rate * forms.rate)
                        assert is_positive_definite(gap.times(Fraction(sign)), bits)


def logs(found: Refinement) -> tuple[float, float]:
    assert found.lower is not None
    assert found.upper is not None
    return log(found.lower.rate), log(found.upper.rate)


def test_a_bistable_unit_is_bounded_by_its_fixed_points() -> None:
    network = tanh_network([["2"]], ["0"])
    tree, found = found_on((network,), UNIT)
    require((network,), tree.sides, found)
    point = 1.0
    for _ in range(200):
        point = tanh(2 * point)
    lower, upper = logs(found)
    assert log(2 * (1 - point**2)) - 1e-4 < lower < log(2 * (1 - point**2))
    assert log(2) < upper < log(2) + 1e-6


def test_a_two_cycle_bounds_from_one_side_and_a_fixed_point_from_the_other() -> None:
    network = tanh_network([["-7/2"]], ["1/2"])
    tree, found = found_on((network,), ((Fraction(-9, 8), Fraction(9, 8)),))
    require((network,), tree.sides, found)
    cycle, fixed = 1.0, 0.0
    for _ in range(200):
        cycle = tanh(-3.5 * cycle + 0.5)
        fixed -= (fixed - tanh(-3.5 * fixed + 0.5)) / (1 + 3.5 * (1 - tanh(-3.5 * fixed + 0.5) ** 2))
    slopes = [3.5 * (1 - x**2) for x in (cycle, tanh(-3.5 * cycle + 0.5))]
    lower, upper = logs(found)
    assert (log(slopes[0]) + log(slopes[1])) / 2 - 1e-3 < lower < (log(slopes[0]) + log(slopes[1])) / 2
    assert log(3.5 * (1 - fixed**2)) < upper < log(3.5 * (1 - fixed**2)) + 1e-3


def test_a_spiral_is_bounded_from_both_sides() -> None:
    network = tanh_network([["1/2", "1/2"], ["-1/2", "1/2"]], ["0", "1/10"])
    sides = next(iter(orbit_boxes((network,))))
    tree, found = found_on((network,), sides)
    require((network,), tree.sides, found)
    lower, upper = logs(found)
    assert upper - lower < 1e-4
    assert lower < -0.35655 < upper


def test_boxes_are_cut_where_bounds_depend_on_it() -> None:
    network = tanh_network([["3/2", "1"], ["-1", "3/2"]], ["0", "1/10"])
    tree, found = found_on((network,), ((Fraction(-9, 8), Fraction(9, 8)),) * 2, seconds=1.5)
    require((network,), tree.sides, found)
    uppers = [row[3] for row in found.table if row[3] is not None]
    assert uppers[-1] < uppers[0] - 0.02
    assert uppers[-1] > log(1.5**2 + 1) / 2 - 0.02


def symbols(cell: str, rows: int, seed: int, inputs: Sequence[float]) -> tuple[Network, ...]:
    random = np.random.default_rng(seed)
    arrays = [np.round(0.7 * random.normal(size=shape), 2) for shape in ((rows, 1), (rows, rows // {"lstm": 4}.get(cell, 1)), (rows,))]
    return tuple(step_program([Layer(cell, *arrays)], [value]) for value in inputs)  # type: ignore[arg-type]


def test_inputs_from_a_graph_restrict_what_may_follow() -> None:
    """With the input that makes the slope small allowed only once in two steps, the bound lies between those of the two inputs."""
    layer = Layer("rnn_tanh", np.array([[1.0]]), np.array([[1.5]]))
    networks = tuple(step_program([layer], [value]) for value in (0.0, 2.0))
    sides = ((Fraction(-5, 4), Fraction(5, 4)),)
    walks = ((0, 0, 1), (1, 1, 0))
    tree, turns = found_on(networks, sides, nodes=2, walks=walks)
    require(networks, tree.sides, turns, walks)
    free = ((0, 0, 0), (0, 1, 0))
    tree, both = found_on(networks, sides, walks=free)
    require(networks, tree.sides, both, free)
    assert logs(turns)[1] < logs(both)[1] - 0.2
    assert logs(both)[1] == pytest.approx(log(1.5), abs=1e-3)


def test_a_small_lstm_has_forms_in_every_node() -> None:
    networks = symbols("lstm", 4, 5, (-1.0, 1.0))
    walks = ((0, 0, 0), (0, 1, 0))
    for sides in orbit_boxes(networks):
        tree = BoxTree(networks, sides, 1, walks)
        if tree.trap(monotonic() + 3.0, 64):
            break
    found = refine(tree, monotonic() + 0.8, most_leaves=24)
    require(networks, tree.sides, found, walks)
    assert found.upper is not None


def test_a_fold_has_no_lower_bound() -> None:
    network = load_network({"model": "shallow_plrnn", "A": ["2"], "W1": [["-4"]], "W2": [["1"]], "h1": ["0"], "h2": ["-1/2"]})
    found = refine(BoxTree((network,), ((Fraction(0), Fraction(1)),)), monotonic() + 1.0, most_leaves=60)
    assert found.lower is None
    assert found.upper is not None
    assert log(found.upper.rate) == pytest.approx(log(2), abs=1e-6)


def test_a_box_that_no_cutting_traps_is_seen() -> None:
    network = tanh_network([["2"]], ["0"])
    assert not BoxTree((network,), ((Fraction(-1, 2), Fraction(1, 2)),)).trap(monotonic() + 5.0, 50)
    with pytest.raises(Malformed, match="lower ends below the upper ones"):
        BoxTree((network,), ((Fraction(1), Fraction(1)),))


def test_a_rate_moves_without_its_forms() -> None:
    forms = Forms(Fraction(1), (Matrix.identity(1),), 64)
    assert forms.moved(1.5) == Forms(Fraction(3, 2), forms.forms, 64)
