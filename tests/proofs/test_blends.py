"""Blends (1 - q) u + q v: which registers are some, what encloses them, and what they do to differences."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems.blends import Blend, blends, registers
from proofs.theorems.box_sectors import box_sectors
from proofs.theorems.boxes import enclosing
from proofs.theorems.card import Application
from tests.corpus.contracting import PLAIN_REST, mixing, mixing_two
from tests.corpus.parts import affine, spell
from tests.laws.strategies import small
from tests.proofs.test_theorems_boxed import run

ORDERED = st.tuples(small, small).map(sorted)
GRID = [Fraction(k, 4) for k in range(5)]


@pytest.mark.parametrize(("first", "second", "last"), [*product(permutations((3, 5)), permutations((2, 0)), permutations((6, 7)))])
def test_every_spelling_is_found(first: tuple[int, int], second: tuple[int, int], last: tuple[int, int]) -> None:
    program = (*mixing().program[:5], Operation("mul", first), Operation("mul", second), Operation("add", last))
    assert blends(Network(1, program)) == {8: Blend(8, last, 2, 5, 0)}


@pytest.mark.parametrize(
    "rest",
    [
        affine(["1~1p-50"], ([["-1"]], 2)),
        affine([1], ([["-1~1p-50"]], 2)),
        affine([1], ([["1"]], 2)),
        affine(["1/2"], ([["-1"]], 2)),
        affine([1], ([["-1"]], 1)),
        affine([1], ([["-1"]], 2), ([["0"]], 0)),
        Operation("sigmoid", (2,)),
    ],
)
def test_other_rests_are_none(rest: Operation) -> None:
    assert blends(mixing("1", rest)) == {}


def test_a_rest_of_fewer_rows_or_of_other_rows_is_none() -> None:
    assert blends(mixing_two(affine([1, 1], ([["-1", "0"], ["0", "-1"]], 2))))
    assert not blends(mixing_two(affine([1, 1], ([["0", "-1"], ["-1", "0"]], 2))))
    assert not blends(mixing_two(affine([1, 1], ([["-1", "0"], ["0", "0"]], 2))))
    assert not blends(mixing_two(affine([1, 1], ([["-1", "1p-60"], ["0", "-1"]], 2))))


def test_a_product_that_is_read_again_or_added_to_itself_is_none() -> None:
    again = affine([0], ([["1"]], 8), ([["0"]], 7))
    assert blends(mixing("1", PLAIN_REST, 0, again)) == {}
    twice = (*mixing().program[:6], Operation("add", (6, 6)))
    assert blends(Network(1, twice)) == {}


@settings(max_examples=200, deadline=None)
@given(ORDERED, ORDERED, ORDERED)
def test_the_enclosure_is_the_hull(q: list[Fraction], u: list[Fraction], v: list[Fraction]) -> None:
    values = [Matrix.intervals([Interval(*ends)]) for ends in (q, u, v)]
    (told,) = Blend(3, (1, 2), 0, 1, 2).over(values).entries()
    inside = [(1 - s) * x + s * y for s, x, y in product(*([low + k * (high - low) for k in GRID] for low, high in (q, u, v)))]
    assert (told.lo, told.hi) == (min(inside), max(inside))


@settings(max_examples=40, deadline=None)
@given(st.lists(small, min_size=10, max_size=10), st.tuples(*[st.integers(-64, 64)] * 4))
def test_points_of_a_box_and_their_differences(weights: list[Fraction], pair: tuple[int, int, int, int]) -> None:
    """Compare with floats: registers lie inside; F's difference is what the signals make of it, each with a slope in its range."""
    gate, candidate, bias = [spell(weights[:2]), spell(weights[2:4])], [spell(weights[4:6]), spell(weights[6:8])], spell(weights[8:])
    rest = affine([1, 1], ([["-1", "0"], ["0", "-1"]], 2))
    units = (affine(bias, (gate, 0)), Operation("sigmoid", (1,)), rest, affine([0, 0], (candidate, 0)), Operation("tanh", (4,)))
    network = Network(2, (*units, Operation("mul", (5, 3)), Operation("mul", (2, 0)), Operation("add", (6, 7))))
    box = enclosing(((Fraction(-1), Fraction(1)),) * 2)
    one, two = ([np.array(x) for x in run(network, [x / 64 for x in half])] for half in (pair[:2], pair[2:]))
    for inside, register in zip(one, registers(network, box, 60), strict=True):
        for x, span in zip(inside, register.entries(), strict=True):
            assert float(span.lo) - 1e-9 <= x <= float(span.hi) + 1e-9
    d = [a - b for a, b in zip(one, two, strict=True)]
    turned, shared = one[2] * (d[0] - d[5]), (two[0] - two[5]) * d[2]
    sector = box_sectors(Application(1, "box_contraction", network, Fields({}, "test"), (), ()), 4, network, box, 60)
    read = registers(network, box, 60)
    spans = [*read[2].entries(), *read[5].entries(), *read[2].entries(), *(read[0] - read[5]).entries()]
    opened = [span.lo < span.hi for span in spans]
    values = [*d[0], *(x for x, is_open in zip([*d[2], *d[5], *turned, *shared], opened, strict=True) if is_open)]
    assert len(values) == 2 + len(sector.ranges)
    told = [sum(float(sector.image.middle(i, j)) * x for j, x in enumerate(values)) for i in range(2)]
    assert told == pytest.approx(list(d[8]), abs=1e-9)
    for i, span in enumerate(sector.ranges):
        a = sum(float(sector.inputs.middle(i, j)) * x for j, x in enumerate(values))
        assert (values[2 + i] - float(span.lo) * a) * (float(span.hi) * a - values[2 + i]) >= -1e-9
