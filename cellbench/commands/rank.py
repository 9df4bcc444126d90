"""Rank algorithms and write a board: the leaderboard and how stable it is.

The input is one or more scores.csv files from `cellbench evaluate`, or any other
table with a row for each algorithm and case. The output is a folder of tables (see
the end of this help).
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.boards.schema_text import list_tables, to_markdown
from cellbench.choices import Scheme, Ties

if TYPE_CHECKING:
    import pandas as pd

    from cellbench.boards import Columns
    from cellbench.boards.generalisation import Unseen
    from cellbench.ranking.tables import Missing

_NAMED = 10  # algorithms in a warning, which is one line
_EPILOG = f"""\
tables in the output folder (--tables describes their columns):
{list_tables()}

examples:
  cellbench rank scores.csv --out board
  cellbench rank scores.csv --measure dice --out board
  cellbench rank results.csv --case image --algorithm team --value error --smaller-is-better --out board
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    # --tables prints Markdown, whose lines must stay as they are.
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    add = parser.add_argument
    add(
        "scores",
        type=Path,
        nargs="+",
        metavar="SCORES",
        help="scores.csv files, submissions (folders with entry.yaml and scores.csv) or other tables; "
        "all of them together are one board",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to write to; an earlier board in it is replaced, other files are kept (required)",
    )
    add(
        "--tables",
        action="version",
        version=to_markdown(),
        help="print the columns of every table and exit",
    )
    _add_options(parser)
    _add_columns(
        parser.add_argument_group(
            "tables other than scores.csv",
            "CSV with one row for each algorithm and case. Commas, semicolons (with decimal\n"
            "commas) or tabs separate the columns.",
        )
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--measure",
        metavar="COLUMN",
        help="measure to rank: a column of scores.csv such as dice, precision or recall, or, if SCORES is "
        "a scores_details.csv, a column of that table such as ap, pq or aji (default: f1)",
    )
    add(
        "--ties",
        choices=[*map(str, Ties)],
        default="min",
        help="rank of algorithms with equal values: min: the smallest of their ranks (1, 1, 3); average: "
        "the mean (1.5, 1.5, 3); max: the largest (2, 2, 3); dense: no gap after them (1, 1, 2) "
        "(default: min)",
    )
    add(
        "--scheme",
        choices=[*map(str, Scheme)],
        default="rank-then-mean",
        help="what decides the order: mean-then-rank or median-then-rank: the mean or median value over "
        "all images; rank-then-mean or rank-then-median: the mean or median of the ranks on each image; "
        "test-then-rank: the share of the other algorithms that are significantly worse (default: "
        "rank-then-mean)",
    )
    add(
        "--bootstrap",
        type=int,
        default=1000,
        metavar="N",
        help="number of bootstrap samples of the images (default: 1000)",
    )
    add(
        "--seed",
        type=int,
        default=2022,
        metavar="N",
        help="random seed of the bootstrap (default: 2022)",
    )
    add(
        "--weights",
        type=float,
        nargs=2,
        metavar=("F1", "RUNTIME"),
        help="weights of the rank on F1 (or the measure) and of the rank on running time in the score "
        "(default: 1 1)",
    )
    add(
        "--alpha",
        type=float,
        default=0.05,
        metavar="P",
        help="largest p value, after Holm's adjustment, that counts as significant (default: 0.05)",
    )
    add(
        "--entries",
        type=Path,
        nargs="*",
        default=(),
        metavar="ENTRY",
        help="entry.yaml files, or their folders, of algorithms that were run here; the board shows "
        "what they state (default: none)",
    )
    add(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="manifest.csv of a dataset that `cellbench data split` wrote; the board then compares the "
        "images of sources in the training split with the others in generalisation.csv (default: no "
        "such table)",
    )


