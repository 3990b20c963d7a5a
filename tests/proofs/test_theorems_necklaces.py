"""Forbidden words and necklaces (A4): both accept, and refuse each wrong entry with its exact letter."""

from __future__ import annotations

import time

import pytest

from proofs.claims import CycleCounts
from proofs.errors import Rejected
from proofs.kernel import check
from proofs.network import Network, Operation
from proofs.theorems.parts import ForbiddenWords
from tests.proofs.trees import ABSOLUTE, BEND, FOLD, GROW, KNOT, SEESAW, every_word, words_of
from tests.proofs.workbench import (
    FLIP,
    HALF,
    ROTATION,
    SMOOTH,
    TENT,
    TENT_BALL,
    Step,
    affine,
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
from tests.second.checker import claim_is_true

RESIDUAL: dict[str, object] = {"word": ["1", "1"], "told": "residual"}  # FOLD: a segment of two-cycles


def forbidden(*words: object) -> Step:
    """Make a step of forbidden words."""
    return "forbidden_words", (), {"words": list(words)}


def necklaces(up_to: object, *singular: object, cites: tuple[int, ...] = ()) -> Step:
    """Make a step of necklaces."""
    return "necklaces", cites, {"up_to": up_to, "singular": list(singular)}


def refused(network: Network, step: Step, law: str, expected: str, got: str) -> None:
    """Assert that the step gets this rejection."""
    assert letter(network, step) == rejected(1, f"theorem {law}", expected, got)


def all_closed(*words: str) -> ForbiddenWords:
    """Return words that are not followed even with closed regions."""
    return ForbiddenWords(frozenset(words), frozenset(words))


def test_forbidden_words() -> None:
    claim = facts(GROW, forbidden(["00", 1], ["10", 0, 1]))[0]
    assert claim == all_closed("00", "10")
    assert claim.statement() == "No orbit of F follows any of 2 stated words"
    assert facts(GROW, forbidden()) == [ForbiddenWords(frozenset())]
    assert facts(GROW, forbidden(["00", 1], ["00", 1], ["000", 2], ["001", 1])) == [all_closed("00", "000", "001")]
    cut_short, followed_with_closed_sides = ["110", 0, 2], ["00", 0, 1]
    assert facts(KNOT, forbidden(followed_with_closed_sides, cut_short)) == [ForbiddenWords(frozenset({"00", "110"}))]
    assert facts(HALF, forbidden()) == [ForbiddenWords(frozenset())]


@pytest.mark.parametrize(
    ("network", "up_to"),
    [
        (BEND, 5),
        (GROW, 6),
        (KNOT, 3),
        (FOLD, 4),
        (SEESAW, 5),
        (TENT, 4),
        (HALF, 3),
        (FLIP, 4),
        (ROTATION, 4),
        (lozi("17/10", "1/2"), 8),
        (lozi("3/2", "1/2"), 6),
        (lozi("2", "-1"), 4),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_necklaces_count_what_all_words_count(network: Network, up_to: int, lazy: bool) -> None:
    steps = every_word(network, min(up_to, 5) if lazy else up_to, lazy=lazy)
    claim = prove(network, *steps).claims[0]
    assert claim_is_true(network.as_json(), claim.as_json()) is True
    if not words_of(network).live:
        assert [theorem for theorem, _, _ in steps] == ["necklaces"]


@pytest.mark.parametrize(
    ("network", "counts", "residual"),
    [
        (GROW, (1, 0, 0, 0), ()),
        (KNOT, (1, 0, 0, 0), ()),
        (FOLD, (1, 0, 0, 0), (("1", "1"), ("1", "1", "1", "1"))),
        (ABSOLUTE, (0, 0, 0, 0), tuple(("1",) * n for n in range(1, 5))),
        (HALF, (1, 0, 0, 0), ()),
        (FLIP, (1, 0, 0, 0), (("", ""), ("", "", "", ""))),
        (ROTATION, (1, 0, 0, 0), (("", "", "", ""),)),
        (TENT, (2, 1, 2, 3), ()),
        (lozi("17/10", "1/2"), (2, 1, 0, 1), ()),
        (lozi("3/2", "1/2"), (2, 1, 0, 1), (("0", "1", "0", "1"),)),
        (lozi("2", "-1"), (1, 0, 2, 2), (("1", "1"), ("1", "1", "1", "1"))),
    ],
)
def test_known_counts(network: Network, counts: tuple[int, ...], residual: tuple[tuple[str, ...], ...]) -> None:
    assert facts(network, *every_word(network, 4))[-1] == CycleCounts(4, counts, residual)


def test_what_is_told_of_singular_words() -> None:
    """BEND: 0 z = 1 at slope 1; KNOT: no point is < 0 and > 0, one is >= 0 and <= 0; FOLD and ABSOLUTE: a segment, a half-line."""
    assert every_word(BEND, 1)[1][2]["singular"] == [{"word": ["0"], "told": {"empty": [1]}}]
    assert every_word(KNOT, 1, lazy=True)[1][2]["singular"] == [
        {"word": ["00"], "told": {"empty": [0, 1]}},
        {"word": ["11"], "told": {"tight": [0, 1]}},
    ]
    assert every_word(FOLD, 2)[1][2]["singular"] == [RESIDUAL]
    assert every_word(ABSOLUTE, 1)[1][2]["singular"] == [{"word": ["1"], "told": "residual"}]


def test_tight_rows_that_leave_more_than_a_point() -> None:
    """A plane in which the rows of 11 force the first state to 0 and nothing else; two rows that hold strictly force nothing."""
    program = (
        affine([[1, 0], [-1, 0]], [0, 0]),
        Operation("relu", (1,)),
        Operation("affine", (0, 2), (matrix([[1, 0], [0, 1]]), matrix([[-1, -1], [0, 0]])), matrix([[0], [0]])),
    )
    flat = Network(2, program)
    steps = every_word(flat, 1)
    singular = steps[1][2]["singular"]
    assert isinstance(singular, list)
    assert singular[-1] == {"word": ["11"], "told": "residual"}
    entries = [*singular[:-1], {"word": ["11"], "told": {"tight": [0, 1]}}]
    answer = letter(flat, steps[0], necklaces(1, *entries, cites=(1,)))
    assert answer == rejected(2, "theorem necklaces, check 4", "rows that leave one point of the closed word ('11',)", "0 1")
    entries = [{"word": ["00"], "told": {"tight": [0, 1]}}, {"word": ["11"], "told": {"tight": [0, 1]}}]
    refused(KNOT, necklaces(1, *entries), "necklaces, check 4", "rows that leave one point of the closed word ('00',)", "0 1")


def test_each_singular_word_is_told_of_once_and_met() -> None:
    refused(FOLD, necklaces(2, RESIDUAL, RESIDUAL), "necklaces, check 5", "each singular word once", "2 entries")
    for other in (["1"], ["1", "1", "1"], ["1", "0"], ["0", "0"], ["11"], []):
        entry = {"word": other, "told": "residual"}
        refused(FOLD, necklaces(2, RESIDUAL, entry), "necklaces, check 5", "singular words that are met", " ".join(other))


def test_counts_of_another_number() -> None:
    wanted = {"claim": "cycle_counts", "up_to": 2, "counts": [1, 2], "residual": []}
    with pytest.raises(Rejected, match="Rejected at claim 1, conclusion"):
        check(certificate(BEND, [wanted], *every_word(BEND, 2)))


def test_numbers_that_grow() -> None:
    """A slope whose numerator and denominator have 500 bits: words of 400 letters need more than 131,072."""
    program = (affine([[1]], [0]), Operation("relu", (1,)), affine([[f"{2**500 + 1}/{2**499 + 1}"]], [1], 2))
    begin = time.process_time()
    answer = letter(Network(1, program), forbidden(["1" * 400, 0]))
    assert answer.startswith("Rejected at step 1, theorem forbidden_words, check 2\n  expected  exact numbers of at most 131072 bits\n")
    assert time.process_time() - begin < 30


def test_several_lists_of_forbidden_words() -> None:
    steps = (forbidden(["00", 1]), forbidden(["10", 0, 1]), necklaces(12, cites=(1, 2)))
    assert facts(GROW, *steps)[-1] == CycleCounts(12, (1, *[0] * 11), ())
    assert facts(GROW, *steps[:2], necklaces(12, cites=(1, 2, 1)))[-1] == facts(GROW, *steps)[-1]
    point: Step = ("exact_cycle", (), {"point": ["2"], "period": 1})
    answer = letter(GROW, point, necklaces(2, cites=(1,)))
    assert answer == rejected(2, "theorem necklaces, citations", "ForbiddenWords", "ExactCycle")
    own = malformed("step 1", "citations", "a citation of one of the 0 earlier steps", "step 1")
    assert letter(GROW, necklaces(2, cites=(1,))) == own


@pytest.mark.parametrize(
    ("network", "entry", "expected", "got"),
    [
        (GROW, ["01", 1], "rows that exclude the word 01", "1"),  # some orbit follows it
        (GROW, ["1", 0], "rows that exclude the word 1", "0"),  # the fixed point does
        (GROW, ["00"], "rows that exclude the word 00", ""),
        (GROW, ["00", 0, 0], "rows that exclude the word 00", "0 0"),  # a multiplier of the wrong sign
        (GROW, ["00", 0], "rows that exclude the word 00", "0"),
        (BEND, ["00", 0, 1], "rows that exclude the word 00", "0 1"),
        (KNOT, ["11", 0, 1], "rows that exclude the word 11", "0 1"),  # the point on both borders
    ],
)
def test_words_that_are_not_forbidden(network: Network, entry: list[object], expected: str, got: str) -> None:
    refused(network, forbidden(entry), "forbidden_words, check 2", expected, got)


@pytest.mark.parametrize("theorem", ["forbidden_words", "necklaces"])
def test_exact_piecewise_linear_and_small(theorem: str) -> None:
    step = forbidden() if theorem == "forbidden_words" else necklaces(1)
    refused(SMOOTH, step, f"{theorem}, check 1", "a program of affine, relu and add", "a smooth operation")
    refused(linear([[0] * 33 for _ in range(33)]), step, f"{theorem}, check 1", "at most 32 states", "33")
    remedy = "this theorem is exact-only: certify without a radius"
    law = f"theorem {theorem}, check 1"
    wide = rejected(1, law, "weights that are single numbers", "weight intervals of radius up to 1/1048576", remedy)
    assert letter(TENT_BALL, step) == wide


def test_a_word_needs_hinges() -> None:
    refused(HALF, forbidden(["0", 0]), "forbidden_words, check 1", "a live hinge for every bit", "none")


@pytest.mark.parametrize(
    ("entry", "got"),
    [
        ([], "[]"),
        (["", 0], "['', 0]"),
        (["02", 0], "['02', 0]"),
        (["٠", 0], "['٠', 0]"),
        ([0, 0], "[0, 0]"),
        ([None], "[None]"),
        ([True, 0], "[True, 0]"),
        ([["00"], 1], "[['00'], 1]"),
        (["0" * 4097, 0], f"['{'0' * 198}"),
    ],
)
def test_entries_that_are_no_words(entry: list[object], got: str) -> None:
    where = "line 2, field witness, field words"
    assert letter(GROW, forbidden(entry)) == malformed(where, "forbidden words", "1 to 4096 letters 0 or 1, then rows", got)


@pytest.mark.parametrize("rows", [[2], [-1], [True], ["1"], [None], [[1]], [1] * 34, [10**17]])
def test_rows_that_are_none(rows: list[object]) -> None:
    where = "line 2, field witness, field words"
    answer = letter(GROW, forbidden(["00", *rows]))
    assert answer == malformed(where, "forbidden words", "at most 33 rows from 0 to 1", str(rows)[:200])


@pytest.mark.parametrize("words", [["00"], [None], [7], [{"00": 1}], "00", None])
def test_words_that_are_no_lists(words: object) -> None:
    answer = letter(GROW, ("forbidden_words", (), {"words": words}))
    assert answer.startswith("Malformed at line 2, field witness, field words")


def test_a_singular_word_must_be_told_of() -> None:
    assert facts(FOLD, necklaces(2, RESIDUAL)) == [CycleCounts(2, (1, 0), (("1", "1"),))]
    for entries in ((), ({"word": ["1"], "told": "residual"},), ({"word": ["11"], "told": "residual"},)):
        answer = letter(FOLD, necklaces(2, *entries))
        assert answer.startswith(
            "Rejected at step 1, theorem necklaces, check 4\n  expected  a singular word that is told of\n  got       1 1"
        )


@pytest.mark.parametrize(
    ("network", "up_to", "word", "told", "expected", "got"),
    [
        (FOLD, 2, ["1", "1"], {"empty": [0, 1]}, "rows that exclude the closed word ('1', '1')", "0 1"),
        (FOLD, 2, ["1", "1"], {"empty": [2]}, "rows that exclude the closed word ('1', '1')", "2"),
        (FOLD, 2, ["1", "1"], {"empty": []}, "rows that exclude the closed word ('1', '1')", ""),
        (FOLD, 2, ["1", "1"], {"tight": [0, 1]}, "rows that leave one point of the closed word ('1', '1')", "0 1"),
        (FOLD, 2, ["1", "1"], {"tight": [2]}, "rows that leave one point of the closed word ('1', '1')", "2"),
        (BEND, 1, ["0"], {"empty": [0]}, "rows that exclude the closed word ('0',)", "0"),
        (BEND, 1, ["0"], {"tight": [1]}, "rows that leave one point of the closed word ('0',)", "1"),
    ],
)
def test_singular_words_told_wrongly(
    network: Network, up_to: int, word: list[str], told: dict[str, object], expected: str, got: str
) -> None:
    refused(network, necklaces(up_to, {"word": word, "told": told}), "necklaces, check 4", expected, got)


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ({"told": "residual"}, "field singular[0], field word"),
        ({"word": "11", "told": "residual"}, "field singular[0], field word"),
        ({"word": [1, 1], "told": "residual"}, "field singular[0], field word"),
        ({"word": ["1", "1"]}, "field singular[0], field told"),
        ({"word": ["1", "1"], "told": "full"}, "field singular"),
        ({"word": ["1", "1"], "told": None}, "field singular"),
        ({"word": ["1", "1"], "told": {}}, "field singular, field tight"),
        ({"word": ["1", "1"], "told": {"empty": [0], "tight": [0]}}, "field singular"),
        ({"word": ["1", "1"], "told": {"empty": None, "tight": [0, 1]}}, "field singular"),
        ({"word": ["1", "1"], "told": "residual", "sure": 1}, "field singular[0]"),
        ({"word": ["1", "1"], "told": {"tight": [3]}}, "field singular"),
        ({"word": ["1", "1"], "told": {"tight": [True]}}, "field singular"),
        ({"word": ["1", "1"], "told": {"empty": [0] * 66}}, "field singular"),
        ("residual", "field singular[0]"),
        (None, "field singular[0]"),
    ],
)
def test_entries_of_the_wrong_form(entry: object, where: str) -> None:
    assert letter(FOLD, necklaces(2, entry)).startswith(f"Malformed at line 2, field witness, {where}, ")


@pytest.mark.parametrize("up_to", [0, -1, 4097, True, "2", None])
def test_periods_that_are_none(up_to: object) -> None:
    assert letter(GROW, necklaces(up_to)).startswith("Malformed at line 2, field witness, field up_to")


def test_words_that_are_too_long() -> None:
    refused(TENT, necklaces(2049), "necklaces, check 1", "at most 4096 bits in a word", "4098")


def test_long_periods_are_cheap_where_words_are_few() -> None:
    begin = time.process_time()
    claim = facts(GROW, forbidden(["00", 1], ["10", 0, 1]), necklaces(300, cites=(1,)))[-1]
    assert claim == CycleCounts(300, (1, *[0] * 299), ())
    assert facts(HALF, necklaces(300))[-1] == CycleCounts(300, (1, *[0] * 299), ())
    assert time.process_time() - begin < 30
