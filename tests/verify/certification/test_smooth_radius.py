"""Cycles of smooth networks whose weights have a radius: balls that fit it, complete lists for all of them, and where neither is proved."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from proofs.arithmetic import Matrix
from proofs.claims import BallCycle, Stability
from proofs.exponents import CyclesInBox
from proofs.kernel import check
from proofs.network import Network, Operation
from tests.known.exponents import PERIOD_3, finder_network, tanh_network
from verify.candidates import Candidate, Unresolved
from verify.center import without_radius
from verify.certification import certify
from verify.certification.cycles import MEETING, NOT_FOR_ALL, CertifiedCycle, CycleProver
from verify.certification.draft import Draft, spelled_rows
from verify.certification.orbits import block_matrix
from verify.certification.smooth_cycles import SmoothCycles, claims_of, prove_all_cycles, range_box
from verify.errors import NotFound
from verify.loading import Loaded, load
from verify.numerics import cell_cuts
from verify.numerics.balls import approximate_inverse
from verify.numerics.box_images import BoxNetwork
from verify.numerics.cell_cuts import Cell
from verify.numerics.smooth_balls import fitting_ball
from verify.rounding import dyadic_radius
from verify.search.cycles import find_cycles
from verify.search.smooth_cycles import find_all_cycles

Floats = NDArray[np.float64]
SAMPLES = 60
KEPT = 1e-9  # for what floats lose beside a ball


def three_neurons() -> Loaded:
    return load({"model": "rnn", "W": [list(row) for row in PERIOD_3], "b": [0, 0, 0], "activation": "tanh"})


def widened(loaded: Loaded, radius: str) -> Network:
    return loaded.with_radius(dyadic_radius(radius))


def one_unit(weight: str, radius: str) -> Network:
    """Return tanh(w h), w within the radius of the weight."""
    weights, zero = Matrix.balls([[Fraction(weight)]], [[Fraction(radius)]]), Matrix.column([Fraction(0)])
    return Network(1, (Operation("affine", (0,), (weights,), zero), Operation("tanh", (1,))))


def listed(network: Network, up_to: int, kinds: dict[int, int]) -> SmoothCycles:
    """Have the kernel accept the complete list, from the bytes of the certificate, for a network with a radius."""
    draft = Draft(network)
    found = prove_all_cycles(draft, up_to)
    assert (found.complete, found.reasons) == (True, ())
    assert not network.is_exact
    certificate, _ = draft.finish(claims_of(found))
    assert check(certificate).claims[0] == found.claim
    assert found.claim is not None
    assert found.claim.everywhere
    assert {period: sum(cycle.period == period for cycle in found.claim.cycles) for period in kinds} == kinds
    assert len(found.claim.cycles) == sum(kinds.values())
    return found


def members(center: Floats, radius: float, count: int) -> Floats:
    """Draw weights within the radius, every other time from its corners; the first are those in the middle. **Shapes:** (count, M, M)."""
    random = np.random.default_rng(7)
    inside = random.uniform(-1.0, 1.0, (count, *center.shape))
    inside[1::2] = np.sign(inside[1::2])
    inside[0] = 0.0
    return np.asarray(center + radius * inside)


def solved(weights: Floats, biases: Floats, starts: Floats) -> tuple[Floats, Floats]:
    """Run Newton's method for cycles of tanh(W z + b): points (n, k, M) and how far they are from closing, (n,)."""
    points, (count, period, size) = starts.copy(), starts.shape
    for _ in range(30):
        images = np.tanh(points @ weights.transpose(0, 2, 1) + biases[:, None])
        slopes = (1.0 - images**2)[:, :, :, None] * weights[:, None]
        system = np.zeros((count, period, size, period, size))
        for time in range(period):
            system[:, time, :, time, :] += np.eye(size)
            system[:, (time + 1) % period, :, time, :] -= slopes[:, time]
        defect = (points - np.roll(images, 1, axis=1)).reshape(count, -1, 1)
        points = points - np.linalg.solve(system.reshape(count, period * size, -1), defect).reshape(points.shape)
    images = np.tanh(points @ weights.transpose(0, 2, 1) + biases[:, None])
    return points, np.abs(points - np.roll(images, 1, axis=1)).max(axis=(1, 2))


def require_members_in_balls(cycles: list[BallCycle], weights: Floats, biases: Floats) -> None:
    """Follow every listed cycle into networks of the family by Newton's method: it has to stay in its balls."""
    for cycle in cycles:
        centers = np.array([[float(x) for x in point] for point in cycle.points])
        points, open_by = solved(weights, biases, np.tile(centers, (len(weights), 1, 1)))
        assert open_by.max() < 1e-12
        assert np.abs(points - centers).max() <= float(cycle.radius) * (1 + KEPT) + 1e-13


