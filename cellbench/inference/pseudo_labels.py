"""Pseudo-labels: a dataset folder whose unlabelled images have label maps of a trained model.

The label maps are first written to a hidden folder beside the new dataset folder, image by image, so that
an interrupted run continues there. The dataset folder appears when all images are finished.
"""

import logging
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cellbench.data.confidence import IGNORED, confidence_path, read_confidence, write_confidence
from cellbench.data.new_folder import new_dataset_folder
from cellbench.data.pseudo_labelled import (
    PseudoLabels,
    unlabelled_images,
    write_pseudo_labelled,
)
from cellbench.errors import CellbenchError, UsageError
from cellbench.images.pixel_size import read_pixel_size
from cellbench.inference.ensemble import why_not_dense
from cellbench.inference.finished import finished_images
from cellbench.inference.run_files import finish_image
from cellbench.inference.scaling import Scaling, check_diameter, scaling_of
from cellbench.inference.segment import image_diameter, read_model_image
from cellbench.inference.settings import run_settings
from cellbench.inference.sure_images import segment_sure
from cellbench.labels import cell_ids, label_path, read_labels, write_labels
from cellbench.models.segmenter import Segmenter
from cellbench.representations.base import DecodedCells

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Teacher:
    """A trained model, and when it is sure.

    Attributes:
        models: a loaded model, or the models of an ensemble.
        checkpoints: their files, for the record.
        checksums: SHA-256 of these files from before they were loaded.
        gates: options of [`sure_cells`][cellbench.representations.sure_cells.sure_cells] by name.
        options: precision, augment, overlap and diameter, see
            [`segment_image`][cellbench.inference.segment.segment_image].
    """

    models: Sequence[Segmenter]
    checkpoints: Sequence[Path]
    checksums: Sequence[str]
    gates: Mapping[str, float]
    options: Mapping[str, Any]

    def check(self) -> None:
        """Check that the model can say how sure it is.

        Raises:
            UsageError: if a model does not predict dense maps, or an option is out of its range.
            CheckpointError: if a diameter is given and the model does not know the cells in its training.
        """
        for model in self.models:
            if reason := why_not_dense(model):
                raise UsageError(
                    f"{model.model_name()}: {reason}, so how sure it is of a cell is not known; use the "
                    "checkpoint of another model"
                )
        check_diameter(self.models[0], self.options["diameter"])


class PseudoLabelled(NamedTuple):
    """The result of pseudo-labelling a dataset.

    Attributes:
        splits: number of images in each split of the new dataset folder.
        images: number of images with pseudo-labels.
        cells: number of cells in them that the model is sure of.
        used: part of the pixels of these images that are not ignored.
        unsure: stems of the images in which the model is sure of no cell.
        failed: stems of the images that could not be segmented.
    """

    splits: Mapping[str, int]
    images: int
    cells: int
    used: float
    unsure: list[str]
    failed: list[str]


def pseudo_label(
    root: Path,
    out: Path,
    teacher: Teacher,
    progress: Callable[[Iterable[str]], Iterable[str]] = lambda stems: stems,
    report: Callable[[str], object] = _log.info,
) -> PseudoLabelled:
    """Segment the unlabelled images of a dataset folder, and write one in which they are training images.

    Images in which the model is sure of no cell stay in ``unlabeled``; so do those that cannot be
    segmented, whose error is logged. If all of them do, nothing is written.

    Args:
        root: the dataset folder.
        out: the dataset folder to write: a new or an empty folder. It is never left incomplete.
        teacher: the model that labels the images.
        progress: function that wraps the stems still to segment, for example in a progress bar.
        report: called with one line if label maps of an interrupted run are kept or replaced.

    Raises:
        UsageError: if a model does not predict dense maps, or an option is out of its range.
        DatasetError: if there are no unlabelled images, or ``out`` is not empty or in ``root``.
        CellbenchError: if the model is sure of no cell in any image, or a file cannot be written.
    """
    teacher.check()
    work = out.resolve().with_name(f".{out.resolve().name}.pseudo-labels")
    files = {image.stem: image.image for image in unlabelled_images(root)}
    with new_dataset_folder(root, out) as temporary:
        failed = _segment_files(teacher, files, work, progress, report)
        counts = {stem: _count(work, stem) for stem in files if stem not in failed}
        found = {stem: _paths(work, stem) for stem, (cells, _, _) in counts.items() if cells}
        unsure = [stem for stem in counts if stem not in found]
        if not found:
            raise CellbenchError(
                f"{root}: the model is sure of no cell in any of {len(files)} unlabelled images; train it "
                "longer, or lower --cell-score (models whose cells have a score) or --foreground"
            )
        splits = write_pseudo_labelled(root, temporary, found)
    shutil.rmtree(work, ignore_errors=True)
    cells, used, pixels = (sum(counts[stem][n] for stem in found) for n in range(3))
    return PseudoLabelled(splits, len(found), cells, used / pixels, unsure, failed)


def _segment_files(
    teacher: Teacher,
    files: Mapping[str, Path],
    work: Path,
    progress: Callable[[Iterable[str]], Iterable[str]],
    report: Callable[[str], object],
) -> list[str]:
    """Write a label map and a confidence for each image; return the stems of those that failed."""
    chosen = {**teacher.gates, **teacher.options}
    settings = run_settings(teacher.models, teacher.checksums, chosen)
    record = {"checkpoints": [path.as_posix() for path in teacher.checkpoints], **chosen}
    for stem in files:
        labels, confidence = _paths(work, stem)
        if not confidence.is_file():  # removed by somebody; the label map alone is not enough
            labels.unlink(missing_ok=True)
    failed = []
    with finished_images(work, files, record, settings, report) as finished:
        for stem in progress(finished.missing()):
            segment = partial(_segment_file, teacher, files[stem], _paths(work, stem))
            if not finish_image(finished, stem, files[stem], segment, ()):
                failed.append(stem)
    return failed


def _segment_file(
    teacher: Teacher, file: Path, paths: PseudoLabels
) -> tuple[DecodedCells, Scaling]:
    """Write the label map and the confidence of an image; return its cells and how it was resized."""
    models, options = teacher.models, teacher.options
    image = read_model_image(models, file)
    size = options["diameter"]
    if size == "auto":
        size = image_diameter(
            models, image, precision=options["precision"], overlap=options["overlap"]
        )
    labels, confidence = segment_sure(models, image, teacher.gates, **{**options, "diameter": size})
    write_confidence(paths.confidence, confidence)
    write_labels(paths.labels, labels, read_pixel_size(file))  # last: then the image is finished
    return DecodedCells(labels, {}), scaling_of(models[0], size)


def _paths(work: Path, stem: str) -> PseudoLabels:
    return PseudoLabels(label_path(work, stem), confidence_path(work, stem))


def _count(work: Path, stem: str) -> tuple[int, int, int]:
    """Return the number of sure cells, of pixels that are not ignored, and of all pixels of an image."""
    labels, confidence = _paths(work, stem)
    used = read_confidence(confidence) != IGNORED
    cells = len(cell_ids(np.where(used, read_labels(labels), 0)))
    return cells, int(np.count_nonzero(used)), used.size
