"""B6, C1 (ii), C2 and D1: what the kernel concludes of regions and exponents, against orbits, cycles and brute force."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.claims import Contraction, ExponentUpper
from proofs.errors import Rejected
from proofs.network import Network
from proofs.space import ExponentBounds, SnapBackRepeller, TrappingBox, TrappingEllipsoid, TrappingPolytope
from proofs.theorems.elimination import dependency, inverse, rank
from proofs.theorems.lifted import live_hinges
from proofs.theorems.parts import ForbiddenWords
from proofs.theorems.sectors import Sectors, embedded, sectors
from tests.corpus import region_attacks, regions, repellers
from tests.corpus.farkas import polytope
from tests.corpus.parts import Case, along, lozi, plrnn, regular, tanh_net, tent
from tests.corpus.strips import Exact, exact
from tests.laws.strategies import networks, small
from tests.proofs.workbench import facts, letter, rejected
from tests.second.checker import claim_is_true

UNIT = [["1", "0"], ["0", "1"]]
SLACK = 0.03


class Plain:
    """A step that asks nothing."""

    def __init__(self, network: Network) -> None:
        """Hold a network."""
        self.network = network

    def require(self, _check: int, holds: bool, *_told: object) -> None:
        """Refuse in the test."""
        assert holds


def values(matrix: Matrix, state: list[Fraction]) -> list[Fraction]:
    """Return rows times a state."""
    image = matrix @ Matrix.column(state)
    return [image.middle(i) for i in range(len(image.mid))]


def freed(network: Network) -> Sectors:
    """Return the sector form."""
    return sectors(Plain(network), 3)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(networks(), st.lists(small, min_size=6, max_size=6), st.lists(st.fractions(0, 3, max_denominator=4), min_size=40, max_size=40))
def test_sector_rows_and_their_form_say_what_the_network_does(network: Network, ends: list[Fraction], weights: list[Fraction]) -> None:
    size = network.dimension
    sector = freed(network)
    multipliers = tuple(weights[: len(sector.limits)])
    form = Matrix.exact([[Fraction(1 + i if i == j else 0) for j in range(size)] for i in range(size)])
    pairs: list[tuple[list[Fraction], list[Fraction], list[Fraction]]] = []
    for state in (ends[:size], ends[3 : 3 + size]):
        gates = [gate.middle(i) for gate in network.trace(Matrix.column(state))[1] for i in range(len(gate.mid))]
        outputs = [max(Fraction(0), gate) for gate in gates]
        assert values(sector.image, [*state, *outputs, Fraction(1)]) == values(network.image(Matrix.column(state)), [Fraction(1)])
        if gates:
            assert values(sector.inputs, [*state, *outputs, Fraction(1)]) == gates
        pairs.append((state, outputs, gates))
    moves = [[a - b for a, b in zip(one, two, strict=True)] for one, two in zip(*pairs, strict=True)]
    base = embedded(form.times(Fraction(2)), size + len(multipliers), Fraction(0))
    gap = sector.gap(base, form, multipliers)
    images = [values(network.image(Matrix.column(state)), [Fraction(1)]) for state, _, _ in pairs]
    after = [a - b for a, b in zip(*images, strict=True)]
    expected = sum((2 * (1 + i) * d * d for i, d in enumerate(moves[0])), Fraction(0))
    expected -= sum(((1 + i) * d * d for i, d in enumerate(after)), Fraction(0))
    sides = [x * (a - x) for x, a in zip(moves[1], moves[2], strict=True)]
    assert all(side >= 0 for side in sides)
    expected -= sum((2 * weight * side for weight, side in zip(multipliers, sides, strict=True)), Fraction(0))
    assert square(gap, [*moves[0], *moves[1]]) == expected
    assert gap.mid == gap.transposed().mid
    around = sector.at(Matrix.column(ends[:size]))
    local = [Fraction(0)] * size
    here = values(around.image, [*local, *pairs[0][1], Fraction(1)])
    assert here == [a - b for a, b in zip(images[0], ends[:size], strict=True)]


def square(form: Matrix, state: list[Fraction]) -> Fraction:
    """Return v' form v."""
    return sum((a * b for a, b in zip(state, values(form, state), strict=True)), Fraction(0))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4), st.lists(st.fractions(-3, 3, max_denominator=6) | st.just(Fraction(0)), min_size=16, max_size=16))
