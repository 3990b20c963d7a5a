"""What all figures share: a style, colours that colour-blind readers can tell apart, axes in powers, and writing files.

Matplotlib's objects are used directly: no windows, no state that other code could see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isclose, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify.certification.files import fresh_file, refuse_kind
from verify.errors import Unsupported

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with any of the common colour deficiencies
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, INK, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#222222", "#767676"
MARKERS = "osD^vPX*hd"
_MAP = "viridis"
_LIGHTEST = 0.88
_DPI = 160
_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.7,
    "lines.markersize": 4.5,
    "svg.hashsalt": "orbitproof",
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
}


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure, in inches, in the house style. **Raises** Unsupported without matplotlib."""
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as missing:
        expected = "the package matplotlib: pip install 'orbitproof[figures]'"
        raise Unsupported(where="figures", law="figures are drawn by matplotlib", expected=expected, got=str(missing)) from missing
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        yield figure


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as its name says, .svg, .png or .pdf, whole or not at all.

    **Guarantee:** equal figures give equal bytes, with one version of matplotlib. **Raises** Malformed: another ending, no place to write.
    """
    import matplotlib as mpl

    place = Path(path)
    refuse_kind(place)
    kind = place.suffix.lower().removeprefix(".")
    unstamped = {"svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}
    with fresh_file(place) as fresh, mpl.rc_context(_STYLE):
        figure.savefig(fresh.stream, format=kind, dpi=_DPI, metadata=unstamped[kind])
        fresh.keep()
    return place


def shades(count: int) -> list[str]:
    """Return colours for ordered values, dark to light."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    scale = colormaps[_MAP]
    return [to_hex(scale(_LIGHTEST * i / max(1, count - 1))) for i in range(count)]


def powers_axis(axes: Axes, values: Sequence[float], names: Mapping[float, str] | None = None) -> None:
    """Make the axis to the right logarithmic, with a tick at each of the values; ``names`` replace their numbers."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sorted(values)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FixedFormatter([(names or {}).get(value, number_text(value)) for value in sorted(values)]))


def whole_ticks(axes: Axes) -> None:
    """Put the ticks of the axis to the right at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def percent_axis(axes: Axes, *, log: bool) -> None:
    """Write the upward axis in percent."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    if log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:g} %"))


def beside(axes: Axes, title: str | None = None) -> None:
    """Put the legend outside, to the right, where it covers nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, title=title, alignment="left")


def number_text(value: float) -> str:
    """Write a number short.

    >>> number_text(64.0), number_text(2**0.5), number_text(0.25)
    ('64', '√2', '0.25')
    """
    return "√2" if isclose(value, sqrt(2), rel_tol=1e-9) else f"{value:,g}" if value < 1e6 else f"{value:g}"  # noqa: PLR2004
