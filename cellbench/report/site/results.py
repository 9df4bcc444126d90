"""What each algorithm achieved on each board, on all of its images and on those of each modality."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cellbench.boards.reading import BoardTables
from cellbench.report.page.leaderboard import Cell, Column, make_table
from cellbench.report.site.boards import SiteBoard

ALL_IMAGES = "all images"
"""What the results on all images of a board are called, beside those on single modalities."""

RUNNING = ("Mean rank, time", "Runtime", "CPU time", "Memory", "GPU memory", "In time")
"""Titles of the columns about running times and memory."""
_OF_ONE_BOARD = ("Group",)  # its letters mean something only beside the other algorithms


@dataclass(frozen=True)
class Result:
    """What an algorithm achieved.

    Attributes:
        algorithm: its name.
        board: the board.
        modality: the modality of the images; empty for all images of the board.
        rank: its rank, and among how many.
        cells: the cells of the leaderboard by the title of their column.
    """

    algorithm: str
    board: SiteBoard
    modality: str
    rank: Cell
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Results:
    """The results of all algorithms.

    Attributes:
        columns: every column that some result has.
        rows: in the order of the boards, their modalities and the ranks.
    """

    columns: tuple[Column, ...]
    rows: tuple[Result, ...]


def collect_results(boards: Sequence[SiteBoard]) -> Results:
    """Collect the results of all boards.

    Args:
        boards: the boards.
    """
    columns: dict[str, Column] = {}
    rows: list[Result] = []
    for board in boards:
        rows += _read(board, "", board.tables, columns)
        for modality, tables in board.parts.items():
            rows += _read(board, modality, tables, columns)
    return Results(tuple(columns.values()), tuple(rows))


def _read(
    board: SiteBoard, modality: str, tables: BoardTables, columns: dict[str, Column]
) -> Iterable[Result]:
    table = make_table(tables, {})
    for column in table.columns:
        if column.title not in _OF_ONE_BOARD:
            columns.setdefault(column.title, column)
    for row in table.rows:
        rank = Cell(f"{row.rank.text} of {len(table.rows)}", row.rank.key, row.rank.detail)
        cells = zip(table.columns, row.cells, strict=True)
        yield Result(
            row.name, board, modality, rank, {column.title: cell for column, cell in cells}
        )


def columns_of(
    results: Sequence[Result], columns: Iterable[Column], *, running: bool
) -> tuple[Column, ...]:
    """Return the columns in which some of the results have an entry.

    Args:
        results: the results.
        columns: the columns of all results.
        running: whether those about running times and memory are wanted, or the others.
    """
    return tuple(
        column
        for column in columns
        if (column.title in RUNNING) == running
        and any(
            column.title in one.cells and one.cells[column.title].key is not None for one in results
        )
    )
