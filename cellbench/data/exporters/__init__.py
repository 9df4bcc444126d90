"""Exporters: write label maps in the formats of other tools."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cellbench.data.exporters.base import LabeledImage, Report, find_labels
from cellbench.data.exporters.cellpose import write_cellpose
from cellbench.data.exporters.coco import write_coco
from cellbench.data.exporters.geojson import write_geojson
from cellbench.data.exporters.imagej_roi import write_imagej_rois
from cellbench.data.exporters.kaggle_rle import write_kaggle_rle
from cellbench.errors import UsageError

__all__ = ["EXPORTERS", "FILES_PER_IMAGE", "ONE_FILE", "export_labels"]

ONE_FILE: dict[str, Callable[[Sequence[LabeledImage], Path], None]] = {
    "coco": write_coco,
    "kaggle-rle": write_kaggle_rle,
}
"""The writer of each format that has one file for all images."""

FILES_PER_IMAGE: dict[str, tuple[str, Callable[[LabeledImage, Path], None]]] = {
    "geojson": (".geojson", write_geojson),
    "imagej-roi": ("_rois.zip", write_imagej_rois),
    "cellpose": ("_seg.npy", write_cellpose),
}
"""The ending of the file names and the writer of each format that has one file per image."""

EXPORTERS = (*ONE_FILE, *FILES_PER_IMAGE)
"""The names of the formats."""


def export_labels(
    source: str | Path,
    out: str | Path,
    form: str,
    split: str | None = None,
    images: str | Path | None = None,
    report: Report = lambda _: None,
) -> int:
    """Write the label maps of a folder in the format of another tool.

    Args:
        source: a folder of label maps named as [`cellbench.labels.names`][] says, or a dataset folder if
            ``split`` is given; or the file of one label map.
        out: the file to write, or for the formats of [`FILES_PER_IMAGE`][] the folder for one file per
            image. Files are never left incomplete.
        form: one of [`EXPORTERS`][].
        split: train, tune or test, if ``source`` is a dataset folder.
        images: folder of the images, from which their file names are taken; without it, and without a
            split, the names have no extension.
        report: called with one line for each thing that the user should know.

    Returns:
        The number of label maps written.

    Raises:
        UsageError: if there is no such format, or ``out`` is a file and should be a folder, or the reverse.
        CellbenchError: if there is nothing to export, a label map is missing or unreadable, or a package is
            not installed.
    """
    out = Path(out)
    if form not in EXPORTERS:
        raise UsageError(f"{form}: no such format; choose one of {', '.join(EXPORTERS)}")
    _check_out(out, form)
    found = find_labels(Path(source), split, None if images is None else Path(images), report)
    if form in ONE_FILE:
        ONE_FILE[form](found, out)
        return len(found)
    ending, write = FILES_PER_IMAGE[form]
    for image in found:
        write(image, out / f"{image.stem}{ending}")
    return len(found)


def _check_out(out: Path, form: str) -> None:
    if form in ONE_FILE:
        if out.is_dir():
            raise UsageError(
                f"{out}: is a folder, but --to {form} writes one file for all images; name a file"
            )
        return
    endings = {Path(f"a{ending}").suffix for ending, _ in FILES_PER_IMAGE.values()}
    if out.is_file() or (not out.is_dir() and out.suffix.lower() in {*endings, ".json"}):
        raise UsageError(
            f"{out}: --to {form} writes a file for each image, so OUT is a folder; name a folder"
        )
