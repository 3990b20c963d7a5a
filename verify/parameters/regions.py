"""Cells of the plane on which a cycle's existence and stability, or its absence, is proved: a quadtree that asks the kernel."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Interval, Matrix
from proofs.claims import Stability
from proofs.errors import Rejected
from proofs.grammar import write_number
from verify.certification.draft import Draft, spelled, spelled_rows
from verify.certification.orbits import Orbit, PieceTable, block_matrix, closed_orbit, enclosure_witness
from verify.numerics.balls import SingularError, approximate_inverse, det_sign
from verify.numerics.lyapunov_forms import cyclic_forms
from verify.parameters.floats import FloatSurface
from verify.parameters.surfaces import Cell
from verify.rounding import exponent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.claims import Claim
    from proofs.network import Network
    from verify.events import Word
    from verify.parameters.surfaces import Surface

    Progress = Callable[[str, int, int], None]

_BITS = 160
_GENEROUS = 8
_LONG, _MOST_BLOCK = 4, 160  # periods, and states times period, for the block form
_LEAST = Fraction(1, 1 << 20)
_ABSENT = 1 << 20
_SHIFT = 2


@dataclass(frozen=True)
class Settled:
    """A cell on which the kernel accepted a claim about one itinerary.

    ``outside``: multipliers outside the unit circle, None where the cycle is absent; ``index``: the sign of det(I - P), the same on all
    of the cell since I - P is nonsingular there. ``draft`` holds the steps, ``claim`` what they prove.
    """

    itinerary: Word
    cell: Cell
    outside: int | None
    index: int
    draft: Draft
    claim: Claim

    @property
    def exists(self) -> bool:
        """Say whether the cycle exists on the cell."""
        return self.outside is not None


@dataclass(frozen=True)
class Regions:
    """What is settled, and the cells that are left open: around a boundary, or because the time was up."""

    settled: tuple[Settled, ...]
    open: dict[Word, tuple[Cell, ...]]
    attempts: int
    in_time: bool

    def shares(self, word: Word, area: Fraction) -> tuple[Fraction, Fraction, Fraction]:
        """Return the shares of the rectangle on which the cycle exists, is absent, and that are open."""
        mine = [item for item in self.settled if item.itinerary == word]
        exists = sum((item.cell.area for item in mine if item.exists), Fraction(0)) / area
        absent = sum((item.cell.area for item in mine if not item.exists), Fraction(0)) / area
        return exists, absent, 1 - exists - absent


class _Lattice:
    """What floats tell of an itinerary at the corners and middles of all cells: only to choose what is worth an attempt."""

    def __init__(self, floats: FloatSurface, word: Word, frame: Cell, depth: int) -> None:
        """Sample all (2^(depth+1) + 1)^2 points."""
        self._steps = 1 << (depth + 1)
        x, y = (np.linspace(float(side.lo), float(side.hi), self._steps + 1) for side in (frame.x, frame.y))
        found = floats.sample(word, np.repeat(x, len(y)), np.tile(y, len(x)))
        looks = np.where(found.real, found.outside, _ABSENT)
        codes = np.where((looks == -1) | ~np.isfinite(found.minus) | (found.minus == 0), 0, (looks + _SHIFT) * np.sign(found.minus))
        self._codes = codes.astype(np.int64).reshape(len(x), len(y))

    def is_uniform(self, level: int, column: int, row: int) -> bool:
        """Say whether the corners and the middle of a cell look alike."""
        step = self._steps >> level
        i, j = column * step, row * step
        corners = self._codes[i : i + step + 1 : step, j : j + step + 1 : step]
        middle = self._codes[i + step // 2, j + step // 2]
        return bool(middle != 0 and np.all(corners == middle))


def settle(surface: Surface, words: Sequence[Word], depth: int, deadline: float, progress: Progress | None = None) -> Regions:
    """Divide the rectangle into cells, for each itinerary, until the kernel accepts a claim on them or ``depth`` bisections are done.

    All itineraries are refined together, largest cells first, so that a deadline leaves a coarser picture and not a missing one.
    **Guarantee:** settled cells are kernel-checked; open ones say nothing.
    """
    frame = Cell(*(Interval(entry.low, entry.high) for entry in surface.entries))
    floats = FloatSurface(surface)
    looks = {word: _Lattice(floats, word, frame, depth) for word in words}
    queue = deque((word, 0, 0, 0) for word in words)
    found: list[Settled] = []
    left: dict[Word, list[Cell]] = {word: [] for word in words}
    attempts = done = 0
    while queue and monotonic() < deadline:
        word, level, i, j = queue.popleft()
        cell, item = _cell(frame, level, i, j), None
        if looks[word].is_uniform(level, i, j):
            attempts += 1
            item = attempt(surface, word, cell)
        if item is None and level < depth:
            queue.extend((word, level + 1, 2 * i + a, 2 * j + b) for a in (0, 1) for b in (0, 1))
            continue
        if item is None:
            left[word].append(cell)
        else:
            found.append(item)
        done += 4 ** (depth - level)
        if progress is not None:
            progress("cells of the plane", done, 4**depth * len(words))
    for word, level, i, j in queue:
        left[word].append(_cell(frame, level, i, j))
    return Regions(tuple(found), {word: tuple(cells) for word, cells in left.items()}, attempts, not queue)


def _cell(frame: Cell, level: int, column: int, row: int) -> Cell:
    """Return a cell of the grid of 2^level by 2^level cells."""
    parts = 1 << level
    sides = []
    for side, place in ((frame.x, column), (frame.y, row)):
        width = (side.hi - side.lo) / parts
        sides.append(Interval(side.lo + place * width, side.lo + (place + 1) * width))
    return Cell(*sides)


def attempt(surface: Surface, word: Word, cell: Cell) -> Settled | None:
    """Ask the kernel about a cell, with what the exact orbit in its middle suggests; None where it does not accept."""
    try:
        orbit = closed_orbit(PieceTable(surface.at(*cell.center)), word)
        return _exists(orbit, surface, cell) if orbit.is_real else _absent(orbit, surface, cell)
    except (Rejected, SingularError):
        return None


def index_of(orbit: Orbit) -> int:
    """Return the sign of det(I - P)."""
    return det_sign(Matrix.identity(len(orbit.product.mid)) - orbit.product)


def _exists(orbit: Orbit, surface: Surface, cell: Cell) -> Settled | None:
    witness = enclosure_witness(orbit, exact=False)
    places, inverse, bits = (witness[name] for name in ("points", "inverse", "bits"))
    if not isinstance(places, tuple) or not isinstance(inverse, Matrix) or not isinstance(bits, int):
        raise TypeError(witness)
    forms = cyclic_forms([piece.jacobian for piece in orbit.pieces], 1.0)
    if forms is None:
        return None
    network = surface.over(cell.x, cell.y)
    draft, radius = Draft(network), _reach(network, orbit, inverse)
    content: dict[str, object] = {
        "itinerary": list(orbit.itinerary),
        "points": [spelled(point) for point in places],
        "bits": max(bits, _BITS),
    }
    number = _enclosed(draft, content | {"radius": write_number(radius)}, orbit, inverse)
    _, claim = draft.add("stability", {"forms": [spelled_rows(form) for form in forms], "bits": _BITS}, [number])
    if not isinstance(claim, Stability):
        raise TypeError(claim)
    return Settled(orbit.itinerary, cell, claim.outside, index_of(orbit), draft, claim)


def _enclosed(draft: Draft, content: dict[str, object], orbit: Orbit, inverse: Matrix) -> int:
    """Add card ``cycle`` and return its step: for long cycles in the form for the whole cycle at once. **Raises:** Rejected."""
    if len(orbit.points) < _LONG or len(orbit.points) * len(inverse.mid) > _MOST_BLOCK:
        return draft.add("cycle", content | {"inverse": spelled_rows(inverse)})[0]
    block = approximate_inverse(block_matrix([piece.jacobian for piece in orbit.pieces]))
    return draft.add("cycle", content | {"inverse_block": spelled_rows(block)})[0]


def _reach(network: Network, orbit: Orbit, inverse: Matrix) -> Fraction:
    """Return a power of two well above how far the cycle moves on a cell, by norms to first order."""
    moved = Fraction(0)
    for letters, point, piece in zip(orbit.itinerary, orbit.points, orbit.pieces, strict=True):
        wide = network.piece(letters)
        spread = (wide.jacobian - piece.jacobian).norm() * max(map(abs, point)) + (wide.offset - piece.offset).norm()
        moved = piece.jacobian.norm() * moved + spread
    grown = Fraction(1)
    for piece in orbit.pieces[:-1]:
        grown *= max(Fraction(1), piece.jacobian.norm())
    return Fraction(2) ** exponent(_GENEROUS * (1 + inverse.norm()) * grown * moved + _LEAST)


def _absent(orbit: Orbit, surface: Surface, cell: Cell) -> Settled | None:
    wrong = _most_wrong(orbit)
    if wrong is None:
        return None
    inverse = approximate_inverse(Matrix.identity(len(orbit.product.mid)) - orbit.product)
    path = surface.along(cell.x, cell.y)
    draft = Draft(path.start)
    line, _ = draft.add("path", path.witness())
    inner = {"inverse": spelled_rows(inverse), "time": wrong[0], "unit": wrong[1], "bits": _BITS}
    witness = {"itinerary": list(orbit.itinerary), "breaks": spelled([cell.x.lo, cell.x.hi]), "cells": [inner]}
    _, claim = draft.add("absent_on", witness, [line])
    return Settled(orbit.itinerary, cell, None, index_of(orbit), draft, claim)


def _most_wrong(orbit: Orbit) -> tuple[int, int] | None:
    """Return time and unit, from 1, of the pre-activation farthest on the wrong side of its border; None if none is on it."""
    worst, place = Fraction(0), None
    for time, (row, word, piece) in enumerate(zip(orbit.gates, orbit.itinerary, orbit.pieces, strict=True), 1):
        for unit, (value, letter) in enumerate(zip(row, word, strict=True), 1):
            reach = sum(abs(entry) for entry in piece.gates.mid[unit - 1])
            miss = (-value if letter == "1" else value) * piece.gates.den / max(1, reach)
            if miss > worst:
                worst, place = miss, (time, unit)
    return place
