"""Spectra of different sizes on one axis: the ends kept, lines between, and a floor that is counted."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from proofs.errors import Malformed
from verify.lyapunov.interpolation import interpolated


def test_the_largest_and_the_smallest_exponent_are_kept() -> None:
    spectra = [np.sort(np.random.default_rng(n).normal(size=n))[::-1] for n in (2, 5, 16, 33)]
    found = interpolated(spectra, 64)
    assert found.spectra.shape == (4, 64)
    assert found.sizes == (2, 5, 16, 33)
    np.testing.assert_array_equal(found.spectra[:, 0], [row[0] for row in spectra])
    np.testing.assert_allclose(found.spectra[:, -1], [row[-1] for row in spectra], rtol=1e-14)
    assert (np.diff(found.spectra, axis=1) <= 0).all()


def test_one_curve_sampled_at_different_sizes_is_one_curve() -> None:
    curve = [0.5 - 3.0 * np.linspace(0, 1, n) for n in (4, 7, 100)]
    np.testing.assert_allclose(interpolated(curve, 50).spectra - interpolated(curve, 50).spectra[0], 0.0, atol=1e-14)


def test_a_network_of_size_one_is_a_constant() -> None:
    assert interpolated([[-0.25], [0.0, -1.0]], 3).spectra.tolist() == [[-0.25] * 3, [0.0, -0.5, -1.0]]


def test_the_floor_is_counted_and_reported() -> None:
    found = interpolated([[0.0, -1.0, -inf, -inf], [0.0, -1.0, -2.0, -30.0]], 7, floor=-10.0)
    assert (found.infinite, found.lifted) == ((2, 0), (0, 1))
    np.testing.assert_allclose(found.spectra[0], [0.0, -0.5, -1.0, -5.5, -10.0, -10.0, -10.0], rtol=1e-14)
    assert found.touched.tolist() == [[False] * 3 + [True] * 4, [False] * 5 + [True] * 2]
    assert found.statement() == (
        "2 spectra of sizes 4 to 4 on 7 points. Floor -10 nats/step: 2 exponents were -inf and 1 finite ones lower; "
        "it has part in 42.9% of the values."
    )


def test_leading_exponents_end_where_the_shortest_does() -> None:
    found = interpolated([[0.0, -1.0], [0.0, -1.0, -2.0, -3.0, -4.0]], 2, sizes=(5, 5))
    assert found.axis.tolist() == [0.0, 0.25]
    assert found.spectra.tolist() == [[0.0, -1.0], [0.0, -1.0]]
    assert found.statement() == "2 spectra of sizes 5 to 5 on 2 points of the first 0.25 of the spectra. No floor."


@pytest.mark.parametrize(
    ("spectra", "options", "law"),
    [
        ([], {}, "spectra to interpolate"),
        ([[]], {}, "shape of a spectrum"),
        ([[[1.0]]], {}, "shape of a spectrum"),
        ([[nan, 0.0]], {}, "values of a spectrum"),
        ([[inf, 0.0]], {}, "values of a spectrum"),
        ([[0.0, 1.0]], {}, "order of a spectrum"),
        ([[0.0, -inf]], {}, "no line is drawn to -inf"),
        ([[0.0, -1.0]], {"length": 1}, "common length"),
        ([[0.0, -1.0]], {"floor": nan}, "floor of the exponents"),
        ([[0.0, -1.0]], {"sizes": (1,)}, "length of a spectrum"),
        ([[0.0]], {"sizes": (3,)}, "length of a spectrum"),
        ([[0.0, -1.0]], {"sizes": (2, 2)}, "one size for each spectrum"),
    ],
)
def test_bad_spectra_are_refused(spectra: list, options: dict, law: str) -> None:
    with pytest.raises(Malformed) as refused:
        interpolated(spectra, **options)
    assert refused.value.law == law


def test_the_remedy_for_minus_infinity_is_said() -> None:
    with pytest.raises(Malformed) as refused:
        interpolated([[0.0, -inf, -inf]])
    assert refused.value.got == "2 exponents -inf"
    assert "floor=-20.0" in refused.value.remedy
