"""Every claim's sentence, and the direction in which its numbers are rounded."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from proofs import claims
from proofs.claims import (
    AllCycles,
    BallCycle,
    Claim,
    Contraction,
    Cycle,
    CycleCounts,
    EntropyLower,
    EntropyUpper,
    ExactCycle,
    ExponentUpper,
    ForcedPeriods,
    LiYorke,
    MultiplierModuli,
    NoOddPeriod,
    OddPeriod,
    OnePoint,
    Order,
    Pieces,
    ScrambledSet,
    Stability,
    entropy_bound,
)
from proofs.grammar import read_number
from proofs.wording import span_text

ZERO, ONE, THIRD = Fraction(0), Fraction(1), Fraction(1, 3)
POINT = ExactCycle(((ZERO, THIRD, ONE, ONE),))
HUGE = Fraction((1 << 20_000) + 1, 3)
ONLY_ORBIT = "no other cycle has its itinerary, and it touches no border"
ONLY_PASSING = "it is the only one passing through the 2 stated balls in order"
ORDER = "3, 5, 7, ..., 6, 10, 14, ..., 12, 20, 28, ..., 8, 4, 2, 1"
EXPONENTS = "each Lyapunov exponent of each orbit"
NO_PAIR = "no two bounded orbits form a Li-Yorke pair, so F has no bounded scrambled set"
RADII = [Fraction(1, 1 << n) for n in (1, 3, 4, 30, 400, 20_000)]
LARGE = [Fraction(12345678, 12345677), Fraction(2**30 + 1, 3), Fraction(10**6), Fraction(2**65 - 1)]
EXCEPT_POLYHEDRA = "except points of the polyhedra of periodic points with these itineraries (live hinges)"
ALL_CYCLES = "These are ALL cycles of F on R^M with least period"
BALLS = "of the stated points, the first of them z = "


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (POINT, "F has a fixed point, exactly through z = (0, 1/3, 1, ...)"),
        (ExactCycle(((ZERO,), (ONE,))), "F has a cycle of least period 2, exactly through z = (0)"),
        (
            Cycle(("1",), ((THIRD,),), Fraction(1, 1024)),
            f"F has a fixed point within 1/1024 (max norm) {BALLS}(1/3); {ONLY_ORBIT}",
        ),
        (
            BallCycle(((THIRD,), (ONE,)), Fraction(1, 1 << 40)),
            f"F has a cycle of least period 2 within 1e-11 (max norm) {BALLS}(1/3); {ONLY_PASSING}",
        ),
        (Stability(POINT, 4, 0), f"{POINT.statement()}; multipliers: 4 inside and 0 outside the unit circle, none on it (stable)"),
        (Stability(POINT, 1, 3), f"{POINT.statement()}; multipliers: 1 inside and 3 outside the unit circle, none on it (saddle)"),
        (Stability(POINT, 0, 4), f"{POINT.statement()}; multipliers: 0 inside and 4 outside the unit circle, none on it (repelling)"),
        (
            Pieces((ZERO,), (ZERO,), ONE, ONE),
            "F is continuous and affine on each of the 2 intervals into which 1 stated knots cut the line",
        ),
        (AllCycles(2, (), ()), "These are ALL cycles of F on R with least period at most 2: none"),
        (CycleCounts(3, (2, 0, 1), ()), f"{ALL_CYCLES} at most 3: 2 of period 1, 1 of period 3"),
        (
            CycleCounts(2, (0, 0), (("1",), ("01", "11"))),
            f"{ALL_CYCLES} at most 2: none, {EXCEPT_POLYHEDRA}: 1; 01 11",
        ),
        (OnePoint(1), "F has exactly one fixed point, and so it would with any other biases"),
        (OnePoint(6), "F^6 has exactly one fixed point, and so it would with any other biases"),
        (NoOddPeriod(5), "F has no cycle of odd least period p with 1 < p <= 5"),
        (
            LiYorke(THIRD, None),
            "F has points of every period and an uncountable scrambled set (Li-Yorke chaos; witness x = 1/3)",
        ),
        (
            LiYorke(THIRD, Fraction(1, 28)),
            f"{LiYorke(THIRD, None).statement()}, and so has every continuous g: R -> R with |g - F| <= 1/28 everywhere",
        ),
        (OddPeriod(7), "F has a cycle of odd least period q for some q with 1 < q <= 7"),
        (
            ForcedPeriods(3),
            f"F has cycles of least period 3 and of every number after it in Sharkovskii's order {ORDER}",
        ),
        (
            EntropyLower(Fraction(2), 1),
            "The topological entropy of F (supremum over compact invariant sets) is at least log(2) >= 0.693147 nats per step",
        ),
        (
            EntropyUpper(Fraction(2), 1),
            "The topological entropy of F on every compact invariant set is at most log(2) <= 0.693148 nats per step",
        ),
        (ScrambledSet(), "F has an uncountable scrambled set (Li-Yorke chaos)"),
        (
            Contraction(Fraction(1, 2)),
            f"F has exactly one fixed point and every orbit converges to it; {EXPONENTS} is at most log(1/2) <= -0.693147",
        ),
        (ExponentUpper(ONE), "Each Lyapunov exponent of each orbit of F is at most log(1) <= 0.000000"),
        (
            Order(1),
            f"Every orbit of F converges in [-inf, inf] to a cycle of period dividing 2 (a point at infinity means escape); {NO_PAIR}",
        ),
    ],
)
def test_sentences(claim: Claim, sentence: str) -> None:
    assert claim.statement() == sentence
    assert claim.as_json()["claim"] == claim.kind
    assert set(claim.as_json()) == set(claims.KINDS[claim.kind])


def test_a_claim_without_words_is_no_claim() -> None:
    with pytest.raises(NotImplementedError):
        Claim().statement()


def test_spans() -> None:
    assert [span_text(span) for span in ((None, ZERO), (ZERO, None), (ZERO, ONE))] == ["(-inf, 0]", "[0, inf)", "[0, 1]"]


@pytest.mark.parametrize("rate", [Fraction(1, 10**9), Fraction(99, 100), ONE, Fraction(10**7 + 1, 10**7), THIRD * 5, HUGE])
@pytest.mark.parametrize("iterate", [1, 3, 1000])
def test_printed_entropies_lie_on_the_safe_side(rate: Fraction, iterate: int) -> None:
    lower, upper = EntropyLower(rate, iterate), EntropyUpper(rate, iterate)
    low = Fraction(re.findall(r">= (\S+) nats", lower.statement())[0])
    high = Fraction(re.findall(r"<= (\S+) nats", upper.statement())[0])
    assert low <= entropy_bound(lower) <= entropy_bound(upper) <= high <= low + Fraction(2, 10**6)


@pytest.mark.parametrize("radius", RADII + LARGE)
def test_printed_radii_are_rounded_up(radius: Fraction) -> None:
    shown = re.findall(r"within (\S+) \(max", Cycle(("",), ((ZERO,),), radius).statement())[0]
    mantissa, _, power = shown.partition("e-")
    if shown.startswith("2^"):
        bound = Fraction(2) ** int(shown[2:])
    else:
        bound = read_number(shown, "here") if "p" in shown else Fraction(mantissa) / 10 ** int(power or 0)
    assert radius <= bound
    assert bound < 1 or bound <= 4 * radius


@pytest.mark.parametrize(
    "claim",
    [
        ExactCycle(((HUGE,),)),
        Cycle(("",), ((HUGE,),), 1 / HUGE),
        BallCycle(((-1 / HUGE,),), HUGE),
        LiYorke(HUGE, 1 / HUGE),
        EntropyLower(HUGE, 1),
        EntropyUpper(HUGE, 1),
        Contraction(1 / HUGE),
        ExponentUpper(HUGE),
        MultiplierModuli(POINT, (1 / HUGE, HUGE), (0, 4)),
        AllCycles(1, (ExactCycle(((HUGE,),)),), ((1, -HUGE, HUGE),)),
    ],
)
def test_numbers_of_many_digits_are_said_shortly(claim: Claim) -> None:
    assert len(claim.statement()) < 700
