"""Bifurcation diagrams: every proved branch is drawn, by its stability, where it is."""

from __future__ import annotations

from fractions import Fraction as Q
from pathlib import Path as FilePath

import numpy as np
import pytest

from verify.certification.bifurcations import bifurcations
from verify.loading import load
from verify.parameters.branch_points import BranchPoints
from verify.parameters.diagram import diagram, save
from verify.paths import Path, vary

pytest.importorskip("matplotlib")


def tent(span: str) -> Path:
    """Return the skew tent with left slope 1/5; W is the right slope less 1/5."""
    return vary(load({"A": ["1/5"], "W": [["-3"]], "h": [1]}, "plrnn"), f"W[0,0]={span}")


def test_points_of_an_itinerary_solve_its_equations() -> None:
    found = BranchPoints(tent("-3:3/5")).of_word(("0", "1"), Q(-3))
    assert found is not None
    slope = Q(-14, 5)
    right = (1 + Q(1, 5)) / (1 - slope / 5)  # by hand: z = (z_right slope + 1) / 5 + 1
    assert sorted(found[:, 0]) == pytest.approx([float(slope * right + 1), float(right)])


def test_a_singular_itinerary_has_no_points() -> None:
    assert BranchPoints(tent("-3:9/5")).of_word(("1",), Q(4, 5)) is None


def test_the_skew_tent(tmp_path: FilePath) -> None:
    path = tent("-3:9/5")
    answer = bifurcations(path, up_to=1, samples=3, budget=5)
    figure = diagram(answer, path)
    (axes,) = figure.axes
    assert axes.get_xlim() == (-3.0, 1.8)
    curves = [line for line in axes.lines if line.get_linewidth() >= 1.5 and line.get_marker() == "None"]
    styles = {line.get_linestyle() for line in curves}
    assert styles == {"-", "--"}
    assert axes.get_ylim()[1] < 50  # the escape at 4/5 is clipped
    for line in curves:
        mus, heights = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert heights == pytest.approx(1 / (0.8 - mus))
    labels = [text.get_text() for text in axes.texts]
    assert labels == ["flip\n-6/5", "escape to infinity\n4/5"]
    for kind in ("svg", "png", "pdf"):
        assert save(figure, tmp_path / f"a.{kind}").stat().st_size > 1000
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.pdf", "a.png", "a.svg"]


def test_a_path_without_proved_branches_is_drawn_empty() -> None:
    """The identity beyond a bend: z + 1 has no cycle."""
    path = vary(load({"A": ["1"], "W": [["0"]], "h": [1]}, "plrnn"), "h[0]=1:2")
    (axes,) = diagram(bifurcations(path, up_to=1, samples=1, budget=2), path).axes
    assert not [line for line in axes.lines if line.get_linewidth() >= 1.5]


def test_a_smooth_path() -> None:
    path = vary(load({"W": [["1/2"]], "b": ["0"], "activation": "tanh"}, "rnn"), "b[0]=-1/4:1/4")
    answer = bifurcations(path, up_to=1, samples=1, budget=10)
    (axes,) = diagram(answer, path).axes
    (line,) = axes.lines
    mus, heights = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert np.tanh(heights / 2 + mus) == pytest.approx(heights)
