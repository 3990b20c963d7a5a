"""Ranges cut into cells: runs and gaps cover the whole, halving ends where it should."""

from __future__ import annotations

from fractions import Fraction

from verify.certification.covers import HOPELESS, Cell, cover, without

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)


def test_one_cell_is_enough() -> None:
    found = cover(ZERO, ONE, lambda low, high: {"low": low, "high": high})
    assert [run.breaks for run in found.runs] == [(ZERO, ONE)]
    assert found.gaps == ()


def test_cells_shrink_towards_an_event() -> None:
    def attempt(low: Fraction, high: Fraction) -> Cell | str:
        return {} if high - low <= low else "too wide"

    found = cover(Fraction(1, 64), ONE, attempt)
    (run,) = found.runs
    widths = [b - a for a, b in zip(run.breaks, run.breaks[1:], strict=False)]
    assert (run.low, run.high) == (Fraction(1, 64), ONE)
    assert not found.gaps
    assert widths == sorted(widths)
    assert len(run.cells) == len(widths) < 20


def test_what_is_refused_everywhere_is_one_gap() -> None:
    found = cover(ZERO, ONE, lambda _low, _high: "no", halvings=4)
    assert found.runs == ()
    assert [(gap.low, gap.high, gap.reason) for gap in found.gaps] == [(ZERO, ONE, "no")]


def test_hopeless_reasons_end_the_halving() -> None:
    asked: list[Fraction] = []

    def attempt(low: Fraction, high: Fraction) -> Cell | str:
        asked.append(high - low)
        return {} if high <= HALF else f"{HOPELESS}not here" if high - low <= HALF else "too wide"

    found = cover(ZERO, ONE, attempt)
    assert asked == [1, HALF, HALF]
    assert (found.runs[0].breaks, found.gaps[0].reason) == ((ZERO, HALF), "not here")


def test_time_and_attempts_leave_gaps_that_say_so() -> None:
    for found in (
        cover(ZERO, ONE, lambda _low, _high: {}, lambda: False),
        cover(ZERO, ONE, lambda _low, _high: "no", attempts=3),
    ):
        assert (found.gaps[0].low, found.gaps[-1].high) == (ZERO, ONE)
        assert "used up" in found.gaps[-1].reason


def test_the_widest_first_leaves_a_small_gap() -> None:
    def attempt(low: Fraction, high: Fraction) -> Cell | str:
        return {} if high - low <= low else "too wide"

    found = cover(ZERO, ONE, attempt, attempts=13, widest_first=True)
    ((run,), (gap,)) = found.runs, found.gaps
    assert (gap.low, run.high) == (ZERO, ONE)
    assert gap.high == run.low == Fraction(1, 64)
    assert cover(ZERO, ONE, attempt, attempts=13).runs == ()


def test_holes_are_taken_out() -> None:
    assert without(ZERO, ONE, []) == [(ZERO, ONE)]
    assert without(ZERO, ONE, [(Fraction(-1), Fraction(2))]) == []
    assert without(ZERO, ONE, [(HALF, ONE), (Fraction(1, 4), Fraction(3, 4))]) == [(ZERO, Fraction(1, 4))]
