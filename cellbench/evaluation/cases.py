"""The images to score: the truth, the prediction, and what is known about each image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cellbench.data.folder import MANIFEST, read_modalities
from cellbench.errors import ScoresError
from cellbench.evaluation.listing import listed
from cellbench.evaluation.mask_files import MaskOptions, Masks, is_mask_file, read_masks
from cellbench.evaluation.prediction_checks import (
    check_any,
    warn_of_doubles,
    warn_of_missing,
    warn_of_unmatched,
    warn_of_unused_truths,
)
from cellbench.evaluation.predictions import IMAGE_FOLDERS, find_predictions
from cellbench.evaluation.runtimes import RUNTIME_FILE, read_runtimes
from cellbench.evaluation.seals import check_run
from cellbench.evaluation.statuses import Status, read_statuses
from cellbench.files import fingerprint, is_junk
from cellbench.images import image_files
from cellbench.labels.banded import BandedLabels
from cellbench.labels.files import label_files, open_labels
from cellbench.labels.names import match_stems

_TRUTH_FOLDERS = ("labels", "masks", "label", "mask")


@dataclass(frozen=True)
class Case:
    """One image to score.

    Attributes:
        stem: stem of the image.
        truth: file of the true label map.
        prediction: file of the predicted label map, or its cells in a file for all images; None if absent.
        image: file of the image, if its size has to be read from it.
        modality: modality of the image; empty if unknown.
        runtime: running time in seconds; NaN if unknown.
        status: what is known before the prediction is read.
    """

    stem: str
    truth: Path
    prediction: Path | Masks | None
    image: Path | None
    modality: str
    runtime: float
    status: Status

    def open_prediction(self, shape: tuple[int, int]) -> BandedLabels:
        """Open the predicted label map.

        Args:
            shape: (H, W) of the image, which a file for all images need not contain.

        Returns:
            The label map; its pixels are read later.

        Raises:
            LabelMapError: if it cannot be read or is not a label map.
        """
        if self.prediction is None or isinstance(self.prediction, Path):
            return open_labels(self.prediction or "")
        return self.prediction.open(shape)

    def fingerprint(self, *settings: object) -> str:
        """Return a key that changes when the files of this case, what is known about it or a setting do.

        Args:
            settings: everything else that the result depends on.
        """
        files = [self.truth, self.image]
        cells = ""
        if isinstance(self.prediction, Path):
            files.append(self.prediction)
        elif self.prediction is not None:
            cells = self.prediction.fingerprint()
        return fingerprint(files, cells, self.modality, self.runtime, self.status, *settings)


class Cases(NamedTuple):
    """What there is to score for an algorithm.

    Attributes:
        cases: one for each image of the truth, in order of the stems.
        unmatched: names of the files of predictions that fit no image.
    """

    cases: list[Case]
    unmatched: tuple[str, ...]


def find_cases(
    truth: Path,
    predictions: Path,
    images: str | Path | None = None,
    manifest: str | Path | None = None,
    runtimes: str | Path | None = None,
    masks: MaskOptions | None = None,
    *,
    need_predictions: bool = True,
) -> Cases:
    """List the images of the truth; a warning names predictions that belong to none of them.

    Args:
        truth: folder of true label maps, or a folder that contains it.
        predictions: folder of predicted label maps, or a run-length table or COCO results.
        images: folder of the images, if their sizes differ from those of the label maps.
        manifest: CSV with the modalities; by default the manifest of the truth's dataset.
        runtimes: CSV with running times; by default ``runtime.csv`` of the predictions.
        masks: how to read a run-length table or COCO results.
        need_predictions: whether it is an error if no prediction in a folder fits an image.

    Returns:
        The cases, and the files that fit no image.

    Raises:
        CellbenchError: if a folder is absent or empty, a table cannot be read, or no prediction fits an
            image.
    """
    truth, truths = find_truths(truth)
    warn_of_unused_truths(truth, truths, predictions)
    if predictions.is_dir():
        check_run(predictions, truths, times=runtimes is None)
    named, statuses, unmatched = _predictions_of(predictions, truths, masks, need_predictions)
    if need_predictions:
        warn_of_unmatched(predictions, unmatched, truths)
    pictures = _images_of(truths, images)
    listed_modalities = read_modalities(_manifest_of(truth, manifest), truth.resolve().parent.name)
    modalities = match_stems(truths, listed_modalities)
    times = match_stems(truths, _runtimes_of(predictions, runtimes))
    cases = [
        Case(
            stem=stem,
            truth=path,
            prediction=named.get(stem),
            image=pictures.get(stem),
            modality=modalities.get(stem, ""),
            runtime=times.get(stem, math.nan),
            status=_status(statuses.get(stem, Status.OK), stem in named),
        )
        for stem, path in truths.items()
    ]
    return Cases(cases, unmatched)


def find_truths(truth: Path) -> tuple[Path, dict[str, Path]]:
    """Find the true label maps in a folder, or in its folder ``labels`` or ``masks``.

    Args:
        truth: the folder.

    Returns:
        The folder that contains the label maps, and the label map of each image by stem.

    Raises:
        CellbenchError: if the folder is absent, has the name of a folder of images, or contains no label
            maps.
    """
    if truth.name.casefold() in IMAGE_FOLDERS:
        raise ScoresError(f"{truth}: is a folder of images; name the folder of their label maps")
    for folder in (truth, *(truth / name for name in _TRUTH_FOLDERS)):
        if (folder == truth or folder.is_dir()) and (truths := label_files(folder)):
            return folder, truths
    there = sorted(path.name + "/" * path.is_dir() for path in truth.iterdir())
    raise ScoresError(
        f"{truth}: contains no label maps named <image>_label.tiff or <image>.tif, found "
        f"{listed([name for name in there if not is_junk(name)]) or 'nothing'}; name the folder that "
        "contains the true label maps"
    )


def _status(ended: Status, found: bool) -> Status:
    """Return the status before scoring: the label map of a successful run may be gone by now."""
    return ended if found or ended is not Status.OK else Status.MISSING


def _predictions_of(
    predictions: Path, truths: Mapping[str, Path], masks: MaskOptions | None, need_predictions: bool
) -> tuple[Mapping[str, Path | Masks], dict[str, Status], tuple[str, ...]]:
    """Find the prediction of each image, the status of its run if known, and what fits no image."""
    if is_mask_file(predictions):
        return _masks_of(predictions, truths, masks)
    found = find_predictions(predictions, truths)
    if found.folder != predictions:
        check_run(found.folder, truths)
    statuses = match_stems(truths, read_statuses(predictions))
    if need_predictions:
        if not statuses:
            check_any(predictions, found, truths)
        warn_of_missing(found, truths, statuses)
    statuses |= dict.fromkeys(warn_of_doubles(found), Status.INVALID)
    return {stem: paths[0] for stem, paths in found.files.items()}, statuses, found.unmatched


def _masks_of(
    file: Path, truths: Mapping[str, Path], options: MaskOptions | None
) -> tuple[dict[str, Masks], dict[str, Status], tuple[str, ...]]:
    masks = read_masks(file, truths, options)
    names = match_stems(truths, {name: name for name in masks})
    unmatched = tuple(sorted(set(masks) - set(names.values())))
    return {stem: masks[name] for stem, name in names.items()}, {}, unmatched


def _images_of(truths: Mapping[str, Path], images: str | Path | None) -> dict[str, Path]:
    if images is None:
        return {}
    files = image_files(images)
    lacking = sorted(set(files) - set(match_stems(files, truths)))
    if lacking:
        raise ScoresError(
            f"{images}: {len(lacking)} images have no true label map, the first is {lacking[0]}; "
            "add their label maps or remove the images"
        )
    return match_stems(truths, files)


def _manifest_of(truth: Path, manifest: str | Path | None) -> Path:
    if manifest is None:
        return truth.resolve().parent.parent / MANIFEST
    if not Path(manifest).is_file():
        raise ScoresError(f"{manifest}: no such manifest; check the path")
    return Path(manifest)


def _runtimes_of(predictions: Path, runtimes: str | Path | None) -> dict[str, float]:
    if runtimes is None and not (predictions / RUNTIME_FILE).is_file():
        return {}
    return read_runtimes(runtimes if runtimes is not None else predictions / RUNTIME_FILE)
