"""Continuous piecewise-linear functions: small cases whose answers are known."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.piecewise import PiecewiseLinear, TooManyPieces

ZERO, HALF, ONE = Fraction(0), Fraction(1, 2), Fraction(1)
TENT = PiecewiseLinear((HALF,), (ONE,), Fraction(2), Fraction(-2))
CLIP = PiecewiseLinear((ZERO, ONE), (ZERO, ONE), ZERO, ZERO)
FLIP = PiecewiseLinear((ZERO,), (ZERO,), -ONE, -ONE)
SAME = PiecewiseLinear((ZERO,), (ZERO,), ONE, ONE)


def test_laps_of_the_tent_double() -> None:
    power = TENT
    for n in range(1, 8):
        assert power.laps() == 2**n
        assert len(power.fixed_points()[0]) == 2**n
        assert power.lipschitz() == 2**n
        power = TENT.after(power, 10**6)


def test_flat_pieces_add_no_lap() -> None:
    assert CLIP.laps() == 1
    assert PiecewiseLinear((ZERO,), (ONE,), ZERO, ZERO).laps() == 1
    assert PiecewiseLinear((ZERO, ONE), (ONE, ONE), ONE, -ONE).laps() == 2
    assert PiecewiseLinear((ZERO, ONE), (ONE, ONE), ONE, ONE).laps() == 1


def test_identity_pieces() -> None:
    assert CLIP.fixed_points() == ([], [(ZERO, ONE)])
    assert SAME.fixed_points() == ([], [(None, ZERO), (ZERO, None)])
    assert FLIP.fixed_points() == ([ZERO], [])
    assert FLIP.after(FLIP, 9).fixed_points() == ([], [(None, ZERO), (ZERO, None)])
    for span, answer in (((None, ZERO), False), ((ZERO, ONE), True), ((HALF, None), False), ((None, None), False), ((HALF, HALF), True)):
        assert CLIP.is_identity_on(span) is answer
        assert SAME.is_identity_on(span)
    shifted = PiecewiseLinear((ZERO,), (ONE,), ONE, ONE)
    assert shifted.fixed_points() == ([], [])
    assert not shifted.is_identity_on((None, None))


def test_points_beside_identity_pieces() -> None:
    stairs = PiecewiseLinear(tuple(map(Fraction, range(4))), (ZERO, ONE, ONE, Fraction(3)), HALF, Fraction(1, 3))
    assert stairs.fixed_points() == ([Fraction(3)], [(ZERO, ONE)])


def test_a_limit_on_knots() -> None:
    with pytest.raises(TooManyPieces):
        TENT.after(TENT, 2)
    assert len(TENT.after(TENT, 3).knots) == 3


def test_a_knot_always_stays() -> None:
    assert SAME.after(SAME, 9) == SAME
    constant = PiecewiseLinear((ZERO, ONE), (ONE, ONE), ZERO, ZERO)
    assert constant.simplified().knots == (ZERO,)
    assert TENT.after(constant, 9)(Fraction(77)) == 0
    assert constant.after(TENT, 9)(Fraction(77)) == 1


@pytest.mark.parametrize("slope", [1, -1])
def test_rays_reach_the_far_knots(slope: int) -> None:
    inner = PiecewiseLinear((ZERO,), (ZERO,), Fraction(slope), Fraction(slope))
    both = TENT.after(inner, 9)
    for x in (Fraction(n, 4) for n in range(-20, 21)):
        assert both(x) == TENT(slope * x)
