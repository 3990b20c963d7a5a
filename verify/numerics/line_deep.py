"""Tables of scalar ReLU networks with any number of hidden layers, many at a time, in floats with rigorous error bounds (torch).

Layer by layer all units are kept as lines ``slope x + intercept`` between the breaks found so far: an affine layer multiplies the lines by
its weights, a relu cuts each piece where a unit crosses 0. Which unit is active on which piece follows from signs at the breaks and from
the order of the crossings, so that it is certain or the network is marked unsafe.

Error bounds, u = 2^-53. Lines of the first layer are weights and biases, radius 0. A sum of m products and a bias, in any order, is off by
at most (m + 1) u / (1 - (m + 1) u) times the sum S of their absolute values; to this come sum |w| r for radii r of the lines. Where all
products are exactly 0 the sum is exact: a piece on which no unit is active keeps radius 0. A line s x + t crosses 0 at -t/s; with radii
r_s < |s| / 2 and r_t the true crossing lies within (r_t + |x| r_s) / (|s| - r_s) + u |x|, and exactly there if the division and the
line are exact. The constants below are doubled and the radii carried on grow by 1 + 2^-30, which pays for the rounding of the radii
themselves (sums of fewer than 2^20 numbers of one sign, relative error below 2^-32). Nonzero weights outside 2^-60 .. 2^60, and nonzero
lines and crossings outside 2^-200 .. 2^200 make a network unsafe, so that no product over- or underflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from verify.numerics.line_tables import UNIT, LineTables, settled, starts_of

WEIGHT, LINE = 2.0**60, 2.0**200
GROWN = 1 + 2.0**-30
HALVES = 134_217_729.0  # 2^27 + 1 cuts a double in two halves
CHUNK = 2**20  # slopes worked on at a time


@dataclass(frozen=True, eq=False)
class Layer:
    """All units of one layer on n networks; piece p of a network lies left of its break p, the last one right of all.

    **Shapes:** ``breaks`` and ``radii`` (n, m), infinite and 0 beyond the network's own ``counts`` (n,); ``lines`` and ``errors``
    (n, m + 1, 2, units), slope and intercept with their radii; ``unsafe`` (n,).
    """

    breaks: Tensor
    radii: Tensor
    counts: Tensor
    lines: Tensor
    errors: Tensor
    unsafe: Tensor

    @property
    def live(self) -> Tensor:
        """Say which pieces a network has."""
        return torch.arange(self.lines.shape[1], device=self.counts.device) <= self.counts[:, None]

    def less_safe(self, more: Tensor) -> Layer:
        """Mark further networks as unsafe."""
        return Layer(self.breaks, self.radii, self.counts, self.lines, self.errors, self.unsafe | more)


@dataclass(frozen=True, eq=False)
class Crossings:
    """Where units cross 0 inside pieces: a flat list. Every field has one entry a crossing."""

    network: Tensor
    piece: Tensor
    unit: Tensor
    place: Tensor
    radius: Tensor


def deep_tables(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> LineTables:
    """Return the tables of the pre-activation of the output layer; every layer before it is followed by relu.

    **Shapes:** ``weights`` (n, out, in) and ``biases`` (n, out) of each layer, float64; one input, one output, at least one hidden layer.
    **Guarantee:** enclosure, see LineTables. **Cost:** pieces times the products of one evaluation.
    """
    count, widest = len(biases[0]), max(matrix.shape[1] for matrix in weights)
    rows = max(1, CHUNK // (2 * widest * widest * len(weights)))
    parts = []
    for first in range(0, max(count, 1), rows):
        part = slice(first, first + rows)
        parts.append(_tables([matrix[part] for matrix in weights], [bias[part] for bias in biases]))
    return settled(joined(parts))


def _tables(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> LineTables:
    layer = _first(weights[0][:, :, 0], biases[0])
    wild = torch.stack([_wild(numbers, WEIGHT) for numbers in (*weights, *biases)]).any(dim=0)
    layer = layer.less_safe(wild)
    for matrix, bias in zip(weights[1:], biases[1:], strict=True):
        layer = _affine(_rectified(layer), matrix, bias)
    inner = torch.arange(layer.breaks.shape[1], device=layer.counts.device) < layer.counts[:, None]
    slopes, intercepts = layer.lines[:, :, 0, 0][layer.live], layer.lines[:, :, 1, 0][layer.live]
    radii = (layer.errors[:, :, 0, 0][layer.live], layer.errors[:, :, 1, 0][layer.live])
    return LineTables(starts_of(layer.counts), layer.breaks[inner], layer.radii[inner], slopes, intercepts, *radii, layer.unsafe)


def joined(parts: Sequence[LineTables]) -> LineTables:
    """Return the tables of several batches of networks as one, at least one batch."""
    counts = torch.cat([part.start[1:] - part.start[:-1] for part in parts])
    names = [name for name in LineTables.__dataclass_fields__ if name != "start"]
    return LineTables(starts_of(counts), *(torch.cat([getattr(part, name) for part in parts]) for name in names))


def _wild(numbers: Tensor, limit: float) -> Tensor:
    """Say in which networks a number is not finite, or too large or too small to calculate with."""
    sizes = numbers.abs().flatten(1)
    return (~(sizes <= limit) | ((sizes < 1 / limit) & (sizes != 0))).any(dim=1)


def _first(weight: Tensor, bias: Tensor) -> Layer:
    """Return the first layer: one piece, the whole line."""
    rows = len(weight)
    lines = torch.stack([weight, bias], dim=1)[:, None]
    none = weight.new_zeros(rows, 0)
    counts = torch.zeros(rows, dtype=torch.int64, device=weight.device)
    return Layer(none, none, counts, lines, torch.zeros_like(lines), torch.zeros_like(counts, dtype=torch.bool))


def _affine(layer: Layer, matrix: Tensor, bias: Tensor) -> Layer:
    """Return the next layer's units before their relu. The sums run unit by unit, so that they do not depend on the batch."""
    lines = layer.lines.new_zeros(*layer.lines.shape[:3], matrix.shape[1])
    for unit in range(matrix.shape[2]):
        lines = lines + layer.lines[..., unit, None] * matrix[:, None, None, :, unit]
    rows, pieces = lines.shape[:2]
    turned = matrix.abs().transpose(1, 2)
    sizes, carried = (torch.bmm(part.flatten(1, 2), turned).view_as(lines) for part in (layer.lines.abs(), layer.errors))
    shift = torch.stack([torch.zeros_like(bias), bias], dim=1)[:, None].expand(rows, pieces, 2, -1)
    errors = (matrix.shape[2] + 1) * UNIT * (sizes + torch.where(sizes > 0, shift.abs(), 0.0)) + GROWN * carried
    lines = lines + shift
    kept = torch.where(layer.live[:, :, None, None], lines, 0.0)
    return Layer(layer.breaks, layer.radii, layer.counts, lines, errors, layer.unsafe | _wild(kept, LINE))


