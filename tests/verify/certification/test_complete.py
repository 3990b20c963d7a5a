"""Completeness end to end: both methods, degenerate networks, what is said of residual words, borders, boxes and what cannot be done."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from proofs.claims import CycleCounts, OnePoint, Stability
from proofs.errors import Malformed, Rejected
from proofs.exponents import CyclesInBox
from proofs.kernel import check
from proofs.network import Network
from tests.verify.command import CONTRACTION, lozi
from verify.answers import CycleList
from verify.certification import Effort, cycles, listing
from verify.certification.by_periods import leaf_words, root_word
from verify.certification.listing import Listing
from verify.certification.residues import residue_text
from verify.certification.word_orbits import COUNTED
from verify.loading import Loaded, load, load_network
from verify.models.gated import Layer, step_program

LOZI = {1: 2, 2: 1, 4: 1, 6: 4, 7: 4, 8: 7}  # the known counts at (17/10, 1/2)
BOTH = pytest.mark.parametrize("method", ["words", "cyclic"])
Model = dict[str, object]
TWO_TANH: Model = {"model": "rnn", "W": [[2, 0], [0, 2]], "b": [0, 0], "activation": "tanh"}


def affine_map(A: list[list[object]], h: list[object]) -> Model:
    """Return a map without a live hinge, as a PLRNN."""
    return {"model": "plrnn", "A": A, "W": [[0] * len(h) for _ in h], "h": h}


def proved(answer: CycleList) -> CycleList:
    """Check that an answer is complete and that the checker agrees with every number in it."""
    assert (answer.verdict, answer.complete, answer.complete_up_to) == ("Proved", True, answer.up_to)
    assert answer.certificate is not None
    claim = check(answer.certificate).claims[0]
    assert isinstance(claim, CycleCounts)
    assert {k: n for k, n in enumerate(claim.counts, 1) if n} == answer.cycles_by_least_period
    assert bool(claim.residual) == bool(answer.residual)
    assert answer.steps == len(answer.certificate.steps)
    return answer


@BOTH
def test_lozi(method: str) -> None:
    answer = proved(cycles(lozi(), 8, complete=True, method=method))
    assert answer.cycles_by_least_period == LOZI
    assert set(answer.index_sum.values()) == {0}
    assert {"nodes", "seconds", "method", "method_because", "search_seconds", "listing_seconds", "check_seconds"} <= answer.effort.keys()
    assert (answer.effort["method"], answer.unresolved, answer.residual) == (method, (), ())
    assert all(entry.label == "saddle" and len(entry.itinerary or ()) == entry.period for entry in answer.cycles)
    assert answer.claims[0].kind == "cycle_counts"
    assert sum(isinstance(claim, Stability) for claim in answer.claims[1:]) == len(answer.cycles)


def test_both_methods_list_the_same_cycles() -> None:
    lists = [cycles(lozi("7/5", "3/10"), 7, complete=True, method=method).cycles for method in ("words", "cyclic")]
    names = [sorted((entry.period, root_word(tuple(entry.itinerary or ()))) for entry in found) for found in lists]
    assert names[0] == names[1]


@pytest.mark.parametrize(("a", "b", "up_to", "segments"), [("3/2", "1/2", 4, 1), ("2", "-1", 2, 1)])
def test_segments_of_periodic_points_are_named(a: str, b: str, up_to: int, segments: int) -> None:
    answer = proved(cycles(lozi(a, b), up_to, complete=True, method="words"))
    assert len(answer.residual) == segments
    assert set(answer.index_sum.values()) == {None}


@pytest.mark.parametrize(
    ("a", "b", "word", "text"),
    [
        ("3/2", "1/2", "1010", "F^4(z) = z on the segment from (2/5, -2/5) to (6/5, 0); itinerary (live hinges): 1 0 1 0"),
        ("3/2", "1/2", "0101", "F^4(z) = z on the segment from (0, 1/5) to (-4/5, 3/5); itinerary (live hinges): 0 1 0 1"),
        ("2", "-1", "11", "F^2(z) = z on the segment from (0, -1/2) to (1/2, 0); itinerary (live hinges): 1 1"),
        ("2", "-1", "00", "F^2(z) = z on no point at all; itinerary (live hinges): 0 0"),
    ],
)
def test_the_words_for_a_residual_polyhedron(a: str, b: str, word: str, text: str) -> None:
    assert residue_text(load_network(lozi(a, b)), tuple(word)) == text


def test_larger_polyhedra_half_lines_and_lines() -> None:
    rotation = load_network(affine_map([[0, 1], [-1, 0]], [0, 0]))
    assert residue_text(rotation, ("",) * 4).startswith("F^4(z) = z on a polyhedron of dimension 2 around (")
    identity = load_network({"model": "plrnn", "A": [[1, 0], [0, "1/2"]], "W": [["-1/2", 0], [0, 0]], "h": [0, 0]})
    text = "F(z) = z on the half-line from (0, 0) along (-1, 0); itinerary (live hinges): 0"
    assert residue_text(identity, ("0",)) == text
    line = load_network(affine_map([[1, 0], [0, "1/2"]], [0, 0]))
    assert residue_text(line, ("",)) == "F(z) = z on the line through (0, 0) along (1, 0); itinerary (live hinges): no hinge is live"


def test_a_map_without_hinges_that_count() -> None:
    answer = proved(cycles(affine_map([["1/2", 1], [0, "1/3"]], [1, 1]), 5, complete=True))
    assert (answer.cycles_by_least_period, answer.effort["method"]) == ({1: 1}, "words")
    shift = proved(cycles(affine_map([[1, 0], [0, 1]], [1, 0]), 3, complete=True))
    assert (shift.cycles_by_least_period, shift.residual) == ({}, ())
    with pytest.raises(Malformed, match="unknowns"):
        cycles(affine_map([[1, 0], [0, 1]], [1, 0]), 3, complete=True, method="cyclic")


def test_a_rotation_names_its_polyhedron() -> None:
    answer = proved(cycles(affine_map([[0, 1], [-1, 0]], [1, 0]), 4, complete=True))
    assert answer.cycles_by_least_period == {1: 1}
    assert len(answer.residual) == 1


@BOTH
def test_an_orbit_on_a_border(method: str) -> None:
    model = {"model": "plrnn", "A": [["1/2", 0], [0, "1/3"]], "W": [["1/4", 0], [0, "1/4"]], "h": [0, 0]}
    answer = proved(cycles(model, 2, complete=True, method=method))
    (entry,) = answer.cycles
    assert entry.period == 1
    assert entry.margin == 0
    assert entry.itinerary is entry.label is None
    assert entry.note.startswith("touches a border")
    assert answer.index_sum == {1: None, 2: None}


@BOTH
def test_duplicate_and_parallel_rows(method: str) -> None:
    model = {
        "model": "shallow_plrnn", "A": ["1/5", "-1/4"], "W1": [[1, -2, 1], ["1/2", 1, -1]], "W2": [[1, 1], [1, 1], [2, 2]],
        "h1": [1, "-1/3"], "h2": [0, 0, "1/2"],
    }  # fmt: skip
    answer = proved(cycles(model, 4, complete=True, method=method))
    other = cycles(model, 4, complete=True, method="words")
    assert answer.cycles_by_least_period == other.cycles_by_least_period
    assert all(len(letter) == 3 for entry in answer.cycles for letter in entry.itinerary or ())


def test_one_point_for_every_bias_needs_no_tree() -> None:
    answer = proved(cycles(CONTRACTION, 6, complete=True, method="cyclic"))
    assert answer.cycles_by_least_period == {1: 1}
    assert answer.certificate is not None
    names = [theorem for theorem, _, _ in answer.certificate.steps]
    assert names.count("unique_for_every_bias") == 3
    assert "cyclic_tree" not in names
    assert OnePoint(4).statement() == "F^4 has exactly one fixed point, and so it would with any other biases"


def test_what_is_not_certified_one_by_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second hinge of the Lozi map is idle: its letters are worked out for the list."""
    monkeypatch.setattr(listing, "_MOST_CERTIFIED", 3)
    answer, whole = proved(cycles(lozi(), 7, complete=True, method="words")), cycles(lozi(), 7, complete=True, method="cyclic")
    counted = [entry for entry in answer.cycles if entry.note == COUNTED]
    assert (len(counted), len(answer.cycles), answer.index_sum[7]) == (9, 12, 0)
    known = {root_word(tuple(entry.itinerary or ())): entry for entry in whole.cycles}
    for entry in counted:
        itinerary = tuple(entry.itinerary or ())
        other = known[root_word(itinerary)]
        turn = next(t for t in range(entry.period) if tuple(other.itinerary or ())[t:] + tuple(other.itinerary or ())[:t] == itinerary)
        assert all(a.lo <= b.hi and b.lo <= a.hi for a, b in zip(entry.points[0], other.points[turn], strict=True))
        assert entry.as_json()["stability"] is None
    assert len(counted[0].points[0:2]) == 2
    assert (counted[0].itinerary or ())[0] == (counted[0].itinerary or ())[0:1][0]


