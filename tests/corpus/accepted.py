"""The accepted certificates: every theorem, exact and within radii, piecewise linear and smooth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from tests.corpus.parts import (
    Case,
    affine,
    along,
    ball_witness,
    bump,
    cycle_witness,
    forms,
    hinges,
    lozi,
    plrnn,
    regular,
    spell,
    tanh_net,
    tent,
)

ROTATION = [["3/5", "-4/5"], ["4/5", "3/5"]]
MIXED = [["7/4", "5/4"], ["5/4", "7/4"]]  # eigenvalues 3 and 1/2
WORDS = ("00", "01", "10", "11")


def accepted() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for part in (exact_cycles, cycles, smooth_cycles, stabilities, tables, chaos, orders):
        yield from part()


def exact_cycles() -> Iterator[tuple[str, bytes]]:
    """Yield A1."""
    case = Case(lozi(), "Lozi")
    case.good("exact_cycle", {"point": spell(along(lozi(), ["11"])[1][0]), "period": 1})
    yield "exact_cycle-fixed-point", case.claiming()
    case = Case(lozi("3/2"))
    case.good("exact_cycle", {"point": ["6/5", "0"], "period": 4})
    yield "exact_cycle-orbit-on-a-border", case.claiming()
    case = Case(tent())
    case.good("exact_cycle", {"point": ["2/7"], "period": 3})
    case.good("sharkovskii", {}, 1)
    case.good("entropy_from_period", {"rate": "1618/1000"}, 1)
    case.good("entropy_gives_scrambling", {}, 3)
    yield "exact_cycle-period-three-and-what-follows", case.claiming()


def cycles() -> Iterator[tuple[str, bytes]]:
    """Yield A2 for piecewise-linear maps."""
    words = two_cycle(lozi())
    for name, network in (("exact", lozi()), ("radius", lozi(radius="~1p-10"))):
        case = Case(network)
        radius = "1p-10" if name == "exact" else "1/4"
        case.good("cycle", cycle_witness(network, ["11"], radius))
        yield f"cycle-fixed-point-{name}", case.claiming()
        for form in ("chain", "block"):
            case = Case(network)
            case.good("cycle", cycle_witness(network, words, radius, block=form == "block"))
            yield f"cycle-two-cycle-{name}-{form}", case.claiming()
    case = Case(tent("19/10"))
    case.good("cycle", cycle_witness(tent("19/10"), ["10", "10", "11"], "1p-12"))
    case.good("sharkovskii", {}, 1)
    yield "cycle-tent-three-cycle", case.claiming()
    case = Case(lozi())
    case.good("cycle", {**cycle_witness(lozi(), words, "1p-6", bits=12), "bits": 40})
    yield "cycle-two-cycle-rounded-arithmetic", case.claiming()
    network = Network(
        2,
        (
            affine([0, 1], ([[1, 1], [0, 1]], 0)),
            Operation("relu", (1,)),
            affine([1, 0], (MIXED, 0), ([["-1/2", 0], [0, -1]], 2)),
            Operation("add", (3, 0)),
            affine([0, 0], ([["1/4", 0], [0, "1/4"]], 4)),
        ),
    )
    case = Case(network)
    case.good("cycle", cycle_witness(network, [pattern_of_fixed_point(network)], "1p-8"))
    yield "cycle-longer-program", case.claiming()


def two_cycle(network: Network) -> list[str]:
    """Return the itinerary of Lozi's 2-cycle."""
    found = [[one, two] for one in WORDS for two in WORDS if one != two and agrees(network, [one, two])]
    return found[0]


def pattern_of_fixed_point(network: Network) -> str:
    """Return the pattern in which the network has a fixed point."""
    return next(word for word in WORDS if agrees(network, [word]))


def agrees(network: Network, words: list[str]) -> bool:
    """Say whether the one orbit that solves an itinerary follows it."""
    if not regular(network, words):
        return False
    return [network.pattern(Matrix.column(point)) for point in along(network, words)[1]] == words


def smooth_cycles() -> Iterator[tuple[str, bytes]]:
    """Yield A2 for tanh and sigmoid, with stability."""
    x = 1.9
    for _ in range(60):
        x = 2 * math.tanh(x)
    for name, weight in (("exact", "-2"), ("radius", "-2~1p-12")):
        network = tanh_net([[weight]], [0])
        case = Case(network)
        case.good("cycle", ball_witness(network, [[x], [-x]], "1p-10"))
        case.good("stability", {"forms": [[["1"]], [["1"]]], "bits": 60}, 1)
        yield f"cycle-tanh-two-cycle-{name}", case.claiming()
    network = tanh_net([["1/2", "1"], ["-1", "1/2"]], ["1/8", "0"])
    plane = [0.0, 0.0]
    for _ in range(200):
        u, v = map(math.tanh, plane)
        plane = [(u / 2 + v + 1 / 8 + plane[0]) / 2, (-u + v / 2 + plane[1]) / 2]
    case = Case(network)
    case.good("cycle", ball_witness(network, [plane], "1p-12"))
    yield "cycle-tanh-fixed-point-in-the-plane", case.claiming()
    network = tanh_net([["3/2"]], ["-1/4"], "sigmoid")
    point = [0.5]
    for _ in range(100):
        point = [1.5 / (1 + math.exp(-point[0])) - 0.25]
    case = Case(network)
    case.good("cycle", ball_witness(network, [point], "1p-14"))
    case.good("stability", {"forms": [[["1"]]], "bits": 60}, 1)
    yield "cycle-sigmoid-fixed-point", case.claiming()


