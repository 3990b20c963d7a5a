"""The corpus of families on a line of weights (E0 to E3): what holds, what does not, and what follows no format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from proofs.network import Network, Operation
from tests.corpus.parts import Case, affine, bump, plrnn, tanh_net

Witness = dict[str, object]
BITS = 160


def skew(right: str, left: str = "1/5", height: str = "1") -> Network:
    """Return left z + height for z <= 0, right z + height for z > 0; ``right`` is given less ``left``."""
    return plrnn([[left]], [[right]], [height])


TENTS = (skew("-31/5"), skew("29/5"), ["-6", "6"])  # mu = a_r, a_l = 1/5
RAISED = (skew("9/5", height="-1"), skew("9/5", height="1"), ["-1", "1"])  # mu = h, slopes 1/5 | 2
LOWERED = (skew("3/10", height="-1"), skew("3/10", height="1"), ["-1", "1"])  # slopes 1/5 | 1/2
TURNED = (skew("-17/10", height="-1"), skew("-17/10", height="1"), ["-1", "1"])  # slopes 1/5 | -3/2
SHAKEN = (
    plrnn([["1/5"]], [["3/10~1p-10"]], ["-1"]),
    plrnn([["1/5"]], [["3/10~1p-10"]], ["1"]),
    ["-1", "1"],
)
TOY = (
    plrnn([["1/2", 0], [0, "31/32"]], [[0, "-5/8"], ["1/2", 0]], ["3/8", "-1"]),
    plrnn([["3/2", 0], [0, "31/32"]], [[0, "-5/8"], ["1/2", 0]], ["3/8", "-1"]),
    ["1/2", "3/2"],
)  # at mu = 1 the fixed point in the region 0 0 escapes along z_1 and z_2 does not feel it
TWINS = (
    plrnn([["1/5", 0], [0, "1/5"]], [["9/5", 0], [0, "9/5"]], ["-1", "-1"]),
    plrnn([["1/5", 0], [0, "1/5"]], [["9/5", 0], [0, "9/5"]], ["1", "1"]),
    ["-1", "1"],
)  # both units reach their borders at mu = 0
CENTRED = (skew("-31/5", height="0"), skew("29/5", height="0"), ["-6", "6"])
FLAT = (plrnn([["1/2"]], [["0"]], ["1"]), plrnn([["1/2"]], [["1"]], ["1"]), ["0", "1"])
SOFT = (tanh_net([["1/2"]], ["1/4"]), tanh_net([["3/4"]], ["1/4"]), ["1/2", "3/4"])


def mixed(bias: str) -> Network:
    """Return relu(z) / 8 + tanh(z) / 8 + bias."""
    return Network(1, (Operation("relu", (0,)), Operation("tanh", (0,)), affine([bias], ([["1/8"]], 1), ([["1/8"]], 2))))


MIXED = (mixed("-1"), mixed("1"), ["-1", "1"])  # relu and tanh: the fixed point crosses the border of the relu at mu = 0
LAYERED = (
    Network(1, (Operation("relu", (0,)), affine(["-1"], ([["3/10"]], 1)), affine([0], ([["1/5"]], 0)), Operation("add", (2, 3)))),
    Network(1, (Operation("relu", (0,)), affine(["1"], ([["3/10"]], 1)), affine([0], ([["1/5"]], 0)), Operation("add", (2, 3)))),
    ["-1", "1"],
)  # ends with an addition
SUMMED = (
    Network(1, (Operation("relu", (0,)), Operation("add", (1, 0)), affine(["-1"], ([["1/5"]], 2)))),
    Network(1, (Operation("relu", (0,)), Operation("add", (1, 0)), affine(["1"], ([["1/5"]], 2)))),
    ["-1", "1"],
)  # an addition reads the unit
ESCAPE: Witness = {
    "low": "999/1000", "high": "1001/1000", "itinerary": ["1"], "left": ["1"], "right": ["1"], "inverse": [["0", "1"], ["1", "0"]],
    "bits": BITS,
}  # fmt: skip
VIRTUAL = ESCAPE | {"low": "4999/1000", "high": "5001/1000", "itinerary": ["0", "1"]}
CORNERED = {
    "low": "511/512", "high": "513/512", "itinerary": ["00"], "left": ["1", "0"], "right": ["1", "0"],
    "inverse": [["0", "0", "1"], ["0", "32", "0"], ["1", "0", "0"]], "bits": BITS,
}  # fmt: skip
TURN: Witness = {
    "low": "-1001/1000", "high": "-999/1000", "itinerary": ["1"], "inverse": [["1/2"]], "left": ["1"], "right": ["1"],
    "bordered": [["0", "1"], ["1", "0"]], "bits": BITS,
}  # fmt: skip
BIRTH: Witness = {
    "low": "-1/10", "high": "1/10", "itinerary": ["0"], "time": 1, "unit": 1, "inverse": [["5/4"]], "bits": BITS,
    "partners": [{"itinerary": ["1"], "inverse": [["-1"]]}],
}  # fmt: skip
STEADY: Witness = {"itinerary": ["1"], "points": [["1"]], "radius": "1/2", "inverse": [["1"]], "bits": 100, "forms": [[["1"]]]}
LEFT: Witness = {"itinerary": ["1"], "points": [["5/8"]], "radius": "1/5", "inverse": [["5/8"]], "bits": 100, "forms": [[["1"]]]}
CURVED: Witness = {"points": [["61/128"]], "radius": "1/16", "inverse_block": [["7/4"]], "bits": 80}


def along(family: tuple[Network, Network, list[str]]) -> Case:
    """Return a case whose first step is the line between two networks."""
    start, end, at = family
    case = Case(start)
    case.good("path", {"end": end.as_json(), "at": at})
    return case


def proved(family: tuple[Network, Network, list[str]], theorem: str, witness: Mapping[str, object]) -> bytes:
    """Return a certificate of one fact about a family."""
    case = along(family)
    return case.claiming(case.good(theorem, witness, 1))


def exists(*cells: Witness, breaks: list[str], **more: object) -> Witness:
    """Return a witness of E1."""
    return {"breaks": breaks, "cells": list(cells), **more}


def absent(word: list[str], *cells: tuple[str, int, int], breaks: list[str]) -> Witness:
    """Return a witness of E1b; a cell is its inverse, time and unit."""
    told = [{"inverse": [[inverse]], "time": time, "unit": unit, "bits": BITS} for inverse, time, unit in cells]
    return {"itinerary": word, "breaks": breaks, "cells": told}


def partner(inverse: str, *word: str) -> Witness:
    """Return a partner of a collision."""
    return {"itinerary": list(word), "inverse": [[inverse]]}


PLAIN = {key: value for key, value in STEADY.items() if key != "forms"}


def accepted_parameters() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    yield "exists_on-two-cells-with-stability", proved(TENTS, "exists_on", exists(LEFT, STEADY, breaks=["-9/10", "-1/4", "1/4"]))
    yield "exists_on-without-stability", proved(TENTS, "exists_on", exists(PLAIN, breaks=["0", "1/4"]))
    yield "exists_on-smooth-with-a-joint", proved(SOFT, "exists_on", smooth())
    yield "absent_on-virtual", proved(TENTS, "absent_on", absent(["1"], ("-16/3", 1, 1), ("-8/3", 1, 1), breaks=["9/8", "5/4", "3/2"]))
    yield "absent_on-after-nothing-happened-at-5", proved(TENTS, "absent_on", absent(["0", "1"], ("-8", 2, 1), breaks=["11/2", "23/4"]))
    yield "border_collision-annihilation", proved(RAISED, "border_collision", BIRTH)
    yield (
        "border_collision-continuation-and-no-doubling",
        proved(LOWERED, "border_collision", BIRTH | {"partners": [partner("2", "1"), partner("10/9", "0", "1")]}),
    )
    yield (
        "border_collision-doubling",
        proved(TURNED, "border_collision", BIRTH | {"partners": [partner("2/5", "1"), partner("10/13", "0", "1")]}),
    )
    yield "border_collision-radius", proved(SHAKEN, "border_collision", BIRTH | {"partners": [partner("2", "1")]})
    yield "border_collision-of-a-2-cycle", proved(TENTS, "border_collision", second_birth())
    yield "to_infinity-fixed-point", proved(TENTS, "to_infinity", ESCAPE)
    yield "to_infinity-unit-that-does-not-feel-it", proved(TOY, "to_infinity", CORNERED)
    yield "to_infinity-virtual-2-cycle-at-5", proved(TENTS, "to_infinity", VIRTUAL)
    yield "flip-fixed-point", proved(TENTS, "flip", TURN)
    yield "flip-2-cycle", proved(TENTS, "flip", TURN | {"low": "-5001/1000", "high": "-4999/1000", "itinerary": ["0", "1"]})
    yield "gradient_divergence-fixed-point", proved(TENTS, "gradient_divergence", steep("9/10", "11/10"))
    yield "gradient_vanishing-fixed-point", vanishing(LOWERED, BIRTH | {"partners": []}, good=True)
    case = Case(skew("9/5"))
    case.good("teacher_forcing", {"alpha": "3/4", "forced": 1, "rate": "1/2", "weights": ["1"]})
    yield "teacher_forcing-weights", case.claiming()
    case = Case(tanh_net([["2"]], [0]))
    case.good("teacher_forcing", {"alpha": "3/4", "forced": 1, "rate": "3/4", "weights": ["1"], "bits": 60})
    yield "teacher_forcing-smooth", case.claiming()


def smooth(joint: str = "63/128", radius: str = "1p-10") -> Witness:
    """Return a witness for the fixed point of w tanh z + 1/4, w from 1/2 to 9/16, in two cells, with a joint at 17/32."""
    cells = [CURVED, CURVED | {"points": [["65/128"]]}]
    return exists(*cells, breaks=["1/2", "17/32", "9/16"], joints=[CURVED | {"points": [[joint]], "radius": radius}])


def second_birth() -> Witness:
    """Return the collision of the 2-cycle 0 1 at a_r = -1, where its point on the left reaches 0."""
    return BIRTH | {"low": "-1001/1000", "high": "-999/1000", "itinerary": ["0", "1"], "inverse": [["5/6"]], "partners": []}


def steep(low: str, high: str) -> Witness:
    """Return a witness of the gradient law at a_r = 1, where z = 1 / (1 - a_r)."""
    return ESCAPE | {"position": [low, high], "gradient": [low, high]}


def vanishing(family: tuple[Network, Network, list[str]], witness: Mapping[str, object], *, good: bool) -> bytes:
    """Return a certificate with a collision and what it says of gradients."""
    case = along(family)
    case.good("border_collision", witness, 1)
    return case.claiming(case.good("gradient_vanishing", {}, 2)) if good else case.bad("gradient_vanishing", {}, 2)


def refused(family: tuple[Network, Network, list[str]], theorem: str, witness: Mapping[str, object]) -> bytes:
    """Return a certificate whose fact about a family must not pass."""
    return along(family).bad(theorem, witness, 1)


def rejected_parameters() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate); each breaks one check."""
    yield from _bad_paths()
    yield from _bad_ranges()
    yield from _bad_collisions()
    yield from _bad_escapes()
    yield from _bad_flips()
    yield from _bad_gradients()


