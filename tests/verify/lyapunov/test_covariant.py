"""Covariant vectors: eigenvectors of constant matrices, tangents of the Henon map, and what cannot be had."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np
import pytest
import torch

from tests.verify.lyapunov.maps import henon, linear, random_net, tent
from verify.errors import Unsupported
from verify.lyapunov.covariant import Covariant, window
from verify.lyapunov.spectra import spectrum

A = [[0.5, 3.0, 0.1], [0.0, 0.2, 1.0], [0.0, 0.0, -0.9]]


def found_in(source: object, **wishes: Any) -> Covariant:  # noqa: ANN401 - of ``spectrum``
    found = spectrum(source, covariant=True, **wishes)
    assert found.covariant is not None
    assert not found.failed, found.failed
    assert "covariant" in {check.name for check in found.checks}
    return found.covariant


def test_a_constant_matrix_has_its_eigenvectors() -> None:
    found = found_in(linear(A), steps=600, tangent_warmup=200)
    numbers, vectors = np.linalg.eig(np.array(A))
    order = np.argsort(-np.abs(numbers))
    cosines = np.abs(np.einsum("tbnk,nk->tbk", found.vectors, vectors[:, order]))
    assert cosines == pytest.approx(np.ones(cosines.shape), abs=1e-10)
    assert found.growth[0, 0] == pytest.approx([log(0.9), log(0.5), log(0.2)], abs=1e-9)
    neighbours = [np.arccos(abs(vectors[:, order[i]] @ vectors[:, order[i + 1]])) for i in (0, 1)]
    assert found.angles == pytest.approx(np.full(found.angles.shape, min(neighbours)), abs=1e-9)


def test_henon_vectors_are_carried_into_each_other() -> None:
    system = henon()
    whole = spectrum(system, covariant=True, steps=900, batch=3)
    found = whole.covariant
    assert found is not None
    assert found.vectors.shape == (300, 3, 2, 2)
    assert found.growth.shape == (300, 3, 2)
    assert found.error < 1e-9
    assert np.linalg.norm(found.vectors, axis=2) == pytest.approx(np.ones((300, 3, 2)))
    assert found.growth.mean(axis=(0, 1)) == pytest.approx([entry.value for entry in whole.exponents], abs=0.05)
    assert 0 < found.angles.min() < 0.1  # tangencies: not hyperbolic
    assert found.angles.max() <= pi / 2


def test_leading_vectors_of_a_driven_net() -> None:
    net = random_net(20, 0.8)
    net.mode, net.input_size = "driven", 20
    inputs = torch.randn(700, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = found_in(net, inputs=inputs, k=4)
    assert found.vectors.shape[1:] == (1, 20, 4)


def test_the_run_is_the_same_with_and_without_vectors() -> None:
    one, other = (spectrum(henon(), steps=200, covariant=covariant) for covariant in (False, True))
    assert one.exponents == other.exponents


def test_directions_that_die_are_left_out() -> None:
    found = found_in(linear(np.diag([2.0, 0.5, 0.0]).tolist()), steps=300)
    assert found.vectors.shape == (100, 1, 3, 2)
    assert found_in(tent(1.9), steps=300, start=np.array([0.3, 0.0])).angles[0, 0] == pi / 2


def test_nothing_is_left_where_everything_dies() -> None:
    with pytest.raises(Unsupported, match="every direction dies"):
        spectrum(linear([[0.0, 1.0], [0.0, 0.0]]), steps=64, covariant=True)


def test_a_direction_that_dies_later_is_refused() -> None:
    system = linear([[0.5, 0.0], [0.0, 0.5]])
    system.rule, system.spread = lambda x: x + 1, 0.0
    system.jacobian = lambda x: torch.diag_embed(torch.cat([0.5 + 0 * x[:, :1], (x[:, 1:] < 80).to(x)], dim=1))
    with pytest.raises(Unsupported, match="a direction dies 69 steps into the measurement"):
        spectrum(system, steps=300, warmup=6, tangent_warmup=6, covariant=True)


def test_the_window_fits_the_memory() -> None:
    assert window(300, 1, (2, 2)) == (100, 100)
    assert window(10**6, 1, (2, 2)) == (1000, 1000)
    kept, beyond = window(10**6, 16, (1024, 1024))
    assert (kept, beyond) == (1, 2)
    assert window(1, 1, (2, 2)) == (1, 1)
