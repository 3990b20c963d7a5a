"""The whole answers (A4 ``every_cycle``, A5 ``unique_for_every_bias``) and the system beneath (``cyclic_system``), with exact letters."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import chain

import pytest

from proofs.claims import CycleCounts, OnePoint
from proofs.errors import Rejected
from proofs.kernel import check
from proofs.network import Network, Operation
from proofs.theorems.parts import CyclicSystem
from tests.proofs.trees import BEND, FOLD, GROW, KNOT, SEESAW, cyclic_system, every_sign, every_word, words_of
from tests.proofs.workbench import (
    FLIP,
    HALF,
    SMOOTH,
    TENT,
    TENT_BALL,
    Step,
    certificate,
    facts,
    letter,
    linear,
    lozi,
    malformed,
    matrix,
    prove,
    rejected,
)
from tests.second.lcp import system

GROWN: Step = ("cyclic_system", (), {"period": 1, "base": "0", "inverse": [["1"]]})
BENT: Step = ("cyclic_system", (), {"period": 2, "base": "1", "inverse": [["-1/3"]]})
THIRD: Step = ("exact_cycle", (), {"point": ["1/3"], "period": 1})
PAIR: Step = ("exact_cycle", (), {"point": ["2/3"], "period": 2})
BOTH: dict[str, object] = {"farkas": ["0", "1", "1", "1"]}
TREE: Step = ("cyclic_tree", (1, 2, 3, 3), {"path": [], "nodes": [0, 1, "cycle", "cycle", 1, "cycle", BOTH]})
LAW = "theorem every_cycle, check"
A5 = "theorem unique_for_every_bias, check"
EIGHTHS: dict[str, object] = {"period": 1, "base": "0", "inverse": [["1/4"]]}  # SEESAW: M = 3/8


def test_the_system() -> None:
    assert facts(GROW, GROWN) == [CyclicSystem(1, "0", ((1,),), (-2,), 0, 2)]
    claim = facts(BEND, BENT)[0]
    assert isinstance(claim, CyclicSystem)
    assert (claim.radius, claim.statement()) == (
        0,
        "The points fixed by F^2 are the solutions of a stated linear complementarity problem with 2 unknowns",
    )


@pytest.mark.parametrize("network", [GROW, BEND, KNOT, TENT, SEESAW, lozi("17/10", "1/2"), lozi("3/2", "1/2")])
@pytest.mark.parametrize("period", [1, 2, 3])
def test_the_system_is_the_one_that_elimination_of_all_states_gives(network: Network, period: int) -> None:
    words = words_of(network)
    for base in words.letters:
        try:
            rows, constants = system(words, period, base)
        except Exception:  # noqa: BLE001, S112 - a base at which J^k has the eigenvalue 1
            continue
        for bits in (None, 30):
            claim = facts(network, ("cyclic_system", (), cyclic_system(network, period, base, bits)))[0]
            assert isinstance(claim, CyclicSystem)
            assert bits is not None or claim.radius == 0
            pairs = [*zip(chain(*rows), chain(*claim.rows), strict=True), *zip(constants, claim.constants, strict=True)]
            assert all(abs(exact * claim.scale - told) <= claim.radius for exact, told in pairs)
            assert Fraction(claim.radius, claim.scale) < Fraction(1, 2**10)


SYSTEM: dict[str, object] = {"period": 2, "base": "1", "inverse": [["-1/3"]]}
INVERSE = "|I - C (I - J^k)| < 1 (0 without bits)"


@pytest.mark.parametrize(
    ("network", "change", "check", "expected", "got", "remedy"),
    [
        (SMOOTH, {}, 1, "a program of affine, relu and add", "a smooth operation", ""),
        (FLIP, {"base": ""}, 1, "1 to 1024 unknowns, period times live hinges", "0", ""),
        (BEND, {"period": 1025}, 1, "1 to 1024 unknowns, period times live hinges", "1025", ""),
        (BEND, {"base": ""}, 1, "1 letters 0 or 1, one a live hinge", "", ""),
        (BEND, {"base": "11"}, 1, "1 letters 0 or 1, one a live hinge", "11", ""),
        (BEND, {"base": "2"}, 1, "1 letters 0 or 1, one a live hinge", "2", ""),
        (BEND, {"inverse": [["-1/3~1p-9"]]}, 2, "an inverse without radius", "intervals", ""),
        (BEND, {"inverse": [["-333/1000"]]}, 2, INVERSE, "1/1000", "another base, or more bits"),
        (BEND, {"inverse": [["1/3"]]}, 2, INVERSE, "2", "another base, or more bits"),
        (BEND, {"inverse": [["-2/3"]], "bits": 60}, 2, INVERSE, "1", "another base, or more bits"),
        (BEND, {"inverse": [["0"]], "bits": 60}, 2, INVERSE, "1", "another base, or more bits"),
        (BEND, {"base": "0"}, 2, INVERSE, "1", "another base, or more bits"),  # slope 1: a root of unity
        (BEND, {"base": "0", "bits": 60}, 2, INVERSE, "1", "another base, or more bits"),
        (FOLD, {"base": "1"}, 2, INVERSE, "1", "another base, or more bits"),  # slope -1, squared
    ],
)
def test_systems_refused(network: Network, change: dict[str, object], check: int, expected: str, got: str, remedy: str) -> None:
    answer = letter(network, ("cyclic_system", (), {**SYSTEM, **change}))
    assert answer == rejected(1, f"theorem cyclic_system, check {check}", expected, got, remedy)


def test_systems_of_exact_weights_only() -> None:
    remedy = "this theorem is exact-only: certify without a radius"
    answer = rejected(
        1, "theorem cyclic_system, check 1", "weights that are single numbers", "weight intervals of radius up to 1/1048576", remedy
    )
    assert letter(TENT_BALL, ("cyclic_system", (), {**SYSTEM, "base": "11"})) == answer


@pytest.mark.parametrize(
    "change",
    [
        {"inverse": [["-1/3", "0"]]},
        {"inverse": []},
        {"bits": 7},
        {"bits": 20001},
        {"bits": True},
        {"period": 0},
        {"period": True},
        {"base": 1},
    ],
)
def test_systems_malformed(change: dict[str, object]) -> None:
    assert letter(BEND, ("cyclic_system", (), {**SYSTEM, **change})).startswith("Malformed at line 2, field witness, field ")


def test_idle_hinges_do_not_count() -> None:
    program = (
        Operation("relu", (0,)),
        Operation("affine", (0, 1), (matrix([["1/2", 1], [0, "1/3"]]), matrix([[-2, 0], [0, 0]])), matrix([[1], [1]])),
    )
    network = Network(2, program)
    steps = every_sign(network, 2)
    assert steps
    assert facts(network, *steps)[-1] == CycleCounts(2, (1, 1), ())
    assert letter(network, ("cyclic_system", (), {**steps[0][2], "base": "00"})) == rejected(
        1, "theorem cyclic_system, check 1", "1 letters 0 or 1, one a live hinge", "00"
    )


def test_a_rounded_system_with_too_few_bits() -> None:
    network = lozi("17/10", "1/2")
    steps = every_sign(network, 1)
    assert steps
    rough: Step = ("cyclic_system", (), {**cyclic_system(network, 1, str(steps[0][2]["base"]), 8), "bits": 8})
    claim = facts(network, rough)[0]
    assert isinstance(claim, CyclicSystem)
    assert claim.radius > 0
    fine = facts(network, ("cyclic_system", (), cyclic_system(network, 1, str(steps[0][2]["base"]), 200)))[0]
    assert isinstance(fine, CyclicSystem)
    assert Fraction(fine.radius, fine.scale) < Fraction(1, 2**150) < Fraction(claim.radius, claim.scale)


def test_a_reflection_has_no_system_without_hinges() -> None:
    assert letter(linear([[-1]]), ("cyclic_system", (), {"period": 1, "base": "", "inverse": [["1/2"]]})) == rejected(
        1, "theorem cyclic_system, check 1", "1 to 1024 unknowns, period times live hinges", "0"
    )


def ends(up_to: object, *cites: int) -> Step:
    """Make the last step."""
    return "every_cycle", cites, {"up_to": up_to}


def test_every_cycle_by_signs() -> None:
    assert facts(BEND, BENT, THIRD, PAIR, TREE, ends(2, 4))[-1] == CycleCounts(2, (1, 1), ())
    verdict = prove(BEND, BENT, THIRD, PAIR, TREE, ends(2, 4))
    assert verdict.claims[0].statement() == "These are ALL cycles of F on R^M with least period at most 2: 1 of period 1, 1 of period 2"
    folded = every_sign(FOLD, 2)
    assert folded
    assert prove(FOLD, *folded).claims[0].statement() == (
        "These are ALL cycles of F on R^M with least period at most 2: 1 of period 2, "
        "except points of the polyhedra of periodic points with these itineraries (live hinges): 1 1"
    )


def test_every_cycle_by_words_and_by_signs_agree() -> None:
    for network in (BEND, GROW, SEESAW, TENT):
        steps = every_sign(network, 3)
        assert steps
        assert facts(network, *steps)[-1] == facts(network, *every_word(network, 3))[-1]


def test_every_cycle_after_uniqueness() -> None:
    seesaw: Step = ("cyclic_system", (), EIGHTHS)
    point: Step = ("exact_cycle", (), {"point": ["2/3"], "period": 1})
    enclosed: Step = ("cycle", (), {"points": [["2/3"]], "radius": "1/9", "itinerary": ["1"], "inverse": [["2/3"]]})
    for cycle in (point, enclosed):
        claims = facts(SEESAW, seesaw, ("unique_for_every_bias", (1,), {}), cycle, ends(1, 2, 3))
        assert claims[1] == OnePoint(1)
        assert claims[1].statement() == "F has exactly one fixed point, and so it would with any other biases"
        assert claims[-1] == CycleCounts(1, (1,), ())
    square: Step = ("cyclic_system", (), {"period": 2, "base": "0", "inverse": [["1"]]})
    two: Step = ("exact_cycle", (), {"point": ["2"], "period": 1})
    steps: tuple[Step, ...] = (square, ("unique_for_every_bias", (1,), {}), two, ends(2, 2, 3))
    assert facts(GROW, *steps)[1].statement() == "F^2 has exactly one fixed point, and so it would with any other biases"
    assert facts(GROW, *steps)[-1] == CycleCounts(2, (1, 0), ())
    grown = every_sign(GROW, 3)
    assert grown
    count = len(grown)
    mixed: tuple[Step, ...] = (*grown[:-1], square, ("unique_for_every_bias", (count,), {}), two, ends(3, count + 1, count + 2, count - 1))
    assert facts(GROW, *mixed)[-1] == CycleCounts(3, (1, 0, 0), ())


def test_a_period_that_does_not_divide() -> None:
    """SEESAW has one fixed point whatever the bias, and a two-cycle, which is no witness of it."""
    steps: tuple[Step, ...] = (
        ("cyclic_system", (), EIGHTHS),
        ("unique_for_every_bias", (1,), {}),
        ("exact_cycle", (), {"point": ["4"], "period": 2}),
        ends(1, 2, 3),
    )
    assert letter(SEESAW, *steps) == rejected(4, f"{LAW} 2", "a cycle whose period divides 1", "2")


def test_a_tree_that_is_missing() -> None:
    steps = every_sign(BEND, 3)
    assert steps
    roots = steps[-1][1]
    none = malformed(f"step {len(steps)}", "citations", f"a citation of one of the {len(steps) - 1} earlier steps", "no further citation")
    assert letter(BEND, *steps[:-1], ends(3, roots[0])) == none
    assert letter(BEND, *steps[:-1], ends(3)) == none
    said = "Every orbit of F^{} is, up to rotation, among {} cycles cited or in 0 residual polyhedra"
    three, two = said.format("3(z) = z", 2), said.format("2(z) = z", 2)
    whole = "the whole tree of period"
    assert letter(BEND, *steps[:-1], ends(3, *roots[::-1])) == rejected(len(steps), f"{LAW} 1", f"{whole} 2", three)
    assert letter(BEND, *steps[:-1], ends(3, roots[0], roots[0])) == rejected(len(steps), f"{LAW} 1", f"{whole} 3", two)
    assert letter(BEND, *steps[:-1], ends(2, roots[1])) == rejected(len(steps), f"{LAW} 1", f"{whole} 2", three)
    assert letter(BEND, *steps[:-1], ends(4, *roots)) == rejected(len(steps), f"{LAW} 1", f"{whole} 3", two)
    further = rejected(len(steps), "theorem every_cycle, citations", "Cycle or ExactCycle", "CyclicPart")
    assert letter(BEND, *steps[:-1], ends(2, *roots)) == further


def test_a_tree_that_is_only_a_part() -> None:
    part: Step = ("cyclic_tree", (1, 3), {"path": [-1], "nodes": [1, "cycle", BOTH]})
    told = (
        "Every orbit of F^2(z) = z that meets 1 stated sign conditions is, up to rotation, among 1 cycles cited or in 0 residual polyhedra"
    )
    assert letter(BEND, BENT, THIRD, PAIR, part, ends(2, 4)) == rejected(5, f"{LAW} 1", "the whole tree of period 2", told)


def test_facts_of_another_kind() -> None:
    answer = letter(BEND, THIRD, ends(1, 1))
    assert answer == rejected(2, "theorem every_cycle, citations", "CyclicPart or OnePoint", "ExactCycle")
    steps: tuple[Step, ...] = (("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), {}))
    answer = letter(SEESAW, *steps, ends(1, 2, 1))
    assert answer == rejected(3, "theorem every_cycle, citations", "Cycle or ExactCycle", "CyclicSystem")
    none = malformed("step 3", "citations", "a citation of one of the 2 earlier steps", "no further citation")
    assert letter(SEESAW, *steps, ends(1, 2)) == none
    words = every_word(BEND, 3)
    answer = letter(BEND, *words, ends(3, len(words)))
    assert answer == rejected(len(words) + 1, "theorem every_cycle, citations", "CyclicPart or OnePoint", "CycleCounts")


def test_cycles_inside_a_residual_polyhedron() -> None:
    """FOLD to period 2: the word 11 is singular, and the fixed point 1/2 follows it; no tree lists it, so it is cited at the end."""
    steps = every_sign(FOLD, 2)
    assert steps
    root = len(steps) - 1
    half: Step = ("exact_cycle", (), {"point": ["1/2"], "period": 1})
    enclosed: Step = ("cycle", (), {"points": [["1/2"]], "radius": "1/9", "itinerary": ["1"], "inverse": [["1/2"]]})
    inner: Step = ("exact_cycle", (), {"point": ["1/4"], "period": 2})
    assert facts(FOLD, *steps)[-1] == CycleCounts(2, (0, 1), (("1", "1"),))
    for further in (half, enclosed):
        assert facts(FOLD, *steps[:-1], further, ends(2, root, root + 1))[-1] == CycleCounts(2, (1, 1), (("1", "1"),))
    both = facts(FOLD, *steps[:-1], half, enclosed, ends(2, root, root + 1, root + 2))[-1]
    assert both == CycleCounts(2, (1, 1), (("1", "1"),))
    twice = facts(FOLD, *steps[:-1], half, inner, ends(2, root, root + 1, root + 2, root + 1, root + 2))[-1]
    assert twice == CycleCounts(2, (1, 2), (("1", "1"),))
    again: Step = ("exact_cycle", (), {"point": ["1/3"], "period": 2})
    joined = facts(FOLD, *steps[:-1], inner, again, ends(2, root, root + 1, root + 2))[-1]
    assert joined == CycleCounts(2, (0, 2), (("1", "1"),))  # one word, two cycles of the segment: counted once, and named by the polyhedron


def test_a_further_cycle_that_is_too_long() -> None:
    three: Step = ("exact_cycle", (), {"point": ["0"], "period": 3})
    answer = letter(BEND, BENT, THIRD, PAIR, TREE, three, ends(2, 4, 5))
    assert answer == rejected(6, f"{LAW} 2", "further cycles of period at most 2", "3")
    assert facts(BEND, BENT, THIRD, PAIR, TREE, ends(2, 4, 2, 3))[-1] == CycleCounts(2, (1, 1), ())
    answer = letter(BEND, BENT, THIRD, PAIR, TREE, ends(2, 4, 4))
    assert answer == rejected(5, "theorem every_cycle, citations", "Cycle or ExactCycle", "CyclicPart")


@pytest.mark.parametrize("up_to", [0, -1, 4097, True, "2", None])
def test_periods_that_are_none(up_to: object) -> None:
    answer = letter(BEND, BENT, THIRD, PAIR, TREE, ends(up_to, 4))
    assert answer.startswith("Malformed at line 6, field witness, field up_to")


@pytest.mark.parametrize(
    "claim",
    [
        {"counts": [1, 2]},
        {"counts": [1, 1, 0]},
        {"counts": [2, 1]},
        {"counts": [True, 1]},
        {"up_to": 3, "counts": [1, 1, 0]},
        {"residual": [["1", "1"]]},
    ],
)
def test_claims_that_no_step_concludes(claim: dict[str, object]) -> None:
    wanted = {"claim": "cycle_counts", "up_to": 2, "counts": [1, 1], "residual": [], **claim}
    with pytest.raises(Rejected, match="Rejected at claim 1, conclusion"):
        check(certificate(BEND, [wanted], *every_word(BEND, 2)))


def test_uniqueness_by_minors_and_by_a_scaling() -> None:
    witnesses: list[dict[str, object]] = [{}, {"scaling": ["1"]}, {"scaling": ["1/1000000"]}]
    for witness in witnesses:
        assert facts(SEESAW, ("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), witness))[-1] == OnePoint(1)
    rounded: Step = ("cyclic_system", (), {**EIGHTHS, "inverse": [["17/64"]], "bits": 60})
    assert facts(SEESAW, rounded, ("unique_for_every_bias", (1,), {"scaling": ["1"]}))[-1] == OnePoint(1)


def test_uniqueness_in_the_plane() -> None:
    """A z + W relu(z) with A = 0, W = ((0, w), (w, 0)): det(I - W D) = 1 - w w where both letters are 1."""
    for weight, unique in (("1/2", True), ("-9/10", True), ("1", False), ("2", False)):
        net = crossed(weight)
        steps: tuple[Step, ...] = (("cyclic_system", (), cyclic_system(net, 1, "00")), ("unique_for_every_bias", (1,), {}))
        if unique:
            assert facts(net, *steps)[-1] == OnePoint(1)
        else:
            assert letter(net, *steps) == rejected(2, f"{A5} 2", "every principal minor > 0", "one that is not")


def crossed(weight: str) -> Network:
    """Return a PLRNN of two units that act on each other."""
    return Network(2, (Operation("relu", (0,)), Operation("affine", (1,), (matrix([[0, weight], [weight, 0]]),), matrix([[1], [1]]))))


def test_uniqueness_that_fails() -> None:
    """BEND has slopes 1 and -2: at slope 1 the minor is 0."""
    one: Step = ("cyclic_system", (), {"period": 1, "base": "1", "inverse": [["1/3"]]})
    answer = letter(BEND, one, ("unique_for_every_bias", (1,), {}))
    assert answer == rejected(2, f"{A5} 2", "every principal minor > 0", "one that is not")
    scaled = rejected(2, f"{A5} 1", "D M + M' D positive definite", "a pivot that is not proved positive", "another scaling")
    assert letter(BEND, one, ("unique_for_every_bias", (1,), {"scaling": ["1"]})) == scaled
    wide: Step = ("cyclic_system", (), cyclic_system(crossed("2"), 1, "00"))
    assert letter(crossed("2"), wide, ("unique_for_every_bias", (1,), {"scaling": ["1", "1"]})) == scaled
    rough: Step = ("cyclic_system", (), {**EIGHTHS, "inverse": [["5/16"]], "bits": 60})
    assert letter(SEESAW, rough, ("unique_for_every_bias", (1,), {"scaling": ["1"]})) == scaled  # M = 3/8 within a radius that is too wide


@pytest.mark.parametrize("scaling", ["0", "-1", "-1p-400", "1~1p-9", "1~0x1"])
def test_scalings_that_are_none(scaling: str) -> None:
    answer = letter(SEESAW, ("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), {"scaling": [scaling]}))
    assert answer.startswith(f"Rejected at step 2, {A5} 1\n  expected  1 positive numbers\n")


@pytest.mark.parametrize("scaling", [[1], "1", [["1"]], [True], ["1~-1"], ["0.5"], [], ["1", "1"]])
def test_scalings_malformed(scaling: object) -> None:
    answer = letter(SEESAW, ("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), {"scaling": scaling}))
    assert answer.startswith("Malformed at line 3, field witness, field scaling")


def test_scalings_of_many_long_numbers_are_counted_first() -> None:
    begin = time.process_time()
    scaling = [f"1/0x{'f' * 99_990}{i:09x}1" for i in range(20)]
    answer = letter(SEESAW, ("cyclic_system", (), EIGHTHS), ("unique_for_every_bias", (1,), {"scaling": scaling}))
    assert answer.startswith("Malformed at line 3, field witness, field scaling")
    assert time.process_time() - begin < 30


def test_minors_of_exact_and_small_systems_only() -> None:
    expected = "an exact system of at most 12 unknowns"
    large: Step = ("cyclic_system", (), {"period": 13, "base": "0", "inverse": [["1"]]})
    assert letter(GROW, large, ("unique_for_every_bias", (1,), {})) == rejected(2, f"{A5} 2", expected, "13, radius 0", "a scaling")
    rounded: Step = ("cyclic_system", (), {**EIGHTHS, "inverse": [["5/16"]], "bits": 60})
    answer = letter(SEESAW, rounded, ("unique_for_every_bias", (1,), {}))
    assert answer.startswith(f"Rejected at step 2, {A5} 2\n  expected  {expected}\n  got       1, radius ")
    twelve: Step = ("cyclic_system", (), {"period": 12, "base": "0", "inverse": [["1"]]})
    begin = time.process_time()
    assert facts(GROW, twelve, ("unique_for_every_bias", (1,), {}))[-1] == OnePoint(12)
    assert time.process_time() - begin < 30


def test_uniqueness_of_something_else() -> None:
    answer = letter(GROW, ("exact_cycle", (), {"point": ["2"], "period": 1}), ("unique_for_every_bias", (1,), {}))
    assert answer == rejected(2, "theorem unique_for_every_bias, citations", "CyclicSystem", "ExactCycle")
    none = malformed("step 1", "citations", "a citation of one of the 0 earlier steps", "no further citation")
    assert letter(GROW, ("unique_for_every_bias", (), {})) == none
    linear_only = letter(HALF, ("cyclic_system", (), {"period": 1, "base": "", "inverse": [["2"]]}))
    assert linear_only.startswith("Rejected at step 1, theorem cyclic_system, check 1")