def _bad_paths() -> Iterator[tuple[str, bytes]]:
    start, end, at = TENTS
    yield "path-ends-in-wrong-order", Case(start).bad("path", {"end": end.as_json(), "at": at[::-1]})
    yield "path-one-end-only", Case(start).bad("path", {"end": end.as_json(), "at": at[:1]})
    yield "path-another-dimension", Case(start).bad("path", {"end": TOY[1].as_json(), "at": at})
    yield "path-another-program", Case(start).bad("path", {"end": tanh_net([["1"]], [0]).as_json(), "at": at})
    yield "path-radii-at-one-end-only", Case(LOWERED[0]).bad("path", {"end": SHAKEN[1].as_json(), "at": ["-1", "1"]})
    case = along(TENTS)
    fact = case.good("exists_on", exists(PLAIN, breaks=["0", "1/4"]), 1)
    yield "path-claimed-of-another-end", case.claiming({**fact.as_json(), "end": start.digest})


def _bad_ranges() -> Iterator[tuple[str, bytes]]:
    wide = PLAIN | {"points": [["2/5"]], "radius": "2", "inverse": [["1/2"]]}
    yield "exists_on-over-an-escape", refused(TENTS, "exists_on", exists(wide, breaks=["1/2", "3/2"]))
    yield "exists_on-over-a-flip", refused(TENTS, "exists_on", exists(LEFT, breaks=["-101/100", "-99/100"]))
    yield "exists_on-counts-that-differ", refused(TENTS, "exists_on", exists(PLAIN, STEADY, breaks=["0", "1/8", "1/4"]))
    yield "exists_on-breaks-out-of-order", refused(TENTS, "exists_on", exists(PLAIN, PLAIN, breaks=["0", "1/4", "1/8"]))
    yield "exists_on-beyond-the-path", refused(LOWERED, "exists_on", exists(PLAIN, breaks=["3/4", "5/4"]))
    yield "exists_on-a-cell-too-few", refused(TENTS, "exists_on", exists(PLAIN, breaks=["0", "1/8", "1/4"]))
    yield "exists_on-border-inside", refused(LOWERED, "exists_on", exists(PLAIN | {"inverse": [["2"]]}, breaks=["-1/8", "1/8"]))
    yield "exists_on-another-word-behind", refused(RAISED, "exists_on", exists(*_two_words(), breaks=["-1/2", "-1/4", "-1/8"]))
    yield "exists_on-smooth-joint-outside", refused(SOFT, "exists_on", smooth(radius="1/16"))
    balls = {"points": [["1"]], "radius": "1/4", "inverse_block": [["1"]], "bits": 100}
    yield "exists_on-balls-in-a-piecewise-linear-family", refused(TENTS, "exists_on", exists(balls, breaks=["-1/16", "1/16"]))
    thin = {"points": [["0"]], "radius": "1/4", "inverse_block": [["5/4"]], "bits": 100}
    yield "exists_on-smooth-over-a-relu-border", refused(MIXED, "exists_on", exists(thin, breaks=["-1/16", "1/16"], joints=[]))
    yield "absent_on-it-exists", refused(TENTS, "absent_on", absent(["1"], ("3/4", 1, 1), breaks=["-1/4", "1/4"]))
    yield "absent_on-a-unit-that-agrees", refused(TENTS, "absent_on", absent(["0", "1"], ("-8", 1, 1), breaks=["11/2", "23/4"]))
    yield "absent_on-over-an-escape", refused(TENTS, "absent_on", absent(["1"], ("-10", 1, 1), breaks=["15/16", "17/16"]))
    yield "absent_on-a-power", refused(TENTS, "absent_on", absent(["1", "1"], ("-1", 1, 1), breaks=["5/4", "3"]))


