"""Scoring a folder of predictions: one row per image and threshold, failures included."""

import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellbench.errors import InvalidLabelsError, LabelMapError, ScoresError
from cellbench.evaluation.cases import Case, find_cases
from cellbench.evaluation.cell_table import CELL_COLUMNS, cell_rows, centroids
from cellbench.evaluation.details import DETAIL_COLUMNS, image_details
from cellbench.evaluation.journal import Journal, Rows
from cellbench.evaluation.matching import check_threshold
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.parallel import results_as_they_come
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.evaluation.runtimes import rank_runtime_seconds, tolerance_seconds
from cellbench.evaluation.scoring import ImageScore, count_parts, score_parts
from cellbench.images import image_shape
from cellbench.labels.banded import BandedLabels, in_bands
from cellbench.labels.files import open_labels

if TYPE_CHECKING:
    import pandas as pd

_MEASURES = (
    "threshold", "true_cells", "predicted_cells", "tp", "fp", "fn", "precision", "recall", "f1",
    "dice",
)  # fmt: skip
COLUMNS = {
    "scores": (
        "algorithm", "image", "modality", "height", "width", *_MEASURES, "runtime_s", "tolerance_s",
        "rank_runtime_s", "status",
    ),
    "details": ("algorithm", "image", "modality", "status", *DETAIL_COLUMNS),
    "cells": ("algorithm", "image", "modality", *CELL_COLUMNS),
}  # fmt: skip
"""Columns of each table."""

_log = logging.getLogger(__name__)

Tables = dict[str, Rows]
"""Rows of the tables ``scores``, and where asked for ``details`` and ``cells``."""


def evaluate_folder(truth: str | Path, predictions: str | Path, **options: Any) -> "pd.DataFrame":
    """Score predicted label maps against the truth; see :func:`score_folder` for everything else.

    Returns:
        The table ``scores.csv``, one row per image and threshold, images in order of their stems.
    """
    import pandas as pd

    rows = score_folder(truth, predictions, **options)["scores"]
    return pd.DataFrame(rows, columns=list(COLUMNS["scores"]))


