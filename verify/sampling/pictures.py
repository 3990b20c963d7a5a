"""Pictures of single maps: laps of iterates against compositions, and two trajectories that scramble."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from math import log
from typing import TYPE_CHECKING

from verify.rounding import fixed_above, fixed_below
from verify.sampling.canvas import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, drawing, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.sampling.expressivity import Growth, Survey
    from verify.sampling.scrambling import ProvedPair, Scrambling

_LEVELS = (0.1, 0.5, 0.9)
_PROVED = (GREEN, PURPLE)
_KINDS = (("recurrent", BLUE, "one perturbed copy, iterated"), ("feedforward", ORANGE, "perturbed copies, composed"))
_WRAP = 128
_LAPS_TITLE = "Laps of iterates and of compositions"


def laps_figure(found: Survey, proved: Mapping[str, Growth] | None = None, title: str = _LAPS_TITLE) -> Figure:
    """Draw laps and their growth rates against the number of iterations: medians and the middle 80 % of the seeds.

    ``proved``: growths with an entropy enclosure, by what to call them; each is drawn as a band among the rates.
    """
    with drawing(9.6, 4.4) as figure:
        left, right = figure.subplots(1, 2, sharex=True)
        left.set_yscale("log", base=2)
        _laps(left, found)
        left.set(xlabel="iterations t", ylabel="laps (log axis)", title=title)
        left.legend(loc="upper left")
        _rates(right, found)
        for colour, (name, growth) in zip(_PROVED, (proved or {}).items(), strict=False):
            _entropy(right, name, growth, colour)
        right.set(xlabel="iterations t", ylabel="log(laps) / t, nats a step", ylim=(0, None), title="Growth rate")
        right.legend(loc="lower left")
        whole_ticks(left)
        seeds = f"{len(found.seeds):,} seeds, " if len(found.seeds) > 1 else f"seed {found.seeds[0]}, "
        bands = "; lines: medians, bands: from the 10 % to the 90 % quantile" if len(found.seeds) > 1 else ""
        text = f"every parameter + {found.sigma:g} N(0, 1), {seeds}laps counted exactly{bands}"
        figure.supxlabel(text, fontsize=8, color=GREY, x=0.01, ha="left")
    return figure


def scrambling_figure(found: Scrambling, title: str | None = None) -> Figure:
    """Draw two trajectories, their distance, and the proved pair of cycles: points on the right, least distance below."""
    times = range(len(found.first))
    start = found.distances[0]
    kind = "exact orbits" if found.exact else "a simulation in float64"
    with drawing(8.6, 5.4) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1))
        upper.plot(times, found.first, ".-", color=BLUE, linewidth=1.1, markersize=3.5, label="x")
        upper.plot(times, found.second, ".--", color=ORANGE, linewidth=1.0, markersize=3.0, label=f"y, at first {start:.1g} from x")
        upper.set(ylabel="state")
        upper.set_title(title or f"Scrambling: {found.name}", pad=26)
        _distances(lower, found)
        if found.pair is not None:
            _proved(upper, lower, found.pair, times[-1] * 1.018)
        upper.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, borderaxespad=0.2, columnspacing=1.4)
        lower.legend(loc="lower right")
        lower.set(xlabel="time t", ylabel="distance |x − y| (log axis)", xlim=(-1, times[-1] * 1.03))
        said = textwrap.fill(f"Trajectories: {kind}. Proved of the map: {found.statements[0]}.", _WRAP)
        figure.supxlabel(said, fontsize=8, color=GREY, x=0.01, ha="left")
    return figure


def _laps(axes: Axes, found: Survey) -> None:
    """Draw the medians with their bands, and the unperturbed network."""
    times = range(1, len(found.network) + 1)
    for kind, colour, label in _KINDS:
        low, middle, high = zip(*found.quantiles(kind, _LEVELS), strict=True)
        axes.fill_between(times, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(times, middle, color=colour, label=label)
    axes.plot(times, found.network, "o", color=INK, markerfacecolor="none", label="unperturbed, iterated")


def _rates(axes: Axes, found: Survey) -> None:
    """Draw the same as rates."""
    times = range(1, len(found.network) + 1)
    for kind, colour, _ in _KINDS:
        low, middle, high = (_rate(column) for column in zip(*found.quantiles(kind, _LEVELS), strict=True))
        axes.fill_between(times, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(times, middle, color=colour)
    axes.plot(times, _rate(found.network), "o", color=INK, markerfacecolor="none")


def _rate(laps: tuple[int, ...]) -> list[float]:
    return [log(count) / t for t, count in enumerate(laps, 1)]


def _entropy(axes: Axes, name: str, growth: Growth, colour: str) -> None:
    """Draw the proved enclosure, as wide as it is."""
    if growth.entropy is None:
        return
    low, high = growth.entropy
    axes.axhspan(float(low), float(low if high is None else high), color=colour, alpha=0.35, linewidth=0)
    ends = f"≥ {fixed_below(low, 4)}" if high is None else f"in [{fixed_below(low, 4)}, {fixed_above(high, 4)}]"
    axes.axhline(float(low), color=colour, linewidth=1.2, linestyle="--", label=f"entropy of {name}\n{ends}, proved")


def _distances(axes: Axes, found: Scrambling) -> None:
    """Draw the distance; where it is 0 a triangle at the lower edge."""
    axes.set_yscale("log")
    times = range(len(found.distances))
    least = min((gap for gap in found.distances if gap > 0), default=1.0)
    axes.plot(times, [gap if gap > 0 else float("nan") for gap in found.distances], ".-", color=INK, linewidth=1.1, markersize=3.5)
    met = [t for t in times if found.distances[t] == 0]
    if met:
        axes.plot(met, [least / 3] * len(met), "v", color=GREY, markersize=4, label="distance 0")


def _proved(states: Axes, distances: Axes, pair: ProvedPair, place: float) -> None:
    """Mark the points of both cycles at the right edge, and how far apart they stay."""
    for cycle, colour, marker in zip(pair.cycles, _PROVED, "Ds", strict=True):
        points = [float((point.lo + point.hi) / 2) for (point,) in cycle.points]
        label = f"proved {cycle.period}-cycle through {points[0]:.4f}"
        states.plot([place] * len(points), points, marker, color=colour, markersize=5, clip_on=False, label=label)
    label = f"the proved cycles stay {fixed_below(pair.gap, 4)} apart"
    distances.axhline(float(pair.gap), color=GREEN, linewidth=1.2, linestyle="--", label=label)
