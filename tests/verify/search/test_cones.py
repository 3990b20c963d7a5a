"""Quadratic forms on words: rates as good as the cycles allow, forms that do what they should after rounding, graphs of words."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import inf, log
from time import monotonic

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.inertia import is_positive_definite, pivot_signs
from verify.numerics.batch import Floats
from verify.numerics.cone_forms import FormGraph, congruence, growing, matrices_of, shrinking, vector_of
from verify.search.cones import WordForms, WordGraph

TOLERANCE = 1e-4


def lozi(a: float, b: float) -> dict[str, Floats]:
    return {"0": np.array([[a, 1.0], [b, 0.0]]), "1": np.array([[-a, 1.0], [b, 0.0]])}


def all_words(memory: int, letters: str = "01") -> list[str]:
    return ["".join(word) for word in product(letters, repeat=memory + 1)]


def exact(table: Floats) -> Matrix:
    return Matrix.exact([[Fraction(float(value)) for value in row] for row in table])


def require(found: WordForms, words: list[str], memory: int, jacobians: dict[str, Floats], growth: bool) -> None:
    """Check all conditions exactly, by code of this test alone but for the signs of pivots."""
    square = found.rate * found.rate
    for word in words:
        one, two = found.forms[word[:memory]], found.forms[word[1:]]
        jacobian = exact(jacobians[word[0]])
        moved = jacobian.transposed() @ two @ jacobian
        gap = moved - one.times(square) if growth else one.times(square) - moved
        assert is_positive_definite(gap, found.bits)
    for form in found.forms.values():
        assert form.mid == form.transposed().mid
        assert (1 in pivot_signs(form, found.bits)) if growth else is_positive_definite(form, found.bits)


@pytest.mark.parametrize("memory", [1, 3])
def test_lozi_bounds_are_those_of_its_two_cycle_and_its_fixed_point(memory: int) -> None:
    jacobians, words = lozi(1.7, 0.5), all_words(memory)
    graph = WordGraph.of(words, memory, jacobians)
    lower, upper = graph.lower(TOLERANCE, inf), graph.upper(TOLERANCE, inf)
    assert lower is not None
    cycle = log(max(abs(np.linalg.eigvals(jacobians["0"] @ jacobians["1"])))) / 2
    fixed = log(max(abs(np.linalg.eigvals(jacobians["1"]))))
    assert cycle - 3 * TOLERANCE < log(lower.rate) < cycle
    assert fixed < log(upper.rate) < fixed + 3 * TOLERANCE
    require(lower, words, memory, jacobians, growth=True)
    require(upper, words, memory, jacobians, growth=False)


def test_memory_pays_where_a_word_is_forbidden() -> None:
    """Two growing letters in turn are excluded by the graph itself: only with memory 1 does the bound know."""
    jacobians = {"0": np.array([[3.0]]), "1": np.array([[1.0]])}
    words = [word for word in all_words(1) if word != "00"]
    graph = WordGraph.of(words, 1, jacobians)
    upper, lower = graph.upper(TOLERANCE, inf), graph.lower(TOLERANCE, inf)
    assert lower is not None
    assert log(3) / 2 < log(upper.rate) < log(3) / 2 + 3 * TOLERANCE
    assert -3 * TOLERANCE < log(lower.rate) < 0
    require(upper, words, 1, jacobians, growth=False)


def test_a_rotation_by_different_angles_has_bounds_from_both_sides() -> None:
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    graph = WordGraph.of(all_words(1), 1, {"0": 2 * turn, "1": 3 * np.eye(2)})
    lower, upper = graph.lower(TOLERANCE, inf), graph.upper(TOLERANCE, inf)
    assert lower is not None
    assert log(lower.rate) == pytest.approx(log(2), abs=1e-3)
    assert log(upper.rate) == pytest.approx(log(3), abs=1e-3)


def test_where_a_cycle_collapses_there_is_no_lower_bound() -> None:
    jacobians = {"0": np.zeros((2, 2)), "1": np.diag([2.0, 0.5])}
    graph = WordGraph.of(all_words(1), 1, jacobians)
    assert graph.slowest == (0.0, ("0",))
    assert graph.lower(TOLERANCE, inf) is None
    assert log(graph.upper(TOLERANCE, inf).rate) == pytest.approx(log(2), abs=1e-3)


def test_cones_that_turn_over_have_no_lower_bound() -> None:
    """What one letter expands the other contracts: some product of both stays small."""
    jacobians = {"0": np.diag([3.0, 0.1]), "1": np.diag([0.1, 3.0])}
    graph = WordGraph.of(all_words(1), 1, jacobians)
    lower = graph.lower(TOLERANCE, inf)
    assert lower is None or log(lower.rate) < log(0.3) / 2


def test_forms_of_a_short_memory_serve_a_longer_one() -> None:
    jacobians = {"0": np.diag([3.0, 0.5]), "1": np.array([[1.0, 2.0], [0.0, 0.5]])}
    short = WordGraph.of(all_words(1), 1, jacobians)
    lower, upper = short.lower(TOLERANCE, inf), short.upper(TOLERANCE, inf)
    assert lower is not None
    longer = WordGraph.of(all_words(2), 2, jacobians)
    require(lower.on(longer.nodes), all_words(2), 2, jacobians, growth=True)
    require(upper.on(longer.nodes), all_words(2), 2, jacobians, growth=False)
    late = monotonic() - 1
    assert longer.lower(TOLERANCE, late, lower) == lower.on(longer.nodes)
    assert longer.upper(TOLERANCE, late, upper) == upper.on(longer.nodes)


def test_without_time_the_norm_is_the_upper_bound() -> None:
    jacobians = lozi(1.7, 0.5)
    graph = WordGraph.of(all_words(1), 1, jacobians)
    assert graph.lower(TOLERANCE, monotonic() - 1) is None
    upper = graph.upper(TOLERANCE, monotonic() - 1)
    assert log(upper.rate) == pytest.approx(log(np.linalg.norm(jacobians["0"], 2)), abs=3e-4)
    require(upper, all_words(1), 1, jacobians, growth=False)


def test_vectors_of_symmetric_matrices_keep_products_and_congruences() -> None:
    random = np.random.default_rng(0)
    halves = random.normal(size=(2, 4, 4))
    forms, jacobian = halves + halves.transpose(0, 2, 1), random.normal(size=(4, 4))
    vectors = vector_of(forms)
    assert np.allclose(vectors[0] @ vectors[1], np.trace(forms[0] @ forms[1]))
    assert np.allclose(matrices_of(vectors, 4), forms)
    assert np.allclose(congruence(jacobian) @ vectors[0], vector_of((jacobian.T @ forms[0] @ jacobian)[None])[0])


def test_rates_beyond_what_is_possible_have_no_forms() -> None:
    graph = FormGraph(1, [(0, 0, 0)], np.array([[[2.0, 0.0], [0.0, 0.5]]]), np.array([[1.0, 0.0]]), np.ones(1))
    assert growing(graph, 2.01) is None
    assert shrinking(graph, 1.99) is None
    margin, forms = growing(graph, 1.9) or (0.0, np.empty(0))
    assert margin > 0
    assert forms[0, 0, 0] > 0 > forms[0, 1, 1]
