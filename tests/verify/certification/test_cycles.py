"""What the prover makes of candidates: powers, rotations, virtual orbits, borders, singular words, smooth balls."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from proofs.claims import BallCycle, Cycle, ExactCycle
from proofs.kernel import check
from proofs.network import Network
from tests.verify.command import lozi
from verify.candidates import Candidate, Unresolved
from verify.center import without_radius
from verify.certification.cycles import BORDER, SINGULAR, UNIT_MULTIPLIER, CertifiedCycle, CycleProver
from verify.certification.draft import Draft
from verify.loading import load

NOWHERE = np.empty((0, 2))
LEFT, UP, DOWN, RIGHT = "00", "01", "10", "11"  # signs of x and y; the hinge of y has slope 0 but its sign is a letter
TWO = (UP, DOWN)
FOUR = (UP, DOWN, RIGHT, RIGHT)


def word(*letters: str) -> Candidate:
    return Candidate(len(letters), letters, NOWHERE)


def prover(net: dict[str, object] | None = None) -> CycleProver:
    network = load(net or lozi()).network
    return CycleProver(Draft(network), network)


def proved(found: object) -> CertifiedCycle:
    assert isinstance(found, CertifiedCycle)
    return found


@pytest.mark.parametrize("power", [2, 3, 6])
def test_a_fixed_point_is_never_a_longer_cycle(power: int) -> None:
    for letter in (LEFT, RIGHT):
        found = proved(prover().prove(word(*[letter] * power)))
        assert (found.period, found.itinerary) == (1, (letter,))
        assert isinstance(found.claim, Cycle)


@pytest.mark.parametrize("power", [2, 3])
def test_a_power_of_a_two_cycle_is_the_two_cycle(power: int) -> None:
    found = proved(prover().prove(word(*TWO * power)))
    assert (found.period, found.itinerary) == (2, TWO)


def test_the_same_orbit_is_certified_once() -> None:
    job = prover()
    assert proved(job.prove(word(*FOUR))).period == 4
    for turn in range(4):
        assert job.prove(word(*FOUR[turn:], *FOUR[:turn])) is None
        assert job.prove(word(*2 * (FOUR[turn:] + FOUR[:turn]))) is None
    assert sum(isinstance(fact, Cycle) for fact in job.draft.facts) == 1


def test_two_cycles_with_one_period_stay_two() -> None:
    job = prover()
    assert proved(job.prove(word(LEFT))).period == proved(job.prove(word(RIGHT))).period == 1
    assert len({fact for fact in job.draft.facts if isinstance(fact, Cycle)}) == 2


@pytest.mark.parametrize("letters", [(UP,), (DOWN,), (UP, UP), (LEFT, RIGHT), (DOWN, DOWN, RIGHT), (UP, DOWN, RIGHT)])
def test_a_virtual_orbit_is_dropped(letters: tuple[str, ...]) -> None:
    job = prover()
    assert job.prove(word(*letters)) is None
    assert job.draft.facts == []


def test_a_singular_word_is_named_and_not_decided() -> None:
    found = prover(lozi("3/2")).prove(word(LEFT, DOWN, LEFT, DOWN))
    assert found == Unresolved((LEFT, DOWN, LEFT, DOWN), SINGULAR)


def test_multipliers_on_the_circle_leave_the_stability_open() -> None:
    found = proved(prover(lozi("3/2")).prove(word(*TWO)))
    assert (found.period, found.stability, found.note) == (2, None, UNIT_MULTIPLIER)
    assert found.signs is not None
    assert found.signs[1] == 0


def test_an_orbit_on_a_border_is_one_whatever_its_letters() -> None:
    """(0, 1) -> (1, 0) -> (0, 1) under x' = y, y' = x + 0 relu(x): every letter at a zero is right."""
    job = prover({"model": "plrnn", "A": [[0, -1], [1, 0]], "W": [[0, 2], [0, 0]], "h": [0, 0]})
    found = proved(job.prove(word("00")))
    assert isinstance(found.claim, ExactCycle)
    assert (found.period, found.margin, found.note) == (1, Fraction(0), BORDER)
    assert found.stability is None
    assert found.multipliers is None
    for letter in ("01", "10", "11"):
        assert not isinstance(job.prove(word(letter)), CertifiedCycle)
    assert sum(isinstance(fact, ExactCycle) for fact in job.draft.facts) == 1


def test_a_border_cycle_spelled_twice_with_different_letters() -> None:
    """Lozi (2, -1): the 2-cycle (1/2, 0) -> (0, -1/2) -> (1/2, 0) touches borders at both points."""
    job = prover(lozi("2", "-1"))
    candidates = [word(a, b) for a in (DOWN, RIGHT) for b in (LEFT, DOWN)]
    found = [job.prove(candidate) for candidate in candidates]
    cycles = [item for item in found if isinstance(item, CertifiedCycle)]
    assert len(cycles) == len({frozenset(cycle.claim.points) for cycle in cycles})
    assert all(cycle.period == 2 for cycle in cycles)


def test_the_enclosure_holds_the_exact_point() -> None:
    """The 2-cycle's points solve x1 = 1 + a x2 + b x2 .. exactly: x = (-(a + b - 1) ..) is checked by two exact steps of F."""
    found = proved(prover().prove(word(*TWO)))
    a, b = Fraction(17, 10), Fraction(1, 2)
    right = (1 - b + a) / ((1 - b) ** 2 + a**2)
    left = (1 - b - a) / ((1 - b) ** 2 + a**2)
    assert 1 - a * abs(left) + b * right == right
    assert 1 - a * abs(right) + b * left == left
    for point, exact in zip(found.points, ((left, b * right), (right, b * left)), strict=True):
        assert all(x.lo <= value <= x.hi for x, value in zip(point, exact, strict=True))


