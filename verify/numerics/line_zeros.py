"""Fixed points of iterates, counted: changes of the sign of F^n(x) - x along a list of breaks (torch)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verify.numerics.line_iterates import NEAR_ONE, Iterates, ends_of, images
from verify.numerics.line_tables import UNIT, owners_of


@dataclass(frozen=True, eq=False)
class Zeros:
    """How many solutions F^n(x) = x has on each network's list, and where that is not certain."""

    count: Tensor
    unsafe: Tensor


def zeros(iterates: Iterates) -> tuple[Zeros, Tensor]:
    """Count the solutions of F^n(x) = x, and return the sign of F^n(x) - x at each break; all signs must be certain.

    **Guarantee:** exact where not unsafe: between two breaks F^n is affine.
    """
    owner = owners_of(iterates.start)
    signs = _signs(iterates, iterates.y, iterates.y_radii)
    unsafe = iterates.unsafe.clone()
    unsafe[owner[signs == 0]] = True
    for side, places, outward in ((0, ends_of(iterates)[0], -1.0), (1, ends_of(iterates)[1], 1.0)):
        slope = iterates.rays[:, side]
        far = ((slope - 1) * outward).sign()  # of F^n(x) - x far out
        doubt = ~((slope - 1).abs() > NEAR_ONE) | (far != signs[places])
        unsafe = unsafe | (iterates.endless[:, side] & doubt)
    change = (signs[1:] != signs[:-1]) & iterates.gap[:-1]
    count = torch.zeros(len(unsafe), dtype=torch.int64, device=owner.device).index_add(0, owner[1:], change.long())
    return Zeros(count, unsafe), signs


def marked(iterates: Iterates, signs: Tensor) -> Iterates:
    """Remember F^n and the signs of F^n(x) - x in the second column of marks; the older ones move to the first."""
    return replace(
        iterates,
        marks=torch.stack([iterates.marks[:, 1], signs], dim=1),
        levels=torch.stack([iterates.levels[:, 1], iterates.y], dim=1),
        level_radii=torch.stack([iterates.level_radii[:, 1], iterates.y_radii], dim=1),
    )


def zeros_of_earlier(iterates: Iterates, column: int) -> Zeros:
    """Count the solutions of F^m(x) = x on the list from the signs that a column of marks holds for F^m.

    Between two breaks with known signs, and none in between, F^m is affine, since it was at the time of marking; so one change is one
    solution. Only at the ends of a stretch the sign has to be known.
    """
    owner, gap = owners_of(iterates.start), iterates.gap
    joined = torch.zeros_like(gap)
    joined[1:] = gap[:-1]
    signs = iterates.marks[:, column]
    unsafe = iterates.unsafe.clone()
    unsafe[owner[(signs == 0) & ~(gap & joined)]] = True
    stretch = (~joined).long().cumsum(0)
    known = torch.where(signs != 0, torch.arange(len(signs), device=signs.device), -1)
    before = torch.cat([known.new_full((1,), -1), known.cummax(0).values[:-1]]) if len(known) else known
    near = before.clamp(min=0)
    change = (signs != 0) & (before >= 0) & (stretch[near] == stretch) & (signs[near] != signs)
    count = torch.zeros(len(unsafe), dtype=torch.int64, device=owner.device).index_add(0, owner, change.long())
    return Zeros(count, unsafe)


def zeros_of_first(iterates: Iterates) -> Zeros:
    """Count the solutions of F(x) = x on the list; all signs must be certain."""
    places = torch.arange(len(iterates.x), device=iterates.x.device)
    signs, unclear = _evaluated(iterates, places, 1)
    marks = torch.stack([signs, signs], dim=1)
    found = zeros_of_earlier(replace(iterates, marks=marks), 0)
    unsafe = found.unsafe.clone()
    unsafe[owners_of(iterates.start)[unclear | (signs == 0)]] = True
    return Zeros(found.count, unsafe)


def _evaluated(iterates: Iterates, at: Tensor, power: int) -> tuple[Tensor, Tensor]:
    """Return the signs of F^power(x) - x at some breaks, 0 where rounding leaves them open, and where the knots are too close."""
    owner = owners_of(iterates.start)[at]
    y, radii = iterates.x[at], iterates.x_radii[at]
    unclear = torch.zeros_like(y, dtype=torch.bool)
    for _ in range(power):
        found = images(iterates.maps, owner, y, radii)
        y, radii, unclear = found.value, found.radius, unclear | found.unclear
    excess = y - iterates.x[at]
    error = (iterates.x_radii[at] + radii) * (1 + UNIT) + UNIT * (iterates.x[at].abs() + y.abs())
    return torch.where(excess.abs() > error, excess.sign(), 0.0).to(torch.int8), unclear


def _signs(iterates: Iterates, y: Tensor, radii: Tensor) -> Tensor:
    excess = y - iterates.x
    error = (iterates.x_radii + radii) * (1 + UNIT) + UNIT * (iterates.x.abs() + y.abs())
    return torch.where(excess.abs() > error, excess.sign(), 0.0).to(torch.int8)
