"""Figures and a page, made from the tables of a board."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from cellbench.errors import UsageError
from cellbench.report.figures.drawing import draw_board

__all__ = ["draw_board", "write_report"]


def write_report(
    board: str | Path,
    *,
    data: str | Path | None = None,
    predictions: str | Path | None = None,
    published: Sequence[str | Path] = (),
    title: str | None = None,
    about: str | Path | None = None,
    day: date | None = None,
    leaks: Mapping[str, Path] | None = None,
) -> list[Path]:
    """Draw the figures of a board and write its page ``report.html``, which needs no other file.

    Args:
        board: the folder that [`cellbench.boards.write_board`][] wrote.
        data: dataset folder with the board's images, for the error gallery; needs ``predictions``.
        predictions: folder with a folder of label maps for each algorithm, as ``cellbench run`` writes
            it, for the error gallery; needs ``data``.
        published: CSV files of numbers that others published, like those in leaderboard/published.
        title: title of the page, kept in the board's folder for later pages; empty: the folder's name.
        about: a text in Markdown for the page; it is kept in the board's folder for later pages.
        day: date of the page; by default the day on which this ranking was first reported.
        leaks: what ``cellbench data leaks`` printed, by the name of the training dataset; the page marks
            algorithms that were trained on test images.

    Returns:
        The files that were written; the page is the last.

    Raises:
        CellbenchError: if a table, the text, the dataset folder or the predictions cannot be read.
        UsageError: if only one of ``data`` and ``predictions`` is given.
    """
    from cellbench.boards.reading import read_board
    from cellbench.report.page import (
        keep_about,
        make_gallery,
        read_leaks,
        read_published,
        write_page,
    )

    if (data is None) != (predictions is None):
        raise UsageError(
            "report: the error gallery needs both --data and --predictions; set both or neither"
        )
    reported = read_published(published)
    tables = read_board(board)
    leaking = read_leaks(tables, leaks or {})
    gallery = None
    if data is not None and predictions is not None:
        gallery = make_gallery(tables, data, predictions)
    keep_about(tables, title=title, text=about, day=day)
    figures = draw_board(board)
    page = write_page(tables, figures, gallery=gallery, published=reported, leaks=leaking)
    return [*figures, page]
