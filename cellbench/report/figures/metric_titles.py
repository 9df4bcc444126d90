"""How the figures call the metrics of a board."""

from cellbench.boards.reading import BoardTables
from cellbench.boards.schema import MetricName
from cellbench.report.figures.style import short_name


def metric_titles(board: BoardTables) -> dict[str, str]:
    """Return the title of each metric, the one that decides the leaderboard first.

    Args:
        board: the tables of a board.

    Returns:
        Title by name of the metric; the ranked value alone where running times are not ranked.
    """
    value = short_name(board.value_title)
    if not board.timed:
        return {board.value: value}
    return {
        MetricName.CHALLENGE: f"{value} and running time",
        board.value: value,
        MetricName.RANK_RUNTIME: "Running time",
    }
