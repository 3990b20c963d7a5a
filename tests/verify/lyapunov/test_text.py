"""The generated text: the same for the same seed, and with the structure that makes it worth learning."""

from __future__ import annotations

import re

import numpy as np
import pytest

from proofs.errors import Malformed
from verify.lyapunov.text import _INTRANSITIVE, _NOUNS, LEAST, MOST, encoded, generated


def test_a_longer_text_begins_with_the_shorter_one() -> None:
    assert generated(5000, seed=3).characters.startswith(generated(400, seed=3).characters)
    assert generated(400, seed=3).characters != generated(400, seed=4).characters


def test_the_text_of_a_seed_stays_what_it_is() -> None:
    assert generated(LEAST).characters[:40] == 'the fire seeks some towers. "many ships '


def test_codes_spell_the_text() -> None:
    text = generated(2000)
    assert text.codes.dtype == np.int64
    assert "".join(text.alphabet[code] for code in text.codes) == text.characters
    assert list(text.alphabet) == sorted(set(text.characters))


def test_brackets_and_quotation_marks_are_closed() -> None:
    whole = generated(20_000).characters
    depth = np.cumsum([{"(": 1, ")": -1}.get(letter, 0) for letter in whole])
    assert depth.min() == 0
    assert depth.max() == 1
    for line in whole.split("\n")[:-1]:
        assert line.count('"') % 2 == 0


def test_subject_and_verb_agree() -> None:
    """Without a clause between them: singular subjects have a verb with s, plural ones without."""
    whole = generated(20_000).characters
    nouns, verbs = "|".join(_NOUNS), "|".join(_INTRANSITIVE)
    found = re.findall(rf"(?:^|[.] |\n)(every|many) (?:{nouns})(s?) (?:{verbs})(s?) ", whole)
    assert len(found) > 10
    for article, plural, verb in found:
        assert (article == "many") == (plural == "s") == (verb == "")


@pytest.mark.parametrize("length", [0, LEAST - 1, MOST + 1])
def test_lengths_outside_the_range(length: int) -> None:
    with pytest.raises(Malformed, match="length of a text") as caught:
        generated(length)
    assert caught.value.got == str(length)


def test_any_text_can_be_encoded() -> None:
    text = encoded("abba", "ab")
    assert text.codes.tolist() == [0, 1, 1, 0]
    with pytest.raises(Malformed, match="at least one character"):
        encoded("")
    with pytest.raises(Malformed, match="alphabet") as caught:
        encoded("abc", "ab")
    assert caught.value.got == "'c'"
