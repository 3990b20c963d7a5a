"""The figure of a tracked training run: loss, gradient norm, cycles, exponents and forcing over updates, with typed events marked.

Events stand at their exact places on the axis of updates, a filled mark where the kernel proved them, an open one where it did not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
_ROWS = (
    ("loss", 1.5),
    ("gradient norm", 1.0),
    ("", 0.95),
    ("least period", 1.0),
    ("largest exponent,\nnats/step", 1.0),
    ("driven map", 0.8),
)
_FAR = 10.0  # exponents beyond are those of orbits on their way to infinity
_LABELS = {name: name.replace("_", " ") for name in TYPES}


def tracking_figure(runs: Sequence[tuple[str, Tracking]], *, title: str = "A training run and the bifurcations on its way") -> Figure:
    """Draw a column a run: loss; gradient norm; events by type; cycles by period and stability; largest exponent; the driven training map.

    The last row is there where forcing is generalised: alpha, and the largest norm of the driven map's Jacobian, which contracts below 1.

    **Raises** Malformed: no runs.
    """
    if not runs:
        raise Malformed(where="figure", law="runs to draw", expected="at least one", got="none")
    driven = any(record.alpha is not None for _, run in runs for record in run.checkpoints)
    labels, heights = (list(part) for part in zip(*_ROWS[: None if driven else -1], strict=True))
    with drawing(2.6 + 5.2 * len(runs), 9.6 if driven else 8.2) as figure:
        grid = figure.subplots(len(labels), len(runs), sharex="col", sharey="row", squeeze=False, height_ratios=heights)
        kinds = [kind for kind in TYPES if any(event.type == kind for _, run in runs for _, event in _all(run))]
        for i, (name, run) in enumerate(runs):
            column = list(grid[:, i])
            _column(column, run, kinds)
            column[0].set_title(name, fontsize=9.5, fontweight="normal")
            column[-1].set_xlabel("updates")
            whole_ticks(column[-1])
        for axes, label in zip(grid[:, 0], labels, strict=True):
            axes.set_ylabel(str(label))
        _legends(list(grid[:, -1]), kinds, any(any(run.jumps()) for _, run in runs))
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _column(column: Sequence[Axes], run: Tracking, kinds: Sequence[str]) -> None:
    _losses(column[0], run)
    _gradients(column[1], run)
    _events(column[2], run, kinds)
    _cycles(column[3], run)
    _exponents(column[4], run)
    for axes in column[5:]:
        _driven(axes, run)
    _jumps(column[:3], run)


def _series(run: Tracking, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the run's own record of a number, within the range that is tracked."""
    low, high = run.checkpoints[0].update, run.checkpoints[-1].update
    lines = [line for line in run.metrics if low <= line["update"] <= high and line.get(name) is not None]
    values = np.array([float(line[name]) for line in lines])
    return np.array([line["update"] for line in lines], dtype=float), np.where(np.isfinite(values), values, nan)


def _losses(axes: Axes, run: Tracking) -> None:
    updates, losses = _series(run, "loss")
    axes.plot(updates, losses, color=INK, linewidth=1.1)
    axes.set_yscale("log")
    _on_curve(axes, run, updates, losses)


def _gradients(axes: Axes, run: Tracking) -> None:
    updates, norms = _series(run, "gradient_norm")
    axes.plot(updates, norms, color=INK, linewidth=1.1)
    axes.set_yscale("log")
    _on_curve(axes, run, updates, norms)


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
    from matplotlib.ticker import MaxNLocator

    for record in run.checkpoints:
        for (period, stability), count in Counter((cycle.period, cycle.stability) for cycle in record.cycles).items():
            colour, marker = _STABLE[stability]
            shift = 0.2 * (list(_STABLE).index(stability) - 1)
            axes.scatter([record.update], [period + shift], s=9.0 * count, color=colour, marker=marker, linewidths=0)
    axes.set_ylim(0.4, float(str(run.settings["up_to"])) + 0.6)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


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


def _legends(column: Sequence[Axes], kinds: Sequence[str], jumped: bool) -> None:
    top, _, middle, cycles, bottom = column[:5]
    for kind in kinds:
        marker, colour = _LOOKS[kind]
        top.plot([], [], marker=marker, color=colour, linestyle="", label=_LABELS[kind], markeredgecolor="white", markeredgewidth=0.5)
    if jumped:
        top.fill_between([], [], [], color=RED, alpha=0.13, linewidth=0, label=f"loss grows by\nmore than {JUMP:g}")
    if kinds or jumped:
        beside(top, "events")
    if kinds:
        style: Any = {"marker": "o", "linestyle": "", "color": BLUE}
        middle.plot([], [], label="proved", markeredgecolor="white", **style)
        middle.plot([], [], label="not proved", markerfacecolor="white", **style)
        beside(middle, "numbers: of events")
    for name, (colour, marker) in _STABLE.items():
        cycles.plot([], [], marker=marker, color=colour, linestyle="", label=name)
    beside(cycles, "cycles (estimates),\narea: how many")
    bottom.plot([], [], color=BLUE, marker="o", markersize=2.6, label="estimate ± 95 %")
    bottom.plot([], [], color=RED, marker="x", linestyle="", label="orbit escapes")
    beside(bottom)
    for axes in column[5:]:
        axes.plot([], [], color=GREEN, linewidth=1.3, label="largest norm of its\nJacobian: below 1\nit contracts")
        axes.plot([], [], color=ORANGE, linewidth=1.2, linestyle="--", label="alpha")
        beside(axes)
