"""The corpus of exponents beyond one cycle (D1b, D3 to D6): what holds, what does not, and what follows no format."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from fractions import Fraction

from proofs.grammar import write_number
from proofs.network import Network, Operation
from tests.corpus.farkas import polytope
from tests.corpus.parts import Case, affine, bump, hinges, lozi, plrnn, tanh_net, tent

Witness = dict
Named = Iterator[tuple[str, Network, Witness]]
STAIR = Network(
    1, (affine(["-1/2"], ([[1]], 0)), Operation("relu", (1,)), affine(["1/2"], ([[1]], 0), ([[-3]], 2)))
)  # x + 1/2, then 2 - 2x
STAIRS = {"max_knots": 16, "ends": [["0", "1/2"], ["1/2", "1"]], "density": ["2", "4"]}
TENTS = {"max_knots": 16, "ends": [["0", "1/2"], ["1/2", "1"]], "density": ["1", "1"]}
SKEW = hinges([1, 1], [0, "-3/10"], ["10/3", "-100/21"])  # peak at 3/10
SKEWS = {"max_knots": 16, "ends": [["0", "3/10"], ["3/10", "1"]], "density": ["1", "1"]}
MIRROR = plrnn([["-1"]], [["0"]], ["1"])
THIN = Network(2, (affine([0, "-1/2"], ([[2, -4], [2, -4]], 0)), Operation("relu", (1,))))  # the tent of slope 2 in the plane
WIDE = Network(2, (affine([0, "-1/2"], ([[2, -4], [2, -3]], 0)), Operation("relu", (1,))))
TWICE = Network(2, (affine([0, "-1/2"], ([[2, -4], [2, -4]], 0)), Operation("relu", (1,)), Operation("add", (2, 0))))
HENON = Network(2, (Operation("mul", (0, 0)), affine([1, 0], ([[0, 1], ["3/10", 0]], 0), ([["-7/5", 0], [0, 0]], 1))))
THREE = Network(3, (affine([0, 0, 0], ([[-4, 2, -4], [-4, -4, 2], [0, -4, -4]], 0)), Operation("tanh", (1,))))
DEEP = Network(
    2,
    (
        Operation("tanh", (0,)),
        affine([0, 1], ([[2, 1], ["0~1p-20", 1]], 1)),
        Operation("sigmoid", (2,)),
        affine([0, 0], ([[1, 1], [0, 2]], 3)),
    ),
)
SATURATED = Network(2, (Operation("sigmoid", (0,)), affine([1, 1], ([["99", 0], [0, "99"]], 1))))
SOFT = tanh_net([["1/2"]], [0])
INTERVAL = {"low": ["-1"], "high": ["1"]}
GATED = Network(1, (Operation("sigmoid", (0,)), affine([0], ([["1/2"]], 0)), Operation("mul", (1, 2))))
DRIVEN = tanh_net([["1/2", "1/4"], ["-1/4", "1/2"]], [0, 0])
LOUD = {"1": ["1/4", "0"]}
QUIET = {"1": ["0", "0~1p-4"]}
PLANE = {"low": ["-5/4", "-5/4"], "high": ["5/4", "5/4"], "cuts": [None], "bits": 40}
ROUND = [["1", "0"], ["0", "1"]]


def markov() -> Named:
    """Yield what D3 proves."""
    yield "stair", STAIR, STAIRS
    yield "tent", tent(), TENTS
    yield "skew-tent", SKEW, SKEWS
    yield "rank-one", THIN, TENTS
    yield "isometry-of-two-halves", MIRROR, TENTS
    yield "gap-between-intervals", *gap()


def gap() -> tuple[Network, Witness]:
    """Return a map that exchanges [0, 1] and [2, 3], the first by a tent, the second by a shift."""
    network = hinges([1, 1, 1], [0, "-1/2", -2], [2, -4, 3], 2)
    return network, {"max_knots": 16, "ends": [["0", "1/2"], ["1/2", "1"], ["2", "3"]], "density": ["1", "1", "1"]}


def volumes() -> Named:
    """Yield what D4 proves."""
    yield "lozi", lozi(), {"bits": 64}
    yield "lozi-radius", lozi(radius="~1p-10"), {"bits": 64}
    yield "henon", HENON, {"bits": 64, "low": ["-10", "-10"], "high": ["10", "10"]}
    yield "tanh-in-a-box", THREE, {"bits": 64, "low": ["-1/10"] * 3, "high": ["1/10"] * 3}
    yield "tanh-everywhere", THREE, {"bits": 64}
    yield "rank-one", THIN, {"bits": 64}
    yield "two-layers-radius", DEEP, {"bits": 64, "low": ["-1", "-1"], "high": ["1", "1"]}
    yield "sigmoids-that-saturate", SATURATED, {"bits": 8, "low": ["1", "1"], "high": ["101", "101"]}
    yield "relu-in-a-box-off-its-border", THIN, {"bits": 64, "low": ["1", "0"], "high": ["2", "1/8"]}


def accepted_exponents() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, network, witness in markov():
        case = Case(network)
        case.good("markov_exponent", witness)
        yield f"markov_exponent-{name}", case.claiming()
    for name, network, witness in volumes():
        case = Case(network)
        case.good("volume", witness)
        yield f"volume-{name}", case.claiming()
    yield (
        "cycle_mean-tanh-halves",
        accepted_means(SOFT, "-1", "1", {"cuts": [[0, "0"], None, [0, "1/2"], None, None], "upper": same("51/100", 3)}),
    )
    case = Case(tent("3/2"))
    case.good("trapping", polytope(case.network, [["1", "-3/8"], ["-1", "3/4"]], ["1/2"]))
    case.good("cycle_mean", {"cuts": [[0, "1/2"], None, None], "bits": 40, "lower": same("149/100", 2), "upper": same("151/100", 2)}, 1)
    yield "cycle_mean-tent-in-its-core", case.claiming()
    yield "cycle_mean-bump", bump_means()
    yield "driven_graph-two-inputs-in-a-box", driven(DRIVEN, symbols=[LOUD, QUIET], **PLANE, upper=same("4/5", 1, ROUND))
    yield (
        "driven_graph-two-nodes",
        driven(DRIVEN, symbols=[LOUD, QUIET], nodes=2, edges=[[0, 0, 1], [1, 1, 0]], **PLANE, upper=same("4/5", 2, ROUND)),
    )
    yield "driven_graph-everywhere", driven(DRIVEN, symbols=[LOUD], cuts=None, bits=40, upper=same("4/5", 1, ROUND))
    yield (
        "driven_graph-gated",
        driven(
            GATED,
            symbols=[{"1": ["1/4"]}, {"1": ["0"]}],
            low=["-1/8"],
            high=["1"],
            cuts=[[0, "1/2"], None, None],
            bits=40,
            upper=same("3/4", 2),
        ),
    )
    yield (
        "driven_graph-growing",
        driven(plrnn([["2"]], [["0"]], ["0"]), symbols=[{"1": ["1"]}, {"1": ["-1"]}], bits=40, lower=same("3/2", 1), upper=same("5/2", 1)),
    )
    case = Case(DRIVEN)
    case.good("contraction", {"rate": "4/5", "weights": ["1", "1"], "bits": 40})
    case.good("driven_contraction", {}, 1)
    yield "driven_contraction-tanh", case.claiming()
    case = settling(["1/3", "51/100"])
    case.good("attracted", {}, 1, 3)
    yield "attracted-fixed-point", case.claiming()
    case = Case(tanh_net([["2"]], [0]))
    case.good("contraction", {"rate": "2", "weights": ["1"], "bits": 40})
    case.good("driven_contraction", {}, 1)
    yield "driven_contraction-bound-only", case.claiming()


def accepted_means(network: Network, low: str, high: str, witness: Witness) -> bytes:
    """Return a certificate of D1b in an interval."""
    case = Case(network)
    case.good("trapping", {"low": [low], "high": [high], "bits": 40})
    case.good("cycle_mean", {"bits": 40, **witness}, 1)
    return case.claiming()


def bump_means() -> bytes:
    """Return both bounds for tanh(x / 4) + x / 2."""
    network = Network(1, (affine([0], ([["1/4"]], 0)), Operation("tanh", (1,)), affine([0], ([[1]], 2), ([["1/2"]], 0))))
    return accepted_means(network, "-1", "1", {"cuts": [[0, "0"], None, None], "lower": same("7/10", 2), "upper": same("4/5", 2)})


def same(rate: str, count: int, form: list[list[str]] | None = None) -> Witness:
    """Return one side with the same form everywhere."""
    return {"rate": rate, "forms": [form or [["1"]]] * count}


def driven(network: Network, **fields: object) -> bytes:
    """Return a certificate of D5; by default one node, and an edge a symbol."""
    case = Case(network)
    case.good("driven_graph", inputs(**fields))
    return case.claiming()


def inputs(**fields: object) -> Witness:
    """Return a witness of D5."""
    symbols = fields["symbols"]
    loops = [[0, s, 0] for s in range(len(symbols))] if isinstance(symbols, list) else []
    witness = {"nodes": 1, "edges": loops, **fields}
    return {name: value for name, value in witness.items() if value is not None}


def rejected_exponents() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for theorem, part in (("markov_exponent", bad_markov), ("volume", bad_volumes), ("driven_graph", bad_driven)):
        for name, network, witness in part():
            yield f"{theorem}-{name}", Case(network).bad(theorem, witness)
    for name, network, sides, witness in bad_means():
        case = Case(network)
        case.good("trapping", {**sides, "bits": 40})
        yield f"cycle_mean-{name}", case.bad("cycle_mean", {"bits": 40, **witness}, 1)
    case = Case(Network(1, (affine(["0~1"], ([[0]], 0)),)))
    case.good("trapping", {**INTERVAL, "bits": 40})
    yield "cycle_mean-too-many-edges", case.bad("cycle_mean", {"bits": 40, "cuts": grid(9), "upper": same("1/2", 512)}, 1)
    case = Case(tent("3/2"))
    case.good("trapping", polytope(case.network, [["1", "0"], ["-1", "3/4"]], ["1/2"]))
    yield (
        "cycle_mean-lower-at-a-flat-border",
        case.bad("cycle_mean", {"bits": 40, "cuts": [[0, "1/2"], None, None], "lower": same("1", 2)}, 1),
    )
    wide = {"bits": 40, "low": ["0"], "high": ["7/8"], "cuts": [None], "upper": same("4", 1)}
    yield "cycle_mean-box-left", Case(tent()).bad("cycle_mean", wide)
    case = Case(lozi("6/5", "1/4"))
    frame = [["1", "0", "7/5"], ["-1", "0", "7/5"], ["0", "1", "7/20"], ["0", "-1", "7/20"]]
    case.good("trapping", polytope(case.network, frame, [0, 0]))
    yield "cycle_mean-polytope-of-the-plane", case.bad("cycle_mean", {"bits": 40, "cuts": [None], "upper": same("4", 1, ROUND)}, 1)
    yield from bad_contractions()
    yield from bad_attractions()


def bad_markov() -> Named:
    """Yield attacks on D3."""
    yield "two-states-of-rank-two", WIDE, TENTS
    yield "state-read-twice", TWICE, TENTS
    yield "smooth", tanh_net([["2"]], [0]), TENTS
    yield "radius", tent(radius="0~1p-20"), TENTS
    yield "too-few-knots", tent(), {**TENTS, "max_knots": 1}
    yield "fewer-densities", STAIR, {**STAIRS, "density": ["2"]}
    yield "no-intervals", STAIR, {**STAIRS, "ends": [], "density": []}
    yield "point-interval", STAIR, {**STAIRS, "ends": [["0", "1/2"], ["1/2", "1/2"], ["1/2", "1"]], "density": ["2", "1", "4"]}
    yield "overlap", STAIR, {**STAIRS, "ends": [["0", "3/4"], ["1/2", "1"]]}
    yield "intervals-out-of-order", STAIR, {**STAIRS, "ends": [["1/2", "1"], ["0", "1/2"]], "density": ["4", "2"]}
    yield "three-ends", STAIR, {**STAIRS, "ends": [["0", "1/4", "1/2"], ["1/2", "1"]]}
    yield "knot-inside", tent(), {**TENTS, "ends": [["0", "1"]], "density": ["1"]}
    yield "image-not-a-union", tent("3/2"), {**TENTS, "ends": [["0", "1/2"], ["1/2", "3/4"]]}
    yield "image-over-a-gap", tent(), {**TENTS, "ends": [["0", "1/4"], ["1/2", "1"]]}
    yield "flat", tent(), {**TENTS, "ends": [["-1", "0"], ["0", "1/2"], ["1/2", "1"]], "density": ["1", "1", "1"]}
    yield "not-connected", plrnn([["1"]], [["0"]], ["0"]), TENTS
    yield (
        "transient-interval",
        plrnn([["2"]], [["-3"]], ["1"]),
        {"max_knots": 16, "ends": [["-1", "0"], ["0", "1"], ["1", "2"]], "density": ["1", "1", "1"]},
    )
    yield "density-zero", STAIR, {**STAIRS, "density": ["0", "0"]}
    yield "density-negative", STAIR, {**STAIRS, "density": ["-2", "-4"]}
    yield "density-uniform", STAIR, {**STAIRS, "density": ["1", "1"]}
    yield "density-almost", STAIR, {**STAIRS, "density": ["2", "4000000000001/1000000000000"]}


def bad_volumes() -> Named:
    """Yield attacks on D4."""
    yield "box-inside-out", HENON, {"bits": 64, "low": ["1", "1"], "high": ["-1", "-1"]}
    yield "box-of-another-dimension", HENON, {"bits": 64, "low": ["1"], "high": ["2"]}
    yield "products-without-a-box", HENON, {"bits": 64}
    yield "singular-somewhere", bump(), {"bits": 64, "low": ["-1"], "high": ["1"]}
    curved = Network(1, (Operation("tanh", (0,)), affine([0], ([["1"]], 0), ([["-2"]], 1))))
    yield "sign-change-inside", curved, {"bits": 64, "low": ["-1"], "high": ["1"]}


def grid(depth: int) -> list[list[object] | None]:
    """Return the cuts of [-1, 1] into 2^depth equal leaves."""

    def cut(low: int, high: int) -> list[list[object] | None]:
        middle = (low + high) // 2
        return [None] if high - low == 1 else [[0, write_number(Fraction(middle, 2 ** (depth - 1)))], *cut(low, middle), *cut(middle, high)]

    return cut(-(2 ** (depth - 1)), 2 ** (depth - 1))


def bad_means() -> Iterator[tuple[str, Network, Witness, Witness]]:
    """Yield attacks on D1b."""
    halves = {"cuts": [[0, "0"], None, None]}
    yield "cut-at-the-end", SOFT, INTERVAL, {"cuts": [[0, "1"], None, None], "upper": same("51/100", 2)}
    yield "cut-outside", SOFT, INTERVAL, {"cuts": [[0, "2"], None, None], "upper": same("51/100", 2)}
    yield "cut-outside-a-tiny-leaf", SOFT, INTERVAL, {"cuts": [[0, "-3p-4000"], None, [0, "-1/2"], None, None], "upper": same("51/100", 3)}
    yield "cut-of-too-many-bits", SOFT, INTERVAL, {"cuts": [[0, "-3p-4096"], None, [0, "1/2"], None, None], "upper": same("51/100", 3)}
    yield "cuts-missing", SOFT, INTERVAL, {"cuts": [[0, "0"], None], "upper": same("51/100", 1)}
    yield "cuts-left-over", SOFT, INTERVAL, {"cuts": [[0, "0"], None, None, None], "upper": same("51/100", 3)}
    yield "no-cuts", SOFT, INTERVAL, {"cuts": [], "upper": same("51/100", 0)}
    yield "neither-bound", SOFT, INTERVAL, halves
    yield "rate-zero", SOFT, INTERVAL, {**halves, "upper": same("0", 2)}
    yield "rate-negative", SOFT, INTERVAL, {**halves, "upper": same("-51/100", 2)}
    yield "fewer-forms", SOFT, INTERVAL, {**halves, "upper": same("51/100", 1)}
    yield "form-negative", SOFT, INTERVAL, {**halves, "upper": same("51/100", 2, [["-1"]])}
    yield "form-zero", SOFT, INTERVAL, {**halves, "upper": same("51/100", 2, [["0"]])}
    yield "form-with-radius", SOFT, INTERVAL, {**halves, "upper": same("51/100", 2, [["1~1p-9"]])}
    yield "upper-exactly", SOFT, INTERVAL, {**halves, "upper": same("1/2", 2)}
    yield "upper-too-low", SOFT, INTERVAL, {**halves, "upper": same("2/5", 2)}
    yield "one-potential-too-small", SOFT, INTERVAL, {**halves, "upper": {"rate": "51/100", "forms": [[["1"]], [["1/2"]]]}}
    yield "lower-too-high", SOFT, INTERVAL, {**halves, "lower": same("1/4", 2)}
    yield "lower-negative-form", SOFT, INTERVAL, {**halves, "lower": same("1/5", 2, [["-1"]])}


def bad_driven() -> Named:
    """Yield attacks on D5."""
    good = inputs(symbols=[LOUD, QUIET], **PLANE, upper=same("4/5", 1, ROUND))
    yield "no-symbols", DRIVEN, {**good, "symbols": []}
    yield "no-edges", DRIVEN, {**good, "edges": []}
    yield "walks-that-end", DRIVEN, {**good, "nodes": 2, "edges": [[0, 0, 1]]}
    yield "box-inside-out", DRIVEN, {**good, "low": ["1", "1"], "high": ["-1", "-1"]}
    yield "box-left-by-one-input", DRIVEN, {**good, "symbols": [LOUD, {"1": ["1", "0"]}]}
    yield "box-left-within-the-radius", DRIVEN, {**good, "symbols": [LOUD, {"1": ["0~1", "0"]}]}
    yield "rate-too-low", DRIVEN, {**good, "upper": same("2/5", 1, ROUND)}
    yield "forms-for-one-node-of-two", DRIVEN, {**good, "nodes": 2, "edges": [[0, 0, 1], [1, 1, 0]]}
    steep = {"symbols": [{"1": ["0"]}, {"1": ["4"]}], "nodes": 1, "edges": [[0, 0, 0], [0, 1, 0]], "bits": 40}
    yield "one-of-two-inputs-expands", GATED, {**steep, "low": ["-1/8"], "high": ["10"], "cuts": [None], "upper": same("3/4", 1)}
    yield "products-without-a-box", GATED, {**steep, "upper": same("3/4", 1)}
    yield "lower-too-high", plrnn([["2"]], [["0"]], ["0"]), inputs(symbols=[{"1": ["1"]}], bits=40, lower=same("2", 1))
    potentials = inputs(symbols=[LOUD, QUIET], **PLANE, nodes=2, upper={"rate": "4/5", "forms": [ROUND, [["1/4", "0"], ["0", "1/4"]]]})
    yield "potentials-that-do-not-close", DRIVEN, {**potentials, "edges": [[0, 0, 1], [1, 1, 0]]}


def bad_contractions() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on D6."""
    case = Case(DRIVEN)
    case.good("trapping", {"low": ["-5/4", "-5/4"], "high": ["5/4", "5/4"], "bits": 40})
    yield "driven_contraction-cites-a-box", case.bad("driven_contraction", {}, 1)
    case = Case(SOFT)
    case.good("trapping", {**INTERVAL, "bits": 40})
    case.good("cycle_mean", {"bits": 40, "cuts": [None], "upper": same("51/100", 1)}, 1)
    yield "driven_contraction-cites-a-bound-in-a-box", case.bad("driven_contraction", {}, 2)
    case = Case(SOFT)
    case.good("driven_graph", inputs(symbols=[{"1": ["0"]}], bits=40, upper=same("51/100", 1)))
    yield "driven_contraction-cites-one-input", case.bad("driven_contraction", {}, 1)


