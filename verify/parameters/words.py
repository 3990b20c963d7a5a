"""Which itineraries have a cycle somewhere in the rectangle: all short ones tried on a grid where they are few, else a search."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from verify.itineraries import root_length, rotated
from verify.parameters.floats import FloatSurface
from verify.search.cycles import find_cycles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify.events import Word
    from verify.parameters.surfaces import Surface

    Floats = NDArray[np.float64]

MOST_WORDS = 5_000
_GRID = 24
_FEW = 3
_SECONDS = 2.0


def words_on(surface: Surface, up_to: int) -> tuple[tuple[Word, ...], str]:
    """Return the itineraries of periods 1 to ``up_to`` with a cycle at some sampled point, shortest first, and how they were looked for.

    **Guarantee:** heuristic: what exists between the samples only is missed.
    """
    hinges = surface.loaded.network.hinges
    count = sum((1 << hinges * period) // period for period in range(1, up_to + 1)) if hinges * up_to <= MOST_WORDS.bit_length() else None
    if count is not None and count <= MOST_WORDS:
        words = [word for period in range(1, up_to + 1) for word in _primitive(hinges, period)]
        x, y = _points(surface, _GRID)
        floats = FloatSurface(surface)
        found = tuple(word for word in words if floats.sample(word, x, y).real.any())
        return found, f"all {len(words)} itineraries up to period {up_to} tried at {len(x)} points"
    seen: dict[Word, None] = {}
    points = list(_samples(surface, _FEW))
    for a, b in points:
        result = find_cycles(surface.at(a, b), up_to, budget_seconds=_SECONDS, seed=0)
        seen |= {rotated(tuple(found.itinerary)): None for found in result.candidates if found.itinerary}
    ordered = sorted(seen, key=lambda word: (len(word), word))
    return tuple(ordered), f"a search for cycles up to period {up_to} at {len(points)} points"


def _samples(surface: Surface, count: int) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield points of a grid that avoids the middle lines and the corners, where curves like to pass."""
    x, y = surface.entries
    for i, j in product(range(count), repeat=2):
        a, b = Fraction(3 * i + 1, 3 * count), Fraction(3 * j + 1, 3 * count)
        yield x.low + a * (x.high - x.low), y.low + b * (y.high - y.low)


def _primitive(hinges: int, period: int) -> Iterator[Word]:
    letters = ["".join(bits) for bits in product("01", repeat=hinges)]
    for word in product(letters, repeat=period):
        if root_length(word) == period and rotated(word) == word:
            yield word


def _points(surface: Surface, count: int) -> tuple[Floats, Floats]:
    pairs = list(_samples(surface, count))
    return np.array([float(x) for x, _ in pairs]), np.array([float(y) for _, y in pairs])
