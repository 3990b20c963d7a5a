"""The figure of a tracked training run: loss, gradient norm, cycles, exponents and forcing over updates, with typed events marked.

Events stand at their exact places on the axis of updates, a filled mark where the kernel proved them, an open one where it did not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs.errors import Malformed
from verify.sampling.canvas import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, beside, drawing, save, whole_ticks
from verify.training.track_answers import JUMP, TYPES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.training.track_answers import EventRecord, SegmentRecord, Tracking

__all__ = ["save", "tracking_figure"]

_LOOKS = {
    "border_collision": ("o", BLUE),
    "to_infinity": ("^", RED),
    "multiplier_one": ("P", INK),
    "flip": ("s", GREEN),
    "complex_pair": ("D", PURPLE),
    "fold": ("v", ORANGE),
}
_STABLE = {"stable": (BLUE, "o"), "saddle": (ORANGE, "D"), "repelling": (GREY, "s")}
_MANY = 400  # points of a curve
_FEW = 8  # periods that each have a tick
_FAR = 10.0  # exponents beyond are those of orbits on their way to infinity
_LABELS = {name: name.replace("_", " ") for name in TYPES}


def tracking_figure(runs: Sequence[tuple[str, Tracking]], *, title: str = "A training run and the bifurcations on its way") -> Figure:
    """Draw a column a run: loss; gradient norm; events by type; cycles by period and stability; largest exponent; the driven training map.

    The last two rows are there where there is something to draw: exponents; where forcing is generalised, alpha, and the largest norm of
    the driven map's Jacobian, which contracts below 1.

    **Raises** Malformed: no runs.
    """
    if not runs:
        raise Malformed(where="figure", law="runs to draw", expected="at least one", got="none")
    kinds = [kind for kind in TYPES if any(event.type == kind for _, run in runs for _, event in _all(run))]
    rows = _rows([run for _, run in runs], kinds)
    heights = [row.height for row in rows]
    with drawing(2.6 + 5.2 * len(runs), 0.6 + 1.5 * sum(heights)) as figure:
        grid = figure.subplots(len(rows), len(runs), sharex="col", sharey="row", squeeze=False, height_ratios=heights)
        for i, (name, run) in enumerate(runs):
            column = list(grid[:, i])
            for axes, row in zip(column, rows, strict=True):
                row.draw(axes, run)
            _jumps(column[:3], run)
            column[0].set_title(name, fontsize=9.5, fontweight="normal")
            column[-1].set_xlabel("updates")
            whole_ticks(column[-1])
        for left, right, row in zip(grid[:, 0], grid[:, -1], rows, strict=True):
            left.set_ylabel(row.label)
            row.explain(right)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _series(run: Tracking, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the run's own record of a number, within the range that is tracked."""
    low, high = run.checkpoints[0].update, run.checkpoints[-1].update
    lines = [line for line in run.metrics if low <= line["update"] <= high and line.get(name) is not None]
    values = np.array([float(line[name]) for line in lines])
    return np.array([line["update"] for line in lines], dtype=float), np.where(np.isfinite(values), values, nan)


def _losses(axes: Axes, run: Tracking) -> None:
    _curve(axes, run, *_series(run, "loss"))


def _gradients(axes: Axes, run: Tracking) -> None:
    _curve(axes, run, *_series(run, "gradient_norm"))


def _curve(axes: Axes, run: Tracking, updates: np.ndarray, values: np.ndarray) -> None:
    """Draw a curve and the events on it; of many points the medians of equal stretches, with the points behind them."""
    axes.set_yscale("log")
    stretch = len(updates) // _MANY
    if stretch > 1:
        axes.plot(updates, values, color=GREY, linewidth=0.4, alpha=0.45)
        kept = len(updates) // stretch * stretch
        updates, values = (row[:kept].reshape(-1, stretch) for row in (updates, values))
        updates, values = updates.mean(axis=1), np.median(values, axis=1)
    axes.plot(updates, values, color=INK, linewidth=1.1)
    _on_curve(axes, run, updates, values)


def _on_curve(axes: Axes, run: Tracking, updates: np.ndarray, values: np.ndarray) -> None:
    """Mark the events on a curve; between two updates in a straight line on the logarithmic scale."""
    known = np.isfinite(values) & (values > 0)
    if not known.any():
        return
    for segment, event in _all(run):
        place = segment.update_of(event)
        height = float(np.exp(np.interp(place, updates[known], np.log(values[known]))))
        axes.plot([place], [height], **_look(event, 5.5))


def _events(axes: Axes, run: Tracking, kinds: Sequence[str]) -> None:
    for segment, event in _all(run):
        axes.plot([segment.update_of(event)], [kinds.index(event.type)], **_look(event, 6.5))
    counts = Counter(event.type for _, event in _all(run))
    axes.set_yticks(range(len(kinds)), [_LABELS[kind] for kind in kinds])
    axes.set_ylim(len(kinds) - 0.4, -0.6)
    for row, kind in enumerate(kinds):
        place = (1.0, row)
        text: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": 7.5}
        axes.annotate(str(counts[kind]), place, (-1, 1), color=GREY, **text)
    if not kinds:
        axes.text(0.5, 0.5, "no event found", transform=axes.transAxes, ha="center", va="center", color=GREY)


def _look(event: EventRecord, size: float) -> dict[str, Any]:
    marker, colour = _LOOKS[event.type]
    inside = colour if event.theorem else "white"
    return {
        "marker": marker, "color": colour, "markerfacecolor": inside, "markersize": size,
        "markeredgecolor": colour if event.theorem is None else "white", "markeredgewidth": 1.0 if event.theorem is None else 0.5,
        "linestyle": "", "alpha": 0.9, "clip_on": True,
    }  # fmt: skip


