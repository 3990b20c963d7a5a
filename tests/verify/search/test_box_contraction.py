"""Boxes that inputs map into themselves, and the slopes and norms found on them."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Rejected
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems.box_sectors import box_sectors
from proofs.theorems.card import Application
from tests.verify.order_networks import gaussian, layered, plrnn, recurrent
from verify.models.gated import Cell, Layer, step_program
from verify.numerics.batch import FloatNetwork, floats_of
from verify.numerics.box_slopes import bits_for, slopes_on
from verify.numerics.sectors import sector_of, slowest_slopes
from verify.search.box_contraction import column_of, hull_of, invariant_boxes, norms_on, stays_inside

BITS = 64
GATES: dict[Cell, int] = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def layer(cell: Cell, size: int, gain: float, seed: int) -> Layer:
    """Draw a layer with one input."""
    rng = np.random.default_rng(seed)
    rows = GATES[cell] * size
    return Layer(cell, gain * rng.standard_normal((rows, 1)), gain * rng.standard_normal((rows, size)), rng.standard_normal(rows))


def driven(cell: Cell, size: int = 2, gain: float = 0.3, seed: int = 0) -> Network:
    """Return the program under all inputs between -1 and 1."""
    return step_program([layer(cell, size, gain, seed)], [Interval(Fraction(-1), Fraction(1))])


@pytest.mark.parametrize("cell", sorted(GATES))
def test_the_sector_form_is_the_kernels(cell: Cell) -> None:
    """Both give the same matrix, in (d, s) there and in (d, s - low a) here."""
    network = driven(cell)
    sides = next(invariant_boxes(network, BITS))
    box = column_of(sides)
    kernel = box_sectors(Application(1, "box_contraction", network, Fields({}, "test"), (), ()), 4, network, box, BITS)
    sector = sector_of(network, slopes_on(network, box, BITS))
    assert sector is not None
    count, size = len(sector.limits), network.dimension
    assert len(kernel.ranges) == count
    weights = tuple(Fraction(1 + k, 4) for k in range(count))
    gap = floats_of(kernel.gap(Matrix.identity(size), Fraction(3, 4), tuple(2 * weight for weight in weights)))
    change, low = np.eye(size + count), np.array([float(span.lo) for span in kernel.ranges])
    change[size:] += low[:, None] * np.hstack([sector.G, sector.E])
    mine = sector.matrix(0.75, np.eye(size), np.array([float(weight) for weight in weights]))
    assert np.allclose(change.T @ gap @ change, mine, atol=1e-12)


@pytest.mark.parametrize("network", [driven("lstm"), driven("gru", gain=0.2), layered(1, gain=0.5), recurrent(gaussian(5, 2.0, 1), "tanh")])
def test_boxes_hold_their_images(network: Network) -> None:
    boxes = list(islice(invariant_boxes(network, BITS), 2))
    assert boxes
    random = np.random.default_rng(0)
    for sides in boxes:
        assert stays_inside(network, sides, BITS)
        low, high = (np.array([float(side[end]) for side in sides]) for end in (0, 1))
        images = FloatNetwork(network).step(random.uniform(low, high, (200, len(low))))
        assert np.all((images >= low) & (images <= high))


def test_a_shrunk_box_of_an_lstm_is_the_known_one() -> None:
    """|c| <= max s(i) max |tanh g| / (1 - max s(f)): with all weights 0 and the biases of f, i, g at 0, 0, 20 it is 1."""
    one = Layer("lstm", np.zeros((4, 1)), np.zeros((4, 1)), np.array([0.0, 0.0, 20.0, 0.0]))
    sides = next(invariant_boxes(step_program([one]), BITS))
    assert float(sides[1][0]) == pytest.approx(1.0, abs=1e-3)
    assert float(sides[1][1]) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("forget", "low", "high"), [(2.0, 3.1, 3.3), pytest.param(5.0, 56, 60, marks=pytest.mark.slow)])
def test_cells_that_hardly_forget_have_a_box(forget: float, low: float, high: float) -> None:
    """The state is at most s(0) tanh(1) / (1 - s(forget))."""
    one = Layer("lstm", np.zeros((4, 1)), np.zeros((4, 1)), np.array([0.0, forget, 1.0, 0.0]))
    sides = next(invariant_boxes(step_program([one]), BITS))
    assert low < float(sides[1][1]) < high


@pytest.mark.parametrize("gain", [0.5, 1.0])
def test_a_gru_is_not_given_the_cubes_that_any_blend_keeps(gain: float) -> None:
    """Every cube that holds [-1, 1] keeps its images; a large one would only cost the time of the search."""
    boxes = list(islice(invariant_boxes(driven("gru", gain=gain), BITS), 2))
    assert boxes
    assert all(abs(end) < 2 for sides in boxes for side in sides for end in side)


def test_nothing_holds_its_images_where_orbits_grow() -> None:
    assert list(invariant_boxes(recurrent([[2.0]]), BITS)) == []
    assert list(invariant_boxes(Network(1, (Operation("add", (0, 0)),)), BITS)) == []


def test_no_norm_is_better_than_the_slowest_slopes() -> None:
    network = driven("lstm")
    sides = next(invariant_boxes(network, BITS))
    sector = sector_of(network, slopes_on(network, column_of(sides), BITS))
    assert sector is not None
    floor = slowest_slopes(sector)[0]
    found = norms_on(network, sides, BITS, 5.0)
    assert found.reasons == ()
    assert floor <= float(found.norms[0].rate) < 1.2 * floor
    assert norms_on(network, sides, BITS, 5.0, below=floor / 2).norms[0].weights


def test_slopes_that_are_one_number_are_no_units() -> None:
    network = plrnn(0.5 * np.eye(2), [[0.25, 0.0], [0.0, 0.25]])
    sector = sector_of(network, slopes_on(network, column_of(((Fraction(1), Fraction(2)), (Fraction(-1), Fraction(1)))), BITS))
    assert sector is not None
    assert np.allclose(sector.J, [[0.75, 0.0], [0.0, 0.5]])
    assert len(sector.limits) == 1


def test_more_than_512_states_and_signals() -> None:
    network = driven("lstm", 40, 0.01)
    found = norms_on(network, ((Fraction(-1), Fraction(1)),) * 80, BITS, 1.0)
    assert found.reasons == ("quadratic forms: 520 states and signals, they are for at most 512",)
    assert [bool(norm.weights) for norm in found.norms] == [True]


def test_the_hull_of_biases() -> None:
    one, two = (step_program([layer("gru", 2, 0.5, 3)], [value]) for value in (-1.0, 1.0))
    whole = step_program([layer("gru", 2, 0.5, 3)], [Interval(Fraction(-1), Fraction(1))])
    assert hull_of([one, two]) == whole
    assert hull_of([one]) is one


def test_precision_keeps_short_weights_exact() -> None:
    assert bits_for(recurrent([[0.5]])) == BITS
    assert bits_for(recurrent([[2.0**-100]])) == 109
    assert bits_for(recurrent([[2.0**-1000]])) == 256


def test_products_without_a_bound_are_refused() -> None:
    square = Network(1, (Operation("mul", (0, 0)),))
    assert sector_of(square) is None
    with pytest.raises(Rejected):
        square.jacobian(None)
    sides = next(invariant_boxes(square, BITS))
    assert stays_inside(square, sides, BITS)
