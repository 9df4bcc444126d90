"""The tables on the page of an algorithm: scores, modalities, running times and errors by kind."""

from collections.abc import Mapping

from cellbench.report.page.errors import Errors
from cellbench.report.page.leaderboard import Cell, Column
from cellbench.report.page.runs import find_runs
from cellbench.report.site.algorithms import Algorithm
from cellbench.report.site.grids import Grid, GridRow, TextColumn, Words, fill, words
from cellbench.report.site.results import Result, Results, columns_of

_RANK = Column("Rank", "with 95 % interval")


def scores_grid(algorithm: Algorithm, results: Results) -> Grid:
    """Return the scores of an algorithm on every board.

    Args:
        algorithm: the algorithm.
        results: the results of all algorithms.
    """
    own = algorithm.boards
    columns = columns_of(own, results.columns, running=False)
    return Grid(
        "on-boards",
        "Scores on every board, on all of its images",
        "boards",
        (TextColumn("Board"), _RANK, *columns),
        tuple(
            GridRow((_board(one), one.rank, *fill(columns, one.cells)), _modalities(one))
            for one in own
        ),
    )


def modalities_grid(algorithm: Algorithm, results: Results) -> Grid:
    """Return the scores of an algorithm on the images of each modality of every board.

    Args:
        algorithm: the algorithm.
        results: the results of all algorithms.
    """
    own = algorithm.profile
    columns = columns_of(own, results.columns, running=False)
    rows = []
    for one in own:
        modality = one.modality or one.board.modalities[0]
        about = (words(modality), _board(one), one.rank)
        cells: tuple[Words | Cell, ...] = (*about, *fill(columns, one.cells))
        rows.append(GridRow(cells, {"modality": [modality]}))
    return Grid(
        "by-modality",
        "Scores on the images of each modality alone",
        "modalities",
        (TextColumn("Modality"), TextColumn("Board"), _RANK, *columns),
        tuple(sorted(rows, key=lambda row: row.facets["modality"][0].casefold())),
        sorted_by="Modality",
    )


def running_grid(algorithm: Algorithm, results: Results) -> Grid | None:
    """Return running times and memory of an algorithm on every board.

    Args:
        algorithm: the algorithm.
        results: the results of all algorithms.

    Returns:
        The table; None if nothing is known.
    """
    columns = columns_of(algorithm.boards, results.columns, running=True)
    if not columns:
        return None
    runs = [find_runs(one.board.tables).get(algorithm.name, {}) for one in algorithm.boards]
    how = [fact for fact in ("timing", "isolation") if any(run.get(fact) for run in runs)]
    rows = [
        GridRow(
            (
                _board(one),
                *fill(columns, one.cells),
                *(words(str(run.get(fact) or "")) for fact in how),
            ),
            _modalities(one),
        )
        for one, run in zip(algorithm.boards, runs, strict=True)
    ]
    return Grid(
        "resources",
        "Running times and memory on every board",
        "boards",
        (TextColumn("Board"), *columns, *(TextColumn(fact.capitalize()) for fact in how)),
        tuple(rows),
    )


def errors_grid(algorithm: Algorithm, errors: Mapping[str, Errors]) -> Grid | None:
    """Return the errors of an algorithm by kind, and its F1 by size and shape of the cells.

    Args:
        algorithm: the algorithm.
        errors: the sections about errors of the boards, by the name of the board.

    Returns:
        The table; None if no board has errors by kind.
    """
    columns: dict[str, Column] = {}
    found: list[tuple[Result, dict[str, Cell]]] = []
    for one in algorithm.boards:
        if one.board.name not in errors:
            continue
        section = errors[one.board.name]
        cells = dict(section.rows)[algorithm.name]
        titles = [column.title for column in section.columns]
        found.append((one, dict(zip(titles, cells, strict=True))))
        for column in section.columns:
            note = "F1" if column.note else ""  # how many cells there are differs between boards
            columns.setdefault(column.title, Column(column.title, note, column.best_is_high))
    if not found:
        return None
    return Grid(
        "kinds",
        "Cells found and errors, divided by the true cells, and F1 by size and shape of the cells",
        "boards",
        (TextColumn("Board"), *columns.values()),
        tuple(
            GridRow((_board(one), *fill(columns.values(), cells)), _modalities(one))
            for one, cells in found
        ),
    )


def _board(result: Result) -> Words:
    return words(result.board.title, f"../{result.board.page}")


def _modalities(result: Result) -> dict[str, list[str]]:
    return {"modality": list(result.board.modalities)}
