"""The image files that an annotation file names, found below a folder and never outside it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePosixPath

from cellbench.data.importers.base import subfolder, visible_folders
from cellbench.data.json_values import shown
from cellbench.errors import DatasetError
from cellbench.images import SUFFIXES, image_stem

_DRIVE = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]+://")


def checked_path(name: object, where: str) -> PurePosixPath:
    r"""Check that a file name with folders stays below the folder that it is relative to.

    Args:
        name: the name, as read from an annotation file; backslashes separate folders as well.
        where: where it was read, for the error message.

    Returns:
        The path.

    Raises:
        DatasetError: if it is not a relative path, leads out of its folder, or is hidden.

    Examples:
        >>> checked_path("train\\a.png", "cells.json").parts
        ('train', 'a.png')
    """
    path = PurePosixPath(name.replace("\\", "/")) if isinstance(name, str) else PurePosixPath()
    plain = (
        isinstance(name, str)
        and name.isprintable()
        and not path.is_absolute()
        and not _DRIVE.match(name)
        and not any(part.startswith(".") for part in path.parts)
        and all(len(part.encode()) < 256 for part in path.parts)
    )
    if not plain or not path.name:
        raise DatasetError(
            f"{where}: {shown(name)} is not the name of a file inside the folder; write it relative to "
            "the folder of images"
        )
    return path


class ListedImages:
    """Finds image files by the names in an annotation file.

    A name is a path below the folder of images or below the dataset's folder. Where there is no such
    file, the one whose path ends like the name is taken, if there is only one: annotation files often
    name folders of the machine that they were written on, or only the last part of the path (LIVECell).
    If there is none either, the extension may differ, because images are often converted.

    Args:
        source: the folder of the dataset.
        images: the folder of images, relative to ``source``; if empty, ``images`` if that exists, else
            ``source``.
        names: all names in the annotation file, already checked.

    Raises:
        DatasetError: if there is no such folder.
    """

    def __init__(self, source: Path, images: str, names: Iterable[PurePosixPath]) -> None:
        default = "images" if (source / "images").is_dir() else "."
        self.folder = subfolder(source, images or default, "--images")
        self._source = source
        self._roots = {source.resolve()} | ({self.folder.resolve()} if images else set())
        last_parts = Counter(_key(name.name) for name in set(names))
        self._ambiguous = {key for key, count in last_parts.items() if count > 1}

    def find(self, name: PurePosixPath, where: str) -> Path | None:
        """Return the image file of a name.

        Args:
            name: a name in the annotation file.
            where: where it was read, for the error message.

        Returns:
            The file; None if there is none.

        Raises:
            DatasetError: if several files fit equally well, or a link leads out of the folder.
        """
        exact = (self.folder / name, self._source / name)
        found = next((path for path in exact if path.is_file()), None) or self._similar(name, where)
        if found is not None and not any(map(found.resolve().is_relative_to, self._roots)):
            raise DatasetError(
                f"{where}: {found} is a link to a file outside {self._source}; copy the file, or name "
                "its folder with --images"
            )
        return found

    def _similar(self, name: PurePosixPath, where: str) -> Path | None:
        wanted = [_key(part) for part in reversed(name.parts)]
        least = 2 if wanted[0] in self._ambiguous else 1
        best: dict[int, list[Path]] = {}
        by_name, by_stem = self._files
        for path in by_name.get(wanted[0]) or by_stem.get(image_stem(wanted[0]), []):
            above = map(_key, reversed(path.parts[:-1]))
            same = takewhile(lambda pair: pair[0] == pair[1], zip(wanted[1:], above, strict=False))
            best.setdefault(1 + len(list(same)), []).append(path)
        if not best or max(best) < least:
            return None
        fits = best[max(best)]
        if len(fits) > 1:
            raise DatasetError(
                f"{where}: both {fits[0]} and {fits[1]} may be {name}; name the folder of images with "
                "--images"
            )
        return fits[0]

    @cached_property
    def _files(self) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
        """The files below the folder of images by name, and its images by stem, in any case."""
        by_name: dict[str, list[Path]] = {}
        by_stem: dict[str, list[Path]] = {}
        for folder in visible_folders(self.folder):
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    by_name.setdefault(_key(path.name), []).append(path)
                    if path.suffix.lower() in SUFFIXES:
                        by_stem.setdefault(_key(path.stem), []).append(path)
        return by_name, by_stem


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
