"""Figures by their structure: axes, lines, bands and words; equal input gives equal bytes."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.sampling import figures
from verify.sampling.canvas import number_text
from verify.sampling.corrected_table import percent_text
from verify.sampling.counts import CellCounts
from verify.sampling.expressivity import Growth, Survey, survey
from verify.sampling.families import Cell
from verify.sampling.figures import Estimate, TableRow
from verify.sampling.persistence import Distribution
from verify.sampling.scrambling import NEAR_TENT, Scrambling, scrambling
from verify.sampling.statistics import Share, clopper_pearson

pytest.importorskip("matplotlib")

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TENT = {"layers": [{"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"}, {"W": [[2, -4]], "b": [0], "activation": "identity"}]}
SHARES = {16: {4: 10, 8: 75, 16: 178}, 64: {4: 7, 8: 76, 16: 217}}  # of a thousand
RADII = Distribution(tuple(Fraction(1, 2**k) for k in (9, 8, 7, 7, 6)), 1)


def rows(undecided: int = 0, chaotic: dict[int, dict[int, int]] | None = None) -> list[CellCounts]:
    """Return a small phase diagram."""
    found = []
    for width, line in (chaotic or SHARES).items():
        for scale, count in line.items():
            rest = 1000 - count - undecided
            found.append(CellCounts(Cell("theory", width, scale), 1000, count, rest, 0, undecided, count + 5, count, undecided, undecided))
    return found


@cache
def laps() -> Survey:
    return survey(TENT, 5, 0.1, range(10), model="scalar")


@cache
def pair() -> Scrambling:
    return scrambling(NEAR_TENT, "0.175421", "1e-7", 40, model="scalar", name="near tent")


def table() -> list[TableRow]:
    count = Share(14, 0, 100_000)
    return [
        TableRow(
            "1,He | He,He,identity",
            13.77,
            Share(1377, 0, 10_000),
            Share(1, 0, 10_000),
            Share(14_080, 0, 100_000),
            count,
            Share(83, 2, 100_000),
        ),
        TableRow(
            "another",
            None,
            Share(600, 0, 10_000),
            Share(0, 0, 10_000),
            Share(7_000, 0, 100_000),
            Share(0, 0, 100_000),
            Share(0, 0, 100_000),
        ),
    ]


ALL: dict[str, Callable[[], Figure]] = {
    "phase": lambda: figures.phase_diagram(rows(20)),
    "phase, log": lambda: figures.phase_diagram(rows(chaotic={16: {2: 0, 4: 10}}), log=True),
    "phase, width": lambda: figures.phase_diagram(rows(), along="width", what="period_3"),
    "limit": lambda: figures.width_limit(rows(), [Estimate(4, 0.006, 0.005, 0.007), Estimate(16, 0.21, 0.2, 0.22)]),
    "table": lambda: figures.table_figure(table()),
    "laps": lambda: figures.laps_figure(laps(), {"the tent": Growth(laps().network, (Fraction(69, 100), Fraction(7, 10)))}),
    "scrambling": lambda: figures.scrambling_figure(pair()),
    "radii": lambda: figures.radius_figure(RADII, RADII),
}


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def numbers(values: object) -> list[float]:
    return [float(x) for x in np.asarray(values).ravel()]


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


@pytest.mark.parametrize("name", list(ALL))
def test_equal_figures_are_equal_bytes(name: str, tmp_path: Path) -> None:
    for kind in ("svg", "png"):
        first, second = (figures.save(ALL[name](), tmp_path / f"{i}.{kind}") for i in range(2))
        assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.glob(".*"))
    text = (tmp_path / "0.svg").read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert "<dc:date>" not in text


def test_another_process_draws_the_same_bytes_and_importing_needs_no_matplotlib(tmp_path: Path) -> None:
    code = """
import sys
from verify.sampling.counts import CellCounts
from verify.sampling.families import Cell
from verify.sampling.figures import phase_diagram, save

assert "matplotlib" not in sys.modules
save(phase_diagram([CellCounts(Cell("theory", 16, s), 100, 7, 93) for s in (2, 4, 8)]), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""
    other = tmp_path / "other.svg"
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(other)], check=True)
    drawn = figures.save(figures.phase_diagram([CellCounts(Cell("theory", 16, s), 100, 7, 93) for s in (2, 4, 8)]), tmp_path / "here.svg")
    assert drawn.read_bytes() == other.read_bytes()