def score_folder(
    truth: str | Path,
    predictions: str | Path,
    *,
    algorithm: str | None = None,
    images: str | Path | None = None,
    manifest: str | Path | None = None,
    runtimes: str | Path | None = None,
    protocol: str = "neurips22",
    thresholds: Sequence[float] = (0.5,),
    tables: Sequence[str] = ("scores",),
    jobs: int = 1,
    scheduler: str | None = None,
    journal: str | Path | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Tables:
    """Score predicted label maps against the truth.

    Every image of the truth has its rows. One without a usable prediction scores F1 0 and an infinite
    rank runtime, and its ``status`` says why.

    Args:
        truth: folder of ``<stem>_label.tiff`` (also .tif, .png, .npy, .npz).
        predictions: folder of the same, with ``runtime.csv`` where times are known; or a run-length
            table ``id,predicted`` as of Kaggle.
        algorithm: the name in the tables; the name of the predictions unless given.
        images: folder of the images, each of which must have a truth; sizes are then theirs.
        manifest: CSV that names the modalities; ``manifest.csv`` of the truth's dataset unless given.
        runtimes: official CSV of running times; ``runtime.csv`` of the predictions unless given.
        protocol: the name of the scoring rules.
        thresholds: IoU thresholds in (0, 1].
        tables: ``scores``, ``details`` (one row per image, see
            :func:`cellbench.evaluation.details.image_details`) and ``cells`` (one row per scored cell, see
            :func:`cellbench.evaluation.cell_table.cell_rows`).
        jobs: processes that score at the same time.
        scheduler: address of a Dask cluster that scores instead; its workers see the same files.
        journal: file that keeps finished images until the caller has written the tables, so that
            a killed run goes on where it stopped.
        progress: called with how many images are done, and of how many.

    Returns:
        Rows by table; their columns are :data:`COLUMNS`. Images are in order of their stems.

    Raises:
        CellbenchError: if a folder is absent or empty, or a table or setting is not usable; if a truth
            is not usable, after all other images are scored.
    """
    rules = get_protocol(protocol)
    thresholds = list(dict.fromkeys(thresholds))
    for threshold in thresholds:
        check_threshold(threshold)
    folders = Path(truth), Path(predictions)
    if scheduler is not None:  # the workers have working directories of their own
        folders = folders[0].absolute(), folders[1].absolute()
        images = Path(images).absolute() if images is not None else None
    cases = find_cases(*folders, images, manifest, runtimes)
    book = Journal(Path(journal) if journal is not None else None)
    keys = [case.fingerprint(rules, thresholds, tables) for case in cases]
    todo = {key: case for key, case in zip(keys, cases, strict=True) if book.get(key) is None}
    each = math.ceil(len(todo) / max(1, jobs))
    score = _Scoring(rules, tuple(thresholds), tuple(tables), each)
    faults = []
    report = progress or _silent
    report(len(cases) - len(todo), len(cases))
    for done, (key, result) in enumerate(
        results_as_they_come(score, todo, jobs, scheduler), start=len(cases) - len(todo) + 1
    ):
        if isinstance(result, str):
            faults.append(result)
        else:
            book.add(key, result)
        report(done, len(cases))
    if faults:
        raise ScoresError(f"{faults[0]} ({len(faults)} truths cannot be used; the rest is scored)")
    name = algorithm or _name_of(Path(predictions))
    return {
        table: [{"algorithm": name} | row for key in keys for row in book.get(key)[table]]
        for table in tables
    }


def _silent(done: int, total: int) -> None:
    """Report nothing."""


def _name_of(predictions: Path) -> str:
    named = Path(os.path.abspath(predictions))  # noqa: PTH100  (a link has a name of its own)
    return named.name if named.is_dir() else named.stem


@dataclass(frozen=True)
class _Scoring:
    """What is done for every image, in whatever process: see :func:`score_folder`."""

    rules: Protocol
    thresholds: tuple[float, ...]
    tables: tuple[str, ...]
    images: int

    def __call__(self, case: Case) -> Tables | str:
        """Score one image; a truth that cannot be used is told instead."""
        try:
            truth = open_labels(case.truth)
            status, prediction, parts = self._count(case, truth)
        except LabelMapError as error:
            return str(error)
        height, width = image_shape(case.image) if case.image is not None else truth.shape
        about = {"image": case.stem, "modality": case.modality}
        made: Tables = {}
        if "scores" in self.tables:
            size = {"height": height, "width": width}
            times = _times(case, height, width, status) | {"status": status}
            scores = [_measures(score, status) for score in score_parts(parts, self.thresholds)]
            made["scores"] = [about | size | score | times for score in scores]
        if "details" in self.tables:
            details = image_details(parts) | ({} if status == "ok" else {"dice": 0.0})
            made["details"] = [about | {"status": status} | details]
        if "cells" in self.tables:
            tiles = self.rules.part_shape(truth.shape)
            places = [centroids(labels, tiles) for labels in (truth, prediction)]
            made["cells"] = [about | row for row in cell_rows(parts, *places)]
        return made

    def _count(self, case: Case, truth: BandedLabels) -> tuple[str, BandedLabels, list[Overlaps]]:
        """Count the overlaps with the prediction; where there is none to use, with an empty one.

        Raises:
            LabelMapError: if the truth cannot be used.
        """
        status, problem = case.status, ""
        if status == "ok":
            try:
                prediction = case.open_prediction(truth.shape)
                if prediction.shape == truth.shape:
                    parts = count_parts(truth, prediction, self.rules, self.images)
                    return "ok", prediction, parts
                status = "wrong-shape"
                problem = f"{prediction.source}: is {prediction.shape}, the truth is {truth.shape}"
            except LabelMapError as error:
                status = "invalid" if isinstance(error, InvalidLabelsError) else "unreadable"
                problem = str(error)
        nothing = in_bands(np.broadcast_to(np.uint8(0), truth.shape))
        parts = count_parts(truth, nothing, self.rules, self.images)
        if problem:
            _log.warning("%s; scored 0 as %s", problem, status)
        return status, nothing, parts


def _measures(score: ImageScore, status: str) -> dict[str, Any]:
    measures = {name: getattr(score, name) for name in _MEASURES}
    return measures if status == "ok" else measures | {"dice": 0.0}


def _times(case: Case, height: int, width: int, status: str) -> dict[str, float]:
    usable = status == "ok"
    return {
        "runtime_s": case.runtime if usable else math.nan,
        "tolerance_s": tolerance_seconds(height, width),
        "rank_runtime_s": (
            rank_runtime_seconds(case.runtime, height, width) if usable else math.inf
        ),
    }
