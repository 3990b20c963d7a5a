"""Chaos by a snap-back repeller (B6), where the fixed points repel and the network folds: no invertible map has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.errors import Rejected
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.search.snapback import SnapBack, find_snap_back

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.claims import Claim


def prove_snap_back(
    draft: Draft,
    hints: Sequence[str] = (),
    *,
    nodes: int = 20_000,
    budget_seconds: float = 20.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[int, Claim] | str:
    """Add B6 if a snap-back repeller is found; return the step and its claim, or in words what was tried and how far it went.

    ``hints``: patterns in whose regions fixed points are known; they matter only beyond 4,096 regions.

    **Guarantee:** the claim was accepted by the card. **Cost:** as ``verify.search.snapback.find_snap_back``.
    """
    found = find_snap_back(draft.network, hints, nodes=nodes, budget_seconds=budget_seconds, progress=progress)
    if isinstance(found, str):
        return f"snap-back repeller (B6): {found}"
    try:
        return draft.add("snap_back_repeller", snap_back_witness(found))
    except Rejected as failure:
        return f"snap-back repeller (B6): {in_short(failure)}"


def snap_back_witness(found: SnapBack) -> dict[str, object]:
    """Spell what card B6 reads."""
    return {
        "point": spelled(found.point),
        "start": spelled(found.start),
        "steps": found.steps,
        "form": spelled_rows(found.form),
        "level": spelled([found.level])[0],
        "bits": found.bits,
    }
