"""E2 ``flip``. A multiplier of a cycle passes through -1 (degenerate flip).

Statement   For every mu in [low, high] the cycle with itinerary w exists and touches no border; for exactly one mu* in (low, high) it
            has the multiplier -1, and there it lies on a segment of points of twice its period.
Cites       a path step.
Witness     low, high; itinerary w; inverse C; left b, right c (M numbers each); bordered: inverse of [[I + P, b], [c', 0]]; bits.
Checks      1  low < high within the path; w not a power of a shorter word
            2  |I - C (I - P)| < 1 on [low, high]
            3  every pre-activation strictly has the sign that w names on [low, high]
            4  |I - C' K| < 1 on [low, high], K = [[I + P, b], [c', 0]]; let K (v; g) = (0; 1)
            5  g has strictly opposite signs at low and at high, its derivative by mu is not 0 on [low, high]
Fails when  the cycle touches a border first; two multipliers pass together.
Rests on    g = det(I + P) / det K. At mu*, P v = -v with c'v = 1, and z + x v is mapped to z - x v and back for all small x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.parameters import Flip, Line
from proofs.theorems.family import read_range
from proofs.theorems.following import bordered, gates_on, once_around, read_word, require_letters, rows_of, sign, solved

if TYPE_CHECKING:
    from proofs.theorems.card import Application
    from proofs.theorems.following import Round


def check(step: Application) -> Flip:
    """Verify one application; see the card above."""
    line, bits, size = step.cite(Line), step.needed_bits(), step.network.dimension
    ends, word = read_range(step, line, 1), read_word(step, 1)
    around = once_around(step, line, word, ends, bits)
    inverse = step.witness.matrix("inverse", (size, size))
    require_letters(step, 3, word, gates_on(step, 2, line, word, ends, inverse, bits), set())
    left, right = (step.witness.column(name, size) for name in ("left", "right"))
    inverse = step.witness.matrix("bordered", (size + 1, size + 1))
    unit = Matrix(((0,),) * size + ((1,),), None, 1)

    def system(here: Round) -> Matrix:
        return bordered(Matrix.identity(size) + here.product, left, right)

    signs = []
    for end in ends:
        here = once_around(step, line, word, (end, end), bits)
        signs.append(sign(solved(step, 4, system(here), inverse, unit, bits).interval(size)))
    step.require(5, signs[0] * signs[1] < 0, "g of strictly opposite signs at low and high", signs, "a longer range, or more bits")
    direction = solved(step, 4, system(around), inverse, unit, bits)
    pull = (around.slope @ rows_of(direction, 0, size)).times(-unit.middle(size))
    speed = solved(step, 4, system(around), inverse, Matrix.stacked([pull, Matrix(((0,),), None, 1)]), bits).interval(size)
    step.require(5, sign(speed) != 0, "dg/dmu not 0 on the range", speed, "a shorter range")
    return Flip(line.end.digest, line.at, *ends, word)