def _two_words() -> tuple[Witness, Witness]:
    left = {"itinerary": ["0"], "points": [["-15/32"]], "radius": "1/4", "inverse": [["5/4"]], "bits": 100}
    return left, {"itinerary": ["1"], "points": [["3/16"]], "radius": "1/8", "inverse": [["-1"]], "bits": 100}


def _bad_collisions() -> Iterator[tuple[str, bytes]]:
    yield "border_collision-elsewhere", refused(RAISED, "border_collision", BIRTH | {"low": "1/100"})
    yield "border_collision-beyond-the-path", refused(RAISED, "border_collision", BIRTH | {"low": "-2"})
    yield "border_collision-power-of-a-word", refused(RAISED, "border_collision", BIRTH | {"itinerary": ["0", "0"]})
    yield "border_collision-bad-inverse", refused(RAISED, "border_collision", BIRTH | {"inverse": [["3"]]})
    lost = [{"itinerary": ["11"], "inverse": [["-1", "0"], ["0", "-1"]]}]
    twins = BIRTH | {"itinerary": ["00"], "inverse": [["5/4", "0"], ["0", "5/4"]], "partners": lost}
    yield "border_collision-two-units-at-once", refused(TWINS, "border_collision", twins)
    yield (
        "border_collision-partner-with-other-letters",
        refused(TENTS, "border_collision", second_birth() | {"partners": [partner("1", "1", "0")]}),
    )
    yield "border_collision-partner-singular", refused(RAISED, "border_collision", BIRTH | {"partners": [partner("3", "1")]})
    yield "border_collision-partner-itself", refused(RAISED, "border_collision", BIRTH | {"partners": [partner("5/4", "0")]})
    yield "border_collision-partner-a-power", refused(RAISED, "border_collision", BIRTH | {"partners": [partner("1", "1", "1")]})
    yield (
        "border_collision-partner-too-long-by-one",
        refused(TENTS, "border_collision", second_birth() | {"partners": [partner("1", "0", "1", "1")]}),
    )
    yield "border_collision-nothing-moves", refused(FLAT, "border_collision", BIRTH | {"low": "1/4", "high": "3/4", "inverse": [["2"]]})


