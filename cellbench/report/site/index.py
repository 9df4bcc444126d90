"""The tables of the index: one line for each board, and one for each algorithm; and all results."""

from collections.abc import Mapping, Sequence

from cellbench.boards.verdict import verdict
from cellbench.report.page.facts import describe_protocol
from cellbench.report.page.leaderboard import Cell, Column
from cellbench.report.page.links import Part
from cellbench.report.page.texts import NOTHING, number, rank_text, span
from cellbench.report.site.algorithms import Algorithm
from cellbench.report.site.boards import SiteBoard
from cellbench.report.site.consensus import Consensus
from cellbench.report.site.grids import Grid, GridRow, TextColumn, Words, fill, words
from cellbench.report.site.results import ALL_IMAGES, Results, columns_of

Algorithms = Mapping[str, Algorithm]


def boards_grid(boards: Sequence[SiteBoard], algorithms: Algorithms) -> Grid:
    """Return the boards, one line each.

    Args:
        boards: the boards.
        algorithms: the algorithms by name.
    """
    return Grid(
        "boards",
        "Every board, in the order of the names of their folders",
        "boards",
        (
            TextColumn("Board"),
            TextColumn("Best algorithm"),
            Column("Mean of the best", "with 95 % interval", best_is_high=True),
            TextColumn("Measure", "mean over the images"),
            Column("Algorithms", "", best_is_high=True),
            Column("Images", "or cases", best_is_high=True),
            TextColumn("Modalities"),
            TextColumn("Scoring protocol"),
        ),
        tuple(_board_row(board, algorithms) for board in boards),
    )


def _board_row(board: SiteBoard, algorithms: Algorithms) -> GridRow:
    tables, value = board.tables, board.tables.value
    facts = verdict(tables.leaderboard, tables.significance, tables.bootstrap, unit=tables.unit)
    first = tables.leaderboard.iloc[0]
    mean, low, high = (float(first[f"mean_{value}{end}"]) for end in ("", "_low", "_high"))
    direction = f"{'higher' if tables.higher_is_better else 'lower'} is better"
    return GridRow(
        (
            words(board.title, board.page, board.name if board.name != board.title else ""),
            _leaders(facts.leaders, algorithms, certain=facts.told_apart),
            Cell(number(mean), mean if mean == mean else None, span(low, high)),
            words(tables.value_title, detail=direction),
            _count(len(tables.leaderboard)),
            _count(facts.images),
            words(", ".join(board.modalities)),
            words(describe_protocol(tables)),
        ),
        {"modality": list(board.modalities)},
    )


def _leaders(leaders: Sequence[str], algorithms: Algorithms, *, certain: bool) -> Words:
    parts: list[Part] = []
    for name in leaders:
        parts += [Part(", ")] if parts else []
        parts.append(Part(algorithms[name].title, algorithms[name].page))
    return Words(tuple(parts), "significantly ahead of the next" if certain else "")


def _count(number_of: int) -> Cell:
    return Cell(f"{number_of:,}", float(number_of))


def algorithms_grid(
    boards: Sequence[SiteBoard], algorithms: Algorithms, consensus: Consensus
) -> Grid:
    """Return the algorithms with their ranks on every board, the best of the consensus first.

    Args:
        boards: the boards.
        algorithms: the algorithms by name.
        consensus: the consensus over the boards.
    """
    means = [
        Column("Consensus", "rank of the mean"),
        Column("Mean rank", "of all boards"),
    ]
    columns = [
        *(means if consensus.means else []),
        Column("Boards", "with this algorithm", best_is_high=True),
        *(Column(board.title, "rank, and mean of the measure") for board in boards),
    ]
    ordered = [
        *consensus.means,
        *_by_share([one for one in algorithms if one not in consensus.means], algorithms),
    ]
    rows = (_algorithm_row(algorithms[name], boards, consensus) for name in ordered)
    order = "the best of the consensus first" if consensus.means else "the best on average first"
    return Grid(
        "algorithms",
        f"Ranks of every algorithm on every board, {order}",
        "algorithms",
        (TextColumn("Algorithm"), *columns, TextColumn("Licence"), TextColumn("Trained on")),
        tuple(rows),
        sorted_by="Consensus" if consensus.means else "",
    )


def _by_share(names: Sequence[str], algorithms: Algorithms) -> list[str]:
    """Order algorithms by their mean of rank divided by number of algorithms, over their boards."""

    def share(name: str) -> float:
        own = algorithms[name].boards
        shares = [(one.rank.key or 0) / len(one.board.tables.leaderboard) for one in own]
        return sum(shares) / len(shares)

    return sorted(names, key=lambda name: (share(name), name))


def _algorithm_row(
    algorithm: Algorithm, boards: Sequence[SiteBoard], consensus: Consensus
) -> GridRow:
    name, on = algorithm.name, {one.board.name: one for one in algorithm.boards}
    mean, rank = consensus.means.get(name), consensus.ranks.get(name)
    ranks = []
    for board in boards:
        result = on.get(board.name)
        value = result.cells.get(f"Mean {board.tables.value_title}") if result else None
        ranks.append(
            Cell(result.rank.text, result.rank.key, value.text if value else "")
            if result
            else Cell(NOTHING)
        )
    means = [
        Cell(NOTHING if rank is None else rank_text(rank), rank),
        Cell(NOTHING if mean is None else number(mean, 2), mean),
    ]
    return GridRow(
        (
            _name(algorithm),
            *(means if consensus.means else []),
            _count(len(on)),
            *ranks,
            *_statements(algorithm),
        ),
        algorithm.facets,
    )


def _statements(algorithm: Algorithm) -> list[Words]:
    """Return the cells of the columns Licence and Trained on."""
    return [words("; ".join(algorithm.facets.get(name, []))) for name in ("licence", "trained_on")]


def _name(algorithm: Algorithm) -> Words:
    detail = algorithm.name if algorithm.name != algorithm.title else ""
    return words(algorithm.title, algorithm.page, detail)


def results_grid(results: Results, algorithms: Algorithms) -> Grid:
    """Return all results: one line for each algorithm, board and modality.

    Args:
        results: the results.
        algorithms: the algorithms by name.
    """
    columns = (
        *columns_of(results.rows, results.columns, running=False),
        *columns_of(results.rows, results.columns, running=True),
    )
    rows = []
    for one in results.rows:
        algorithm, board = algorithms[one.algorithm], one.board
        modalities = [one.modality or ALL_IMAGES]
        modalities += board.modalities if not one.modality and len(board.modalities) == 1 else []
        rows.append(
            GridRow(
                (
                    _name(algorithm),
                    words(board.title, board.page),
                    words(one.modality or ALL_IMAGES),
                    one.rank,
                    *fill(columns, one.cells),
                    *_statements(algorithm),
                ),
                {**algorithm.facets, "modality": modalities},
            )
        )
    texts = (TextColumn("Algorithm"), TextColumn("Board"), TextColumn("Modality"))
    return Grid(
        "results",
        "Every algorithm on every board, on all images and on those of each modality",
        "results",
        (*texts, Column("Rank", ""), *columns, TextColumn("Licence"), TextColumn("Trained on")),
        tuple(rows),
    )
