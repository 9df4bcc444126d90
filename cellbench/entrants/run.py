"""Timed runs of entrants, one image at a time, as the challenge's cellseg_time_eval.py runs them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cellbench
from cellbench.data.folder import DatasetImage, match_stems
from cellbench.entrants.entries import Entry, write_algorithm
from cellbench.entrants.process import NOT_STARTED, Finished, run_program
from cellbench.errors import EntrantError, ImageError, LabelMapError
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.runtimes import (
    RUNTIME_FILE,
    rank_runtime_seconds,
    tolerance_seconds,
    write_runtimes,
)
from cellbench.evaluation.statuses import RESOURCES_FILE
from cellbench.files import fingerprint, write_rows
from cellbench.images import image_shape
from cellbench.labels import label_files, label_path

RESOURCE_COLUMNS = (
    "image", "status", "wall_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb", "exit_code", "message",
)  # fmt: skip

Row = dict[str, Any]

_SOURCES = (".py", ".sh", ".yaml", ".yml", ".json", ".toml", ".r", ".R", ".m", ".jl", ".java")
_SCRATCH = ".run-"


def run_entrant(
    entry: Entry,
    folder: Path,
    images: list[DatasetImage],
    out: Path,
    progress: Callable[[int], object] | None = None,
) -> list[Row]:
    """Run an entrant on each image separately, timed from the program's start to its end.

    Label maps, ``runtime.csv``, ``resources.csv`` and the entry's description go to ``out``. Successful
    results of an earlier run with the same entry, program and image are kept; all others are made again.

    Args:
        entry: the entrant to run.
        folder: the folder of its ``entry.yaml``, in which its command runs.
        images: the images to segment.
        out: the predictions folder.
        progress: function that is called with 1 after each image.

    Returns:
        The rows of ``resources.csv``, one per image; where the entrant fails, the row's status says so.

    Raises:
        EntrantError: if the entrant is a container, or its setup fails.
    """
    if entry.command is None:
        raise EntrantError(
            f"{folder}: {entry.name} has a container `image`, which this version cannot run; "
            "give it a `command` instead"
        )
    out.mkdir(parents=True, exist_ok=True)
    write_algorithm(entry, out)
    journal = Journal(out / ".journal")
    _set_up(entry, folder, journal)
    program = _program_files(entry, folder)
    keys = {
        image.stem: fingerprint([image.image, *program], entry.model_dump_json())
        for image in images
    }
    rows = _kept_rows(keys, journal, out)
    _write_tables(rows, images, out)
    for image in images:
        if image.stem not in rows:
            rows[image.stem] = _run_image(entry, folder, image, out)
            journal.add(keys[image.stem], [rows[image.stem]])
            _write_tables(rows, images, out)
        if progress is not None:
            progress(1)
    return [rows[image.stem] for image in images]


def _set_up(entry: Entry, folder: Path, journal: Journal) -> None:
    key = fingerprint([], "setup", entry.setup, folder.resolve())
    if entry.setup is None or journal.get(key) is not None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        ended = run_program(entry.setup, folder, Path(scratch) / "log")
    if ended.exit_code:
        raise EntrantError(
            f"{folder}: the `setup` command of {entry.name} failed: {ended.message}; "
            "correct it and run again"
        )
    journal.add(key, [])


def _program_files(entry: Entry, folder: Path) -> list[Path]:
    """List the files whose change makes the results of an earlier run invalid.

    These are the sources in the entry's folder, the files that its command names, and cellbench itself,
    which runs trained models and may be used by baselines.
    """
    package = Path(cellbench.__file__).parent
    sources = [
        path
        for root in (folder, package)
        for path in root.rglob("*")
        if path.suffix in _SOURCES and "__pycache__" not in path.parts
    ]
    values = [word.partition("=")[2] or word for word in entry.command or [] if "{" not in word]
    return sorted(sources) + [folder / value for value in values]


def _kept_rows(keys: Mapping[str, str], journal: Journal, out: Path) -> dict[str, Row]:
    """Return the rows of earlier successes; remove the label maps and folders that failed runs left."""
    kept: dict[str, Row] = {}
    for stem, key in keys.items():
        known, labels = journal.get(key), label_path(out, stem)
        if known and known[0]["status"] == "ok" and labels.is_file():
            kept[stem] = known[0]
        else:
            labels.unlink(missing_ok=True)
    for left_over in out.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    return kept


def _run_image(entry: Entry, folder: Path, image: DatasetImage, out: Path) -> Row:
    with tempfile.TemporaryDirectory(dir=out, prefix=_SCRATCH) as name:
        inputs, outputs = Path(name) / "inputs", Path(name) / "outputs"
        inputs.mkdir()
        outputs.mkdir()
        try:
            limit = entry.timeout_factor * tolerance_seconds(*image_shape(image.image))
            _place(image.image, inputs / image.image.name)
        except (ImageError, OSError) as error:
            ended, status = Finished(0.0, 0.0, 0.0, NOT_STARTED, False, str(error)), "failed"
        else:
            places = {"inputs": str(inputs.resolve()), "outputs": str(outputs.resolve())}
            command = [_fill(word, places) for word in entry.command or []]
            ended = run_program(command, folder, Path(name) / "log", limit)
            status = _take(ended, outputs, image.stem, label_path(out, image.stem))
    resources = {key: value for key, value in asdict(ended).items() if key in RESOURCE_COLUMNS}
    return {"image": image.stem, "status": status, "peak_gpu_mb": "", **resources}


def _fill(word: str, places: dict[str, str]) -> str:
    """Replace ``{inputs}`` and ``{outputs}`` by the folders; other braces stay."""
    for name, path in places.items():
        word = word.replace(f"{{{name}}}", path)
    return word


def _take(ended: Finished, outputs: Path, stem: str, target: Path) -> str:
    """Move the label map to ``target`` and return the status.

    The label map may also be named as the official scripts name it.
    """
    if ended.timed_out:
        return "timeout"
    if ended.exit_code != 0:
        return "failed"
    try:
        labels = match_stems([stem], label_files(outputs)).get(stem)
    except LabelMapError:  # the program removed the folder, or wrote two files for the image
        labels = None
    if labels is None or labels.is_symlink() or labels.suffix.lower() not in (".tif", ".tiff"):
        return "missing"
    labels.replace(target)
    return "ok"


def _place(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a link cannot lead to another file system
        shutil.copyfile(source, target)


def _write_tables(rows: Mapping[str, Row], images: list[DatasetImage], out: Path) -> None:
    done = [(image, rows[image.stem]) for image in images if image.stem in rows]
    write_rows(out / RESOURCES_FILE, RESOURCE_COLUMNS, [row for _, row in done])
    times = [
        (
            image.image.name,
            row["wall_s"],
            rank_runtime_seconds(row["wall_s"], *image_shape(image.image)),
        )
        for image, row in done
        if row["status"] == "ok"
    ]
    write_runtimes(out / RUNTIME_FILE, times)
