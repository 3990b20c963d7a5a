"""How many networks of one cell fell into each class: what statistics and figures are made from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from proofs.errors import Malformed

if TYPE_CHECKING:
    from verify.sampling.families import Cell


@dataclass(frozen=True)
class CellCounts:
    """The counts of one cell.

    ``total`` = chaotic + ordered + ordered_by_bound + undecided. ``period_2`` and ``period_3`` count the networks that have a point of
    that least period, ``period_2_open`` and ``period_3_open`` those of which it is not known; the rest has none.
    """

    cell: Cell
    total: int
    chaotic: int = 0
    ordered: int = 0
    ordered_by_bound: int = 0
    undecided: int = 0
    period_2: int = 0
    period_3: int = 0
    period_2_open: int = 0
    period_3_open: int = 0

    def __post_init__(self) -> None:
        """Hold the counts to their meaning. **Raises** Malformed."""
        numbers = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "cell"}
        classes = self.chaotic + self.ordered + self.ordered_by_bound + self.undecided
        laws = {
            "counts are whole numbers >= 0": all(type(n) is int and n >= 0 for n in numbers.values()),
            "the classes add up to the total": classes == self.total,
            "period_2 + period_2_open <= total": self.period_2 + self.period_2_open <= self.total,
            "period_3 + period_3_open <= total": self.period_3 + self.period_3_open <= self.total,
        }
        for law, holds in laws.items():
            if not holds:
                raise Malformed(where=f"counts of the cell {self.cell}", law=law, expected="consistent counts", got=str(numbers))

    def successes(self, what: str) -> tuple[int, int, int]:
        """Return (certain, at most, total) for chaotic, undecided, period_2 or period_3: open networks count in "at most" only.

        **Raises** Malformed: another word.
        """
        if what == "chaotic":
            return self.chaotic, self.chaotic + self.undecided, self.total
        if what in {"period_2", "period_3"}:
            certain: int = getattr(self, what)
            unknown: int = getattr(self, f"{what}_open")
            return certain, certain + unknown, self.total
        if what == "undecided":
            return self.undecided, self.undecided, self.total
        raise Malformed(where="counts", law="a class that is counted", expected="chaotic, undecided, period_2 or period_3", got=repr(what))