def test_everything_is_proved_again_from_the_bytes() -> None:
    job = prover()
    found = [proved(job.prove(candidate)) for candidate in (word(LEFT), word(RIGHT), word(*TWO), word(*FOUR))]
    assert all(cycle.stability is not None and (cycle.stability.inside, cycle.stability.outside) == (1, 1) for cycle in found)
    certificate, _ = job.draft.finish([cycle.heading for cycle in found])
    assert len(check(b"".join(certificate.lines())).claims) == 4


def test_weights_with_a_radius() -> None:
    loaded = load(lozi())
    wide = loaded.with_radius(Fraction(1, 1024))
    center = without_radius(wide)
    assert center.is_exact
    assert center.digest == loaded.network.digest
    found = proved(CycleProver(Draft(wide), center).prove(word(*TWO)))
    assert found.stability is not None
    assert found.multipliers is None
    refused = CycleProver(Draft(loaded.with_radius(Fraction(8))), center).prove(word(*TWO))
    assert isinstance(refused, Unresolved)
    assert refused.reason.startswith("the kernel accepted no enclosure of this orbit: Rejected at step 1, theorem cycle, check")
    assert "\n" not in refused.reason


def tanh(size: int) -> Network:
    """Return a tanh network that exchanges its first two states, so that a 2-cycle exists."""
    W = np.diag([1.5] * size)
    W[:2, :2] = [[0, 2], [2, 0]]
    return load({"model": "rnn", "activation": "tanh", "W": W.tolist(), "b": [0] * size}).network


@pytest.mark.parametrize("size", [3, 5])
def test_a_smooth_two_cycle_by_krawczyk(size: int) -> None:
    """With t = tanh(2 t) and s = tanh(1.5 s): (t, -t, s, ..) -> (-t, t, s, ..) -> back; (t, t, s, ..) is fixed."""
    t = s = 1.0
    for _ in range(200):
        t, s = float(np.tanh(2 * t)), float(np.tanh(1.5 * s))
    rest = [s] * (size - 2)
    network = tanh(size)
    job = CycleProver(Draft(network), network)
    points = np.array([[t, -t, *rest], [-t, t, *rest]])
    found = proved(job.prove(Candidate(2, None, points)))
    assert isinstance(found.claim, BallCycle)
    assert (found.period, found.itinerary, found.margin) == (2, None, None)
    assert found.stability is not None
    assert (found.stability.inside, found.stability.outside) == (size, 0)
    assert all(x.lo <= value <= x.hi for box, point in zip(found.points, points, strict=True) for x, value in zip(box, point, strict=True))
    assert job.prove(Candidate(2, None, points[::-1])) is None
    assert job.prove(Candidate(2, None, points + 1e-13)) is None
    again = job.prove(Candidate(2, None, np.array([[t, t, *rest]] * 2)))
    assert not isinstance(again, CertifiedCycle)  # a fixed point twice is no 2-cycle
    assert proved(job.prove(Candidate(1, None, np.array([[t, t, *rest]])))).period == 1


def test_a_smooth_candidate_that_is_none() -> None:
    network = tanh(3)
    found = CycleProver(Draft(network), network).prove(Candidate(1, None, np.array([[0.3, 0.1, 0.7]])))
    assert isinstance(found, Unresolved)
    assert found.reason.startswith("a period-1 candidate: no ball passed Krawczyk's test: Rejected at step 1")
