"""The corpus of trapping regions, of words in them and of exponent bounds: what does not hold, and what follows no format."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from proofs.network import Network, Operation
from tests.corpus.farkas import polytope
from tests.corpus.parts import Case, affine, bump, hinges, lozi, plrnn, tanh_net, tent
from tests.corpus.regions import (
    BENT,
    CURVED,
    FRAME,
    GENTLE,
    HALVING,
    ROUND,
    SADDLE,
    SOFT,
    SPIRAL,
    TURN,
    TURN_FORMS,
    UNIT,
    Witness,
    bound,
    box,
    ellipsoid,
    framed,
    inner_tent,
)  # fmt: skip

GOOD = ellipsoid(["0", "0"], [["1/8", "0"], ["0", "1/8"]], ["3/40", "3/40"], "3/5")
MOUND = ellipsoid(["1"], [["1"]], ["1/4"], "1/2")
Named = Iterator[tuple[str, Network, Witness]]


def rejected_regions() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for part in (boxes, polytopes, patterns, escapes, ellipsoids):
        for name, network, witness in part():
            yield f"trapping-{name}", Case(network).bad("trapping", witness)
    yield from words()
    for name, network, witness in exponents():
        yield f"exponent_bounds-{name}", Case(network).bad("exponent_bounds", witness)
    yield from cited_exponents()


def boxes() -> Named:
    """Yield attacks on check 1 of C2."""
    yield "box-inside-out", HALVING, box(["3", "0"], ["0", "3"])
    yield "box-of-another-dimension", HALVING, box(["0"], ["3"])
    yield "box-with-more-upper-ends", HALVING, box(["0", "0"], ["3", "3", "3"])
    yield "box-too-small", HALVING, box(["0", "0"], ["3/2", "3/2"])
    yield "box-not-low-enough", HALVING, box(["3/2", "0"], ["3", "3"])
    yield "box-left-within-the-radius", plrnn([["1/2"]], [[0]], ["1~1p-20"]), box(["0"], ["2"])
    yield "box-tanh-too-small", tanh_net([["2"]], [0]), box(["-1"], ["1"], bits=40)
    yield "box-tanh-up-to-rounding", tanh_net([["1"]], ["1"]), box(["0"], ["1"], bits=20)
    yield "box-of-a-map-that-grows", tent(), box(["0"], ["1"])


def altered(witness: Witness, **fields: object) -> Witness:
    """Return a copy of a witness with other fields."""
    return {**deepcopy(witness), **fields}


def polytopes() -> Named:
    """Yield attacks on check 2 of C2."""
    good, unit = polytope(GENTLE, FRAME, [0, 0]), polytope(tent(), UNIT, ["1/2"])
    yield "polytope-of-a-smooth-network", CURVED, good
    yield "polytope-with-a-radius", lozi("6/5", "1/4", "~1p-30"), good
    yield "polytope-with-a-short-facet", GENTLE, altered(good, facets=[*FRAME, ["1", "0"]])
    yield "polytope-point-outside", GENTLE, altered(good, point=["2", "0"])
    yield "polytope-point-of-another-dimension", GENTLE, altered(good, point=["0"])
    yield "polytope-empty", tent(), altered(unit, facets=[["1", "-1"], ["-1", "0"]])
    yield "polytope-without-facets", GENTLE, altered(good, facets=[], bounded=[])
    yield "polytope-unbounded-strip", GENTLE, altered(good, bounded=[[0, 1]])
    yield "polytope-unbounded-half-line", tent(), altered(unit, facets=[["1", "0"], ["2", "1"]])
    wedge = [["1", "0", "9"], ["0", "1", "9"], ["1", "1", "9"]]
    yield "polytope-unbounded-wedge", GENTLE, altered(good, facets=wedge, bounded=[[0, 1, 2]])
    yield "polytope-nothing-said-to-bound-it", tent(), altered(unit, bounded=[])
    yield "polytope-empty-group", tent(), altered(unit, bounded=[[]])
    yield "polytope-group-of-one", tent(), altered(unit, bounded=[[0]])
    yield "polytope-group-with-two-dependencies", GENTLE, altered(good, bounded=[[0, 1, 2, 3]])
    yield "polytope-group-with-a-facet-too-many", GENTLE, altered(good, bounded=[[0, 1, 2], [2, 3]])
    yield "polytope-facet-twice-in-a-group", tent(), altered(unit, bounded=[[0, 0]])
    large = Network(33, (Operation("relu", (0,)),))
    yield "polytope-in-too-many-dimensions", large, altered(unit, facets=[])


def patterns() -> Named:
    """Yield attacks on check 3 of C2."""
    good, unit = polytope(GENTLE, FRAME, [0, 0]), polytope(tent(), UNIT, ["1/2"])
    yield "pattern-missing", GENTLE, altered(good, kept=good["kept"][:1])
    yield "pattern-missing-behind-a-prefix", tent(), altered(unit, kept=unit["kept"][:1])
    yield "pattern-not-excluded", GENTLE, altered(good, kept=good["kept"][:1], excluded=[["1", -1, 0]])
    yield "pattern-excluded-by-nothing", GENTLE, altered(good, kept=good["kept"][:1], excluded=[["1"]])
    yield "pattern-excluded-and-kept", tent(), altered(unit, kept=[*unit["kept"], ["00", [], []]])
    yield "pattern-excluded-within-an-excluded-one", tent(), altered(unit, excluded=[*unit["excluded"], ["0", -1, 0]])
    yield "pattern-of-the-border-excluded", tent(), altered(unit, excluded=[*unit["excluded"][:1], ["1", -2, 0]], kept=[])
    yield "patterns-of-too-many-hinges", hinges(["1"] * 65, ["0"] * 65, ["1"] * 65), altered(unit)
    yield "no-patterns", tent(), altered(unit, excluded=[], kept=[])


def escapes() -> Named:
    """Yield attacks on check 4 of C2."""
    good, unit = polytope(GENTLE, FRAME, [0, 0]), polytope(tent(), UNIT, ["1/2"])
    yield "way-out-left-open", GENTLE, altered(good, kept=[["0", [], [-4, 0], [-1], [-2]], good["kept"][1]])
    yield "way-out-closed-by-the-wrong-facet", GENTLE, altered(good, kept=[["0", [-3, -1], [-4, 0], [-2], [-2]], good["kept"][1]])
    yield "one-facet-not-told-of", GENTLE, altered(good, kept=[good["kept"][0][:-1], good["kept"][1]])
    yield "one-facet-too-many-told-of", GENTLE, altered(good, kept=[[*good["kept"][0], [-1]], good["kept"][1]])
    yield "polytope-too-low", GENTLE, altered(good, facets=[*FRAME[:3], ["0", "-1", "69/200"]])
    yield "polytope-too-short", tent(), altered(unit, facets=[["1", "0"], ["-1", "999/1000"]])
    yield "polytope-of-a-steeper-tent", tent("2001/1000"), unit
    yield "way-out-closed-twice-over", GENTLE, altered(good, kept=[["0", [-3, -1, -1], [-4, 0], [-1], [-2]], good["kept"][1]])


def ellipsoids() -> Named:
    """Yield attacks on check 5 of C2."""
    yield "ellipsoid-of-a-sigmoid", tanh_net([["1/4"]], [0], "sigmoid"), ellipsoid(["0"], [["1"]], ["1"], "1/2")
    yield "ellipsoid-of-a-product-of-registers", bump(), ellipsoid(["0"], [["1"]], ["1"], "1/2")
    yield "ellipsoid-form-indefinite", CURVED, altered(GOOD, form=[["1/8", "0"], ["0", "-1/8"]])
    yield "ellipsoid-form-not-symmetric", CURVED, altered(GOOD, form=[["1/8", "1/64"], ["0", "1/8"]])
    yield "ellipsoid-form-semidefinite", CURVED, altered(GOOD, form=[["1/8", "0"], ["0", "0"]])
    yield "ellipsoid-form-of-another-size", CURVED, altered(GOOD, form=[["1/8"]])
    yield "ellipsoid-centre-of-another-length", CURVED, altered(GOOD, center=["0"])
    yield "ellipsoid-decay-one", CURVED, altered(GOOD, decay="1")
    yield "ellipsoid-decay-negative", CURVED, altered(GOOD, decay="-1/8")
    yield "ellipsoid-multiplier-negative", CURVED, altered(GOOD, multipliers=["3/40", "-3/40"])
    yield "ellipsoid-multiplier-missing", CURVED, altered(GOOD, multipliers=["3/40"])
    yield "ellipsoid-too-small", CURVED, altered(GOOD, form=[["1/4", "0"], ["0", "1/4"]])
    yield "ellipsoid-without-multipliers", CURVED, altered(GOOD, multipliers=["0", "0"])
    yield "ellipsoid-beside-the-fixed-point", SOFT, altered(MOUND, center=["4"])
    yield "ellipsoid-as-large-as-its-image", Network(1, (affine([0], ([["1"]], 0)),)), ellipsoid(["0"], [["1"]], [], "1/2")
    yield "ellipsoid-that-touches-its-image", Network(1, (affine([1], ([[0]], 0)),)), ellipsoid(["0"], [["1"]], [], "0")
    yield "ellipsoid-of-too-many-units", Network(256, (Operation("relu", (0,)),)), ellipsoid(["0"], [["1"]], [], "0")
    yield "ellipsoid-of-an-expanding-map", tanh_net([["9"]], [0]), ellipsoid(["0"], [["1"]], ["1"], "1/2")


def words() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on forbidden words of a region, and on what uses them."""
    for name, entry in (
        ("half-open-row-on-the-wrong-side", ["1", -1, 0]),
        ("facet-alone", ["0", -1]),
        ("both-facets", ["0", -1, -2]),
        ("word-that-is-followed", ["10", -1, -2, 1]),
    ):
        case = inner_tent()
        yield f"forbidden_words-{name}-of-a-region", case.bad("forbidden_words", {"words": [entry]}, 1)
    case = Case(CURVED)
    case.good("trapping", GOOD)
    yield "forbidden_words-of-an-ellipsoid", case.bad("forbidden_words", {"words": []}, 1)
    case = inner_tent()
    yield "forbidden_words-that-cite-words", case.bad("forbidden_words", {"words": []}, 2)
    yield "necklaces-with-words-of-a-region", inner_tent().bad("necklaces", {"up_to": 2, "singular": []}, 2)
    yield "necklaces-with-a-trapping-region", inner_tent().bad("necklaces", {"up_to": 2, "singular": []}, 1)
    case = Case(SOFT)
    case.good("trapping", MOUND)
    yield "forbidden_words-of-a-mound", case.bad("forbidden_words", {"words": [["0", -1, 0]]}, 1)


