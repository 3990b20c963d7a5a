"""Expanding fixed points of piecewise-linear networks: solved exactly, with a form that grows and an ellipsoid inside the region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from proofs.arithmetic import Matrix
from proofs.inertia import is_positive_definite
from proofs.network import Piece
from proofs.theorems.lifted import chosen_rows
from verify.numerics.balls import SingularError, solve
from verify.numerics.batch import floats_of
from verify.numerics.lyapunov_forms import cyclic_forms
from verify.rounding import exponent

SHARE = Fraction(15, 16)  # of the largest ellipsoid inside the region
PRECISIONS = (64, 128, 256, 512, 1024)
Point = tuple[Fraction, ...]


@dataclass(frozen=True)
class Repeller:
    """A fixed point z strictly inside its region, and the ellipsoid (x - z)'Q(x - z) <= level there, Q > 0 and J'QJ - Q > 0.

    **Guarantee:** exact: checked with pivots of ``bits`` bits.
    """

    point: Point
    pattern: str
    form: Matrix
    level: Fraction
    bits: int

    def height(self, point: Point) -> Fraction:
        """Return (x - z)'Q(x - z). **Guarantee:** exact."""
        away = Matrix.column([x - z for x, z in zip(point, self.point, strict=True)])
        return (away.transposed() @ self.form @ away).middle(0)


def fitted_repeller(piece: Piece, pattern: str, live: Sequence[int]) -> Repeller | str:
    """Solve for the fixed point of a region and fit form and ellipsoid; in words why that fails. ``live``: the hinges that count.

    **Guarantee:** exact for what is returned; that nothing fits is heuristic where multipliers or borders are called too close.
    """
    try:
        point = entries(solve(Matrix.identity(len(piece.offset.mid)) - piece.jacobian, piece.offset))
    except SingularError:
        return "one with a multiplier 1"
    gates, offsets = chosen_rows(piece.gates, live), chosen_rows(piece.gate_offsets, live)
    values = gates @ Matrix.column(point) + offsets
    signs = [low for low, _ in values.signs()]
    if 0 in signs:
        return "one on a border"
    if any((sign > 0) != (pattern[hinge] == "1") for sign, hinge in zip(signs, live, strict=True)):
        return "one beyond a border, when solved exactly"
    return _fitted(point, pattern, piece.jacobian, (gates, values)) or "one with a multiplier, or a border, too close to it for a form"


def entries(column: Matrix) -> Point:
    """Return the entries of an exact vector."""
    return tuple(column.middle(i) for i in range(len(column.mid)))


def _fitted(point: Point, pattern: str, jacobian: Matrix, gates: tuple[Matrix, Matrix]) -> Repeller | None:
    forms = cyclic_forms([jacobian], 1.0)
    if forms is None:
        return None
    form = forms[0].times(Fraction(-1))
    growth = jacobian.transposed() @ form @ jacobian - form
    level = _level(form, *gates)
    if level is None:
        return None
    borders = [_bordered(form, *gates, hinge, level) for hinge in range(len(gates[1].mid))]
    for bits in PRECISIONS:
        if all(is_positive_definite(matrix, bits) for matrix in (form, growth, *borders)):
            return Repeller(point, pattern, form, level, bits)
    return None


def _bordered(form: Matrix, gates: Matrix, values: Matrix, hinge: int, level: Fraction) -> Matrix:
    """Return [[Q, w], [w', s^2 / level]]: positive definite iff w (x - z) + s keeps its sign on the ellipsoid."""
    size = len(form.mid)
    row = [gates.middle(hinge, i) for i in range(size)]
    rows = [[*(form.middle(i, j) for j in range(size)), row[i]] for i in range(size)]
    return Matrix.exact([*rows, [*row, values.middle(hinge) ** 2 / level]])


def _level(form: Matrix, gates: Matrix, values: Matrix) -> Fraction | None:
    """Return a short level somewhat below the least s^2 / w'Q^-1 w."""
    W, s = floats_of(gates), floats_of(values)[:, 0]
    try:
        widths = np.einsum("ij,ij->i", W, np.linalg.solve(floats_of(form), W.T).T)
    except np.linalg.LinAlgError:
        return None
    least = min((value**2 / width for value, width in zip(s, widths, strict=True) if width > 0.0), default=1.0)
    if not 0.0 < least < inf:
        return None
    value = Fraction(least) * SHARE
    scale = Fraction(2) ** (8 - exponent(value))
    return Fraction(int(value * scale)) / scale
