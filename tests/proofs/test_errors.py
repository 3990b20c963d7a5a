"""The letter that every failure writes."""

from __future__ import annotations

import pytest

from proofs.errors import Malformed, OrbitproofError, Rejected, plain, shorten

FIELDS = {"where": "step 3", "law": "theorem cycle, check 4", "expected": "more", "got": "less"}


def test_letters() -> None:
    text = "Rejected at step 3, theorem cycle, check 4\n  expected  more\n  got       less"
    assert str(Rejected(**FIELDS)) == text
    assert str(Malformed(**FIELDS, remedy="try")) == text.replace("Rejected", "Malformed") + "\n  remedy    try"
    assert Rejected(**FIELDS).as_json() == {"verdict": "Rejected", **FIELDS, "remedy": ""}
    assert issubclass(Rejected, OrbitproofError)
    assert not issubclass(Rejected, Malformed)


def test_long_fields_are_cut() -> None:
    assert shorten("x" * 300) == "x" * 300
    assert shorten("x" * 301) == "x" * 300 + "... (301 characters)"
    assert Rejected(**{**FIELDS, "got": "x" * 999}).got == "x" * 300 + "... (999 characters)"


@pytest.mark.parametrize(
    ("text", "told"), [("a\nProved  b", "a\\nProved  b"), ("\x1b[2J", "\\x1b[2J"), ("\ud800", "\\ud800"), ("é ≤ 'x'", "é ≤ 'x'")]
)
def test_no_field_can_imitate_another_line(text: str, told: str) -> None:
    assert plain(text) == told
    for field in FIELDS:
        letter = Rejected(**{**FIELDS, field: text})
        assert letter.as_json()[field] == told
        assert len(str(letter).splitlines()) == 3
        assert str(letter).encode("utf-8")