def require_no_others(cycles: list[BallCycle], weights: Floats, biases: Floats, period: int) -> None:
    """Start Newton's method everywhere: each solution of F^period(z) = z has to lie in a ball of a listed cycle."""
    random = np.random.default_rng(8)
    many = np.repeat(np.arange(len(weights)), 40)
    starts = random.uniform(-1.1, 1.1, (len(many), period, weights.shape[1])) * 10.0 ** random.uniform(-3.0, 0.0, (len(many), 1, 1))
    with np.errstate(all="ignore"):
        points, open_by = solved(weights[many], biases[many], starts)
    balls = [(np.array([float(x) for x in point]), float(cycle.radius)) for cycle in cycles for point in cycle.points]
    found = points[open_by < 1e-12]
    assert len(found) > len(weights)
    for first in found[:, 0]:
        assert any(np.abs(first - center).max() <= radius * (1 + KEPT) + 1e-12 for center, radius in balls)


def claimed(found: SmoothCycles) -> list[BallCycle]:
    return [cycle.claim for cycle in found.cycles if isinstance(cycle.claim, BallCycle)]


def test_the_fixed_point_of_three_neurons_is_the_only_one_for_all_networks_within_a_thousandth() -> None:
    found = listed(widened(three_neurons(), "1e-3"), 1, {1: 1})
    assert [cycle.stability and cycle.stability.label for cycle in found.cycles] == ["repelling"]
    assert 2.0**-13 < claimed(found)[0].radius < 2.0**-11
    weights = members(np.array(PERIOD_3, dtype=float), 1e-3, SAMPLES)
    biases = members(np.zeros((3, 1)), 1e-3, SAMPLES)[:, :, 0]
    require_members_in_balls(claimed(found), weights, biases)
    require_no_others(claimed(found), weights, biases, 1)


def test_all_six_cycles_of_three_neurons_within_a_ten_thousandth() -> None:
    loaded = three_neurons()
    network = widened(loaded, "1e-4")
    prover = CycleProver(Draft(network), loaded.network)
    found = [prover.prove(candidate) for candidate in find_cycles(loaded.network, 3, budget_seconds=0.3).candidates]
    cycles = [one for one in found if isinstance(one, CertifiedCycle)]
    assert sorted((one.period, str(one.stability and one.stability.label)) for one in cycles) == [
        (1, "repelling"),
        (2, "stable"),
        (3, "saddle"),
        (3, "saddle"),
        (3, "stable"),
        (3, "stable"),
    ]
    certificate, _ = prover.draft.finish([one.heading for one in cycles])
    assert all(isinstance(claim, Stability) for claim in check(certificate).claims)
    weights = members(np.array(PERIOD_3, dtype=float), 1e-4, SAMPLES)
    biases = members(np.zeros((3, 1)), 1e-4, SAMPLES)[:, :, 0]
    require_members_in_balls([one.claim for one in cycles if isinstance(one.claim, BallCycle)], weights, biases)


@pytest.mark.slow
@pytest.mark.parametrize(("radius", "up_to", "kinds"), [("1e-3", 2, {1: 1, 2: 1}), ("1e-4", 3, {1: 1, 2: 1, 3: 4})])
def test_all_cycles_of_three_neurons_within_a_radius(radius: str, up_to: int, kinds: dict[int, int]) -> None:
    found = listed(widened(three_neurons(), radius), up_to, kinds)
    weights = members(np.array(PERIOD_3, dtype=float), float(radius), SAMPLES)
    biases = members(np.zeros((3, 1)), float(radius), SAMPLES)[:, :, 0]
    require_members_in_balls(claimed(found), weights, biases)
    for period in range(1, up_to + 1):
        require_no_others([one for one in claimed(found) if period % one.period == 0], weights, biases, period)


def test_a_2_cycle_that_is_not_certified_leaves_the_list_of_fixed_points() -> None:
    draft = Draft(one_unit("-1.05", "0.01"))
    found = prove_all_cycles(draft, 2)
    assert (found.complete_up_to, [cycle.period for cycle in found.cycles]) == (1, [1])
    assert any(text.startswith("the 2-cycle near (") and "but there |I - C B| = " in text for text in found.reasons)
    assert check(draft.finish(claims_of(found))[0]).claims[0] == found.claim


@pytest.mark.slow
def test_3_cycles_that_are_not_certified_leave_the_list_of_shorter_ones() -> None:
    draft = Draft(widened(three_neurons(), "1e-2"))
    found = prove_all_cycles(draft, 3, budget=60.0)
    assert found.complete_up_to in {1, 2}
    assert sorted(cycle.period for cycle in found.cycles) == [1, 2]
    assert sum(text.startswith("the 3-cycle near (") and "|I - C B| = " in text for text in found.reasons) == 4
    assert check(draft.finish(claims_of(found))[0]).claims[0] == found.claim


