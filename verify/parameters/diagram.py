"""A bifurcation diagram: one state of every point of each proved branch over mu, with the proved events and what stayed open.

The curves are float solutions of the branch's equations inside its proved range; existence, stability and events are the kernel's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from verify.parameters.branch_points import BranchPoints
from verify.sampling.canvas import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, drawing, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from verify.certification.bifurcation_results import Bifurcations, ProvedBranch, ProvedEvent
    from verify.paths import Path

    Floats = NDArray[np.float64]

__all__ = ["diagram", "save"]

_WIDTH, _HEIGHT = 8.6, 5.2  # inches
_SPREAD = 40  # mus spaced evenly over a branch
_DEEPEST = 24  # beside each end of a branch, mus at distances down to 2^-24 of its length
_SHARE, _ROOM = 2.4, 0.08
_LEAST = 0.002  # of the path: a shaded range is not drawn narrower
_APART = 0.028  # of the width: labels of events
_LEVEL = 0.14  # of the width: events farther apart have level labels
_LONG = 12
_STYLES: dict[str | None, tuple[str, object, float, str]] = {
    "stable": (BLUE, "-", 2.0, "stable"),
    "saddle": (ORANGE, (0, (5, 2)), 1.5, "saddle"),
    "repelling": (RED, (0, (2, 1.6)), 1.5, "repelling"),
    None: ("#A0A0A0", "-", 0.9, "exists, stability not proved"),
}
_MARKS = {
    "border_collision": ("s", INK, "border collision"),
    "to_infinity": ("X", RED, "escape to infinity"),
    "multiplier_one": ("X", RED, "multiplier 1"),
    "flip": ("D", PURPLE, "flip"),
    "complex_pair": ("o", GREEN, "complex pair"),
    "fold": (">", BLUE, "fold"),
}


@dataclass(frozen=True, eq=False)
class Curve:
    """A branch with its mus (n,) and points (n, k, M)."""

    branch: ProvedBranch
    mus: Floats
    points: Floats


def diagram(answer: Bifurcations, path: Path, coordinate: int | None = None) -> Figure:
    """Draw a path's proved branches and events; without ``coordinate`` (from 1) the state that varies most is shown.

    **Guarantee:** heuristic curves inside proved ranges. **Raises:** Unsupported without matplotlib.
    """
    solver = BranchPoints(path)
    curves = [_curve(solver, branch) for branch in answer.branches]
    curves = [curve for curve in curves if len(curve.mus)]
    shown = _widest(curves) if coordinate is None else coordinate - 1
    low, high = _limits([curve.points[_even(curve), :, shown].ravel() for curve in curves])
    with drawing(_WIDTH, _HEIGHT) as figure:
        axes = figure.subplots()
        axes.set(
            xlim=(float(path.low), float(path.high)), ylim=(low, high), xlabel=path.label, ylabel=f"state {shown + 1} of the cycle's points"
        )
        _shade(axes, answer, path)
        for curve in curves:
            colour, style, width, _ = _STYLES[curve.branch.label]
            for column in curve.points[:, :, shown].T:
                axes.plot(curve.mus, column, color=colour, linestyle=style, linewidth=width, zorder=3)
        _virtual(axes, answer, solver, shown)
        _events(axes, answer, solver, (curves, shown))
        _legend(figure, answer, curves)
    return figure


def _curve(solver: BranchPoints, branch: ProvedBranch) -> Curve:
    low, width = branch.low, branch.high - branch.low
    shares = [Fraction(i, _SPREAD) for i in range(_SPREAD + 1)]
    near = [Fraction(1, 1 << j) for j in range(6, _DEEPEST + 1)]
    shares = sorted({*shares, *near, *(1 - share for share in near)})
    found = [(float(low + share * width), solver.of_branch(branch, low + share * width)) for share in shares]
    kept = [(mu, points) for mu, points in found if points is not None]
    size = solver.path.start.dimension
    points = np.array([points for _, points in kept]).reshape(len(kept), branch.period, size)
    return Curve(branch, np.array([mu for mu, _ in kept]), points)


def _even(curve: Curve) -> NDArray[np.int64]:
    """Return places of mus that are spaced about evenly, for limits that do not follow an escape."""
    goals = np.linspace(curve.mus[0], curve.mus[-1], _SPREAD + 1)
    return np.unique(np.searchsorted(curve.mus, goals).clip(0, len(curve.mus) - 1))


def _widest(curves: list[Curve]) -> int:
    """Return the state with the largest spread: one that escapes, if any does."""
    if not curves:
        return 0
    columns = np.concatenate([curve.points[_even(curve)].reshape(-1, curve.points.shape[2]) for curve in curves])
    return int(np.argmax(columns.max(axis=0) - columns.min(axis=0)))


def _limits(values: list[Floats]) -> tuple[float, float]:
    """Return heights between which everything lies, or nearly all where some of it escapes."""
    cloud = np.concatenate(values) if values else np.zeros(1)
    low, high = float(cloud.min()), float(cloud.max())
    inner = np.percentile(cloud, [8, 92])
    reach = _SHARE * max(float(inner[1] - inner[0]), 1e-9) / 2.0
    middle = float(inner.mean())
    if high - low > 2.0 * reach:
        low, high = max(low, middle - reach), min(high, middle + reach)
    room = _ROOM * (high - low) or 1.0
    return low - room, high + room


def _shade(axes: Axes, answer: Bifurcations, path: Path) -> None:
    """Shade what is unresolved or undecided."""
    least = _LEAST * float(path.high - path.low)
    ranges = [(item.low, item.high) for item in answer.clusters] + [(item.low, item.high) for item in answer.found.undecided]
    for low, high in (map(float, ends) for ends in ranges):
        pad = max(0.0, least - (high - low)) / 2.0
        axes.axvspan(low - pad, high + pad, color="#E4DCC8", zorder=1, linewidth=0)


def _events(axes: Axes, answer: Bifurcations, solver: BranchPoints, drawn: tuple[list[Curve], int]) -> None:
    (floor, ceiling), (curves, shown) = axes.get_ylim(), drawn
    edge = 0.02 * (ceiling - floor)
    for event in answer.events:
        mu = _middle(event)
        mark, colour, _ = _MARKS[event.kind]
        axes.axvline(mu, color=colour, linewidth=0.6, alpha=0.45, zorder=2)
        points = _last(event, curves) if event.kind == "to_infinity" else solver.of_event(event)
        heights = [] if points is None else np.clip(points[:, shown], floor + edge, ceiling - edge).tolist()
        look: Any = {"color": colour, "markersize": 6.0, "markeredgecolor": "white", "markeredgewidth": 0.6}
        axes.plot([mu] * len(heights), heights, mark, zorder=5, clip_on=False, **look)
    _labels(axes, answer.events)


def _labels(axes: Axes, events: tuple[ProvedEvent, ...]) -> None:
    """Write type and place of the events above the frame, one text for those that are close together."""
    left, right = axes.get_xlim()
    groups: list[list[ProvedEvent]] = []
    for event in sorted(events, key=_middle):
        if groups and _middle(event) - _middle(groups[-1][0]) < _APART * (right - left):
            groups[-1].append(event)
        else:
            groups.append([event])
    places = [_middle(group[0]) for group in groups]
    gaps = [two - one for one, two in pairwise([left - (right - left) / 2, *places, right + (right - left) / 2])]
    level = min(gaps) >= _LEVEL * (right - left)
    for place, group in zip(places, groups, strict=True):
        names = list(dict.fromkeys(_MARKS[event.kind][2] for event in group))
        form = group[0].closed_form
        where = form if form and len(form) <= _LONG else f"{place:.5g}"
        look: Any = {"ha": "center"} if level else {"ha": "left", "rotation": 35, "rotation_mode": "anchor"}
        text = "\n".join([*names, where]) if level else f"{', '.join(names)}  {where}"
        colour = _MARKS[group[0].kind][1] if len(names) == 1 else INK
        axes.annotate(
            text,
            (place, 1.0),
            (0, 5),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="bottom",
            fontsize=8,
            color=colour,
            annotation_clip=False,
            **look,
        )


def _last(event: ProvedEvent, curves: list[Curve]) -> Floats | None:
    """Return the points of an escaping cycle nearest to its escape, that are drawn."""
    ends = [(curve, i) for curve in curves if curve.branch.itinerary in event.words for i in (0, -1)]
    near = min(ends, key=lambda end: abs(end[0].mus[end[1]] - _middle(event)), default=None)
    return None if near is None else near[0].points[near[1]]


def _middle(event: ProvedEvent) -> float:
    return float((event.low + event.high) / 2)


def _virtual(axes: Axes, answer: Bifurcations, solver: BranchPoints, shown: int) -> None:
    """Draw events that no cycle undergoes as hollow marks, where their closed orbit is, on the frame if that is outside."""
    floor, ceiling = axes.get_ylim()
    for item in answer.found.virtual:
        mu = (item.low + item.high) / 2
        mark, colour, _ = _MARKS[item.kind]
        points = solver.of_word(item.itinerary, mu)
        heights = [floor] if points is None else np.clip(points[:, shown], floor, ceiling).tolist()
        look: Any = {"markerfacecolor": "white", "markeredgecolor": colour, "markersize": 4.5, "markeredgewidth": 0.8}
        axes.plot([float(mu)] * len(heights), heights, mark, zorder=4, clip_on=False, **look)


def _legend(figure: Figure, answer: Bifurcations, curves: list[Curve]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    labels = {curve.branch.label for curve in curves}
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, linestyle=style, linewidth=width, label=name)  # type: ignore[arg-type]
        for label, (colour, style, width, name) in _STYLES.items()
        if label in labels
    ]
    handles += [_handle(*_MARKS[kind], hollow=False) for kind in _kinds(answer.events)]
    if answer.found.virtual:
        handles.append(_handle("o", GREY, "virtual: no cycle there", hollow=True))
    if answer.clusters or answer.found.undecided:
        handles.append(Patch(facecolor="#E4DCC8", label="unresolved"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, max(1, len(handles))), fontsize=8)


def _handle(mark: str, colour: str, name: str, *, hollow: bool) -> Line2D:
    """Return a legend's entry for a mark."""
    from matplotlib.lines import Line2D

    face, edge = ("white", colour) if hollow else (colour, "white")
    return Line2D([], [], linestyle="", marker=mark, markersize=6, markerfacecolor=face, markeredgecolor=edge, label=name)


def _kinds(events: tuple[ProvedEvent, ...]) -> Iterator[str]:
    found = {event.kind for event in events}
    yield from (kind for kind in _MARKS if kind in found)
