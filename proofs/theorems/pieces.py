"""A0 ``pieces`` (M = 1, exact). F as a table of affine pieces.

Statement   F is continuous, takes these values at these knots, and is affine between neighbours and on the two rays outside.
Witness     max_knots: a bound on the knots of all functions in all registers together. The kernel computes the table itself.
Checks      1  one state, weights without radii, a piecewise-linear program
            2  the program, run on functions of one variable (unfold.py), stays within max_knots
Fails when  a hidden layer has more pieces than allowed.
Rests on    sums and relus of continuous piecewise-linear functions are again such functions, computed exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import Pieces
from proofs.piecewise import PiecewiseLinear, TooManyPieces
from proofs.theorems.powers import limit
from proofs.theorems.unfold import table_of

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> Pieces:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    most = limit(step)
    table: PiecewiseLinear | None
    try:
        table = table_of(step.network, most)
    except TooManyPieces:
        table = None
    step.require(2, table is not None, f"at most {most} knots in all registers, as the witness allows", "more")
    if table is None:
        raise TypeError(table)
    return Pieces(table.knots, table.values, table.left, table.right)
