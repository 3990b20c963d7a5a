"""Tables of scalar piecewise-linear networks, many at a time, in floats with rigorous error bounds (torch, any device).

F is a list of knots and a line ``slope x + intercept`` between neighbours. Each number carries a radius that covers all rounding since
the weights: with u = 2^-53, a sum of products over a tree of depth d is off by at most (d + 2) u sum|terms| to first order; the constants
below are doubled, which also pays for the rounding of the radii themselves (fewer than 2^20 operations, relative 2^-33 each way).
A line of which no unit is active is exact, radius 0. A table is *unsafe* where the order of its knots is not certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

UNIT = 2.0**-52  # twice the unit roundoff
HUGE = 2.0**200  # beyond it a network is left to exact arithmetic
TINY = 2.0**-200
LEAST = 2.0**-900  # pays for what underflows


@dataclass(frozen=True, eq=False)
class LineTables:
    """F of n networks; flat arrays, network g has knots start[g] .. start[g+1] - 1.

    **Shapes:** ``start`` (n + 1,), ``knots`` and ``knot_radii`` (total,), ``slopes``, ``intercepts`` and their radii (total + n,): the
    pieces of network g are start[g] + g .. start[g + 1] + g, the left ray first; ``unsafe`` (n,).
    **Guarantee:** enclosure: where not unsafe, the real F has exactly these knots in this order, each within its radius (knots at which the
    slope does not change are allowed), and each piece's line lies within the radii. The boxes around two knots are disjoint unless both
    are exact.
    """

    start: Tensor
    knots: Tensor
    knot_radii: Tensor
    slopes: Tensor
    intercepts: Tensor
    slope_radii: Tensor
    intercept_radii: Tensor
    unsafe: Tensor

    def __len__(self) -> int:
        """Return the number of networks."""
        return len(self.unsafe)

    @property
    def owners(self) -> Tensor:
        """Return the network of each knot."""
        return owners_of(self.start)

    def of_knots(self) -> tuple[Tensor, Tensor]:
        """Return F at each knot and its radius, from whichever neighbouring line is more exact."""
        left = torch.arange(len(self.knots), device=self.knots.device) + self.owners
        one, two = self.on_line(left, self.knots, self.knot_radii), self.on_line(left + 1, self.knots, self.knot_radii)
        better = one[1] <= two[1]
        return torch.where(better, one[0], two[0]), torch.where(better, one[1], two[1])

    def on_line(self, piece: Tensor, x: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """Return the line of a piece at x, and how far its true value at any point within ``radius`` of x can be from that."""
        slope, intercept = self.slopes[piece], self.intercepts[piece]
        rise = slope * x
        error = self.slope_radii[piece] * x.abs() + self.intercept_radii[piece] + UNIT * (rise.abs() + (rise + intercept).abs()) + LEAST
        error = torch.where((slope == 0) & (self.slope_radii[piece] == 0), self.intercept_radii[piece], error)
        return rise + intercept, error + (slope.abs() + self.slope_radii[piece]) * radius

    def ends(self) -> tuple[Tensor, Tensor]:
        """Return the pieces that are the left and the right rays."""
        order = torch.arange(len(self), device=self.start.device)
        return self.start[:-1] + order, self.start[1:] + order

    def steepest(self) -> Tensor:
        """Return a Lipschitz constant of each F, rounding included; a network of one piece has its own."""
        start = self.start + torch.arange(len(self.start), device=self.start.device)
        values = self.slopes.abs() + self.slope_radii
        return torch.zeros(len(self), dtype=values.dtype, device=values.device).scatter_reduce(0, owners_of(start), values, "amax")

    def select(self, rows: Tensor) -> LineTables:
        """Return the tables of these networks, in the order of ``rows``."""
        counts = (self.start[1:] - self.start[:-1])[rows]
        start = starts_of(counts)
        at = spread(self.start[:-1][rows], counts)
        pieces = spread(self.start[:-1][rows] + rows, counts + 1)
        return LineTables(
            start,
            self.knots[at],
            self.knot_radii[at],
            self.slopes[pieces],
            self.intercepts[pieces],
            self.slope_radii[pieces],
            self.intercept_radii[pieces],
            self.unsafe[rows],
        )


def owners_of(start: Tensor) -> Tensor:
    """Return the segment of each entry, given the segments' starts."""
    counts = start[1:] - start[:-1]
    return torch.repeat_interleave(torch.arange(len(counts), device=start.device), counts)


def starts_of(counts: Tensor) -> Tensor:
    """Return 0 and the running sums."""
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def spread(first: Tensor, counts: Tensor) -> Tensor:
    """Return first[0], first[0] + 1, .. (counts[0] of them), first[1], .."""
    start = starts_of(counts)
    inside = torch.arange(int(start[-1]), device=first.device) - torch.repeat_interleave(start[:-1], counts)
    return torch.repeat_interleave(first, counts) + inside


