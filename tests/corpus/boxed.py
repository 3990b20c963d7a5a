"""The corpus of cycles in a box (A4b) and of one orbit's exponents (D8): what holds, and what does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs.claims import BallCycle
from proofs.grammar import write_number
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems.card import Application
from proofs.theorems.iterate import Iterate
from tests.corpus.exponents import GATED, SOFT, THREE
from tests.corpus.parts import Case, affine, ball_witness, hinges, tanh_net, tent

Witness = dict[str, Any]
Ends = tuple[tuple[Fraction, Fraction], ...]
Named = Iterator[tuple[str, Network, Witness]]
STEEP = tanh_net([["2"]], [0])  # fixed points 0 and +-1.915
TURNED = tanh_net([["-2"]], [0])  # fixed point 0, a 2-cycle at +-1.915
PLANE = tanh_net([["0", "-2"], ["2", "0"]], [0, 0])  # a quarter turn: a fixed point and 4-cycles
CUBIC = Network(1, (Operation("mul", (0, 0)), Operation("mul", (1, 0)), affine([0], ([["1/2"]], 0), ([["1"]], 2))))  # z/2 + z^3
UNSURE = tanh_net([["1/2~1/8"]], ["0~1/16"])
LINE = {"low": ["-17/8"], "high": ["9/4"]}
STATION = 1.9150080481545
DIAGONAL = Network(2, (affine([0, 0], ([["2", "0"], ["0", "1/2"]], 0)),))
HIDDEN = Network(2, (affine([0, 0], ([["2081/2448", "-355/816"], ["-355/816", "105/272"]], 0)),))  # 10/9 along (5, -3), 1/8 along (3, 5)
FAR: Witness = {"start": ["1", "1"], "steps": 20, "bits": 80, "rates": ["1/9", "1/7", "9/8"]}
SHEAR = Network(2, (affine([0, 0], ([["1", "1"], ["0", "1"]], 0)),))
TOUCHY = hinges([1], [0], [2])  # 2 relu(z)


def listed(network: Network, orbits: Sequence[Sequence[Sequence[float]]], radius: str = "1p-12") -> Case:
    """Return a case whose first steps are the cycles near these points."""
    case = Case(network)
    for orbit in orbits:
        case.good("cycle", ball_witness(network, orbit, radius))
    return case


def searched(case: Case, witness: Witness, *, everywhere: bool = False, bits: int = 53, depth: int = 12) -> Witness:
    """Return the witness of A4b with trees grown until the kernel settles every leaf."""
    step = Application(1, "cycles_in_box", case.network, Fields({}, "corpus"), (), ())
    cycles = tuple(fact for fact in case.facts if isinstance(fact, BallCycle))
    low, high, up_to = witness["low"], witness["high"], witness["up_to"]
    assert isinstance(low, list)
    assert isinstance(high, list)
    assert isinstance(up_to, int)
    sides = tuple((Fraction(a), Fraction(b)) for a, b in zip(low, high, strict=True))
    trees = []
    for period in range(up_to // 2 + 1, up_to + 1):
        leaves = Leaves(Iterate(step, period, bits), cycles, period, sides)
        trees.append({"cuts": list[object](), "leaves": list[object]()})
        grow(leaves, sides, trees[-1], depth)
    return {**witness, "trees": trees, "bits": bits} | ({"everywhere": 1} if everywhere else {})


@dataclass(frozen=True)
class Leaves:
    """What settles leaves of one period."""

    iterate: Iterate
    cycles: Sequence[BallCycle]
    period: int
    region: Ends

    def settled(self, leaf: Ends) -> object:
        """Return how the kernel settles a leaf; None if it does not."""
        if self.iterate.leaves(leaf, self.region):
            return 0
        if self.iterate.has_none(leaf):
            return 1
        for number, cycle in enumerate(self.cycles, 1):
            for i, point in enumerate(cycle.points, 1):
                inside = all(low <= x - cycle.radius and x + cycle.radius <= high for (low, high), x in zip(leaf, point, strict=True))
                if inside and self.period % cycle.period == 0 and self.iterate.has_one_at_most(leaf):
                    return [number, i]
        return None


def grow(leaves: Leaves, leaf: Ends, tree: dict[str, list[object]], depth: int) -> None:
    """Settle a leaf or cut it at 4/9 of its longest side."""
    told = leaves.settled(leaf)
    if told is not None or not depth:
        tree["cuts"].append(None)
        tree["leaves"].append(told)
        return
    axis = max(range(len(leaf)), key=lambda i: leaf[i][1] - leaf[i][0])
    low, high = leaf[axis]
    cut = Fraction(round((low + (high - low) * 4 / 9) * 2**12), 2**12)
    tree["cuts"].append([axis, write_number(cut)])
    for side in ((low, cut), (cut, high)):
        grow(leaves, (*leaf[:axis], side, *leaf[axis + 1 :]), tree, depth - 1)


def cite_all(case: Case) -> tuple[int, ...]:
    """Return the numbers of all steps so far."""
    return tuple(range(1, len(case.facts) + 1))


def complete(
    network: Network, orbits: Sequence[Sequence[Sequence[float]]], witness: Witness, *, everywhere: bool = False
) -> tuple[Case, Witness]:
    """Return the case and the witness of A4b."""
    case = listed(network, orbits)
    return case, searched(case, witness, everywhere=everywhere)


ONE = [[[0.0]]]
THREE_POINTS = [[[0.0]], [[STATION]], [[-STATION]]]
TWO_CYCLES = [[[0.0]], [[STATION], [-STATION]]]
QUARTERS = [[[0.0, 0.0]], [[STATION, STATION], [-STATION, STATION], [-STATION, -STATION], [STATION, -STATION]]]
QUARTERS += [[[STATION, 0.0], [0.0, STATION], [-STATION, 0.0], [0.0, -STATION]]]


def complete_lists() -> Iterator[tuple[str, Case, Witness]]:
    """Yield what A4b proves."""
    yield "one-fixed-point", *complete(SOFT, ONE, {"low": ["-9/16"], "high": ["5/8"], "up_to": 1}, everywhere=True)
    yield "three-fixed-points", *complete(STEEP, THREE_POINTS, LINE | {"up_to": 2}, everywhere=True)
    yield "a-2-cycle", *complete(TURNED, TWO_CYCLES, LINE | {"up_to": 3}, everywhere=True)
    yield "a-quarter-turn", *complete(PLANE, QUARTERS, {"low": ["-17/8"] * 2, "high": ["9/4"] * 2, "up_to": 4}, everywhere=True)
    yield "products-in-a-box", *complete(CUBIC, ONE, {"low": ["-1/2"], "high": ["9/16"], "up_to": 2})
    yield "none-in-a-box", *complete(STEEP, [], {"low": ["1/4"], "high": ["1"], "up_to": 3})
    yield "radius", *complete(UNSURE, [], {"low": ["1/4"], "high": ["1/2"], "up_to": 2})


def finite() -> Named:
    """Yield what D8 proves."""
    start = {"start": ["1/10", "1/5", "-3/10"]}
    yield "tanh", THREE, {**start, "steps": 30, "bits": 600, "rates": ["36/100", "2/5"]}
    yield "diagonal", DIAGONAL, {"start": ["1", "1"], "steps": 50, "bits": 200, "rates": ["49/100", "51/100", "199/100", "201/100"]}
    yield "shear", SHEAR, {"start": ["1", "1"], "steps": 10, "bits": 80, "rates": ["1", "4/3"]}
    yield "tent", tent(), {"start": ["1/3"], "steps": 12, "bits": 80, "rates": ["199/100", "201/100"]}
    yield "flat-below-every-rate", tent(), {"start": ["-1"], "steps": 1, "bits": 30, "rates": ["1p-10"]}
    inputs = {"symbols": [{"1": ["1/4"]}, {"1": ["0"]}], "inputs": [0, 1, 1, 0]}
    yield "driven-gated", GATED, {"start": ["1/8"], "bits": 60, "rates": ["1/5", "2/5"], **inputs}
    yield "radius", UNSURE, {"start": ["1/4"], "steps": 3, "bits": 60, "rates": ["1/4", "3/4"]}
    yield "basis-of-singular-vectors", HIDDEN, {**FAR, "basis": [["5", "3"], ["-3", "5"]]}
    yield (
        "basis-that-is-skew",
        DIAGONAL,
        {"start": ["1", "1"], "steps": 50, "bits": 200, "rates": ["51/100"], "basis": [["1/3", "1"], ["0", "-7"]]},
    )
    yield "basis-driven", GATED, {"start": ["1/8"], "bits": 60, "rates": ["1/5", "2/5"], **inputs, "basis": [["-3/7"]]}


def accepted_boxed() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, case, witness in complete_lists():
        case.good("cycles_in_box", witness, *cite_all(case))
        yield f"cycles_in_box-{name}", case.claiming()
    for name, network, witness in finite():
        case = Case(network)
        case.good("finite_time", witness)
        yield f"finite_time-{name}", case.claiming()


def rejected_boxed() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    yield from bad_lists()
    yield from bad_periods()
    for name, network, witness in bad_finite():
        yield f"finite_time-{name}", Case(network).bad("finite_time", witness)


def bad(name: str, case: Case, witness: Witness, *cites: int) -> tuple[str, bytes]:
    """Return a list that must not pass."""
    return f"cycles_in_box-{name}", case.bad("cycles_in_box", witness, *(cites or cite_all(case)))


def steep() -> tuple[Case, Witness]:
    """Return a good list of three fixed points."""
    return complete(STEEP, THREE_POINTS, LINE | {"up_to": 2}, everywhere=True)


def turned() -> tuple[Case, Witness]:
    """Return a good list with a 2-cycle."""
    return complete(TURNED, TWO_CYCLES, LINE | {"up_to": 2}, everywhere=True)


def soft() -> tuple[Case, Witness]:
    """Return a good list of one fixed point."""
    return complete(SOFT, ONE, {"low": ["-9/16"], "high": ["5/8"], "up_to": 1})


def bad_lists() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on the lists and leaves of A4b."""
    case, witness = steep()
    yield bad("one-missing", case, witness, 1, 2)
    leaves = witness["trees"][0]["leaves"]
    for name, told in (("all-left", 0), ("all-without-solution", 1)):
        case, witness = steep()
        witness["trees"][0]["leaves"] = [told if isinstance(leaf, list) else leaf for leaf in leaves]
        yield bad(name, case, witness)
    case, witness = steep()
    witness["trees"][0]["leaves"] = [[2, 1] if leaf == [1, 1] else leaf for leaf in leaves]
    yield bad("another-point-named", case, witness)
    case, witness = steep()
    witness["trees"][0] = {"cuts": [None], "leaves": [[1, 1]]}
    yield bad("one-leaf-for-three-points", case, witness)
    case, witness = steep()
    witness["trees"][0]["leaves"] = leaves[:-1]
    yield bad("a-leaf-too-few", case, witness)
    case, witness = steep()
    yield bad("a-cycle-twice", case, witness, 1, 2, 3, 3)
    case, witness = steep()
    yield bad("ball-outside-the-box", case, witness | {"low": ["-61/32"]})
    case, witness = steep()
    yield bad("box-inside-out", case, witness | {"low": ["3"]})
    yield bad("not-everywhere", *steep_in("9/4", "-15/8"))
    case, witness = complete(CUBIC, ONE, {"low": ["-1/2"], "high": ["9/16"], "up_to": 1})
    yield bad("everywhere-for-an-unbounded-map", case, witness | {"everywhere": 1})


