"""Timed runs of entrants, one image at a time, as the challenge's cellseg_time_eval.py does."""

import csv
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cellbench import __version__
from cellbench.data.folder import DatasetImage
from cellbench.errors import EntrantError
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.runtimes import RUNTIME_FILE, rank_runtime_seconds, tolerance_seconds
from cellbench.evaluation.statuses import RESOURCES_FILE
from cellbench.files import fingerprint, written_whole
from cellbench.images import image_shape
from cellbench.inference.entrants import Entry
from cellbench.inference.process import Finished, run_program
from cellbench.inference.segment import write_runtimes
from cellbench.labels import label_path

RESOURCE_COLUMNS = (
    "image", "status", "wall_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb", "exit_code", "message",
)  # fmt: skip

Row = dict[str, Any]


def run_entrant(
    entry: Entry,
    folder: Path,
    images: list[DatasetImage],
    out: Path,
    progress: Callable[[int], object] | None = None,
) -> list[Row]:
    """Run an entrant on each image alone, timed from its start to its end.

    Label maps, ``runtime.csv`` and ``resources.csv`` go to ``out``. Images that an earlier run
    finished with the same entry, program files and image are not run again.

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
    journal = Journal(out / ".journal")
    _set_up(entry, folder, journal)
    rows: list[Row] = []
    for image in images:
        key = _key(entry, folder, image)
        known = journal.get(key)
        if known is None or not _is_whole(known[0], out):
            known = [_run_image(entry, folder, image, out)]
            journal.add(key, known)
        rows.append(known[0])
        _write_tables(rows, images, out)
        if progress is not None:
            progress(1)
    return rows


def _set_up(entry: Entry, folder: Path, journal: Journal) -> None:
    key = fingerprint([], "setup", entry.setup, folder.resolve())
    if entry.setup is None or journal.get(key) is not None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        ended = run_program(entry.setup, folder, Path(scratch) / "log")
    if ended.exit_code:
        raise EntrantError(f"{folder}: the setup of {entry.name} failed ({ended.message})")
    journal.add(key, [])


def _key(entry: Entry, folder: Path, image: DatasetImage) -> str:
    words = [folder / word for word in entry.command or [] if "{" not in word]
    return fingerprint([image.image, *words], entry.model_dump_json(), __version__)


def _is_whole(row: Row, out: Path) -> bool:
    return row["status"] != "ok" or label_path(out, row["image"]).is_file()


def _run_image(entry: Entry, folder: Path, image: DatasetImage, out: Path) -> Row:
    target = label_path(out, image.stem)
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".run-") as name:
        inputs, outputs = Path(name) / "inputs", Path(name) / "outputs"
        inputs.mkdir()
        outputs.mkdir()
        _place(image.image, inputs / image.image.name)
        places = {"inputs": str(inputs.resolve()), "outputs": str(outputs.resolve())}
        command = [_fill(word, places) for word in entry.command or []]
        limit = entry.timeout_factor * tolerance_seconds(*image_shape(image.image))
        try:
            ended = run_program(command, folder, Path(name) / "log", limit)
        except OSError as error:
            ended = Finished(0.0, 0.0, 0.0, 127, False, f"cannot be started: {error}")
        made = label_path(outputs, image.stem)
        status = _status(ended, made)
        if status == "ok":
            made.replace(target)
    resources = {key: value for key, value in asdict(ended).items() if key in RESOURCE_COLUMNS}
    return {"image": image.stem, "status": status, "peak_gpu_mb": "", **resources}


def _fill(word: str, places: dict[str, str]) -> str:
    """Put the folders in; other braces stay as they are."""
    for name, path in places.items():
        word = word.replace(f"{{{name}}}", path)
    return word


def _status(ended: Finished, made: Path) -> str:
    if ended.timed_out:
        return "timeout"
    if ended.exit_code != 0:
        return "failed"
    return "ok" if made.is_file() and not made.is_symlink() else "missing"


def _place(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _write_tables(rows: list[Row], images: list[DatasetImage], out: Path) -> None:
    with (
        written_whole(out / RESOURCES_FILE) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, RESOURCE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    times = [
        (
            image.image.name,
            row["wall_s"],
            rank_runtime_seconds(row["wall_s"], *image_shape(image.image)),
        )
        for row, image in zip(rows, images, strict=False)
        if row["status"] == "ok"
    ]
    write_runtimes(out / RUNTIME_FILE, times)
