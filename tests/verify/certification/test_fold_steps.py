"""Witnesses of folds and flips, from floats to the kernel."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest

from proofs.errors import Rejected
from proofs.network import Network
from proofs.parameters import SmoothFold
from tests.corpus import pairs as corpus
from tests.corpus.parts import plrnn
from verify.certification.draft import Draft
from verify.certification.fold_steps import fold_witness
from verify.errors import NotFound
from verify.models.gated import Layer, step_program
from verify.paths import Path
from verify.search.folds import FoldCandidate, find_folds


def candidate(mu: float, points: list[list[float]], vectors: list[list[float]], twist: int = 1) -> FoldCandidate:
    """Return a candidate from plain numbers."""
    return FoldCandidate(twist, mu, np.array(points), np.array(vectors))


def proved(path: Path, suggestion: FoldCandidate, bits: int = 160) -> SmoothFold:
    """Return the claim of the certificate that the builder's witness makes, checked from its bytes."""
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    _, claim = draft.add("smooth_fold", fold_witness(path, suggestion, bits), [number])
    assert isinstance(claim, SmoothFold)
    assert draft.finish([claim])[1].claims == (claim,)
    return claim


def line(ends: corpus.Ends, low: str = "0", high: str = "1") -> Path:
    """Return the path between two networks."""
    return Path(*ends, Fraction(low), Fraction(high))


@pytest.mark.parametrize("bits", [60, 160, 400])
def test_a_rough_guess_is_polished_to_the_working_precision(bits: int) -> None:
    path = line((corpus.quadratic(-1), corpus.quadratic(1)), "-1", "1")
    claim = proved(path, candidate(-0.2499, [[-0.501]], [[1.0]]), bits=bits)
    assert claim.low < Fraction(-1, 4) < claim.high
    assert claim.high - claim.low < Fraction(1, 1 << (bits - 32))
    assert claim.side == "after"


def test_a_cycle_of_two() -> None:
    path = line((corpus.quadratic(1), corpus.quadratic("3/2")), "1", "3/2")
    root = math.sqrt(2)
    claim = proved(path, candidate(1.25, [[(1 + root) / 2], [(1 - root) / 2]], [[1.0], [-1 - root]], -1))
    assert claim.low < Fraction(5, 4) < claim.high
    assert (claim.twist, claim.side, len(claim.points)) == (-1, "after", 2)


def test_a_larger_ball_is_a_stronger_statement() -> None:
    path = line((corpus.quadratic(-1), corpus.quadratic(1)), "-1", "1")
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    witness = fold_witness(path, candidate(-0.25, [[-0.5]], [[1.0]]), radius=Fraction(1, 64))
    _, claim = draft.add("smooth_fold", witness, [number])
    assert isinstance(claim, SmoothFold)
    assert claim.radius == Fraction(1, 64)


def gated(kind: Literal["gru", "lstm"], gain: float) -> Network:
    """Return a layer of two gated units without input, each driving itself with this gain."""
    gates = 3 if kind == "gru" else 4
    weights = np.zeros((2 * gates, 2))
    weights[-4:-2] = weights[-2:] = gain * np.array([[1.0, 0.125], [0.25, -0.5]])
    return step_program([Layer(kind, np.zeros((2 * gates, 1)), weights, b_hh=np.linspace(-0.25, 0.25, 2 * gates))])


@pytest.mark.parametrize("kind", ["gru", pytest.param("lstm", marks=pytest.mark.slow)])
def test_gated_units(kind: Literal["gru", "lstm"]) -> None:
    path = line((gated(kind, 0.5), gated(kind, 16.0)))
    found = find_folds(path, up_to=1, samples=1, starts=4)
    assert found
    for event in found:
        claim = proved(path, event)
        assert abs(claim.low - Fraction(event.mu)) < Fraction(1, 10**6)


def test_what_is_no_fold_is_not_found() -> None:
    soft = line((corpus.steep("1/2", -1), corpus.steep("1/2", 1)), "-1", "1")
    with pytest.raises(NotFound, match="does not converge"):
        fold_witness(soft, candidate(0.5, [[0.5]], [[1.0]]))
    fork = line((corpus.steep("1/2", 0), corpus.steep("3/2", 0)), "1/2", "3/2")
    with pytest.raises(NotFound, match="is singular"):
        fold_witness(fork, candidate(1.0, [[0.0]], [[1.0]]))
    broken = line((plrnn([[1]], [[0]], [0]), plrnn([[2]], [[0]], [0])))
    with pytest.raises(Rejected, match="an operation relu"):
        fold_witness(broken, candidate(0.5, [[0.0]], [[1.0]]))


def test_few_bits_are_refused_by_the_kernel() -> None:
    path = line((corpus.steep(2, -1), corpus.steep(2, 0)), "-1", "0")
    z = math.sqrt(0.5)
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    witness = fold_witness(path, candidate(math.atanh(z) - 2 * z, [[z]], [[1.0]])) | {"bits": 40}
    with pytest.raises(Rejected, match="check 3"):
        draft.add("smooth_fold", witness, [number])
