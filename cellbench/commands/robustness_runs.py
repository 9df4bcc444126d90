"""The part of ``cellbench robustness`` that perturbs, segments and scores, one step at a time."""

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from cellbench.boards.robustness import write_robustness
from cellbench.boards.schema import UNCHANGED
from cellbench.data import perturb
from cellbench.data.folder import DatasetImage, labels_folder
from cellbench.data.perturb.dataset import folder_name, perturb_dataset
from cellbench.data.perturb.severities import KINDS, Kind
from cellbench.entrants.entries import Entry
from cellbench.entrants.run import Segmenter, program_key, started_entrant
from cellbench.entrants.sandbox import Sandbox
from cellbench.errors import DatasetError
from cellbench.evaluation.folder import score_folder
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.statuses import Status
from cellbench.files import fingerprint
from cellbench.labels import label_path
from cellbench.locks import locked_folder

_JOURNAL = ".robustness.journal"
_WORK = ".robustness"
_SPLIT = "test"
_log = logging.getLogger(__name__)

Step = tuple[Kind | None, int]
"""A kind and a severity; None and 0 for unchanged images."""
Scores = list[tuple[str, float]]
"""Stem and F1 of each image."""


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        data: the dataset folder.
        out: the folder of the tables.
        images: the images of its test split that have a label map.
        chosen: kinds and severities.
        seed: seed of the perturbations.
    """

    data: Path
    out: Path
    images: list[DatasetImage]
    chosen: Sequence[tuple[Kind, int]]
    seed: int

    @property
    def work(self) -> Path:
        """The folder of perturbed images and label maps, which is removed at the end."""
        return self.out / _WORK

    def key(self, program: str, step: Step) -> str:
        """Return a key that changes with everything that the scores of a step depend on.

        Args:
            program: the same for the entrant.
            step: kind and severity.
        """
        kind, severity = step
        files = [path for each in self.images for path in (each.image, each.labels)]
        code = sorted(Path(perturb.__file__).parent.glob("*.py"))
        name = kind.name if kind else UNCHANGED
        return fingerprint([*files, *code], program, name, severity, self.seed)


def measure(
    plan: Plan, entries: Sequence[tuple[Entry, Path]], sandboxes: Sequence[Sandbox]
) -> pd.DataFrame:
    """Run all entrants on all kinds and severities and write the tables after each entrant.

    Kinds and severities that an earlier run has finished without a failure are not run again, and are in
    the tables also if this run does not ask for them.

    Args:
        plan: what is measured.
        entries: the entrants with their folders.
        sandboxes: how each of them is started.

    Returns:
        The summary of all entrants, see [`cellbench.boards.robustness.summarise`][].

    Raises:
        CellbenchError: if a file cannot be read or written, or another process measures in this folder.
    """
    journal = Journal(plan.out / _JOURNAL)
    rows: list[dict[str, object]] = []
    with locked_folder(plan.work, DatasetError):
        try:
            for (entry, folder), sandbox in zip(entries, sandboxes, strict=True):
                scores = _measure_entrant(plan, entry, folder, sandbox, journal)
                rows += _rows(entry.name, scores)
                summary = write_robustness(plan.out, rows)
        finally:
            shutil.rmtree(plan.work, ignore_errors=True)
    return summary


def _measure_entrant(
    plan: Plan, entry: Entry, folder: Path, sandbox: Sandbox, journal: Journal
) -> dict[Step, Scores]:
    """Return the scores of every step that is asked for, and of all others that are known."""
    program = program_key(entry, folder, sandbox)
    keys = {step: plan.key(program, step) for step in _all_steps()}
    found = {step: known for step, key in keys.items() if _are_scores(known := journal.get(key))}
    missing = [step for step in ((None, 0), *plan.chosen) if step not in found]
    if missing:
        predictions = plan.work / "predictions" / entry.name
        with (
            started_entrant(entry, folder, plan.images, predictions, sandbox) as segmenter,
            tqdm(missing, desc=entry.name, unit="step", disable=None) as bar,
        ):
            for step in bar:
                found[step], failed = _run_step(plan, step, segmenter, predictions)
                if not failed:
                    journal.add(keys[step], found[step])
    return {step: found[step] for step in keys if step in found}


def _are_scores(known: object) -> bool:
    """Return whether an entry of the journal is what `_run_step` returned: names and F1."""
    return isinstance(known, list) and all(
        isinstance(each, list | tuple)
        and len(each) == 2
        and isinstance(each[1], int | float)
        and 0 <= each[1] <= 1
        for each in known
    )


def _all_steps() -> Iterator[Step]:
    yield None, 0
    for kind in KINDS.values():
        for place in range(len(kind.strengths)):
            yield kind, place + 1


def _run_step(
    plan: Plan, step: Step, segmenter: Segmenter, predictions: Path
) -> tuple[Scores, bool]:
    """Perturb, segment and score; return the scores, and whether an image failed."""
    kind, severity = step
    if kind is None:
        return _score(plan.data, plan.images, segmenter, predictions, UNCHANGED)
    folder = plan.work / "images"
    shutil.rmtree(folder, ignore_errors=True)
    report = perturb_dataset(
        plan.data, folder, kind, severity, seed=plan.seed, splits=[_SPLIT], progress=False
    )
    images = [image for image in report.images if image.labels is not None]
    try:
        return _score(folder, images, segmenter, predictions, folder_name(kind, severity))
    finally:
        shutil.rmtree(folder)


def _score(
    root: Path, images: list[DatasetImage], segmenter: Segmenter, predictions: Path, name: str
) -> tuple[Scores, bool]:
    failed = []
    for image in images:
        taken = segmenter.segment(image)
        if taken.status is not Status.OK:
            failed.append(f"{image.stem}: {taken.status} {taken.message}".strip())
    truth = labels_folder(root, _SPLIT)
    assert truth is not None, "each of the images has a label map"
    result = score_folder(truth, predictions, need_predictions=False)
    f1 = {row.image: row.measures["f1"] for row in result.scores}
    for image in images:  # the next step must not find them
        label_path(predictions, image.stem).unlink(missing_ok=True)
    if failed:
        what = f"{len(failed)} of {len(images)} images failed"
        _log.warning("%s, %s: %s; %s", predictions.name, name, what, failed[0])
    return [(image.stem, f1[image.stem]) for image in images], bool(failed)


def _rows(algorithm: str, scores: dict[Step, Scores]) -> Iterator[dict[str, object]]:
    for (kind, severity), images in scores.items():
        step = {"kind": kind.name if kind else UNCHANGED, "severity": severity}
        for image, f1 in images:
            yield {"algorithm": algorithm, **step, "image": image, "f1": f1}
