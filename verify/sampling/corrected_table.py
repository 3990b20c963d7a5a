"""The published table of chaos percentages beside what they count and beside what is decided of the same random networks.

The published statistic compares f^4 with f, so it counts cycles of period 2 (and 4); the one that was meant compares f^3 with f. Both are
counts on a grid, in floats. The decided columns are shares of networks with a cycle of least period 2 or 3, and of networks proved chaotic.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs.errors import Malformed
from verify.sampling.canvas import BLUE, GREY, INK, RED, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.sampling.statistics import Share


@dataclass(frozen=True)
class TableRow:
    """One setting: the published percentage, the two counts on a grid, and the decided shares."""

    setting: str
    published: float | None
    four: Share
    three: Share
    period_2: Share
    period_3: Share
    chaotic: Share


_TITLE = "How often random recurrent networks are chaotic: the published table, corrected"
_SHARES = ("four", "period_2", "three", "period_3", "chaotic")
_GROUPS = (("As published: f⁴ against f", 1, 4, RED), ("As meant: f³ against f", 4, 7, BLUE))
_GRID = "recounted\non the grid"
_HEADS = ("Setting", "published", _GRID, "cycle of\nperiod 2", _GRID, "cycle of\nperiod 3", "proved\nchaotic")
_WIDTHS = (3.0, 0.85, 0.95, 1.75, 1.05, 2.2, 2.05)
_NOTE = (
    "All numbers in percent of random networks. Recounted: a statistic in floats on 163 points, nothing is proved by it. "
    "Decided (periods, chaos):\n"
    "share with its 95 % Clopper-Pearson interval, rounded outward, undecided networks counted against both ends."
)
_COLOURS = {1: RED, 5: BLUE}  # what was published, what was meant
_LINE, _HEAD, _FOOT = 0.3, 0.8, 0.62  # inches
_FINE = 0.01


def percent_text(share: Share, *, interval: bool = False, confidence: float = 0.95) -> str:
    """Write a share in percent, small ones with more digits, with its interval rounded outward if asked.

    >>> from verify.sampling.statistics import Share
    >>> percent_text(Share(14, 0, 100_000), interval=True), percent_text(Share(1408, 0, 10_000))
    ('0.014 [0.007, 0.024]', '14.08')
    """
    low, high = share.interval(confidence)
    places = 2 if 100 * high >= 1 else 3 if 100 * high >= _FINE else 4
    value = f"{100 * share.successes / share.total:.{places}f}" if share.successes else "0"
    if not interval:
        return value
    unit = 10**places
    least = f"{math.floor(100 * low * unit) / unit:.{places}f}" if low > 0 else "0"
    return f"{value} [{least}, {math.ceil(100 * high * unit) / unit:.{places}f}]"


def table_text(rows: Sequence[TableRow]) -> str:
    """Return the table in plain text, columns aligned, one line a setting."""
    heads = ["setting", "published", "f^4 grid", "period 2 decided", "f^3 grid", "period 3 decided", "chaos proved"]
    lines = [heads, *(_texts(row) for row in _checked(rows))]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    aligned = [[line[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True))] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in aligned) + "\n"


def table_csv(rows: Sequence[TableRow], confidence: float = 0.95) -> str:
    """Return the table as CSV: counts, and ends of the intervals as floats (shares, not percent)."""
    kinds = ("count", "undecided", "total", "low", "high")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["setting", "published_percent", *(f"{name}_{kind}" for name in _SHARES for kind in kinds)])
    for row in _checked(rows):
        line: list[object] = [row.setting, "" if row.published is None else row.published]
        for name in _SHARES:
            share: Share = getattr(row, name)
            line += [share.successes, share.undecided, share.total, *share.interval(confidence)]
        writer.writerow(line)
    return stream.getvalue()


def table_figure(rows: Sequence[TableRow], title: str = _TITLE) -> Figure:
    """Draw the table. **Raises** Malformed without rows."""
    lines = [_texts(row) for row in _checked(rows)]
    top = _HEAD + 2.2 * _LINE
    height = top + len(lines) * _LINE + _FOOT
    with drawing(sum(_WIDTHS), height) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0, sum(_WIDTHS)), ylim=(height, 0))
        axes.set_axis_off()
        axes.text(0.12, _HEAD / 2, title, fontsize=12, fontweight="bold", color=INK, va="center")
        _heads(axes, _HEAD)
        for i, line in enumerate(lines):
            y = top + (i + 0.5) * _LINE
            if i % 2 == 0:
                axes.axhspan(y - _LINE / 2, y + _LINE / 2, color="#F4F4F4", linewidth=0)
            _write(axes, line, y)
        axes.axhline(top + len(lines) * _LINE, color=GREY, linewidth=0.8)
        axes.text(0.12, top + len(lines) * _LINE + 0.1, _NOTE, fontsize=8, color=GREY, va="top", linespacing=1.4)
    return figure


def _heads(axes: Axes, top: float) -> None:
    edges = _edges()
    for text, first, last, colour in _GROUPS:
        axes.text((edges[first] + edges[last]) / 2, top, text, ha="center", va="center", color=colour, fontweight="bold")
        axes.plot([edges[first] + 0.1, edges[last] - 0.05], [top + 0.17] * 2, color=colour, linewidth=1.2)
    for i, text in enumerate(_HEADS):
        x, side = (0.12, "left") if i == 0 else (edges[i + 1] - 0.1, "right")
        axes.text(x, top + 0.28, text, ha=side, va="top", fontsize=8.5, color=INK, linespacing=1.15)
    axes.axhline(top + 2.2 * _LINE, color=GREY, linewidth=0.8)


def _write(axes: Axes, line: list[str], y: float) -> None:
    """Write one line; the numbers that answer the question are bold."""
    edges = _edges()
    axes.text(0.12, y, line[0], va="center", color=INK)
    for i, text in enumerate(line[1:], 1):
        colour = _COLOURS.get(i, INK)
        axes.text(edges[i + 1] - 0.1, y, text, ha="right", va="center", color=colour, fontweight="bold" if i in _COLOURS else "normal")


def _edges() -> list[float]:
    return [sum(_WIDTHS[:i]) for i in range(len(_WIDTHS) + 1)]


def _texts(row: TableRow) -> list[str]:
    decided = [percent_text(share, interval=True) for share in (row.period_2, row.period_3, row.chaotic)]
    published = "-" if row.published is None else f"{row.published:.2f}"
    return [row.setting, published, percent_text(row.four), decided[0], percent_text(row.three), *decided[1:]]


def _checked(rows: Sequence[TableRow]) -> Sequence[TableRow]:
    if not rows:
        raise Malformed(where="corrected table", law="at least one setting", expected="rows", got="none")
    return rows
