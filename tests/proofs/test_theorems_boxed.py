"""A4b, D8 and D9: what the kernel concludes of boxes and of one orbit, against floats, exact singular values and pairs of points."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Interval, Matrix
from proofs.claims import BallCycle
from proofs.errors import Rejected
from proofs.exponents import BoxContraction, CyclesInBox, FiniteTime
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems.box_sectors import box_sectors
from proofs.theorems.boxes import enclosing
from proofs.theorems.card import Application
from tests.corpus import boxed as corpus
from tests.corpus.contracting import contracting
from tests.corpus.exponents import SOFT, THREE
from tests.corpus.parts import Case, affine, ball_witness, spell, tanh_net
from tests.laws.strategies import small

CURVES: dict[str, Callable[[Any], Any]] = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
SQUARE = ((Fraction(-1), Fraction(1)),) * 2


def entries(count: int) -> st.SearchStrategy[list[Fraction]]:
    return st.lists(small, min_size=count, max_size=count)


def run(network: Network, point: list[float]) -> list[list[float]]:
    """Return all registers in floats."""
    registers = [np.array(point)]
    for operation in network.program:
        of = [registers[i] for i in operation.of]
        if operation.bias is not None:
            weights = [[[float(m.middle(i, j)) for j in range(m.shape[1])] for i in range(m.shape[0])] for m in operation.matrices]
            bias = [float(operation.bias.middle(i)) for i in range(len(operation.bias.mid))]
            registers.append(sum((np.array(w) @ x for w, x in zip(weights, of, strict=True)), np.array(bias)))
        elif operation.name in {"mul", "add"}:
            registers.append(of[0] * of[1] if operation.name == "mul" else of[0] + of[1])
        else:
            registers.append(CURVES[operation.name](of[0]))
    return [list(map(float, register)) for register in registers]


@settings(max_examples=40, deadline=None)
@given(entries(4), entries(4), st.integers(1, 6))
def test_finite_time_exponents_are_those_of_the_exact_product(one: list[Fraction], two: list[Fraction], steps: int) -> None:
    product = np.eye(2)
    step = np.array(two, float).reshape(2, 2) @ np.array(one, float).reshape(2, 2)
    for _ in range(steps):
        product = step @ product
    singular = np.linalg.svd(product, compute_uv=False)
    assume(singular[1] > 1e-6 * singular[0] > 0)
    table = [[spell(part[:2]), spell(part[2:])] for part in (one, two)]
    network = Network(2, (affine([0, 0], (table[0], 0)), affine([1, 0], (table[1], 1))))
    rates = sorted({Fraction(round(s ** (1 / steps) * factor * 2**20), 2**20) for s in singular for factor in (0.99, 1.01)})
    assume(len(rates) == 4 and rates[0] > 0)
    claim = Case(network).good("finite_time", {"start": ["1", "-1"], "steps": steps, "bits": 200, "rates": spell(rates)})
    assert isinstance(claim, FiniteTime)
    assert claim.counts == tuple(int(sum(s ** (1 / steps) < r for s in singular)) for r in rates)


@settings(max_examples=40, deadline=None)
@given(entries(4), entries(4), st.integers(1, 20))
def test_every_invertible_basis_counts_alike_and_no_singular_one_passes(one: list[Fraction], two: list[Fraction], steps: int) -> None:
    network = Network(2, (affine([0, 0], ([spell(one[:2]), spell(one[2:])], 0)),))
    witness = {"start": ["1", "-1"], "steps": steps, "bits": 600, "rates": ["1/3", "5/3", "1000"]}
    basis = [spell(two[:2]), spell(two[2:])]
    if two[0] * two[3] == two[1] * two[2]:
        with pytest.raises(Rejected, match="definite"):
            Case(network).good("finite_time", witness | {"basis": basis})
        return
    try:
        plain = Case(network).good("finite_time", witness)
    except Rejected:
        assume(False)
    assert Case(network).good("finite_time", witness | {"basis": basis}) == plain


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_singular_bases_of_three_are_refused(rank: int) -> None:
    basis = [[spell([Fraction(int(i == j < rank))])[0] for j in range(3)] for i in range(3)]
    skew = [["1", "2", "3"], ["2", "3", "5"], ["1/7", "4", str(Fraction(1, 7) + 4)]]
    for told in (basis, skew):
        with pytest.raises(Rejected, match="definite"):
            Case(THREE).good("finite_time", {"start": ["0", "0", "0"], "steps": 2, "bits": 400, "rates": ["1"], "basis": told})


def test_a_basis_of_singular_vectors_halves_the_bits() -> None:
    with pytest.raises(Rejected, match="definite"):
        Case(corpus.HIDDEN).good("finite_time", corpus.FAR)
    found = Case(corpus.HIDDEN).good("finite_time", corpus.FAR | {"basis": [["5", "3"], ["-3", "5"]]})
    assert found == Case(corpus.HIDDEN).good("finite_time", corpus.FAR | {"bits": 160})
    assert isinstance(found, FiniteTime)
    assert found.counts == (0, 1, 2)


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_finite_time_exponents_of_a_tanh_net_agree_with_floats(steps: int) -> None:
    weights = np.array([[-4.0, 2.0, -4.0], [-4.0, -4.0, 2.0], [0.0, -4.0, -4.0]])
    state, frame, logs = np.array([0.1, 0.2, -0.3]), np.eye(3), 0.0
    for _ in range(steps):
        state = np.tanh(weights @ state)
        frame = np.diag(1 - state**2) @ weights @ frame
        logs, frame = logs + math.log(np.linalg.norm(frame)), frame / np.linalg.norm(frame)
    leading = math.exp((logs + math.log(np.linalg.svd(frame, compute_uv=False)[0])) / steps)
    rates = spell(Fraction(round(leading * factor * 2**20), 2**20) for factor in (0.999, 1.001))
    start = spell(Fraction(x) for x in (0.1, 0.2, -0.3))
    claim = Case(THREE).good("finite_time", {"start": start, "steps": steps, "bits": 900, "rates": rates})
    assert isinstance(claim, FiniteTime)
    assert claim.counts == (2, 3)


def test_the_statement_names_the_orbit_and_the_levels() -> None:
    claim = FiniteTime((Fraction(1), Fraction(2)), 7, (), (), (Fraction(1, 2), Fraction(3)), (1, 2))
    told = claim.statement()
    assert "Over 7 steps from z = (1, 2), of the 2 finite-time Lyapunov exponents" in told
    assert "1 below -0.693147, 1 between -0.693148 and 1.098613" in told


@settings(max_examples=40, deadline=None)
@given(entries(8), entries(4), st.tuples(*[st.integers(-64, 64)] * 4))
def test_sectors_hold_for_every_pair_of_points(weights: list[Fraction], more: list[Fraction], pair: tuple[int, int, int, int]) -> None:
    gate, candidate = [spell(weights[:2]), spell(weights[2:4])], [spell(weights[4:6]), spell(weights[6:])]
    rest = affine([0, 1], ([spell(more[:2]), spell(more[2:])], 5), (gate, 3))
    network = Network(
        2,
        (
            affine([1, 0], (gate, 0)),
            Operation("sigmoid", (1,)),
            Operation("relu", (1,)),
            affine([0, 0], (candidate, 0)),
            Operation("mul", (2, 4)),
            rest,
            Operation("add", (6, 5)),
        ),
    )
    step = Application(1, "box_contraction", network, Fields({}, "test"), (), ())
    sector = box_sectors(step, 4, network, enclosing(SQUARE), 60)
    one, two = [run(network, [x / 64 for x in half]) for half in (pair[:2], pair[2:])]
    vector = [a - b for a, b in zip(one[0], two[0], strict=True)]
    for operation in network.program:
        values, others = [one[i] for i in operation.of], [two[i] for i in operation.of]
        if operation.name == "mul":
            vector += [v * (a - b) for v, a, b in zip(values[1], values[0], others[0], strict=True)]
            vector += [u * (a - b) for u, a, b in zip(others[0], values[1], others[1], strict=True)]
        elif operation.name in {"sigmoid", "relu"}:
            curve = CURVES[operation.name]
            vector += [curve(a) - curve(b) for a, b in zip(values[0], others[0], strict=True)]
    kept = signals(sector.ranges, vector, network, step)
    told = [sum(float(sector.image.middle(i, j)) * x for j, x in enumerate(kept)) for i in range(2)]
    assert told == pytest.approx([a - b for a, b in zip(one[-1], two[-1], strict=True)], abs=1e-9)
    for i, span in enumerate(sector.ranges):
        read = sum(float(sector.inputs.middle(i, j)) * x for j, x in enumerate(kept))
        signal = kept[2 + i]
        assert (signal - float(span.lo) * read) * (float(span.hi) * read - signal) >= -1e-9


def signals(ranges: tuple[Interval, ...], vector: list[float], network: Network, step: Application) -> list[float]:
    """Return the state's difference and the signals that are left once known slopes are put in."""
    values = network.registers(enclosing(SQUARE), 60)
    opened: list[bool] = []
    for operation, output in zip(network.program, values[1:], strict=True):
        if operation.name == "relu":
            opened += [low * high <= 0 for low, high in values[operation.of[0]].signs()]
        elif operation.name == "sigmoid":
            opened += [entry.lo < entry.hi for entry in output.entries()]
        elif operation.name == "mul":
            opened += [entry.lo < entry.hi for i in reversed(operation.of) for entry in values[i].entries()]
    assert step.network is network
    assert sum(opened) == len(ranges)
    return vector[:2] + [value for value, kept in zip(vector[2:], opened, strict=True) if kept]


