"""What a campaign counted, as text: every number under the name of its class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ABOUT = ("family", "width", "scale", "depth", "output")
_CLASSES = ("chaotic", "ordered", "ordered_by_bound", "undecided")
_PERIODS = ("period_2", "period_3")
_PROBABILITIES = ("chaotic", "period_3")
_LEFT = {0, 4}  # columns of words
_PLACES = 10**6


def cell_row(cell: Mapping[str, Any] | None) -> list[str]:
    """Return a line of the table, of one cell of the JSON answer; None: its heads."""
    if cell is None:
        return [*_ABOUT, "networks", *_CLASSES, *_PERIODS, *(f"P({name}), 95 %" for name in _PROBABILITIES)]
    counts = cell["counts"]
    about = (
        [f"{cell[name]:.6g}" if name == "scale" else str(cell[name]) for name in _ABOUT] if "width" in cell else [cell["family"], *[""] * 4]
    )
    periods = [f"{counts[name]}" + (f" (+ {counts[f'{name}_open']} open)" if counts[f"{name}_open"] else "") for name in _PERIODS]
    intervals = [interval_text(cell["probability"][name]) for name in _PROBABILITIES]
    return [*about, *[""] * (len(_ABOUT) - len(about)), *(str(counts[name]) for name in ("total", *_CLASSES)), *periods, *intervals]


def interval_text(ends: Sequence[float]) -> str:
    """Return an interval to six decimals, rounded outward.

    >>> interval_text([0.25, 1 / 3]), interval_text([0.0, 1.0])
    ('[0.250000, 0.333334]', '[0.000000, 1.000000]')
    """
    low, high = math.floor(ends[0] * _PLACES) / _PLACES, math.ceil(ends[1] * _PLACES) / _PLACES
    return f"[{low:.6f}, {high:.6f}]"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows with their columns one below the other, words to the left and numbers to the right."""
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(t.ljust(n) if i in _LEFT else t.rjust(n) for i, (t, n) in enumerate(zip(row, sizes, strict=True))) for row in rows]


def meanings(counts: Mapping[str, int]) -> list[str]:
    """Say what the classes mean, as far as they occur."""
    texts = {
        "chaotic": "the kernel has checked a proof of chaos for each",
        "ordered": f"every orbit converges to a cycle of period 2^n or escapes: floats with rounding bounds, {_checked(counts)}",
        "ordered_by_bound": "the same, by floats with rounding bounds alone: not proved",
        "undecided": "counted against both ends of every interval",
    }
    lines = [f"{name:<17}{text}" for name, text in texts.items() if counts[name]]
    return [*lines, "period_2, _3     networks with a cycle of that least period, by floats with rounding bounds or exactly"]


def verdict_line(counts: Mapping[str, int]) -> str:
    """Return the last line: what came out, and how surely."""
    parts = [f"{counts['chaotic']} chaotic (each checked by the kernel)", f"{counts['ordered']} ordered ({_checked(counts)})"]
    parts += [f"{counts['ordered_by_bound']} ordered by float bounds (not proved)"] if counts["ordered_by_bound"] else []
    return f"Sampled  {counts['total']} networks: {', '.join(parts)}, {counts['undecided']} undecided"


def _checked(counts: Mapping[str, int]) -> str:
    return f"{counts['ordered_checked']} of {counts['ordered']} checked by the kernel"
