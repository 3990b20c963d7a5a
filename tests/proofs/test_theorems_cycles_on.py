"""Every cycle in a box along a path (E4 ``cycles_on``): what it says, and each way in which a witness fails."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

import proofs
from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed, Rejected
from proofs.network import Network
from proofs.parameters import CyclesOn
from proofs.theorems.path_cells import Cell, Farkas, is_affine, is_regular
from tests.corpus.cycles_on import (
    AWAY,
    LEFT,
    accepted_cycles_on,
    family,
    malformed_cycles_on,
    moving_product,
    planar,
    rejected_cycles_on,
    skew,
    skew_case,
    tree_witness,
)
from tests.corpus.parts import Case, affine, hinges, plrnn

BOX = Matrix.balls([[Fraction(0)]], [[Fraction(10)]])


def concluded(case: Case, *arguments: object, **named: object) -> CyclesOn:
    """Return what the naive tree of a case proves."""
    claim = case.good("cycles_on", tree_witness(case, *arguments, **named), 1)  # type: ignore[arg-type]
    assert isinstance(claim, CyclesOn)
    return claim


def cases(made: Iterator[tuple[str, bytes]]) -> list[object]:
    """Return certificates as named pytest parameters."""
    return [pytest.param(content, id=name) for name, content in made]


@pytest.mark.parametrize("content", cases(accepted_cycles_on()))
def test_accepted(content: bytes) -> None:
    assert isinstance(proofs.check(content), proofs.Proved)


@pytest.mark.parametrize("content", cases(rejected_cycles_on()))
def test_rejected(content: bytes) -> None:
    with pytest.raises(Rejected):
        proofs.check(content)


@pytest.mark.parametrize("content", cases(malformed_cycles_on()))
def test_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        proofs.check(content)


def test_the_claim_names_box_range_and_words() -> None:
    claim = concluded(skew_case("-11/10", "-9/10"), 2, (-5, 5), [{"=0": LEFT}])
    assert (claim.low, claim.high, claim.up_to) == (Fraction(-11, 10), Fraction(-9, 10), 2)
    assert (claim.box_low, claim.box_high) == ((Fraction(-5),), (Fraction(5),))
    assert claim.words == (("1",), ("0", "1"))
    assert claim.residual == (("1", "1"),)
    text = claim.statement()
    assert "for every mu in [-11/10, -9/10] each cycle of least period at most 2 all of whose points lie in the box [-5, 5]" in text
    assert "(of periods 1 to 2: 1, 1)" in text


def test_an_excluded_word_is_not_listed_and_an_idle_hinge_is_either() -> None:
    assert concluded(skew_case("9/10", "11/10"), 1, (-5, 5), [{"=1": AWAY, "=0": LEFT}]).words == ()
    claim = concluded(family(planar("1/4"), planar("3/4")), 1, (-4, 4))
    assert {letter for word in (*claim.words, *claim.residual) for letter in word} <= {"?0", "?1"}


def test_a_word_residual_in_one_cell_is_residual() -> None:
    claim = concluded(skew_case("1/2", "11/10"), 1, (-20, 20), [{"=0": LEFT}, {"=0": LEFT}], ["9/10"])
    assert (claim.words, claim.residual) == ((), (("1",),))


def test_a_hinge_that_is_idle_at_both_ends_only_is_not_idle() -> None:
    one, two = hinges(["1"], [0], [0], 1), hinges(["1"], [1], [0], 1)
    assert concluded(family(one, two), 1, (-9, 9)).words == (("?",),)
    one, two = (
        Network(1, (*net.program, affine([1], ([[weight]], 3))))
        for net, weight in ((hinges(["1"], [0], [1]), "0"), (hinges(["1"], [0], [0]), "1"))
    )
    claim = concluded(family(one, two), 1, (-9, 9))
    assert all("?" not in letter for word in (*claim.words, *claim.residual) for letter in word)


def test_sums_at_both_ends_are_enough_only_where_the_pieces_are_affine_in_mu() -> None:
    assert is_affine(skew("1/5", "-2"), skew("1/5", "2"))
    assert is_affine(hinges(["1"], [0], ["2"], 1), hinges(["1"], [0], ["3"], 2))
    assert is_affine(hinges(["1"], [0], ["2"], 1), hinges(["2"], [1], ["2"], 1))
    assert not is_affine(hinges(["1"], [0], ["2"], 1), hinges(["2"], [0], ["3"], 1))
    case = moving_product()
    with pytest.raises(Rejected, match="check 3"):
        case.good("cycles_on", tree_witness(case, 1, (-9, 9), [{"=1": AWAY}]), 1)


def test_a_pre_activation_of_one_state_cuts_its_box_off() -> None:
    network = plrnn([["1/5"]], [["-16/5"]], [1])
    cell = Cell([network], (0,), BOX, 40)
    (right, one), (left, zero) = cell.branches(cell.start, "")
    assert (one, zero) == ("1", "0")
    spans = [Interval(Fraction(low), Fraction(low + 10)) for low in (0, -10)]
    assert [cut.boxes[0].interval(0) for cut in (right, left)] == spans
    whole = cell.extended(left, "0")
    assert whole is not None
    assert whole.boxes[1].interval(0) == Interval(Fraction(-1), Fraction(1))
    assert cell.bound(whole, "", Farkas({(1, 1): 4}, {}, (-5,))) == -5


def test_images_outside_the_box_end_a_word() -> None:
    cell = Cell([plrnn([["1/2"]], [[0]], [30])], (0,), BOX, 40)
    assert all(cell.extended(cut, letter) is None for cut, letter in cell.branches(cell.start, ""))


def test_nonsingular_means_for_every_network_inside() -> None:
    for radius, holds in (("~1/4", True), ("~1/2", False)):
        cell = Cell([plrnn([[f"1/2{radius}"]], [[0]], [1])], (), BOX, 40)
        assert is_regular(cell, [""]) is holds


def test_the_ends_of_a_cell_belong_to_it() -> None:
    case = skew_case("1/2", "1")
    with pytest.raises(Rejected, match="check 4"):
        case.good("cycles_on", tree_witness(case, 1, (-20, 20), [{"=0": LEFT, "=1": 1}]), 1)
