"""The automaton finds what trying every place finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verify.certification.factors import avoiding, minimal

WORDS = st.sets(st.text("01", min_size=1, max_size=9), max_size=12)


def occurs(word: str, text: str, width: int) -> bool:
    return any(text.startswith(word, start) for start in range(0, len(text), width))


@given(WORDS, st.integers(1, 4))
def test_minimal_words_contain_no_other(words: set[str], width: int) -> None:
    kept = [word for word in sorted(words) if not any(other != word and occurs(other, word, width) for other in words)]
    assert minimal({word: (len(word),) for word in words}, width) == {word: (len(word),) for word in kept}


@given(WORDS, st.lists(st.lists(st.text("01", min_size=2, max_size=2), min_size=1, max_size=4), max_size=5))
def test_closed_words_that_avoid(words: set[str], closed: list[list[str]]) -> None:
    found = avoiding(map(tuple, closed), words, 2)
    assert found == {tuple(word) for word in closed if not any(occurs(other, "".join(word * 2), 2) for other in words)}


def test_without_hinges_nothing_is_forbidden() -> None:
    assert minimal({}, 0) == {}
    assert avoiding([("", "")], {}, 0) == {("", "")}
