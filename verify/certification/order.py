"""Contraction (C1) in any dimension: the cheapest proof that there is no chaos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.claims import Contraction
from proofs.errors import Rejected
from verify.certification.draft import Draft, in_short, spelled
from verify.rounding import float_above
from verify.search.contraction import contraction_weights

if TYPE_CHECKING:
    from proofs.claims import Claim

_SMOOTH_BITS = 96


def prove_contraction(draft: Draft) -> tuple[Claim | None, str]:
    """Add C1 if the best weighted max norm contracts; return its claim, or None and what was found instead."""
    bits = None if draft.network.is_piecewise_linear else _SMOOTH_BITS
    try:
        weights, rate = contraction_weights(draft.network, bits)
    except Rejected as failure:
        return None, f"contraction (C1): {in_short(failure)}"
    if rate >= 1:
        return None, f"contraction (C1): the best weighted max norm found has factor {float_above(rate):.6g}, which is not below 1"
    witness: dict[str, object] = {"weights": spelled(weights), "rate": spelled([rate])[0]}
    _, claim = draft.add("contraction", witness if bits is None else witness | {"bits": bits})
    return (claim, "") if isinstance(claim, Contraction) else (None, "contraction (C1): not below 1")
