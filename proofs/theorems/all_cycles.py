"""A4 ``all_cycles`` (M = 1, exact). A list of cycles is complete up to a period.

Statement   These are ALL cycles of F on R of least period <= K, except possibly points of the named residual intervals.
Cites       the table A0, then the listed A1 cycles.
Witness     up_to K; max_knots: a bound on the size of any iterate's table.
Checks      1  the table of F^k, composed exactly, stays within max_knots for every k <= K
            2  every listed cycle has least period <= K, and no two share a point
            3  for every k with K/2 < k <= K (their divisors are all numbers up to K) each isolated solution of F^k(x) = x is a point of a
               listed cycle; intervals on which F^k is the identity become the residual (computed here, never supplied)
Fails when  a cycle is missing.
Rests on    on each piece F^k(x) = x is one linear equation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import AllCycles, ExactCycle, Pieces
from proofs.theorems.powers import composed, limit

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.theorems.card import Application

MAX_UP_TO = 4096


def check(step: Application) -> AllCycles:
    """Verify one application; see the card above."""
    function = step.cite(Pieces).function
    up_to = step.witness.integer("up_to", 1, MAX_UP_TO)
    most = limit(step)
    cycles = [step.cite(ExactCycle) for _ in range(step.citations_left)]
    points = {point[0] for cycle in cycles for point in cycle.points}
    short = all(cycle.period <= up_to for cycle in cycles)
    step.require(2, short, f"listed cycles of period at most {up_to}", max((cycle.period for cycle in cycles), default=0))
    step.require(2, len(points) == sum(cycle.period for cycle in cycles), "listed cycles without a common point", "a cycle listed twice")
    residual: list[tuple[int, Fraction | None, Fraction | None]] = []
    power = function
    for k in range(1, up_to + 1):
        power = composed(step, 1, function, power, most) if k > 1 else function
        if 2 * k <= up_to:
            continue
        isolated, spans = power.fixed_points()
        missing = next((x for x in isolated if x not in points), None)
        step.require(3, missing is None, f"every solution of F^{k}(x) = x on a listed cycle", ("a point on none, x =", missing))
        residual.extend((k, low, high) for low, high in spans)
    return AllCycles(up_to, tuple(cycles), tuple(residual))
