"""The cells of the hinges: how many there are, that each is there, and that every branch left out is empty."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Malformed, Rejected
from proofs.network import Network, Operation
from proofs.theorems.word_path import excludes
from tests.verify.arrangements import affine, exact, half_open, image, layer, random_network, realised, solvable, tangents
from verify.errors import NotFound, Unsupported
from verify.numerics.linear_systems import Farkas
from verify.regions import Cell, Closed, Explorer, Limits, Regions, is_unbounded, regions, row_names, why_empty, word_rows

Q = Fraction
BOX = (Q(-1), Q(3, 2))


def names(found: Regions) -> list[str]:
    return [cell.name for cell in found.cells]


def is_certificate(reason: Farkas) -> bool:
    """Check Motzkin's alternative with fractions alone: a nonnegative combination of the rows that no point can satisfy."""
    factors = [Q(factor) for factor in reason.multipliers]
    sums = [sum(f * Q(row.form[i]) for f, row in zip(factors, reason.rows, strict=True)) for i in range(len(reason.rows[0].form))]
    broken = sums[-1] < 0 or (sums[-1] == 0 and any(row.strict for row in reason.rows))
    return all(factor > 0 for factor in factors) and not any(sums[:-1]) and broken


def check_cells(network: Network, box: tuple[Fraction, Fraction] | None = None) -> Regions:
    """Check that points, rows and certificates are what they say, and that together they account for every pattern exactly once."""
    found = regions(network, box)
    for cell in found.cells:
        assert half_open(network, cell.witness) == cell.name
        assert all(row.holds(cell.point) for row in cell.rows)
        assert cell.rows == word_rows(network, cell.patterns, box)
        assert box is None or all(box[0] <= x <= box[1] for x in cell.witness)
    explorer = Explorer(network, box)
    closed = [branch for branch in explorer.extensions(explorer.start) if isinstance(branch, Closed)]
    assert len(closed) == found.closed
    for branch in closed:
        assert is_certificate(branch.reason)
        assert excludes(branch.reason.rows)  # the checker's own function
        assert set(branch.reason.rows) <= set(word_rows(network, (branch.prefix.ljust(network.hinges, "0"),), box))
    assert sum(2 ** (network.hinges - len(branch.prefix)) for branch in closed) + len(found.cells) == 2**network.hinges
    return found


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_lines_in_general_position(count: int) -> None:
    found = check_cells(tangents(count))
    assert len(found.cells) == 1 + count + comb(count, 2)
    assert found.exact == 0  # floats suffice where nothing is degenerate


def test_many_hyperplanes_of_low_rank() -> None:
    weights = [[(3 * i * i + i) % 17 - 8 for i in range(20)], [(5 * i * i + 2 * i) % 19 - 9 for i in range(20)]]
    found = regions(tangents(40, weights))
    assert len(found.cells) == 1 + 40 + comb(40, 2)
    assert found.programs < 6 * len(found.cells)  # most branches are closed by certificates met before


@pytest.mark.slow
def test_128_hyperplanes_of_rank_2_in_20_states() -> None:
    weights = [[(3 * i * i + i) % 17 - 8 for i in range(20)], [(5 * i * i + 2 * i) % 19 - 9 for i in range(20)]]
    assert len(regions(tangents(128, weights), limits=Limits(seconds=600)).cells) == 8257


def test_planes_in_general_position() -> None:
    """Hyperplanes x + i y + i^2 z + i^3 = 0 of R^3: any three meet in one point, no four do."""
    found = check_cells(layer([[1, i, i * i] for i in range(1, 8)], [i**3 for i in range(1, 8)]))
    assert len(found.cells) == sum(comb(7, k) for k in range(4))


def test_families_of_parallels() -> None:
    found = check_cells(layer([[1, 0], [1, 0], [-2, 0], [0, 1], [0, -1]], [0, 1, 3, 0, 2]))
    assert len(found.cells) == 4 * 3
    assert not any(cell.name[:2] == "10" for cell in found.cells)  # x >= 0 and x + 1 < 0


def test_equal_and_opposite_rows() -> None:
    assert names(check_cells(layer([[1, 2], [1, 2], [3, 6]], [1, 1, 3]))) == ["000", "111"]
    assert names(check_cells(layer([[1, 2], [-1, -2]], [1, -1]))) == ["01", "10", "11"]  # 11 is the line itself


def test_rows_of_zeros() -> None:
    found = check_cells(layer([[0, 0], [1, 0], [0, 0], [0, 0]], [0, 0, -1, 5]))
    assert names(found) == ["1001", "1101"]
    assert [len(branch.reason.rows) for branch in closed_of(layer([[0, 0]], [-1]))] == [1]


