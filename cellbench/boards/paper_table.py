"""leaderboard.md and leaderboard.tex: the leaderboard as a table for a paper or a README."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cellbench.boards.escaping import escape_latex, escape_markdown
from cellbench.boards.groups import groups_of, letter
from cellbench.boards.ranked_tables import RankedTables
from cellbench.boards.schema import PAPER_TABLES
from cellbench.files import written_whole

_NOTHING = "–"
_DIGITS = 3  # significant digits of the smallest value of a column, and most decimals
_SMALL, _LARGE = 0.01, 1e9  # other columns are written with powers of ten


@dataclass(frozen=True)
class PaperTable:
    """A leaderboard as text.

    Attributes:
        columns: heading of each column, and whether its cells are numbers.
        rows: the cells, best algorithm first.
        note: what was compared and how, for the caption.
    """

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def make_paper_table(tables: RankedTables, facts: Mapping[str, Any]) -> PaperTable:
    """Return the leaderboard as text: rank, algorithm, median and mean with intervals, time and group.

    Args:
        tables: the tables of a board or of one modality.
        facts: what provenance.json states of it.

    Returns:
        The table; columns in which nothing is known are left out.
    """
    board, value, title = tables.leaderboard, facts["value"], facts["value_title"]
    groups = groups_of(tables, value)
    letters = [" ".join(map(letter, groups.get(name, ()))) for name in board["algorithm"]]
    failed = [str(count) if count else "0" for count in board["failed"]]
    columns: dict[tuple[str, bool], Sequence[str]] = {
        ("Rank", True): [f"{rank:g}" if pd.notna(rank) else _NOTHING for rank in board["rank"]],
        ("Algorithm", False): list(board["algorithm"]),
        (f"Median {title} [95 % CI]", True): _estimates(tables, f"median_{value}"),
        (f"Mean {title} [95 % CI]", True): _estimates(tables, f"mean_{value}"),
    }
    if board["median_runtime_s"].notna().any():
        columns["Time (s)", True] = _column(board["median_runtime_s"])
    if board["failed"].any():
        columns["Failed", True] = failed
    if any(letters):
        columns["Group", False] = [words or _NOTHING for words in letters]
    return PaperTable(
        tuple(columns), tuple(zip(*columns.values(), strict=True)), _note(tables, facts)
    )


def _estimates(tables: RankedTables, quantity: str) -> list[str]:
    names = tables.leaderboard["algorithm"]
    rows = tables.intervals[tables.intervals["quantity"] == quantity].set_index("algorithm")
    ends = rows.reindex(names)[["low", "high"]].astype(float)
    values = tables.leaderboard[quantity].astype(float)
    decimals = _decimals(values)
    cells = []
    for value, (low, high) in zip(values, ends.itertuples(index=False, name=None), strict=True):
        known = math.isfinite(low) and math.isfinite(high)
        interval = f" [{_number(low, decimals)}, {_number(high, decimals)}]" if known else ""
        cells.append(_number(value, decimals) + interval)
    return cells


def _column(values: pd.Series) -> list[str]:
    decimals = _decimals(values.astype(float))
    return [_number(float(value), decimals) for value in values.astype(float)]


def _decimals(values: pd.Series) -> int | None:
    """Return how many decimals a column needs; None for numbers too small or large for decimals."""
    sizes = values.abs()[values.abs() > 0]
    if sizes.empty:  # also where all are missing
        return _DIGITS
    if not _SMALL <= sizes.max() < _LARGE:
        return None
    before = math.floor(math.log10(sizes.min())) + 1  # digits before the decimal point
    return _DIGITS - min(max(before, 0), _DIGITS)


def _number(value: float, decimals: int | None) -> str:
    if not math.isfinite(value):
        return _NOTHING
    text = f"{value:.{_DIGITS - 1}e}" if decimals is None else f"{value:.{decimals}f}"
    return text.replace("-", "−")


def _note(tables: RankedTables, facts: Mapping[str, Any]) -> str:
    board, unit, title = tables.leaderboard, facts["unit"], facts["value_title"]
    count, images = len(board), int(board["images"].iloc[0])
    of = f" of the modality {facts['modality']}" if facts.get("modality") else ""
    timed = len(facts["ranked_on"]) > 1
    rule = "higher" if facts["higher_is_better"] else "lower"
    on = f"{title} ({rule} is better)" + (" and running time beyond the tolerance" if timed else "")
    protocol = facts.get("protocol") or {}
    scored = (
        "Scored with the protocol {name}, version {version}.".format(**protocol) if protocol else ""
    )
    samples = facts["bootstrap"]
    sentences = [
        f"{count} algorithm{'s' * (count != 1)} on {images} {unit}{'s' * (images != 1)}{of}, "
        f"ranked on {on}.",
        scored,
        f"Ranking scheme {facts['scheme']}, ties {facts['ties']}.",
        f"Brackets: 95 % intervals from {samples} bootstrap sample{'s' * (samples != 1)} of the {unit}s "
        f"(seed {facts['seed']}).",
    ]
    if board["median_runtime_s"].notna().any():
        sentences.append(f"Time: median running time per {unit}.")
    if board["failed"].any():
        sentences.append(
            f"Failed: {unit}s without a usable result; each counts as {facts['failures']}."
        )
    if len(tables.clusters):
        sentences.append(
            "Algorithms that share a letter in the column Group do not differ significantly (paired "
            f"Wilcoxon signed-rank tests with Holm's adjustment, p ≤ {facts['alpha']:g})."
        )
    return " ".join(filter(None, sentences))


def to_markdown(table: PaperTable) -> str:
    """Return a table in GitHub's Markdown, followed by its note.

    Args:
        table: the table.
    """
    lines = [
        [escape_markdown(title) for title, _ in table.columns],
        ["---:" if numeric else "---" for _, numeric in table.columns],
        *([escape_markdown(cell) for cell in row] for row in table.rows),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{body}\n\n{escape_markdown(table.note)}\n"


def to_latex(table: PaperTable) -> str:
    """Return a table in LaTeX with its note as the caption; it needs the package booktabs.

    Args:
        table: the table.
    """
    heading, *rows = (
        " & ".join(map(escape_latex, cells)) + r" \\"
        for cells in ([title for title, _ in table.columns], *table.rows)
    )
    kinds = "".join("r" if numeric else "l" for _, numeric in table.columns)
    lines = [
        r"% Add \usepackage{booktabs} to the preamble.",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(table.note)}}}",
        r"\label{tab:leaderboard}",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        heading,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def write_paper_tables(tables: RankedTables, facts: Mapping[str, Any], folder: Path) -> None:
    """Write leaderboard.md and leaderboard.tex.

    Args:
        tables: the tables of a board or of one modality.
        facts: what provenance.json states of it.
        folder: where to write the files.
    """
    table = make_paper_table(tables, facts)
    for name, text in zip(PAPER_TABLES, (to_markdown(table), to_latex(table)), strict=True):
        with written_whole(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
