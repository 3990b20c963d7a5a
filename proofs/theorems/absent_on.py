"""E1b ``absent_on``. No cycle follows an itinerary, all over a range of mu (it is virtual there).

Statement   For no mu in [low, high] F_mu has a cycle with the closed itinerary w.
Cites       a path step.
Witness     itinerary w; breaks m_0 < .. < m_n; cells: for each [m_i, m_i+1] an object with inverse C, time t, unit j and bits.
Checks      1  m_0 < .. < m_n within the path, one object a cell; w not a power of a shorter word
            2  |I - C (I - P)| < 1 on the cell: one solution z(mu) of the equations of w
            3  its pre-activation (t, j) has strictly the sign that w does not name, on the whole cell
Fails when  another unit is violated in another part of the cell (cut it there); I - P is singular somewhere.
Rests on    a cycle with the closed itinerary w would be that solution.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.parameters import AbsentOn, Line
from proofs.theorems.exists_on import read_breaks
from proofs.theorems.following import gates_on, read_word, sign

if TYPE_CHECKING:
    from proofs.theorems.card import Application


def check(step: Application) -> AbsentOn:
    """Verify one application; see the card above."""
    line, size = step.cite(Line), step.network.dimension
    breaks, word = read_breaks(step, line), read_word(step, 1)
    step.require(1, step.network.hinges > 0, "a network with hinges", "none")
    cells = step.witness.objects("cells")
    step.require(1, len(cells) == len(breaks) - 1, f"{len(breaks) - 1} cells", len(cells))
    step.require_work(1, 16 * len(cells) * len(word) * (size**3 + step.network.products), None)
    for cell, ends in zip(cells, pairwise(breaks), strict=True):
        time, unit = cell.integer("time", 1, len(word)), cell.integer("unit", 1, step.network.hinges)
        bits = step.about(step.network, cell, "").needed_bits()
        value = gates_on(step, 2, line, word, ends, cell.matrix("inverse", (size, size)), bits)[time - 1][unit - 1][0]
        wrong = -1 if word[time - 1][unit - 1] == "1" else 1
        law = ("pre-activation of unit", unit, "at time", time, "<" if wrong < 0 else ">", "0 on the whole cell")
        step.require(3, sign(value) == wrong, law, value, "a shorter cell, or another unit")
        cell.close()
    return AbsentOn(line.end.digest, line.at, breaks[0], breaks[-1], word)
