"""Numbers: what is read, what is refused, what is written."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.errors import Malformed
from proofs.grammar import read_entry, read_number, shown, write_entry, write_number

LONG = "1" * 600


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)),
        ("-0", Fraction(0)),
        ("-3", Fraction(-3)),
        ("0x1f", Fraction(31)),
        ("-0x0", Fraction(0)),
        ("17/10", Fraction(17, 10)),
        ("-4/6", Fraction(-2, 3)),
        ("0x10/0x20", Fraction(1, 2)),
        ("5p-3", Fraction(5, 8)),
        ("5p3", Fraction(40)),
        ("-0x3p-1", Fraction(-3, 2)),
        (LONG, Fraction(int(LONG))),
        ("1p-400000", Fraction(1, 1 << 400_000)),
    ],
)
def test_numbers(text: str, value: Fraction) -> None:
    assert read_number(text, "here") == value
    assert read_number(write_number(value), "here") == value


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " 1",
            "1 ",
            "+1",
            "01",
            "--1",
            "1.0",
            "1e3",
            "nan",
            "inf",
            "1/0",
            "1/0x0",
            "1/-2",
            "1//2",
            "1/2/3",
            "1p",
            "1p+3",
            "1p03",
            "p3",
        ),
        *("1p400001", "1p-400001", "1p1000000", "1/2p3", "0X1f", "0x1F", "0x", "0x01", "1_000", "١", "1\n", "1~1", "0b1", "½", LONG + "1"),
        *("0x" + "f" * 100_001, None, 1, 1.5, True, ["1"]),
    ],
)
def test_not_numbers(text: object) -> None:
    with pytest.raises(Malformed) as caught:
        read_number(text, "here")
    assert caught.value.law == "number grammar"
    assert caught.value.where == "here"


def test_the_letter_of_a_bad_number() -> None:
    with pytest.raises(Malformed) as caught:
        read_number("1.5", "line 1")
    assert str(caught.value) == (
        "Malformed at line 1, number grammar\n"
        '  expected  a string such as "-3", "17/10", "5p-3" or "0x1f", or an interval "17/10~1p-9" where one is allowed\n'
        "  got       '1.5'\n"
        "  remedy    write exact numbers as strings; floats, signs as '+', spaces and leading zeros are refused"
    )


def test_entries() -> None:
    assert read_entry("17/10~1p-9", "here") == (Fraction(17, 10), Fraction(1, 512))
    assert read_entry("-1", "here") == (Fraction(-1), Fraction(0))
    assert write_entry(Fraction(1, 2), Fraction(0)) == "1p-1"
    assert write_entry(Fraction(1, 3), Fraction(1, 4)) == "1/3~1p-2"


@pytest.mark.parametrize("text", ["1~-1", "1~-0", "1~", "~1", "1~1~1", "1 ~ 1", 3, None])
def test_not_entries(text: object) -> None:
    with pytest.raises(Malformed):
        read_entry(text, "here")


def test_long_numbers_are_written_in_hexadecimal_and_shown_cut() -> None:
    value = Fraction(1 << 20_000, 3)
    assert write_number(value).startswith("0x1000")
    assert len(shown(value)) < 400
    assert shown(Fraction(17, 10)) == "17/10"
    assert shown(Fraction(1, 1 << 20_000)) == shown(Fraction(1, 1 << 20_000))
