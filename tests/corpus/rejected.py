"""The rejected certificates, named by theorem and attack: at least three a theorem, each against another of its checks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from proofs.network import Network
from tests.corpus.accepted import MIXED, ROTATION, two_cycle
from tests.corpus.parts import (
    Case,
    along,
    ball_witness,
    cycle_witness,
    forms,
    hinges,
    lozi,
    plrnn,
    spell,
    tanh_net,
    tent,
)

ZERO = [["0", "0"], ["0", "0"]]
FORM = [["1", "0"], ["0", "1"]]
KNOTS = {"max_knots": 9}
HALVES = {
    "iterate": 1,
    "intervals": [["0", "1/2"], ["1/2", "1"]],
    "extremes": [["0", "1/2"], ["1", "1/2"]],
    "weights": ["1", "1"],
    "rate": "2",
}


def rejected() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for part in (exact_cycles, cycles, smooth_cycles, stabilities, moduli, tables, all_cycles):
        yield from part()
    for part in (excluded, chaos, coverings, bounds, orders, verdicts):
        yield from part()


def exact_cycles() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A1."""
    fixed = spell(along(lozi(), ["11"])[1][0])
    yield "exact_cycle-on-a-network-with-radius", Case(lozi(radius="~1p-20")).bad("exact_cycle", {"point": fixed, "period": 1})
    yield "exact_cycle-on-a-smooth-network", Case(tanh_net([["2"]], [0])).bad("exact_cycle", {"point": ["0"], "period": 1})
    yield "exact_cycle-point-with-a-radius", Case(tent()).bad("exact_cycle", {"point": ["2/3~1p-30"], "period": 1})
    yield "exact_cycle-rounded-point", Case(tent()).bad("exact_cycle", {"point": ["0xaaaaaaaaaaaaaaap-60"], "period": 1})
    yield "exact_cycle-two-cycle-that-is-a-fixed-point", Case(lozi()).bad("exact_cycle", {"point": fixed, "period": 2})
    yield "exact_cycle-six-times-a-three-cycle", Case(tent()).bad("exact_cycle", {"point": ["2/7"], "period": 6})


def cycles() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on the piecewise-linear form of A2."""
    network, words = lozi(), two_cycle(lozi())
    fixed, two = cycle_witness(network, ["11"], "1p-10"), cycle_witness(network, words, "1p-10")
    block = cycle_witness(network, words, "1p-10", block=True)
    yield "cycle-one-letter-short", Case(network).bad("cycle", {**fixed, "itinerary": ["1"]})
    yield "cycle-one-pattern-short", Case(network).bad("cycle", {**two, "itinerary": words[:1]})
    yield "cycle-radius-zero", Case(network).bad("cycle", {**fixed, "radius": "0"})
    yield "cycle-radius-negative", Case(network).bad("cycle", {**fixed, "radius": "-1"})
    yield "cycle-no-points", Case(network).bad("cycle", {**fixed, "points": []})
    yield "cycle-point-of-another-dimension", Case(network).bad("cycle", {**fixed, "points": [["1/2"]]})
    yield (
        "cycle-itinerary-of-a-smooth-network",
        Case(tanh_net([["-2"]], [0])).bad(
            "cycle", {"itinerary": [""], "points": [["0"]], "radius": "1p-10", "inverse": [["1/3"]], "bits": 60}
        ),
    )
    yield "cycle-inverse-of-nothing", Case(network).bad("cycle", {**fixed, "inverse": ZERO})
    yield "cycle-inverse-with-a-wide-radius", Case(network).bad("cycle", {**fixed, "inverse": [["1~9", "0"], ["0", "1~9"]]})
    yield "cycle-block-inverse-of-nothing", Case(network).bad("cycle", {**block, "inverse_block": [["0"] * 4] * 4})
    yield "cycle-point-too-far", Case(network).bad("cycle", {**fixed, "points": [["1", "1"]]})
    yield "cycle-radius-too-small", Case(network).bad("cycle", {**two, "radius": "1p-60"})
    yield "cycle-block-radius-too-small", Case(network).bad("cycle", {**block, "radius": "1p-60"})
    wide = lozi(radius="~1/4")
    yield "cycle-weights-too-wide", Case(wide).bad("cycle", cycle_witness(wide, ["11"], "1/4"))
    yield "cycle-in-the-wrong-region", Case(network).bad("cycle", cycle_witness(network, ["01"], "1p-10"))
    touching = {"itinerary": ["10"], "points": [["0"]], "radius": "1p-10", "inverse": [["-2"]]}
    yield "cycle-orbit-that-touches-a-border", Case(tent("3/2")).bad("cycle", touching)
    yield "cycle-two-cycle-that-is-a-fixed-point", Case(network).bad("cycle", cycle_witness(network, ["11", "11"], "1p-10"))
    yield "cycle-four-times-a-two-cycle-in-block-form", Case(network).bad("cycle", cycle_witness(network, words * 2, "1p-10", block=True))
    yield (
        "cycle-degenerate-flip",
        Case(plrnn([["-1"]], [["0"]], [1])).bad(
            "cycle", {"itinerary": ["1", "1"], "points": [["1/4"], ["3/4"]], "radius": "1p-10", "inverse": [["1"]]}
        ),
    )


def smooth_cycles() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on the smooth form of A2."""
    network = tanh_net([["-2"]], [0])
    good = ball_witness(network, [[1.9150080481545], [-1.9150080481545]], "1p-10")
    yield "cycle-smooth-ball-too-small", Case(network).bad("cycle", {**good, "radius": "1p-80"})
    yield "cycle-smooth-ball-too-large", Case(network).bad("cycle", {**good, "radius": "2"})
    yield "cycle-smooth-ball-beside-the-cycle", Case(network).bad("cycle", {**good, "points": [["7/4"], ["-7/4"]]})
    yield "cycle-smooth-two-cycle-that-is-a-fixed-point", Case(network).bad("cycle", ball_witness(network, [[0.0], [0.0]], "1p-10"))
    yield (
        "cycle-smooth-across-a-kink",
        Case(tent("3/2")).bad("cycle", {"points": [["0"]], "radius": "1p-3", "inverse_block": [["-2"]], "bits": 40}),
    )


