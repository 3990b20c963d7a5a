"""Float decisions of scalar networks against exact tables: no period invented, none missed, every order accepted by the kernel."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic

import numpy as np
import pytest

from proofs.theorems.unfold import table_of
from verify.certification.sampled import check_recipe
from verify.numerics import line_decisions as line
from verify.numerics.interval_maps import Powers
from verify.numerics.line_iterates import composed, first_iterates
from verify.numerics.line_networks import decide_networks, tables_of
from verify.numerics.line_outputs import with_output
from verify.sampling.decide import decide
from verify.sampling.families import Batch, Cell, draw

CELLS = [
    Cell("theory", 6, 8.0),
    Cell("theory", 12, 16.0, output="identity"),
    Cell("he", 2, 1.0),
    Cell("he", 5, 2.0, output="identity"),
    Cell("he", 6, 1.5, output="clip"),
    Cell("he_ones", 3, 1.0),
    Cell("glorot", 4, 3.0),
    Cell("stable", 5, 1.0),
]


def has_period(powers: Powers, prime: int) -> bool:
    power = powers.get(prime)
    assert power is not None
    points, spans = power.fixed_points()
    return any(powers.function(x) != x for x in points) or not all(powers.function.is_identity_on(span) for span in spans)


def decided(batch: Batch) -> line.LineDecisions:
    return decide_networks(batch.weights, batch.biases, batch.activations[-1])


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.text)
def test_periods_agree_with_exact_tables(cell: Cell) -> None:
    batch = draw(cell, 5, 0, 60)
    found = decided(batch)
    assert (found.kind != line.OPEN).all()
    for row in range(len(batch)):
        powers = Powers(table_of(batch.network(row), 10**5), 10**5, monotonic() + 60)
        assert found.period_2[row] == has_period(powers, 2), row
        assert found.period_3[row] == has_period(powers, 3), row


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.text)
def test_breaks_enclose_the_exact_iterates(cell: Cell) -> None:
    batch = draw(cell, 6, 0, 30)
    maps = [with_output(tables, cell.output) for tables in tables_of(batch.weights, batch.biases)]
    power = first_iterates(maps[0])
    exact = [table_of(batch.network(row), 10**5) for row in range(len(batch))]
    values = exact
    for _ in range(3):
        assert not power.unsafe.any()
        for row, function in enumerate(values):
            places = range(int(power.start[row]), int(power.start[row + 1]))
            for i in places[1:-1]:
                x, width = float(power.x[i]), float(power.x_radii[i])
                # a true break lies near: F^n at x is within the box's height and slope times its width
                slope = float(max(abs(s) for s in function.slopes()))
                assert (
                    abs(float(function(Fraction(x))) - float(power.y[i])) <= float(power.y_radii[i]) * 1.01 + 1.01 * slope * width + 1e-14
                )
            slopes = function.slopes()
            bends = [knot for i, knot in enumerate(function.knots) if slopes[i] != slopes[i + 1]]  # a constant has a knot of no meaning
            inside = [float(knot) for knot in bends if float(power.x[places[0]]) < knot < float(power.x[places[-1]])]
            for knot in inside:
                near = [i for i in places if abs(float(power.x[i]) - knot) <= float(power.x_radii[i]) * 1.01 + 1e-15 * abs(knot)]
                assert near, (row, knot)
        power = composed(power)
        values = [function.after(inner, 10**5) for function, inner in zip(exact, values, strict=True)]


def test_orders_and_candidates_are_what_the_kernel_accepts() -> None:
    for cell in CELLS:
        batch = draw(cell, 7, 0, 40)
        answer = decide(batch)
        assert set(answer.verdict) <= {"chaotic", "ordered"}
        for row in range(len(batch)):
            check_recipe(batch.network(row), str(answer.theorem[row]), str(answer.recipe[row]))
        assert answer.checked[answer.verdict == "chaotic"].all()


def test_a_batch_decides_as_its_members_do() -> None:
    batch = draw(Cell("theory", 16, 8.0), 3, 0, 120)
    whole = decided(batch)
    for row in (0, 17, 63, 119):
        alone = decided(draw(batch.cell, 3, row, 1))
        for name in ("kind", "power", "point", "margin", "period_2", "period_3"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(whole, name)[row])