def hidden_tables(weight: Tensor, bias: Tensor, outer: Tensor, constant: Tensor) -> LineTables:
    """Return the tables of c + sum_i a_i relu(w_i x + b_i), before any output activation.

    **Shapes:** ``weight``, ``bias``, ``outer`` (n, k) float64, ``constant`` (n,).
    **Guarantee:** enclosure. **Cost:** a sort and log k passes over n k numbers.
    """
    place = torch.where(weight != 0, -bias / weight, torch.inf)
    exact = (weight.abs() == 1) | (bias == 0)
    radius = torch.where(exact | (weight == 0), 0.0, place.abs() * UNIT + TINY)
    dead = weight == 0
    products, shifts = outer * weight, outer * bias
    lifted = torch.where(dead & (bias > 0), shifts, 0.0)  # units that are constant
    sizes = torch.stack([products, shifts, weight, bias, outer]).abs().amax(dim=(0, 2))
    small = ((products.abs() < TINY) & (outer != 0) & (weight != 0)) | ((shifts.abs() < TINY) & (outer != 0) & (bias != 0))
    broken = ~(sizes < HUGE) | ~(constant.abs() < HUGE) | small.any(dim=1) | (torch.where(dead, 0.0, place).abs() > HUGE).any(dim=1)
    order = place.argsort(dim=1, stable=True)
    place, radius, weight = place.gather(1, order), radius.gather(1, order), weight.gather(1, order)
    products, shifts = products.gather(1, order), shifts.gather(1, order)
    slopes, intercepts = _running(products, weight), _running(shifts, weight)
    base = constant + _total(lifted)
    depth = 2.0 * (weight.shape[1].bit_length() + 4)
    bounds = [depth * UNIT * terms.abs().sum(dim=1, keepdim=True) for terms in (products, torch.cat([shifts, constant[:, None]], dim=1))]
    idle = _active(weight) == 0
    firm = idle & ~(dead & (bias > 0)).any(dim=1, keepdim=True)
    slope_radii = torch.where(idle, 0.0, bounds[0].expand_as(slopes))
    intercept_radii = torch.where(firm, 0.0, bounds[1].expand_as(slopes))
    slopes = torch.where(idle, 0.0, slopes)
    intercepts = torch.where(firm, constant[:, None].expand_as(slopes), intercepts + base[:, None])
    keep = torch.isfinite(place)
    counts = keep.sum(dim=1)
    used = torch.arange(place.shape[1] + 1, device=place.device) <= counts[:, None]
    slope_radii, intercept_radii = slope_radii[used], intercept_radii[used]
    start = starts_of(counts)
    return settled(LineTables(start, place[keep], radius[keep], slopes[used], intercepts[used], slope_radii, intercept_radii, broken))


def settled(tables: LineTables) -> LineTables:
    """Mark as unsafe the tables in which two boxes around knots meet (both exact apart) or a number is not finite."""
    owner, knots, radii = tables.owners, tables.knots, tables.knot_radii
    room = radii[1:] + radii[:-1]
    close = (owner[1:] == owner[:-1]) & ~(knots[1:] - knots[:-1] > room * (1 + UNIT)) & ~((knots[1:] >= knots[:-1]) & (room == 0))
    unsafe = tables.unsafe.clone()
    unsafe[owner[1:][close]] = True
    start = tables.start + torch.arange(len(tables.start), device=owner.device)
    wild = ~(tables.slopes.abs() + tables.intercepts.abs() + tables.slope_radii + tables.intercept_radii < HUGE)
    unsafe[owners_of(start)[wild]] = True
    unsafe[owner[~(knots.abs() + radii < HUGE)]] = True
    return LineTables(tables.start, knots, radii, tables.slopes, tables.intercepts, tables.slope_radii, tables.intercept_radii, unsafe)


def _running(terms: Tensor, weight: Tensor) -> Tensor:
    """Return the sum over the active units of each piece, k + 1 of them: units with w > 0 to the left, those with w < 0 to the right."""
    rising, falling = torch.where(weight > 0, terms, 0.0), torch.where(weight < 0, terms, 0.0)
    before = _scan(rising)
    after = _scan(falling.flip(1)).flip(1)
    none = terms.new_zeros(terms.shape[0], 1)
    return torch.cat([none, before], dim=1) + torch.cat([after, none], dim=1)


def _active(weight: Tensor) -> Tensor:
    """Return how many units are active on each piece."""
    none = torch.zeros(weight.shape[0], 1, dtype=torch.int64, device=weight.device)
    before = (weight > 0).cumsum(1)
    after = (weight < 0).flip(1).cumsum(1).flip(1)
    return torch.cat([none, before], dim=1) + torch.cat([after, none], dim=1)


def _scan(terms: Tensor) -> Tensor:
    """Return the running sums along rows, each a tree of depth log2 of the length (torch.cumsum adds one by one)."""
    sums, step = terms, 1
    while step < terms.shape[1]:
        sums = torch.cat([sums[:, :step], sums[:, step:] + sums[:, :-step]], dim=1)
        step *= 2
    return sums


def _total(terms: Tensor) -> Tensor:
    """Return the sums of the rows, by halving."""
    while terms.shape[1] > 1:
        if terms.shape[1] % 2:
            terms = torch.cat([terms, terms.new_zeros(terms.shape[0], 1)], dim=1)
        terms = terms[:, ::2] + terms[:, 1::2]
    return terms[:, 0]