def stabilities() -> Iterator[tuple[str, bytes]]:
    """Yield A3 and A3b."""
    words = two_cycle(lozi())
    for name, network in (("exact", lozi()), ("radius", lozi(radius="~1p-10"))):
        for label, word in (("fixed-point", ["11"]), ("two-cycle", words)):
            case = Case(network)
            case.good("cycle", cycle_witness(network, word, "1p-10" if name == "exact" else "1/4", block=True))
            case.good("stability", {"forms": forms(along(network, word)[0]), "bits": 60}, 1)
            yield f"stability-{label}-{name}", case.claiming(case.facts[-1])
    network = lozi()
    rates = [Fraction(1, 4), Fraction(1)]
    case = Case(network)
    case.good("cycle", cycle_witness(network, ["11"], "1p-10"))
    jacobians = along(network, ["11"])[0]
    case.good("multiplier_moduli", {"rates": spell(rates), "levels": [forms(jacobians, r) for r in rates], "bits": 60}, 1)
    yield "multiplier_moduli-saddle", case.claiming()
    network = plrnn([["1/2", 0, 0], [0, "3/4", "1/8"], [0, "-1/8", "3/4"]], [["-1/4", "1/8", 0], [0, 0, 0], [0, 0, "1/4"]], [1, -1, 1])
    case = Case(network)
    region = next(w for w in (f"{i:03b}" for i in range(8)) if agrees(network, [w]))
    case.good("exact_cycle", {"point": spell(along(network, [region])[1][0]), "period": 1})
    rates = [Fraction(1, 2), Fraction(9, 10)]
    case.good("multiplier_moduli", {"rates": spell(rates), "levels": [forms(along(network, [region])[0], r) for r in rates], "bits": 60}, 1)
    case.good("stability", {"forms": forms(along(network, [region])[0]), "bits": 60}, 1)
    yield "multiplier_moduli-three-states", case.claiming()


def tables() -> Iterator[tuple[str, bytes]]:
    """Yield A0, A4, A6 and C4."""
    case = Case(tent())
    case.good("pieces", {"max_knots": 9})
    yield "pieces-tent", case.claiming()
    case = Case(hinges(["1/2"], [1], [3], -1))
    case.good("pieces", {"max_knots": 9})
    yield "pieces-one-hinge", case.claiming()
    case = Case(tent())
    case.good("pieces", {"max_knots": 9})
    starts = [("0", 1), ("2/3", 1), ("2/5", 2), ("2/7", 3), ("2/9", 3)]
    for point, period in starts:
        case.good("exact_cycle", {"point": [point], "period": period})
    case.good("all_cycles", {"up_to": 3, "max_knots": 40}, 1, 2, 3, 4, 5, 6)
    yield "all_cycles-tent-to-period-three", case.claiming(case.facts[-1])
    case = Case(hinges([1, -1], [0, 0], [-1, 1]))
    case.good("pieces", {"max_knots": 9})
    case.good("exact_cycle", {"point": ["0"], "period": 1})
    case.good("all_cycles", {"up_to": 2, "max_knots": 9}, 1, 2)
    case.good("coppel", {"exponent": 1, "max_knots": 9}, 1)
    yield "all_cycles-with-a-residual", case.claiming()
    case = Case(tent("3/2"))
    case.good("pieces", {"max_knots": 9})
    case.good("no_period", {"period": 5}, 1)
    case.good("entropy_upper", {"iterate": 3, "by": "laps", "max_knots": 60}, 1)
    case.good("entropy_upper", {"iterate": 2, "by": "slope", "max_knots": 60}, 1)
    yield "no_period-and-entropy_upper-tent", case.claiming()
    case = Case(tanh_net([["5/4~1p-8"]], [0]))
    case.good("no_period", {"period": 7})
    case.good("entropy_upper", {"iterate": 1, "by": "slope"})
    yield "no_period-and-entropy_upper-tanh-radius", case.claiming()