def saddle() -> tuple[Case, dict]:
    """Return a fixed point with multipliers 2 and 1/2 off the axes, and the witness of its stability."""
    network = plrnn(MIXED, ZERO, [1, 1])
    case = Case(network)
    case.good("cycle", cycle_witness(network, ["00"], "1p-10"))
    return case, {"forms": forms(along(network, ["00"])[0]), "bits": 60}


def stabilities() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A3."""
    case, good = saddle()
    yield "stability-of-a-claim-that-is-no-cycle", no_cycle()
    case = Case(lozi("3/2"))
    case.good("exact_cycle", {"point": ["6/5", "0"], "period": 4})
    yield "stability-of-an-orbit-on-a-border", case.bad("stability", {"forms": [FORM] * 4, "bits": 60}, 1)
    case = Case(hinges(["1/2"], [0], [1], "1/4", "tanh"))
    case.good("cycle", ball_witness(case.network, [[0.4903]], "1p-8"))
    yield "stability-form-missing", case.bad("stability", {"forms": [], "bits": 60}, 1)
    for name, forms_ in (
        ("not-symmetric", [[["1", "1/8"], ["0", "1"]]]),
        ("with-a-radius", [[["1~1p-40", "0"], ["0", "1"]]]),
        ("too-many", [FORM, FORM]),
        ("zero", [ZERO]),
        ("of-the-wrong-sign", [[[f"-{x}" if x[0] != "-" else x[1:] for x in row] for row in good["forms"][0]]]),
        ("for-a-stable-point", [FORM]),
        ("with-a-vanishing-pivot", [[["0", "-1"], ["-1", "0"]]]),
    ):
        case, _ = saddle()
        yield f"stability-form-{name}", case.bad("stability", {"forms": forms_, "bits": 60}, 1)
    case = Case(plrnn(ROTATION, ZERO, [1, 0]))
    case.good("cycle", cycle_witness(case.network, ["11"], "1p-10"))
    yield "stability-multipliers-on-the-circle", case.bad("stability", {"forms": [FORM], "bits": 60}, 1)


def no_cycle() -> bytes:
    """Return a stability that cites a table."""
    case = Case(tent())
    case.good("pieces", KNOTS)
    return case.bad("stability", {"forms": [[["1"]]], "bits": 60}, 1)


def moduli() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A3b."""
    half = Fraction(1)
    for name, rates, count in (
        ("rates-decreasing", ["1", "3/4"], 2),
        ("rates-equal", ["1", "1"], 2),
        ("rate-zero", ["0", "1"], 2),
        ("no-rate", [], 0),
        ("level-missing", ["3/4", "1"], 1),
        ("rate-on-a-modulus", ["1/2"], 1),
    ):
        case, _ = saddle()
        level = forms(along(case.network, ["00"])[0], half)
        yield f"multiplier_moduli-{name}", case.bad("multiplier_moduli", {"rates": rates, "levels": [level] * count, "bits": 60}, 1)
    case, _ = saddle()
    witness = {"rates": ["1"], "levels": [[[["0", "-1"], ["-1", "0"]]]], "bits": 60}
    yield "multiplier_moduli-vanishing-pivot", case.bad("multiplier_moduli", witness, 1)
    case = Case(lozi("3/2"))
    case.good("exact_cycle", {"point": ["6/5", "0"], "period": 4})
    yield "multiplier_moduli-orbit-on-a-border", case.bad("multiplier_moduli", {"rates": ["1"], "levels": [[FORM] * 4], "bits": 60}, 1)


