"""Does F^p(x) = x imply F^d(x) = x? Decided for many networks F = tanh(g) at a time, by cutting [-1, 1] into cells.

Let G = F^d, p/d = 2 or 3. A cycle of G that is no fixed point has a point with G(x) > x, and all cycles lie in F^12([-1, 1]). So it is
enough that each cell X of that interval is *settled*: G < id on X, or F^p(X) misses X, or F^p - id is strictly monotone on X (its slopes
lie on one side of 0) and either has one sign at both ends, or G - id has opposite signs there, so that the one zero is a fixed point of
G. A cell on which F^p - id has opposite signs at the ends and which G(X) misses holds a point of a longer cycle: the answer is no. Else
it is cut in two. All comparisons are between enclosures by the bounds of ``smooth_line``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from verify.numerics.smooth_line import SmoothMaps, Span, times

FIRST = 16  # cells to begin with
MOST = 2**15  # open cells of one network, times the period
ROUNDS = 38
ROOM = 2.0**-20  # beside a trap that has shrunk to a point
CUT = 0.4871  # not a half: fixed points like round numbers
HOLDS, FAILS, OPEN = 1, 0, -1


@dataclass(frozen=True, eq=False)
class Cells:
    """Intervals of networks ``owner``, with the signs (0: not certain) of F^p - id and F^d - id at both ends.

    **Shapes:** ``owner``, ``low``, ``high`` (cells,); ``before``, ``after`` (cells, 2) at the left and the right ends.
    """

    owner: Tensor
    low: Tensor
    high: Tensor
    before: Tensor
    after: Tensor

    def select(self, rows: Tensor) -> Cells:
        """Return some of the cells."""
        return Cells(*(getattr(self, name)[rows] for name in Cells.__dataclass_fields__))


def only_divisors(maps: SmoothMaps, rows: Tensor, period: int, divisor: int, trap: Span) -> tuple[Tensor, Tensor]:
    """Say for each network of ``rows`` whether all x with F^period(x) = x have F^divisor(x) = x: HOLDS, FAILS or OPEN.

    **Returns:** the answers, and where one is FAILS the left end of a cell that shows it, else nan.
    **Guarantee:** enclosure, by the bounds of ``smooth_line``, where not OPEN. **Cost:** grows with the laps of F^period.
    """
    chosen = rows
    answer = torch.full((len(maps),), OPEN, dtype=torch.int8, device=rows.device)
    witness = torch.full_like(maps.slack, torch.nan)
    rows = rows[maps.usable[rows]]
    waiting = torch.zeros(len(maps), dtype=torch.bool, device=rows.device)
    waiting[rows] = True
    cells = _first(maps, rows, (period, divisor), trap)
    for _ in range(ROUNDS):
        image, passed, slopes = _chain(maps, cells.owner, Span(cells.low, cells.high), period, divisor)
        change = cells.before * cells.after
        longer = (change[:, 0] < 0) & ((passed.low > cells.high) | (passed.high < cells.low))
        answer[cells.owner[longer]] = FAILS
        _note(witness, cells.select(longer.nonzero()[:, 0]))
        waiting[cells.owner[longer]] = False
        single = (slopes.low > 1) | (slopes.high < 1)
        settled = (passed.high < cells.low) | (image.low > cells.high) | (image.high < cells.low)
        settled |= single & ((change[:, 0] > 0) | (change[:, 1] < 0))
        cells = cells.select((~settled & waiting[cells.owner]).nonzero()[:, 0])
        left = torch.bincount(cells.owner, minlength=len(maps))
        answer[waiting & (left == 0)] = HOLDS
        waiting &= (left > 0) & (left * period <= MOST)
        cells = _halved(maps, cells.select(waiting[cells.owner].nonzero()[:, 0]), (period, divisor))
        if not len(cells.owner):
            break
    return answer[chosen], witness[chosen]


def _note(witness: Tensor, cells: Cells) -> None:
    """Write down the first of each network's cells."""
    order = torch.arange(len(cells.owner), device=witness.device)
    first = order.new_full((len(witness),), len(order)).scatter_reduce(0, cells.owner, order, "amin")
    owner = (first < len(order)).nonzero()[:, 0]
    witness[owner] = cells.low[first[owner]]


def _chain(maps: SmoothMaps, owner: Tensor, span: Span, period: int, divisor: int) -> tuple[Span, Span, Span]:
    """Return F^period and F^divisor of intervals, and the slopes of F^period there."""
    passed, slopes = span, Span(torch.ones_like(span.low), torch.ones_like(span.low))
    for time in range(1, period + 1):
        span, steep = maps.image(owner, span)
        slopes = times(slopes, steep)
        passed = span if time == divisor else passed
    return span, passed, slopes


def _signs(maps: SmoothMaps, owner: Tensor, x: Tensor, periods: tuple[int, int]) -> Tensor:
    """Return the signs of F^p(x) - x and F^d(x) - x as small integers, 0 where not certain."""
    image, passed, _ = _chain(maps, owner, Span(x, x), *periods)
    up, down = x <= -1, x >= 1  # F(R) is inside the open interval
    parts = [((part.low > x) | up).to(torch.int8) - ((part.high < x) | down).to(torch.int8) for part in (image, passed)]
    return torch.stack(parts, dim=1)


def _first(maps: SmoothMaps, rows: Tensor, periods: tuple[int, int], trap: Span) -> Cells:
    low, high = (trap.low[rows] - ROOM).clamp_min(-1.0), (trap.high[rows] + ROOM).clamp_max(1.0)
    share = torch.linspace(0, 1, FIRST + 1, dtype=low.dtype, device=rows.device)
    share[1:-1] += (CUT - 0.5) / FIRST
    places = low[:, None] + (high - low)[:, None] * share
    places[:, -1] = high
    signs = _signs(maps, rows.repeat_interleave(FIRST + 1), places.flatten(), periods).view(len(rows), FIRST + 1, 2)
    ends = places[:, :-1].flatten(), places[:, 1:].flatten()
    return Cells(rows.repeat_interleave(FIRST), *ends, signs[:, :-1].flatten(0, 1), signs[:, 1:].flatten(0, 1))


def _halved(maps: SmoothMaps, cells: Cells, periods: tuple[int, int]) -> Cells:
    middle = cells.low + (cells.high - cells.low) * CUT
    signs = _signs(maps, cells.owner, middle, periods)
    return Cells(
        torch.cat([cells.owner, cells.owner]),
        torch.cat([cells.low, middle]),
        torch.cat([middle, cells.high]),
        torch.cat([cells.before, signs]),
        torch.cat([signs, cells.after]),
    )
