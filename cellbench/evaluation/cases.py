"""The images to score: the truth, the prediction, and what is known about each image."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cellbench.data.folder import MANIFEST, read_modalities
from cellbench.errors import ScoresError
from cellbench.evaluation.mask_files import MaskOptions, Masks, is_mask_file, read_masks
from cellbench.evaluation.runtimes import RUNTIME_FILE, read_runtimes
from cellbench.evaluation.seals import check_run
from cellbench.evaluation.statuses import Status, read_statuses
from cellbench.files import fingerprint
from cellbench.images import image_files
from cellbench.labels.banded import BandedLabels
from cellbench.labels.files import all_label_files, label_files, open_labels
from cellbench.labels.names import match_stems

_log = logging.getLogger(__name__)


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


def find_cases(
    truth: Path,
    predictions: Path,
    images: str | Path | None = None,
    manifest: str | Path | None = None,
    runtimes: str | Path | None = None,
    masks: MaskOptions | None = None,
) -> list[Case]:
    """List the images of the truth; a warning names predictions that belong to none of them.

    Args:
        truth: folder of true label maps.
        predictions: folder of predicted label maps, or a run-length table or COCO results.
        images: folder of the images, if their sizes differ from those of the label maps.
        manifest: CSV with the modalities; by default the manifest of the truth's dataset.
        runtimes: CSV with running times; by default ``runtime.csv`` of the predictions.
        masks: how to read a run-length table or COCO results.

    Returns:
        One case for each image, in order of the stems.

    Raises:
        CellbenchError: if a folder is absent or empty, or a table cannot be read.
    """
    truths = label_files(truth)
    if not truths:
        raise ScoresError(f"{truth}: contains no label maps named <stem>_label.tiff")
    if predictions.is_dir():
        check_run(predictions, times=runtimes is None)
    named, statuses = _predictions_of(predictions, truths, masks)
    names = match_stems(truths, {name: name for name in named})
    unused = sorted(set(named) - set(names.values()))
    if unused:
        _log.warning(
            "%s: %d predictions have no true label map and are not scored, the first is %s",
            predictions,
            len(unused),
            unused[0],
        )
    pictures = _images_of(truths, images)
    listed = read_modalities(_manifest_of(truth, manifest), truth.resolve().parent.name)
    modalities = match_stems(truths, listed)
    times = match_stems(truths, _runtimes_of(predictions, runtimes))
    endings = match_stems(truths, statuses)
    return [
        Case(
            stem=stem,
            truth=path,
            prediction=named[names[stem]] if stem in names else None,
            image=pictures.get(stem),
            modality=modalities.get(stem, ""),
            runtime=times.get(stem, math.nan),
            status=_status(endings.get(stem, Status.OK), stem in names),
        )
        for stem, path in truths.items()
    ]


def _status(ended: Status, found: bool) -> Status:
    """Return the status before scoring: the label map of a successful run may be gone by now."""
    return ended if found or ended is not Status.OK else Status.MISSING


def _predictions_of(
    predictions: Path, truths: Mapping[str, Path], masks: MaskOptions | None
) -> tuple[Mapping[str, Path | Masks], dict[str, Status]]:
    """Find the predictions by name, and the status of each run if it is known."""
    if is_mask_file(predictions):
        return read_masks(predictions, truths, masks), {}
    statuses = read_statuses(predictions)
    named: dict[str, Path] = {}
    for name, paths in all_label_files(predictions).items():
        named[name] = paths[0]
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths[:2])
            _log.warning(
                "%s: contains both %s; scored 0 (status: invalid), remove one of them",
                predictions,
                both,
            )
            statuses[name] = Status.INVALID
    return named, statuses


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
