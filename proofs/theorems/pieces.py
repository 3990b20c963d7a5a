"""A0 ``pieces`` (M = 1, exact). F as a table of affine pieces.

Statement   F is continuous, takes these values at these knots, and is affine between neighbours and on the two rays outside.
Witness     knots x_1 < .. < x_n, n >= 1 (every kink of F is among them; further points do no harm).
Checks      1  one state, weights without radii, a piecewise-linear program
            2  the knots increase strictly
            3  between neighbouring knots no pre-activation has opposite strict signs at the two ends
            4  on each outer ray no pre-activation that is nonzero at the knot moves towards 0 (measured one unit further out)
Fails when  a kink is missing or was rounded.
Rests on    induction over the program: registers before the first relu are affine on R; where a pre-activation is affine and keeps a weak
            sign on an interval, its relu is affine there too. So values at the ends determine F.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.claims import Pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proofs.theorems.card import Application


def check(step: Application) -> Pieces:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    knots = step.witness.numbers("knots")
    step.require(2, len(knots) > 0 and all(one < two for one, two in pairwise(knots)), "one or more strictly increasing knots", len(knots))
    samples = [step.network.trace(Matrix.column([x])) for x in (knots[0] - 1, *knots, knots[-1] + 1)]
    signs = [[sign for gate in gates for sign, _ in gate.signs()] for _, gates in samples[1:-1]]
    for i, (one, two) in enumerate(pairwise(signs), 1):
        unit = _first(a * b < 0 for a, b in zip(one, two, strict=True))
        step.require(3, unit is None, f"no kink strictly between knots {i} and {i + 1}", f"hinge {unit} changes sign there")
    for outer, end, at_end, side in ((samples[0], samples[1], signs[0], "left"), (samples[-1], samples[-2], signs[-1], "right")):
        moves = [sign for one, two in zip(outer[1], end[1], strict=True) for sign, _ in (one - two).signs()]
        unit = _first(a * b < 0 for a, b in zip(moves, at_end, strict=True))
        step.require(4, unit is None, f"no kink on the {side} ray", f"hinge {unit} moves towards 0 there")
    values = tuple(image.middle(0) for image, _ in samples)
    return Pieces(knots, values[1:-1], values[1] - values[0], values[-1] - values[-2])


def _first(flags: Iterable[bool]) -> int | None:
    return next((number for number, flag in enumerate(flags, 1) if flag), None)
