"""Chaos or order of scalar piecewise-linear maps, many at a time, by counting the fixed points of iterates (torch, any device).

F has a cycle of least period 2^(j+1) exactly if F^(2^(j+1)) fixes more points than F^(2^j); one of period 3 * 2^j exactly if F^(3 * 2^j)
does and there is none of an earlier kind in Sharkovskii's order. Counts are certain (see ``line_iterates``); what rounding leaves open
stays undecided here. Ends at infinity count as points for order, as in card C3. From F^4 on only the places where the greatest point of a
longer cycle can lie are kept (then, where the witness is not among these, the places of the least point).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from verify.numerics.line_iterates import LISTED, Iterates, composed, first_iterates
from verify.numerics.line_points import Points, li_yorke_points, odd_points
from verify.numerics.line_pruning import ceilings, pruned
from verify.numerics.line_tables import LineTables, starts_of
from verify.numerics.line_zeros import Zeros, marked, zeros, zeros_of_earlier, zeros_of_first

OPEN, DEEP, ORDERED, LI_YORKE, ODD_PERIOD, COVERING = range(6)
EARLY = 4  # iterates looked at in every batch; what is left then is collected
LAST = 192
MOST_BREAKS = 2**13  # of one network's list once it is pruned, and
MOST_A_KNOT = 16  # so many more for each knot of F
GROUP_BREAKS = 2**22  # of all networks looked at together
FIVE = 5
SLIGHT = 1e-12  # a margin that may be rounding alone


@dataclass(frozen=True, eq=False)
class LineDecisions:
    """What floats decide, one entry a network.

    ``kind``: OPEN (rounding), DEEP (the limits here were reached), ORDERED (``power`` is the exponent n of C3), LI_YORKE, ODD_PERIOD
    (``power`` steps), COVERING (G = F^power); the last three are candidates: ``point``, its ``margin`` (of LI_YORKE: nearly the largest
    sup-norm radius), and ``lipschitz`` of F. ``period_2``, ``period_3``: 1 there is one, 0 there is none, -1 open.

    **Guarantee:** ORDERED and the periods hold by stated rounding bounds; candidates are heuristic.
    """

    kind: NDArray[np.int8]
    power: NDArray[np.int64]
    point: NDArray[np.float64]
    margin: NDArray[np.float64]
    lipschitz: NDArray[np.float64]
    period_2: NDArray[np.int8]
    period_3: NDArray[np.int8]


@dataclass
class _Board:
    """Decisions being written."""

    count: int
    answer: LineDecisions = field(init=False)

    def __post_init__(self) -> None:
        n = self.count
        blank = [np.full(n, np.nan) for _ in range(3)]
        periods = [np.full(n, -1, dtype=np.int8) for _ in range(2)]
        self.answer = LineDecisions(np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64), *blank, *periods)

    def order(self, rows: NDArray[np.int64], exponent: int | NDArray[np.int64]) -> None:
        self.answer.kind[rows], self.answer.power[rows] = ORDERED, exponent

    def chaos(self, rows: NDArray[np.int64], kind: int, power: int, points: Points) -> None:
        self.answer.kind[rows], self.answer.power[rows] = kind, power
        self.answer.point[rows] = points.x.cpu().numpy()
        self.answer.margin[rows] = points.margin.cpu().numpy()
        self.answer.lipschitz[rows] = points.lipschitz.cpu().numpy()


@dataclass(frozen=True, eq=False)
class _Alive:
    """The networks that are still open: their rows, F^n for the n reached, and the outer slopes of F^(2^j), the last power of two."""

    rows: Tensor
    power: Iterates
    rays: Tensor

    def keep(self, mask: Tensor) -> _Alive:
        """Return those that stay open."""
        at = torch.nonzero(mask)[:, 0]
        return self if len(at) == len(self.rows) else _Alive(self.rows[at], self.power.select(at), self.rays[at])


def decide_tables(batches: Sequence[LineTables]) -> LineDecisions:
    """Decide networks given in several batches of tables, in their order. **Cost:** linear in the breaks of the iterates looked at."""
    sizes = [len(maps) for maps in batches]
    board = _Board(sum(sizes))
    left: list[_Alive] = []
    for maps, first in zip(batches, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True):
        rows = torch.arange(first, first + len(maps), device=maps.start.device)
        power = first_iterates(maps)
        alive = _first(board, _Alive(rows, power, power.rays))
        left.append(_advance(board, alive, 1, EARLY))
    for group in _groups([alive for alive in left if len(alive.rows)]):
        _later(board, group, 1)
        _later(board, group.keep(_unfinished(board, group.rows)), -1)
    return board.answer


def _later(board: _Board, alive: _Alive, side: int) -> None:
    deep = _advance(board, alive, EARLY, LAST, side)
    board.answer.kind[deep.rows.cpu().numpy()] = DEEP


def _unfinished(board: _Board, rows: Tensor) -> Tensor:
    """Say which networks may do better when the least points of cycles are followed."""
    kind, margin = board.answer.kind[rows.cpu().numpy()], board.answer.margin[rows.cpu().numpy()]
    return torch.from_numpy((kind == DEEP) | ((kind > ORDERED) & ~(margin > SLIGHT))).to(rows.device)


def _first(board: _Board, alive: _Alive) -> _Alive:
    """Settle contractions, increasing and decreasing maps by their slopes."""
    maps = alive.power.maps
    found, signs = zeros(alive.power)
    alive = _Alive(alive.rows, marked(marked(alive.power, signs), signs), alive.rays)
    start = maps.start + torch.arange(len(maps.start), device=maps.start.device)
    owner = torch.repeat_interleave(torch.arange(len(maps), device=start.device), start[1:] - start[:-1])
    falls = torch.zeros_like(maps.unsafe)
    falls[owner[maps.slopes - maps.slope_radii < 0]] = True
    settled = ((maps.steepest() < 1) | ~falls) & ~alive.power.unsafe
    rows = alive.rows[settled].cpu().numpy()
    swapping = (alive.rays < 0).all(dim=1)[settled]  # F exchanges the infinities
    board.order(rows, swapping.long().cpu().numpy())
    board.answer.period_2[rows] = board.answer.period_3[rows] = 0
    return alive.keep(~settled & ~found.unsafe)


def _advance(board: _Board, alive: _Alive, n: int, last: int, side: int = 0) -> _Alive:
    """Look at F^(n+1), .., F^last; ``side`` 1 follows the greatest points of cycles, -1 the least."""
    while n < last and len(alive.rows):
        n += 1
        power = _pruned(alive.power, side) if side else alive.power
        power = composed(power)
        alive = _Alive(alive.rows, power, alive.rays).keep(~power.unsafe)
        if side:
            alive = _within(board, alive)
        if len(alive.rows):
            alive = _look(board, alive, n)
    return alive


def _within(board: _Board, alive: _Alive) -> _Alive:
    """Give up the networks whose lists have grown too long."""
    sizes, knots = (start[1:] - start[:-1] for start in (alive.power.start, alive.power.maps.start))
    long = sizes > MOST_BREAKS + MOST_A_KNOT * knots
    board.answer.kind[alive.rows[long].cpu().numpy()] = DEEP
    return alive.keep(~long)


def _pruned(power: Iterates, side: int) -> Iterates:
    return pruned(power, ceilings(power.maps, side))


def _look(board: _Board, alive: _Alive, n: int) -> _Alive:
    """Compare the fixed points of F^n with those of its divisor, where that decides something."""
    halved, third = n & (n - 1) == 0, n % 3 == 0 and (n // 3) & (n // 3 - 1) == 0
    if not (halved or third or n == FIVE):
        return alive
    found, signs = zeros(alive.power)
    base = _divisor(alive.power, n)
    certain = ~found.unsafe & ~base.unsafe
    more = certain & (found.count > base.count)
    rows = alive.rows[certain].cpu().numpy()
    if n in {2, 3}:
        (board.answer.period_2 if n == 2 else board.answer.period_3)[rows] = more[certain].cpu().numpy()  # noqa: PLR2004
    if halved:
        moved = ((alive.power.rays > 0) & (alive.rays <= 0)).any(dim=1)
        done = certain & ~more & ~moved
        ordered = alive.rows[done].cpu().numpy()
        board.order(ordered, n.bit_length() - 2)
        board.answer.period_3[ordered] = 0
        return _Alive(alive.rows, marked(alive.power, signs), alive.power.rays).keep(certain & ~done)
    at = torch.nonzero(more)[:, 0]
    if len(at):
        chosen = alive.power.select(at)
        kind = ODD_PERIOD if n == FIVE else LI_YORKE if n == 3 else COVERING  # noqa: PLR2004
        points = odd_points(chosen, n) if n == FIVE else li_yorke_points(chosen, n // 3)
        board.chaos(alive.rows[at].cpu().numpy(), kind, n if n == FIVE else n // 3, points)
    return alive.keep(certain & ~more)


def _divisor(power: Iterates, n: int) -> Zeros:
    """Count the fixed points of F^(n/2), of F^(n/3), for n = 5 those of F."""
    if n == FIVE:
        return zeros_of_first(power)
    return zeros_of_earlier(power, 0 if n % 3 == 0 else 1)


def _groups(parts: list[_Alive]) -> list[_Alive]:
    """Join what the batches left, as much as fits together."""
    groups: list[list[_Alive]] = [[]]
    size = 0
    for part in parts:
        size += len(part.power.x) * EARLY
        if size > GROUP_BREAKS and groups[-1]:
            groups.append([])
            size = len(part.power.x) * EARLY
        groups[-1].append(part)
    return [_joined(group) for group in groups if group]


def _joined(parts: list[_Alive]) -> _Alive:
    maps = [part.power.maps for part in parts]
    powers = [part.power for part in parts]
    tables = LineTables(
        _starts([m.start for m in maps]),
        *(torch.cat([getattr(m, name) for m in maps]) for name in ("knots", "knot_radii", "slopes", "intercepts")),
        *(torch.cat([getattr(m, name) for m in maps]) for name in ("slope_radii", "intercept_radii", "unsafe")),
    )
    names = (*LISTED, "rays", "endless", "unsafe")
    power = Iterates(tables, _starts([p.start for p in powers]), *(torch.cat([getattr(p, name) for p in powers]) for name in names))
    return _Alive(torch.cat([part.rows for part in parts]), power, torch.cat([part.rays for part in parts]))


def _starts(starts: list[Tensor]) -> Tensor:
    return starts_of(torch.cat([start[1:] - start[:-1] for start in starts]))
