"""The parts of the page beside the leaderboard: modalities, failures, and words about the gallery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellbench.boards.reading import BoardTables, read_board
from cellbench.report.page.embedding import Figure, embed_figures
from cellbench.report.page.gallery import COMMON, Gallery
from cellbench.report.page.leaderboard import Cell, Table, make_table
from cellbench.report.page.outlines import KINDS
from cellbench.report.page.texts import count, number, rank_text
from cellbench.report.page.window import SIDE

NOT_GIVEN = "not given"
"""What a modality without a name is called."""

Told = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Tab:
    """A modality: its name, what its table's caption says, its leaderboard and its figures."""

    name: str
    caption: str
    table: Table
    figures: Sequence[Figure]


def what_is_told(board: BoardTables) -> Told:
    """Give title and notes of each algorithm; nothing where there is no algorithms.csv."""
    if board.algorithms is None:
        return {}
    columns = ["algorithm", "title", "trained_on", "submitted"]
    return {
        name: (title, _notes(trained_on, submitted == "True"))
        for name, title, trained_on, submitted in board.algorithms[columns].itertuples(index=False)
    }


def _notes(trained_on: str, submitted: bool) -> str:
    notes = [f"trained on {trained_on}"] if trained_on else []
    return "; ".join([*notes, *(["scores handed in"] if submitted else [])])


def modality_tabs(board: BoardTables, told: Told, drawn: Sequence[Path]) -> list[Tab]:
    """Make the leaderboard of each modality, and take its figures from all that were drawn."""
    tabs = []
    for name, folder in board.modalities.items():
        part = read_board(folder)
        images = count(part.values["image"].nunique(), "image")
        shown = name or NOT_GIVEN
        caption = f"{shown}: ranked on {images}, best first"
        figures = embed_figures(drawn, folder, board.folder)
        tabs.append(Tab(shown, caption, make_table(part, told), figures))
    return tabs


def consensus_table(board: BoardTables) -> dict[str, Any] | None:
    """Give ``names`` of the modalities and ``rows``, best first; None where there is one modality."""
    if board.consensus is None:
        return None
    rows = []
    for name, *ranks, mean, rank in board.consensus.itertuples(index=False, name=None):
        cells = [Cell(number(mean, 2), mean), *(Cell(rank_text(one), one) for one in ranks)]
        rows.append({"name": name, "rank": Cell(rank_text(rank), rank), "cells": cells})
    return {"names": [name or NOT_GIVEN for name in board.modalities], "rows": rows}


def axis_words(board: BoardTables) -> str:
    """Say what the bar under the medians spans, where it is not 0 to 1."""
    names = [f"{board.value}_q1", f"{board.value}_q3"]
    places = board.leaderboard[names]
    if places.min().min() >= 0 and places.max().max() <= 1:
        return " on a bar from 0 to 1"
    return " on a bar from the smallest to the largest of them"


def list_failures(board: BoardTables) -> list[tuple[str, str, str]]:
    """List algorithm, image and status of every row that is not ok, in the leaderboard's order."""
    place = {name: place for place, name in enumerate(board.ranking.index)}
    rows = board.values.loc[board.values["status"] != "ok", ["algorithm", "image", "status"]]
    listed = list(rows.itertuples(index=False, name=None))
    return sorted(listed, key=lambda row: (place[row[0]], row[1]))


def failed_caption(board: BoardTables, failures: Sequence[object]) -> str:
    """Say how many failed."""
    return f"{len(failures):,} of {count(len(board.values), 'result')} failed"


def failure_words(board: BoardTables) -> str:
    """Say what a failure costs."""
    rule = board.provenance.get("failures")
    return f"Each counts as: {rule}." if rule else ""


_LEGEND = {
    "matched": ("Matched", "found: IoU with a true cell is at least 0.5"),
    "missed": ("Missed", "a true cell that nothing covers"),
    "spurious": ("Spurious", "a predicted cell where there is none"),
    "merged": ("Merged", "one predicted cell over several true ones"),
    "split": ("Split", "several predicted cells within one true one"),
    "poor-outline": ("Poor outline", "the right cell, but IoU between 0.1 and 0.5"),
    "not-scored": ("Not scored", "touches the image's border"),
    "truth": ("The truth", "all true cells"),
}
_HIDDEN = ("not-scored", "truth")


def gallery_parts(gallery: Gallery | None) -> dict[str, Any]:
    """Give what the template needs of the gallery."""
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
            {"name": name, "title": title, "help": told, "shown": name not in _HIDDEN}
            for name, (title, told) in _LEGEND.items()
        ],
        "side": SIDE,
        "problems": gallery.problems,
        "drawn_words": _drawn_words(gallery),
    }


def _drawn_words(gallery: Gallery) -> str:
    words = (
        f"{count(len(gallery.images), 'image')} drawn: the worst, median and best of each algorithm by "
        "its value, of the images that have a true cell to score. Those that most algorithms chose, "
        f"{COMMON} at most, are drawn with all of them, the others with those that chose them."
    )
    if gallery.left_out:
        words += f" For want of room {count(len(gallery.left_out), 'more image')} left out."
    return words