def test_the_phase_diagram() -> None:
    (axes,) = figures.phase_diagram(rows(20)).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("scale s (log axis)", "share of networks proved chaotic")
    assert axes.get_title(loc="left") == "Share of chaotic networks: family theory, output clip"
    assert legend(axes) == ["64", "16"]
    assert [numbers(line.get_ydata()) for line in axes.lines] == [[0.007, 0.076, 0.217], [0.01, 0.075, 0.178]]
    assert len(axes.collections) == 4  # for each line the interval, and the undecided inside it
    (low, high) = clopper_pearson(7, 20, 1000)
    ends = np.asarray(axes.collections[0].get_paths()[0].vertices)[:, 1]
    assert low in ends
    assert high in ends
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["4", "8", "16"]


def test_the_phase_diagram_against_width() -> None:
    figure = figures.phase_diagram(rows(), along="width", what="period_3")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "width k (log axis)"
    assert axes.get_ylabel() == "share of networks with a cycle of period 3"
    assert legend(axes) == ["16", "8", "4"]
    assert len(axes.collections) == 3
    assert figure.get_supxlabel() == "1,000 networks a point; bands: 95 % Clopper-Pearson; none undecided"


def test_a_share_of_zero_on_a_log_axis_is_an_upper_end() -> None:
    figure = figures.phase_diagram(rows(chaotic={16: {2: 0, 4: 10}}), log=True)
    (axes,) = figure.axes
    triangle, line = axes.lines
    assert triangle.get_marker() == "v"
    assert numbers(triangle.get_ydata()) == [clopper_pearson(0, 0, 1000)[1]]
    assert isnan(numbers(line.get_ydata())[0])
    assert axes.get_yscale() == "log"


def test_the_limit_is_marked_as_an_estimate() -> None:
    (axes,) = figures.width_limit(rows(), [Estimate(4, 0.006, 0.005, 0.007), Estimate(16, 0.21, 0.2, 0.22)]).axes
    assert legend(axes) == ["16", "8", "4", "estimate of the limit"]
    assert {text.get_text() for text in axes.texts} == {"s = 4", "s = 16"}
    colours = {line.get_color() for line in axes.lines if line.get_marker() == "*"}
    assert len(colours) == 1
    assert colours.isdisjoint(line.get_color() for line in axes.lines if line.get_marker() in set("osD"))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["16", "64", "k → ∞"]
    plain = figures.width_limit(rows(), []).axes[0]
    assert legend(plain) == ["16", "8", "4"]


@pytest.mark.parametrize(
    ("counts", "what", "law"),
    [
        ([], "chaotic", "one family, depth and output in a figure"),
        ([*rows(), CellCounts(Cell("he", 4, 1.0), 1, 0, 1)], "chaotic", "one family, depth and output in a figure"),
        ([CellCounts(Cell("he", 4, 1.0), 0)], "chaotic", "one family, depth and output in a figure"),
        (rows(), "ordered", "what is counted"),
    ],
)
def test_rows_that_cannot_be_drawn_together_are_refused(counts: list[CellCounts], what: str, law: str) -> None:
    for draw in (lambda: figures.phase_diagram(counts, what=what), lambda: figures.width_limit(counts, [], what=what)):
        with pytest.raises(Malformed) as error:
            draw()
        assert error.value.law == law


def test_the_corrected_table() -> None:
    figure = figures.table_figure(table())
    text = words(figure)
    for expected in (
        "As published: f⁴ against f",
        "As meant: f³ against f",
        "13.77",
        "14.08 [13.86, 14.30]",
        "0.014 [0.007, 0.024]",
        "0.083 [0.066, 0.106]",
    ):
        assert expected in text
    assert "0 [0, 0.0037]" in text
    with pytest.raises(Malformed, match="at least one setting"):
        figures.table_figure([])


def test_the_corrected_table_as_text_and_csv() -> None:
    lines = figures.table_text(table()).splitlines()
    assert len(lines) == 3
    assert " ".join(lines[0].split()) == "setting published f^4 grid period 2 decided f^3 grid period 3 decided chaos proved"
    assert lines[1].startswith("1,He | He,He,identity      13.77     13.77  14.08 [13.86, 14.30]")
    assert lines[2].split()[:2] == ["another", "-"]
    first, second = csv.DictReader(io.StringIO(figures.table_csv(table())))
    assert (first["setting"], first["published_percent"], second["published_percent"]) == ("1,He | He,He,identity", "13.77", "")
    assert [int(first[f"chaotic_{kind}"]) for kind in ("count", "undecided", "total")] == [83, 2, 100_000]
    assert (float(first["chaotic_low"]), float(first["chaotic_high"])) == clopper_pearson(83, 2, 100_000)


