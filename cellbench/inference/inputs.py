"""The images that `cellbench segment` is to segment, without the results of earlier runs among them."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cellbench.data.folder import LABEL_FOLDERS
from cellbench.errors import ImageError
from cellbench.evaluation.journal import Journal
from cellbench.files import is_junk
from cellbench.images import image_files, unread_files, unread_message
from cellbench.inference.finished import JOURNAL_FILE
from cellbench.inference.finished_image import FinishedImage
from cellbench.inference.products import ENDINGS as PRODUCT_ENDINGS
from cellbench.labels import label_path
from cellbench.labels.names import ENDING, ENDINGS, label_stem, match_labels

_OVERLAY = PRODUCT_ENDINGS["overlay"].rpartition(".")[0]
_BY_PRODUCTS = re.compile(r"_(cp_)?(flows?|outlines?|output|probs?|probabilities)$")
"""Endings of further pictures that Cellpose and ilastik write for an image, lower case."""
_SHOWN = 3


class Inputs(NamedTuple):
    """The images to segment.

    Attributes:
        files: image files by stem; stems of images in subfolders begin with the folder, as ``well1/a``.
        notes: one line for each kind of files that is left out.
        unread: images whose format is not read.
    """

    files: dict[str, Path]
    notes: list[str]
    unread: list[Path]


def find_inputs(inputs: str | Path, outputs: str | Path, *, recursive: bool = False) -> Inputs:
    """Find the images in a folder.

    Files whose names are those of the label map of another image in the same folder (see
    [`cellbench.labels.names`][]) or in another folder, overlays beside a label map, and what other
    tools write beside an image are not images.

    Args:
        inputs: an image file, or a folder.
        outputs: folder of the label maps; if it is a subfolder of ``inputs``, it is not searched.
        recursive: whether to search subfolders too, except hidden ones.

    Raises:
        ImageError: if there is no such file or folder, it has no images, or two images of a folder have
            the same stem.
    """
    inputs = Path(inputs)
    if not inputs.is_dir():
        if not inputs.is_file():
            raise ImageError(f"{inputs}: no such file or folder; check the path")
        return Inputs({inputs.stem: inputs}, [], [])
    found: dict[str, Path] = {}
    results: list[Path] = []
    unread: list[Path] = []
    for folder in _folders(inputs, Path(outputs)) if recursive else [inputs]:
        files = image_files(folder)
        unread += unread_files(folder)
        skipped = results_among(files, folder)
        results += [files[stem] for stem in files if stem in skipped]
        place = folder.relative_to(inputs)
        found |= {
            (place / stem).as_posix(): path for stem, path in files.items() if stem not in skipped
        }
    if recursive:
        results += _leave_out_label_maps(found)
    notes = [_describe_results(inputs, results)] if results else []
    if unread:
        count = "1 image was" if len(unread) == 1 else f"{len(unread)} images were"
        notes.append(f"{inputs}: {count} not segmented because the format is not read")
    if not recursive:
        folders = [each.relative_to(inputs) for each in _with_images(inputs, Path(outputs))]
        if folders and not found:
            raise ImageError(
                f"{inputs}: contains no images itself, but its subfolders do ({_listed(folders)}); add "
                "--recursive to segment them, or name one of them"
            )
        if folders:
            notes.append(
                f"{inputs}: images in subfolders ({_listed(folders)}) are not segmented; add --recursive "
                "to segment them too"
            )
    if not found and unread:
        more = f" ({len(unread) - 1} more like this)" if len(unread) > 1 else ""
        raise ImageError(
            f"{inputs}: contains no images that are read; {unread_message(unread[0])}{more}"
        )
    if not found:
        raise ImageError(
            f"{inputs}: the folder contains no images{_instead(inputs, results)}; check the path"
        )
    return Inputs(found, notes, unread)


def results_among(files: Mapping[str, Path], folder: Path) -> set[str]:
    """Find label maps and overlays of the other files of a folder.

    Args:
        files: all image files of the folder by stem.
        folder: the folder; if label maps were written to it by ``segment``, its journal names them.

    Returns:
        The stems of these files.
    """
    stems = {stem.casefold() for stem in files}
    names = {path.name: stem for stem, path in files.items()}
    named_like = {stem for stem, path in files.items() if any(_label_keys(path.name))}
    found = {
        stem for stem in named_like if any(key in stems for key in _label_keys(files[stem].name))
    }
    fitting = match_labels(files.keys() - named_like, [files[stem].name for stem in named_like])
    found |= {names[name] for matched in fitting.values() for name in matched}
    written = _written_by_segment(folder)
    for stem, path in files.items():
        base = stem.casefold().removesuffix(_OVERLAY)
        is_overlay = base != stem.casefold() and f"{base}{ENDING}" in stems | written
        original = _BY_PRODUCTS.sub("", stem.casefold())
        is_by_product = original != stem.casefold() and original in stems
        if path.name.casefold() in written or is_overlay or is_by_product:
            found.add(stem)
    return found


def _label_keys(name: str) -> list[str]:
    """Return the stems of the images that a file would be the label map of, by its name."""
    keys = (label_stem(name, ending) for ending in ENDINGS if ending)
    return [key.casefold() for key in keys if key]


def _written_by_segment(folder: Path) -> set[str]:
    """Return the names of the label maps that a journal of ``segment`` lists, and their stems."""
    path = folder / JOURNAL_FILE
    if not path.is_file():
        return set()
    records = map(FinishedImage.from_json, Journal(path).values())
    paths = [label_path("", Path(each.image).stem) for each in records if each is not None]
    return {text.casefold() for path in paths for text in (path.name, path.stem)}


def _leave_out_label_maps(found: dict[str, Path]) -> list[Path]:
    """Remove label maps of images in other folders, such as ``masks/a.tif`` of ``images/a.tif``."""
    in_folder = {stem for stem, path in found.items() if path.parent.name.lower() in LABEL_FOLDERS}
    images = {Path(stem).name.casefold() for stem in found.keys() - in_folder}

    def is_label_map(stem: str) -> bool:
        name, keys = found[stem].name, [Path(stem).name.casefold()] if stem in in_folder else []
        keys += _label_keys(name) if stem in in_folder else [(label_stem(name) or "").casefold()]
        return not images.isdisjoint(keys)

    return [found.pop(stem) for stem in list(found) if is_label_map(stem)]


def _folders(inputs: Path, outputs: Path) -> Iterator[Path]:
    """Yield a folder and its subfolders, without hidden ones and without that of the results."""
    own = outputs.resolve()
    for name, subfolders, _ in os.walk(inputs):
        folder = Path(name)
        if folder == inputs or folder.resolve() != own:
            yield folder
            subfolders[:] = sorted(each for each in subfolders if not each.startswith((".", "__")))
        else:
            subfolders.clear()


def _with_images(inputs: Path, outputs: Path) -> list[Path]:
    """Return a few subfolders that contain images."""

    def has_images(folder: Path) -> bool:
        files = image_files(folder)
        return len(results_among(files, folder)) < len(files) or bool(unread_files(folder))

    below = (each for each in _folders(inputs, outputs) if each != inputs)
    return list(islice(filter(has_images, below), _SHOWN + 1))


def _listed(paths: Collection[Path]) -> str:
    """Return the first names of a list."""
    shown = ", ".join(
        str(path) if not path.is_absolute() else path.name for path in islice(paths, _SHOWN)
    )
    return f"{shown}, …" if len(paths) > _SHOWN else shown


def _instead(inputs: Path, results: list[Path]) -> str:
    """Return what a folder without images contains instead, in words."""
    if results:
        return f", only results of earlier runs ({_listed(results)})"
    others = [Path(path.name) for path in sorted(inputs.iterdir()) if not is_junk(path.name)]
    return f", only {_listed(others)}" if others else ""


def _describe_results(inputs: Path, results: list[Path]) -> str:
    names = ", ".join(path.name for path in results[:_SHOWN])
    more = f" and {len(results) - _SHOWN} more" if len(results) > _SHOWN else ""
    return (
        f"{inputs}: not segmented, because the names are those of label maps or overlays of other images: "
        f"{names}{more}"
    )
