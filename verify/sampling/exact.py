"""The exact decision of the few networks that floats leave open, with limits that do not depend on the clock."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from proofs.claims import Claim, Contraction, Order
from verify.certification.draft import Draft
from verify.certification.scalar_case import Case
from verify.certification.scalar_decide import decide
from verify.certification.scalar_steps import add_pieces
from verify.numerics.interval_maps import Powers
from verify.sampling.recipes import recipe_text

if TYPE_CHECKING:
    from proofs.network import Network
    from proofs.piecewise import PiecewiseLinear

MOST_KNOTS = 4_096
PATIENCE = 600.0  # seconds: a guard that the knots reach first


@dataclass(frozen=True)
class ExactDecision:
    """A verdict with the recipe that proves it; periods as in ``Decisions``."""

    verdict: str
    theorem: str
    recipe: str
    period_2: int
    period_3: int


def decide_exactly(network: Network) -> ExactDecision:
    """Decide one scalar piecewise-linear network with exact tables of at most 4,096 knots.

    **Guarantee:** exact; every step of the recipe was checked. **Cost:** up to seconds.
    """
    draft = Draft(network)
    table = add_pieces(draft, MOST_KNOTS)
    if table is None:
        return ExactDecision("undecided", "", "", -1, -1)
    deadline = monotonic() + PATIENCE
    powers = Powers(table[1], MOST_KNOTS, deadline)
    two, three = _has(powers, 2), _has(powers, 3)
    case = Case(draft, MOST_KNOTS, PATIENCE, deadline, None, table=table[0], powers=Powers(table[1], MOST_KNOTS, deadline))
    decide(case, thorough=False)
    if case.decision == "undecided":
        return ExactDecision("undecided", "", "", two, three)
    claims = [draft.facts.index(claim) + 1 for claim in case.claims if _says(claim, case.decision)]
    steps = [[theorem, list(cites), witness] for theorem, cites, witness in draft.steps]
    return ExactDecision(case.decision, "steps", recipe_text({"claims": claims, "steps": steps}), two, three)


def _says(claim: Claim, decision: str) -> bool:
    return isinstance(claim, Contraction | Order) == (decision == "ordered") and claim.kind != "pieces"


def _has(powers: Powers, prime: int) -> int:
    power = powers.get(prime)
    return -1 if power is None else int(_moves(powers.function, power))


def _moves(function: PiecewiseLinear, power: PiecewiseLinear) -> bool:
    """Say whether F moves a point that F^p fixes, p prime."""
    points, spans = power.fixed_points()
    return any(function(x) != x for x in points) or not all(function.is_identity_on(span) for span in spans)
