"""What rounding leaves open goes to exact tables, and the recipe found there is one that the kernel accepts again."""

from __future__ import annotations

import numpy as np
import pytest

from verify.certification.sampled import certify_recipe
from verify.sampling.decide import decide
from verify.sampling.families import Batch, Cell


def twins(slope: float) -> Batch:
    """Return a tent of this slope whose units come twice, with knots at thirds: no float tells their order."""
    outer = np.array([[[slope / 6, slope / 6, -slope / 3, -slope / 3]]])
    weights = (np.full((1, 4, 1), 3.0), outer)
    return Batch(
        Cell("he", 4, 1.0, output="identity"), 0, weights, (np.array([[1.0, 1.0, -1.0, -1.0]]), np.array([[-1 / 3]])), ("relu", "identity")
    )


@pytest.mark.parametrize(("slope", "verdict", "two", "three"), [(1.9, "chaotic", 1, 1), (1.3, "chaotic", 1, 0), (0.8, "ordered", 0, 0)])
def test_twins_are_decided_exactly(slope: float, verdict: str, two: int, three: int) -> None:
    batch = twins(slope)
    answer = decide(batch)
    assert (answer.verdict[0], answer.theorem[0], bool(answer.checked[0])) == (verdict, "steps", True)
    assert (answer.period_2[0], answer.period_3[0]) == (two, three)
    claims = [claim.kind for claim in certify_recipe(batch.network(0), "steps", str(answer.recipe[0])).claims]
    assert bool({"order", "contraction"} & set(claims)) == (verdict == "ordered")