def _bad_escapes() -> Iterator[tuple[str, bytes]]:
    yield "to_infinity-elsewhere", refused(TENTS, "to_infinity", ESCAPE | {"low": "1001/1000", "high": "1003/1000"})
    yield "to_infinity-beyond-the-path", refused(TENTS, "to_infinity", VIRTUAL | {"low": "4999/1000", "high": "6001/1000"})
    yield "to_infinity-stays-bounded", refused(CENTRED, "to_infinity", ESCAPE)
    yield (
        "to_infinity-range-too-long",
        refused(TENTS, "to_infinity", ESCAPE | {"low": "-1/2", "high": "5/2", "inverse": [["0", "1"], ["1", "0"]]}),
    )
    yield "to_infinity-bad-inverse", refused(TENTS, "to_infinity", ESCAPE | {"inverse": [["1", "0"], ["0", "1"]]})
    yield "to_infinity-other-unit-violated", refused(TOY, "to_infinity", CORNERED | {"itinerary": ["01"], "inverse": CORNERED["inverse"]})
    yield "to_infinity-power-of-a-word", refused(TENTS, "to_infinity", ESCAPE | {"itinerary": ["1", "1"]})


def _bad_flips() -> Iterator[tuple[str, bytes]]:
    yield "flip-elsewhere", refused(TENTS, "flip", TURN | {"low": "-9/10", "high": "-8/10", "inverse": [["20/37"]]})
    yield "flip-of-the-fixed-point-at-minus-5", refused(TENTS, "flip", TURN | {"low": "-5001/1000", "high": "-4999/1000"})
    yield "flip-fixed-point-as-a-2-cycle", refused(TENTS, "flip", TURN | {"itinerary": ["1", "1"]})
    yield "flip-of-a-virtual-cycle", refused(_sunk(), "flip", TURN)
    yield "flip-bad-bordered-inverse", refused(TENTS, "flip", TURN | {"bordered": [["1", "0"], ["0", "1"]]})