def tables() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A0."""
    yield "pieces-of-a-smooth-network", Case(tanh_net([["1/2"]], [0])).bad("pieces", KNOTS)
    yield "pieces-of-a-network-with-radius", Case(tent("2", "~1p-30")).bad("pieces", KNOTS)
    yield "pieces-of-two-states", Case(lozi()).bad("pieces", KNOTS)
    yield "pieces-more-knots-than-allowed", Case(tent()).bad("pieces", {"max_knots": 1})
    yield "pieces-hidden-knots-count-too", Case(hinges([1, 1, 1], [0, -1, -2], [0, 0, 1])).bad("pieces", {"max_knots": 3})


def tent_table(slope: str = "2", radius: str = "") -> Case:
    """Return a tent with its table as step 1."""
    case = Case(tent(slope, radius))
    case.good("pieces", KNOTS)
    return case


def all_cycles() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A4."""
    case = tent_table()
    for point, period in (("0", 1), ("2/3", 1), ("2/5", 2), ("2/7", 3), ("2/9", 3), ("4/7", 3)):
        case.good("exact_cycle", {"point": [point], "period": period})
    steps = list(case.steps)
    for name, witness, cites in (
        ("one-missing", {"up_to": 3, "max_knots": 40}, (1, 2, 3, 4, 5)),
        ("a-fixed-point-missing", {"up_to": 1, "max_knots": 40}, (1, 2)),
        ("one-twice-in-place-of-another", {"up_to": 3, "max_knots": 40}, (1, 2, 3, 4, 5, 7)),
        ("period-beyond-the-bound", {"up_to": 2, "max_knots": 40}, (1, 2, 3, 4, 5)),
        ("table-too-large", {"up_to": 3, "max_knots": 3}, (1, 2, 3, 4, 5, 6)),
        ("a-cycle-for-the-table", {"up_to": 1, "max_knots": 40}, (2, 3)),
        ("the-table-for-a-cycle", {"up_to": 1, "max_knots": 40}, (1, 2, 3, 1)),
    ):
        case.steps = list(steps)
        yield f"all_cycles-{name}", case.bad("all_cycles", witness, *cites)


