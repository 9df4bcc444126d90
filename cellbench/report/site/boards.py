"""The boards of a site: the folders that ``cellbench rank`` wrote, in one folder."""

from dataclasses import dataclass
from pathlib import Path

from cellbench.boards.folder_names import folder_names
from cellbench.boards.reading import BoardTables, read_board
from cellbench.boards.schema import PROVENANCE_FILE, TABLES
from cellbench.errors import ScoresError
from cellbench.files import is_junk
from cellbench.report.page.about import read_about
from cellbench.report.page.parts import NOT_GIVEN
from cellbench.report.page.writing import PAGE_FILE


@dataclass(frozen=True)
class SiteBoard:
    """A board of a site.

    Attributes:
        name: the name of its folder.
        title: the title of its page.
        place: its folder in the site, below ``boards``.
        tables: its tables.
        parts: the boards of its modalities, by the name of the modality.
        modalities: the modalities of its images.
    """

    name: str
    title: str
    place: str
    tables: BoardTables
    parts: dict[str, BoardTables]
    modalities: tuple[str, ...]

    @property
    def page(self) -> str:
        """The path of its page in the site."""
        return f"boards/{self.place}/{PAGE_FILE}"


def read_boards(folder: Path) -> list[SiteBoard]:
    """Read the boards in a folder.

    Args:
        folder: a folder with a folder for each board; other files and folders in it are ignored.

    Returns:
        The boards in the order of the names of their folders.

    Raises:
        ScoresError: if there is no board, or a board cannot be read.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise ScoresError(f"{folder}: {what}; name the folder that contains the boards")
    if _is_board(folder):
        raise ScoresError(f"{folder}: is itself a board; name the folder that contains the boards")
    found = [
        path for path in sorted(folder.iterdir()) if not is_junk(path.name) and _is_board(path)
    ]
    if not found:
        raise ScoresError(
            f"{folder}: contains no board; name a folder that contains folders written by cellbench rank"
        )
    places = folder_names(path.name for path in found)
    return [_read(path, places[path.name]) for path in found]


def _is_board(path: Path) -> bool:
    """Return whether a folder is a board, or the rest of one, which is not passed over in silence."""
    return any((path / name).is_file() for name in (PROVENANCE_FILE, TABLES["leaderboard"].file))


def _read(path: Path, place: str) -> SiteBoard:
    tables = read_board(path)
    parts = {name or NOT_GIVEN: read_board(part) for name, part in tables.modalities.items()}
    named = {str(name) or NOT_GIVEN for name in tables.values["modality"]}
    modalities = sorted(named, key=str.casefold)
    return SiteBoard(path.name, read_about(tables).title, place, tables, parts, tuple(modalities))
