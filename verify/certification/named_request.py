"""What ``certify --theorem NAME`` was asked, and what has come of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.errors import Rejected
from verify.certification.draft import Draft, in_short
from verify.certification.find import Effort

if TYPE_CHECKING:
    from verify.answers import CycleEntry
    from verify.loading import Loaded
    from verify.paths import Path

DEFAULT_UP_TO = 4


@dataclass
class Request:
    """What was asked for, the draft that is filled, and what the routes tell beside it.

    ``path``: the family, for theorems about one. ``cycles``: entries of the cycles that were certified on the way. ``notes``:
    hypotheses, conclusions and measured norms.
    """

    loaded: Loaded
    draft: Draft
    effort: Effort
    period: int | None = None
    path: Path | None = None
    alpha: Fraction | None = None
    forced: int | None = None
    box: tuple[Fraction, Fraction] | None = None
    reasons: list[str] = field(default_factory=list)
    cycles: list[CycleEntry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def up_to(self) -> int:
        """Return the largest period to look for."""
        return self.period or DEFAULT_UP_TO

    @property
    def seconds(self) -> float:
        """Return the time for one search."""
        return self.effort.search_seconds

    def add(self, theorem: str, witness: dict[str, object], *cites: int) -> int | None:
        """Add a step; where the kernel refuses it, keep the reason and return None."""
        try:
            return self.draft.add(theorem, witness, cites)[0]
        except Rejected as failure:
            self.reasons.append(f"{theorem}: {in_short(failure)}")
            return None
