"""Folders of images and label maps, as Cellpose, StarDist, QuPath, Fiji and the challenge name them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cellbench.data.importers.annotation_files import annotation_kind, draw_of, name_for_pairing
from cellbench.data.importers.base import (
    ForeignDataset,
    SourceImage,
    is_dataset_folder,
    subfolder,
    visible_folders,
)
from cellbench.data.importers.layouts import (
    IMAGE_WORDS,
    LABEL_WORDS,
    Place,
    allowed_splits,
    find_places,
    named_folder,
    prefix_of,
    split_of,
)
from cellbench.data.label_pairs import (
    Pairs,
    double_labels,
    missing_labels,
    pair_labels,
    visible_files,
)
from cellbench.errors import DatasetError
from cellbench.images import SUFFIXES, image_files, image_stem
from cellbench.labels.names import ENDINGS, label_stem
from cellbench.labels.names import SUFFIXES as LABEL_SUFFIXES

_LABEL_PREFIXES = ("labels_", "label_", "masks_", "mask_")
# What Cellpose writes beside its label maps.
_BY_PRODUCTS = ("_flows", "_cp_flows", "_outlines", "_cp_outlines", "_overlay", "_cp_output")
_MOST_KINDS = 3
_HINTS = {
    ".json": "if {} is a COCO file, use the importer coco",
    ".csv": "if {} is a table of run-length codes, use the importer kaggle-rle",
    ".zip": "if {} contains the dataset, unpack it first",
    **dict.fromkeys(
        (".npz", ".npy"),
        "if {} contains many images, save each image and each label map as a file",
    ),
    ".xml": "if {} contains outlines, convert them to GeoJSON or to a label map",
    ".roi": "if each file is the outline of one cell, save all of an image as one RoiSet.zip",
    ".txt": "if {} contains outlines, as YOLO writes them, convert them to COCO or to a label map",
}
"""What to do with files that may contain a dataset or outlines, in the order of preference."""
# Notes and tables beside images are no images.
_TEXTS = (
    ".csv",
    ".txt",
    ".json",
    ".xml",
    ".md",
    ".log",
    ".html",
    ".pdf",
    ".xlsx",
    ".yaml",
    ".yml",
    "",
)


@dataclass
class _Group:
    """Images in one folder, and the files in which their label maps are searched.

    Attributes:
        images: image by stem.
        parts: the names of the folders from the source to the images.
        labels: the folder of the other files; None if it does not exist.
        files: files that can contain label maps.
        others: all other files of that folder.
        unread: files in the folder of the images that look like images of kinds that are not read.
        pairs: the result.
    """

    images: dict[str, Path]
    parts: tuple[str, ...]
    labels: Path | None
    files: list[Path]
    others: list[Path]
    unread: list[Path] = field(default_factory=list)
    pairs: Pairs = field(default_factory=Pairs)


def read_folder(
    source: Path, images: str | None = None, labels: str | None = None
) -> ForeignDataset:
    """Pair images with label maps by the names of folders and files.

    Folders: ``images`` beside ``labels`` or ``masks`` (or similar names, also ``train_images`` beside
    ``train_masks``), at any depth; otherwise images and label maps in one folder. Folders in these folders
    are searched too: ``images/A/a.png`` belongs to ``labels/A/a.png`` and is imported as ``A_a.png``.
    A folder called train, val, valid, validation, tune or test decides the split.

    Files: the names that [`cellbench.labels.names`][] describes. Instead of a label map, outlines can be
    drawn: GeoJSON of QuPath, and .roi files and ROI archives of ImageJ.

    Args:
        source: the folder that contains all.
        images: the folder of images, relative to ``source``; found by its name unless given.
        labels: the folder of label maps, relative to ``source``; found by its name unless given. It may be
            the folder of the images.

    Raises:
        CellbenchError: if a folder is missing, two images share a stem, or nothing can be imported.
    """
    foreign = ForeignDataset()
    groups: list[_Group] = []
    for place in _places(source, images, labels):
        found = list(_shared_groups(place) if place.shared else _separate_groups(place))
        base = () if images else place.images.relative_to(source).parts
        for group in found:
            group.parts = (*base, *group.parts)
            _pair(group)
        _pair_across(found)
        groups += found
    with_tune = any(split_of(group.parts) == "tune" for group in groups if group.images)
    for group in groups:
        _add(foreign, group, with_tune)
    for pairs in (group.pairs for group in groups):
        foreign.warnings += pairs.notes
        foreign.warnings += [
            f"{path}: there is no image of this name, not imported" for path in pairs.unused
        ]
    if not foreign.images:
        raise DatasetError(_nothing_found(source, groups, foreign))
    return foreign


def _places(source: Path, images: str | None, labels: str | None) -> list[Place]:
    if images is None and labels is None:
        return find_places(source)
    image_folder = subfolder(source, images, "--images") if images else None
    label_folder = subfolder(source, labels, "--labels") if labels else None
    image_folder = image_folder or named_folder(source, IMAGE_WORDS) or source
    label_folder = label_folder or named_folder(source, LABEL_WORDS) or image_folder
    return [Place(image_folder, label_folder)]


def _separate_groups(place: Place) -> Iterator[_Group]:
    folders = dict.fromkeys(
        folder.relative_to(root)
        for root in (place.images, place.labels)
        for folder in visible_folders(root)
    )
    for inner in folders:
        images, labels = place.images / inner, place.labels / inner
        found = image_files(images) if images.is_dir() else {}
        files = visible_files(labels) if labels.is_dir() else []
        group = _grouped(found, inner.parts, labels if labels.is_dir() else None, files)
        if images.is_dir():
            kinds = (*SUFFIXES, *_TEXTS)
            group.unread = [p for p in visible_files(images) if p.suffix.lower() not in kinds]
        yield group


def _shared_groups(place: Place) -> Iterator[_Group]:
    for folder in visible_folders(place.images):
        files = visible_files(folder)
        names = [path.name for path in files]
        marked = {name for name in names if any(label_stem(name, e) for e in ENDINGS[:-1])}
        marked = marked or {n for n in names if n.casefold().startswith(_LABEL_PREFIXES)}
        marked |= {name for name in names if image_stem(name).casefold() in LABEL_WORDS}
        kept = [path for path in files if not path.stem.casefold().endswith(_BY_PRODUCTS)]
        aside = [
            path for path in kept if path.name in marked or path.suffix.lower() not in SUFFIXES
        ]
        pictures = {path.name for path in kept} - {path.name for path in aside}
        images = {s: p for s, p in image_files(folder).items() if p.name in pictures}
        yield _grouped(images, folder.relative_to(place.images).parts, folder, aside)


def _grouped(
    images: dict[str, Path], parts: tuple[str, ...], labels: Path | None, files: list[Path]
) -> _Group:
    usable = [p for p in files if p.suffix.lower() in LABEL_SUFFIXES or annotation_kind(p)]
    others = [path for path in files if path not in set(usable)]
    return _Group(images, parts, labels, usable, others)


def _pair(group: _Group) -> None:
    """Pair by name: label maps first, then outlines of QuPath, then those of ImageJ."""
    group.pairs = _pair_files(group.images, group.files)
    only = next(iter(group.images), None)
    if len(group.images) == len(group.files) == 1 and only and not group.pairs.found:
        (path,) = group.files
        word = path.stem.casefold()
        if (only.casefold() in IMAGE_WORDS and word in LABEL_WORDS) or word == "roiset":
            group.pairs = Pairs({only: path})


def _pair_files(images: dict[str, Path], files: list[Path]) -> Pairs:
    pairs = Pairs()
    for kind in ("", "geojson", "roi"):
        candidates = [path for path in files if annotation_kind(path) == kind]
        more = pair_labels(
            images, candidates, [name_for_pairing(path, images) for path in candidates]
        )
        pairs.notes += [
            f"{path}: not used, because {pairs.found[stem].name} is"
            for stem, path in more.found.items()
            if stem in pairs.found and annotation_kind(pairs.found[stem])
        ]
        pairs.found = more.found | pairs.found
        pairs.doubles |= {s: p for s, p in more.doubles.items() if s not in pairs.found}
        pairs.unused += more.unused
    return pairs


def _pair_across(groups: list[_Group]) -> None:
    """Pair what is left: images in folders with label maps in a single one, or the other way round."""
    open_images: dict[str, list[tuple[_Group, Path]]] = {}
    for group in groups:
        for stem, image in group.images.items():
            if stem not in group.pairs.found and stem not in group.pairs.doubles:
                open_images.setdefault(stem, []).append((group, image))
    unique = {stem: found[0] for stem, found in open_images.items() if len(found) == 1}
    files = [path for group in groups for path in group.pairs.unused]
    if len(groups) < 2 or not unique or not files:
        return
    pairs = _pair_files({stem: image for stem, (_, image) in unique.items()}, files)
    for stem, path in pairs.found.items():
        unique[stem][0].pairs.found[stem] = path
    used = set(pairs.found.values())
    for group in groups:
        group.pairs.unused = [path for path in group.pairs.unused if path not in used]


def _add(foreign: ForeignDataset, group: _Group, with_tune: bool) -> None:
    splits = allowed_splits(split_of(group.parts), with_tune=with_tune)
    left = {path.name: path for path in (*group.pairs.unused, *group.others)}
    for stem, image in group.images.items():
        if stem in group.pairs.found:
            path = group.pairs.found[stem]
            # A folder that is called as its image adds nothing: a/a.tif stays a.
            prefix = prefix_of(tuple(part for part in group.parts if part != stem))
            foreign.images.append(
                SourceImage(image, draw_of(path) or path, splits, prefix + image.name)
            )
        elif stem in group.pairs.doubles:
            foreign.problems.append(double_labels(image, group.pairs.doubles[stem]))
        else:
            foreign.warnings.append(missing_labels(image, stem, group.labels, left))
    foreign.problems += [
        f"{path}: is not an image of a kind that is read; save it as TIFF or PNG"
        for path in group.unread
    ]


def _nothing_found(source: Path, groups: list[_Group], foreign: ForeignDataset) -> str:
    """Return one line that says why nothing was imported and what to do."""
    reasons = [*foreign.problems, *foreign.warnings]
    files = [p for group in groups for p in (*group.pairs.unused, *group.others, *group.unread)]
    if any(len(group.images) == 1 < len(_masks(group.pairs.unused)) for group in groups):
        return f"{reasons[0]}; if each file is the mask of one cell, use the importer dsb2018"
    hints = [
        f"; {hint.format(p)}"
        for kind, hint in _HINTS.items()
        for p in files
        if p.suffix.lower() == kind
    ]
    hint = next(iter(hints), "")
    if any(group.images or group.unread for group in groups):
        more = f" (and {len(reasons) - 1} more like this)" if reasons[1:] else ""
        return f"{reasons[0]}{more}{hint}"
    if written := [path for path in sorted(source.iterdir()) if is_dataset_folder(path)]:
        return (
            f"{source}: contains no images but those of the dataset folder {written[0].name}; to import "
            f"that, name {written[0]}"
        )
    kinds = Counter(path.suffix.lower() or path.name for path in files)
    shown = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_MOST_KINDS))
    return (
        f"{source}: contains no image that can be imported (found {shown or 'no files'}); save images as "
        f"TIFF or PNG in a folder `images`, and their label maps in a folder `labels`{hint}"
    )


def _masks(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix.lower() in LABEL_SUFFIXES]
