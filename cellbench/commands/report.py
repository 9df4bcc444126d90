"""Draw the figures of a board and write its page, report.html, into the folder of the board."""

import argparse
from datetime import date
from pathlib import Path

from cellbench.commands.help_format import example


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example(
        "report board --data data/sample --predictions predictions --about about.md"
    )
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
    add(
        "--leaks",
        type=_leaks,
        action="append",
        default=[],
        metavar="DATASET=CSV",
        help="a training dataset, as entries name it in trained_on, and the table that `cellbench data "
        "leaks` printed for it; the page marks algorithms that were trained on test images. The option can "
        "be given several times (default: none)",
    )
    add(
        "--title",
        metavar="TEXT",
        help="title of the page; it is kept in BOARD/page.json for later pages (default: the name of the "
        "folder BOARD)",
    )
    add(
        "--about",
        type=Path,
        metavar="FILE",
        help="text of the page in Markdown; HTML and pictures in it appear as plain text. It is kept as "
        "BOARD/about.md for later pages (default: a page without such a text)",
    )
    add(
        "--date",
        type=_day,
        metavar="YYYY-MM-DD",
        help="date of the page (default: the day on which this ranking was first reported)",
    )


def _leaks(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise argparse.ArgumentTypeError(f"{text!r}: write DATASET=CSV, such as cells=leaks.csv")
    return name, Path(path)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-30") from None


def run(arguments: argparse.Namespace) -> None:
    """Write the files and print where the page is."""
    from cellbench.report import write_report

    *figures, page = write_report(
        arguments.board,
        data=arguments.data,
        predictions=arguments.predictions,
        published=arguments.published,
        title=arguments.title,
        about=arguments.about,
        day=arguments.date,
        leaks=dict(arguments.leaks),
    )
    print(f"wrote {page} and {len(figures)} figure files beside it")
