"""How every figure looks, and how it is saved: the same input gives the same bytes."""

import io
import textwrap
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.style import context
from PIL import Image

from cellbench.files import written_whole

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""Okabe and Ito (2008): people with any colour vision can distinguish them; gray is for the rest."""

BLUE, GREEN, LOSS = "#0072B2", "#009E73", "#D55E00"
INK, FAINT, GRID = "#222222", "#6b6b6b", "#e3e3e3"

SHARES = LinearSegmentedColormap.from_list(
    "shares", ["#ffffff", "#cfe1f2", "#7fb3d8", "#2f7fb8", "#0a4a80", "#062a4d"]
)
"""From nothing (white) to all: darker is more, also in gray."""

WIDTH = 8.4

_DPI = 150
_DPI_IN_SVG = 100  # resolution of parts with thousands of elements, such as dots or squares

_LONGEST_NAME = 34
_TITLE, _LINE, _EDGE = 0.42, 0.19, 0.1  # heights of title and line, and margin, in inches
_LETTER = 0.07  # mean width of a letter of the explanation, in inches

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "svg.hashsalt": "cellbench",
    "text.parse_math": False,  # an algorithm may have dollar signs in its name
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style inside the block; matplotlib's own settings come back after it."""
    with context(["default", _SETTINGS]), warnings.catch_warnings():
        # A character that the font lacks, such as an emoji in a name, is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(width: float, height: float, title: str, explanation: str) -> Figure:
    """Make a figure with a title and, below it, a short explanation.

    Args:
        width: width in inches.
        height: height of the plots in inches; the header is added to it.
        title: a question or a statement.
        explanation: how to read the figure; it is broken into lines.

    Returns:
        The figure; plots are laid out below the header by [`lay_out`][] or [`save`][].
    """
    letters = int((width - 2 * _EDGE) / _LETTER)
    lines = textwrap.wrap(explanation, letters)
    header = _header_height(len(lines))
    total = height + header
    figure = Figure(figsize=(width, total), layout="constrained")
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    assert engine is not None
    margins = {"w_pad": _EDGE, "h_pad": 0.06, "rect": (0, 0, 1, 1 - header / total)}
    engine.set(**margins)
    left, top = _EDGE / width, 1 - _EDGE / total
    figure.text(left, top, title, va="top", fontsize=13, fontweight="bold")
    below = 1 - (_TITLE - 0.02) / total
    figure.text(left, below, "\n".join(lines), va="top", fontsize=9.5, color=FAINT)
    return figure


def new_axes(width: float, height: float, title: str, explanation: str) -> tuple[Figure, Axes]:
    """Make a figure of one plot, with a title and a short explanation.

    Args:
        width: width in inches.
        height: height of the plot in inches; the header is added to it.
        title: a question or a statement.
        explanation: how to read the figure; it is broken into lines.

    Returns:
        The figure and its plot; see [`new_figure`][].
    """
    figure = new_figure(width, height, title, explanation)
    return figure, figure.add_subplot()


def page_of(axes: Axes) -> Figure:
    """Return the figure that a plot is on.

    Args:
        axes: the plot.

    Returns:
        The whole figure, not a subfigure.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def lay_out(figure: Figure) -> None:
    """Fix the positions of the plots, which is slow and needed before anything is placed in points.

    Args:
        figure: with all its plots.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)  # otherwise each file would be laid out again


def save(figure: Figure, path_without_suffix: str | Path) -> list[Path]:
    """Write a figure as .png and .svg, without dates.

    The SVG has a view ``plot`` that leaves out title and explanation, so that a page with a heading
    and a caption of its own can show the picture alone.

    Args:
        figure: made by [`new_figure`][], drawn and saved inside [`house_style`][].
        path_without_suffix: folder and name; the name may have dots.

    Returns:
        The two files.
    """
    lay_out(figure)
    base = Path(path_without_suffix)
    png, svg = (base.with_name(base.name + suffix) for suffix in (".png", ".svg"))
    with written_whole(png) as temporary:
        _as_palette(figure).save(temporary)
    with written_whole(svg) as temporary:
        temporary.write_bytes(_as_svg(figure))
    return [png, svg]


def _header_height(lines: int) -> float:
    """Return the height of title and explanation in inches."""
    return _TITLE + _LINE * lines


def _as_svg(figure: Figure) -> bytes:
    with io.BytesIO() as file:
        nothing = {"Date": None, "Creator": None}
        figure.savefig(file, format="svg", dpi=_DPI_IN_SVG, metadata=nothing)
        drawn = file.getvalue()
    _, explanation, *_ = figure.texts
    top = 72 * _header_height(1 + explanation.get_text().count("\n"))
    width, height = (72 * side for side in figure.get_size_inches())
    view = f'<view id="plot" viewBox="0 {top:g} {width:g} {height - top:g}"/>\n</svg>'
    return drawn.replace(b"</svg>", view.encode())


def _as_palette(figure: Figure) -> Image.Image:
    """Draw in 256 colours: a third of the size without a visible difference."""
    figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    pixels = Image.fromarray(drawn).convert("RGB")
    picture = pixels.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.array(picture.getpalette()).reshape(-1, 3)
    paper = np.asarray(picture)[0, 0]
    palette[paper] = 255  # pure white instead of the mean of all nearly white pixels
    picture.putpalette(palette.ravel().tolist())
    return picture


def short_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """Shorten a long name in the middle, so that names which differ at the end remain different.

    Args:
        name: any text; line breaks and control characters become spaces.
        longest: number of letters from which the name is shortened.

    Returns:
        The name on one line.

    Examples:
        >>> short_name("a" * 40 + "1")
        'aaaaaaaaaaaaaaaaaaaa…aaaaaaaaaaaa1'
    """
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if any(unicodedata.east_asian_width(sign) in "FW" for sign in name):
        longest = longest * 3 // 5  # wide characters, such as Chinese ones and emoji
    if len(name) <= longest:
        return name
    tail = longest * 2 // 5
    return f"{name[: longest - tail - 1]}…{name[-tail:]}"


def count_units(count: int, unit: str) -> str:
    """Return a number of images or cases in words.

    Args:
        count: how many there are.
        unit: what one of them is called.

    Examples:
        >>> count_units(1, "image"), count_units(1422, "case")
        ('one image', '1,422 cases')
    """
    return f"one {unit}" if count == 1 else f"{count:,} {unit}s"


def signed(text: str) -> str:
    """Replace the hyphen of a negative number by a minus sign, which is longer.

    Args:
        text: a number.

    Examples:
        >>> signed("-0.25")
        '−0.25'
    """
    return text.replace("-", "−")
