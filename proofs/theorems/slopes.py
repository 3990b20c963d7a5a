"""One number that several cards on the line need: a Lipschitz constant of F on all of R."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import Pieces

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.theorems.card import Application


def lipschitz(step: Application) -> Fraction:
    """Return the largest slope of a cited A0 table or, where none is cited, the global bound with every relu and tanh slope in [0, 1]."""
    if step.citations_left:
        return step.cite(Pieces).function.lipschitz()
    return step.network.jacobian(None).norm()