def _add_columns(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--case",
        metavar="COLUMN",
        help='column that identifies the case, for example "image" (required for such tables)',
    )
    add(
        "--algorithm",
        metavar="COLUMN",
        help='column that names the algorithm, for example "team" (required for such tables)',
    )
    add(
        "--value",
        metavar="COLUMN",
        help='column with the number to rank, for example "dice" (required for such tables)',
    )
    add(
        "--smaller-is-better",
        action="store_true",
        help="rank small values first, for example if the value is an error (default: large values)",
    )
    add(
        "--modality",
        metavar="COLUMN",
        help='column that groups the cases, for example "task"; each group is also ranked by itself. If '
        "two groups have cases of the same name, these are different cases (default: no groups)",
    )
    add(
        "--missing",
        default="worst",
        metavar="WHAT",
        help="what a missing value (an empty cell, NA, NaN) is: worst: it ties after all others; drop: "
        "each algorithm is ranked on the cases it has; or a number that takes its place. An infinitely bad "
        "value (inf with --smaller-is-better, otherwise -inf) is a failed case and counts in the same "
        "way, but drop refuses it (default: worst)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the board, print where it is, and summarise it."""
    from cellbench.boards.summary import describe_board
    from cellbench.boards.writing import Sources, rank_sources
    from cellbench.errors import UsageError
    from cellbench.ranking.options import EQUAL_WEIGHTS, Options

    if arguments.out.is_file():
        raise UsageError(f"--out {arguments.out}: is a file; name a folder to write the board to")
    columns = _columns(arguments)
    options = Options(
        arguments.ties,
        arguments.scheme,
        arguments.bootstrap,
        arguments.seed,
        tuple(arguments.weights or EQUAL_WEIGHTS),
        arguments.alpha,
    )
    measure = "f1" if arguments.measure is None else arguments.measure
    sources = Sources(
        arguments.scores,
        columns,
        measure,
        entries=arguments.entries,
        unseen=_unseen(arguments.manifest),
    )
    board = rank_sources(sources, arguments.out, options)
    if columns is not None:
        _warn(board.leaderboard, columns)
    print(f"wrote {arguments.out / 'leaderboard.csv'} and the other tables of the board beside it")
    print(describe_board(board))


def _unseen(manifest: Path | None) -> "Unseen | None":
    from cellbench.boards.generalisation import Unseen
    from cellbench.data.split import read_unseen

    return None if manifest is None else Unseen(manifest, read_unseen(manifest))


def _columns(arguments: argparse.Namespace) -> "Columns | None":
    """Return the columns of a table that is no scores.csv; None where none of them is named."""
    from cellbench.boards import Columns
    from cellbench.errors import UsageError

    needed = {name: getattr(arguments, name) for name in ("case", "algorithm", "value")}
    if all(value is None for value in needed.values()):
        unused = ["--modality"] if arguments.modality is not None else []
        unused += ["--smaller-is-better"] if arguments.smaller_is_better else []
        unused += ["--missing"] if arguments.missing != "worst" else []
        if unused:
            raise UsageError(
                f"{unused[0]}: is only for tables other than scores.csv; "
                "add --case, --algorithm and --value"
            )
        return None
    missing = [f"--{name}" for name, value in needed.items() if value is None]
    if missing:
        raise UsageError(f"rank: a table other than scores.csv also needs {' and '.join(missing)}")
    if arguments.weights is not None:
        raise UsageError("--weights: a table other than scores.csv has no running times to weigh")
    if arguments.measure is not None:
        raise UsageError("--measure: is only for scores.csv; --value names the column to rank")
    return Columns(
        **needed,
        modality=arguments.modality,
        higher_is_better=not arguments.smaller_is_better,
        missing=_missing(arguments.missing),
    )


def _missing(text: str) -> "Missing":
    from cellbench.errors import UsageError

    if text in ("worst", "drop"):
        return text  # type: ignore[return-value]
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--missing {text!r}: must be worst, drop or a number") from None


def _warn(leaderboard: "pd.DataFrame", columns: "Columns") -> None:
    """Warn on stderr which algorithms lack how many values: nobody is compared on fewer unnoticed."""
    from cellbench.boards.long_table import failure_rule

    lacking = leaderboard[leaderboard["failed"] > 0].sort_values("algorithm")
    if lacking.empty:
        return
    counts = [
        f"{row.algorithm!r} {row.failed} of {row.images}"
        for row in lacking.head(_NAMED).itertuples()
    ]
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    print(
        f"cellbench: warning: values of {columns.value!r} are missing or infinite: "
        f"{', '.join(counts)}{more}; a missing value counts as {failure_rule(columns.missing)}",
        file=sys.stderr,
    )
