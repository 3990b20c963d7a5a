"""The catalogue: one theorem card per file, and this literal table of them.

Each file's docstring is the card (statement, witness, numbered checks, fails when, rests on); its ``check`` is the whole verification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.theorems import (
    all_cycles,
    contraction,
    coppel,
    covering_graph,
    covering_intervals,
    cycle,
    cyclic_system,
    cyclic_tree,
    entropy_from_period,
    entropy_gives_scrambling,
    entropy_upper,
    every_cycle,
    exact_cycle,
    exponent_bounds,
    forbidden_words,
    li_yorke,
    multiplier_moduli,
    necklaces,
    no_period,
    odd_period,
    pieces,
    sharkovskii,
    snap_back_repeller,
    stability,
    trapping,
    unique_for_every_bias,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofs.claims import Claim
    from proofs.theorems.card import Application

THEOREMS: dict[str, Callable[[Application], Claim]] = {
    "exact_cycle": exact_cycle.check,
    "cycle": cycle.check,
    "stability": stability.check,
    "multiplier_moduli": multiplier_moduli.check,
    "pieces": pieces.check,
    "all_cycles": all_cycles.check,
    "forbidden_words": forbidden_words.check,
    "necklaces": necklaces.check,
    "cyclic_system": cyclic_system.check,
    "cyclic_tree": cyclic_tree.check,
    "every_cycle": every_cycle.check,
    "unique_for_every_bias": unique_for_every_bias.check,
    "no_period": no_period.check,
    "li_yorke": li_yorke.check,
    "odd_period": odd_period.check,
    "entropy_from_period": entropy_from_period.check,
    "covering_intervals": covering_intervals.check,
    "covering_graph": covering_graph.check,
    "snap_back_repeller": snap_back_repeller.check,
    "entropy_gives_scrambling": entropy_gives_scrambling.check,
    "sharkovskii": sharkovskii.check,
    "contraction": contraction.check,
    "trapping": trapping.check,
    "coppel": coppel.check,
    "entropy_upper": entropy_upper.check,
    "exponent_bounds": exponent_bounds.check,
}
CARDS: dict[str, str] = {
    "exact_cycle": exact_cycle.__doc__ or "",
    "cycle": cycle.__doc__ or "",
    "stability": stability.__doc__ or "",
    "multiplier_moduli": multiplier_moduli.__doc__ or "",
    "pieces": pieces.__doc__ or "",
    "all_cycles": all_cycles.__doc__ or "",
    "forbidden_words": forbidden_words.__doc__ or "",
    "necklaces": necklaces.__doc__ or "",
    "cyclic_system": cyclic_system.__doc__ or "",
    "cyclic_tree": cyclic_tree.__doc__ or "",
    "every_cycle": every_cycle.__doc__ or "",
    "unique_for_every_bias": unique_for_every_bias.__doc__ or "",
    "no_period": no_period.__doc__ or "",
    "li_yorke": li_yorke.__doc__ or "",
    "odd_period": odd_period.__doc__ or "",
    "entropy_from_period": entropy_from_period.__doc__ or "",
    "covering_intervals": covering_intervals.__doc__ or "",
    "covering_graph": covering_graph.__doc__ or "",
    "snap_back_repeller": snap_back_repeller.__doc__ or "",
    "entropy_gives_scrambling": entropy_gives_scrambling.__doc__ or "",
    "sharkovskii": sharkovskii.__doc__ or "",
    "contraction": contraction.__doc__ or "",
    "trapping": trapping.__doc__ or "",
    "coppel": coppel.__doc__ or "",
    "entropy_upper": entropy_upper.__doc__ or "",
    "exponent_bounds": exponent_bounds.__doc__ or "",
}