def exponents() -> Named:
    """Yield attacks on D1 without citations."""
    lower, upper = bound(["0", "1"], SADDLE, "11/10"), bound(["0", "1"], ROUND, "2")
    good = {"memory": 1, "bits": 60, "lower": lower, "upper": upper}
    yield "of-a-smooth-network", CURVED, good
    yield "of-neither-side", BENT, {"memory": 1, "bits": 60}
    yield "form-missing", BENT, {**good, "lower": bound(["0"], SADDLE, "11/10")}
    yield "form-of-another-word", BENT, {**good, "lower": bound(["0", "1", "00"], SADDLE, "11/10")}
    yield "form-twice", BENT, {**good, "upper": bound(["0", "1", "1"], ROUND, "2")}
    yield "form-not-symmetric", BENT, {**good, "lower": bound(["0", "1"], [["1", "1"], ["0", "-3"]], "11/10")}
    yield "form-with-a-radius", BENT, {**good, "upper": bound(["0", "1"], [["1~1p-30", "0"], ["0", "1"]], "2")}
    yield "rate-zero", BENT, {**good, "lower": bound(["0", "1"], SADDLE, "0")}
    yield "rate-negative", BENT, {**good, "upper": bound(["0", "1"], ROUND, "-2")}
    yield "too-many-hinges", hinges(["1"] * 13, ["0"] * 13, ["1"] * 13), good
    yield "too-many-words", BENT, {**good, "memory": 16}
    yield "too-many-states", Network(257, (Operation("relu", (0,)),)), good
    yield "lower-rate-too-high", BENT, {**good, "lower": bound(["0", "1"], SADDLE, "13/10")}
    yield "lower-rate-exactly-reached", SPIRAL, {"memory": 1, "bits": 60, "lower": bound([""], ROUND, "2")}
    yield "lower-by-a-negative-form", HALVING_LINE, {"memory": 1, "bits": 60, "lower": bound(["0", "1"], [["-1"]], "9")}
    yield "lower-by-a-form-of-zeros", HALVING_LINE, {"memory": 1, "bits": 60, "lower": bound(["0", "1"], [["0"]], "1/4")}
    mixed = {"rate": "11/10", "forms": [["0", SADDLE], ["1", [["-1", "0"], ["0", "-3"]]]]}
    yield "lower-by-one-negative-form", BENT, {"memory": 1, "bits": 60, "lower": mixed}
    yield "lower-of-a-singular-letter", tent(), {"memory": 1, "bits": 60, "lower": bound(["00", "01", "10", "11"], [["1"]], "1/1000")}
    yield "upper-rate-too-low", BENT, {**good, "upper": bound(["0", "1"], ROUND, "5/4")}
    yield "upper-rate-exactly-reached", SPIRAL, {"memory": 1, "bits": 60, "upper": bound([""], ROUND, "2")}
    yield "upper-by-an-indefinite-form", BENT, {**good, "upper": bound(["0", "1"], SADDLE, "2")}
    yield "upper-by-a-negative-form", BENT, {**good, "upper": bound(["0", "1"], [["-1", "0"], ["0", "-1"]], "1/1000")}
    flat = bound([a + b for a in "01" for b in "01"], [["1", "0"], ["0", "0"]], "2")
    yield "upper-by-a-semidefinite-form", HALVING, {"memory": 1, "bits": 60, "upper": flat}
    yield "upper-within-a-wide-radius", lozi("7/5", "1/4", "~1"), {"memory": 1, "bits": 60, "upper": upper}
    yield "lower-rate-a-little-too-high", BENT, {"memory": 1, "bits": 60, "lower": bound(["0", "1"], SADDLE, "119/100")}