def closed_of(network: Network) -> list[Closed]:
    explorer = Explorer(network)
    return [branch for branch in explorer.extensions(explorer.start) if isinstance(branch, Closed)]


def test_orthants_are_all_there() -> None:
    found = check_cells(layer([[int(i == j) for j in range(6)] for i in range(6)], [0] * 6))
    assert names(found) == ["".join(letters) for letters in product("01", repeat=6)]


def test_orthants_come_one_by_one() -> None:
    """2^60 cells: the first ones are there at once."""
    explorer = Explorer(layer([[int(i == j) for j in range(60)] for i in range(60)], [0] * 60))
    found = explorer.extensions(explorer.start)
    cells = [next(found) for _ in range(3)]
    assert [cell.name[-3:] for cell in cells if isinstance(cell, Cell)] == ["000", "001", "010"]


def test_too_many_cells_are_refused_at_once_or_on_the_way() -> None:
    with pytest.raises(NotFound) as refusal:
        regions(layer([[int(i == j) for j in range(60)] for i in range(60)], [0] * 60))
    assert refusal.value.as_json() == {
        "verdict": "NotFound",
        "where": "regions",
        "law": "number of cells",
        "expected": "at most 20000",
        "got": "at least 2^60, for so many hinges are independent",
        "remedy": "a larger --max-cells, or a --box",
    }
    with pytest.raises(NotFound, match=r"got       more \(the search stopped there after \d+\.\d s\)"):
        regions(tangents(12), limits=Limits(max_cells=78))
    assert len(regions(tangents(12), limits=Limits(max_cells=79)).cells) == 79


def test_time_runs_out() -> None:
    with pytest.raises(NotFound) as refusal:
        regions(tangents(12), limits=Limits(seconds=0))
    assert str(refusal.value).startswith("NotFound at regions, time budget\n  expected  all cells within 0 s\n  got       ")


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    regions(tangents(5), limits=Limits(progress=lambda *step: told.append(step)))
    assert told[-1] == ("cells", 1000, 1000)
    assert told == sorted(told)


@pytest.mark.parametrize("seed", range(40))
def test_brute_force_agrees_on_degenerate_networks(seed: int) -> None:
    network = random_network(seed, 1 + seed % 3, 2 + seed % 4, deep=seed % 5 == 4)
    for box in (None, BOX, (Q(0), Q(0))):
        assert {cell.patterns for cell in check_cells(network, box).cells} == realised(network, 1, box)


def test_all_hinges_of_a_deep_network_are_conditions() -> None:
    """The letters of the second layer depend on those of the first: relu(x), relu(-x), then |x| - 1."""
    program = (
        affine([[1], [-1]], [0, 0], 0),
        Operation("relu", (1,)),
        affine([[1, 1]], [-1], 2),
        Operation("relu", (3,)),
        affine([[1]], [0], 4),
    )
    found = check_cells(Network(1, program))
    assert names(found) == ["010", "011", "100", "101", "110"]
    assert [is_unbounded(cell, 1) for cell in found.cells] == [False, True, False, True, False]


def test_two_relus_that_both_read_the_state() -> None:
    program = (affine([[1]], [0], 0), Operation("relu", (1,)), affine([[1]], [-1], 0), Operation("relu", (3,)), Operation("add", (2, 4)))
    assert names(check_cells(Network(1, program))) == ["00", "10", "11"]


def test_a_network_without_hinges_has_one_cell() -> None:
    found = regions(Network(2, (affine([[1, 0], [0, 1]], [1, 1], 0),)))
    assert [(cell.patterns, cell.rows) for cell in found.cells] == [(("",), ())]
    assert is_unbounded(found.cells[0], 2)


def test_cells_thinner_than_floats_can_see() -> None:
    """Two parallels 2^-200 apart, then a line that is almost parallel to another."""
    hair = Q(1, 2**200)
    inner = Operation("affine", (0,), (exact([[1, 0], [1, 0]]),), Matrix.column([Q(0), -hair]))
    strip = Network(2, (inner, Operation("relu", (1,)), affine([[1, 1], [1, 1]], [0, 0], 2)))
    assert names(check_cells(strip)) == ["00", "10", "11"]
    inner = Operation("affine", (0,), (Matrix.exact([[Q(1), Q(0)], [Q(1), hair]]),), Matrix.column([Q(0), Q(0)]))
    wedge = Network(2, (inner, Operation("relu", (1,)), affine([[1, 1], [1, 1]], [0, 0], 2)))
    assert names(check_cells(wedge)) == ["00", "01", "10", "11"]


