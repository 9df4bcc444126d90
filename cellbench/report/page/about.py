"""Title, text and date of a page, kept in the board's folder so that later pages have them too."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from cellbench.boards.reading import BoardTables
from cellbench.boards.run_id import RUN_ID
from cellbench.errors import ScoresError
from cellbench.files import written_whole

ABOUT_FILE = "about.md"
"""The organiser's text in a board's folder."""
SETTINGS_FILE = "page.json"
"""The title and date of the page in a board's folder."""
_LARGEST = 200_000  # bytes


@dataclass(frozen=True)
class About:
    """What the page states beside the ranking.

    Attributes:
        title: the title.
        text: the text in Markdown; may be empty.
        date: the day on which the ranking was first reported, as YYYY-MM-DD; empty if it never was.
    """

    title: str
    text: str
    date: str


def read_about(board: BoardTables) -> About:
    """Read the title, text and date that are kept in a board's folder.

    Args:
        board: the tables of the board.

    Returns:
        They; the title is the folder's name unless another one is kept.

    Raises:
        ScoresError: if a file cannot be used.
    """
    settings = _read_settings(board.folder / SETTINGS_FILE)
    text = board.folder / ABOUT_FILE
    current = settings.get("run_id") == board.provenance[RUN_ID]
    return About(
        settings.get("title") or board.folder.resolve().name,
        _read_text(text) if text.is_file() else "",
        settings.get("date", "") if current else "",
    )


def keep_about(
    board: BoardTables,
    *,
    title: str | None = None,
    text: str | Path | None = None,
    day: date | None = None,
) -> None:
    """Keep the title, text and date of the page in the board's folder.

    Args:
        board: the tables of the board.
        title: the title; empty: the folder's name; None: as before.
        text: a file in Markdown; None: as before.
        day: the date of the page; None: as before, or today if this ranking is reported for the first time.

    Raises:
        ScoresError: if the text or what was kept before cannot be read.
        WriteError: if a file cannot be written.
    """
    about = read_about(board)
    if text is not None:
        content = _read_text(Path(text))
        with written_whole(board.folder / ABOUT_FILE) as temporary:
            temporary.write_text(content, encoding="utf-8")
    before = _read_settings(board.folder / SETTINGS_FILE)
    today = datetime.now(tz=UTC).date().isoformat()
    settings = {
        "title": before.get("title", "") if title is None else " ".join(title.split()),
        "date": day.isoformat() if day is not None else about.date or today,
        "run_id": board.provenance[RUN_ID],
    }
    with written_whole(board.folder / SETTINGS_FILE) as temporary:
        words = json.dumps(settings, indent=2, ensure_ascii=False)
        temporary.write_text(words + "\n", encoding="utf-8")


def _read_settings(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ScoresError(f"{path}: cannot be read ({error}); delete the file") from error
    if not isinstance(settings, dict) or not all(isinstance(x, str) for x in settings.values()):
        raise ScoresError(f"{path}: does not hold texts only; delete the file")
    return settings


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST:
            raise ScoresError(f"{path}: is larger than {_LARGEST // 1000} kB; shorten the text")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ScoresError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise ScoresError(f"{path}: is not a text in UTF-8; save it as UTF-8") from error
