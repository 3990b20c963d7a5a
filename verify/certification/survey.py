"""What a proof in the making has found, and what it still lacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.certification.chunks import Leaf, Word

_NAMED = 5


@dataclass(frozen=True)
class Survey:
    """The leaves that hold cycles, by length and word; residual words in the checker's order; what is unresolved; nodes explored."""

    leaves: list[Leaf]
    residual: tuple[Word, ...]
    unresolved: list[str]
    explored: int

    def counts(self, up_to: int) -> tuple[int, ...]:
        """Return how many leaves there are of each length."""
        found = Counter(len(leaf.word) for leaf in self.leaves)
        return tuple(found[period] for period in range(1, up_to + 1))


def some(what: str, names: Sequence[str]) -> list[str]:
    """Say how many there are and name the first few.

    >>> some("words are open", ["01", "10"])
    ['words are open (2): 01; 10']
    """
    if not names:
        return []
    more = "; ..." if len(names) > _NAMED else ""
    return [f"{what} ({len(names)}): {'; '.join(names[:_NAMED])}{more}"]
