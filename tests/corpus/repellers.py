"""The corpus of snap-back repellers (B6) and of contractions by a quadratic form (C1, ii)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from proofs.network import Network, Operation
from tests.corpus.parts import Case, Rows, affine, along, bump, hinges, lozi, plrnn, solve, spell, tanh_net, tent
from tests.corpus.regions import STACKED
from tests.corpus.strips import composed, plus

Witness = dict
DENT = plrnn([["9/4", "1/8"], ["1/8", "9/4"]], [["-9/2", 0], [0, "-9/2"]], [1, 1])
CUBE = plrnn([[2, 0, "1/8"], ["1/8", 2, 0], [0, "1/8", 2]], [[-4, 0, 0], [0, -4, 0], [0, 0, -4]], [1, "9/10", "11/10"])
IDLE = Network(1, (affine([0, "-1/2", "-2/3"], ([[1], [1], [1]], 0)), Operation("relu", (1,)), affine([0], ([[2, -4, 0]], 2))))
FOLD = plrnn([[2]], [[-4]], [1])
PLATEAU = hinges([1, 1, 1, 1], [0, "-1/3", "-5/12", "-1/2"], [2, -2, 4, -6])
TWISTED = tanh_net([["1/2", "1/4"], ["-1/4", "1/2"]], [1, 0])
ROUND = [["1", "0"], ["0", "1"]]


def homoclinic(network: Network, words: Sequence[str], home: str, form: Rows, level: str) -> Witness:
    """Return a witness of B6: the start is what follows the words and comes to the fixed point of the pattern ``home``."""
    point = along(network, [home])[1][0]
    linear, constant = composed(network, words)
    start = solve(linear, plus([[Fraction(x)] for x in point], constant, -1))
    return {
        "point": spell(point), "start": spell(row[0] for row in start), "steps": len(words), "form": form, "level": level, "bits": 60,
    }  # fmt: skip


def tent_return(**fields: object) -> Witness:
    """Return the homoclinic orbit 7/12, 5/6, 1/3, 2/3 of the tent."""
    return {"point": ["2/3"], "start": ["7/12"], "steps": 3, "form": [["1"]], "level": "1/100", "bits": 60, **fields}


def dent_return(**fields: object) -> Witness:
    """Return a homoclinic orbit in the plane."""
    return {**homoclinic(DENT, ["11", "11", "00"], "11", ROUND, "1/16"), **fields}


def accepted_repellers() -> Iterator[tuple[str, bytes]]:
    """Yield B6 and C1 (ii)."""
    unit = [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]]
    for name, network, witness in (
        ("tent", tent(), tent_return()),
        ("plane", DENT, dent_return()),
        ("plane-along-the-axes", DENT, homoclinic(DENT, ["11", "11", "11", "01"], "11", ROUND, "1/16")),
        ("three-states", CUBE, homoclinic(CUBE, ["111", "111", "111", "111", "000"], "111", unit, "1/40")),
        ("idle-hinge-on-its-border", IDLE, tent_return()),
    ):
        case = Case(network, name)
        case.good("snap_back_repeller", witness)
        yield f"snap_back_repeller-{name}", case.claiming()
    for name, network, witness in (
        ("tanh", TWISTED, pinched(ROUND, ["9/25", "9/25"], "3/5")),
        ("tanh-radius", tanh_net([["1/2~1p-10", "1/4"], ["-1/4", "1/2~1p-10"]], [1, 0]), pinched(ROUND, ["9/25", "9/25"], "3/5")),
        ("sigmoid", tanh_net([["3"]], [0], "sigmoid"), pinched([["1"]], ["10"], "4/5")),
        ("exponents-only", tanh_net([["3"]], [0]), pinched([["1"]], ["10"], "31/10")),
        ("relu-and-tanh-in-two-layers", STACKED, pinched([["1"]], ["1/8", "1/8", "1/8"], "4/5")),
        ("relu", plrnn([["1/4", 0], [0, "1/4"]], [[0, "1/2"], ["-1/4", 0]], [1, 0]), pinched(ROUND, ["1/2", "1/2"], "9/10")),
        ("no-units", Network(1, (affine([1], ([["1/2"]], 0)),)), pinched([["1"]], [], "501/1000")),
    ):
        case = Case(network, name)
        case.good("contraction", witness)
        yield f"contraction-by-a-form-{name}", case.claiming()


def pinched(form: Rows, multipliers: list[str], rate: str, **fields: object) -> Witness:
    """Return a witness of C1 (ii)."""
    return {"form": form, "multipliers": multipliers, "rate": rate, "bits": 60, **fields}


def rejected_repellers() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on B6 and C1 (ii)."""
    for part in (wrong_points, wrong_forms, wrong_levels, wrong_orbits):
        for name, network, witness in part():
            yield f"snap_back_repeller-{name}", Case(network).bad("snap_back_repeller", witness)
    for name, network, witness in wrong_contractions():
        yield f"contraction-by-a-form-{name}", Case(network).bad("contraction", witness)


