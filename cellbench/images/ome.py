"""OME-TIFF files that describe more planes than they contain, such as one file of several."""

import logging
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import tifffile

_log = logging.getLogger(__name__)
_AXES = ("FirstZ", "FirstT", "FirstC")


def own_channels(file: tifffile.TiffFile) -> bool:
    """Return whether the planes of one file of several are different channels of one image.

    Args:
        file: an OME-TIFF.

    Returns:
        False if they belong to several positions, slices or times, or if the file does not say.
    """
    root = _description(file)
    if root is None:
        return False
    planes = []
    for number, image in enumerate(_elements(root, "Image")):
        for data in _elements(image, "TiffData"):
            names = [each.get("FileName") for each in _elements(data, "UUID")]
            if not names or file.filename in names:
                first, count = [data.get(axis, "0") for axis in _AXES], data.get("PlaneCount", "1")
                planes.append((number, *first, count))
    channels = {plane[-2] for plane in planes}
    others = {(*plane[:-2], plane[-1]) for plane in planes}
    return len(channels) == len(planes) > 1 and len(others) == 1


def missing_companions(file: tifffile.TiffFile) -> list[str]:
    """Find the files that an OME-TIFF refers to and that are not in its folder.

    Args:
        file: any TIFF.

    Returns:
        File names, sorted; empty if the file is complete.
    """
    root = _description(file)
    if root is None:
        return []
    names = {each.get("FileName") for each in _elements(root, "UUID")}
    names |= {each.get("MetadataFile") for each in _elements(root, "BinaryOnly")}
    folder = Path(file.filehandle.dirname)
    # A renamed file is found under its own name no longer; it is no companion.
    own = {file.filename, _own_name(root)}
    return sorted(
        name
        for name in names
        if name and name not in own and (Path(name).name != name or not (folder / name).is_file())
    )


def described_elsewhere(file: tifffile.TiffFile) -> list[str]:
    """Find the companion file that describes the planes of an OME-TIFF; it is not read.

    Args:
        file: any TIFF.

    Returns:
        The file name; empty if the TIFF describes its planes itself.
    """
    root = _description(file)
    found = [] if root is None else _elements(root, "BinaryOnly")
    return [name for each in found if (name := each.get("MetadataFile"))]


@cache
def report_left_out(path: Path, names: tuple[str, ...], why: str) -> None:
    """Log a warning, once for each file, that only the planes of this file are read.

    Args:
        path: the file that is read.
        names: the files that it refers to and that are not read; empty if planes of its own are missing.
        why: why they are not read.
    """
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} other files" if len(names) > 3 else "")
    reason = f"refers to {shown}, {why}" if names else "lacks planes it describes"
    _log.warning("%s: %s; only the planes in this file are read", path, reason)


def _own_name(root: ElementTree.Element) -> str | None:
    """Return the name under which a file was written, which it may no longer have."""
    for each in _elements(root, "UUID"):
        if each.text is not None and each.text == root.get("UUID"):
            return each.get("FileName")
    return None


def _description(file: tifffile.TiffFile) -> ElementTree.Element | None:
    if not file.is_ome:
        return None
    try:
        return ElementTree.fromstring(file.pages.first.description)
    except ElementTree.ParseError:
        return None


def _elements(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in root.iter() if each.tag.rpartition("}")[2] == name]
