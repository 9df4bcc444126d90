"""Draw the figures of a board and write its page, report.html, into the folder of the board.

With --site, write several boards as one static site instead.
"""

import argparse
from datetime import date
from pathlib import Path

from cellbench.commands.help_format import example
from cellbench.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one = example("report board --data data/sample --predictions predictions --about about.md")
    parser.epilog = f"{one}\n  cellbench report --site leaderboard --out site"
    add = parser.add_argument
    add("board", type=Path, nargs="?", metavar="BOARD", help="folder that `cellbench rank` wrote")
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
        "folder BOARD). With --site: title of the site (default: Leaderboards)",
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
    _add_site(parser.add_argument_group("several boards as one static site"))


def _add_site(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--site",
        type=Path,
        metavar="DIR",
        help="folder that contains a folder for each board; the site has an index of the boards with the "
        "consensus over them, a table of all results, a page for each algorithm, and the page of each "
        "board: the report.html in its folder, or else a new one without images",
    )
    group.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder to write the site to (required with --site); it must be empty, absent, or a site that "
        "this command wrote, which is replaced",
    )
    group.add_argument(
        "--entries",
        type=Path,
        nargs="+",
        default=[],
        metavar="ENTRY",
        help="entry.yaml files or their folders, from which the pages of the algorithms say how to run "
        "them (default: only the baselines that come with cellbench)",
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
    """Write the files and print where the page is.

    Raises:
        UsageError: if options of a page and of a site are mixed, or one is missing.
    """
    _check(arguments)
    if arguments.site is not None:
        from cellbench.report.site import write_site

        index = write_site(
            arguments.site,
            arguments.out,
            title=arguments.title or "",
            entries=arguments.entries,
        )
        print(f"wrote {index}")
        return
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


def _check(arguments: argparse.Namespace) -> None:
    given = [name for name, value in vars(arguments).items() if value not in (None, [])]
    if arguments.site is None:
        if arguments.board is None:
            raise UsageError("report: name the folder of a board, or use --site and --out")
        wrong = [name for name in given if name in ("out", "entries")]
        reason = "is an option of --site; the page of a board is written into its folder"
    else:
        if arguments.board is not None:
            raise UsageError(
                f"report {arguments.board}: --site writes all boards in its folder; leave the board out"
            )
        if arguments.out is None:
            raise UsageError(
                "report --site: --out is missing; name the folder to write the site to"
            )
        wrong = [name for name in given if name not in ("site", "out", "entries", "title")]
        reason = "is not used for a site; run `cellbench report BOARD` with it first"
    if wrong:
        raise UsageError(f"report: --{wrong[0]} {reason}")