def wrong_points() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 1 of B6."""
    yield "of-a-smooth-network", TWISTED, dent_return()
    yield "with-a-radius", tent("2", "~1p-40"), tent_return()
    yield "point-that-is-not-fixed", tent(), tent_return(point=["0x5555p-15"])
    yield "point-on-a-border", tent(), tent_return(point=["0"])
    yield "point-of-another-dimension", DENT, dent_return(point=["8/25"])
    yield "start-of-another-dimension", tent(), tent_return(start=["7/12", "7/12"])
    yield "too-many-states", Network(129, (Operation("relu", (0,)),)), tent_return()


def wrong_forms() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 2 of B6."""
    yield "form-not-symmetric", DENT, dent_return(form=[["1", "1/8"], ["0", "1"]])
    yield "form-with-a-radius", DENT, dent_return(form=[["1~1p-30", "0"], ["0", "1"]])
    yield "form-indefinite", DENT, dent_return(form=[["1", "0"], ["0", "-1"]])
    yield "form-of-zeros", tent(), tent_return(form=[["0"]])
    yield "saddle", lozi(), saddle()
    yield "multiplier-one", Network(1, (affine([0], ([["1"]], 0)),)), tent_return()
    yield "contraction", tanh_free(), tent_return(point=["2"], start=["3"], steps=1)
    yield "form-in-which-it-does-not-expand", SPUN, spun()


SPUN = plrnn([["5/4", 8], [0, "5/4"]], [[0, 0], [0, 0]], [0, 0])


def spun() -> Witness:
    """Return a sheared expansion with a round form, in which it does not expand."""
    return {"point": ["0", "0"], "start": ["1/8", "0"], "steps": 1, "form": ROUND, "level": "1", "bits": 60}


def tanh_free() -> Network:
    """Return z/2 + 1."""
    return Network(1, (affine([1], ([["1/2"]], 0)),))


def saddle() -> Witness:
    """Return Lozi's saddle with a form that no saddle expands."""
    return {**dent_return(), "point": spell(along(lozi(), ["11"])[1][0])}


def wrong_levels() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on check 3 of B6."""
    yield "level-zero", tent(), tent_return(level="0")
    yield "level-negative", tent(), tent_return(level="-1/100")
    yield "ellipsoid-that-touches-a-border", tent(), tent_return(level="1/36")
    yield "ellipsoid-across-a-border", tent(), tent_return(level="1/4")
    yield "ellipsoid-across-the-second-border", DENT, dent_return(form=[["1", "0"], ["0", "1/2"]])


def wrong_orbits() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on checks 4 and 5 of B6."""
    yield "start-at-the-point", tent(), tent_return(start=["2/3"])
    yield "start-outside-the-ellipsoid", tent(), tent_return(start=["5/6"], steps=2)
    yield "start-just-outside-the-ellipsoid", tent(), tent_return(level="143/20736")
    yield "return-one-step-short", tent(), tent_return(steps=2)
    yield "return-from-another-start", tent(), tent_return(start=["29/50"])
    yield "return-rounded", tent(), tent_return(start=["0x9555555555555p-52"])
    yield "return-that-never-comes", DENT, dent_return(start=["1/4", "1/4"], steps=40)
    across = {"point": ["-1"], "start": ["-7/8"], "steps": 5, "form": [["1"]], "level": "1/4", "bits": 60}
    yield "orbit-through-a-border", FOLD, across
    flat = {"point": ["2/3"], "start": ["19/32"], "steps": 3, "form": [["1"]], "level": "1/100", "bits": 60}
    yield "orbit-through-a-flat-piece", PLATEAU, flat


