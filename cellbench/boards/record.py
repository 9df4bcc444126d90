"""The record of a board, provenance.json: reading it, and whether this version understands the board."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellbench.boards.schema import SCHEMA_VERSION
from cellbench.errors import ScoresError

AGAIN = "run cellbench rank again"
"""What to do if a file of a board cannot be used."""


def read_record(path: Path) -> dict[str, Any]:
    """Read a board's provenance.json of any version.

    Args:
        path: the file.

    Returns:
        What it holds.

    Raises:
        ScoresError: if it is missing or damaged.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ScoresError(f"{path}: cannot be read ({reason}); {AGAIN}") from error
    if not isinstance(facts, dict):
        raise ScoresError(f"{path}: does not describe a board; {AGAIN}")
    return facts


def check_version(path: Path, facts: Mapping[str, Any]) -> None:
    """Refuse a board whose tables have another schema than this version of cellbench writes.

    Args:
        path: the board's provenance.json.
        facts: what it holds.

    Raises:
        ScoresError: if the versions differ. Boards that were made before there were versions have
            version 1.
    """
    version = facts.get("schema_version", 1)
    if version != SCHEMA_VERSION:
        raise ScoresError(
            f"{path}: this board has schema version {version!r}, but this cellbench reads version "
            f"{SCHEMA_VERSION}; {AGAIN}"
        )
