"""Robust chaos: whether the boxes of a covering graph lie where every orbit is proved to have a positive exponent."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from proofs.reader import Fields
from proofs.space import TrappingBox, TrappingPolytope

if TYPE_CHECKING:
    from proofs.space import ExponentBounds
    from verify.certification.draft import Draft

    Parallelepiped = tuple[list[Fraction], list[list[Fraction]]]  # centre and basis


def is_robust(draft: Draft, bounds: ExponentBounds) -> bool:
    """Say whether all boxes of the covering graph lie where every orbit is proved to have a positive exponent."""
    if bounds.lower is None or bounds.lower <= 1:
        return False
    region, boxes = bounds.inside, boxes_of(draft)
    if region is None or not boxes:
        return bool(boxes)
    return isinstance(region, TrappingPolytope | TrappingBox) and all(_contains(region, *box) for box in boxes)


def boxes_of(draft: Draft) -> list[Parallelepiped]:
    """Return centre and basis of every box of the draft's covering graphs."""
    graphs = [Fields(witness, f"step {i}") for i, (theorem, _, witness) in enumerate(draft.steps, 1) if theorem == "covering_graph"]
    parts = [part for graph in graphs for part in graph.objects("boxes")]
    return [(list(part.numbers("center")), [list(row) for row in part.table("basis")]) for part in parts]


def corners(boxes: list[Parallelepiped]) -> list[list[float]]:
    """Return all corners of the boxes, 2^M each. **Guarantee:** rounded to floats."""
    found = []
    for center, basis in boxes:
        for signs in product((-1, 1), repeat=len(center)):
            shifts = (sum((a * sign for a, sign in zip(row, signs, strict=True)), Fraction(0)) for row in basis)
            found.append([float(middle + shift) for middle, shift in zip(center, shifts, strict=True)])
    return found


def _contains(region: TrappingPolytope | TrappingBox, center: list[Fraction], basis: list[list[Fraction]]) -> bool:
    """Say whether every point of center + basis [-1, 1]^M lies in the region. **Guarantee:** exact."""
    reach = [sum(map(abs, row), Fraction(0)) for row in basis]
    if isinstance(region, TrappingBox):
        spans = zip(region.low, center, reach, region.high, strict=True)
        return all(low <= middle - span and middle + span <= high for low, middle, span, high in spans)
    columns = list(zip(*basis, strict=True))
    for *slopes, constant in region.facets:
        value = sum((a * b for a, b in zip(slopes, center, strict=True)), constant)
        if value < sum((abs(sum((a * b for a, b in zip(slopes, column, strict=True)), Fraction(0))) for column in columns), Fraction(0)):
            return False
    return True
