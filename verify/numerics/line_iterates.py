"""Iterates of scalar piecewise-linear maps as lists of breaks, many networks at a time, with rigorous error bounds (torch, any device).

A break is a box: within ``x_radii`` of x lies a true break of F^n, or a cluster of several, and F^n takes a value within ``y_radii`` of y
at each. Between consecutive boxes the real F^n is affine. Composition keeps this: knots of F certainly between two neighbouring values
become breaks of their own; one that rounding cannot tell from a value joins that break's cluster, whose box grows accordingly.

A list may have holes: stretches where no cycle looked for has its greatest point are taken out (``pruned``).
All cycles lie in [-R, R], R = 2^100 V, where V bounds the knots, F there and the intercepts of the rays, provided that the outer slopes
a, b are at most 2^60 and neither they nor their product lie within 2^-19 of 1: far out F is nearly x -> a x or b x, and orbits there run
away or come in. So they lie in F(F([-R, R])), to whose hull the lists are cut. Slopes (products) near 1 leave an endless end, which
``zeros`` finds unsafe. Whatever cannot be decided marks the network unsafe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verify.numerics.line_tables import LEAST, UNIT, LineTables, owners_of, spread, starts_of

FAR = 2.0**100
STEEPEST = 2.0**60
PAD = 2.0**-18  # of hulls
CERTAIN = 2.0**24  # each outer slope is known to this relative precision
NEAR_ONE = 2.0**-19  # outer slopes: decides at n = 1 and 2, two factors; longer products of numbers above 1 stay above 1
LOOK = 4  # knots that one box may reach on either side
ROUNDING = 8 * UNIT
LISTED = ("x", "x_radii", "y", "y_radii", "marks", "levels", "level_radii", "gap")


@dataclass(frozen=True, eq=False)
class Iterates:
    """F^n of the networks whose tables are ``maps``.

    **Shapes:** ``start`` (n + 1,), the others (total,); ``gap``: the list goes on from this break to the next one; ``marks`` (total, 2):
    the signs of F^a(x) - x and F^b(x) - x for two earlier iterates a and b, 0 where they are not known and 2 where these are exactly 0;
    ``levels``: those iterates, wherever a mark differs from a neighbour's. ``rays`` (n, 2): the slopes of F^n at -inf and inf, exact zeros
    included, and ``endless`` (n, 2): the list stands for the whole ray there. ``unsafe`` (n,).
    """

    maps: LineTables
    start: Tensor
    x: Tensor
    x_radii: Tensor
    y: Tensor
    y_radii: Tensor
    marks: Tensor
    levels: Tensor
    level_radii: Tensor
    gap: Tensor
    rays: Tensor
    endless: Tensor
    unsafe: Tensor

    def select(self, rows: Tensor) -> Iterates:
        """Return some of the networks."""
        counts = (self.start[1:] - self.start[:-1])[rows]
        at = spread(self.start[:-1][rows], counts)
        parts = {name: getattr(self, name)[at] for name in LISTED}
        whole = {name: getattr(self, name)[rows] for name in ("rays", "endless", "unsafe")}
        return Iterates(maps=self.maps.select(rows), start=starts_of(counts), **parts, **whole)


@dataclass(frozen=True, eq=False)
class Images:
    """Where boxes of values lie among the knots of F, and F there.

    ``below`` knots lie certainly to the left of the box, all but the first ``upto`` certainly to the right; ``reach`` is a bound on the
    distance to the knots in between (0 if none); ``unclear``: more of them than are looked at.
    """

    below: Tensor
    upto: Tensor
    reach: Tensor
    value: Tensor
    radius: Tensor
    unclear: Tensor


def images(maps: LineTables, owner: Tensor, y: Tensor, radii: Tensor) -> Images:
    """Return F of the boxes ``y +- radii``, each in the network ``owner``. **Guarantee:** enclosure."""
    first, end = maps.start[owner], maps.start[owner + 1]
    at = _lower_bound(maps.knots, first, end, y)
    last = max(len(maps.knots) - 1, 0)
    knots = maps.knots if len(maps.knots) else y.new_zeros(1)
    sizes = maps.knot_radii if len(maps.knots) else y.new_zeros(1)
    below, upto, size = at, at, torch.zeros_like(y)
    room = radii * (1 + UNIT) + UNIT * y.abs() * (radii > 0)
    more = torch.ones_like(y, dtype=torch.bool)
    for _ in range(LOOK):
        left = (below - 1).clamp(0, last)
        touch = (below > first) & ~(knots[left] + sizes[left] < y - room)
        size = torch.where(touch, torch.maximum(size, sizes[left]), size)
        below = below - touch.long()
        right = upto.clamp(0, last)
        more = (upto < end) & ~(knots[right] - sizes[right] > y + room)
        size = torch.where(more, torch.maximum(size, sizes[right]), size)
        upto = upto + more.long()
        more = more | touch
        if not bool(more.any()):
            break
    exact = (radii == 0) & (size == 0)
    reach = torch.where((upto > below) & ~exact, 4 * (radii + size) + ROUNDING * y.abs(), 0.0)
    value, error = maps.on_line(at + owner, y, torch.maximum(radii, reach))
    several = torch.nonzero(upto > below)[:, 0]
    if len(several):
        pieces = below[several], upto[several], at[several]
        error[several] += _spill(maps, owner[several], pieces, torch.maximum(radii, reach)[several])
    return Images(below - first, upto - first, reach, value, error, more | (upto - below > LOOK))


def values(maps: LineTables, owner: Tensor, y: Tensor) -> Tensor:
    """Return F of floats, without bounds."""
    piece = _lower_bound(maps.knots, maps.start[owner], maps.start[owner + 1], y) + owner
    return maps.slopes[piece] * y + maps.intercepts[piece]


def _spill(maps: LineTables, owner: Tensor, pieces: tuple[Tensor, Tensor, Tensor], size: Tensor) -> Tensor:
    """Return by how much F may leave the line of one piece on boxes that touch several."""
    below, upto, at = pieces
    steep = torch.stack([(maps.slopes[piece + owner].abs() + maps.slope_radii[piece + owner]) for piece in _near(below, upto)]).amax(dim=0)
    own = maps.slopes[at + owner].abs() + maps.slope_radii[at + owner]
    return (steep + own) * size * (1 + ROUNDING)


def _near(below: Tensor, upto: Tensor) -> list[Tensor]:
    """Return the pieces that the boxes can touch."""
    return [torch.minimum(below + i, upto) for i in range(LOOK + 1)]


def _lower_bound(sorted_values: Tensor, first: Tensor, end: Tensor, wanted: Tensor) -> Tensor:
    """Return for each wanted number the first place in its own segment whose value is not less."""
    low, high = first, end
    longest = int((end - first).max()) if len(first) else 0
    top = max(len(sorted_values) - 1, 0)
    for _ in range(longest.bit_length()):
        middle = (low + high) >> 1
        less = (sorted_values[middle.clamp(max=top)] < wanted) & (low < high)
        low, high = torch.where(less, middle + 1, low), torch.where(less, high, torch.maximum(middle, low))
    return low


def first_iterates(maps: LineTables) -> Iterates:
    """Return F itself on an interval that contains F(F(R))."""
    whole = _on(maps, *_everywhere(maps))
    return _on(maps, *_hull(_on(maps, *_hull(whole))))


def _everywhere(maps: LineTables) -> tuple[Tensor, Tensor, Tensor]:
    """Return an interval that contains all cycles."""
    values, radii = maps.of_knots()
    size = torch.ones(len(maps), dtype=maps.knots.dtype, device=maps.knots.device)
    for rays in maps.ends():
        size = torch.maximum(size, maps.intercepts[rays].abs() + maps.intercept_radii[rays])
    for levels in (maps.knots.abs() + maps.knot_radii, values.abs() + radii):
        size = size.scatter_reduce(0, maps.owners, levels, "amax")
    far = FAR * torch.exp2(size.log2().ceil() + 1)
    return -far, far, torch.ones(len(maps), 2, dtype=torch.bool, device=maps.knots.device)


def _hull(whole: Iterates) -> tuple[Tensor, Tensor, Tensor]:
    """Return a slightly larger interval than the values on the list, cut to the list; an end stays endless only where it was reached."""
    count = len(whole.unsafe)
    owner = owners_of(whole.start)
    low = torch.full((count,), torch.inf, dtype=whole.y.dtype, device=whole.y.device).scatter_reduce(
        0, owner, whole.y - whole.y_radii, "amin"
    )
    high = torch.full_like(low, -torch.inf).scatter_reduce(0, owner, whole.y + whole.y_radii, "amax")
    pad = PAD * torch.maximum(torch.ones_like(low), torch.maximum(low.abs(), high.abs()))
    left, right = whole.x[whole.start[:-1]], whole.x[whole.start[1:] - 1]
    endless = torch.stack([whole.endless[:, 0] & (low - pad <= left), whole.endless[:, 1] & (high + pad >= right)], dim=1)
    return torch.maximum(low - pad, left), torch.minimum(high + pad, right), endless


def _on(maps: LineTables, low: Tensor, high: Tensor, endless: Tensor) -> Iterates:
    """List F on [low, high]: both ends, and the knots in between."""
    owner = maps.owners
    room = maps.knot_radii * (1 + UNIT)
    inside = (maps.knots - room > low[owner]) & (maps.knots + room < high[owner])
    cut = ~inside & (maps.knots + room >= low[owner]) & (maps.knots - room <= high[owner])
    unsafe = maps.unsafe.clone()
    unsafe[owner[cut]] = True
    values, radii = maps.of_knots()
    counts = torch.zeros(len(maps), dtype=torch.int64, device=owner.device).index_add(0, owner, inside.long()) + 2
    start = starts_of(counts)
    parts = [low.new_zeros(int(start[-1])) for _ in range(4)]
    heads, tails = start[:-1], start[1:] - 1
    body = torch.ones(int(start[-1]), dtype=torch.bool, device=owner.device)
    body[heads], body[tails] = False, False
    for part, source in zip(parts, (maps.knots, maps.knot_radii, values, radii), strict=True):
        part[body] = source[inside]
    networks = torch.arange(len(maps), device=owner.device)
    for places, ends in ((heads, low), (tails, high)):
        found = images(maps, networks, ends, torch.zeros_like(ends))
        parts[0][places], parts[2][places], parts[3][places] = ends, found.value, found.radius
    left, right = maps.ends()
    rays = torch.stack([maps.slopes[left], maps.slopes[right]], dim=1)
    doubt = torch.stack([maps.slope_radii[left], maps.slope_radii[right]], dim=1)
    unsafe = unsafe | ((doubt > 0) & ~(rays.abs() > doubt * CERTAIN)).any(dim=1) | ~(rays.abs() <= STEEPEST).all(dim=1) | ~(low < high)
    gap = torch.ones_like(body)
    gap[tails] = False
    marks = torch.zeros(len(body), 2, dtype=torch.int8, device=owner.device)
    blank = parts[0].new_zeros(len(body), 2)
    return Iterates(maps, start, parts[0], parts[1], parts[2], parts[3], marks, blank, blank, gap, rays, endless, unsafe)


def composed(iterates: Iterates) -> Iterates:
    """Return F^(n+1) = F o F^n. **Guarantee:** enclosure. **Cost:** linear in the breaks of the result."""
    maps, owner = iterates.maps, owners_of(iterates.start)
    found = images(maps, owner, iterates.y, iterates.y_radii)
    here = torch.nonzero(iterates.gap)[:, 0]
    between, first_knot, step, vague = _between(iterates, found, here)
    x_radii, lost = _grown(iterates, found, here)
    unsafe = iterates.unsafe.clone()
    unsafe[owner[found.unclear | lost]] = True
    unsafe[owner[here[vague]]] = True
    rays, loose = _next_rays(iterates)
    counts = torch.ones_like(owner)
    counts[here] += between
    place = starts_of(counts)
    total = int(place[-1])
    parts = [iterates.y.new_zeros(total) for _ in range(4)]
    for part, source in zip(parts, (iterates.x, x_radii, found.value, found.radius), strict=True):
        part[place[:-1]] = source
    source = torch.repeat_interleave(here, between)
    new = spread(place[:-1][here] + 1, between)
    rank = new - place[:-1][source] - 1
    knot = torch.repeat_interleave(first_knot, between) + rank * torch.repeat_interleave(step, between)
    knot = knot + maps.start[owner[source]]
    parts[0][new], parts[1][new] = _crossings(iterates, source, source + 1, maps.knots[knot], maps.knot_radii[knot])
    values, radii = maps.of_knots()
    parts[2][new], parts[3][new] = values[knot], radii[knot]
    gap = torch.ones(total, dtype=torch.bool, device=owner.device)
    gap[place[:-1]] = iterates.gap
    earlier = _earlier(iterates, place[:-1], source, new, (parts[0], parts[1]))
    start = starts_of(torch.zeros(len(unsafe), dtype=torch.int64, device=owner.device).index_add(0, owner, counts))
    whole = Iterates(maps, start, parts[0], parts[1], parts[2], parts[3], *earlier, gap, rays, iterates.endless, unsafe | loose)
    return _without_flat(whole)


def _between(iterates: Iterates, found: Images, here: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return how many knots of F each gap's values certainly cross, the first, the step (1 or -1), and where that is vague."""
    there = here + 1
    rise = iterates.y[there] - iterates.y[here]
    error = (iterates.y_radii[there] + iterates.y_radii[here]) * (1 + UNIT)
    up, down = rise > error, -rise > error
    rising = (found.below[there] - found.upto[here]).clamp(min=0)
    falling = (found.below[here] - found.upto[there]).clamp(min=0)
    least = torch.minimum(found.below[here], found.below[there])
    most = torch.maximum(found.upto[here], found.upto[there])
    still = (rise == 0) & (error == 0)
    count = torch.where(up, rising, torch.where(down, falling, torch.zeros_like(rising)))
    first = torch.where(up, found.upto[here], found.below[here] - 1)
    return count, first, torch.where(up, 1, -1), ~up & ~down & ~still & (most > least)


