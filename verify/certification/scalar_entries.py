"""The cycles among a scalar network's claims, as the answers list them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.claims import AllCycles, BallCycle, Cycle, ExactCycle, MultiplierModuli, Stability
from proofs.wording import span_text
from verify.answers import CycleEntry
from verify.certification.cycles import BORDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proofs.claims import Claim, CycleClaim
    from proofs.network import Network


@dataclass(frozen=True)
class Listing:
    """Entries, the residual intervals in words, and the period up to which the list is proved complete (0: not at all)."""

    entries: list[CycleEntry]
    residual: tuple[str, ...]
    up_to: int


def scalar_entries(network: Network, claims: Iterable[Claim]) -> Listing:
    """List each cycle named by a claim once, with its multiplier and stability where there is one."""
    cycles: dict[CycleClaim, Stability | None] = {}
    residual: list[str] = []
    up_to = 0
    for claim in claims:
        if isinstance(claim, AllCycles):
            up_to = max(up_to, claim.up_to)
            residual.extend(f"F^{k} is the identity on {span_text((low, high))}" for k, low, high in claim.residual)
            for cycle in claim.cycles:
                cycles.setdefault(cycle, None)
        elif isinstance(claim, Stability):
            cycles[claim.cycle] = claim
        elif isinstance(claim, MultiplierModuli):
            cycles.setdefault(claim.cycle, None)
        elif isinstance(claim, ExactCycle | Cycle | BallCycle):
            cycles.setdefault(claim, None)
    entries = [_entry(network, cycle, stability) for cycle, stability in cycles.items()]
    return Listing(sorted(entries, key=lambda entry: entry.period), tuple(residual), up_to)


def _entry(network: Network, cycle: CycleClaim, stability: Stability | None) -> CycleEntry:
    radius = cycle.radius if isinstance(cycle, Cycle | BallCycle) else Fraction(0)
    points = tuple(tuple(Interval(x - radius, x + radius) for x in point) for point in cycle.points)
    product, itinerary, margin = _multiplier(network, cycle)
    return CycleEntry(
        period=cycle.period,
        itinerary=itinerary,
        points=points,
        multipliers=None if product is None else ((Interval(product, product), Interval(Fraction(0), Fraction(0))),),
        inside=None if stability is None else stability.inside,
        outside=None if stability is None else stability.outside,
        label=None if stability is None else stability.label,
        margin=margin,
        signs=None if product is None else (_sign(1 - product), _sign(1 + product)),
        note=BORDER if margin == 0 else "" if product is None or abs(product) != 1 else "its multiplier has modulus 1",
        statement=(stability or cycle).statement(),
    )


def _multiplier(network: Network, cycle: CycleClaim) -> tuple[Fraction | None, tuple[str, ...] | None, Fraction | None]:
    """Return the exact product of slopes, the itinerary and the least absolute pre-activation of an exact cycle."""
    if not isinstance(cycle, ExactCycle) or not network.is_exact:
        return None, None, None
    product, patterns = Fraction(1), []
    margin: Fraction | None = None
    for point in cycle.points:
        state = Matrix.column(point)
        gates = [abs(gate.middle(i)) for gate in network.trace(state)[1] for i in range(len(gate.mid))]
        margin = min([*gates, *([margin] if margin is not None else [])], default=None)
        pattern = network.pattern(state)
        if pattern is None:
            return None, None, Fraction(0)
        patterns.append(pattern)
        product *= network.piece(pattern).jacobian.middle(0, 0)
    return product, tuple(patterns), margin


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
