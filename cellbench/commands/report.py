"""Draw the figures of a board and write its page, report.html, into the folder of the board."""

import argparse
from pathlib import Path

from cellbench.commands.help_format import example


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example("report board --data data/sample --predictions predictions")
    add = parser.add_argument
    add("board", type=Path, metavar="BOARD", help="folder that `cellbench rank` wrote")
    add(
        "--data",
        type=Path,
        metavar="ROOT",
        help="dataset folder whose test images were scored; together with --predictions, the page shows "
        "the errors of each algorithm on images (default: a page without images)",
    )
    add(
        "--predictions",
        type=Path,
        metavar="DIR",
        help="folder with a folder of label maps for each algorithm, as `cellbench run` writes it; "
        "requires --data (default: a page without images)",
    )
    add(
        "--published",
        type=Path,
        nargs="+",
        default=[],
        metavar="CSV",
        help="tables of published F1 scores, which the page lists in a section of their own, for example "
        "leaderboard/published/f1.csv (default: none)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the files and print where the page is."""
    from cellbench.report import write_report

    *figures, page = write_report(
        arguments.board,
        data=arguments.data,
        predictions=arguments.predictions,
        published=arguments.published,
    )
    print(f"wrote {page} and {len(figures)} figure files beside it")
