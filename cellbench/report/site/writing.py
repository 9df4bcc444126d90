"""The files of a site."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellbench.boards.how_to_run import read_how_to_run
from cellbench.errors import UsageError, WriteError
from cellbench.folders import folder_written_whole
from cellbench.progress import progress_bar
from cellbench.report.page.errors import Errors, make_errors
from cellbench.report.page.texts import count
from cellbench.report.rendering import render_page
from cellbench.report.site import index, profile
from cellbench.report.site.algorithms import Algorithm, list_algorithms
from cellbench.report.site.boards import SiteBoard, read_boards
from cellbench.report.site.consensus import make_consensus
from cellbench.report.site.folder import check_replaceable, write_record
from cellbench.report.site.reports import place_report
from cellbench.report.site.results import Results, collect_results

INDEX_FILE = "index.html"
TITLE = "Leaderboards"
"""The title of a site for which none is given."""

_STYLES = ("page.css", "tables.css", "print.css")
_SCRIPTS = ("tables.js",)


def write_site(
    boards: str | Path, out: str | Path, *, title: str = "", entries: Sequence[str | Path] = ()
) -> Path:
    """Write several boards as one static site; the same boards give the same bytes.

    Args:
        boards: a folder with a folder for each board, as [`cellbench.boards.write_board`][] wrote it.
        out: the folder to write; a site that this function wrote before is replaced.
        title: the title of the site; empty: "Leaderboards".
        entries: ``entry.yaml`` files or their folders, which say how to run the algorithms.

    Returns:
        The path of the index.

    Raises:
        ScoresError: if there is no board, or one cannot be read.
        EntrantError: if an entry cannot be read.
        UsageError: if ``out`` contains anything else, or is in the folder of a board.
        WriteError: if a file cannot be written.
    """
    boards, out = Path(boards), Path(out)
    read = read_boards(boards)
    ways = read_how_to_run(entries)
    _check_out(read, out)
    results = collect_results(read)
    algorithms = list_algorithms(read, results.rows, ways)
    with folder_written_whole(out, WriteError, replaces=True) as folder:
        for board in progress_bar(read, "pages of boards", unit="board", leave=False):
            place_report(board, (folder / board.page).parent)
        site = {"title": " ".join(title.split()) or TITLE, "summary": _summary(read, algorithms)}
        _write_index(folder, site, read, algorithms, results)
        _write_algorithms(folder, site, read, algorithms, results)
        write_record(folder)
    return out / INDEX_FILE


def _check_out(boards: Sequence[SiteBoard], out: Path) -> None:
    target = out.resolve()
    for board in boards:
        folder = board.tables.folder.resolve()
        if target.is_relative_to(folder) or folder.is_relative_to(target):
            raise UsageError(
                f"--out {out}: overlaps the board {board.tables.folder}; choose another folder"
            )
    check_replaceable(out)


def _summary(boards: Sequence[SiteBoard], algorithms: dict[str, Algorithm]) -> str:
    return f"{count(len(algorithms), 'algorithm')} on {count(len(boards), 'board')}."


def _write(folder: Path, name: str, template: str, context: dict[str, Any]) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(render_page(template, context, styles=_STYLES, scripts=_SCRIPTS))


def _write_index(
    folder: Path,
    site: dict[str, Any],
    boards: Sequence[SiteBoard],
    algorithms: dict[str, Algorithm],
    results: Results,
) -> None:
    consensus = make_consensus(boards)
    context = {
        **site,
        "boards": index.boards_grid(boards, algorithms),
        "algorithms": index.algorithms_grid(boards, algorithms, consensus),
        "consensus": consensus.reading,
    }
    _write(folder, INDEX_FILE, "index.html.j2", context)
    all_results = {**site, "results": index.results_grid(results, algorithms)}
    _write(folder, "results.html", "results.html.j2", all_results)


def _write_algorithms(
    folder: Path,
    site: dict[str, Any],
    boards: Sequence[SiteBoard],
    algorithms: dict[str, Algorithm],
    results: Results,
) -> None:
    errors: dict[str, Errors] = {}
    for board in boards:
        if (section := make_errors(board.tables, [])) is not None:
            errors[board.name] = section
    for algorithm in algorithms.values():
        grids = {
            ("scores", "Scores"): profile.scores_grid(algorithm, results),
            ("profile", "By modality"): profile.modalities_grid(algorithm, results),
            ("errors", "Errors by kind"): profile.errors_grid(algorithm, errors),
            ("running", "Running time and memory"): profile.running_grid(algorithm, results),
        }
        context = {
            **site,
            "algorithm": algorithm,
            "summary": f"On {count(len(algorithm.boards), 'board')} of {len(boards)}.",
            "sections": [(id_, words, grid) for (id_, words), grid in grids.items() if grid],
        }
        _write(folder, algorithm.page, "algorithm.html.j2", context)