def bad_periods() -> Iterator[tuple[str, bytes]]:
    """Yield attacks on A4b with periods, citations and leaves that do not fit."""
    case, witness = turned()
    yield bad("cycle-longer-than-up-to", case, witness | {"up_to": 1, "trees": witness["trees"][:1]})
    case, witness = turned()
    witness["trees"][0]["leaves"] = [1 if isinstance(leaf, list) and leaf[0] == 2 else leaf for leaf in witness["trees"][0]["leaves"]]
    yield bad("two-cycle-missing", case, witness, 1)
    case, witness = turned()
    yield bad("a-tree-too-few", case, witness | {"up_to": 3})
    yield bad("period-does-not-divide", *wrong_divisor())
    case, witness = soft()
    yield bad("no-such-cycle", case, witness | {"trees": [{"cuts": [None], "leaves": [[2, 1]]}]})
    for name, pair in (("no-such-point", [1, 2]), ("point-zero", [1, 0])):
        case, witness = soft()
        yield bad(name, case, witness | {"trees": [{"cuts": [None], "leaves": [pair]}]})
    neutral = tanh_net([["1"]], [0])
    cut = {"cuts": [[0, "1/8"], None, None], "leaves": [1, 0]}
    yield bad("multiplier-one", Case(neutral), {"low": ["-1"], "high": ["5/4"], "up_to": 1, "trees": [cut], "bits": 53})
    exact = Case(SOFT)
    exact.good("cycle", ball_witness(SOFT, [[0.0]], "1p-12"))
    exact.good("contraction", {"rate": "1/2", "weights": ["1"], "bits": 40})
    yield bad("cites-a-contraction", exact, witness, 1, 2)
    on_cut = {"cuts": [[0, "0"], None, None], "leaves": [[1, 1], [1, 1]]}
    case, witness = soft()
    yield bad("point-on-a-cut", case, witness | {"trees": [on_cut]})
    case, witness = complete(UNSURE, [], {"low": ["1/4"], "high": ["1/2"], "up_to": 1})
    yield bad("radius-reaches-a-solution", case, witness | {"low": ["1/16"]})