def test_percentages_are_rounded_outward() -> None:
    for share in (Share(1, 0, 7), Share(0, 0, 9), Share(9, 0, 9), Share(14, 3, 100_000), Share(1, 0, 10**7)):
        low, high = share.interval()
        written = percent_text(share, interval=True).split("[")[1].rstrip("]").split(", ")
        assert float(written[0]) <= 100 * low
        assert float(written[1]) >= 100 * high


def test_the_laps() -> None:
    figure = ALL["laps"]()
    left, right = figure.axes
    assert (left.get_xlabel(), left.get_ylabel(), left.get_yscale()) == ("iterations t", "laps (log axis)", "log")
    assert right.get_ylabel() == "log(laps) / t, nats a step"
    assert legend(left) == ["one perturbed copy, iterated", "perturbed copies, composed", "unperturbed, iterated"]
    assert legend(right) == ["entropy of the tent\nin [0.6900, 0.7000], proved"]
    assert [numbers(line.get_ydata()) for line in left.lines][2] == [2, 4, 8, 16, 32]
    assert len(left.collections) == 2
    text = "every parameter + 0.1 N(0, 1), 10 seeds, laps counted exactly; lines: medians, bands: from the 10 % to the 90 % quantile"
    assert figure.get_supxlabel() == text


def test_one_seed_has_no_bands_in_words_and_half_a_proof_is_shown_as_half() -> None:
    one = Survey(0.1, (7,), (2, 4), ((2, 3),), ((2, 2),))
    figure = figures.laps_figure(one, {"it": Growth((2, 4), (Fraction(1, 3), None)), "nothing": Growth((2, 4))})
    assert figure.get_supxlabel() == "every parameter + 0.1 N(0, 1), seed 7, laps counted exactly"
    assert legend(figure.axes[1]) == ["entropy of it\n≥ 0.3333, proved"]


def test_the_scrambling_picture() -> None:
    figure = figures.scrambling_figure(pair())
    upper, lower = figure.axes
    assert upper.get_title(loc="left") == "Scrambling: near tent"
    assert legend(upper) == ["x", "y, at first 1e-07 from x", "proved 3-cycle through 0.2231", "proved 3-cycle through 0.2869"]
    assert (lower.get_ylabel(), lower.get_yscale()) == ("distance |x − y| (log axis)", "log")
    assert legend(lower) == ["the proved cycles stay 0.0318 apart"]
    said = figure.get_supxlabel()
    assert said.startswith("Trajectories: a simulation in float64. Proved of the map: F has points of every period")


def test_trajectories_that_have_met_are_shown_as_such() -> None:
    met = Scrambling("met", (0.5, 0.25), (0.25, 0.25), True, ("F is chaotic",), pair().chaos, None)
    figure = figures.scrambling_figure(met, "A title")
    upper, lower = figure.axes
    assert upper.get_title(loc="left") == "A title"
    assert legend(lower) == ["distance 0"]
    assert figure.get_supxlabel() == "Trajectories: exact orbits. Proved of the map: F is chaotic."


def test_the_radii() -> None:
    figure = figures.radius_figure(RADII, Distribution((Fraction(1, 2**12),)))
    (axes,) = figure.axes
    assert axes.get_xlabel() == "radius r (log axis)"
    assert legend(axes) == ["of all weights and biases", "of the map, sup norm"]
    steps = axes.lines[2]
    assert numbers(steps.get_xdata()) == [2.0**-9, 2.0**-8, 2.0**-7, 2.0**-6]
    assert numbers(steps.get_ydata()) == [5 / 6, 4 / 6, 3 / 6, 1 / 6]
    with pytest.raises(Malformed, match="a distribution of radii\n  expected  radii of both kinds\n  got       5 and 0"):
        figures.radius_figure(RADII, Distribution(()))


@pytest.mark.parametrize(("name", "got"), [("figure.gif", ".gif"), ("figure", "no ending")])
def test_other_kinds_of_files_are_refused(name: str, got: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed) as error:
        figures.save(ALL["radii"](), tmp_path / name)
    assert (error.value.expected, error.value.got) == ("a name that ends in .svg, .png or .pdf", got)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_no_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(Malformed, match="the file can be written"):
        figures.save(ALL["radii"](), tmp_path / "folder.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(Unsupported, match="the package matplotlib: pip install"):
        figures.table_figure(table())


def test_numbers_on_axes() -> None:
    assert [number_text(x) for x in (0.5, 1.0, 2.0**0.5, 4096.0, 65536.0, 1e7)] == ["0.5", "1", "√2", "4,096", "65,536", "1e+07"]