def test_inverse_rank_and_dependency(size: int, entries: list[Fraction]) -> None:
    rows = [entries[4 * i : 4 * i + size] for i in range(size)]
    table = fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in rows])
    matrix = Matrix.exact(rows)
    found = inverse(matrix)
    assert (found is None) == (table.det() == 0)
    assert rank(matrix.mid) == table.rank()
    if found is not None:
        assert (found @ matrix) == Matrix.identity(size)
        assert found.den > 0
    multipliers = dependency(matrix.mid)
    assert (multipliers is None) == (table.rank() != size - 1)
    if multipliers is not None:
        assert any(multipliers)
        assert not any(sum(m * row[j] for m, row in zip(multipliers, matrix.mid, strict=True)) for j in range(size))


@settings(max_examples=50, deadline=None)
@given(networks(), st.lists(small, min_size=3, max_size=3), st.integers(0, 2**12))
def test_pieces_with_open_hinges_hold_every_point(network: Network, ends: list[Fraction], chosen: int) -> None:
    state = ends[: network.dimension]
    image, gates = network.trace(Matrix.column(state))
    signs = [sign for gate in gates for sign, _ in gate.signs()]
    pattern = "".join("?" if chosen >> (i % 12) & 1 else "1" if sign >= 0 else "0" for i, sign in enumerate(signs))
    piece = network.piece(pattern, "01?")
    outer = piece.image(Matrix.column(state))
    assert all(outer.interval(i).lo <= image.middle(i) <= outer.interval(i).hi for i in range(len(state)))
    flat = [gate.middle(i) for gate in gates for i in range(len(gate.mid))]
    if flat:
        around = piece.gates @ Matrix.column(state) + piece.gate_offsets
        assert all(around.interval(i).lo <= value <= around.interval(i).hi for i, value in enumerate(flat))


def frame(size: int, low: Fraction, high: Fraction) -> list[list[str]]:
    """Return the facets of a box."""
    units = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    return [[str(side * x) for x in unit] + [str(-low if side == 1 else high)] for unit in units for side in (1, -1)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.fractions(-1, 1, max_denominator=4), min_size=10, max_size=10), st.integers(1, 2), st.fractions("1/2", 2, max_denominator=4)
)
def test_a_polytope_traps_exactly_if_brute_force_says_so(weights: list[Fraction], size: int, radius: Fraction) -> None:
    rows = [weights[4 * i : 4 * i + 4] for i in range(size)]
    network = plrnn([row[:size] for row in rows], [row[2 : 2 + size] for row in rows], weights[8 : 8 + size])
    facets = frame(size, -radius, radius)
    claim = TrappingPolytope(tuple(map(tuple, exact(facets))))
    try:
        witness = polytope(network, facets, [0] * size)
    except ValueError:
        assert claim_is_true(network.as_json(), claim.as_json()) is False
        return
    assert facts(network, ("trapping", (), witness)) == [claim]
    assert claim_is_true(network.as_json(), claim.as_json()) is True
    for corner in ([radius] * size, [-radius] * size, [radius, -radius][:size]):
        assert all(abs(x) <= radius for x in values(network.image(Matrix.column(corner)), [Fraction(1)]))


def test_regions() -> None:
    assert facts(regions.LOW, ("trapping", (), regions.box(["-2"], ["2"]))) == [TrappingBox((Fraction(-2),), (Fraction(2),))]
    claim = facts(regions.CURVED, ("trapping", (), region_attacks.GOOD))[0]
    assert isinstance(claim, TrappingEllipsoid)
    assert claim.statement() == "F maps a stated compact ellipsoid around z = (0, 0) into itself"
    rng = random.Random(2)
    for _ in range(200):
        way = [Fraction(rng.randint(-99, 99), 99) for _ in range(2)]
        state = [2 * x for x in way]
        assert sum((x * x for x in state), Fraction(0)) <= 8
        image = regions.CURVED.image(Matrix.column(state), 60)
        assert sum(entry.magnitude**2 for entry in image.entries()) / 8 <= 1


def contracting(network: Network, witness: dict) -> None:
    """Check that pairs of points come together in the norm of the form, at least at the stated rate."""
    rate, form = Fraction(witness["rate"]), Matrix.exact(exact(witness["form"]))
    rng = random.Random(4)
    for _ in range(100):
        states = [[Fraction(rng.randint(-300, 300), 100) for _ in range(network.dimension)] for _ in range(2)]
        moved = Matrix.column([a - b for a, b in zip(*states, strict=True)])
        one, two = (network.image(Matrix.column(state), 60) for state in states)
        after = (one - two).transposed() @ form @ (one - two)
        before = moved.transposed() @ form @ moved
        assert after.interval(0).lo <= rate * rate * before.middle(0)