def steep_in(high: str, low: str) -> tuple[Case, Witness]:
    """Return a list of all in a box that F does not map R into, said to be of R."""
    case, witness = complete(STEEP, [[[0.0]], [[STATION]]], {"low": [low], "high": [high], "up_to": 1})
    return case, witness | {"everywhere": 1}


def wrong_divisor() -> tuple[Case, Witness]:
    """Return a tree of period 3 that names points of a 2-cycle."""
    case, witness = complete(TURNED, TWO_CYCLES, LINE | {"up_to": 3}, everywhere=True)
    trees = witness["trees"]
    assert isinstance(trees, list)
    return case, witness | {"trees": [trees[0], trees[0]]}


def bad_finite() -> Named:
    """Yield attacks on D8."""
    good = {"start": ["1", "1"], "steps": 50, "bits": 200, "rates": ["51/100", "199/100"]}
    yield "an-exponent-itself", DIAGONAL, {**good, "rates": ["1/2", "2"]}
    yield "rates-out-of-order", DIAGONAL, {**good, "rates": ["199/100", "51/100"]}
    yield "rates-equal", DIAGONAL, {**good, "rates": ["51/100", "51/100"]}
    yield "rate-zero", DIAGONAL, {**good, "rates": ["0", "51/100"]}
    yield "rate-negative", DIAGONAL, {**good, "rates": ["-51/100", "51/100"]}
    yield "no-rates", DIAGONAL, {**good, "rates": []}
    yield "start-of-another-dimension", DIAGONAL, {**good, "start": ["1"]}
    yield "bits-that-lose-small-rates", DIAGONAL, {**good, "bits": 24}
    yield "no-inputs", GATED, {"start": ["1/8"], "bits": 60, "rates": ["1/5"], "symbols": [{}], "inputs": []}
    yield "no-symbols", GATED, {"start": ["1/8"], "bits": 60, "rates": ["1/5"], "symbols": [], "inputs": []}
    yield "start-on-a-border", TOUCHY, {"start": ["0"], "steps": 1, "bits": 30, "rates": ["1"]}
    yield "border-on-the-way", TOUCHY, {"start": ["-1"], "steps": 2, "bits": 30, "rates": ["1"]}
    yield "tent-that-reaches-its-peak", tent(), {"start": ["1/4"], "steps": 2, "bits": 30, "rates": ["1"]}
    yield "errors-that-grow-over-the-border", tent("19/10"), {"start": ["1/3"], "steps": 60, "bits": 40, "rates": ["189/100", "191/100"]}
    yield "radius-too-wide-to-tell", UNSURE, {"start": ["1/4"], "steps": 3, "bits": 60, "rates": ["1/2"]}
    yield "basis-missing", HIDDEN, FAR
    yield "basis-singular", HIDDEN, {**FAR, "basis": [["5", "10"], ["-3", "-6"]]}
    yield "basis-zero", HIDDEN, {**FAR, "basis": [["0", "0"], ["0", "0"]]}
    yield "basis-singular-where-none-is-needed", DIAGONAL, {**good, "basis": [["1", "0"], ["0", "0"]]}
    yield "basis-with-a-radius", HIDDEN, {**FAR, "basis": [["5", "3"], ["-3", "5~1p-99"]]}
    yield "basis-that-does-not-rescue-too-few-bits", HIDDEN, {**FAR, "basis": [["5", "3"], ["-3", "5"]], "bits": 40}
    yield "basis-near-the-wrong-vectors", HIDDEN, {**FAR, "basis": [["5", "0"], ["-3", "1"]]}
    yield "basis-and-an-exponent-itself", DIAGONAL, {**good, "rates": ["1/2"], "basis": [["3", "1"], ["1", "2"]]}
    yield "basis-too-long", DIAGONAL, {**good, "basis": [["1", "0"], ["0", f"1p{2**17}"]]}
    yield "powers-too-long", DIAGONAL, {**good, "steps": 2**16, "rates": ["51/100"], "bits": 8}


