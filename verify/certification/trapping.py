"""A region that no orbit leaves (C2): a polytope or a box around simulated orbits, or an ellipsoid of a network that contracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from time import monotonic

import numpy as np

from proofs.errors import Rejected
from proofs.theorems.escapes import MAX_STATES
from proofs.theorems.lifted import live_hinges
from verify.center import without_radius
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.numerics.batch import Floats
from verify.numerics.trapped import Polytope, trapped
from verify.search.contraction import contraction_form, why_no_form
from verify.search.trapping import BOX_BITS, box, ellipsoid, polytopes, simulated_orbits

ELLIPSOID_BITS = 256
MOST_HINGES = 16


def prove_trapping(
    draft: Draft, budget: float = 20.0, *, smooth: bool = True, around: Sequence[Sequence[float]] = ()
) -> tuple[int | None, str]:
    """Add C2 with the first region found: polytope (exact piecewise-linear networks), box, ellipsoid; return its step, or None and why not.

    ``smooth``: try an ellipsoid too, which bounds orbits but has no facets. ``around``: points that a polytope should contain, if one can.
    **Guarantee:** exact: the kernel has checked the step.
    """
    deadline = monotonic() + budget
    orbits = simulated_orbits(without_radius(draft.network))
    points = np.array(around, dtype=np.float64).reshape(-1, draft.network.dimension)
    attempts: list[Callable[[], tuple[int | None, str]]] = [
        lambda: _polytope(draft, orbits, points, deadline),
        lambda: _box(draft, orbits),
        lambda: _ellipsoid(draft, deadline),
    ]
    reasons = []
    for attempt in attempts if smooth else attempts[:2]:
        number, reason = attempt()
        if number is not None:
            return number, ""
        reasons.append(reason)
    return None, f"trapping region (C2): {'; '.join(reasons)}"


def polytope_witness(found: Polytope) -> dict[str, object]:
    """Spell a polytope as card C2 reads it."""
    return {
        "facets": [spelled(map(Fraction, facet)) for facet in found.facets],
        "point": spelled(found.point),
        "bounded": [list(group) for group in found.bounded],
        "excluded": [[bits, *rows] for bits, rows in found.excluded],
        "kept": [[bits, *map(list, rows)] for bits, rows in found.kept],
    }


def _polytope(draft: Draft, orbits: Floats | None, around: Floats, deadline: float) -> tuple[int | None, str]:
    network = draft.network
    if not network.is_piecewise_linear or not network.is_exact:
        return None, "polytopes are for exact piecewise-linear networks"
    if network.dimension > MAX_STATES or len(live_hinges(network)) > MOST_HINGES:
        return None, f"polytopes are for at most {MAX_STATES} states and {MOST_HINGES} live hinges"
    if orbits is None:
        return None, "no simulated orbit stays bounded"
    tried = 0
    for facets in polytopes(network, orbits, around, deadline):
        found, tried = trapped(network, facets, deadline), tried + 1
        if found is not None:
            return _added(draft, polytope_witness(found))
    what = f"none of {tried} polytopes found in floats is mapped into itself exactly" if tried else "hulls and templates around orbits grow"
    return None, what if monotonic() < deadline else f"{what}, until the time was over"


def _box(draft: Draft, orbits: Floats | None) -> tuple[int | None, str]:
    found = box(draft.network, orbits)
    if found is None:
        return None, "no box holds its own enclosed image"
    return _added(draft, {"low": spelled(found[0]), "high": spelled(found[1]), "bits": BOX_BITS})


def _ellipsoid(draft: Draft, deadline: float) -> tuple[int | None, str]:
    center = without_radius(draft.network)
    reason = why_no_form(center)
    if reason is not None:
        return None, f"no ellipsoid: {reason}"
    form = contraction_form(center, "full", max(1.0, deadline - monotonic()), roomy=True)
    witness = form.witness
    found = None if witness is None else ellipsoid(center, witness.form, witness.multipliers, witness.rate)
    if found is None:
        return None, f"no ellipsoid: {form.reason or 'sigmoid units'}"
    entries = {"center": spelled(found.center), "form": spelled_rows(found.form), "multipliers": spelled(found.multipliers)}
    return _added(draft, {**entries, "decay": spelled([found.decay])[0], "bits": ELLIPSOID_BITS})


def _added(draft: Draft, witness: dict[str, object]) -> tuple[int | None, str]:
    try:
        return draft.add("trapping", witness)[0], ""
    except Rejected as failure:
        return None, in_short(failure)
