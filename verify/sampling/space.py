"""Random networks of several units h' = relu(W h + b), decided by the provers for any dimension: contraction, covering graph, snap-back.

Their searches stop by the clock, so these rows depend on the budget and on how fast the machine is: a larger budget decides more, and a
network near the edge may be undecided in one run and decided in the next. What is decided is proved either way: the recipe holds the steps
themselves, and no clock decides whether the kernel accepts them. What the searches draw at random depends on ``seed`` only. A single unit
is a map of the line, which is decided exactly and without a clock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.sampling.laws import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network
    from verify.certification.draft import Draft
    from verify.sampling.decide import Decisions
    from verify.sampling.families import Batch

_ORDER, _HORSESHOE = 0.25, 0.5  # shares of the budget for the first looks


def decide_space(batch: Batch, budget_seconds: float = 4.0, *, seed: int = 0) -> Decisions:
    """Decide every network of a batch of the family relu_rnn.

    ``theorem`` is the card of the step that decides: contraction, covering_graph or snap_back_repeller. ``recipe`` holds that step and
    those that it rests on or gives, {"claims": [numbers], "steps": [[theorem, [cites], witness], ...]}. ``period_2`` and ``period_3`` are
    0 where a contraction excludes them, else left open. One unit: as ``decide_exactly`` answers.

    **Guarantee:** chaotic and ordered are proved, their steps checked. Which networks stay undecided depends on the time searches had.
    **Cost:** up to about three times ``budget_seconds`` a network, and what the checks take.
    **Raises** Unsupported: another family; Malformed: a budget that is no positive number.
    """
    from verify.sampling.decide import Decisions

    _check(batch, budget_seconds)
    answer = Decisions.open(len(batch))
    for row in range(len(batch)):
        if batch.cell.width == 1:
            _enter_line(answer, row, batch.network(row))
        else:
            _enter(answer, row, batch.network(row), budget_seconds, seed)
    return answer


def _enter_line(answer: Decisions, row: int, network: Network) -> None:
    from verify.sampling.exact import decide_exactly

    found = decide_exactly(network)
    answer.put(row, found.verdict, found.theorem, found.recipe, checked=found.verdict != "undecided")
    answer.period_2[row], answer.period_3[row] = found.period_2, found.period_3


def _enter(answer: Decisions, row: int, network: Network, seconds: float, seed: int) -> None:
    from verify.certification.draft import Draft

    draft = Draft(network)
    if _contracts(draft, seconds):
        answer.put(row, "ordered", "contraction", _recipe(draft, [len(draft.facts)]), checked=True)
        answer.period_2[row] = answer.period_3[row] = 0
        return
    numbers = _chaos(draft, seconds, seed)
    if numbers:
        answer.put(row, "chaotic", draft.steps[numbers[0] - 1][0], _recipe(draft, numbers), checked=True)


def _contracts(draft: Draft, seconds: float) -> bool:
    from verify.certification.order import prove_contraction

    return prove_contraction(draft, _ORDER * seconds)[0] is not None


def _chaos(draft: Draft, seconds: float, seed: int) -> list[int]:
    """Return the steps that prove chaos, the deciding one first: a horseshoe of few boxes, or whatever the main job finds then."""
    from proofs.space import CoveringGraph, SnapBackRepeller
    from verify.certification.find import Effort
    from verify.certification.horseshoe import prove_horseshoe
    from verify.certification.outcome import CHAOS, Outcome
    from verify.certification.space import Searches, decide
    from verify.loading import Loaded
    from verify.search.horseshoe import find_horseshoe

    loaded = Loaded(draft.network, "network", "program", (), {}, {})
    horseshoe = find_horseshoe(draft.network, budget_seconds=_HORSESHOE * seconds, seed=seed)
    if horseshoe.covering is not None:
        proof = prove_horseshoe(draft, horseshoe.covering)
        if not isinstance(proof, str):
            return [proof.entropy[0], proof.chaos[0]]
    searches = Searches(loaded, None, Effort(budget_seconds=seconds, seed=seed), horseshoe=horseshoe, known="chaotic")
    outcome = Outcome(draft)
    decide(outcome, "chaos", searches)
    heads = [claim for claim in outcome.claims if isinstance(claim, CoveringGraph | SnapBackRepeller)]
    rest = [claim for claim in outcome.claims if isinstance(claim, CHAOS) and claim not in heads]
    return [draft.facts.index(claim) + 1 for claim in (*heads, *rest)] if outcome.decision == "chaotic" else []


def _recipe(draft: Draft, numbers: Sequence[int]) -> str:
    """Return these steps and all that they rest on, renumbered."""
    from verify.sampling.recipes import recipe_text

    wanted = set(numbers)
    for number in range(max(numbers), 0, -1):
        if number in wanted:
            wanted.update(draft.steps[number - 1][1])
    new = {old: i for i, old in enumerate(sorted(wanted), 1)}
    chosen = [draft.steps[old - 1] for old in sorted(wanted)]
    steps = [[theorem, [new[number] for number in cites], witness] for theorem, cites, witness in chosen]
    return recipe_text({"claims": [new[number] for number in numbers], "steps": steps})


def _check(batch: Batch, budget_seconds: float) -> None:
    if not FAMILIES[batch.cell.family].vector:
        law = "networks of several units"
        raise Unsupported(where=f"cell {batch.cell.text}", law=law, expected="the family relu_rnn", got=batch.cell.family)
    if not (math.isfinite(budget_seconds) and budget_seconds > 0):
        raise Malformed(where="budget", law="seconds a network", expected="a finite number above 0", got=repr(budget_seconds))
