"""Is a polytope mapped into itself? Exactly, pattern by pattern, with the rows that card C2 wants to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

from proofs.network import Network
from proofs.theorems.word_path import Words
from verify.numerics.linear_programs import Cutter, decide
from verify.numerics.linear_systems import Farkas, Form, Point, Row, coordinates, primitive, rank, settle

Rows = tuple[int, ...]
MOST_CELLS = 4096


@dataclass(frozen=True)
class Polytope:
    """A polytope K with F(K) inside K.

    ``facets``: integer forms, form >= 0. ``excluded``: (bits, rows) of patterns without points in K; ``kept``: (bits, rows a facet).
    Row -(f + 1) is facet f, row j is live hinge j. ``bounded``: groups of facets. **Guarantee:** exact (the kernel checks it again).
    """

    facets: tuple[Form, ...]
    point: tuple[Fraction, ...]
    bounded: tuple[Rows, ...]
    excluded: tuple[tuple[str, Rows], ...]
    kept: tuple[tuple[str, tuple[Rows, ...]], ...]


def trapped(network: Network, facets: Sequence[Form], deadline: float) -> Polytope | None:
    """Return the whole witness for these facets, None where the polytope is not mapped into itself, or is empty or unbounded.

    Exact piecewise-linear networks. None as well where it has parts in too many patterns, or time is over.

    **Guarantee:** exact. **Cost:** a small linear program for each facet and each pattern inside.
    """
    forms = list(dict.fromkeys(map(primitive, facets)))
    groups = _bounded(forms, network.dimension)
    point = decide([Row(form, strict=False) for form in forms], network.dimension)
    if groups is None or isinstance(point, Farkas):
        return None
    found = _Trap(network, forms)
    if not found.explore(point, deadline):
        return None
    return Polytope(tuple(forms), coordinates(point), groups, tuple(found.excluded), tuple(found.kept))


class _Trap:
    """The patterns inside a polytope, one after the other, and whether the facets hold on their images."""

    def __init__(self, network: Network, forms: list[Form]) -> None:
        self.words = Words(network)
        self.forms = forms
        self.cutter = Cutter(network.dimension)
        self.names: dict[Row, int] = {}
        self.active = 0
        self.excluded: list[tuple[str, Rows]] = []
        self.kept: list[tuple[str, tuple[Rows, ...]]] = []
        for number, form in enumerate(forms):
            side = self.cutter.side(Row(form, strict=False))
            self.names[self.cutter.rows[side]] = -(number + 1)
            self.active |= 1 << side

    def explore(self, point: Point, deadline: float) -> bool:
        """Go through all patterns; False as soon as a facet fails on some image, or there are too many patterns."""
        pending = [("", self.active, point)]
        while pending:
            bits, active, inside = pending.pop()
            if len(self.kept) + len(self.excluded) >= MOST_CELLS or monotonic() > deadline:
                return False
            if len(bits) == len(self.words.live):
                rows = self._kept(bits, active, inside)
                if rows is None:
                    return False
                self.kept.append((bits, rows))
                continue
            for longer in (bits + "1", bits + "0"):
                side = self._hinge(longer)
                found = self.cutter.cut(active, side, inside)
                if isinstance(found, Farkas):
                    self.excluded.append((longer, self._named(found, longer)))
                else:
                    pending.append((longer, active | 1 << side, found))
        return True

    def _kept(self, bits: str, active: int, inside: Point) -> tuple[Rows, ...] | None:
        """Return, for each facet, the rows that keep the images of this pattern inside; None if one leaves."""
        path = self.words.extended(self.words.start, bits, ())
        kept = []
        for form in self.forms:
            side = self.cutter.side(Row(tuple(-value for value in path.form(form)), strict=True))
            found = self.cutter.cut(active, side, inside)
            if not isinstance(found, Farkas):
                return None
            kept.append(self._named(found, bits, self.cutter.rows[side]))
        return tuple(kept)

    def _named(self, found: Farkas, bits: str, escape: Row | None = None) -> Rows:
        own = {self.cutter.rows[self._hinge(bits[: j + 1])]: j for j in range(len(bits))}
        names = self.names | own
        return tuple(sorted(names[row] for row in found.rows if row != escape))

    def _hinge(self, bits: str) -> int:
        """Return the side on which the last bit has its value."""
        return self.cutter.side(Row(*self.words.row(self.words.start, bits[:-1], bits[-1])))


def _bounded(forms: Sequence[Form], size: int) -> tuple[Rows, ...] | None:
    """Return groups of facets whose coefficients have one dependency each, positive, and together span the space; None if unbounded."""
    normals = [Row((*form[:-1], 0), strict=False) for form in forms]
    groups: list[Rows] = []
    spanned: list[Form] = []
    for form, row in zip(forms, normals, strict=True):
        if rank([*spanned, form]) == rank(spanned):
            continue
        found = settle([Row(row.form, strict=True), *(other for other in normals if other != row)], size)
        if not isinstance(found, Farkas):
            return None
        groups.append(tuple(sorted({normals.index(Row(each.form, strict=False)) for each in found.rows})))
        spanned += [forms[i] for i in groups[-1]]
    return tuple(groups) if rank(spanned) == size else None
