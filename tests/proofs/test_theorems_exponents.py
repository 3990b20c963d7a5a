"""D1b and D3 to D6: what the kernel concludes of exponents, against exact linear algebra, brute force and orbits."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Rejected
from proofs.exponents import DrivenContraction, DrivenExponents, MarkovExponent, VolumeBounds
from proofs.network import Network, Operation
from proofs.space import ExponentBounds
from proofs.theorems.boxes import Tree
from proofs.theorems.determinant import absolute_determinant
from tests.corpus import exponents as corpus
from tests.corpus.parts import Case, affine, lozi, spell, tanh_net, tent
from tests.laws.strategies import small

HALF = Fraction(1, 2)


def broken_line(values: list[int]) -> Network:
    """Return the network whose F takes the values values[i] / n at i / n, n + 1 of them, and is affine in between."""
    n = len(values) - 1
    slopes = [two - one for one, two in pairwise(values)]
    bends = [slopes[0], *(two - one for one, two in pairwise(slopes))]
    biases = [Fraction(-i, n) for i in range(n)]
    return Network(
        1, (affine(spell(biases), ([["1"]] * n, 0)), Operation("relu", (1,)), affine(spell([Fraction(values[0], n)]), ([spell(bends)], 2)))
    )


def stationary(values: list[int]) -> list[Fraction] | None:
    """Return the invariant density of a broken line if it is unique and positive, by exact elimination."""
    n = len(values) - 1
    rows = [[fmpq(0)] * n for _ in range(n)]
    for i, (one, two) in enumerate(pairwise(values)):
        for j in range(min(one, two), max(one, two)):
            rows[j][i] += fmpq(1, abs(two - one))
    system = fmpq_mat(n, n, [rows[i][j] - (i == j) for i in range(n) for j in range(n)])
    reduced, rank = system.rref()
    if rank != n - 1:
        return None
    free = next(j for j in range(n) if all(reduced[i, j] != 1 or any(reduced[i, k] for k in range(j)) for i in range(n)))
    density = [fmpq(1) if j == free else fmpq(0) for j in range(n)]
    for i in range(rank):
        lead = next(j for j in range(n) if reduced[i, j])
        density[lead] = -reduced[i, free]
    return [Fraction(int(x.p), int(x.q)) for x in density] if all(x > 0 for x in density) else None


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6).flatmap(lambda n: st.lists(st.integers(0, n), min_size=n + 1, max_size=n + 1)))
def test_markov_maps_have_the_exponent_of_their_chain(values: list[int]) -> None:
    assume(all(one != two for one, two in pairwise(values)))
    n = len(values) - 1
    density = stationary(values)
    ends = [spell([Fraction(i, n), Fraction(i + 1, n)]) for i in range(n)]
    witness = {"max_knots": 64, "ends": ends, "density": spell(density or [1] * n)}
    if density is None:
        with pytest.raises(Rejected):
            Case(broken_line(values)).good("markov_exponent", witness)
        return
    claim = Case(broken_line(values)).good("markov_exponent", witness)
    assert isinstance(claim, MarkovExponent)
    slopes = [abs(two - one) for one, two in pairwise(values)]
    expected = sum(float(d) * math.log(s) for d, s in zip(density, slopes, strict=True)) / float(sum(density))
    value = claim.enclosure()
    assert float(value.lo) - 1e-12 <= expected <= float(value.hi) + 1e-12
    assert value.hi - value.lo < Fraction(1, 2**50)
    assert sum(claim.weights) == 1


def test_a_network_of_rank_one_is_its_line() -> None:
    line, plane = (Case(net).good("markov_exponent", corpus.TENTS) for net in (tent(), corpus.THIN))
    assert isinstance(line, MarkovExponent)
    assert isinstance(plane, MarkovExponent)
    assert (line.slopes, line.weights) == (plane.slopes, plane.weights) == ((Fraction(2),), (Fraction(1),))
    assert list(map(int, plane.form)) == [2, -4]
    assert "-infinity" in plane.statement()
    assert "-infinity" not in line.statement()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(small, min_size=n, max_size=n), min_size=n, max_size=n)))
def test_determinants(rows: list[list[Fraction]]) -> None:
    n = len(rows)
    exact = fmpq_mat(n, n, [fmpq(x.numerator, x.denominator) for row in rows for x in row]).det()
    expected = abs(Fraction(int(exact.p), int(exact.q)))
    assert absolute_determinant(Matrix.exact(rows), 64) == Interval(expected, expected)
    wide = absolute_determinant(Matrix.exact(rows).widened(Fraction(1, 2**40)), 64)
    assert wide is None or wide.lo <= expected <= wide.hi
    assert wide is not None or expected < 1


def test_volumes_of_known_maps() -> None:
    for network, witness, low, high in (
        (lozi(), {"bits": 64}, HALF, HALF),
        (corpus.HENON, {"bits": 64, "low": ["-10", "-10"], "high": ["10", "10"]}, Fraction(3, 10), Fraction(3, 10)),
        (corpus.THIN, {"bits": 64}, Fraction(0), Fraction(0)),
    ):
        claim = Case(network).good("volume", witness)
        assert isinstance(claim, VolumeBounds)
        assert claim.lower <= low <= high <= claim.upper <= high + Fraction(1, 2**60)
    assert Case(corpus.THIN).good("volume", {"bits": 8}).rank == 1  # type: ignore[attr-defined]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.fractions(-1, 1, max_denominator=8), min_size=3, max_size=3))
def test_the_volume_of_a_tanh_net_holds_at_every_point_of_its_box(point: list[Fraction]) -> None:
    claim = Case(corpus.THREE).good("volume", {"bits": 64, "low": ["-1"] * 3, "high": ["1"] * 3})
    assert isinstance(claim, VolumeBounds)
    rows = [[-4, 2, -4], [-4, -4, 2], [0, -4, -4]]
    slopes = [1 - math.tanh(sum(w * float(x) for w, x in zip(row, point, strict=True))) ** 2 for row in rows]
    determinant = abs(fmpq_mat(3, 3, [fmpq(x) for row in rows for x in row]).det())
    value = math.prod(slopes) * float(int(determinant.p))
    assert float(claim.lower) * (1 - 1e-9) <= value <= float(claim.upper) * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.fractions(0, 1, max_denominator=16)), max_size=8),
    st.lists(st.fractions(0, 1), min_size=2, max_size=2),
)
def test_the_leaves_cover_the_box_and_are_found(cuts: list[tuple[int, Fraction]], point: list[Fraction]) -> None:
    tree, leaves = grown(cuts)
    met = set(tree.meeting([Interval(x, x) for x in point]))
    inside = {i for i, sides in enumerate(leaves) if all(low <= x <= high for (low, high), x in zip(sides, point, strict=True))}
    assert met == inside != set()


def grown(cuts: list[tuple[int, Fraction]]) -> tuple[Tree, list[list[tuple[Fraction, Fraction]]]]:
    """Cut the unit square where the cuts, one after another in preorder, lie inside what is left."""
    rest, leaves = list(cuts), list[list[tuple[Fraction, Fraction]]]()

    def grow(sides: list[tuple[Fraction, Fraction]]) -> Tree:
        if rest and sides[rest[0][0]][0] < rest[0][1] < sides[rest[0][0]][1]:
            axis, cut = rest.pop(0)
            low, high = sides[axis]
            lower = grow([*sides[:axis], (low, cut), *sides[axis + 1 :]])
            return Tree(-1, axis, cut, lower, grow([*sides[:axis], (cut, high), *sides[axis + 1 :]]))
        leaves.append(sides)
        return Tree(len(leaves) - 1)

    return grow([(Fraction(0), Fraction(1))] * 2), leaves


def test_bounds_of_a_mean_speak_of_the_box() -> None:
    case = Case(tanh_net([["1/2"]], [0]))
    claim = case.good("cycle_mean", {"low": ["-1"], "high": ["1"], "cuts": [None], "bits": 40, "upper": corpus.same("51/100", 1)})
    assert isinstance(claim, ExponentBounds)
    assert (claim.lower, claim.upper) == (None, Fraction(51, 100))
    assert claim.inside is not None


def test_inputs_are_spelled_in_the_claim() -> None:
    witness = corpus.inputs(symbols=[corpus.LOUD, corpus.QUIET], **corpus.PLANE, upper=corpus.same("4/5", 1, corpus.ROUND))
    claim = Case(corpus.DRIVEN).good("driven_graph", witness)
    assert isinstance(claim, DrivenExponents)
    assert claim.symbols == (((1, ("1p-2", "0")),), ((1, ("0", "0~1p-4")),))
    assert claim.edges == ((0, 0, 0), (0, 1, 0))


def test_a_bound_that_is_no_contraction_says_nothing_of_approach() -> None:
    assert "approach" in DrivenContraction(HALF).statement()
    assert "approach" not in DrivenContraction(Fraction(2)).statement()
