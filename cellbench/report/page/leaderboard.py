"""The leaderboard as the page shows it: text for readers, keys to sort by."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from cellbench.boards.groups import groups_of, letter
from cellbench.boards.reading import BoardTables
from cellbench.report.page.headline import group_words
from cellbench.report.page.runs import amount, find_runs
from cellbench.report.page.texts import NOTHING, number, rank_text, span


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: the heading.
        note: a few words below the heading, such as which direction is better.
        best_is_high: whether the first click on the heading sorts the highest first.
    """

    title: str
    note: str
    best_is_high: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: the main text.
        key: the number by which rows are sorted; None is sorted last.
        detail: a second line, such as an interval.
        bar: positions of first quartile, median and third quartile, from 0 to 100.
    """

    text: str
    key: float | None = None
    detail: str = ""
    bar: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Row:
    """An algorithm.

    Attributes:
        name: its name in the tables.
        title: its title in its entry; may be empty.
        notes: on what it was trained, and whether its scores were submitted.
        rank: the cell of the first column.
        cells: the cells of the other columns.
    """

    name: str
    title: str
    notes: str
    rank: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A leaderboard; columns without any entry are left out."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def make_table(board: BoardTables, notes: Mapping[str, tuple[str, str]]) -> Table:
    """Format the leaderboard of a board, or of one modality.

    Args:
        board: the tables.
        notes: title and notes of each algorithm.
    """
    filled = [
        (column, cells)
        for column, cells in _columns(board)
        if any(cell.key is not None for cell in cells)
    ]
    table = board.leaderboard
    ranks = [
        Cell(rank_text(rank), rank, _rank_span(low, high))
        for rank, low, high in _together(table, "rank", "rank_low", "rank_high")
    ]
    rows = [
        Row(name, *notes.get(name, ("", "")), rank, tuple(cells[place] for _, cells in filled))
        for place, (name, rank) in enumerate(zip(table["algorithm"], ranks, strict=True))
    ]
    return Table(tuple(column for column, _ in filled), tuple(rows))


def _columns(board: BoardTables) -> list[tuple[Column, list[Cell]]]:
    value, title, table = board.value, board.value_title, board.leaderboard
    high = board.higher_is_better
    direction = f"{'higher' if high else 'lower'} is better"
    times = ["median_runtime_s"]
    mean = [f"mean_{value}", f"mean_{value}_low", f"mean_{value}_high"]
    return [
        (
            Column("Score", "lower is better"),
            _estimates(board, "score", 3),
        ),
        (
            Column(f"Mean rank, {title}", "lower is better"),
            _estimates(board, f"mean_rank_{value}"),
        ),
        (
            Column("Mean rank, time", "lower is better"),
            _estimates(board, "mean_rank_runtime"),
        ),
        (Column(f"Median {title}", direction, high), _medians(board)),
        (
            Column(f"Mean {title}", direction, high),
            [
                Cell(number(middle), _key(middle), span(low, high))
                for middle, low, high in _together(table, *mean)
            ],
        ),
        (
            Column("Runtime", f"median per {board.unit}"),
            [
                Cell(f"{number(seconds, 2)} s" if seconds == seconds else NOTHING, _key(seconds))
                for (seconds,) in _together(table, *times)
            ],
        ),
        (Column("CPU time", f"median per {board.unit}"), _used(board, "cpu_s", 1, "s")),
        (Column("Memory", "largest"), _used(board, "peak_memory_mb", 1024, "GiB")),
        (Column("GPU memory", "largest"), _used(board, "peak_gpu_mb", 1024, "GiB")),
        (
            Column("In time", f"{board.unit}s", True),
            _shares(table, "within_tolerance"),
        ),
        (Column("Failed", f"{board.unit}s"), _shares(table, "failed")),
        (Column("Group", f"tests of {group_words(board)}"), _groups(board)),
    ]


def _used(board: BoardTables, quantity: str, unit_size: float, unit: str) -> list[Cell]:
    """Return a column of what the programs used; empty for algorithms that were not run here."""
    runs = find_runs(board)
    cells = []
    for name in board.leaderboard["algorithm"]:
        value = amount(runs.get(name, {}), quantity)
        if value is None:
            cells.append(Cell(NOTHING))
        else:
            cells.append(Cell(f"{number(value / unit_size, 2)} {unit}", value))
    return cells


def _together(table: pd.DataFrame, *columns: str) -> Iterable[tuple[float, ...]]:
    return table[list(columns)].astype(float).itertuples(index=False, name=None)


def _rank_span(low: float, high: float) -> str:
    return f"{rank_text(low)} to {rank_text(high)}" if low == low and high == high else ""


def _key(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _estimates(board: BoardTables, quantity: str, decimals: int = 2) -> list[Cell]:
    """Return a column of the leaderboard with its intervals."""
    rows = board.intervals[board.intervals["quantity"] == quantity].set_index("algorithm")
    rows = rows.reindex(board.leaderboard["algorithm"])
    estimates = board.leaderboard[quantity].astype(float)
    return [
        Cell(number(value, decimals), _key(value), span(low, high, decimals))
        for value, (low, high) in zip(estimates, _together(rows, "low", "high"), strict=True)
    ]


def _shares(table: pd.DataFrame, column: str) -> list[Cell]:
    return [
        Cell(f"{count:.0f} of {images:.0f}" if count == count else NOTHING, _key(count))
        for count, images in _together(table, column, "images")
    ]


def _medians(board: BoardTables) -> list[Cell]:
    value = board.value
    names = [f"{value}_q1", f"median_{value}", f"{value}_q3"]
    all_places = board.leaderboard[names].astype(float)
    low, high = float(all_places.min().min()), float(all_places.max().max())
    if low >= 0 and high <= 1:  # a share: the axis spans its whole range
        low, high = 0.0, 1.0
    cells = []
    for first, median, third in _together(board.leaderboard, *names):
        places = [round(100 * (at - low) / ((high - low) or 1), 1) for at in (first, median, third)]
        known = all(map(math.isfinite, places))
        bar = (places[0], places[1], places[2]) if known else None
        cells.append(Cell(number(median), _key(median), span(first, third), bar))
    return cells


def _groups(board: BoardTables) -> list[Cell]:
    of_each = groups_of(board, board.value)
    return [
        Cell(" ".join(map(letter, of_each[name])), float(of_each[name][0]))
        if name in of_each
        else Cell(NOTHING)
        for name in board.leaderboard["algorithm"]
    ]
