"""Timed runs of entrants, one image at a time, as the challenge's cellseg_time_eval.py does."""

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
    """Run an entrant on each image alone, timed from its start to its end.

    Label maps, ``runtime.csv``, ``resources.csv`` and what the entry tells of itself go to ``out``. What
    an earlier run of the same entry, program and image did well is kept; the rest is done again.

    Args:
        entry: what to run.
        folder: the entry's folder, in which its command runs.
        images: what to run it on.
        out: the predictions folder.
        progress: called with 1 after each image.

    Returns:
        The rows of ``resources.csv``; an entrant's failures are rows, not errors.

    Raises:
        EntrantError: if it is a container, or its setup fails.
    """
    if entry.command is None:
        raise EntrantError(f"{folder}: {entry.name} is a container; this version runs commands")
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
        raise EntrantError(f"{folder}: the setup of {entry.name} failed ({ended.message})")
    journal.add(key, [])


def _program_files(entry: Entry, folder: Path) -> list[Path]:
    """List the files whose change makes an earlier run void.

    They are the sources in the entry's folder, what its command names, and cellbench itself, which
    runs trained models and on which baselines may build.
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
    """Keep what went well before; remove label maps and folders of whatever did not."""
    kept: dict[str, Row] = {}
    for stem, key in keys.items():
        known, made = journal.get(key), label_path(out, stem)
        if known and known[0]["status"] == "ok" and made.is_file():
            kept[stem] = known[0]
        else:
            made.unlink(missing_ok=True)
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
    """Put the folders in; other braces stay as they are."""
    for name, path in places.items():
        word = word.replace(f"{{{name}}}", path)
    return word


def _take(ended: Finished, outputs: Path, stem: str, target: Path) -> str:
    """Take the label map over, also one named as the official scripts do, and give the status."""
    if ended.timed_out:
        return "timeout"
    if ended.exit_code != 0:
        return "failed"
    try:
        made = match_stems([stem], label_files(outputs)).get(stem)
    except LabelMapError:  # no folder any more, or two files for the image
        made = None
    if made is None or made.is_symlink() or made.suffix.lower() not in (".tif", ".tiff"):
        return "missing"
    made.replace(target)
    return "ok"


def _place(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
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
