"""B5: what a covering graph promises is there. Every loop has its periodic point, solved for exactly and followed step by step."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.claims import ScrambledSet
from proofs.errors import Malformed, Rejected
from proofs.network import Network
from proofs.space import CoveringGraph
from proofs.theorems.elimination import inverse
from proofs.theorems.lifted import live_hinges
from tests.corpus import covering as known
from tests.corpus.parts import along, lozi, plrnn
from tests.corpus.strips import Box, Path, covering, exact, strip
from tests.proofs.workbench import facts, letter, prove, rejected
from tests.second.checker import claim_is_true

EXACT = {
    "line": (known.LINE, known.line_witness()),
    "plane": (known.PLANE, known.plane_witness()),
    "mixed": (known.PLANE, known.mixed_witness()),
    "halves": (known.STEEP, known.halves_witness()),
    "parted": (known.PARTED, known.parted_witness()),
    "space": (known.SPACE, covering(known.SPACE, known.SPACE_BOX, [(0, 0, ["000"]), (0, 0, ["101"])], "2")),
    "square": (known.SQUARE, known.square_witness()),
    "cube": (known.CUBE, known.cube_witness()),
}


def graph(network: Network, witness: dict) -> CoveringGraph:
    """Return what the kernel concludes."""
    claim = facts(network, ("covering_graph", (), witness))[0]
    assert isinstance(claim, CoveringGraph)
    return claim


def loop(witness: dict, rng: random.Random, length: int) -> list[dict]:
    """Return a random loop of the graph: a random walk, cut where it first comes back."""
    leaving: dict[int, list[dict]] = {}
    for path in witness["paths"]:
        leaving.setdefault(path["from"], []).append(path)
    box = rng.randrange(len(witness["boxes"]))
    walk: list[dict] = []
    while len(walk) < length or walk[-1]["to"] != walk[0]["from"]:
        walk.append(rng.choice(leaving[box]))
        box = walk[-1]["to"]
    return walk


def inside(witness: dict, path: dict, point: list[Fraction]) -> bool:
    """Say whether a point lies in the strip of a path and in its box."""
    box, unstable = witness["boxes"][path["from"]], witness["unstable"]
    away = Matrix.column([x - Fraction(c) for x, c in zip(point, exact([box["center"]])[0], strict=True)])
    back = inverse(Matrix.exact(exact(box["basis"])))
    assert back is not None
    local = [(back @ away).middle(i) for i in range(len(point))]
    top, rest = local[:unstable], local[unstable:]
    offset, width = exact([path["offset"]])[0], inverse(Matrix.exact(exact(path["width"])))
    tilts = exact(path["tilt"]) if rest else [[] for _ in top]
    assert width is not None
    moved = [a - o - sum(t * x for t, x in zip(row, rest, strict=True)) for a, o, row in zip(top, offset, tilts, strict=True)]
    free = width @ Matrix.column([Fraction(x) for x in moved])
    return all(abs(x) < 1 for x in local) and all(abs(free.middle(i)) < 1 for i in range(unstable))


def follows(network: Network, witness: dict, walk: list[dict]) -> bool:
    """Solve for the periodic point of a loop and follow it with the network itself, in exact arithmetic."""
    start = along(network, [pattern for path in walk for pattern in path["itinerary"][: path["steps"]]])[1][0]
    state, live = start, live_hinges(network)
    for path in walk:
        if not inside(witness, path, state):
            return False
        ahead = state
        for time, pattern in enumerate(path["itinerary"]):
            image, gates = network.trace(Matrix.column(ahead))
            signs = [low for gate in gates for low, _ in gate.signs()]
            if any(signs[hinge] != (1 if pattern[hinge] == "1" else -1) for hinge in live):
                return False
            ahead = [image.middle(i) for i in range(len(ahead))]
            state = ahead if time < path["steps"] else state
    return state == start


@pytest.mark.parametrize("name", EXACT)
def test_every_loop_has_its_periodic_point(name: str) -> None:
    network, witness = EXACT[name]
    assert graph(network, witness).paths == len(witness["paths"])
    rng = random.Random(name)
    for length in (1, 2, 3, 5, 8):
        for _ in range(6):
            assert follows(network, witness, loop(witness, rng, length))


@settings(max_examples=40, deadline=None)
@given(
    st.fractions("21/10", 4, max_denominator=20),
    st.fractions("-1/4", "1/4", max_denominator=20),
    st.fractions("1/2", "4/5", max_denominator=20),
    st.fractions("1/20", "1/4", max_denominator=30),
    st.sampled_from(["101/100", "21/20", "6/5"]),
    st.integers(0, 2**32),
)
def test_what_is_accepted_of_a_lozi_map_is_there(a: Fraction, b: Fraction, wide: Fraction, tall: Fraction, reach: str, seed: int) -> None:
    network = lozi(str(a), str(b))
    boxes: list[Box] = [([0, 0], [[wide, 0], [0, tall]])]
    whole = covering(network, boxes, [], "2")
    whole["paths"] = [strip(network, boxes, (0, 0, [f"{x}0"]), 1, reach=reach) for x in "01"]
    try:
        claim = graph(network, whole)
    except Rejected:
        return
    assert claim_is_true(network.as_json(), claim.as_json()) is not False
    rng = random.Random(seed)
    for length in (1, 2, 4, 7):
        assert follows(network, whole, loop(whole, rng, length))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fractions(-1, 1, max_denominator=16), min_size=9, max_size=9), st.integers(0, 2**32))
def test_what_is_accepted_of_a_mixed_map_is_there(weights: list[Fraction], seed: int) -> None:
    rows = [weights[i : i + 3] for i in (0, 3, 6)]
    slopes = [[f"{Fraction(5 if i == j == 0 else 0, 2) + x / 8}" for j, x in enumerate(row)] for i, row in enumerate(rows)]
    network = plrnn(slopes, [[-5, "1/16", 0], [0, "1/32", 0], [0, 0, "-1/64"]], [1, 0, 0])
    boxes: list[Box] = [([0, 0, 0], [["4/5", 0, 0], [0, "1/4", 0], [0, 0, "1/4"]])]
    paths: list[Path] = [(0, 0, [f"{x}{y}{z}"]) for x in "01" for y, z in [("0", "0") if seed % 2 else ("1", "1")]]
    whole = covering(network, boxes, paths, "2")
    whole["boxes"][0]["center"] = ["0", "-1/2" if seed % 2 else "1/2", "-1/2" if seed % 2 else "1/2"]
    moved: list[Box] = [(whole["boxes"][0]["center"], boxes[0][1])]
    whole["paths"] = [strip(network, moved, path, 1) for path in paths]
    try:
        graph(network, whole)
    except Rejected:
        return
    for length in (1, 2, 4):
        assert follows(network, whole, loop(whole, random.Random(seed), length))


def float_step(state: list[float]) -> list[float]:
    """Run SHEAR in floats."""
    x, y = state
    return [2 * (math.tanh(6 * x + 3) - math.tanh(6 * x - 3)) - 2 + y / 10, math.tanh(y) / 4 + x / 8]


def test_smooth_strips_lie_across_their_box() -> None:
    witness = known.shear_witness()
    graph(known.SHEAR, witness)
    rng = random.Random(3)
    for path in witness["paths"]:
        for _ in range(300):
            side, height = rng.choice([-1, 1]), rng.uniform(-17 / 16, 17 / 16)
            for y, outside in ((side, True), (rng.uniform(-1, 1), False)):
                eta = float(Fraction(path["offset"][0])) + y / 7
                image = float_step([0.7 * eta, height / 4])
                assert abs(image[1] / 0.25) < 1
                assert not outside or abs(image[0] / 0.7) > 1


def test_strips_with_words_keep_to_them_and_apart() -> None:
    network, witness, rng = known.STEEP, known.halves_witness(), random.Random(5)
    for path in witness["paths"]:
        offset, width, tilt, height = (row[0] for row in exact([path["offset"], *path["width"], *path["tilt"], [path["height"]]]))
        center, basis = exact([witness["boxes"][path["from"]]["center"]])[0], exact(witness["boxes"][path["from"]]["basis"])
        for _ in range(50):
            y, xi = (Fraction(rng.randint(-64, 64), 64) for _ in range(2))
            xi *= height
            local = [offset + tilt * xi + width * y, xi]
            state = Matrix.column([c + sum(b * x for b, x in zip(row, local, strict=True)) for c, row in zip(center, basis, strict=True)])
            for pattern in path["itinerary"]:
                image, (gates,) = network.trace(state)
                assert gates.signs()[0][0] == (1 if pattern[0] == "1" else -1)
                state = image


@pytest.mark.parametrize("name", EXACT)
def test_the_order_of_paths_does_not_matter(name: str) -> None:
    network, witness = EXACT[name]
    expected, rng = graph(network, witness), random.Random(1)
    for _ in range(4):
        paths = [*witness["paths"]]
        rng.shuffle(paths)
        assert graph(network, {**witness, "paths": paths}) == expected
    for number, path in enumerate(witness["paths"]):
        wrong = [f"{'0' if pattern[0] == '1' else '1'}{pattern[1:]}" for pattern in path["itinerary"]]
        for paths in ([*witness["paths"], {**path, "itinerary": wrong}], [{**path, "itinerary": wrong}, *witness["paths"]]):
            assert "theorem covering_graph, check 3" in letter(network, ("covering_graph", (), {**witness, "paths": paths})), number


def test_letters() -> None:
    law = "theorem covering_graph, check"
    good = known.line_witness()

    def told(**fields: object) -> str:
        return letter(known.LINE, ("covering_graph", (), {**good, **fields}))

    assert told(unstable=2) == rejected(1, f"{law} 1", "at most 1 unstable directions", "2")
    assert told(rate="1") == rejected(1, f"{law} 6", "a rate > 1", "1")
    assert told(weights=["1", "1"]) == rejected(1, f"{law} 6", "1 positive weights", "2")
    assert told(rate="3") == rejected(
        1, f"{law} 6", "the sum of r^-m v over the paths from box 1 at least its weight", "less", "a lower rate"
    )
    twice = "strips 1 and 3 of box 1 told apart by a letter at a common time or by a form"
    assert told(paths=[*good["paths"], good["paths"][0]]) == rejected(1, f"{law} 5", twice, "neither", "drop one of the two")
    across = "path 1: pre-activation of live hinge 1 at time 1 > 0 on the strip"
    wrong = known.changed(good, 0, itinerary=["1"])["paths"]
    remedy = "narrower strips or another itinerary"
    assert told(paths=wrong) == rejected(1, f"{law} 3", across, "a range that reaches 0 or beyond", remedy)


def test_statement_and_chaos() -> None:
    network, witness = known.PLANE, known.plane_witness()
    claim = graph(network, witness)
    assert claim == CoveringGraph(Fraction(2), 1, 1, 2)
    assert claim.statement() == (
        "F has a compact invariant set with topological entropy at least log(2) >= 0.693147 nats per step, and for every loop of the "
        "step's graph (1 box, 2 strips, 1 unstable direction) a periodic point that follows it"
    )
    chaos = prove(network, ("covering_graph", (), witness), ("entropy_gives_scrambling", (1,), {}))
    assert chaos.claims == (ScrambledSet(),)


def test_rounding_and_radii_prove_the_same() -> None:
    for bits in (12, 20, 64, 200):
        assert graph(known.PLANE, {**known.plane_witness(), "bits": bits}) == graph(known.PLANE, known.plane_witness())
    radii = [Fraction(1, 2**n) for n in range(2, 12)]
    holds = []
    for radius in radii:
        network = lozi("3", "1/4", f"~{radius}")
        try:
            graph(network, {**known.plane_witness(), "bits": 60})
        except Rejected:
            holds.append(False)
        else:
            holds.append(True)
    assert holds == sorted(holds)
    assert {True, False} == set(holds)


def test_a_strip_may_have_any_height_above_one() -> None:
    for height in ("1p400", "2", f"1/{10**30 - 1}"):
        word = known.changed(known.plane_witness(), 0, height=height)
        answer = letter(known.PLANE, ("covering_graph", (), word))
        assert answer.startswith("Rejected"), height
    barely = str(1 + Fraction(1, 2**60))
    paths = [{**path, "height": barely} for path in known.plane_witness()["paths"]]
    assert graph(known.PLANE, {**known.plane_witness(), "paths": paths}).rate == 2


@pytest.mark.parametrize(
    ("network", "witness", "expected"),
    [
        (
            known.LINE,
            {**known.line_witness(), "paths": [{**known.fold("", "1"), "itinerary": ["1"] * 300}]},
            "bits for paths over 256",
        ),
        (known.BUMP, {**known.bump_witness(), "bits": 2000, "paths": [known.smooth(steps=100_000)] * 3}, "products of short numbers"),
        (known.PLANE, {**known.plane_witness(), "forms": [[["1", "0"]] * 33]}, "at most 32 forms of 2 coefficients"),
        (
            known.LINE,
            {**known.line_witness(), "paths": [{**known.line_witness()["paths"][0], "itinerary": ["0"] * 3}]},
            "time 2 < 0 on the strip",
        ),
    ],
)
def test_what_asks_for_too_much_is_refused(network: Network, witness: dict, expected: str) -> None:
    assert expected in letter(network, ("covering_graph", (), witness))


def test_itineraries_share_their_beginnings() -> None:
    words = [[*head, *tail] for head in (["0"], ["1"]) for tail in (["0"], ["1"])]
    paths: list[Path] = [(0, 0, word) for word in words]
    whole = covering(known.LINE, known.LINE_BOX, paths, "2")
    assert graph(known.LINE, whole) == CoveringGraph(Fraction(2), 1, 1, 4)
    mixed = [whole["paths"][i] for i in (0, 2, 1, 3)]
    assert graph(known.LINE, {**whole, "paths": mixed}) == CoveringGraph(Fraction(2), 1, 1, 4)
    for (i, one), (j, two) in pairwise(enumerate(whole["paths"])):
        swapped = [
            {**path, "itinerary": {i: two, j: one}[k]["itinerary"]} if k in {i, j} else path for k, path in enumerate(whole["paths"])
        ]
        assert "check 3" in letter(known.LINE, ("covering_graph", (), {**whole, "paths": swapped}))


def test_open_hinges() -> None:
    tiny = known.opened(known.plane_witness())
    assert graph(known.TINY, {**tiny, "bits": 40}) == CoveringGraph(Fraction(2), 1, 1, 2)
    with pytest.raises((Rejected, Malformed)):
        facts(known.LINE, ("cycle", (), {"itinerary": ["?"], "points": [["2/7"]], "radius": "1p-4", "inverse": [["1"]]}))