@pytest.mark.parametrize(("weight", "radius", "count"), [("1.05", "1/128", 3), ("0.9", "0.05", 1), ("2", "0.3", 3)])
def test_one_unit_beside_its_pitchfork(weight: str, radius: str, count: int) -> None:
    found = listed(one_unit(weight, radius), 2, {1: count})
    weights = members(np.array([[float(weight)]]), float(Fraction(radius)), SAMPLES)
    biases = np.zeros((SAMPLES, 1))
    require_members_in_balls(claimed(found), weights, biases)
    for period in (1, 2):
        require_no_others(claimed(found), weights, biases, period)


@pytest.mark.parametrize(("weight", "radius"), [("1", "0.1"), ("1", "0.01"), ("1.05", "0.05"), ("1.05", "0.01")])
def test_one_unit_at_its_pitchfork_is_not_decided(weight: str, radius: str) -> None:
    found = prove_all_cycles(Draft(one_unit(weight, radius)), 1)
    assert (found.claim, found.complete_up_to) == (None, 0)
    assert len(found.cycles) < 2
    assert found.reasons[0].startswith("all cycles (A4b): period 1: ")


def test_two_cycles_of_one_unit() -> None:
    found = listed(one_unit("-2", "1/4"), 2, {1: 1, 2: 1})
    weights = members(np.array([[-2.0]]), 0.25, SAMPLES)
    require_members_in_balls(claimed(found), weights, np.zeros((SAMPLES, 1)))
    require_no_others(claimed(found), weights, np.zeros((SAMPLES, 1)), 2)
    turning = prove_all_cycles(Draft(one_unit("-0.95", "0.1")), 2)
    assert (turning.complete_up_to, len(turning.cycles), turning.cycles[0].note) == (1, 1, NOT_FOR_ALL)


@pytest.mark.parametrize("radius", ["1/2", "2", "1e300"])
def test_a_radius_that_is_too_large_is_given_up(radius: str) -> None:
    found = prove_all_cycles(Draft(widened(three_neurons(), radius)), 4)
    assert found.claim is None
    assert found.reasons[0].startswith("all cycles (A4b): period 1: ")
    assert all(cycle.period == 2 for cycle in found.cycles)
    assert found.search_seconds < 60


def test_certify_lists_all_cycles_with_a_radius() -> None:
    loaded = load({"model": "rnn", "W": [["2.5"]], "b": [0], "activation": "tanh"})
    answer = certify(loaded, radius="1e-3")
    assert not isinstance(answer, NotFound)
    assert [claim.up_to for claim in answer.claims if isinstance(claim, CyclesInBox)] == [4]
    assert [entry.period for entry in answer.report.cycles] == [1, 1, 1]
    assert answer.report.radius == dyadic_radius("1e-3")


@pytest.mark.slow
def test_the_largest_radius_serves_the_list_or_says_that_it_does_not() -> None:
    answer = certify(three_neurons(), max_radius=True)
    assert not isinstance(answer, NotFound)
    assert answer.report.radius is not None
    assert answer.report.radius > 2.0**-14
    kinds = [claim.up_to for claim in answer.claims if isinstance(claim, CyclesInBox)]
    assert kinds or any(text.startswith("max-radius: all cycles (A4b)") for text in answer.report.undecided)
    line = certify(load({"model": "rnn", "W": [["1.05"]], "b": [0], "activation": "tanh"}), max_radius=True)
    assert not isinstance(line, NotFound)
    assert any(text.startswith("max-radius: all cycles (A4b)") for text in line.report.undecided)


def test_an_orbit_that_is_proved_already_and_one_that_may_be() -> None:
    network = one_unit("2", "0.1")
    prover = CycleProver(Draft(network), without_radius(network))
    point = find_cycles(prover.center, 1, budget_seconds=0.1).candidates
    first = next(one.points for one in point if abs(one.points[0, 0]) > 0.5)
    assert isinstance(prover.prove(Candidate(1, None, first)), CertifiedCycle)
    steps = len(prover.draft.facts)
    assert prover.prove(Candidate(1, None, first + 1e-9)) is None
    assert prover.prove(Candidate(1, None, first + 1e-5)) == Unresolved((), f"a period-1 candidate: {MEETING}")
    assert len(prover.draft.facts) == steps


