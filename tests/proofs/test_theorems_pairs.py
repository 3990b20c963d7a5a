"""E2: complex pairs, folds and flips along a line, against closed forms, float eigenvalues, and counts of fixed points on both sides."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proofs
from proofs.arithmetic import Matrix
from proofs.errors import Rejected
from proofs.network import MAX_OPERATIONS, Network, Operation
from proofs.parameters import ComplexPair, Line, SmoothFold
from proofs.theorems.smooth_family import tangent_network
from tests.corpus import pairs as corpus
from tests.corpus.parts import affine, hinges, middles, spell

ZERO, ONE = Fraction(0), Fraction(1)
CHECKED = {
    "complex_pair": {
        "circle-not-in-the-range": 6,
        "only-one-end-beyond": 6,
        "range-inside-out": 1,
        "radius-too-large": 4,
        "radius-too-small": 4,
        "basis-of-rank-one": 4,
        "inverse-of-the-cycle-zero": 2,
        "word-a-power": 1,
        "cycle-not-admissible": 3,
        "multipliers-real": 5,
        "on-the-circle-all-along": 6,
        "speed-not-proved": 7,
    },
    "smooth_fold": {
        "mu-beyond-the-line": 1,
        "radius-too-large": 5,
        "residual-too-large": 3,
        "fold-called-a-flip": 2,
        "hyperbolic": 3,
        "pitchfork": 2,
        "period-one-as-a-2-cycle": 6,
        "flip-as-a-2-cycle": 2,
        "double-multiplier-1": 5,
        "double-multiplier-minus-1": 5,
        "flip-at-a-fold": 5,
        "nothing-moves": 2,
        "bend-not-proved": 4,
    },
}


def proved(theorem: str, ends: corpus.Ends, witness: corpus.Witness) -> ComplexPair | SmoothFold:
    """Return the claim of one case on the line from mu = 0 to 1."""
    claim = corpus.lined(ends).good(theorem, witness, 1)
    assert isinstance(claim, ComplexPair | SmoothFold)
    return claim


@pytest.mark.parametrize(("name", "ends", "witness"), list(corpus.pairs()), ids=lambda part: part if isinstance(part, str) else "")
def test_pairs_cross_the_circle_the_way_that_is_claimed(name: str, ends: corpus.Ends, witness: corpus.Witness) -> None:
    claim = proved("complex_pair", ends, witness)
    assert isinstance(claim, ComplexPair)
    low, high = (corpus.modulus_of(corpus.whole(corpus.at(ends, mu), claim.itinerary)) for mu in (claim.low, claim.high))
    assert (low < 1.0 < high) == (claim.crossing == "outward")
    assert (high < 1.0 < low) == (claim.crossing == "inward")
    assert ("inside for mu > mu*" in claim.statement()) == (name == "toy-backwards")


def test_the_toy_crosses_where_its_determinant_is_one() -> None:
    (ends, mu), wide = corpus.by_second(), {name: witness for name, _, witness in corpus.pairs()}["toy-wide"]
    claim = proved("complex_pair", ends, wide)
    assert claim.low < mu < claim.high
    assert mu * corpus.FIRST == Fraction("0.6619990625")
    assert isinstance(claim, ComplexPair)
    assert claim.trace[0] < mu + corpus.FIRST < claim.trace[1]


@pytest.mark.parametrize("theorem", CHECKED)
def test_each_check_refuses(theorem: str) -> None:
    seen = {}
    for name, content in corpus.rejected_pairs():
        if name.removeprefix(f"{theorem}-") in CHECKED[theorem] and name.startswith(theorem):
            with pytest.raises(Rejected) as failure:
                proofs.check(content)
            seen[name.removeprefix(f"{theorem}-")] = failure.value.law
    assert seen == {name: f"theorem {theorem}, check {number}" for name, number in CHECKED[theorem].items()}


def test_attacks_are_refused_and_bad_files_are_malformed() -> None:
    for cases, answer in ((corpus.rejected_pairs(), proofs.Rejected), (corpus.malformed_pairs(), proofs.Malformed)):
        for name, content in cases:
            with pytest.raises(answer):
                pytest.fail(f"{name}: {proofs.check(content)}")
    for _, content in corpus.accepted_pairs():
        assert proofs.check(content)


def zeros(values: np.ndarray) -> int:
    """Count the changes of sign."""
    return int(np.count_nonzero(np.diff(np.sign(values))))


@settings(max_examples=15, deadline=None)
@given(st.fractions(Fraction(6, 5), 4, max_denominator=10), st.booleans())
def test_folds_of_one_tanh(weight: Fraction, mirrored: bool) -> None:
    z = math.sqrt(1 - 1 / float(weight)) * (-1 if mirrored else 1)
    bias = math.atanh(z) - float(weight) * z
    low = Fraction(round(bias * 8) - 4, 8)
    ends = corpus.steep(str(weight), str(low)), corpus.steep(str(weight), str(low + 1))
    claim = proved("smooth_fold", ends, corpus.fold_witness(ends, [[z]], [[1]], bias - float(low), "1p-20"))
    assert isinstance(claim, SmoothFold)
    assert claim.low < Fraction(bias) - low < claim.high
    grid = np.linspace(-1.0, 1.0, 200_001)
    before, after = (zeros(np.tanh(float(weight) * grid + bias + shift) - grid) for shift in (-0.01, 0.01))
    assert after - before == (2 if claim.side == "after" else -2)


@settings(max_examples=15, deadline=None)
@given(st.fractions(Fraction(-9, 10), Fraction(9, 10), max_denominator=20))
def test_flips_of_one_tanh(z: Fraction) -> None:
    place = -1 / (1 - float(z) ** 2)  # tanh(w z + b) with b = artanh z - w z fixed at the flip
    bias = Fraction(round((math.atanh(z) - place * float(z)) * 2**40), 2**40)
    ends = corpus.steep(0, str(bias)), corpus.steep(-8, str(bias))
    claim = proved("smooth_fold", ends, corpus.fold_witness(ends, [[float(z)]], [[1]], -place / 8, "1p-20", twist=-1))
    assert isinstance(claim, SmoothFold)
    assert claim.low < Fraction(-place / 8) < claim.high
    slopes = []
    for share in (-place / 8 - 1e-3, -place / 8 + 1e-3):
        low, high = -1.0, 1.0  # tanh(w x + b) - x falls: bisection
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if math.tanh(-8 * share * middle + float(bias)) > middle else (low, middle)
        slopes.append(-8 * share * (1 - low * low))
    assert (slopes[1] < -1.0 < slopes[0]) == (claim.side == "after")
    assert (slopes[0] < -1.0 < slopes[1]) == (claim.side == "before")


def cubic(values: list[Fraction]) -> Network:
    """Return a polynomial map of the plane whose matrices hold these numbers: products of products, and a sum."""
    a, b, c = ([spell(values[i : i + 2]), spell(values[i + 2 : i + 4])] for i in (0, 4, 8))
    parts = (
        affine(spell(values[12:14]), (a, 0)),
        Operation("mul", (1, 0)),
        affine([0, 1], (b, 2), (c, 0)),
        Operation("mul", (3, 1)),
        Operation("add", (4, 3)),
    )
    return Network(2, parts)


eighths = st.integers(-16, 16).map(lambda value: Fraction(value, 8))


@settings(max_examples=20, deadline=None)
@given(st.lists(eighths, min_size=28, max_size=28), st.lists(eighths, min_size=5, max_size=5))
def test_the_tangent_program_is_exact_on_polynomials(weights: list[Fraction], place: list[Fraction]) -> None:
    ends, mu = (cubic(weights[:14]), cubic(weights[14:])), place[4]
    tangent = tangent_network(ends[0], Line(ends[1], (ZERO, ONE)))
    v, z = (Matrix.column(place[i : i + 2]) for i in (0, 2))
    image = tangent.image(Matrix.column(place))
    here = corpus.at(ends, mu)
    assert image.is_exact
    expected = middles(Matrix.stacked([here.jacobian(z) @ v, here.image(z), Matrix.column([mu])]))
    assert middles(image) == expected


@pytest.mark.parametrize("name", ["gated", "tanh"])
def test_the_tangent_program_of_curves_is_tight(name: str) -> None:
    ends = (corpus.gated(-1), corpus.gated(1)) if name == "gated" else (corpus.steep(2, -1), corpus.steep(3, 1))
    tangent = tangent_network(ends[0], Line(ends[1], (Fraction(-3), Fraction(5))))
    v, z, mu = Fraction(3, 7), Fraction(-2, 5), Fraction(1, 3)
    image = tangent.image(Matrix.column([v, z, mu]), 90)
    here = corpus.at(ends, (mu + 3) / 8)
    for row, expected in enumerate((here.jacobian(Matrix.column([z]), 90) @ Matrix.column([v]), here.image(Matrix.column([z]), 90))):
        one, two = image.interval(row), expected.interval(0)
        assert one.lo <= two.hi
        assert two.lo <= one.hi
        assert max(one.hi, two.hi) - min(one.lo, two.lo) < Fraction(1, 2**70)


def test_programs_without_a_tangent_are_refused() -> None:
    broken = hinges([1], [0], ["1/2"], 1)
    with pytest.raises(Rejected, match="an operation relu"):
        tangent_network(broken, Line(broken, (ZERO, ONE)))
    long = Network(1, tuple(Operation("tanh", (i,)) for i in range(MAX_OPERATIONS // 3)))
    with pytest.raises(Rejected, match=f"at most {MAX_OPERATIONS} operations"):
        tangent_network(long, Line(long, (ZERO, ONE)))


def test_a_still_weight_costs_no_operation() -> None:
    still, moving = corpus.steep(2, 0), corpus.steep(2, 1)
    lengths = [len(tangent_network(still, Line(end, (ZERO, ONE))).program) for end in (still, moving)]
    assert lengths == [12, 16]


def test_statements_say_the_side() -> None:
    claims = {name: proved("smooth_fold", ends, witness) for name, ends, witness in corpus.folds()}
    assert "a quadratic fold. For each mu > mu* close to mu* exactly two cycles" in claims["quadratic"].statement()
    assert "below -1 for mu > mu*" in claims["quadratic-flip"].statement()
    assert "cycles of least period 4" in claims["two-cycle-flip"].statement()
    assert claims["quadratic"].as_json()["side"] == "after"
