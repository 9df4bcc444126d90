"""The files of an entrant whose change makes the results of an earlier run invalid."""

import os
from collections.abc import Iterator
from pathlib import Path

import cellbench
from cellbench.entrants.entries import ENTRY_FILE, Entry
from cellbench.resources import ready_weights, resource_folder

_SUFFIXES = (".py", ".sh", ".yaml", ".yml", ".json", ".toml", ".r", ".R", ".m", ".jl", ".java")
_NOT_SOURCES = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_MOST_FILES = 20_000


def source_files(entry: Entry, folder: Path) -> list[Path]:
    """List the files whose change makes the results of an earlier run invalid.

    These are the files that the entry's ``sources`` match, or else the program's sources in its folder;
    the files that its commands name; and the weights of a ready model. Our own models and baselines also
    depend on cellbench.

    Args:
        entry: the entrant.
        folder: the folder of its ``entry.yaml``.

    Returns:
        Sorted paths. Hidden folders and environments such as ``.venv`` are left out.
    """
    if entry.sources is None:
        found = {path for path in _files(folder) if path.suffix in _SUFFIXES}
    else:
        found = {path for path in _files(folder) if _matches(path, folder, entry.sources)}
    if _is_ours(entry, folder):
        package = Path(cellbench.__file__).parent
        found |= {path for path in _files(package) if path.suffix in _SUFFIXES}
    if entry.ready_model and (weights := ready_weights(entry.ready_model)):
        found.add(weights)
    words = [*(entry.command or []), *(entry.serve or [])]
    values = [word.partition("=")[2] or word for word in words if "{" not in word]
    named = [folder / value for value in values if value and "\0" not in value]
    return [*sorted(found - {folder / ENTRY_FILE}), *named]


def _is_ours(entry: Entry, folder: Path) -> bool:
    """Return whether the entrant runs code of cellbench: a trained model or a packaged baseline."""
    program = entry.command[0] if entry.command else ""
    return program == "cellbench" or folder.resolve().is_relative_to(
        resource_folder("baselines").resolve()
    )


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in _NOT_SOURCES
        ]
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        for name in names:
            if name.startswith("."):
                continue
            count += 1
            if count > _MOST_FILES:
                return
            yield Path(place) / name


def _matches(path: Path, folder: Path, patterns: list[str]) -> bool:
    relative = path.relative_to(folder)
    return any(
        relative.match(pattern)
        or (pattern.endswith("/**") and relative.is_relative_to(pattern.removesuffix("/**")))
        for pattern in patterns
    )
