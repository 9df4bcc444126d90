"""Folders for names that come from a table: safe on every file system, and never a path."""

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 40
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")  # not allowed as file names on Windows


def folder_names(names: Iterable[str]) -> dict[str, str]:
    """Return a different folder for each name, of lower-case ASCII letters, digits and ``-``.

    Args:
        names: any text; an earlier name has the first choice of folder.

    Returns:
        Name to folder; a number is added to a folder that is taken.

    Examples:
        >>> folder_names(["Phase contrast", "phase-contrast", "../../x"])
        {'Phase contrast': 'phase-contrast', 'phase-contrast': 'phase-contrast-2', '../../x': 'x'}
    """
    folders: dict[str, str] = {}
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].rstrip("-")
        if not slug:
            slug = "other" if name else "not-given"
        if _DEVICES.fullmatch(slug):
            slug = f"{slug}-images"
        number, folder = 2, slug
        while folder in folders.values():
            folder = f"{slug}-{number}"
            number += 1
        folders[name] = folder
    return folders
