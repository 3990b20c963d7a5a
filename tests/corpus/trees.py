"""The corpus of trees (A4, A5): accepted, rejected and malformed certificates about all cycles of tiny networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proofs.network import Network, Operation
from tests.corpus.parts import Case, affine, cycle_witness, lozi, plrnn, tent
from tests.proofs.trees import (
    BEND,
    FOLD,
    GROW,
    KNOT,
    SEESAW,
    cyclic_system,
    every_sign,
    every_word,
)
from tests.proofs.workbench import FLIP, HALF, ROTATION, Step

BOTH: dict[str, object] = {"farkas": ["0", "1", "1", "1"]}
TURNED: dict[str, object] = {"farkas": ["0", "2", "1", "1"], "order": ["1", "1"]}
SIGNS: list[object] = [0, 1, "cycle", "cycle", 1, "cycle", BOTH]
EIGHTHS: dict[str, object] = {"period": 1, "base": "0", "inverse": [["1/4"]]}
IDLE = plrnn([["1/2", 1], [0, "1/3"]], [[-2, 0], [0, 0]], [1, 1])
DEEP = Network(
    1,
    (
        affine([1], ([["-1"]], 0)),
        Operation("relu", (1,)),
        affine(["-1/2"], ([["2"]], 2), ([["1"]], 0)),
        Operation("relu", (3,)),
        affine(["1/4"], ([["1/2"]], 0), ([["-1"]], 4)),
    ),
)
SPACE = plrnn([[0, 1, 0], [0, 0, 1], ["1/2", 0, 0]], [["-1", 0, 0], [0, 0, 0], [0, 0, 0]], [1, 0, -1])
LIMIT = plrnn([["1/2"] + [0] * 32, *[[0] * 33 for _ in range(32)]], [[0] * 33 for _ in range(33)], [0] * 33)


def taken(network: Network, steps: Sequence[Step], name: str = "") -> Case:
    """Return a case in which these steps passed."""
    case = Case(network, name)
    for theorem, cites, witness in steps:
        case.good(theorem, witness, *cites)
    return case


def whole(network: Network, steps: Sequence[Step] | None, name: str = "") -> bytes:
    """Return the certificate whose claim is the last step's."""
    case = taken(network, steps or [], name)
    return case.claiming(case.facts[-1])


def exact(point: str, period: int) -> Step:
    """Return an A1 step on the line."""
    return "exact_cycle", (), {"point": [point], "period": period}


def bent() -> Case:
    """Return BEND with its system of period 2, its fixed point and its two-cycle as steps 1, 2, 3."""
    return taken(BEND, [("cyclic_system", (), cyclic_system(BEND, 2, "1")), exact("1/3", 1), exact("2/3", 2)])


def grown() -> Case:
    """Return GROW with its system of period 1 and its fixed point as steps 1, 2."""
    return taken(GROW, [("cyclic_system", (), cyclic_system(GROW, 1, "0")), exact("2", 1)])


def accepted_trees() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, network, up_to in (
        ("bent-line", BEND, 3),
        ("with-exclusions", GROW, 4),
        ("tight-rows", KNOT, 2),
        ("segment-of-two-cycles", FOLD, 3),
        ("lozi", lozi(), 5),
        ("lozi-orbit-on-a-border", lozi("3/2"), 4),
        ("lozi-segment-of-period-two", lozi("2", "-1"), 3),
        ("tent-fixed-point-on-a-border", tent(), 2),
        ("no-hinges", HALF, 2),
        ("reflection", FLIP, 2),
        ("rotation", ROTATION, 4),
        ("idle-hinge", IDLE, 2),
        ("two-layers", DEEP, 2),
        ("three-states", SPACE, 3),
    ):
        yield f"necklaces-{name}", whole(network, every_word(network, up_to), name)
    case = Case(GROW)
    case.good("forbidden_words", {"words": [["00", 1]]})
    case.good("forbidden_words", {"words": [["10", 0, 1]]})
    case.good("necklaces", {"up_to": 6, "singular": []}, 1, 2)
    yield "necklaces-with-two-lists-of-forbidden-words", case.claiming(case.facts[-1])
    yield "necklaces-nothing-forbidden", whole(BEND, every_word(BEND, 3, lazy=True))
    yield from accepted_signs()
    yield from accepted_unique()


