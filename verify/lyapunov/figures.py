"""Figures of exponents: spectra with bands, exponents in training, exponents against loss, convergence, the latent space of AeLLE.

Estimates are lines and bands, what is proved stands apart as brackets without a line. Exponents -inf are drawn in a strip of their own,
outside the scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from proofs.errors import Malformed
from verify.lyapunov.results import UNIT, Certified, Estimate, Exact
from verify.sampling.canvas import BLUE, GREEN, GREY, INK, MARKERS, ORANGE, PURPLE, RED, beside, drawing, save, shades, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.lyapunov.embedding import Components
    from verify.lyapunov.study import Study
    from verify.lyapunov.training import Record

__all__ = [
    "Point",
    "convergence_figure",
    "latent_figure",
    "loss_figure",
    "notes_of",
    "points_of",
    "save",
    "spectrum_figure",
    "training_figure",
]

MANY = 12  # lines: above, only the first, the last and some between are named
FEW = 40  # exponents: up to here each has a marker
EXPONENT = f"Lyapunov exponent, {UNIT}"
LOSS = "loss, nats"
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, INK)
_STRIP = 0.07  # height of the strip for -inf, as a share of the scale's
_STUB = 0.12  # length of an arrow, likewise
_INF = "−∞"


class Converging(Protocol):
    """What is read of a ``Spectrum``: estimates (k,), running means (blocks, k) and the steps of a block."""

    @property
    def exponents(self) -> tuple[Estimate, ...]:
        """Return the estimates."""

    @property
    def convergence(self) -> NDArray[np.float64]:
        """Return the running means."""

    @property
    def block_steps(self) -> int:
        """Return the steps of a block."""


@dataclass(frozen=True)
class Point:
    """A finished run: its largest exponent with the half width of the 95 % interval (nan: unknown), and its final loss in nats."""

    architecture: str
    size: int
    exponent: float
    half_width: float
    loss: float


def spectrum_figure(
    spectra: Mapping[str, Sequence[Estimate]],
    proved: Sequence[Exact | Certified] = (),
    *,
    relative: bool = False,
    title: str = "Lyapunov spectrum",
) -> Figure:
    """Draw spectra against the index, with 95 % bands, and what is proved of single exponents as brackets beside them.

    ``relative``: against (i - 1) / (n - 1), to compare sizes. An open end of a bracket is an arrow. **Raises** Malformed: nothing to draw.
    """
    if not spectra or not all(spectra.values()):
        raise _empty("spectra", "at least one spectrum with at least one exponent")
    single = [entry for entry in proved if entry.of != "sum"]
    if relative and single:
        raise Malformed(where="figure", law="proved exponents have an index", expected="relative=False", got="relative=True")
    with drawing(7.8, 4.6) as figure:
        axes = figure.add_subplot()
        values = [entry.value for each in spectra.values() for entry in each]
        ends = [end for each in spectra.values() for entry in each for end in entry.ci]
        bounds = [float(end) for entry in single for end in (entry.lower, entry.upper) if end is not None]
        shut = any(_shut(entry) for entry in single)
        place = _strip(axes, [*values, *([-inf] if shut else [])], [*ends, *bounds])
        for (name, each), colour, marker in zip(spectra.items(), _cycle(len(spectra)), MARKERS * len(spectra), strict=False):
            _spectrum_line(axes, name, each, _Line(colour, marker, relative, place))
        _proved(axes, single, place)
        if relative:
            axes.set_xlabel("(i − 1) / (n − 1), i the index of the exponent")
        else:
            whole_ticks(axes)
            axes.set(xlabel="index i of the exponent", xlim=(0.4, None))
        axes.set(ylabel=EXPONENT, title=title)
        beside(axes, "estimates, 95 % bands" + ("\nbrackets: proved" if single else ""))
    return figure


@dataclass(frozen=True)
class _Line:
    """How one spectrum is drawn; ``strip`` is the place of -inf."""

    colour: str
    marker: str
    relative: bool
    strip: float


def _spectrum_line(axes: Axes, name: str, each: Sequence[Estimate], line: _Line) -> None:
    indices = np.arange(len(each)) / max(1, len(each) - 1) if line.relative else np.arange(1, len(each) + 1)
    values = np.array([entry.value if isfinite(entry.value) else nan for entry in each])
    halves = np.array([entry.half_width for entry in each])
    every = 1 if len(each) <= FEW else len(each) // 12
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0.5)
    axes.fill_between(indices, values - halves, values + halves, color=line.colour, alpha=0.22, linewidth=0)
    axes.plot(indices, values, color=line.colour, marker=line.marker, markevery=every, label=f"{name} ({len(each)})")
    gone = np.isnan(values)
    axes.plot(indices[gone], np.full(gone.sum(), line.strip), linestyle="", marker=line.marker, color=line.colour)


def _proved(axes: Axes, entries: Sequence[Exact | Certified], strip: float) -> None:
    """Draw each as a bracket a third of an index to the right of its exponent; an open end is a short arrow."""
    low, high = axes.get_ylim()
    stub = _STUB * (high - low)
    for entry in entries:
        place = float(entry.of) + 0.33  # between two indices, where no estimate is
        lower, upper = (None if end is None else float(end) for end in (entry.lower, entry.upper))
        if _shut(entry):
            axes.plot([place], [strip], marker="D", color=RED, markersize=5, linestyle="")
            continue
        if lower is None and upper is None:
            continue
        ends = (upper or 0.0) - stub if lower is None else lower, (lower or 0.0) + stub if upper is None else upper
        axes.plot([place, place], ends, color=RED, linewidth=2.2, solid_capstyle="butt")
        for end, at, arrow in ((lower, ends[0], "v"), (upper, ends[1], "^")):
            axes.plot([place], [at], marker="_" if end is not None else arrow, color=RED, markersize=8, markeredgewidth=1.6)
    if entries:
        axes.plot([], [], color=RED, linewidth=2.2, marker="_", markersize=8, label="proved")


def _shut(entry: Exact | Certified) -> bool:
    """Say whether an entry proves -inf: a closed form without a finite enclosure."""
    return isinstance(entry, Exact) and entry.lower is None and entry.upper is None


def training_figure(runs: Mapping[str, Sequence[Record]], *, title: str = "Exponents in training", leading: int = 8) -> Figure:
    """Draw for each run the training loss (above) and its leading exponents with 95 % bands (below), against the steps.

    **Raises** Malformed: no runs, or one without records.
    """
    if not runs or not all(runs.values()):
        raise _empty("runs", "at least one run with at least one record")
    with drawing(2.2 + 2.7 * len(runs), 5.2) as figure:
        grid = figure.subplots(2, len(runs), sharex=True, sharey="row", squeeze=False, height_ratios=(1, 1.35))
        shown = [entry for records in runs.values() for record in records for entry in _leading(record, leading)]
        ends = [value + sign * half for value, half in shown for sign in (-1, 1)]
        count = max(min(leading, len(record.exponents)) for records in runs.values() for record in records)
        colours = shades(count)
        for i, (name, records) in enumerate(runs.items()):
            steps = [record.step for record in records if record.loss is not None]
            losses = [record.loss for record in records if record.loss is not None]
            grid[0, i].plot(steps, losses, color=INK, marker="o", markersize=3)
            grid[0, i].set_title(name, fontsize=9.5, fontweight="normal")
            place = _strip(grid[1, i], [value for value, _ in shown], ends, name="" if i else _INF)
            _exponents_in_time(grid[1, i], records, colours, place)
            grid[1, i].set_xlabel("optimizer steps")
            grid[1, i].xaxis.get_major_locator().set_params(nbins=5)
            grid[1, i].tick_params(labelleft=i == 0)
        grid[0, 0].set_ylabel(f"training {LOSS}")
        grid[1, 0].set_ylabel(EXPONENT)
        beside(grid[1, -1], "exponent")
        if any(value == -inf for value, _ in shown):
            text = "grey strip: how many of the exponents shown are −∞"
            figure.supxlabel(text, fontsize=8, color=GREY, x=0.01, ha="left")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _leading(record: Record, leading: int) -> list[tuple[float, float]]:
    return list(zip(record.exponents, record.half_widths, strict=True))[:leading]


def _exponents_in_time(axes: Axes, records: Sequence[Record], colours: Sequence[str], place: float) -> None:
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0.5)
    for j, colour in enumerate(colours):
        there = [record for record in records if j < len(record.exponents)]
        steps = np.array([record.step for record in there])
        values = np.array([record.exponents[j] for record in there])
        halves = np.array([record.half_widths[j] for record in there])
        finite = np.where(np.isfinite(values), values, nan)
        axes.fill_between(steps, finite - halves, finite + halves, color=colour, alpha=0.22, linewidth=0)
        named = len(colours) <= MANY or j in {0, len(colours) - 1}
        axes.plot(steps, finite, color=colour, marker="o", markersize=2.6, linewidth=1.3, label=f"{j + 1}" if named else None)
    for record in records:
        count = sum(value == -inf for value in record.exponents[: len(colours)])
        if count:
            axes.text(record.step, place, str(count), fontsize=7, ha="center", va="center", color=INK)


def loss_figure(
    points: Sequence[Point], *, notes: Mapping[str, str] | None = None, title: str = "Largest exponent and final loss"
) -> Figure:
    """Draw final loss against largest exponent, a panel an architecture, a colour and marker a size, bars 95 % intervals.

    ``notes``: a line below the name of an architecture, for example its correlation. **Raises** Malformed: no points, a loss not finite.
    """
    if not points or not all(isfinite(point.loss) for point in points):
        raise _empty("runs", "at least one run, each with a finite loss")
    names = sorted({point.architecture for point in points})
    sizes = sorted({point.size for point in points})
    with drawing(1.9 + 2.9 * len(names), 4.2) as figure:
        grid = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        ends = [point.exponent + sign * point.half_width for point in points for sign in (-1, 1)]
        for axes, name in zip(grid, names, strict=True):
            here = [point for point in points if point.architecture == name]
            place = _strip(axes, [p.exponent for p in points], ends, way="x")
            axes.axvline(0.0, color=GREY, linewidth=0.8, zorder=0.5)
            for size, colour, marker in zip(sizes, shades(len(sizes)), MARKERS * len(sizes), strict=False):
                _cloud(axes, [point for point in here if point.size == size], (colour, marker, str(size)), place)
            note = (notes or {}).get(name)
            axes.set_title(f"{name}\n{note}" if note else name, fontsize=9.5, fontweight="normal")
            axes.set_xlabel(f"largest exponent, {UNIT}")
        grid[0].set_ylabel(f"final validation {LOSS}")
        _legend_of_sizes(grid[-1], sizes)
        text = "bars and brackets: 95 % intervals; ρ: Spearman's coefficient" if notes else "bars: 95 % intervals"
        figure.supxlabel(text, fontsize=8, color=GREY, x=0.01, ha="left")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _cloud(axes: Axes, points: Sequence[Point], look: tuple[str, str, str], place: float) -> None:
    colour, marker, _ = look
    x = [point.exponent if isfinite(point.exponent) else place for point in points]
    halves = [0.0 if isnan(point.half_width) or not isfinite(point.exponent) else point.half_width for point in points]
    style: Any = {"linestyle": "", "color": colour, "marker": marker, "markersize": 5.5, "markeredgecolor": "white", "markeredgewidth": 0.4}
    axes.errorbar(x, [point.loss for point in points], xerr=halves, ecolor=colour, elinewidth=0.9, alpha=0.9, **style)


def _legend_of_sizes(axes: Axes, sizes: Sequence[int]) -> None:
    for size, colour, marker in zip(sizes, shades(len(sizes)), MARKERS * len(sizes), strict=False):
        axes.plot([], [], marker=marker, color=colour, linestyle="", label=str(size))
    beside(axes, "hidden units")


def convergence_figure(found: Converging, *, title: str = "Convergence of the estimates") -> Figure:
    """Draw the running mean of every exponent against the measured steps, and at the right the estimates with their 95 % intervals."""
    if not found.exponents or len(found.convergence) == 0:
        raise _empty("blocks", "a spectrum with at least one block")
    series = np.where(np.isneginf(found.convergence), nan, found.convergence)
    steps = found.block_steps * np.arange(1, len(series) + 1)
    with drawing(7.8, 4.6) as figure:
        axes = figure.add_subplot()
        place = _strip(axes, [entry.value for entry in found.exponents], [*(e for x in found.exponents for e in x.ci), *series.ravel()])
        axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0.5)
        last, colours = float(steps[-1]), shades(len(found.exponents))
        for j, (entry, colour) in enumerate(zip(found.exponents, colours, strict=True)):
            named = len(colours) <= MANY or j in {0, len(colours) - 1}
            axes.plot(steps, series[:, j], color=colour, linewidth=1.3, label=_value_text(entry) if named else None)
            bar: Any = {"marker": "o", "markersize": 3.5, "color": colour, "capsize": 3, "linestyle": ""}
            finite = isfinite(entry.value)
            half = entry.half_width if finite and not isnan(entry.half_width) else 0.0
            axes.errorbar([1.05 * last], [entry.value if finite else place], yerr=[half], **bar)
        axes.set(xlabel="measured steps", ylabel=EXPONENT, title=title, xlim=(0, 1.1 * last))
        beside(axes, "running means; right:\nestimate ± 95 %")
    return figure


def _value_text(entry: Estimate) -> str:
    value = f"{entry.value:.4f}" if isfinite(entry.value) else _INF
    half = f" ± {entry.half_width:.2g}" if isfinite(entry.value) and not isnan(entry.half_width) else ""
    return f"{entry.of}: {value}{half}".replace("-", "−")


def latent_figure(found: Components, losses: Sequence[float], kinds: Sequence[str] | None = None, *, title: str = "AeLLE latent") -> Figure:
    """Draw two principal components of the latent, coloured by final loss, a marker a kind. **Raises** Malformed: other lengths."""
    names = list(kinds) if kinds is not None else ["run"] * len(losses)
    if found.scores.shape[1] < 2 or not len(found.scores) == len(losses) == len(names):  # noqa: PLR2004
        got = f"{found.scores.shape}, {len(losses)} losses, {len(names)} kinds"
        raise Malformed(where="figure", law="latent vectors, losses and kinds", expected="two components, one of each a run", got=got)
    with drawing(7.2, 4.8) as figure:
        axes = figure.add_subplot()
        scale: Any = {"cmap": "viridis_r", "vmin": min(losses), "vmax": max(losses)}
        for name, marker in zip(sorted(set(names)), MARKERS * len(names), strict=False):
            rows = [i for i, kind in enumerate(names) if kind == name]
            x, y = found.scores[rows, 0], found.scores[rows, 1]
            colours = [losses[i] for i in rows]
            drawn = axes.scatter(x, y, c=colours, marker=marker, s=38, edgecolors=INK, linewidths=0.5, **scale)
            axes.plot([], [], marker=marker, color="white", markeredgecolor=INK, linestyle="", label=name)
        figure.colorbar(drawn, ax=axes, label=f"final validation {LOSS}", pad=0.02)
        shares = [f"component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(found.shares)]
        axes.set(xlabel=shares[0], ylabel=shares[1])
        axes.set_title(title, pad=24)
        text = "the embedding was trained on the runs shown: a picture, not a test"
        figure.supxlabel(text, fontsize=8, color=GREY, x=0.01, ha="left")
        if kinds is not None:
            axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=6, borderaxespad=0.2, handletextpad=0.1, columnspacing=1.2)
    return figure


def points_of(found: Study) -> list[Point]:
    """Return the runs of a study as the points of ``loss_figure``."""
    return [Point(run.architecture, run.size, run.exponents[0], run.half_widths[0], run.loss) for run in found.entries]


def notes_of(found: Study) -> dict[str, str]:
    """Return what ``loss_figure`` says of each architecture: Spearman's coefficient ρ within strata, with its interval."""
    links = {link.architecture: link.within for link in found.links if link.architecture is not None}
    texts = {name: f"ρ within strata {each.value:+.2f} [{each.low:+.2f}, {each.high:+.2f}]" for name, each in links.items()}
    return {name: text.replace("-", "−") for name, text in texts.items()}


