"""Where on a boundary curve of the plane the cycle really exists: exact sign conditions along the curve, part by part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs.arithmetic import Interval
from verify.numerics.closed_forms import factors
from verify.numerics.polynomial_texts import as_fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verify.numerics.closed_forms import Curve, Poly

Sides = tuple[Interval, Interval]
_BITS = 64
_SHARP = 4096


@dataclass(frozen=True)
class Part:
    """An arc of a curve on which no side condition changes its sign, but at finitely many points.

    It runs in the entry ``axis`` (0 or 1) from a point in ``low`` to one in ``high``; the other entry is root number ``branch`` (from 0)
    of the curve's polynomial among the ``branches`` in the rectangle. ``sides``: +1 and/or -1, the signs of the polynomial beside the arc
    at which the cycle exists; none: the arc is virtual.
    """

    axis: int
    low: Interval
    high: Interval
    branch: int
    branches: int
    sides: tuple[int, ...]

    @property
    def is_real(self) -> bool:
        """Say whether the cycle exists beside the arc."""
        return bool(self.sides)


@dataclass(frozen=True)
class _Gap:
    low: Interval
    high: Interval
    signs: tuple[tuple[int, ...], ...]  # of every condition and need, one tuple a branch


def parts(curve: Curve, box: Sides) -> tuple[Part, ...]:
    """Cut the curve inside a rectangle where a side condition vanishes on it, where it turns, and where it meets the frame.

    **Guarantee:** exact: roots of resultants are isolated to 2**-64 and the signs between them taken at rational points of one entry and
    algebraic ones of the other. **Cost:** milliseconds for curves of degree below ten.
    """
    axis = _running(curve.polynomial)
    gaps = _gaps(curve, axis, box)
    found: list[Part] = []
    for branch in range(max((len(gap.signs) for gap in gaps), default=0)):
        found += _joined(curve, gaps, branch, axis)
    return tuple(found)


def traced(polynomial: Poly, part: Part, box: Sides, count: int = 160) -> NDArray[np.float64]:
    """Return points of the arc as floats, n x 2, for drawing. **Guarantee:** heuristic."""
    low, high = float(part.low.hi), float(part.high.lo)
    inset = 1e-9 * (high - low)
    runs = np.linspace(low + inset, high - inset, count)
    other = box[1 - part.axis]
    slack = 1e-9 * float(other.hi - other.lo)
    points = []
    for run in runs:
        roots = np.roots(_coefficients(polynomial, part.axis, float(run)))
        real = np.sort(roots[np.abs(roots.imag) < 1e-7 * (1 + np.abs(roots.real))].real)
        real = real[(real >= float(other.lo) - slack) & (real <= float(other.hi) + slack)]
        if len(real) == part.branches:
            points.append((run, real[part.branch]))
    found = np.array(points, dtype=np.float64).reshape(-1, 2)
    return found if part.axis == 0 else found[:, ::-1]


def _running(polynomial: Poly) -> int:
    """Choose the entry along which the curve is followed: the other one then solves a polynomial of low degree, never of degree 0."""
    degrees = [polynomial.degree(generator) for generator in polynomial.ring.gens]
    if 0 in degrees:
        return degrees.index(0)
    return 0 if degrees[1] <= degrees[0] else 1


def _gaps(curve: Curve, axis: int, box: Sides) -> list[_Gap]:
    run, other = box[axis], box[1 - axis]
    shape = _poly(curve.polynomial, axis)
    tests = [u for u, _, _ in curve.conditions] + list(curve.needs)
    ends = [Interval(run.lo, run.lo), *_critical(shape, tests, axis, box), Interval(run.hi, run.hi)]
    gaps = []
    for before, after in pairwise(ends):
        middle = (before.hi + after.lo) / 2
        roots = _roots_within(shape.eval(shape.gens[1], _rational(middle)), other)
        polys = [_poly(test, axis).eval(shape.gens[1], _rational(middle)) if test else None for test in tests]
        gaps.append(_Gap(before, after, tuple(tuple(0 if p is None else _sign(p, root) for p in polys) for root in roots)))
    return gaps


def _critical(shape: Any, tests: Sequence[Poly], axis: int, box: Sides) -> list[Interval]:  # noqa: ANN401 - sympy has no types
    """Return enclosures of every value of the running entry at which something may change, in order and apart."""
    from sympy import Poly as Univariate

    other, gen = box[1 - axis], shape.gens[1]
    found = [Univariate(shape.as_expr().subs(shape.gens[0], _rational(end)), gen) for end in (other.lo, other.hi)]
    found.append(Univariate(Univariate(shape.as_expr(), shape.gens[0]).LC(), gen))
    if shape.degree() > 1:
        found.append(Univariate(shape.discriminant().as_expr(), gen))
    walls = dict.fromkeys(factor for test in tests if test for factor in factors(test))
    found += [Univariate(shape.resultant(_poly(factor, axis)).as_expr(), gen) for factor in walls]
    pieces = {piece for polynomial in found if not polynomial.is_ground for piece, _ in polynomial.factor_list()[1]}
    return _isolated(sorted(pieces, key=str), box[axis])


def _isolated(pieces: Sequence[Any], within: Interval) -> list[Interval]:
    """Return enclosures of the roots of different irreducible polynomials inside an interval, none overlapping another."""
    bits = _BITS
    while bits <= _SHARP:
        roots = sorted((root for piece in pieces for root in _roots(piece, bits)), key=lambda root: root.lo)
        inside = [root for root in roots if within.lo < root.hi and root.lo < within.hi and not root.lo <= within.lo <= root.hi]
        if all(one.hi < two.lo for one, two in pairwise(inside)):
            return [root for root in inside if root.hi < within.hi]
        bits *= 2
    message = "roots of coprime polynomials that no precision separates"
    raise ArithmeticError(message)


def _roots(piece: Any, bits: int) -> list[Interval]:  # noqa: ANN401 - sympy has no types
    """Isolate the real roots of an irreducible polynomial; that of a linear one exactly."""
    if piece.degree() == 1:
        slope, constant = (Fraction(int(c.p), int(c.q)) for c in piece.all_coeffs())
        return [Interval(-constant / slope, -constant / slope)]
    return [_interval(found) for found, _ in piece.intervals(eps=_rational(Fraction(1, 1 << bits)))]


def _roots_within(polynomial: Any, within: Interval) -> list[Any]:  # noqa: ANN401 - sympy has no types
    """Return (irreducible factor, enclosure) of the roots strictly inside an interval, in order."""
    pieces = [piece for piece, _ in polynomial.factor_list()[1]]
    roots = [(piece, root) for piece in pieces for root in _roots(piece, _BITS)]
    inside = [(piece, root) for piece, root in roots if within.lo < root.lo and root.hi < within.hi]
    return sorted(inside, key=lambda found: found[1].lo)


def _sign(polynomial: Any, root: Any) -> int:  # noqa: ANN401 - sympy has no types
    """Return the sign of a polynomial at a root of an irreducible one; 0 where it vanishes there."""
    piece, enclosure = root
    if polynomial.is_ground:
        value = polynomial.eval(0)
        return int(bool(value > 0)) - int(bool(value < 0))
    bits = _BITS
    while enclosure.lo < enclosure.hi and polynomial.count_roots(_rational(enclosure.lo), _rational(enclosure.hi)):
        if polynomial.rem(piece).is_zero:
            return 0
        bits *= 2
        enclosure = next(found for found in _roots(piece, bits) if not found.apart(enclosure))
    value = polynomial.eval(_rational(enclosure.lo))
    return int(bool(value > 0)) - int(bool(value < 0))


def _joined(curve: Curve, gaps: list[_Gap], branch: int, axis: int) -> list[Part]:
    """Join neighbouring gaps on the same sides, and drop what is no event of the curve's kind."""
    found: list[Part] = []
    for gap in gaps:
        if branch >= len(gap.signs) or any(sign <= 0 for sign in gap.signs[branch][len(curve.conditions) :]):
            continue
        part = Part(axis, gap.low, gap.high, branch, len(gap.signs), _sides(curve, gap.signs[branch]))
        last = found[-1] if found else None
        if last is not None and last.high == gap.low and (last.branches, last.sides) == (part.branches, part.sides):
            found[-1] = replace(last, high=gap.high)
        else:
            found.append(part)
    return found


