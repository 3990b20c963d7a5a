"""Random networks of several units, decided by the provers for any dimension."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from proofs.claims import Contraction, ScrambledSet
from proofs.errors import Malformed
from proofs.kernel import check
from proofs.space import CoveringGraph
from verify.certification.draft import Draft
from verify.errors import Unsupported
from verify.sampling.families import Batch, Cell, draw
from verify.sampling.space import decide_space

TENT = [[1.9, -4.0], [1.9, -4.0]], [0.0, -0.5]
TENT_OF_THREE = [[1.9, -4.0, 0.1], [1.9, -4.0, 0.1], [0.1, 0.1, 0.1]], [0.0, -0.5, 0.0]
CONTRACTION = [[0.5, -0.2], [0.1, 0.2]], [1.0, 1.0]
ESCAPE = [[2.0, 0.0], [0.0, 3.0]], [1.0, 1.0]


def batch_of(*networks: tuple[list[list[float]], list[float]]) -> Batch:
    weights, biases = (np.array(part) for part in zip(*networks, strict=True))
    return Batch(Cell("relu_rnn", biases.shape[1], 1.0), 0, (weights,), (biases,), ("relu",))


def replayed(batch: Batch, row: int, recipe: str) -> list[object]:
    """Run the recipe's steps from the start, write the certificate, have its bytes checked, and return what it claims."""
    content, draft = json.loads(recipe), Draft(batch.network(row))
    for theorem, cites, witness in content["steps"]:
        draft.add(theorem, witness, cites)
    certificate, _ = draft.finish([draft.facts[number - 1] for number in content["claims"]])
    check(certificate)
    return list(certificate.claims)


def test_chaos_order_and_neither() -> None:
    batch = batch_of(TENT, CONTRACTION, ESCAPE)
    found = decide_space(batch, 20.0)  # found within a second; the rest is for busy machines
    assert found.verdict.tolist() == ["chaotic", "ordered", "undecided"]
    assert found.theorem.tolist() == ["covering_graph", "contraction", ""]
    assert found.checked.tolist() == [True, True, False]
    assert found.period_2.tolist() == found.period_3.tolist() == [-1, 0, -1]
    graph, chaos = replayed(batch, 0, found.recipe[0])
    assert isinstance(graph, CoveringGraph)
    assert isinstance(chaos, ScrambledSet)
    assert isinstance(replayed(batch, 1, found.recipe[1])[0], Contraction)
    assert found.recipe[2] == ""


def test_three_units() -> None:
    batch = batch_of(TENT_OF_THREE)
    found = decide_space(batch, 20.0)  # found within a second; the rest is for busy machines
    assert found.verdict.tolist() == ["chaotic"]
    assert len(replayed(batch, 0, found.recipe[0])) == 2


def test_drawn_networks_of_small_weights_contract() -> None:
    batch = draw(Cell("relu_rnn", 3, 0.4), 1, 10, 4)
    found = decide_space(batch, 1.0)
    assert found.verdict.tolist() == ["ordered"] * 4
    assert all(isinstance(replayed(batch, i, found.recipe[i])[0], Contraction) for i in range(4))


def test_one_unit_is_decided_exactly() -> None:
    found = decide_space(draw(Cell("relu_rnn", 1, 2.0), 1, 0, 6))
    assert found.verdict.tolist() == ["ordered"] * 6
    assert found.period_3.tolist() == [0] * 6


def test_impossible_questions_are_refused() -> None:
    batch = batch_of(CONTRACTION)
    for budget in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(Malformed, match="a finite number above 0"):
            decide_space(batch, budget)
    with pytest.raises(Unsupported, match="the family relu_rnn"):
        decide_space(draw(Cell("he", 2, 1.0), 1, 0, 1))