def _strip(axes: Axes, values: Sequence[float], ends: Sequence[float], way: Literal["x", "y"] = "y", name: str = _INF) -> float:
    """Fix the scale to the finite values and interval ends; where some value is -inf, add a strip for them below it. Return its middle."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    finite = [value for value in (*values, *ends) if isfinite(value)] or [-1.0, 0.0]
    low, high = min(*finite, 0.0), max(*finite, 0.0)
    room = 0.05 * (high - low) if high > low else 0.5
    low, high = low - room, high + room
    axis, limits = (axes.yaxis, axes.set_ylim) if way == "y" else (axes.xaxis, axes.set_xlim)
    axis.set_major_locator(FixedLocator([tick for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high]))
    if all(isfinite(value) for value in values):
        limits(low, high)
        return low
    bottom = low - _STRIP * (high - low)
    limits(bottom, high)
    middle = (bottom + low) / 2
    band, place = (axes.axhspan, (0.0, middle)) if way == "y" else (axes.axvspan, (middle, 0.0))
    band(bottom, low, color=GREY, alpha=0.16, linewidth=0)
    transform = axes.get_yaxis_transform() if way == "y" else axes.get_xaxis_transform()
    shift, sides = ((-5, 0), ("right", "center")) if way == "y" else ((0, -5), ("center", "top"))
    text: Any = {"textcoords": "offset points", "ha": sides[0], "va": sides[1], "color": INK, "annotation_clip": False}
    axes.annotate(name, place, shift, xycoords=transform, **text)
    return middle


def _cycle(count: int) -> list[str]:
    return list(_COLOURS[:count]) if count <= len(_COLOURS) else shades(count)


def _empty(what: str, expected: str) -> Malformed:
    return Malformed(where="figure", law=f"{what} to draw", expected=expected, got="none, or one without")
