"""The parts of the page beside the leaderboard: modalities, failures, and texts of the gallery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellbench.boards.reading import BoardTables, read_board
from cellbench.boards.unmatched import UNMATCHED
from cellbench.report.page.embedding import Figure, embed_figures
from cellbench.report.page.gallery import COMMON, Gallery
from cellbench.report.page.headline import Headline, make_headline
from cellbench.report.page.leaderboard import Cell, Table, make_table
from cellbench.report.page.outlines import KINDS
from cellbench.report.page.texts import count, number, rank_text
from cellbench.report.page.window import SIDE

NOT_GIVEN = "not given"
"""What a modality without a name is called."""

MOST_FILES = 200
"""How many unmatched files of an algorithm the page names."""

Notes = Mapping[str, tuple[str, str]]
"""Title and notes of each algorithm."""


@dataclass(frozen=True)
class Tab:
    """One modality.

    Attributes:
        name: its name.
        caption: caption of its table.
        headline: who leads on its images.
        table: its leaderboard.
        figures: its figures.
    """

    name: str
    caption: str
    headline: Headline
    table: Table
    figures: Sequence[Figure]


def notes_of(board: BoardTables, leaks: Mapping[str, str]) -> Notes:
    """Return title and notes of each algorithm.

    Args:
        board: the tables; algorithms is used.
        leaks: a note for each algorithm that was trained on test images, by name.

    Returns:
        By name; empty if the board has no algorithms.csv.
    """
    if board.algorithms is None:
        return {}
    columns = ["algorithm", "title", "trained_on", "submitted"]
    return {
        name: (title, _notes(trained_on, leaks.get(name, ""), submitted == "True"))
        for name, title, trained_on, submitted in board.algorithms[columns].itertuples(index=False)
    }


def _notes(trained_on: str, leaked: str, submitted: bool) -> str:
    notes = [f"trained on {trained_on}"] if trained_on else []
    notes += [leaked] if leaked else []
    return "; ".join([*notes, *(["submitted scores"] if submitted else [])])


def modality_tabs(board: BoardTables, notes: Notes, drawn: Sequence[Path]) -> list[Tab]:
    """Collect leaderboard, headline and figures of each modality.

    Args:
        board: the tables of the whole board.
        notes: title and notes of each algorithm.
        drawn: all files of figures.

    Returns:
        One entry per modality; none if the board has a single one.

    Raises:
        ScoresError: if a table of a modality is missing or damaged.
    """
    tabs = []
    for name, folder in board.modalities.items():
        part = read_board(folder)
        images = count(part.values["image"].nunique(), board.unit)
        shown = name or NOT_GIVEN
        caption = f"{shown}: ranking on {images}, best first"
        figures = embed_figures(drawn, folder, board)
        tabs.append(Tab(shown, caption, make_headline(part), make_table(part, notes), figures))
    return tabs


def consensus_table(board: BoardTables) -> dict[str, Any] | None:
    """Return the ranks of all modalities side by side.

    Args:
        board: the tables; consensus is used.

    Returns:
        ``names`` of the modalities and ``rows``, best first; None if there is a single modality.
    """
    if board.consensus is None:
        return None
    rows = []
    for name, *ranks, mean, rank in board.consensus.itertuples(index=False, name=None):
        cells = [Cell(number(mean, 2), mean), *(Cell(rank_text(one), one) for one in ranks)]
        rows.append({"name": name, "rank": Cell(rank_text(rank), rank), "cells": cells})
    return {"names": [name or NOT_GIVEN for name in board.modalities], "rows": rows}


def list_failures(board: BoardTables) -> list[tuple[str, str, str]]:
    """List every result that failed.

    Args:
        board: the tables; values is used.

    Returns:
        Algorithm, image and status; the algorithms in the order of the leaderboard.
    """
    place = {name: place for place, name in enumerate(board.ranking.index)}
    rows = board.values.loc[board.values["status"] != "ok", ["algorithm", "image", "status"]]
    listed = list(rows.itertuples(index=False, name=None))
    return sorted(listed, key=lambda row: (place[row[0]], row[1]))


def list_unmatched(board: BoardTables) -> list[tuple[str, str]]:
    """List the prediction files that match no image.

    Args:
        board: the tables; provenance is used.

    Returns:
        Algorithm and file; the algorithms in the order of the leaderboard. At most ``MOST_FILES`` files of
        an algorithm are named.
    """
    unmatched = board.provenance.get(UNMATCHED) or {}
    rows = []
    for name in board.ranking.index:
        files = unmatched.get(name)
        files = [str(file) for file in files] if isinstance(files, list) else []
        rows += [(name, file) for file in files[:MOST_FILES]]
        if len(files) > MOST_FILES:
            rows.append((name, f"… and {count(len(files) - MOST_FILES, 'more file')}"))
    return rows


def failed_caption(board: BoardTables, failures: Sequence[object]) -> str:
    """Return the caption of the table of failures.

    Args:
        board: the tables; values is used.
        failures: the rows of the table.
    """
    return f"{len(failures):,} of {count(len(board.values), 'result')} failed"


def failure_words(board: BoardTables) -> str:
    """Return a sentence that says how a failure counts.

    Args:
        board: the tables; provenance is used.

    Returns:
        The sentence; empty if the board does not say it.
    """
    rule = board.provenance.get("failures")
    return f"In the ranking, each of them counts as {rule}." if rule else ""


_LEGEND = {
    "matched": ("Matched", "overlaps a true cell with an IoU of at least 0.5"),
    "missed": ("Missed", "true cell that no predicted cell covers"),
    "spurious": ("Spurious", "predicted cell where there is no true cell"),
    "merged": ("Merged", "one predicted cell that covers several true cells"),
    "split": ("Split", "one of several predicted cells within one true cell"),
    "poor-outline": ("Poor outline", "overlaps a true cell with an IoU between 0.1 and 0.5"),
    "not-scored": ("Not scored", "touches the border of the image"),
    "truth": ("True cells", "outlines of all true cells"),
}
_HIDDEN = ("not-scored", "truth")


def gallery_parts(gallery: Gallery | None) -> dict[str, Any]:
    """Return what the template needs of the gallery.

    Args:
        gallery: the drawn images; None if the page is made without images.
    """
    if gallery is None or not (gallery.choices or gallery.problems):
        return {"gallery": None, "gallery_data": []}
    return {
        "gallery": gallery,
        "gallery_data": list(gallery.images.values()),
        "gallery_index": {
            "kinds": KINDS,
            "images": list(gallery.images),
            "algorithms": list(dict.fromkeys(one.algorithm for one in gallery.choices)),
            "choices": [vars(choice) for choice in gallery.choices],
        },
        "kinds": [
            {"name": name, "title": title, "help": words, "shown": name not in _HIDDEN}
            for name, (title, words) in _LEGEND.items()
        ],
        "side": SIDE,
        "problems": gallery.problems,
        "drawn_words": _drawn_words(gallery),
    }


def _drawn_words(gallery: Gallery) -> str:
    words = (
        f"The page holds {count(len(gallery.images), 'image')}: for each algorithm, the images with its "
        "worst, median and best result among those with at least one true cell. "
        f"Up to {COMMON} images, those chosen for most algorithms, are shown for all algorithms; the "
        "others only for the algorithms for which they were chosen."
    )
    if gallery.left_out:
        omitted = count(len(gallery.left_out), "more image")
        verb = "was" if len(gallery.left_out) == 1 else "were"
        words += f" To limit the size of the page, {omitted} {verb} left out."
    return words
