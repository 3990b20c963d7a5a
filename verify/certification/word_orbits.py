"""From a word over the live hinges to the exact orbit that it names, and its entry in an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

from proofs.arithmetic import Interval, Matrix
from proofs.theorems.lifted import full_pattern, live_hinges
from verify.answers import CycleEntry
from verify.certification.orbits import Orbit, PieceTable, closed_orbit
from verify.itineraries import root_length

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.network import Network
    from verify.certification.chunks import Leaf, Word

Item = TypeVar("Item")
COUNTED = "counted in the checked claim, not certified one by one: this enclosure, from an exact solve, is not kernel-checked"


class WordOrbits:
    """Exact orbits of closed words; the letters of idle hinges are read off the orbit."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._table = PieceTable(network)
        self._live = live_hinges(network)

    def orbit(self, word: Word, point: tuple[Fraction, ...] | None = None) -> Orbit:
        """Return the orbit of a word's root, over all hinges; ``point`` is its first point, solved for if None.

        **Guarantee:** exact. **Raises:** SingularError if the word's equations are singular and no point is given.
        """
        root = word[: root_length(word)]
        pattern = tuple(full_pattern(self._live, letter, self.network.hinges) for letter in root)
        orbit = closed_orbit(self._table, pattern) if point is None else self._through(pattern, point)
        if len(self._live) == self.network.hinges:
            return orbit
        itinerary = tuple(self._letters(x, letter) for x, letter in zip(orbit.points, root, strict=True))
        return Orbit(itinerary, self._table.along(itinerary), orbit.product, orbit.points)

    def _through(self, pattern: Word, point: tuple[Fraction, ...]) -> Orbit:
        pieces = self._table.along(pattern)
        points, product = [point], Matrix.identity(len(point))
        for piece in pieces:
            image = piece.image(Matrix.column(points[-1]))
            points.append(tuple(image.middle(i) for i in range(len(point))))
            product = piece.jacobian @ product
        return Orbit(pattern, pieces, product, tuple(points[:-1]))

    def _letters(self, point: tuple[Fraction, ...], letter: str) -> str:
        """Return the letters at a point, 1 where a >= 0 at an idle hinge, the live ones as named."""
        gates = self.network.trace(Matrix.column(point))[1]
        full = ["1" if low >= 0 else "0" for gate in gates for low, _ in gate.signs()]
        for hinge, bit in zip(self._live, letter, strict=True):
            full[hinge] = bit
        return "".join(full)


class _Late(Sequence[Item]):
    """What there is at each time of an orbit, which is solved for when it is looked at: a list of thousands of cycles stays small."""

    def __init__(self, orbits: WordOrbits, leaf: Leaf, found: Callable[[Orbit], tuple[Item, ...]]) -> None:
        self._orbits, self._leaf, self._found = orbits, leaf, found

    def __len__(self) -> int:
        return len(self._leaf.word)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._all())

    def _all(self) -> tuple[Item, ...]:
        return self._found(self._orbits.orbit(self._leaf.word, self._leaf.point))


def _points(orbit: Orbit) -> tuple[tuple[Interval, ...], ...]:
    return tuple(tuple(Interval(x, x) for x in point) for point in orbit.points)


def _itinerary(orbit: Orbit) -> tuple[str, ...]:
    return orbit.itinerary


def counted_entry(orbits: WordOrbits, leaf: Leaf) -> CycleEntry:
    """Return the entry of a cycle that the checked claim counts, without a step of its own."""
    period = len(leaf.word)
    told = f"one of the cycles of least period {period} that the claim of completeness counts"
    itinerary, points = _Late(orbits, leaf, _itinerary), _Late(orbits, leaf, _points)
    return CycleEntry(period, itinerary, points, None, None, None, None, None, leaf.signs, COUNTED, told)