def test_a_box_filters_the_list_only() -> None:
    answer = cycles(lozi(), 4, complete=True, box=(Fraction(-1, 2), Fraction(1)))
    assert (answer.verdict, answer.complete, answer.cycles_by_least_period, answer.outside_box) == ("Proved", True, {1: 1, 2: 1}, 2)
    claim = answer.claims[0]
    assert isinstance(claim, CycleCounts)
    assert claim.counts == (2, 1, 0, 1)
    empty = cycles(lozi(), 2, complete=True, box=(Fraction(50), Fraction(51)))
    assert (empty.verdict, empty.cycles) == ("Proved", ())


def unbounded() -> Network:
    """Return a gated cell, smooth and not seen to be bounded."""
    return step_program([Layer("gru", np.ones((3, 1)), np.array([[0.5], [0.25], [2.0]]))], [0.5])


@pytest.mark.parametrize(
    ("network", "up_to", "why"),
    [
        (unbounded(), 1, "all cycles (A4b): F is not seen to be bounded, so they are listed in a box only, and none was given"),
        (load(TWO_TANH), 65, "all cycles (A4b): for periods up to 64 and up to 64 states"),
        (load(lozi()).with_radius(Fraction(1, 2**20)), 1, "card A4 (all cycles) needs exact weights; these have a radius"),
    ],
)
def test_what_has_no_complete_list(network: Network | Loaded, up_to: int, why: str) -> None:
    answer = cycles(network, up_to, complete=True, effort=Effort(budget_seconds=0.5))
    assert (answer.verdict, answer.complete) == ("NotFound", False)
    assert answer.unresolved[-1] == f"completeness: {why}"


