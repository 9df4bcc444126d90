"""The section of the page on images of sources that training did not see."""

from dataclasses import dataclass

from cellbench.boards.reading import BoardTables
from cellbench.report.page.leaderboard import Cell, Column
from cellbench.report.page.texts import count, number, span


@dataclass(frozen=True)
class Generalisation:
    """In-source and out-of-source images side by side.

    Attributes:
        reading: how to read the table.
        columns: the columns after the algorithm.
        rows: name of the algorithm and its cells; best on out-of-source images first.
    """

    reading: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def make_generalisation(board: BoardTables) -> Generalisation | None:
    """Collect the table of in-source and out-of-source images.

    Args:
        board: the tables; generalisation is used.

    Returns:
        The table; None if the board does not know the sources of its images.
    """
    table, title = board.generalisation, board.value_title
    if table is None:
        return None
    names = {
        f"out_of_source_mean_{board.value}": f"{title}, out-of-source",
        f"in_source_mean_{board.value}": f"{title}, in-source",
        "drop": "Drop",
    }
    seen, unseen = (
        count(int(table[f"{name}_images"].iloc[0]), board.unit)
        for name in ("in_source", "out_of_source")
    )
    rows = [
        (
            str(row["algorithm"]),
            tuple(
                Cell(number(row[name]), row[name], span(row[f"{name}_low"], row[f"{name}_high"]))
                for name in names
            ),
        )
        for row in table.to_dict("records")
    ]
    high = board.higher_is_better
    return Generalisation(
        f"Mean {title} on {unseen} that were left out of training (out-of-source) and on "
        f"{seen} that were not (in-source). The drop is how much worse the first is. It shows the "
        "influence of an unknown source only as far as both groups are equally difficult. Intervals are "
        "95 % bootstrap intervals.",
        tuple(
            Column(words, "small is good" if name == "drop" else "", name != "drop" and high)
            for name, words in names.items()
        ),
        tuple(rows),
    )
