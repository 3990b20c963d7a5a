"""Strips in floats: frames of saddles, words, slabs between which they cross, and when two strips are told apart."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from proofs.network import Network
from tests.known.plane_maps import lozi, plrnn
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.growth import best_component, log_growth, weights_at
from verify.numerics.homoclinic import Saddle, crossings, endurance, homoclinic_word, horseshoe_of
from verify.numerics.returns import likely_periods, nearby_cycles, record, scout, visits
from verify.numerics.strips import Frame, Letters, fit, saddle_frame, shortened, slab_frame, solve_passage, strip_of, told_apart

LOZI = lozi("17/10", "1/2")


def saddle(network: Network = LOZI) -> tuple[Saddle, Letters]:
    """Return the saddle of Lozi's map on the right: x = 1 / (1 + a - b)."""
    letters = Letters(FloatNetwork(network))
    center = np.array([1.0, 0.5]) / 2.2
    loop = letters.of_states(center[None])
    multipliers = letters.compose(loop)[0]
    frame = saddle_frame(center, multipliers)
    assert frame is not None
    return Saddle(letters, frame, loop, np.abs(np.linalg.eigvals(multipliers))), letters


@pytest.mark.parametrize("size", [2, 3, 6, 9])
def test_a_frame_splits_what_expands_from_what_contracts(size: int) -> None:
    """Defective, singular and complex multipliers alike: the basis makes the matrix block diagonal."""
    rng = np.random.default_rng(size)
    P = 3.0 * rng.standard_normal((size, size))
    P[0, 0] += 9.0
    P[:, -1] = P[:, 0]  # a multiplier 0
    frame = saddle_frame(np.zeros(size), P)
    assert frame is not None
    blocks = frame.inverse @ P @ frame.basis
    u = frame.unstable
    assert np.abs(blocks[:u, u:]).max() + np.abs(blocks[u:, :u]).max() < 1e-9
    assert np.abs(np.linalg.eigvals(blocks[:u, :u])).min() > 1.0
    assert np.abs(np.linalg.eigvals(blocks[u:, u:])).max() < 1.0


