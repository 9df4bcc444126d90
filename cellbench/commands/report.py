"""Draw the figures of a board."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("board", type=Path, help="a folder that `cellbench rank` wrote")


def run(arguments: argparse.Namespace) -> None:
    """Draw the figures and say where they are."""
    from cellbench.report import draw_board

    for path in draw_board(arguments.board):
        print(path)
