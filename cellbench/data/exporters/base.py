"""The label maps to export, and the names of their images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cellbench.data.folder import read_dataset
from cellbench.errors import DatasetError
from cellbench.files import is_junk, list_files
from cellbench.images import image_files, image_shape
from cellbench.labels import LabelMap, label_files, pieces_of_one_id, read_labels
from cellbench.labels.names import SUFFIXES, label_stem, label_stems, match_labels, unmatched_labels

Report = Callable[[str], object]
"""Called with one line for each thing that the user should know."""

_SHOWN = 3


@dataclass(frozen=True)
class LabeledImage:
    """A label map to export.

    Attributes:
        stem: stem of the image.
        image: the image file; None if it is not known.
        labels: file of the label map.
        report: called with one line if the label map may be a binary mask.
    """

    stem: str
    image: Path | None
    labels: Path
    report: Report

    @property
    def file_name(self) -> str:
        """File name of the image; without an extension if the image is not known."""
        return self.stem if self.image is None else self.image.name

    def read_labels(self) -> LabelMap:
        """Read the label map.

        Raises:
            CellbenchError: if it cannot be read, or its size is not that of the image.
        """
        labels = read_labels(self.labels)
        if self.image is not None and (shape := image_shape(self.image)) != labels.shape:
            raise DatasetError(
                f"{self.labels}: the label map is {labels.shape} pixels (height, width), but its image "
                f"{self.image} is {shape}; replace one of the two"
            )
        if (pieces := pieces_of_one_id(labels)) > 1:
            self.report(
                f"{self.labels}: one id in {pieces} pieces is exported as one cell; if it is a binary "
                "mask, convert it first with `cellbench data import folder … --split-components`"
            )
        return labels


def find_labels(
    source: Path, split: str | None, images: Path | None, report: Report
) -> list[LabeledImage]:
    """List the label maps to export.

    Args:
        source: a folder of label maps or one of them, or a dataset folder if ``split`` is given.
        split: train, tune or test, if ``source`` is a dataset folder.
        images: folder of the images of the label maps; None if it is not known.
        report: called if an image has no label map, or files are left out.

    Raises:
        CellbenchError: if there is nothing to export, an image of the split has no label map, or a label
            map fits no image.
    """
    if split is None:
        files = _one_file(source) if source.is_file() else _in_folder(source, report)
        if images is None:
            return [LabeledImage(stem, None, path, report) for stem, path in files.items()]
        return _with_images({path.name: path for path in files.values()}, images, report)
    found = []
    for image in read_dataset(source, [split]):
        if image.labels is None:
            raise DatasetError(f"{image.image}: has no label map; add it or remove the image")
        found.append(LabeledImage(image.stem, image.image, image.labels, report))
    return found


def _in_folder(source: Path, report: Report) -> dict[str, Path]:
    """Return the label maps of a folder by stem; report what is left out, also in subfolders."""
    files = label_files(source)
    _check_subfolders(source, bool(files), report)
    names = [path.name for path in list_files(source, SUFFIXES, DatasetError)]
    if others := unmatched_labels(files, names, {stem: [files[stem].name] for stem in files}):
        report(
            f"{source}: not exported, because the names do not end like those of the other label maps: "
            f"{_listed(others)}"
        )
    return files


def _check_subfolders(source: Path, has_labels: bool, report: Report) -> None:
    """Report label maps in subfolders; raise an error if the folder itself has none."""
    below = {path.parent.relative_to(source) for path in source.rglob("*") if label_stem(path.name)}
    folders = sorted(str(each) for each in below if each.parts)
    listed = _listed(folders)
    if not has_labels and folders:
        raise DatasetError(
            f"{source}: contains no label maps itself, but its subfolders do ({listed}); name one of "
            "them, or for a dataset folder add --split"
        )
    if not has_labels:
        names = sorted(path.name for path in source.iterdir() if not is_junk(path.name))
        found = f"found {_listed(names)}" if names else "the folder is empty"
        raise DatasetError(
            f"{source}: contains no label maps such as <stem>_label.tiff ({found}); save them as TIFF, "
            "PNG or NPY, or for a dataset folder add --split"
        )
    if folders:
        report(
            f"{source}: label maps in subfolders ({listed}) are not exported; export each subfolder"
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _one_file(path: Path) -> dict[str, Path]:
    stem = next(iter(label_stems([path.name])), path.stem)
    return {stem: path}


def _with_images(labels: dict[str, Path], images: Path, report: Report) -> list[LabeledImage]:
    own = {path.resolve() for path in labels.values()}  # some tools write them beside the images
    files = {stem: path for stem, path in image_files(images).items() if path.resolve() not in own}
    matched = match_labels(files, labels)
    used = {name for names in matched.values() for name in names}
    if unmatched := [path for name, path in labels.items() if name not in used]:
        more = f" and {len(unmatched) - 1} more" if len(unmatched) > 1 else ""
        raise DatasetError(
            f"{unmatched[0]}{more}: no image of this name in {images}; add the image, or leave out --images"
        )
    if missing := [path.name for stem, path in files.items() if stem not in matched]:
        report(f"{images}: images without a label map: {len(missing)}, the first is {missing[0]}")
    return [
        LabeledImage(stem, files[stem], labels[names[0]], report) for stem, names in matched.items()
    ]
