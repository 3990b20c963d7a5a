"""C1 ``contraction``. A norm in which F contracts.

Statement   c < 1: F has exactly one fixed point, every orbit converges to it, all Lyapunov exponents are <= log c.
            c >= 1: only that all Lyapunov exponents are <= log c.
Witness     rate c, and (i) weights d (M rationals), optional bits, or (ii) form Q, multipliers L (one a unit), bits.
Checks      1  c > 0; all d_i > 0; Q symmetric and positive definite, all L_j >= 0
            2  (i) N d <= c d, N the entrywise bound of |J| over all relu and tanh slopes in [0, 1], computed by the kernel
            3  (ii) F(x) - F(y) = J d + B u, unit j having slope u_j / a_j in [0, 1] ([0, 1/4] for sigmoid), a = G d + E u: the form
               c^2 d'Qd - (J d + B u)'Q(J d + B u) - 2 sum L_j u_j (limit_j a_j - u_j) in (d, u) is positive definite
Fails when  the network expands in every norm of the form tried.
Rests on    |F(x) - F(y)| <= c |x - y| in the norm max |x_i| / d_i, or in the norm of Q; Banach.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.claims import Contraction, ExponentUpper
from proofs.inertia import is_positive_definite
from proofs.theorems.sectors import embedded, sectors

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> Contraction | ExponentUpper:
    """Verify one application; see the card above."""
    rate = step.witness.number("rate")
    step.require(1, rate > 0, "a positive rate", rate)
    if step.witness.has("form"):
        _quadratic(step, rate)
    else:
        _weighted(step, rate)
    return Contraction(rate) if rate < 1 else ExponentUpper(rate)


def _weighted(step: Application, rate: Fraction) -> None:
    size, weights = step.network.dimension, step.witness.numbers("weights")
    step.require(1, len(weights) == size and all(d > 0 for d in weights), f"{size} positive weights", weights)
    totals = step.network.jacobian(None, step.bits()).magnitudes() @ Matrix.column(weights)
    for i, weight in enumerate(weights):
        total = totals.middle(i)
        step.require(2, total <= rate * weight, f"(N d)_{i + 1} <= c d_{i + 1}", (total, rate * weight))


def _quadratic(step: Application, rate: Fraction) -> None:
    size, bits = step.network.dimension, step.needed_bits()
    sector = sectors(step, 3)
    step.require_work(3, (size + len(sector.limits)) ** 3, bits)
    form, multipliers = step.witness.matrix("form", (size, size)), step.witness.numbers("multipliers")
    step.require(1, form.is_exact and form.mid == form.transposed().mid, "a symmetric form without radii", "another matrix")
    step.require(1, is_positive_definite(form, bits), "Q positive definite", "not proved")
    step.require_short_column(1, multipliers)
    signed = len(multipliers) == len(sector.limits) and all(weight >= 0 for weight in multipliers)
    step.require(1, signed, f"{len(sector.limits)} multipliers >= 0", len(multipliers))
    base = embedded(form.times(rate * rate), size + len(multipliers), Fraction(0))
    gap = sector.gap(base, form, multipliers)
    step.require(3, is_positive_definite(gap, bits), "the quadratic form positive definite", "not proved", "a larger rate or more slack")
