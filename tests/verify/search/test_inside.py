"""Words inside a region: all that orbits follow, none that is excluded, and the excluded ones are as short as can be."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import inf

from proofs.network import Network
from proofs.theorems.word_path import Words
from verify.loading import load_network
from verify.numerics.linear_programs import decide
from verify.numerics.linear_systems import Farkas, Row
from verify.search.inside import Inside, words_inside

TRIANGLE = (((-4, -20, 5), False), ((-4, 16, 5), False), ((2, 1, 2), False))


def lozi() -> Network:
    return load_network({"model": "plrnn", "A": [["9/5", "1"], ["2/5", "0"]], "W": [["-18/5", "0"], ["0", "0"]], "h": ["1", "0"]})


def up_to(network: Network, facets: tuple[tuple[tuple[int, ...], bool], ...], length: int) -> Inside:
    return next(one for one in words_inside(network, facets, 10_000, inf) if one.length == length)


def is_empty(network: Network, bits: str, facets: tuple[tuple[tuple[int, ...], bool], ...]) -> bool:
    """Say by another linear program, all rows at once, whether no state of the region follows the closed word."""
    words = Words(network)
    path, width, rows = words.start, len(words.live), list(facets)
    for start in range(0, len(bits), width):
        letter = bits[start : start + width]
        new = [(words.row(path, letter[:i], bit)[0], False) for i, bit in enumerate(letter)]
        rows += new
        path = words.extended(path, letter, tuple(new)) if len(letter) == width else path
    return isinstance(decide([Row(form, strict=False) for form, _ in rows], network.dimension), Farkas)


def test_words_of_the_triangle_are_those_that_are_not_empty() -> None:
    inside = up_to(lozi(), TRIANGLE, 6)
    words = ("".join(bits) for bits in product("01", repeat=6))
    assert set(inside.words) == {word for word in words if not is_empty(lozi(), word, TRIANGLE)}
    assert len(inside.words) < 64


def test_excluded_words_are_empty_and_their_ends_are_not() -> None:
    inside = up_to(lozi(), TRIANGLE, 7)
    assert inside.forbidden
    for word, rows in inside.forbidden.items():
        assert is_empty(lozi(), word, TRIANGLE)
        assert not is_empty(lozi(), word[1:], TRIANGLE)
        assert not is_empty(lozi(), word[:-1], TRIANGLE)
        assert all(-3 <= row < len(word) for row in rows)


def test_all_states_follow_more_words_than_a_region() -> None:
    everywhere, region = up_to(lozi(), (), 6), up_to(lozi(), TRIANGLE, 6)
    assert set(region.words) < set(everywhere.words)


def test_a_letter_of_several_hinges_is_cut_short_where_that_suffices() -> None:
    ordered = load_network({"n": [[1], [1]], "b": [0, -1], "m": [[1, 1]], "a": 0}, model="low_rank")
    inside = up_to(ordered, (), 1)
    assert set(inside.words) == {"00", "10", "11"}
    assert inside.forbidden == {"01": (0, 1)}
    beyond = (((1, -2), False),)
    assert up_to(ordered, beyond, 1).forbidden == {"0": (-1, 0), "10": (-1, 1)}


def test_no_word_is_left_without_a_region_and_few_where_only_few_are_allowed() -> None:
    empty = (((1, 0, -1), False), ((-1, 0, 0), False))
    assert not list(words_inside(lozi(), empty, 100, inf))
    assert [one.length for one in words_inside(lozi(), (), 5, inf)] == [1, 2]


def test_an_affine_map_has_one_word_of_each_length() -> None:
    half = load_network({"model": "plrnn", "A": [["1/2"]], "W": [[0]], "h": [str(Fraction(1))]})
    assert up_to(half, (), 3).words == ("",)
