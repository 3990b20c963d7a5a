"""Words and their rotations: which closed itineraries are the same, and which are powers of shorter ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Letter = TypeVar("Letter", bytes, int, str)


def least_rotation(word: Sequence[Letter]) -> int:
    """Return the first index at which the least rotation of a word starts.

    **Guarantee:** exact. **Cost:** linear. **See:** Shiloach 1981, Fast canonization of circular strings (J. Algorithms 2, 107-121).

    **Example:**

    >>> least_rotation("babab")
    1
    """
    size, one, two, matched = len(word), 0, 1, 0
    while one < size and two < size and matched < size:
        left, right = word[(one + matched) % size], word[(two + matched) % size]
        if left == right:
            matched += 1
            continue
        if left > right:
            one += matched + 1
        else:
            two += matched + 1
        two += one == two
        matched = 0
    return min(one, two)


def rotated(word: tuple[Letter, ...]) -> tuple[Letter, ...]:
    """Return the least rotation of a word: one name for a closed itinerary.

    >>> rotated(("b", "a", "b"))
    ('a', 'b', 'b')
    """
    start = least_rotation(word)
    return word[start:] + word[:start]


def root_length(word: Sequence[Letter]) -> int:
    """Return the length of the shortest word of which this one is a power.

    >>> root_length("abab"), root_length("aba")
    (2, 3)
    """
    size = len(word)
    border = [0] * size  # Knuth, Morris, Pratt: the longest proper prefix that is also a suffix
    for i in range(1, size):
        j = border[i - 1]
        while j and word[i] != word[j]:
            j = border[j - 1]
        border[i] = j + (word[i] == word[j])
    period = size - border[-1]
    return period if size % period == 0 else size
