"""Iterates of a scalar piecewise-linear map, computed by the kernel from a table that card A0 proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.piecewise import TooManyPieces

if TYPE_CHECKING:
    from proofs.piecewise import PiecewiseLinear
    from proofs.theorems.card import Application

MAX_KNOTS = 2**19


def limit(step: Application) -> int:
    """Return the witness's bound on the number of knots of any iterate."""
    return step.witness.integer("max_knots", 1, MAX_KNOTS)


def composed(step: Application, number: int, outer: PiecewiseLinear, inner: PiecewiseLinear, most: int) -> PiecewiseLinear:
    """Return outer o inner. **Raises:** Rejected (as check ``number``) beyond ``most`` knots."""
    result: PiecewiseLinear | None
    try:
        result = outer.after(inner, most)
    except TooManyPieces:
        result = None
    step.require(number, result is not None, f"at most {most} knots, as the witness allows", "more")
    if result is None:
        return outer
    for value in (result.left, result.right, *result.knots, *result.values):
        step.require_short(number, value)
    return result
