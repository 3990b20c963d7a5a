"""The compiled walk of planar networks: what its error bounds call proved is true in exact arithmetic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from proofs.theorems.word_path import WordPath, Words, excludes
from tests.proofs.workbench import lozi, matrix
from verify.numerics import planar_forms, polygons
from verify.numerics.planar_forms import ERROR, HEAD, TAIL, Forms
from verify.numerics.planar_words import LEFT, explore
from verify.numerics.polygons import BOX, CYCLE, DOUBTFUL, OPEN, PROVED, SINGULAR, SUGGESTED, Polygons
from verify.numerics.polyhedra import Polyhedron, Row


def polygon(rows: Sequence[Row]) -> Polygons:
    """Return room for rows that doubles hold exactly, and the rows in it."""
    room = polygons.whole_plane(len(rows))
    for r, (form, _) in enumerate(rows):
        room.rows[BOX + r, :, HEAD] = form
        assert [Fraction(x) for x in room.rows[BOX + r, :, HEAD]] == [Fraction(x) for x in form]
    return room


def cuts(rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """Cut by one row after the other until one leaves no polygon; return the answers and the rows chosen last."""
    room, answers, chosen = polygon(rows), [OPEN], np.full(3, -1)
    while answers[-1] == OPEN and len(answers) <= len(rows):
        r = len(answers) - 1
        answers.append(polygons.cut(room, r, rows[r][1], chosen))
    return answers[1:], [int(r) for r in chosen if r >= 0]


def nonempty(rows: Sequence[Row]) -> bool:
    return isinstance(Polyhedron.whole(2).cut_by(rows), Polyhedron)


def random_rows(rng: random.Random, largest: int) -> list[Row]:
    return [((*(rng.randint(-largest, largest) for _ in range(3)),), rng.random() < 0.5) for _ in range(rng.randint(1, 9))]


@pytest.mark.parametrize("largest", [1, 3, 1000])
def test_cuts_agree_with_exact_arithmetic(largest: int) -> None:
    """Small whole numbers give parallel, equal, touching and constant rows."""
    rng = random.Random(largest)
    seen = set()
    for _ in range(400):
        rows = random_rows(rng, largest)
        answers, chosen = cuts(rows)
        seen.add(answers[-1])
        if answers[-1] == PROVED:
            assert excludes([rows[r] for r in chosen])
            assert chosen[-1] == len(answers) - 1
        if answers[-1] == OPEN:
            assert nonempty(rows) or largest < 1000  # a polygon may be larger than the cell, by a border
        elif nonempty(rows[: len(answers)]):
            assert answers[-1] != PROVED
        assert nonempty(rows[: len(answers) - 1]) or largest < 1000
    assert {OPEN, PROVED} <= seen
    assert SUGGESTED in seen or largest == 1000


def test_rows_that_touch_are_suggested() -> None:
    """Rows x >= 0 and -x >= 0 leave a line, with -x > 0 nothing: no error bound can tell."""
    for strict in (False, True):
        assert cuts([((1, 0, 0), False), ((-1, 0, 0), strict)]) == ([OPEN, SUGGESTED], [0, 1])


def test_parallel_rows_with_zeros_exclude_each_other() -> None:
    assert cuts([((1, 0, -2), False), ((0, 1, 0), False), ((-3, 0, 5), False)]) == ([OPEN, OPEN, PROVED], [0, 2])


@pytest.mark.parametrize(("constant", "strict", "answer"), [(1, True, OPEN), (0, False, OPEN), (0, True, PROVED), (-1, False, PROVED)])
def test_constant_rows(constant: int, strict: bool, answer: int) -> None:
    answers, chosen = cuts([((1, 1, 1), True), ((0, 0, constant), strict)])
    assert answers == [OPEN, answer]
    assert answer == OPEN or chosen == [1]


def test_what_lies_beyond_the_box_is_not_called_empty() -> None:
    far = Fraction(2) ** 220
    answers, _ = cuts([((1, 0, -int(far)), False)])
    assert answers[0] not in {OPEN, PROVED}


def test_a_cell_far_away_is_seen() -> None:
    assert cuts([((1, 0, -(2**180)), False), ((-1, 0, 2**181), True)])[0] == [OPEN, OPEN]


def test_more_edges_than_there_is_room_for() -> None:
    """Tangents of the unit circle, rounded to whole numbers: a polygon of 300 edges, then a row beyond it."""
    angles = 2 * np.pi * np.arange(300) / 300
    rows: list[Row] = [((round(1e6 * np.cos(t)), round(1e6 * np.sin(t)), 1_000_000), True) for t in angles]
    answers, chosen = cuts([*rows, ((1_000_000, 1, -2_000_000), False)])
    assert answers[:-1] == [OPEN] * 300
    assert answers[-1] == PROVED
    assert excludes([[*rows, ((1_000_000, 1, -2_000_000), False)][r] for r in chosen])


# Networks: F(z) = A z + B relu(G z + g) + c.


def network(rng: random.Random, hinges: int, scale: Fraction = Fraction(1)) -> Network:
    def table(rows: int, columns: int) -> Matrix:
        return Matrix.exact(
            [[scale * Fraction(rng.randint(-300, 300), rng.choice([100, 64, 7])) for _ in range(columns)] for _ in range(rows)]
        )

    gates = Operation("affine", (0,), (table(hinges, 2),), table(hinges, 1))
    return Network(2, (gates, Operation("relu", (1,)), Operation("affine", (0, 2), (table(2, 2), table(2, hinges)), table(2, 1))))


def walked(forms: Forms, bits: str, hinges: int) -> None:
    """Compute all forms along a word."""
    for r, bit in enumerate(bits):
        planar_forms.open_gate(forms, r)
        forms.bits[r] = int(bit)
        if (r + 1) % hinges == 0:
            planar_forms.step(forms, (r + 1) // hinges)


def exact_path(words: Words, bits: str) -> WordPath:
    width, path = len(words.live), words.start
    for letter in (bits[i : i + width] for i in range(0, len(bits), width)):
        path = words.extended(path, letter, begun(words, path, letter))
    return path


def begun(words: Words, path: WordPath, letter: str) -> tuple[Row, ...]:
    return tuple(words.row(path, letter[:i], bit) for i, bit in enumerate(letter))


def exact_rows(words: Words, bits: str) -> tuple[Row, ...]:
    whole = len(bits) - len(bits) % len(words.live)
    path = exact_path(words, bits[:whole])
    return (*path.rows, *begun(words, path, bits[whole:]))


@pytest.mark.parametrize(("scale", "steps"), [(Fraction(1), 40), (Fraction(1, 2**60), 30), (Fraction(2**20), 12)])
def test_errors_of_forms_are_within_their_bounds(scale: Fraction, steps: int) -> None:
    """Expanding, and contracting so strongly that doubles underflow; residues are those of the exact numbers."""
    rng = random.Random(5)
    for _ in range(10):
        hinges = rng.randint(1, 3)
        source = network(rng, hinges, scale)
        forms, bits = planar_forms.prepared(source, steps), "".join(rng.choice("01") for _ in range(steps * hinges))
        assert forms is not None
        walked(forms, bits, hinges)
        path = exact_path(Words(source), bits)
        den = path.map[-1][-1]
        for i in range(2):
            for k in range(3):
                exact = Fraction(path.map[i][k], den)
                head, tail, error = (Fraction(float(x)) for x in forms.states[steps, i, k, [HEAD, TAIL, ERROR]])
                assert abs(head + tail - exact) <= error
                assert error <= abs(exact) + Fraction(2) ** -900 or scale > 1
                residue = exact.numerator * pow(exact.denominator, -1, planar_forms.PRIME) % planar_forms.PRIME
                assert forms.state_residues[steps, i, k] == residue


def test_forms_stay_sharp() -> None:
    """After 25 steps of Lozi's map, which expands by about 1.6 a step, the bound is still below 10^-20 of the number."""
    forms = planar_forms.prepared(lozi("17/10", "1/2"), 25)
    assert forms is not None
    walked(forms, "0110111011010111011101101", 1)
    assert (forms.states[25, :, :, ERROR] < 1e-20 * np.abs(forms.states[25, :, :, HEAD])).all()


