"""One strip solved again in exact arithmetic, where floats lost too much along its word."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.theorems.elimination import inverse
from verify.numerics.batch import Floats, floats_of

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.candidates import Slab, Strip

OVERSHOOT = Fraction(1, 2**8)


def polished(network: Network, slabs: tuple[Slab, Slab], strip: Strip, bits: int) -> Strip | None:
    """Return the strip that the strip's word maps right across the second slab, a little wider; None where its unstable part is singular.

    **Guarantee:** exact up to ``bits`` and the rounding of the result to floats. Piecewise-linear networks of exact weights.
    """
    linear, constant = Matrix.identity(network.dimension), Matrix.column([Fraction(0)] * network.dimension)
    for pattern in (strip.itinerary or ())[: strip.steps]:
        piece = network.piece(pattern)
        linear, constant = _middle((piece.jacobian @ linear).rounded(bits)), _middle(piece.image(constant).rounded(bits))
    (center, basis), (target, frame) = ((_column(slab.center), _exact(slab.basis)) for slab in slabs)
    back = inverse(frame)
    if back is None:
        return None
    unstable = len(strip.offset)
    upper = _top((back @ linear) @ basis, unstable)
    shift = _top(back @ (linear @ center + constant - target), unstable)
    narrow = inverse(upper.columns(0, unstable))
    if narrow is None:
        return None
    offset, width = -floats_of(narrow @ shift)[:, 0], floats_of(narrow.times(1 + OVERSHOOT))
    stable = len(center.mid) - unstable
    tilt = -floats_of(narrow @ upper.columns(unstable, stable)) if stable else strip.tilt
    return replace(strip, offset=offset, width=width, tilt=tilt)


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)


def _top(matrix: Matrix, rows: int) -> Matrix:
    return Matrix(matrix.mid[:rows], None, matrix.den)


def _exact(rows: Floats) -> Matrix:
    return Matrix.exact([[Fraction(value) for value in row] for row in rows.tolist()])


def _column(values: Floats) -> Matrix:
    return Matrix.column([Fraction(value) for value in values.tolist()])
