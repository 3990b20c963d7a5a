"""How far a proof by card B1 reaches: the largest sup-norm radius and the largest radius of the weights that it passes with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import inf

from proofs.certificate import Certificate, Remarks
from proofs.claims import Pieces
from verify.certification.draft import Draft, spelled
from verify.certification.scalar_steps import BITS, add_pieces, attempt
from verify.errors import NotFound, Unsupported
from verify.loading import Loaded
from verify.numerics.interval_maps import Powers
from verify.rounding import dyadic_below
from verify.search.li_yorke import best_point

QUARTERS = (-400, 80)  # as for `certify --max-radius`
LAW = "radii by card B1"


@dataclass(frozen=True, eq=False)
class Radius:
    """A radius, the point of Li and Yorke at which it was proved, and the certificate that proves it."""

    value: Fraction
    point: Fraction
    certificate: Certificate


@dataclass(frozen=True, eq=False)
class Radii:
    """What is certified about the neighbourhood of one chaotic network; None where not even 2^-100 passes.

    ``sup``: every continuous g with |g - F| <= radius is Li-Yorke chaotic. ``weights``: so is every network all of whose stored parameters
    lie within the radius.
    """

    name: str
    sup: Radius | None
    weights: Radius | None


def li_yorke_radii(loaded: Loaded, point: Fraction, *, improve: bool, most_knots: int) -> Radii:
    """Find the largest radii, dyadics just below 2^(q/4) with q a whole number, at ``point`` or at a point with nearly the widest margins.

    **Guarantee:** the kernel accepted each certificate, and refuses the next step at that point. Another point may allow more.
    **Cost:** ten checks of B1 a radius and point; with ``improve`` the tables of F^2 and F^3.
    **Raises** Unsupported: no exact piecewise-linear network with one state; NotFound: too many pieces, or B1 fails at the point.
    """
    draft = _with_table(loaded, most_knots)
    if attempt(draft, "li_yorke", _witness(point)) is None:
        expected, got = "F^3(a) <= a < F(a) < F^2(a), or all reversed", f"a = {point}, where this fails"
        raise NotFound(where=loaded.name, law=LAW, expected=expected, got=got, remedy="a point of Li and Yorke")
    draft.drop(len(draft.facts))
    points = list(dict.fromkeys([*(_better(draft, most_knots) if improve else []), point]))
    return Radii(
        loaded.name,
        _widest(points, lambda at, radius: _add(draft, _witness(at, sup_radius=spelled([radius])[0]), 1)),
        _widest(points, lambda at, radius: _add(Draft(loaded.with_radius(radius), draft.remarks), _witness(at, bits=BITS))),
    )


def _with_table(loaded: Loaded, most_knots: int) -> Draft:
    """Start a draft whose first step is the table of F, from which B1 takes the Lipschitz constant."""
    network = loaded.network
    if network.dimension != 1 or not (network.is_exact and network.is_piecewise_linear):
        kind = "" if network.is_exact and network.is_piecewise_linear else ", weights with a radius or smooth operations"
        got = f"{network.dimension} {'state' if network.dimension == 1 else 'states'}{kind}"
        raise Unsupported(where=loaded.name, law=LAW, expected="an exact piecewise-linear network with one state", got=got)
    draft = Draft(network, Remarks(loaded.name, loaded.model, loaded.assumptions))
    if add_pieces(draft, most_knots) is None:
        got = f"too many for a budget of {most_knots}"
        raise NotFound(where=loaded.name, law=LAW, expected="the affine pieces of F", got=got, remedy="a larger budget of knots")
    return draft


def _better(draft: Draft, most_knots: int) -> list[Fraction]:
    """Return the point with nearly the widest margins, if the tables of F^2 and F^3 are within the budget."""
    table = draft.facts[0]
    if not isinstance(table, Pieces):
        raise TypeError(table)
    powers = Powers(table.function, most_knots, inf)
    two, three = powers.get(2), powers.get(3)
    best = None if two is None or three is None else best_point(table.function, two, three)
    return [] if best is None else [best.a]


def _witness(point: Fraction, **fields: object) -> dict[str, object]:
    return {"point": spelled([point])[0], **fields}


def _add(draft: Draft, witness: dict[str, object], *cites: int) -> Draft | None:
    """Return the draft with B1 as its last step, None where the kernel refuses."""
    return draft if attempt(draft, "li_yorke", witness, *cites) is not None else None


def _widest(points: Sequence[Fraction], prove: Callable[[Fraction, Fraction], Draft | None]) -> Radius | None:
    """Search the largest step at each point and certify the largest of them; of equals the first counts."""
    steps = [_largest_step(partial(prove, point)) for point in points]
    found = [(step, -place) for place, step in enumerate(steps) if step is not None]
    if not found:
        return None
    step, place = max(found)
    point, radius = points[-place], dyadic_below(step)
    draft = prove(point, radius)
    if draft is None:
        raise TypeError(draft)
    certificate, _ = draft.finish(draft.facts[-1:])
    draft.drop(len(draft.facts))
    return Radius(radius, point, certificate)


def _largest_step(prove: Callable[[Fraction], Draft | None]) -> int | None:
    """Bisect for the last q with which dyadic_below(q) passes."""

    def passes(quarters: int) -> bool:
        draft = prove(dyadic_below(quarters))
        if draft is not None:
            draft.drop(len(draft.facts))
        return draft is not None

    low, high = QUARTERS
    if not passes(low):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low