def cycles(words: Words, up_to: int) -> set[str]:
    """Return the words of all cycles, trying each word exactly."""
    letters = ["".join(letter) for letter in product("01", repeat=len(words.live))]
    tried = ["".join(word) for size in range(1, up_to + 1) for word in product(letters, repeat=size)]
    paths = [exact_path(words, word) for word in tried]
    solved = [(path, path.solution()) for path in paths if path.is_necklace and path.is_primitive]
    return {"".join(path.letters) for path, solution in solved if solution is not None and path.accepts(*solution)}


def events(source: Network, up_to: int, most: int = 10**9) -> dict[str, int]:
    """Return the kinds of all events of a walk by their words."""
    explored = explore(source, up_to, (), most)
    assert explored is not None
    kinds = {"".join(map(str, word[: event[1]])): int(event[0]) for event, word in zip(*explored[0], strict=True)}
    assert len(kinds) == len(explored[0].events) <= 2 * explored[1] + 2
    return kinds


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(1, 2**20)])
def test_a_walk_finds_the_cycles(scale: Fraction) -> None:
    rng = random.Random(17)
    for _ in range(12):
        source = network(rng, rng.randint(1, 2), scale)
        kinds = events(source, 5)
        assert set(kinds.values()) <= {CYCLE, PROVED}
        assert {word for word, kind in kinds.items() if kind == CYCLE} == cycles(Words(source), 5)


