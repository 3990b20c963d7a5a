"""The cards about one cycle (A1, A2, A3, A3b): each check accepts, and rejects with its exact letter."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.claims import BallCycle, Cycle, ExactCycle, MultiplierModuli, Stability
from proofs.network import Network
from proofs.theorems.orbits import prime_factors
from tests.proofs.workbench import (
    FLIP,
    HALF,
    ROTATION,
    SMOOTH,
    TENT,
    TENT_BALL,
    Step,
    facts,
    letter,
    linear,
    lozi,
    malformed,
    rejected,
    shallow,
)

REMEDY = "points closer to the cycle, a better inverse or more bits; an orbit that touches a border goes through A1"
TWO: dict[str, object] = {"points": [["2/5"], ["4/5"]], "radius": "1/100", "itinerary": ["10", "11"], "inverse": [["1/5"]]}
BLOCK: dict[str, object] = {**TWO, "inverse": None, "inverse_block": [["1/5", "-2/5"], ["2/5", "1/5"]]}
FIXED: dict[str, object] = {"points": [["0"]], "radius": "1/100", "itinerary": [""], "inverse": [["2"]]}
ORIGIN: dict[str, object] = {"points": [["0"]], "radius": "1/16", "inverse_block": [["2"]], "bits": 64}


def with_fields(witness: dict[str, object], **change: object) -> dict[str, object]:
    """Return the witness with fields replaced; None takes one away."""
    return {name: value for name, value in {**witness, **change}.items() if value is not None}


def test_exact_cycle() -> None:
    claim = facts(TENT, ("exact_cycle", (), {"point": ["2/7"], "period": 3}))[0]
    assert claim == ExactCycle(((Fraction(2, 7),), (Fraction(4, 7),), (Fraction(6, 7),)))
    assert facts(ROTATION, ("exact_cycle", (), {"point": ["1", "0"], "period": 4}))
    assert facts(lozi("3/2", "1/2"), ("exact_cycle", (), {"point": ["6/5", "0"], "period": 4}))


def test_exact_cycle_rejects() -> None:
    law = "theorem exact_cycle, check"
    multiple = rejected(1, f"{law} 3", "F^3(x) != x", "F^3(x) = x: the least period divides 3")
    assert letter(TENT, ("exact_cycle", (), {"point": ["2/7"], "period": 6})) == multiple
    assert letter(TENT, ("exact_cycle", (), {"point": ["1"], "period": 1})) == rejected(
        1, f"{law} 2", "F^1(x) = x", "a point at distance 1"
    )
    assert letter(FLIP, ("exact_cycle", (), {"point": ["0"], "period": 2})) == rejected(
        1, f"{law} 3", "F^1(x) != x", "F^1(x) = x: the least period divides 1"
    )
    wide = rejected(1, f"{law} 2", "a point without radius", "an interval")
    assert letter(TENT, ("exact_cycle", (), {"point": ["2/3~1/9"], "period": 1})) == wide
    smooth = rejected(1, f"{law} 1", "a program of affine, relu and add", "a smooth operation")
    assert letter(SMOOTH, ("exact_cycle", (), {"point": ["0"], "period": 1})) == smooth
    remedy = "this theorem is exact-only: certify without a radius"
    exact = rejected(1, f"{law} 1", "weights that are single numbers", "weight intervals of radius up to 1/1048576", remedy)
    assert letter(TENT_BALL, ("exact_cycle", (), {"point": ["0"], "period": 1})) == exact


def test_a_border_orbit_has_no_multipliers() -> None:
    border: Step = ("exact_cycle", (), {"point": ["0"], "period": 1})
    answer = letter(TENT, border, ("stability", (1,), {"bits": 60, "forms": [[["1"]]]}))
    assert answer == rejected(2, "theorem stability, check 1", "a cycle none of whose pre-activations is 0", "point 1 lies on a border")


def test_cycle_in_both_forms() -> None:
    expected = Cycle(("10", "11"), ((Fraction(2, 5),), (Fraction(4, 5),)), Fraction(1, 100))
    assert facts(TENT, ("cycle", (), TWO)) == [expected]
    assert facts(TENT, ("cycle", (), with_fields(BLOCK))) == [expected]
    assert facts(TENT_BALL, ("cycle", (), {**TWO, "bits": 60})) == [expected]
    assert facts(HALF, ("cycle", (), FIXED)) == [Cycle(("",), ((Fraction(0),),), Fraction(1, 100))]


@pytest.mark.parametrize(
    ("network", "witness", "number", "expected", "got", "remedy"),
    [
        (TENT, with_fields(TWO, points=[]), 1, "one or more points of 1 coordinates", "0", ""),
        (TENT, with_fields(TWO, points=[["2/5"], ["4/5", "0"]]), 1, "one or more points of 1 coordinates", "2", ""),
        (TENT, with_fields(TWO, radius="0"), 1, "a positive radius", "0", ""),
        (TENT, with_fields(TWO, radius="-1"), 1, "a positive radius", "-1", ""),
        (TENT, with_fields(TWO, itinerary=["10"]), 1, "2 patterns", "1", ""),
        (TENT, with_fields(TWO, itinerary=["10", "1"]), 1, "patterns of 2 letters 0 or 1", "10 1", ""),
        (TENT, with_fields(TWO, itinerary=["1", "1"]), 1, "patterns of 2 letters 0 or 1", "1 1", ""),
        (SMOOTH, with_fields(FIXED, bits=60), 1, "a program of affine, relu and add", "a smooth operation", ""),
        (TENT, with_fields(TWO, inverse=[["2/5"]]), 2, "|I - C (I - P)| < 1", "1", REMEDY),
        (TENT, with_fields(TWO, inverse=[["0"]]), 2, "|I - C (I - P)| < 1", "1", REMEDY),
        (TENT, with_fields(BLOCK, inverse_block=[["0", "0"], ["0", "0"]]), 2, "|I - C B| < 1", "1", REMEDY),
        (TENT, with_fields(TWO, points=[["2/5"], ["41/50"]]), 3, "every error bound <= 1/100", "1/50", REMEDY),
        (TENT, with_fields(TWO, itinerary=["11", "10"], inverse=[["1/5"]], points=[["4/5"], ["2/5"]], radius="2"), None, "", "", ""),
        (
            TENT,
            with_fields(TWO, itinerary=["10", "10"], inverse=[["-1/3"]], points=[["0"], ["0"]]),
            4,
            "pre-activation of unit 1 at time 1 > 0 on the whole enclosure",
            "an interval that reaches 0 or beyond",
            REMEDY,
        ),
        (
            TENT,
            {"points": [["2/3"], ["2/3"]], "radius": "1/9", "itinerary": ["11", "11"], "inverse": [["-1/3"]]},
            5,
            "balls 1 and 2 disjoint, so that the period is not 1",
            "an overlap by 0",
            "",
        ),
    ],
)
def test_cycle_rejects(network: Network, witness: dict[str, object], number: int | None, expected: str, got: str, remedy: str) -> None:
    if number is None:
        assert facts(network, ("cycle", (), witness))
    else:
        assert letter(network, ("cycle", (), witness)) == rejected(1, f"theorem cycle, check {number}", expected, got, remedy)


def test_cycle_refuses_letters_that_are_not_signs() -> None:
    answer = letter(TENT, ("cycle", (), with_fields(TWO, itinerary=["1x", "11"])))
    assert answer == rejected(1, "theorem cycle, check 1", "patterns of 2 letters 0 or 1", "1x 11")


def test_smooth_cycle() -> None:
    assert facts(SMOOTH, ("cycle", (), ORIGIN)) == [BallCycle(((Fraction(0),),), Fraction(1, 16))]
    flip = shallow([1], [0], [-2], curve="tanh")
    point = "1.9150".replace(".", "")
    two = {"points": [[f"{point}/10000"], [f"-{point}/10000"]], "radius": "1/1000", "bits": 64}
    slope = Fraction(-2) * (1 - Fraction(9575, 10000) ** 2)
    scale = 1 / (1 - slope * slope)
    inverse = [[str(scale), str(scale * slope)], [str(scale * slope), str(scale)]]
    claim = facts(flip, ("cycle", (), {**two, "inverse_block": inverse}))[0]
    assert isinstance(claim, BallCycle)
    assert claim.period == 2
    stable = facts(flip, ("cycle", (), {**two, "inverse_block": inverse}), ("stability", (1,), {"bits": 64, "forms": [[["1"]], [["1"]]]}))[
        -1
    ]
    assert isinstance(stable, Stability)
    assert (stable.inside, stable.outside, stable.label) == (1, 0, "stable")


def test_smooth_cycle_rejects() -> None:
    law = "theorem cycle, check"
    coarse = letter(SMOOTH, ("cycle", (), {**ORIGIN, "inverse_block": [["0"]]}))
    assert coarse == rejected(1, f"{law} 2", "|I - C B| < 1", "1", REMEDY)
    far = letter(SMOOTH, ("cycle", (), {**ORIGIN, "points": [["1/4"]]}))
    assert far.startswith(f"Rejected at step 1, {law} 3\n  expected  |C residual| + e r < r = 1/16\n  got  ")
    ball: Step = ("cycle", (), {**ORIGIN, "inverse_block": [["4/3"]]})
    border = letter(shallow([1], [0], ["1/2"]), ball, ("stability", (1,), {"bits": 64, "forms": [[["1"]]]}))
    assert border == rejected(2, "theorem stability, check 1", "no relu border inside the balls", "ball 1 meets one")
    bits = malformed("step 1", "precision", "a field bits: tanh and sigmoid are enclosed, not exact", "none")
    assert letter(SMOOTH, ("cycle", (), with_fields(ORIGIN, bits=None))) == bits


def test_stability() -> None:
    cycle: Step = ("cycle", (), TWO)
    forms = [[["-1"]], [["-1"]]]
    claim = facts(TENT, cycle, ("stability", (1,), {"bits": 60, "forms": forms}))[-1]
    assert isinstance(claim, Stability)
    assert (claim.inside, claim.outside, claim.label) == (0, 1, "repelling")
    saddle = linear([["1/2", 0], [0, 2]])
    point: Step = ("exact_cycle", (), {"point": ["0", "0"], "period": 1})
    claim = facts(saddle, point, ("stability", (1,), {"bits": 60, "forms": [[["1", "0"], ["0", "-1"]]]}))[-1]
    assert isinstance(claim, Stability)
    assert claim.statement().endswith("multipliers: 1 inside and 1 outside the unit circle, none on it (saddle)")


@pytest.mark.parametrize(
    ("forms", "number", "expected", "got", "remedy"),
    [
        ([], 2, "2 forms, one a point", "0", ""),
        ([[["1"]]], 2, "2 forms, one a point", "1", ""),
        ([[["1~1"]], [["1"]]], 2, "form 1 symmetric and without radii", "another matrix", ""),
        (
            [[["1"]], [["1"]]],
            3,
            "c^2 Q - J'QJ positive definite at time 1",
            "not proved for c = 1",
            "a multiplier may be too close to the circle of radius c^k; certify again with more bits",
        ),
    ],
)
def test_stability_rejects(forms: list[object], number: int, expected: str, got: str, remedy: str) -> None:
    answer = letter(TENT, ("cycle", (), TWO), ("stability", (1,), {"bits": 60, "forms": forms}))
    assert answer == rejected(2, f"theorem stability, check {number}", expected, got, remedy)


def test_stability_wants_symmetric_forms_and_definite_pivots() -> None:
    point: Step = ("exact_cycle", (), {"point": ["0", "0"], "period": 1})
    saddle = linear([["1/2", 0], [0, 2]])
    skew = letter(saddle, point, ("stability", (1,), {"bits": 60, "forms": [[["1", "1"], ["0", "-1"]]]}))
    assert skew == rejected(2, "theorem stability, check 2", "form 1 symmetric and without radii", "another matrix")
    swap = linear([[4, 3], [3, 4]])
    witness = {"bits": 60, "forms": [[["0", "-1"], ["-1", "0"]]]}
    answer = letter(swap, point, ("stability", (1,), witness))
    assert "check 3" in answer or "check 4" in answer
    hyperbolic = linear([["5/4", "3/4"], ["3/4", "5/4"]])
    zero = letter(hyperbolic, point, ("stability", (1,), {"bits": 60, "forms": [[["0", "-1"], ["-1", "0"]]]}))
    assert zero == rejected(2, "theorem stability, check 4", "pivots of Q_1 of definite sign", "a pivot that may be 0", "perturb Q_1")


def test_no_stability_on_the_circle() -> None:
    point: Step = ("exact_cycle", (), {"point": ["0", "0"], "period": 1})
    for forms in ([["1", "0"], ["0", "1"]], [["0", "0"], ["0", "0"]], [["1", "0"], ["0", "-1"]]):
        assert "check 3" in letter(ROTATION, point, ("stability", (1,), {"bits": 60, "forms": [forms]}))


def test_multiplier_moduli() -> None:
    point: Step = ("exact_cycle", (), {"point": ["0", "0"], "period": 1})
    network = linear([["1/2", 0], [0, 3]])
    witness = {
        "bits": 60,
        "rates": ["1/4", "1", "4"],
        "levels": [[[["-1", "0"], ["0", "-1"]]], [[["1", "0"], ["0", "-1"]]], [[["1", "0"], ["0", "1"]]]],
    }
    claim = facts(network, point, ("multiplier_moduli", (1,), witness))[-1]
    assert isinstance(claim, MultiplierModuli)
    assert claim.counts == (0, 1, 2)
    assert claim.statement() == (
        "F has a fixed point, exactly through z = (0, 0); of its 2 Lyapunov exponents: 1 between -1.386295 and 0.000000, "
        "1 between 0.000000 and 1.386295"
    )
    outer = {"bits": 60, "rates": ["1"], "levels": [[[["1", "0"], ["0", "-1"]]]]}
    text = facts(network, point, ("multiplier_moduli", (1,), outer))[-1].statement()
    assert text.endswith("of its 2 Lyapunov exponents: 1 below 0.000000, 1 above 0.000000")


@pytest.mark.parametrize(
    ("rates", "levels", "number", "expected", "got"),
    [
        ([], [], 1, "one or more positive rates in increasing order", ""),
        (["0"], [[]], 1, "one or more positive rates in increasing order", "0"),
        (["1", "1"], [[], []], 1, "one or more positive rates in increasing order", "1 1"),
        (["1"], [], 2, "1 levels of forms", "0"),
        (["1"], [[]], 2, "1 forms, one a point", "0"),
    ],
)
def test_multiplier_moduli_rejects(rates: list[str], levels: list[object], number: int, expected: str, got: str) -> None:
    point: Step = ("exact_cycle", (), {"point": ["0"], "period": 1})
    answer = letter(HALF, point, ("multiplier_moduli", (1,), {"bits": 60, "rates": rates, "levels": levels}))
    assert answer == rejected(2, f"theorem multiplier_moduli, check {number}", expected, got)


def test_prime_factors() -> None:
    assert [prime_factors(n) for n in (1, 2, 12, 97, 100_000)] == [[], [2], [2, 3], [97], [2, 5]]
