"""Moduli of multipliers by flint: roots of the exact characteristic polynomial, or balls around eigenvalues."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from flint import arb, fmpq, fmpq_mat, fmpz_poly

from tests.second import boxes
from tests.second.text import Json


def matches_moduli(jacobians: list, rates: list, counts: list) -> bool | None:
    """Say whether, for each rate, so many eigenvalues of J_k..J_1 have modulus < rate^k and all others modulus > it."""
    product = boxes.eye(len(jacobians[0]))
    for jacobian in jacobians:
        product = boxes.times(jacobian, product)
    power = len(jacobians)
    answers = [_matches(product, rate**power, count) for rate, count in zip(rates, counts, strict=True)]
    return False if False in answers else None if None in answers else True


def _matches(product: list, bound: Fraction, count: int) -> bool | None:
    if boxes.is_exact(product):
        moduli = _moduli([[entry[0] for entry in row] for row in product])
        limit = arb(fmpq(bound.numerator, bound.denominator))
        below, above = sum(bool(m < limit) for m in moduli), sum(bool(m > limit) for m in moduli)
        return None if below + above < len(moduli) else below == count
    if len(product) == 1:
        ((low, high),) = product[0]
        least = Fraction(0) if low <= 0 <= high else min(abs(low), abs(high))
        return count == 1 if boxes.size((low, high)) < bound else count == 0 if least > bound else None
    middle = [[boxes.point((entry[0] + entry[1]) / 2) for entry in row] for row in product]
    return None if _matches(middle, bound, count) is not False else _far(product, bound, count)


def _far(product: list, bound: Fraction, count: int) -> bool | None:
    """Refute only if all corners along the diagonal of the box agree that the count is wrong."""
    corners = [[[boxes.point(entry[side]) for entry in row] for row in product] for side in (0, 1)]
    return False if all(_matches(corner, bound, count) is False for corner in corners) else None


def _moduli(matrix: list) -> list:
    """Return enclosures of the moduli of all eigenvalues, with multiplicity."""
    polynomial = fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in matrix]).charpoly()
    coefficients = [polynomial[i] for i in range(len(matrix) + 1)]
    scale = lcm(*(int(c.q) for c in coefficients))
    roots: Json = fmpz_poly([int(c.p) * (scale // int(c.q)) for c in coefficients]).complex_roots()
    return [abs(root) for root, times in roots for _ in range(times)]
