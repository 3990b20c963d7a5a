"""Order in any dimension: contraction (C1), the cheap norms first.

Where nothing contracts everywhere: contraction on a box (D9) for smooth networks, uniqueness whatever the biases (A5) for the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.claims import Contraction
from proofs.errors import Rejected
from proofs.theorems.cyclic_system import MAX_UNKNOWNS
from proofs.theorems.lifted import live_hinges
from verify.center import without_radius
from verify.certification.box_contraction import prove_box_contraction
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.certification.unique import unique_witness
from verify.numerics.balls import SingularError
from verify.rounding import float_above
from verify.search.contraction import contraction_form, contraction_weights, why_no_form
from verify.search.cyclic import plan

if TYPE_CHECKING:
    from proofs.claims import Claim
    from proofs.network import Network
    from verify.numerics.form_rates import FormWitness
    from verify.numerics.sector_barrier import Shape

_SMOOTH_BITS = 96
_SECONDS = 60.0
_BOX_SHARE = 0.3
_SHAPES: tuple[tuple[Shape, str, float], ...] = (
    ("identity", "Euclidean norm", 0.1),
    ("diagonal", "diagonal form", 0.2),
    ("full", "full form", 0.7),
)


@dataclass
class OrderReport:
    """What was proved of order, and for each card that proved nothing what it was tried with and how far it got."""

    claims: list[Claim] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def is_ordered(self) -> bool:
        """Say whether a contraction is among the claims (uniqueness of a fixed point alone does not exclude chaos)."""
        return any(isinstance(claim, Contraction) for claim in self.claims)


def prove_order(draft: Draft, seconds: float = _SECONDS) -> OrderReport:
    """Add C1 by the first norm that contracts; where none does, D9 for smooth networks and A5 for piecewise-linear ones.

    D9 speaks of one box, which all orbits that start in it never leave, and of its one fixed point.
    **Guarantee:** every claim was checked by its card. **Cost:** at most about ``seconds``.
    """
    report = OrderReport()
    claim, reason = prove_contraction(draft, seconds)
    if claim is not None:
        report.claims.append(claim)
        return report
    report.reasons.append(reason)
    if not draft.network.is_piecewise_linear:
        on_box = prove_box_contraction(draft, seconds=_BOX_SHARE * seconds, below=Fraction(1))
        report.claims += [] if on_box.claim is None else [on_box.claim]
        report.reasons += on_box.reasons
        return report
    claim, reason = prove_unique(draft)
    if claim is not None:
        report.claims.append(claim)
    else:
        report.reasons.append(reason)
    return report


def prove_contraction(draft: Draft, seconds: float = _SECONDS) -> tuple[Claim | None, str]:
    """Add C1 with the first norm that contracts; return its claim, or None and how far each norm got.

    In turn: the best weighted max norm; then quadratic forms valid for all slopes: the Euclidean norm, a diagonal form, a full one.
    """
    claim, reason = _by_max_norm(draft)
    if claim is not None:
        return claim, ""
    claim, more = _by_forms(draft, seconds)
    return claim, "" if claim is not None else f"contraction (C1): {reason}; {more}"


def prove_unique(draft: Draft) -> tuple[Claim | None, str]:
    """Add A5 for period 1: exactly one fixed point whatever the biases (exact piecewise-linear networks); or None and why not."""
    network, steps = draft.network, len(draft.facts)
    if not network.is_piecewise_linear or not network.is_exact:
        return None, "unique fixed point (A5): for exact piecewise-linear networks only"
    live = len(live_hinges(network))
    if not 1 <= live <= MAX_UNKNOWNS:
        return None, f"unique fixed point (A5): for 1 to {MAX_UNKNOWNS} hinges that read the state, not {live}"
    try:
        chosen = plan(network, 1, pilot=False)
        witness = unique_witness(network, chosen.system)
        if witness is None:
            return None, "unique fixed point (A5): no scaling found, and not all minors are positive or there are too many"
        number, _ = draft.add("cyclic_system", chosen.witness)
        return draft.add("unique_for_every_bias", witness, (number,))[1], ""
    except SingularError:
        return None, "unique fixed point (A5): I - J is singular for every base pattern that was tried"
    except Rejected as failure:
        while len(draft.facts) > steps:
            draft.drop(len(draft.facts))
        return None, f"unique fixed point (A5): {in_short(failure)}"


def _by_max_norm(draft: Draft) -> tuple[Claim | None, str]:
    bits = None if draft.network.is_piecewise_linear else _SMOOTH_BITS
    try:
        weights, rate = contraction_weights(draft.network, bits)
        if rate >= 1:
            return None, f"the best weighted max norm found has factor {float_above(rate):.6g}, which is not below 1"
        witness: dict[str, object] = {"weights": spelled(weights), "rate": spelled([rate])[0]}
        return draft.add("contraction", witness if bits is None else witness | {"bits": bits})[1], ""
    except Rejected as failure:
        return None, f"weighted max norm: {in_short(failure)}"


def _by_forms(draft: Draft, seconds: float) -> tuple[Claim | None, str]:
    center = without_radius(draft.network)
    why = why_no_form(center)
    if why is not None:
        return None, f"quadratic forms: {why}"
    reasons = []
    for shape, name, share in _SHAPES:
        claim, reason = _by_form(draft, center, shape, share * seconds)
        if claim is not None:
            return claim, ""
        reasons.append(f"{name}: {reason}")
    return None, "; ".join(reasons)


def _by_form(draft: Draft, center: Network, shape: Shape, seconds: float) -> tuple[Claim | None, str]:
    found = contraction_form(center, shape, seconds, roomy=not draft.network.is_exact)
    if found.witness is None:
        return None, found.reason
    try:
        return draft.add("contraction", form_witness(found.witness))[1], ""
    except Rejected as failure:
        return None, in_short(failure)


def form_witness(found: FormWitness) -> dict[str, object]:
    """Spell a candidate as the witness of card C1(ii)."""
    return {
        "form": spelled_rows(found.form),
        "multipliers": spelled(found.multipliers),
        "rate": spelled([found.rate])[0],
        "bits": found.bits,
    }
