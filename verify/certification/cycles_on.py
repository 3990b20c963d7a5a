"""Completeness along a path: every cycle up to a period inside a stated box, proved with card ``cycles_on``."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from proofs.errors import Malformed, Rejected
from proofs.parameters import CyclesOn, Line
from verify.certification.draft import in_short, spelled
from verify.errors import Unsupported
from verify.search.path_trees import Question, grow

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from verify.certification.draft import Draft
    from verify.paths import Path
    from verify.search.path_trees import Box, Grown

_SHOWN = 4


def complete_on(  # noqa: PLR0913, PLR0917 - one question, as its callers have it
    draft: Draft,
    path: Path,
    path_step: int,
    low: Fraction,
    high: Fraction,
    up_to: int,
    box: Box,
    budget: float = 60.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[CyclesOn | None, tuple[str, ...]]:
    """List every cycle of period at most ``up_to`` inside ``box`` for mu in [low, high], and add the step that proves it to the draft.

    ``path_step`` is the number of the draft's step with theorem ``path`` about this path; ``box`` are lower and upper ends of each state.
    Returns the claim, None if there is no proof, and why it is none or says less than one might wish (itineraries that no cycle in the box
    was seen to follow, singular ones).

    **Guarantee:** the claim was accepted by the kernel. **Raises:** Malformed for a range, a box or a period that does not fit; Unsupported
    for networks that are not piecewise linear; ValueError if the step is not about this path.
    """
    _require_fit(path, low, high, up_to, box)
    line = draft.facts[path_step - 1] if 0 < path_step <= len(draft.facts) else None
    if not isinstance(line, Line) or (draft.network.digest, line.end.digest, line.at) != (
        path.start.digest,
        path.end.digest,
        (path.low, path.high),
    ):
        message = f"step {path_step} is not the line of this path"
        raise ValueError(message)
    try:
        grown = grow(Question(path.start, line, low, high, up_to, box), monotonic() + budget, progress)
    except Rejected as failure:
        return None, (in_short(failure),)
    except OverflowError:
        return None, ("the weights or the box are too large for the search, which works in floats",)
    if not grown.finished:
        return None, (f"within {budget:g} s not every cell of {path.label} got a tree: shorten the range, the box or the period",)
    witness = {
        "up_to": up_to,
        "box": [spelled(part) for part in box],
        "breaks": spelled(grown.breaks),
        "bits": grown.bits,
        "cells": list(grown.cells),
    }
    try:
        _, claim = draft.add("cycles_on", witness, (path_step,))
    except Rejected as failure:
        return None, (in_short(failure),)
    if not isinstance(claim, CyclesOn):
        raise TypeError(claim)
    return claim, _reasons(grown)


def _require_fit(path: Path, low: Fraction, high: Fraction, up_to: int, box: Box) -> None:
    where, size = f"completeness along the path in {path.label}", path.start.dimension
    if not path.is_piecewise_linear:
        law = "piecewise-linear networks"
        raise Unsupported(where=where, law=law, expected="a program of affine, relu and add", got="a smooth operation")
    if not path.low <= low < high <= path.high:
        raise Malformed(where=where, law="a range", expected=f"{path.low} <= LO < HI <= {path.high}", got=f"{low} to {high}")
    if up_to < 1:
        raise Malformed(where=where, law="a period", expected="at least 1", got=str(up_to))
    if any(len(part) != size for part in box) or any(one > two for one, two in zip(*box, strict=True)):
        got = str([list(map(str, part)) for part in box])
        raise Malformed(where=where, law="a box", expected=f"{size} lower ends below {size} upper ends", got=got)


def _reasons(grown: Grown) -> tuple[str, ...]:
    """Say which words are listed although no cycle in the box was seen to follow them, and which are singular."""
    told = (
        ("listed though no cycle in the box was seen to follow it (cells too wide, or words that meet on a border)", grown.loose),
        ("residual: its equations may be singular somewhere in the range", grown.singular),
    )
    return tuple(f"{' '.join(word)}: {reason}" for reason, words in told for word in words[:_SHOWN]) + tuple(
        f"{len(words) - _SHOWN} more: {reason}" for reason, words in told if len(words) > _SHOWN
    )
