"""Points that prove chaos on the line, picked from lists of breaks: of Li and Yorke's kind for F^m, and those of odd periods (torch).

**Guarantee:** heuristic: the kernel decides whether a point is of the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from verify.numerics.line_iterates import Iterates, values
from verify.numerics.line_tables import LineTables, owners_of

Gaps = Callable[[Tensor, Tensor], Tensor]
SHARES = (1.0, 0.5, 0.25, 0.0625, 2.0**-8)


@dataclass(frozen=True, eq=False)
class Points:
    """The best point of each network, its margin (the least of the weighted gaps; -inf: no point) and a Lipschitz constant of F."""

    x: Tensor
    margin: Tensor
    lipschitz: Tensor


def li_yorke_points(third: Iterates, power: int) -> Points:
    """Return where G^3(a) <= a < G(a) < G^2(a), or reversed, G = F^power: for F itself by the largest sup-norm radius of card B1.

    ``third`` lists G^3. **Cost:** linear in its breaks.
    """
    lipschitz = third.maps.steepest()
    one = torch.ones_like(lipschitz)
    weights = [one, 1 / (2 + lipschitz), 1 / (1 + lipschitz + lipschitz**2)] if power == 1 else [one] * 3

    def gaps(x: Tensor, owner: Tensor) -> Tensor:
        levels = [x]
        for _ in range(3):
            levels.append(_after(third.maps, owner, levels[-1], power))
        found = [levels[1] - levels[0], levels[2] - levels[1], levels[0] - levels[3]]
        return torch.stack([gap * weight[owner] for gap, weight in zip(found, weights, strict=True)])

    return _best(third, gaps, power, lipschitz)


def odd_points(power: Iterates, times: int) -> Points:
    """Return where F^times(x) <= x < F(x), or reversed; ``power`` lists F^times."""

    def gaps(x: Tensor, owner: Tensor) -> Tensor:
        return torch.stack([_after(power.maps, owner, x, 1) - x, x - _after(power.maps, owner, x, times)])

    return _best(power, gaps, 1, power.maps.steepest())


def _after(maps: LineTables, owner: Tensor, x: Tensor, times: int) -> Tensor:
    for _ in range(times):
        x = values(maps, owner, x)
    return x


def _best(power: Iterates, gaps: Gaps, step: int, lipschitz: Tensor) -> Points:
    """Maximise the least of several functions, affine between breaks, and of their negatives.

    At breaks, where two of them cross, and at the images under F^step of places near a cycle's point: the list may hold that alone.
    """
    owner = owners_of(power.start)
    rows = gaps(power.x, owner)
    here = torch.nonzero(power.gap)[:, 0]
    one, two = rows[:, here], rows[:, here + 1]
    fit = (torch.maximum(one, two) > 0).all(dim=0) | (torch.minimum(one, two) < 0).all(dim=0)
    here, one, two = here[fit], one[:, fit], two[:, fit]
    start, width = power.x[here], power.x[here + 1] - power.x[here]
    places, owners = [power.x], [owner]
    for i, j in combinations(range(len(rows)), 2):
        before, after = one[i] - one[j], two[i] - two[j]
        share = (before / (before - after)).nan_to_num(0.0, 0.0, 0.0).clamp(0.0, 1.0)
        places.append(start + share * width)
        owners.append(owner[here])
    for root, near in _roots(power):
        places.append(_after(power.maps, owner[root], near, step))
        owners.append(owner[root])
    place, network = torch.cat(places), torch.cat(owners)
    values = gaps(place, network)
    value = torch.maximum(values.amin(dim=0), (-values).amin(dim=0)).nan_to_num(-torch.inf)
    count = len(power.unsafe)
    best = torch.full((count,), -torch.inf, dtype=value.dtype, device=value.device).scatter_reduce(0, network, value, "amax")
    winners = torch.nonzero(value == best[network])[:, 0].flip(0)  # of equals the first one is written last
    chosen = torch.zeros(count, dtype=torch.int64, device=value.device)
    chosen[network[winners]] = winners
    return Points(place[chosen], best, lipschitz)


def _roots(power: Iterates) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield, for the gaps in which F^n(x) = x, places on both sides of the solution."""
    excess = power.y - power.x
    here = torch.nonzero(power.gap)[:, 0]
    at = here[(excess[here] > 0) != (excess[here + 1] > 0)]
    root = power.x[at] + excess[at] / (excess[at] - excess[at + 1]) * (power.x[at + 1] - power.x[at])
    for share in SHARES:
        for end in (power.x[at], power.x[at + 1]):
            yield at, root + share * (end - root)
