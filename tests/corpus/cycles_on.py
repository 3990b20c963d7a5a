"""The corpus of card ``cycles_on``: accepted, rejected and malformed certificates about all cycles in a box along a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network
from proofs.parameters import Line
from proofs.reader import Fields
from proofs.theorems.card import Application
from proofs.theorems.family import network_on
from proofs.theorems.lifted import live_hinges
from proofs.theorems.path_cells import Prefix, Stretch, is_regular
from tests.corpus.parts import Case, affine, hinges, lozi, plrnn, spell, tanh_net

BITS = 40
KEPT = Path(__file__).resolve().parent / "kept"
LEFT: dict[str, object] = {"gates": [1, 1, 4], "back": [-5]}  # 4 (-z) - 5 (z/5 + 1 - z) = -5 for a point on the left branch
AWAY: dict[str, object] = {"gates": [], "back": [-1]}  # -(a z + 1 - z) = (1 - a) z - 1
ONE: dict[str, object] = {"low": "-1/2", "high": "1/2"}
Told = Mapping[str, object]


def skew(left: object, right: object, radius: str = "") -> Network:
    """Return left z + 1 for z <= 0 and right z + 1 for z >= 0."""
    return plrnn([[f"{Fraction(str(left))}{radius}"]], [[str(Fraction(str(right)) - Fraction(str(left)))]], [1])


def skew_case(low: str, high: str) -> Case:
    """Return the path of skew tents with left slope 1/5, mu the right slope from low to high, as step 1."""
    return family(skew("1/5", low), skew("1/5", high), (low, high))


def family(one: Network, two: Network, at: tuple[str, str] = ("0", "1")) -> Case:
    """Return a case with the path from one network to another as step 1."""
    case = Case(one)
    case.good("path", {"end": two.as_json(), "at": spell(Fraction(end) for end in at)})
    return case


def tree_witness(
    case: Case, up_to: int, box: Sequence[object], told: Sequence[Told] = ({},), inner: Sequence[str] = ()
) -> dict[str, object]:
    """Return a witness that goes on everywhere, but for the nodes ``told`` by their words in each cell.

    A word is its letters joined by blanks, with = in front where it closes; ``box`` holds ends for all states, ``inner`` inner breaks.
    """
    line = case.facts[0]
    if not isinstance(line, Line):
        raise TypeError(line)
    size = case.network.dimension
    ends = [[Fraction(str(end))] * size for end in box]
    breaks = [line.at[0], *map(Fraction, inner), line.at[1]]
    step = Application(0, "cycles_on", case.network, Fields({}, "corpus"), (), ())
    live = live_hinges(network_on(step, line, breaks[0], breaks[-1], None))
    hull = Matrix.intervals(Interval(low, high) for low, high in zip(*ends, strict=True))
    stretches = [Stretch(step, line, pair, live, hull, BITS) for pair in pairwise(breaks)]
    cells = [list(walked(stretch, stretch.cell.start, "", up_to, nodes)) for stretch, nodes in zip(stretches, told, strict=True)]
    return {"up_to": up_to, "box": [spell(part) for part in ends], "breaks": spell(breaks), "bits": BITS, "cells": cells}


def walked(stretch: Stretch, prefix: Prefix, letters: str, up_to: int, told: Told) -> Iterator[object]:
    """Yield the nodes below a word."""
    cell = stretch.cell
    if len(letters) < len(cell.live):
        for cut, longer in cell.branches(prefix, letters):
            node = told.get(" ".join((*prefix.letters, longer)), 1)
            yield node
            if node == 1:
                yield from walked(stretch, cut, longer, up_to, told)
        return
    whole = cell.extended(prefix, letters)
    if whole is None:
        return
    if len(whole.letters) % whole.lyndon == 0:
        regular = all(is_regular(part, whole.letters) for part in stretch.parts(1))
        yield told.get("=" + " ".join(whole.letters), int(regular))
    if len(whole.letters) < up_to:
        yield from walked(stretch, whole, "", up_to, told)


def moving_product() -> Case:
    """Return the path on which z -> m relu(m z) + 1 goes from m = -1 to m = 1: its slope m^2 is 1 at both ends and 0 in the middle."""
    return family(hinges(["-1"], [0], ["-1"], 1), hinges(["1"], [0], ["1"], 1))


def planar(first: str) -> Network:
    """Return the planar map of which A[0, 0] moves; its first hinge is idle, its second acts on both states."""
    return plrnn([[first, 0], [0, "1/2"]], [[0, "-2/3"], [0, "1/2"]], ["3/8", "-1"])


def accepted_cycles_on() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    yield from ((path.stem, path.read_bytes()) for path in sorted(KEPT.glob("cycles_on-*.cert")))  # trees that a search built
    for name, ends, up_to, box, told, inner in (
        ("fixed-point", ("-1/2", "1/2"), 1, (-10, 10), [{"=0": LEFT}], []),
        ("multiplier-one-outside-the-box", ("9/10", "11/10"), 1, (-5, 5), [{"=1": AWAY, "=0": LEFT}], []),
        ("two-cells", ("1/2", "11/10"), 1, (-5, 5), [{"=0": LEFT}, {"=1": AWAY, "=0": LEFT}], ["9/10"]),
        ("flip-with-a-residual-word", ("-11/10", "-9/10"), 2, (-5, 5), [{"=0": LEFT}], []),
        ("nothing-excluded", ("-4", "-3"), 4, (-20, 20), [{}], []),
        ("multiplier-one-residual", ("9/10", "11/10"), 1, (-20, 20), [{"=0": LEFT}], []),
        ("box-of-one-point", ("-1/2", "1/2"), 2, (1, 1), [{}], []),
    ):
        case = skew_case(*ends)
        case.good("cycles_on", tree_witness(case, up_to, box, told, inner), 1)
        yield f"cycles_on-{name}", case.claiming(case.facts[-1])
    for name, case, up_to, box in (
        ("moving-product", moving_product(), 2, (-9, 9)),
        ("idle-hinge", family(planar("1/4"), planar("3/4")), 2, (-4, 4)),
        ("lozi", family(lozi("7/5", "1/4"), lozi("3/2", "1/4")), 3, (-2, 2)),
        ("weights-with-a-radius", family(skew("1/5", "-3", "~1p-9"), skew("1/5", "-2", "~1p-9")), 2, (-5, 5)),
        ("no-hinges", family(Network(1, (affine([1], ([["1/2"]], 0)),)), Network(1, (affine([1], ([["1/4"]], 0)),))), 3, (-9, 9)),
    ):
        case.good("cycles_on", tree_witness(case, up_to, box), 1)
        yield f"cycles_on-{name}", case.claiming(case.facts[-1])
    case = skew_case("-1/2", "1/2")
    witness = tree_witness(case, 1, (-10, 10), [{"=0": LEFT}])
    witness["cells"] = [[1, 7, *witness["cells"][0][2:]]]  # type: ignore[index]
    case.good("cycles_on", witness, 1)
    yield "cycles_on-regular-on-seven-parts", case.claiming(case.facts[-1])


def rejected_cycles_on() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, ends, box, told in (
        ("a-real-word-excluded", ("-1/2", "1/2"), (-10, 10), {"=0": LEFT, "=1": AWAY}),
        ("box-larger-than-the-witness-covers", ("9/10", "11/10"), (-20, 20), {"=0": LEFT, "=1": AWAY}),
        ("sum-that-reaches-zero", ("9/10", "11/10"), (-10, 10), {"=0": LEFT, "=1": AWAY}),
        ("multipliers-back-of-the-wrong-sign", ("9/10", "11/10"), (-5, 5), {"=0": {"gates": [1, 1, 4], "back": [5]}}),
        ("multipliers-of-the-sibling", ("-1/2", "1/2"), (-10, 10), {"=0": LEFT, "=1": LEFT}),
        ("multipliers-zero", ("-1/2", "1/2"), (-10, 10), {"=0": {"gates": [1, 1, 0], "back": [0]}}),
        ("no-multipliers", ("-1/2", "1/2"), (-10, 10), {"=0": {"gates": []}}),
        ("back-before-the-word-closes", ("9/10", "11/10"), (-5, 5), {"1": AWAY}),
        ("back-of-another-length", ("9/10", "11/10"), (-5, 5), {"=1": {"gates": [], "back": [-1, 0]}}),
        ("gate-at-a-time-to-come", ("-1/2", "1/2"), (-10, 10), {"=0": {"gates": [2, 1, 4], "back": [-5]}}),
        ("gate-of-a-hinge-there-is-not", ("-1/2", "1/2"), (-10, 10), {"=0": {"gates": [1, 2, 4], "back": [-5]}}),
        ("singular-word-called-regular", ("9/10", "11/10"), (-20, 20), {"=0": LEFT, "=1": 1}),
        ("singular-word-on-many-parts", ("9/10", "11/10"), (-20, 20), {"=0": LEFT, "=1": 64}),
        ("too-many-parts", ("-1/2", "1/2"), (-10, 10), {"=0": LEFT, "=1": 1025}),
        ("parts-below-zero", ("-1/2", "1/2"), (-10, 10), {"=0": LEFT, "=1": -1}),
    ):
        case = skew_case(*ends)
        yield f"cycles_on-{name}", case.bad("cycles_on", tree_witness(case, 1, box, [told]), 1)
    case = skew_case("-11/10", "-9/10")
    yield "cycles_on-singular-power-called-regular", case.bad("cycles_on", tree_witness(case, 2, (-5, 5), [{"=0": LEFT, "=1 1": 1}]), 1)
    case = moving_product()
    yield "cycles_on-excluded-at-both-ends-only", case.bad("cycles_on", tree_witness(case, 1, (-9, 9), [{"=1": AWAY}]), 1)
    yield from rejected_ranges()
    case = skew_case("-4", "-3")
    claim = case.good("cycles_on", tree_witness(case, 2, (-20, 20)), 1).as_json()
    for name, change in (
        ("a-word-left-out-of-the-claim", {"words": claim["words"][1:]}),  # type: ignore[index]
        ("a-longer-period-claimed", {"up_to": 3}),
        ("a-larger-box-claimed", {"box_high": ["21"]}),
        ("a-longer-range-claimed", {"high": "-2"}),
    ):
        yield f"cycles_on-{name}", case.claiming({**claim, **change})


def rejected_ranges() -> Iterator[tuple[str, bytes]]:
    """Yield ranges, boxes and networks that do not fit."""
    case = skew_case("-1/2", "1/2")
    good = tree_witness(case, 1, (-10, 10), [{"=0": LEFT}])
    cell = good["cells"][0]  # type: ignore[index]
    for name, change in (
        ("cells-that-leave-a-gap", {"breaks": ["-1/2", "0", "1/2"]}),
        ("breaks-beyond-the-line", {"breaks": ["-1/2", "3/5"]}),
        ("breaks-before-the-line", {"breaks": ["-3/5", "1/2"]}),
        ("breaks-that-turn-back", {"breaks": ["-1/2", "1/2", "0"], "cells": [cell, cell]}),
        ("breaks-that-stand-still", {"breaks": ["0", "0"]}),
        ("one-break", {"breaks": ["0"], "cells": []}),
        ("box-upside-down", {"box": [["10"], ["-10"]]}),
        ("box-of-another-dimension", {"box": [["-10", "-10"], ["10", "10"]]}),
        ("box-without-upper-ends", {"box": [["-10"]]}),
        ("node-left-over", {"cells": [[*cell, 1]]}),
        ("too-much-work", {"cells": [[1, 10**17]]}),
    ):
        yield f"cycles_on-{name}", skew_case("-1/2", "1/2").bad("cycles_on", {**good, **change}, 1)
    smooth = family(tanh_net([["1/2"]], [0]), tanh_net([["1/3"]], [0]))
    yield "cycles_on-a-smooth-network", smooth.bad("cycles_on", good, 1)
    case = skew_case("-1/2", "1/2")
    case.good("cycles_on", good, 1)
    yield "cycles_on-of-another-fact", case.bad("cycles_on", good, 2)


def malformed_cycles_on() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    case = skew_case("-1/2", "1/2")
    good = tree_witness(case, 1, (-10, 10), [{"=0": LEFT}])
    for name, change in (
        ("a-word-left-out", {"cells": [[1, 1]]}),
        ("no-nodes", {"cells": [[]]}),
        ("node-true", {"cells": [[True, 1, LEFT]]}),
        ("node-two", {"cells": [[2, 1, LEFT]]}),
        ("node-null", {"cells": [[1, None, LEFT]]}),
        ("node-of-text", {"cells": [[1, "regular", LEFT]]}),
        ("gates-in-pairs", {"cells": [[1, 1, 1, {"gates": [1, 1], "back": [-5]}]]}),
        ("gate-of-the-wrong-sign", {"cells": [[1, 1, 1, {"gates": [1, 1, -4], "back": [5]}]]}),
        ("multiplier-that-is-no-integer", {"cells": [[1, 1, 1, {"gates": [1, 1, "4"], "back": [-5]}]]}),
        ("farkas-without-gates", {"cells": [[1, 1, 1, {"back": [-5]}]]}),
        ("farkas-with-more", {"cells": [[1, 1, 1, {**LEFT, "order": [1]}]]}),
        ("cells-that-are-no-lists", {"cells": [1]}),
        ("no-period", {"up_to": 0}),
        ("period-beyond-the-limit", {"up_to": 65}),
        ("bits-beyond-the-limit", {"bits": 20_001}),
    ):
        yield f"cycles_on-{name}", skew_case("-1/2", "1/2").bad("cycles_on", {**good, **change}, 1)
    yield "cycles_on-without-a-path", Case(case.network).bad("cycles_on", good)
    case.good("cycles_on", good, 1)
    yield "cycles_on-with-an-unused-citation", case.bad("cycles_on", good, 1, 2)
