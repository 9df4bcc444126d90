"""Scoring a folder of predictions: one row per image and threshold, failures included."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellbench.data.folder import MANIFEST, match_stems, read_modalities
from cellbench.errors import InvalidLabelsError, LabelMapError, ScoresError
from cellbench.evaluation.journal import Journal, Rows
from cellbench.evaluation.parallel import results_as_they_come
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.runtimes import (
    RUNTIME_FILE,
    rank_runtime_seconds,
    read_runtimes,
    tolerance_seconds,
)
from cellbench.evaluation.scoring import ImageScore, score_image
from cellbench.evaluation.statuses import read_statuses
from cellbench.files import fingerprint
from cellbench.images import image_files, image_shape
from cellbench.labels import LabelMap, label_files, read_labels

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "algorithm", "image", "modality", "height", "width", "threshold", "true_cells",
    "predicted_cells", "tp", "fp", "fn", "precision", "recall", "f1", "dice", "runtime_s",
    "tolerance_s", "rank_runtime_s", "status",
)  # fmt: skip
_MEASURES = (
    "threshold", "true_cells", "predicted_cells", "tp", "fp", "fn", "precision", "recall", "f1",
    "dice",
)  # fmt: skip

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Case:
    """One image to score."""

    stem: str
    truth: Path
    prediction: Path | None
    image: Path | None
    modality: str
    runtime: float
    status: str


def evaluate_folder(
    truth: str | Path,
    predictions: str | Path,
    *,
    algorithm: str | None = None,
    images: str | Path | None = None,
    manifest: str | Path | None = None,
    runtimes: str | Path | None = None,
    protocol: str = "neurips22",
    thresholds: Sequence[float] = (0.5,),
    jobs: int = 1,
    journal: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> "pd.DataFrame":
    """Score a folder of predicted label maps against the truth.

    Every image of the truth has its rows. One without a usable prediction scores F1 0 and an infinite
    rank runtime, and its ``status`` says why.

    Args:
        truth: folder of ``<stem>_label.tiff``.
        predictions: folder of ``<stem>_label.tiff``, with ``runtime.csv`` where times are known.
        algorithm: the name in the table; the name of the predictions folder unless given.
        images: folder of the images, each of which must have a truth; sizes are then theirs.
        manifest: CSV that names the modalities; ``manifest.csv`` of the truth's dataset unless given.
        runtimes: official CSV of running times; ``runtime.csv`` of the predictions unless given.
        protocol: the name of the scoring rules.
        thresholds: IoU thresholds in (0, 1].
        jobs: processes that score at the same time.
        journal: file that keeps finished images until the caller has written the table, so that
            a killed run goes on where it stopped.
        progress: called with how many images were done since the last call.

    Returns:
        The table ``scores.csv``, one row per image and threshold, images in order of their stems.

    Raises:
        CellbenchError: if a folder is absent or empty, or a truth, table or setting is not usable.
    """
    get_protocol(protocol)
    thresholds = list(dict.fromkeys(thresholds))
    cases = _find_cases(Path(truth), Path(predictions), images, manifest, runtimes)
    score = partial(_score_case, protocol=protocol, thresholds=tuple(thresholds))
    book = Journal(Path(journal) if journal is not None else None)
    keys = [_key(case, protocol, thresholds) for case in cases]
    todo = {key: case for key, case in zip(keys, cases, strict=True) if book.get(key) is None}
    if progress is not None and len(todo) < len(keys):
        progress(len(keys) - len(todo))
    for key, rows in results_as_they_come(score, todo, jobs):
        book.add(key, rows)
        if progress is not None:
            progress(1)
    scored = [row for key in keys for row in book.get(key) or []]
    return _table(algorithm or Path(predictions).resolve().name, scored)


def _find_cases(
    truth: Path,
    predictions: Path,
    images: str | Path | None,
    manifest: str | Path | None,
    runtimes: str | Path | None,
) -> list[_Case]:
    truths = label_files(truth)
    if not truths:
        raise ScoresError(f"{truth}: holds no label maps named <stem>_label.tiff")
    files = label_files(predictions)
    found = match_stems(truths, files)
    unused = [path.name for path in files.values() if path not in found.values()]
    if unused:
        _log.warning("%s: %d predictions have no truth: %s", predictions, len(unused), unused[:3])
    pictures = _images_of(truths, images)
    listed = read_modalities(_manifest_of(truth, manifest), truth.resolve().parent.name)
    modalities = match_stems(truths, listed)
    times = match_stems(truths, _runtimes_of(predictions, runtimes))
    statuses = match_stems(truths, read_statuses(predictions))
    return [
        _Case(
            stem=stem,
            truth=path,
            prediction=found.get(stem),
            image=pictures.get(stem),
            modality=modalities.get(stem, ""),
            runtime=times.get(stem, math.nan),
            status=statuses.get(stem, "ok"),
        )
        for stem, path in truths.items()
    ]


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


def _key(case: _Case, protocol: str, thresholds: Sequence[float]) -> str:
    files = [case.truth, case.prediction, case.image]
    return fingerprint(
        files, case.modality, case.runtime, case.status, get_protocol(protocol), list(thresholds)
    )


def _score_case(case: _Case, *, protocol: str, thresholds: Sequence[float]) -> Rows:
    truth = read_labels(case.truth)
    height, width = image_shape(case.image) if case.image is not None else truth.shape
    status, prediction = _usable_prediction(case, truth)
    scores = score_image(truth, prediction, protocol=protocol, thresholds=thresholds)
    usable = status == "ok"
    times = {
        "runtime_s": case.runtime if usable else math.nan,
        "tolerance_s": tolerance_seconds(height, width),
        "rank_runtime_s": (
            rank_runtime_seconds(case.runtime, height, width) if usable else math.inf
        ),
    }
    about = {"image": case.stem, "modality": case.modality, "height": height, "width": width}
    return [about | _measures(score, usable) | times | {"status": status} for score in scores]


def _usable_prediction(case: _Case, truth: LabelMap) -> tuple[str, LabelMap]:
    """Read the prediction; where there is none to use, say why and give an empty map."""
    status, prediction = case.status, np.zeros_like(truth)
    if status == "ok" and case.prediction is None:
        status = "missing"
    if status != "ok" or case.prediction is None:
        return status, prediction
    try:
        read = read_labels(case.prediction)
    except InvalidLabelsError as error:
        status = _reported("invalid", error)
    except LabelMapError as error:
        status = _reported("unreadable", error)
    else:
        if read.shape == truth.shape:
            return "ok", read
        problem = f"{case.prediction}: is {read.shape}, the truth is {truth.shape}"
        status = _reported("wrong-shape", problem)
    return status, prediction


def _reported(status: str, problem: object) -> str:
    _log.warning("%s; scored 0 as %s", problem, status)
    return status


def _measures(score: ImageScore, usable: bool) -> dict[str, Any]:
    measures = {name: getattr(score, name) for name in _MEASURES}
    return measures if usable else measures | {"dice": 0.0}


def _table(algorithm: str, rows: Rows) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame(rows)
    table.insert(0, "algorithm", algorithm)
    return table[list(COLUMNS)]
