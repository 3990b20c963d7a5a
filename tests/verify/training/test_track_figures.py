"""The figure of a tracked run: drawn for one run and for two, marks by type, a row for forcing only where there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from proofs.errors import Malformed
from tests.verify.training.tracked import checkpoint, event, tracking
from verify.training.figures import save, tracking_figure
from verify.training.track_answers import TYPES

EVENTS = [[event(kind) for kind in TYPES], [event("flip", proved=False)]]
PLAIN = tracking((1.0, 3.0, 0.5), EVENTS)
FORCED = tracking((1.0, 1.5, 0.5), [[], [event()]], 0.25)


def test_two_runs_side_by_side(tmp_path: Path) -> None:
    figure = tracking_figure([("plain", PLAIN), ("forced", FORCED)])
    assert len(figure.axes) == 12
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["plain", "forced"]
    assert [label.get_text() for label in figure.axes[4].get_yticklabels()] == [kind.replace("_", " ") for kind in TYPES]
    assert save(figure, tmp_path / "run.svg").stat().st_size > 10_000


def test_a_run_without_forcing_has_no_row_for_it() -> None:
    assert len(tracking_figure([("plain", PLAIN)]).axes) == 5


def test_equal_figures_are_equal_bytes(tmp_path: Path) -> None:
    one, two = (save(tracking_figure([("run", FORCED)]), tmp_path / name).read_bytes() for name in ("one.png", "two.png"))
    assert one == two


def test_events_stand_on_the_curves() -> None:
    axes = tracking_figure([("plain", PLAIN)]).axes[0]
    marks = [np.asarray(line.get_xdata()) for line in axes.lines]
    places = sorted(round(float(mark[0]), 6) for mark in marks if len(mark) == 1)
    assert places == [2.5] * len(TYPES) + [12.5]


def test_a_run_without_events_and_with_escapes() -> None:
    gone = replace(
        PLAIN,
        checkpoints=tuple(checkpoint(10 * i, None, escaped="far") for i in range(3)),
        segments=tracking((1.0, 1.0, 1.0), [[], []]).segments,
        metrics=(),
    )
    assert [text.get_text() for text in tracking_figure([("gone", gone)]).axes[2].texts] == ["no event found"]


def test_nothing_to_draw() -> None:
    with pytest.raises(Malformed) as caught:
        tracking_figure([])
    assert caught.value.law == "runs to draw"
