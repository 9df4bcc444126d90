"""The run id of a board: it binds the tables of one ranking together, so that no others are read."""

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cellbench.boards.record import AGAIN, read_record
from cellbench.boards.schema import GENERALISATION, PROVENANCE_FILE, SCORES, TABLES
from cellbench.errors import ScoresError
from cellbench.files import written_whole

RUN_ID = "run_id"
"""The fact in provenance.json that all parts of a board share."""
TABLE_DIGESTS = "tables"
"""The fact in provenance.json that holds the SHA-256 of each table in the same folder, by file name."""
MODALITIES = "modalities"
"""The folder of the boards of single modalities."""

_DIGITS = 16


def write_records(folder: Path, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Write provenance.json for tables that are already written; all get the same run id.

    The run id is computed from the records and the tables, so the same input gives the same run id.

    Args:
        folder: folder of the tables.
        records: what to state, by the path of the (sub)folder of tables, relative to ``folder``.
    """
    complete = {
        place: {**record, TABLE_DIGESTS: _digests(folder / place)}
        for place, record in records.items()
    }
    content = json.dumps(complete, sort_keys=True).encode()
    run_id = hashlib.sha256(content).hexdigest()[:_DIGITS]
    for place, record in complete.items():
        text = json.dumps({RUN_ID: run_id, **record}, indent=2, ensure_ascii=False)
        with written_whole(folder / place / PROVENANCE_FILE) as path:
            path.write_text(text + "\n", encoding="utf-8")


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: _digest(path) for path in sorted(folder.glob("*.csv"))}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_board(new: Path, out: Path) -> None:
    """Move a completely written board over an earlier one; other files in its folder stay.

    The record of the whole board is moved last. If the process is killed before that, the old record
    does not fit the new tables, which [`check_run`][] notices.

    Args:
        new: folder with the new board, on the same file system; it is empty afterwards.
        out: the board's folder.
    """
    last = new / PROVENANCE_FILE
    files = sorted(path for path in new.rglob("*") if path.is_file() and path != last)
    places = {path: out / path.relative_to(new) for path in files}
    folders = {place.parent for place in places.values()}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for path, place in places.items():
        path.replace(place)
    _remove_others(out, folders, places.values())
    last.replace(out / PROVENANCE_FILE)


def _remove_others(out: Path, folders: Collection[Path], written: Collection[Path]) -> None:
    """Remove what an earlier ranking wrote and the new board does not have."""
    for record in (out / MODALITIES).glob(f"*/{PROVENANCE_FILE}"):
        if record.parent not in folders and not record.parent.is_symlink():
            shutil.rmtree(record.parent)
    for table in (TABLES["consensus"], GENERALISATION):
        if (path := out / table.file) not in written:
            path.unlink(missing_ok=True)


def check_run(folder: Path, facts: Mapping[str, Any]) -> None:
    """Check that all tables in a board's folder were written by the same run of ``cellbench rank``.

    Args:
        folder: the board's folder, or that of one modality.
        facts: what its provenance.json states.

    Raises:
        ScoresError: if a table is missing or another one, if the board of a modality was written by
            another run, or if the folder holds a scores.csv that the board was not ranked from.
    """
    for name in facts[TABLE_DIGESTS]:
        check_table(folder / Path(name).name, facts)
    for part in facts[MODALITIES].values():
        path = folder / MODALITIES / part / PROVENANCE_FILE
        if read_record(path).get(RUN_ID) != facts[RUN_ID]:
            raise _stray(path)
    _check_scores(folder / SCORES.file, facts)


def check_table(path: Path, facts: Mapping[str, Any]) -> None:
    """Check that a table is the one that provenance.json describes.

    Args:
        path: the table, beside provenance.json.
        facts: what provenance.json states.

    Raises:
        ScoresError: if the table is missing or another one.
    """
    digests = facts.get(TABLE_DIGESTS)
    if not isinstance(digests, dict):
        raise ScoresError(f"{path.with_name(PROVENANCE_FILE)}: {TABLE_DIGESTS} is missing; {AGAIN}")
    try:
        found = _digest(path)
    except OSError as error:
        raise ScoresError(f"{path}: cannot be read ({error.strerror}); {AGAIN}") from error
    if digests.get(path.name) != found:
        raise _stray(path)


def _stray(path: Path) -> ScoresError:
    return ScoresError(
        f"{path}: does not belong to the other files of this board (cellbench rank was stopped before "
        f"its end, or this file was changed afterwards); {AGAIN}"
    )


def _check_scores(path: Path, facts: Mapping[str, Any]) -> None:
    """Refuse scores that were written again after the ranking: the page would offer both together."""
    listed = facts.get("scores") or []
    known = [
        entry.get("sha256")
        for entry in listed
        if isinstance(entry, dict) and entry.get("file") == path.name
    ]
    if known and path.is_file() and _digest(path) not in known:
        raise ScoresError(f"{path}: has changed since this board was ranked; {AGAIN}")
