"""Strict JSON: every refusal has its exact letter."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from proofs import reader
from proofs.errors import Malformed
from proofs.reader import Fields, parse_object, read_matrix, read_numbers


def complaint(action: object, *arguments: object) -> tuple[str, str, str]:
    """Return where, expected and got of the complaint that a call makes."""
    with pytest.raises(Malformed) as caught:
        action(*arguments)  # type: ignore[operator]
    assert caught.value.law in {"file format", "number grammar"}
    return caught.value.where, caught.value.expected, caught.value.got


@pytest.fixture
def fields() -> Fields:
    return Fields(
        {"n": 3, "t": "word", "l": [1, 2], "b": True, "o": {"x": "1/2"}, "none": None, "m": [["1", "2~1"]], "s": ["a", 1]}, "line 9"
    )


def test_kinds(fields: Fields) -> None:
    assert fields.integer("n", 0, 3) == 3
    assert fields.text("t") == "word"
    assert fields.integers("l", 1, 2) == (1, 2)
    assert fields.part("o").number("x") == Fraction(1, 2)
    assert fields.matrix("m", (1, 2)).radius(0, 1) == 1
    assert not fields.has("none")
    assert not fields.has("absent")


def test_wrong_kinds(fields: Fields) -> None:
    assert complaint(fields.integer, "n", 4, 9) == ("line 9, field n", "an integer from 4 to 9", "int 3")
    assert complaint(fields.integer, "b", 0, 1) == ("line 9, field b", "an integer from 0 to 1", "bool True")
    assert complaint(fields.integers, "l", 0, 1) == ("line 9, field l", "integers from 0 to 1", "int 2")
    assert complaint(fields.text, "n") == ("line 9, field n", "a printable string of at most 1048576 characters", "int 3")
    assert complaint(fields.texts, "s") == ("line 9, field s", "printable strings of at most 1048576 characters", "int 1")
    assert complaint(fields.raw, "absent") == ("line 9, field absent", "this field to be there", "nothing")
    assert complaint(fields.items, "t") == ("line 9, field t", "a list of at most 1048576 items", "word")
    assert complaint(fields.part, "n") == ("line 9, field n", "an object {...}", "int 3")
    assert complaint(fields.objects, "l") == ("line 9, field l[0]", "an object {...}", "int 1")
    assert complaint(fields.number, "n")[0] == "line 9, field n"
    assert complaint(fields.numbers, "l")[0] == "line 9, field l[0]"
    assert complaint(fields.table, "l")[1:] == ("a list of at most 1048576 items", "int 1")
    assert complaint(fields.matrix, "m", (2, 2)) == ("line 9, field m", "2 rows of 2 entries", "1 rows of lengths [2]")
    assert complaint(fields.column, "m", 1)[0] == "line 9, field m[0][0]"


def test_unread_fields_are_refused() -> None:
    fields = Fields({"b": 1, "a": 2, "c": 3}, "line 2")
    fields.raw("b")
    assert complaint(fields.close) == ("line 2", "no further fields", "a, c")
    empty = Fields({"bits": None}, "line 2")
    assert not empty.has("bits")
    assert complaint(empty.close) == ("line 2", "no further fields", "bits")


@pytest.mark.parametrize("text", ["a\nProved  everything", "\x1b[2J", "\ud800", "a\u2028b", "x" * (2**20 + 1)])
def test_text_that_could_imitate_a_verdict_is_refused(text: str) -> None:
    assert complaint(Fields({"t": text}, "x").text, "t")[1].startswith("a printable string")
    assert complaint(Fields({"t": [text]}, "x").texts, "t")[1].startswith("printable strings")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"", "Expecting value"),
        (b"\xff", "codec can't decode"),
        (b"{", "Expecting property name"),
        (b"{} {}", "Extra data"),
        (b'{"a":1,"a":2}', "key 'a' occurs twice"),
        (b'{"b":{"a":1,"a":1}}', "key 'a' occurs twice"),
        (b'{"a":1.0}', "1.0 is not an exact number; write it as a string"),
        (b'{"a":1e5}', "1e5 is not an exact number; write it as a string"),
        (b'{"a":NaN}', "NaN is not an exact number; write it as a string"),
        (b'{"a":-Infinity}', "-Infinity is not an exact number; write it as a string"),
        (b'{"a":1234567890123456789}', "integer of 19 digits; write long numbers as strings"),
        (b'{"a":' + b"9" * 5000 + b"}", "integer of 5000 digits; write long numbers as strings"),
        (b'{"a":"\n"}', "Invalid control character"),
        (b"\xef\xbb\xbf{}", "BOM"),
    ],
)
def test_not_json(line: bytes, fault: str) -> None:
    where, expected, got = complaint(parse_object, line, "line 3")
    assert (where, expected) == ("line 3", "one JSON object in UTF-8, each key once, no floats")
    assert fault in got


def test_only_objects_and_only_short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint(parse_object, b"[]", "line 1") == ("line 1", "an object {...}", "list []")
    assert complaint(parse_object, b"[" * 100_000, "line 1") == ("line 1", "shallow nesting", "brackets nested too deeply")
    monkeypatch.setattr(reader, "MAX_LINE_BYTES", 4)
    assert complaint(parse_object, b'{"a":1}', "line 1") == ("line 1", "at most 4 bytes on a line", "7 bytes")


def test_lists_and_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_numbers(["1", "1/2"], "x") == (Fraction(1), Fraction(1, 2))
    assert complaint(read_matrix, [["1"], ["1", "2"]], (2, 1), "x") == ("x", "2 rows of 1 entries", "2 rows of lengths [1, 2]")
    assert complaint(read_matrix, ["1"], (1, 1), "x") == ("x[0]", "a list of at most 1048576 items", "1")
    monkeypatch.setattr(reader, "MAX_ITEMS", 2)
    assert complaint(read_numbers, ["1"] * 3, "x")[1] == "a list of at most 2 items"


def test_a_denominator_that_would_blow_up_every_entry_is_refused() -> None:
    rows = [["1"] * 9_999 + ["1p-400000"]]
    expected = f"a common denominator that takes at most {2**31} bits for all entries"
    assert complaint(read_matrix, rows, (1, 10_000), "x") == ("x", expected, "more")


@pytest.mark.parametrize("depth", range(880, 1010, 13))
def test_nesting_never_escapes_as_a_recursion_error(depth: int) -> None:
    content = json.dumps("x").encode()
    with pytest.raises(Malformed):
        parse_object(b"[" * depth + content + b"]" * depth, "line 1").close()