def excluded() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A6."""
    yield "no_period-of-two-states", Case(lozi()).bad("no_period", {"period": 3})
    yield "no_period-even", Case(tent("1/2")).bad("no_period", {"period": 4})
    yield "no_period-slope-at-threshold", tent_table("16180339888/10000000000").bad("no_period", {"period": 3}, 1)
    yield "no_period-without-the-table", Case(tent("3/2")).bad("no_period", {"period": 3})
    yield "no_period-of-a-chaotic-tent", tent_table().bad("no_period", {"period": 999}, 1)


def chaos() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on B1, B2, B3 and B8."""
    yield "li_yorke-of-two-states", Case(lozi()).bad("li_yorke", {"point": "1/4"})
    yield "li_yorke-touching", Case(tent()).bad("li_yorke", {"point": "1/2"})
    yield "li_yorke-at-a-fixed-point", Case(tent()).bad("li_yorke", {"point": "2/3"})
    yield "li_yorke-third-image-above", Case(tent("8/5")).bad("li_yorke", {"point": "1/3"})
    yield "li_yorke-weights-too-wide", Case(tent("2", "~1/4")).bad("li_yorke", {"point": "1/4"})
    yield "li_yorke-public-notebook-that-loops-four-times", Case(notebook()).bad("li_yorke", {"point": "0"})
    for name, radius in (("too-large", "1/27"), ("zero", "0"), ("negative", "-1/28")):
        yield f"li_yorke-radius-{name}", tent_table().bad("li_yorke", {"point": "1/4", "sup_radius": radius}, 1)
    yield "odd_period-of-two-states", Case(lozi()).bad("odd_period", {"point": "1/4", "times": 3})
    yield "odd_period-even", Case(tent()).bad("odd_period", {"point": "1/4", "times": 4})
    yield "odd_period-at-a-fixed-point", Case(tent()).bad("odd_period", {"point": "2/3", "times": 3})
    yield "odd_period-of-a-two-cycle", Case(hinges([-1], [1], [1])).bad("odd_period", {"point": "1/4", "times": 3})
    for theorem, witness in (("entropy_from_period", {"rate": "1"}), ("sharkovskii", {})):
        case = Case(lozi())
        case.good("cycle", cycle_witness(lozi(), ["11"], "1p-10"))
        yield f"{theorem}-of-two-states", case.bad(theorem, witness, 1)
        yield f"{theorem}-of-a-table", tent_table().bad(theorem, witness, 1)
    case = Case(tent())
    case.good("odd_period", {"point": "1/4", "times": 5})
    yield "sharkovskii-of-a-bound", case.bad("sharkovskii", {}, 1)
    for name, point, period, rate in (
        ("power-of-two", "2/5", 2, "1"),
        ("fixed-point", "2/3", 1, "1"),
        ("rate-rounded-up", "2/7", 3, "1619/1000"),
        ("rate-zero", "2/7", 3, "0"),
        ("rate-negative", "2/7", 3, "-1"),
    ):
        case = Case(tent())
        case.good("exact_cycle", {"point": [point], "period": period})
        yield f"entropy_from_period-{name}", case.bad("entropy_from_period", {"rate": rate}, 1)
    for name, rate in (("zero-entropy", "1"), ("negative-bound", "1/2")):
        case = Case(tent())
        case.good("covering_intervals", {**HALVES, "rate": rate})
        yield f"entropy_gives_scrambling-{name}", case.bad("entropy_gives_scrambling", {}, 1)
    case = tent_table()
    case.good("entropy_upper", {"iterate": 1, "by": "slope", "max_knots": 9}, 1)
    yield "entropy_gives_scrambling-from-an-upper-bound", case.bad("entropy_gives_scrambling", {}, 2)


def notebook() -> Network:
    """Return the scalar net that a public notebook calls period three; it has periods 1 and 2 only."""
    inner, bias = ["-186269852/100000000", "3760235/10000000"], ["82744154/100000000", "-81030444/100000000"]
    return hinges(inner, bias, ["7913013/10000000", "-100714872/100000000"])


def coverings() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on B4."""
    yield "covering_intervals-of-two-states", Case(lozi()).bad("covering_intervals", HALVES)
    for name, change in (
        ("none", {"intervals": [], "extremes": [], "weights": []}),
        ("weight-missing", {"weights": ["1"]}),
        ("three-ends", {"intervals": [["0", "1/2", "1/2"], ["1/2", "1"]]}),
        ("degenerate-interval", {"intervals": [["0", "0"], ["1/2", "1"]], "extremes": [["0", "0"], ["1", "1/2"]]}),
        ("reversed-interval", {"intervals": [["1/2", "0"], ["1/2", "1"]]}),
        ("overlap", {"intervals": [["0", "51/100"], ["1/2", "1"]]}),
        ("out-of-order", {"intervals": [["1/2", "1"], ["0", "1/2"]], "extremes": [["1", "1/2"], ["0", "1/2"]]}),
        ("the-same-interval-twice", {"intervals": [["0", "1/2"], ["0", "1/2"]], "extremes": [["0", "1/2"], ["0", "1/2"]]}),
        ("extreme-outside", {"extremes": [["0", "1/2"], ["1", "49/100"]]}),
        ("rate-rounded-up", {"rate": "0x10000000000000001p-63"}),
        ("rate-zero", {"rate": "0"}),
        ("weight-zero", {"weights": ["1", "0"]}),
        ("extremes-swapped", {"extremes": [["1/2", "0"], ["1", "1/2"]]}),
        ("one-covers-nothing", {"extremes": [["0", "1/2"], ["1/2", "1/2"]]}),
    ):
        yield f"covering_intervals-{name}", Case(tent()).bad("covering_intervals", {**HALVES, **change})
    yield "covering_intervals-image-falls-short", Case(tent("199/100")).bad("covering_intervals", HALVES)
    yield "covering_intervals-touching-within-radius", Case(tent("2", "~1p-40")).bad("covering_intervals", HALVES)


def bounds() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on C1 and C4."""
    network = plrnn([["1/4", 0], [0, "1/4"]], [[0, "1/2"], ["-1/4", 0]], [1, 0])
    for name, weights, rate in (
        ("weight-zero", ["1", "0"], "9/10"),
        ("weight-negative", ["-1", "-1"], "9/10"),
        ("weight-missing", ["1"], "9/10"),
        ("rate-zero", ["1", "1"], "0"),
        ("rate-rounded-down", ["1", "1"], "749/1000"),
        ("wrong-weights", ["1", "9"], "9/10"),
    ):
        yield f"contraction-{name}", Case(network).bad("contraction", {"weights": weights, "rate": rate})
    yield "contraction-of-an-expansion", Case(tent()).bad("contraction", {"weights": ["1"], "rate": "99/100"})
    yield "entropy_upper-of-two-states", Case(lozi()).bad("entropy_upper", {"iterate": 1, "by": "slope"})
    yield "entropy_upper-laps-without-a-table", Case(tent()).bad("entropy_upper", {"iterate": 1, "by": "laps"})
    yield "entropy_upper-second-iterate-without-a-table", Case(tent()).bad("entropy_upper", {"iterate": 2, "by": "slope"})
    yield "entropy_upper-table-too-large", tent_table().bad("entropy_upper", {"iterate": 3, "by": "laps", "max_knots": 3}, 1)
    yield "entropy_upper-by-another-word", tent_table().bad("entropy_upper", {"iterate": 1, "by": "Laps", "max_knots": 9}, 1)


