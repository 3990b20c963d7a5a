"""Functions by IEEE's exact operations: accurate, and each entry by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import special

from verify.sampling.elementary import cosine, cube_root, folded_sum, logarithm, normal_quantile, sine

RANDOM = np.random.default_rng(1).random(20_000)
HALVES = RANDOM - 0.5
ANGLES = HALVES * (math.pi / 2)
SPREAD = np.exp(80 * HALVES)


def test_normal_quantiles_against_another_implementation() -> None:
    found = normal_quantile(HALVES)
    assert np.abs(found - special.ndtri(HALVES + 0.5)).max() < 2e-14
    assert np.array_equal(normal_quantile(-HALVES), -found)


@pytest.mark.parametrize("bits", [2, 5, 10, 20, 40, 53, 54])
def test_normal_quantiles_far_out_against_many_digits(bits: int) -> None:
    found = normal_quantile(np.array([2.0**-bits - 0.5]))[0]
    with mpmath.workdps(40):
        expected = -mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * mpmath.mpf(2) ** -bits)
        assert abs(found / expected - 1) < 2e-15


@pytest.mark.parametrize(
    ("function", "library", "arguments"),
    [(logarithm, np.log, SPREAD), (sine, np.sin, ANGLES), (cosine, np.cos, ANGLES), (cube_root, np.cbrt, SPREAD)],
)
def test_functions_against_the_library(function: Callable, library: Callable, arguments: np.ndarray) -> None:
    expected = library(arguments)
    assert np.all(np.abs(function(arguments) - expected) <= 4e-16 * np.maximum(np.abs(expected), 1e-3))


def test_special_arguments() -> None:
    assert cube_root(np.array([0.0, 1.0, 8.0, 2.0**-30])).tolist() == [0.0, 1.0, 2.0, 2.0**-10]
    assert logarithm(np.array([1.0, 0.5])).tolist() == [0.0, -math.log(2)]
    assert normal_quantile(np.array([0.0])).tolist() == [0.0]


@pytest.mark.parametrize("function", [normal_quantile, lambda x: logarithm(np.abs(x) + 0.1), sine, cosine, lambda x: cube_root(np.abs(x))])
def test_no_entry_depends_on_its_neighbours(function: Callable) -> None:
    whole = function(HALVES[:999])
    assert all(function(HALVES[i : i + 1])[0] == whole[i] for i in range(0, 999, 7))
    assert np.array_equal(function(HALVES[:999][::-3]), whole[::-3])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100])
def test_folded_sums_are_sums(size: int) -> None:
    numbers = np.rint(HALVES[: 3 * size] * 2**30).reshape(3, size)
    assert folded_sum(numbers).tolist() == [float(sum(map(Fraction, row))) for row in numbers.tolist()]
