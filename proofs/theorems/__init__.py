"""The catalogue: one theorem card per file, and this literal table of them.

Each file's docstring is the card (statement, witness, numbered checks, fails when, rests on); its ``check`` is the whole verification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.theorems import (
    absent_on,
    all_cycles,
    attracted,
    border_collision,
    box_contraction,
    complex_pair,
    contraction,
    coppel,
    covering_graph,
    covering_intervals,
    cycle,
    cycle_mean,
    cycles_in_box,
    cycles_on,
    cyclic_system,
    cyclic_tree,
    driven_contraction,
    driven_graph,
    entropy_from_period,
    entropy_gives_scrambling,
    entropy_upper,
    every_cycle,
    exact_cycle,
    exists_on,
    exponent_bounds,
    finite_time,
    flip,
    forbidden_words,
    gradient_divergence,
    gradient_vanishing,
    li_yorke,
    markov_exponent,
    multiplier_moduli,
    necklaces,
    no_period,
    odd_period,
    path,
    pieces,
    sharkovskii,
    smooth_fold,
    snap_back_repeller,
    stability,
    teacher_forcing,
    to_infinity,
    trapping,
    unique_for_every_bias,
    volume,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from proofs.claims import Claim
    from proofs.theorems.card import Application

_MODULES: dict[str, ModuleType] = {
    "exact_cycle": exact_cycle,
    "cycle": cycle,
    "stability": stability,
    "multiplier_moduli": multiplier_moduli,
    "pieces": pieces,
    "all_cycles": all_cycles,
    "forbidden_words": forbidden_words,
    "necklaces": necklaces,
    "cyclic_system": cyclic_system,
    "cyclic_tree": cyclic_tree,
    "every_cycle": every_cycle,
    "cycles_in_box": cycles_in_box,
    "unique_for_every_bias": unique_for_every_bias,
    "no_period": no_period,
    "li_yorke": li_yorke,
    "odd_period": odd_period,
    "entropy_from_period": entropy_from_period,
    "covering_intervals": covering_intervals,
    "covering_graph": covering_graph,
    "snap_back_repeller": snap_back_repeller,
    "entropy_gives_scrambling": entropy_gives_scrambling,
    "sharkovskii": sharkovskii,
    "contraction": contraction,
    "trapping": trapping,
    "coppel": coppel,
    "entropy_upper": entropy_upper,
    "exponent_bounds": exponent_bounds,
    "cycle_mean": cycle_mean,
    "markov_exponent": markov_exponent,
    "volume": volume,
    "driven_graph": driven_graph,
    "driven_contraction": driven_contraction,
    "attracted": attracted,
    "finite_time": finite_time,
    "box_contraction": box_contraction,
    "path": path,
    "exists_on": exists_on,
    "absent_on": absent_on,
    "border_collision": border_collision,
    "to_infinity": to_infinity,
    "flip": flip,
    "complex_pair": complex_pair,
    "smooth_fold": smooth_fold,
    "cycles_on": cycles_on,
    "gradient_divergence": gradient_divergence,
    "gradient_vanishing": gradient_vanishing,
    "teacher_forcing": teacher_forcing,
}
THEOREMS: dict[str, Callable[[Application], Claim]] = {name: module.check for name, module in _MODULES.items()}
CARDS: dict[str, str] = {name: module.__doc__ or "" for name, module in _MODULES.items()}
