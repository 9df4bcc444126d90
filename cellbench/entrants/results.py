"""The tables of a run, and the journal that binds label maps and times to it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cellbench.csv_tables import write_rows
from cellbench.data.folder import DatasetImage
from cellbench.entrants.collect import Taken
from cellbench.entrants.process import Finished
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.runtimes import RUNTIME_FILE, rank_runtime_seconds, write_runtimes
from cellbench.evaluation.seals import RUN_JOURNAL, Seal, checksum_of
from cellbench.evaluation.statuses import RESOURCES_FILE, Status
from cellbench.images import image_shape
from cellbench.labels import label_path

RESOURCE_COLUMNS = (
    "image", "status", "wall_s", "start_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb", "exit_code",
    "isolation", "timing", "load", "message",
)  # fmt: skip

Row = dict[str, Any]

_COLD = "cold"  # every image in a process of its own


class Results:
    """What is known about the images of a run; every result is on disk as soon as it is known.

    Args:
        out: the predictions folder.
        images: the images of the run.
        keys: for each stem a text that changes with everything that its result depends on.
    """

    def __init__(self, out: Path, images: Sequence[DatasetImage], keys: Mapping[str, str]) -> None:
        self._out = out
        self._images = images
        self._keys = keys
        self._journal = Journal(out / RUN_JOURNAL)
        self._rows = self._kept()
        self._write_tables()

    def has(self, stem: str) -> bool:
        """Return whether the result of an image is known.

        Args:
            stem: stem of the image.
        """
        return stem in self._rows

    def rows(self) -> list[Row]:
        """Return the rows of ``resources.csv``, in the order of the images."""
        return [self._rows[image.stem] for image in self._images if image.stem in self._rows]

    def add(self, stem: str, ended: Finished, taken: Taken, isolation: str) -> None:
        """Record the result of an image.

        Args:
            stem: stem of the image.
            ended: how the program ended and what it used.
            taken: what it left.
            isolation: name of the sandbox.
        """
        row = {
            "image": stem,
            "status": str(taken.status),
            "wall_s": ended.wall_s,
            "cpu_s": ended.cpu_s,
            "peak_memory_mb": ended.peak_memory_mb,
            "peak_gpu_mb": ended.peak_gpu_mb,
            "exit_code": ended.exit_code,
            "isolation": isolation,
            "timing": _COLD,
            "load": os.getloadavg()[0],
            "message": taken.message or ended.message,
        }
        self._record(stem, row, taken.checksum)
        self._rows[stem] = row
        self._write_tables()

    def _record(self, stem: str, row: Row, checksum: str) -> None:
        seal = Seal(stem, row["status"], row["wall_s"], checksum)
        self._journal.add(self._keys[stem], {"row": row, "seal": seal.as_json()})

    def _kept(self) -> dict[str, Row]:
        """Return the rows of earlier successes; remove the label maps of all other images."""
        kept: dict[str, Row] = {}
        for stem, key in self._keys.items():
            labels, known = label_path(self._out, stem), self._journal.get(key)
            seal = Seal.from_json(known)
            usable = seal is not None and seal.status == Status.OK
            if seal is not None and usable and seal.checksum == checksum_of(labels):
                kept[stem] = known["row"]
                # The last record of an image is the one that evaluation checks.
                self._record(stem, known["row"], seal.checksum)
            else:
                labels.unlink(missing_ok=True)
        return kept

    def _write_tables(self) -> None:
        write_rows(self._out / RESOURCES_FILE, RESOURCE_COLUMNS, self.rows())
        times = []
        for image in self._images:
            row = self._rows.get(image.stem)
            if row is not None and row["status"] == Status.OK:
                excess = rank_runtime_seconds(row["wall_s"], *image_shape(image.image))
                times.append((image.image.name, row["wall_s"], excess))
        write_runtimes(self._out / RUNTIME_FILE, times)
