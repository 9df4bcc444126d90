"""COCO instance annotations: polygons and run-length codes in one JSON file, as LIVECell has them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from cellbench.data.coco_file import (
    CocoCell,
    CocoFile,
    CocoImage,
    check_outlines,
    of_categories,
    read_coco_file,
)
from cellbench.data.coco_masks import decode_segmentation
from cellbench.data.importers.base import (
    Drawing,
    ForeignDataset,
    SourceImage,
    paint,
    visible_folders,
)
from cellbench.data.importers.layouts import allowed_splits, split_of
from cellbench.data.importers.listed_images import ListedImages, checked_path
from cellbench.errors import DatasetError
from cellbench.files import is_junk


def read_coco(
    source: Path,
    annotations: str = "",
    images: str = "",
    categories: str = "",
    skip_missing: bool = False,
) -> ForeignDataset:
    """Read the images that a COCO file names, with its cells.

    If cells overlap, the smaller one keeps the pixels; ids follow the order of the annotations. Crowd
    annotations are not single cells and are skipped. Some images of LIVECell are listed twice because
    they were annotated twice; the first annotations are used.

    Several files are read if the names of the files, or of their folders, say their splits:
    ``instances_train.json`` and ``instances_val.json``, or ``train/_annotations.coco.json`` and
    ``valid/_annotations.coco.json`` with the images beside them, as Roboflow writes them.

    Args:
        source: the folder that contains both.
        annotations: the JSON file, relative to ``source``; unless given, the only one there, or one for
            each split.
        images: the folder of images, relative to ``source``; unless given, ``images`` if there is such a
            folder, else ``source``.
        categories: names or ids of the categories to import, separated by commas; all unless given.
        skip_missing: leave out images that do not exist.

    Raises:
        CellbenchError: if the file is not a COCO file, or names an image that does not exist or is
            outside the folder.
    """
    foreign = ForeignDataset()
    paths = [source / annotations] if annotations else _annotation_files(source)
    splits = [""] if annotations else _splits(source, paths)
    for path, split in zip(paths, splits, strict=True):
        beside = not images and _split_of_folder(source, path)
        allowed = allowed_splits(split, with_tune="tune" in splits)
        file = read_coco_file(path)
        _add(
            foreign,
            file,
            path.parent if beside else source,
            images,
            categories,
            skip_missing,
            allowed,
        )
    return foreign


def _annotation_files(source: Path) -> list[Path]:
    """Return the JSON files in the source, its folder ``annotations``, or its folders of splits."""
    folders = [path for path in visible_folders(source) if _split_of_folder(source, path / "file")]
    for places in ([source], [source / "annotations"], folders):
        found = [path for place in places for path in sorted(place.glob("*.json"))]
        if files := [path for path in found if not is_junk(path.name)]:
            return files
    raise DatasetError(
        f"{source}: contains no JSON file; name the annotation file with --annotations"
    )


def _split_of_folder(source: Path, path: Path) -> str:
    """Return the split that the folder of a file stands for, if it is directly in the source."""
    parts = path.relative_to(source).parts if path.is_relative_to(source) else ()
    return split_of(parts[:1]) if len(parts) == 2 else ""


def _splits(source: Path, paths: Sequence[Path]) -> list[str]:
    """Return the split of each annotation file; a single one need not have one."""
    if len(paths) == 1:
        return [_split_of_folder(source, paths[0])]
    splits = [split_of((path.stem,)) or _split_of_folder(source, path) for path in paths]
    if "" in splits or len(set(splits)) < len(splits):
        names = ", ".join(str(path.relative_to(source)) for path in paths[:5])
        raise DatasetError(
            f"{source}: contains {len(paths)} JSON files ({names}); name the annotation file with "
            "--annotations"
        )
    return splits


def _add(
    foreign: ForeignDataset,
    file: CocoFile,
    source: Path,
    images: str,
    categories: str,
    skip_missing: bool,
    splits: tuple[str, ...],
) -> None:
    """Add the images of one COCO file."""
    path = file.path
    if file.images is None:
        raise DatasetError(
            f"{path}: a file of results without images; import a COCO file that lists the images, or score "
            "these results with `cellbench evaluate`"
        )
    cells, warnings = of_categories(file, categories)
    foreign.warnings += warnings
    if not cells:
        foreign.warnings.append(f"{path}: contains no annotations, the images are without cells")
    elif all(cell.crowd for cell in cells):
        raise DatasetError(
            f"{path}: all annotations are crowds (iscrowd is 1), which are not imported; if each is one "
            "cell, set iscrowd to 0"
        )
    grouped = _by_image(file, cells, foreign)
    files = _image_files(source, images, file, skip_missing, foreign)
    names = _new_names(file, files)
    for image, found in files.items():
        single = [cell for cell in grouped[image] if not cell.crowd]
        if crowds := len(grouped[image]) - len(single):
            foreign.warnings.append(f"{found}: crowd annotations skipped: {crowds}")
        labels = partial(_draw, path, file.images[image], single)
        foreign.images.append(SourceImage(found, labels, splits, names[image]))


def _by_image(
    file: CocoFile, cells: Sequence[CocoCell], foreign: ForeignDataset
) -> dict[str, list[CocoCell]]:
    """Group the annotations by image id, and warn of those whose image is not listed."""
    grouped: dict[str, list[CocoCell]] = {image: [] for image in file.images or {}}
    check_outlines(file, [cell for cell in cells if not cell.crowd])
    unlisted = [cell for cell in cells if cell.image not in grouped]
    if unlisted and len(unlisted) == len(cells):
        raise DatasetError(
            f"{file.path}: annotates image {unlisted[0].image}, but does not list it, nor the image of any "
            "other annotation; check the ids"
        )
    if unlisted:
        foreign.warnings.append(
            f"{file.path}: annotations left out because their image is not listed: {len(unlisted)}, the "
            f"first is {unlisted[0].name} of image {unlisted[0].image}"
        )
    for cell in cells:
        if cell.image in grouped:
            grouped[cell.image].append(cell)
    return grouped


def _image_files(
    source: Path, images: str, file: CocoFile, skip_missing: bool, foreign: ForeignDataset
) -> dict[str, Path]:
    """Find the file of each listed image by id, without images that are listed again or missing."""
    names: dict[str, PurePosixPath] = {
        number: checked_path(image.file_name, f"{file.path}, image {number}")
        for number, image in (file.images or {}).items()
    }
    finder = ListedImages(source, images, names.values())
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    missing, renamed = [], []
    for number, name in names.items():
        path = finder.find(name, f"{file.path}, image {number}")
        if path is None:
            missing.append(name)
        elif path in seen:
            foreign.warnings.append(
                f"{file.path}: lists {name} again, the first annotations are kept"
            )
        else:
            seen.add(path)
            found[number] = path
            if path.name.casefold() != name.name.casefold():
                renamed.append(f"{path.name} for {name.name}")
    if missing and not (skip_missing and found):
        raise DatasetError(
            f"{file.path}: names {missing[0]}, which is not in {finder.folder}, and {len(missing)} of "
            f"{len(names)} images are missing; add them, name their folder with --images"
            + (", or leave them out with --skip-missing" if found else "")
        )
    if missing:
        foreign.warnings.append(
            f"{file.path}: images left out because they are missing: {len(missing)} of {len(names)}, the "
            f"first is {missing[0]}"
        )
    if renamed:
        foreign.warnings.append(
            f"{file.path}: images with another extension are taken: {len(renamed)}, the first is "
            f"{renamed[0]}"
        )
    return found


def _new_names(file: CocoFile, files: Mapping[str, Path]) -> dict[str, str]:
    """Return the file names in the dataset folder: where stems are equal, folders become part of them."""
    stems = Counter(path.stem.casefold() for path in files.values())
    names = {}
    for number, path in files.items():
        listed = checked_path((file.images or {})[number].file_name, f"{file.path}, image {number}")
        folders = listed.parts[:-1] if stems[path.stem.casefold()] > 1 else ()
        names[number] = "_".join([*folders, path.name])
    return names


def _draw(
    path: Path, image: CocoImage, cells: Sequence[CocoCell], shape: tuple[int, int]
) -> Drawing:
    stated = tuple(
        side if given is None else given for given, side in zip(image.size, shape, strict=True)
    )
    if stated != shape:
        raise DatasetError(
            f"{path}: states that the height and width of {image.file_name} are {stated}, but they are "
            f"{shape}; correct one of the two files"
        )
    found = [
        decode_segmentation(cell.segmentation, shape, f"{path}, {cell.name} of {image.file_name}")
        for cell in cells
    ]
    smallest_first = sorted(range(len(found)), key=lambda position: len(found[position]))
    return paint(found, shape, "the smaller cell", smallest_first)
