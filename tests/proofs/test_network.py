"""Networks: shapes, the four ways of running one, and the canonical text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs import network as rooms
from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed, Rejected
from proofs.network import Network, Operation
from proofs.reader import parse_object
from tests.proofs.workbench import HALF, SMOOTH, TENT, TENT_BALL, affine, linear, lozi, matrix, network_fields, shallow

RELU = {"op": "relu", "of": [0]}
COPY = {"op": "affine", "of": [0], "matrices": [[["1"]]], "bias": ["0"]}


def misfit(content: dict[str, object]) -> tuple[str, str, str]:
    """Return where, expected and got of the complaint about a network object."""
    with pytest.raises(Malformed) as caught:
        Network.read(network_fields(content))
    assert caught.value.law in {"network shapes", "file format"}
    return caught.value.where, caught.value.expected, caught.value.got


@pytest.mark.parametrize(
    ("program", "where", "expected", "got"),
    [
        ([], "network", "1 to 4096 states, 1 to 256 operations", "1, 0"),
        ([RELU] * 257, "network", "1 to 4096 states, 1 to 256 operations", "1, 257"),
        ([{"op": "gelu", "of": [0]}], "line 1, field network, field program[0]", "one of affine, relu, tanh, sigmoid, mul, add", "gelu"),
        ([{"op": "relu", "of": []}], "line 1, field network, field program[0]", "1 registers below 1", "()"),
        ([{"op": "relu", "of": [0, 0]}], "line 1, field network, field program[0]", "1 registers below 1", "(0, 0)"),
        ([{"op": "mul", "of": [0]}], "line 1, field network, field program[0]", "2 registers below 1", "(0,)"),
        ([{"op": "relu", "of": [1]}], "line 1, field network, field program[0], field of", "integers from 0 to 0", "int 1"),
        ([{"op": "relu", "of": [-1]}], "line 1, field network, field program[0], field of", "integers from 0 to 0", "int -1"),
        ([{"op": "relu", "of": [False]}], "line 1, field network, field program[0], field of", "integers from 0 to 0", "bool False"),
        ([{**RELU, "bias": ["0"]}], "line 1, field network, field program[0]", "no further fields", "bias"),
        ([{**COPY, "of": []}], "line 1, field network, field program[0]", "0 matrices, one a register", "1"),
        ([{**COPY, "of": [], "matrices": []}], "line 1, field network, field program[0]", "one or more registers below 1", "()"),
        ([{**COPY, "bias": [], "matrices": [[]]}], "line 1, field network, field program[0]", "matrices of shapes [(0, 1)]", "[(0, 0)]"),
        (
            [{**COPY, "bias": ["0", "0"]}],
            "line 1, field network, field program[0], matrix 0, field matrix",
            "2 rows of 1 entries",
            "1 rows of lengths [1]",
        ),
        ([{**COPY, "bias": ["0", "0"], "matrices": [[["1"], ["1"]]]}], "network, last operation", "1 outputs, one a state", "2"),
    ],
)
def test_misfits(program: list[object], where: str, expected: str, got: str) -> None:
    assert misfit({"dimension": 1, "program": program}) == (where, expected, got)


def test_registers_of_one_size() -> None:
    wide = {"op": "affine", "of": [0], "matrices": [[["1"], ["1"]]], "bias": ["0", "0"]}
    answer = misfit({"dimension": 1, "program": [wide, {"op": "add", "of": [0, 1]}]})
    assert answer == ("line 1, field network, field program[1]", "registers of one size", "[1, 2]")


def test_dimension_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert misfit({"dimension": 0, "program": [RELU]})[1:] == ("an integer from 1 to 4096", "int 0")
    assert misfit({"dimension": 1, "program": [RELU], "x": 1})[1:] == ("no further fields", "x")
    monkeypatch.setattr(rooms, "MAX_UNITS", 2)
    assert misfit({"dimension": 1, "program": [RELU, RELU]}) == ("network", "at most 2 units", "3")


def test_operations_made_in_python_are_checked_too() -> None:
    with pytest.raises(Malformed, match="matrices and a bias on affine only"):
        Network(1, (Operation("relu", (0,), bias=matrix([[1]])),))
    with pytest.raises(Malformed, match="matrices of shapes"):
        Network(1, (Operation("affine", (0,), (matrix([[1, 1]]),), matrix([[1]])),))
    with pytest.raises(Malformed, match="matrices of shapes"):
        Network(1, (Operation("affine", (0,), (matrix([[1]]),)),))


@pytest.mark.parametrize("network", [TENT, TENT_BALL, HALF, SMOOTH, lozi("17/10", "1/2"), Network(1, (Operation("mul", (0, 0)),))])
def test_text_round_trip(network: Network) -> None:
    again = Network.read(parse_object(network.text.encode(), "line 1"))
    assert again.text == network.text
    assert again.digest == network.digest
    assert len(network.digest) == 64


def test_digest_follows_weights_and_radii_only() -> None:
    assert TENT.digest != TENT_BALL.digest
    assert shallow(["2/2", 1], [0, "-2/4"], [2, -4]).digest == TENT.digest
    assert linear([["1/2"]], radius="0").digest == HALF.digest
    assert linear([["1/3"]], radius="1/8").largest_radius == Fraction(1, 8)
    assert TENT.largest_radius == 0


def test_hinges_are_numbered_in_program_order() -> None:
    program = (
        affine([[1], [-1]], [0, 1]),
        Operation("relu", (1,)),
        affine([[1, 1]], [-2], 2),
        Operation("relu", (3,)),
        Operation("add", (4, 0)),
    )
    deep = Network(1, program)
    assert deep.hinges == 3
    assert deep.pattern(Matrix.column([Fraction(3)])) == "101"
    assert deep.pattern(Matrix.column([Fraction(-2)])) == "011"
    assert deep.pattern(Matrix.column([Fraction(1, 2)])) == "110"
    assert deep.pattern(Matrix.column([Fraction(1)])) is None
    assert deep.pattern(Matrix.column([Fraction(1, 2)]).widened(Fraction(1, 2))) is None
    piece = deep.piece("101")
    assert piece.jacobian.middle(0) == 2
    assert piece.offset.middle(0) == -2
    assert [piece.gates.middle(row) for row in range(3)] == [1, -1, 1]
    assert [piece.gate_offsets.middle(row) for row in range(3)] == [0, 1, -2]
    assert piece.gate_signs(Matrix.column([Fraction(2)])) == [(1, 1), (-1, -1), (0, 0)]


def test_networks_without_hinges() -> None:
    assert HALF.hinges == 0
    assert HALF.pattern(Matrix.column([Fraction(1)])) == ""
    assert HALF.piece("").gate_signs(Matrix.column([Fraction(1)])) == []
    assert HALF.is_piecewise_linear
    assert not SMOOTH.is_piecewise_linear
    assert not TENT_BALL.is_exact


@pytest.mark.parametrize("pattern", ["", "1", "111", "1x", "12"])
def test_pieces_want_a_letter_a_hinge(pattern: str) -> None:
    with pytest.raises(Rejected) as caught:
        TENT.piece(pattern)
    expected = "Rejected at network, affine piece\n  expected  a piecewise-linear program and 2 letters 0 or 1\n  got       "
    assert str(caught.value) == expected + pattern


def test_smooth_networks_have_no_pieces() -> None:
    with pytest.raises(Rejected, match="a piecewise-linear program and 0 letters 0 or 1"):
        SMOOTH.piece("")


def test_global_slopes() -> None:
    assert TENT.jacobian(None).interval(0).lo == -4
    assert TENT.jacobian(None).interval(0).hi == 2
    sigmoid = shallow([1], [0], [1], curve="sigmoid")
    assert sigmoid.jacobian(None).interval(0) == Interval(Fraction(0), Fraction(1, 4))
    with pytest.raises(Rejected, match="no products of registers"):
        Network(1, (Operation("mul", (0, 0)),)).jacobian(None)