def _rectified(layer: Layer) -> Layer:
    """Apply relu to every unit."""
    left, right, unsure = _signs(layer)
    layer = layer.less_safe((unsure & layer.live[:, :, None]).flatten(1).any(dim=1))
    usable = layer.live & ~layer.unsafe[:, None]
    crossing = (left * right < 0) & usable[:, :, None]
    found, doubtful = _crossings(layer, crossing)
    breaks, radii, counts, old, ranks = _merged(layer, found)
    parent = torch.cat([old.new_zeros(len(old), 1), old], dim=1).cumsum(1)
    rank = torch.zeros(crossing.shape, dtype=torch.int64, device=counts.device)
    rank[found.network, found.piece, found.unit] = ranks
    units = parent[:, :, None].expand(-1, -1, crossing.shape[2])
    here = torch.arange(parent.shape[1], device=counts.device)[None, :, None]
    beyond = here > rank.gather(1, units)
    active = torch.where(crossing.gather(1, units), beyond == (left < 0).gather(1, units), (left + right > 0).gather(1, units))
    whole = units[:, :, None].expand(-1, -1, 2, -1)
    lines, errors = (torch.where(active[:, :, None], part.gather(1, whole), 0.0) for part in (layer.lines, layer.errors))
    return _checked(Layer(breaks, radii, counts, lines, errors, layer.unsafe | doubtful))


def _signs(layer: Layer) -> tuple[Tensor, Tensor, Tensor]:
    """Return the signs of every unit at the left and at the right end of every piece, and where one of them is not certain.

    An end at infinity has the sign of the slope; where this is exactly 0, of the intercept.
    """
    slopes, intercepts = layer.lines.unbind(2)
    slope_errors, intercept_errors = layer.errors.unbind(2)
    steep, steep_sure = _sign(slopes, slope_errors)
    level, level_sure = _sign(intercepts, intercept_errors)
    flat = steep == 0
    far_right, far_sure = torch.where(flat, level, steep), steep_sure & (~flat | level_sure)
    far_left = torch.where(flat, level, -steep)
    at, at_sure = _sign(*_at_breaks(layer))
    edge = at.new_zeros(at.shape[0], 1, at.shape[2])
    pieces = torch.arange(slopes.shape[1], device=at.device)[None, :, None]
    first, last = pieces == 0, pieces == layer.counts[:, None, None]
    left, right = torch.cat([edge, at], dim=1), torch.cat([at, edge], dim=1)
    firm = torch.ones_like(edge, dtype=torch.bool)
    left_sure, right_sure = torch.cat([firm, at_sure], dim=1), torch.cat([at_sure, firm], dim=1)
    unsure = ~torch.where(first, far_sure, left_sure) | ~torch.where(last, far_sure, right_sure)
    return torch.where(first, far_left, left), torch.where(last, far_right, right), unsure


