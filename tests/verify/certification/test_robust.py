"""Robust chaos is said of a covering graph whose boxes lie, all of them and wholly, where every orbit expands."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.space import ExponentBounds, Trapping, TrappingBox, TrappingEllipsoid, TrappingPolytope
from tests.corpus import covering as known
from verify.certification.draft import Draft
from verify.certification.robust import boxes_of, corners, is_robust

ONE = Fraction(1)


def drawn() -> Draft:
    draft = Draft(known.PLANE)
    draft.add("covering_graph", known.plane_witness())
    return draft


def square(side: Fraction) -> tuple[Trapping, Trapping]:
    """Return the square |z| <= side as a box and as a polytope."""
    facets = tuple((*sign, side) for sign in ((ONE, 0 * ONE), (-ONE, 0 * ONE), (0 * ONE, ONE), (0 * ONE, -ONE)))
    return TrappingBox((-side, -side), (side, side)), TrappingPolytope(facets)


def test_the_region_must_hold_every_corner() -> None:
    draft = drawn()
    farthest = max(abs(Fraction(x)) for corner in corners(boxes_of(draft)) for x in corner)
    for region in square(farthest * Fraction(1001, 1000)):
        assert is_robust(draft, ExponentBounds(Fraction(5, 4), None, region))
    for region in square(farthest * Fraction(999, 1000)):
        assert not is_robust(draft, ExponentBounds(Fraction(5, 4), None, region))


@pytest.mark.parametrize("lower", [None, ONE, Fraction(1, 2)])
def test_the_exponent_must_be_positive(lower: Fraction | None) -> None:
    assert not is_robust(drawn(), ExponentBounds(lower, Fraction(2), None))


def test_without_a_region_or_without_a_graph() -> None:
    assert is_robust(drawn(), ExponentBounds(Fraction(5, 4), None, None))
    assert not is_robust(Draft(known.PLANE), ExponentBounds(Fraction(5, 4), None, None))
    ellipsoid = TrappingEllipsoid((0 * ONE, 0 * ONE), ((ONE, 0 * ONE), (0 * ONE, ONE)))
    assert not is_robust(drawn(), ExponentBounds(Fraction(5, 4), None, ellipsoid))