def _sides(curve: Curve, signs: tuple[int, ...]) -> tuple[int, ...]:
    pairs = list(zip(curve.conditions, signs, strict=False))
    return tuple(side for side in (1, -1) if all(sign * side ** abs(order) == asked for (_, order, asked), sign in pairs))


def _poly(polynomial: Poly, axis: int) -> Any:  # noqa: ANN401 - sympy has no types
    """Return a ring element as a Poly in (the other entry, the running one)."""
    from sympy import Poly as Bivariate

    symbols = polynomial.ring.symbols
    return Bivariate(polynomial.as_expr(), symbols[1 - axis], symbols[axis], domain="QQ")


def _coefficients(polynomial: Poly, axis: int, run: float) -> list[float]:
    """Return the coefficients in the other entry at a value of the running one, highest first."""
    sums: dict[int, float] = {}
    for powers, coefficient in polynomial.terms():
        power = powers[1 - axis]
        sums[power] = sums.get(power, 0.0) + float(as_fraction(coefficient)) * run ** powers[axis]
    return [sums.get(power, 0.0) for power in range(max(sums), -1, -1)]


def _rational(value: Fraction) -> Any:  # noqa: ANN401 - sympy has no types
    from sympy import Rational

    return Rational(value.numerator, value.denominator)


def _interval(found: tuple[Any, Any]) -> Interval:
    low, high = (Fraction(int(end.p), int(end.q)) for end in found)
    return Interval(low, high)
