"""Folders of boards, for tests."""

from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder, by its path in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
