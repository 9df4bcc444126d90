"""The part of ``cellbench evaluate`` that scores one algorithm after the other."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cellbench.commands.mask_options import mask_options
from cellbench.errors import ScoresError
from cellbench.evaluation.cases import find_truths
from cellbench.evaluation.folder import score_folder
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.mask_files import is_mask_file
from cellbench.evaluation.measures import Table
from cellbench.evaluation.prediction_checks import NoPredictionsError
from cellbench.evaluation.predictions import algorithm_folders
from cellbench.evaluation.rows import FolderResult

_log = logging.getLogger(__name__)


def score_algorithms(
    arguments: argparse.Namespace, tables: Sequence[Table], journal: Journal
) -> list[FolderResult]:
    """Score every algorithm; one without any prediction that fits does not stop the others.

    Args:
        arguments: the command line.
        tables: what to compute.
        journal: what earlier runs of the same command have scored already.

    Returns:
        The rows of each algorithm.

    Raises:
        CellbenchError: as [`cellbench.evaluation.folder.score_folder`][], also if no prediction of any
            algorithm fits an image.
    """
    algorithms = _algorithms(arguments.truth, arguments.predictions)
    if len(algorithms) > 1 and (arguments.algorithm or arguments.runtime):
        raise ScoresError(
            f"{arguments.predictions}: contains {len(algorithms)} algorithms, but --algorithm and "
            "--runtime apply to a single one; name one of the folders inside"
        )
    results: dict[Path, FolderResult] = {}
    problems: dict[Path, NoPredictionsError] = {}
    for predictions in algorithms:
        try:
            results[predictions] = _score_one(arguments, tables, predictions, journal)
        except NoPredictionsError as error:
            problems[predictions] = error
    if not results:
        raise next(iter(problems.values()))
    # One algorithm with other names does not keep the others from being scored.
    for predictions, problem in problems.items():
        _log.warning("%s; all of its images are scored 0 (status: missing)", problem)
        results[predictions] = _score_one(
            arguments, tables, predictions, journal, need_predictions=False
        )
    return [results[predictions] for predictions in algorithms]


def _score_one(
    arguments: argparse.Namespace,
    tables: Sequence[Table],
    predictions: Path,
    journal: Journal,
    *,
    need_predictions: bool = True,
) -> FolderResult:
    with tqdm(unit="image", desc=predictions.name, disable=None) as bar:
        return score_folder(
            arguments.truth,
            predictions,
            algorithm=arguments.algorithm,
            images=arguments.images,
            manifest=arguments.manifest,
            runtimes=arguments.runtime,
            protocol=arguments.protocol,
            thresholds=arguments.thresholds,
            tables=tables,
            jobs=arguments.jobs,
            scheduler=arguments.scheduler,
            journal=journal,
            progress=_Bar(bar),
            masks=mask_options(arguments),
            need_predictions=need_predictions,
        )


class _Bar:
    """Shows progress; images of an earlier run do not count for the rate."""

    def __init__(self, bar: "tqdm[Any]") -> None:
        self._bar = bar

    def __call__(self, done: int, total: int) -> None:
        if self._bar.total is None:
            self._bar.total, self._bar.initial, self._bar.n = total, done, done
        self._bar.update(done - self._bar.n)


def _algorithms(truth: Path, predictions: Path) -> list[Path]:
    """List what to score: a table or a folder with label maps itself, else the folders inside."""
    if predictions.is_file() and is_mask_file(predictions):
        return [predictions]
    if not predictions.exists():
        raise ScoresError(f"{predictions}: no such folder or file; check the path")
    if not predictions.is_dir():
        raise ScoresError(
            f"{predictions}: not a folder of predictions, a run-length table (.csv) or COCO results "
            "(.json); name a folder of label maps, or unpack the archive"
        )
    return algorithm_folders(predictions, find_truths(truth)[1])
