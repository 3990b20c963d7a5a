"""Points of period k by signs (A4 ``cyclic_system``, ``cyclic_tree``): they accept, and refuse each wrong leaf with its exact letter."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.claims import CycleCounts
from proofs.network import Network, Operation
from proofs.theorems.cyclic_tree import least_rotation, refutes
from proofs.theorems.parts import CyclicPart, CyclicSystem
from tests.proofs.trees import BEND, FOLD, GROW, KNOT, SEESAW, Signs, cyclic_system, every_sign, words_of
from tests.proofs.workbench import (
    TENT,
    Step,
    facts,
    letter,
    lozi,
    malformed,
    matrix,
    rejected,
)

LAW = "theorem cyclic_tree, check"
GROWN: Step = ("cyclic_system", (), {"period": 1, "base": "0", "inverse": [["1"]]})  # y = x/2 - 1
TWO: Step = ("exact_cycle", (), {"point": ["2"], "period": 1})
LOW: dict[str, object] = {"farkas": ["0", "-1"]}  # a <= 0: x = 0, y = -1
BENT: Step = ("cyclic_system", (), {"period": 2, "base": "1", "inverse": [["-1/3"]]})  # y = M x + 1, M = ((1, 1), (1, 1))
THIRD: Step = ("exact_cycle", (), {"point": ["1/3"], "period": 1})
PAIR: Step = ("exact_cycle", (), {"point": ["2/3"], "period": 2})
FOLDED: Step = ("cyclic_system", (), {"period": 2, "base": "0", "inverse": [["1"]]})
HALFWAY: Step = ("exact_cycle", (), {"point": ["1/2"], "period": 1})
ENDS: Step = ("exact_cycle", (), {"point": ["1"], "period": 2})
BOTH: dict[str, object] = {"farkas": ["0", "1", "1", "1"]}
COMBINATION = "a combination with no positive coefficient and a negative constant"


def tree(nodes: list[object], *cites: int, path: list[int] | None = None, order: int | None = None) -> Step:
    """Make a tree step."""
    ranked: dict[str, object] = {} if order is None else {"order": order}
    return "cyclic_tree", cites, {**ranked, "path": path or [], "nodes": nodes}


def refused(network: Network, steps: tuple[Step, ...], check: int, expected: str, got: str) -> None:
    """Assert that the last step gets this rejection."""
    assert letter(network, *steps) == rejected(len(steps), f"{LAW} {check}", expected, got)


def misread(network: Network, steps: tuple[Step, ...], expected: str, got: str) -> None:
    """Assert that the last step is called malformed."""
    assert letter(network, *steps) == malformed(f"line {len(steps) + 1}, field witness, field nodes", "cyclic tree", expected, got)


def test_a_fixed_point_and_no_other() -> None:
    claim = facts(GROW, GROWN, TWO, tree([0, "cycle", LOW], 1, 2))[-1]
    assert claim == CyclicPart(1, None, frozenset(), frozenset({(1, ("1",))}), frozenset())
    assert claim.statement() == "Every orbit of F^1(z) = z is, up to rotation, among 1 cycles cited or in 0 residual polyhedra"
    part = facts(GROW, GROWN, tree([LOW], 1, path=[-1]))[-1]
    text = (
        "Every orbit of F^1(z) = z that meets 1 stated sign conditions is, up to rotation, among 0 cycles cited or in 0 residual polyhedra"
    )
    assert part.statement() == text


@pytest.mark.parametrize(
    ("network", "up_to", "counts", "residual"),
    [
        (GROW, 3, (1, 0, 0), ()),
        (BEND, 3, (1, 1, 1), ()),
        (SEESAW, 3, (1, 1, 0), ()),
        (FOLD, 3, (1, 1, 0), (("1", "1"),)),  # the ends of the segment of two-cycles lie on a border, hence in a regular word too
        (KNOT, 1, (1,), (("00",), ("11",))),
        (TENT, 3, (2, 1, 2), ()),
        (lozi("17/10", "1/2"), 5, (2, 1, 0, 1, 0), ()),
        (lozi("3/2", "1/2"), 3, (2, 1, 0), ()),
    ],
)
@pytest.mark.parametrize("order", [None, 0])
@pytest.mark.parametrize("lazy", [False, True])
def test_counts(
    network: Network, up_to: int, counts: tuple[int, ...], residual: tuple[tuple[str, ...], ...], order: int | None, lazy: bool
) -> None:
    for last in (False, True):
        steps = every_sign(network, up_to, order, lazy=lazy, last=last)
        assert steps
        assert facts(network, *steps)[-1] == CycleCounts(up_to, counts, residual)


def test_one_cycle_from_several_leaves_is_one() -> None:
    """0 is a fixed point of the tent on the border of unit 1: words 00 and 10 both end in it, and A1 names it by its points."""
    origin: Step = ("exact_cycle", (), {"point": ["0"], "period": 1})
    other: Step = ("exact_cycle", (), {"point": ["2/3"], "period": 1})
    walk = Signs(words_of(TENT), 1, "00")
    walk.visit({})
    cites = [1, *(2 if word in {("00",), ("10",)} else 3 for word in walk.cited)]
    claim = facts(TENT, ("cyclic_system", (), cyclic_system(TENT, 1, "00")), origin, other, tree(walk.tokens, *cites))[-1]
    assert isinstance(claim, CyclicPart)
    assert cites == [1, 3, 2, 2]
    assert claim.cycles == {(1, frozenset({(Fraction(0),)})), (1, ("11",))}


def test_enclosed_and_exact_cycles_are_told_apart_alike() -> None:
    enclosed: Step = ("cycle", (), {"points": [["2/3"], ["-1/3"]], "radius": "1/9", "itinerary": ["1", "0"], "inverse": [["1/3"]]})
    nodes: list[object] = [0, 1, "cycle", "cycle", 1, "cycle", BOTH]
    one = facts(BEND, BENT, THIRD, enclosed, tree(nodes, 1, 2, 3, 3))[-1]
    two = facts(BEND, BENT, THIRD, PAIR, tree(nodes, 1, 2, 3, 3))[-1]
    mixed = facts(BEND, BENT, THIRD, PAIR, enclosed, tree(nodes, 1, 2, 3, 4))[-1]
    assert one == two == mixed == CyclicPart(2, None, frozenset(), frozenset({(1, ("1",)), (2, ("0", "1"))}), frozenset())


def test_least_rotation() -> None:
    assert least_rotation(("10", "01", "01")) == ("01", "01", "10")


@pytest.mark.parametrize(
    ("weights", "got"),
    [
        (["0", "1"], "{'farkas': ['0', '1']}"),  # the wrong sign: y grows
        (["0", "0"], "{'farkas': ['0', '0']}"),
        ([], "{'farkas': []}"),
    ],
)
def test_combinations_that_refute_nothing(weights: list[str], got: str) -> None:
    refused(GROW, (GROWN, TWO, tree([0, "cycle", {"farkas": weights}], 1, 2)), 2, COMBINATION, got)


def test_a_constant_that_is_not_negative() -> None:
    """At the first branch a >= 0 leaves y = 0 and a solution x = 2; with x - x/2 alone the constant is 0 where the bias is 0."""
    refused(GROW, (GROWN, tree([0, LOW, LOW], 1)), 2, COMBINATION, "{'farkas': ['0', '-1']}")
    still = Network(1, (*GROW.program[:2], Operation("affine", (2,), (matrix([["1/2"]]),), matrix([[0]]))))
    origin: Step = ("exact_cycle", (), {"point": ["0"], "period": 1})
    refused(still, (GROWN, origin, tree([0, "cycle", LOW], 1, 2)), 2, COMBINATION, "{'farkas': ['0', '-1']}")
    assert facts(still, GROWN, origin, tree([0, "cycle", "cycle"], 1, 2, 2))


def test_multipliers_of_a_node_do_not_serve_its_parent_or_its_sibling() -> None:
    nodes: list[object] = [0, 1, "cycle", "cycle", 1, "cycle", BOTH]
    assert facts(BEND, BENT, THIRD, PAIR, tree(nodes, 1, 2, 3, 3))
    refused(BEND, (BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", BOTH], 1, 2, 3)), 2, COMBINATION, str(BOTH))
    refused(BEND, (BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", 1, BOTH, BOTH], 1, 2, 3)), 2, COMBINATION, str(BOTH))


@pytest.mark.parametrize(
    ("weights", "got"),
    [
        (["0", "-1/2"], "['0', '-1/2']"),  # no integer
        (["0"], "['0']"),
        ([0, -1, 0, -1], "[0, -1, 0, -1]"),
        ([0, -1, "0", -1], "[0, -1, '0', -1]"),
        ([-1, -1], "[-1, -1]"),
        ([1, -1], "[1, -1]"),
        ([0, "-1/2"], "[0, '-1/2']"),
        (["0", "-1", "0", "-1"], "['0', '-1', '0', '-1']"),
        (["1", "-1"], "['1', '-1']"),
        (["-1", "-1"], "['-1', '-1']"),
        (["1/2", "-1"], "['1/2', '-1']"),
    ],
)
def test_pairs_that_are_none(weights: list[object], got: str) -> None:
    expected = "pairs of different indices from 0 to 0 and integers"
    misread(GROW, (GROWN, TWO, tree([0, "cycle", {"farkas": weights}], 1, 2)), expected, got)


@pytest.mark.parametrize(
    "weights", [[0, True], [None, -1], None, "0", {"0": "-1"}, [["0", "-1"]], [True, "-1"], ["0", "-1.0"], ["0", ""], ["0", None]]
)
def test_numbers_that_are_none(weights: object) -> None:
    answer = letter(GROW, GROWN, TWO, tree([0, "cycle", {"farkas": weights}], 1, 2))
    assert answer.startswith("Malformed at line 4, field witness, field nodes")


def test_integers_may_be_bare() -> None:
    for weights in ([0, -1], ["0", -1], [0, "-1"], ["0x0", "-1p0"], [0, -(10**17)]):
        assert facts(GROW, GROWN, TWO, tree([0, "cycle", {"farkas": weights}], 1, 2))
    turned = {"farkas": [0, 2, 1, 1], "order": [1, 1]}
    assert facts(BEND, BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", turned], 1, 2, 3, order=0))
    long = letter(GROW, GROWN, TWO, tree([0, "cycle", {"farkas": [0, -(10**18)]}], 1, 2))
    assert "integer of 20 digits; write long numbers as strings" in long


def test_huge_multipliers() -> None:
    huge = "-0x" + "f" * 100_000
    assert facts(GROW, GROWN, TWO, tree([0, "cycle", {"farkas": ["0", huge]}], 1, 2))
    answer = letter(GROW, GROWN, TWO, tree([0, "cycle", {"farkas": ["0", huge[1:]]}], 1, 2))
    assert answer.startswith(f"Rejected at step 3, {LAW} 2\n  expected  {COMBINATION}\n")
    assert len(answer) < 500


@pytest.mark.parametrize(
    ("told", "got"),
    [
        (True, "True"),
        (False, "False"),
        (None, "None"),
        ("Cycle", "Cycle"),
        ("0", "0"),
        ([0], "[0]"),
        ({}, "{}"),
        ({"order": []}, "{'order': []}"),
        ({"farkas": ["0", "-1"], "sum": "0"}, "{'farkas': ['0', '-1'], 'sum': '0'}"),
    ],
)
def test_tokens_that_are_none(told: object, got: str) -> None:
    misread(GROW, (GROWN, TWO, tree([0, "cycle", told], 1, 2)), 'an index, a farkas object, "cycle", "part" or "residual"', got)


def test_branches_out_of_place() -> None:
    for told in (1, -1, 10**17):
        refused(GROW, (GROWN, TWO, tree([told, "cycle", LOW], 1, 2)), 1, "a branch on an undecided index", str(told))
    refused(GROW, (GROWN, TWO, tree([0, 0, "cycle", LOW, LOW], 1, 2)), 1, "a branch on an undecided index", "0")
    refused(GROW, (GROWN, tree([0, LOW, LOW], 1, path=[-1])), 1, "a branch on an undecided index", "0")


def test_a_branch_that_is_missing() -> None:
    misread(GROW, (GROWN, TWO, tree([0, "cycle"], 1, 2)), "a token for every node", "none left")
    misread(GROW, (GROWN, tree([], 1)), "a token for every node", "none left")
    misread(BEND, (BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle"], 1, 2, 3)), "a token for every node", "none left")


def test_tokens_that_are_left_over() -> None:
    deep: object = 0
    for _ in range(900):
        deep = [deep]
    for left in ([LOW], [0], [None], [None, 7, "part"], [True], [deep]):
        refused(GROW, (GROWN, TWO, tree([0, "cycle", LOW, *left], 1, 2)), 1, "no token left over", str(len(left)))


@pytest.mark.parametrize(("path", "got"), [([0], "0"), ([1, 1], "1 1"), ([1, -1], "1 -1")])
def test_paths_that_are_none(path: list[int], got: str) -> None:
    refused(GROW, (GROWN, tree([LOW], 1, path=path)), 1, "a path of different indices, none of them 0", got)


@pytest.mark.parametrize("path", [[2], [-2], [True], ["1"], [None], [10**17]])
def test_paths_of_other_things(path: list[int]) -> None:
    answer = letter(GROW, GROWN, tree([LOW], 1, path=path))
    assert answer.startswith("Malformed at line 3, field witness, field path")


def test_an_undecided_node_holds_no_word() -> None:
    refused(BEND, (BENT, THIRD, tree([0, "cycle", BOTH], 1, 2)), 3, "all 2 indices decided", "1")
    refused(BEND, (BENT, tree(["residual"], 1)), 5, "all 2 indices decided", "0")
    refused(BEND, (BENT, tree([1, "residual", "residual"], 1)), 5, "all 2 indices decided", "1")


def test_a_regular_word_is_not_residual() -> None:
    refused(GROW, (GROWN, tree([0, "residual", LOW], 1)), 5, "a singular word", "1")
    refused(GROW, (GROWN, TWO, tree([0, "cycle", "residual"], 1, 2)), 5, "a singular word", "0")
    refused(BEND, (BENT, tree(["residual"], 1, path=[-1, 2])), 5, "a singular word", "0 1")
    claim = facts(FOLD, FOLDED, tree(["residual"], 1, path=[1, 2]))[-1]
    assert claim == CyclicPart(2, None, frozenset({1, 2}), frozenset(), frozenset({("1", "1")}))


def test_cycles_of_another_word() -> None:
    names = {"1": "F has a fixed point, exactly through z = (1/3)", "2": "F has a cycle of least period 2, exactly through z = (2/3)"}
    wrong = (BENT, THIRD, PAIR)
    refused(BEND, (*wrong, tree([0, 1, "cycle"], 1, 3)), 3, "a cycle with the word 1 1", names["2"])
    refused(BEND, (*wrong, tree([0, 1, "cycle", "cycle"], 1, 2, 2)), 3, "a cycle with the word 1 0", names["1"])
    refused(BEND, (*wrong, tree([0, 1, "cycle", "cycle", 1, "cycle", "cycle"], 1, 2, 3, 3, 3)), 3, "a cycle with the word 0 0", names["2"])
    first = "F has a cycle of least period 3, exactly through z = (-1)"
    three: Step = ("exact_cycle", (), {"point": ["-1"], "period": 3})
    refused(BEND, (BENT, three, tree([0, 1, "cycle"], 1, 2)), 3, "a cycle with the word 1 1", first)


def test_any_rotation_of_a_cycle_serves_and_another_word_of_the_same_letters_does_not() -> None:
    system: Step = ("cyclic_system", (), {"period": 5, "base": "1", "inverse": [["1/33"]]})
    points = ("-1/9", "8/9", "-7/9", "2/9", "5/9")  # word 0 1 0 1 1
    steps = [system, *(("exact_cycle", (), {"point": [x], "period": 5}) for x in points)]
    claims = {facts(BEND, *steps, tree(["cycle"], 1, cite, path=[-1, 2, -3, 4, 5]))[-1] for cite in range(2, 7)}
    assert claims == {CyclicPart(5, None, frozenset({-1, 2, -3, 4, 5}), frozenset({(5, ("0", "1", "0", "1", "1"))}), frozenset())}
    told = "F has a cycle of least period 5, exactly through z = (-1/9)"
    refused(BEND, (*steps[:2], tree(["cycle"], 1, 2, path=[-1, -2, 3, 4, 5])), 3, "a cycle with the word 0 0 1 1 1", told)


def test_a_divisor_cycle_at_a_singular_power() -> None:
    """FOLD has slope -1 on its fixed point's piece: 1 - P is 2 there, but 1 - P P is 0, and the word 11 holds a segment of two-cycles."""
    enclosed: Step = ("cycle", (), {"points": [["1/2"]], "radius": "1/9", "itinerary": ["1"], "inverse": [["1/2"]]})
    for cycle in (HALFWAY, enclosed, ENDS):
        answer = letter(FOLD, FOLDED, cycle, tree([0, 1, "cycle"], 1, 2))
        assert answer == rejected(3, f"{LAW} 3", "I - P nonsingular modulo 2^61 - 1", "a singular word 1 1")
    assert facts(FOLD, FOLDED, ENDS, tree([0, 1, "residual", "cycle", 1, "cycle", {"farkas": ["0", "-1", "1", "-1"]}], 1, 2, 2))


