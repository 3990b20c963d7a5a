"""D8, D9 and A4b: false claims are found false without a witness, and walks through changed certificates meet no false one."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from tests.second import boxes
from tests.second.checker import check, claim_is_true
from tests.second.contractions_in_boxes import gap_of
from tests.second.cycles_in_boxes import range_of
from tests.second.mutants_in_boxes import THEOREMS, originals, pressed, sealed, walks
from tests.second.nets import read_net
from tests.second.text import Json

ACCEPTED = Path(__file__).resolve().parent.parent / "corpus" / "accepted"
FEW = {"finite_time": 25, "box_contraction": 12, "cycles_in_box": 12}
MANY = 600


def affine(matrix: list, bias: list, of: int = 0) -> dict:
    """Return an affine operation of one register."""
    return {"op": "affine", "of": [of], "matrices": [matrix], "bias": bias}


def curve(name: str, weight: str, bias: str = "0", outer: str = "1") -> dict:
    """Return the network of one state that takes z to outer times a curve of weight z + bias."""
    return {"dimension": 1, "program": [affine([[weight]], [bias]), {"op": name, "of": [1]}, affine([[outer]], ["0"], 2)]}


DOUBLING = curve("tanh", "2")  # fixed points 0 and +-0.9575
TURNING = curve("tanh", "-2")  # 0 and a cycle of period 2
SQUARE = {"dimension": 1, "program": [{"op": "mul", "of": [0, 0]}, affine([["1"]], ["0"], 1)]}
SCALED = {"dimension": 2, "program": [affine([["2", "0"], ["0", "1/2"]], ["0", "0"])]}
TWO_INPUTS = {"dimension": 1, "program": [affine([["1/2"]], ["0"])]}


@pytest.mark.parametrize(
    ("start", "steps", "rates", "counts", "answer"),
    [
        (["0", "0"], 5, ["1"], [1], True),
        (["0", "0"], 5, ["1/4", "1", "3"], [0, 1, 2], True),
        (["0", "0"], 5, ["1"], [0], False),
        (["0", "0"], 5, ["1"], [2], False),
        (["0", "0"], 5, ["1", "1/4"], [1, 0], False),
        (["0", "0"], 5, ["2"], [1], None),
        (["0"], 5, ["1"], [1], False),
    ],
)
def test_finite_times_of_a_linear_map(start: list, steps: int, rates: list, counts: list, answer: bool | None) -> None:
    claim = {"claim": "finite_time", "start": start, "steps": steps, "symbols": [], "inputs": [], "rates": rates, "counts": counts}
    assert claim_is_true(SCALED, claim) is answer


@pytest.mark.parametrize(("start", "answer"), [("1/4", True), ("0", False)])
def test_no_derivative_on_a_border(start: str, answer: bool) -> None:
    claim = {"claim": "finite_time", "start": [start], "steps": 1, "symbols": [], "inputs": [], "rates": ["1/2"], "counts": [0]}
    assert claim_is_true(curve("relu", "1"), claim) is answer


def test_finite_times_under_inputs() -> None:
    claim = {"claim": "finite_time", "start": ["1/4"], "steps": 2, "symbols": [[], [[0, ["3"]]]], "rates": ["1/10"]}
    assert claim_is_true(DOUBLING, {**claim, "inputs": [0, 0], "counts": [0]}) is True
    assert claim_is_true(DOUBLING, {**claim, "inputs": [1, 1], "counts": [1]}) is True
    assert claim_is_true(DOUBLING, {**claim, "inputs": [1, 1], "counts": [0]}) is False


@pytest.mark.parametrize(
    ("symbols", "high", "rate", "answer"),
    [
        ([[]], "1", "1/2", True),
        ([[]], "1", "49/100", False),
        ([[[0, ["1/4~1p-3"]]]], "1", "1/2", True),
        ([[[0, ["1/4~1"]]]], "1", "1/2", False),
        ([[], [[0, ["2"]]]], "1", "1/2", False),
        ([[]], "-2", "1/2", False),
        ([], "1", "1/2", False),
    ],
)
def test_contraction_of_a_line(symbols: list, high: str, rate: str, answer: bool) -> None:
    claim = {"claim": "box_contraction", "symbols": symbols, "low": ["-1"], "high": [high], "rate": rate}
    assert claim_is_true(TWO_INPUTS, claim) is answer


@pytest.mark.parametrize(("rate", "answer"), [("2", True), ("19/10", False)])
def test_no_contraction_at_a_repelling_point(rate: str, answer: bool) -> None:
    claim = {"claim": "box_contraction", "symbols": [[]], "low": ["-1"], "high": ["1"], "rate": rate}
    assert claim_is_true(curve("tanh", "2", outer="1"), {**claim, "low": ["0"], "high": ["0"]}) is answer


def test_a_form_by_hand() -> None:
    """F(z) = z z / 4 on [0, 1]: both factors have slopes z in [0, 1], so F' = z / 2; the sum of the two signals over 4."""
    net = read_net({"dimension": 1, "program": [{"op": "mul", "of": [0, 0]}, affine([["1/4"]], ["0"], 1)]})
    box, one = [(Fraction(0), Fraction(1))], [[boxes.ONE]]
    gap = gap_of(net, box, 40, one, Fraction(1, 2), [Fraction(1), Fraction(1)])
    half, part = Fraction(-1, 2), Fraction(-1, 16)  # L s (d - s) gives -1/2 beside and 1 - 1/16 on the diagonal
    assert gap == [[boxes.point(x) for x in row] for row in [[Fraction(1, 4), half, half], [half, 1 + part, part], [half, part, 1 + part]]]
    assert gap_of(net, box, 40, one, Fraction(1, 2), [Fraction(1)]) is None