@pytest.mark.parametrize("name", ["form", "weights-inputs-in-a-range", "scalar-cell"])
def test_pairs_of_points_approach_by_the_stated_rate(name: str) -> None:
    network, witness = next((network, witness) for told, network, witness in contracting() if told == name)
    claim = Case(network).good("box_contraction", witness)
    assert isinstance(claim, BoxContraction)
    low, high = [float(x) for x in claim.low], [float(x) for x in claim.high]
    weights = [float(Fraction(d)) for d in witness.get("weights", [])]
    generator = np.random.default_rng(0)
    for _ in range(200):
        one, two = generator.uniform(low, high), generator.uniform(low, high)
        images = [np.array(run(network, list(point))[-1]) for point in (one, two)]
        norms = [np.linalg.norm(d) if not weights else max(abs(d) / weights) for d in (one - two, images[0] - images[1])]
        assert norms[1] <= float(claim.rate) * norms[0] + 1e-12
        assert all(np.array(low) <= images[0])
        assert all(images[0] <= np.array(high))


def test_what_is_said_without_inputs_is_said_of_f_itself() -> None:
    quiet = BoxContraction(((),), (Fraction(0),), (Fraction(1),), Fraction(1, 2))
    assert "exactly one fixed point in it" in quiet.statement()
    assert "conditional" not in quiet.statement()
    loud = BoxContraction((((1, ("1~1/8",)),),), (Fraction(0),), (Fraction(1),), Fraction(3, 2))
    assert "conditional" in loud.statement()
    assert "approach" not in loud.statement()
    assert "fixed point" not in BoxContraction(((),), (Fraction(0),), (Fraction(1),), Fraction(2)).statement()


