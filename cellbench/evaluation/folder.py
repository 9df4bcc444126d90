"""Scoring a folder of predictions: one row per image and threshold, failures included."""

import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.errors import ScoresError, UsageError
from cellbench.evaluation.cases import Case, find_cases
from cellbench.evaluation.cell_classes import CLASS_GROUPS
from cellbench.evaluation.class_counts import CLASS_COLUMNS
from cellbench.evaluation.image_scorer import ImageScorer, UnusableTruth
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.mask_files import MaskOptions
from cellbench.evaluation.matching import check_threshold
from cellbench.evaluation.measures import Table, measures_of
from cellbench.evaluation.parallel import results_as_they_come
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.evaluation.rows import FolderResult, ImageResult, columns
from cellbench.evaluation.run_order import warn_of_run_order

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], object]
"""Called with the number of images that are done and the number of all images."""


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
    scheduler: str | None = None,
    journal: str | Path | None = None,
    progress: Progress | None = None,
    masks: MaskOptions | None = None,
) -> "pd.DataFrame":
    """Score predicted label maps against the truth, as the table ``scores.csv``.

    Args:
        truth: folder of true label maps; see [`score_folder`][], also for the next ones.
        predictions: folder of predicted label maps, or a run-length table or COCO results.
        algorithm: name of the algorithm; by default the name of the predictions.
        images: folder of the images, if their sizes differ from those of the label maps.
        manifest: CSV with the modalities; by default the manifest of the truth's dataset.
        runtimes: CSV with running times; by default ``runtime.csv`` of the predictions.
        protocol: name of the scoring rules.
        thresholds: IoU thresholds, above 0 and at most 1.
        jobs: number of processes.
        scheduler: address of a Dask cluster that does the work instead.
        journal: file that lets a stopped run continue.
        progress: called with the numbers of images done and of all images.
        masks: how to read a run-length table or COCO results.

    Returns:
        One row per image of the truth and threshold, in order of the stems. An image without a usable
        prediction scores F1 0, and its ``status`` says why.

    Raises:
        CellbenchError: as [`score_folder`][].
    """
    import pandas as pd

    result = score_folder(
        truth,
        predictions,
        algorithm=algorithm,
        images=images,
        manifest=manifest,
        runtimes=runtimes,
        protocol=protocol,
        thresholds=thresholds,
        jobs=jobs,
        scheduler=scheduler,
        journal=journal,
        progress=progress,
        masks=masks,
    )
    for note in result.notes:
        _log.warning("%s", note)
    return pd.DataFrame(result.csv_rows(Table.SCORES), columns=list(columns(Table.SCORES)))


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
    tables: Sequence[str] = (Table.SCORES,),
    jobs: int = 1,
    scheduler: str | None = None,
    journal: str | Path | Journal | None = None,
    progress: Progress | None = None,
    masks: MaskOptions | None = None,
    need_predictions: bool = True,
) -> FolderResult:
    """Score predicted label maps against the truth, with details and cells if wanted.

    Args:
        truth: folder of label maps, named as [`cellbench.labels.names`][] says, for example
            ``<stem>_label.tiff`` or ``<stem>.png``.
        predictions: folder of the same, with ``runtime.csv`` if times are known; or a run-length
            table (.csv) with the columns ``id,predicted`` or ``ImageId,EncodedPixels``, as on Kaggle; or
            COCO results (.json).
        algorithm: name of the algorithm; by default the name of the predictions.
        images: folder of the images, all of which need a truth; sizes are then taken from them.
        manifest: CSV with the modalities; by default ``manifest.csv`` of the truth's dataset.
        runtimes: CSV with running times; by default ``runtime.csv`` of the predictions.
        protocol: name of the scoring rules.
        thresholds: IoU thresholds, above 0 and at most 1.
        tables: what to compute: ``scores``, ``details``, ``cells``.
        jobs: number of processes.
        scheduler: address of a Dask cluster that does the work instead; its workers need the files.
        journal: file with the images that are done, so that a stopped run continues where it stopped; or
            its journal, which is read only once if several folders are scored.
        progress: called with the numbers of images done and of all images.
        masks: how to read a run-length table or COCO results.
        need_predictions: whether it is an error if no prediction fits, instead of images being missing.

    Returns:
        The rows of each image, in order of the stems, and the files that fit no image.

    Raises:
        CellbenchError: if a folder is absent or empty, no prediction fits an image, or a table or option
            cannot be used; if a truth cannot be used, after all other images are scored.
    """
    scorer = _scorer(get_protocol(protocol), thresholds, tables)
    folders = Path(truth), Path(predictions)
    if scheduler is not None:  # the workers have working directories of their own
        folders = folders[0].absolute(), folders[1].absolute()
        images = Path(images).absolute() if images is not None else None
    cases, unmatched = find_cases(
        *folders, images, manifest, runtimes, masks, need_predictions=need_predictions
    )
    warn_of_run_order(folders[1], [(case.truth, case.prediction) for case in cases])
    book = journal if isinstance(journal, Journal) else Journal(journal)
    results = _results(scorer, cases, book, jobs, scheduler, progress or _silent)
    return FolderResult(algorithm or _name_of(Path(predictions)), tuple(results), unmatched)


def _scorer(rules: Protocol, thresholds: Sequence[float], tables: Sequence[str]) -> ImageScorer:
    for threshold in thresholds:
        check_threshold(threshold)
    unknown = [table for table in tables if table not in tuple(Table)]
    if unknown:
        raise UsageError(f"table {unknown[0]!r}: unknown; choose from {', '.join(Table)}")
    measures = {table: measures_of(table) for table in map(Table, tables)}
    return ImageScorer(rules, tuple(dict.fromkeys(thresholds)), measures)


def _results(
    scorer: ImageScorer,
    cases: Sequence[Case],
    book: Journal,
    jobs: int,
    scheduler: str | None,
    progress: Progress,
) -> list[ImageResult]:
    """Score the images that the journal does not have yet; return the results of all."""
    kept = {table: columns(table) for table in scorer.measures}, CLASS_GROUPS, CLASS_COLUMNS
    keys = [case.fingerprint(scorer.rules, scorer.thresholds, *kept) for case in cases]
    done = {key: ImageResult.from_json(kept) for key in keys if (kept := book.get(key)) is not None}
    todo = {key: case for key, case in zip(keys, cases, strict=True) if key not in done}
    problems = []
    before = len(cases) - len(todo)
    progress(before, len(cases))
    work = replace(scorer, images=math.ceil(len(todo) / max(1, jobs)))
    results = results_as_they_come(work, todo, jobs, scheduler)
    for count, (key, result) in enumerate(results, start=before + 1):
        if isinstance(result, UnusableTruth):
            problems.append(result.problem)
        else:
            done[key] = result
            book.add(key, result.as_json())
        progress(count, len(cases))
    if problems:
        raise ScoresError(_about_truths(problems))
    return [done[key] for key in keys]


def _about_truths(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return f"{problems[0]} (this truth cannot be used; all other images are scored)"
    return (
        f"{problems[0]} ({len(problems)} truths cannot be used, this is the first; "
        "all other images are scored)"
    )


def _silent(done: int, total: int) -> None:
    """Report nothing."""


def _name_of(predictions: Path) -> str:
    named = Path(os.path.abspath(predictions))  # noqa: PTH100  (a link keeps its own name)
    return named.name if named.is_dir() else named.stem