def test_a_ball_is_as_wide_as_the_radius_makes_it() -> None:
    """h* = tanh(w h*) moves by h (1 - h^2) / (1 - w (1 - h^2)) for each unit of w."""
    point = solved(np.full((1, 1, 1), 2.0), np.zeros((1, 1)), np.ones((1, 1, 1)))[0][0]
    h = float(point[0, 0])
    speed = h * (1 - h**2) / (1 - 2 * (1 - h**2))
    for power in (4, 10, 20, 30):
        ball = fitting_ball(BoxNetwork(one_unit("2", f"1/{1 << power}")), point)
        assert ball.reason == ""
        assert 1.0 <= ball.radius / (speed * 2.0**-power) < (1.5 if power == 4 else 1.02)
    refused = fitting_ball(BoxNetwork(one_unit("2", "1")), point)
    assert "at the points themselves the Jacobians of the networks within the radius leave |I - C B| = " in refused.reason
    flat = fitting_ball(BoxNetwork(one_unit("1", "1/8")), np.zeros((1, 1)))
    assert "a multiplier may be 1" in flat.reason


@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_network_has_the_certificate_that_it_had(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Balls of radius 2^-40 with inverses taken at the points, in the same box."""
    network = tanh_network([[2.5]]) if size == 1 else finder_network(size)

    def never(*_: object) -> None:
        pytest.fail("a ball was fitted")

    for user in (CycleProver._prove_smooth, find_all_cycles):
        monkeypatch.setitem(user.__globals__, "fitting_ball", never)
    draft = Draft(network)
    found = prove_all_cycles(draft, 1)
    assert found.claim is not None
    assert found.claim.low == (Fraction(-129, 128),) * size
    assert found.claim.high == (Fraction(259, 256),) * size
    witnesses = [witness for name, _, witness in draft.steps if name == "cycle"]
    assert len(witnesses) == 3
    for witness, cycle in zip(witnesses, claimed(found), strict=True):
        jacobians = [network.jacobian(Matrix.column(point), 96) for point in cycle.points]
        middles = [Matrix(jacobian.mid, None, jacobian.den) for jacobian in jacobians]
        assert cycle.radius == Fraction(1, 1 << 40)
        assert witness["inverse_block"] == spelled_rows(approximate_inverse(block_matrix(middles)))
        assert witness["bits"] == 96


def earlier_cuts(cell: Cell, sizes: Floats) -> list[tuple[int, float]]:
    """Cut around points without balls, as it was done when no weights had a radius."""
    cuts: list[tuple[int, float]] = []
    for axis, (low, high) in enumerate(zip(cell.low.tolist(), cell.high.tolist(), strict=True)):
        width, taken = high - low, cell.held[:, axis]
        free = [(min(float(np.abs((taken - low) / width - s).min(initial=np.inf)), 0.25) - 0.1 * abs(s - 0.5), s) for s in cell_cuts.SHARES]
        cuts.append((axis, low + width * max(free)[1]))
        room = cell_cuts.NEAREST * float(sizes[axis])
        first = min(float(cell.first[axis]) - cell_cuts.EDGE * width, float(taken.min(initial=np.inf)) - room)
        last = max(float(cell.last[axis]) + cell_cuts.EDGE * width, float(taken.max(initial=-np.inf)) + room)
        cuts += [(axis, first)] if first > low + cell_cuts.LEAST_SLAB * width else []
        cuts += [(axis, last)] if last < high - cell_cuts.LEAST_SLAB * width else []
        if len(taken) == 1:
            cuts += [(axis, cut) for cut in cell_cuts._around(low, high, float(taken[0])) if abs(cut - taken[0]) > room]
    return cuts


@pytest.mark.parametrize("held", [0, 1, 2, 5])
def test_cuts_keep_off_balls_and_are_what_they_were_without(held: int) -> None:
    random, sizes = np.random.default_rng(held), np.full(2, 2.0)
    for _ in range(50):
        low, high = np.sort(random.uniform(-1, 1, (2, 2)), axis=0)
        first, last = np.sort(random.uniform(low, high, (2, 2)), axis=0)
        points = random.uniform(low, high, (held, 2))
        cell = Cell(low, high, first, last, points, np.zeros(held))
        assert cell.cuts(sizes, np.zeros(2)) == earlier_cuts(cell, sizes)
        assert cell.cuts(sizes, high - low) == []
        radius = 0.05 * float((high - low).min())
        for axis, cut in Cell(low, high, first, last, points, np.full(held, radius)).cuts(sizes, np.zeros(2)):
            assert np.all(np.abs(points[:, axis] - cut) > radius)


def test_the_search_with_a_radius_is_deterministic() -> None:
    network = widened(three_neurons(), "1e-3")
    one, two = (find_all_cycles(network, range_box(network) or (), 1, seed=3) for _ in range(2))
    assert one.trees == two.trees
