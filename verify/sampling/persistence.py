"""How far chaos persists in random networks: certified radii of sampled chaotic networks, and how they are distributed."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from proofs.errors import Malformed
from proofs.grammar import read_number
from verify.errors import Unsupported
from verify.loading import Loaded

if TYPE_CHECKING:
    from verify.certification.persistent import Radii
    from verify.sampling.database import Row
    from verify.sampling.families import Batch, Cell

MOST_KNOTS = 20_000
CHUNK = 512


@dataclass(frozen=True)
class Distribution:
    """The certified radii of many networks in increasing order; ``without`` counts those for which none was proved."""

    radii: tuple[Fraction, ...]
    without: int = 0

    @property
    def total(self) -> int:
        """Return the number of networks."""
        return len(self.radii) + self.without

    def quantile(self, level: float) -> Fraction:
        """Return the least radius (0 for a network without one) that at least the share ``level`` of the networks does not exceed.

        **Raises** Malformed: no networks, or a level outside (0, 1].

        >>> Distribution((Fraction(1, 8), Fraction(1, 4), Fraction(1, 2)), 1).quantile(0.5)
        Fraction(1, 8)
        """
        if not (0 < level <= 1 and self.total):
            got = f"level {level}, {self.total} networks"
            raise Malformed(where="quantile", law="quantiles of networks", expected="a level in (0, 1], a network", got=got)
        place = ceil(level * self.total) - 1 - self.without
        return self.radii[place] if place >= 0 else Fraction(0)

    def at_least(self, radius: Fraction) -> int:
        """Return how many networks have a certified radius of at least ``radius`` > 0."""
        return len(self.radii) - bisect_left(self.radii, radius)


@dataclass(frozen=True, eq=False)
class Sampled:
    """A network of a campaign that the kernel has found chaotic, with the recipe of the proof."""

    index: int
    loaded: Loaded
    theorem: str
    recipe: str


def persistence(loaded: Loaded, point: Fraction, *, improve: bool = True, most_knots: int = MOST_KNOTS) -> Radii:
    """Find the largest sup-norm radius and weight radius at which card B1 passes, in steps of 2^(1/4) rounded down.

    They are searched at ``point`` and, with ``improve``, also at a point with nearly the widest margins; the wider of each counts.

    **Guarantee:** each radius comes with a certificate that the kernel accepted; at that point it refuses the next step.
    **Raises** Unsupported: no exact piecewise-linear network with one state; NotFound: too many pieces, or B1 fails at ``point``.

    **Example**

    >>> from verify.loading import load
    >>> layers = [{"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"}, {"W": [[2, -4]], "b": [0], "activation": "identity"}]
    >>> found = persistence(load({"layers": layers}, model="scalar"), Fraction(1, 4))
    >>> found.sup.value, found.weights.value
    (Fraction(1, 32), Fraction(181, 131072))
    """
    from verify.certification.persistent import li_yorke_radii

    return li_yorke_radii(loaded, point, improve=improve, most_knots=most_knots)


def distribution(found: Iterable[Radii], kind: str) -> Distribution:
    """Collect the radii of one kind, sup or weights. **Raises** Malformed: another kind."""
    if kind not in {"sup", "weights"}:
        raise Malformed(where="distribution", law="a kind of radius", expected="sup or weights", got=repr(kind))
    radii = [each.sup if kind == "sup" else each.weights for each in found]
    return Distribution(tuple(sorted(radius.value for radius in radii if radius is not None)), radii.count(None))


def chaotic_networks(cell: Cell, seed: int, count: int, *, first: int = 0) -> Iterator[Sampled]:
    """Yield those of ``count`` networks of a cell that the kernel finds chaotic, in their order.

    **Guarantee:** each recipe was accepted by the kernel. **Raises** Unsupported: a family of networks with several states.
    """
    from verify.sampling.decide import decide
    from verify.sampling.families import draw

    if cell.sizes[0] != 1:
        raise Unsupported(where=cell.text, law="networks on the line", expected="one state", got=f"{cell.sizes[0]} states")
    for start in range(first, first + count, CHUNK):
        batch = draw(cell, seed, start, min(CHUNK, first + count - start))
        decisions = decide(batch, seed=seed)
        for row in range(len(batch)):
            if decisions.verdict[row] == "chaotic":
                yield Sampled(start + row, loaded_row(batch, row, seed), str(decisions.theorem[row]), str(decisions.recipe[row]))


def stored_networks(cell: Cell, seed: int, rows: Iterable[Row]) -> Iterator[Sampled]:
    """Yield the chaotic networks of a campaign's rows, each drawn again. **Raises** Malformed: a row whose SHA-256 is not the network's."""
    from verify.sampling.families import draw

    for row in rows:
        if row.verdict == "chaotic":
            batch = draw(cell, seed, row.i, 1)
            if batch.sha256(0) != row.sha256:
                law, expected = "a network is that of its row", f"SHA-256 {batch.sha256(0).hex()}"
                raise Malformed(where=f"{cell.text}, network {row.i}", law=law, expected=expected, got=row.sha256.hex())
            yield Sampled(row.i, loaded_row(batch, 0, seed), row.theorem, row.recipe)


def sampled_radii(networks: Iterable[Sampled], *, improve: bool = True) -> Iterator[Radii]:
    """Yield the radii of the networks that were proved chaotic by card B1; those that another card proved are passed over."""
    for network in networks:
        if network.theorem == "li_yorke":
            yield persistence(network.loaded, point_of(network.recipe), improve=improve)


def loaded_row(batch: Batch, row: int, seed: int) -> Loaded:
    """Return one network of a batch on the line as if it had been loaded from a file."""
    name = f"{batch.cell.text} seed={seed} network={batch.first + row}"
    return Loaded(batch.network(row), name, "scalar", (), batch.arrays(row), {"layers": list(batch.activations)})


def point_of(recipe: str) -> Fraction:
    """Return the point that a recipe for card B1 names. **Raises** Malformed.

    >>> point_of('{"point":"3p-2"}')
    Fraction(3, 4)
    """
    try:
        content = json.loads(recipe)
    except ValueError:
        content = None
    if not isinstance(content, dict) or "point" not in content:
        raise Malformed(where="recipe", law="a recipe for card B1", expected='{"point": number}', got=recipe)
    return read_number(content["point"], "recipe, field point")
