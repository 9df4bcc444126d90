"""Segmenting image files: one label map per file, with the times and the options of the run."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from cellbench.errors import CellbenchError, UsageError
from cellbench.images.pixel_size import read_pixel_size
from cellbench.inference.finished import FinishedImages, concerns_all_images, finished_images
from cellbench.inference.overlap import windowed_parts
from cellbench.inference.products import Product, product_path
from cellbench.inference.scaling import Diameter, Scaling, check_diameter, scaling_of
from cellbench.inference.segment import (
    IMAGE_ERRORS,
    Models,
    Precision,
    image_diameter,
    model_list,
    read_model_image,
    segment_cells,
)
from cellbench.inference.settings import run_settings
from cellbench.labels import label_path, write_labels
from cellbench.models.segmenter import Segmenter
from cellbench.representations.base import DecodedCells

_log = logging.getLogger(__name__)


class Segmented(NamedTuple):
    """The result of segmenting image files.

    Attributes:
        images: number of images whose label map is complete.
        cells: number of cells in them.
        failed: stems of the images for which something could not be written.
    """

    images: int
    cells: int
    failed: list[str]


def segment_files(
    model: Models,
    files: Mapping[str, Path],
    outputs: str | Path,
    progress: Callable[[Iterable[str]], Iterable[str]] = lambda stems: stems,
    *,
    products: Collection[Product] = (),
    checkpoints: Sequence[str | Path] = (),
    checksums: Sequence[str] = (),
    report: Callable[[str], object] = _log.info,
    precision: Precision = "auto",
    augment: bool = False,
    overlap: float | None = None,
    diameter: Diameter = None,
) -> Segmented:
    """Segment image files; write ``<stem>_label.tiff``, ``runtime.csv`` and ``segmentation.json``.

    If an image fails, the error is logged and the others are segmented. The time of an image is from
    opening it to the written label map. ``segmentation.json`` records the options, and the diameter and
    scale of each image. Earlier label maps can be kept, see [`finished`][cellbench.inference.finished].

    Args:
        model: a loaded model, or the models of an ensemble.
        files: image files by stem; a stem may begin with folders, as in ``well1/a``.
        outputs: folder for the label maps.
        progress: function that wraps the stems still to work on, for example in a progress bar.
        products: what to write beside each label map, see [`products`][cellbench.inference.products].
        checkpoints: files of the models, for the record.
        checksums: SHA-256 of these files from before they were loaded. Earlier label maps with the same
            checksums, options and images are kept; without checksums, none is.
        report: called with one line if label maps of an earlier call are kept or replaced.
        precision: as in [`segment_image`][cellbench.inference.segment.segment_image].
        augment: as in [`segment_image`][cellbench.inference.segment.segment_image].
        overlap: as in [`segment_image`][cellbench.inference.segment.segment_image].
        diameter: as in [`segment_image`][cellbench.inference.segment.segment_image].

    Raises:
        UsageError: if a file to write is one of the images.
        CellbenchError: if an option does not fit a model, or as
            [`finished_images`][cellbench.inference.finished.finished_images].
    """
    models = model_list(model)
    check_diameter(models[0], diameter)
    windowed_parts(models, overlap)
    _check_targets(files, outputs, products)
    failed: list[str] = []
    chosen = {"tta": augment, "precision": precision, "overlap": overlap, "diameter": diameter}
    settings = run_settings(models, checksums, chosen) if checksums else None
    options = {"checkpoints": [Path(each).as_posix() for each in checkpoints], **chosen}
    with finished_images(outputs, files, options, settings, report) as finished:
        for stem in progress(finished.missing(products)):
            file, target = files[stem], label_path(outputs, stem)
            segment = partial(
                _segment_file, models, file, target, diameter, precision, augment, overlap
            )
            if not finish_image(finished, stem, file, segment, products):
                failed.append(stem)
        return Segmented(sum(stem in finished for stem in files), finished.cells(), failed)


def finish_image(
    finished: FinishedImages,
    stem: str,
    file: Path,
    segment: Callable[[], tuple[DecodedCells, Scaling]],
    products: Collection[Product],
) -> bool:
    """Write what is missing of an image, and record it.

    Args:
        finished: the finished images of the run.
        stem: stem of the image.
        file: the image file, for error messages.
        segment: writes the label map; returns its cells and how the image was resized.
        products: what else to write.

    Returns:
        False after an error of this image, which is logged.

    Raises:
        Exception: an error that other images would have too.
    """
    start = time.perf_counter()
    try:
        if stem not in finished:
            found = segment()
            finished.add(stem, time.perf_counter() - start, *found)
        finished.write_products(stem, products)
    except IMAGE_ERRORS as error:
        if concerns_all_images(error):
            raise
        _log.error("%s", _error_message(error, file))
        return False
    return True


def _check_targets(
    files: Mapping[str, Path], outputs: str | Path, products: Collection[Product]
) -> None:
    """Check that no image would be replaced by what is written about another one."""
    images = {_place(path) for path in files.values()}
    for stem, path in files.items():
        targets = [product_path(outputs, stem, each) for each in products]
        for target in (label_path(outputs, stem), *targets):
            if _place(target) in images:
                raise UsageError(
                    f"{target}: is one of the images, and would be replaced by the result for {path}; "
                    "choose another folder for the results"
                )


def _place(path: Path) -> Path:
    """Return where a file is; a link in the place of the file itself is not followed."""
    return path.parent.resolve() / path.name


def _segment_file(
    models: Sequence[Segmenter],
    file: Path,
    target: Path,
    diameter: Diameter,
    precision: Precision,
    augment: bool,
    overlap: float | None,
) -> tuple[DecodedCells, Scaling]:
    """Write the label map of an image; return its cells, and how it was resized."""
    target.unlink(missing_ok=True)
    image = read_model_image(models, file)
    if diameter == "auto":
        diameter = image_diameter(models, image, precision=precision, overlap=overlap)
    cells = segment_cells(
        models, image, precision=precision, augment=augment, overlap=overlap, diameter=diameter
    )
    write_labels(target, cells.labels, read_pixel_size(file))
    return cells, scaling_of(models[0], diameter)


def _error_message(error: Exception, file: Path) -> str:
    if isinstance(error, CellbenchError | OSError):  # they name the file
        return " ".join(str(error).split())
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return f"{file}: out of memory"
    return f"{file}: {' '.join(str(error).split())}"
