"""E1 ``exists_on``. A cycle exists all over a range of mu, with the same stability.

Statement   For every mu in [low, high] F_mu has exactly one cycle with itinerary w (smooth: one cycle, continuous in mu), it touches no
            border, its least period is k; if stability was proved, the same s multipliers lie inside and u outside the unit circle, so
            that it has no border collision and no multiplier on the circle.
Cites       a path step.
Witness     breaks m_0 < .. < m_n; cells: for each [m_i, m_i+1] a witness of card A2 for the network whose weights are the intervals that
            F_mu runs through there, with its bits; optional forms as in card A3; joints (smooth only): for each inner m_i a witness of A2.
Checks      1  m_0 < .. < m_n within the path, one witness a cell (smooth: one joint an inner break)
            2  A2 holds for each cell, with one and the same itinerary (smooth: balls of one period, no relu border inside them)
            3  A3 holds for each cell, with the same counts; or no cell has forms
            4  smooth: A2 holds for F_mu at each joint, its balls inside those of both cells beside it
Fails when  an event of the cycle lies in the range; a cell is too long.
Rests on    A2, A3 for every network inside a cell. For each mu an itinerary has one cycle at most, so cells agree where they meet; the
            cycle of a joint is the one inside the balls of both cells.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.claims import BallCycle, Cycle, CycleClaim
from proofs.errors import Malformed
from proofs.parameters import ExistsOn, Line
from proofs.theorems import cycle, stability
from proofs.theorems.family import network_on, require_range
from proofs.theorems.orbits import ball, cycle_jacobians, distance

if TYPE_CHECKING:
    from proofs.reader import Fields
    from proofs.theorems.card import Application

_MAX_CELLS = 2**14


def check(step: Application) -> ExistsOn:
    """Verify one application; see the card above."""
    line = step.cite(Line)
    breaks = read_breaks(step, line)
    contents = step.witness.objects("cells")
    step.require(1, len(contents) == len(breaks) - 1, f"{len(breaks) - 1} cells", len(contents))
    step.require_work(1, len(contents) * (step.network.products + step.network.dimension**3), None)
    cells = [_cell(step, line, content, ends) for content, ends in zip(contents, pairwise(breaks), strict=True)]
    first, counts = cells[0]
    for claim, other in cells:
        step.require(2, _word(claim) == _word(first) and claim.period == first.period, "one itinerary in all cells", "another one")
        step.require(3, other == counts, "the same stability in all cells", (counts, other))
    if not step.network.is_piecewise_linear:
        _require_joints(step, line, breaks, [claim for claim, _ in cells])
    inside, outside = counts if counts is not None else (None, None)
    return ExistsOn(line.end.digest, line.at, breaks[0], breaks[-1], _word(first), first.period, inside, outside)


def read_breaks(step: Application, line: Line) -> tuple[Fraction, ...]:
    """Read m_0 < .. < m_n within the line (check 1)."""
    breaks = step.witness.numbers("breaks")
    step.require(1, 1 < len(breaks) <= _MAX_CELLS, f"two to {_MAX_CELLS} breaks", len(breaks))
    step.require(1, all(one < two for one, two in pairwise(breaks)), "breaks in order", breaks)
    require_range(step, line, 1, breaks[0], breaks[-1])
    return breaks


def _cell(step: Application, line: Line, content: Fields, ends: tuple[Fraction, Fraction]) -> tuple[CycleClaim, tuple[int, int] | None]:
    claim, part = _cycle(step, line, content, ends)
    if isinstance(claim, BallCycle):
        step.require(2, not step.network.is_piecewise_linear, "an itinerary in every cell of a piecewise-linear family", "none")
        for time, point in enumerate(claim.points, 1):
            clear = part.network.pattern(ball(point, claim.radius), part.bits()) is not None
            step.require(2, clear, "no relu border inside the balls", f"ball {time} meets one")
    counts: tuple[int, int] | None = None
    if content.has("forms"):
        jacobians = cycle_jacobians(part, 3, claim, part.bits())
        inside = stability.count_below(part, jacobians, Fraction(1), content.items("forms"), part.needed_bits())
        counts = (inside, step.network.dimension - inside)
    content.close()
    return claim, counts


def _cycle(step: Application, line: Line, content: Fields, ends: tuple[Fraction, Fraction]) -> tuple[CycleClaim, Application]:
    """Apply card A2 to the network of intervals between the ends."""
    bits = step.about(step.network, content, "").needed_bits()
    part = step.about(network_on(step, line, *ends, bits), content, f", mu from {ends[0]} to {ends[1]}")
    claim = cycle.check(part)
    return claim, part


def _require_joints(step: Application, line: Line, breaks: tuple[Fraction, ...], claims: list[CycleClaim]) -> None:
    joints = step.witness.objects("joints")
    step.require(1, len(joints) == len(claims) - 1, f"{len(claims) - 1} joints", len(joints))
    for content, mu, one, two in zip(joints, breaks[1:-1], claims, claims[1:], strict=False):
        claim, _ = _cycle(step, line, content, (mu, mu))
        content.close()
        for cell in (one, two):
            if not isinstance(claim, BallCycle) or not isinstance(cell, BallCycle) or claim.period != cell.period:
                raise Malformed(
                    where=f"joint at mu = {mu}", law="exists_on", expected="balls, as many as in the cells", got="another cycle"
                )
            for mine, theirs in zip(claim.points, cell.points, strict=True):
                reach = distance(mine, theirs) + claim.radius
                step.require(4, reach <= cell.radius, "the joint's balls inside those of both cells", (reach, cell.radius))


def _word(claim: CycleClaim) -> tuple[str, ...]:
    return claim.itinerary if isinstance(claim, Cycle) else ()