def test_wrong_kinds_of_citations() -> None:
    assert letter(GROW, TWO, tree([0, "cycle", LOW], 1)) == rejected(2, "theorem cyclic_tree, citations", "CyclicSystem", "ExactCycle")
    answer = letter(GROW, GROWN, tree([0, "cycle", LOW], 1, 1))
    assert answer == rejected(2, "theorem cyclic_tree, citations", "Cycle or ExactCycle", "CyclicSystem")
    answer = letter(GROW, GROWN, TWO, tree([0, "part", LOW], 1, 2))
    assert answer == rejected(3, "theorem cyclic_tree, citations", "CyclicPart", "ExactCycle")
    none = malformed("step 2", "citations", "a citation of one of the 1 earlier steps", "no further citation")
    assert letter(GROW, GROWN, tree([0, "cycle", LOW], 1)) == none


def test_parts() -> None:
    part = tree([1, "cycle", BOTH], 1, 3, path=[-1])
    whole = tree([0, 1, "cycle", "cycle", "part"], 1, 2, 3, 4)
    claim = facts(BEND, BENT, THIRD, PAIR, part, whole)[-1]
    assert claim == CyclicPart(2, None, frozenset(), frozenset({(1, ("1",)), (2, ("0", "1"))}), frozenset())


@pytest.mark.parametrize(
    ("part", "got"),
    [
        (tree([1, "cycle", "cycle"], 1, 2, 3, path=[1]), "1"),  # the sibling
        (tree([BOTH], 1, path=[-1, -2]), "-2 -1"),  # decided further
        (tree([0, 1, "cycle", "cycle", 1, "cycle", BOTH], 1, 2, 3, 3), ""),  # the root
        (tree([1, "cycle", BOTH], 1, 3, path=[-1], order=0), "-1"),  # with an order
    ],
)
def test_parts_of_something_else(part: Step, got: str) -> None:
    steps = (BENT, THIRD, PAIR, part, tree([0, 1, "cycle", "cycle", "part"], 1, 2, 3, 4))
    refused(BEND, steps, 4, "a part of period 2 decided at [-1]", got)


