"""Small certificates that would take hours or gigabytes are refused at once, by what their witness shows."""

from __future__ import annotations

from fractions import Fraction
from time import process_time

import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Rejected
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems import THEOREMS
from proofs.theorems.card import Application

Witness = dict[str, object]
HUGE = f"1/{2**40_001 + 1:#x}"
PATH: Witness = {"from": 0, "to": 0, "steps": 1, "offset": ["0"], "width": [["1/2"]]}
WORDLESS: Witness = {"unstable": 1, "boxes": [{"center": ["0"], "basis": [["1"]]}], "paths": [PATH], "weights": ["1"], "rate": "2"}


def linear(middle: int, radius: int = 0) -> Network:
    """Return z -> (middle +- radius) z."""
    slope = Matrix.balls([[Fraction(middle)]], [[Fraction(radius)]])
    return Network(1, (Operation("affine", (0,), (slope,), Matrix.column([Fraction(0)])),))


def folds(units: int) -> Network:
    """Return a map of the line with so many relu units."""
    rows = Matrix.exact([[Fraction(i + 1)] for i in range(units)])
    biases = Matrix.column([Fraction(1)] * units)
    out = Matrix.exact([[Fraction(1)] * units])
    last = Operation("affine", (2,), (out,), Matrix.column([Fraction(0)]))
    return Network(1, (Operation("affine", (0,), (rows,), biases), Operation("relu", (1,)), last))


def squares(count: int) -> Network:
    """Return z -> z^(2^count)."""
    return Network(1, tuple(Operation("mul", (i, i)) for i in range(count)))


def plane() -> Network:
    """Return the identity of the plane."""
    return Network(2, (Operation("affine", (0,), (Matrix.identity(2),), Matrix.column([Fraction(0)] * 2)),))


SKEW: Witness = {"center": ["0", "0"], "basis": [["1", "1p-400000"], ["0", "1"]]}
LOOPS: Witness = {"boxes": [{"center": ["0"], "basis": [["1"]]}] * 4, "paths": [{**PATH, "from": i, "to": i} for i in range(4)]}
CASES: dict[str, tuple[Network, str, Witness]] = {
    "exact numbers of at most 131072 bits": (plane(), "covering_graph", {**WORDLESS, "boxes": [SKEW]}),
    "check 4\n  expected  exact numbers of at most 131072 bits": (
        linear(0, 2**100_000),
        "covering_graph",
        {**WORDLESS, "paths": [{**PATH, "steps": 100_000}], "bits": 64},
    ),
    "bits for paths over 256 steps": (linear(2), "covering_graph", {**WORDLESS, "paths": [{**PATH, "steps": 257}]}),
    "at most 1048576 pairs of strips": (linear(3), "covering_graph", {**WORDLESS, "paths": [PATH] * 3000}),
    "check 6\n  expected  numbers of at most 131072 bits in all": (
        linear(3),
        "covering_graph",
        {**WORDLESS, **LOOPS, "weights": [HUGE] * 4},
    ),
    "at most 4294967296 products of short numbers": (
        folds(400),
        "contraction",
        {"form": [["1"]], "multipliers": ["1"] * 400, "rate": "1", "bits": 20_000},
    ),
    "products of registers of at most 131072 bits": (squares(40), "trapping", {"low": ["2"], "high": ["2"], "bits": 8}),
    "at most 12 live hinges": (folds(13), "exponent_bounds", {"memory": 1, "bits": 64}),
    "at most 1048576 words visited": (folds(12), "exponent_bounds", {"memory": 2, "bits": 64}),
    "check 5\n  expected  numbers of at most 131072 bits in all": (
        folds(4),
        "trapping",
        {"center": [HUGE], "form": [["1"]], "multipliers": [HUGE] * 4, "decay": "1/2", "bits": 64},
    ),
}


@pytest.mark.parametrize("law", CASES)
def test_refused_at_once(law: str) -> None:
    network, theorem, witness = CASES[law]
    start = process_time()
    with pytest.raises(Rejected) as refused:
        THEOREMS[theorem](Application(1, theorem, network, Fields(witness, "step 1, field witness"), (), ()))
    assert law in str(refused.value)
    assert process_time() - start < 10