def _sign(numbers: Tensor, radii: Tensor) -> tuple[Tensor, Tensor]:
    """Return the signs as small integers, and where they are certain (0 is certain with radius 0 only)."""
    sure = (numbers.abs() > radii * (1 + UNIT)) | ((numbers == 0) & (radii == 0))
    return numbers.sign().to(torch.int8), sure


def _at_breaks(layer: Layer) -> tuple[Tensor, Tensor]:
    """Return the values of all units at all breaks with their radii, each from the more exact of the two neighbouring lines."""
    place = torch.where(torch.isfinite(layer.breaks), layer.breaks, 0.0)[:, :, None]
    sides = []
    for part in (slice(None, -1), slice(1, None)):
        slope, intercept = layer.lines[:, part].unbind(2)
        slope_error, intercept_error = layer.errors[:, part].unbind(2)
        rise = slope * place
        rounding = torch.where(rise == 0, 0.0, UNIT * (rise.abs() + (rise + intercept).abs()))
        moved = (slope.abs() + slope_error) * layer.radii[:, :, None]
        sides.append((rise + intercept, GROWN * (rounding + place.abs() * slope_error + intercept_error + moved)))
    (one, one_error), (two, two_error) = sides
    better = one_error <= two_error
    return torch.where(better, one, two), torch.where(better, one_error, two_error)


def _crossings(layer: Layer, crossing: Tensor) -> tuple[Crossings, Tensor]:
    """Return where units cross 0, and the networks in which a crossing is not well determined."""
    network, piece, unit = crossing.nonzero(as_tuple=True)
    slope, intercept = layer.lines[network, piece, :, unit].unbind(1)
    slope_error, intercept_error = layer.errors[network, piece, :, unit].unbind(1)
    place = -intercept / slope
    room = slope.abs() - slope_error
    exact = (slope_error == 0) & (intercept_error == 0) & (place * slope == -intercept) & (_product_error(place, slope) == 0)
    radius = GROWN * (intercept_error + place.abs() * slope_error) / room + UNIT * place.abs()
    size = place.abs()
    bad = ~(room > slope.abs() / 2) | ~(size < LINE) | ((size < 1 / LINE) & (size != 0))
    doubtful = torch.zeros_like(layer.unsafe)
    doubtful[network[bad]] = True
    keep = ~doubtful[network]
    found = Crossings(network, piece, unit, place, torch.where(exact, 0.0, radius))
    return Crossings(*(getattr(found, name)[keep] for name in Crossings.__dataclass_fields__)), doubtful


def _product_error(one: Tensor, two: Tensor) -> Tensor:
    """Return one * two minus its rounded value, exactly (Dekker 1971)."""
    high, other = (part * HALVES - (part * HALVES - part) for part in (one, two))
    low, rest = one - high, two - other
    return ((high * other - one * two) + high * rest + low * other) + low * rest


def _merged(layer: Layer, found: Crossings) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Put crossings among the breaks, equal exact ones once.

    **Returns:** breaks, radii, counts, which of the breaks are old ones (as integers), and the index of each crossing among the breaks.
    """
    inner = torch.arange(layer.breaks.shape[1], device=layer.counts.device) < layer.counts[:, None]
    network, at = (inner & ~layer.unsafe[:, None]).nonzero(as_tuple=True)
    owner = torch.cat([network, found.network])
    place = torch.cat([layer.breaks[network, at], found.place])
    radius = torch.cat([layer.radii[network, at], found.radius])
    order = place.argsort(stable=True)
    order = order[owner[order].argsort(stable=True)]
    owner, place, radius = owner[order], place[order], radius[order]
    again = torch.zeros_like(owner, dtype=torch.bool)
    again[1:] = (owner[1:] == owner[:-1]) & (place[1:] == place[:-1]) & (radius[1:] + radius[:-1] == 0)
    counts = torch.bincount(owner[~again], minlength=len(layer.counts))
    index = (~again).cumsum(0) - 1 - starts_of(counts)[owner]
    shape = (len(counts), int(counts.max()) if len(counts) else 0)
    breaks = place.new_full(shape, torch.inf)
    radii, old = torch.zeros_like(breaks), torch.zeros(shape, dtype=torch.int64, device=owner.device)
    breaks[owner, index], radii[owner, index] = place, radius
    ranks = torch.empty_like(index)
    ranks[order] = index
    old[network, ranks[: len(network)]] = 1
    return breaks, radii, counts, old, ranks[len(network) :]


def _checked(layer: Layer) -> Layer:
    """Mark as unsafe the networks in which the boxes around two breaks meet."""
    gaps, room = layer.breaks.diff(dim=1), layer.radii[:, 1:] + layer.radii[:, :-1]
    close = torch.isfinite(layer.breaks[:, 1:]) & ~(gaps > room * (1 + 4 * UNIT))
    return layer.less_safe(close.any(dim=1))
