"""One ranking from several boards: the mean of an algorithm's ranks, and the rank of that mean."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "boards",
        type=Path,
        nargs="+",
        help="folders that `cellbench rank` wrote, of the same algorithms",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("consensus.csv"), help="the table to write [consensus.csv]"
    )
    parser.add_argument(
        "--weights", type=float, nargs="+", metavar="WEIGHT", help="one per board [all the same]"
    )
    parser.add_argument("--ties", default="min", help="min, average, max or dense [min]")


def run(arguments: argparse.Namespace) -> None:
    """Write the table and print it."""
    from cellbench.boards.joined import join_boards, read_ranks
    from cellbench.boards.text_table import write_text
    from cellbench.errors import UsageError

    if arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a folder; name the table to write")
    ranks = read_ranks(arguments.boards)
    weights = arguments.weights
    if weights is not None and len(weights) != len(ranks):
        raise UsageError(
            f"--weights: {len(weights)} of them for {len(ranks)} boards; give one each"
        )
    by_board = None if weights is None else dict(zip(ranks, weights, strict=True))
    table = join_boards(ranks, weights=by_board, ties=arguments.ties)
    write_text(table, arguments.out)
    print(arguments.out)
    print(table.to_string(index=False, float_format="{:.4f}".format))
