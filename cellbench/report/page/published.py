"""Numbers that others published, to stand apart from what was measured here."""

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
        algorithm: as its source calls it.
        team: who made it; may be empty.
        images_of: what it was measured on, and how many images.
        statistic: mean or median, and the IoU threshold.
        f1: the number.
        key: it to sort by.
        quartiles: where the source has them.
        source: where it stands.
        kind: of the source.
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
    """Read tables of published F1 in their order.

    Args:
        paths: CSV files with the columns algorithm, team, images_of, statistic, threshold, f1, f1_q1,
            f1_q3, images, source, kind.

    Raises:
        ScoresError: if one cannot be read, or a row lacks its number or its source.
    """
    return [row for path in paths for row in _read_file(Path(path))]


def _read_file(path: Path) -> list[Published]:
    text = read_text(path, [*_WORDS, *_NUMBERS], "name a table of leaderboard/published")
    numbers = {name: to_numbers(text[name], path) for name in _NUMBERS}
    raise_first(numbers["f1"].isna(), path, "lacks f1")
    raise_first(text["source"].str.strip() == "", path, "lacks the source")
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
