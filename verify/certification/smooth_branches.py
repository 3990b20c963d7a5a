"""Cycles of smooth networks proved to exist over ranges of mu: cells of Krawczyk balls for card ``exists_on``, with joints between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Matrix
from proofs.errors import Rejected
from proofs.grammar import read_number
from proofs.parameters import ExistsOn
from verify.certification.bifurcation_results import ProvedBranch, Undecided
from verify.certification.covers import HOPELESS, Cell, Gap, Run, cover, without
from verify.certification.draft import Draft, spelled, spelled_rows
from verify.certification.orbits import block_matrix
from verify.numerics.balls import SingularError, approximate_inverse
from verify.numerics.lyapunov_forms import cyclic_forms
from verify.rounding import exponent

if TYPE_CHECKING:
    from verify.certification.smooth_arcs import Arc
    from verify.numerics.batch import Floats
    from verify.paths import Path

    Range = tuple[Fraction, Fraction]

BITS = 96
_ROOM = 2.0  # radius over the way w that the cycle goes in half a cell: w + e r < r, with e proportional to r, is easiest at r = 2 w
_JOINT_POWERS = (0, 4, 12)
_LEAST = 2.0**-40
_FASTEST = 2.0**20
_ATTEMPTS = 4000
_SHARE = 0.35  # of the time, for cells with stability
_SHORTEST = Fraction(1, 1 << 24)  # of the path: beside a turning point, doubles do not tell the two cycles apart
_SHOWN = 40
CLOSE = "too close to an event for cells of this size"
NO_CYCLE = f"{HOPELESS}Newton's method finds no cycle in the middle of this range"
NO_FORMS = "no quadratic forms: a multiplier is too close to the unit circle"


@dataclass
class ArcProver:
    """Covers arcs by cells until ``deadline`` (of ``monotonic``); ``scratch`` tries each cell before they are put together."""

    draft: Draft
    path: Path
    line: int
    deadline: float = inf
    scratch: Draft = field(init=False)

    def __post_init__(self) -> None:
        """Add the path step to the scratch draft."""
        self.scratch = Draft(self.draft.network)
        self.scratch.add("path", self.path.witness())
        self._near = 4 * _SHORTEST * (self.path.high - self.path.low)

    def arc(self, arc: Arc, low: Fraction, high: Fraction) -> tuple[list[ProvedBranch], list[Undecided]]:
        """Cover [low, high]: with stability where cells allow, without it elsewhere (through flips); what is left is undecided."""
        found: list[ProvedBranch] = []
        gaps: list[Gap] = []
        start = monotonic()
        for stability in (True, False):
            until = start + _SHARE * (self.deadline - start) if stability else self.deadline
            for left, right in without(low, high, [(branch.low, branch.high) for branch in found]):
                if not stability and right - left < self._near and _touches_turn(arc, (low, high), (left, right)):
                    gaps += [Gap(left, right, CLOSE)]
                    continue
                told = cover(left, right, self._attempt(arc, stability=stability), partial(_before, until), attempts=_ATTEMPTS)
                found += [branch for run in told.runs for branch in self._claims(arc, run)]
                gaps += () if stability else told.gaps
        left_over = [Undecided((), gap.low, gap.high, f"existence of {_name(arc, gap.low, gap.high)}", gap.reason) for gap in gaps]
        return sorted(found, key=lambda branch: branch.low), left_over

    def _attempt(self, arc: Arc, *, stability: bool) -> Callable[[Fraction, Fraction], Cell | str]:
        least = _SHORTEST * (self.path.high - self.path.low)

        def attempt(start: Fraction, end: Fraction) -> Cell | str:
            if end - start < least:
                return f"{HOPELESS}{CLOSE}"
            middle = (start + end) / 2
            points = arc.at(middle)
            if points is None:
                return NO_CYCLE
            made = _witness(arc, points, middle, stability=stability)
            way = arc.speed(points, middle) * float(end - start) / 2.0
            if isinstance(made, str) or not way < _FASTEST:
                return made if isinstance(made, str) else "the cycle moves too fast with mu"
            cell = made | {"radius": spelled([_above(_ROOM * max(way, _LEAST))])[0]}
            return self._refusal({"breaks": spelled((start, end)), "cells": [cell], "joints": []}) or cell

        return attempt

    def _refusal(self, witness: dict[str, object]) -> str:
        try:
            number, _ = self.scratch.add("exists_on", witness, [1])
        except Rejected as failure:
            return f"{failure.law}: expected {failure.expected}, got {failure.got[:_SHOWN]}"
        self.scratch.drop(number)
        return ""

    def _claims(self, arc: Arc, run: Run) -> list[ProvedBranch]:
        """Join the cells of a run where a joint is accepted; where none is, two claims meet."""
        parts: list[tuple[list[Fraction], list[Cell], list[Cell]]] = [([run.breaks[0], run.breaks[1]], [run.cells[0]], [])]
        for one, two, mu, end in zip(run.cells, run.cells[1:], run.breaks[1:], run.breaks[2:], strict=False):
            joint = self._joint(arc, (one, two), mu)
            if joint is None:
                parts.append(([mu, end], [two], []))
            else:
                breaks, cells, joints = parts[-1]
                parts[-1] = ([*breaks, end], [*cells, two], [*joints, joint])
        return [self._claim(breaks, cells, joints) for breaks, cells, joints in parts]

    def _joint(self, arc: Arc, cells: tuple[Cell, Cell], mu: Fraction) -> Cell | None:
        """Return a witness for the cycle at a break whose balls lie inside those of both cells."""
        points = arc.at(mu)
        made = None if points is None else _witness(arc, points, mu, stability=False)
        if points is None or made is None or isinstance(made, str):
            return None
        room = min(_radius(cell) - _farthest(cell, points) for cell in cells)
        for power in _JOINT_POWERS if room > 0 else ():
            radius = Fraction(2) ** (exponent(room) - 1 - power)
            joint = made | {"radius": spelled([radius])[0]}
            try:
                Draft(self.path.at(mu)).add("cycle", joint)
            except Rejected:
                continue
            return joint
        return None

    def _claim(self, breaks: list[Fraction], cells: list[Cell], joints: list[Cell]) -> ProvedBranch:
        witness = {"breaks": spelled(breaks), "cells": cells, "joints": joints}
        _, claim = self.draft.add("exists_on", witness, [self.line])
        if not isinstance(claim, ExistsOn):
            raise TypeError(claim)
        knots = tuple((*ends, _centres(cell)) for ends, cell in zip(pairwise(breaks), cells, strict=True))
        return ProvedBranch((), claim.period, claim.low, claim.high, True, claim.inside, claim.outside, len(cells), claim, knots)


def _before(deadline: float) -> bool:
    return monotonic() < deadline


def _touches_turn(arc: Arc, ends: Range, part: Range) -> bool:
    """Say whether a part of an arc begins or ends at an event at which the branch turns."""
    return (arc.ends[0] is not None and part[0] == ends[0]) or (arc.ends[1] is not None and part[1] == ends[1])


def _witness(arc: Arc, points: Floats, mu: Fraction, *, stability: bool) -> Cell | str:
    """Return points, inverse and forms of the cycle of one network; not yet the radius."""
    exact = [[Fraction(float(x)) for x in point] for point in points]
    network = arc.path.at(mu)
    wide = [network.jacobian(Matrix.column(point), BITS) for point in exact]
    jacobians = [Matrix(jacobian.mid, None, jacobian.den) for jacobian in wide]
    forms = cyclic_forms(jacobians, 1.0) if stability else []
    if forms is None:
        return NO_FORMS
    try:
        inverse = approximate_inverse(block_matrix(jacobians))
    except SingularError:
        return "a multiplier is 1, or too close to it"
    cell: Cell = {"points": [spelled(point) for point in exact], "inverse_block": spelled_rows(inverse), "bits": BITS}
    return cell | {"forms": [spelled_rows(form) for form in forms]} if stability else cell


def _above(value: float) -> Fraction:
    """Return a short dyadic number at least as large, by 1/32 at most."""
    exact = Fraction(value)
    unit = Fraction(2) ** (exponent(exact) - 6)
    return -(-exact // unit) * unit


def _radius(cell: Cell) -> Fraction:
    return read_number(str(cell["radius"]), "radius")


def _centres(cell: Cell) -> tuple[tuple[Fraction, ...], ...]:
    rows = cell["points"]
    if not isinstance(rows, list):
        raise TypeError(rows)
    return tuple(tuple(read_number(x, "points") for x in row) for row in rows)


def _farthest(cell: Cell, points: Floats) -> Fraction:
    pairs = zip(_centres(cell), points.tolist(), strict=True)
    return max(abs(x - Fraction(y)) for row, point in pairs for x, y in zip(row, point, strict=True))


def _name(arc: Arc, low: Fraction, high: Fraction) -> str:
    """Name a cycle by a point in the middle of a range."""
    points = arc.at((low + high) / 2)
    kind = "the fixed point" if arc.period == 1 else f"the {arc.period}-cycle"
    if points is None:
        return kind
    least = points[int(np.argmin(points[:, 0]))]
    return f"{kind} near z = ({', '.join(f'{x:.4g}' for x in least)})"