def orders() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on C3."""
    small = {"exponent": 0, "max_knots": 60}
    yield "coppel-of-two-states", Case(lozi()).bad("coppel", small)
    yield "coppel-in-no-direction", Case(tent("1/2")).bad("coppel", {"monotone": "up"})
    yield "coppel-monotone-of-a-tent", Case(tent("1/2")).bad("coppel", {"monotone": "increasing"})
    yield "coppel-falling-that-rises", Case(tanh_net([["1"]], [0])).bad("coppel", {"monotone": "decreasing", "bits": 40})
    yield "coppel-table-too-large", tent_table("9/10").bad("coppel", {"exponent": 2, "max_knots": 1}, 1)
    yield "coppel-on-a-period-doubled-map", tent_table("11/10").bad("coppel", {"exponent": 0, "max_knots": 60}, 1)
    yield "coppel-on-chaos", tent_table().bad("coppel", {"exponent": 1, "max_knots": 60}, 1)
    case = Case(hinges([1, -1], [0, 0], [-1, 1]))
    case.good("pieces", KNOTS)
    yield "coppel-an-interval-of-two-cycles", case.bad("coppel", small, 1)
    case = Case(hinges([1, -1], [0, 0], [-2, 2]))
    case.good("pieces", KNOTS)
    yield "coppel-a-two-cycle-at-infinity", case.bad("coppel", small, 1)


def verdicts() -> Iterator[tuple[str, bytes]]:
    """Yield certificates whose steps pass and whose claims do not follow."""
    yield "verdict-no-steps", Case(tent()).claiming({"claim": "scrambled_set"})
    case = Case(tent())
    case.good("covering_intervals", HALVES)
    yield "verdict-nobody-concludes-this", case.claiming({"claim": "scrambled_set"})
    yield "verdict-one-claim-too-many", case.claiming(case.facts[0], {"claim": "order", "exponent": 0})
    yield "verdict-a-better-rate", case.claiming({"claim": "entropy_lower", "rate": "3", "iterate": 1})
    yield "verdict-a-number-spelled-otherwise", case.claiming({"claim": "entropy_lower", "rate": "4/2", "iterate": 1})
    yield "verdict-true-for-one", case.claiming({"claim": "entropy_lower", "rate": "2", "iterate": True})
    yield "verdict-a-field-of-another-kind", case.claiming({"claim": "entropy_lower", "rate": ["2"], "iterate": None})
    case = Case(tent())
    case.good("exact_cycle", {"point": ["2/7"], "period": 3})
    yield "verdict-another-point", case.claiming({"claim": "exact_cycle", "points": [["2/9"], ["4/9"], ["8/9"]]})
    yield "verdict-the-same-cycle-begun-elsewhere", case.claiming({"claim": "exact_cycle", "points": [["4/7"], ["6/7"], ["2/7"]]})
    case, good = saddle()
    claim = case.good("stability", good, 1).as_json()
    yield "verdict-saddle-called-stable", case.claiming({**claim, "inside": 2, "outside": 0})