def ball(point: str, radius: str = "1p-6") -> dict:
    """Return the claim of a fixed point of one state."""
    return {"claim": "ball_cycle", "points": [[point]], "radius": radius}


@pytest.mark.parametrize(
    ("network", "up_to", "high", "cycles", "answer"),
    [
        (DOUBLING, 1, "2", [ball("0"), ball("245/256"), ball("-245/256")], True),
        (DOUBLING, 2, "2", [ball("0"), ball("245/256"), ball("-245/256")], True),
        (DOUBLING, 1, "2", [ball("0"), ball("245/256")], False),
        (DOUBLING, 1, "2", [ball("0"), ball("245/256"), ball("-245/256"), ball("0", "1p-7")], False),
        (DOUBLING, 1, "1/2", [ball("0"), ball("245/256"), ball("-245/256")], False),
        (DOUBLING, 1, "2", [ball("0"), ball("245/256"), ball("-240/256")], False),
        (TURNING, 1, "2", [ball("0")], True),
        (TURNING, 2, "2", [ball("0")], False),
        (TURNING, 2, "2", [ball("0"), {"claim": "ball_cycle", "points": [["245/256"], ["-245/256"]], "radius": "1p-6"}], True),
        (TURNING, 1, "2", [ball("0"), {"claim": "ball_cycle", "points": [["245/256"], ["-245/256"]], "radius": "1p-6"}], False),
    ],
)
def test_all_cycles_of_a_curve(network: dict, up_to: int, high: str, cycles: list, answer: bool) -> None:
    low = "-2" if high != "1/2" else "-1/2"
    claim = {"claim": "cycles_in_box", "up_to": up_to, "low": [low], "high": [high], "everywhere": False, "cycles": cycles}
    assert claim_is_true(network, claim) is answer
    if high != "1/2":
        assert claim_is_true(network, {**claim, "everywhere": True}) is answer


def test_a_cycle_outside_the_box_counts_everywhere_only() -> None:
    claim = {"claim": "cycles_in_box", "up_to": 1, "low": ["-1/2"], "high": ["1/2"], "cycles": [ball("0")]}
    assert claim_is_true(SQUARE, {**claim, "everywhere": False}) is True
    assert claim_is_true(SQUARE, {**claim, "everywhere": True}) is False


@pytest.mark.parametrize(
    ("network", "bounds"),
    [
        (DOUBLING, [("-1", "1")]),
        (curve("sigmoid", "5", "1", "-3"), [("-3", "0")]),
        (curve("relu", "1"), None),
        (SQUARE, None),
        ({"dimension": 1, "program": [{"op": "tanh", "of": [0]}, {"op": "mul", "of": [0, 1]}]}, None),
        ({"dimension": 1, "program": [{"op": "tanh", "of": [0]}, {"op": "mul", "of": [1, 1]}]}, [("-1", "1")]),
    ],
)
def test_where_a_map_takes_everything(network: Json, bounds: list | None) -> None:
    found = range_of(read_net(network), 40)
    assert found == (None if bounds is None else [(Fraction(a), Fraction(b)) for a, b in bounds])


@pytest.mark.parametrize("theorem", THEOREMS)
def test_every_walk_starts_from_certificates(theorem: str) -> None:
    assert list(ACCEPTED.glob(f"{theorem}-*.cert")) != []


@pytest.mark.parametrize("said", [0, 1, [1, 2], [9, 1]])
def test_a_leaf_that_holds_a_point_is_not_said_to_be_otherwise(said: Json) -> None:
    tried = 0
    for lines in (lines for lines in originals("cycles_in_box") if lines[0]["network"]["dimension"] == 1):
        for tree in lines[-2]["witness"]["trees"]:
            for i, leaf in enumerate(tree["leaves"]):
                if isinstance(leaf, list) and leaf != said and (said != [1, 2] or leaf[0] != 1):
                    tree["leaves"][i] = said
                    assert sealed(lines) is None
                    tree["leaves"][i] = leaf
                    tried += 1
    assert tried > 0


def test_a_rate_pressed_as_low_as_it_goes_is_true() -> None:
    lines = next(lines for lines in originals("box_contraction") if "weights" in lines[-2]["witness"])
    pressed(lines, random.Random(0))
    content = sealed(lines)
    assert content is not None
    assert claim_is_true(lines[0]["network"], lines[0]["claims"][0]) is not False
    assert check(content)


@pytest.mark.parametrize("theorem", THEOREMS)
def test_walks_meet_no_false_claim(theorem: str) -> None:
    tally, complaints = walks(FEW[theorem], 5, theorem)
    assert complaints == []
    assert tally["accepted"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 202))
@pytest.mark.parametrize("theorem", THEOREMS)
def test_long_walks_meet_no_false_claim(theorem: str, seed: int) -> None:
    tally, complaints = walks(MANY, seed, theorem)
    assert complaints == []
    assert tally["confirmed"] > 0
