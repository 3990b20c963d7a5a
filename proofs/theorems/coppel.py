"""C3 ``coppel`` (M = 1). Every orbit converges to a cycle of period dividing 2^n: no chaos.

Statement   Every orbit of F converges in [-inf, inf] to a cycle of period dividing 2^n; no two bounded orbits form a Li-Yorke pair.
Cites       the table A0, unless the monotone form is used.
Witness     exponent n and max_knots; or monotone: "increasing" or "decreasing" (then n = 0 or 1); optional bits.
Checks      1  one state
            2  monotone form: F' >= 0 (F' <= 0) for all relu and tanh slopes in [0, 1]
            3  the tables of F^(2^j), j <= n + 1, composed exactly, stay within max_knots
            4  every isolated solution of F^(2^(n+1))(x) = x satisfies F^(2^n)(x) = x; where F^(2^(n+1)) is the identity, so is F^(2^n)
            5  an infinite end that F^(2^(n+1)) fixes (outer slope > 0) is fixed by F^(2^n) too
Fails when  F has a period that does not divide 2^n. Type 2^infinity has no certificate of this kind.
Rests on    Coppel 1955: if G: I -> I (I compact) has no point of period 2, every orbit converges; applied to G = F^(2^n) extended to
            [-inf, inf], continuous because the outer slopes settle what happens at infinity. Monotone: F, or F^2, is nondecreasing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import Order, Pieces
from proofs.theorems.powers import composed, limit

if TYPE_CHECKING:
    from proofs.piecewise import PiecewiseLinear
    from proofs.theorems.card import Application

MAX_EXPONENT = 20


def check(step: Application) -> Order:
    """Verify one application; see the card above."""
    step.require_scalar(1)
    if step.witness.has("monotone"):
        return _monotone(step)
    function = step.cite(Pieces).function
    exponent = step.witness.integer("exponent", 0, MAX_EXPONENT)
    most = limit(step)
    once = function
    for _ in range(exponent):
        once = composed(step, 3, once, once, most)
    twice = composed(step, 3, once, once, most)
    _require_no_two_cycle(step, once, twice)
    return Order(exponent)


def _require_no_two_cycle(step: Application, once: PiecewiseLinear, twice: PiecewiseLinear) -> None:
    points, spans = twice.fixed_points()
    moved = next((x for x in points if once(x) != x), None)
    step.require(4, moved is None, "F^(2^n)(x) = x wherever F^(2^(n+1))(x) = x", ("a point whose period does not divide 2^n, x =", moved))
    loose = next((span for span in spans if not once.is_identity_on(span)), None)
    step.require(4, loose is None, "F^(2^n) the identity wherever F^(2^(n+1)) is", ("an interval of longer cycles", loose))
    for end, doubled, single in (("-inf", twice.left, once.left), ("inf", twice.right, once.right)):
        step.require(5, doubled <= 0 or single > 0, f"{end} fixed by F^(2^n) if by F^(2^(n+1))", (single, doubled))


def _monotone(step: Application) -> Order:
    direction = step.witness.text("monotone")
    step.require(2, direction in {"increasing", "decreasing"}, "increasing or decreasing", direction)
    slope = step.network.jacobian(None, step.bits()).interval(0)
    rising = direction == "increasing"
    step.require(2, slope.lo >= 0 if rising else slope.hi <= 0, f"slopes that are {'>= 0' if rising else '<= 0'}", slope)
    return Order(0 if rising else 1)
