"""Order on the line: the least exponent n for which F^(2^n) has no cycle of period 2, infinities included (Coppel)."""

from __future__ import annotations

from fractions import Fraction

from proofs.piecewise import PiecewiseLinear


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


def direction(function: PiecewiseLinear) -> str | None:
    """Return increasing or decreasing (both weakly) for a monotone function."""
    slopes = function.slopes()
    if all(slope >= 0 for slope in slopes):
        return "increasing"
    return "decreasing" if all(slope <= 0 for slope in slopes) else None


def excluded_odd_period(lipschitz: Fraction, most: int = 999) -> int | None:
    """Return the largest odd period q <= ``most`` that the Lipschitz constant excludes, with all odd periods below it; None if none."""
    if lipschitz**2 <= 2:  # noqa: PLR2004 - lambda_q falls to the square root of 2
        return most
    found = None
    for period in range(3, most + 1, 2):
        if lipschitz**period - 2 * lipschitz ** (period - 2) - 1 >= 0:
            break
        found = period
    return found