def test_rows_that_sum_to_zero() -> None:
    """relu(z - mean(z)): not all can be negative, all are >= 0 only where all are equal."""
    size = 5
    found = check_cells(layer([[size * int(i == j) - 1 for j in range(size)] for i in range(size)], [0] * size))
    assert len(found.cells) == 2**size - 1
    thin = next(cell for cell in found.cells if cell.name == "1" * size)
    assert len(set(thin.witness)) == 1


def test_a_box_cuts_cells_away() -> None:
    cross = layer([[1, 0], [0, 1]], [0, 0])
    assert names(check_cells(cross, (Q(0), Q(1)))) == ["11"]
    assert names(check_cells(cross, (Q(-1), Q(0)))) == ["00", "01", "10", "11"]  # the half-open border belongs to 1
    assert names(check_cells(cross, (Q(-2), Q(-2)))) == ["00"]


def test_bad_boxes() -> None:
    with pytest.raises(Malformed) as refusal:
        regions(tangents(2), (Q(1), Q(-1)))
    assert str(refusal.value) == "Malformed at box, LO <= HI\n  expected  the lower bound first\n  got       1 -1"


def test_smooth_networks_have_no_cells() -> None:
    smooth = Network(1, (affine([[2]], [0], 0), Operation("tanh", (1,))))
    with pytest.raises(Unsupported) as refusal:
        regions(smooth)
    assert (refusal.value.law, refusal.value.got) == ("cells of a piecewise-linear network", "tanh")


def test_radii_have_no_cells() -> None:
    blurred = Operation("affine", (0,), (Matrix.balls([[Q(1)]], [[Q(1, 8)]]),), exact([[0]]))
    with pytest.raises(Unsupported) as refusal:
        regions(Network(1, (blurred, Operation("relu", (1,)))))
    assert (refusal.value.law, refusal.value.got) == ("cells with exact borders", "radius 1/8")


def test_idle_hinges_are_named() -> None:
    network = layer([[1, 0], [0, 1]], [0, 0], [[1, 0], [1, 0]])
    assert regions(network).idle == (1,)


@pytest.mark.parametrize(
    ("slopes", "shifts", "bounded"),
    [
        ([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 1, 0, 1], {"1111"}),  # a square
        ([[1, 0], [-1, 0]], [0, 1], set()),  # a strip
        ([[1, 0], [0, 1], [-1, -1]], [0, 0, 1], {"111"}),  # a triangle
        ([[1, 0], [0, 1]], [0, 0], set()),  # quadrants
        ([[1, 0], [0, 1], [-1, 0], [0, -1]], [0, 0, 0, 0], {"1111"}),  # a point
    ],
)
def test_which_cells_are_unbounded(slopes: list[list[int]], shifts: list[int], bounded: set[str]) -> None:
    found = regions(layer(slopes, shifts))
    assert {cell.name for cell in found.cells if not is_unbounded(cell, 2)} == bounded


def test_words_are_paths_of_patterns() -> None:
    network = random_network(3, 2, 3)
    explorer = Explorer(network)
    cells = [cell for cell in explorer.extensions(explorer.start) if isinstance(cell, Cell)]
    pairs = [pair for cell in cells for pair in explorer.extensions(cell) if isinstance(pair, Cell)]
    assert {pair.patterns for pair in pairs} == realised(network, 2)
    for pair in pairs:
        assert half_open(network, pair.witness) == pair.patterns[0]
        assert half_open(network, image(network, pair.witness)) == pair.patterns[1]
        assert pair.rows == word_rows(network, pair.patterns)


def test_why_a_pattern_is_empty() -> None:
    network = layer([[1, 0], [1, 0]], [0, 1])
    reason = why_empty(network, ("10",))
    assert is_certificate(reason.reason)
    assert str(reason) == "1 times  -z1 - 1 > 0  (hinge 2, time 0)\n1 times  z1 >= 0  (hinge 1, time 0)\nsum  -1 > 0, which is false"
    assert row_names(network, 1, BOX)[2:] == ["low wall 1, time 0", "low wall 2, time 0", "high wall 1, time 0", "high wall 2, time 0"]
    walled = why_empty(network, ("00",), BOX)
    assert set(walled.names) == {"low wall 1, time 0", "hinge 2, time 0"}


def test_there_is_no_certificate_for_a_nonempty_pattern() -> None:
    with pytest.raises(Malformed) as refusal:
        why_empty(layer([[1, 0]], [0]), ("1",))
    assert refusal.value.got.startswith("the orbit of (")
    with pytest.raises(Rejected):
        why_empty(layer([[1, 0]], [0]), ("11",))


def test_the_naive_method_of_these_tests_sees() -> None:
    assert solvable([([Q(1), Q(0)], False), ([Q(-1), Q(0)], False)])
    assert not solvable([([Q(1), Q(0)], False), ([Q(-1), Q(0)], True)])