def test_rows_of_a_walk_exclude_each_other() -> None:
    """From the time that is named on, though what comes before may be singular."""
    rng = random.Random(23)
    tables: list[list[list[object]]] = [[[1, 0], [0, 0]], [[1, 1], [1, 1]], [[1, 2], [0, 1]]]
    for weights in tables:
        gates = Operation("affine", (0,), (matrix([[1, 0], [0, 1]]),), matrix([[rng.randint(-2, 2)], [rng.randint(-2, 2)]]))
        image = Operation("affine", (0, 2), (matrix(weights), matrix([["-1/3", 0], [0, "1/5"]])), matrix([[1], ["-1/7"]]))
        source = Network(2, (gates, Operation("relu", (1,)), image))
        explored = explore(source, 6, (), 10**9)
        assert explored is not None
        proofs = [(event, word) for event, word in zip(*explored[0], strict=True) if event[0] == PROVED]
        assert proofs
        for event, word in proofs:
            rows, start = [row - 2 * event[5] for row in event[2:5] if row >= 0], 2 * event[5]
            known = exact_rows(Words(source), "".join(map(str, word[start : event[1]])))
            assert excludes([known[row] for row in rows])


def test_closed_words_too_close_to_call_are_left_to_exact_arithmetic() -> None:
    """F(x, y) = (-x - relu(x), y / 2): the fixed point 0 lies on the border, every second iterate to its left is the identity in x."""
    weights = (matrix([[-1, 0], [0, "1/2"]]), matrix([[-1, 0], [0, 0]]))
    kinds = events(Network(2, (Operation("relu", (0,)), Operation("affine", (0, 1), weights, matrix([[0], [0]])))), 2)
    assert kinds["0"] == kinds["1"] == DOUBTFUL
    assert kinds["00"] == SINGULAR


def test_large_subtrees_are_left_over() -> None:
    source = network(random.Random(3), 2)
    whole, part = events(source, 9), events(source, 9, 64)
    left = tuple(word for word, kind in part.items() if kind == LEFT)
    assert left
    assert all(any(word.startswith(start) for word in whole) for start in left)
    assert {word: kind for word, kind in whole.items() if not word.startswith(left)} == {
        word: kind for word, kind in part.items() if kind != LEFT
    }


def test_no_forms_without_hinges_or_beyond_float64() -> None:
    flat = Operation("affine", (0,), (Matrix.identity(2),), Matrix.column([Fraction(10) ** 400, Fraction(0)]))
    assert planar_forms.prepared(Network(2, (flat,)), 3) is None
    relu = (Operation("relu", (0,)), Operation("add", (0, 1)))
    assert planar_forms.prepared(Network(2, relu), 3) is not None
    assert planar_forms.prepared(Network(2, (*relu, Operation("affine", (2,), flat.matrices, flat.bias))), 3) is None
    odd = Operation("affine", (2,), (Matrix.identity(2).times(Fraction(1, planar_forms.PRIME)),), Matrix.column([Fraction(0)] * 2))
    assert planar_forms.prepared(Network(2, (*relu, odd)), 3) is None
