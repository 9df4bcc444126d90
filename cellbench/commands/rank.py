"""Rank the algorithms of scores.csv files, or of any long table; write every table of the board."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from cellbench.boards import Columns
    from cellbench.ranking.tables import Missing

_NAMED = 10  # algorithms in a warning, which is one line


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add(
        "scores",
        type=Path,
        nargs="+",
        help="scores.csv files, submissions (folders of entry.yaml and scores.csv) or other tables, "
        "together one board",
    )
    add("--out", type=Path, required=True, help="the board's folder")
    add("--ties", default="min", help="min, average, max or dense [min]")
    add("--scheme", default="rank-then-mean", help="how to rank [rank-then-mean]")
    add("--bootstrap", type=int, default=1000, help="samples [1000]")
    add("--seed", type=int, default=2022, help="of the bootstrap [2022]")
    add(
        "--weights",
        type=float,
        nargs=2,
        metavar=("F1", "RUNTIME"),
        help="of the two ranks in the score [1 1]",
    )
    add("--alpha", type=float, default=0.05, help="largest significant p value, after Holm [0.05]")
    add("--entries", type=Path, nargs="*", default=(), help="entry.yaml of those that were run")
    table = parser.add_argument_group("any other long table: a row for each case and algorithm")
    table.add_argument("--case", help="its column of cases, such as images")
    table.add_argument("--algorithm", help="its column of algorithms")
    table.add_argument("--value", help="its column of values to rank")
    table.add_argument("--smaller-is-better", action="store_true", help="such as an error")
    table.add_argument("--modality", help="its column of modalities, each of which is ranked too")
    table.add_argument(
        "--missing",
        default="worst",
        help="what a missing value is: worst, drop (each algorithm on the cases it has) or a number "
        "in its place [worst]",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the board, say where it is, and show its first rows."""
    from cellbench.boards import write_board

    columns = _columns(arguments)
    leaderboard = write_board(
        arguments.scores,
        arguments.out,
        ties=arguments.ties,
        scheme=arguments.scheme,
        bootstrap=arguments.bootstrap,
        seed=arguments.seed,
        weights=tuple(arguments.weights or (1.0, 1.0)),
        alpha=arguments.alpha,
        columns=columns,
        entries=arguments.entries,
    )
    if columns is not None:
        _warn(leaderboard, columns)
    value = "f1" if columns is None else columns.value
    shown = ["rank", "algorithm", "score", f"median_{value}", f"mean_{value}"]
    shown += ["median_runtime_s", "failed"] if columns is None else ["failed"]
    for name in ("leaderboard.csv", "kendall_tau.csv"):
        print(arguments.out / name)
    print(leaderboard[shown].head(10).to_string(index=False, float_format="{:.4f}".format))


def _columns(arguments: argparse.Namespace) -> "Columns | None":
    """Take the options of a long table, all or none."""
    from cellbench.boards import Columns
    from cellbench.errors import UsageError

    needed = {name: getattr(arguments, name) for name in ("case", "algorithm", "value")}
    if all(value is None for value in needed.values()):
        given = ["--modality"] if arguments.modality is not None else []
        given += ["--smaller-is-better"] if arguments.smaller_is_better else []
        given += ["--missing"] if arguments.missing != "worst" else []
        if given:
            raise UsageError(
                f"{given[0]}: is of a long table; give --case, --algorithm, --value too"
            )
        return None
    lacking = [f"--{name}" for name, value in needed.items() if value is None]
    if lacking:
        raise UsageError(f"rank: a long table needs {' and '.join(lacking)} too")
    if arguments.weights is not None:
        raise UsageError("--weights: a long table has no running times to weigh")
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
        raise UsageError(f"--missing {text!r}: give worst, drop or a number") from None


def _warn(leaderboard: "pd.DataFrame", columns: "Columns") -> None:
    """Say on stderr who lacks how many values: nobody is compared on fewer without a word."""
    from cellbench.boards.long_table import failure_rule

    lacking = leaderboard[leaderboard["failed"] > 0].sort_values("algorithm")
    if lacking.empty:
        return
    told = [
        f"{row.algorithm!r} {row.failed} of {row.images}"
        for row in lacking.head(_NAMED).itertuples()
    ]
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    print(
        f"cellbench: warning: values of {columns.value!r} are missing: {', '.join(told)}{more}; "
        f"{failure_rule(columns.missing)}",
        file=sys.stderr,
    )