def accepted_signs() -> Iterator[tuple[str, bytes]]:
    """Yield trees over signs."""
    for name, network, up_to, order in (
        ("one-hinge", GROW, 1, None),
        ("three-periods", GROW, 3, None),
        ("bent-line", BEND, 2, None),
        ("bent-line-with-an-order", BEND, 3, 0),
        ("border-and-residual", KNOT, 1, None),
        ("segment-of-two-cycles", FOLD, 2, None),
        ("lozi", lozi(), 2, 0),
        ("tent-fixed-point-on-a-border", tent(), 1, None),
        ("idle-hinge", IDLE, 2, None),
        ("two-layers", DEEP, 1, 1),
        ("three-states", SPACE, 2, None),
    ):
        yield f"cyclic_tree-{name}", whole(network, every_sign(network, up_to, order), name)
    yield "cyclic_tree-nothing-excluded", whole(BEND, every_sign(BEND, 2, lazy=True, last=True))
    case = taken(FOLD, (every_sign(FOLD, 2) or [])[:-1])
    case.good("exact_cycle", {"point": ["1/2"], "period": 1})
    case.good("every_cycle", {"up_to": 2}, len(case.facts) - 1, len(case.facts))
    yield "every_cycle-with-a-cycle-inside-the-residual", case.claiming(case.facts[-1])
    case = bent()
    case.good("cyclic_tree", {"path": [-1], "nodes": [1, "cycle", BOTH]}, 1, 3)
    case.good("cyclic_tree", {"path": [], "nodes": [0, 1, "cycle", "cycle", "part"]}, 1, 2, 3, 4)
    case.good("every_cycle", {"up_to": 2}, 5)
    yield "cyclic_tree-with-a-part", case.claiming(case.facts[-1])
    case = taken(BEND, [("cyclic_system", (), cyclic_system(BEND, 2, "1")), exact("1/3", 1)])
    case.good("cycle", cycle_witness(BEND, ["1", "0"], "1p-10"))
    case.good("cyclic_tree", {"order": 0, "path": [], "nodes": [0, 1, "cycle", "cycle", TURNED]}, 1, 2, 3)
    case.good("every_cycle", {"up_to": 2}, 4)
    yield "cyclic_tree-with-an-enclosed-cycle", case.claiming(case.facts[-1])
    case = taken(GROW, [("cyclic_system", (), cyclic_system(GROW, 1, "0", 20)), exact("2", 1)])
    case.good("cyclic_tree", {"path": [], "nodes": [0, "cycle", {"farkas": ["0", "-1"]}]}, 1, 2)
    case.good("every_cycle", {"up_to": 1}, 3)
    yield "cyclic_tree-rounded-system", case.claiming(case.facts[-1])


def accepted_unique() -> Iterator[tuple[str, bytes]]:
    """Yield one point for every bias."""
    for name, witness, change in (
        ("by-minors", {}, {}),
        ("by-a-scaling", {"scaling": ["3"]}, {}),
        ("by-a-scaling-of-a-rounded-system", {"scaling": ["1"]}, {"inverse": [["17/64"]], "bits": 60}),
    ):
        case = taken(SEESAW, [("cyclic_system", (), {**EIGHTHS, **change})])
        case.good("unique_for_every_bias", witness, 1)
        yield f"unique_for_every_bias-{name}", case.claiming(case.facts[-1])
        case.good("exact_cycle", {"point": ["2/3"], "period": 1})
        case.good("every_cycle", {"up_to": 1}, 2, 3)
        yield f"every_cycle-after-uniqueness-{name}", case.claiming(case.facts[-1])
    case = taken(SPACE, [("cyclic_system", (), cyclic_system(SPACE, 2, "0"))])
    case.good("unique_for_every_bias", {}, 1)
    yield "unique_for_every_bias-three-states-period-two", case.claiming(case.facts[-1])