def malformed_boxed() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    case, witness = soft()
    for name, change in (
        ("leaf-a-word", {"trees": [{"cuts": [None], "leaves": ["0"]}]}),
        ("leaf-true", {"trees": [{"cuts": [None], "leaves": [True]}]}),
        ("leaf-of-three", {"trees": [{"cuts": [None], "leaves": [[1, 1, 1]]}]}),
        ("leaf-of-truths", {"trees": [{"cuts": [None], "leaves": [[True, True]]}]}),
        ("leaf-2", {"trees": [{"cuts": [None], "leaves": [2]}]}),
        ("tree-with-more", {"trees": [{"cuts": [None], "leaves": [[1, 1]], "depth": 1}]}),
        ("up-to-zero", {"up_to": 0}),
        ("everywhere-two", {"everywhere": 2}),
        ("everywhere-true", {"everywhere": True}),
    ):
        case = listed(SOFT, ONE)
        yield f"cycles_in_box-{name}", case.bad("cycles_in_box", witness | change, 1)
    driven = {"start": ["1/8"], "bits": 60, "rates": ["1/5"], "symbols": [{}], "inputs": [0]}
    for name, fields in (
        ("input-beyond", {"inputs": [1]}),
        ("steps-and-inputs", {"steps": 1}),
        ("symbol-of-an-operation-without-bias", {"symbols": [{"0": ["1"]}]}),
        ("bits-beyond-smooth", {"bits": 4000}),
        ("basis-of-another-shape", {"basis": [["1", "0"]]}),
        ("basis-a-list", {"basis": ["1"]}),
        ("basis-null", {"basis": None}),
    ):
        yield f"finite_time-{name}", Case(GATED).bad("finite_time", driven | fields)
    yield (
        "finite_time-inputs-without-symbols",
        Case(tent()).bad("finite_time", {"start": ["1"], "steps": 1, "bits": 9, "rates": ["1"], "inputs": [0]}),
    )
