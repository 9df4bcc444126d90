"""How every figure looks, and how it is saved: the same input gives the same bytes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.style import context

from cellbench.files import written_whole

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""Okabe and Ito (2008): told apart with every kind of colour vision; gray is for what is left over."""

INK, FAINT, GRID = "#222222", "#6b6b6b", "#e3e3e3"

_LONGEST_NAME = 34

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 10.0,
    "axes.titlesize": 13.0,
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
        # A sign that the font lacks, such as an emoji in a name, is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure of one plot, in inches, that is laid out when it is saved."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def save(figure: Figure, path_without_suffix: str | Path) -> list[Path]:
    """Write a figure as .png (200 dots per inch) and .svg, without dates.

    Args:
        figure: drawn and saved inside :func:`house_style`.
        path_without_suffix: folder and name; the name may have dots.

    Returns:
        The files.
    """
    base = Path(path_without_suffix)
    no_dates: dict[str, dict[str, str | None]] = {
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
    }
    paths = [base.with_name(base.name + suffix) for suffix in no_dates]
    for path in paths:
        with written_whole(path) as temporary:
            figure.savefig(temporary, dpi=200, metadata=no_dates[path.suffix])
    return paths


def short_name(name: str) -> str:
    """Cut a long name in the middle, so that names which differ at the end stay apart.

    Example:
        >>> short_name("a" * 40 + "1")
        'aaaaaaaaaaaaaaaaaaaa…aaaaaaaaaaaa1'
    """
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if len(name) <= _LONGEST_NAME:
        return name
    tail = 13
    return f"{name[: _LONGEST_NAME - tail - 1]}…{name[-tail:]}"


def add_title(axes: Axes, title: str, explanation: str) -> None:
    """Put a title over a plot, and below it one line that says how to read it."""
    axes.figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
    axes.set_title(" ", fontsize=9.5, pad=8)  # keeps the room; the line starts at the figure's edge
    line = axes.annotate(
        explanation,
        xy=(0.012, 1.0),
        xycoords=("figure fraction", "axes fraction"),
        xytext=(0, 10),
        textcoords="offset points",
        fontsize=9.5,
        color=FAINT,
        annotation_clip=False,
    )
    line.set_in_layout(False)
