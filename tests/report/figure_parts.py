"""What a figure shows, read back from matplotlib."""

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure


def artists(figure: Figure, kind: type[Any], plot: int = 0) -> list[Any]:
    return [one for one in figure.axes[plot].get_children() if isinstance(one, kind)]


def texts_of(figure: Figure, plot: int = 0) -> list[str]:
    return [text.get_text() for text in figure.axes[plot].texts]


def names_of(figure: Figure, plot: int = 0) -> list[str]:
    return [label.get_text() for label in figure.axes[plot].get_yticklabels()]


def segments(figure: Figure, plot: int = 0) -> np.ndarray:
    """Return all straight lines of a plot: (lines, 2 ends, x and y)."""
    lines = [one.get_segments() for one in artists(figure, LineCollection, plot)]
    return np.array([part for several in lines for part in several if len(part) == 2])
