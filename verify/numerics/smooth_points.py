"""Points of Li and Yorke for G = F^m, and points that come back on the other side after an odd number of steps, suggested by grids.

A point is searched where its *room*, the least of the gaps in the inequalities, is largest: on a grid of the interval that holds all
cycles, then ever closer around the best local maxima, many networks at a time. Nothing here is proved.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from verify.numerics.smooth_line import SmoothMaps, Span

GRID, FINEST = 512, 4_096
BEST = 6  # local maxima that are looked at more closely
ZOOMS = 8
OFFSETS = 9  # points on a stretch of two steps; each zoom narrows it to a quarter
SHORT = (4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 36, 40, 46, 52)
SCALES = (3, 44)  # powers of 1/2: distances from a point of a cycle
WORTH = 0.9  # of the room that shortening leaves
AT_A_TIME = 2**20
NOISE = 2.0**-34  # gaps that rounding may have made


@dataclass(frozen=True)
class Kind:
    """What is looked for: G^3(x) <= x < G(x) < G^2(x) with G = F^step, or, with ``odd``, F^odd(x) <= x < F(x); or all reversed."""

    step: int = 1
    odd: int = 0

    @property
    def grid(self) -> int:
        """Return how many points the first grid has."""
        return min(GRID * max(self.step, self.odd), FINEST)


@dataclass(frozen=True, eq=False)
class Sought:
    """Networks in which a kind of point is looked for. ``steep`` is about the largest slope of F."""

    maps: SmoothMaps
    rows: Tensor
    kind: Kind
    steep: Tensor

    def rooms(self, x: Tensor) -> Tensor:
        """Return the least of the gaps, in the direction of the first, F(x) - x; where it is not above 0, relative to the first.

        Near fixed points all gaps vanish; relative ones stay below -1/2 there, and come close to 0 near what is sought.
        **Shapes:** x (rows, points).
        """
        owner = self.rows.repeat_interleave(x.shape[1])
        start = now = x.flatten()
        orbit = []
        for time in range(1, (self.kind.odd or 3 * self.kind.step) + 1):
            now = self.maps.values(owner, now)
            if time % self.kind.step == 0:
                orbit.append(now)
        first = orbit[0] - start
        way, first = first.sign(), first.abs()
        least = way * (start - orbit[-1])
        room = torch.minimum(first, least)
        if not self.kind.odd:
            second = way * (orbit[1] - orbit[0])
            steep = self.steep.repeat_interleave(x.shape[1])
            room = torch.minimum(first, torch.minimum(second / (2 + steep), least / (1 + steep + steep * steep)))
            least = torch.minimum(second, least)
        relative = torch.where(first > NOISE, (least / first).clamp(-1.0, 0.0), -1.0)
        return torch.where((least > 0) & (first > NOISE), room, relative).view_as(x)

    def search(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best points found between these ends, and their rooms. **Shapes:** (rows, 1)."""
        count = self.kind.grid
        step = (high - low) / count
        x = low + step * (torch.arange(count, dtype=low.dtype, device=low.device) + 0.5)
        rooms = self.rooms(x)
        edge = torch.full_like(low, -torch.inf)
        peak = (rooms >= torch.cat([edge, rooms[:, :-1]], dim=1)) & (rooms >= torch.cat([rooms[:, 1:], edge], dim=1))
        best = torch.where(peak, rooms, -torch.inf).topk(BEST, dim=1).indices
        return self._zoomed(x.gather(1, best), step)

    def search_near(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best points found beside the three points of a cycle of G, at all scales. **Shapes:** (rows,)."""
        seeds = [x]
        for _ in range(2 * self.kind.step):
            seeds.append(self.maps.values(self.rows, seeds[-1]))
        steps = 2.0 ** -torch.arange(*SCALES, dtype=x.dtype, device=x.device)
        around = torch.stack(seeds[:: self.kind.step], dim=1)[:, :, None] + torch.cat([steps, -steps])
        around = around.flatten(1).clamp(-1.0, 1.0)
        best = self.rooms(around).topk(BEST, dim=1).indices
        return self._zoomed(around.gather(1, best), steps.repeat(6)[best] / 2)

    def _zoomed(self, x: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best points found ever closer to these, and their rooms. **Shapes:** (rows, several), steps of that or (rows, 1)."""
        offsets = torch.linspace(-1, 1, OFFSETS, dtype=x.dtype, device=x.device)
        rooms = x
        for zoom in range(ZOOMS):
            around = (x[:, :, None] + step[:, :, None] * offsets / 4**zoom).clamp(-1.0, 1.0)
            near = self.rooms(around.flatten(1)).view_as(around)
            at = near.argmax(dim=2, keepdim=True)
            x, rooms = around.gather(2, at)[:, :, 0], near.gather(2, at)[:, :, 0]
        at = rooms.argmax(dim=1, keepdim=True)
        return x.gather(1, at), rooms.gather(1, at)

    def shortened(self, x: Tensor, room: Tensor) -> tuple[Tensor, Tensor]:
        """Return the shortest dyadic beside x that leaves most of the room, else x; and its room."""
        scales = torch.tensor([2.0**bits for bits in SHORT], dtype=x.dtype, device=x.device)
        places = torch.cat([((x * scales).round() / scales).clamp(-1.0, 1.0), x], dim=1)
        rooms = self.rooms(places)
        good = rooms >= torch.where(room > 0, WORTH * room, room)
        good[:, -1] = True
        first = good.to(torch.int8).argmax(dim=1, keepdim=True)
        return places.gather(1, first)[:, 0], rooms.gather(1, first)[:, 0]


def suggested(maps: SmoothMaps, rows: Tensor, kind: Kind, trap: Span) -> tuple[Tensor, Tensor]:
    """Return for each network a short dyadic point of this kind and its room, not above 0 where none was seen.

    For points of Li and Yorke of F itself the room is about the sup-norm radius that card B1 would prove with F's own largest slope.
    **Guarantee:** heuristic.
    """
    return _joined(
        [(s := _sought(maps, part, kind)).shortened(*s.search(trap.low[part, None], trap.high[part, None])) for part in _parts(rows, kind)]
    )


def near_cycles(maps: SmoothMaps, rows: Tensor, step: int, places: Tensor) -> tuple[Tensor, Tensor]:
    """Do the same for G = F^step beside a place near a cycle of three points of G, which need not be in order."""
    kind = Kind(step)
    pairs = zip(_parts(rows, kind), _parts(places, kind), strict=True)
    return _joined([(s := _sought(maps, part, kind)).shortened(*s.search_near(x)) for part, x in pairs])


def _sought(maps: SmoothMaps, rows: Tensor, kind: Kind) -> Sought:
    none = torch.zeros(len(rows), dtype=maps.slack.dtype, device=rows.device)
    return Sought(maps, rows, kind, steepest(maps, rows) if kind == Kind() else none)


def _parts(rows: Tensor, kind: Kind) -> tuple[Tensor, ...]:
    return torch.split(rows, AT_A_TIME // kind.grid)


def _joined(found: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.cat([x for x, _ in found]), torch.cat([room for _, room in found])


def steepest(maps: SmoothMaps, rows: Tensor) -> Tensor:
    """Return about the largest slope of F on [-1, 1]."""
    share = torch.linspace(-1, 1, GRID, dtype=maps.slack.dtype, device=rows.device)
    owner, x = rows.repeat_interleave(GRID), share.repeat(len(rows))
    slope = maps.lines[maps.start[owner] + owner + maps.places(owner, x), 0]
    return (slope.abs() * (1 - maps.values(owner, x) ** 2)).view(-1, GRID).amax(dim=1)
