"""B8 ``entropy_gives_scrambling``. Positive entropy gives Li-Yorke chaos.

Statement   F has an uncountable scrambled set.
Cites       a lower entropy bound (B3, B4, B5).
Witness     none.
Checks      1  its rate is > 1, so that h > 0 on some compact invariant set
Fails when  the bound is not positive. The converse is false (Smital 1986): zero entropy alone never proves that there is no chaos.
Rests on    Blanchard, Glasner, Kolyada, Maass 2002 (Crelle 547).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import EntropyLower, ScrambledSet
from proofs.space import CoveringGraph

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> ScrambledSet:
    """Verify one application; see the card above."""
    bound = step.cite(EntropyLower, CoveringGraph)
    step.require(1, bound.rate > 1, "a positive lower bound of the entropy: rate > 1", bound.rate)
    return ScrambledSet()
