"""E3 ``gradient_vanishing``. At a border collision the gradient by the colliding unit's outgoing weights vanishes, and no other.

Statement   As mu -> mu* on the side where the cycle exists, the derivative of its points by each weight that multiplies the output of the
            colliding unit j tends to 0; that by the biases of the last operation does not.
Cites       a border_collision step.
Witness     nothing.
Checks      1  at all other times the letter of unit j is 0
            2  the output of the unit's relu is read by affine operations only
            3  the last operation is affine
Fails when  unit j is active elsewhere on the cycle: then the derivative keeps the terms of those times.
Rests on    dz/dW = B^-1 (terms with the factor relu(a_j)), B the cyclic system I - J of all k points, nonsingular on the whole range, so
            that it is bounded; relu(a_j) is 0 at the other times and tends to 0 at the colliding one. dz/dh = B^-1 (I; ..; I) is never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.parameters import BorderCollision, GradientVanishing
from proofs.theorems.family import gate_blocks

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> GradientVanishing:
    """Verify one application; see the card above."""
    collision = step.cite(BorderCollision)
    for time, letters in enumerate(collision.itinerary, 1):
        inactive = letters[collision.unit - 1] == "0" or time == collision.time
        step.require(1, inactive, f"unit {collision.unit} inactive at time {time}", "active", "the derivative does not vanish there")
    program = step.network.program
    relus = [register for register, operation in enumerate(program, 1) if operation.name == "relu"]
    home = next(r for r, (first, last) in zip(relus, gate_blocks(step.network), strict=True) if first < collision.unit <= last)
    readers = {operation.name for operation in program if home in operation.of}
    step.require(2, readers == {"affine"}, "affine operations that read the unit", readers or "none")
    step.require(3, program[-1].name == "affine", "a last operation with biases", program[-1].name)
    return GradientVanishing(collision)
