"""The cycles a search has met: one entry a closed itinerary, told apart by words and never by rounded coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from verify.candidates import Candidate, Unresolved
from verify.itineraries import least_rotation, root_length
from verify.numerics.batch import Bools, FloatNetwork, Floats
from verify.numerics.newton import Orbits, hashes, refine

SAME = 1e-11  # border orbits that differ by less, beside their size, cannot be told apart in float64
CLOSED = 1e-10  # what |F(z_t) - z_{t+1}| may be, beside the orbit, after refinement
NEAR = 1e-7  # smooth networks: orbits nearer than this, beside their size, count as one suggestion
MOST_UNRESOLVED = 1000
Word = tuple[bytes, ...]


@dataclass(frozen=True, eq=False)
class Cycle:
    """A cycle as the search keeps it. **Shapes:** patterns (k, hinges), points (k, M)."""

    patterns: Bools
    points: Floats
    touches_border: bool

    @property
    def period(self) -> int:
        """Return the number of points."""
        return len(self.points)

    def cut(self, start: int, period: int) -> Cycle:
        """Return ``period`` points of it from ``start`` on."""
        order = (start + np.arange(period)) % self.period
        return Cycle(self.patterns[order], self.points[order], self.touches_border)


class Catalogue:
    """Cycles and unresolved itineraries met so far.

    **Guarantee:** heuristic. Two strict itineraries are one entry exactly if they are rotations of each other. Orbits on a border, which
    have several itineraries, and smooth orbits, which have none, are also compared by distance, and then only a suggestion is lost.
    """

    def __init__(self, network: FloatNetwork) -> None:
        self.network = network
        self.cycles: dict[Word, Cycle] = {}
        self.by_period: dict[int, list[Cycle]] = {}
        self.unresolved: dict[Word, Bools] = {}
        self._met: set[tuple[int, int]] = set()

    def add(self, orbits: Orbits) -> list[Cycle]:
        """Take in orbits that reproduce their itineraries; return the cycles that are new."""
        names, first = np.unique(hashes(orbits.patterns), return_index=True)
        period = orbits.points.shape[1]
        met = [(period, name) for name in names.tolist()]
        fresh = np.array([place for name, place in zip(met, first.tolist(), strict=True) if name not in self._met], dtype=np.int64)
        self._met.update(met)
        if not len(fresh):
            return []
        patterns, singular = orbits.patterns[fresh], orbits.singular[fresh]
        points = refine(self.network, patterns, orbits.points[fresh])
        closed = self._residuals(points) <= CLOSED
        for row in np.flatnonzero(closed & singular):
            self._leave_unresolved(patterns[row])
        return [
            cycle
            for row in np.flatnonzero(closed & ~singular)
            if (cycle := self._record(Cycle(patterns[row], points[row], bool(orbits.touches_border[fresh[row]])))) is not None
        ]

    def add_smooth(self, points: Floats) -> list[Cycle]:
        """Take in closed orbits of a smooth network, (n, k, M); return those that are not near a known one."""
        new: list[Cycle] = []
        for orbit in points[self._residuals(points) <= CLOSED]:
            period = _recurrence(orbit, NEAR)
            cycle = Cycle(np.zeros((period, self.network.hinges), dtype=bool), orbit[:period], touches_border=False)
            if not any(_same(cycle, other, NEAR) for other in self.by_period.get(period, [])):
                new.append(cycle)
                self._file((orbit[:period].tobytes(),), cycle)
        return new

    def candidates(self, periods: range) -> tuple[Candidate, ...]:
        """Return the cycles of these periods, by period and itinerary."""
        chosen = [self._candidate(cycle) for cycle in self.cycles.values() if cycle.period in periods]
        return tuple(sorted(chosen, key=lambda item: (item.period, item.itinerary or (), item.points.tolist())))

    def unresolved_words(self, periods: range) -> tuple[Unresolved, ...]:
        """Return the singular itineraries of these periods, but for powers of each other."""
        names = sorted((word for word in self.unresolved if len(word) in periods), key=lambda word: (len(word), word))
        powers = {word for word in names for part in _parts(len(word)) if word[:part] in self.unresolved and _is_power(word, part)}
        return tuple(Unresolved(_letters(self.unresolved[word])) for word in names if word not in powers)

    def _record(self, cycle: Cycle) -> Cycle | None:
        word = _word(cycle.patterns)
        period = root_length(word)
        if cycle.touches_border:
            period = min(period, _recurrence(cycle.points, SAME))
        start = least_rotation(word[:period])
        cycle = cycle.cut(start, period)
        key = _word(cycle.patterns)
        known = self.by_period.get(period, [])
        if key in self.cycles or (cycle.touches_border and any(other.touches_border and _same(cycle, other, SAME) for other in known)):
            return None
        self._file(key, cycle)
        return cycle

    def _file(self, key: Word, cycle: Cycle) -> None:
        self.cycles[key] = cycle
        self.by_period.setdefault(cycle.period, []).append(cycle)

    def _leave_unresolved(self, patterns: Bools) -> None:
        word = _word(patterns)
        start = least_rotation(word)
        if len(self.unresolved) < MOST_UNRESOLVED:
            self.unresolved.setdefault(word[start:] + word[:start], np.roll(patterns, -start, axis=0))

    def _residuals(self, points: Floats) -> Floats:
        """Return the largest |F(z_t) - z_{t+1}| of each orbit, beside its size."""
        with np.errstate(all="ignore"):
            image = self.network.step(points.reshape(-1, points.shape[2])).reshape(points.shape)
            gap: Floats = np.abs(image - np.roll(points, -1, axis=1)).max(axis=(1, 2)) / (np.abs(points).max(axis=(1, 2)) + 1e-300)
        return gap

    def _candidate(self, cycle: Cycle) -> Candidate:
        if not self.network.is_piecewise_linear:
            return Candidate(cycle.period, None, cycle.points)
        gates = self.network.gates(cycle.points)
        letters = _letters(np.where(self.network.live, cycle.patterns, gates > 0.0))
        start = least_rotation(letters)
        small = (np.abs(gates) <= 1e-9 * (np.abs(gates).max(initial=0.0) + np.abs(cycle.points).max())).any()
        return Candidate(cycle.period, letters[start:] + letters[:start], np.roll(cycle.points, -start, axis=0), bool(small))


def _word(patterns: Bools) -> Word:
    return tuple(row.tobytes() for row in np.packbits(patterns, axis=1))


def _letters(patterns: Bools) -> tuple[str, ...]:
    return tuple("".join("1" if letter else "0" for letter in row) for row in patterns)


def _parts(size: int) -> Iterator[int]:
    return (part for part in range(1, size // 2 + 1) if size % part == 0)


def _is_power(word: Word, part: int) -> bool:
    return word[:part] * (len(word) // part) == word


def _recurrence(points: Floats, tolerance: float) -> int:
    """Return the least divisor of the period after which the points come back."""
    size = float(np.abs(points).max()) * tolerance
    for part in _parts(len(points)):
        if float(np.abs(np.roll(points, -part, axis=0) - points).max()) <= size:
            return part
    return len(points)


def _same(one: Cycle, two: Cycle, tolerance: float) -> bool:
    """Say whether some rotation brings the points together."""
    gap = np.abs(one.points[0] - two.points).max(axis=1)
    size = float(np.abs(one.points).max()) * tolerance
    return any(float(np.abs(np.roll(two.points, -int(i), axis=0) - one.points).max()) <= size for i in np.flatnonzero(gap <= size))