@settings(max_examples=30, deadline=None)
@given(st.integers(-48, 48), st.integers(-16, 16))
def test_lists_of_fixed_points_on_the_line_are_complete(slope: int, bias: int) -> None:
    weight, shift = slope / 16, bias / 16
    network = Network(1, (affine(spell([Fraction(shift)]), ([spell([Fraction(weight)])], 0)), Operation("tanh", (1,))))
    grid = np.linspace(-1.01, 1.01, 4001)
    gap = np.tanh(weight * grid + shift) - grid
    assume(np.abs(gap[:-1]).min() > 1e-7)
    roots = [float(bisected(weight, shift, a, b)) for a, b, u, v in zip(grid, grid[1:], gap, gap[1:], strict=False) if u * v < 0]
    assume(all(abs(1 - weight * (1 - x * x)) > 0.05 for x in roots))
    assume(np.abs(np.tanh(weight * grid + shift) - grid)[1:-1].min() > 1e-6 or len(roots) in {1, 3})
    case = corpus.listed(network, [[[x]] for x in roots], "1p-20")
    witness = corpus.searched(case, {"low": ["-17/16"], "high": ["9/8"], "up_to": 1}, everywhere=True)
    claim = case.good("cycles_in_box", witness, *corpus.cite_all(case))
    assert isinstance(claim, CyclesInBox)
    assert len(claim.cycles) == len(roots)


def bisected(weight: float, shift: float, low: float, high: float) -> float:
    sign = math.tanh(weight * low + shift) > low
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (math.tanh(weight * middle + shift) > middle) == sign else (low, middle)
    return low


def test_a_list_that_leaves_one_out_is_refused_wherever_it_is_cut() -> None:
    whole = corpus.listed(corpus.STEEP, corpus.THREE_POINTS)
    for missing in range(3):
        rest = [point for i, point in enumerate(corpus.THREE_POINTS) if i != missing]
        case = corpus.listed(corpus.STEEP, rest)
        witness = corpus.searched(case, corpus.LINE | {"up_to": 1}, everywhere=True)
        for told in (0, 1, [1, 1], [2, 1]):
            leaves = [told if leaf is None else leaf for leaf in witness["trees"][0]["leaves"]]
            trial = witness | {"trees": [witness["trees"][0] | {"leaves": leaves}]}
            with pytest.raises(Rejected):
                case.good("cycles_in_box", trial, *corpus.cite_all(case))
    assert all(isinstance(fact, BallCycle) for fact in whole.facts)


def test_bounds_of_f_everywhere() -> None:
    bounded = THREE.range_everywhere(40)
    assert bounded is not None
    assert bounded.entries() == [Interval(Fraction(-1), Fraction(1))] * 3
    assert corpus.CUBIC.range_everywhere(40) is None
    assert tanh_net([["2"]], [1]).range_everywhere(40) == Matrix.intervals([Interval(Fraction(-1), Fraction(3))])
    leaky = Network(1, (Operation("tanh", (0,)), affine([0], ([["1/2"]], 1), ([["1/2"]], 0))))
    assert leaky.range_everywhere(40) is None
    gated = Network(1, (Operation("sigmoid", (0,)), Operation("mul", (1, 0))))
    assert gated.range_everywhere(40) is None
    constant = Network(1, (affine([3], ([["0"]], 0)),))
    assert constant.range_everywhere(40) is None  # the program does not show it


def test_the_enclosed_orbit_of_a_ball_cycle_is_cited_as_it_is() -> None:
    case = Case(SOFT)
    cycle = case.good("cycle", ball_witness(SOFT, [[0.0]], "1p-12"))
    witness = corpus.searched(case, {"low": ["-9/16"], "high": ["5/8"], "up_to": 1})
    claim = case.good("cycles_in_box", witness, 1)
    assert isinstance(claim, CyclesInBox)
    assert claim.cycles == (cycle,)
    assert not claim.everywhere