def test_a_part_of_another_period() -> None:
    one: Step = ("cyclic_system", (), {"period": 1, "base": "1", "inverse": [["1/3"]]})
    part = tree([{"farkas": ["0", "1"]}], 1, path=[-1])
    steps = (one, part, BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", "part"], 3, 4, 5, 2))
    refused(BEND, steps, 4, "a part of period 2 decided at [-1]", "-1")


def test_an_order_halves_the_tree() -> None:
    refuted: dict[str, object] = {"farkas": ["0", "2", "1", "1"], "order": ["1", "1"]}
    claim = facts(BEND, BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", refuted], 1, 2, 3, order=0))[-1]
    assert claim == CyclicPart(2, 0, frozenset(), frozenset({(1, ("1",)), (2, ("0", "1"))}), frozenset())


@pytest.mark.parametrize(
    ("order", "turns", "got"),
    [(None, ["1", "1"], "{1: 1}"), (0, ["1", "-1"], "{1: -1}"), (None, ["0", "0"], "{0: 0}")],
)
def test_an_order_that_is_not_stated_or_turned_round(order: int | None, turns: list[str], got: str) -> None:
    refuted = {"farkas": ["0", "2", "1", "1"], "order": turns}
    steps = (BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", refuted], 1, 2, 3, order=order))
    refused(BEND, steps, 2, "multipliers >= 0 on a stated order", got)


def test_an_order_at_the_wrong_time() -> None:
    for turns in (["0", "1"], [], ["1", "100"]):
        refuted = {"farkas": ["0", "2", "1", "1"], "order": turns}
        steps = (BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", refuted], 1, 2, 3, order=0))
        refused(BEND, steps, 2, COMBINATION, str(refuted))
    for turns in (["2", "1"], ["-1", "1"], ["1", "1", "1", "1"]):
        refuted = {"farkas": ["0", "2", "1", "1"], "order": turns}
        steps = (BENT, THIRD, PAIR, tree([0, 1, "cycle", "cycle", refuted], 1, 2, 3, order=0))
        misread(BEND, steps, "pairs of different indices from 0 to 1 and integers", str(turns))


@pytest.mark.parametrize("order", [1, -1, True, "0"])
def test_an_order_of_no_hinge(order: object) -> None:
    step: Step = ("cyclic_tree", (1,), {"order": order, "path": [], "nodes": [LOW]})
    assert letter(BEND, BENT, step).startswith("Malformed at line 3, field witness, field order")


def test_a_radius_is_counted_against_every_coefficient() -> None:
    """GROW at a <= 0: the sum is -y + x/2 + 1 with x fixed to 0; with a radius the constant and the free y still decide."""
    for bits, holds in ((60, True), (8, True)):
        steps: tuple[Step, ...] = (("cyclic_system", (), cyclic_system(GROW, 1, "0", bits)), TWO, tree([0, "cycle", LOW], 1, 2))
        assert bool(facts(GROW, *steps)) is holds
    narrow = CyclicSystem(1, "0", ((4,),), (-2,), 1, 8)
    assert refutes(narrow, None, {0: False}, {0: -1}, {})
    assert not refutes(CyclicSystem(1, "0", ((4,),), (-2,), 2, 8), None, {0: False}, {0: -1}, {})
    free = CyclicSystem(1, "0", ((-4,),), (-8,), 3, 8)
    assert refutes(free, None, {}, {0: -1}, {})
    assert not refutes(CyclicSystem(1, "0", ((-4,),), (-8,), 5, 8), None, {}, {0: -1}, {})
