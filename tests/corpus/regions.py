"""The corpus of trapping regions (C2), of words that no orbit of them follows (A4) and of exponent bounds (D1): what holds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from proofs.network import Network, Operation
from proofs.space import TrappingBox, TrappingPolytope
from tests.corpus.farkas import polytope, shortest
from tests.corpus.parts import Case, Rows, affine, hinges, lozi, plrnn, tanh_net, tent
from tests.corpus.strips import exact

Witness = dict
UNIT = [["1", "0"], ["-1", "1"]]
LATER = [["1", "-3/8"], ["-1", "3/4"]]
GENTLE, BENT = lozi("6/5", "1/4"), lozi("7/5", "1/4")
FRAME = [["1", "0", "7/5"], ["-1", "0", "7/5"], ["0", "1", "7/20"], ["0", "-1", "7/20"]]
CORNER = [["1", "0", "0"], ["0", "1", "0"], ["-1", "-1", "4"]]
HALVING = plrnn([["1/4", 0], [0, "1/4"]], [[0, "1/4"], ["1/4", 0]], [1, "1/2"])
LOW = hinges([1], [3], ["1/2"], -1)
CURVED = tanh_net([["1/2", "1/4"], ["-1/4", "1/2"]], [1, 0])
CURVED_RADIUS = tanh_net([["1/2~1p-10", "1/4"], ["-1/4", "1/2~1p-10"]], [1, 0])
SOFT = hinges([1], [0], ["1/4"], 1)
STACKED = Network(
    1,
    (
        affine([0, 1], ([[1], ["-1"]], 0)),
        Operation("relu", (1,)),
        affine(["-1/2"], ([["1/2", "-1/4"]], 2)),
        Operation("tanh", (3,)),
        affine(["1/4"], ([["1/4"]], 4), ([["1/4"]], 0)),
    ),
)
FLAT = plrnn([["1/2", "1/4"], [0, "1/2"]], [[0, 0], [0, 0]], [0, 0])
TURN = plrnn([["1/4"]], [["-9/4"]], [-1])
TURN_FORMS = [["00", [["1"]]], ["10", [["64"]]]]  # what is steep is met once
SADDLE = [["1", "0"], ["0", "-3"]]
ROUND = [["1", "0"], ["0", "1"]]
SPIRAL = Network(2, (affine([1, 0], ([["6/5", "-8/5"], ["8/5", "6/5"]], 0)),))


def box(low: list[str], high: list[str], **more: object) -> Witness:
    """Return a witness of C2 for a box."""
    return {"low": low, "high": high, **more}


def ellipsoid(center: list[str], form: Rows, multipliers: list[str], decay: str) -> Witness:
    """Return a witness of C2 for an ellipsoid."""
    return {"center": center, "form": form, "multipliers": multipliers, "decay": decay, "bits": 40}


@cache
def frame_words() -> list[list[object]]:
    """Return the words of up to five letters that GENTLE follows nowhere in its frame."""
    return shortest(GENTLE, TrappingPolytope(tuple(map(tuple, exact(FRAME)))), 5)


def framed() -> Case:
    """Return GENTLE with its frame and the words as steps 1 and 2."""
    case = Case(GENTLE)
    case.good("trapping", polytope(GENTLE, FRAME, [0, 0]))
    case.good("forbidden_words", {"words": frame_words()}, 1)
    return case


def inner_tent() -> Case:
    """Return the tent of slope 3/2 with the interval that its peak spans, and the words that are not followed there."""
    case = Case(tent("3/2"))
    case.good("trapping", polytope(case.network, LATER, ["1/2"]))
    case.good("forbidden_words", {"words": shortest(case.network, TrappingPolytope(tuple(map(tuple, exact(LATER)))), 1)}, 1)
    return case


def bound(words: list[str], form: object, rate: str) -> Witness:
    """Return one side of D1 with the same form everywhere."""
    return {"rate": rate, "forms": [[word, form] for word in words]}


def accepted_regions() -> Iterator[tuple[str, bytes]]:
    """Yield C2, A4 inside, D1."""
    for name, network, witness in (
        ("box", HALVING, box(["0", "0"], ["3", "3"])),
        ("box-on-the-line", LOW, box(["-2"], ["2"], bits=20)),
        ("box-that-is-a-point", Network(1, (affine([0], ([["1/2"]], 0)),)), box(["0"], ["0"])),
        ("box-tanh", CURVED, box(["0", "-1"], ["2", "1"], bits=30)),
        ("box-tanh-radius", CURVED_RADIUS, box(["0", "-1"], ["2", "1"], bits=30)),
        ("polytope-tent", tent(), polytope(tent(), UNIT, ["1/2"])),
        ("polytope-lozi", GENTLE, polytope(GENTLE, FRAME, [0, 0])),
        ("polytope-triangle", HALVING, polytope(HALVING, CORNER, [1, 1])),
        ("polytope-no-live-hinge", FLAT, polytope(FLAT, FRAME, [0, 0])),
        ("polytope-cut-short", tent(), {**polytope(tent(), UNIT, ["1/2"]), "excluded": [["0", -1, 0]]}),
        ("polytope-facet-to-spare", GENTLE, polytope(GENTLE, [*FRAME, ["1", "1", "9"]], [0, 0])),
        ("ellipsoid-tanh", CURVED, ellipsoid(["0", "0"], [["1/8", "0"], ["0", "1/8"]], ["3/40", "3/40"], "3/5")),
        ("ellipsoid-tanh-radius", CURVED_RADIUS, ellipsoid(["0", "0"], [["1/8", "0"], ["0", "1/8"]], ["3/40", "3/40"], "3/5")),
        ("ellipsoid-relu-off-centre", SOFT, ellipsoid(["1"], [["1"]], ["1/4"], "1/2")),
        ("ellipsoid-relu-and-tanh", STACKED, ellipsoid(["0"], [["1"]], ["1/8", "1/8", "1/8"], "1/2")),
        ("ellipsoid-no-units", Network(1, (affine([1], ([["1/2"]], 0)),)), ellipsoid(["2"], [["1"]], [], "1/2")),
    ):
        case = Case(network, name)
        case.good("trapping", witness)
        yield f"trapping-{name}", case.claiming()
    yield from accepted_words()
    yield from accepted_exponents()


def accepted_words() -> Iterator[tuple[str, bytes]]:
    """Yield forbidden words of a region, as far as a bound on exponents follows from them."""
    case = Case(LOW)
    case.good("trapping", box(["-2"], ["2"]))
    case.good("forbidden_words", {"words": shortest(LOW, TrappingBox(*[(x[0],) for x in exact([[-2], [2]])]), 1)}, 1)
    for side, rate in (("lower", "499/1000"), ("upper", "501/1000")):
        case.good("exponent_bounds", {"memory": 1, "bits": 40, side: bound(["1"], [["1"]], rate)}, 2)
    yield "forbidden_words-of-a-box", case.claiming(*case.facts[2:])
    case = inner_tent()
    both = {"lower": bound(["10", "11"], [["1"]], "1499/1000"), "upper": bound(["10", "11"], [["1"]], "1501/1000")}
    case.good("exponent_bounds", {"memory": 1, "bits": 40, **both}, 2)
    yield "forbidden_words-of-a-polytope", case.claiming(case.facts[-1])
    case = framed()
    nodes = [word for word in (f"{i:03b}" for i in range(8)) if word != "100"]
    lower = {"rate": "3/4", "forms": [[word, [["1", "0"], ["0", "-8"]]] for word in nodes]}
    case.good("exponent_bounds", {"memory": 3, "bits": 60, "lower": lower, "upper": bound(nodes, ROUND, "7/4")}, 2)
    yield "exponent_bounds-three-letters-in-a-frame", case.claiming(case.facts[-1])


def accepted_exponents() -> Iterator[tuple[str, bytes]]:
    """Yield bounds for all orbits."""
    for name, network in (("lozi", BENT), ("lozi-radius", lozi("7/5", "1/4", "~1p-10"))):
        case = Case(network, name)
        case.good("exponent_bounds", {"memory": 1, "bits": 60, "lower": bound(["0", "1"], SADDLE, "11/10")})
        case.good("exponent_bounds", {"memory": 1, "bits": 60, "upper": bound(["0", "1"], ROUND, "2")})
        yield f"exponent_bounds-{name}", case.claiming()
    case = Case(SPIRAL)
    case.good(
        "exponent_bounds", {"memory": 2, "bits": 60, "lower": bound([""], ROUND, "1999/1000"), "upper": bound([""], ROUND, "2001/1000")}
    )
    yield "exponent_bounds-no-hinges", case.claiming()
    case = Case(lozi("3", "1/4"))
    case.good("forbidden_words", {"words": shortest(case.network, None, 3, 5)})
    case.good("exponent_bounds", {"memory": 2, "bits": 60, "lower": bound([f"{i:02b}" for i in range(4)], SADDLE, "5/2")}, 1)
    yield "exponent_bounds-no-words-forbidden", case.claiming(case.facts[-1])
    case = Case(TURN)
    case.good("forbidden_words", {"words": shortest(TURN, None, 2)})
    case.good("exponent_bounds", {"memory": 1, "bits": 60, "upper": bound(["0", "1"], [["1"]], "3")}, 1)
    case.good("exponent_bounds", {"memory": 2, "bits": 60, "upper": {"rate": "1/3", "forms": TURN_FORMS}}, 1)
    yield "exponent_bounds-a-steep-letter-once", case.claiming(*case.facts[1:])
