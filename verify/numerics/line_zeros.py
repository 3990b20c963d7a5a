"""Fixed points of iterates, counted: changes of the sign of F^n(x) - x along a list of breaks, and exact zeros at breaks (torch)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verify.numerics.line_iterates import NEAR_ONE, Iterates, ends_of, images
from verify.numerics.line_tables import UNIT, owners_of

HERE = 2


@dataclass(frozen=True, eq=False)
class Zeros:
    """How many solutions F^n(x) = x has on each network's list, and where that is not certain."""

    count: Tensor
    unsafe: Tensor


def zeros(iterates: Iterates) -> tuple[Zeros, Tensor]:
    """Count the solutions of F^n(x) = x, and return the marks of F^n(x) - x at each break; all must be known.

    **Guarantee:** exact where not unsafe: between two breaks F^n is affine, so one change of sign is one solution.
    """
    owner, gap = owners_of(iterates.start), iterates.gap
    marks = _marks(iterates.x, iterates.x_radii, iterates.y, iterates.y_radii)
    unsafe = iterates.unsafe.clone()
    unsafe[owner[marks == 0]] = True
    unsafe[owner[1:][(marks[1:] == HERE) & (marks[:-1] == HERE) & gap[:-1]]] = True  # F^n is the identity in between
    for side, places, outward in ((0, ends_of(iterates)[0], -1.0), (1, ends_of(iterates)[1], 1.0)):
        slope = iterates.rays[:, side]
        far = ((slope - 1) * outward).sign()  # of F^n(x) - x far out
        doubt = ~((slope - 1).abs() > NEAR_ONE) | (far != marks[places])
        unsafe = unsafe | (iterates.endless[:, side] & doubt)
    change = (marks[1:] * marks[:-1] == -1) & gap[:-1]
    count = torch.zeros(len(unsafe), dtype=torch.int64, device=owner.device).index_add(0, owner[1:], change.long())
    return Zeros(count.index_add(0, owner, (marks == HERE).long()), unsafe), marks


def marked(iterates: Iterates, marks: Tensor) -> Iterates:
    """Remember F^n and the marks of F^n(x) - x in the second column; the older ones move to the first."""
    return replace(
        iterates,
        marks=torch.stack([iterates.marks[:, 1], marks], dim=1),
        levels=torch.stack([iterates.levels[:, 1], iterates.y], dim=1),
        level_radii=torch.stack([iterates.level_radii[:, 1], iterates.y_radii], dim=1),
    )


def zeros_of_earlier(iterates: Iterates, column: int) -> Zeros:
    """Count the solutions of F^m(x) = x on the list from the marks that a column holds for F^m.

    Between two breaks with known marks, and none in between, F^m is affine, since it was at the time of marking; so one change of sign is
    one solution. Only at the ends of a stretch the mark has to be known.
    """
    owner, gap = owners_of(iterates.start), iterates.gap
    joined = torch.zeros_like(gap)
    joined[1:] = gap[:-1]
    marks = iterates.marks[:, column]
    unsafe = iterates.unsafe.clone()
    unsafe[owner[(marks == 0) & ~(gap & joined)]] = True
    stretch = (~joined).long().cumsum(0)
    known = torch.where(marks != 0, torch.arange(len(marks), device=marks.device), -1)
    before = torch.cat([known.new_full((1,), -1), known.cummax(0).values[:-1]]) if len(known) else known
    near = before.clamp(min=0)
    change = (before >= 0) & (stretch[near] == stretch) & (marks[near] * marks == -1)
    count = torch.zeros(len(unsafe), dtype=torch.int64, device=owner.device).index_add(0, owner, (change | (marks == HERE)).long())
    return Zeros(count, unsafe)


def zeros_of_first(iterates: Iterates) -> Zeros:
    """Count the solutions of F(x) = x on the list; all marks must be known."""
    owner = owners_of(iterates.start)
    found = images(iterates.maps, owner, iterates.x, iterates.x_radii)
    marks = _marks(iterates.x, iterates.x_radii, found.value, found.radius)
    counted = zeros_of_earlier(replace(iterates, marks=torch.stack([marks, marks], dim=1)), 0)
    unsafe = counted.unsafe.clone()
    unsafe[owner[found.unclear | (marks == 0)]] = True
    return Zeros(counted.count, unsafe)


def _marks(x: Tensor, x_radii: Tensor, y: Tensor, y_radii: Tensor) -> Tensor:
    """Return the signs of y - x, 0 where rounding leaves them open and HERE where y is x, both exact."""
    excess, radii = y - x, x_radii + y_radii
    error = radii * (1 + UNIT) + UNIT * (x.abs() + y.abs())
    signs = torch.where(excess.abs() > error, excess.sign(), 0.0)
    return torch.where((excess == 0) & (radii == 0), HERE, signs).to(torch.int8)
