"""The figures of random networks, from plain rows: how often there is chaos, the limit of large width, how far chaos persists.

Bands around shares are Clopper-Pearson intervals with the undecided networks counted against both ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Literal

from proofs.errors import Malformed
from verify.sampling.canvas import BLUE, GREY, MARKERS, ORANGE, RED, beside, drawing, number_text, percent_axis, powers_axis, save, shades
from verify.sampling.corrected_table import TableRow, table_csv, table_figure, table_text
from verify.sampling.pictures import laps_figure, scrambling_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.sampling.counts import CellCounts
    from verify.sampling.persistence import Distribution

    Along = Literal["scale", "width"]

__all__ = [
    "Estimate",
    "TableRow",
    "laps_figure",
    "phase_diagram",
    "radius_figure",
    "save",
    "scrambling_figure",
    "table_csv",
    "table_figure",
    "table_text",
    "width_limit",
]

WHAT = {"chaotic": "proved chaotic", "period_2": "with a cycle of period 2", "period_3": "with a cycle of period 3"}
_TITLES = {"chaotic": "Share of chaotic networks", "period_2": "Share with period 2", "period_3": "Share with period 3"}
_AXES = {"scale": "scale s", "width": "width k"}
_ROOM = 0.35  # of a doubling, left and right of the outermost points


@dataclass(frozen=True)
class Estimate:
    """An estimate of the limit of large width at one scale, with its error bar: never a proved share."""

    scale: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class _Look:
    """What is counted, and how a line of shares is drawn."""

    what: str
    confidence: float
    log: bool
    colour: str = BLUE
    marker: str = "o"
    label: str = ""


def phase_diagram(
    counts: Sequence[CellCounts], *, along: Along = "scale", what: str = "chaotic", confidence: float = 0.95, log: bool = False
) -> Figure:
    """Draw the share of chaotic networks against scale (or width), a line for each width (or scale).

    The light band is the interval, the darker one inside it what the undecided networks leave open. With ``log``, a share of 0 is shown by
    the upper end of its interval alone, a downward triangle.

    **Raises** Malformed: no rows, cells of several families, depths or outputs, another ``what``.
    """
    _check(counts, what)
    other: Along = "width" if along == "scale" else "scale"
    with drawing(7.8, 4.6) as figure:
        axes = figure.add_subplot()
        _lines(axes, counts, along, _Look(what, confidence, log))
        beside(axes, _AXES[other])
        axes.set_title(f"{_TITLES[what]}: family {_law(counts)}")
        _caption(figure, counts, what, confidence)
    return figure


def width_limit(
    counts: Sequence[CellCounts],
    estimates: Sequence[Estimate],
    *,
    what: str = "chaotic",
    confidence: float = 0.95,
    log: bool = False,
) -> Figure:
    """Draw the share against width, a line a scale, and to the right, in another colour, the estimated limits of large width.

    **Raises** as ``phase_diagram``.
    """
    _check(counts, what)
    with drawing(7.8, 4.6) as figure:
        axes = figure.add_subplot()
        _lines(axes, counts, "width", _Look(what, confidence, log))
        widths = sorted({row.cell.width for row in counts})
        place = 4.0 * widths[-1]
        for i, each in enumerate(estimates):
            bars = [[each.value - each.low], [each.high - each.value]]
            label = "estimate of the limit" if i == 0 else None
            axes.errorbar([place], [each.value], yerr=bars, fmt="*", markersize=9, color=RED, capsize=4, linewidth=1.4, label=label)
            axes.annotate(f"s = {number_text(each.scale)}", (place, each.value), (9, 0), textcoords="offset points", va="center", color=RED)
        if estimates:
            axes.axvline(2.0 * widths[-1], color=GREY, linewidth=0.8, linestyle=":")
            powers_axis(axes, [*widths, place], {place: "k → ∞"})
            axes.set_xlim(right=place * 2.0**1.6)
        beside(axes, _AXES["scale"])
        axes.set_title(f"{_TITLES[what]} as the width grows: family {_law(counts)}")
        _caption(figure, counts, what, confidence)
    return figure


def radius_figure(sup: Distribution, weights: Distribution, title: str = "How far chaos persists", *, confidence: float = 0.95) -> Figure:
    """Draw the share of the chaotic networks whose certified radius is at least r, for both radii, with pointwise intervals.

    **Raises** Malformed: no networks.
    """
    if not (sup.radii and weights.radii):
        got = f"{len(sup.radii)} and {len(weights.radii)}"
        raise Malformed(where="radii", law="a distribution of radii", expected="radii of both kinds", got=got)
    with drawing(7.8, 4.4) as figure:
        axes = figure.add_subplot()
        axes.set_xscale("log")
        for found, colour, label in ((weights, ORANGE, "of all weights and biases"), (sup, BLUE, "of the map, sup norm")):
            _survival(axes, found, colour, label, confidence)
        percent_axis(axes, log=False)
        axes.set(ylim=(0, 1.02), xlabel="radius r (log axis)", ylabel="share of networks with certified radius ≥ r")
        axes.set_title(title)
        beside(axes, "certified radius")
        text = f"{sup.total:,} networks proved chaotic by card B1; dots: medians; bands: {100 * confidence:g} % Clopper-Pearson, pointwise"
        figure.supxlabel(text, fontsize=8, color=GREY, x=0.01, ha="left")
    return figure


def _survival(axes: Axes, found: Distribution, colour: str, label: str, confidence: float) -> None:
    from verify.sampling.statistics import clopper_pearson

    radii = sorted(set(found.radii))
    shares = [found.at_least(radius) for radius in radii]
    ends = [clopper_pearson(count, 0, found.total, confidence) for count in shares]
    places = [float(radius) for radius in radii]
    axes.fill_between(places, [low for low, _ in ends], [high for _, high in ends], step="pre", color=colour, alpha=0.18, linewidth=0)
    axes.step(places, [count / found.total for count in shares], where="pre", color=colour, label=label)
    median = found.quantile(0.5)
    if median > 0:
        axes.plot([float(median)], [found.at_least(median) / found.total], "o", color=colour, markersize=6)


def _lines(axes: Axes, counts: Sequence[CellCounts], along: Along, look: _Look) -> None:
    """Draw one line for each value of the other variable, and the axes."""
    other: Along = "width" if along == "scale" else "scale"
    values = sorted({_at(row, other) for row in counts}, reverse=True)
    for i, (value, colour) in enumerate(zip(values, shades(len(values)), strict=True)):
        rows = sorted((row for row in counts if _at(row, other) == value), key=lambda row: _at(row, along))
        each = _Look(look.what, look.confidence, look.log, colour, MARKERS[i % len(MARKERS)], number_text(value))
        _share_line(axes, [_at(row, along) for row in rows], rows, each)
    places = sorted({_at(row, along) for row in counts})
    powers_axis(axes, places)
    axes.set_xlim(places[0] * 2.0**-_ROOM, places[-1] * 2.0**_ROOM)
    percent_axis(axes, log=look.log)
    if not look.log:
        axes.set_ylim(bottom=0.0)
    axes.set(xlabel=f"{_AXES[along]} (log axis)", ylabel=f"share of networks {WHAT[look.what]}")


def _share_line(axes: Axes, places: list[float], rows: list[CellCounts], look: _Look) -> None:
    from verify.sampling.statistics import clopper_pearson

    certain, most, totals = zip(*(row.successes(look.what) for row in rows), strict=True)
    ends = [clopper_pearson(s, m - s, n, look.confidence) for s, m, n in zip(certain, most, totals, strict=True)]
    low, high = [end[0] for end in ends], [end[1] for end in ends]
    shares = [s / n for s, n in zip(certain, totals, strict=True)]
    if look.log:
        empty = [(x, h) for x, share, h in zip(places, shares, high, strict=True) if share == 0]
        axes.plot([x for x, _ in empty], [h for _, h in empty], "v", color=look.colour, markerfacecolor="none", markersize=6)
        shares, low, high = ([y if share > 0 else nan for y, share in zip(ys, shares, strict=True)] for ys in (shares, low, high))
    axes.fill_between(places, low, high, color=look.colour, alpha=0.16, linewidth=0)
    if any(m > s for s, m in zip(certain, most, strict=True)):
        axes.fill_between(places, shares, [m / n for m, n in zip(most, totals, strict=True)], color=look.colour, alpha=0.35, linewidth=0)
    axes.plot(places, shares, color=look.colour, marker=look.marker, label=look.label)


def _caption(figure: Figure, counts: Sequence[CellCounts], what: str, confidence: float) -> None:
    """Say below the axes how many networks there are, what the bands are and how much is undecided."""
    totals = sorted({row.total for row in counts})
    many = f"{totals[0]:,}" if len(totals) == 1 else f"{totals[0]:,} to {totals[-1]:,}"
    opened = max((most - certain) / total for certain, most, total in (row.successes(what) for row in counts))
    undecided = "none undecided" if opened == 0 else f"at most {100 * opened:.2g} % undecided, counted against both ends (darker)"
    text = f"{many} networks a point; bands: {100 * confidence:g} % Clopper-Pearson; {undecided}"
    figure.supxlabel(text, fontsize=8, color=GREY, x=0.01, ha="left")


def _law(counts: Sequence[CellCounts]) -> str:
    cell = counts[0].cell
    layers = "" if cell.depth == 1 else f", {cell.depth} hidden layers"
    return f"{cell.family}{layers}, output {cell.output}"


def _at(row: CellCounts, variable: Along) -> float:
    return row.cell.scale if variable == "scale" else float(row.cell.width)


def _check(counts: Sequence[CellCounts], what: str) -> None:
    if what not in WHAT:
        raise Malformed(where="figure", law="what is counted", expected=", ".join(WHAT), got=repr(what))
    laws = {(row.cell.family, row.cell.depth, row.cell.output) for row in counts}
    if len(laws) != 1 or not all(row.total for row in counts):
        law, expected = "one family, depth and output in a figure", "cells that differ in width and scale only, none empty"
        raise Malformed(where="figure", law=law, expected=expected, got=", ".join(map(str, sorted(laws))) or "no cells")
