"""The cards on the line (M = 1): each check accepts, and rejects with its exact letter."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.claims import (
    AllCycles,
    Contraction,
    EntropyLower,
    EntropyUpper,
    ExponentUpper,
    ForcedPeriods,
    LiYorke,
    NoOddPeriod,
    OddPeriod,
    Order,
    Pieces,
)
from proofs.network import Network, Operation
from tests.proofs.workbench import (
    FLIP,
    HALF,
    ROTATION,
    SMOOTH,
    TENT,
    TENT_BALL,
    TENT_KNOTS,
    Step,
    affine,
    facts,
    letter,
    linear,
    prove,
    rejected,
    shallow,
)

STEEP = shallow([1, 1], [0, "-1/2"], [3, -6])
ONE_STATE = ("a network with one state", "2 states")
EXACT_ONLY = "this theorem is exact-only: certify without a radius"
HORSESHOE: dict[str, object] = {
    "iterate": 1,
    "intervals": [["0", "1/2"], ["1/2", "1"]],
    "extremes": [["0", "1/2"], ["1", "1/2"]],
    "weights": ["1", "1"],
    "rate": "2",
}
PERIOD_3: Step = ("exact_cycle", (), {"point": ["2/7"], "period": 3})


@pytest.mark.parametrize(
    ("theorem", "witness"),
    [
        ("pieces", {"max_knots": 9}),
        ("no_period", {"period": 3}),
        ("li_yorke", {"point": "1/4"}),
        ("odd_period", {"point": "1/4", "times": 3}),
        ("covering_intervals", HORSESHOE),
        ("coppel", {"monotone": "increasing"}),
        ("entropy_upper", {"iterate": 1, "by": "slope"}),
        ("sharkovskii", {}),
        ("entropy_from_period", {"rate": "1"}),
    ],
)
def test_one_state_only(theorem: str, witness: dict[str, object]) -> None:
    assert letter(ROTATION, (theorem, (), witness)) == rejected(1, f"theorem {theorem}, check 1", *ONE_STATE)


def test_pieces() -> None:
    assert facts(TENT, TENT_KNOTS) == [Pieces((Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(1)), Fraction(0), Fraction(-2))]
    assert facts(HALF, ("pieces", (), {"max_knots": 99})) == [Pieces((Fraction(0),), (Fraction(0),), Fraction(1, 2), Fraction(1, 2))]


def test_pieces_wants_exact_weights() -> None:
    expected = ("theorem pieces, check 1", "weights that are single numbers", "weight intervals of radius up to 1/1048576", EXACT_ONLY)
    assert letter(TENT_BALL, TENT_KNOTS) == rejected(1, *expected)


def test_pieces_wants_relu() -> None:
    expected = ("theorem pieces, check 1", "a program of affine, relu and add", "a smooth operation")
    assert letter(SMOOTH, ("pieces", (), {"max_knots": 99})) == rejected(1, *expected)


def test_pieces_counts_knots() -> None:
    expected = ("theorem pieces, check 2", "at most 1 knots in all registers, as the witness allows", "more")
    assert letter(TENT, ("pieces", (), {"max_knots": 1})) == rejected(1, *expected)


def test_pieces_of_a_deep_program_far_out() -> None:
    deep = Network(1, (*shallow([1], [0], [1], -1000).program, Operation("relu", (3,)), affine([[5]], [0], 4)))
    claim = facts(deep, ("pieces", (), {"max_knots": 9}))[0]
    assert claim == Pieces((Fraction(1000),), (Fraction(0),), Fraction(0), Fraction(5))


def test_all_cycles() -> None:
    steps: tuple[Step, ...] = (
        TENT_KNOTS,
        *(("exact_cycle", (), {"point": [x], "period": k}) for x, k in (("0", 1), ("2/3", 1), ("2/5", 2), ("2/7", 3), ("2/9", 3))),
        ("all_cycles", (1, 2, 3, 4, 5, 6), {"up_to": 3, "max_knots": 100}),
    )
    claim = facts(TENT, *steps)[-1]
    assert isinstance(claim, AllCycles)
    assert claim.statement() == "These are ALL cycles of F on R with least period at most 3: 2 of period 1, 1 of period 2, 2 of period 3"
    assert facts(TENT, *steps[:4], ("all_cycles", (1, 2, 3, 4), {"up_to": 2, "max_knots": 100}))
    short = rejected(4, "theorem all_cycles, check 3", "every solution of F^2(x) = x on a listed cycle", "a point on none, x = 2/5")
    assert letter(TENT, *steps[:3], ("all_cycles", (1, 2, 3), {"up_to": 2, "max_knots": 100})) == short


def test_all_cycles_rejects() -> None:
    cycle: Step = ("exact_cycle", (), {"point": ["2/5"], "period": 2})
    law = "theorem all_cycles, check"
    late = rejected(3, f"{law} 2", "listed cycles of period at most 1", "2")
    assert letter(TENT, TENT_KNOTS, cycle, ("all_cycles", (1, 2), {"up_to": 1, "max_knots": 9})) == late
    twice = rejected(3, f"{law} 2", "listed cycles without a common point", "a cycle listed twice")
    assert letter(TENT, TENT_KNOTS, cycle, ("all_cycles", (1, 2, 2), {"up_to": 2, "max_knots": 9})) == twice
    again: Step = ("exact_cycle", (), {"point": ["4/5"], "period": 2})
    assert letter(TENT, TENT_KNOTS, cycle, again, ("all_cycles", (1, 2, 3), {"up_to": 2, "max_knots": 9})).endswith("a cycle listed twice")
    large = rejected(2, f"{law} 1", "at most 2 knots, as the witness allows", "more")
    assert letter(TENT, TENT_KNOTS, ("all_cycles", (1,), {"up_to": 2, "max_knots": 2})) == large


def test_all_cycles_residual() -> None:
    steps: tuple[Step, ...] = (
        ("pieces", (), {"max_knots": 99}),
        ("exact_cycle", (), {"point": ["0"], "period": 1}),
        ("all_cycles", (1, 2), {"up_to": 2, "max_knots": 9}),
    )
    claim = facts(FLIP, *steps)[-1]
    assert isinstance(claim, AllCycles)
    assert claim.residual in {((2, None, Fraction(0)), (2, Fraction(0), None)), ((2, None, None),)}
    assert "except points of these intervals: F^2 is the identity on (-inf" in claim.statement()
    identity = shallow([1, 1], [0, -1], [1, -1])
    claim = facts(identity, ("pieces", (), {"max_knots": 99}), ("all_cycles", (1,), {"up_to": 1, "max_knots": 9}))[-1]
    assert claim.statement().endswith("at most 1: none, except points of these intervals: F^1 is the identity on [0, 1]")


def test_no_period() -> None:
    assert facts(linear([["3/2"]]), ("no_period", (), {"period": 5})) == [NoOddPeriod(5)]
    assert facts(linear([[0]]), ("no_period", (), {"period": 999})) == [NoOddPeriod(999)]
    assert facts(linear([["7/5"]], radius="1/100"), ("no_period", (), {"period": 99})) == [NoOddPeriod(99)]
    even = rejected(1, "theorem no_period, check 2", "an odd period", "4")
    assert letter(TENT, ("no_period", (), {"period": 4})) == even
    steep = rejected(2, "theorem no_period, check 3", "L^3 - 2 L^1 - 1 < 0", "L = 2")
    assert letter(TENT, TENT_KNOTS, ("no_period", (1,), {"period": 3})) == steep
    assert letter(TENT, ("no_period", (), {"period": 3})) == rejected(1, "theorem no_period, check 3", "L^3 - 2 L^1 - 1 < 0", "L = 4")
    assert letter(linear([["8/5"]], radius="1/50"), ("no_period", (), {"period": 3})).endswith("L = 81/50")


def test_li_yorke() -> None:
    assert facts(TENT, ("li_yorke", (), {"point": "1/4"})) == [LiYorke(Fraction(1, 4), None)]
    mirrored = shallow([-1, -1], [0, "-1/2"], [-2, 4])
    assert facts(mirrored, ("li_yorke", (), {"point": "-1/4"})) == [LiYorke(Fraction(-1, 4), None)]
    held = rejected(1, "theorem li_yorke, check 2", "F^3(a) <= a < F(a) < F^2(a), or all reversed", "1/8 1/4 1/2 1")
    assert letter(TENT, ("li_yorke", (), {"point": "1/8"})) == held
    assert "F^3(a) <= a < F(a)" in letter(TENT, ("li_yorke", (), {"point": "0"}))


def test_li_yorke_radius() -> None:
    narrow: Step = ("li_yorke", (1,), {"point": "1/4", "sup_radius": "1/28"})
    assert facts(TENT, TENT_KNOTS, narrow)[-1] == LiYorke(Fraction(1, 4), Fraction(1, 28))
    for radius in ("28000000001/784000000000", "0", "-1/28"):
        wide: Step = ("li_yorke", (1,), {"point": "1/4", "sup_radius": radius})
        needs = "e < u, e (2 + L) < v and e (1 + L + L^2) <= w"
        assert letter(TENT, TENT_KNOTS, wide) == rejected(2, "theorem li_yorke, check 3", needs, f"e = {radius}, L = 2")
    assert letter(TENT, ("li_yorke", (), {"point": "1/4", "sup_radius": "1/28"})).endswith("L = 4")


def test_odd_period() -> None:
    assert facts(TENT, ("odd_period", (), {"point": "1/4", "times": 3})) == [OddPeriod(3)]
    even = rejected(1, "theorem odd_period, check 2", "an odd number of steps", "4")
    assert letter(TENT, ("odd_period", (), {"point": "1/4", "times": 4})) == even
    held = rejected(1, "theorem odd_period, check 3", "F^3(x) <= x < F(x), or reversed", "x = 1/8, F(x) = 1/4, F^3(x) = 1")
    assert letter(TENT, ("odd_period", (), {"point": "1/8", "times": 3})) == held
    fixed = rejected(1, "theorem odd_period, check 3", "F^3(x) <= x < F(x), or reversed", "x = 0, F(x) = 0, F^3(x) = 0")
    assert letter(TENT, ("odd_period", (), {"point": "0", "times": 3})) == fixed


def test_entropy_from_period() -> None:
    assert facts(TENT, PERIOD_3, ("entropy_from_period", (1,), {"rate": "8/5"}))[-1] == EntropyLower(Fraction(8, 5), 1)
    six: Step = ("exact_cycle", (), {"point": ["2/65"], "period": 6})
    assert facts(TENT, six, ("entropy_from_period", (1,), {"rate": "8/5"}))[-1] == EntropyLower(Fraction(8, 5), 2)
    five: Step = ("odd_period", (), {"point": "1/8", "times": 5})
    assert facts(TENT, five, ("entropy_from_period", (1,), {"rate": "3/2"}))[-1] == EntropyLower(Fraction(3, 2), 1)
    assert "r^5 - 2 r^3 - 1 <= 0" in letter(TENT, five, ("entropy_from_period", (1,), {"rate": "8/5"}))
    power = rejected(2, "theorem entropy_from_period, check 2", "a period with an odd factor from 3 to 9999", "2")
    assert letter(TENT, ("exact_cycle", (), {"point": ["2/5"], "period": 2}), ("entropy_from_period", (1,), {"rate": "1"})) == power
    for rate in ("13/8", "0", "-1/2"):
        high = rejected(2, "theorem entropy_from_period, check 3", "r > 0 and r^3 - 2 r^1 - 1 <= 0 (r rounded up to 128 bits)", rate)
        assert letter(TENT, PERIOD_3, ("entropy_from_period", (1,), {"rate": rate})) == high


def test_sharkovskii_and_citations_of_the_wrong_kind() -> None:
    assert facts(TENT, PERIOD_3, ("sharkovskii", (1,), {}))[-1] == ForcedPeriods(3)
    assert facts(TENT, ("li_yorke", (), {"point": "1/4"}), ("sharkovskii", (1,), {}))[-1] == ForcedPeriods(3)
    law = "theorem sharkovskii, citations"
    wrong = rejected(2, law, "CycleClaim or LiYorke", "OddPeriod")
    assert letter(TENT, ("odd_period", (), {"point": "1/4", "times": 3}), ("sharkovskii", (1,), {})) == wrong
    table = rejected(2, "theorem entropy_gives_scrambling, citations", "EntropyLower or CoveringGraph", "Pieces")
    assert letter(TENT, TENT_KNOTS, ("entropy_gives_scrambling", (1,), {})) == table
    upper: Step = ("entropy_upper", (), {"iterate": 1, "by": "slope"})
    assert letter(TENT, upper, ("entropy_gives_scrambling", (1,), {})).endswith("EntropyUpper")
    assert letter(TENT, PERIOD_3, ("no_period", (1,), {"period": 3})).endswith("expected  Pieces\n  got       ExactCycle")


def test_covering_intervals() -> None:
    assert facts(TENT, ("covering_intervals", (), HORSESHOE)) == [EntropyLower(Fraction(2), 1)]
    assert facts(TENT, TENT_KNOTS, ("covering_intervals", (1,), HORSESHOE))[-1] == EntropyLower(Fraction(2), 1)


@pytest.mark.parametrize(
    ("change", "number", "expected", "got"),
    [
        (
            {"intervals": [], "extremes": [], "weights": []},
            2,
            "as many pairs of ends, pairs of extremes and weights, at least one",
            "0 0 0",
        ),
        ({"weights": ["1"]}, 2, "as many pairs of ends, pairs of extremes and weights, at least one", "2 2 1"),
        ({"intervals": [["0", "0"], ["1/2", "1"]]}, 2, "interval 1 with low < high", "0 0"),
        ({"intervals": [["0", "2/3"], ["1/2", "1"]]}, 2, "interval 1 to end before interval 2 begins", "2/3 1/2"),
        (
            {"intervals": [["1/2", "1"], ["0", "1/2"]], "extremes": [["1", "1/2"], ["0", "1/2"]]},
            2,
            "interval 1 to end before interval 2 begins",
            "1 0",
        ),
        ({"extremes": [["0", "3/4"], ["1", "1/2"]]}, 3, "extremes 1 inside interval 1", "0 3/4"),
        ({"rate": "0"}, 4, "a positive rate and positive weights", "0 1 1"),
        ({"weights": ["1", "0"]}, 4, "a positive rate and positive weights", "2 1 0"),
        ({"rate": "201/100"}, 4, "(T v)_1 >= r v_1", "2"),
        ({"extremes": [["0", "1/4"], ["1", "1/2"]]}, 4, "(T v)_1 >= r v_1", "1"),
        ({"extremes": [["1/2", "0"], ["1", "1/2"]]}, 4, "(T v)_1 >= r v_1", "0"),
    ],
)
def test_covering_intervals_rejects(change: dict[str, object], number: int, expected: str, got: str) -> None:
    answer = letter(TENT, ("covering_intervals", (), {**HORSESHOE, **change}))
    assert answer == rejected(1, f"theorem covering_intervals, check {number}", expected, got)


def test_a_covering_that_only_touches_is_lost_under_any_radius() -> None:
    assert "check 4" in letter(TENT_BALL, ("covering_intervals", (), {**HORSESHOE, "bits": 60}))


def test_scrambling_needs_a_rate_above_one() -> None:
    horseshoe: Step = ("covering_intervals", (), HORSESHOE)
    assert prove(TENT, horseshoe, ("entropy_gives_scrambling", (1,), {})).theorems == ("covering_intervals", "entropy_gives_scrambling")
    flat: Step = ("covering_intervals", (), {**HORSESHOE, "rate": "1"})
    none = rejected(2, "theorem entropy_gives_scrambling, check 1", "a positive lower bound of the entropy: rate > 1", "1")
    assert letter(TENT, flat, ("entropy_gives_scrambling", (1,), {})) == none


def test_coppel() -> None:
    assert facts(HALF, ("pieces", (), {"max_knots": 99}), ("coppel", (1,), {"exponent": 0, "max_knots": 9}))[-1] == Order(0)
    for word, network, exponent in (("increasing", HALF, 0), ("decreasing", FLIP, 1), ("increasing", SMOOTH, 0)):
        witness: dict[str, object] = {"monotone": word, "bits": 64}
        assert facts(network, ("coppel", (), witness)) == [Order(exponent)]


def test_coppel_rejects() -> None:
    law = "theorem coppel, check"
    moved = rejected(2, f"{law} 4", "F^(2^n)(x) = x wherever F^(2^(n+1))(x) = x", "a point whose period does not divide 2^n, x = 2/5")
    assert letter(TENT, TENT_KNOTS, ("coppel", (1,), {"exponent": 0, "max_knots": 99})) == moved
    large = rejected(2, f"{law} 3", "at most 1 knots, as the witness allows", "more")
    assert letter(TENT, TENT_KNOTS, ("coppel", (1,), {"exponent": 0, "max_knots": 1})) == large
    table: Step = ("pieces", (), {"max_knots": 99})
    span = letter(FLIP, table, ("coppel", (1,), {"exponent": 0, "max_knots": 99}))
    assert span.startswith(
        f"Rejected at step 2, {law} 4\n  expected  F^(2^n) the identity wherever F^(2^(n+1)) is\n  got       an interval of longer cycles"
    )
    assert facts(FLIP, table, ("coppel", (1,), {"exponent": 1, "max_knots": 99}))[-1] == Order(1)
    ends = rejected(2, f"{law} 5", "-inf fixed by F^(2^n) if by F^(2^(n+1))", "-2 4")
    assert letter(linear([[-2]]), table, ("coppel", (1,), {"exponent": 0, "max_knots": 99})) == ends


def test_coppel_monotone_rejects() -> None:
    words = rejected(1, "theorem coppel, check 2", "increasing or decreasing", "constant")
    assert letter(HALF, ("coppel", (), {"monotone": "constant"})) == words
    up = rejected(1, "theorem coppel, check 2", "slopes that are >= 0", "-1")
    assert letter(FLIP, ("coppel", (), {"monotone": "increasing"})) == up
    down = rejected(1, "theorem coppel, check 2", "slopes that are <= 0", "[-4, 2]")
    assert letter(TENT, ("coppel", (), {"monotone": "decreasing"})) == down


def test_entropy_upper() -> None:
    assert facts(TENT, ("entropy_upper", (), {"iterate": 1, "by": "slope"})) == [EntropyUpper(Fraction(4), 1)]
    assert facts(HALF, ("entropy_upper", (), {"iterate": 1, "by": "slope"})) == [EntropyUpper(Fraction(1), 1)]
    for by in ("laps", "slope"):
        last = facts(TENT, TENT_KNOTS, ("entropy_upper", (1,), {"iterate": 3, "by": by, "max_knots": 99}))[-1]
        assert last == EntropyUpper(Fraction(8), 3)
    law = "theorem entropy_upper, check"
    assert letter(TENT, ("entropy_upper", (), {"iterate": 1, "by": "x"})) == rejected(1, f"{law} 3", "laps or slope", "x")
    alone = rejected(1, f"{law} 2", "a citation of A0, unless n = 1 by slope", "n = 2 by slope")
    assert letter(TENT, ("entropy_upper", (), {"iterate": 2, "by": "slope"})) == alone
    large = rejected(2, f"{law} 2", "at most 2 knots, as the witness allows", "more")
    assert letter(STEEP, TENT_KNOTS, ("entropy_upper", (1,), {"iterate": 2, "by": "laps", "max_knots": 2})) == large


def test_contraction() -> None:
    assert facts(HALF, ("contraction", (), {"weights": ["1"], "rate": "1/2"})) == [Contraction(Fraction(1, 2))]
    assert facts(TENT, ("contraction", (), {"weights": ["1"], "rate": "4"})) == [ExponentUpper(Fraction(4))]
    assert facts(HALF, ("contraction", (), {"weights": ["1"], "rate": "1"})) == [ExponentUpper(Fraction(1))]
    for weights, shown in ((["0"], "0"), (["1", "1"], "1 1"), (["-1"], "-1"), ([], "")):
        law = rejected(1, "theorem contraction, check 1", "1 positive weights", shown)
        assert letter(HALF, ("contraction", (), {"weights": weights, "rate": "1/2"})) == law
    assert letter(HALF, ("contraction", (), {"weights": ["1"], "rate": "0"})) == rejected(
        1, "theorem contraction, check 1", "a positive rate", "0"
    )
    small = rejected(1, "theorem contraction, check 2", "(N d)_1 <= c d_1", "1/2 49/100")
    assert letter(HALF, ("contraction", (), {"weights": ["1"], "rate": "49/100"})) == small
    product = Network(1, (Operation("mul", (0, 0)),))
    answer = letter(product, ("contraction", (), {"weights": ["1"], "rate": "1", "bits": 64}))
    assert answer == "Rejected at network, global slopes\n  expected  no products of registers\n  got       an operation mul"
