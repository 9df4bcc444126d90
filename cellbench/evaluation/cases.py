"""The images to score: each with its truth, its prediction, and what is known about it."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cellbench.data.folder import MANIFEST, match_stems, read_modalities
from cellbench.errors import ScoresError
from cellbench.evaluation.masks import MaskRows, read_mask_table
from cellbench.evaluation.runtimes import RUNTIME_FILE, read_runtimes
from cellbench.evaluation.statuses import read_statuses
from cellbench.files import fingerprint
from cellbench.images import image_files
from cellbench.labels.banded import BandedLabels
from cellbench.labels.files import all_label_files, label_files, open_labels

MASK_TABLE = ".csv"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """One image to score.

    Attributes:
        stem: of the image.
        truth: its label map.
        prediction: a label map's file, its rows of a run-length table, or None where there is none.
        image: the image itself, where its size is to be read from it.
        modality: of the image; empty where unknown.
        runtime: seconds, NaN where unknown.
        status: ``ok``, or why the prediction cannot be used whatever it is.
    """

    stem: str
    truth: Path
    prediction: Path | MaskRows | None
    image: Path | None
    modality: str
    runtime: float
    status: str

    def open_prediction(self, shape: tuple[int, int]) -> BandedLabels:
        """Open the prediction for an image of this shape.

        Raises:
            LabelMapError: if it is unreadable or no label map.
        """
        if isinstance(self.prediction, MaskRows):
            return self.prediction.open(shape)
        return open_labels(self.prediction or "")

    def fingerprint(self, *settings: object) -> str:
        """Give a key that changes with the case's files, with what is known of it, and the settings."""
        files = [self.truth, self.image]
        rows = self.prediction.fingerprint() if isinstance(self.prediction, MaskRows) else ""
        if isinstance(self.prediction, Path):
            files.append(self.prediction)
        return fingerprint(files, rows, self.modality, self.runtime, self.status, *settings)


def find_cases(
    truth: Path,
    predictions: Path,
    images: str | Path | None = None,
    manifest: str | Path | None = None,
    runtimes: str | Path | None = None,
) -> list[Case]:
    """List the images of the truth in order of their stems; predictions of no image go to the log.

    The arguments are those of :func:`cellbench.evaluation.score_folder`.

    Raises:
        CellbenchError: if a folder is absent or empty, or a table cannot be read.
    """
    truths = label_files(truth)
    if not truths:
        raise ScoresError(f"{truth}: holds no label maps named <stem>_label.tiff")
    named, statuses = _predictions_of(predictions)
    names = match_stems(truths, {name: name for name in named})
    unused = sorted(set(named) - set(names.values()))
    if unused:
        _log.warning("%s: %d predictions have no truth: %s", predictions, len(unused), unused[:3])
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
            status=_status(endings.get(stem, "ok"), stem in names),
        )
        for stem, path in truths.items()
    ]


def _status(ended: str, found: bool) -> str:
    """Give the status before scoring: a run that went well may have lost its label map since."""
    return ended if found or ended != "ok" else "missing"


def _predictions_of(predictions: Path) -> tuple[dict[str, Path | MaskRows], dict[str, str]]:
    """Find the predictions by name, and how the run of each ended where that is known."""
    if predictions.suffix.lower() == MASK_TABLE and not predictions.is_dir():
        return dict(read_mask_table(predictions)), {}
    statuses = read_statuses(predictions)
    named: dict[str, Path | MaskRows] = {}
    for name, paths in all_label_files(predictions).items():
        named[name] = paths[0]
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths[:2])
            _log.warning("%s: holds %s; scored 0 as invalid, remove one", predictions, both)
            statuses[name] = "invalid"
    return named, statuses


def _images_of(truths: Mapping[str, Path], images: str | Path | None) -> dict[str, Path]:
    if images is None:
        return {}
    files = image_files(images)
    lacking = sorted(set(files) - set(match_stems(files, truths)))
    if lacking:
        raise ScoresError(f"{images}: {len(lacking)} images have no truth, first {lacking[0]}")
    return match_stems(truths, files)


def _manifest_of(truth: Path, manifest: str | Path | None) -> Path:
    if manifest is None:
        return truth.resolve().parent.parent / MANIFEST
    if not Path(manifest).is_file():
        raise ScoresError(f"{manifest}: no such manifest")
    return Path(manifest)


def _runtimes_of(predictions: Path, runtimes: str | Path | None) -> dict[str, float]:
    if runtimes is None and not (predictions / RUNTIME_FILE).is_file():
        return {}
    return read_runtimes(runtimes if runtimes is not None else predictions / RUNTIME_FILE)
