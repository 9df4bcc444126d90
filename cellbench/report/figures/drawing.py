"""All figures of a board."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from cellbench.boards.error_summary import read_error_summary
from cellbench.boards.reading import BoardTables, read_board
from cellbench.boards.robustness import read_robustness, summarise
from cellbench.evaluation.cell_classes import CLASS_GROUPS
from cellbench.report.figures.captions import ERRORS, FIGURES, ROBUSTNESS
from cellbench.report.figures.error_kinds import plot_error_kinds
from cellbench.report.figures.errors import plot_errors
from cellbench.report.figures.errors_by_cell import plot_errors_by_cell
from cellbench.report.figures.heat_map import plot_rank_heat_map
from cellbench.report.figures.modalities import plot_values_by_modality
from cellbench.report.figures.podium import plot_podium
from cellbench.report.figures.robustness import plot_robustness
from cellbench.report.figures.runtime import plot_value_and_runtime
from cellbench.report.figures.schemes import plot_schemes
from cellbench.report.figures.sensitivity import plot_sensitivity
from cellbench.report.figures.significance import plot_significance
from cellbench.report.figures.stability import plot_rank_stability
from cellbench.report.figures.style import house_style, save
from cellbench.report.figures.tau import plot_kendall_tau
from cellbench.report.figures.values import plot_values_by_algorithm

Plots = Mapping[str, Callable[[BoardTables], Figure]]

_OF_ANY: Plots = {
    "values_by_algorithm": plot_values_by_algorithm,
    "rank_stability": plot_rank_stability,
}
_OF_A_WHOLE: Plots = {
    "significance": plot_significance,
    "schemes": plot_schemes,
    "kendall_tau": plot_kendall_tau,
    "podium": plot_podium,
    "rank_heat_map": plot_rank_heat_map,
    "sensitivity": plot_sensitivity,
}


def draw_board(folder: str | Path, memory: pd.Series | None = None) -> list[Path]:
    """Draw the figures of a board into its folder, each as .png and .svg.

    If the images are of two modalities or more, values_by_modality is among the figures, and the
    folder of each modality gets its own values_by_algorithm and rank_stability. Without running times
    there is no value_and_runtime. A board with robustness.csv also gets the figure robustness, and one
    with the scores_summary.csv of its scores the figures errors, errors_by_cell and error_kinds.

    Args:
        folder: the folder that [`cellbench.boards.write_board`][] wrote.
        memory: index algorithms; the GPU memory that each needs, in MB, where it is known.

    Returns:
        The files; first those of the board itself, in the order of
        [`cellbench.report.figures.captions.FIGURES`][], then those of each modality, robustness and
        errors.

    Raises:
        ScoresError: if a table is missing or damaged; ``cellbench rank`` writes them again.
    """
    board = read_board(folder)
    parts = [read_board(path) for path in board.modalities.values()]
    plots = {**_OF_ANY, **_OF_A_WHOLE}
    if parts:
        plots["values_by_modality"] = plot_values_by_modality
    if board.leaderboard["median_runtime_s"].notna().any():
        plots["value_and_runtime"] = partial(plot_value_and_runtime, memory=memory)
    ordered = {caption.name: plots[caption.name] for caption in FIGURES if caption.name in plots}
    of_parts = [path for part in parts for path in _draw(part, _OF_ANY)]
    return [
        *_draw(board, ordered),
        *of_parts,
        *_draw_robustness(board.folder),
        *draw_errors(board),
    ]


def _draw_robustness(folder: Path) -> list[Path]:
    table = read_robustness(folder)
    if table is None or not (table["severity"] > 0).any():
        return []
    with house_style():
        return save(plot_robustness(summarise(table)), folder / ROBUSTNESS.name)


def draw_errors(board: BoardTables) -> list[Path]:
    """Draw the figures of a board that has the scores_summary.csv of its scores.

    Args:
        board: the board.

    Returns:
        The files; none if there is no such table.

    Raises:
        ScoresError: if scores_summary.csv is damaged.
    """
    summary, _ = read_error_summary(board)  # the page says what is wrong with the table
    if summary is None:
        return []
    by_class = summary[summary["group"].isin(CLASS_GROUPS) & (summary["true_cells"] > 0)]
    plots = [plot_errors]
    if len(by_class):
        plots.append(plot_errors_by_cell)
    if by_class["fn_missed"].notna().any():  # older versions wrote no kinds of errors by class
        plots.append(plot_error_kinds)
    with house_style():
        return [
            path
            for caption, plot in zip(ERRORS, plots, strict=False)
            for path in save(plot(summary, board), board.folder / caption.name)
        ]


def _draw(board: BoardTables, plots: Plots) -> list[Path]:
    with house_style():
        return [
            path for name, plot in plots.items() for path in save(plot(board), board.folder / name)
        ]
