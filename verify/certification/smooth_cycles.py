"""Complete lists of the cycles of smooth networks: searched for in floats, each certified (A2), then all of them together (A4b)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import ceil, floor, frexp, inf
from time import monotonic
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.certificate import Remarks
from proofs.errors import Malformed, Rejected
from proofs.exponents import CyclesInBox
from proofs.theorems.cycles_in_box import MAX_STATES, MAX_UP_TO
from verify.answers import CycleList
from verify.candidates import Candidate
from verify.center import without_radius
from verify.certification.cycles import CertifiedCycle, CycleProver
from verify.certification.draft import Draft, in_short, spelled
from verify.certification.find import entry_of
from verify.certification.listing import disagreement
from verify.loading import describe
from verify.numerics.smooth_balls import cycle_text
from verify.search.smooth_cycles import MOST_LEAVES, find_all_cycles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.claims import Claim
    from proofs.network import Network
    from verify.answers import CycleEntry
    from verify.certification.find import Effort
    from verify.loading import Loaded
    from verify.search.smooth_cycles import CyclesFound, Sides, Tree

    Progress = Callable[[str, int, int], None]

BITS = 64
SEARCH_SHARE = 0.4  # of the budget; the rest is for the kernel, which sees every leaf twice
_READINGS, _TIMINGS = 2, 3
_ROOM = (Fraction(1, 256), Fraction(3, 512))  # beyond the range of F, unequal, so that its middle is no cut
_BALL_ROOM = (Fraction(1, 16), Fraction(3, 32))  # the same for weights with a radius, whose balls have to lie in the box
_SIDE_BITS = 12
NO_BOX = "all cycles (A4b): F is not seen to be bounded, so they are listed in a box only, and none was given"


@dataclass(frozen=True)
class SmoothCycles:
    """What was proved of the cycles of least period at most ``up_to`` in a box, or everywhere.

    ``claim``: these are all of them, up to ``claim.up_to``, which may be less than ``up_to`` (None: not even the fixed points);
    ``step`` its number in the draft; ``cycles``: those certified, whether or not they are all; ``reasons``: what stood in the way.
    ``leaves``: of each tree that the claim rests on, by period. **Guarantee:** exact for the claims, which the kernel accepted.
    """

    up_to: int
    step: int | None
    claim: CyclesInBox | None
    cycles: tuple[CertifiedCycle, ...]
    reasons: tuple[str, ...]
    leaves: dict[int, int]
    search_seconds: float
    seconds: float

    @property
    def complete_up_to(self) -> int:
        """Return the largest period up to which the list is proved complete; 0 if it is not."""
        return 0 if self.claim is None else self.claim.up_to

    @property
    def complete(self) -> bool:
        """Say whether the list is proved complete up to the period that was asked for."""
        return self.complete_up_to == self.up_to


def prove_all_cycles(
    draft: Draft, up_to: int, *, sides: Sides | None = None, budget: float = inf, seed: int = 0, progress: Progress | None = None
) -> SmoothCycles:
    """List all cycles of least period at most ``up_to``, all of whose points lie in a box, and prove that there are no others.

    ``sides``: the box; None: everywhere, in a box that is seen to hold the range of F. ``budget``: seconds, search and proof together.

    **Guarantee:** exact for what is claimed, and that for every network within the radius where weights have one. The list may be
    complete up to a smaller period only; the reasons say what is left, and where.
    **Cost:** a tree has at most 2^14 leaves, and no more than the kernel can settle in the budget.
    **Raises:** Malformed for a period that is not from 1 to 64, too many states, a budget that is no number, or a box without inside.
    """
    start, network = monotonic(), draft.network
    _require_fit(network, up_to)
    everywhere = sides is None
    box = range_box(network) if sides is None else sides
    if box is None:
        return SmoothCycles(up_to, None, None, (), (NO_BOX,), {}, 0.0, monotonic() - start)
    most = partial(affordable, network, box, (1 - SEARCH_SHARE) * budget / _READINGS)
    try:
        found = find_all_cycles(network, box, up_to, budget=SEARCH_SHARE * budget, most_leaves=most, seed=seed, progress=progress)
    except Rejected as failure:
        return SmoothCycles(up_to, None, None, (), (f"all cycles (A4b): {in_short(failure)}",), {}, 0.0, monotonic() - start)
    numbers, cycles, reasons = _certified(draft, found)
    step, refused = None, [] if not reasons else ["not every cycle that was found is certified"]
    open_from = min((len(points) for place, points in enumerate(found.cycles) if place not in numbers), default=up_to + 1)
    reached = found.reached(min(up_to, open_from - 1))
    witness = _witness(box, everywhere=everywhere)
    while step is None and reached:
        step = _added(draft, witness, found, numbers, reached, refused)
        reached -= 1 if step is None else 0
    claim = draft.facts[-1] if step is not None else None
    kept = claim if isinstance(claim, CyclesInBox) else None
    if kept is not None and kept.everywhere:
        require_index(kept, cycles)
    leaves = {} if kept is None else {tree.period: len(tree.leaves) for tree in found.chosen(kept.up_to)}
    told = (*(f"all cycles (A4b): {text}" for text in (*found.reasons, *refused)), *reasons)
    return SmoothCycles(up_to, step, kept, cycles, told, leaves, found.seconds, monotonic() - start)


def complete_smooth(loaded: Loaded, up_to: int, effort: Effort, box: tuple[Fraction, Fraction] | None = None) -> CycleList:
    """Answer ``cycles --complete`` for a smooth network: everywhere, or in a box where one is given.

    **Guarantee:** verdict Proved if and only if the checker accepted a list that is complete up to ``up_to``. **Raises:** Malformed.
    """
    draft = Draft(loaded.network, Remarks(loaded.name, loaded.model, loaded.assumptions))
    budget = inf if effort.budget_seconds is None else effort.budget_seconds
    sides = None if box is None else (box,) * loaded.network.dimension
    found = prove_all_cycles(draft, up_to, sides=sides, budget=budget, seed=effort.seed, progress=effort.progress)
    since, claims = monotonic(), tuple(claims_of(found))
    certificate = draft.finish(claims)[0] if claims else None
    partly = "" if found.complete or not found.complete_up_to else f"completeness: up to period {found.complete_up_to} only"
    spent: dict[str, object] = {
        "seconds": round(found.seconds + monotonic() - since, 3),
        "nodes": sum(found.leaves.values()),
        "method": "boxes",
        "method_because": "a smooth network: one tree of boxes a period",
        "search_seconds": round(found.search_seconds, 3),
        "check_seconds": round(monotonic() - since, 3),
        "leaves": {str(period): count for period, count in found.leaves.items()},
    }
    return CycleList(
        "Proved" if found.complete else "NotFound",
        describe(loaded),
        tuple(entries_of(found)),
        complete=found.complete,
        complete_up_to=found.complete_up_to,
        up_to=up_to,
        residual=(),
        unresolved=tuple(text for text in (partly, *found.reasons) if text),
        effort=spent,
        claims=claims,
        certificate=certificate,
        box=box,
        steps=len(draft.steps),
        everywhere=box is None,
    )


def no_list(network: Network, up_to: int, box: object) -> str:
    """Return why no complete list can be tried for, "" if it can."""
    if up_to > MAX_UP_TO or network.dimension > MAX_STATES:
        return f"all cycles (A4b): for periods up to {MAX_UP_TO} and up to {MAX_STATES} states"
    return NO_BOX if box is None and range_box(network) is None else ""


def entries_of(found: SmoothCycles) -> list[CycleEntry]:
    """Return the cycles as the answers show them, shortest first, with their signs."""
    entries = [replace(entry_of(cycle), signs=signs_of(cycle)) for cycle in found.cycles]
    return sorted(entries, key=lambda entry: entry.period)


def claims_of(found: SmoothCycles) -> list[Claim]:
    """Return the claim about all cycles, then those about each one."""
    single = [claim for cycle in found.cycles for claim in (cycle.heading, cycle.moduli) if claim is not None]
    return [*([] if found.claim is None else [found.claim]), *single]


def range_box(network: Network) -> Sides | None:
    """Return a box with short ends around the range of F; None where F is not seen to be bounded. **Guarantee:** heuristic."""
    image = network.range_everywhere(BITS)
    room = _ROOM if network.is_exact else _BALL_ROOM
    return None if image is None else tuple(_outward(span, room) for span in image.entries())


def affordable(network: Network, sides: Sides, seconds: float, period: int) -> int:
    """Return how many leaves the kernel can settle in so many seconds, measured on the whole box; at most 2^14."""
    box, spent = Matrix.intervals(Interval(low, high) for low, high in sides), list[float]()
    for _ in range(_TIMINGS):
        start = monotonic()
        network.tangent(box, BITS)
        network.image(box, BITS)
        spent.append(monotonic() - start)
    return max(1, int(min(MOST_LEAVES, seconds / (period * max(min(spent), 1e-6)))))


def require_index(claim: CyclesInBox, cycles: Sequence[CertifiedCycle]) -> None:
    """Compare a list that is complete everywhere with the degree of z - F^k(z), which is 1 for every bounded F.

    **Guarantee:** heuristic in nothing but that multipliers near 1 leave a sum open, which then is not compared.
    **Raises:** Rejected where a sum is not 1: the search, the kernel or the multipliers are at fault.
    """
    for period in range(1, claim.up_to + 1):
        total = index_sum([(cycle.period, signs_of(cycle)) for cycle in cycles], period)
        if total not in {None, 1}:
            raise disagreement(f"index sum 1 over the solutions of F^{period}(z) = z, for F is bounded", total)


def index_sum(cycles: Sequence[tuple[int, tuple[int, int] | None]], period: int) -> int | None:
    """Return the sum of sign det(I - DF^k) over points of cycles, given as least period and signs of det(I - P) and det(I + P)."""
    total = 0
    for least, signs in cycles:
        if period % least:
            continue
        if signs is None:
            return None
        total += least * (signs[0] if (period // least) % 2 else signs[0] * signs[1])
    return total


def signs_of(cycle: CertifiedCycle) -> tuple[int, int] | None:
    """Return the signs of det(I - P) and det(I + P) from the enclosed multipliers; None where one may be 1 or -1.

    A pair of conjugate multipliers counts twice, and so not at all. **Guarantee:** as for the multipliers.
    """
    if cycle.multipliers is None:
        return None
    signs = [1, 1]
    for real, imaginary in cycle.multipliers:
        for which, (low, high) in enumerate(((real.lo, real.hi), (-real.hi, -real.lo))):
            if low > 1:
                signs[which] = -signs[which]
            elif high >= 1 and imaginary.lo <= 0 <= imaginary.hi:
                return None
            elif high >= 1:
                continue
    return signs[0], signs[1]


def _require_fit(network: Network, up_to: int) -> None:
    if isinstance(up_to, bool) or not 1 <= up_to <= MAX_UP_TO:
        raise Malformed(where="all cycles (A4b)", law="a period", expected=f"an integer from 1 to {MAX_UP_TO}", got=str(up_to))
    if network.dimension > MAX_STATES:
        raise Malformed(where="all cycles (A4b)", law="states", expected=f"at most {MAX_STATES}", got=str(network.dimension))


def _certified(draft: Draft, found: CyclesFound) -> tuple[dict[int, int], tuple[CertifiedCycle, ...], list[str]]:
    """Certify each cycle, in order; return the steps by the places of the cycles, and say which were refused."""
    prover = CycleProver(draft, without_radius(draft.network))
    numbers, cycles, reasons = dict[int, int](), list[CertifiedCycle](), list[str]()
    for place, points in enumerate(found.cycles):
        outcome = prover.prove(Candidate(len(points), None, points))
        if isinstance(outcome, CertifiedCycle):
            cycles.append(outcome)
            numbers[place] = draft.facts.index(outcome.claim) + 1
        else:
            why = "its balls meet those of another one" if outcome is None else outcome.reason
            reasons.append(f"the {cycle_text(points)}: {why}")
    return numbers, tuple(cycles), reasons


def _witness(sides: Sides, *, everywhere: bool) -> dict[str, object]:
    ends: dict[str, object] = {"low": spelled(low for low, _ in sides), "high": spelled(high for _, high in sides), "bits": BITS}
    return ends | ({"everywhere": 1} if everywhere else {})


def _added(
    draft: Draft, base: dict[str, object], found: CyclesFound, numbers: dict[int, int], up_to: int, refused: list[str]
) -> int | None:
    """Add the step for all periods up to this one; None and a further reason where the kernel refuses it."""
    short = [place for place, points in enumerate(found.cycles) if len(points) <= up_to]
    names = {place + 1: number for number, place in enumerate(short, 1)}
    witness = base | {"up_to": up_to, "trees": [_spelled_tree(tree, names) for tree in found.chosen(up_to)]}
    try:
        return draft.add("cycles_in_box", witness, [numbers[place] for place in short])[0]
    except Rejected as failure:
        refused.append(f"up to period {up_to}: {in_short(failure)}")
        return None


def _spelled_tree(tree: Tree, names: dict[int, int]) -> dict[str, object]:
    leaves = [entry if isinstance(entry, int) else [names[entry[0]], entry[1]] for entry in tree.leaves]
    return {"cuts": [None if cut is None else [cut[0], spelled([cut[1]])[0]] for cut in tree.cuts], "leaves": leaves}


def _outward(span: Interval, room: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    """Return short dyadics around an interval, farther above than below."""
    width = max(span.hi - span.lo, Fraction(1, 1024))
    scale = Fraction(2) ** (_SIDE_BITS - frexp(float(width))[1])
    return floor((span.lo - room[0] * width) * scale) / scale, ceil((span.hi + room[1] * width) * scale) / scale
