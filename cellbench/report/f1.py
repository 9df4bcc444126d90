"""f1_by_algorithm: the F1 of every image, algorithm by algorithm."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cellbench.report.style import (
    COLOURS,
    INK,
    add_title,
    house_style,
    new_axes,
    save,
    short_name,
)

_MARKERS = "os^Dv"
_GOLDEN = 0.6180339887  # its multiples spread the dots evenly without a random generator
_SPREAD = 0.62  # of the dots, in rows


def draw_f1_by_algorithm(
    scores: pd.DataFrame, leaderboard: pd.DataFrame, path_without_suffix: str | Path
) -> list[Path]:
    """Draw the F1 of each image as a dot in its modality's colour, under a box per algorithm.

    The box holds the middle half of the images, its line is the median, the whiskers hold 95 %.

    Args:
        scores: algorithm, image, modality, f1, as :func:`cellbench.ranking.read_scores` gives them.
        leaderboard: rank, algorithm; best first.
        path_without_suffix: .png and .svg are written there.

    Returns:
        The files.
    """
    scores = scores.assign(modality=scores["modality"].mask(scores["modality"] == "", "not given"))
    modalities = sorted(
        scores["modality"].unique(), key=lambda name: (name == "not given", name.lower())
    )
    with house_style():
        figure, axes = new_axes(8.4, 2.2 + 0.42 * len(leaderboard))
        for row, algorithm in enumerate(leaderboard["algorithm"]):
            rows = scores[scores["algorithm"] == algorithm]
            _draw_dots(axes, row, rows, modalities)
            _draw_box(axes, row, rows["f1"])
        ranked = zip(leaderboard["algorithm"], leaderboard["rank"], strict=True)
        names = [f"{short_name(name)}   {rank:g}" for name, rank in ranked]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(-0.015, 1.015)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel("F1 of an image at IoU 0.5")
        count = scores["image"].nunique()
        images = "one image" if count == 1 else f"each of {count:,} images"
        add_title(
            axes,
            "How well does each algorithm find the cells?",
            f"A dot for {images}; box: middle half and median; whiskers: 95 %; best rank on top",
        )
        keys = [_key(modality, place) for place, modality in enumerate(modalities)]
        columns = min(len(keys), 4)
        figure.legend(handles=keys, loc="outside lower center", ncols=columns, handletextpad=0.1)
        return save(figure, path_without_suffix)


def _look(place: int) -> tuple[str, str]:
    return COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)]


def _key(modality: str, place: int) -> Line2D:
    colour, marker = _look(place)
    return Line2D([], [], color=colour, marker=marker, linestyle="", label=short_name(modality))


def _draw_dots(axes: Axes, row: int, rows: pd.DataFrame, modalities: list[str]) -> None:
    heights = row + _SPREAD * ((np.arange(len(rows)) * _GOLDEN) % 1 - 0.5)
    size = float(np.clip(500 / len(rows), 5, 26))
    for place, modality in enumerate(modalities):
        chosen = (rows["modality"] == modality).to_numpy()
        colour, marker = _look(place)
        axes.scatter(
            rows["f1"][chosen],
            heights[chosen],
            s=size,
            marker=marker,
            color=colour,
            alpha=0.6,
            linewidths=0,
        )


def _draw_box(axes: Axes, row: int, f1: pd.Series) -> None:
    axes.boxplot(
        f1,
        positions=[row],
        orientation="horizontal",
        widths=0.5,
        whis=(2.5, 97.5),
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"edgecolor": INK, "facecolor": (1, 1, 1, 0.45), "linewidth": 1.0},
        whiskerprops={"color": INK, "linewidth": 1.0},
        capprops={"color": INK, "linewidth": 1.0},
        medianprops={"color": INK, "linewidth": 2.6},
    )