def test_a_frame_for_a_nilpotent_part() -> None:
    P = np.array([[3.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    frame = saddle_frame(np.zeros(3), P)
    assert frame is not None
    assert frame.unstable == 1
    assert np.allclose(frame.inverse @ P @ frame.basis[:, :1], [[3.0], [0.0], [0.0]])


@pytest.mark.parametrize("P", [np.eye(2), np.diag([0.5, 0.2]), np.diag([2.0, -1.0]), np.array([[np.nan, 0.0], [0.0, 2.0]])])
def test_no_frame_without_hyperbolicity_and_expansion(P: Floats) -> None:
    assert saddle_frame(np.zeros(2), P) is None


def test_letters_ignore_idle_hinges() -> None:
    """relu(z2) leads nowhere in Lozi's map as a PLRNN: its sign is no letter and no border."""
    letters = Letters(FloatNetwork(LOZI))
    assert letters.read(np.array([[True, True], [True, False], [False, True]])) == (0, 0, 1)
    assert letters.spell((0, 1)) == ("10", "00")
    assert letters.room((0,), np.array([1.0, 0.0]), np.array([[0.5], [3.0]]))[0] > 0.3


def test_a_word_is_the_map_along_it() -> None:
    letters = Letters(FloatNetwork(LOZI))
    states = FloatNetwork(LOZI)
    start = np.array([[0.3, 0.1]])
    orbit = [start]
    for _ in range(6):
        orbit.append(states.step(orbit[-1]))
    word = letters.of_states(np.concatenate(orbit[:-1]))
    A, b = letters.compose(word)
    assert np.allclose(A @ start[0] + b, orbit[-1][0])
    assert np.allclose(letters.orbit(word, start[0]), np.concatenate(orbit))
    assert letters.obeyed(word, np.concatenate(orbit))[0] == word
    changed = (1 - word[0], *word[1:])
    assert letters.obeyed(changed, np.concatenate(orbit))[0] == word


def test_room_is_what_is_left_to_the_border() -> None:
    letters = Letters(FloatNetwork(LOZI))
    word = letters.of_states(np.array([[1.0, 0.0]]))
    room, time, hinge = letters.room(word, np.array([1.0, 0.0]), np.array([[0.5, 0.0], [0.0, 9.0]]))
    assert room == pytest.approx(1 / 3)
    assert (time, hinge) == (0, 0)
    assert letters.room(word, np.array([1.0, 0.0]), np.array([[1.5], [0.0]]))[0] < 0.0


def test_a_strip_is_mapped_right_across() -> None:
    """Corners of the strip land beyond both ends of the slab, between its sides."""
    site, letters = saddle()
    pair = horseshoe_of(site, excursion(site), 60)
    assert not pair.failure
    assert pair.slab is not None
    frame = slab_frame(pair.slab, 1)
    for strip, word in zip(pair.strips, pair.words, strict=True):
        assert strip.slack > 0.0
        for y in (-1.0, 1.0):
            for xi in (-strip.height, strip.height):
                eta = strip.offset[0] + strip.tilt[0, 0] * xi + strip.width[0, 0] * y
                assert abs(strip.offset[0]) + abs(strip.tilt[0, 0]) + abs(strip.width[0, 0]) < 1.0
                points = letters.orbit(word, frame.center + frame.basis @ np.array([eta, xi]))
                assert letters.of_states(points[:-1]) == word
                landed = frame.inverse @ (points[-1] - frame.center)
                assert landed[0] * y > 1.0
                assert abs(landed[1]) < 1.0


def excursion(site: Saddle) -> tuple[int, ...]:
    """Return a homoclinic word of the saddle, from simulated orbits."""
    network = FloatNetwork(LOZI)
    states, exponent = scout(network, np.random.default_rng(1), 16, 0.01)
    data = record(network, states, 200, 400)
    assert 0.4 < data.exponent < 0.55
    assert abs(exponent - 0.5) < 0.2
    trips = visits(data, site.frame.center, site.frame.inverse, 1, 30)
    for orbit, leaves, arrives in zip(trips.orbits.tolist(), trips.leaves.tolist(), trips.arrives.tolist(), strict=True):
        word, _ = homoclinic_word(site, site.letters.of_states(data.states[leaves:arrives, orbit]), 40)
        if word is not None:
            return word
    raise AssertionError


def test_crossings_say_why_there_are_none() -> None:
    site, letters = saddle()
    left, right = letters.of_states(np.array([[-1.0, 0.0], [1.0, 0.0]]))
    word = excursion(site)
    pair = horseshoe_of(site, word, 60)
    assert crossings(site, (*pair.words, pair.words[1]), 0.01).failure == "two strips are not told apart"
    assert crossings(site, (pair.words[0], (left, *pair.words[1])), 0.05).failure == "a strip meets a border on its way"
    assert crossings(site, ((right,), (right,)), 0.05).failure == "the words do not contract enough"
    assert endurance(site, crossings(site, ((right,), (right,)), 0.05)) == 0.0
    assert homoclinic_word(site, (right,) * 5, 40)[0] is None


def test_endurance_grows_with_the_margin() -> None:
    site, _ = saddle()
    word = excursion(site)
    wide, narrow = (horseshoe_of(site, word, 60, (margin,)) for margin in (0.5, 0.01))
    assert endurance(site, wide) > endurance(site, narrow) > 0.0


def test_strips_are_told_apart_by_letters_or_forms() -> None:
    site, _ = saddle()
    pair = horseshoe_of(site, excursion(site), 60)
    assert pair.slab is not None
    one, two = pair.strips
    assert told_apart(pair.slab, one, two)
    assert not told_apart(pair.slab, one, one)
    moved = replace(one, itinerary=None, offset=one.offset + 3.0)
    assert told_apart(pair.slab, replace(one, itinerary=None), moved)
    assert not told_apart(replace(pair.slab, forms=np.array([[0.0, 1.0]])), replace(one, itinerary=None), moved)


def test_fit_refuses_what_does_not_contract() -> None:
    letters = Letters(FloatNetwork(LOZI))
    word = letters.of_states(np.array([[1.0, 0.5]]) / 2.2)
    swapped = Frame(np.array([1.0, 0.5]) / 2.2, saddle()[0].frame.basis[:, ::-1].copy(), 1)
    passage = solve_passage(letters, [swapped], (0, 0), word)
    assert passage is not None
    assert fit([swapped], [passage], 0.05) is None
    folded = Letters(FloatNetwork(plrnn([[0, 0], [0, 0]], [[0, 0], [0, 0]], [1, 0])))
    assert solve_passage(folded, [swapped], (0, 0), folded.of_states(np.zeros((1, 2)))) is None


def test_a_strip_of_a_slab_reports_its_tightest_inequality() -> None:
    site, letters = saddle()
    passage = solve_passage(letters, [site.frame], (0, 0), site.loop * 3)
    assert passage is not None
    strip, (name, _, _) = strip_of(letters, [site.frame], passage)
    assert strip.steps == 3
    assert name == "border"
    assert strip.slack < 0.0


def test_cycles_near_recurrences() -> None:
    """Lozi (1.7, 1/2) comes back best after 2 steps and multiples; the cycle of period 2 is found there."""
    network = FloatNetwork(LOZI)
    states, _ = scout(network, np.random.default_rng(1), 16, 0.01)
    data = record(network, states, 200, 400)
    periods = likely_periods(data, 20)
    assert sorted(periods) == list(range(1, 21))
    found = list(nearby_cycles(network, data, 2, 24, set()))
    assert [points.shape for points in found] == [(2, 2)]
    assert np.allclose(network.step(found[0]), found[0][::-1])
    assert not data.chaotic(5.0).exponents.size


def test_shortened_keeps_multiples_of_a_power_of_two() -> None:
    values = shortened(np.array([0.3, -7.7]), 0.3)
    assert values.tolist() == [0.25, -7.75]
    assert all(Fraction(value).denominator <= 4 for value in values.tolist())


def test_growth_of_a_graph() -> None:
    """Fibonacci: one loop of one step and one of two; and a component that only leads away is left out."""
    golden = np.log((1 + np.sqrt(5)) / 2)
    assert log_growth([(0, 0, 1), (0, 0, 2)], 1) == pytest.approx(golden)
    assert log_growth([(0, 1, 1), (1, 0, 1), (0, 0, 1)], 2) == pytest.approx(golden)
    edges = [(2, 0, 1), (0, 1, 1), (1, 0, 1), (0, 0, 1), (2, 2, 3), (2, 2, 4)]
    assert best_component(edges) == ([0, 1], [1, 2, 3])
    assert best_component([(0, 1, 1), (1, 0, 1)]) is None
    assert best_component([]) is None
    weights = weights_at([(0, 1, 1), (1, 0, 1), (0, 0, 1)], 2, 1.6)
    assert np.all(np.array([weights[0] + weights[1], weights[0]]) / 1.6 >= weights)
