"""C2 ``trapping``. A region that no orbit leaves.

Statement   K is nonempty and compact, and F maps K into itself.
Witness     one of: low, high: a box (optional bits).
            facets (coefficients.., constant) of the polytope coefficients . z + constant >= 0; point; bounded: groups of facets;
            excluded: [pattern bits, row, ..] and kept: [pattern bits, one list of rows a facet], bits of live hinges, cut short in
            excluded where one likes; row -(f + 1) is facet f, row j is that of live hinge j (1: a >= 0, 0: a < 0).
            center, form Q, multipliers L (one a unit), decay t: the ellipsoid (z - center)'Q(z - center) <= 1; bits.
Checks      1  box: low <= high; the enclosure of F over it lies inside
            2  polytope, exact: the point lies in it; the coefficients of each group of facets have one linear dependency, which is
               positive, and together the groups have rank M (so it is bounded)
            3  every pattern is kept or begins with an excluded one, whose rows exclude it in K by Farkas
            4  on every kept pattern, for every facet f: the rows, with "facet f of F(z) < 0" added, exclude each other by Farkas
            5  ellipsoid: Q > 0, all L >= 0, 0 <= t < 1, and with d = z - center and x the outputs of the units the quadratic form
               t d'Qd + 1 - t - (F(z) - center)'Q(F(z) - center) - 2 sum L_j x_j (a_j - x_j) in (d, x, 1) is positive definite
Fails when  K touches its own image's outside; a facet is too many; a sigmoid in case 5 (its output at 0 is not 0).
Rests on    Farkas' lemma; x (a - x) >= 0 for x = relu(a), tanh(a).
"""

from __future__ import annotations

from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.inertia import is_positive_definite
from proofs.reader import read_list
from proofs.space import Trapping, TrappingBox, TrappingEllipsoid, TrappingPolytope
from proofs.theorems.elimination import dependency, rank
from proofs.theorems.escapes import MAX_STATES, Escapes, indices
from proofs.theorems.sectors import embedded, sectors
from proofs.theorems.word_path import facet_rows

if TYPE_CHECKING:
    from proofs.theorems.card import Application
    from proofs.theorems.word_path import Row


def check(step: Application) -> Trapping:
    """Verify one application; see the card above."""
    if step.witness.has("low"):
        return _box(step)
    return _polytope(step) if step.witness.has("facets") else _ellipsoid(step)


def _box(step: Application) -> TrappingBox:
    size = step.network.dimension
    low, high = step.witness.numbers("low"), step.witness.numbers("high")
    ordered = len(low) == size == len(high) and all(a <= b for a, b in zip(low, high, strict=True))
    step.require(1, ordered, f"{size} lower and upper ends in order", (len(low), len(high)))
    box = Matrix.intervals(Interval(a, b) for a, b in zip(low, high, strict=True))
    for i, image in enumerate(step.network.image(box, step.bits()).entries()):
        inside = low[i] <= image.lo and image.hi <= high[i]
        step.require(1, inside, f"coordinate {i + 1} of F inside the box", (image.lo, "to", image.hi))
    return TrappingBox(low, high)


def _polytope(step: Application) -> TrappingPolytope:
    step.require_exact(2)
    size = step.network.dimension
    step.require(2, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    step.require(2, size <= MAX_STATES, f"at most {MAX_STATES} states", size)
    facets = step.witness.table("facets")
    step.require(2, all(len(facet) == size + 1 for facet in facets), f"facets of {size + 1} numbers", "others")
    claim = TrappingPolytope(facets)
    rows = facet_rows(claim)
    point = (*step.witness.numbers("point"), Fraction(1))
    inside = len(point) == size + 1 and all(sum(map(mul, facet, point)) >= 0 for facet in facets)
    step.require(2, inside, "a point of the polytope", "another")
    _require_bounded(step, rows, size)
    Escapes(step, rows).require_none()
    return claim


def _require_bounded(step: Application, rows: tuple[Row, ...], size: int) -> None:
    where = f"{step.witness.where}, field bounded"
    used: list[tuple[int, ...]] = []
    for group in step.witness.items("bounded"):
        chosen = [rows[i][0][:-1] for i in indices(read_list(group, where), 0, len(rows), where)]
        multipliers = dependency(chosen) if chosen else None
        positive = multipliers is not None and (min(multipliers) > 0 or max(multipliers) < 0)
        step.require(2, positive, "facets with one positive dependency in each group", str(group)[:200])
        used += chosen
    step.require(2, rank(used) == size, f"groups of facets of rank {size}", rank(used))


def _ellipsoid(step: Application) -> TrappingEllipsoid:
    size, bits = step.network.dimension, step.needed_bits()
    sector = sectors(step, 5)
    step.require_work(5, (size + len(sector.limits) + 1) ** 3, bits)
    step.require(5, not sector.has_sigmoid, "units with output 0 at 0", "a sigmoid")
    center, table = step.witness.numbers("center"), step.witness.table("form")
    fits = len(center) == size == len(table) and all(len(row) == size for row in table)
    step.require(5, fits, f"a centre and a form of size {size}", (len(center), len(table)))
    form, decay, multipliers = Matrix.exact(table), step.witness.number("decay"), step.witness.numbers("multipliers")
    step.require(5, form.mid == form.transposed().mid and is_positive_definite(form, bits), "a positive definite form", "another")
    step.require(5, 0 <= decay < 1, "a decay from 0 to below 1", decay)
    step.require_short_column(5, (*center, *multipliers))
    signed = len(multipliers) == len(sector.limits) and all(weight >= 0 for weight in multipliers)
    step.require(5, signed, f"{len(sector.limits)} multipliers >= 0", len(multipliers))
    base = embedded(form.times(decay), size + len(multipliers) + 1, 1 - decay)
    gap = sector.at(Matrix.column(center)).gap(base, form, multipliers)
    step.require(5, is_positive_definite(gap, bits), "the quadratic form positive definite", "not proved", "more slack")
    return TrappingEllipsoid(center, table)
