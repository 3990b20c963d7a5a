"""Crossings of a word by isolating all real roots of its exact polynomials (FLINT)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import flint

from verify.numerics.balls import working_precision
from verify.numerics.events_crossings import Crossing, Zero, around, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify.numerics.rational_paths import Polynomials, WordEquations

_PRECISION = 320
_SAME = Fraction(1, 1 << 160)  # roots of two polynomials this close are taken to be one


@dataclass(frozen=True)
class Root:
    """A real root, within 2^-160, with its multiplicity."""

    at: Fraction
    times: int


def isolate(equations: WordEquations, low: Fraction, high: Fraction, bits: int) -> tuple[list[Crossing], tuple[Zero, ...]]:
    """Return the crossings in [low, high], in order, and what vanishes for every mu.

    A gate is a quotient: where its numerator and det(I - P) vanish together the orders are subtracted, so that a pole is no gate's zero
    and a gate that stays bounded is none either. **Guarantee:** all roots, by FLINT's isolation (heuristic where two agree to 160 bits).
    """
    polynomials = equations.polynomials
    if polynomials is None:
        return [], (Zero("one"),)
    poles = real_roots(polynomials.one, low, high)
    found: list[Crossing] = [Crossing(*around(root.at, bits), (Zero("one", crosses=root.times % 2 == 1),)) for root in poles]
    always: list[Zero] = []
    for polynomial, zero in _functions(polynomials, equations.pieces.dimension):
        if polynomial.degree() < 0:
            always.append(zero)
            continue
        for root in real_roots(polynomial, low, high):
            order = root.times - sum(pole.times for pole in poles if zero.kind == "gate" and abs(pole.at - root.at) < _SAME)
            if order > 0:
                found.append(Crossing(*around(root.at, bits), (Zero(zero.kind, zero.time, zero.unit, order % 2 == 1),)))
    return merged(found), tuple(always)


def real_roots(polynomial: flint.fmpq_poly, low: Fraction, high: Fraction) -> list[Root]:
    """Return the roots in [low, high] of a polynomial that is not zero, in order."""
    if polynomial.degree() < 1 or not _has_roots(polynomial, low, high):
        return []
    with working_precision(_PRECISION):
        found = cast("list[tuple[flint.acb, int]]", polynomial.numer().complex_roots())
    roots = [Root(_exact(polynomial, _fraction(root.real.mid())), int(times)) for root, times in found if root.imag == 0]
    return sorted((root for root in roots if low <= root.at <= high), key=lambda root: root.at)


def _functions(polynomials: Polynomials, dimension: int) -> Iterator[tuple[flint.fmpq_poly, Zero]]:
    yield polynomials.minus_one, Zero("minus_one")
    if dimension == 2:  # noqa: PLR2004 - there a pair on the circle means det P = 1
        yield polynomials.volume - 1, Zero("pair")
    for time, row in enumerate(polynomials.gates, 1):
        for unit, polynomial in enumerate(row, 1):
            yield polynomial, Zero("gate", time, unit)


def _has_roots(polynomial: flint.fmpq_poly, low: Fraction, high: Fraction) -> bool:
    """Say whether Descartes' rule on (low, high) allows a root, or an end is one."""
    start, width = (flint.fmpq(value.numerator, value.denominator) for value in (low, high - low))
    moved = polynomial(flint.fmpq_poly([start, width]))
    turned = flint.fmpq_poly(list(reversed(moved.coeffs())))(flint.fmpq_poly([1, 1]))
    signs = [value > 0 for value in turned.coeffs() if value != 0]
    changes = any(a != b for a, b in pairwise(signs))
    return changes or moved[0] == 0 or moved(1) == 0


def _exact(polynomial: flint.fmpq_poly, value: Fraction) -> Fraction:
    """Return a simple rational root in place of its approximation, where it is one; ends of paths are such numbers."""
    short = value.limit_denominator(1 << 60)
    return (
        short
        if short != value and abs(short - value) < _SAME and polynomial(flint.fmpq(short.numerator, short.denominator)) == 0
        else value
    )


def _fraction(value: flint.arb) -> Fraction:
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
