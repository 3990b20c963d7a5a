"""A1 ``exact_cycle``. A rational point has least period k.

Statement   F^k(x) = x and no smaller iterate returns; the orbit of x is the cycle.
Witness     point (M rationals), period k.
Checks      1  every weight is a single number and F is piecewise linear (so that evaluation is exact)
            2  F^k(x) = x
            3  F^(k/p)(x) != x for each prime p dividing k
Fails when  the point is rounded, k is a multiple of the least period.
Rests on    nothing. Needs no pattern, so it also serves orbits that touch a border.
"""

from __future__ import annotations

from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.claims import ExactCycle
from proofs.grammar import shown
from proofs.theorems.card import MAX_PERIOD, Application
from proofs.theorems.orbits import distance, prime_factors

MAX_COORDINATES = 2**20


def check(step: Application) -> ExactCycle:
    """Verify one application; see the card above."""
    step.require_exact(1)
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    period = step.witness.integer("period", 1, MAX_PERIOD)
    size = period * step.network.dimension
    step.require(1, size <= MAX_COORDINATES, f"period times states at most {MAX_COORDINATES}", size)
    start = step.witness.column("point", step.network.dimension)
    step.require(2, start.is_exact, "a point without radius", "an interval")
    orbit = [_entries(start)]
    state = start
    for _ in range(period):
        state = step.network.image(state)
        orbit.append(_entries(state))
        step.require_short_entries(2, state)
    step.require(
        2, orbit[period] == orbit[0], f"F^{period}(x) = x", lambda: f"a point at distance {shown(distance(orbit[period], orbit[0]))}"
    )
    for prime in prime_factors(period):
        again = period // prime
        step.require(3, orbit[again] != orbit[0], f"F^{again}(x) != x", f"F^{again}(x) = x: the least period divides {again}")
    return ExactCycle(tuple(orbit[:period]))


def _entries(state: Matrix) -> tuple[Fraction, ...]:
    return tuple(state.middle(row) for row in range(len(state.mid)))