def _all(run: Tracking) -> list[tuple[SegmentRecord, EventRecord]]:
    return [(segment, event) for segment in run.segments for event in segment.events]


def _cycles(axes: Axes, run: Tracking) -> None:
    """Draw a dot a period and stability, its area the number of cycles; stabilities side by side."""
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    for record in run.checkpoints:
        for (period, stability), count in Counter((cycle.period, cycle.stability) for cycle in record.cycles).items():
            colour, marker = _STABLE[stability]
            shift = 0.2 * (list(_STABLE).index(stability) - 1)
            axes.scatter([record.update], [period + shift], s=9.0 * count, color=colour, marker=marker, linewidths=0)
    most = int(str(run.settings["up_to"]))
    axes.set_ylim(0.4, most + 0.6)
    axes.yaxis.set_major_locator(MultipleLocator(1) if most <= _FEW else MaxNLocator(integer=True))


def _exponents(axes: Axes, run: Tracking) -> None:
    """Draw the largest exponent with its 95 % band; a cross where the orbit escapes."""
    there = [record for record in run.checkpoints if record.exponents and abs(record.exponents[0][0]) < _FAR]
    updates = np.array([record.update for record in there])
    values, halves = (np.array([record.exponents[0][i] for record in there]) for i in (0, 1))
    halves = np.where(np.isfinite(halves), halves, 0.0)
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0.5)
    axes.fill_between(updates, values - halves, values + halves, color=SKY, alpha=0.35, linewidth=0)
    axes.plot(updates, values, color=BLUE, marker="o", markersize=2.6, linewidth=1.2)
    gone = [record.update for record in run.checkpoints if record.escaped]
    axes.plot(gone, np.zeros(len(gone)), linestyle="", marker="x", color=RED, markersize=5)


def _driven(axes: Axes, run: Tracking) -> None:
    """Draw alpha, and the norm of the driven training map: below 1 that map contracts, whatever the free-running network does."""
    known = [record for record in run.checkpoints if record.alpha is not None]
    updates = [record.update for record in known]
    norms = [nan if record.forced_norm is None else record.forced_norm for record in known]
    axes.axhline(1.0, color=GREY, linewidth=0.8, zorder=0.5)
    axes.plot(updates, norms, color=GREEN, linewidth=1.3)
    axes.plot(updates, [nan if record.alpha is None else record.alpha for record in known], color=ORANGE, linewidth=1.2, linestyle="--")
    axes.set_ylim(bottom=-0.05)


def _jumps(column: Sequence[Axes], run: Tracking) -> None:
    for segment, jump in zip(run.segments, run.jumps(), strict=True):
        if jump:
            for axes in column:
                axes.axvspan(segment.first, segment.last, color=RED, alpha=0.13, linewidth=0, zorder=0.2)


def _explain_events(axes: Axes, kinds: Sequence[str], *, jumped: bool) -> None:
    for kind in kinds:
        marker, colour = _LOOKS[kind]
        axes.plot([], [], marker=marker, color=colour, linestyle="", label=_LABELS[kind], markeredgecolor="white", markeredgewidth=0.5)
    if jumped:
        axes.fill_between([], [], [], color=RED, alpha=0.13, linewidth=0, label=f"loss grows by\nmore than {JUMP:g}")
    if kinds or jumped:
        beside(axes, "events")


def _explain_proofs(axes: Axes, kinds: Sequence[str]) -> None:
    if kinds:
        style: Any = {"marker": "o", "linestyle": "", "color": BLUE}
        axes.plot([], [], label="proved", markeredgecolor="white", **style)
        axes.plot([], [], label="not proved", markerfacecolor="white", **style)
        beside(axes, "numbers: of events")


def _explain_cycles(axes: Axes) -> None:
    for name, (colour, marker) in _STABLE.items():
        axes.plot([], [], marker=marker, color=colour, linestyle="", label=name)
    beside(axes, "cycles (estimates),\narea: how many")


def _explain_exponents(axes: Axes) -> None:
    axes.plot([], [], color=BLUE, marker="o", markersize=2.6, label="estimate ± 95 %")
    axes.plot([], [], color=RED, marker="x", linestyle="", label="orbit escapes")
    beside(axes)


def _explain_driven(axes: Axes) -> None:
    axes.plot([], [], color=GREEN, linewidth=1.3, label="largest norm of its\nJacobian: below 1\nit contracts")
    axes.plot([], [], color=ORANGE, linewidth=1.2, linestyle="--", label="alpha")
    beside(axes)


def _nothing(axes: Axes) -> None:
    """Leave the place beside a row free."""


@dataclass(frozen=True)
class _Row:
    """One row of the figure: its label, its share of the height, how it is drawn, and what stands beside it."""

    label: str
    height: float
    draw: Callable[[Axes, Tracking], None]
    explain: Callable[[Axes], None]


def _rows(runs: Sequence[Tracking], kinds: Sequence[str]) -> list[_Row]:
    """Return the rows for which there is something to draw."""
    records = [record for run in runs for record in run.checkpoints]
    rows = [
        _Row("loss", 1.5, _losses, partial(_explain_events, kinds=kinds, jumped=any(any(run.jumps()) for run in runs))),
        _Row("gradient norm", 1.0, _gradients, _nothing),
        _Row("", 0.95, partial(_events, kinds=kinds), partial(_explain_proofs, kinds=kinds)),
        _Row("least period", 1.0, _cycles, _explain_cycles),
    ]
    if any(record.exponents or record.escaped for record in records):
        rows.append(_Row("largest exponent,\nnats/step", 1.0, _exponents, _explain_exponents))
    if any(record.alpha is not None for record in records):
        rows.append(_Row("driven map", 0.8, _driven, _explain_driven))
    return rows
