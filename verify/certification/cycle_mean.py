"""Bounds for the exponents of all orbits in a box (cycle_mean), smooth networks included: small boxes, forms on their graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from time import monotonic

from proofs.arithmetic import Interval, Matrix
from proofs.claims import Claim
from proofs.errors import Rejected
from proofs.network import Network
from proofs.space import ExponentBounds, TrappingBox, TrappingPolytope
from verify.center import without_radius
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.numerics.box_trees import BITS, BoxTree, Sides, Walk, candidate_boxes
from verify.search.box_graph import MOST_LEAVES, Forms, Refinement, refine

MOST_STATES = 8
TOLERANCE = 1e-4
KERNEL_SHARE = 0.4  # of the budget, for what the kernel has to check
FEW, MANY = 64, 512  # leaves on which a box has to hold its own images, for several states and for one
_BACK_OFF = (0.0, 1e-8, 1e-6, 1e-4, 1e-2)
Sizes = tuple[tuple[int, int, float | None, float | None], ...]
Add = Callable[[dict[str, object]], tuple[int, Claim]]


@dataclass(frozen=True)
class CycleMeans:
    """The step added and its claim (None: nothing proved), and what stood in the way.

    ``table``: leaves, edges, log lower and log upper rate for each size tried. **Guarantee:** exact for the claim, heuristic for the table.
    """

    step: int | None
    claim: ExponentBounds | None
    table: Sizes
    reasons: tuple[str, ...]


def prove_cycle_mean(
    draft: Draft, region: int | None = None, budget: float = 60.0, tolerance: float = TOLERANCE, *, narrow: bool = False
) -> CycleMeans:
    """Bound the largest exponent of every orbit in a box from both sides, as far as that can be done within the budget (seconds).

    ``region``: the step of a trapping box (with one state, of a polytope) that is there already; otherwise a box that all orbits enter is
    looked for, then boxes around simulated orbits; with ``narrow`` only these. **Guarantee:** exact for the claim, which names the box.
    """
    deadline = monotonic() + (1 - KERNEL_SHARE) * budget
    if draft.network.dimension > MOST_STATES:
        return CycleMeans(None, None, (), (f"cycle mean: for at most {MOST_STATES} states",))
    try:
        tree = _trapped_tree(draft, region, deadline, narrow=narrow)
        found = tree if isinstance(tree, str) else refine(tree, deadline, tolerance, affordable(tree, KERNEL_SHARE * budget))
    except Rejected as failure:
        tree = found = f"cycle mean: {in_short(failure)}"
    if isinstance(found, str) or isinstance(tree, str):
        return CycleMeans(None, None, (), (str(found),))
    fixed = spelled_box(tree.sides) if region is None else {}
    proved, reasons = add_bounds(draft, "cycle_mean", () if region is None else (region,), fixed, found)
    last = draft.facts[-1] if proved else None
    if not isinstance(last, ExponentBounds):
        return CycleMeans(None, None, found.table, tuple(reasons))
    missing = [] if last.lower is not None else ["cycle mean: no lower bound: no forms grow on all of the box (it may hold a fold)"]
    return CycleMeans(len(draft.facts), last, found.table, (*reasons, *missing))


def trapped_tree(
    networks: Sequence[Network], deadline: float, nodes: int = 1, walks: Sequence[Walk] = ((0, 0, 0),), *, narrow: bool = False
) -> BoxTree | None:
    """Return a tree on whose leaves all the maps are seen to stay in the box, for the first box for which that is so; None without one.

    **Guarantee:** heuristic: the kernel encloses the images again.
    """
    most = FEW if networks[0].dimension > 1 else MANY
    for sides in candidate_boxes([without_radius(network) for network in networks], narrow=narrow):
        tree = BoxTree(networks, sides, nodes, walks)
        if tree.trap(deadline, most):
            return tree
    return None


def affordable(tree: BoxTree, seconds: float) -> int:
    """Return how many leaves the kernel can enclose in so many seconds, twice each: when a step is added and when the proof is read."""
    box, start = Matrix.intervals(Interval(low, high) for low, high in tree.sides), monotonic()
    for network in tree.networks:
        network.image(box, BITS)
        network.jacobian(box, BITS)
    return max(1, min(MOST_LEAVES, int(seconds / (2 * max(monotonic() - start, 1e-6)))))


def spelled_box(sides: Sides) -> dict[str, object]:
    """Spell a box as the cards read it."""
    return {"low": spelled(low for low, _ in sides), "high": spelled(high for _, high in sides)}


def add_bounds(draft: Draft, theorem: str, cites: Sequence[int], fixed: dict[str, object], found: Refinement) -> tuple[bool, list[str]]:
    """Add a step with both bounds, or with one; where the kernel finds a margin too small, move the rates. Return success and reasons.

    ``fixed``: what the witness of the theorem has besides the tree and the forms.
    """
    add = partial(draft.add, theorem, cites=cites)
    sides = {name: forms for name, forms in (("lower", found.lower), ("upper", found.upper)) if forms is not None}
    if not sides:
        return False, ["exponents on boxes: no quadratic forms were found"]
    base = fixed | {"cuts": spelled_cuts(found.cuts)}
    whole = _witness(base, sides)
    if not (reason := _refused(add, whole)):
        return True, []
    kept, reasons = dict[str, Forms](), list[str]()
    for name, forms in sides.items():
        for back in _BACK_OFF[len(sides) == 1 :]:
            moved = forms.moved(1 + back if name == "upper" else 1 - back)
            reason = _refused(add, _witness(base, {name: moved}))
            if not reason:
                draft.drop(len(draft.facts))
                kept[name] = moved
                break
        reasons += [f"exponents on boxes, {name} bound: {reason}"] if reason else []
    return bool(kept) and not _refused(add, _witness(base, kept)), reasons


def spelled_cuts(cuts: Sequence[tuple[int, Fraction] | None]) -> list[object]:
    """Spell a bisection tree as the cards read it."""
    return [None if cut is None else [cut[0], spelled([cut[1]])[0]] for cut in cuts]


def _witness(base: dict[str, object], sides: dict[str, Forms]) -> dict[str, object]:
    bits = max(forms.bits for forms in sides.values())
    spelled_sides = {
        name: {"rate": spelled([found.rate])[0], "forms": [spelled_rows(form) for form in found.forms]} for name, found in sides.items()
    }
    return base | {"bits": bits} | spelled_sides


def _refused(add: Add, witness: dict[str, object]) -> str:
    try:
        add(witness)
    except Rejected as failure:
        return in_short(failure)
    return ""


def _trapped_tree(draft: Draft, region: int | None, deadline: float, *, narrow: bool) -> BoxTree | str:
    """Return a tree on the cited box, or on one that is found; or why there is none."""
    if region is None:
        return trapped_tree((draft.network,), deadline, narrow=narrow) or "cycle mean: no box was seen to be mapped into itself"
    claim = draft.facts[region - 1]
    sides: Sides = ()
    if isinstance(claim, TrappingBox):
        sides = tuple(zip(claim.low, claim.high, strict=True))
    elif isinstance(claim, TrappingPolytope) and draft.network.dimension == 1:
        low = max(-constant / slope for slope, constant in claim.facets if slope > 0)
        sides = ((low, min(-constant / slope for slope, constant in claim.facets if slope < 0)),)
    if not sides or any(low >= high for low, high in sides):
        return "cycle mean: the region given is no trapping box with an inside"
    return BoxTree((draft.network,), sides)
