"""Bounds for the exponents of all orbits (D1): a trapping region (C2), the words inside it, and quadratic forms on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import log
from time import monotonic

import numpy as np

from proofs.errors import Rejected
from proofs.network import Network
from proofs.space import ExponentBounds, TrappingBox, TrappingPolytope
from proofs.theorems.escapes import MAX_STATES
from proofs.theorems.exponent_bounds import MAX_WIDTH
from proofs.theorems.lifted import full_pattern, live_hinges
from proofs.theorems.word_path import facet_rows
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.certification.trapping import prove_trapping
from verify.numerics.batch import Floats, floats_of
from verify.numerics.cone_forms import growing, shrinking
from verify.numerics.polyhedra import Row
from verify.search.cones import TINY, WIDE, WordForms, WordGraph
from verify.search.inside import Inside, words_inside

BITS = 64
MOST_WORDS = 4000
STEEPEST = 1e9
TOLERANCE = 1e-8
_BACK_OFF = (1, 16, 256, 2000, 8000, 32_000, 128_000, 512_000, 2_048_000, 8_192_000, 32_768_000)


@dataclass(frozen=True)
class Bounds:
    """What a memory gives: logs of the rates found (None: no bound), and the size of the graph. **Guarantee:** heuristic."""

    memory: int
    lower: float | None
    upper: float | None
    nodes: int
    edges: int


@dataclass(frozen=True)
class Exponents:
    """The steps added, the claim of the last one (None: nothing proved), the bounds for each memory tried, and what stood in the way."""

    steps: tuple[int, ...]
    claim: ExponentBounds | None
    table: tuple[Bounds, ...]
    reasons: tuple[str, ...]


def prove_exponents(
    draft: Draft, memory: int = 6, budget: float = 60.0, region: int | None = None, around: Sequence[Sequence[float]] = ()
) -> Exponents:
    """Bound the exponents of all orbits of a trapping region, or of all orbits where none is found, with at most so much memory.

    ``region``: the step of a trapping box or polytope that is there already; ``around``: points that it should contain if it is to be
    found. A third of the ``budget`` (seconds) goes into the region.
    **Guarantee:** exact for the claim (the kernel has checked it); heuristic for the table.
    """
    start = monotonic()
    reason = _unfit(draft)
    if reason:
        return Exponents((), None, (), (reason,))
    steps, reasons = [] if region is None else [region], list[str]()
    if region is None:
        region, reason = prove_trapping(draft, budget / 3, smooth=False, around=around)
        steps, reasons = ([], [reason]) if region is None else ([region], [])
    claim = None if region is None else draft.facts[region - 1]
    facets = facet_rows(claim) if isinstance(claim, TrappingBox | TrappingPolytope) else ()
    tries = _tries(draft, facets, memory, start + budget, TOLERANCE)
    if not tries:
        reason = f"exponents: the time was over, or there are more than {MOST_WORDS} words of two letters or too many unknowns"
        return Exponents(tuple(steps), None, (), (*reasons, reason))
    if len(tries) < memory:
        reasons.append(f"exponents: memory {len(tries)} of {memory}, then the time was over or there were too many words or unknowns")
    table = tuple(one.bounds for one in tries)
    best = _best(tries, TOLERANCE)
    if best is None:
        return Exponents(tuple(steps), None, table, (*reasons, "exponents: no quadratic forms were found"))
    added, proved, reason = _add(draft, best, None if not facets else region)
    missing = [_why_no_lower(tries[-1])] if proved and proved.lower is None else []
    return Exponents((*steps, *added), proved, table, (*reasons, *missing, *([reason] if reason else [])))


@dataclass(frozen=True)
class _Try:
    graph: WordGraph
    inside: Inside
    lower: WordForms | None
    upper: WordForms | None

    @property
    def bounds(self) -> Bounds:
        """Return what is told of it."""
        lower, upper = (None if found is None else log(found.rate) for found in (self.lower, self.upper))
        return Bounds(self.graph.memory, lower, upper, len(self.graph.nodes), len(self.inside.words))


def _unfit(draft: Draft) -> str:
    network = draft.network
    if not network.is_piecewise_linear:
        return "exponents (D1): for piecewise-linear networks only"
    width = len(live_hinges(network))
    if width > MAX_WIDTH:
        return f"exponents (D1): {width} live hinges, at most {MAX_WIDTH} are allowed"
    steepest = max((float(np.abs(jacobian).max()) for jacobian in _jacobians(network).values()), default=0.0)
    return "" if steepest < STEEPEST else f"exponents (D1): Jacobians of size {steepest:.3g} are beyond the float search"


def _tries(draft: Draft, facets: Sequence[Row], memory: int, deadline: float, tolerance: float) -> list[_Try]:
    """Look for the best forms with memory 1, 2, .. as long as words and time allow."""
    tries: list[_Try] = []
    jacobians = _jacobians(draft.network)
    for inside in _words(draft.network, facets, deadline):
        if inside.length > memory + 1 or (tries and monotonic() > deadline):
            break
        if inside.length > 1:
            graph = WordGraph.of(inside.words, inside.length - 1, jacobians)
            if not graph.is_affordable:
                break
            share = monotonic() + (deadline - monotonic()) / 2
            before = tries[-1] if tries else _Try(graph, inside, None, None)
            lower = graph.lower(tolerance, share, before.lower)
            upper = graph.upper(tolerance, deadline, before.upper)
            tries.append(_Try(graph, inside, lower, upper))
    return tries


def _words(network: Network, facets: Sequence[Row], deadline: float) -> Iterator[Inside]:
    """Yield the words of each length; with weight intervals no word is excluded."""
    if network.is_exact and network.dimension <= MAX_STATES:
        yield from words_inside(network, facets, MOST_WORDS, deadline)
        return
    letters = ["".join(bits) for bits in product("01", repeat=len(live_hinges(network)))]
    words = [""]
    for length in range(1, MOST_WORDS):
        if len(words) * len(letters) > MOST_WORDS:
            return
        words = [word + letter for word in words for letter in letters]
        yield Inside(length, tuple(words), {})


def _jacobians(network: Network) -> dict[str, Floats]:
    live = live_hinges(network)
    letters = ["".join(bits) for bits in product("01", repeat=len(live))]
    return {letter: floats_of(network.piece(full_pattern(live, letter, network.hinges)).jacobian) for letter in letters}


def _best(tries: Sequence[_Try], tolerance: float) -> _Try | None:
    """Return the shortest memory that is as good as any, up to a few tolerances."""
    tries = [one for one in tries if one.lower is not None or one.upper is not None]
    if not tries:
        return None
    lowest = max((one.bounds.lower for one in tries if one.bounds.lower is not None), default=None)
    highest = min((one.bounds.upper for one in tries if one.bounds.upper is not None), default=None)
    losses = [(_loss(one.bounds.lower, lowest) + _loss(one.bounds.upper, highest), one) for one in tries]
    least = min(loss for loss, _ in losses)
    return next(one for loss, one in losses if loss <= least + 4 * tolerance)


def _why_no_lower(last: _Try) -> str:
    rate, letters = last.graph.slowest
    word, memory = ".".join(letters), last.graph.memory
    if rate <= TINY:
        return f"exponents: no lower bound, for with memory {memory} no word is excluded that repeats {word}, where nothing grows"
    seen = f"the slowest cycle seen, {word}, grows by {rate:.6g} a step"
    return f"exponents: no lower bound: no expanding cones with memory {memory} ({seen})"


def _loss(bound: float | None, best: float | None) -> float:
    return 0.0 if best is None else WIDE if bound is None else abs(best - bound)


def _add(draft: Draft, best: _Try, region: int | None) -> tuple[list[int], ExponentBounds | None, str]:
    """Add the words and the forms; where the kernel finds a margin too small, move the rates."""
    words, steps = best.inside.forbidden, list[int]()
    if words:
        entries = [[word, *rows] for word, rows in sorted(words.items())]
        steps.append(draft.add("forbidden_words", {"words": entries}, () if region is None else (region,))[0])
    found = {"lower": best.lower, "upper": best.upper}
    bits = max(BITS, *(forms.bits for forms in found.values() if forms is not None))
    bounds: dict[str, object] = {"memory": best.graph.memory, "bits": bits}
    plain = bounds | {name: _spelled(forms) for name, forms in found.items() if forms is not None}
    if not _fails(draft, plain, steps):
        return [*steps, len(draft.facts)], _last(draft), ""
    reasons = []
    for name, forms in found.items():
        accepted, reason = _accepted(draft, best.graph, bounds, steps, name, forms) if forms is not None else (None, "")
        reasons += [reason] if reason else []
        bounds |= {} if accepted is None else {name: accepted}
    if not {"lower", "upper"} & set(bounds) or _fails(draft, bounds, steps):
        return steps, None, "; ".join(reasons)
    return [*steps, len(draft.facts)], _last(draft), "; ".join(reasons)


def _accepted(
    draft: Draft, graph: WordGraph, bounds: dict[str, object], steps: Sequence[int], name: str, found: WordForms
) -> tuple[object, str]:
    """Return the first bound of one kind that the kernel accepts, its rate moved more and more."""
    reason = ""
    for back in _BACK_OFF:
        moved = graph.at(growing if name == "lower" else shrinking, _moved(found.rate, name, back * TOLERANCE))
        if moved is None:
            break
        one = {key: bounds[key] for key in ("memory", "bits")} | {name: _spelled(moved)}
        reason = _fails(draft, one, steps)
        if not reason:
            draft.drop(len(draft.facts))
            return one[name], ""
    return None, reason


def _fails(draft: Draft, witness: dict[str, object], cites: Sequence[int]) -> str:
    try:
        draft.add("exponent_bounds", witness, cites)
    except Rejected as failure:
        return f"exponents (D1): {in_short(failure)}"
    return ""


def _last(draft: Draft) -> ExponentBounds | None:
    claim = draft.facts[-1]
    return claim if isinstance(claim, ExponentBounds) else None


def _spelled(found: WordForms) -> dict[str, object]:
    forms = [[word, spelled_rows(form)] for word, form in sorted(found.forms.items())]
    return {"rate": spelled([found.rate])[0], "forms": forms}


def _moved(rate: Fraction, name: str, distance: float) -> Fraction:
    return rate * Fraction(1.0 - distance if name == "lower" else 1.0 + distance)
