"""Pair images with the files of their label maps, and say what was wanted where a label map is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cellbench.errors import LabelMapError
from cellbench.files import is_junk, list_files
from cellbench.labels.names import ENDING, SUFFIXES, match_labels, unmatched_labels

_MOST_FOUND = 3
_NO_LABEL_MAPS = (".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".jp2")


@dataclass
class Pairs:
    """Which files are the label maps of which images.

    Attributes:
        found: the file of each image that has exactly one, by the stem of the image.
        doubles: the files of each image that has several, by the stem of the image.
        unused: the files that belong to no image.
        notes: lines about files that are not used because another one is.
    """

    found: dict[str, Path] = field(default_factory=dict)
    doubles: dict[str, list[Path]] = field(default_factory=dict)
    unused: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def pair_labels(
    stems: Iterable[str], files: Sequence[Path], names: Sequence[str] | None = None
) -> Pairs:
    """Pair images with the files of their label maps by the rule of [`cellbench.labels.names`][].

    Args:
        stems: the stems of the images.
        files: the files, of one folder or several.
        names: the names that the files are matched by, if those are not their own.

    Returns:
        The pairs, and the files that belong to none.
    """
    stems = list(stems)
    by_name: dict[str, list[Path]] = {}
    for path, name in zip(files, names or [path.name for path in files], strict=True):
        by_name.setdefault(name, []).append(path)
    pairs = Pairs()
    left = dict(by_name)
    # Some folders mix names with and without an ending; the rule takes the latter only among themselves.
    for _ in range(2):
        missing = [stem for stem in stems if stem not in pairs.found | pairs.doubles]
        for stem, matched in match_labels(missing, left).items():
            paths = [path for name in matched for path in left.pop(name)]
            if len(paths) == 1:
                pairs.found[stem] = paths[0]
            else:
                pairs.doubles[stem] = paths
    have = [*pairs.found, *pairs.doubles]
    further = set(left) - set(unmatched_labels(stems, left, dict.fromkeys(have, ())))
    unused = {path for name, paths in left.items() for path in paths if name not in further}
    pairs.unused = [path for path in files if path in unused]
    return pairs


def label_map_files(folder: Path) -> list[Path]:
    """Return the files of a folder whose extension is that of a label map, sorted; hidden ones are ignored.

    Args:
        folder: the folder; its subfolders are ignored.

    Raises:
        LabelMapError: if the folder is absent, or a file in it cannot be a label map.
    """
    return list_files(folder, SUFFIXES, LabelMapError)


def visible_files(folder: Path) -> list[Path]:
    """Return the files of a folder, sorted, without those that only come from an operating system.

    Args:
        folder: the folder, which exists; its subfolders are ignored.
    """
    return [
        path for path in sorted(folder.iterdir()) if not is_junk(path.name) and not path.is_dir()
    ]


def double_labels(image: Path, files: Sequence[Path]) -> str:
    """Return one line about an image for which several files could be the label map.

    Args:
        image: the image.
        files: these files.
    """
    both = " and ".join(path.name for path in files[:2])
    return f"{image}: has several label maps, {both} in {files[0].parent}; remove all but one"


def missing_labels(image: Path, stem: str, folder: Path | None, others: Mapping[str, Path]) -> str:
    """Return one line about an image without a label map: what was wanted, and what was found.

    Args:
        image: the image.
        stem: the stem of the image.
        folder: the folder in which its label map was looked for; None if there is none.
        others: files in that folder that belong to no image, by name.
    """
    if folder is None:
        return (
            f"{image}: has no label map; there is no folder `labels` or `masks` beside its folder"
        )
    pictures = {Path(name).with_suffix(".png").name: name for name in others if _is_picture(name)}
    matched = match_labels([stem], pictures).get(stem)
    if matched and (picture := others[pictures[matched[0]]]) != image:
        kind = picture.suffix.lower()
        jpeg = " changes the values of pixels and" if kind in (".jpg", ".jpeg") else ""
        what = "JPEG" if jpeg else kind[1:].upper()
        return (
            f"{picture}: {what}{jpeg} cannot hold a label map; export the label map of {image.name} again "
            f"as TIFF or PNG"
        )
    wanted = f"wanted {stem}{ENDING}.tiff (or {stem}_masks.png, {stem}.tif, …) in {folder}"
    names = sorted(others)
    more = f" and {len(names) - _MOST_FOUND} more" if len(names) > _MOST_FOUND else ""
    found = ", ".join(names[:_MOST_FOUND]) + more if names else "no other file"
    return f"{image}: has no label map; {wanted}, found {found}"


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in _NO_LABEL_MAPS
