"""Trees of words along a path: cells that cover the range, trees the checker walks, and what is left when time is short."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from time import monotonic

import pytest

from proofs.network import Network
from proofs.parameters import Line
from tests.corpus.parts import hinges, plrnn
from verify.search import path_trees
from verify.search.path_trees import Question, grow


def skew(right: str) -> Network:
    """Return z/5 + 1 for z <= 0 and right z + 1 for z >= 0."""
    return plrnn([["1/5"]], [[str(Fraction(right) - Fraction(1, 5))]], [1])


def question(low: str, high: str, up_to: int = 1, reach: int = 20) -> Question:
    """Ask about the skew tents of a range of right slopes."""
    ends = Fraction(low), Fraction(high)
    box = ((Fraction(-reach),), (Fraction(reach),))
    return Question(skew(low), Line(skew(high), ends), *ends, up_to, box)


def test_one_cell_where_nothing_happens() -> None:
    grown = grow(question("-1/2", "1/2"), monotonic() + 60)
    assert (grown.breaks, grown.loose, grown.singular, grown.finished) == ((Fraction(-1, 2), Fraction(1, 2)), (), (), True)
    assert [[type(node) for node in nodes] for nodes in grown.cells] == [[int, int, int, dict]]


def test_cells_get_narrow_where_a_multiplier_is_one() -> None:
    grown = grow(question("1/2", "2"), monotonic() + 60)
    assert grown.finished
    assert not grown.singular  # |z| = 1 / |1 - mu| > 20 there
    assert (grown.breaks[0], grown.breaks[-1]) == (Fraction(1, 2), Fraction(2))
    widths = [high - low for low, high in pairwise(grown.breaks)]
    assert min(widths) > 0
    assert min(widths) < max(widths)
    assert len(grown.cells) == len(widths)


def test_cells_are_reported() -> None:
    heard: list[tuple[str, int, int]] = []
    grow(question("1/2", "2"), monotonic() + 60, lambda *what: heard.append(what))
    assert heard
    assert all(what == "cells" and 0 <= done <= total for what, done, total in heard)


def test_intervals_where_pieces_are_not_affine_in_mu() -> None:
    one, two = hinges(["-1"], [0], ["-1/2"], 1), hinges(["1"], [0], ["1/2"], 1)
    asked = Question(one, Line(two, (Fraction(0), Fraction(1))), Fraction(0), Fraction(1), 1, ((Fraction(-9),), (Fraction(9),)))
    grown = grow(asked, monotonic() + 60)
    assert (grown.finished, grown.singular) == (True, ())


def test_a_tree_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_trees, "MAX_NODES", 1)
    monkeypatch.setattr(path_trees, "MAX_HALVINGS", 1)
    assert not grow(question("-1/2", "1/2"), monotonic() + 60).finished


def test_the_same_trees_every_time() -> None:
    assert grow(question("-3", "-1/2", 2), monotonic() + 60) == grow(question("-3", "-1/2", 2), monotonic() + 60)
