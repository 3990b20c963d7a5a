"""Stretches of a list in which no longer cycle can have its greatest point (its least, mirrored) are taken out (torch)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verify.numerics.line_iterates import Iterates, ends_of, images, kept
from verify.numerics.line_tables import UNIT, LineTables, owners_of

ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Ceilings:
    """For networks mirrored by ``side`` the greatest value of F at the first knots: row g, column j: over its first j knots."""

    maps: LineTables
    side: int
    highest: Tensor


def ceilings(maps: LineTables, side: int) -> Ceilings:
    """Prepare ``pruned`` for these networks; ``side`` 1 follows greatest points, -1 least ones."""
    owner = maps.owners
    values, radii = maps.of_knots()
    counts = maps.start[1:] - maps.start[:-1]
    table = torch.full((len(maps), int(counts.max()) + 1 if len(maps) else 1), -torch.inf, dtype=values.dtype, device=values.device)
    place = torch.arange(len(values), device=owner.device) - maps.start[owner]
    column = place + 1 if side > 0 else counts[owner] - place
    table[owner, column] = side * values + radii
    left, right = maps.ends()
    ray = maps.slopes[left if side > 0 else right] - (maps.slope_radii[left if side > 0 else right])
    table[:, 0] = torch.where(ray >= 0, -torch.inf, torch.inf)  # a ray that falls outwards rises without bound
    return Ceilings(maps, side, table.cummax(dim=1).values)


def pruned(iterates: Iterates, limits: Ceilings) -> Iterates:
    """Take out the stretches on which F^n(x) > x, and those whose image never comes back as high; both certain, for ``side`` 1.

    Never comes back: [-inf, v] is mapped into itself for some v above F^n of the stretch and below the stretch. Stretches with an end of
    unknown mark stay.

    **Guarantee:** the greatest (the least) point of every cycle of period above n stays.
    """
    side, gap = limits.side, iterates.gap.clone()
    known = (iterates.marks != 0).all(dim=1)
    slack = (iterates.x_radii + iterates.y_radii) * (1 + UNIT) + UNIT * (iterates.x.abs() + iterates.y.abs())
    away = known & ((iterates.y - iterates.x) * side > slack)
    gap[:-1] &= ~(away[:-1] & away[1:])
    here = torch.nonzero(gap)[:, 0]
    here = here[known[here] & known[here + 1]]
    top = torch.maximum(*(side * iterates.y[at] + iterates.y_radii[at] for at in (here, here + 1)))
    floor = torch.minimum(*(side * iterates.x[at] - iterates.x_radii[at] for at in (here, here + 1)))
    gap[here[_stays_below(limits, owners_of(iterates.start)[here], top, floor - UNIT * floor.abs())]] = False
    keep = gap.clone()
    keep[1:] |= gap[:-1]
    heads, tails = ends_of(iterates)
    present = torch.stack([keep[heads], keep[tails]], dim=1) & (iterates.start[1:] > iterates.start[:-1])[:, None]
    return kept(replace(iterates, endless=iterates.endless & present), keep, gap)


def _stays_below(limits: Ceilings, owner: Tensor, level: Tensor, floor: Tensor) -> Tensor:
    """Say where [-inf, level] and all its images stay below ``floor``: v is raised to the greatest value of F up to it until it stays."""
    level = level + UNIT * level.abs()
    below = torch.zeros_like(owner, dtype=torch.bool)
    for _ in range(ROUNDS):
        found = images(limits.maps, owner, limits.side * level, torch.zeros_like(level))
        count = limits.maps.start[owner + 1] - limits.maps.start[owner]
        knots = found.upto if limits.side > 0 else count - found.below
        highest = torch.maximum(limits.highest[owner, knots], limits.side * found.value + found.radius)
        highest = highest + UNIT * highest.abs()
        below = below | ((highest <= level) & (level < floor))
        if not bool((~below & (level < floor)).any()):
            break
        level = torch.maximum(level, highest)
    return below