def _grown(iterates: Iterates, found: Images, here: Tensor) -> tuple[Tensor, Tensor]:
    """Return the boxes' sizes after the ambiguous knots have joined them, and where a gap is too flat to say."""
    there = here + 1
    rise = (iterates.y[there] - iterates.y[here]).abs()
    error = iterates.y_radii[there] + iterates.y_radii[here]
    width = (iterates.x[there] - iterates.x[here]).abs() + iterates.x_radii[there] + iterates.x_radii[here]
    still = (rise == 0) & (error == 0)
    least = rise - error
    inverse = torch.where(still, 0.0, torch.where(least > 0, width * (1 + ROUNDING) / least, torch.inf))
    sides = torch.zeros_like(iterates.x)
    sides[here] = inverse
    sides[there] = torch.maximum(sides[there], inverse)
    growth = torch.where(found.reach > 0, found.reach * sides, 0.0)
    lost = ~torch.isfinite(growth)
    return iterates.x_radii + torch.where(lost, 0.0, growth) * (1 + ROUNDING), lost


def _crossings(iterates: Iterates, here: Tensor, there: Tensor, level: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the affine gaps reach these levels, which lie certainly between the values at their ends."""
    closer = (level - iterates.y[here]).abs() <= (level - iterates.y[there]).abs()
    near, far = torch.where(closer, here, there), torch.where(closer, there, here)  # a ray's end lies far out
    rise = iterates.y[far] - iterates.y[near]
    width = iterates.x[far] - iterates.x[near]
    share = (level - iterates.y[near]) / rise
    step = share * width
    place = torch.minimum(torch.maximum(iterates.x[near] + step, iterates.x[here]), iterates.x[there])
    least = rise.abs() - (iterates.y_radii[here] + iterates.y_radii[there]) * (1 + UNIT)
    inverse = (width.abs() + iterates.x_radii[here] + iterates.x_radii[there]) * (1 + ROUNDING) / least
    error = size * inverse + ROUNDING * (step.abs() + place.abs()) + LEAST
    for end, weight in ((near, 1 - share), (far, share)):  # an affine gap is off by no more than the same mean of its ends' errors
        error = error + weight * (1 + ROUNDING) * (iterates.x_radii[end] + iterates.y_radii[end] * inverse)
    return place, error * (1 + ROUNDING) + (place - (iterates.x[near] + step)).abs()


def _earlier(iterates: Iterates, old: Tensor, source: Tensor, new: Tensor, places: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return marks, levels and their radii on the longer list: earlier iterates are affine on each gap, equal signs are inherited."""
    x, sizes = places
    marks = torch.zeros(len(x), 2, dtype=torch.int8, device=x.device)
    levels, radii = x.new_zeros(len(x), 2), x.new_zeros(len(x), 2)
    for part, known in ((marks, iterates.marks), (levels, iterates.levels), (radii, iterates.level_radii)):
        part[old] = known
    for column in range(2):
        one, two = iterates.marks[source, column], iterates.marks[source + 1, column]
        marks[new, column] = torch.where(one == two, one, torch.zeros_like(one))
        open_ones = torch.nonzero((one != two) | (one == 0))[:, 0]
        at, here = new[open_ones], source[open_ones]
        level, error = _interpolated(iterates, here, column, x[at], sizes[at])
        excess = level - x[at]
        certain = excess.abs() > (error + sizes[at]) * (1 + UNIT) + UNIT * (level.abs() + x[at].abs())
        marks[at, column] = torch.where(certain, excess.sign(), 0.0).to(torch.int8)
        levels[at, column], radii[at, column] = level, error
    return marks, levels, radii


def _interpolated(iterates: Iterates, here: Tensor, column: int, x: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Return an earlier iterate at true breaks within ``size`` of x, inside the gaps that begin ``here``."""
    there = here + 1
    closer = (x - iterates.x[here]).abs() <= (x - iterates.x[there]).abs()
    near, far = torch.where(closer, here, there), torch.where(closer, there, here)
    width, shifts = iterates.x[far] - iterates.x[near], iterates.x_radii[here] + iterates.x_radii[there]
    one, rise = iterates.levels[near, column], iterates.levels[far, column] - iterates.levels[near, column]
    errors = iterates.level_radii[near, column], iterates.level_radii[far, column]
    slope = (rise.abs() + errors[0] + errors[1]) / (width.abs() - shifts) * (1 + ROUNDING)
    share = (x - iterates.x[near]) / width
    ends = errors[0] + slope * iterates.x_radii[near], errors[1] + slope * iterates.x_radii[far]
    error = slope * size + (1 - share) * ends[0] + share * ends[1]
    error = error + ROUNDING * ((share * rise).abs() + one.abs()) + LEAST
    return one + share * rise, torch.where(width.abs() > 4 * shifts, error * (1 + ROUNDING), torch.inf)


def _next_rays(iterates: Iterates) -> tuple[Tensor, Tensor]:
    """Return the slopes of F^(n+1) at both infinities, and the networks in which an endless end is not yet affine."""
    maps = iterates.maps
    left, right = maps.ends()
    ends = torch.stack([maps.slopes[left], maps.slopes[right]], dim=1)
    direction = iterates.rays * torch.tensor([-1.0, 1.0], dtype=ends.dtype, device=ends.device)
    rays = torch.where(direction < 0, ends[:, :1], ends[:, 1:]) * iterates.rays
    count = maps.start[1:] - maps.start[:-1]
    heads, tails = ends_of(iterates)
    loose = torch.zeros_like(iterates.unsafe)
    networks = torch.arange(len(maps), device=ends.device)
    for side, places in ((0, heads), (1, tails)):
        found = images(maps, networks, iterates.y[places], iterates.y_radii[places])
        beyond = torch.where(direction[:, side] < 0, found.upto == 0, found.below == count)
        loose = loose | (iterates.endless[:, side] & (direction[:, side] != 0) & ~beyond)
        loose = loose | (iterates.endless[:, side] & (rays[:, side].abs() < 2.0**-300) & (rays[:, side] != 0))
    return rays, loose


def _without_flat(iterates: Iterates) -> Iterates:
    """Drop the breaks inside exactly constant stretches at which no mark changes."""
    y, exact, gap, marks = iterates.y, iterates.y_radii == 0, iterates.gap, iterates.marks
    same = torch.zeros_like(exact)
    if len(y) > 2:  # noqa: PLR2004 - a break and its two neighbours
        flat = (y[1:-1] == y[:-2]) & (y[1:-1] == y[2:]) & exact[1:-1] & exact[:-2] & exact[2:] & gap[1:-1] & gap[:-2]
        steady = (marks[1:-1] == marks[:-2]) & (marks[1:-1] == marks[2:]) & (marks[1:-1] != 0)
        same[1:-1] = flat & steady.all(dim=1)
    return kept(iterates, ~same, gap)


def kept(iterates: Iterates, keep: Tensor, gap: Tensor) -> Iterates:
    """Return the list of these breaks only."""
    owner = owners_of(iterates.start)
    counts = torch.zeros(len(iterates.unsafe), dtype=torch.int64, device=keep.device).index_add(0, owner, keep.long())
    parts = {name: getattr(iterates, name)[keep] for name in LISTED[:-1]}
    return replace(iterates, start=starts_of(counts), gap=gap[keep], **parts)


def ends_of(iterates: Iterates) -> tuple[Tensor, Tensor]:
    """Return each network's first and last break; any break where it has none."""
    last = max(len(iterates.x) - 1, 0)
    return iterates.start[:-1].clamp(max=last), (iterates.start[1:] - 1).clamp(min=0)
