"""The files of a board's tables, read as [`cellbench.boards.schema`][] describes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.columns import Column, Kind, Table
from cellbench.boards.record import AGAIN
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.csv_text import numbered_rows, read_content
from cellbench.errors import ScoresError


def read_table(
    folder: Path, described: Table, value: str = "f1", again: str = AGAIN
) -> pd.DataFrame:
    """Read one table of a board.

    Args:
        folder: the board's folder.
        described: the table.
        value: the name of what is ranked.
        again: what to do if it is damaged, for the error.

    Returns:
        Its columns; numbers that are not known are NaN.

    Raises:
        ScoresError: if the file is missing or damaged; the message names the line.
    """
    path, names = folder / described.file, described.names(value)
    try:
        text = read_text(path, names, again)
        cells = {
            name: _convert(text[name], column, path)
            for name, column in zip(names, described.columns, strict=True)
        }
    except ScoresError as error:
        raise _generated(error, again) from error
    return pd.DataFrame(cells, index=text.index).reset_index(drop=True)


def read_by_place(path: Path, names: Sequence[str], again: str) -> pd.DataFrame:
    """Read a table of algorithms and ranks whose columns may share a name: a board can be called "rank".

    Args:
        path: the file.
        names: the names of the columns; the first holds text, the others numbers.
        again: what to do if it is damaged, for the error.

    Returns:
        The columns in the order of the file, with these names.

    Raises:
        ScoresError: if the file is missing or damaged; the message names the line.
    """
    try:
        table = read_content(path, names, ScoresError)
        if len(table.header) != len(names):
            found = len(table.header)
            raise ScoresError(f"{path}: has {found} columns in place of {len(names)}; {again}")
        rows = numbered_rows(table, path, ScoresError)
        text = pd.DataFrame(
            list(rows.values()), index=list(rows), columns=range(len(names)), dtype=str
        )
        ranks = [_present(text[place].rename(names[place]), path) for place in range(1, len(names))]
    except ScoresError as error:
        raise _generated(error, again) from error
    return pd.concat([text[0], *ranks], axis=1).set_axis(list(names), axis=1).reset_index(drop=True)


def _generated(error: ScoresError, again: str) -> ScoresError:
    """Replace the advice to correct the file: cellbench wrote it, and should write it again."""
    return ScoresError(f"{str(error).rsplit('; ', 1)[0]}; {again}")


def _convert(text: pd.Series, column: Column, path: Path) -> pd.Series:
    """Return the cells of a column as its kind says."""
    if column.kind == Kind.NUMBER:
        return to_numbers(text, path)
    if column.kind == Kind.WHOLE:
        numbers = _present(text, path)
        raise_first(numbers % 1 != 0, path, f"{text.name} is not a whole number")
        return numbers.astype(np.int64)
    if column.kind == Kind.YES_NO:
        yes = text == "True"
        raise_first(~yes & (text != "False"), path, f"{text.name} is neither True nor False")
        return yes.astype(bool)
    if column.kind == Kind.CHOICE:
        unknown = ~text.isin(column.choices)
        found = repr(text[unknown].iloc[0]) if unknown.any() else ""
        raise_first(unknown, path, f"{text.name} cannot be {found}")
    return text


def _present(text: pd.Series, path: Path) -> pd.Series:
    numbers = to_numbers(text, path)
    raise_first(numbers.isna(), path, f"{text.name} is empty")
    return numbers