def wrong_contractions() -> Iterator[tuple[str, Network, Witness]]:
    """Yield attacks on C1 (ii)."""
    good = pinched(ROUND, ["9/25", "9/25"], "3/5")
    yield "rate-zero", TWISTED, {**good, "rate": "0"}
    yield "not-symmetric", TWISTED, {**good, "form": [["1", "1/8"], ["0", "1"]]}
    yield "indefinite", TWISTED, {**good, "form": [["1", "0"], ["0", "-1"]]}
    yield "semidefinite", TWISTED, {**good, "form": [["1", "0"], ["0", "0"]]}
    yield "with-a-radius", TWISTED, {**good, "form": [["1~1p-30", "0"], ["0", "1"]]}
    yield "multiplier-negative", TWISTED, {**good, "multipliers": ["9/25", "-9/25"]}
    yield "multiplier-missing", TWISTED, {**good, "multipliers": ["9/25"]}
    yield "multiplier-too-many", TWISTED, {**good, "multipliers": ["9/25"] * 3}
    yield "multipliers-zero", TWISTED, {**good, "multipliers": ["0", "0"]}
    yield "rate-too-low", TWISTED, {**good, "rate": "11/20"}
    yield "rate-exactly-reached", Network(1, (affine([1], ([["1/2"]], 0)),)), pinched([["1"]], [], "1/2")
    yield "product-of-registers", bump(), pinched([["1"]], ["1"], "9")
    yield "sigmoid-with-the-slope-of-a-quarter-exceeded", tanh_net([["4"]], [0], "sigmoid"), pinched([["1"]], ["16"], "1")
    yield "radius-too-wide", tanh_net([["1/2~1/4", "1/4"], ["-1/4", "1/2~1/4"]], [1, 0]), good
    yield "too-many-units", Network(256, (Operation("relu", (0,)),)), good
    yield "rate-a-little-too-low", TWISTED, {**good, "rate": "2236/4000", "multipliers": ["5/16", "5/16"]}


def malformed_repellers() -> Iterator[tuple[str, bytes]]:
    """Yield witnesses of B6 and C1 (ii) that follow no format."""
    for name, network, witness in (
        ("no-steps", tent(), tent_return(steps=0)),
        ("steps-true", tent(), tent_return(steps=True)),
        ("too-many-steps", tent(), tent_return(steps=100_001)),
        ("start-with-a-radius", tent(), tent_return(start=["7/12~1p-30"])),
        ("form-of-another-size", tent(), tent_return(form=ROUND)),
        ("level-missing", tent(), tent_return(level=None)),
        ("bits-missing", tent(), tent_return(bits=None)),
        ("orbit-spelt-out", tent(), tent_return(orbit=[["7/12"], ["5/6"], ["1/3"]])),
    ):
        yield f"snap_back_repeller-{name}", Case(network).bad("snap_back_repeller", witness)
    case = Case(tent())
    case.good("snap_back_repeller", tent_return())
    yield "snap_back_repeller-that-cites", case.bad("snap_back_repeller", tent_return(), 1)
    yield "entropy_gives_scrambling-twice-from-one-step", scrambled_twice()
    good = pinched(ROUND, ["9/25", "9/25"], "3/5")
    for name, witness in (
        ("without-bits", {name: value for name, value in good.items() if name != "bits"}),
        ("and-weights", {**good, "weights": ["1", "1"]}),
        ("without-multipliers", {name: value for name, value in good.items() if name != "multipliers"}),
        ("of-another-size", {**good, "form": [["1"]]}),
    ):
        yield f"contraction-by-a-form-{name}", Case(TWISTED).bad("contraction", witness)


def scrambled_twice() -> bytes:
    """Return a scrambled set that cites the same entropy bound twice."""
    case = Case(tent())
    case.good("exact_cycle", {"point": ["2/7"], "period": 3})
    case.good("entropy_from_period", {"rate": "8/5"}, 1)
    return case.bad("entropy_gives_scrambling", {}, 2, 2)
