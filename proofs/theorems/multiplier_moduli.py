"""A3b ``multiplier_moduli``. Moduli of a cycle's multipliers, hence its Lyapunov exponents.

Statement   n_i of the cycle's multipliers have modulus < c_i^k and all others have modulus > c_i^k; so n_i of its Lyapunov exponents lie
            below log c_i and the others above.
Cites       an A2 or A1 cycle.
Witness     rates 0 < c_1 < c_2 < ..; levels: for each rate the forms Q_1..Q_k of A3; bits: working precision.
Checks      1  the cycle touches no border; the rates are positive and increase
            2  k symmetric forms for each rate
            3  c_i^2 Q_t - J_t' Q_(t+1) J_t is positive definite for every t
            4  the pivots of Q_1 have definite signs; n_i of them positive
Fails when  a modulus equals c_i^k; as A3.
Rests on    A3 for the Jacobians divided by c_i.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.claims import CycleClaim, MultiplierModuli
from proofs.reader import read_list
from proofs.theorems.orbits import cycle_jacobians
from proofs.theorems.stability import count_below

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> MultiplierModuli:
    """Verify one application; see the card above."""
    cycle = step.cite(CycleClaim)
    bits = step.needed_bits()
    jacobians = cycle_jacobians(step, 1, cycle, bits)
    rates = step.witness.numbers("rates")
    ordered = len(rates) > 0 and rates[0] > 0 and all(one < two for one, two in pairwise(rates))
    step.require(1, ordered, "one or more positive rates in increasing order", rates)
    levels = step.witness.items("levels")
    step.require(2, len(levels) == len(rates), f"{len(rates)} levels of forms", len(levels))
    counts = tuple(
        count_below(step, jacobians, rate, read_list(forms, f"{step.witness.where}, field levels[{i}]"), bits)
        for i, (rate, forms) in enumerate(zip(rates, levels, strict=True))
    )
    return MultiplierModuli(cycle, rates, counts)
