"""From a recipe, the short text that a campaign stores for a network, to checked steps and to a certificate.

    li_yorke            {"point": q}
    odd_period          {"point": q, "times": n}
    covering_intervals  {"iterate": m, "point": q}      G = F^m has G^3(q) <= q < G(q) < G^2(q), or all reversed
    coppel              {"exponent": n} or {"monotone": "increasing" | "decreasing"}
    contraction         {"rate": q}                     in the maximum norm
    steps, or the name of one of the steps' theorems    {"claims": [number, ...], "steps": [[theorem, [cites], witness], ...]}

Numbers are spelled as in certificates. ``bits`` may be added where the theorem knows it; smooth networks need it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial
from math import ceil
from typing import TYPE_CHECKING, cast

from proofs.arithmetic import Interval, Matrix
from proofs.claims import EntropyLower, LiYorke, OddPeriod, Pieces
from proofs.errors import Malformed, Rejected
from proofs.grammar import write_number
from proofs.reader import parse_object
from proofs.space import CoveringGraph
from proofs.theorems import THEOREMS
from proofs.theorems.card import MAX_BITS, MAX_PERIOD
from proofs.theorems.coppel import MAX_EXPONENT
from proofs.theorems.entropy_from_period import MAX_ODD
from proofs.theorems.powers import MAX_KNOTS
from verify.certification.draft import Draft, spelled
from verify.certification.outcome import CHAOS, ORDER
from verify.certification.scalar_steps import odd_rate
from verify.rounding import exponent

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofs.certificate import Certificate, Remarks
    from proofs.claims import Claim
    from proofs.network import Network
    from proofs.piecewise import PiecewiseLinear
    from proofs.reader import Fields

    Step = tuple[int, Claim]
    Witness = dict[str, object]
    Prover = Callable[[Draft, Fields], list[Step]]

SHORT_BITS = 128
FIBONACCI = (75_025, 121_393)  # neighbours whose quotient is just below the golden ratio, and below that of the next two
_THREE = 3


def check_recipe(network: Network, theorem: str, recipe: str) -> str:
    """Run the checks that the recipe leads to, write nothing, and return what they prove: "chaotic" or "ordered".

    **Guarantee:** exact; ``certify_recipe`` then gives a certificate whose claims say so.
    **Raises:** Malformed for a recipe of another form; Rejected where it does not hold of this network, or says neither.
    """
    return "chaotic" if any(isinstance(claim, CHAOS) for _, claim in _prove(Draft(network), theorem, recipe)) else "ordered"


def certify_recipe(network: Network, theorem: str, recipe: str, remarks: Remarks | None = None) -> Certificate:
    """Return the certificate, the recipe's own claim first and after it what follows: a bound of the entropy, a scrambled set.

    **Guarantee:** the kernel has accepted its bytes. **Raises:** as ``check_recipe`` does.
    """
    draft = Draft(network, remarks)
    steps = _prove(draft, theorem, recipe)
    if not any(isinstance(fact, EntropyLower) for fact in draft.facts):
        steps += [_entropy(draft, number, _THREE) for number, claim in steps if isinstance(claim, LiYorke)][:1]
    return draft.finish(list(dict.fromkeys(claim for _, claim in steps)))[0]


def _prove(draft: Draft, theorem: str, recipe: str) -> list[Step]:
    """Add the steps that show chaos or order, and return those whose claims a certificate states."""
    fields = parse_object(recipe.encode(), "recipe")
    if fields.has("steps"):
        steps = _steps(draft, fields)
        known = ["steps", *(name for name, _, _ in draft.steps)]
    else:
        known = list(PROVERS)
        steps = PROVERS[theorem](draft, fields) if theorem in known else []
    if theorem not in known:
        raise Malformed(where="recipe", law="theorem of a recipe", expected=f"one of {', '.join(known)}", got=theorem)
    fields.close()
    return steps if any(isinstance(claim, (*CHAOS, *ORDER)) for _, claim in steps) else [*steps, *_scrambled(draft)]


def _steps(draft: Draft, recipe: Fields) -> list[Step]:
    for number, item in enumerate(recipe.items("steps"), 1):
        match item:
            case [str(theorem), [*cites], dict(witness)] if theorem in THEOREMS and all(type(i) is int for i in cites):
                draft.add(theorem, witness, cast("list[int]", cites))
            case _:
                expected = "[theorem, [numbers of earlier steps], witness]"
                raise Malformed(where=f"recipe, step {number}", law="steps of a recipe", expected=expected, got=str(item))
    return [(number, draft.facts[number - 1]) for number in recipe.integers("claims", 1, len(draft.facts))]


def _li_yorke(draft: Draft, recipe: Fields) -> list[Step]:
    return [draft.add("li_yorke", {**_point(recipe), **_bits(recipe)})]


def _odd_period(draft: Draft, recipe: Fields) -> list[Step]:
    return [draft.add("odd_period", {**_point(recipe), "times": recipe.integer("times", 3, MAX_ODD), **_bits(recipe)})]


def _coppel(draft: Draft, recipe: Fields) -> list[Step]:
    if recipe.has("monotone"):
        return [draft.add("coppel", {"monotone": recipe.text("monotone"), **_bits(recipe)})]
    exponents = {"exponent": recipe.integer("exponent", 0, MAX_EXPONENT)}
    table, _ = draft.add("pieces", {"max_knots": MAX_KNOTS})
    return [draft.add("coppel", {**exponents, "max_knots": MAX_KNOTS}, [table])]


def _contraction(draft: Draft, recipe: Fields) -> list[Step]:
    weights = ["1"] * draft.network.dimension
    return [draft.add("contraction", {"weights": weights, "rate": write_number(recipe.number("rate")), **_bits(recipe)})]


def _covering_intervals(draft: Draft, recipe: Fields) -> list[Step]:
    """Try inner points of few bits first; where the inequalities leave no room, the exact orbit of the point.

    The table of F, where there is one, makes the many evaluations cheap.
    """
    times, point, bits = recipe.integer("iterate", 1, MAX_PERIOD), recipe.number("point"), _bits(recipe)
    if bits or not (draft.network.is_exact and draft.network.is_piecewise_linear):
        image = partial(_image, draft.network, times, bits)
        return [draft.add("covering_intervals", {**_two_intervals(image, times, point, SHORT_BITS), **bits})]
    table, claim = draft.add("pieces", {"max_knots": MAX_KNOTS})
    if not isinstance(claim, Pieces):
        raise TypeError(claim)
    image = partial(_exact_image, claim.function, times)
    try:
        return [draft.add("covering_intervals", _two_intervals(image, times, point, SHORT_BITS), [table])]
    except Rejected:
        return [draft.add("covering_intervals", _two_intervals(image, times, point, None), [table])]


def _two_intervals(image: Callable[[Fraction], Interval], times: int, a: Fraction, short: int | None) -> Witness:
    """Return [a, b] and [b, c] with b just beyond G(a) and c just before G(b), from left to right: the first covers the second, that both.

    Each extreme is an end at which G goes beyond what is to be covered; the weights are Fibonacci numbers, T = [[0, 1], [1, 1]].
    """
    first = image(a)
    way = 1 if first.lo > a else -1
    b = _rounded(first, way, a, short)
    c = _rounded(image(b), -way, b, short)
    shoes = [((a, b), (a, b), FIBONACCI[0]), ((b, c), (c, b), FIBONACCI[1])][::way]
    return {
        "iterate": times,
        "intervals": [spelled(ends[::way]) for ends, _, _ in shoes],
        "extremes": [spelled(extremes[::way]) for _, extremes, _ in shoes],
        "weights": [str(weight) for _, _, weight in shoes],
        "rate": write_number(Fraction(FIBONACCI[1], FIBONACCI[0])),
    }


def _exact_image(function: PiecewiseLinear, times: int, x: Fraction) -> Interval:
    for _ in range(times):
        x = function(x)
    return Interval(x, x)


def _image(network: Network, times: int, bits: Witness, x: Fraction) -> Interval:
    state = Matrix.column([x])
    precision = bits.get("bits")
    for _ in range(times):
        state = network.image(state, precision if isinstance(precision, int) else None)
    return state.interval(0)


def _rounded(x: Interval, way: int, origin: Fraction, short: int | None) -> Fraction:
    """Return a number of about ``short`` bits beyond x in this direction; None: its end."""
    end = x.hi if way > 0 else x.lo
    if short is None or end == origin:
        return end
    scale = Fraction(2) ** (short - exponent(end - origin))
    return way * Fraction(ceil(way * end * scale)) / scale


def _scrambled(draft: Draft) -> list[Step]:
    """Draw a scrambled set from a bound of the entropy, this from an odd period, where a recipe stops short of saying chaos."""
    facts = list(enumerate(draft.facts, 1))
    bounds: list[Step] = [(number, fact) for number, fact in facts if isinstance(fact, EntropyLower | CoveringGraph) and fact.rate > 1]
    odd = [(number, fact.bound) for number, fact in facts if isinstance(fact, OddPeriod) and fact.bound <= MAX_ODD]
    bounds = bounds or [_entropy(draft, number, bound) for number, bound in odd[:1]]
    if not bounds:
        expected, got = "a step that proves chaos or order", ", ".join(fact.kind for fact in draft.facts) or "no step"
        raise Rejected(where="recipe", law="what a recipe proves", expected=expected, got=got)
    return [bounds[0], draft.add("entropy_gives_scrambling", {}, [bounds[0][0]])]


def _entropy(draft: Draft, step: int, odd: int) -> Step:
    return draft.add("entropy_from_period", {"rate": _rate(odd)}, [step])


@lru_cache
def _rate(odd: int) -> str:
    return write_number(odd_rate(odd))


def _point(recipe: Fields) -> Witness:
    return {"point": write_number(recipe.number("point"))}


def _bits(recipe: Fields) -> Witness:
    return {"bits": recipe.integer("bits", 8, MAX_BITS)} if recipe.has("bits") else {}


PROVERS: dict[str, Prover] = {
    "li_yorke": _li_yorke,
    "odd_period": _odd_period,
    "covering_intervals": _covering_intervals,
    "coppel": _coppel,
    "contraction": _contraction,
}
