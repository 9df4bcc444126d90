"""Combine the rankings of several boards into one: the mean of each algorithm's ranks, ranked.

All boards must have the same algorithms.
"""

import argparse
from pathlib import Path

from cellbench.choices import Ties
from cellbench.commands.help_format import example


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example("consensus leaderboard/cells leaderboard/nuclei --weights 2 1")
    parser.add_argument(
        "boards", type=Path, nargs="+", metavar="BOARD", help="folders that `cellbench rank` wrote"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("consensus.csv"),
        metavar="FILE",
        help="table to write, which is replaced if it exists (default: consensus.csv)",
    )
    parser.add_argument(
        "--weights",
        type=float,
        nargs="+",
        metavar="WEIGHT",
        help="weight of each board, in the same order (default: all boards weigh the same)",
    )
    parser.add_argument(
        "--ties",
        choices=[*map(str, Ties)],
        default="min",
        help="rank of algorithms with equal mean ranks: min: the smallest of their ranks (1, 1, 3); "
        "average: the mean (1.5, 1.5, 3); max: the largest (2, 2, 3); dense: no gap after them "
        "(1, 1, 2) (default: min)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the table and print it."""
    from cellbench.boards.joined import join_boards, read_ranks
    from cellbench.boards.text_table import write_text
    from cellbench.errors import UsageError

    if arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a folder; name a file to write the table to")
    ranks = read_ranks(arguments.boards)
    weights = arguments.weights
    if weights is not None and len(weights) != len(ranks):
        raise UsageError(
            f"--weights: there are {len(weights)} weights for {len(ranks)} boards; one for each board "
            "is needed"
        )
    by_board = None if weights is None else dict(zip(ranks, weights, strict=True))
    table = join_boards(ranks, weights=by_board, ties=arguments.ties)
    write_text(table, arguments.out)
    print(f"wrote {arguments.out}")
    print(table.to_string(index=False, float_format="{:.4f}".format))
