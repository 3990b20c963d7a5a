"""A3 ``stability``. How many multipliers of a cycle lie inside and outside the unit circle.

Statement   The cycle has exactly s multipliers inside and u outside the unit circle, none on it.
Cites       an A2 or A1 cycle.
Witness     forms: symmetric rational Q_1..Q_k, one a point of the cycle; bits: working precision.
Checks      1  the cycle touches no border (a border orbit has no multipliers)
            2  k symmetric M x M forms without radii
            3  Q_t - J_t' Q_(t+1) J_t is positive definite for every t, Q_(k+1) = Q_1
            4  the pivots of Q_1 have definite signs; s of them positive, u negative
Fails when  a multiplier has modulus 1; the forms were rounded too coarsely; a leading pivot of Q_1 vanishes (perturb Q_1).
Rests on    Stein's inertia theorem (Taussky 1964; Wimmer 1973) for P = J_k..J_1: the sum of check 3, each term carried back to time 1, is
            Q_1 - P' Q_1 P > 0; holds for singular P and for interval P. A multiplier 0 gives the exponent -infinity.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.claims import CycleClaim, Stability
from proofs.grammar import shown
from proofs.inertia import is_positive_definite, pivot_signs
from proofs.reader import read_matrix
from proofs.theorems.orbits import closed_pairs, cycle_jacobians

if TYPE_CHECKING:
    from proofs.arithmetic import Matrix
    from proofs.theorems.card import Application


def check(step: Application) -> Stability:
    """Verify one application; see the card above."""
    cycle = step.cite(CycleClaim)
    bits = step.needed_bits()
    jacobians = cycle_jacobians(step, 1, cycle, bits)
    inside = count_below(step, jacobians, Fraction(1), step.witness.items("forms"), bits)
    return Stability(cycle, inside, step.network.dimension - inside)


def count_below(step: Application, jacobians: list[Matrix], rate: Fraction, forms: list[object], bits: int) -> int:
    """Prove and return how many multipliers of J_k..J_1 have modulus < rate**k; all others have modulus > rate**k (checks 2 to 4)."""
    size = step.network.dimension
    step.require(2, len(forms) == len(jacobians), f"{len(jacobians)} forms, one a point", len(forms))
    matrices = [read_matrix(form, (size, size), f"{step.witness.where}, field forms[{t}]") for t, form in enumerate(forms)]
    for time, form in enumerate(matrices, 1):
        step.require(2, form.is_exact and form.mid == form.transposed().mid, f"form {time} symmetric and without radii", "another matrix")
    for time, (jacobian, (here, there)) in enumerate(zip(jacobians, closed_pairs(matrices), strict=True), 1):
        decrease = here.times(rate * rate) - jacobian.transposed() @ there @ jacobian
        law = f"c^2 Q - J'QJ positive definite at time {time}"
        remedy = "a multiplier may be too close to the circle of radius c^k; certify again with more bits"
        step.require(3, is_positive_definite(decrease, bits), law, lambda: f"not proved for c = {shown(rate)}", remedy)
    signs = pivot_signs(matrices[0], bits)
    step.require(4, 0 not in signs, "pivots of Q_1 of definite sign", "a pivot that may be 0", "perturb Q_1")
    return signs.count(1)
