"""A plane of parameters as a figure: one panel a cycle, its proved cells coloured by stability and index, its exact curves with labels.

Curves are solid where the cycle exists beside them and dashed where it does not; dots mark tubes that the kernel proved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Interval
from verify.errors import Unsupported
from verify.numerics.curve_parts import traced
from verify.numerics.polynomial_texts import symbol_latex
from verify.parameters.plane_texts import KINDS, period_text, stability_text, word_text
from verify.sampling.canvas import BLUE, GREEN, GREY, INK, RED, drawing, save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.events import Word
    from verify.parameters.plane import Boundary, Plane

    Floats = NDArray[np.float64]

__all__ = ["plane_figure", "save"]

_COLUMNS, _FOUR = 3, 4
_PANEL = 3.9  # inches
_WIDE = 20  # characters of an itinerary in a title
_LONG = 46  # characters of a label: longer equations are numbered and written below
_LINES = {"to_infinity": RED, "multiplier_one": RED, "flip": BLUE, "complex_pair": GREEN, "border_collision": INK}
_STABLE, _ABSENT, _OPEN = "#BFE3F7", "#FFFFFF", "#D0D0D0"
_UNSTABLE = ("#FBE3A6", "#E9C6DA", "#F6C3A0", "#F7F0A0", "#CDE8C5", "#D8D2EA")
_LETTER, _LINE = 0.0105, 0.022  # half the width of a letter and half the height of a label, as shares of a panel's sides
_ROOM = 0.06  # beyond this distance from others all places for a label are as good
_DECIMALS = re.compile(r"\d+\.\d{5,}")
_STEPS = 40


@dataclass(frozen=True)
class Frame:
    """The rectangle that a panel shows, in the entries' own numbers."""

    left: float
    right: float
    bottom: float
    top: float

    def scaled(self, points: Floats) -> Floats:
        """Return points, n x 2, as shares of the sides."""
        return (points - [self.left, self.bottom]) / [self.right - self.left, self.top - self.bottom]

    def place(self, share: Floats) -> tuple[float, float]:
        """Return the point at these shares of the sides."""
        return self.left + float(share[0]) * (self.right - self.left), self.bottom + float(share[1]) * (self.top - self.bottom)

    def length(self, points: Floats) -> float:
        """Return the length of a polygon in shares of the sides."""
        return float(np.linalg.norm(np.diff(self.scaled(points), axis=0), axis=1).sum())


@dataclass
class _Taken:
    """What a new label of a panel should keep away from."""

    frame: Frame
    curves: list[Floats]
    footnotes: list[str]
    labels: list[tuple[float, float, float]] = field(default_factory=list)

    def distance(self, places: Floats, half: float) -> Floats:
        """Return how far each place is from the labels that are there."""
        gaps = [np.maximum(np.abs(places[:, 0] - x) - half - wide, np.abs(places[:, 1] - y) - 2 * _LINE) for x, y, wide in self.labels]
        return np.min(gaps, axis=0) if gaps else np.full(len(places), 1.0)

    def clearance(self, places: Floats, own: Floats, half: float) -> Floats:
        """Return how far each place is from all other curves."""
        mine = self.frame.scaled(own)
        others = [points for points in self.curves if len(points) != len(mine) or not np.allclose(points, mine)]
        if not others:
            return np.full(len(places), 1.0)
        cloud = np.concatenate(others)
        gaps = np.maximum(np.abs(places[:, None, 0] - cloud[:, 0]) - half, np.abs(places[:, None, 1] - cloud[:, 1]) - _LINE)
        return np.asarray(gaps.min(axis=1), dtype=np.float64)


def plane_figure(plane: Plane) -> Figure:
    """Draw every cycle of a plane in a panel of its own, with one legend. **Raises:** Unsupported without matplotlib or without a cycle."""
    words = plane.words
    if not words:
        law = "a cycle to draw"
        raise Unsupported(where="--figure", law=law, expected="a plane on which a cycle was found", got="none", remedy="a larger --up-to")
    columns = 2 if len(words) == _FOUR else max(1, min(_COLUMNS, len(words)))
    rows = ceil(len(words) / columns)
    kinds = _kinds(plane)
    with drawing(_PANEL * columns + 0.3, (_PANEL + 0.25) * rows + 1.15) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        footnotes: list[str] = []
        for word, panel in zip(words, axes, strict=False):
            _panel(panel, plane, word, kinds, footnotes)
        for empty in axes[len(words) :]:
            empty.set_axis_off()
        _legend(figure, plane, kinds)
        if footnotes:
            figure.supxlabel("\n".join(footnotes), fontsize=7.5, color=INK, x=0.01, ha="left")
    return figure


