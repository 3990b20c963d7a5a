"""Figures of exponents by their structure: lines, bands, brackets, the strip for -inf; equal input gives equal bytes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from math import inf, isnan, nan
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from proofs.errors import Malformed
from verify.lyapunov import figures
from verify.lyapunov.embedding import principal_components
from verify.lyapunov.figures import Point
from verify.lyapunov.results import Certified, Estimate, Exact
from verify.lyapunov.training import Record
from verify.sampling.canvas import RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROVED: list[Exact | Certified] = [
    Certified(1, Fraction(1, 10), Fraction(3, 10), "this cycle", "cycle"),
    Certified(2, None, Fraction(1, 10), "every orbit", "contraction"),
    Exact(4, "-inf", None, None, "every orbit", "volume"),
    Certified("sum", Fraction(-1), Fraction(0), "every orbit", "volume"),
]


def estimates(*values: float) -> list[Estimate]:
    return [Estimate(i + 1, value, 0.05 if value > -inf else nan) for i, value in enumerate(values)]


def records(*tops: float, dead: int = 0) -> list[Record]:
    rows = [tuple([top - 0.2 * i for i in range(3)] + [-inf] * dead) for top in tops]
    return [Record(50 * i, None if i == 0 else 3.0 / i, row, (0.02,) * len(row), 0.1) for i, row in enumerate(rows)]


def points() -> list[Point]:
    return [Point("rnn", 16, 0.1, 0.01, 2.0), Point("rnn", 32, -inf, nan, 2.2), Point("lstm", 16, -0.1, 0.02, 1.9)]


def converging(*values: float) -> Any:  # noqa: ANN401
    series = np.array([[value + 1 / (b + 1) for value in values] for b in range(4)])
    return SimpleNamespace(exponents=tuple(estimates(*values)), convergence=series, block_steps=100)


def latent() -> Any:  # noqa: ANN401
    return principal_components(np.random.default_rng(0).normal(size=(6, 4)))


ALL: dict[str, Callable[[], Figure]] = {
    "spectrum": lambda: figures.spectrum_figure({"tanh": estimates(0.2, 0.0, -1.0), "relu": estimates(0.1, -inf)}, PROVED),
    "training": lambda: figures.training_figure({"gain 1": records(0.1, 0.2), "gain 2": records(0.4, 0.3, dead=2)}),
    "loss": lambda: figures.loss_figure(points(), notes={"rnn": "ρ −0.3"}),
    "convergence": lambda: figures.convergence_figure(converging(0.2, -0.4, -inf)),
    "latent": lambda: figures.latent_figure(latent(), [1.0, 2.0, 3.0, 1.5, 2.5, 2.0], ["rnn", "lstm"] * 3),
}


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def drawn(axes: Axes, name: str) -> list[float]:
    (line,) = (line for line in axes.lines if line.get_label() == name)
    return [float(value) for value in np.asarray(line.get_ydata())]


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("name", list(ALL))
def test_equal_figures_are_equal_bytes(name: str, tmp_path: Path) -> None:
    first, second = (figures.save(ALL[name](), tmp_path / f"{i}.svg") for i in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.glob(".*"))
    assert figures.save(ALL[name](), tmp_path / "a.png").stat().st_size > 10_000


def test_importing_needs_no_matplotlib_and_no_torch() -> None:
    code = "import sys, verify.lyapunov.figures; assert not {'matplotlib', 'torch', 'duckdb'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_spectrum_has_its_estimates_and_bands() -> None:
    (axes,) = figures.spectrum_figure({"tanh": estimates(0.2, 0.0, -1.0), "LSTM": estimates(0.1, -0.5)}).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("index i of the exponent", "Lyapunov exponent, nats/step")
    assert legend(axes) == ["tanh (3)", "LSTM (2)"]
    assert drawn(axes, "tanh (3)") == [0.2, 0.0, -1.0]
    band = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert {0.25, 0.15} <= {round(float(y), 12) for x, y in band if x == 1.0}
    assert "−∞" not in words(axes)


def test_minus_infinity_has_a_strip() -> None:
    (axes,) = figures.spectrum_figure({"relu": estimates(0.1, -0.5, -inf)}).axes
    assert words(axes) == ["−∞"]
    assert isnan(drawn(axes, "relu (3)")[2])
    low = min(axes.get_ylim())
    (gone,) = (line for line in axes.lines if line.get_linestyle() == "None" and len(np.asarray(line.get_xdata())) == 1)
    assert low < float(np.asarray(gone.get_ydata())[0]) < -0.5
    assert all(tick > -0.6 for tick in axes.get_yticks())  # no number stands at the strip


def test_what_is_proved_stands_apart() -> None:
    plain, proved = (figures.spectrum_figure({"tanh": estimates(0.2, 0.0, -1.0)}, each).axes[0] for each in ([], PROVED))
    assert legend(proved) == ["tanh (3)", "proved"]
    assert drawn(proved, "tanh (3)") == drawn(plain, "tanh (3)")
    more = [line for line in proved.lines if line.get_color() == RED and len(np.asarray(line.get_xdata()))]
    assert all(float(x) % 1 == pytest.approx(0.33) for line in more for x in np.asarray(line.get_xdata()))
    spans = [tuple(float(y) for y in np.asarray(line.get_ydata())) for line in more if len(np.asarray(line.get_ydata())) == 2]
    assert spans[0] == (0.1, 0.3)
    assert spans[1][1] == 0.1
    assert [line.get_marker() for line in more if str(line.get_marker()) in "v^D"] == ["v", "D"]  # an open end, and one that is -inf


def test_sizes_are_compared_on_one_axis() -> None:
    (axes,) = figures.spectrum_figure({"2": estimates(0.2, 0.0), "3": estimates(0.2, 0.1, 0.0)}, relative=True).axes
    places = [[float(x) for x in np.asarray(line.get_xdata())] for line in axes.lines if str(line.get_label()).endswith(")")]
    assert places == [[0.0, 1.0], [0.0, 0.5, 1.0]]
    with pytest.raises(Malformed) as refused:
        figures.spectrum_figure({"2": estimates(0.2, 0.0)}, PROVED, relative=True)
    assert refused.value.law == "proved exponents have an index"


def test_training_has_losses_above_exponents() -> None:
    figure = ALL["training"]()
    grid = np.array(figure.axes).reshape(2, 2)
    assert [axes.get_title(loc="left") for axes in grid[0]] == ["gain 1", "gain 2"]
    assert np.asarray(grid[0, 0].lines[0].get_xdata()).tolist() == [50]  # no loss before the first step
    assert legend(grid[1, 1]) == ["1", "2", "3", "4", "5"]
    assert grid[1, 0].get_ylim() == grid[1, 1].get_ylim()
    assert words(grid[1, 1]).count("2") == 2  # two exponents are -inf, at both records
    assert figure.get_supxlabel() == "grey strip: how many of the exponents shown are −∞"


def test_losses_by_architecture_and_size() -> None:
    figure = ALL["loss"]()
    left, right = figure.axes
    assert left.get_title(loc="left") == "lstm"
    assert right.get_title(loc="left") == "rnn\nρ −0.3"
    assert left.get_xlabel() == "largest exponent, nats/step"
    assert left.get_ylabel() == "final validation loss, nats"
    assert legend(right) == ["16", "32"]
    assert left.get_xlim() == right.get_xlim()
    assert words(left) == ["−∞"]
    assert figure.get_supxlabel() == "bars and brackets: 95 % intervals; ρ: Spearman's coefficient"
    assert figures.loss_figure(points()).get_supxlabel() == "bars: 95 % intervals"


def test_convergence_ends_in_the_estimates() -> None:
    (axes,) = ALL["convergence"]().axes
    assert legend(axes) == ["1: 0.2000 ± 0.05", "2: −0.4000 ± 0.05", "3: −∞"]
    assert axes.get_xlabel() == "measured steps"
    (many,) = figures.convergence_figure(converging(*np.linspace(0, -1, 30))).axes
    assert len(legend(many)) == 2


def test_the_latent_is_coloured_by_loss() -> None:
    axes, bar = ALL["latent"]().axes
    assert legend(axes) == ["lstm", "rnn"]
    assert bar.get_ylabel() == "final validation loss, nats"
    assert axes.get_xlabel() == f"component 1 ({latent().shares[0]:.0%} of the variance)"
    assert sum(len(np.asarray(each.get_offsets())) for each in axes.collections) == 6


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.spectrum_figure({}),
        lambda: figures.spectrum_figure({"tanh": []}),
        lambda: figures.training_figure({}),
        lambda: figures.training_figure({"gain 1": []}),
        lambda: figures.loss_figure([]),
        lambda: figures.loss_figure([Point("rnn", 16, 0.1, 0.1, nan)]),
        lambda: figures.convergence_figure(converging()),
        lambda: figures.latent_figure(latent(), [1.0]),
    ],
)
def test_nothing_to_draw_is_refused(draw: Callable[[], Figure]) -> None:
    with pytest.raises(Malformed) as refused:
        draw()
    assert refused.value.where == "figure"


def test_a_spectrum_of_minus_infinity_alone_is_drawn() -> None:
    (axes,) = figures.spectrum_figure({"zero": estimates(-inf, -inf)}).axes
    assert words(axes) == ["−∞"]