def test_contractions_by_a_form() -> None:
    good = repellers.pinched(UNIT, ["9/25", "9/25"], "3/5")
    assert facts(repellers.TWISTED, ("contraction", (), good)) == [Contraction(Fraction(3, 5))]
    contracting(repellers.TWISTED, good)
    soft = repellers.pinched([["1"]], ["10"], "4/5")
    contracting(tanh_net([["3"]], [0], "sigmoid"), soft)
    layers = repellers.pinched([["1"]], ["1/8", "1/8", "1/8"], "4/5")
    contracting(regions.STACKED, layers)
    steep = tanh_net([["3"]], [0])
    assert facts(steep, ("contraction", (), repellers.pinched([["1"]], ["10"], "31/10"))) == [ExponentUpper(Fraction(31, 10))]
    law = "theorem contraction, check 3"
    expected, remedy = "the quadratic form positive definite", "a larger rate or more slack"
    answer = letter(steep, ("contraction", (), repellers.pinched([["1"]], ["10"], "3")))
    assert answer == rejected(1, law, expected, "not proved", remedy)


def test_a_repeller_and_its_orbit() -> None:
    for network, witness in ((tent(), repellers.tent_return()), (repellers.DENT, repellers.dent_return())):
        claim = facts(network, ("snap_back_repeller", (), witness))[0]
        assert isinstance(claim, SnapBackRepeller)
        state, point = Matrix.column(exact([witness["start"]])[0]), Matrix.column(claim.point)
        assert network.image(point) == point
        for _ in range(claim.steps):
            assert network.pattern(state) is not None
            assert state != point
            state = network.image(state)
        assert state == point
        assert claim_is_true(network.as_json(), claim.as_json()) is True
    told = facts(tent(), ("snap_back_repeller", (), repellers.tent_return()))[0].statement()
    assert told.startswith(
        "F has a snap-back repeller at z = (2/3) (a point near it is mapped onto it after 3 steps): there is n such that"
    )


@settings(max_examples=40, deadline=None)
@given(
    st.fractions("17/8", 3, max_denominator=16),
    st.fractions("-1/4", "1/4", max_denominator=16),
    st.fractions("1/64", 1, max_denominator=64),
)
def test_repellers_of_a_dented_plane(slope: Fraction, skew: Fraction, level: Fraction) -> None:
    network = plrnn([[slope, skew], [skew, slope]], [[-2 * slope, 0], [0, -2 * slope]], [1, 1])
    if not regular(network, ["11"]):
        return
    witness = repellers.homoclinic(network, ["11", "11", "00"], "11", UNIT, str(level))
    try:
        claim = facts(network, ("snap_back_repeller", (), witness))[0]
    except Rejected:
        return
    assert claim_is_true(network.as_json(), claim.as_json()) is True


@pytest.mark.parametrize("name", ["lozi", "frame", "tent"])
def test_exponents_of_orbits_and_cycles_lie_between_the_bounds(name: str) -> None:
    case = {"lozi": Case(regions.BENT), "frame": regions.framed(), "tent": regions.inner_tent()}[name]
    network, cites = case.network, () if name == "lozi" else (2,)
    forms = {"lozi": (["0", "1"], regions.SADDLE, "11/10", regions.ROUND, "2")}
    forms["tent"] = (["10", "11"], [["1"]], "1499/1000", [["1"]], "1501/1000")
    forms["frame"] = ([f"{i:03b}" for i in range(8) if i != 4], [["1", "0"], ["0", "-8"]], "3/4", regions.ROUND, "7/4")
    nodes, lower, low, upper, high = forms[name]
    memory = 3 if name == "frame" else 1
    sides = {"lower": regions.bound(nodes, lower, low), "upper": regions.bound(nodes, upper, high)}
    claim = case.good("exponent_bounds", {"memory": memory, "bits": 60, **sides}, *cites)
    assert isinstance(claim, ExponentBounds)
    assert claim.lower is not None
    assert claim.upper is not None
    rng, size = random.Random(7), network.dimension
    for _ in range(10):
        state = [Fraction(rng.randint(40, 70) if name == "tent" else rng.randint(-30, 30), 100) for _ in range(size)]
        rate = growth(network, state, 150)
        assert float(claim.lower) * (1 - SLACK) <= rate <= float(claim.upper) * (1 + SLACK)
    assert claim_is_true(network.as_json(), claim.as_json()) is not False


