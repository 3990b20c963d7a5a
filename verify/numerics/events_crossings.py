"""Where something changes for the cycle of a word along a path: roots of its pre-activations and of its closing determinants.

Two ways to the same table: isolation of all roots of exact polynomials while their degree is small, else a scan in floats with exact
bisection of whatever could touch an existing cycle. **Guarantee:** heuristic: what is listed is right, a pair of roots closer together
than the scan's samples can be missed; the kernel decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verify.events import Word

Kind = Literal["gate", "one", "minus_one", "pair"]


@dataclass(frozen=True, order=True)
class Zero:
    """One function of mu that vanishes: the pre-activation of ``unit`` at ``time`` (both from 1), det(I - P), det(I + P), or |lambda| - 1.

    ``crosses``: it changes sign there.
    """

    kind: Kind
    time: int = 0
    unit: int = 0
    crosses: bool = True


@dataclass(frozen=True)
class Crossing:
    """An interval of mu with dyadic ends, as narrow as asked for, and all that vanishes strictly inside it."""

    low: Fraction
    high: Fraction
    zeros: tuple[Zero, ...]

    def only(self, kind: Kind) -> bool:
        """Say whether one thing alone vanishes, of this kind."""
        return len(self.zeros) == 1 and self.zeros[0].kind == kind


@dataclass(frozen=True)
class Followed:
    """A word along a path: crossings in order of mu, and for each gap (before, between, after) whether the cycle exists there.

    ``always`` holds what vanishes for every mu. **Shapes:** len(cells) = len(crossings) + 1.
    """

    word: Word
    crossings: tuple[Crossing, ...]
    cells: tuple[bool, ...]
    always: tuple[Zero, ...] = ()

    @property
    def exists(self) -> bool:
        """Say whether the cycle exists anywhere."""
        return any(self.cells)

    def gap(self, index: int, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
        """Return the ends of one gap on a path from ``low`` to ``high``."""
        start = self.crossings[index - 1].high if index else low
        return start, self.crossings[index].low if index < len(self.crossings) else high


def around(root: Fraction, bits: int) -> tuple[Fraction, Fraction]:
    """Return the dyadic interval of width 2^(1 - bits) around a root, which lies strictly inside.

    >>> around(Fraction(1, 3), 2)
    (Fraction(0, 1), Fraction(1, 2))
    """
    middle = round(root * (1 << bits))
    return Fraction(middle - 1, 1 << bits), Fraction(middle + 1, 1 << bits)


def merged(crossings: Iterable[Crossing]) -> list[Crossing]:
    """Join crossings whose intervals meet: those are closer than the precision."""
    joined: list[Crossing] = []
    for crossing in sorted(crossings, key=lambda item: (item.low, item.high)):
        if joined and crossing.low <= joined[-1].high:
            last = joined.pop()
            zeros = tuple(sorted({*last.zeros, *crossing.zeros}))
            crossing = Crossing(last.low, max(last.high, crossing.high), zeros)  # noqa: PLW2901 - the joined one takes its place
        joined.append(crossing)
    return joined


def short_between(low: Fraction, high: Fraction) -> Fraction:
    """Return a dyadic number strictly between two others, near their middle and with few digits.

    >>> short_between(Fraction(1, 3), Fraction(1, 2))
    Fraction(7, 16)
    """
    bits = 2 - (width := high - low).numerator.bit_length() + width.denominator.bit_length()
    scale = Fraction(2) ** max(bits, 0)
    return Fraction(round((low + high) / 2 * scale)) / scale
