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
    from fractions import Fraction

    from proofs.theorems.card import Application


def check(step: Application) -> Pieces:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    knots = step.witness.numbers("knots")
    step.require(2, len(knots) > 0 and all(one < two for one, two in pairwise(knots)), "one or more strictly increasing knots", len(knots))
    samples = [_sample(step, x) for x in (knots[0] - 1, *knots, knots[-1] + 1)]
    for i, ((_, one), (_, two)) in enumerate(pairwise(samples[1:-1])):
        unit = _first(a * b < 0 for a, b in zip(one, two, strict=True))
        step.require(3, unit is None, f"no kink strictly between knots {i + 1} and {i + 2}", f"hinge {unit} changes sign there")
    for (_, outer), (_, end), side in ((samples[0], samples[1], "left"), (samples[-1], samples[-2], "right")):
        unit = _first(b * (a - b) < 0 for a, b in zip(outer, end, strict=True))
        step.require(4, unit is None, f"no kink on the {side} ray", f"hinge {unit} moves towards 0 there")
    values = tuple(value for value, _ in samples[1:-1])
    return Pieces(knots, values, values[0] - samples[0][0], samples[-1][0] - values[-1])


def _sample(step: Application, x: Fraction) -> tuple[Fraction, list[Fraction]]:
    """Return F(x) and all pre-activations at x."""
    image, gates = step.network.trace(Matrix.column([x]))
    return image.middle(0), [gate.middle(row) for gate in gates for row in range(len(gate.mid))]


def _first(flags: Iterator[bool]) -> int | None:
    return next((number for number, flag in enumerate(flags, 1) if flag), None)


if TYPE_CHECKING:
    from collections.abc import Iterator
