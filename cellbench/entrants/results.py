"""The tables of a run, and the journal that binds label maps and times to it."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cellbench.csv_tables import write_rows
from cellbench.data.folder import DatasetImage
from cellbench.entrants.job import Outcome, Timing
from cellbench.errors import CellbenchError
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.runtimes import RUNTIME_FILE, rank_runtime_seconds, write_runtimes
from cellbench.evaluation.seals import RUN_JOURNAL, Seal, checksum_of
from cellbench.evaluation.statuses import COMPARED_FILE, RESOURCES_FILE, Status
from cellbench.images import image_shape
from cellbench.labels import label_path

RESOURCE_COLUMNS = (
    "image", "status", "wall_s", "start_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb", "exit_code",
    "isolation", "timing", "load", "message",
)  # fmt: skip
_STARTS = "starts"
_SECONDS_BETWEEN_TABLES = 1.0

COMPARED_COLUMNS = ("image", "warm_s", "cold_s", "warm_load", "cold_load")

Row = dict[str, Any]
Keys = Mapping[Timing, Mapping[str, str]]
"""For each timing and stem a text that changes with everything that the result depends on."""


class Results:
    """What is known about the images of a run; every result is in the journal as soon as it is known.

    Args:
        out: the predictions folder.
        images: the images of the run.
        keys: under which the journal keeps the results.
        timing: how the times of this run are measured.
    """

    def __init__(
        self, out: Path, images: Sequence[DatasetImage], keys: Keys, timing: Timing
    ) -> None:
        self._out = out
        self._images = images
        self._all_keys = keys
        self._keys = keys[timing]
        self._journal = Journal(out / RUN_JOURNAL)
        self._shapes = _shapes(images)
        self._rows = self._kept()
        self.write_tables()

    def starts(self, key: str) -> list[float]:
        """Return the cold starts that an earlier run measured, in seconds.

        Args:
            key: a text that changes with everything that they depend on.
        """
        known = self._journal.get(key) or {}
        return [float(seconds) for seconds in known.get(_STARTS, [])]

    def keep_starts(self, key: str, starts: Sequence[float]) -> None:
        """Keep measured cold starts for a later run.

        Args:
            key: a text that changes with everything that they depend on.
            starts: seconds.
        """
        if self.starts(key) != list(starts):
            self._journal.add(key, {_STARTS: list(starts)})

    def compare(self, stem: str, outcome: Outcome, isolation: str) -> None:
        """Keep the cold time of an image whose result was measured warm.

        Args:
            stem: stem of the image.
            outcome: its result.
            isolation: name of the sandbox.
        """
        row = _row(stem, outcome, isolation)
        self._journal.add(self._all_keys[outcome.timing][stem], {"row": row})
        self._write_compared()

    def is_compared(self, stem: str) -> bool:
        """Return whether an image was measured both warm and cold.

        Args:
            stem: stem of the image.
        """
        return self._compared(stem) is not None

    def has(self, stem: str) -> bool:
        """Return whether the result of an image is known.

        Args:
            stem: stem of the image.
        """
        return stem in self._rows

    def rows(self) -> list[Row]:
        """Return the rows of ``resources.csv``, in the order of the images."""
        return [self._rows[image.stem] for image in self._images if image.stem in self._rows]

    def add(self, stem: str, outcome: Outcome, isolation: str) -> None:
        """Record the result of an image.

        Args:
            stem: stem of the image.
            outcome: its result.
            isolation: name of the sandbox.
        """
        row = _row(stem, outcome, isolation)
        self._record(stem, row, outcome.taken.checksum)
        self._rows[stem] = row
        # With many images, writing the tables for each would take longer than fast programs need.
        if time.monotonic() - self._written > _SECONDS_BETWEEN_TABLES:
            self.write_tables()

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

    def write_tables(self) -> None:
        """Write the tables; [`add`][] does so once a second, but always keeps a journal."""
        self._written = time.monotonic()
        write_rows(self._out / RESOURCES_FILE, RESOURCE_COLUMNS, self.rows())
        times = []
        for image in self._images:
            row = self._rows.get(image.stem)
            if row is not None and row["status"] == Status.OK:
                excess = rank_runtime_seconds(row["wall_s"], *self._shapes[image.stem])
                times.append((image.image.name, row["wall_s"], excess))
        write_runtimes(self._out / RUNTIME_FILE, times)
        self._write_compared()

    def _write_compared(self) -> None:
        # An image that is measured again has no row until then: a kill would leave the old one.
        stems = [image.stem for image in self._images if image.stem in self._rows]
        found = [self._compared(stem) for stem in stems]
        rows = [row for row in found if row is not None]
        if rows:
            write_rows(self._out / COMPARED_FILE, COMPARED_COLUMNS, rows)
        else:
            (self._out / COMPARED_FILE).unlink(missing_ok=True)

    def _compared(self, stem: str) -> Row | None:
        both: Row = {}
        for timing, keys in self._all_keys.items():
            row = (self._journal.get(keys[stem]) or {}).get("row")
            if row is None or row["status"] != Status.OK:
                return None
            both |= {f"{timing}_s": row["wall_s"], f"{timing}_load": row["load"]}
        return {"image": stem, **both} if len(self._all_keys) > 1 else None


def _row(stem: str, outcome: Outcome, isolation: str) -> Row:
    ended, taken = outcome.ended, outcome.taken
    return {
        "image": stem,
        "status": str(taken.status),
        "wall_s": outcome.wall_s,
        "start_s": outcome.start_s,
        "cpu_s": ended.cpu_s,
        "peak_memory_mb": ended.peak_memory_mb,
        "peak_gpu_mb": ended.peak_gpu_mb,
        "exit_code": ended.exit_code,
        "isolation": isolation,
        "timing": str(outcome.timing),
        "load": os.getloadavg()[0],
        "message": taken.message or ended.message,
    }


def _shapes(images: Sequence[DatasetImage]) -> dict[str, tuple[int, int]]:
    shapes = {}
    for image in images:
        with suppress(CellbenchError, OSError):
            shapes[image.stem] = image_shape(image.image)
    return shapes