HALVING_LINE = plrnn([["1/2"]], [["1/4"]], [0])


def cited_exponents() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on D1 with words."""
    whole = {"memory": 1, "bits": 40}
    case = Case(tent())
    case.good("trapping", polytope(tent(), UNIT, ["1/2"]))
    case.good("forbidden_words", {"words": [["0", -1, 0]]}, 1)  # 0 is a border, and has a flat side
    yield (
        "exponent_bounds-word-excluded-half-open",
        case.bad("exponent_bounds", {**whole, "lower": bound(["10", "11"], [["1"]], "19/10")}, 2),
    )
    case = inner_tent()
    yield "exponent_bounds-rate-of-the-region", case.bad("exponent_bounds", {**whole, "lower": bound(["10", "11"], [["1"]], "3/2")}, 2)
    case = inner_tent()
    wrong = bound(["00", "01", "10", "11"], [["1"]], "1/2")
    yield "exponent_bounds-form-of-a-forbidden-word", case.bad("exponent_bounds", {**whole, "upper": wrong}, 2)
    case = inner_tent()
    yield "exponent_bounds-that-cite-the-region", case.bad("exponent_bounds", {**whole, "upper": wrong}, 1)
    case = framed()
    nodes = [word for word in (f"{i:03b}" for i in range(8)) if word != "100"]
    lower = {"rate": "19/20", "forms": [[word, [["1", "0"], ["0", "-8"]]] for word in nodes]}
    yield "exponent_bounds-rate-too-high-in-a-frame", case.bad("exponent_bounds", {"memory": 3, "bits": 60, "lower": lower}, 2)
    case = Case(TURN)
    case.good("forbidden_words", {"words": [["11", 0, 1], ["01", 0, 1]]})
    yield (
        "exponent_bounds-steep-letter-twice",
        Case(TURN).bad("exponent_bounds", {"memory": 2, "bits": 60, "upper": {"rate": "1/3", "forms": TURN_FORMS}}),
    )
    yield (
        "exponent_bounds-upper-too-low-after-words",
        case.bad("exponent_bounds", {"memory": 2, "bits": 60, "upper": {"rate": "1/4", "forms": TURN_FORMS}}, 1),
    )


def malformed_regions() -> Iterator[tuple[str, bytes]]:
    """Yield witnesses of C2 and D1 that follow no format."""
    good, unit = polytope(GENTLE, FRAME, [0, 0]), polytope(tent(), UNIT, ["1/2"])
    for name, network, witness in (
        ("of-nothing", GENTLE, {}),
        ("box-without-an-upper-end", HALVING, {"low": ["0", "0"]}),
        ("box-with-facets", HALVING, {**box(["0", "0"], ["3", "3"]), "facets": FRAME}),
        ("box-tanh-without-bits", CURVED, box(["0", "-1"], ["2", "1"])),
        ("box-of-intervals", HALVING, box(["0~1", "0"], ["3", "3"])),
        ("polytope-with-bits", GENTLE, {**good, "bits": 40}),
        ("polytope-group-of-a-facet-that-is-not-there", GENTLE, altered(good, bounded=[[0, 4]])),
        ("polytope-group-of-a-negative-facet", GENTLE, altered(good, bounded=[[0, -1]])),
        ("polytope-group-that-is-no-list", tent(), altered(unit, bounded=[0, 1])),
        ("pattern-of-other-letters", GENTLE, altered(good, kept=[["2", [], [], [], []]])),
        ("pattern-too-long", GENTLE, altered(good, excluded=[["00", -1, 0]])),
        ("pattern-twice", GENTLE, altered(good, kept=[*good["kept"], good["kept"][0]])),
        ("pattern-of-an-entry-that-is-no-list", GENTLE, altered(good, kept=["0"])),
        ("pattern-of-an-empty-entry", GENTLE, altered(good, kept=[[]])),
        ("row-of-a-facet-that-is-not-there", GENTLE, altered(good, kept=[["0", [-5], [], [], []], good["kept"][1]])),
        ("row-of-a-hinge-that-is-not-there", GENTLE, altered(good, kept=[["0", [1], [], [], []], good["kept"][1]])),
        ("row-true", GENTLE, altered(good, kept=[["0", [True], [], [], []], good["kept"][1]])),
        ("row-of-a-later-hinge-in-a-short-word", tent(), altered(unit, excluded=[["0", -1, 1]])),
        ("more-rows-than-any-dependency-has", GENTLE, altered(good, kept=[["0", [0] * 34, [], [], []], good["kept"][1]])),
        ("ways-out-that-are-no-lists", GENTLE, altered(good, kept=[["0", -1, -1, -1, -1], good["kept"][1]])),
        ("ellipsoid-without-bits", CURVED, {name: value for name, value in GOOD.items() if name != "bits"}),
        ("ellipsoid-decay-with-a-radius", CURVED, altered(GOOD, decay="1/2~1p-9")),
        ("ellipsoid-form-with-a-radius", CURVED, altered(GOOD, form=[["1/8~1p-9", "0"], ["0", "1/8"]])),
    ):
        yield f"trapping-{name}", Case(network).bad("trapping", witness)
    case = Case(GENTLE)
    case.good("trapping", good)
    yield "trapping-that-cites", case.bad("trapping", good, 1)
    yield from malformed_words()


def malformed_words() -> Iterator[tuple[str, bytes]]:
    """Yield words of a region, and exponent bounds, that follow no format."""
    yield "forbidden_words-facet-that-is-not-there", inner_tent().bad("forbidden_words", {"words": [["0", -3, 0]]}, 1)
    yield "forbidden_words-two-regions", inner_tent().bad("forbidden_words", {"words": []}, 1, 1)
    yield "forbidden_words-facet-without-a-region", Case(tent()).bad("forbidden_words", {"words": [["0", -1, 0]]})
    lower = bound(["0", "1"], SADDLE, "11/10")
    for name, witness in (
        ("without-bits", {"memory": 1, "lower": lower}),
        ("without-memory", {"bits": 60, "lower": lower}),
        ("memory-zero", {"memory": 0, "bits": 60, "lower": lower}),
        ("lower-a-list", {"memory": 1, "bits": 60, "lower": [lower]}),
        ("lower-without-a-rate", {"memory": 1, "bits": 60, "lower": {"forms": lower["forms"]}}),
        ("lower-with-a-further-field", {"memory": 1, "bits": 60, "lower": {**lower, "memory": 1}}),
        ("form-without-a-word", {"memory": 1, "bits": 60, "lower": {"rate": "1", "forms": [[SADDLE]]}}),
        ("form-of-a-word-that-is-a-number", {"memory": 1, "bits": 60, "lower": {"rate": "1", "forms": [[0, SADDLE]]}}),
        ("form-of-another-size", {"memory": 1, "bits": 60, "lower": bound(["0", "1"], [["1"]], "1")}),
        ("rate-with-a-radius", {"memory": 1, "bits": 60, "lower": {**lower, "rate": "1~1p-9"}}),
        ("too-many-bits", {"memory": 1, "bits": 20_001, "lower": lower}),
    ):
        yield f"exponent_bounds-{name}", Case(BENT).bad("exponent_bounds", witness)
    twice = {"memory": 1, "bits": 60, "upper": bound(["0", "1"], ROUND, "7/4")}
    yield "exponent_bounds-two-lists-of-words", framed().bad("exponent_bounds", twice, 2, 2)
