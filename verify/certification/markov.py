"""Exact exponents of almost every orbit (markov_exponent): Markov maps of the line, and networks of rank one that are such maps inside.

Where the map is no Markov map, its absorbing intervals bound the exponents of every orbit (D1), exactly if all slopes are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from proofs.errors import Rejected
from proofs.exponents import MarkovExponent
from verify.certification.draft import Draft, in_short, spelled
from verify.certification.exponents import Exponents, prove_exponents
from verify.certification.trapping import polytope_witness
from verify.numerics.trapped import trapped
from verify.search.markov import MAX_KNOTS, MarkovClass, absorbing_facets, markov_classes, scalar_factor


@dataclass(frozen=True)
class Markov:
    """The steps added and their claims, one for each transitive class of intervals, and what stood in the way of others."""

    steps: tuple[int, ...]
    claims: tuple[MarkovExponent, ...]
    reasons: tuple[str, ...]


def prove_markov(draft: Draft, max_knots: int = MAX_KNOTS) -> Markov:
    """Add markov_exponent for every class of intervals found around the knots of an exact piecewise-linear map.

    One state, or several of which the first operation, of rank one, reads one linear form. **Guarantee:** exact: the kernel has checked it.
    Without a claim there is a reason. **Cost:** exact orbits of the knots, at most 512 points of 2048 bits.
    """
    if not draft.network.is_exact or not draft.network.is_piecewise_linear:
        return Markov((), (), ("markov: for exact piecewise-linear networks only",))
    factor = scalar_factor(draft.network)
    if isinstance(factor, str):
        return Markov((), (), (factor,))
    search = markov_classes(factor.network, max_knots)
    steps, claims, reasons = list[int](), list[MarkovExponent](), list(search.reasons)
    for one in search.classes:
        try:
            number, claim = draft.add("markov_exponent", markov_witness(one, max_knots))
        except Rejected as failure:
            reasons.append(f"markov: {in_short(failure)}")
            continue
        if isinstance(claim, MarkovExponent):
            steps.append(number)
            claims.append(claim)
    return Markov(tuple(steps), tuple(claims), tuple(reasons))


def prove_absorbing(draft: Draft, memory: int = 2, budget: float = 20.0) -> Exponents:
    """Bound the exponents of every orbit in an absorbing interval of the scalar map inside (D1), the first where a lower one is found.

    With several states the region is the polytope of states over the interval. **Guarantee:** exact for the claim.
    """
    if not draft.network.is_exact or not draft.network.is_piecewise_linear:
        return Exponents((), None, (), ("absorbing interval: for exact piecewise-linear networks only",))
    factor = scalar_factor(draft.network)
    if isinstance(factor, str):
        return Exponents((), None, (), (factor,))
    deadline, reasons = monotonic() + budget, list[str]()
    regions = absorbing_facets(factor, draft.network.dimension)
    for facets in regions:
        found = trapped(draft.network, facets, deadline)
        if found is None:
            reasons.append("absorbing interval: not mapped into itself exactly, or no time")
            continue
        number, _ = draft.add("trapping", polytope_witness(found))
        bounds = prove_exponents(draft, memory, deadline - monotonic(), number)
        if bounds.claim is not None and bounds.claim.lower is not None:
            return bounds
        while len(draft.facts) >= number:
            draft.drop(len(draft.facts))
        reasons += bounds.reasons
    return Exponents((), None, (), tuple(reasons) or ("absorbing interval: none was found around the knots",))


def markov_witness(found: MarkovClass, max_knots: int) -> dict[str, object]:
    """Spell a class as card markov_exponent reads it."""
    return {"max_knots": max_knots, "ends": [spelled(pair) for pair in found.ends], "density": spelled(found.density)}
