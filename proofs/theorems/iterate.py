"""Solutions of F^k(z) = z in a box: its images, and Krawczyk's operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.theorems.boxes import enclosing
from proofs.theorems.elimination import inverse

if TYPE_CHECKING:
    from proofs.theorems.boxes import Sides
    from proofs.theorems.card import Application


def most_bits(bits: int) -> int:
    """Return how long numbers may be that are eliminated exactly, for a working precision."""
    return 2 * bits + 1024


class Iterate:
    """F^period with a working precision, for one step."""

    def __init__(self, step: Application, period: int, bits: int) -> None:
        """Bind the three."""
        self._step, self._period, self._bits = step, period, bits

    def leaves(self, box: Sides, region: Sides) -> bool:
        """Say whether it is proved that no orbit staying in the region starts in the box and is back in it ``period`` steps later."""
        reached = enclosing(box)
        for _ in range(self._period):
            cut = _common(self._step.network.image(reached, self._bits).rounded(self._bits).entries(), region)
            if cut is None:
                return True
            reached = Matrix.intervals(cut)
        return _common(reached.entries(), box) is None

    def has_none(self, box: Sides) -> bool:
        """Say whether F^k(z) = z is shown to have no solution in the box X: m - C (F^k(m) - m) + (I - C (P - I)) (X - m) misses X."""
        found = self._krawczyk(box)
        if found is None:
            return False
        near, defect = found
        middle = end = Matrix.column((low + high) / 2 for low, high in box)
        for _ in range(self._period):
            end = self._step.network.image(end, self._bits).rounded(self._bits)
        moved = middle - near @ (end - middle) + defect @ (enclosing(box) - middle)
        return _common(moved.entries(), box) is None

    def has_one_at_most(self, box: Sides) -> bool:
        """Say whether F^k(z) = z is shown to have one solution in the box at most: |I - C (P - I)| < 1."""
        found = self._krawczyk(box)
        return found is not None and found[1].norm() < 1

    def _krawczyk(self, box: Sides) -> tuple[Matrix, Matrix] | None:
        """Return C and I - C (P - I), P all secant matrices of F^k over the box; None where the middle of P - I is singular."""
        network, reached = self._step.network, enclosing(box)
        product = identity = Matrix.identity(network.dimension)
        for _ in range(self._period):
            reached, jacobian = network.tangent(reached, self._bits)
            product = (jacobian @ product).rounded(self._bits)
            self._step.require_short_entries(4, product)
            self._step.require_short_entries(4, reached)
        closing = product - identity
        limit = most_bits(self._bits)
        self._step.require(
            4, closing.longest <= limit, f"numbers of at most {limit} bits in P", closing.longest, "more bits, or smaller leaves"
        )
        found = inverse(closing)
        if found is None:
            return None
        rounded = found.rounded(self._bits)
        near = Matrix(rounded.mid, None, rounded.den)
        return near, identity - near @ closing


def _common(spans: list[Interval], sides: Sides) -> list[Interval] | None:
    """Return the common part of two boxes, None where they have none."""
    ends = [(max(span.lo, low), min(span.hi, high)) for span, (low, high) in zip(spans, sides, strict=True)]
    return None if any(low > high for low, high in ends) else [Interval(low, high) for low, high in ends]
