"""What one attempt at a network brought, before it is dressed as an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proofs.claims import AllCycles, Contraction, CycleCounts, LiYorke, Order, ScrambledSet
from proofs.exponents import BoxContraction, CyclesInBox
from proofs.space import CoveringGraph, SnapBackRepeller

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.claims import Claim
    from verify.answers import CycleEntry
    from verify.certification.draft import Draft

CHAOS = (LiYorke, ScrambledSet, SnapBackRepeller)
ORDER = (Contraction, Order)


@dataclass
class Outcome:
    """Claims that the kernel accepted, the decision that they add up to, and what stayed open.

    ``entropy``: bounds, the upper one None where no card gives it. ``searched_to``: the period up to which cycles were looked for without
    a proof that the list is complete. ``notes``: what follows from several claims together.
    """

    draft: Draft
    decision: str = "undecided"
    claims: list[Claim] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    entropy: tuple[Fraction, Fraction | None] | None = None
    outside: str = ""
    cycles: list[CycleEntry] = field(default_factory=list)
    searched_to: int | None = None
    saturated: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """Count the cycles whose stability is proved."""
        return sum(entry.label is not None for entry in self.cycles)

    def answers(self, claim: str) -> bool:
        """Say whether what was asked for is among what was proved."""
        if claim == "chaos":
            return any(isinstance(item, CHAOS) for item in self.claims)
        if claim == "order":
            return any(isinstance(item, (*ORDER, BoxContraction)) for item in self.claims)
        if claim == "cycles":
            return bool(self.cycles) or any(isinstance(item, AllCycles | CycleCounts | CyclesInBox) for item in self.claims)
        return bool(self.claims)


def weight(claim: Claim) -> int:
    """Put what decides chaos or order first; the rest keeps its order."""
    return 0 if isinstance(claim, (*ORDER, *CHAOS)) else 1 if isinstance(claim, CoveringGraph) else 2
