"""Two parameters of a network: where its cycles exist, how stable they are, the exact boundary curves, and what is proved of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval
from proofs.errors import Malformed
from proofs.grammar import write_number
from verify.certification.drafts import save_drafts
from verify.itineraries import root_length
from verify.loading import Loaded, describe
from verify.numerics.closed_forms import MOST_DEGREE, Curve, SymbolicCycle, curves, symbolic_cycle
from verify.numerics.curve_parts import Part, parts
from verify.parameters.marching import STRIPS, Marched, Tube, march
from verify.parameters.plane_texts import plane_lines
from verify.parameters.regions import Regions, settle
from verify.parameters.surfaces import Entry, Surface, surface
from verify.parameters.words import words_on

if TYPE_CHECKING:
    from pathlib import Path

    from proofs.claims import Claim
    from verify.certification.draft import Draft
    from verify.events import Word

    Progress = Callable[[str, int, int], None]

MOST_WORDS = 12
_TUBES = 0.4  # share of the time for boundary curves
_LEAST_DEPTH, _MOST_DEPTH = 1, 10


@dataclass(frozen=True, eq=False)
class Boundary:
    """An exact boundary curve and its arcs inside the rectangle. **Guarantee:** exact, not kernel-checked."""

    curve: Curve
    parts: tuple[Part, ...]

    @property
    def is_real(self) -> bool:
        """Say whether the cycle exists beside some arc."""
        return any(part.is_real for part in self.parts)

    def as_json(self, labels: Sequence[str]) -> dict[str, object]:
        """Return the curve with its arcs."""
        curve = self.curve
        solved = {labels[axis]: {"text": text, "latex": curve.solved(axis, latex=True)} for axis in (0, 1) if (text := curve.solved(axis))}
        return {
            "type": curve.kind,
            "itinerary": list(curve.itinerary),
            "period": len(curve.itinerary),
            "equation": curve.equation,
            "polynomial": str(curve.polynomial),
            "latex": curve.latex,
            "solved": solved,
            "colliding": [{"unit": unit, "time": time} for unit, time in curve.colliding] if curve.kind == "border_collision" else [],
            "arcs": [_arc_json(part, labels) for part in self.parts],
            "kernel_checked": False,
        }


@dataclass(frozen=True, eq=False)
class Plane:
    """What is known of some cycles over a rectangle of two parameters.

    ``forms`` and ``boundaries`` are exact and symbolic (not kernel-checked); ``regions`` and ``marched`` hold what the kernel accepted.
    """

    surface: Surface
    words: tuple[Word, ...]
    looked: str
    forms: tuple[SymbolicCycle, ...]
    boundaries: tuple[Boundary, ...]
    regions: Regions
    marched: Marched
    depth: int
    notes: tuple[str, ...] = ()
    path: str | None = None

    @property
    def verdict(self) -> str:
        """Return Proved if the kernel accepted anything, else NotFound."""
        return "Proved" if self.regions.settled or self.marched.tubes else "NotFound"

    @property
    def area(self) -> Fraction:
        """Return the area of the rectangle."""
        x, y = self.surface.entries
        return (x.high - x.low) * (y.high - y.low)

    @property
    def proofs(self) -> list[tuple[Draft, Claim]]:
        """Return what the kernel accepted: a draft with its claim for every cell, then for every tube."""
        cells = [(item.draft, item.claim) for item in self.regions.settled]
        return cells + [(tube.draft, tube.claim) for tube in self.marched.tubes]

    def saved(self, path: Path | None) -> Plane:
        """Write the collection of all certificates and return the plane with its path. **Raises:** Malformed: nothing proved, no place."""
        if path is None:
            return self
        save_drafts(path, self.proofs)
        return replace(self, path=str(path))

    def lines(self) -> list[str]:
        """Return the plane as text."""
        return plane_lines(self)

    def as_json(self) -> dict[str, object]:
        """Return the plane as ``--json`` prints it; numbers are exact texts."""
        labels = self.surface.labels
        return {
            "verdict": self.verdict,
            "network": describe(self.surface.loaded),
            "plane": [{"entry": e.label, "low": write_number(e.low), "high": write_number(e.high)} for e in self.surface.entries],
            "itineraries": [list(word) for word in self.words],
            "complete": False,
            "looked": self.looked,
            "closed_forms": [
                {"itinerary": list(f.itinerary), "points": [list(p) for p in f.texts], "latex": [list(p) for p in f.latex]}
                for f in self.forms
            ],
            "curves": [boundary.as_json(labels) for boundary in self.boundaries],
            "regions": [self._region_json(word) for word in self.words],
            "tubes": [_tube_json(tube, labels) for tube in self.marched.tubes],
            "unproved_events": [
                {"type": p.kind, "itinerary": list(p.itinerary), "unit": p.unit, "time": p.time, "reason": why}
                for p, why in self.marched.refused.items()
            ],
            "depth": self.depth,
            "in_time": self.regions.in_time and self.marched.in_time,
            "notes": list(self.notes),
            "certificate": self.path,
        }

    def _region_json(self, word: Word) -> dict[str, object]:
        exists, absent, left = (float(share) for share in self.regions.shares(word, self.area))
        cells = [
            {"x": _span(i.cell.x), "y": _span(i.cell.y), "exists": i.exists, "outside": i.outside, "index": i.index if i.exists else None}
            for i in self.regions.settled
            if i.itinerary == word
        ]
        shares = {"exists": exists, "absent": absent, "undecided": left}
        return {"itinerary": list(word), "period": len(word), "shares": shares, "cells": cells, "kernel_checked": True}


def plane(  # noqa: PLR0913 - an option is a parameter
    loaded: Loaded,
    vary_x: str | Entry,
    vary_y: str | Entry,
    *,
    words: Sequence[Word] | None = None,
    up_to: int = 2,
    depth: int = 7,
    budget: float = 60.0,
    strips: int = STRIPS,
    progress: Progress | None = None,
) -> Plane:
    """Return regions of existence and stability over a rectangle of two parameters, with their boundaries.

    ``vary_x`` and ``vary_y``: NAME[i,j]=LO:HI or LABEL:NAME[i,j]-NAME[i,j]=LO:HI. Without ``words`` the itineraries of cycles up to period
    ``up_to`` are looked for. ``depth``: how often a cell may be bisected both ways. ``strips``:
    into how many strips the rectangle is cut both ways to follow boundary curves; 0: not at all.

    **Guarantee:** cells and tubes are proved by the kernel; closed forms are exact (sympy); which itineraries were found is heuristic.
    **Cost:** ``budget`` seconds at most for cells and tubes together, after the closed forms (a second).
    **Raises:** Malformed: entries, ranges, itineraries; Unsupported: no piecewise-linear family; weights that are not affine in an entry.
    """
    if not _LEAST_DEPTH <= depth <= _MOST_DEPTH or up_to < 1 or budget <= 0 or strips < 0:
        expected = f"depth from {_LEAST_DEPTH} to {_MOST_DEPTH}, up_to at least 1, a positive budget, strips >= 0"
        raise Malformed(
            where="plane", law="options", expected=expected, got=f"depth {depth}, up_to {up_to}, budget {budget:g}, strips {strips}"
        )
    sheet = surface(loaded, [vary if isinstance(vary, Entry) else Entry.read(vary) for vary in (vary_x, vary_y)])
    chosen, looked = words_on(sheet, up_to) if words is None else (_checked(words, loaded.network.hinges), "itineraries were given")
    notes: list[str] = []
    if len(chosen) > MOST_WORDS:
        notes.append(f"{len(chosen)} itineraries have cycles here; the first {MOST_WORDS} are shown")
        chosen = chosen[:MOST_WORDS]
    forms = tuple(symbolic_cycle(sheet.terms, sheet.labels, word) for word in chosen if _is_low(sheet, word))
    if len(forms) < len(chosen):
        notes.append(
            f"closed forms are worked out where states times period is at most {MOST_DEGREE}: not for {len(chosen) - len(forms)} cycles"
        )
    start = monotonic()
    regions = settle(sheet, chosen, depth, start + budget * (1 - _TUBES if strips else 1), progress)
    marched = march(sheet, chosen, start + budget, strips, progress) if strips else Marched((), {}, 0, in_time=True)
    return Plane(sheet, chosen, looked, forms, _boundaries(sheet, forms), regions, marched, depth, tuple(notes))


def closed_forms(loaded: Loaded, entries: Sequence[Entry], word: Word) -> tuple[SymbolicCycle, tuple[Curve, ...]]:
    """Return the general closed forms of one cycle in up to eight named entries, and the curves (surfaces) on which something happens.

    **Guarantee:** exact, not kernel-checked. **Raises:** as ``plane``.
    """
    sheet = surface(loaded, entries)
    form = symbolic_cycle(sheet.terms, sheet.labels, _checked([word], loaded.network.hinges)[0])
    return form, curves(form)


def _boundaries(sheet: Surface, forms: Sequence[SymbolicCycle]) -> tuple[Boundary, ...]:
    x, y = (Interval(entry.low, entry.high) for entry in sheet.entries)
    found = [Boundary(curve, parts(curve, (x, y))) for form in forms for curve in curves(form)]
    return tuple(boundary for boundary in found if boundary.parts)


def _is_low(sheet: Surface, word: Word) -> bool:
    return sheet.loaded.network.dimension * len(word) <= MOST_DEGREE


def _checked(words: Sequence[Word], hinges: int) -> tuple[Word, ...]:
    for word in words:
        fits = len(word) > 0 and all(len(letters) == hinges and set(letters) <= {"0", "1"} for letters in word)
        if not fits or root_length(word) < len(word):
            expected = f"patterns of {hinges} letters 0 or 1, no power of a shorter itinerary"
            raise Malformed(where="itinerary", law="itineraries", expected=expected, got=" ".join(word) or "none")
    if not words:
        raise Malformed(where="itinerary", law="itineraries", expected="at least one", got="none")
    return tuple(tuple(word) for word in words)


def _span(side: Interval) -> list[str]:
    return [write_number(side.lo), write_number(side.hi)]


def _arc_json(part: Part, labels: Sequence[str]) -> dict[str, object]:
    return {
        "along": labels[part.axis],
        "from": _span(part.low),
        "to": _span(part.high),
        "branch": part.branch,
        "real": part.is_real,
        "exists_where_polynomial_is": ["positive" if side > 0 else "negative" for side in part.sides],
    }


def _tube_json(tube: Tube, labels: Sequence[str]) -> dict[str, object]:
    place = tube.place
    return {
        "type": place.kind,
        "itinerary": list(place.itinerary),
        "unit": place.unit,
        "time": place.time,
        "along": labels[tube.axis],
        "x": _span(tube.cell.x),
        "y": _span(tube.cell.y),
        "real": tube.is_real,
        "claim": tube.claim.as_json(),
    }
