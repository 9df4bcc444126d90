"""Draw the figures of a board and write its page, report.html."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("board", type=Path, help="a folder that `cellbench rank` wrote")
    add("--data", type=Path, help="the dataset folder of its images, for the error gallery")
    add(
        "--predictions",
        type=Path,
        help="a folder of label maps for each algorithm, for the error gallery",
    )
    add(
        "--published",
        type=Path,
        nargs="+",
        default=[],
        metavar="CSV",
        help="numbers of others, shown apart",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the files, and say where the page is."""
    from cellbench.report import write_report

    *figures, page = write_report(
        arguments.board,
        data=arguments.data,
        predictions=arguments.predictions,
        published=arguments.published,
    )
    print(f"{page} and {len(figures)} files of figures")