def chaos() -> Iterator[tuple[str, bytes]]:
    """Yield B1 to B4 and B8."""
    case = Case(tent())
    case.good("li_yorke", {"point": "1/4"})
    case.good("pieces", {"max_knots": 9})
    case.good("li_yorke", {"point": "1/4", "sup_radius": "1/28"}, 2)
    case.good("sharkovskii", {}, 1)
    case.good("entropy_from_period", {"rate": "8/5"}, 1)
    yield "li_yorke-tent", case.claiming()
    case = Case(tent("2", "~1p-9"))
    case.good("li_yorke", {"point": "15/64", "sup_radius": "1/500"})
    yield "li_yorke-radius", case.claiming()
    case = Case(bump())
    case.good("li_yorke", {"point": "-7/8", "bits": 60})
    case.good("odd_period", {"point": "-7/8", "times": 3, "bits": 60})
    yield "li_yorke-smooth", case.claiming()
    case = Case(tent("8/5"))
    case.good("odd_period", {"point": "1/2", "times": 5})
    case.good("entropy_from_period", {"rate": "3/2"}, 1)
    case.good("entropy_gives_scrambling", {}, 2)
    yield "odd_period-tent", case.claiming()
    halves = {"intervals": [["0", "1/2"], ["1/2", "1"]], "extremes": [["0", "1/2"], ["1", "1/2"]], "weights": ["1", "1"]}
    case = Case(tent())
    case.good("covering_intervals", {**halves, "iterate": 1, "rate": "2"})
    case.good("entropy_gives_scrambling", {}, 1)
    yield "covering_intervals-full-tent", case.claiming()
    case = Case(tent())
    case.good("pieces", {"max_knots": 9})
    ends = spell(Fraction(i, 8) for i in range(9))
    pairs = [[a, b] for a, b in pairwise(ends)]
    extremes = [pair if i % 2 == 0 else pair[::-1] for i, pair in enumerate(pairs)]
    case.good("covering_intervals", {"iterate": 3, "intervals": pairs, "extremes": extremes, "weights": ["1"] * 8, "rate": "8"}, 1)
    yield "covering_intervals-third-iterate", case.claiming()
    case = Case(hinges([1, 1], [0, "-1/2"], ["5/2~1p-8", "-5~1p-8"], "-1/50"))
    case.good("covering_intervals", {
        "iterate": 1, "intervals": [["0", "9/20"], ["11/20", "1"]], "extremes": [["0", "9/20"], ["1", "11/20"]],
        "weights": ["1", "1"], "rate": "2", "bits": 60,
    })  # fmt: skip
    yield "covering_intervals-radius", case.claiming()


def orders() -> Iterator[tuple[str, bytes]]:
    """Yield C1 and C3."""
    case = Case(plrnn([["1/4", 0], [0, "1/4"]], [[0, "1/2"], ["-1/4", 0]], [1, 0]))
    case.good("contraction", {"weights": ["1", "1"], "rate": "3/4"})
    case.good("contraction", {"weights": ["5", "4"], "rate": "1"})
    yield "contraction-plrnn", case.claiming()
    case = Case(tanh_net([["1/2~1p-10", "1/4"], ["-1/4", "1/2~1p-10"]], [1, 0]))
    case.good("contraction", {"weights": ["1", "1"], "rate": "4/5", "bits": 40})
    yield "contraction-tanh-radius", case.claiming()
    case = Case(tanh_net([["3"]], [0], "sigmoid"))
    case.good("contraction", {"weights": ["1"], "rate": "3/4", "bits": 40})
    case.good("coppel", {"monotone": "increasing", "bits": 40})
    yield "coppel-monotone-sigmoid", case.claiming()
    case = Case(hinges(["-3~1p-6"], [0], [1], 0, "tanh"))
    case.good("coppel", {"monotone": "decreasing", "bits": 40})
    yield "coppel-monotone-tanh-radius", case.claiming()
    case = Case(tent("9/10"))
    case.good("pieces", {"max_knots": 9})
    case.good("coppel", {"exponent": 0, "max_knots": 20}, 1)
    yield "coppel-flat-tent", case.claiming()
    network = hinges([1, 1], [0, "-1/2"], ["3/2", "-27/10"])
    case = Case(network)
    case.good("pieces", {"max_knots": 9})
    case.good("exact_cycle", {"point": spell(fixed(network)), "period": 1})
    case.good("stability", {"forms": [[["-1"]]], "bits": 60}, 2)
    yield "stability-repelling-fixed-point-of-the-line", case.claiming()
    network = hinges(["-9/5"], ["9/10"], ["1/2"])
    case = Case(network)
    case.good("pieces", {"max_knots": 9})
    case.good("coppel", {"exponent": 0, "max_knots": 20}, 1)
    yield "coppel-decreasing-hinge", case.claiming()
    network = hinges([1, -1], [-1, 0], ["1/2", "1/2"], 1)
    case = Case(network)
    case.good("pieces", {"max_knots": 9})
    case.good("coppel", {"exponent": 1, "max_knots": 40}, 1)
    yield "coppel-exponent-one", case.claiming()


def fixed(network: Network) -> list[Fraction]:
    """Return the fixed point of the right-hand piece of a net on the line."""
    return along(network, ["11"])[1][0]