def _sunk() -> tuple[Network, Network, list[str]]:
    return skew("-31/5", height="-1"), skew("29/5", height="-1"), ["-6", "6"]


def _bad_gradients() -> Iterator[tuple[str, bytes]]:
    yield "gradient_divergence-bounds-too-narrow", refused(TENTS, "gradient_divergence", steep("1/2", "9/10"))
    yield "gradient_divergence-no-lower-bound", refused(TENTS, "gradient_divergence", steep("0", "2"))
    yield (
        "gradient_divergence-lower-bounds-too-high",
        refused(TENTS, "gradient_divergence", steep("11/10", "6/5")),
    )
    yield (
        "gradient_divergence-virtual",
        refused(TENTS, "gradient_divergence", VIRTUAL | {"position": ["1", "99"], "gradient": ["1", "999"]}),
    )
    yield "gradient_divergence-no-escape", refused(CENTRED, "gradient_divergence", steep("9/10", "11/10"))
    yield "gradient_vanishing-active-at-another-time", vanishing(TENTS, second_birth(), good=False)
    plain = BIRTH | {"partners": []}
    yield "gradient_vanishing-ends-with-an-addition", vanishing(LAYERED, plain, good=False)
    yield "gradient_vanishing-an-addition-reads-the-unit", vanishing(SUMMED, plain, good=False)
    case = Case(skew("9/5"))
    yield "teacher_forcing-too-little", case.bad("teacher_forcing", {"alpha": "1/4", "forced": 1, "rate": "3/2", "weights": ["1"]})
    case = Case(skew("9/5"))
    yield "teacher_forcing-rate-too-small", case.bad("teacher_forcing", {"alpha": "3/4", "forced": 1, "rate": "2/5", "weights": ["1"]})
    case = Case(skew("9/5"))
    yield "teacher_forcing-alpha-above-1", case.bad("teacher_forcing", {"alpha": "5/4", "forced": 1, "rate": "3/4", "weights": ["1"]})
    case = Case(bump())
    yield (
        "teacher_forcing-product-of-registers",
        case.bad("teacher_forcing", {"alpha": "3/4", "forced": 1, "rate": "3/4", "weights": ["1"], "bits": 60}),
    )
    case = Case(TWINS[0])
    yield (
        "teacher_forcing-a-state-not-forced",
        case.bad("teacher_forcing", {"alpha": "3/4", "forced": 1, "rate": "3/4", "weights": ["1", "1"]}),
    )


def malformed_parameters() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    yield "exists_on-unread-field-in-a-cell", refused(TENTS, "exists_on", exists(PLAIN | {"more": 1}, breaks=["0", "1/4"]))
    yield "border_collision-time-beyond-the-word", refused(RAISED, "border_collision", BIRTH | {"time": 2})
    yield (
        "border_collision-unread-field-of-a-partner",
        refused(RAISED, "border_collision", BIRTH | {"partners": [{"itinerary": ["1"], "inverse": [["-1"]], "side": "after"}]}),
    )
    yield "border_collision-without-a-line", Case(TENTS[0]).bad("border_collision", BIRTH)
    yield "path-end-is-no-network", Case(TENTS[0]).bad("path", {"end": {"dimension": 1}, "at": TENTS[2]})
    yield (
        "teacher_forcing-more-states-than-there-are",
        Case(TENTS[0]).bad("teacher_forcing", {"alpha": "3/4", "forced": 2, "rate": "1/2", "weights": ["1"]}),
    )
    case = along(TENTS)
    fact = case.good("exists_on", exists(PLAIN, breaks=["0", "1/4"]), 1)
    yield "exists_on-claim-with-a-field-too-many", case.claiming({**fact.as_json(), "also": 1})
    yield "line-is-no-claim-of-a-header", case.claiming({"claim": "line", "end": "x", "at": ["0", "1"]})