def growth(network: Network, state: list[Fraction], times: int) -> float:
    """Return |J_(t-1)..J_0|^(1/t), largest entries, the states rounded."""
    size = network.dimension
    total: Exact = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    scale = 1.0
    for _ in range(times):
        here = Matrix.column(state)
        signs = [sign for gate in network.trace(here)[1] for sign, _ in gate.signs()]
        slope = network.piece("".join("1" if sign >= 0 else "0" for sign in signs)).jacobian
        total = [[sum((slope.middle(i, k) * total[k][j] for k in range(size)), Fraction(0)) for j in range(size)] for i in range(size)]
        top = max(abs(x) for row in total for x in row)
        scale *= float(top) ** (1 / times)
        total = [[Fraction(round(x / top * 2**60), 2**60) for x in row] for row in total]
        image = network.image(here)
        state = [Fraction(round(image.middle(i) * 2**80), 2**80) for i in range(size)]
    return scale


def test_a_word_excluded_half_open_only_is_no_word_of_exponents() -> None:
    case = Case(tent())
    case.good("trapping", polytope(tent(), regions.UNIT, ["1/2"]))
    claim = case.good("forbidden_words", {"words": [["0", -1, 0]]}, 1)
    assert isinstance(claim, ForbiddenWords)
    assert (claim.words, claim.closed, claim.inside) == (frozenset({"0"}), frozenset(), case.facts[0])
    assert claim.statement() == "No orbit of F in the trapping region follows any of 1 stated words"
    whole = {"memory": 1, "bits": 40, "upper": regions.bound(["00", "01", "10", "11"], [["1"]], "4001/1000")}
    bounds = case.good("exponent_bounds", whole, 2)
    assert isinstance(bounds, ExponentBounds)
    assert bounds.inside == case.facts[0]
    assert bounds.statement().startswith(
        "The largest Lyapunov exponent of every orbit of F in the stated trapping region, log |DF^t| / t as t grows, has lim sup at most "
    )


def test_words_cut_short_in_long_memories() -> None:
    network = regions.HALVING
    assert len(live_hinges(network)) == 2
    case = Case(network)
    case.good("trapping", regions.box(["0", "0"], ["3", "3"]))
    low = [["0", -1, 0], ["10", -3, 1]]
    touching = case.good("forbidden_words", {"words": low}, 1)
    assert isinstance(touching, ForbiddenWords)
    assert touching.closed == frozenset()
    inner = facts(network, ("trapping", (), regions.box(["1", "1/2"], ["3", "3"])), ("forbidden_words", (1,), {"words": low}))[1]
    assert isinstance(inner, ForbiddenWords)
    assert inner.closed == frozenset({"0", "10"})
    steps = [("trapping", (), regions.box(["1", "1/2"], ["3", "3"])), ("forbidden_words", (1,), {"words": low})]
    whole = {"memory": 3, "bits": 40, "upper": regions.bound(["111111"], UNIT, "51/100")}
    assert facts(network, *steps, ("exponent_bounds", (2,), whole))[-1] == ExponentBounds(None, Fraction(51, 100), inner.inside)


@pytest.mark.parametrize("size", [12, 13])
def test_many_hinges_are_refused_soon(size: int) -> None:
    network = plrnn([["1/2"] * size] * size, [["1/8"] * size] * size, [0] * size)
    whole = {"memory": 1, "bits": 40, "upper": regions.bound(["0"], [["1"]], "2")}
    assert letter(network, ("exponent_bounds", (), whole)).startswith("Rejected at step 1, theorem exponent_bounds, check 1")


def test_cycles_respect_bounds() -> None:
    network = lozi("7/5", "1/4")
    for word in (["1"], ["0"], ["0", "1"], ["0", "1", "1"], ["0", "0", "1"]):
        slopes = along(network, [f"{letter}0" for letter in word])[0]
        product = fmpq_mat([[fmpq(int(i == j)) for j in range(2)] for i in range(2)])
        for slope in slopes:
            product = fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in slope]) * product
        top = max(abs(complex(root)) for root in eigenvalues(product))
        assert 1.1 <= top ** (1 / len(word)) <= 2


def eigenvalues(matrix: fmpq_mat) -> list[complex]:
    """Return the two eigenvalues of a 2 x 2 matrix."""
    trace, det = float(Fraction(str(matrix[0, 0] + matrix[1, 1]))), float(Fraction(str(matrix.det())))
    root = complex(trace * trace - 4 * det) ** 0.5
    return [(trace + root) / 2, (trace - root) / 2]