def _kinds(plane: Plane) -> dict[tuple[int, int], str]:
    """Give every (multipliers outside, index) that occurs a colour, in order of instability."""
    found = sorted({(item.outside, item.index) for item in plane.regions.settled if item.outside is not None}, key=lambda k: (k[0], -k[1]))
    rest = iter(_UNSTABLE * (1 + len(found) // len(_UNSTABLE)))
    return {kind: _STABLE if kind[0] == 0 else next(rest) for kind in found}


def _panel(axes: Axes, plane: Plane, word: Word, kinds: dict[tuple[int, int], str], footnotes: list[str]) -> None:
    x, y = plane.surface.entries
    _cells(axes, plane, word, kinds)
    axes.set(
        xlim=(float(x.low), float(x.high)),
        ylim=(float(y.low), float(y.high)),
        xlabel=f"${symbol_latex(x.label)}$",
        ylabel=f"${symbol_latex(y.label)}$",
    )
    axes.grid(visible=False)
    axes.set_title(f"{period_text(word)}, itinerary {_title(word)}", fontsize=10)
    for side in axes.spines.values():
        side.set_visible(True)
    _dots(axes, plane, word)
    _curves(axes, plane, word, footnotes)


def _cells(axes: Axes, plane: Plane, word: Word, kinds: dict[tuple[int, int], str]) -> None:
    """Paint the finest grid: every settled cell covers a block of it, what no cell covers is open."""
    from matplotlib.colors import ListedColormap

    count = 1 << plane.depth
    x, y = plane.surface.entries
    image = np.ones((count, count), dtype=np.int64)
    codes = {kind: i for i, kind in enumerate(kinds, 2)}
    for item in plane.regions.settled:
        if item.itinerary == word:
            columns, rows = _places(item.cell.x, x.low, x.high, count), _places(item.cell.y, y.low, y.high, count)
            image[rows, columns] = 0 if item.outside is None else codes[item.outside, item.index]
    colours = ListedColormap([_ABSENT, _OPEN, *kinds.values()])
    extent = (float(x.low), float(x.high), float(y.low), float(y.high))
    shown = axes.imshow(image, origin="lower", extent=extent, cmap=colours, vmin=-0.5, vmax=len(kinds) + 1.5, interpolation="nearest")
    shown.set_zorder(0)
    axes.set_aspect("auto")


def _places(side: Interval, low: Fraction, high: Fraction, count: int) -> slice:
    first, last = (int((end - low) / (high - low) * count) for end in (side.lo, side.hi))
    return slice(first, last)


def _dots(axes: Axes, plane: Plane, word: Word) -> None:
    """Mark the middle of every tube."""
    for real in (True, False):
        tubes = [tube for tube in plane.marched.tubes if tube.place.itinerary == word and tube.is_real == real]
        points = [(float(a), float(b)) for a, b in (tube.cell.center for tube in tubes)]
        if points:
            face = INK if real else "white"
            axes.plot(
                *zip(*points, strict=True), "o", markersize=2.6, markerfacecolor=face, markeredgecolor=INK, markeredgewidth=0.5, zorder=4
            )


def _curves(axes: Axes, plane: Plane, word: Word, footnotes: list[str]) -> None:
    x, y = plane.surface.entries
    box, frame = (Interval(x.low, x.high), Interval(y.low, y.high)), Frame(float(x.low), float(x.high), float(y.low), float(y.high))
    mine = sorted((b for b in plane.boundaries if b.curve.itinerary == word), key=lambda item: not item.is_real)
    arcs = [[(part, traced(boundary.curve.polynomial, part, box)) for part in boundary.parts] for boundary in mine]
    taken = _Taken(frame, [frame.scaled(points) for found in arcs for _, points in found if len(points)], footnotes)
    for boundary, found in zip(mine, arcs, strict=True):
        colour = _LINES[boundary.curve.kind]
        for part, points in found:
            style, width, alpha, order = ("-", 1.9, 1.0, 3) if part.is_real else ((0, (3, 2.2)), 1.0, 0.75, 2)
            axes.plot(points[:, 0], points[:, 1], linestyle=style, linewidth=width, alpha=alpha, zorder=order, color=colour)
        wanted = [points for part, points in found if part.is_real and len(points)] or [points for _, points in found if len(points)]
        if wanted:
            _label(axes, boundary, max(wanted, key=frame.length), frame, taken)


def _label(axes: Axes, boundary: Boundary, points: Floats, frame: Frame, taken: _Taken) -> None:
    """Write the equation on the curve, where it is farthest from other labels and other curves."""
    curve = boundary.curve
    text = _DECIMALS.sub(lambda match: f"{float(match[0]):.4f}", curve.latex).replace("\\ldots", "")
    size = len(_DECIMALS.sub("0.0000", curve.equation))
    if size > _LONG:
        note = f"({len(taken.footnotes) + 1})  {KINDS[curve.kind]}, {word_text(curve.itinerary)}: {curve.equation}"
        taken.footnotes.append(_shortened(note, 150))
        text, size = rf"\mathrm{{({len(taken.footnotes)})}}", 3
    half = _LETTER * size + 0.01
    scaled = frame.scaled(points[:: max(1, len(points) // _STEPS)])
    places = np.column_stack([np.clip(scaled[:, 0], half, 1 - half), np.clip(scaled[:, 1], _LINE, 1 - _LINE)])
    shift = np.abs(places - scaled).sum(axis=1)
    score = np.minimum(taken.distance(places, half), _ROOM) + np.minimum(taken.clearance(places, points, half), _ROOM) - shift
    best = places[int(np.argmax(score))]
    taken.labels.append((float(best[0]), float(best[1]), half))
    look = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.88}
    axes.text(*frame.place(best), f"${text}$", color=_LINES[curve.kind], fontsize=8, ha="center", va="center", bbox=look, zorder=6)


def _legend(figure: Figure, plane: Plane, kinds: dict[tuple[int, int], str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    states = plane.surface.loaded.network.dimension
    handles: list[Patch | Line2D] = [
        Patch(facecolor=colour, edgecolor=GREY, linewidth=0.5, label=f"exists: {stability_text(outside, states)}, index {index:+d}")
        for (outside, index), colour in kinds.items()
    ]
    handles.append(Patch(facecolor=_ABSENT, edgecolor=GREY, linewidth=0.5, label="proved absent"))
    handles.append(Patch(facecolor=_OPEN, edgecolor=GREY, linewidth=0.5, label="not decided"))
    handles += [Line2D([], [], color=_LINES[kind], linewidth=1.9, label=KINDS[kind]) for kind in _drawn(plane)]
    if plane.boundaries:
        handles.append(Line2D([], [], color=GREY, linewidth=1.0, linestyle=(0, (3, 2.2)), label="the same, cycle virtual there"))
    for real, text in ((True, "proved tube: exactly one event"), (False, "proved tube: one, cycle virtual")):
        if any(tube.is_real == real for tube in plane.marched.tubes):
            face = INK if real else "white"
            handles.append(
                Line2D(
                    [],
                    [],
                    linestyle="",
                    marker="o",
                    markersize=3.5,
                    markerfacecolor=face,
                    markeredgecolor=INK,
                    markeredgewidth=0.5,
                    label=text,
                )
            )
    columns = {1: 1, 2: 3, _FOUR: 3}.get(len(plane.words), 4)
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, fontsize=8, columnspacing=1.4, handlelength=1.8)


def _drawn(plane: Plane) -> Iterator[str]:
    kinds = {boundary.curve.kind for boundary in plane.boundaries}
    yield from (kind for kind in _LINES if kind in kinds)


def _title(word: Word) -> str:
    """Spell an itinerary, a long one with powers for repeated patterns."""
    if len(word_text(word)) <= _WIDE:
        return word_text(word)
    runs = [(letters, len(list(same))) for letters, same in groupby(word)]
    return "$" + "".join(f"({letters})^{{{count}}}" if count > 1 else f"({letters})" for letters, count in runs[:_WIDE]) + "$"


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
