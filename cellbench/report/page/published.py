"""Numbers that others published, which are shown separately from the board's own results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.report.page.texts import NOTHING, number, span

_WORDS = ("algorithm", "team", "images_of", "statistic", "source", "kind")
_NUMBERS = ("threshold", "f1", "f1_q1", "f1_q3", "images")


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes:
        algorithm: its name in the source.
        team: the team that made it; may be empty.
        images_of: the images on which it was measured, and their number.
        statistic: mean or median, and the IoU threshold.
        f1: the number as text.
        key: the number by which rows are sorted.
        quartiles: first and third quartile as text; empty if unknown.
        source: where the number was published.
        kind: kind of the source.
    """

    algorithm: str
    team: str
    images_of: str
    statistic: str
    f1: str
    key: float
    quartiles: str
    source: str
    kind: str


def read_published(paths: Sequence[str | Path]) -> list[Published]:
    """Read tables of published F1.

    Args:
        paths: CSV files with the columns algorithm, team, images_of, statistic, threshold, f1, f1_q1,
            f1_q3, images, source, kind.

    Returns:
        All rows in their order.

    Raises:
        ScoresError: if a file cannot be read, or a row has no number or no source.
    """
    return [row for path in paths for row in _read_file(Path(path))]


def _read_file(path: Path) -> list[Published]:
    text = read_text(path, [*_WORDS, *_NUMBERS], "use a table like those in leaderboard/published")
    numbers = {name: to_numbers(text[name], path) for name in _NUMBERS}
    raise_first(numbers["f1"].isna(), path, "f1 is missing")
    raise_first(text["source"].str.strip() == "", path, "the source is missing")
    table = text[list(_WORDS)].assign(**numbers)
    return [_describe(row) for _, row in table.iterrows()]


def _describe(row: pd.Series) -> Published:
    images = f", {row['images']:,.0f} images" if row["images"] == row["images"] else ""
    at = f", IoU {row['threshold']:g}" if row["threshold"] == row["threshold"] else ""
    return Published(
        algorithm=row["algorithm"],
        team=row["team"] or NOTHING,
        images_of=row["images_of"] + images,
        statistic=row["statistic"] + at,
        f1=number(row["f1"]),
        key=float(row["f1"]),
        quartiles=span(row["f1_q1"], row["f1_q3"]),
        source=row["source"],
        kind=row["kind"],
    )