def settling(rates: list[str], contraction: str = "4/5") -> Case:
    """Return the steps about z -> (z_1 / 2 + 1, z_2 / 4 + 1): a bound by C1, its fixed point, the moduli there."""
    case = Case(plrnn([["1/2", 0], [0, "1/4"]], [[0, 0], [0, 0]], [1, 1]))
    case.good("contraction", {"rate": contraction, "weights": ["1", "1"]})
    case.good("exact_cycle", {"point": ["2", "4/3"], "period": 1})
    levels = [
        [[[str(1 if Fraction(1, 2) < Fraction(r) else -1), "0"], ["0", str(1 if Fraction(1, 4) < Fraction(r) else -1)]]] for r in rates
    ]
    case.good("multiplier_moduli", {"rates": rates, "levels": levels, "bits": 60}, 2)
    return case


def bad_attractions() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on D7."""
    yield "attracted-one-multiplier-beyond", settling(["1/3"]).bad("attracted", {}, 1, 3)
    yield "attracted-no-contraction", settling(["51/100"], "1").bad("attracted", {}, 1, 3)
    yield "attracted-the-other-way-round", settling(["51/100"]).bad("attracted", {}, 3, 1)
    case = settling(["51/100"])
    case.good("stability", {"forms": [ROUND], "bits": 60}, 2)
    yield "attracted-stability-is-not-enough", case.bad("attracted", {}, 1, 4)


def malformed_exponents() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, change in (
        ("symbol-of-an-operation-without-bias", {"symbols": [{"0": ["1"]}]}),
        ("symbol-too-short", {"symbols": [{"1": ["1"]}]}),
        ("edge-of-two", {"edges": [[0, 0]]}),
        ("edge-beyond", {"edges": [[0, 2, 0]]}),
        ("edge-of-truths", {"edges": [[True, 0, 0]]}),
        ("nodes-zero", {"nodes": 0}),
    ):
        witness = deepcopy(inputs(symbols=[LOUD, QUIET], **PLANE, upper=same("4/5", 1, ROUND))) | change
        yield f"driven_graph-{name}", Case(DRIVEN).bad("driven_graph", witness)
    for name, cuts in (
        ("cut-without-number", [[0], None, None]),
        ("axis-beyond", [[1, "0"], None, None]),
        ("axis-true", [[True, "0"], None, None]),
        ("cut-a-word", ["0"]),
    ):
        case = Case(SOFT)
        case.good("trapping", {**INTERVAL, "bits": 40})
        yield f"cycle_mean-{name}", case.bad("cycle_mean", {"bits": 40, "cuts": cuts, "upper": same("51/100", 2)}, 1)
    yield "driven_contraction-cites-nothing", Case(DRIVEN).bad("driven_contraction", {})
    yield "volume-without-bits", Case(lozi()).bad("volume", {})
    yield "markov_exponent-further-field", Case(STAIR).bad("markov_exponent", {**STAIRS, "rate": "2"})
