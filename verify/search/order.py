"""Order on the line: the least exponent n for which F^(2^n) has no cycle of period 2, infinities included (Coppel)."""

from __future__ import annotations

from fractions import Fraction

from proofs.piecewise import PiecewiseLinear
from proofs.theorems.slopes import below_root


def is_ordered(once: PiecewiseLinear, twice: PiecewiseLinear) -> bool:
    """Say whether every point that ``twice`` = G^2 fixes is fixed by ``once`` = G, on [-inf, inf].

    **Guarantee:** exact. **Cost:** one search in ``once`` for each fixed point of ``twice``.
    """
    points, spans = twice.fixed_points()
    ends = ((twice.left, once.left), (twice.right, once.right))
    return (
        all(doubled <= 0 or single > 0 for doubled, single in ends)
        and all(once(x) == x for x in points)
        and all(once.is_identity_on(span) for span in spans)
    )


def excluded_odd_period(lipschitz: Fraction, most: int = 999) -> int | None:
    """Return the largest odd period q <= ``most`` that the Lipschitz constant excludes, with all odd periods below it; None if none."""
    low, high = 1, most + 2  # odd numbers; the periods excluded are those up to some bound, which is bisected
    while high - low > 2:  # noqa: PLR2004 - neighbouring odd numbers
        middle = (low + high) // 4 * 2 + 1
        low, high = (middle, high) if below_root(lipschitz, middle, strict=True) else (low, middle)
    return low if low > 1 else None
