"""Facts that only steps of one certificate use among themselves: parts of a tree, and the system that a tree is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs.claims import Claim
from proofs.space import Trapping

if TYPE_CHECKING:
    from fractions import Fraction

    Word = tuple[str, ...]
    Key = tuple[int, frozenset[tuple[Fraction, ...]] | Word]  # least period, and the exact border orbit or the least rotation


@dataclass(frozen=True)
class ForbiddenWords(Claim):
    """No itinerary of an orbit (of an orbit in ``inside``) contains one of these words, a letter's start at a letter's start.

    Words are bits of live hinges, 1 for a >= 0, 0 for a < 0; those of ``closed`` are not followed even if 0 stands for a <= 0.
    """

    kind = "forbidden_words"
    words: frozenset[str]
    closed: frozenset[str] = frozenset()
    inside: Trapping | None = None

    def statement(self) -> str:
        """Say how many there are."""
        where = "" if self.inside is None else " in the trapping region"
        return f"No orbit of F{where} follows any of {len(self.words)} stated words"


@dataclass(frozen=True)
class CyclicSystem(Claim):
    """The points of F^period(z) = z solve y = M x + q, x >= 0, y >= 0, x_i y_i = 0, i = t H + j for live hinge j at time t.

    M = ``rows`` / ``scale`` and q = ``constants`` / ``scale``, every entry within ``radius`` / ``scale``. At base letter 0 x_i is relu(a_i)
    and y_i is relu(-a_i), at 1 the other way round. The bias vectors of the network occur in q only.
    """

    kind = "cyclic_system"
    period: int
    base: str
    rows: tuple[tuple[int, ...], ...]
    constants: tuple[int, ...]
    radius: int
    scale: int

    def statement(self) -> str:
        """Say the size."""
        size = len(self.rows)
        return f"The points fixed by F^{self.period} are the solutions of a stated linear complementarity problem with {size} unknowns"


@dataclass(frozen=True)
class CyclicPart(Claim):
    """Every z = F^period(z) whose orbit meets the decisions of ``path`` is on a cycle of ``cycles`` or in a residual polyhedron.

    Decisions are i + 1 for a_i >= 0 and -(i + 1) for a_i <= 0; with ``order`` j it speaks of those z only at which a_j is largest.
    """

    kind = "cyclic_part"
    period: int
    order: int | None
    path: frozenset[int]
    cycles: frozenset[Key]
    residual: frozenset[Word]

    def statement(self) -> str:
        """Say the period and the number of cycles."""
        where = f" that meets {len(self.path)} stated sign conditions" if self.path else ""
        what = f"{len(self.cycles)} cycles cited or in {len(self.residual)} residual polyhedra"
        return f"Every orbit of F^{self.period}(z) = z{where} is, up to rotation, among {what}"
