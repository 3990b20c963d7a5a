"""One number that several cards on the line need: a Lipschitz constant of F on all of R."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.claims import Pieces

if TYPE_CHECKING:
    from proofs.theorems.card import Application

_TWO = 2
_ROOT_BITS = 128


def lipschitz(step: Application) -> Fraction:
    """Return the largest slope of a cited A0 table or, where none is cited, the global bound with every relu and tanh slope in [0, 1]."""
    if step.citations_left:
        return step.cite(Pieces).function.lipschitz()
    return step.network.jacobian(None).norm()


def below_root(value: Fraction, degree: int, *, strict: bool) -> bool:
    """Say whether 0 <= value < lambda_q (or <=), lambda_q < 2 the positive root of x^q - 2 x^(q-2) - 1, q = ``degree`` >= 3.

    The polynomial is negative below its one positive root, so ``value`` may first be rounded up, here to 128 bits; False means not proved.
    """
    if not 0 <= value < _TWO:
        return False
    scaled = value * (1 << _ROOT_BITS)
    rounded = Fraction(-(-scaled.numerator // scaled.denominator), 1 << _ROOT_BITS)
    excess = rounded ** (degree - 2) * (rounded * rounded - 2) - 1
    return excess < 0 or (not strict and excess == 0)
