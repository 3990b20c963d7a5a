"""Complete lists of the cycles of smooth networks: the nets of the notes, random ones, gated ones in boxes, and honest refusals."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from proofs.arithmetic import Interval
from proofs.errors import Malformed, Rejected
from proofs.exponents import CyclesInBox
from proofs.kernel import check
from proofs.network import Network
from tests.known.exponents import finder_network, tanh_network
from verify.certification import Effort, certify, cycles
from verify.certification.draft import Draft
from verify.certification.named import certify_theorem
from verify.certification.prove import loaded_of
from verify.certification.smooth_cycles import SmoothCycles, index_sum, prove_all_cycles, range_box, require_index, signs_of
from verify.errors import NotFound, Unsupported
from verify.loading import load
from verify.models.gated import Cell, Layer, step_program
from verify.search.cycles import find_cycles
from verify.search.smooth_cycles import Sides, find_all_cycles
from verify.texts import cycles_text

WILD = [[-4, 2, -4], [-4, -4, 2], [0, -4, -4]]
GENEROUS = 600.0


def box(low: str, high: str, size: int) -> Sides:
    return ((Fraction(low), Fraction(high)),) * size


def counts(found: SmoothCycles) -> dict[int, int]:
    return dict(Counter(cycle.period for cycle in found.cycles))


def proved(network: Network, up_to: int, sides: Sides | None = None) -> SmoothCycles:
    draft = Draft(network)
    found = prove_all_cycles(draft, up_to, sides=sides)
    assert (found.complete, found.reasons) == (True, ())
    assert found.claim is not None
    assert found.claim == draft.facts[(found.step or 0) - 1]
    certificate, _ = draft.finish([found.claim])
    assert check(certificate).claims == (found.claim,)
    assert found.claim.everywhere == (sides is None)
    return found


def random_tanh(size: int, gain: float, seed: int) -> Network:
    return tanh_network(np.random.default_rng(seed).standard_normal((size, size)) * gain / np.sqrt(size))


def gated(cell: Cell, size: int, scale: float, seed: int) -> Network:
    random, rows = np.random.default_rng(seed), {"gru": 3, "lstm": 4}[cell] * size
    arrays = [scale * random.standard_normal(shape) for shape in ((rows, 1), (rows, size), (rows,), (rows,))]
    return step_program([Layer(cell, *arrays)], [0.5])


@pytest.mark.parametrize(
    ("size", "up_to", "expected"), [(2, 1, {1: 3}), (3, 1, {1: 3}), pytest.param(2, 3, {1: 3}, marks=pytest.mark.slow)]
)
def test_the_nets_of_the_fixed_point_finder(size: int, up_to: int, expected: dict[int, int]) -> None:
    found = proved(finder_network(size), up_to)
    assert counts(found) == expected
    assert sum(found.leaves.values()) < 400
    assert found.claim is not None
    listed = ", ".join(f"{count} of period {period}" for period, count in expected.items())
    assert found.claim.statement() == f"These are ALL cycles of F on R^M with least period at most {up_to}: {listed}"


@pytest.mark.slow
def test_the_net_of_four_units_has_nine_fixed_points() -> None:
    assert counts(proved(finder_network(4), 1)) == {1: 9}


@pytest.mark.slow
def test_the_net_of_three_units_has_eleven_2_cycles() -> None:
    assert counts(proved(finder_network(3), 2)) == {1: 3, 2: 11}


def test_the_wild_net_has_one_fixed_point() -> None:
    found = proved(tanh_network(WILD), 1)
    assert counts(found) == {1: 1}
    assert found.leaves[1] < 100


@pytest.mark.slow
def test_the_wild_net_up_to_period_2() -> None:
    found = proved(tanh_network(WILD), 2)
    assert counts(found) == {1: 1, 2: 1}
    assert sorted(str(cycle.stability and cycle.stability.label) for cycle in found.cycles) == ["repelling", "stable"]


@pytest.mark.slow
def test_the_wild_net_has_four_3_cycles() -> None:
    found = proved(tanh_network(WILD), 3)
    assert counts(found) == {1: 1, 2: 1, 3: 4}
    assert [index_sum([(cycle.period, signs_of(cycle)) for cycle in found.cycles], k) for k in (1, 2, 3)] == [1, 1, 1]


SMALL = [(1, 3.0, 4), (2, 2.0, 1)]
LARGE = [
    (size, gain, up_to)
    for size in range(1, 6)
    for gain in (0.5, 1.0, 2.0, 3.0)
    for up_to in ((1, 4) if size == 1 or (size == 2 and gain < 3) else (1,))
]


@pytest.mark.parametrize(("size", "gain", "up_to"), [*SMALL, *(pytest.param(*one, marks=pytest.mark.slow) for one in LARGE)])
def test_no_cycle_that_newtons_method_finds_is_missing(size: int, gain: float, up_to: int) -> None:
    network = random_tanh(size, gain, 10 * size + int(2 * gain))
    found = proved(network, up_to)
    seen = Counter(candidate.period for candidate in find_cycles(network, up_to, budget_seconds=0.3, seed=1).candidates)
    assert not seen - Counter(counts(found))


@pytest.mark.parametrize(("cell", "size", "scale", "up_to"), [("gru", 1, 5.0, 1), ("gru", 2, 2.0, 1), ("lstm", 1, 5.0, 1)])
def test_gated_networks_in_a_box(cell: Cell, size: int, scale: float, up_to: int) -> None:
    network = gated(cell, size, scale, 7)
    assert range_box(network) is None
    sides = box("-1", "1", size) if cell == "gru" else (*box("-1", "1", 1), *box("-4", "4", 1))
    found = proved(network, up_to, sides)
    assert found.claim is not None
    assert "that stay in the stated box" in found.claim.statement()


def test_a_gated_network_without_a_box() -> None:
    found = prove_all_cycles(Draft(gated("gru", 1, 2.0, 7)), 1)
    assert (found.complete, found.claim, found.cycles) == (False, None, ())
    assert found.reasons == ("all cycles (A4b): F is not seen to be bounded, so they are listed in a box only, and none was given",)


def test_a_box_without_all_cycles_lists_those_inside() -> None:
    network = finder_network(2)
    assert counts(proved(network, 2, box("-1/2", "5/8", 2))) == {1: 1}
    assert counts(proved(network, 1, ((Fraction(1, 2), Fraction(1)), (Fraction(-1), Fraction(-1, 2))))) == {1: 1}
    assert counts(proved(network, 2, box("1/10", "1/5", 2))) == {}


def test_a_cycle_that_leaves_the_box_is_not_listed() -> None:
    swap = tanh_network([[0, 2], [-2, 0]])
    assert counts(proved(swap, 4, (*box("-1/16", "1", 1), *box("-1", "1", 1)))) == {1: 1}


@pytest.mark.slow
def test_cells_are_not_narrowed_down_on_many_solutions_with_one_coordinate() -> None:
    assert counts(proved(tanh_network([[0, 2], [-2, 0]]), 4)) == {1: 1, 4: 2}


@pytest.mark.parametrize("weights", [[[-1]], *(pytest.param(one, marks=pytest.mark.slow) for one in ([[1]], [[1, 0], [0, 2]]))])
def test_a_multiplier_on_the_unit_circle_is_not_complete(weights: list[list[int]]) -> None:
    found = prove_all_cycles(Draft(tanh_network(weights)), 2, budget=20.0)
    assert not found.complete
    assert found.complete_up_to == (1 if weights == [[-1]] else 0)
    assert found.reasons[0].startswith(f"all cycles (A4b): period {2 if weights == [[-1]] else 1}: ")
    assert "not settled, within [" in found.reasons[0]


def test_zero_weights_equal_rows_and_huge_weights() -> None:
    assert counts(proved(tanh_network(np.zeros((2, 2))), 4)) == {1: 1}
    assert counts(proved(tanh_network([[2, 1], [2, 1]]), 2)) == {1: 3}
    assert counts(proved(tanh_network([[1000]]), 2)) == {1: 3}
    enormous = prove_all_cycles(Draft(tanh_network([[1e300, 1], [1, -1e300]])), 1, budget=1.0)
    assert (enormous.claim, len(enormous.reasons) > 0) == (None, True)


def test_a_list_up_to_a_smaller_period_says_what_is_left() -> None:
    draft = Draft(tanh_network(WILD))
    found = prove_all_cycles(draft, 64, budget=0.5)
    assert not found.complete
    assert found.complete_up_to < 64
    assert any(text.startswith("all cycles (A4b): period ") for text in found.reasons)


def test_a_budget_of_nothing_proves_nothing() -> None:
    found = prove_all_cycles(Draft(finder_network(2)), 2, budget=0.0)
    assert (found.claim, found.complete_up_to, found.cycles) == (None, 0, ())
    assert found.reasons


def test_the_index_sums_catch_a_missing_fixed_point() -> None:
    found = proved(finder_network(2), 1)
    assert found.claim is not None
    require_index(found.claim, found.cycles)
    with pytest.raises(Rejected) as caught:
        require_index(found.claim, found.cycles[1:])
    assert caught.value.expected == "index sum 1 over the solutions of F^1(z) = z, for F is bounded"
    assert "a fault" in str(caught.value) or caught.value.remedy


def test_signs_need_multipliers_away_from_the_unit_circle() -> None:
    cycle = proved(finder_network(2), 1).cycles[0]

    def sure(low: str, high: str) -> tuple[Interval, Interval]:
        return Interval(Fraction(low), Fraction(high)), Interval(Fraction(0), Fraction(0))

    turning = (Interval(Fraction(1), Fraction(1)), Interval(Fraction(1), Fraction(1)))
    assert signs_of(replace(cycle, multipliers=None)) is None
    assert signs_of(replace(cycle, multipliers=(sure("2", "3"), sure("-3", "-2")))) == (-1, -1)
    assert signs_of(replace(cycle, multipliers=(sure("1/2", "3/4"), sure("0", "0")))) == (1, 1)
    assert signs_of(replace(cycle, multipliers=(sure("1/2", "3/2"),))) is None
    assert signs_of(replace(cycle, multipliers=(turning, turning))) == (1, 1)
    assert index_sum([(1, (-1, 1)), (2, (1, 1)), (1, None)], 1) is None
    assert index_sum([(1, (-1, 1)), (2, (1, 1)), (3, None)], 2) == 1


def test_the_search_is_deterministic() -> None:
    network = tanh_network(WILD)
    one, two = (find_all_cycles(network, range_box(network) or (), 1, seed=3) for _ in range(2))
    assert one.trees == two.trees


@pytest.mark.parametrize(
    ("sides", "up_to", "budget", "law"),
    [
        (box("1", "-1", 2), 1, inf, "a box"),
        (box("1", "1", 2), 1, inf, "a box"),
        (box("-1", "1", 3), 1, inf, "a box"),
        (None, 0, inf, "a period"),
        (None, 65, inf, "a period"),
        (None, True, inf, "a period"),
        (None, 1, nan, "a budget in seconds"),
        (None, 1, -1.0, "a budget in seconds"),
    ],
)
def test_wrong_input(sides: Sides | None, up_to: int, budget: float, law: str) -> None:
    with pytest.raises(Malformed) as caught:
        prove_all_cycles(Draft(finder_network(2)), up_to, sides=sides, budget=budget)
    assert caught.value.law == law


def test_nan_weights_never_come_so_far() -> None:
    with pytest.raises(Malformed):
        load({"model": "rnn", "W": [[nan]], "b": [0], "activation": "tanh"})


def test_cycles_with_complete_everywhere_and_in_a_box() -> None:
    network = finder_network(2)
    answer = cycles(network, 2, complete=True)
    assert (answer.verdict, answer.complete, answer.complete_up_to, answer.everywhere) == ("Proved", True, 2, True)
    assert (answer.cycles_by_least_period, answer.index_sum) == ({1: 3}, {1: 1, 2: 1})
    assert isinstance(answer.claims[0], CyclesInBox)
    assert answer.certificate is not None
    assert check(answer.certificate).claims[0] == answer.claims[0]
    inside = cycles(network, 2, complete=True, box=(Fraction(-1, 2), Fraction(5, 8)))
    assert (inside.complete, inside.everywhere, inside.as_json()["everywhere"]) == (True, False, False)
    assert inside.cycles_by_least_period == {1: 1}
    lines = cycles_text(inside, complete=True)
    assert {"box          every point in [-1/2, 5/8]", "complete     proved up to period 2 in the box"} <= set(lines)
    assert lines[-1] == "Proved  all cycles of least period at most 2 with every point in [-1/2, 5/8]: 1 of period 1"


def test_cycles_with_complete_where_it_cannot_be() -> None:
    unbounded = cycles(gated("gru", 1, 2.0, 7), 1, complete=True, effort=Effort(0.5))
    assert (unbounded.verdict, unbounded.complete) == ("NotFound", False)
    assert unbounded.unresolved[-1].startswith("completeness: all cycles (A4b): F is not seen to be bounded")
    flat = cycles(tanh_network([[-1]]), 2, complete=True, effort=Effort(10.0))
    assert (flat.verdict, flat.complete, flat.complete_up_to) == ("NotFound", False, 1)
    assert flat.unresolved[0] == "completeness: up to period 1 only"


@pytest.mark.slow
def test_certify_says_all_cycles() -> None:
    answer = certify(finder_network(2), effort=Effort(GENEROUS))
    assert not isinstance(answer, NotFound)
    assert "These are ALL cycles of F on R^M with least period at most 4: 3 of period 1" in [c.statement() for c in answer.claims]
    assert [entry.period for entry in answer.report.cycles] == [1, 1, 1]
    assert answer.report.searched_to is None


@pytest.mark.slow
def test_certify_says_all_cycles_in_a_box_where_f_is_not_bounded() -> None:
    answer = certify(gated("gru", 1, 5.0, 7), effort=Effort(GENEROUS))
    assert not isinstance(answer, NotFound)
    assert any(c.statement().startswith("These are ALL cycles of F that stay in the stated box") for c in answer.claims)


def test_certify_says_all_cycles_of_one_smooth_unit() -> None:
    answer = certify(tanh_network([[2.5]]), effort=Effort(GENEROUS))
    assert not isinstance(answer, NotFound)
    assert any(isinstance(claim, CyclesInBox) for claim in answer.claims)
    assert answer.report.decision == "ordered"


def test_the_theorem_by_its_name() -> None:
    loaded = loaded_of(finder_network(2), None, {})
    answer = certify_theorem(loaded, "cycles_in_box", period=2)
    assert not isinstance(answer, NotFound)
    assert [type(claim) for claim in answer.claims] == [CyclesInBox]
    inside = certify_theorem(loaded, "A4b", period=1, box=(Fraction(-1, 2), Fraction(5, 8)))
    assert not isinstance(inside, NotFound)
    assert isinstance(inside.claims[0], CyclesInBox)
    assert not inside.claims[0].everywhere
    with pytest.raises(Unsupported):
        certify_theorem(load({"A": ["1/2"], "W": [["1/4"]], "h": [1]}, "plrnn"), "cycles_in_box")
