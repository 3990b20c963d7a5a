"""JSON: what is read exactly, and the letter for everything that is not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal
from verify.formats import Stored, read, write

FINITE = "numbers are finite and of bounded length"
GRAMMAR = '"p/q", "17", "0.1" or "-1.5e-3", exponent of at most 4 digits'
OVERFLOW = 'a float64, or an exact string such as "1e400"'
META = "settings beside the arrays"
DEEP = b"[" * 100_000

REFUSED: list[tuple[bytes, str, str, str, str]] = [
    (b"", "net.json", "a file has content", "at least one byte", "an empty file"),
    (b"\0\1", "net.json", "the file is one JSON object", "JSON", "Expecting value at line 1, column 1"),
    (b'{"A": [1, 2', "net.json", "the file is one JSON object", "JSON", "Expecting ',' delimiter at line 1, column 12"),
    (b'{"A": [1]} x', "net.json", "the file is one JSON object", "JSON", "Extra data at line 1, column 12"),
    (b"[1, 2]", "net.json", "the file is one JSON object", "an object {...}", "a list"),
    (b"7", "net.json", "the file is one JSON object", "an object {...}", "a number"),
    (b'{"name": "\xff"}', "net.json", "text is UTF-8", "UTF-8", "a wrong byte at offset 10"),
    (b'{"name": "\\ud800"}', "net.json, name", "text is Unicode", "no NUL and no lone surrogate", r"'\ud800'"),
    (b'{"A": [1], "A": [2]}', "net.json, key A", "names are unique", "every key once", "A twice"),
    (b'{"layers": [{"W": 1, "W": 2}]}', "net.json, key W", "names are unique", "every key once", "W twice"),
    (b'{"W": [[1, 2], [NaN, 4]]}', "net.json, key W, row 2 of 2, entry 1 of 2", FINITE, "a finite number", "NaN"),
    (b'{"h": [1, -Infinity]}', "net.json, key h, entry 2 of 2", FINITE, "a finite number", "-Infinity"),
    (b'{"W": [[1], [1e999]]}', "net.json, key W, row 2 of 2, entry 1 of 1", FINITE, OVERFLOW, "1e999, which overflows float64"),
    (b'{"a": 1e999}', "net.json, key a", FINITE, OVERFLOW, "1e999, which overflows float64"),
    (b'{"P": NaN}', "net.json, key P", FINITE, "a finite number", "NaN"),
    (b'{"args": {"lr": [1e999]}}', "net.json, key args", FINITE, OVERFLOW, "1e999, which overflows float64"),
    (b'{"A": [' + b"9" * 5000 + b"]}", "net.json, key A, entry 1 of 1", FINITE, "at most 4000 characters", "5000 characters"),
    (b'{"A": [0.' + b"9" * 4998 + b"]}", "net.json, key A, entry 1 of 1", FINITE, "at most 4000 characters", "5000 characters"),
    (
        b'{"A": ["' + b"9" * 5000 + b'"]}',
        "net.json, key A, entry 1 of 1",
        "numbers of bounded length",
        "at most 4000 characters",
        "5000 characters",
    ),
    (
        b'{"A": ["1e9999"]}',
        "net.json, key A, entry 1 of 1",
        "numbers of bounded length",
        "numerator and denominator of at most 13000 bits",
        "33216 bits",
    ),
    (b'{"A": ["1e99999"]}', "net.json, key A, entry 1 of 1", "exact numbers", GRAMMAR, "'1e99999'"),
    (b'{"W": [[1, "one"]]}', "net.json, key W, row 1 of 1, entry 2 of 2", "exact numbers", GRAMMAR, "'one'"),
    (b'{"W": [["1/0"]]}', "net.json, key W, row 1 of 1, entry 1 of 1", "exact numbers", "a denominator other than 0", "'1/0'"),
    (b'{"W": [[1, 2], [3]]}', "net.json, key W, row 2 of 2", "rows of one length", "2 entries, as in row 1", "1 entry"),
    (b'{"W": [[1, 2], 3]}', "net.json, key W, entry 2 of 2", "rows of one length", "2 entries, as in row 1", "one number"),
    (b'{"h": [true]}', "net.json, key h, entry 1 of 1", "arrays hold numbers", "a number or an exact string", "true or false"),
    (b'{"h": [null]}', "net.json, key h, entry 1 of 1", "arrays hold numbers", "a number or an exact string", "null"),
    (b'{"h": [{"re": 1}]}', "net.json, key h, entry 1 of 1", "arrays hold numbers", "a number or an exact string", "an object"),
    (b'{"W": [[[[[[[[[1]]]]]]]]]}', "net.json, key W", "bounded nesting", "at most 8 levels", "more"),
    (b'{"W": ' + DEEP, "net.json", "bounded nesting", "at most 8 levels", "too many to read"),
    (b'{"args": ' + b'{"a": ' * 12 + b"1" + b"}" * 13, "net.json, key args", "bounded nesting", "at most 8 levels", "more"),
    (b'{"P": 2.5}', "net.json, key P", "settings have one type", "an integer", "2.5"),
    (b'{"P": true}', "net.json, key P", "settings have one type", "an integer", "True"),
    (b'{"P": [1, 2]}', "net.json, key P", "settings have one type", "an integer", "[1, 2]"),
    (b'{"clipped": "maybe"}', "net.json, key clipped", "settings have one type", "true or false", "'maybe'"),
    (b'{"model": 3}', "net.json, key model", "settings have one type", "a word", "3"),
    (b'{"layers": {}}', "net.json, key layers", "layers", "a list of layers", "an object"),
    (
        b'{"layers": [{"W": [[1]], "activation": "relu"}]}',
        "net.json, key layers, layer 1 of 1",
        "layers",
        "an object with keys W, activation, b",
        "keys W, activation",
    ),
    (b'{"layers": [3]}', "net.json, key layers, layer 1 of 1", "layers", "an object with keys W, activation, b", "a number"),
    (
        b'{"layers": [{"W": [[1]], "b": [0], "activation": 1}]}',
        "net.json, key layers, layer 1 of 1, key activation",
        "layers",
        "a word",
        "a number",
    ),
    (
        b'{"layers": [{"W": [[1], [2, 3]], "b": [0], "activation": "relu"}]}',
        "net.json, key layers, layer 1 of 1, key W, row 2 of 2",
        "rows of one length",
        "1 entry, as in row 1",
        "2 entries",
    ),
    (b'{"__meta__": 3}', "net.json, key __meta__", META, "an object with meta and type_name", "3"),
    (b'{"__meta__": {"type_name": 3}}', "net.json, key __meta__", META, "type_name is text", "3"),
    (b'{"P": 1, "__meta__": {"meta": {"P": 2}}}', "net.json", "names are unique", "every name once", "P twice"),
]


@pytest.mark.parametrize(("content", "where", "law", "expected", "got"), REFUSED, ids=[f"{case[1]}: {case[4][:30]}" for case in REFUSED])
def test_refuses_with_the_key_and_the_row(tmp_path: Path, content: bytes, where: str, law: str, expected: str, got: str) -> None:
    text = refusal(tmp_path / "net.json", content)
    assert text == f"Malformed at {where}, {law}\n  expected  {expected}\n  got       {got}"


def read_text(tmp_path: Path, text: str) -> Stored:
    path = tmp_path / "net.json"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_numbers_are_nearest_floats_and_strings_exact(tmp_path: Path) -> None:
    stored = read_text(tmp_path, '{"A": [0.1, 3, -0.0], "h": ["1/3", "0.1", "-1.5e-3", "17", 0.1]}')
    assert stored.arrays["A"].dtype == np.float64
    assert stored.arrays["A"].tolist() == [0.1, 3.0, 0.0]
    assert not np.signbit(stored.arrays["A"]).any()
    assert stored.arrays["h"].tolist() == [Fraction(1, 3), Fraction(1, 10), Fraction(-3, 2000), Fraction(17), Fraction(0.1)]


def test_integers_beyond_float64_stay_exact(tmp_path: Path) -> None:
    stored = read_text(tmp_path, f'{{"A": [9007199254740993, 0.5], "h": [{10**22}], "b": [{10**400}]}}')
    assert stored.arrays["A"].tolist() == [Fraction(2**53 + 1), Fraction(1, 2)]
    assert stored.arrays["h"].tolist() == [1e22]
    assert stored.arrays["b"].tolist() == [Fraction(10**400)]


def test_settings_have_their_types_and_scalars_are_arrays(tmp_path: Path) -> None:
    stored = read_text(tmp_path, '{"model": "alrnn", "P": "2", "clipped": false, "a": "1/2", "s": 2, "note": "x", "C": null}')
    assert stored.meta == {"model": "alrnn", "P": 2, "clipped": False, "note": "x", "C": None}
    assert {name: array.tolist() for name, array in stored.arrays.items()} == {"a": Fraction(1, 2), "s": 2.0}


def test_layers_become_arrays_and_words(tmp_path: Path) -> None:
    text = '{"layers": [{"W": [[2], ["1/3"]], "b": [0, 1], "activation": "relu"}, {"W": [[1, 1]], "b": [0], "activation": "identity"}]}'
    stored = read_text(tmp_path, text)
    assert list(stored.arrays) == ["layers.0.W", "layers.0.b", "layers.1.W", "layers.1.b"]
    assert stored.meta == {"layers": ["relu", "identity"]}
    write(tmp_path / "again.json", stored)
    assert read(tmp_path / "again.json").same(stored)
    assert '"layers": [{"W": [["2"], ["1/3"]], "b": [0.0, 1.0], "activation": "relu"}' in (tmp_path / "again.json").read_text("utf-8")


def test_writes_shortest_floats_and_fractions(tmp_path: Path) -> None:
    stored = Stored({"A": np.array([0.1, 1e22, 5e-324]), "h": np.array([Fraction(1, 3), Fraction(4)], dtype=object)}, {"model": "plrnn"})
    write(tmp_path / "net.json", stored)
    assert (tmp_path / "net.json").read_text("utf-8") == '{"model": "plrnn", "A": [0.1, 1e+22, 5e-324], "h": ["1/3", "4"]}\n'


def test_empty_arrays_keep_their_shape_or_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    write(path, Stored({"A": np.zeros(0), "W": np.zeros((2, 0))}))
    assert read(path).arrays["W"].shape == (2, 0)
    assert letter(lambda: write(path, Stored({"W": np.zeros((0, 3))}))) == (
        "Unsupported at array W, JSON lists do not hold every empty shape\n  expected  an array with entries\n  got       shape (0, 3)"
    )
