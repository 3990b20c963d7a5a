"""Output activations of scalar networks on their tables: relu, and the clip to [0, 1]."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from verify.numerics.line_tables import UNIT, LineTables, owners_of, settled, starts_of


def with_output(tables: LineTables, output: str) -> LineTables:
    """Return the tables of output(F) for identity, relu or clip. **Guarantee:** enclosure. **Raises:** ValueError for other outputs."""
    if output == "identity":
        return tables
    if output == "relu":
        return rectified(tables)
    if output == "clip":  # 1 - relu(1 - relu(F))
        return _from_one(rectified(_from_one(rectified(tables))))
    message = f"the output {output} is not piecewise linear"
    raise ValueError(message)


def rectified(tables: LineTables) -> LineTables:
    """Return the tables of max(0, F); knots between two pieces of zeros are dropped."""
    owner, start = tables.owners, tables.start
    values, radii = tables.of_knots()
    signs = torch.where(values.abs() > radii, values.sign(), 0.0)
    doubtful = (signs == 0) & (radii > 0)
    left, right, unclear = _end_signs(tables, signs, owner)
    unsafe = tables.unsafe | unclear
    unsafe = unsafe.index_put((owner[doubtful],), torch.ones((), dtype=torch.bool, device=unsafe.device))
    crossing = left * right < 0
    positive = (left + right > 0) & ~crossing
    right_up, left_up = positive | (crossing & (right > 0)), positive | (crossing & (left > 0))
    last = torch.zeros_like(crossing)
    last[tables.ends()[1]] = True
    inner = torch.nonzero(~last)[:, 0]  # the piece to the left of each knot, in order
    kept = torch.zeros_like(crossing)
    kept[inner] = right_up[inner] | left_up[inner + 1]
    counts = crossing.long() + kept.long()
    offset = starts_of(counts)[:-1]
    per_network = torch.zeros(len(tables), dtype=torch.int64, device=start.device).index_add(0, _piece_owners(tables), counts)
    total = int(counts.sum())
    place, size = _roots(tables, crossing)
    knots, knot_radii = values.new_zeros(total), values.new_zeros(total)
    where_cross, where_knot = offset[crossing], (offset + crossing)[kept]
    knots[where_cross], knot_radii[where_cross] = place, size
    of_knot = kept[inner]
    knots[where_knot], knot_radii[where_knot] = tables.knots[of_knot], tables.knot_radii[of_knot]
    piece, up = _left_pieces(crossing, kept, left_up, right_up, offset, total)
    return _assembled(tables, (starts_of(per_network), knots, knot_radii), (piece, up, right_up), unsafe)


def _piece_owners(tables: LineTables) -> Tensor:
    return owners_of(tables.start + torch.arange(len(tables.start), device=tables.start.device))


def _end_signs(tables: LineTables, signs: Tensor, owner: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sign of F at the two ends of each piece (on a ray: far out), and the networks where a ray's is not certain."""
    first, last = tables.ends()
    inner = torch.arange(len(signs), device=owner.device) + owner
    left, right = tables.slopes.new_zeros(len(tables.slopes)), tables.slopes.new_zeros(len(tables.slopes))
    left[inner + 1], right[inner] = signs, signs
    unclear = torch.zeros_like(tables.unsafe)
    for rays, direction, side in ((first, -1.0, left), (last, 1.0, right)):
        slope, error = tables.slopes[rays], tables.slope_radii[rays]
        level, bound = tables.intercepts[rays], tables.intercept_radii[rays]
        flat = (slope == 0) & (error == 0)
        sign = torch.where(flat, torch.where(level.abs() > bound, level.sign(), 0.0), slope.sign() * direction)
        side[rays] = sign
        unclear = unclear | (~flat & ~(slope.abs() > error)) | (flat & (sign == 0) & (bound > 0))
    return left, right, unclear


def _roots(tables: LineTables, crossing: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the lines of these pieces cross 0, and the radii."""
    slope, intercept = tables.slopes[crossing], tables.intercepts[crossing]
    place = -intercept / slope
    least = (slope.abs() - tables.slope_radii[crossing]) * (1 - UNIT)
    error = tables.slope_radii[crossing] * place.abs() + tables.intercept_radii[crossing] + UNIT * intercept.abs()
    return place, torch.where(least > 0, error / least * (1 + 4 * UNIT) + UNIT * place.abs(), torch.inf)


def _left_pieces(crossing: Tensor, kept: Tensor, left_up: Tensor, right_up: Tensor, offset: Tensor, total: int) -> tuple[Tensor, Tensor]:
    """Return, for each new knot, the old piece to its left and whether F is kept there (else it is 0)."""
    piece = torch.zeros(total, dtype=torch.int64, device=offset.device)
    up = torch.zeros(total, dtype=torch.bool, device=offset.device)
    index = torch.arange(len(crossing), device=offset.device)
    at = offset[crossing]
    piece[at], up[at] = index[crossing], left_up[crossing]
    at = (offset + crossing)[kept]
    piece[at], up[at] = index[kept], right_up[kept]
    return piece, up


def _assembled(
    tables: LineTables, knots: tuple[Tensor, Tensor, Tensor], pieces: tuple[Tensor, Tensor, Tensor], unsafe: Tensor
) -> LineTables:
    """Put the lines to the left of the new knots and the last rays together; the box around a root may meet its neighbour's."""
    start, places, sizes = knots
    piece, up, right_up = pieces
    owner = owners_of(start)
    network = torch.arange(len(tables), device=start.device)
    source = torch.zeros(len(places) + len(tables), dtype=torch.int64, device=start.device)
    alive = torch.zeros(len(source), dtype=torch.bool, device=start.device)
    inner = torch.arange(len(places), device=start.device) + owner
    source[inner], alive[inner] = piece, up
    last, rays = start[1:] + network, tables.ends()[1]
    source[last], alive[last] = rays, right_up[rays]
    parts = [torch.where(alive, part[source], 0.0) for part in (tables.slopes, tables.intercepts)]
    radii = [torch.where(alive, part[source], 0.0) for part in (tables.slope_radii, tables.intercept_radii)]
    return settled(LineTables(start, places, sizes, parts[0], parts[1], radii[0], radii[1], unsafe))


def _from_one(tables: LineTables) -> LineTables:
    """Return the tables of 1 - F."""
    turned = 1.0 - tables.intercepts
    error = torch.where(tables.intercepts == 0, 0.0, UNIT * (1 + tables.intercepts.abs()))
    whole = (tables.slopes == 0) & (tables.slope_radii == 0) & (tables.intercept_radii == 0) & (tables.intercepts == 1)
    radii = torch.where(whole, 0.0, tables.intercept_radii + error)
    return replace(tables, slopes=-tables.slopes, intercepts=turned, intercept_radii=radii)