def test_smooth_networks_are_listed_by_boxes() -> None:
    """Each of two units that do not meet is at 0 or at one of two other points."""
    answer = proved_by_boxes(cycles(TWO_TANH, 1, complete=True))
    assert (answer.cycles_by_least_period, answer.everywhere) == ({1: 9}, True)
    inside = proved_by_boxes(cycles(unbounded(), 1, complete=True, box=(Fraction(-1), Fraction(1))))
    assert (inside.cycles_by_least_period, inside.everywhere) == ({1: 1}, False)


def proved_by_boxes(answer: CycleList) -> CycleList:
    """Check that an answer is complete by card A4b and that the checker says so."""
    assert (answer.verdict, answer.complete, answer.effort["method"], answer.unresolved) == ("Proved", True, "boxes", ())
    assert answer.certificate is not None
    assert isinstance(check(answer.certificate).claims[0], CyclesInBox)
    return answer


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(Malformed, match="known methods"):
        cycles(lozi(), 2, complete=True, method="guess")


def test_a_list_that_disagrees_is_never_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listing, "counts", lambda _, up_to: (0,) * up_to)
    with pytest.raises(Rejected, match="the search, the list and the checker agree"):
        cycles(lozi(), 2, complete=True)


def test_the_checker_has_the_last_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cycle that search and list both lost is not lost on the checker."""
    from verify.certification import by_words

    monkeypatch.setattr(by_words.WordGrower, "_leaf", lambda _, word, told: listing_error(word, told))
    with pytest.raises(Rejected, match="fault of this program"):
        cycles(lozi(), 2, complete=True, method="words", output=tmp_path / "lozi.cert")
    assert not (tmp_path / "lozi.cert").exists()


def listing_error(word: tuple[str, ...], _: object) -> object:
    """Return a leaf of another word."""
    from verify.certification.chunks import Leaf

    return Leaf(("0",) if word == ("1",) else word, (1, 1))


def test_leaf_words_follow_the_branches() -> None:
    nodes = [0, 1, "cycle", {"farkas": []}, 1, "residual", "cycle"]
    assert list(leaf_words("0", [], nodes, "cycle")) == [("1", "1"), ("0", "0")]
    assert list(leaf_words("0", [], nodes, "residual")) == [("0", "1")]
    assert list(leaf_words("01", [2, -1], ["cycle"], "cycle")) == [("01",)]


def test_of_many_cycles_only_the_first_get_their_stability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_MOST_WORK", 10)
    answer = proved(cycles(lozi(), 6, complete=True, method="cyclic"))
    assert [entry.label for entry in answer.cycles] == ["saddle"] * 4 + [None] * 4
    assert answer.cycles[-1].note == "proved; stability not computed: one of many cycles"
    assert answer.index_sum[6] == 0


def test_what_one_method_leaves_unresolved_the_other_may_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = cycles(lozi("2", "-1"), 2, complete=True, method="cyclic")
    assert (alone.verdict, alone.complete) == ("NotFound", False)
    assert alone.unresolved == (
        "completeness: the search has ended and left something unresolved; --method chooses another way",
        "period 2: I - J^k is singular for every base pattern that was tried",
    )
    monkeypatch.setattr("verify.certification.choose._cheaper", lambda *_: ("cyclic", "the test says so"))
    answer = proved(cycles(lozi("2", "-1"), 2, complete=True))
    assert answer.effort["method_because"] == "the search by cyclic left something unresolved"


def test_cycles_inside_residual_polyhedra_are_listed_by_both_methods() -> None:
    """The two-cycle of this Lozi map lies in the middle of its segment of points of period four."""
    for method in ("words", "cyclic"):
        answer = proved(cycles(lozi("3/2", "1/2"), 4, complete=True, method=method))
        assert answer.cycles_by_least_period == {1: 2, 2: 1, 4: 1}
        assert len(answer.residual) == 1


def chain(states: int) -> Model:
    """Return a PLRNN with one bend, in which each state drives the next."""
    A = [["1/2" if i == j else "1/7" if i == j + 1 else 0 for j in range(states)] for i in range(states)]
    return {"model": "plrnn", "A": A, "W": [[-3 if i == j == 0 else 0 for j in range(states)] for i in range(states)], "h": [1] * states}


def test_auto_says_what_it_took_and_why() -> None:
    for states, up_to in ((3, 1), (9, 3)):
        answer = proved(cycles(chain(states), up_to, complete=True))
        assert answer.effort["method"] == "cyclic"
        assert str(answer.effort["method_because"]).startswith("one linear program covers all times at once")
    assert str(cycles(chain(3), 6, complete=True).effort["method_because"]).startswith("small searches promise about ")
    assert cycles(chain(33), 1, complete=True).effort["method_because"] == "the other one does not apply"
